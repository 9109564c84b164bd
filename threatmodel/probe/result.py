"""What a probe found, as a value and as a file that can be kept beside the code.

A result holds no secret, signature, token or response_url: answers are cut, and such values replaced, when it is made.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from threatmodel.model.vocabulary import FORMER_FACTS
from threatmodel.probe.cases import Case, Shown, load_cases
from threatmodel.probe.deciding import BOUND, FORMER_BOUND, LEVELS, Decision, Row, decisions
from threatmodel.probe.outcome_names import FAILED, OUTCOMES, PASSED
from threatmodel.probe.seen import Coverage, SeenCall
from threatmodel.reading.former import Renamed
from threatmodel.reading.problems import InputError, Place, quoted, suggestion
from threatmodel.reading.reader import Entry, Fields, Reader
from threatmodel.reading.shape import Flag, Items, Key, NamedItems, Number, Raw, Text, Word, record
from threatmodel.reading.source import parse
from threatmodel.reading.values import dataclass, field, field_names

FORMAT = 2
KINDS = ("python", "node", "http")


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A run of all probes against one handler.

    `folder_sha256` names the code that was run ('' where it was only reached over HTTP), `when` is UTC, to the
    second. `isolation` says of each measure against a hostile handler whether it held.  `variables` are those that
    the handler had, each with the fingerprint of its value ('' where it may be a secret). `shown_for` is what
    requests without a right signature covered, `calls_seen` what the handler asked of AWS.  `secret_variable` is the
    variable from which the handler took the signing secret ('' for none).  `files` are those that it read and that
    `folder_sha256` does not cover, by their paths from the folder, each with its digest; a folder whose names it listed
    ends with a slash.  None: the result does not say, as those of the first versions do not.  `options` are those that
    the run was given, paths from the folder; one whose value may be a secret is there without it.
    `requests` is how many were sent, `not_tried` what no probe of a fact tries.  `branches` counts the conditions,
    cases, exception handlers and loops of the handler's own code that requests `reached`, and those that went `both`
    ways (None: this was not recorded).
    """

    target: str
    kind: str
    folder_sha256: str
    when: datetime.datetime
    version: str
    shape: str
    sees_effects: bool
    variables: Mapping[str, str]
    shown_for: Coverage
    calls_seen: tuple[SeenCall, ...]
    rows: tuple[Row, ...]
    facts: tuple[Decision, ...]
    isolation: tuple[str, ...] = ()
    secret_variable: str = ""
    files: Mapping[str, str] | None = None
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    requests: int = 0
    not_tried: Mapping[str, str] = field(default_factory=dict)
    branches: Mapping[str, int] | None = None

    def handler_in(self, folder: Path) -> Path:
        """The file of the handler in the folder of the code."""
        return folder / self.below / Path(self.target.rpartition(":")[0] or self.target).name

    @property
    def below(self) -> str:
        """Where in the folder of the code the file of the handler is, as a path."""
        return next(iter(self.options.get("below", ())), ".")

    @property
    def decided(self) -> dict[str, Shown]:
        """The facts that it decides, with their values."""
        return {one.fact: one.value for one in self.facts if one.decided}


def fingerprint(name: str, value: str) -> str:
    """What stands for a variable's value, so that another one can be distinguished from it."""
    return hashlib.sha256(f"{name}={value}".encode("utf-8", "surrogateescape")).hexdigest()[:16]


def to_json(result: Result) -> str:
    """The result as a file: JSON, indented, in a fixed order."""
    from dataclasses import asdict  # slow to import, and most runs only read results

    whole = {"format": FORMAT, **asdict(result), "when": f"{result.when:%Y-%m-%dT%H:%M:%SZ}"}
    whole = {name: value for name, value in whole.items() if value is not None}
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


_LINE = Text(2000)
_FACT_NAME = re.compile(r"[a-z][a-z_]*\Z")
_DIGEST = "[0-9a-f]{64}"

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_PATH = re.compile(r"[^/\0][^\0]{0,999}\Z")
_FINGERPRINT = "[0-9a-f]{16}"

_FORMER = tuple(FORMER_FACTS["function"].items())
_FACT = Text(100, "[a-z][a-z_]*", "the name of a fact", formerly=_FORMER)

