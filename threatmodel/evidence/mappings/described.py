"""Where a fact is, for people: which property of which resource."""

from __future__ import annotations

from collections.abc import Iterator

from threatmodel.evidence.mappings.format import FactMapping, Mappings, Source
from threatmodel.evidence.mappings.load import load_mappings
from threatmodel.evidence.mappings.paths import PathPart, ValuePath

LANGUAGES = {"cloudformation": "CloudFormation", "terraform": "Terraform"}


def standing_places(kind: str, fact: str) -> Iterator[tuple[str, str]]:
    """Return where a fact of a kind is: the language, and ``Type Property`` of each place, each once."""
    for name, title in LANGUAGES.items():
        mappings = load_mappings(name)
        found = [
            source for one in mappings.facts.get(kind, {}).get(fact, ()) for source in _sources(one, mappings, kind)
        ]
        yield from dict.fromkeys((title, _place(source)) for source in found)


def _sources(mapping: FactMapping, mappings: Mappings, kind: str) -> tuple[Source, ...]:
    """Where the values come from that decide it: its own source, or those that its analysis is handed."""
    return mappings.gathered[kind][mapping.gather] if mapping.gather else (mapping.source,)


def _place(source: Source) -> str:
    types = source.steps[-1].types if source.steps else source.types
    of = f"{types[0]} and others" if len(types) > 1 else next(iter(types), "the resource")
    return f"{of} {_path(source.at)}".rstrip()


def _path(path: ValuePath) -> str:
    return "".join(_part(part, at) for at, part in enumerate(path))


def _part(part: PathPart, at: int) -> str:
    match part.kind:
        case "key":
            return f"{'.' * bool(at)}{part.name}"
        case "items":
            return f"[{','.join(f'{name}={value}' for name, value in part.where)}]"
        case _:
            return "{}"
