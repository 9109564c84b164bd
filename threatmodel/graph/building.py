"""A system as a graph: what is drawn, and what threats are looked for in."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping

from threatmodel.graph.elements import Element, Flow, Graph, Read, Related
from threatmodel.graph.flows import Flows
from threatmodel.graph.resolved import Evidence, Resolved
from threatmodel.model.facts import Facts
from threatmodel.model.reference_architecture import CLOCK, DATA, PARTIES, PIPELINE, ZONES, ReferenceData, Zone
from threatmodel.model.system import Node, System
from threatmodel.model.vocabulary import PLANES, Kind, Plane
from threatmodel.reading.problems import Place
from threatmodel.reading.values import replace

__all__ = ["VIEWS", "Element", "Evidence", "Flow", "Graph", "Related", "build"]

VIEWS = ("runtime", "deployment", "identity")
"""The planes that pictures are drawn of."""

_SUBTITLES = {
    "function": "Lambda",
    "api": "API Gateway",
    "store": "",
    "queue": "",
    "secret": "",
}
SUBTITLE_WORDS = {
    "rest": "REST API",
    "http": "HTTP API",
    "websocket": "WebSocket API",
    "function-url": "function URL",
    "web-function": "Lambda web function",
    "dynamodb": "DynamoDB",
    "s3": "S3",
    "rds": "RDS",
    "documentdb": "DocumentDB",
    "neptune": "Neptune",
    "redshift": "Redshift",
    "opensearch": "OpenSearch",
    "elasticache": "ElastiCache",
    "efs": "EFS",
    "kinesis": "Kinesis",
    "public": "",  # the class of data, of which it need not be distinguished; nor does "public" mean who may reach it
    "sqs": "SQS",
    "sns": "SNS",
    "eventbridge": "EventBridge",
    "secrets-manager": "Secrets Manager",
    "ssm-securestring": "Parameter Store, encrypted",
    "ssm-string": "Parameter Store, plain",
}
"""Values of facts as the text under an element's name shows them; others are shown as they are."""

SUBTITLE_FACTS = ("kind", "kept_in", "runtime", "data_classification")
"""The facts that this text shows."""


def build(
    system: System,
    evidence: Evidence | None = None,
    today: datetime.date | None = None,
    read: tuple[Read, ...] = (),
) -> Graph:
    """The graph of a system, with what collectors found weighed in: the same input gives the same graph.

    `today` decides which runtimes are still supported; without it that stays unknown.  `read` are the files that the
    evidence comes from.
    Raises InputError where the model states facts of a flow that does not exist.
    """
    resolved = Resolved(system, evidence or {}, today, signs=any(one.signs for one in read))
    has = _features(resolved)
    zones = _zones(system)
    elements = {element.id: element for element in _elements(resolved, zones, has)}
    if "workspace" not in system.nodes and resolved.without_slack:
        elements["workspace"] = replace(elements["workspace"], out_of_scope=_NO_SLACK)
    roots = {zone: _root(zone, zones) for zone in zones}
    flows = Flows(resolved, elements, roots, has).made()
    used = _used_zones((element.zone for element in elements.values()), zones)
    return Graph(
        system=system,
        elements=elements,
        flows=flows,
        zones={zone: zones[zone] for zone in zones if zone in used},
        data=_data(system),
        lists=resolved.lists,
        neighbors=resolved.neighbors,
        evidence=read,
    )


def _features(resolved: Resolved) -> frozenset[str]:
    """What the system has of the things that are drawn only where it has them."""
    has = set()
    every = resolved.lists.values()
    triggered = any(t.by == "slack" for lists in every if "triggers" in lists for t in lists["triggers"].items)
    if any(t.by == "schedule" for lists in every if "triggers" in lists for t in lists["triggers"].items):
        has.add(CLOCK)
    called = any("slack" in lists["calls"].items for lists in every if "calls" in lists)
    if triggered or called or "workspace" in resolved.system.nodes:
        has.add("slack")
    for node in resolved.system.nodes.values():
        facts = resolved.facts[node.id]
        if node.kind == "api" and _is(facts, "waf_rate_rule", {True}):
            has.add("waf")
        elif node.kind == "function" and _is(facts, "code_signing", {"enforce", "warn"}):
            has.add("signer")
    return frozenset(has | ({"no-signer"} if "signer" not in has else set()))


_NO_SLACK = "Slack is not part of this system: no route is Slack's, nothing calls it, and no file mentions it"


def _is(facts: Facts, name: str, values: set[object]) -> bool:
    fact = facts.get(name)
    return fact is not None and fact.size > 0 and fact.value in values


def _zones(system: System) -> dict[str, Zone]:
    own = {b.id: Zone(b.id, b.name, b.inside, "as the model says") for b in system.boundaries.values()}
    names: dict[str, str] = {plane: system.nodes[plane].name for plane in PLANES if plane in system.nodes}
    fixed = {z.id: z._replace(name=names[z.id]) if names.get(z.id, z.id) != z.id else z for z in ZONES}
    return {**fixed, **own}


