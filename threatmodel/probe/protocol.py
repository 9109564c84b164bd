"""The words between probes, which say what is sent and judge what comes back, and runners, which run a handler.

A runner runs each scenario in a separate process: the handler sees a fresh Lambda environment, with its folder as the
working directory and on the search path, stubs in place of AWS and Slack, and no network.  Nothing here knows Slack.
"""

# Shapes added by the runners, all with defaults: Effect.refused, Effect.reads, Runner.sets_clock.
# The way in is `threatmodel.probe.runners.target.runner_for`.

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from threatmodel.reading.values import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One invocation: the event as Lambda gives it, and what the handler's clock shows (None: the real time).

    `fresh`: in another environment than the call before it, which shares no memory with it, but what AWS keeps.
    `stale`: it reads from the stores what was there before the first call, as one does that runs at the same time.
    `store`: from this call on the store of secrets has these two, the current one and the one before it; (None, None)
    where it answers with an error.
    """

    event: Mapping[str, Any]
    at: float | None = None
    fresh: bool = False
    stale: bool = False
    store: tuple[str | None, str | None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Invocations of one fresh environment, in order.

    `environment` are variables beside those of the target; `secrets` what the stubbed Secrets Manager and Parameter
    Store give for any name (None: they have nothing); the same value is in the environment variable that the target
    names.  `secret_json`: the stores keep it as JSON, under each of these keys.  `failing`: DynamoDB and S3
    answer with "errors", or with "silence" until the client gives up.
    """

    name: str
    calls: tuple[Call, ...]
    secret: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    secret_json: tuple[str, ...] = ()
    failing: str = ""


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
        if self.operation in {"Decrypt", "Verify", "VerifyMac"}:
            return self.service == "kms"
        return self.service not in _BESIDE_AWS and self.operation.startswith(_READING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came of one invocation.

    `ended` is '' where the handler answered, else how it ended: error (an exception, `error` its type), timeout, exit,
    crash, output (megabytes printed), memory, or not-run (an earlier call ended the process).  `status` is None where
    the answer has none.  `effects` in order; `logs` what it printed, cut at a limit.  `loading` are the effects of the
    module as it was loaded, which belong to no request; `after` how many of the effects came after the answer.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a scenario may use: seconds a call, bytes of memory, bytes of output."""

    seconds: float = 10.0
    memory: int = 512 * 1024 * 1024
    output: int = 1024 * 1024


EXCHANGES = frozenset({"oauth.v2.access", "oauth.access", "openid.connect.token"})
"""Methods of Slack's Web API that give a token for a code, once: docs.slack.dev/reference/methods/oauth.v2.access."""

_BESIDE_AWS = frozenset({"network", "process", "file"})
_READING_SLACK = ("test", "info", "list", "history", "replies", "members", "lookup", "get", "search", "conversations")
"""Beginnings of the last word of the methods of Slack's Web API that only read (docs.slack.dev/reference/methods)."""
_READING = ("Get", "BatchGet", "TransactGet", "List", "Describe", "Head", "Query", "Scan")


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
    def files_read(self) -> Collection[str]:
        """The files that the handler opened or imported, and the folders that it listed, as far as that is seen."""
