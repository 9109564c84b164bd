"""All places of the data files, one by one."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from cfnlint.schema import ResourceNotFoundError
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from tests.support import HOME
from threatmodel.evidence.mappings.format import FactMapping, Mappings, PathPart, Source, ValuePath
from threatmodel.evidence.mappings.load import load_mappings
from threatmodel.model.vocabulary import FACTS
from threatmodel.reading.shape import Flag, Number
from threatmodel.stacks.stack import ELSEWHERE
from threatmodel.stacks.terraform.rows import rows_of

MAPPINGS = load_mappings()


def every_place(places: Mappings) -> Iterator[tuple[str, str, FactMapping]]:
    """Every place with its kind and fact."""
    for kind, facts in places.facts.items():
        for name, found in facts.items():
            yield from ((kind, name, place) for place in found)


def every_source(places: Mappings) -> Iterator[Source]:
    """Every source of a place, and every one that is gathered."""
    yield from (place.source for _, _, place in every_place(places))
    for sets in places.gathered.values():
        for sources in sets.values():
            yield from sources


Alternatives = list[dict[str, Any]]
ANYTHING: dict[str, Any] = {}


@functools.cache
def resource_schema(name: str) -> dict[str, Any] | None:
    """The schema of a CloudFormation or SAM type, or None."""
    try:
        own = name.removesuffix(ELSEWHERE)
        schema: dict[str, Any] = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", own).schema
    except ResourceNotFoundError:
        return None
    return schema


def alternatives(schema: dict[str, Any], root: dict[str, Any]) -> Alternatives:
    """What a schema can mean: its references followed, its choices spread out."""
    if "$ref" in schema:
        node: Any = root
        for step in schema["$ref"].removeprefix("#/").split("/"):
            node = node[step.replace("~1", "/")]
        return alternatives(node, root)
    choices = [one for word in ("anyOf", "oneOf", "allOf") for one in schema.get(word, [])]
    inner = [one for choice in choices for one in alternatives(choice, root)]
    return inner if inner and "properties" not in schema and "items" not in schema else [schema, *inner]


def is_open(schema: dict[str, Any]) -> bool:
    """Whether a schema says nothing of what stands in it."""
    kinds = schema.get("type", "object")
    return "object" in (kinds if isinstance(kinds, list) else [kinds]) and not (
        schema.keys() & {"properties", "patternProperties", "items"} or schema.get("additionalProperties") is False
    )


def cloudformation_steps(current: Alternatives, part: PathPart, root: dict[str, Any]) -> Alternatives:
    """What one part of a path leads to."""
    found: Alternatives = []
    for schema in current:
        if is_open(schema):
            more = schema.get("additionalProperties")
            found += alternatives(more, root) if isinstance(more, dict) and part.kind != "items" else [ANYTHING]
        elif part.kind == "key" and part.name in schema.get("properties", {}):
            found += alternatives(schema["properties"][part.name], root)
        elif part.kind == "items" and "items" in schema:
            found += alternatives(schema["items"], root)
        elif part.kind == "values":
            found += [
                one for value in schema.get("patternProperties", {}).values() for one in alternatives(value, root)
            ]
    return found


_OF_THE_CDK = {
    "Custom::LogRetention": {
        "properties": {"LogGroupName": {"type": "string"}, "RetentionInDays": {"type": "integer"}, "ServiceToken": {}}
    }
}
"""The custom resource that the CDK's construct LogRetention makes."""


def cloudformation_ends(name: str, path: ValuePath) -> Alternatives | str:
    """What stands at a path of a type, or what is wrong with it."""
    root = _OF_THE_CDK.get(name) or resource_schema(name)
    if root is None:
        return f"{name}: no such type"
    pointer = "/properties" + "".join(f"/{part.name}" if part.kind == "key" else "/*" for part in path)
    if any(pointer == one or pointer.startswith(f"{one}/") for one in root.get("readOnlyProperties", [])):
        return f"{name}: {pointer} is read only"
    current = alternatives({"properties": root["properties"], "additionalProperties": False}, root)
    for part in path:
        current = cloudformation_steps(current, part, root)
        conditions = [cloudformation_steps(current, PathPart("key", key), root) for key, _ in part.where]
        if not current or not all(conditions):
            return f"{name}: nothing at {shown(path)}"
    return current