def _data(system: System) -> dict[str, ReferenceData]:
    own = {d.id: ReferenceData(d.id, d.name, d.classification, d.personal) for d in system.data.values()}
    return {**{item.id: item for item in DATA}, **own}


def _elements(resolved: Resolved, zones: Mapping[str, Zone], has: frozenset[str]) -> Iterator[Element]:
    """Every element: what the author describes, what each function brings, the planes, the parties."""
    nodes = resolved.system.nodes
    for node in nodes.values():
        if node.kind not in PLANES:
            yield _element(node, resolved.facts[node.id])
    for node in nodes.values():
        if node.kind == "function":
            yield from _surroundings(node, resolved.facts[node.id])
    for plane in PLANES:
        yield _plane(plane, nodes.get(plane), resolved, zones)
    for party in PARTIES:
        if not party.when or party.when in has:
            yield _drawn(party.id, party.symbol, party.name, party.subtitle, party.zone, party.view)
    for external in resolved.system.externals.values():
        symbol, title = ("process", external.service) if external.service else ("external", "external system")
        drawn = _drawn(external.id, symbol, external.name, title, external.boundary, "runtime")
        yield replace(drawn, place=external.place)


def _drawn(name: str, symbol: str, title: str, subtitle: str, zone: str, view: str) -> Element:  # noqa: PLR0913, PLR0917 - a party's columns
    """An element without facts."""
    return Element(
        id=name, kind="", symbol=symbol, name=title, subtitle=subtitle, zone=zone, view=view, facts={}, place=None
    )


def _element(node: Node, facts: Facts) -> Element:
    return Element(
        id=node.id,
        kind=node.kind,
        symbol={"function": "function", "api": "api"}.get(node.kind, "store"),
        name=node.name,
        subtitle=_subtitle(node.kind, facts),
        zone=node.boundary or _usual_zone(node.kind, facts),
        view="runtime",
        facts=facts,
        place=node.place,
        out_of_scope=node.out_of_scope,
        node=node,
    )


def _surroundings(node: Node, facts: Facts) -> Iterator[Element]:
    """What every function has: its logs, its configuration, the memory and /tmp of its environment."""
    zone = node.boundary or _usual_zone("function", facts)
    for suffix, title, subtitle, where, view in (
        ("logs", "logs", "CloudWatch", "account", "runtime"),
        ("configuration", "configuration", "code, environment, layers", "control-plane", "deployment"),
        ("environment", "memory and /tmp", "role credentials", zone, "identity"),
    ):
        drawn = _drawn(f"{node.id}.{suffix}", "store", f"{node.name} {title}", subtitle, where, view)
        yield replace(drawn, place=node.place, out_of_scope=node.out_of_scope)


_PLANE_VIEWS = {"account": "runtime", "workspace": "runtime", "pipeline": "deployment", "organization": "identity"}


def _plane(plane: Plane, node: Node | None, resolved: Resolved, zones: Mapping[str, Zone]) -> Element:
    """A plane: the pipeline is drawn as a process, the others as the boundary of their name."""
    if plane == PIPELINE.id:
        symbol, zone, subtitle = PIPELINE.symbol, PIPELINE.zone, PIPELINE.subtitle
        title = node.name if node is not None and node.name != plane else PIPELINE.name
    else:
        symbol, zone, subtitle, title = "boundary", plane, "", zones[plane].name
    return Element(
        id=plane,
        kind=plane,
        symbol=symbol,
        name=title,
        subtitle=subtitle,
        zone=zone,
        view=_PLANE_VIEWS[plane],
        facts=resolved.facts.get(plane, {}),
        place=node.place if node is not None else Place(resolved.system.file),
        described=node is not None,
        node=node,
    )


def _usual_zone(kind: Kind, facts: Facts) -> str:
    if kind == "function":
        vpc = facts.get("in_vpc")
        return "vpc" if vpc is not None and vpc.value is True else "execution"
    return "edge" if kind == "api" else "account"


def _subtitle(kind: Kind, facts: Facts) -> str:
    """The text under an element's name: its service, then what matters most about it."""
    # the URL of a function has no gateway
    own_url = kind == "api" and _is(facts, "kind", {"function-url", "web-function"})
    parts = ["" if own_url else _SUBTITLES[kind]]
    for name in SUBTITLE_FACTS:
        fact = facts.get(name)
        known = fact is not None and fact.size and fact.value is not None
        if fact is not None and known and (name, kind) != ("data_classification", "function"):
            parts.append(SUBTITLE_WORDS.get(fact.value, fact.value))
    found = [part for part in parts if part]
    return " · ".join(found) or kind


def _root(zone: str, zones: Mapping[str, Zone]) -> str:
    while zones[zone].inside:
        zone = zones[zone].inside
    return zone


def _used_zones(leaves: Iterator[str], zones: Mapping[str, Zone]) -> set[str]:
    """The zones that something is in, and those around them."""
    used: set[str] = set()
    for leaf in set(leaves):
        zone = leaf
        while zone and zone not in used:
            used.add(zone)
            zone = zones[zone].inside
    return used
