"""The probes as data: one YAML file each, checked strictly, in the order in which they are shown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from threatmodel.probe.bodies import ENCODINGS, ROLES
from threatmodel.probe.events import ALB_SEVERAL, DIRECT, SHAPES
from threatmodel.probe.kinds import KINDS
from threatmodel.probe.slack import BASES
from threatmodel.reading import plain
from threatmodel.reading.compiled import Compiled
from threatmodel.reading.problems import InputError, Place, Problem
from threatmodel.reading.reader import Entry, Fields, Reader
from threatmodel.reading.shape import Flag, Items, Key, NamedItems, Number, Raw, Text, Word, record
from threatmodel.reading.source import parse, read_text
from threatmodel.reading.values import dataclass

FOLDER = Path(__file__).with_name("cases")

BODIES = ("genuine", *KINDS, "bot-event", "bot-user-event", "ssl-check", "nothing", "nonsense", "bytes", "published")
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
OVERALL = frozenset({"no-crash", "alike", "discreet-answers", "discreet-logs", "discreet-calls"})
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
    it goes; `event` is an event as it is, with nothing of a request.  `words`: one request for each word that the
    source asks for, as header and query, or all requests of a rule (`crossing.rules`).  Such a request has what no file
    says: `rule` is its name, `text` its body as it is signed, `instead` the one that is sent then, `added` are second
    headers, `environment` is that of its process, and `says` is what its rule changed in words.
    {state} and {cookie} in query and headers are those that an installation's first answer gave.

    `if_named`: it is left out where the genuine request names nothing that it would change.  `control`: it must be
    accepted, or this request and those after it show nothing.  `again`: the same as the request before it.  `fresh`: in
    another environment than that one, `later`: seconds after it, `stale`: reading what was in the stores before the
    first request.  `apart`: in another world, where nothing was done yet.  `failing`: the stores answer with errors, or
    not at all.  `store`: what the store of secrets holds from here on.  `shows` is what follows for the number that the
    probe decides if it is accepted.
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
    *("names", "pairs", "fields", "places", "paths", "forms", "signatures", "timestamps", "old-timestamps", "near"),
    *("keys", "chosen-keys", "outside", "tampered", "resent", "variables"),
)
"""The rules that make many requests of one."""

_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*\Z")
_HEADER = re.compile(r"[A-Za-z]+(?:-[A-Za-z]+)*\Z")
_ROLE = re.compile(rf"(?:{'|'.join(ROLES)})\Z")
_QUERY = re.compile(r"[A-Za-z_]+\Z")
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*\Z")
METHODS = ("GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "POST")
_FACT = re.compile(r"[a-z_]+\Z")
_SECONDS = Number(-1_000_000_000, 1_000_000_000)
_LINE = Text(300)

_SEND = record(
    "a request",
    Key("body", Word(BODIES)),
    Key("change", NamedItems(_LINE, "a role", _ROLE, "one of " + ", ".join(ROLES))),
    Key("tamper", NamedItems(_LINE, "a role", _ROLE, "one of " + ", ".join(ROLES))),
    Key("pad", Word(("short", "large"))),
    Key("clock", _SECONDS),
    Key("timestamp", Raw()),
    Key("secret", Raw()),
    Key("base", Word(tuple(BASES))),
    Key("signature", Raw()),
    Key("after_signing", Raw()),
    Key("headers", NamedItems(Raw(), "a header", _HEADER, "letters and single hyphens")),
    Key("header_names", Word(("as-sent", "lower", "upper", "mixed"))),
    Key("if_named", Flag()),
    Key("joined", Flag()),
    Key("first_timestamp", _SECONDS),
    Key("last_timestamp", _SECONDS),
    Key("repeat", Items(Text(60, r"[A-Za-z]+(?:-[A-Za-z]+)*", "the name of a header"), 1)),
    Key("shape", Word((*SHAPES, ALB_SEVERAL, DIRECT))),
    Key("method", Word(METHODS)),
    Key("path", _LINE),
    Key("query", NamedItems(_LINE, "a query parameter", _QUERY, "letters and underscores")),
    Key("encoding", Word(ENCODINGS)),
    Key("reencoded", Word(ENCODINGS)),
    Key("event", Raw()),
    Key("words", Word(WORDS)),
    Key("base64", Flag()),
    Key("no_headers", Flag()),
    Key("again", Flag()),
    Key("fresh", Flag()),
    Key("stale", Flag()),
    Key("later", _SECONDS),
    Key("apart", Flag()),
    Key("failing", Word(("errors", "silence"))),
    Key("store", Word(("rotated", "replaced", "lost"))),
    Key("control", Flag()),
    Key("shows", Raw()),
)
_DECIDES = record(
    "what a probe shows of a fact",
    Key("passed", Raw(), "what a pass shows"),
    Key("failed", Raw(), "what it shows where the request is accepted"),
    Key("late", Raw(), "what it shows where the request is rejected, but only after something was done"),
)
_CASE = record(
    "a probe",
    Key("title", _LINE, "what holds where it passes, as a sentence", required=True),
    Key("level", Word(("required", "advised")), "how much it counts", required=True),
    Key("expect", Word(tuple(EXPECTED)), "what must come back", required=True),
    Key("failure", Text(400), "what a failure means, as a sentence", required=True),
    Key("decides", NamedItems(_DECIDES, "a fact", _FACT, "lower-case letters and underscores")),
    Key("send", Items(_SEND, 1)),
    Key("secret", Word(("right", "published", "empty", "missing"))),
    Key("environment", NamedItems(_LINE, "a variable", _VARIABLE, "capital letters, digits and underscores")),
    Key("each_kind", Flag()),
    Key("needs", Items(Word(tuple(NEEDS)))),
    Key("formerly", Items(Text(100), 1), "its former ids, which saved results may have until 1.0"),
)


TABLE = Compiled(
    "probes",
    sorted(FOLDER.glob("*.yaml")),
    [f"probe/{name}.py" for name in ("cases", "bodies", "events", "kinds", "slack")],
    {**plain.table(Case, Send, Shows), "Sealed": plain.Kept(Sealed, lambda _: (), lambda _: UNSHOWN)},
)


@cache
def load_cases() -> tuple[Case, ...]:
    """Return every probe: the genuine request, the other required ones, then advised ones."""
    found: tuple[Case, ...] = TABLE.read(read_cases)
    return found


def read_cases(folder: Path = FOLDER) -> tuple[Case, ...]:
    """Return the probes of a folder, in the same order.  Raises InputError with every problem of every file."""
    found = []
    problems: list[Problem] = []
    for path in sorted(folder.glob("*.yaml")):
        name = f"{folder.name}/{path.name}"
        try:
            found.append(read_case(read_text(path, name), name))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return tuple(sorted(found, key=lambda case: (case.level != "required", case.id != "genuine", case.id)))


def read_case(text: str, file: str) -> Case:
    """The probe in a file's text.  Raises InputError with every problem."""
    reader = Reader(parse(text, file))
    entries = reader.whole(_CASE)
    case = _Reading(reader).case(entries, Path(file).stem) if not reader.problems else None
    if case is None or reader.problems:
        raise InputError(reader.problems)
    return case


