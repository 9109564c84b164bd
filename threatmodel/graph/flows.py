"""The flows of a system: those that every such system has, and those that follow from what its functions do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from threatmodel.graph.elements import Element, Flow
from threatmodel.graph.given import highest
from threatmodel.graph.members import Member, distinct
from threatmodel.graph.resolved import Resolved
from threatmodel.model.facts import STATED, Fact, Facts, Origin, Statement, stated, weigh
from threatmodel.model.reference_architecture import CLOCK, DATA, WIRES, Wire
from threatmodel.model.system import REQUESTS, THROUGH, Node, Trigger
from threatmodel.model.vocabulary import RELATIONS, RelationRow
from threatmodel.reading.problems import InputError, Place, Problem, suggestion
from threatmodel.reading.values import replace

_SIGNED = ("slack:signature", "slack:verification-token", "slack:response-url")
_SLACK_DATA = {
    "slash-command": ("slack:command", *_SIGNED),
    "interactivity": ("slack:command", *_SIGNED),
    "events": ("slack:event", "slack:signature", "slack:verification-token"),
}
_REQUEST = ("http:request",)
_ANSWER = ("http:answer",)
_SESSION = ("aws:role-session",)
_DATA_KEY = ("aws:data-key",)
_USES = sorted((row for row in RELATIONS["function"].values() if row.verb), key=lambda row: "secret" not in row.to)
"""What a function uses, in order of drawing: first the secrets that it needs for the rest."""
_BY_AWS: Mapping[str, tuple[str, str, tuple[str, ...], str]] = {
    "authorizes": ("authorise", "who may call", _REQUEST, "service principal, source ARN"),
    "service": ("start", "start", ("aws:event",), "service principal or role"),
    "schedule": ("start", "", ("aws:event",), "service principal or role"),
}
"""What starts a function inside AWS: the flow's verb, its label ('' for when), what it carries, who calls."""
_STOLEN = ("aws:access-key", "aws:role-session")


