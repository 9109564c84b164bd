"""A graph and a library in pytm's terms: what class each element is of, what its attributes say.

What pytm has no word for: a fact that is not known is None there, as one known not to be set is.  None is false, below
and above nothing, and no word, so that pytm's answer differs from ours only where ours is "undetermined".  A plane
that no file describes has no `element_kind`: no threat is looked for in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from threatmodel.graph.building import VIEWS
from threatmodel.graph.elements import Element, Flow, Graph
from threatmodel.library.entries import SCENARIOS, ControlLink, Library, Threat
from threatmodel.model.reference_architecture import DATA, ReferenceData
from threatmodel.model.vocabulary import FACTS
from threatmodel.pytm_model.conditions import of_kinds
from threatmodel.reading.values import dataclass

CLASSES = {
    "function": "Lambda",
    "api": "Server",
    "store": "Datastore",
    "queue": "Datastore",
    "secret": "Datastore",
    "pipeline": "Process",
    "account": "Boundary",
    "workspace": "Boundary",
    "organization": "Boundary",
    "flow": "Dataflow",
}
"""pytm's class for each kind of element; account, workspace and organization are the boundaries of their name."""

PARTIES = {"person": "Actor", "external": "ExternalEntity", "store": "Datastore", "process": "Process"}
"""pytm's class for what is drawn without facts, by symbol."""

CLASSIFICATIONS = {"public": "PUBLIC", "internal": "RESTRICTED", "confidential": "SENSITIVE", "secret": "SECRET"}
"""pytm's word for each class of data."""

_PROTOCOLS = {"https": "HTTPS", "http": "HTTP", "tls": "TLS", "tcp": "TCP", "ssh": "SSH", "in-process": "in-process"}
_FIFTHS = ("Very Low", "Low", "Medium", "High", "Very High")
_CREDENTIALS = frozenset(item.id for item in DATA if item.classification == "secret")


class Transport(NamedTuple):
    """How data travels: protocol, port and encryption as pytm has them ('', -1 and False where they are not known)."""

    protocol: str
    port: int
    encrypted: bool


