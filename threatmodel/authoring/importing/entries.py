"""The entries of a model that a file of infrastructure code gives: one an element, as lines of YAML."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from types import MappingProxyType
from typing import NamedTuple

from threatmodel.authoring.importing.ids import element_ids, host_id
from threatmodel.authoring.insertion import comment, scalar
from threatmodel.authoring.surfaces import BY_PATH, WHERE, granted, surface
from threatmodel.beside.slack_manifest import Manifest, RequestUrl
from threatmodel.evidence.answers import Answered
from threatmodel.evidence.mappings.stack_facts import StackFacts
from threatmodel.evidence.matching import MATCHED, mistakable
from threatmodel.evidence.outside import SUPPLIED, default_bus, host_name, host_of, is_host, outside
from threatmodel.evidence.relations.acting import Passed
from threatmodel.evidence.relations.naming import kinds_of
from threatmodel.evidence.relations.passing import passed_on
from threatmodel.evidence.relations.use import USED, FunctionRelations, as_modelled, fits, used_as, uses_of
from threatmodel.evidence.relations.ways import Start
from threatmodel.evidence.resource_types import known
from threatmodel.evidence.signs import described_outputs, may_call, signs
from threatmodel.evidence.slack_callers import callers, urls_of_outputs
from threatmodel.model.file import EXTERNAL_USES, SECTIONS, TRIGGER
from threatmodel.reading.problems import Place
from threatmodel.reading.shape import Text
from threatmodel.reading.values import dataclass
from threatmodel.stacks.cloudformation.constructs import HELPER, construct, helper
from threatmodel.stacks.joining import own_name
from threatmodel.stacks.serverless.names import key_of
from threatmodel.stacks.stack import Resource, Stack

EXTERNAL = "external system"
SECTION_OF: Mapping[str, str] = {**{kind: section for section, kind in SECTIONS.items()}, EXTERNAL: "externals"}
"""The section of a model file that holds a kind."""

_PACKAGES = re.compile(r"ServerlessDeploymentBucket\Z|aws:s3:cdk-[a-z0-9]+-assets\Z")
"""Buckets of the Serverless Framework and of the CDK, into which these put what they deploy."""
_NO_FILE_SHOWS = "no file shows which other systems it calls"
_LONGEST_WHY = 300
_BESIDE = 34


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementEntry:
    """One element to write: its id, kind, the resource that it is, and its lines.

    `apart` says that the resource is not found again by the id alone: the model must say which it is.  `slack` are the
    routes that Slack is known to call, each with its path and the address that shows it.
    """

    id: str
    kind: str
    resource: str
    lines: tuple[str, ...]
    apart: bool = False
    slack: tuple[tuple[str, RequestUrl], ...] = ()

    @property
    def called(self) -> str:
        """What its file calls the resource; of what is in another one its name, or the service's."""
        found = outside(self.resource)
        return self.resource if found is None else found.name or found.title


class Whole(NamedTuple):
    """A system as a whole: names of the model and of the repository, and manifests of Slack's apps.

    `served` has the features of Slack that call functions by their code, by resource.
    """

    names: Sequence[str] = ()
    manifests: Sequence[Manifest] = ()
    served: Mapping[str, Sequence[RequestUrl]] = MappingProxyType({})


NOTHING = Whole()
"""Nothing is known of the system as a whole."""


