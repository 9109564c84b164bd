"""Where a fact is, for people: which property of which resource."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from threatmodel.evidence.mappings.format import PathPart, Source
from threatmodel.evidence.mappings.load import load_mappings
from threatmodel.stacks.resource_schemas import exists
from threatmodel.stacks.terraform.rows import in_terraform


def standing_places(kind: str, fact: str) -> Iterator[tuple[str, str]]:
    """Return where a fact of a kind is: the language, and ``Type Property`` of each place, each once."""
    mappings = load_mappings()
    places = mappings.facts.get(kind, {}).get(fact, ())
    found = [
        source for one in places for source in (mappings.gathered[kind][one.gather] if one.gather else (one.source,))
    ]
    yield from dict.fromkeys(("CloudFormation", _place(source)) for source in found if _is_in_templates(source))
    yield from dict.fromkeys(("Terraform", place) for source in found if (place := _of_plan(source)))


def _is_in_templates(source: Source) -> bool:
    """Whether CloudFormation has a type and the property of it: an argument that it has not keeps its name."""
    return any(name.startswith("AWS::Serverless::") or exists(name) for name in _types(source)) and not any(
        part.name[:1].islower() for part in source.at if part.kind == "key"
    )


def _types(source: Source) -> tuple[str, ...]:
    return source.steps[-1].types if source.steps else source.types


def _of_plan(source: Source) -> str:
    """Return a place as a plan has it; '' where none of its types is one of the provider's."""
    keys = [part.name for part in source.at if part.kind == "key"]
    found = [one for name in _types(source) if (one := in_terraform(name, keys)) is not None]
    if not found:
        return ""
    (name, argument), *more = found
    of = f"{name} and others" if more else name
    return f"{of} {argument}".rstrip()


def _place(source: Source) -> str:
    types = _types(source)
    of = f"{types[0]} and others" if len(types) > 1 else next(iter(types), "the resource")
    return f"{of} {''.join(map(_part, source.at, count()))}".rstrip()


def _part(part: PathPart, at: int) -> str:
    match part.kind:
        case "key":
            return f"{'.' * bool(at)}{part.name}"
        case "items":
            return f"[{','.join(f'{name}={value}' for name, value in part.where)}]"
        case _:
            return "{}"
