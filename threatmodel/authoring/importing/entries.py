"""The entries of a model that a file of infrastructure code gives: one an element, as lines of YAML."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from threatmodel.authoring.insertion import comment, scalar
from threatmodel.evidence.mappings.stack_facts import StackFacts
from threatmodel.evidence.matching import ENDINGS, MATCHED, kebab
from threatmodel.evidence.relations.found import FunctionRelations, Start
from threatmodel.evidence.relations.rights import RELATIONS as USES
from threatmodel.model.file import SECTIONS, TRIGGER
from threatmodel.model.reference_architecture import RESERVED
from threatmodel.model.system import THROUGH
from threatmodel.model.vocabulary import RELATIONS
from threatmodel.reading.shape import LONGEST_ID, Text
from threatmodel.stacks.stack import Resource, Stack

SECTION_OF: Mapping[str, str] = {kind: section for section, kind in SECTIONS.items()}
"""The section of a model file that holds a kind."""

_USES = tuple((name, *RELATIONS["function"][name].to) for name in USES)
"""What a function uses that a file can say, each list with what its items are."""
_LONGEST_WHY = 300
_BESIDE = 34
_SHORTENED = {"function", "store"}
"""The kinds of which people leave the usual ending out: an order table holds orders, an api is still an api."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementEntry:
    """One element to write: its id, kind, the resource that it is, and its lines.

    `apart` says that the id does not follow from the resource's name: the model must say which resource it is.
    """

    id: str
    kind: str
    resource: str
    lines: tuple[str, ...]
    apart: bool = False


def entries(
    stack: Stack, facts: StackFacts, by_function: Mapping[str, FunctionRelations], known: Mapping[str, str]
) -> Iterator[ElementEntry]:
    """An entry for each element of a stack that `known` (resource to id) does not have yet, in order of sections."""
    kinds = dict(_kinds(stack, facts, by_function))
    ids = _ids({name: kind for name, kind in kinds.items() if name not in known}, known)
    named = {**known, **ids}
    claims = Counter((kind, one) for name, kind in kinds.items() for one in set(_usual(name, kind)))
    for kind in MATCHED:
        for name, element in ids.items():
            if kinds[name] == kind:
                resource = stack.resources[name]
                head = _beside(f"{scalar(element)}:", _shown(resource))
                body = _function(by_function[name], named, kinds) if kind == "function" else _other(kind)
                lines = (head, *(f"  {line}" for line in body))
                apart = element not in _usual(name, kind) or claims[kind, element] > 1
                yield ElementEntry(id=element, kind=kind, resource=name, lines=lines, apart=apart)


def _kinds(stack: Stack, facts: StackFacts, by_function: Mapping[str, FunctionRelations]) -> Iterator[tuple[str, str]]:
    """The resources that are elements, each with its kind: what functions use it as, where it can be two things."""
    used = _used_as(by_function)
    for resource in stack.resources.values():
        kinds = facts.kinds_of(resource)
        if resource.name in by_function:
            yield resource.name, "function"
        elif (kind := used.get(resource.name)) is not None and kind in kinds:
            yield resource.name, kind
        elif kinds and kinds[0] in {"api", "store", "queue"}:
            yield resource.name, kinds[0]
        elif "secret" in kinds and "Parameter" not in resource.type and "parameter" not in resource.type:
            yield resource.name, "secret"


def _used_as(by_function: Mapping[str, FunctionRelations]) -> dict[str, str]:
    used: dict[str, str] = {}
    for relations in by_function.values():
        for start in relations.triggers:
            used[start.source] = THROUGH[start.by]
        for name, kind in _USES:
            for use in getattr(relations, name):
                used.setdefault(use.resource, kind)
    return used