def entries(
    stack: Stack,
    facts: StackFacts,
    by_function: Mapping[str, FunctionRelations],
    known: Mapping[str, tuple[str, str]],
    whole: Whole = NOTHING,
) -> Iterator[ElementEntry]:
    """An entry for each element of a stack that `known` (resource to id and kind) lacks, in order of sections.

    `whole` is what is known of the system as a whole.
    """
    signed = bool(whole.manifests) or bool(signs(stack, by_function, whole.names))
    slack = callers(whole.manifests, by_function, whole.served, urls_of_outputs(stack, described_outputs(stack)))
    passed = passed_on(stack, facts)
    places = dict(_named_by(by_function, passed))
    kinds = dict(_kinds(stack, facts, by_function, passed, places)) | {name: kind for name, (_, kind) in known.items()}
    known_ids = {name: element for name, (element, _) in known.items()}
    called = {name: _called(stack.resources[name], stack) for name in kinds if name in stack.resources}
    ids = element_ids(kinds, known_ids, {name: found for name, found in called.items() if found})
    named = {**known_ids, **ids}
    every = {one: (kinds[name], name) for name, one in named.items() if name in kinds}
    apart = mistakable(every, stack, {name: kinds_of(kind, facts) for name, kind in stack.types()})
    explained: dict[str, str] = {}
    for kind in (*MATCHED, EXTERNAL):
        for name, element in ids.items():
            if kinds[name] == kind:
                shown = (
                    _shown(stack.resources[name], stack) if name in stack.resources else _shown_outside(name, places)
                )
                head = _beside(f"{scalar(element)}:", shown)
                body: Iterator[str]
                if kind == "function":
                    relations = as_modelled(by_function[name], lambda one: kinds.get(one, ""))
                    asked = partial(may_call, function=stack.resources[name], signed=signed)
                    routes = _Routes(asked, partial(slack.of, name))
                    body = chain(_helper(stack.resources[name]), _function(relations, named, kinds, explained, routes))
                else:
                    body = chain(_other(name, kind, stack, facts), _passes(name, passed, named))
                lines = (head, *(f"  {line}" for line in body))
                routes_of = by_function[name].triggers if kind == "function" else ()
                shown_by = tuple((start.path, one) for start in routes_of for one in slack.of(name, start))
                apart_too = element in apart
                yield ElementEntry(id=element, kind=kind, resource=name, lines=lines, apart=apart_too, slack=shown_by)


def _helper(resource: Resource) -> Iterator[str]:
    """That a function is a helper of the CDK, as its description."""
    if what := helper(resource):
        yield f"description: {scalar(f'{HELPER}, which {what}', flow=False)}"


def _called(resource: Resource, stack: Stack) -> str:
    """What people call a resource whose own name a machine made, with what is around it before dots; '' if untold."""
    found = ".".join(construct(resource)) or key_of(resource)
    label, _ = own_name(resource.name, stack.joined)
    return f"{label}.{found}" if found and label else found


def _passes(name: str, passed: Sequence[Passed], named: Mapping[str, str]) -> Iterator[str]:
    """What an element hands on by itself, and what a service does with others."""
    lists: dict[str, dict[str, None]] = {}
    for one in passed:
        if one.source == name and one.to in named:
            lists.setdefault(one.use, {})[scalar(named[one.to])] = None
    for use in ("passes_to", *(row.name for row in EXTERNAL_USES)):
        if use in lists:
            yield f"{use}: [{', '.join(lists[use])}]"


def _kinds(
    stack: Stack,
    facts: StackFacts,
    by_function: Mapping[str, FunctionRelations],
    passed: Sequence[Passed],
    places: Mapping[str, Place | None],
) -> Iterator[tuple[str, str]]:
    """What the elements are, each with its kind: what functions use it as, where it can be two things."""
    used = {name: EXTERNAL for one in passed for name in (one.source, one.to)} | dict(used_as(by_function))
    used |= {one.to: "secret" for one in passed if one.use == "secrets"}
    named = (one for one in stack.resources.values() if one.name.strip())  # nothing is deployed under no name
    for resource in named:
        kinds = kinds_of(resource.type, facts)
        if resource.name in by_function:
            yield resource.name, "function"
        elif (kind := used.get(resource.name)) is not None and kind in kinds:
            yield resource.name, kind
        elif kinds and kinds[0] in {"api", "store", "queue"}:
            yield resource.name, kinds[0]
        elif EXTERNAL in kinds and resource.name in used:
            yield resource.name, EXTERNAL
        elif "secret" in kinds and "Parameter" not in resource.type and "parameter" not in resource.type:
            yield resource.name, "secret"
    for name in places:
        beyond = outside(name)
        if beyond is not None:
            yield name, beyond.kind
        elif is_host(name) and host_id(name):
            yield name, EXTERNAL


def _named_by(by_function: Mapping[str, FunctionRelations], passed: Sequence[Passed]) -> Mapping[str, Place | None]:
    """What the file names and does not hold: keys of services and of other stacks, hosts; each with a line."""
    found: dict[str, Place | None] = {}
    for name, place in _places(by_function, passed):
        if outside(name) is not None or is_host(name):
            found.setdefault(name, place)
    return found


def _places(
    by_function: Mapping[str, FunctionRelations], passed: Sequence[Passed]
) -> Iterator[tuple[str, Place | None]]:
    """All that the file says of what elements have to do with, each with a line."""
    for relations in by_function.values():
        yield from ((start.source, start.places[0]) for start in relations.triggers)
        yield from ((use.resource, use.places[0] if use.places else None) for _, use in uses_of(relations))
        yield from ((host_name(host), None) for host in relations.externals)
    for one in passed:
        yield from ((name, one.place) for name in (one.source, one.to))


