"""Where facts are in CloudFormation's words, which plans are put into, too: read from cloudformation.yaml.

The file holds, by kind of element:

``elements``     which resource types can be an element
``facts``        fact -> a list of places, tried in order; the first that says something decides
``gathered``     name -> sources, whose values an analysis looks at together

A source is ``in`` (the element's types; left out: all of the kind), ``via`` (steps to other resources) and ``at`` (the
path there, in the last resource).  A step is ``{to: TYPES, by: PATH}``, what the property refers to;
``{from: TYPES, by: PATH}``, the resources whose property refers to this one, or to what stands for the element, as an
alias does for its function; or ``{any: TYPES}``, every resource of these types.  ``where: {property: text}`` in a step
keeps those with these values.  Of what is gathered each source has a name (``as``), by which an analysis knows it, or
is all of another ``set``.

A path is names joined by dots.  ``[]`` goes on with each item of a list, ``[Name=x,Other=y]`` with the items that have
these values, ``{}`` with each value of a mapping and ``{key}`` with the value of a key that is not a plain name.  A
value is *absent* at a path if it is missing, null, or an empty text, list or mapping.

A place is a source and one predicate:

``says: V``       any value there means V; without ``at``, the existence of the resource does
``words: {P: V}`` the first pattern that matches the value there, as text, gives the value (``*`` is any text)
``value: HOW``    the fact is the value there, as HOW states: a key of VALUES; ``words`` beside it are tried first
``analysis: N``   code computes it from what is ``gather``-ed: a name of `threatmodel.evidence.analyses.registry`
``otherwise: V``  what is true if no place before it stated anything

and qualifiers: ``left_out: V``, what is true if the last resource exists and has no value at the path, and
``over``, how the results of several items and resources become one: a key of OVER.  With ``described: true`` a place
says nothing of a plane that the model does not describe.

A place that leads nowhere says nothing.  A place whose value cannot be known (no word fits, a parameter without
default) makes the fact unknown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from threatmodel.reading.problems import Place
from threatmodel.reading.shape import Flag, Items, Key, NamedItems, Number, Raw, Text, Word, record
from threatmodel.reading.values import dataclass, field

FILE = Path(__file__).with_name("cloudformation.yaml")

VALUES: Mapping[str, tuple[type, ...]] = {
    "as-is": (Flag, Number, Word),
    "negated": (Flag,),
    "hours-as-days": (Number,),
}
"""How `value` uses the value there, and for which types of fact: unchanged; true for false; hours as whole days,
rounded down."""

OVER: Mapping[str, tuple[type, ...]] = {
    "same": (Flag, Number, Word),
    "any": (Flag,),
    "every": (Flag,),
    "sum": (Number,),
}
"""How several results become one, and for which types of fact: all are equal, or the fact is unknown (this holds where
`over` is left out); one is true; all are true; all numbers added up, of which null is greater than every number."""

PREDICATES = ("says", "words", "value", "analysis", "otherwise")


@dataclass(frozen=True, slots=True)
class Step:
    """From a resource to others: `way` is to, from or any; `where` the values of properties that they must have."""

    way: str
    types: tuple[str, ...]
    by: ValuePath = ()
    where: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """Where values come from.  `part` says what they are to an analysis; `at` is empty for the resource as a whole."""

    types: tuple[str, ...]
    steps: tuple[Step, ...]
    at: ValuePath
    part: str
    place: Place


@dataclass(frozen=True, slots=True)
class FactMapping:
    """One place of a fact: a source, and how the value there becomes the fact's value.

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
    described: bool = False


@dataclass(frozen=True, slots=True)
class Mappings:
    """What the file says, each by kind and then by name; `answered_by` is the module of each analysis."""

    elements: Mapping[str, tuple[str, ...]]
    facts: Mapping[str, Mapping[str, tuple[FactMapping, ...]]]
    gathered: Mapping[str, Mapping[str, tuple[Source, ...]]]
    answered_by: Mapping[str, str]


