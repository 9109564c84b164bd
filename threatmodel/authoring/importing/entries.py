"""The entries of a model that a file of infrastructure code gives: one an element, as lines of YAML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from threatmodel.authoring.insertion import scalar
from threatmodel.evidence.mappings.facts import StackFacts
from threatmodel.evidence.matching import ENDINGS, MATCHED, kebab
from threatmodel.evidence.relations.found import Start, Use, Wiring
from threatmodel.model.file import SECTIONS
from threatmodel.model.reference_architecture import RESERVED
from threatmodel.stacks.stack import Resource, Stack

SECTION_OF = {kind: section for section, kind in SECTIONS.items()}
"""The section of a model file that holds a kind."""

_USES = (("reads", "store"), ("writes", "store"), ("sends", "queue"), ("secrets", "secret"))
_BESIDE = 34
_SHORTENED = {"function", "store"}
"""The kinds of which people leave the usual ending out: an order table holds orders, an api is still an api."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One element to write: its id, kind, the resource that it is, and its lines."""

    id: str
    kind: str
    resource: str
    lines: tuple[str, ...]


def entries(
    stack: Stack, facts: StackFacts, wirings: Mapping[str, Wiring], known: Mapping[str, str]
) -> Iterator[Entry]:
    """An entry for each element of a stack that `known` (resource to id) does not have yet, in order of sections."""
    kinds = dict(_kinds(stack, facts, wirings))
    ids = _ids({name: kind for name, kind in kinds.items() if name not in known}, known)
    named = {**known, **ids}
    for kind in MATCHED:
        for name, element in ids.items():
            if kinds[name] == kind:
                resource = stack.resources[name]
                head = _beside(f"{scalar(element)}:", _shown(resource))
                body = _function(wirings[name], named) if kind == "function" else _other(kind)
                yield Entry(id=element, kind=kind, resource=name, lines=(head, *(f"  {line}" for line in body)))


def _kinds(stack: Stack, facts: StackFacts, wirings: Mapping[str, Wiring]) -> Iterator[tuple[str, str]]:
    """The resources that are elements, each with its kind: what functions use it as, where it can be two things."""
    used = _used_as(wirings)
    for resource in stack.resources.values():
        kinds = facts.kinds_of(resource)
        if resource.name in wirings:
            yield resource.name, "function"
        elif (kind := used.get(resource.name)) is not None and kind in kinds:
            yield resource.name, kind
        elif kinds and kinds[0] in {"api", "store", "queue"}:
            yield resource.name, kinds[0]
        elif "secret" in kinds and "Parameter" not in resource.type and "parameter" not in resource.type:
            yield resource.name, "secret"


def _used_as(wirings: Mapping[str, Wiring]) -> dict[str, str]:
    used: dict[str, str] = {}
    for wiring in wirings.values():
        for start in wiring.triggers:
            used[start.source] = {"http": "api"}.get(start.by, start.by)
        for name, kind in _USES:
            for use in getattr(wiring, name):
                used.setdefault(use.resource, kind)
    return used


def _ids(kinds: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    """An id for each resource: its name in kebab-case without the usual ending of its kind, if that is free."""
    found: dict[str, str] = {}
    taken = {*known.values(), *RESERVED}
    for name, kind in kinds.items():
        whole = kebab(name.rpartition(".")[2])
        endings = ("lambda-function", *ENDINGS[kind]) if kind in _SHORTENED else ()
        short = next((whole.removesuffix(f"-{end}") for end in endings if whole.endswith(f"-{end}")), whole)
        element = next((one for one in (short, whole, f"{whole}-{kind}") if one not in taken), "")
        number = 2
        while not element:
            element = f"{whole}-{number}" if f"{whole}-{number}" not in taken else ""
            number += 1
        taken.add(element)
        found[name] = element
    return found


def _shown(resource: Resource) -> str:
    """What a resource is and where it stands; an address in a plan tells both."""
    if resource.place.part:
        return resource.name
    what = f"{resource.name} ({resource.type})" if not resource.made_by else f"{resource.name}, made by SAM"
    return f"{what}, {resource.place.file.rpartition('/')[2]}:{resource.place.line}"


def _beside(line: str, comment: str) -> str:
    return f"{line:<{_BESIDE}}  # {comment}"


# --- functions


def _function(wiring: Wiring, named: Mapping[str, str]) -> Iterator[str]:
    yield from _triggers(wiring, named)
    told = [name for name, _ in _USES if name not in wiring.unknown]
    if len(told) == len(_USES):
        yield from (f"{name}: [{_ids_of(getattr(wiring, name), named)}]" for name, _ in _USES)
    else:
        why = next(wiring.unknown[name].why for name, _ in _USES if name in wiring.unknown)
        yield f"# what it uses cannot be told for certain: {why}"
        for name, _ in _USES:
            yield f"# {name}: [{_ids_of(getattr(wiring, name), named)}]"
    yield "# calls: [slack]                # which systems outside does it call? [] for none"


def _triggers(wiring: Wiring, named: Mapping[str, str]) -> Iterator[str]:
    known = (start for start in wiring.triggers if start.by == "schedule" or start.source in named)
    lines = [_trigger(start, named) for start in known]
    if "triggers" in wiring.unknown:
        yield f"# what starts it cannot be told for certain: {wiring.unknown['triggers'].why}"
        yield f"# triggers: [{', '.join(lines)}]"
        return
    if len(lines) <= 1:
        yield f"triggers: [{', '.join(lines)}]"
    else:
        yield "triggers:"
        yield from (f"  - {line}" for line in lines)
    paths = [start.path.lower() for start in wiring.triggers if start.by == "http"]
    if any("slack" in path for path in paths):
        yield "# Slack's by the path: slash-command, interactivity or events? if it is not, {http: POST, ...}"
    if any("slack" not in path for path in paths):
        yield "# if Slack calls it: {slack: slash-command, ...} (or interactivity, events) in place of {http: ...}"


def _trigger(start: Start, named: Mapping[str, str]) -> str:
    if start.by == "schedule":
        return f"{{schedule: {scalar(start.detail or 'unknown')}}}"
    if start.by != "http":
        return f"{{{start.by}: {scalar(named[start.source])}}}"
    path = f", path: {scalar(start.path)}" if start.path else ""
    if "slack" in start.path.lower():
        return f"{{slack: slash-command, api: {scalar(named[start.source])}{path}}}"
    return f"{{http: {scalar(start.detail or 'ANY')}, api: {scalar(named[start.source])}{path}}}"


def _ids_of(uses: Sequence[Use], named: Mapping[str, str]) -> str:
    return ", ".join(scalar(named[use.resource]) for use in uses if use.resource in named)


def _other(kind: str) -> Iterator[str]:
    """What a file cannot say of the other kinds; an entry needs a stated key, so it is named."""
    match kind:
        case "store" | "queue":
            yield "# holds: [records]              # which data? ids under data"
        case "secret":
            yield "# grants: slack-requests        # or slack-api, other: what can its holder do?"