def _shown(resource: Resource, stack: Stack) -> str:
    """Return a resource's type and place; an address in a plan has both."""
    _, name = own_name(resource.name, stack.joined)
    if resource.place.part:
        return name
    what = f"{name} ({resource.type_in_file})" if not resource.made_by else f"{name}, made by SAM"
    file = resource.place.file
    shown = file if stack.joined or any(one.file == file for one in stack.nested) else file.rpartition("/")[2]
    return f"{what}, {shown}:{resource.place.line}"


def _shown_outside(name: str, places: Mapping[str, Place | None]) -> str:
    """What is named and not held, and where."""
    beyond, place = outside(name), places.get(name)
    at = f", {place.file.rpartition('/')[2]}:{place.line}" if place is not None and not place.part else ""
    if beyond is None:
        return f"a host that is named{at}"
    if beyond.service in SUPPLIED:
        return f"{beyond.name}, in a variable{at}"
    if name == default_bus():
        return f"the account's default event bus{at}"
    return f"{beyond.title} of another stack{at}" if beyond.name else f"{beyond.title}{at}"


def _beside(line: str, note: str) -> str:
    return f"{line:<{_BESIDE}}  # {comment(note)}" if note else line


# --- functions


class _Routes(NamedTuple):
    """Who calls the routes of a function: whether it is asked, and the addresses of a manifest that name a route."""

    asked: Callable[[Start], bool]
    called: Callable[[Start], Sequence[RequestUrl]]


def _function(
    relations: FunctionRelations,
    named: Mapping[str, str],
    kinds: Mapping[str, str],
    explained: dict[str, str],
    routes: _Routes,
) -> Iterator[str]:
    """The lists of a function as far as they are certain, then those that may be longer, each with why."""
    whys = {name: one.why for name, one in relations.unknown.items()}
    if relations.lists["calls"] or relations.externals:
        whys["calls"] = _NO_FILE_SHOWS
    left_out = next((start for start in relations.triggers if start.source and start.source not in named), None)
    if left_out is not None:
        whys.setdefault("triggers", f"it is started by {left_out.source}, which is not modeled")
    yield from _triggers(relations, named, routes, complete="triggers" not in whys)
    uses = _uses(relations, named, kinds)
    for name in USED:
        if uses[name] or (name not in whys and name not in {"calls", "invokes"}):
            yield f"{name}: [{', '.join(uses[name])}]"
    yield from _incomplete({name: whys[name] for name in ("triggers", *uses) if name in whys}, explained)
    if "calls" not in whys:
        yield "# calls: [slack]                # which systems outside does it call? [] for none"


def _incomplete(whys: Mapping[str, str], explained: dict[str, str]) -> Iterator[str]:
    """The lists that may be longer; a reason is written once; `explained` has those of earlier functions."""
    reasons = dict.fromkeys(whys.values())
    if len(reasons) > 1 and reasons.keys() <= explained.keys():
        yield f"incomplete: [{', '.join(whys)}]"
        return
    if len(reasons) == 1:
        (why,) = reasons
        shown = "" if why in explained else f"{comment(why)[:_LONGEST_WHY]}; take out what you know to be whole"
        line = f"incomplete: [{', '.join(whys)}]"
        yield f"{line:<{_BESIDE - 4}}  # {shown}" if shown else line
        explained.setdefault(why, "")
        return
    if reasons:
        yield "incomplete:                     # what a file cannot show; take out what you know to be whole"
    first: dict[str, str] = {}
    for name, why in whys.items():
        same = first.setdefault(why, name)
        shown = comment(why)[:_LONGEST_WHY] if same == name else f"as for {same}"
        explained.setdefault(why, "")
        yield f"  {name}: {scalar(shown, flow=False)}"


def _uses(relations: FunctionRelations, named: Mapping[str, str], kinds: Mapping[str, str]) -> dict[str, list[str]]:
    """The ids in each list of what a function uses; what is written to a queue is sent, as the model has it."""
    found: dict[str, list[str]] = {name: [] for name in USED}
    for name, use in uses_of(relations):
        if use.resource in named and fits(name, kinds[use.resource]):
            found[name].append(scalar(named[use.resource]))
    found = {name: list(dict.fromkeys(ids)) for name, ids in found.items()}
    hosts = dict.fromkeys(named.get(host_name(host), "slack") for host in relations.externals)
    found["calls"] += [scalar(host) for host in hosts if host not in found["calls"]]
    return found