class _Reading:
    """What shapes cannot say, checked."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    def case(self, entries: Fields, name: str) -> Case:
        if not _ID.match(name):
            self.wrong(Place(self.reader.document.file), f"a probe cannot be called '{name}'", "hyphenated words")
        decides = {
            fact: Shows(*(self.shown(item.value.get(way)) for way in Shows._fields))
            for fact, item in (entries["decides"].value if "decides" in entries else {}).items()
        }
        send = tuple(self.send(value.value) for value in (entries["send"].value if "send" in entries else ()))
        needs = frozenset(value.value for value in (entries["needs"].value if "needs" in entries else ()))
        environment = _texts(entries, "environment")
        plain = _plain(entries, "decides", "send", "needs", "environment", "formerly") | {
            "formerly": entries.several("formerly")
        }
        case = Case(id=name, decides=decides, send=send, needs=needs, environment=environment, **plain)
        self.sense(case, entries["expect"].place)
        return case

    def sense(self, case: Case, place: Place) -> None:
        """A probe about all answers sends nothing; every other sends something that is judged."""
        asked = [send for send in case.send if not send.control]
        if case.expect in OVERALL:
            if case.send:
                self.wrong(place, f"'{case.expect}' is about all answers, and this probe sends", "remove 'send'")
        elif not asked:
            self.wrong(place, "this probe sends nothing that could be judged", "add 'send', or drop 'control'")
        if case.send and case.send[0].again:
            self.wrong(place, "the first request cannot be the same as one before it", "remove 'again'")

    def send(self, entries: Fields) -> Send:
        values = _plain(entries, "change", "tamper", "query", "repeat", "headers", "shows")
        for name in ("timestamp", "signature", "secret", "after_signing"):
            value = values.get(name, "")
            if not isinstance(value, str) and not (value is None and name in {"timestamp", "signature"}):
                self.wrong(entries[name].place, f"'{name}' must be text", "quote it")
        for name in ("change", "tamper", "query"):
            if name in entries:
                values[name] = _texts(entries, name)
        if "repeat" in entries:
            values["repeat"] = tuple(item.value for item in entries["repeat"].value)
        if "event" in entries and not isinstance(values["event"], dict):
            self.wrong(entries["event"].place, "'event' must be a table", "write the event that Lambda hands over")
        if "headers" in entries:
            values["headers"] = {name: self.header(item) for name, item in entries["headers"].value.items()}
        if "shows" in entries:
            values["shows"] = self.shown(entries["shows"])
        return Send(**values)

    def header(self, item: Entry) -> str | None:
        if item.value is not None and not isinstance(item.value, str):
            self.wrong(item.place, "a header must be text", "quote it, or write null to leave it out")
            return None
        return item.value

    def shown(self, item: Entry | None) -> Shown | Sealed:
        if item is None:
            return UNSHOWN
        if item.value is None or isinstance(item.value, bool | int):
            return item.value
        self.wrong(item.place, "a probe shows true, false, a whole number or null", "write one of these")
        return UNSHOWN

    def wrong(self, place: Place, message: str, hint: str) -> None:
        self.reader.note("wrong-type", place, message, hint)


def _texts(entries: Fields, name: str) -> dict[str, str] | None:
    return {key: item.value for key, item in entries[name].value.items()} if name in entries else None


def _plain(entries: Fields, *left_out: str) -> dict[str, Any]:
    return {name: item.value for name, item in entries.items() if name not in left_out}


def facts_decided(cases: Iterable[Case]) -> dict[str, tuple[Case, ...]]:
    """The facts that probes decide, each with the probes that bear on it."""
    found: dict[str, list[Case]] = {}
    for case in cases:
        for fact in case.decides:
            found.setdefault(fact, []).append(case)
    return {fact: tuple(bearing) for fact, bearing in sorted(found.items())}