def shown(path: ValuePath) -> str:
    return ".".join(part.name or {"items": "[]", "values": "{}"}[part.kind] for part in path)


def template_problems(source: Source, ends: Callable[[str, ValuePath], Any]) -> Iterator[str]:
    """What is wrong with a source of a template: types, properties that refer, and the path."""
    current = source.types
    for step in source.steps:
        holders = {"to": current, "from": step.types, "any": ()}[step.way]
        paths = [step.by] if step.by else []
        found = [ends(one, path) for one in holders for path in paths]
        found += [ends(one, (PathPart("key", name),)) for one in step.types for name, _ in step.where]
        found += [ends(one, ()) for one in step.types]
        yield from (one for one in found if isinstance(one, str))
        current = step.types
    yield from (one for one in (ends(name, source.at) for name in current) if isinstance(one, str))


def misfits(place: FactMapping, kind: str, fact: str, schema: dict[str, Any]) -> Iterator[str]:
    """How a predicate does not fit a property of this schema."""
    kinds = schema.get("type", ())
    kinds = {kinds} if isinstance(kinds, str) else set(kinds)
    if place.predicate == "says" and place.source.at and kinds == {"boolean"}:
        yield "'says' would take false for something that stands there"
    wanted: set[str] = set()
    if place.value == "negated" or (place.value and isinstance(FACTS[kind][fact].shape, Flag)):
        wanted = {"boolean"}
    elif place.value in {"as-is", "hours-as-days"} and isinstance(FACTS[kind][fact].shape, Number):
        wanted = {"integer", "number", "string"}  # text is a number where CloudFormation wants it so
    if wanted and kinds and not kinds & wanted:
        yield f"holds {sorted(kinds)}, not {sorted(wanted)}"
    yield from wrong_words(place, schema.get("enum", ()))


def wrong_words(place: FactMapping, known: Any) -> Iterator[str]:
    """Words that can never stand there."""
    if known and not place.value:
        yield from (f"never holds {word!r}" for word in place.words if "*" not in word and word not in map(str, known))


TABLE = json.loads((HOME / "tests" / "library" / "terraform-aws.json").read_text(encoding="utf-8"))["types"]


def terraform_ends(name: str, path: ValuePath) -> Any:
    """What stands at a path of a type, or what is wrong with it, as a text that begins with its name."""
    if name not in TABLE:
        return f"{name}: is not in terraform-aws.json: misspelt, or run scripts/terraform_schema.py"
    current: Any = TABLE[name]
    at = list(path)
    while at:
        part = at.pop(0)
        if not isinstance(current, dict) or part.kind != "key" or part.name == "*" or part.name not in current:
            return f"{name}: nothing at {shown(path)}"
        current = current[part.name]
        if current == "=":
            return f"{name}: {part.name} is known after apply only"
        if isinstance(current, dict) or re.match(r"(list|set|map)\(", current):
            nested = isinstance(current, dict)
            if nested and not (at and at[0].kind == "items"):
                return f"{name}: {part.name} is a list in a plan"
            if at and at[0].kind in {"items", "values"}:
                where = at.pop(0).where
                if where and not all(nested and key in current for key, _ in where):
                    return f"{name}: nothing at {shown(path)}"
                current = current if nested else [current]
    return {"found": current}


def ends_of(name: str, path: ValuePath) -> Any:
    """What stands at a path of a type; an argument or a type that CloudFormation has not is a plan's."""
    own = [at for at, part in enumerate(path) if part.name[:1].islower()]
    if not own and (resource_schema(name) is not None or name in _OF_THE_CDK):
        return cloudformation_ends(name, path)
    rest = path[own[0] :] if own else ()
    within = ".".join(part.name for part in path[: own[0] + 1]) if own else ""
    found = [
        terraform_ends(one, rest)
        for one, row in rows_of(name.removesuffix(ELSEWHERE))
        if not row.by or not within or within in {target.removesuffix("[]") for target in row.paths.values()}
    ]
    return next((one for one in found if not isinstance(one, str)), found[0] if found else f"{name}: no such type")
