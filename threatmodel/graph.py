"""A system as elements and flows with weighed facts: what is drawn, and what threats are looked for in.

`build` is pure: the same system and evidence give the same graph.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from threatmodel import derived
from threatmodel.derived import any_of, highest, known
from threatmodel.facts import EVIDENCE, WORD, Fact, Facts, Statement, stated, weigh
from threatmodel.landscape import DATA, PARTIES, PIPELINE, WIRES, ZONES, Item, Wire, Zone
from threatmodel.model.system import Node, System, Trigger
from threatmodel.model.vocabulary import PLANES
from threatmodel.problems import InputError, Place, Problem, suggestion

Evidence = Mapping[str, Mapping[str, Sequence[Statement]]]
"""What collectors found: for an element's id and a fact's (or relation's) name, statements.

A relation's value is a tuple: of `Trigger` for triggers, of ids for the rest."""

VIEWS = ("runtime", "deployment", "identity")
"""The planes that pictures are drawn of."""

_SUBTITLES = {
    "function": "Lambda",
    "api": "API Gateway",
    "store": "",
    "queue": "",
    "secret": "",
}
_WORDS = {
    "rest": "REST API",
    "http": "HTTP API",
    "websocket": "WebSocket API",
    "function-url": "function URL",
    "dynamodb": "DynamoDB",
    "s3": "S3",
    "rds": "RDS",
    "opensearch": "OpenSearch",
    "elasticache": "ElastiCache",
    "efs": "EFS",
    "kinesis": "Kinesis",
    "sqs": "SQS",
    "sns": "SNS",
    "eventbridge": "EventBridge",
    "secrets-manager": "Secrets Manager",
    "ssm-securestring": "Parameter Store, encrypted",
    "ssm-string": "Parameter Store, plain",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """Something drawn.  `kind` is a kind of the vocabulary, or '' for what has no facts; `symbol` how it is drawn.

    `described` is False for a plane that no file describes: it is assumed to exist, and nothing is known of it.
    """

    id: str
    kind: str
    symbol: str
    name: str
    subtitle: str
    zone: str
    view: str
    facts: Facts
    place: Place | None
    described: bool = True
    out_of_scope: str = ""
    node: Node | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Data on its way from one element to another.  `carries` holds ids of data, `caller` how the caller proves who it
    is; `size` how well its existence is known.
    """

    id: str
    source: str
    target: str
    label: str
    carries: tuple[str, ...]
    view: str
    caller: str
    facts: Facts
    place: Place | None
    size: int = WORD
    kind: str = "flow"
    described: bool = True
    out_of_scope: str = ""
    node: None = None


class Related(NamedTuple):
    """The elements of a scope that are related to an element.

    `size` says how well the list is known (0: it may be incomplete), `unknown` which relations would complete it,
    as (kind, name) with the elements to ask.
    """

    ids: tuple[str, ...]
    size: int
    unknown: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """Elements and flows by id, the zones that they lie in, the data that they carry, and the system they come from."""

    system: System
    elements: Mapping[str, Element]
    flows: Mapping[str, Flow]
    zones: Mapping[str, Zone]
    data: Mapping[str, Item]
    relations: Mapping[str, Mapping[str, Fact]]
    neighbours: Neighbours

    def targets(self) -> Iterator[Element | Flow]:
        """Everything that has facts, in order: functions first, then their surroundings, planes, flows."""
        yield from (element for element in self.elements.values() if element.kind)
        yield from self.flows.values()

    def related(self, target: Element | Flow, scope: str) -> Related:
        """The elements whose controls of `scope` count for `target`: itself, its neighbours, or the plane."""
        if scope == target.kind:
            return Related((target.id,), EVIDENCE)
        if scope in PLANES:
            return Related((scope,), EVIDENCE)
        if isinstance(target, Flow):
            ends = (target.source, target.target)
            return Related(tuple(end for end in ends if self.elements[end].kind == scope), EVIDENCE)
        return self.neighbours.of(target.id, target.kind, scope)


class Neighbours:
    """Who uses what: the relation between functions and the elements around them, both ways."""

    def __init__(self, functions: Mapping[str, Mapping[str, Fact]]) -> None:
        self._uses: dict[tuple[str, str], tuple[str, ...]] = {}
        self._used_by: dict[str, dict[str, None]] = {}
        self._functions = functions
        for function, relations in functions.items():
            for scope, names in _THROUGH.items():
                ids: dict[str, None] = {}
                for name in names:
                    if name in relations:
                        ids.update(dict.fromkeys(_partners(name, relations[name].value, scope)))
                self._uses[function, scope] = tuple(ids)
                for other in ids:
                    self._used_by.setdefault(other, {})[function] = None
        self._complete = {scope: self._completeness(functions, scope) for scope in _THROUGH}

    def _completeness(self, functions: Mapping[str, Mapping[str, Fact]], scope: str) -> Related:
        """How well it is known which functions use elements of a scope, and whom to ask."""
        return _completeness(functions, _THROUGH[scope])

    def of(self, element: str, kind: str, scope: str) -> Related:
        """The neighbours of an element that are of a scope."""
        if kind == "function":
            relations = {element: self._functions[element]}
            found = _completeness(relations, _THROUGH[scope])
            return Related(self._uses[element, scope], found.size, found.unknown)
        found = self._complete[kind]
        return Related(tuple(self._used_by.get(element, ())), found.size, found.unknown)


_THROUGH = {
    "api": ("triggers",),
    "queue": ("triggers", "sends"),
    "store": ("triggers", "reads", "writes"),
    "secret": ("secrets",),
}
"""The relations of a function through which it meets elements of a kind."""


def _partners(relation: str, value: Sequence[Any], scope: str) -> Iterator[str]:
    """The ids of a scope that a relation's value names."""
    if relation != "triggers":
        yield from value
        return
    for trigger in value:
        comes_through = {"slack": "api", "http": "api"}.get(trigger.by, trigger.by)
        if comes_through == scope and trigger.source is not None:
            yield trigger.source.id


def _completeness(functions: Mapping[str, Mapping[str, Fact]], names: Sequence[str]) -> Related:
    size = EVIDENCE
    unknown = []
    for function, relations in functions.items():
        for name in names:
            fact = relations.get(name)
            if fact is None or not fact.size:
                unknown.append(("function", name, function))
                size = 0
            elif fact.size < size:
                size = fact.size
    return Related((), size, tuple(unknown))


def build(system: System, evidence: Evidence | None = None) -> Graph:
    """The graph of a system, with what collectors found weighed in.

    Raises InputError where the model states facts of a flow that does not exist.
    """
    return _Builder(system, evidence or {}).graph()


class _Builder:
    """One run of `build`."""

    def __init__(self, system: System, evidence: Evidence) -> None:
        self.system = system
        self.evidence = evidence
        self.functions = [node for node in system.nodes.values() if node.kind == "function"]
        self.relations = {node.id: self._relations(node) for node in self.functions}
        self.neighbours = Neighbours(self.relations)
        self.holds = {n.id: self._holds(n) for n in system.nodes.values() if n.kind in {"store", "queue"}}
        self.facts = {node.id: self._facts(node) for node in system.nodes.values()}
        self.elements: dict[str, Element] = {}
        self.flows: dict[str, Flow] = {}
        self.shared: dict[Any, Facts] = {}
        self.has = self._features()
        self.zones = self._zones()
        self.data = self._data()
        self.fixed = {item.id: stated(Statement(item.classification, "wiring", None)) for item in DATA}

    def graph(self) -> Graph:
        for element in self._elements():
            self.elements[element.id] = element
        roots = {zone: _root(zone, self.zones) for zone in self.zones}
        self.inside_aws = {e.id: roots[e.zone] == "account" for e in self.elements.values()}
        self.outside_aws = {e.id: roots[e.zone] not in {"account", "security"} for e in self.elements.values()}
        for flow in self._flows():
            self.flows[flow.id] = flow
        self._check_stated_flows()
        used = _used_zones((element.zone for element in self.elements.values()), self.zones)
        return Graph(
            system=self.system,
            elements=self.elements,
            flows=self.flows,
            zones={zone: self.zones[zone] for zone in self.zones if zone in used},
            data=self.data,
            relations=self.relations,
            neighbours=self.neighbours,
        )

    # --- facts and relations

    def _stated(self, node: Node) -> dict[str, Fact]:
        found = self.evidence.get(node.id)
        if found is None:
            return {name: Fact(s.value, WORD, s) for name, s in node.facts.items()}
        facts = {}
        for name in {**node.facts, **found}:
            if name not in derived.RELATIONS:
                words = [node.facts[name]] if name in node.facts else []
                facts[name] = weigh([*words, *found.get(name, ())])
        return facts

    def _relations(self, node: Node) -> dict[str, Fact]:
        facts: dict[str, list[Statement]] = {}
        if node.triggers is not None:
            facts["triggers"] = [Statement(node.triggers, "model", node.triggers_place)]
        for name, relation in node.relations.items():
            facts[name] = [Statement(tuple(item.id for item in relation.items), "model", relation.place)]
        for name, statements in self.evidence.get(node.id, {}).items():
            if name in derived.RELATIONS:
                facts.setdefault(name, []).extend(statements)
        return {name: _weigh_relation(statements) for name, statements in facts.items()}

    def _holds(self, node: Node) -> Fact | None:
        return self._relations(node).get("holds")

    def _facts(self, node: Node) -> Facts:
        facts = self._stated(node)
        for name, fact in self._derived(node, facts):
            if fact is not None:
                facts[name] = fact
        return facts

    def _derived(self, node: Node, facts: Facts) -> Iterator[tuple[str, Fact | None]]:
        match node.kind:
            case "function":
                yield from self._derived_of_function(node)
            case "store":
                yield "data_classification", self._class_held(node.id)
                yield "personal_data", self._personal(node.id)
            case "queue":
                yield "data_classification", self._class_held(node.id)
                yield "starts_functions", self._starts(lambda t: t.by == "queue" and _comes_from(t, node.id))
            case "api":
                yield "slack_facing", self._starts(lambda t: t.by == "slack" and _comes_from(t, node.id))

    def _derived_of_function(self, node: Node) -> Iterator[tuple[str, Fact | None]]:
        relations = self.relations[node.id]
        triggers = relations.get("triggers")
        if triggers is not None and triggers.size:
            by = {trigger.by for trigger in triggers.value}
            yield "slack_facing", known("slack" in by, [triggers.said])
            yield "internet_facing", known(bool(by & {"slack", "http"}), [triggers.said])
            yield "event_driven", known(bool(by & {"queue", "store", "schedule"}), [triggers.said])
        secrets = relations.get("secrets")
        if secrets is not None and secrets.size:
            yield "uses_secrets", known(bool(secrets.value), [secrets.said])
            tokens = [self._grants(secret, secrets) for secret in secrets.value]
            yield "holds_slack_token", any_of(tokens, secrets)
        yield "data_classification", self._class_handled(relations)

    def _grants(self, secret: str, secrets: Fact) -> Fact | None:
        grants = self._stated(self.system.nodes[secret]).get("grants")
        if grants is None or not grants.size:
            return None
        return known(grants.value == "slack-api", [grants.said, secrets.said])

    def _starts(self, test: Any) -> Fact | None:
        """Whether any function has such a trigger."""
        complete = None
        for relations in self.relations.values():
            triggers = relations.get("triggers")
            if triggers is not None and any(test(trigger) for trigger in triggers.value):
                return known(value=True, said=[triggers.said])
        found = _completeness(self.relations, ("triggers",))
        if found.size and self.relations:
            said = [relations["triggers"].said for relations in self.relations.values()]
            complete = known(value=False, said=said)
        return complete

    def _class_held(self, element: str) -> Fact | None:
        holds = self.holds.get(element)
        if holds is None or not holds.size:
            return None
        if not holds.value:
            return known("public", [holds.said])
        classes = [known(self.system.data[item].classification, [holds.said]) for item in holds.value]
        return highest(classes)

    def _personal(self, element: str) -> Fact | None:
        holds = self.holds.get(element)
        if holds is None or not holds.size:
            return None
        return known(any(self.system.data[item].personal for item in holds.value), [holds.said])

    def _class_handled(self, relations: Mapping[str, Fact]) -> Fact | None:
        """The highest class among what starts a function and what it reads and writes."""
        classes: list[Fact | None] = []
        triggers = relations.get("triggers")
        if triggers is None or not triggers.size:
            classes.append(None)
        else:
            for trigger in triggers.value:
                if trigger.by == "slack":
                    classes.append(known(_SLACK_CLASS[trigger.detail], [triggers.said]))
                elif trigger.by in {"queue", "store"}:
                    classes.append(self._class_held(trigger.source.id))
        for name in ("reads", "writes"):
            relation = relations.get(name)
            if relation is None or not relation.size:
                classes.append(None)
            else:
                classes += [self._class_held(store) for store in relation.value]
        if not classes and triggers is not None:
            return known("public", [triggers.said])
        return highest(classes)

    # --- elements

    def _features(self) -> set[str]:
        """What the model has of the things that are drawn only where it has them."""
        has = (
            {"slack"}
            if self._any_trigger("slack") or self._calls_slack() or "workspace" in self.system.nodes
            else set()
        )
        for node in self.system.nodes.values():
            facts = self.facts[node.id]
            if node.kind == "api" and "waf_rate_rule" in facts and facts["waf_rate_rule"].value is True:
                has.add("waf")
            signing = facts.get("code_signing") if node.kind == "function" else None
            if signing is not None and signing.value in {"enforce", "warn"}:
                has.add("signer")
        return has | ({"no-signer"} if "signer" not in has else set())

    def _any_trigger(self, by: str) -> bool:
        return any(
            trigger.by == by
            for relations in self.relations.values()
            if "triggers" in relations
            for trigger in relations["triggers"].value
        )

    def _calls_slack(self) -> bool:
        return any("slack" in relations["calls"].value for relations in self.relations.values() if "calls" in relations)

    def _zones(self) -> dict[str, Zone]:
        own = {b.id: Zone(b.id, b.name, b.inside, "as the model says") for b in self.system.boundaries.values()}
        names = {plane: self.system.nodes[plane].name for plane in PLANES if plane in self.system.nodes}
        fixed = {z.id: z._replace(name=names[z.id]) if names.get(z.id, z.id) != z.id else z for z in ZONES}
        return {**fixed, **own}

    def _data(self) -> dict[str, Item]:
        own = {d.id: Item(d.id, d.name, d.classification, d.personal) for d in self.system.data.values()}
        return {**{item.id: item for item in DATA}, **own}

    def _elements(self) -> Iterator[Element]:
        nodes = self.system.nodes
        for node in nodes.values():
            if node.kind not in PLANES:
                yield self._element(node)
        for node in self.functions:
            yield from self._surroundings(node)
        for plane in PLANES:
            yield self._plane(plane, nodes.get(plane))
        for party in PARTIES:
            if not party.when or party.when in self.has:
                yield Element(
                    id=party.id,
                    kind="",
                    symbol=party.symbol,
                    name=party.name,
                    subtitle=party.subtitle,
                    zone=party.zone,
                    view=party.view,
                    facts={},
                    place=None,
                )
        for external in self.system.externals.values():
            yield Element(
                id=external.id,
                kind="",
                symbol="external",
                name=external.name,
                subtitle="external system",
                zone=external.boundary,
                view="runtime",
                facts={},
                place=external.place,
            )

    def _element(self, node: Node) -> Element:
        facts = self.facts[node.id]
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

    def _surroundings(self, node: Node) -> Iterator[Element]:
        """What every function has: its logs, its configuration, the memory and /tmp of its environment."""
        function = self.facts[node.id]
        zone = node.boundary or _usual_zone("function", function)
        for suffix, name, subtitle, where, view in (
            ("logs", "logs", "CloudWatch", "account", "runtime"),
            ("configuration", "configuration", "code, environment, layers", "control-plane", "deployment"),
            ("environment", "memory and /tmp", "role credentials", zone, "identity"),
        ):
            yield Element(
                id=f"{node.id}.{suffix}",
                kind="",
                symbol="store",
                name=f"{node.name} {name}",
                subtitle=subtitle,
                zone=where,
                view=view,
                facts={},
                place=node.place,
                out_of_scope=node.out_of_scope,
            )

    def _plane(self, plane: str, node: Node | None) -> Element:
        symbol, zone, name, subtitle = "boundary", plane, _title(plane, self.zones), ""
        if plane == "pipeline":
            symbol, zone, subtitle = PIPELINE.symbol, PIPELINE.zone, PIPELINE.subtitle
            name = node.name if node is not None and node.name != plane else PIPELINE.name
        return Element(
            id=plane,
            kind=plane,
            symbol=symbol,
            name=name,
            subtitle=subtitle,
            zone=zone,
            view={"pipeline": "deployment", "workspace": "runtime", "account": "runtime"}.get(plane, "identity"),
            facts=self.facts.get(plane, {}),
            place=node.place if node is not None else Place(self.system.file),
            described=node is not None,
            node=node,
        )

    # --- flows

    def _flows(self) -> Iterator[Flow]:
        first, *rest = WIRES
        yield from self._wires([first])
        for node in self.functions:
            yield from self._flows_in(node)
        yield from self._apis()
        for node in self.functions:
            yield from self._flows_out(node)
        yield from self._keys()
        yield from self._wires(rest)
        for node in self.functions:
            yield from self._planes_of(node)
        yield from self._hostile()

    def _flow(self, wire: Wire, place: Place | None, size: int, classified: Fact | None) -> Flow:
        flow = f"{wire.source}:{wire.target}:{wire.verb}"
        key = (wire.transport, wire.port, wire.encrypted, size, id(classified), self._leaves(wire.source, wire.target))
        facts = self.shared.get(key)
        if facts is None:
            facts = self.shared[key] = self._flow_facts(wire, size, classified)
        if flow in self.system.flows:
            facts = {**facts, **{name: stated(s) for name, s in self.system.flows[flow][1].items()}}
        if flow in self.evidence:
            said = self.evidence[flow]
            facts = {**facts, **{n: weigh([*([facts[n].said] if n in facts else []), *s]) for n, s in said.items()}}
        grey = self.elements[wire.source].out_of_scope or self.elements[wire.target].out_of_scope
        return Flow(
            id=flow,
            source=wire.source,
            target=wire.target,
            label=wire.label,
            carries=wire.carries,
            view=wire.view,
            caller=wire.caller,
            facts=facts,
            place=place,
            size=size,
            out_of_scope=grey,
        )

    def _leaves(self, source: str, target: str) -> bool:
        return self.inside_aws[source] and self.outside_aws[target]

    def _flow_facts(self, wire: Wire, size: int, classified: Fact | None) -> Facts:
        source = "wiring"
        facts: dict[str, Fact] = {}
        if wire.transport:
            said: tuple[tuple[str, Any], ...] = (
                ("transport", wire.transport),
                ("tcp_port", wire.port),
                ("encrypted", wire.encrypted),
            )
            facts = {name: stated(Statement(value, source, None)) for name, value in said}
        leaves = self._leaves(wire.source, wire.target)
        facts["leaves_aws"] = Fact(leaves, size, Statement(leaves, source, None))
        if classified is not None:
            facts["data_classification"] = classified
        return facts

    def _wires(self, wires: Sequence[Wire]) -> Iterator[Flow]:
        for wire in wires:
            present = wire.source in self.elements and wire.target in self.elements
            if present and (not wire.when or wire.when in self.has):
                yield self._flow(wire, None, WORD, self._fixed_class(wire.carries))

    def _fixed_class(self, carries: tuple[str, ...]) -> Fact | None:
        """The class of data of the landscape; shared, so that flows that carry the same share their facts."""
        key = ("class", carries)
        if key not in self.shared:
            self.shared[key] = {"": highest([self.fixed[item] for item in carries])}  # type: ignore[dict-item]
        return self.shared[key][""]

    def _held(self, element: str) -> tuple[tuple[str, ...], Fact | None]:
        """What flows to or from a store or queue: its data, and their class."""
        holds = self.holds[element]
        carries = holds.value if holds is not None and holds.size and holds.value else ("app:records",)
        return carries, self.facts[element].get("data_classification")

    def _flows_in(self, node: Node) -> Iterator[Flow]:
        """What starts a function, on its way to it and back."""
        triggers = self.relations[node.id].get("triggers")
        if triggers is None:
            return
        for trigger in _distinct(triggers.value):
            yield from self._trigger(node, trigger, triggers.size)

    def _trigger(self, node: Node, trigger: Trigger, size: int) -> Iterator[Flow]:
        source = trigger.source.id if trigger.source is not None else ""
        place = trigger.place
        if trigger.by in {"slack", "http"}:
            carries = _SLACK_DATA[trigger.detail] if trigger.by == "slack" else ("http:request",)
            classified = self._fixed_class(carries)
            if trigger.by == "slack":
                label = {"events": "event"}.get(trigger.detail, trigger.detail.replace("-", " "))
                verb = trigger.detail
                wire = Wire("slack", source, verb, f"signed {label}", carries, "runtime", "HMAC v0 signature")
                yield from self._once(wire, place, size, classified)
            yield from self._through_waf(source, place, size)
            invoke = Wire(source, node.id, "invoke", "invoke", carries, "runtime", "service principal, source ARN")
            yield from self._once(invoke, place, size, classified)
            answer = Wire(node.id, source, "answer", "answer", ("http:request",), "runtime", "")
            yield from self._once(answer, place, size, self._fixed_class(("http:request",)))
            if trigger.by == "slack":
                back = Wire(source, "slack", "answer", "acknowledge within 3 s", ("http:request",), "runtime", "")
                yield from self._once(back, place, size, self._fixed_class(("http:request",)))
        elif trigger.by in {"queue", "store"}:
            carries, held = self._held(source)
            verb, label = ("poll", "poll") if trigger.by == "queue" else ("change", "changes")
            wire = Wire(source, node.id, verb, label, carries, "runtime", "event source mapping, role")
            yield from self._once(wire, place, size, held)

    def _through_waf(self, api: str, place: Place, size: int) -> Iterator[Flow]:
        fact = self.facts[api].get("waf_rate_rule")
        if fact is not None and fact.value is True:
            wire = Wire("waf", api, "filter", "let through", ("http:request",), "runtime", "")
            yield from self._once(wire, place, size, self._fixed_class(("http:request",)))

    def _once(self, wire: Wire, place: Place | None, size: int, classified: Fact | None) -> Iterator[Flow]:
        if f"{wire.source}:{wire.target}:{wire.verb}" not in self.flows:
            yield self._flow(wire, place, size, classified)

    def _apis(self) -> Iterator[Flow]:
        """Anyone reaches an api: through its WAF where it has one."""
        carries = ("http:request",)
        for node in self.system.nodes.values():
            if node.kind == "api":
                fact = self.facts[node.id].get("waf_rate_rule")
                door = "waf" if fact is not None and fact.value is True else node.id
                wire = Wire("internet", door, "request", "any request", carries, "runtime", "none")
                yield from self._once(wire, node.place, WORD, self._fixed_class(carries))

    def _flows_out(self, node: Node) -> Iterator[Flow]:
        """What a function uses: stores, queues, secrets, external systems, its logs."""
        relations = self.relations[node.id]
        for name, verb, label in (("reads", "read", "read"), ("writes", "write", "write"), ("sends", "send", "send")):
            if name in relations:
                for other in relations[name].value:
                    carries, held = self._held(other)
                    wire = Wire(node.id, other, verb, label, carries, "runtime", "role, SigV4")
                    yield self._flow(wire, relations[name].said.place, relations[name].size, held)
        if "secrets" in relations:
            for secret in relations["secrets"].value:
                carries = self._secret_data(secret)
                wire = Wire(node.id, secret, "read", "get secret", carries, "runtime", "role, SigV4")
                place, size = relations["secrets"].said.place, relations["secrets"].size
                yield self._flow(wire, place, size, self._fixed_class(carries))
        if "calls" in relations:
            for external in relations["calls"].value:
                yield self._call(node, external, relations["calls"])
        logs = Wire(node.id, f"{node.id}.logs", "log", "log", ("aws:logs",), "runtime", "role, SigV4")
        yield self._flow(logs, node.place, WORD, self._fixed_class(("aws:logs",)))

    def _secret_data(self, secret: str) -> tuple[str, ...]:
        grants = self.facts[secret].get("grants")
        return ("slack:signing-secret",) if grants is None or grants.value != "slack-api" else ("slack:token",)

    def _call(self, node: Node, external: str, calls: Fact) -> Flow:
        """A call to a system outside; only of Slack is it known how."""
        if external == "slack":
            carries = ("slack:token", "app:records", "slack:response-url")
            wire = Wire(node.id, "slack", "call", "Web API, response_url", carries, "runtime", "bearer token")
            return self._flow(wire, calls.said.place, calls.size, self._fixed_class(carries))
        wire = Wire(node.id, external, "call", "call", ("app:records",), "runtime", "", transport="", port=None)
        return self._flow(wire, calls.said.place, calls.size, self.facts[node.id].get("data_classification"))

    def _keys(self) -> Iterator[Flow]:
        """Stores and secrets have their data keys from KMS."""
        for node in self.system.nodes.values():
            if node.kind in {"store", "queue", "secret"}:
                wire = Wire(
                    node.id, "kms", "data-key", "data key", ("aws:role-session",), "identity", "service, for a role"
                )
                yield self._flow(wire, node.place, WORD, self._fixed_class(wire.carries))

    def _planes_of(self, node: Node) -> Iterator[Flow]:
        """What every function has to do with the identity and deployment planes."""
        environment, configuration = f"{node.id}.environment", f"{node.id}.configuration"
        session = ("aws:role-session",)
        package = ("build:package",)
        wires = (
            Wire("iam", node.id, "session", "role session", session, "identity", "lambda.amazonaws.com"),
            Wire(
                *(node.id, environment, "use", "keep in memory", session, "identity", ""),
                transport="in-process",
                port=None,
                encrypted=False,
            ),
            Wire(configuration, "kms", "data-key", "data key", session, "identity", "service, for a role"),
            Wire(
                "lambda-service",
                configuration,
                "configure",
                "store code and settings",
                package,
                "deployment",
                "service",
            ),
            Wire(configuration, node.id, "initialise", "initialise environment", package, "deployment", "service"),
            Wire(node.id, "detection", "audit", "audit events", ("aws:audit",), "identity", "service"),
        )
        for wire in wires:
            yield self._flow(wire, node.place, WORD, self._fixed_class(wire.carries))

    def _hostile(self) -> Iterator[Flow]:
        """What somebody with a stolen credential, or with none, tries beside the front door."""
        stolen = ("aws:access-key", "aws:role-session")
        for node in self.system.nodes.values():
            if node.kind == "function":
                wire = Wire(
                    "internet", node.id, "invoke", "direct invocation", ("http:request",), "identity", "none or SigV4"
                )
                yield from self._once(wire, node.place, WORD, self._fixed_class(wire.carries))
            elif node.kind == "api":
                wire = Wire(
                    node.id, "detection", "audit", "access log, audit events", ("aws:audit",), "identity", "service"
                )
                yield from self._once(wire, node.place, WORD, self._fixed_class(wire.carries))
            elif node.kind in {"store", "queue", "secret"}:
                wire = Wire(
                    "internet", node.id, "stolen-credentials", "stolen credentials", stolen, "identity", "SigV4, valid"
                )
                yield from self._once(wire, node.place, WORD, self._fixed_class(stolen))

    def _check_stated_flows(self) -> None:
        problems = []
        for flow, (place, _) in self.system.flows.items():
            if flow not in self.flows:
                hint = suggestion(flow, self.flows) or "run --json to see the ids of all flows"
                message = f"there is no flow '{flow}'"
                problems.append(Problem(code="unknown-reference", place=place, message=message, hint=hint))
        if problems:
            raise InputError(problems)


_SLACK_CLASS = {"slash-command": "internal", "interactivity": "internal", "events": "confidential"}
_SIGNED = ("slack:signature", "slack:verification-token", "slack:response-url")
_SLACK_DATA = {
    "slash-command": ("slack:command", *_SIGNED),
    "interactivity": ("slack:command", *_SIGNED),
    "events": ("slack:event", "slack:signature", "slack:verification-token"),
}


def _weigh_relation(statements: Sequence[Statement]) -> Fact:
    """A relation weighed by the ids that it names; the order of a list and where its items stand do not matter."""
    first = statements[0]
    if len(statements) == 1:
        return Fact(first.value, first.size, first)
    weighed = weigh([s._replace(value=_comparable(s.value)) for s in statements])
    winner = next(s for s in statements if (s.source, s.place) == (weighed.said.source, weighed.said.place))
    return Fact(winner.value, weighed.size, winner, weighed.against)


def _comparable(value: Sequence[Any]) -> tuple[str, ...]:
    return tuple(sorted(_name_of(item) for item in value))


def _name_of(item: Any) -> str:
    if isinstance(item, Trigger):
        return f"{item.by} {item.detail} {item.source.id if item.source else ''}"
    return str(item)


def _distinct(triggers: Sequence[Trigger]) -> Iterator[Trigger]:
    seen = set()
    for trigger in triggers:
        if (name := _name_of(trigger)) not in seen:
            seen.add(name)
            yield trigger


def _comes_from(trigger: Trigger, element: str) -> bool:
    return trigger.source is not None and trigger.source.id == element


def _usual_zone(kind: str, facts: Facts) -> str:
    if kind == "function":
        vpc = facts.get("in_vpc")
        return "vpc" if vpc is not None and vpc.value is True else "execution"
    return "edge" if kind == "api" else "account"


def _subtitle(kind: str, facts: Facts) -> str:
    """What stands under an element's name: its service, then what matters most about it."""
    parts = [_SUBTITLES[kind]]
    for name in ("kind", "kept_in", "runtime", "data_classification"):
        fact = facts.get(name)
        if (
            fact is not None
            and fact.size
            and fact.value is not None
            and (name, kind) != ("data_classification", "function")
        ):
            parts.append(_WORDS.get(fact.value, fact.value))
    found = [part for part in parts if part]
    return " · ".join(found) or kind


def _title(plane: str, zones: Mapping[str, Zone]) -> str:
    return zones[plane].name if plane in zones else plane


def _root(zone: str, zones: Mapping[str, Zone]) -> str:
    while zones[zone].inside:
        zone = zones[zone].inside
    return zone


def _used_zones(leaves: Iterator[str], zones: Mapping[str, Zone]) -> set[str]:
    used: set[str] = set()
    for leaf in set(leaves):
        zone = leaf
        while zone and zone not in used:
            used.add(zone)
            zone = zones[zone].inside
    return used
