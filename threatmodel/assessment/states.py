"""The states of all controls on all elements of a system, each computed once."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from threatmodel.assessment.asks import Ask, Asks, list_asks
from threatmodel.assessment.control_state import STATES, Answer, ControlState, State, not_stated, said_by, support
from threatmodel.assessment.twins import Twins
from threatmodel.graph.building import Element, Flow, Graph, Related
from threatmodel.library.condition import Condition
from threatmodel.library.entries import Control, ControlLink, Library, Threat
from threatmodel.model.facts import EVIDENCE, STATED, Facts, stated_only
from threatmodel.model.system import ControlStatement
from threatmodel.model.vocabulary import FACTS, PLANES
from threatmodel.reading.values import replace

_RANK = {state: rank for rank, state in enumerate(STATES)}
Assumed = Mapping[tuple[str, str], bool]
"""Controls at elements that are taken to be in place (True) or gone, whatever is known of them."""


class _Same(NamedTuple):
    """States that are as another run computed them, but for those of controls that require others which may differ."""

    states: Mapping[tuple[str, str], State]
    but: frozenset[str]


class States:
    """The states of all controls of a library on a graph, as of a day; each is worked out once."""

    def __init__(
        self, graph: Graph, library: Library, today: datetime.date, assumed: Assumed = MappingProxyType({})
    ) -> None:
        self.graph = graph
        self.assumed = assumed
        self.library = library
        self.today = today
        self.statements: dict[tuple[str, str], ControlStatement] = {
            (s.control, s.element or library.controls[s.control].scope): s
            for s in graph.system.controls
            if s.control in library.controls  # not where a team's library switches it off
        }
        self._at: dict[tuple[str, str], State] = {}
        self._counting: dict[tuple[str, str], State] = {}
        self._answers: dict[tuple[str, str], tuple[Answer, ...]] = {}
        self._same = _Same({}, frozenset())
        self.twins = Twins(graph, library, _named(graph, assumed))
        self._asks = Asks(graph)
        self._gaps: dict[int, tuple[object, tuple[Ask, ...]]] = {}
        self._attested = {control.id: _attested(control) for control in library.controls.values()}

    def assuming(self, assumed: Assumed) -> tuple[States, frozenset[str]]:
        """The same as if controls were in place, or gone; and the controls whose states may differ for it."""
        touched = {control for control, _ in assumed}
        while more := {c.id for c in self.library.controls.values() if touched & set(c.requires)} - touched:
            touched |= more
        found = object.__new__(States)
        found.__dict__.update(self.__dict__)  # what does not depend on states is shared
        found.assumed = {**self.assumed, **assumed}
        found._at, found._counting, found._answers = {}, {}, {}
        controls = self.library.controls
        found._same = _Same(self._at, frozenset(one for one in touched if touched & set(controls[one].requires)))
        return found, frozenset(touched)

    def answers(self, threat: Threat, target: Element | Flow) -> tuple[Answer, ...]:
        """The controls that answer a threat, each with its state as it counts for a target."""
        found = self._answers.get((threat.id, target.id))
        if found is None:
            found = self._answers[threat.id, target.id] = tuple([self.answer(link, target) for link in threat.links])
        return found

    def answer(self, link: ControlLink, target: Element | Flow) -> Answer:
        """The control of a link, and its state for a target: no better known than that the control has this effect."""
        state = self.counting(self.library.controls[link.control], target)
        condition = link.conditions.get(target.kind)
        if condition is None:
            return Answer(link, state)
        holds, basis = condition.truth(target.facts), (condition, target.facts)
        if holds < 0:
            words = f"it has no effect on this: {said_by(support(*basis))}"
            state = replace(
                state, state="not-applicable", level=-1, words=words, basis=basis, asks=(), size=-holds, unwanted=False
            )
        elif holds == 0 and state.level >= 0:
            words = f"it is not known whether it has this effect; {not_stated(*basis)}"
            asks = (*state.asks, *self.asks(target, condition))
            state = replace(state, state="unknown", level=0, words=words, basis=basis, asks=asks)
        elif state.level > holds > 0:
            words = f"{state.reason}; that it has this effect is only claimed"
            state = replace(state, state="claimed", level=holds, words=words)
        return Answer(link, state, holds)

    def counting(self, control: Control, target: Element | Flow) -> State:
        """The state of a control as it counts for a target: the worst over the related elements of its scope."""
        scope = control.scope
        if scope == target.kind:
            return self.at(control, target.id)
        if scope in PLANES:
            return self.at(control, scope)
        found = self._counting.get((control.id, target.id))
        if found is None:
            found = self._counting[control.id, target.id] = self._of_neighbors(control, target)
        return found

    def _of_neighbors(self, control: Control, target: Element | Flow) -> State:
        """The worst state over the related elements of a control's scope."""
        scope = control.scope
        related = self.graph.related(target, scope)
        states = [self.at(control, element) for element in related.ids]
        applicable = [state for state in states if state.state != "not-applicable"]
        left_out = [state for state in states if state.state == "not-applicable"]
        if not applicable:
            return self._none(control, target, left_out, related)
        worst = _worst(applicable)
        return self._capped(worst, target.id, scope, related, left_out)

    def _none(self, control: Control, target: Element | Flow, left_out: list[State], related: Related) -> State:
        """No related element to which the control applies."""
        if not related.size:
            words = f"it is not known which {_plural(control.scope)} {target.id} has"
            return State(control.id, target.id, "unknown", 0, words, asks=self._relation_asks(related))
        if left_out:
            first = min(left_out, key=lambda state: state.element)
            size = min(related.size, *(state.size for state in left_out), EVIDENCE)
            return first if size == first.size else replace(first, size=size)
        words = f"{target.id} has no {control.scope}"
        return State(control.id, target.id, "not-applicable", -1, words, size=related.size)

    def _capped(self, state: State, target: str, scope: str, related: Related, left_out: list[State]) -> State:
        """A neighbor's state, no better known than it is known which neighbors there are, and which of them count."""
        if state.level > 0 and not related.size:
            words = f"it is not known whether {target} has other {_plural(scope)}"
            return replace(state, state="unknown", level=0, words=words, asks=self._relation_asks(related))
        if state.level == EVIDENCE:
            name = "claimed" if state.state == "proven" else state.state
            if related.size == STATED:
                words = f"{state.state} on {state.element}; only the model says which {_plural(scope)} {target} has"
                return replace(state, state=name, level=STATED, words=words)
            if claimed := [other.element for other in left_out if other.size == STATED]:
                words = f"{state.state} on {state.element}; that it is not applicable to {claimed[0]} is only claimed"
                return replace(state, state=name, level=STATED, words=words)
        return state

    def _relation_asks(self, related: Related) -> tuple[Ask, ...]:
        """What to ask about a relation; one value for all that share the same gap."""
        found = self._gaps.get(id(related.unknown))
        if found is None:
            every = (list_asks(self.graph, kind, name, element) for kind, name, element in related.unknown)
            asks = tuple(ask for asks in every for ask in asks)
            found = self._gaps[id(related.unknown)] = (related.unknown, asks)
        return found[1]

    def at(self, control: Control, element: str) -> State:
        """The state of a control on an element of its scope."""
        key = (control.id, element)
        found = self._at.get(key)
        if found is None:
            in_place = self.assumed.get(key)
            if in_place is not None:
                found = _assumed(control, element, in_place=in_place)
            elif control.id in self._same.but or (found := self._same.states.get(key)) is None:
                found = self._meant(control, self._with_requirements(control, element, self._own(control, element)))
            self._at[key] = found
        return found

    def known(self) -> Iterator[State]:
        """Every state that anything rests on, possible findings and requirements included."""
        yield from self._at.values()

    def _target(self, element: str) -> Element | Flow:
        return self.graph.elements.get(element) or self.graph.flows[element]

    def _own(self, control: Control, element: str) -> State:
        """The state by the control's own conditions and statements, before what it requires."""
        target = self._target(element)
        attested = self._attested[control.id]
        if target.out_of_scope and element in PLANES:
            return State(control.id, element, "not-applicable", -1, f"out of scope: {target.out_of_scope}", size=STATED)
        if not target.described and (not target.facts or control.in_place is None):
            return self._said(control, _undescribed(control, element), attested)
        facts = target.facts
        in_place, needs = self._truth(control, target)
        if needs and needs[0][0] < 0:
            truth, at = needs[0]
            need = control.needs[at]
            basis = (need.condition, facts)
            return State(control.id, element, "not-applicable", -1, need.reason, basis, size=-truth)
        if in_place >= 0 and (unsure := [at for truth, at in needs if not truth]):
            return self._said(control, self._undecided(control, target, control.needs[unsure[0]].condition), attested)
        return (
            self._by_person(control, element) if control.in_place is None else self._by_facts(control, target, in_place)
        )

    def _truth(self, control: Control, target: Element | Flow) -> tuple[int, tuple[tuple[int, int], ...]]:
        """How true the control's condition is, and each of its needs with its place, the least true first."""
        needs = sorted((need.condition.truth(target.facts), at) for at, need in enumerate(control.needs))
        return control.in_place.truth(target.facts) if control.in_place is not None else 0, tuple(needs)

    def _undecided(self, control: Control, target: Element | Flow, condition: Condition) -> State:
        if not target.described:
            return _undescribed(control, target.id)
        asks = tuple(self.asks(target, condition))
        return State(control.id, target.id, "unknown", 0, "", (condition, target.facts), asks)

    def _by_person(self, control: Control, element: str) -> State:
        """Only a person can attest it: attested, lapsed, planned or unknown."""
        ask = Ask("attest", control.scope, control.id, element)
        state = State(control.id, element, "unknown", 0, "not attested", asks=(ask,))
        return self._said(control, state, EVIDENCE)

    def _by_facts(self, control: Control, target: Element | Flow, truth: int) -> State:
        """By facts, raised by a person's statement."""
        condition = control.in_place
        if condition is None:
            raise AssertionError(control.id)
        basis = (condition, target.facts)
        if truth < 0:
            return self._denied(State(control.id, target.id, "absent", -1, "", basis), *basis)
        if truth == 0:
            return self._said(control, self._undecided(control, target, condition), self._attested[control.id])
        name: ControlState = "proven" if truth == EVIDENCE else "claimed"
        state = State(control.id, target.id, name, truth, "", basis)
        return self._said(control, state, self._attested[control.id])

    def _denied(self, state: State, condition: Condition, facts: Facts) -> State:
        """Facts say no: contradicted where word says yes and evidence no; a plan shows all the same."""
        statement = self.statements.get((state.control, state.element))
        attested = statement is not None and bool(statement.attested_by)
        evidence = condition.truth(facts) == -EVIDENCE
        drifted = any(fact.against for fact in facts.values())
        if evidence and (attested or (drifted and condition.truth(stated_only(facts)) > 0)):
            who = f"{statement.attested_by} attests it" if attested and statement else "the model claims it"
            return replace(state, state="contradicted", words=f"{who}, but {state.reason}")
        return self._planned(state, statement)

    def _said(self, control: Control, state: State, level: int) -> State:
        """An unknown or claimed state under an attestation or a plan; `level` is what an attestation counts for."""
        statement = self.statements.get((control.id, state.element))
        if statement is None or state.state == "proven":
            return state
        if statement.attested_by:
            if statement.on is None or statement.expires is None or statement.on > self.today:
                return replace(state, words=f"{state.reason}; {statement.attested_by} attests it from {statement.on}")
            until = self.graph.system.longest_terms.attested_until(statement.on, statement.expires)
            if until >= self.today:
                reason = f"{statement.attested_by}, {statement.on}, until {until}"
                return replace(state, state="attested", level=level, words=reason, asks=())
            if state.state == "unknown":
                reason = f"{statement.attested_by} attested it until {until}"
                ask = Ask("attest", control.scope, control.id, state.element)
                return replace(state, state="lapsed", words=reason, asks=(ask,))
            return state
        return self._planned(state, statement) if state.state == "unknown" else state

    def _planned(self, state: State, statement: ControlStatement | None) -> State:
        if statement is None or statement.planned_for is None:
            return state
        if statement.planned_for < self.today:
            reason = f"{state.reason}; it was planned for {statement.planned_for}"
            return replace(state, words=reason.removeprefix("; "))
        return replace(state, state="planned", level=-1, words=f"planned for {statement.planned_for}", asks=())

    def _with_requirements(self, control: Control, element: str, state: State) -> State:
        """A control that rests on others is no better than they are."""
        if state.state in {"not-applicable", "absent", "contradicted", "planned"}:
            return state
        for name in control.requires:
            required = self.counting(self.library.controls[name], self._target(element))
            if required.state == "not-applicable" and state.level > required.size:
                reason = f"it requires {name}, which is only claimed to be not applicable"
                state = replace(state, state="claimed", level=STATED, words=reason)
            if required.state == "not-applicable" or required.level >= state.level > 0:
                continue
            if required.level < 0 and not (undecided := self._undecided_need(name, element)):
                reason = f"it requires {name}, which is {required.state}"
                return replace(state, state="ineffective", level=-1, words=reason, asks=(), lacks=required)
            if required.level <= 0:
                asks = (*state.asks, *(required.asks if required.level == 0 else undecided))
                reason = f"it requires {name}, which is {required.state}" if state.level > 0 else state.reason
                state = replace(state, state="unknown", level=0, words=reason, asks=asks)
            elif state.level > required.level:
                reason = f"it requires {name}, which is only {required.state}"
                state = replace(state, state="claimed", level=required.level, words=reason)
        return state

    def _undecided_need(self, control: str, element: str) -> tuple[Ask, ...]:
        """What decides whether a required control of the same scope is needed at all, where that is not known."""
        needs, target = self.library.controls[control].needs, self._target(element)
        if self.library.controls[control].scope != target.kind:
            return ()
        open_ = [need.condition for need in needs if need.condition.truth(target.facts) == 0]
        return tuple(ask for condition in open_ for ask in self.asks(target, condition))

    def _meant(self, control: Control, state: State) -> State:
        """The state of what restricts access, where the model states that the element is meant to be public."""
        node = self._target(state.element).node if control.keeps_out else None
        if node is None or node.public != "intended" or not state.is_missing:
            return state
        words = f"{state.reason}; meant to be public: {node.public_reason}"
        return replace(state, unwanted=True, words=words, asks=())

    # --- what to ask

    def asks(self, target: Element | Flow, condition: Condition) -> Iterator[Ask]:
        """What would decide a condition that is unknown: the unknown facts among those that matter."""
        readings = condition.why(target.facts)
        unknown = [leaf.fact for leaf, fact in readings if fact is None or not fact.size]
        for name in unknown:
            yield from self._asks.about(target, name)


