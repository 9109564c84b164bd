"""The probes as data, in the order in which they are shown; `case_files` reads them, one YAML file each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from threatmodel.reading import plain
from threatmodel.reading.compiled import Compiled
from threatmodel.reading.grouping import grouped
from threatmodel.reading.values import dataclass

FOLDER = Path(__file__).with_name("cases")

EXPECTED = {
    "accepted": "an answer of 2xx",
    "refused": "an answer of 4xx and no side effect",
    "closed": "an answer of 4xx or 5xx and no side effect",
    "denied": "an answer of 4xx, or one of 2xx, and no side effect",
    "plainly-refused": "an answer of 4xx",
    "idle": "no side effect",
    "not-open": "no side effect where a service fails that the handler asks",
    "once": "a rejection, or no second effect",
    "as-signed": "no effect that has another value than the signed one",
    "unkept": "no side effect but that Slack was asked for the token",
    "handled": "an answer of 2xx or 4xx, and no exception",
    "harmless": "no side effect and no exception",
    "unswayed": "an answer of 2xx that does not name the host",
    "worked": "an answer of 2xx and the effects of a genuine request",
    "challenge": "an answer of 2xx that holds the challenge",
    "nothing-later": "no side effect after the answer",
    "handed-over": "an answer of 2xx within 3 seconds, and the work handed over",
    "not-fetched": "no request to the host",
    "taken": "a request for each branch, unless it evidently rejects",
    "no-crash": "no exception, no 5xx and no answer that is none",
    "alike": "the same answer to each request that is rejected",
    "discreet-answers": "no secret, trace, path or ARN in an answer",
    "discreet-logs": "no secret, signature, token, response_url or body in the logs",
    "discreet-calls": "no secret in what is sent to others",
}
"""What a probe may expect, and what that is in words."""

REFUSING = frozenset({"refused", "closed", "denied", "idle", "once", "unkept", "not-fetched", "not-open", "as-signed"})
"""Expectations that a handler which rejects everything meets: they show nothing where it rejects a genuine request."""
EFFECTS_MATTER = REFUSING | {"handed-over", "nothing-later"}
"""Expectations that are met for certain only where side effects are seen."""
OVERALL = frozenset({"taken", "no-crash", "alike", "discreet-answers", "discreet-logs", "discreet-calls"})
"""Expectations about all answers of a run: such a probe sends nothing itself.

Where a genuine request is rejected, what happens behind the checks was not seen, so they show nothing either.
"""

NEEDS = {
    "clock": "the handler's clock cannot be set",
    "environment": "the handler's own secret cannot be changed",
    "effects": "what the handler does and logs is not seen",
    "source": "the handler's source is not at hand, nor the words in it",
    "install": "no path of an OAuth flow is named in the handler's source or template",
    "callback": "no path to which Slack sends an OAuth code is named in the handler's source or template",
    "store": "the handler reads its secret from no store",
}
"""What a probe may need, and why it is not run where that is missing."""

Shown = bool | int | None
"""The value of a fact that a probe can decide; None: the model's null."""


class Sealed:
    """The class of `UNSHOWN`."""

    def __repr__(self) -> str:
        return "nothing"


UNSHOWN = Sealed()
"""What a probe shows of a fact where it shows nothing."""