class Flows:
    """Makes the flows among elements.

    `roots` gives the outermost zone of each zone, `has` the features that the system has.
    """

    def __init__(
        self, resolved: Resolved, elements: Mapping[str, Element], roots: Mapping[str, str], has: frozenset[str]
    ) -> None:
        self.resolved = resolved
        self.system = resolved.system
        self.evidence = resolved.evidence
        self.lists = resolved.lists
        self.facts = resolved.facts
        self.functions = [node for node in self.system.nodes.values() if node.kind == "function"]
        self.elements = elements
        self.has = has
        self.inside_aws = {e.id: roots[e.zone] == "account" for e in elements.values()}
        self.outside_aws = {e.id: roots[e.zone] not in {"account", "security"} for e in elements.values()}
        self.flows: dict[str, Flow] = {}
        self._fixed = {item.id: stated(Statement(item.classification, "wiring", None)) for item in DATA}
        self._classes: dict[tuple[str, ...], Fact | None] = {}
        self._shared: dict[tuple[Any, ...], Facts] = {}

    def made(self) -> Mapping[str, Flow]:
        """All flows by id.  Raises InputError where the model states facts of a flow that does not exist."""
        for flow in self._flows():
            self.flows[flow.id] = flow
        self._check_stated_flows()
        return self.flows

    def _flows(self) -> Iterator[Flow]:
        """In the order in which a reader follows a request: in, what the function does, and back."""
        first, *rest = WIRES
        yield from self._wires([first])
        for node in self.functions:
            yield from self._flows_in(node)
            yield from self._flows_out(node)
            yield from self._flows_back(node)
        for node in self.system.nodes.values():
            if node.kind == "api":
                yield from self._entry_point(node.id)
            yield from self._flows_on(node)
        for external in self.system.externals:
            yield from self._flows_of_service(external)
        yield from self._keys()
        yield from self._wires(rest)
        for node in self.functions:
            yield from self._planes_of(node)
        yield from self._hostile()

    def _flow(self, wire: Wire, place: Place | None, size: int, classified: Fact | None) -> Flow:
        flow = f"{wire.source}:{wire.target}:{wire.verb}"
        key = (wire.transport, wire.port, wire.encrypted, size, id(classified), self._leaves(wire.source, wire.target))
        facts = self._shared.get(key)
        if facts is None:
            facts = self._shared[key] = self._flow_facts(wire, size, classified)
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
        source: Origin = "wiring"
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
                yield self._flow(wire, None, STATED, self._fixed_class(wire.carries))

    def _fixed_class(self, carries: tuple[str, ...]) -> Fact | None:
        """The class of data that every such system has; one value each, so that flows alike share their facts."""
        if carries not in self._classes:
            self._classes[carries] = highest([self._fixed[item] for item in carries])
        return self._classes[carries]

    def _held(self, element: str) -> tuple[tuple[str, ...], Fact | None]:
        """What flows to or from a store or queue: its data, and their class."""
        holds = self.lists[element].get("holds")
        carries = holds.items if holds is not None and holds.items else ("app:records",)
        return carries, self.facts[element].get("data_classification")

    def _triggers(self, node: Node) -> Iterator[Member]:
        members = self.lists[node.id].get("triggers")
        yield from distinct(members.known) if members is not None else ()

    def _flows_in(self, node: Node) -> Iterator[Flow]:
        """What starts a function, on its way to it."""
        for trigger, fact in self._triggers(node):
            source = trigger.source.id if trigger.source is not None else ""
            if trigger.by in REQUESTS:
                yield from self._request(node, trigger, source, fact.size)
            elif trigger.by in _BY_AWS:
                verb, label, carries, caller = _BY_AWS[trigger.by]
                party = source or CLOCK
                wire = Wire(party, node.id, verb, label or trigger.detail, carries, "runtime", caller)
                yield from self._once(wire, trigger.place, fact.size, self._fixed_class(carries))
            elif source:
                carries, held = self._held(source)
                verb, label = ("poll", self._delivery(source)) if trigger.by == "queue" else ("change", "changes")
                wire = Wire(source, node.id, verb, label, carries, "runtime", "event source mapping, role")
                yield from self._once(wire, trigger.place, fact.size, held)

    def _delivery(self, queue: str) -> str:
        """How messages reach a function: SNS and EventBridge push them, the others are polled."""
        kind = self.facts[queue].get("kind")
        return "deliver" if kind is not None and kind.value in {"sns", "eventbridge"} else "poll"

    def _request(self, node: Node, trigger: Trigger, api: str, size: int) -> Iterator[Flow]:
        """A request through an api: Slack's own, or anyone's."""
        carries = _SLACK_DATA[trigger.detail] if trigger.by == "slack" else _REQUEST
        classified = self._fixed_class(carries)
        if trigger.by == "slack":
            label = {"events": "event"}.get(trigger.detail, trigger.detail.replace("-", " "))
            wire = Wire("slack", api, trigger.detail, f"signed {label}", carries, "runtime", "HMAC v0 signature")
            yield from self._once(wire, trigger.place, size, classified)
        yield from self._entry_point(api)
        invoke = Wire(api, node.id, "invoke", "invoke", carries, "runtime", "service principal, source ARN")
        yield from self._once(invoke, trigger.place, size, classified)

    def _entry_point(self, api: str) -> Iterator[Flow]:
        """Anyone reaches an api: through its WAF where it has one."""
        said = self.facts[api].get("waf_rate_rule")
        fact = said.sure if said is not None else None  # one in doubt guards nothing
        guarded = fact is not None and fact.size > 0 and fact.value is True
        classified, place = self._fixed_class(_REQUEST), self.elements[api].place
        entry_point = "waf" if guarded else api
        yield from self._once(
            Wire("internet", entry_point, "request", "any request", _REQUEST, "runtime", "none"),
            place,
            STATED,
            classified,
        )
        if guarded:
            yield from self._once(
                Wire("waf", api, "filter", "forward", _REQUEST, "runtime", ""), place, STATED, classified
            )

    def _flows_back(self, node: Node) -> Iterator[Flow]:
        """The answer to a request."""
        for trigger, fact in self._triggers(node):
            if THROUGH[trigger.by] == "api" and trigger.source is not None:
                api, classified = trigger.source.id, self._fixed_class(_ANSWER)
                answer = Wire(node.id, api, "answer", "answer", _ANSWER, "runtime", "")
                yield from self._once(answer, trigger.place, fact.size, classified)
                if trigger.by == "slack":
                    back = Wire(api, "slack", "answer", "acknowledge within 3 s", _ANSWER, "runtime", "")
                    yield from self._once(back, trigger.place, fact.size, classified)

    def _once(self, wire: Wire, place: Place | None, size: int, classified: Fact | None) -> Iterator[Flow]:
        """A flow that may be found more than once: what is found last adds to what was found first."""
        flow = self._flow(wire, place, size, classified)
        first = self.flows.get(flow.id)
        yield flow if first is None else _joined(first, flow)

    def _flows_out(self, node: Node) -> Iterator[Flow]:
        """What a function uses: secrets, stores, queues, external systems, its logs."""
        lists = self.lists[node.id]
        for row in _USES:
            members = lists.get(row.name)
            for member in members.known if members is not None else ():
                yield self._use(node, row, member)
        logs = Wire(node.id, f"{node.id}.logs", "log", "log", ("aws:logs",), "runtime", "role, SigV4")
        yield self._flow(logs, node.place, STATED, self._fixed_class(("aws:logs",)))

    def _flows_on(self, node: Node) -> Iterator[Flow]:
        """What an element hands on by itself, with no function between: an api what it is sent."""
        members = self.lists.get(node.id, {}).get("passes_to")
        for other, fact in members.known if members is not None else ():
            carries, held = self._held(node.id)
            if node.kind == "api":
                carries, held = _REQUEST, self._fixed_class(_REQUEST)
            wire = Wire(node.id, other, "pass", "pass on", carries, "runtime", "service principal or role")
            yield self._flow(wire, fact.said.place, fact.size, held)

    def _flows_of_service(self, service: str) -> Iterator[Flow]:
        """What an external system does by itself with elements, as a state machine's tasks do."""
        lists = self.resolved.by_services[service]
        for row in _USES:
            members = lists.get(row.name)
            for other, fact in members.known if members is not None else ():
                carries, held = self._held(other) if other in self.lists else (("app:records",), None)
                carries = self._secret_data(other) if "secret" in row.to else carries
                wire = Wire(service, other, row.verb, row.verb, carries, "runtime", "role, SigV4")
                if "external system" in row.to and not self._is_service(other):
                    wire = wire._replace(caller="", transport="", port=None)
                yield self._flow(wire, fact.said.place, fact.size, held)

    def _is_service(self, external: str) -> bool:
        """Whether an external system is a service of AWS, of which it is known how it is called."""
        return external in self.system.externals and bool(self.system.externals[external].service)

    def _use(self, node: Node, row: RelationRow, member: Member) -> Flow:
        other, fact = member
        if row.verb == "invoke":
            return self._invoke(node, other, fact)
        if "external system" in row.to:
            return self._call(node, other, fact)
        if "secret" in row.to:
            carries, label = self._secret_data(other), "get secret"
            held = self._fixed_class(carries)
        else:
            (carries, held), label = self._held(other), row.verb
        wire = Wire(node.id, other, row.verb, label, carries, "runtime", "role, SigV4")
        return self._flow(wire, fact.said.place, fact.size, held)

    def _invoke(self, node: Node, called: str, fact: Fact) -> Flow:
        """A call of another function: with unverified input where requests from outside may have brought it."""
        unverified = self.facts.get(called, {}).get("called_by_unverified")
        handed = unverified is not None and unverified.size > 0 and unverified.value is True
        carries = ("app:records", *_REQUEST) if handed else ("app:records",)
        wire = Wire(node.id, called, "invoke", "invoke", carries, "runtime", "role, SigV4")
        return self._flow(wire, fact.said.place, fact.size, self.facts[node.id].get("data_classification"))

    def _secret_data(self, secret: str) -> tuple[str, ...]:
        """What is read from a secret, by what it grants."""
        grants = self.facts[secret].get("grants")
        known = grants.value if grants is not None and grants.size else ""
        return ({"slack-requests": "slack:signing-secret", "slack-api": "slack:token"}.get(known, "app:secret"),)

    def _call(self, node: Node, external: str, calls: Fact) -> Flow:
        """A call to a system outside; only of Slack is it known how."""
        if external == "slack":
            carries = ("slack:token", "app:records", "slack:response-url")
            wire = Wire(node.id, "slack", "call", "Web API, response_url", carries, "runtime", "bearer token")
            return self._flow(wire, calls.said.place, calls.size, self._fixed_class(carries))
        wire = Wire(node.id, external, "call", "call", ("app:records",), "runtime", "role, SigV4")
        if not self._is_service(external):
            wire = wire._replace(caller="", transport="", port=None)
        return self._flow(wire, calls.said.place, calls.size, self.facts[node.id].get("data_classification"))

    def _keys(self) -> Iterator[Flow]:
        """Stores and secrets have their data keys from KMS."""
        for node in self.system.nodes.values():
            if node.kind in {"store", "queue", "secret"}:
                wire = Wire(node.id, "kms", "data-key", "data key", _DATA_KEY, "identity", "service, for a role")
                yield self._flow(wire, node.place, STATED, self._fixed_class(wire.carries))

    def _planes_of(self, node: Node) -> Iterator[Flow]:
        """What every function has to do with the identity and deployment planes."""
        environment, configuration = f"{node.id}.environment", f"{node.id}.configuration"
        package = ("build:package",)
        memory = Wire(
            node.id, environment, "use", "keep in memory", _SESSION, "identity", "", "in-process", None, encrypted=False
        )
        wires = (
            Wire("iam", node.id, "session", "role session", _SESSION, "identity", "lambda.amazonaws.com"),
            memory,
            Wire(configuration, "kms", "data-key", "data key", _DATA_KEY, "identity", "service, for a role"),
            Wire(
                "lambda-service",
                configuration,
                "configure",
                "store code and settings",
                package,
                "deployment",
                "service",
            ),
            Wire(configuration, node.id, "initialise", "initialize environment", package, "deployment", "service"),
            Wire(node.id, "detection", "audit", "audit events", ("aws:audit",), "identity", "service"),
        )
        for wire in wires:
            yield self._flow(wire, node.place, STATED, self._fixed_class(wire.carries))

    def _hostile(self) -> Iterator[Flow]:
        """What an attacker with a stolen credential, or with none, tries beside the entry point."""
        for node in self.system.nodes.values():
            if node.kind == "function":
                wire = Wire("internet", node.id, "invoke", "direct invocation", _REQUEST, "identity", "none or SigV4")
                yield from self._once(wire, node.place, STATED, self._fixed_class(wire.carries))
            elif node.kind == "api":
                wire = Wire(
                    node.id, "detection", "audit", "access log, audit events", ("aws:audit",), "identity", "service"
                )
                yield from self._once(wire, node.place, STATED, self._fixed_class(wire.carries))
            elif node.kind in {"store", "queue", "secret"}:
                wire = Wire(
                    "internet", node.id, "stolen-credentials", "stolen credentials", _STOLEN, "identity", "SigV4, valid"
                )
                yield from self._once(wire, node.place, STATED, self._fixed_class(_STOLEN))

    def _check_stated_flows(self) -> None:
        problems = []
        for flow, (place, _) in self.system.flows.items():
            if flow not in self.flows:
                hint = suggestion(flow, self.flows) or "run --json to see the ids of all flows"
                message = f"there is no flow '{flow}'"
                problems.append(Problem(code="unknown-reference", place=place, message=message, hint=hint))
        if problems:
            raise InputError(problems)


def _joined(first: Flow, second: Flow) -> Flow:
    """One flow of two that are found of one id, the same whichever comes first."""
    if (first.carries, first.size, first.facts) == (second.carries, second.size, second.facts):
        return first
    facts = dict(first.facts if first.size >= second.size else second.facts)
    classes = [flow.facts.get("data_classification") for flow in (first, second)]
    if (top := highest(classes)) is not None:
        facts["data_classification"] = top
    else:
        facts.pop("data_classification", None)
    carries = tuple(sorted({*first.carries, *second.carries}))
    return replace(first, carries=carries, size=max(first.size, second.size), facts=facts)