def _triggers(
    relations: FunctionRelations, named: Mapping[str, str], routes: _Routes, *, complete: bool
) -> Iterator[str]:
    """The triggers that are certain, and what to ask about who calls."""
    starts = (one for one in relations.triggers if one.certain and one.by)
    known = [one for one in starts if one.by == "schedule" or one.source in named]
    lines = [line for start in known for line in _requests(start, named, routes)]
    if not lines and not complete:
        return
    if len(lines) <= 1:
        yield "".join(_beside(f"triggers: [{line}]", note) for line, note in lines) or "triggers: []"
    else:
        yield "triggers:"
        yield from (_beside(f"  - {line}", note) for line, note in lines)
    yield from _slack_hints([start for start in known if not routes.called(start) and routes.asked(start)])


def _requests(start: Start, named: Mapping[str, str], routes: _Routes) -> Iterator[tuple[str, str]]:
    """The triggers of one start, each with the line of a manifest that names it ('' for none)."""
    for one in routes.called(start):
        path = f", path: {scalar(start.path)}" if _fits(start.path, "path") else ""
        yield f"{{slack: {one.surface}, api: {scalar(named[start.source])}{path}}}", f"by {one.place.short}"
    if not routes.called(start):
        yield _trigger(start, named, routes.asked), ""


def _slack_hints(starts: Sequence[Start]) -> Iterator[str]:
    """What to write for the routes that Slack may call."""
    if not starts:
        return
    likely = {found: start.path for start in starts if (found := surface(start.path))}
    for found, path in likely.items():
        yield f"{BY_PATH}{found}, path: {scalar(path[:_SHOWN_PATH])}, api: ...}}"
    if not likely:
        yield f"{WHERE}slash-command}}  # or interactivity, events; else take caller out"


def _trigger(start: Start, named: Mapping[str, str], asked: Callable[[Start], bool]) -> str:
    if start.by == "schedule":
        return f"{{schedule: {scalar(start.detail if _fits(start.detail, 'schedule') else 'unknown')}}}"
    if start.by != "http":
        return f"{{{start.by}: {scalar(named[start.source])}}}"
    path = f", path: {scalar(start.path)}" if _fits(start.path, "path") else ""
    method = start.detail if _fits(start.detail, "http") else "ANY"
    caller = ", caller: unknown" if asked(start) else ""
    return f"{{http: {scalar(method)}, api: {scalar(named[start.source])}{path}{caller}}}"


_SHOWN_PATH = 80


def _fits(text: str, key: str) -> bool:
    """Whether a model takes a text there."""
    shape = TRIGGER.index[key].shape
    return isinstance(shape, Text) and bool(text.strip()) and len(text) <= shape.longest


def _other(name: str, kind: str, stack: Stack, facts: StackFacts) -> Iterator[str]:
    """What a file cannot say of the other kinds, as a hint below what is known: alone it could not be uncommented."""
    beyond = outside(name)
    match kind:
        case "store" | "queue":
            if word := _word(name, kind, "kind", stack, facts):
                yield f"kind: {word}"
            if _PACKAGES.match(own_name(name, stack.joined)[1]):
                yield "holds: []                       # no data of the system: deployment artifacts"
                yield "takes_uploads: false            # only deployments write to it"
            elif word:
                yield "# holds: [records]              # which data? ids under data"
        case "secret":
            if word := _word(name, kind, "kept_in", stack, facts):
                yield f"kept_in: {word}"
                grants = granted(own_name(name, stack.joined)[1])
                why = "by its name; " if grants else ""
                yield f"# grants: {grants or 'slack-requests':<22}# {why}or slack-api, other: what can its holder do?"
        case "external system" if is_host(name):
            yield f"name: {scalar(host_of(name)[:_LONGEST_NAME])}"
        case "external system":
            service = beyond.title if beyond is not None else known(stack.resources[name].type).service
            if beyond is not None and beyond.name:
                yield f"name: {scalar(beyond.name[:_LONGEST_NAME])}"
            yield f"service: {scalar(service)}"


def _word(name: str, kind: str, fact: str, stack: Stack, facts: StackFacts) -> str:
    """The vocabulary's word for what something is; '' where the file does not tell."""
    if (beyond := outside(name)) is not None:
        return beyond.word
    found = facts.fact(kind, stack.resources[name], fact)
    return scalar(found.value) if isinstance(found, Answered) and isinstance(found.value, str) else ""


_LONGEST_NAME = 120
