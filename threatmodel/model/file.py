"""The shape of a model file: the vocabulary's facts and the keys around them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from threatmodel.model.evidence_shape import EVIDENCE, PATH
from threatmodel.model.longest import LONGEST_TERMS, YEAR
from threatmodel.model.reference_architecture import FORMER_ELEMENTS
from threatmodel.model.vocabulary import CLASSIFICATIONS, FORMER_KINDS, KINDS, PLANES, RELATIONS, ROWS, Kind
from threatmodel.reading.problems import article, listed
from threatmodel.reading.schema import json_schema
from threatmodel.reading.shape import (
    LONGEST_ID,
    Date,
    Either,
    Flag,
    Items,
    Key,
    NamedItems,
    Number,
    Record,
    Text,
    Word,
    record,
)

LONGEST_NAME = 120
_NAME = Text(LONGEST_NAME)
_PROSE = Text(2000)
_LINE = Text(400)
_ID = Text(120, expected="an id")
_ZONE = Text(120, expected="an id", formerly=FORMER_ELEMENTS)
KIND = Word(KINDS, formerly=FORMER_KINDS)
"""A kind of element."""
_FLOW_ID = re.compile(r"[a-z0-9-]+(?:\.[a-z-]+)?:[a-z0-9-]+(?:\.[a-z-]+)?:[a-z-]+\Z")
_CONTROL_AT = re.compile(r"[a-z][a-z0-9-]*(?:@[a-z0-9:.-]+)?\Z")
_LONGEST_PAIR = 4 * LONGEST_ID
_OWNER = re.compile(r"[^\s](?:[^\r\n]*[^\s])?\Z")
_THREAT_AT = re.compile(r"[a-z][a-z0-9-]*@[a-z0-9:.-]+\Z")

SECTIONS: Mapping[str, Kind] = {
    "apis": "api",
    "stores": "store",
    "queues": "queue",
    "secrets": "secret",
    "functions": "function",
}
"""Sections of the file that hold elements, with their kind."""

FACT_KEYS: dict[str, tuple[Key, ...]] = {
    kind: tuple(
        Key(row.name, row.shape, row.meaning, nullable=row.nullable, formerly=row.formerly)
        for row in ROWS
        if row.kind == kind and not row.derived
    )
    for kind in KINDS
}
"""The facts of each kind as keys of a model file."""

TRIGGER = record(
    "a trigger",
    Key("slack", Word(("slash-command", "interactivity", "events")), "Slack calls it: the surface"),
    Key("http", Text(40), "another HTTP client calls it: the method"),
    Key("authorizes", _ID, "this api asks it who may call"),
    Key("queue", _ID, "it works on the messages of this queue"),
    Key("store", _ID, "changes of this store start it"),
    Key("service", _ID, "this external system starts it: a workflow, a user pool, a rule of IoT"),
    Key("schedule", Text(120), "it runs on a schedule"),
    Key("api", _ID, "the api that the request comes through; may be left out where there is only one"),
    Key("path", Text(400), "the route"),
    Key(
        "caller",
        Word(("unknown", "others")),
        "http: unknown where it may be Slack; others (or left out) where it is not",
    ),
)

_COMMON = (
    Key("name", _NAME, "what pictures and reports call it; the id where left out"),
    Key("description", _PROSE, "what it is for"),
    Key("boundary", _ZONE, "the trust boundary that it is in, if it is not the default"),
    Key("out_of_scope", _LINE, "why it is not assessed; it is drawn in gray and has no findings"),
)


def _lists(kind: str) -> tuple[Key, ...]:
    """The lists of a kind as keys, and the key that says which of them may be longer."""
    rows = tuple(RELATIONS[kind].values())
    shapes = {"triggers": Items(TRIGGER)}
    former = tuple((old, row.name) for row in rows for old in row.formerly)
    names = Items(Word(tuple(row.name for row in rows), formerly=former), least=1)
    whys = record(
        "the incomplete lists",
        *(Key(row.name, _LINE, "why the list is not complete", formerly=row.formerly) for row in rows),
    )
    meaning = f"which of {listed([row.name for row in rows])} may be longer: names, or a mapping of names to why"
    return (
        *(Key(row.name, shapes.get(row.name, Items(_ID)), row.meaning, formerly=row.formerly) for row in rows),
        Key("incomplete", Either(names, whys), meaning),
    )


_CRITICALITY = (
    Key("criticality", Word(("low", "normal", "high")), "moves the impact of its findings down or up by one"),
    Key("criticality_reason", _LINE, "why its criticality is not normal"),
)

_PUBLIC = (
    Key("public", Word(("intended", "unintended")), "whether it is meant to be public; facts state whether it is"),
    Key("public_reason", _LINE, "why it is meant to be public"),
)
"""Keys of elements that can be meant to be public: they change questions and actions, not the risk."""

_EXTRA: dict[str, tuple[Key, ...]] = {
    "function": (*_COMMON, *_lists("function"), *_CRITICALITY),
    "api": (*_COMMON, *_PUBLIC, *_lists("api")),
    "store": (*_COMMON, *_PUBLIC, *_lists("store")),
    "queue": (*_COMMON, *_lists("queue")),
    "secret": _COMMON,
    **dict.fromkeys(PLANES, (Key("name", _NAME, "what pictures and reports call it"), Key("description", _PROSE))),
}


def _refused(kind: str) -> dict[str, str]:
    """Names that an author may expect to be keys of a kind, with why they are none."""
    derived = (row.name for row in ROWS if row.kind == kind and row.derived)
    lists = {} if RELATIONS[kind] else {"incomplete": f"{article(kind)} has no lists that could be incomplete"}
    return {**dict.fromkeys(derived, "it is derived: state what it follows from"), **lists}


ELEMENTS: dict[str, Record] = {
    kind: record(article(kind), *extra, *FACT_KEYS[kind], refused=_refused(kind)) for kind, extra in _EXTRA.items()
}
"""The record of each kind of element."""

_TRACKED = (
    Key("ticket", _LINE, "where its treatment is tracked: an id or an address"),
    Key("due", Date(), "the day by which it is to be treated"),
)
_STATEMENT = record(
    "a statement about a control",
    Key("attested_by", _LINE, "who says that it is in place"),
    Key("on", Date(), "the day of the statement"),
    Key("expires", Date(), "the day the statement expires"),
    Key("planned_for", Date(), "the day by which it will be in place"),
    Key("owner", _LINE, "who brings it into place"),
    *_TRACKED,
    Key("note", _LINE, "what a reader should know"),
)
_ACCEPTANCE = record(
    "an accepted risk",
    Key("risk", Number(1, 25), "the score that was accepted: likelihood times impact", required=True),
    Key("reason", _LINE, "why it was accepted", required=True),
    Key("owner", _LINE, "who accepted it", required=True),
    Key("expires", Date(), "the day until which it holds", required=True),
    *_TRACKED,
)
_RATING = record(
    "a rating",
    Key("likelihood", Number(1, 5), "in place of the library's"),
    Key("impact", Number(1, 5), "in place of the library's"),
    Key("reason", _LINE, "why this system differs", required=True),
)
_DATA = record(
    "a data item",
    Key("name", _NAME),
    Key("description", _PROSE),
    Key("classification", Word(CLASSIFICATIONS, ordered=True), "how sensitive it is", required=True),
    Key("personal", Flag(), "whether it is about people"),
)
EXTERNAL_USES = tuple(row for row in RELATIONS["function"].values() if row.verb and row.verb != "invoke")
"""What an external system may do by itself, as functions do: a function that it starts has it among its triggers."""
_EXTERNAL = record(
    "an external system",
    Key("name", _NAME),
    Key("description", _PROSE),
    Key("service", _NAME, "the AWS service that it is or belongs to, such as Bedrock or Step Functions"),
    Key("boundary", _ZONE, "the trust boundary that it is in (default: the Internet; for a service, the account)"),
    *(
        Key(row.name, Items(_ID), f"{row.meaning}, by itself, as a state machine's tasks do", formerly=row.formerly)
        for row in EXTERNAL_USES
    ),
)
_BOUNDARY = record(
    "a boundary",
    Key("name", _NAME),
    Key("inside", _ZONE, "the boundary around it; the account where left out"),
)
_DEFAULTS = record(
    "the defaults",
    *(Key(kind, record(f"the defaults of {article(kind)}", *FACT_KEYS[kind])) for kind in SECTIONS.values()),
)

_HEAD = (
    Key("name", _NAME, "the system's name", required=True),
    Key("description", _PROSE, "what the system does"),
    Key("owner", _LINE, "the team that answers for it"),
    Key("scope", _PROSE, "what is looked at, and what is not"),
    Key("assumptions", Items(_LINE), "what the model takes for granted"),
)
_PLANES = tuple(
    Key(
        plane,
        ELEMENTS[plane],
        f"the facts of the {plane}",
        formerly=tuple(old for old, new in FORMER_KINDS if new == plane),
    )
    for plane in PLANES
)
_CONTROLS = Key(
    "controls",
    NamedItems(
        _STATEMENT,
        "a control",
        _CONTROL_AT,
        "control@element, such as code-signing@order-bot",
        _LONGEST_PAIR,
        FORMER_ELEMENTS,
    ),
    "statements about controls, with owner and expiry; control@element",
)
_OWNERS = Key(
    "owners",
    NamedItems(Text(200, expected="an address"), "an owner", _OWNER, "a name as under owner: or attested_by:", 400),
    "the addresses of the owners of acceptances, plans and attestations, by name",
)
_EXEMPTION = record(
    "an exemption",
    Key("reason", _LINE, "why it is not bound", required=True),
    Key("owner", _LINE, "who is responsible", required=True),
    Key("expires", Date(), "the day until which it holds", required=True),
    Key("ticket", _LINE, "where the work is tracked"),
)
INVARIANTS = Key(
    "invariants",
    NamedItems(
        record(
            "an invariant",
            Key("of", KIND, "the kind of element that it binds", required=True),
            Key("if", Text(400, expected="a condition"), "which of them; all where left out"),
            Key("holds", Text(400, expected="a condition"), "what must hold of each", required=True),
            Key("severity", Word(("low", "medium", "high", "critical"), ordered=True), "how bad it is", required=True),
            Key("message", _LINE, "the message for the reader", required=True),
        ),
        "an invariant",
    ),
    "your rules for the model, as conditions of the library's language; check applies them to every element",
)

MODEL = record(
    "a model",
    *_HEAD,
    _OWNERS,
    INVARIANTS,
    Key("risk_tolerance", Word(("low", "medium", "high"), ordered=True), "the band that needs no more treatment"),
    Key(
        "longest_terms",
        LONGEST_TERMS,
        f"the longest terms of statements in days (default: {YEAR} each); statements with longer terms do not count",
    ),
    Key("uses", Items(PATH), "files that describe account, pipeline, workspace, organization"),
    Key("library", Items(PATH), "folders with threats and controls that extend threatlib/"),
    Key("evidence", Items(EVIDENCE), "files that say what is there: they prove and contradict what the model says"),
    Key("defaults", _DEFAULTS, "facts of every element of a kind that does not state them itself"),
    Key("data", NamedItems(_DATA, "a data item"), "the data that the system handles"),
    *(Key(section, NamedItems(ELEMENTS[kind], article(kind)), f"the {section}") for section, kind in SECTIONS.items()),
    Key(
        "externals",
        NamedItems(_EXTERNAL, "an external system"),
        "systems that functions call or are started by, services of AWS among them",
    ),
    Key("boundaries", NamedItems(_BOUNDARY, "a boundary"), "trust boundaries inside the usual ones"),
    Key(
        "flows",
        NamedItems(
            record("a flow", *FACT_KEYS["flow"]),
            "a flow",
            _FLOW_ID,
            "from:to:what, as --json lists them",
            _LONGEST_PAIR,
            FORMER_ELEMENTS,
        ),
        "facts of single flows",
    ),
    *_PLANES,
    _CONTROLS,
    Key(
        "accepted_risks",
        NamedItems(
            _ACCEPTANCE,
            "an accepted risk",
            _THREAT_AT,
            "threat@element, as reports name findings",
            _LONGEST_PAIR,
            FORMER_ELEMENTS,
        ),
        "accepted risks",
    ),
    Key(
        "exemptions",
        NamedItems(
            _EXEMPTION,
            "an exemption",
            _THREAT_AT,
            "invariant@element, as check names what breaks one",
            _LONGEST_PAIR,
            FORMER_ELEMENTS,
        ),
        "elements that an invariant, of the model or of a library, does not bind for a while",
    ),
    Key(
        "ratings",
        NamedItems(
            _RATING,
            "a rating",
            _THREAT_AT,
            "threat@element, as reports name findings",
            _LONGEST_PAIR,
            FORMER_ELEMENTS,
        ),
        "ratings of single findings: their likelihood or impact",
    ),
)
"""A file under models/."""

PLATFORM = record(
    "a platform file",
    *_HEAD,
    _OWNERS,
    INVARIANTS,
    *_PLANES,
    _CONTROLS,
    refused=dict.fromkeys(MODEL.index, "it belongs into the model that uses this file"),
)
"""A file that models share through `uses`."""


def model_schema() -> dict[str, Any]:
    """The JSON Schema of model files, for editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Threat model of a serverless system",
        **json_schema(MODEL),
    }