UNKNOWN_LINE = Transport("", -1, encrypted=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """An element or a boundary.

    `within` is the id of the boundary around it ('' for none), `line` how data usually reaches it, `fields` what else
    its constructor takes, `controls` the ids of controls that its facts put in place.
    """

    id: str
    cls: str
    name: str
    within: str
    line: Transport
    fields: Mapping[str, object]
    controls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """A flow.  `data` holds ids; `fields` as for a part."""

    id: str
    source: str
    sink: str
    name: str
    line: Transport
    data: tuple[str, ...]
    levels: frozenset[int]
    fields: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Datum:
    """A data item; `classification` is the name of a pytm Classification.

    pytm takes two items for one where name, description and classification are the same; the description begins with
    the id, so that no two are.
    """

    id: str
    name: str
    description: str
    classification: str
    personal: bool
    credentials: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A threat; `fields` is what pytm's Threat takes."""

    id: str
    scenario: str
    targets: tuple[str, ...]
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """A whole model.  Boundaries come before what is in them."""

    name: str
    description: str
    assumptions: tuple[str, ...]
    parts: tuple[Part, ...]
    data: tuple[Datum, ...]
    streams: tuple[Stream, ...]
    rules: tuple[Rule, ...]


def terms(graph: Graph, library: Library) -> Terms:
    """A graph and a library in pytm's terms."""
    system = graph.system
    described = {item.id: item.description for item in system.data.values()}
    threats = sorted(library.threats.values(), key=lambda threat: SCENARIOS.index(threat.scenario))
    asked = _facts_asked(library)
    return Terms(
        name=system.name,
        description=system.description or system.name,
        assumptions=system.assumptions,
        parts=(*_boundaries(graph, library, asked), *_elements(graph, library, asked)),
        data=tuple(_datum(item, described.get(item.id, "")) for item in graph.data.values()),
        streams=tuple(_stream(flow, asked) for flow in graph.flows.values()),
        rules=tuple(_rule(threat, library) for threat in threats),
    )


# --- elements and flows


def _facts_asked(library: Library) -> Mapping[str, frozenset[str]]:
    """For each kind, the facts that conditions of threats and of what treats them read."""
    asked: dict[str, set[str]] = {kind: set() for kind in FACTS}
    for threat in library.threats.values():
        for conditions in (threat.applies, *(link.conditions for link in threat.links)):
            for kind, condition in conditions.items():
                asked[kind] |= condition.facts
    return {kind: frozenset(names) for kind, names in asked.items()}


def _boundaries(graph: Graph, library: Library, asked: Mapping[str, frozenset[str]]) -> Iterator[Part]:
    made: set[str] = set()
    for zone in graph.zones:
        for name in reversed(list(_outwards(graph, zone))):
            if name not in made:
                made.add(name)
                yield _boundary(graph, name, library, asked)


def _outwards(graph: Graph, zone: str) -> Iterator[str]:
    while zone:
        yield zone
        zone = graph.zones[zone].inside


def _boundary(graph: Graph, name: str, library: Library, asked: Mapping[str, frozenset[str]]) -> Part:
    zone = graph.zones[name]
    plane = graph.elements.get(name)
    description = f"controlled by {zone.controlled_by}"
    fields = {**_scope(plane), **_facts(plane, asked)} if plane is not None else {"element_kind": ""}
    return Part(
        id=name,
        cls="Boundary",
        name=zone.name,
        within=zone.inside,
        line=UNKNOWN_LINE,
        fields={"description": description, **fields},
        controls=_in_place(plane, library) if plane is not None else (),
    )


def _elements(graph: Graph, library: Library, asked: Mapping[str, frozenset[str]]) -> Iterator[Part]:
    lines, levels = _usual_lines(graph.flows.values()), _levels(graph)
    for element in graph.elements.values():
        if element.id in graph.zones:
            continue
        node = element.node
        yield Part(
            id=element.id,
            cls=CLASSES.get(element.kind) or PARTIES[element.symbol],
            name=element.name,
            within=element.zone,
            line=lines.get(element.id, UNKNOWN_LINE),
            fields={
                "description": (node.description if node is not None else "") or element.subtitle,
                "levels": levels[element.id],
                **_scope(element),
                **_own_words(element, graph),
                **_facts(element, asked),
            },
            controls=_in_place(element, library),
        )


def _scope(target: Element | Flow) -> dict[str, object]:
    return {"inScope": False} if target.out_of_scope else {}


def _own_words(element: Element, graph: Graph) -> dict[str, object]:
    """What pytm's own attributes say of an element, where their defaults would be wrong."""
    if not element.kind:
        return {"isSQL": False} if element.symbol == "store" else {}
    *_, outermost = _outwards(graph, element.zone)
    found: dict[str, object] = {"onAWS": outermost == "account"}
    if CLASSES[element.kind] == "Datastore":
        found["isSQL"] = element.kind == "store" and _known(element, "kind") == "rds"
        found["storesPII"] = _known(element, "personal_data") is True
    return found


def _known(element: Element, name: str) -> object:
    fact = element.facts.get(name)
    return fact.value if fact is not None and fact.size else None


def _facts(target: Element | Flow, asked: Mapping[str, frozenset[str]]) -> dict[str, object]:
    """The kind and facts of an element: those known, and None for those that a condition reads but are not stated."""
    if not target.kind or not target.described:
        return {"element_kind": ""}
    names = FACTS[target.kind]
    known = {name: target.facts[name] for name in names if name in target.facts}
    values = {name: fact.value if fact.size else None for name, fact in known.items()}
    shown = {name: values.get(name) for name in names if name in asked[target.kind] or values.get(name) is not None}
    return {"element_kind": target.kind, **shown}


def _in_place(target: Element, library: Library) -> tuple[str, ...]:
    """The controls of an element's kind that its facts put in place."""
    return tuple(
        control.id
        for control in library.controls.values()
        if control.scope == target.kind and control.in_place is not None and control.in_place.truth(target.facts) > 0
    )


def _levels(graph: Graph) -> Mapping[str, frozenset[int]]:
    """The levels of each element: the planes (0 runtime, 1 deployment, 2 identity) that it has a part in."""
    found = {element.id: {VIEWS.index(element.view)} for element in graph.elements.values()}
    for flow in graph.flows.values():
        for end in (flow.source, flow.target):
            found[end].add(VIEWS.index(flow.view))
    return {name: frozenset(levels) for name, levels in found.items()}


def _stream(flow: Flow, asked: Mapping[str, frozenset[str]]) -> Stream:
    return Stream(
        id=flow.id,
        source=flow.source,
        sink=flow.target,
        name=flow.label,
        line=_line(flow),
        data=flow.carries,
        levels=frozenset({VIEWS.index(flow.view)}),
        fields={**_scope(flow), **_facts(flow, asked)},
    )


def _line(flow: Flow) -> Transport:
    facts = {name: fact.value for name, fact in flow.facts.items() if fact.size}
    transport, port = facts.get("transport"), facts.get("tcp_port")
    protocol = "" if transport is None else _PROTOCOLS[transport]
    return Transport(protocol, -1 if port is None else port, facts.get("encrypted") is True)


def _usual_lines(flows: Iterable[Flow]) -> Mapping[str, Transport]:
    """How data usually reaches each element: what most flows to it have (the first of equals)."""
    found: dict[str, Counter[Transport]] = {}
    for flow in flows:
        found.setdefault(flow.target, Counter())[_line(flow)] += 1
    return {name: lines.most_common(1)[0][0] for name, lines in found.items()}


def _datum(item: ReferenceData, description: str) -> Datum:
    return Datum(
        id=item.id,
        name=item.name,
        description=f"{item.id}: {description}" if description else item.id,
        classification=CLASSIFICATIONS[item.classification],
        personal=item.personal,
        credentials=item.id in _CREDENTIALS,
    )


# --- threats


def _rule(threat: Threat, library: Library) -> Rule:
    answers = [_mitigation(link, library) for link in threat.links]
    return Rule(
        id=threat.id,
        scenario=threat.scenario,
        targets=tuple(dict.fromkeys(CLASSES[kind] for kind in threat.targets)),
        fields={
            "SID": threat.id,
            "description": threat.title,
            "condition": of_kinds(threat.applies),
            "severity": _FIFTHS[threat.impact - 1],
            "likelihood": _FIFTHS[threat.likelihood - 1],
            "details": threat.why,
            "mitigations": "\n".join(answers),
            "references": "\n".join(threat.references),
        },
    )


def _mitigation(link: ControlLink, library: Library) -> str:
    """A control that treats a threat, with its effect, and as pytm evaluates it, where it has this effect."""
    because = f": {link.because}" if link.because else ""
    where = f", if {of_kinds(link.conditions)}" if link.conditions else ""
    return f"{library.controls[link.control].title} ({link.effect}{because}{where})"


def attribute(control: str) -> str:
    """The attribute that stands for a control."""
    return control.replace("-", "_")