def _undescribed(control: Control, plane: str) -> State:
    """The state of a control on a plane that no file describes."""
    asks = (Ask("describe", plane, plane, plane),)
    return State(control.id, plane, "unknown", 0, f"nothing is stated about the {plane}", asks=asks)


def _named(graph: Graph, assumed: Assumed) -> frozenset[str]:
    """The elements of which a rating, an acceptance, a statement or an assumption speaks by name."""
    system = graph.system
    return frozenset(
        [
            *(one.element for one in system.acceptances),
            *(one.element for one in system.ratings),
            *(one.element for one in system.controls),
            *(element for _, element in assumed),
        ]
    )


def _assumed(control: Control, element: str, *, in_place: bool) -> State:
    """The state of a control that is taken to be in place, with all that it requires, or to be gone."""
    if in_place:
        return State(control.id, element, "proven", EVIDENCE, "as if it were in place")
    return State(control.id, element, "absent", -1, "as if it were gone")


def _plural(kind: str) -> str:
    return {"secret": "secrets", "api": "apis", "store": "stores", "queue": "queues"}.get(kind, f"{kind}s")


def _attested(control: Control) -> int:
    """What an attestation counts for: where no collector can see what the control rests on, it is the best there is."""
    facts = control.in_place.facts if control.in_place is not None else frozenset()
    return STATED if any(FACTS[control.scope][name].seen_by for name in facts) else EVIDENCE


def _worst(states: list[State]) -> State:
    """The state that counts of several: the least certain to be in place; order in the file plays no part.

    Where it is unknown, everything that is unknown of them is asked about.
    """
    worst = min(states, key=lambda state: (state.level, state.unwanted, -_RANK[state.state], state.element))
    asks = dict.fromkeys(ask for state in states if state.level == 0 for ask in state.asks)
    return replace(worst, asks=tuple(asks)) if worst.level == 0 and len(asks) > len(worst.asks) else worst
