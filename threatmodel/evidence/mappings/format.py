"""Where facts stand in CloudFormation and SAM, in a Terraform plan and in AWS's answers, read from three YAML files.

A file holds, by kind of element:

``elements``     which resource types can be an element (``aws``: variants, each with the calls that list the names)
``facts``        fact -> a list of places, tried in order; the first that says something decides
``gathered``     name -> sources, whose values an analysis looks at together
``unsaid``       fact -> why this kind of file cannot say it
``permissions``  ``aws`` only: operation -> IAM actions, where they are not of the operation's own name

A source is ``in`` (the element's types; left out: all of the kind), ``via`` (steps to other resources) and ``at`` (the
path there, in the last resource); for AWS it is ``in`` and ``calls``.  A step is ``{to: TYPES, by: PATH}``, what the
property refers to; ``{from: TYPES, by: PATH}``, the resources whose property refers to this one; or
``{any: TYPES}``, every resource of these types.  ``where: {property: text}`` in a step keeps those with these values.
A call is ``call`` (service:Operation), ``with`` (what it is given), ``at`` (the path in its answer) and ``nothing``
(error codes that mean that nothing stands there; any other error means unknown).

A path is names joined by dots.  ``[]`` goes on with each item of a list, ``[Name=x,Other=y]`` with the items that have
these values, ``{}`` with each value of a mapping and ``{key}`` with the value of a key that is no plain name.  Nothing
*stands* at a path where it is missing, null, or an empty text, list or mapping.

A place is a source and one predicate:

``says: V``       what stands there means V, whatever it is; without ``at``, that the resource is there does
``words: {P: V}`` the first pattern that fits what stands there, as text, gives the value (``*`` is any text)
``value: HOW``    the fact is what stands there, as HOW says: a key of VALUES; ``words`` beside it are tried first
``analysis: N``   code computes it from what is ``gather``-ed: a name of `threatmodel.evidence.analyses.registry`
``otherwise: V``  what holds where no place before it said anything

and two qualifiers: ``left_out: V``, what holds where the last resource is there and nothing stands at the path, and
``over``, how the results of several items and resources become one: a key of OVER.

A place that leads nowhere says nothing.  A place whose value cannot be known (no word fits, a parameter without
default, an error other than ``nothing``) makes the fact unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any, NamedTuple

from threatmodel.evidence.analyses.registry import analyses
from threatmodel.model.vocabulary import FACTS, KINDS, PLANES, FactRow
from threatmodel.reading.files import Files
from threatmodel.reading.problems import InputError, Place, listed, quoted, suggestion
from threatmodel.reading.shape import (
    Entry,
    Fields,
    Flag,
    Items,
    Key,
    Number,
    Raw,
    Reader,
    Record,
    Table,
    Text,
    Word,
    record,
)

FOLDER = FilePath(__file__).parent

FILES = {"cloudformation": "template", "terraform": "template", "aws": "aws"}
"""The files, by the word that `seen_by` has for what they describe."""

VALUES: Mapping[str, tuple[type, ...]] = {
    "as-is": (Flag, Number, Word),
    "negated": (Flag,),
    "age-in-days": (Number,),
    "hours-as-days": (Number,),
    "duration-in-hours": (Number,),
}
"""How `value` takes what stands there, and for which types of fact: unchanged; true for false; the days since a time;
hours as whole days, rounded down; the whole hours of an ISO 8601 duration such as PT4H, rounded up."""

OVER: Mapping[str, tuple[type, ...]] = {
    "same": (Flag, Number, Word),
    "any": (Flag,),
    "every": (Flag,),
    "least": (Number, Word),
    "greatest": (Number, Word),
    "sum": (Number,),
}
"""How several results become one, and for which types of fact: all are equal, or the fact is unknown (this holds where
`over` is left out); one is true; all are true; the least and the greatest number or ordered word; all numbers added up.
For the last three, null is greater than every number."""

PREDICATES = ("says", "words", "value", "analysis", "otherwise")


class Part(NamedTuple):
    """One part of a path, by its `kind`.

    key goes to the value of `name`, items to the items of a list that have all of `where`, values to every value of a
    mapping.
    """

    kind: str
    name: str = ""
    where: tuple[tuple[str, str], ...] = ()


Path = tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """From a resource to others: `way` is to, from or any; `where` the values of properties that they must have."""

    way: str
    types: tuple[str, ...]
    by: Path = ()
    where: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """A request to AWS: what it is given, what is taken from the answer, and which errors mean that nothing is there.

    In texts of `given` and in conditions of `at`, ``$name`` is the element's name, ``$1`` what the first call gave,
    ``$last1`` the part of that behind its last slash, ``$host1`` the host name in that address, ``$account`` and
    ``$region`` where the request goes to.
    """

    service: str
    operation: str
    given: Mapping[str, str | tuple[str, ...]]
    at: Path
    nothing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """Where values come from.  `part` says what they are to an analysis; `at` is empty for the resource as a whole."""

    types: tuple[str, ...]
    steps: tuple[Step, ...]
    calls: tuple[Call, ...]
    at: Path
    part: str
    place: Place


@dataclass(frozen=True, slots=True)
class FactPlace:
    """One place of a fact: a source, and how what stands there becomes the fact's value.

    `says` is the value of `says` or `otherwise`, by `predicate`; `left_out` is a tuple of no or one value, since None
    is a value.
    """

    source: Source
    predicate: str
    says: Any = None
    words: Mapping[str, Any] = field(default_factory=dict)
    value: str = ""
    analysis: str = ""
    gather: str = ""
    left_out: tuple[Any, ...] = ()
    over: str = "same"


@dataclass(frozen=True, slots=True)
class Places:
    """What one file says, each by kind and then by name."""

    elements: Mapping[str, Mapping[str, tuple[Call, ...]]]
    facts: Mapping[str, Mapping[str, tuple[FactPlace, ...]]]
    gathered: Mapping[str, Mapping[str, tuple[Source, ...]]]
    unsaid: Mapping[str, Mapping[str, str]]
    permissions: Mapping[str, tuple[str, ...]]

    def actions(self, call: Call) -> tuple[str, ...]:
        """The IAM actions that a call needs."""
        name = f"{call.service}:{call.operation}"
        return self.permissions.get(name) or self.permissions.get(f"{call.service}:*") or (name,)


_TYPE = r"[A-Za-z][A-Za-z0-9_-]*(::[A-Za-z0-9]+){0,2}"
_PATH = Text(300, expected="a path such as Environment.Variables or Layers[]")
_TYPES = Items(Text(120, _TYPE, "a resource type"), least=1)
_OPERATION = r"[a-z0-9-]+:(\w+|\*)"
_NAME = re.compile(r"[A-Za-z]\w*\Z")
_ERROR = Items(Text(80, r"[A-Za-z0-9.]+", "an error code"), least=1)
_ACTIONS = Items(Text(120, r"[a-z0-9-]+:\w+", "an IAM action"), least=1)

_CALL = record(
    "a call",
    Key("call", Text(120, _OPERATION, "service:Operation"), "which operation", required=True),
    Key("with", Table(Raw(), "a parameter", _NAME, "a parameter's name"), "what it is given"),
    Key("at", _PATH, "the path in its answer"),
    Key("nothing", _ERROR, "the errors that mean that nothing is there"),
)
_STEP = record(
    "a step",
    Key("to", _TYPES, "what the property refers to"),
    Key("from", _TYPES, "what refers to this by its property"),
    Key("any", _TYPES, "every resource of these types"),
    Key("by", _PATH, "the property that refers"),
    Key("where", Table(Text(120), "a property", _NAME, "a property's name"), "the values that they must have"),
)
_WHERE = {
    "template": (
        Key("in", _TYPES, "the element's resource types"),
        Key("via", Items(_STEP, least=1), "steps to other resources"),
        Key("at", _PATH, "the path there"),
    ),
    "aws": (
        Key("in", _TYPES, "the element's variants"),
        Key("calls", Items(_CALL, least=1), "the calls, each given what those before it gave"),
    ),
}
_WHAT = (
    Key("says", Raw(), "what it means that something stands there"),
    Key("words", Table(Raw(), "a pattern", re.compile(r".+\Z"), "a text"), "what words mean"),
    Key("value", Text(40), "how the fact is what stands there"),
    Key("analysis", Text(60), "what code computes from what is gathered"),
    Key("gather", Text(60), "the sources that an analysis looks at"),
    Key("otherwise", Raw(), "what holds where nothing said anything"),
    Key("left_out", Raw(), "what holds where nothing stands at the path"),
    Key("over", Text(20), "how several results become one"),
)
_FACT = re.compile(r"[a-z][a-z0-9_]*\Z")
_SHOWN_FACT = "a fact's name"


def _format(seen_by: str) -> Record:
    where = _WHERE[seen_by]
    place = record("a place", *where, *_WHAT)
    source = record("a source", *where, Key("as", Text(40), "what it is to an analysis", required=True))
    listing = Table(Items(_CALL), "a variant") if seen_by == "aws" else _TYPES
    rights = Table(_ACTIONS, "an operation", re.compile(_OPERATION + r"\Z"), "service:Operation")
    return record(
        "the places of facts",
        Key("elements", Table(listing, "a kind"), "what can be an element of a kind", required=True),
        Key("gathered", Table(Table(Items(source, least=1), "a set"), "a kind"), "what analyses look at"),
        Key(
            "facts",
            Table(Table(Items(place, least=1), "a fact", _FACT, _SHOWN_FACT), "a kind"),
            "fact by fact",
            required=True,
        ),
        Key(
            "unsaid",
            Table(Table(Text(300), "a fact", _FACT, _SHOWN_FACT), "a kind"),
            "what cannot be seen here, and why",
        ),
        *([Key("permissions", rights, "the IAM actions of operations")] if seen_by == "aws" else []),
    )


def load_places(name: str, files: Files | None = None, folder: FilePath = FOLDER) -> Places:
    """The places in one of FILES.  Raises InputError with every problem of the file."""
    reader = Reader((files or Files()).document(folder / f"{name}.yaml"))
    entries = reader.whole(_format(FILES[name]))
    places = _Whole(reader, FILES[name]).places(entries)
    if reader.problems:
        raise InputError(reader.problems)
    return places


# --- paths

_PART = re.compile(r"(?P<dot>\.)?(?P<name>[A-Za-z_]\w*)|\[(?P<where>[^\[\]{}]*)\]|\{(?P<key>[^{}]*)\}")
_SAME = re.compile(r"(?P<name>\w+)=(?P<value>[^,=]+)\Z")


def parse_path(text: str) -> Path | None:
    """The parts of a path, or None where it is none."""
    parts: list[Part] = []
    at = 0
    while at < len(text):
        found = _PART.match(text, at)
        if found is None or (found["name"] is not None and (found["dot"] is None) is not (at == 0)):
            return None
        at = found.end()
        if found["name"] is not None:
            parts.append(Part("key", found["name"]))
        elif found["where"] is not None:
            conditions = [_SAME.match(one) for one in found["where"].split(",")] if found["where"] else []
            if not parts or None in conditions:
                return None
            parts.append(Part("items", where=tuple((one["name"], one["value"]) for one in conditions if one)))
        elif not parts:
            return None
        else:
            parts.append(Part("key", found["key"]) if found["key"] else Part("values"))
    return tuple(parts) or None


# --- reading


class _Whole:
    """Reads one file: what stands at one place in it is checked against what stands at others."""

    def __init__(self, reader: Reader, seen_by: str) -> None:
        self.reader = reader
        self.seen_by = seen_by
        self.types: dict[str, tuple[str, ...]] = {}
        self.parts: dict[str, dict[str, set[str]]] = {}

    def places(self, entries: Fields) -> Places:
        """Everything that the file says."""
        elements = {kind: self.variants(raw) for kind, raw in self.by_kind(entries, "elements")}
        self.types = {kind: tuple(variants) for kind, variants in elements.items()}
        gathered = {
            kind: {
                name: tuple(self.source(kind, one.value, one.place) for one in entry.value)
                for name, entry in sets.items()
            }
            for kind, sets in self.by_kind(entries, "gathered")
        }
        self.parts = {
            kind: {name: {source.part for source in sources} for name, sources in sets.items()}
            for kind, sets in gathered.items()
        }
        facts = {kind: dict(self.facts(kind, table)) for kind, table in self.by_kind(entries, "facts")}
        unsaid = {kind: dict(self.reasons(kind, table, facts)) for kind, table in self.by_kind(entries, "unsaid")}
        rights = entries["permissions"].value if "permissions" in entries else {}
        permissions = {name: tuple(one.value for one in entry.value) for name, entry in rights.items()}
        return Places(elements, facts, gathered, unsaid, permissions)

    def by_kind(self, entries: Fields, key: str) -> Iterator[tuple[str, Any]]:
        """The kinds in one section, and what stands behind them."""
        for kind, entry in (entries[key].value if key in entries else {}).items():
            if kind in KINDS:
                yield kind, entry.value
            else:
                hint = suggestion(kind, KINDS) or f"known: {listed(KINDS)}"
                self.reader.note("unknown-kind", entry.key, f"{quoted(kind)} is no kind of element", hint)

    def variants(self, raw: Any) -> dict[str, tuple[Call, ...]]:
        """The resource types (or AWS's variants) of a kind, with the calls that list them."""
        if self.seen_by == "aws":
            return {name: self.calls(entry.value, named=False) for name, entry in raw.items()}
        return {one.value: () for one in raw}

    def facts(self, kind: str, table: Fields) -> Iterator[tuple[str, tuple[FactPlace, ...]]]:
        """The facts of a kind with their places."""
        for name, entry in table.items():
            if (row := self.row(kind, name, entry.key)) is not None:
                yield name, tuple(self.place(row, one.value, one.place) for one in entry.value)

    def reasons(self, kind: str, table: Fields, facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """The facts of a kind that are unsaid, and why."""
        for name, entry in table.items():
            if name in facts.get(kind, {}):
                self.reader.note("stated-twice", entry.key, f"{kind}.{name} has places, and is unsaid")
            elif self.row(kind, name, entry.key) is not None:
                yield name, entry.value

    def row(self, kind: str, name: str, place: Place) -> FactRow | None:
        """The fact of this name, which is not computed from others."""
        row = FACTS[kind].get(name)
        if row is None or row.derived:
            known = [other for other, one in FACTS[kind].items() if not one.derived]
            message = f"{quoted(name)} is no fact of the kind {kind}"
            if row is not None:
                message = f"{kind}.{name} is computed from other facts"
            self.reader.note("unknown-fact", place, message, suggestion(name, known))
            return None
        return row

    # --- sources

    def path(self, entries: Fields, key: str) -> Path:
        """The path behind a key, empty where there is none."""
        if key not in entries:
            return ()
        path = parse_path(entries[key].value)
        if path is None:
            message = f"'{key}' is {quoted(entries[key].value)}, which is no path"
            self.reader.note("wrong-type", entries[key].place, message, "write names, [] for items, {} for values")
        return path or ()

    def source(self, kind: str, entries: Fields, place: Place) -> Source:
        """Where values come from."""
        known = self.types.get(kind, ())
        types = tuple(one.value for one in entries["in"].value) if "in" in entries else known
        for one in types:
            if one not in known:
                message = f"{quoted(one)} is not among the elements of the kind {kind}"
                self.reader.note("unknown-reference", entries["in"].place, message, suggestion(one, known))
        steps = tuple(self.step(one.value, one.place) for one in _value(entries, "via", ()))
        calls = self.calls(_value(entries, "calls", ()), named=kind not in PLANES)
        if not types and ("at" in entries or steps) and not (steps and steps[0].way == "any"):
            message = f"no resource is an element of the kind {kind}"
            self.reader.note("wrong-type", place, message, "begin with via: [{any: TYPES}]")
        part = _value(entries, "as", "")
        return Source(types, steps, calls, self.path(entries, "at"), part, place)

    def step(self, entries: Fields, place: Place) -> Step:
        """A step to other resources."""
        ways = [way for way in ("to", "from", "any") if way in entries]
        if len(ways) != 1 or (ways[0] == "any") is ("by" in entries):
            self.reader.note("wrong-type", place, "this is no step", "write to and by, from and by, or any")
            return Step("any", ())
        where = tuple((name, entry.value) for name, entry in _value(entries, "where", {}).items())
        return Step(ways[0], tuple(one.value for one in entries[ways[0]].value), self.path(entries, "by"), where)

    def calls(self, items: tuple[Any, ...], *, named: bool) -> tuple[Call, ...]:
        """Requests to AWS, each of which may use what those before it gave."""
        return tuple(self.call(one.value, one.place, at, named=named) for at, one in enumerate(items))

    def call(self, entries: Fields, place: Place, before: int, *, named: bool) -> Call:
        """A request to AWS, after `before` others; `named` says whether there is an element with a name."""
        service, _, operation = _value(entries, "call", "").partition(":")
        if "call" in entries and forbidden(service, operation):
            message = f"{service}:{operation} changes something, or hands out code or secrets"
            self.reader.note("wrong-type", entries["call"].place, message, "call an operation that only describes")
        given = {name: self.given(entry) for name, entry in _value(entries, "with", {}).items()}
        texts = [*given.values(), *(value for part in self.path(entries, "at") for _, value in part.where)]
        for found in _VARIABLE.finditer(" ".join(one if isinstance(one, str) else " ".join(one) for one in texts)):
            if not (
                found[1] in {"account", "region"} or (found[1] == "name" and named) or 0 < int(found[2] or 0) <= before
            ):
                message = f"{quoted(found[0])} stands for nothing here"
                hint = "known: $name, $account, $region, and $1, $last1, $host1 and so on for the calls before"
                self.reader.note("unknown-reference", place, message, hint)
        nothing = tuple(one.value for one in _value(entries, "nothing", ()))
        return Call(service, operation, given, self.path(entries, "at"), nothing)

    def given(self, entry: Entry) -> str | tuple[str, ...]:
        """What a call is given: a text, or a list of texts."""
        texts = entry.value if isinstance(entry.value, list) else [entry.value]
        if not all(isinstance(one, str) for one in texts):
            self.reader.note("wrong-type", entry.place, "a call is given a text or a list of texts", "quote it")
            return ""
        return tuple(texts) if isinstance(entry.value, list) else entry.value

    # --- places

    def place(self, row: FactRow, entries: Fields, place: Place) -> FactPlace:
        """One place of a fact."""
        source = self.source(row.kind, entries, place)
        given = [name for name in PREDICATES if entries.given(name)]
        if len(given) != 1 and given != ["words", "value"]:
            message = f"a place has one predicate, and this has {listed(given) or 'none'}"
            self.reader.note("wrong-type", place, message, f"write one of {listed(PREDICATES)}, or words and value")
            return FactPlace(source, "")
        predicate = given[-1]
        self.check_keys(predicate, entries, source, place)
        values = [entries[name] for name in ("says", "otherwise", "left_out") if name in entries]
        for entry in (*values, *_value(entries, "words", {}).values()):
            self.check_value(row, entry)
        self.check_word(entries, "value", VALUES, row)
        self.check_word(entries, "over", OVER, row)
        self.check_analysis(row, entries)
        return FactPlace(
            source=source,
            predicate=predicate,
            says=_value(entries, predicate, None) if predicate in {"says", "otherwise"} else None,
            words={text: entry.value for text, entry in _value(entries, "words", {}).items()},
            value=_value(entries, "value", ""),
            analysis=_value(entries, "analysis", ""),
            gather=_value(entries, "gather", ""),
            left_out=(entries["left_out"].value,) if "left_out" in entries else (),
            over=_value(entries, "over", "same"),
        )

    def check_keys(self, predicate: str, entries: Fields, source: Source, place: Place) -> None:
        """Notes keys that a predicate lacks, and those that say nothing beside it."""
        if predicate == "analysis" and "gather" not in entries:
            self.reader.note("missing-key", place, "a place with 'analysis' has no 'gather'")
        reads = predicate in {"words", "value"} or "left_out" in entries
        if reads and not entries.given("at") and not (source.calls and source.calls[-1].at):
            self.reader.note("missing-key", place, f"a place with '{predicate}' has no 'at'", "add the path to read")
        for name in _USELESS[predicate]:
            if name in entries:
                self.reader.note("unknown-key", entries[name].key, f"'{name}' says nothing beside '{predicate}'")

    def check_value(self, row: FactRow, entry: Entry) -> None:
        """Notes a value that the fact cannot have."""
        if not can_be(row, entry.value):
            message = f"{row.kind}.{row.name} cannot be {quoted(entry.value)}; it is {row.type}"
            self.reader.note("wrong-type", entry.place, message)

    def check_word(self, entries: Fields, key: str, known: Mapping[str, tuple[type, ...]], row: FactRow) -> None:
        """Notes a way that does not exist, or is not for the fact's type."""
        if key not in entries:
            return
        word, place = entries[key].value, entries[key].place
        if word not in known:
            message = f"'{key}' is {quoted(word)}; expected one of {listed(known)}"
            self.reader.note("unknown-word", place, message, suggestion(word, known))
        elif not isinstance(row.shape, known[word]) or not _in_order(word, row):
            message = f"'{key}: {word}' is not for {row.kind}.{row.name}, which is {row.type}"
            self.reader.note("wrong-type", place, message)

    def check_analysis(self, row: FactRow, entries: Fields) -> None:
        """Notes an analysis that does not exist, does not answer this fact, or cannot look at what is gathered."""
        parts = self.parts.get(row.kind, {})
        gather = _value(entries, "gather", "")
        if gather and gather not in parts:
            message = f"nothing of the name {quoted(gather)} is gathered for the kind {row.kind}"
            self.reader.note("unknown-reference", entries["gather"].place, message, suggestion(gather, parts))
        if "analysis" not in entries:
            return
        name, place = entries["analysis"].value, entries["analysis"].place
        analysis = analyses().get(name)
        if analysis is None:
            self.reader.note("unknown-word", place, f"{quoted(name)} is no analysis", suggestion(name, analyses()))
        elif not _answers(analysis.answers, row):
            message = f"the analysis '{name}' does not answer {row.kind}.{row.name}, which is {row.type}"
            self.reader.note("wrong-type", place, message)
        elif gather in parts and not parts[gather] & set(analysis.takes):
            message = f"'{name}' takes {listed(analysis.takes)}, but {listed(sorted(parts[gather]))} is gathered"
            self.reader.note("wrong-type", place, message)


_USELESS = {
    "says": ("gather",),
    "words": ("gather",),
    "value": ("gather",),
    "analysis": ("via", "at", "calls", "left_out", "over"),
    "otherwise": ("via", "at", "calls", "left_out", "over", "gather"),
}
_VARIABLE = re.compile(r"\$(name|account|region|(?:last|host)?([1-9]))?")


def _value(entries: Fields, key: str, default: Any) -> Any:
    """What stands behind a key, where it could be read."""
    return entries[key].value if key in entries else default


def _in_order(word: str, row: FactRow) -> bool:
    return word not in {"least", "greatest"} or not isinstance(row.shape, Word) or row.shape.ordered


def _answers(answers: type | tuple[str, ...], row: FactRow) -> bool:
    if isinstance(answers, tuple):
        return isinstance(row.shape, Word) and all(row.shape.takes(word) for word in answers)
    return isinstance(row.shape, answers)


def can_be(row: FactRow, value: Any) -> bool:
    """Whether a fact can have this value."""
    if value is None:
        return row.nullable
    match row.shape:
        case Flag():
            return isinstance(value, bool)
        case Number(low, high):
            return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
        case Word():
            return isinstance(value, str) and row.shape.takes(value)


_READS = re.compile(r"(Get|List|Describe|BatchGet|Generate(?=CredentialReport\Z)|Simulate)[A-Z]\w*\Z")
_TELLS = frozenset(
    {
        "lambda:GetFunction",
        "lambda:GetLayerVersion",
        "lambda:GetLayerVersionByArn",
        "s3:GetObject",
        "secretsmanager:GetSecretValue",
        "secretsmanager:BatchGetSecretValue",
        "ssm:GetParameter",
        "ssm:GetParameters",
        "ssm:GetParametersByPath",
        "ssm:GetParameterHistory",
        "sts:GetSessionToken",
        "sts:GetFederationToken",
        "ecr:GetAuthorizationToken",
        "kms:GenerateDataKey",
    }
)


def forbidden(service: str, operation: str) -> bool:
    """Whether no collector may call this: it changes something, runs code, or returns code or a secret's value."""
    return _READS.match(operation) is None or f"{service}:{operation}" in _TELLS
