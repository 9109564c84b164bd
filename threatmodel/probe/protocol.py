"""The words between probes, which say what is sent and judge what comes back, and runners, which run a handler.

A runner runs each scenario in a separate process: the handler sees a fresh Lambda environment, with its folder as the
working directory and on the search path, stubs in place of AWS and Slack, and no network.  Nothing here knows Slack.
"""

# Shapes added by the runners, all with defaults: Effect.refused, Effect.reads, Runner.sets_clock.
# The way in is `threatmodel.probe.runners.target.runner_for`.

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from threatmodel.probe.branches.taken import Taken
from threatmodel.reading.tables import table
from threatmodel.reading.values import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One invocation: the event as Lambda gives it, and what the handler's clock shows (None: the real time).

    `fresh`: in another environment than the call before it, which shares no memory with it, but what AWS keeps.
    `stale`: it reads from the stores what was there before the first call, as one does that runs at the same time.
    `store`: from this call on the store of secrets has these two, the current one and the one before it; (None, None)
    where it answers with an error.  `settles`: what it leaves at work is awaited before the next call.
    `alias` is that of the function by which it is invoked.
    """

    event: Mapping[str, Any]
    at: float | None = None
    fresh: bool = False
    stale: bool = False
    store: tuple[str | None, str | None] | None = None
    settles: bool = True
    alias: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Invocations of one fresh environment, in order.

    `environment` are variables beside those of the target (None: one that is not set), `secrets` what the stubbed
    Secrets Manager and Parameter Store give for any name (None: they have nothing); the same value is in the
    environment variable that the target names.  `secret_json`: the stores keep it as JSON, under each of these keys
    (`outer/inner`: in an object).
    `failing`: DynamoDB and S3 answer with "errors", or with "silence" until the client gives up; or what holds secrets
    answers with the error of this name, or late ("lateness").  `together`: no call depends on another, so that they may
    be handed over many at a time.
    """

    name: str
    calls: tuple[Call, ...]
    secret: str | None = None
    environment: Mapping[str, str | None] = field(default_factory=dict)
    secret_json: tuple[str, ...] = ()
    failing: str = ""
    together: bool = False


MOST_CONTENT = 20_000
"""Characters of what a call sends that are kept, to look for secrets in them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """Something that a handler did to the world, as a stub recorded it: dynamodb, PutItem, the table's name.

    Services are those of boto3 (secretsmanager, stepfunctions, events), and four more: slack (operation a method of
    its Web API), network (operation a method, or CONNECT where the connection was refused; detail the host), process
    (spawn, a program) and file (write, a path).  `refused` says that nothing came of it: a condition that failed, a
    host that is not there, a program that was not started.  `unclear` says that the stub could not answer it, so that
    it is unknown what AWS would have done.  `content` is what was sent, cut at a limit.
    """

    service: str
    operation: str
    detail: str = ""
    refused: bool = False
    unclear: bool = False
    content: str = field(default="", repr=False, compare=False)

    @property
    def reads(self) -> bool:
        """Whether it only reads, as reading the signing secret does: no side effect."""
        if self.service == "slack":
            return self.operation.rpartition(".")[2].startswith(_READING_SLACK)
        if self.service in _BESIDE_AWS:
            return False
        differing = table(__file__, "reading-calls.json").get(self.service, {})
        named = self.operation.startswith(READING)
        return self.operation in differing.get("reads", ()) or (
            named and self.operation not in differing.get("acts", ())
        )

    @property
    def acts(self) -> bool:
        """Whether it does something to the world; a call that a stub stops, though Lambda would not, counts too."""
        near = self.service == "network" and self.operation == "GET" and self.detail.startswith(_NEAR)
        if self.reads or near or self.service in TELLING:
            return False
        return not self.refused or self.unclear or self.service in _STOPPED


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came of one invocation.

    `ended` is '' where the handler answered, else how it ended: error (an exception, `error` its type), timeout, exit,
    crash, output (megabytes printed), memory, or not-run (an earlier call ended the process).  `status` is None where
    the answer has none.  `effects` in order; `logs` what it printed, cut at a limit.  `loading` are the effects of the
    module as it was loaded, which belong to no request; `after` how many of the effects came after the answer.
    `taken` are the ways that the handler's own code took, and the module before the first request (`branches.taken`).
    """

    ended: str = ""
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    error: str = ""
    effects: tuple[Effect, ...] = ()
    logs: str = ""
    seconds: float = 0.0
    loading: tuple[Effect, ...] = ()
    after: int = 0
    taken: int = field(default=0, repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a scenario may use: seconds a call, bytes of memory, bytes of output."""

    seconds: float = 10.0
    memory: int = 512 * 1024 * 1024
    output: int = 8 * 1024 * 1024  # more than the largest body, which a framework may log


SEARCH = "search"
"""The name of the scenarios in which a genuine request is looked for, before any other."""
LAMBDA = {
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_LAMBDA_FUNCTION_NAME": "probe",
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
    "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/probe",
    "AWS_LAMBDA_LOG_STREAM_NAME": "2020/01/01/[$LATEST]00000000000000000000000000000000",
    "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
    "AWS_EXECUTION_ENV": "AWS_Lambda_probe",
}
"""Variables that Lambda itself sets, whatever the handler is."""

EXCHANGES = frozenset({"oauth.v2.access", "oauth.access", "openid.connect.token"})
"""Methods of Slack's Web API that give a token for a code, once: docs.slack.dev/reference/methods/oauth.v2.access."""

TELLING = frozenset({"cloudwatch", "logs", "xray", "sts"})
"""Services to which a handler tells how it fares, or that give it its credentials: nothing is done there."""
_STOPPED = frozenset({"network", "process"})
_NEAR = ("localhost", "127.0.0.1", "::1")
"""Hosts of Lambda's own extension for secrets."""
_BESIDE_AWS = frozenset({"network", "process", "file"})
_READING_SLACK = ("test", "info", "list", "history", "replies", "members", "lookup", "get", "search", "conversations")
"""Beginnings of the last word of the methods of Slack's Web API that only read (docs.slack.dev/reference/methods)."""
READING = ("Get", "BatchGet", "TransactGet", "List", "Describe", "Head", "Query", "Scan")


class Runner(Protocol):
    """Runs scenarios against one handler."""

    def run(self, scenario: Scenario) -> Sequence[Reply]:
        """One reply for each call of a scenario.  Raises InputError where the handler cannot be run at all."""

    @property
    def sees_effects(self) -> bool:
        """Whether side effects are recorded: not where the handler is only reached over HTTP."""

    @property
    def sets_clock(self) -> bool:
        """Whether `Call.at` is what the handler's clock shows: not where it is only reached over HTTP."""

    @property
    def missing_variables(self) -> Sequence[str]:
        """Variables that the handler's own code asked for and did not get, as far as that is seen."""

    @property
    def reads_secret_variable(self) -> bool:
        """Whether the handler read the variable with the signing secret, which is set in any case."""

    @property
    def taken(self) -> Taken | None:
        """The ways that the handler's own code took in every run so far; None where they are not recorded."""

    @property
    def files_read(self) -> Collection[str]:
        """The files that the handler opened or imported, and the folders that it listed, as far as that is seen."""