_TYPE = r"[A-Za-z][A-Za-z0-9_-]*(::[A-Za-z0-9]+){0,3}"
_PATH = Text(300, expected="a path such as Environment.Variables or Layers[]")
_TYPES = Items(Text(120, _TYPE, "a resource type"), least=1)
_NAME = re.compile(r"[A-Za-z]\w*\Z")

_STEP = record(
    "a step",
    Key("to", _TYPES, "what the property refers to"),
    Key("from", _TYPES, "what refers to this by its property"),
    Key("any", _TYPES, "every resource of these types"),
    Key("by", _PATH, "the property that refers"),
    Key("where", NamedItems(Text(120), "a property", _NAME, "a property's name"), "the values that they must have"),
)
_WHERE = (
    Key("in", _TYPES, "the element's resource types"),
    Key("via", Items(_STEP, least=1), "steps to other resources"),
    Key("at", _PATH, "the path there"),
)
_PLACE = record(
    "a place",
    *_WHERE,
    Key("says", Raw(), "what any value there means"),
    Key("words", NamedItems(Raw(), "a pattern", re.compile(r".+\Z"), "a text"), "what words mean"),
    Key("value", Text(40), "how the fact follows from the value there"),
    Key("analysis", Text(60), "what code computes from what is gathered"),
    Key("gather", Text(60), "the sources that an analysis looks at"),
    Key("otherwise", Raw(), "what holds where nothing said anything"),
    Key("left_out", Raw(), "what is true if there is no value at the path"),
    Key("over", Text(20), "how several results become one"),
    Key("described", Flag(), "whether it says something only of an element that the model describes"),
)
_SOURCE = record(
    "a source",
    *_WHERE,
    Key("as", Text(40), "what it is to an analysis"),
    Key("set", Text(60), "another set of the kind, whose sources are taken in"),
)
_FACT = re.compile(r"[a-z][a-z0-9_]*\Z")
FORMAT = record(
    "the places of facts",
    Key("elements", NamedItems(_TYPES, "a kind"), "what can be an element of a kind", required=True),
    Key("gathered", NamedItems(NamedItems(Items(_SOURCE, least=1), "a set"), "a kind"), "what analyses look at"),
    Key(
        "facts",
        NamedItems(NamedItems(Items(_PLACE, least=1), "a fact", _FACT, "a fact's name"), "a kind"),
        "fact by fact",
        required=True,
    ),
)
"""What the file may hold."""


# --- paths
class PathPart(NamedTuple):
    """One part of a path, by its `kind`.

    key goes to the value of `name`, items to the items of a list that have all of `where`, values to every value of a
    mapping.
    """

    kind: str
    name: str = ""
    where: tuple[tuple[str, str], ...] = ()


ValuePath = tuple[PathPart, ...]


_PART = re.compile(r"(?P<dot>\.)?(?P<name>[A-Za-z_]\w*)|\[(?P<where>[^\[\]{}]*)\]|\{(?P<key>[^{}]*)\}")
_SAME = re.compile(r"(?P<name>\w+)=(?P<value>[^,=]+)\Z")


def parse_path(text: str) -> ValuePath | None:
    """The parts of a path, or None where it is none."""
    parts: list[PathPart] = []
    at = 0
    while at < len(text):
        found = _PART.match(text, at)
        if found is None or (found["name"] is not None and (found["dot"] is None) is not (at == 0)):
            return None
        at = found.end()
        if found["name"] is not None:
            parts.append(PathPart("key", found["name"]))
        elif found["where"] is not None:
            conditions = [_SAME.match(one) for one in found["where"].split(",")] if found["where"] else []
            if not parts or None in conditions:
                return None
            parts.append(PathPart("items", where=tuple((one["name"], one["value"]) for one in conditions if one)))
        elif not parts:
            return None
        else:
            parts.append(PathPart("key", found["key"]) if found["key"] else PathPart("values"))
    return tuple(parts) or None
