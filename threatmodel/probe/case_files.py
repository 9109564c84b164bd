"""The files of the probes, read strictly."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from threatmodel.probe.bodies import ENCODINGS, ROLES
from threatmodel.probe.cases import (
    EXPECTED,
    FOLDER,
    METHODS,
    NEEDS,
    OVERALL,
    UNSHOWN,
    WORDS,
    Case,
    Sealed,
    Send,
    Shown,
    Shows,
)
from threatmodel.probe.events import ALB_SEVERAL, DIRECT, SHAPES
from threatmodel.probe.kinds import KINDS
from threatmodel.probe.slack import BASES
from threatmodel.reading.problems import InputError, Place, Problem
from threatmodel.reading.reader import Entry, Fields, Reader
from threatmodel.reading.shape import Flag, Items, Key, NamedItems, Number, Raw, Text, Word, record
from threatmodel.reading.source import parse, read_text

BODIES = ("genuine", *KINDS, "bot-event", "bot-user-event", "ssl-check", "nothing", "nonsense", "bytes", "published")

_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*\Z")
_HEADER = re.compile(r"[A-Za-z]+(?:-[A-Za-z]+)*\Z")
_ROLE = re.compile(rf"(?:{'|'.join(ROLES)})\Z")
_QUERY = re.compile(r"[A-Za-z_]+\Z")
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*\Z")
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