_ROW = record(
    "a row",
    Key("probe", Text(100, r"[a-z0-9]+(?:-[a-z0-9]+)*", "the id of a probe"), required=True),
    Key("title", _LINE, required=True),
    Key("level", Word(LEVELS), required=True),
    Key("sent", _LINE, required=True),
    Key("back", Raw(), required=True),
    Key("outcome", Word(OUTCOMES), required=True),
    Key("why", Raw(), required=True),
    Key("failure", _LINE, required=True),
    Key("bears_on", Items(_FACT), required=True),
    Key("shows", NamedItems(Raw(), "a fact", _FACT_NAME, "the name of a fact", formerly=_FORMER), required=True),
)
_DECISION = record(
    "a fact",
    Key("fact", _FACT, required=True),
    Key("decided", Flag(), required=True),
    Key("value", Raw(), required=True),
    Key("passed", Number(0, 1000), required=True),
    Key("of", Number(1, 1000), required=True),
    Key("note", Raw(), required=True),
)
_LINES = Items(_LINE)
_COVERAGE = record("what a result covers", *(Key(name, _LINES, required=True) for name in field_names(Coverage)))
_CALL = record("a call that was seen", *(Key(name, Raw(), required=True) for name in field_names(SeenCall)))
_RESULT = record(
    "a result of the probe",
    Key("format", Number(FORMAT, FORMAT), required=True),
    Key("target", _LINE, required=True),
    Key("kind", Word(KINDS), required=True),
    Key("folder_sha256", Raw(), required=True),
    Key("when", Text(20, r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "a time such as 2026-11-26T08:00:00Z"), required=True),
    Key("version", _LINE, required=True),
    Key("shape", _LINE, required=True),
    Key("sees_effects", Flag(), required=True),
    Key("variables", NamedItems(Raw(), "a variable", _VARIABLE, "the name of a variable"), required=True),
    Key("shown_for", _COVERAGE, required=True),
    Key("calls_seen", Items(_CALL), required=True),
    Key("rows", Items(_ROW, 1), required=True),
    Key("facts", Items(_DECISION), required=True),
    Key("isolation", Items(_LINE), required=True),
    Key("secret_variable", Raw()),
    Key("options", NamedItems(Items(_LINE), "an option", expected="the name of an option")),
    Key("files", NamedItems(Text(64, _DIGEST, "64 hexadecimal digits"), "a file", _PATH, "a path from the folder")),
    Key("requests", Number(0, 1_000_000)),
    Key("branches", NamedItems(Number(0, 1_000_000), "a count", re.compile(r"(?:reached|both)\Z"), "reached or both")),
    Key("not_tried", NamedItems(_LINE, "a fact", _FACT_NAME, "the name of a fact")),
)


def read(text: str, file: str, renamed: list[Renamed] | None = None) -> Result:
    """The result in a file's text, with current names; `renamed` takes the former ones.

    Raises InputError with every problem: what is misspelled or of another type, a fact that no probe decides, and facts
    that do not follow from the rows.
    """
    reader = Reader(parse(text, file))
    entries = reader.whole(_RESULT)
    result = None if reader.problems else _Reading(reader).result(entries)
    if result is None or reader.problems:
        raise InputError(reader.problems)
    if renamed is not None:
        renamed += reader.renamed
    return result