def _ids(kinds: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    """An id for each resource: its name in kebab-case without the usual ending of its kind, if that is free."""
    found: dict[str, str] = {}
    taken = {*known.values(), *RESERVED}
    for name, kind in kinds.items():
        usual = _usual(name, kind)
        element = next((one for one in usual if one not in taken and len(one) <= LONGEST_ID), "")
        number = 2
        while not element:
            numbered = f"{usual[0][: LONGEST_ID - 10].rstrip('-')}-{number}"
            element = numbered if numbered not in taken else ""
            number += 1
        taken.add(element)
        found[name] = element
    return found


def _usual(name: str, kind: str) -> tuple[str, ...]:
    """The ids by which a resource is found again, the first that is free is taken."""
    whole = kebab(name.rpartition(".")[2])
    endings = ("lambda-function", *ENDINGS[kind]) if kind in _SHORTENED else ()
    short = next((whole.removesuffix(f"-{end}") for end in endings if whole.endswith(f"-{end}")), whole)
    return short, whole, f"{whole}-{kind}"


def _shown(resource: Resource) -> str:
    """What a resource is and where it stands; an address in a plan tells both."""
    if resource.place.part:
        return resource.name
    what = f"{resource.name} ({resource.type})" if not resource.made_by else f"{resource.name}, made by SAM"
    return f"{what}, {resource.place.file.rpartition('/')[2]}:{resource.place.line}"


def _beside(line: str, note: str) -> str:
    return f"{line:<{_BESIDE}}  # {comment(note)}"


# --- functions


def _function(relations: FunctionRelations, named: Mapping[str, str], kinds: Mapping[str, str]) -> Iterator[str]:
    """The lists of a function as far as they are certain, then those that may be longer, each with why."""
    whys = {name: one.why for name, one in relations.unknown.items()}
    left_out = next((start for start in relations.triggers if start.source and start.source not in named), None)
    if left_out is not None:
        whys.setdefault("triggers", f"it is started by {left_out.source}, which is not modelled")
    yield from _triggers(relations, named, complete="triggers" not in whys)
    uses = _uses(relations, named, kinds)
    for name, _ in _USES:
        if uses[name] or name not in whys:
            yield f"{name}: [{', '.join(uses[name])}]"
    yield from _incomplete({name: whys[name] for name in ("triggers", *uses) if name in whys})
    yield "# calls: [slack]                # which systems outside does it call? [] for none"


def _incomplete(whys: Mapping[str, str]) -> Iterator[str]:
    """The lists that may be longer; a reason that several share stands once."""
    if not whys:
        return
    yield "incomplete:                     # what a file cannot show; take out what you know to be whole"
    first: dict[str, str] = {}
    for name, why in whys.items():
        told = first.setdefault(why, name)
        shown = comment(why)[:_LONGEST_WHY] if told == name else f"as for {told}"
        yield f"  {name}: {scalar(shown, flow=False)}"


def _uses(relations: FunctionRelations, named: Mapping[str, str], kinds: Mapping[str, str]) -> dict[str, list[str]]:
    """The ids in each list of what a function uses; what is written to a queue is sent, as the model has it."""
    found: dict[str, list[str]] = {name: [] for name, _ in _USES}
    for name, kind in _USES:
        for use in getattr(relations, name):
            is_a = kinds.get(use.resource, kind)
            other = {("writes", "queue"): "sends", ("sends", "store"): "writes"}.get((name, is_a), "")
            into = name if is_a == kind else other
            if use.resource in named and into and (element := scalar(named[use.resource])) not in found[into]:
                found[into].append(element)
    return found


def _triggers(relations: FunctionRelations, named: Mapping[str, str], *, complete: bool) -> Iterator[str]:
    """The triggers that are certain, and what to ask about who calls."""
    known = [one for one in relations.triggers if one.certain and (one.by == "schedule" or one.source in named)]
    lines = [_trigger(start, named) for start in known]
    if not lines and not complete:
        return
    if len(lines) <= 1:
        yield f"triggers: [{', '.join(lines)}]"
    else:
        yield "triggers:"
        yield from (f"  - {line}" for line in lines)
    requests = [_may_be_slack(start) for start in known if start.by == "http"]
    if any(requests):
        yield "# Slack's by the path: slash-command, interactivity or events? if it is not, {http: POST, ...}"
    if not all(requests):
        yield "# if Slack calls it: {slack: slash-command, ...} (or interactivity, events) in place of {http: ...}"


def _trigger(start: Start, named: Mapping[str, str]) -> str:
    if start.by == "schedule":
        return f"{{schedule: {scalar(start.detail if _fits(start.detail, 'schedule') else 'unknown')}}}"
    if start.by != "http":
        return f"{{{start.by}: {scalar(named[start.source])}}}"
    path = f", path: {scalar(start.path)}" if _fits(start.path, "path") else ""
    if _may_be_slack(start):
        return f"{{slack: slash-command, api: {scalar(named[start.source])}{path}}}"
    method = start.detail if _fits(start.detail, "http") else "ANY"
    return f"{{http: {scalar(method)}, api: {scalar(named[start.source])}{path}}}"


_INSTALLING = re.compile(r"install|oauth|redirect|callback", re.IGNORECASE)


def _may_be_slack(start: Start) -> bool:
    """Whether the path says that Slack calls a route: Slack sends POST only, and people's browsers install apps."""
    by_path = "slack" in start.path.lower() and not _INSTALLING.search(start.path)
    return by_path and start.detail.upper() in {"POST", "ANY", "*", ""}


def _fits(text: str, key: str) -> bool:
    """Whether a model takes a text there."""
    shape = TRIGGER.index[key].shape
    return isinstance(shape, Text) and bool(text.strip()) and len(text) <= shape.longest


def _other(kind: str) -> Iterator[str]:
    """What a file cannot say of the other kinds; an entry needs a stated key, so it is named."""
    match kind:
        case "store" | "queue":
            yield "# holds: [records]              # which data? ids under data"
        case "secret":
            yield "# grants: slack-requests        # or slack-api, other: what can its holder do?"