class Shows(NamedTuple):
    """What a probe shows of a fact: by a pass, by a failure, and by a rejection that came only after a side effect."""

    passed: Shown | Sealed = UNSHOWN
    failed: Shown | Sealed = UNSHOWN
    late: Shown | Sealed = UNSHOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """One request: what it differs in from a genuine one.

    `body` is a kind of request, or a word for what is in its place; `change` gives some roles of it other
    values (see `bodies.ROLES`), `pad` makes it larger.  `clock` is how many seconds its timestamp is from now,
    `timestamp` another text for it (None: no such header), `secret` with which it is signed: `right`, `wrong`,
    `previous`, `published`, or any other text itself.  `signature` is sent in place of the one that was worked out
    ({signature}, {digest}, {capitals}, {cut}, {first}, {last} stand for it or a part; None: no such header).
    `after_signing` is added to the body once it is signed, `tamper` gives roles other values then, `encoding` is
    how its text becomes bytes, `reencoded` how these are written again once they are signed.  `headers` are changed
    (None: left out), `first_timestamp` and `last_timestamp` are second headers around the real one (`joined`: all in
    one, with commas), `repeat` names headers that are there twice.  `method`, `path`, `query` and `shape` are where
    it goes; `event` is an event as it is, with nothing of a request.  `words`: all requests of a rule
    (`crossing.rules`).  Such a request has what no file says: `rule` is its name, `text` its body as it is signed,
    `instead` the one that is sent then, `added` are second headers, `environment` is that of its process, `kept` how
    the handler's own secret is written there, `deployed` the name of its stage and alias with its stage variables, and
    `says` is what its rule changed in words.
    {state} and {cookie} in query and headers are those that an installation's first answer gave.

    `if_named`: it is left out where the genuine request names nothing that it would change.  `control`: it must be
    accepted, or this request and those after it show nothing.  `again`: the same as the request before it.  `fresh`: in
    another environment than that one, `later`: seconds after it, `stale`: reading what was in the stores before the
    first request.  `apart`: in another world, where nothing was done yet.  `failing`: the stores answer with errors, or
    not at all; or the store of secrets late, or with the error of this name.  `store`: what the store of
    secrets holds from here on.  `shows` is what follows for the number that the probe decides if it is accepted.
    """

    body: str = "genuine"
    change: Mapping[str, str] | None = None
    pad: str = ""
    clock: int = 0
    timestamp: str | None = "{now}"
    secret: str = "right"  # noqa: S105 - a word of the format
    base: str = "slack"
    signature: str | None = "{signature}"
    after_signing: str = ""
    tamper: Mapping[str, str] | None = None
    headers: Mapping[str, str | None] | None = None
    header_names: str = "as-sent"
    if_named: bool = False
    joined: bool = False
    first_timestamp: int | None = None
    last_timestamp: int | None = None
    repeat: tuple[str, ...] = ()
    shape: str = ""
    method: str = "POST"
    path: str = ""
    query: Mapping[str, str] | None = None
    encoding: str = "utf-8"
    reencoded: str = "utf-8"
    event: Mapping[str, Any] | None = None
    words: str = ""
    rule: str = ""
    says: str = ""
    text: bytes | None = None
    instead: bytes | None = None
    added: tuple[tuple[str, str], ...] = ()
    environment: Mapping[str, str | None] | None = None
    kept: str = "{secret}"
    deployed: Mapping[str, str] | None = None
    base64: bool = False
    no_headers: bool = False
    again: bool = False
    fresh: bool = False
    stale: bool = False
    later: int = 0
    apart: bool = False
    failing: str = ""
    store: str = ""
    control: bool = False
    shows: Shown | Sealed = UNSHOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One probe: what it asks, how much it counts, what it sends, what it expects and what that shows.

    `secret` is what the handler finds as its own: `right`, `published`, `empty` or `missing`.  `environment` are
    variables beside its own.  `needs` is what a runner must be able to do, or what the handler must have.  `each_kind`:
    the whole is asked again for every other kind of request that the handler serves.  `decides` has for each fact
    what a probe that went one way or the other shows.  `formerly` lists its former ids, which saved results have.
    """

    id: str
    title: str
    level: str
    expect: str
    failure: str
    decides: Mapping[str, Shows]
    send: tuple[Send, ...] = ()
    secret: str = "right"  # noqa: S105 - a word of the format
    environment: Mapping[str, str] | None = None
    each_kind: bool = False
    needs: frozenset[str] = frozenset()
    formerly: tuple[str, ...] = ()

    @property
    def needs_genuine(self) -> bool:
        """Whether it shows nothing where a genuine request is rejected."""
        return self.expect in REFUSING | OVERALL


WORDS = (
    *("fields", "places", "around", "paths", "forms", "signatures", "timestamps", "old-timestamps", "near"),
    *("keys", "chosen-keys", "outside", "tampered", "resent", "variables", "moments", "errors", "events"),
)
"""The rules that make many requests of one."""

METHODS = ("GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "POST")

TABLE = Compiled(
    "probes",
    sorted(FOLDER.glob("*.yaml")),
    [f"probe/{name}.py" for name in ("cases", "case_files", "bodies", "events", "kinds", "slack")],
    {**plain.table(Case, Send, Shows), "Sealed": plain.Kept(Sealed, lambda _: (), lambda _: UNSHOWN)},
)


@cache
def load_cases() -> tuple[Case, ...]:
    """Return every probe: the genuine request, the other required ones, then advised ones."""
    found: tuple[Case, ...] = TABLE.read(_read)
    return found


def _read() -> tuple[Case, ...]:
    from threatmodel.probe.case_files import read_cases  # where there is no table of them

    return read_cases()


def facts_decided(cases: Iterable[Case]) -> dict[str, tuple[Case, ...]]:
    """The facts that probes decide, each with the probes that bear on it."""
    found = grouped((fact, case) for case in cases for fact in case.decides)
    return {fact: tuple(bearing) for fact, bearing in sorted(found.items())}