class _Reading:
    """What shapes cannot say, checked."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.known = {fact: case for case in load_cases() for fact in case.decides}
        self.former = {old: case.id for case in load_cases() for old in case.formerly}

    def result(self, entries: Fields) -> Result | None:
        rows = tuple(self.row(item.value) for item in entries["rows"].value)
        facts = tuple(self.decision(item.value) for item in entries["facts"].value)
        calls = tuple(
            SeenCall(**{key: self.text(one) for key, one in item.value.items()}) for item in entries["calls_seen"].value
        )
        variables = {
            name: self.text(item, _FINGERPRINT, "16 hexadecimal digits, or an empty text")
            for name, item in entries["variables"].value.items()
        }
        when = self.when(entries["when"])
        digest = self.text(entries["folder_sha256"], _DIGEST, "64 hexadecimal digits, or an empty text")
        self.once(entries["rows"].value, "probe")
        if self.reader.problems or when is None:
            return None
        whole: dict[str, Any] = {
            name: entries[name].value for name in ("target", "kind", "version", "shape", "sees_effects")
        }
        isolation = tuple(item.value for item in entries["isolation"].value)
        covered = {key: tuple(one.value for one in item.value) for key, item in entries["shown_for"].value.items()}
        result = Result(
            isolation=isolation,
            secret_variable=self.text(entries["secret_variable"], _VARIABLE.pattern, "the name of a variable")
            if "secret_variable" in entries
            else "",
            files={name: one.value for name, one in entries["files"].value.items()} if "files" in entries else None,
            options={
                name: tuple(value.value for value in one.value)
                for name, one in (entries["options"].value if "options" in entries else {}).items()
            },
            requests=entries["requests"].value if "requests" in entries else 0,
            not_tried=_named(entries, "not_tried"),
            branches=_named(entries, "branches") if "branches" in entries else None,
            rows=rows,
            facts=facts,
            when=when,
            folder_sha256=digest,
            variables=variables,
            shown_for=Coverage(**covered),
            calls_seen=calls,
            **whole,
        )
        self.follows(result, entries)
        return result

    def row(self, item: Fields) -> Row:
        bears_on = []
        for name in item["bears_on"].value:
            self.fact(name.value, name.place)
            bears_on.append(name.value)
        shows = {}
        for name, shown in item["shows"].value.items():
            self.fact(name, shown.key)
            if name not in bears_on:
                self.wrong(shown.key, f"this probe does not bear on {quoted(name)}", "add it to 'bears_on'")
            shows[name] = self.value(name, shown)
            self.fits(item["outcome"].value, shows[name], shown.place)
        plain = {key: item[key].value for key in ("probe", "title", "level", "sent", "outcome", "failure")}
        plain["probe"] = self.reader.current(item["probe"].value, self.former, item["probe"].place)
        texts = {key: self.text(item[key]) for key in ("back", "why")}
        return Row(**plain, **texts, bears_on=tuple(bears_on), shows=shows)

    def fits(self, outcome: str, value: Shown, place: Place) -> None:
        """Only what passed shows something good, and only what passed or failed shows anything."""
        if outcome not in {PASSED, FAILED} or value is (outcome == FAILED):
            self.wrong(place, f"a probe that is '{outcome}' cannot show {quoted(value)}", "probe again")

    def decision(self, item: Fields) -> Decision:
        name = item["fact"].value
        self.fact(name, item["fact"].place)
        value = self.value(name, item["value"]) if item["decided"].value else None
        if not item["decided"].value and item["value"].value is not None:
            self.wrong(item["value"].place, "an undecided fact has a value", "write null")
        plain = {key: item[key].value for key in ("decided", "passed", "of")}
        note = self.text(item["note"]).replace(FORMER_BOUND, BOUND)
        return Decision(fact=name, value=value, note=note, **plain)

    def fact(self, name: str, place: Place) -> None:
        if name not in self.known:
            message = f"{quoted(name)} is not a fact that a probe decides"
            self.reader.note("unknown-fact", place, message, suggestion(name, self.known))

    def value(self, fact: str, entry: Entry) -> Shown:
        """A yes or no; of a number, a whole number or null."""
        number = fact in self.known and not _is_flag(self.known[fact], fact)
        value: Shown = entry.value
        fits = (value is None or type(value) is int) if number else isinstance(value, bool)
        if not fits:
            expected = "a whole number or null" if number else "true or false"
            self.wrong(entry.place, f"the value of '{fact}' is {quoted(value)}; expected {expected}", "")
        return value

    def text(self, entry: Entry, pattern: str = "", expected: str = "text") -> str:
        """A text that may be empty."""
        value = entry.value
        if isinstance(value, str) and (not value or not pattern or re.fullmatch(pattern, value)):
            return value
        self.wrong(entry.place, f"{quoted(value)} is here; expected {expected}", "")
        return ""

    def when(self, entry: Entry) -> datetime.datetime | None:
        try:
            return datetime.datetime.fromisoformat(entry.value)
        except ValueError:
            message = f"'when' is {quoted(entry.value)}, which is not a time; expected one such as 2026-11-26T08:00:00Z"
            self.reader.note("not-a-date", entry.place, message)
            return None

    def once(self, items: tuple[Any, ...], key: str) -> None:
        seen: set[str] = set()
        for item in items:
            name = item.value[key].value
            if name in seen:
                self.reader.note("duplicate-id", item.value[key].place, f"the probe {quoted(name)} appears twice")
            seen.add(name)

    def follows(self, result: Result, entries: Fields) -> None:
        """The facts are exactly what the rows show: otherwise one of the two was written by hand."""
        expected = {one.fact: one for one in decisions(result.rows, sees_effects=result.sees_effects)}
        for item in entries["facts"].value:
            name = item.value["fact"].value
            found = next(one for one in result.facts if one.fact == name)
            if found != expected.pop(name, None):
                message = f"the value of '{name}' does not follow from the rows"
                self.wrong(item.place, message, "probe again rather than edit a result")
        for name in expected:
            self.wrong(entries["facts"].key, f"'{name}' is missing, but rows bear on it", "probe again")

    def wrong(self, place: Place, message: str, hint: str) -> None:
        self.reader.note("wrong-type", place, message, hint)


def _named(entries: Fields, key: str) -> dict[str, Any]:
    return {name: item.value for name, item in (entries[key].value if key in entries else {}).items()}


def _is_flag(case: Case, fact: str) -> bool:
    return any(isinstance(value, bool) for value in case.decides[fact])
