"""In what state each control is, on each element, and what that rests on."""

from __future__ import annotations

import datetime
from collections.abc import Hashable, Iterator, Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple, get_args

from threatmodel.assessment.asks import Ask, asks_for, list_asks
from threatmodel.assessment.twins import Twins
from threatmodel.graph.building import Element, Flow, Graph, Related
from threatmodel.library.condition import Condition
from threatmodel.library.entries import Control, ControlLink, Library, Threat
from threatmodel.model.facts import EVIDENCE, STATED, Fact, Facts, Statement, stated_only
from threatmodel.model.system import ControlStatement, Trigger
from threatmodel.model.vocabulary import FACTS, PLANES
from threatmodel.reading.values import dataclass, replace

ControlState = Literal[
    "proven",
    "attested",
    "claimed",
    "planned",
    "unknown",
    "lapsed",
    "ineffective",
    "absent",
    "contradicted",
    "not-applicable",
]
STATES: tuple[ControlState, ...] = get_args(ControlState)
"""Control states from best to worst known; not-applicable is not in this order."""

_RANK = {state: rank for rank, state in enumerate(STATES)}
Assumed = Mapping[tuple[str, str], bool]
"""Controls at elements that are taken to be in place (True) or gone, whatever is known of them."""

OPEN_QUESTION: frozenset[ControlState] = frozenset({"unknown", "lapsed"})
"""States in which it is unknown whether the control is in place."""


_COUNTS = {
    pair: pair for pair in ((level, is_open) for level in (-1, 0, STATED, EVIDENCE) for is_open in (True, False))
}
_LIKENESSES: dict[Hashable, Hashable] = {}
"""Few that a million states share."""


class Support(NamedTuple):
    """A fact that a state rests on; `known` is False where statements of one standing differ."""

    fact: str
    value: object
    said: Statement
    against: tuple[Statement, ...]
    known: bool


def support_of(name: str, fact: Fact) -> Support:
    """A fact as something that a state or a finding rests on."""
    return Support(name, fact.value, fact.said, fact.against, fact.size > 0)


class _Computed:
    """What is computed from a state once and stored with it; a dictionary for each of a million states is too large."""

    __slots__ = ("_counts", "_likeness", "_support")
    _counts: tuple[int, bool]
    _likeness: Hashable
    _support: tuple[Support, ...]


@dataclass(frozen=True, slots=True, eq=False)
class State(_Computed):
    """The state of a control on an element.

    `level` is what it counts for: 2 proven, 1 claimed, 0 unknown, -1 not in place.  `asks` is what would decide an
    unknown one.  `basis` is the condition and the facts that decided it, from which `support` and, where `words` is
    empty, `reason` are computed when they are read.  `size` is how well it is known that a control is not
    applicable: what leaves one out is a link of the chain too.  `unwanted`: it would restrict access to what is
    meant to be public, so that it is not asked for; it counts as it is.
    """

    control: str
    element: str
    state: ControlState
    level: int
    words: str = ""
    basis: tuple[Condition, Facts] | None = None
    asks: tuple[Ask, ...] = ()
    size: int = EVIDENCE
    unwanted: bool = False

    @property
    def counts(self) -> tuple[int, bool]:
        """What it counts for, and whether it is unknown if it is in place: all that an outcome follows from."""
        try:
            return self._counts
        except AttributeError:
            object.__setattr__(self, "_counts", _COUNTS[self.level, self.is_open])
            return self._counts

    @property
    def is_open(self) -> bool:
        """Whether it is unknown if it is in place, and it may be."""
        return self.state in OPEN_QUESTION and not self.unwanted

    @property
    def is_missing(self) -> bool:
        """Whether it is not in place, as far as is known, where it could be and may be asked for."""
        return self.level < STATED and self.state != "not-applicable" and not self.unwanted

    @property
    def support(self) -> tuple[Support, ...]:
        """The facts that it rests on."""
        try:
            return self._support
        except AttributeError:
            object.__setattr__(self, "_support", _support(*self.basis) if self.basis else ())
            return self._support

    @property
    def likeness(self) -> Hashable:
        """What findings follow from it, whatever element it is on: its state, and what shows that it is missing."""
        try:
            return self._likeness
        except AttributeError:
            object.__setattr__(self, "_likeness", self._alike())
            return self._likeness

    def _alike(self) -> Hashable:
        shows = self.support if self.level < 0 and self.is_missing else ()
        facts = tuple([(item.fact, item.known, item.said.omitted) for item in shows])
        found = self.state, self.level, self.unwanted, facts
        return _LIKENESSES.setdefault(found, found)

    @property
    def reason(self) -> str:
        """What made it so, in words."""
        if self.words or self.basis is None:
            return self.words
        return _said_by(self.support) if self.level else _not_stated(*self.basis)


class Answer(NamedTuple):
    """A link of a threat to a control, and the state of that control as it counts for an element.

    `holds` says how well it is known that the control has this effect on the element.
    """

    link: ControlLink
    state: State
    holds: int = EVIDENCE

    @property
    def is_missing(self) -> bool:
        """Whether the control is not in place, could be, and would have this effect."""
        return self.holds > 0 and self.state.is_missing


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
        self._asked: dict[tuple[str, str], tuple[Ask, ...]] = {}
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
            words = f"it has no effect on this: {_said_by(_support(*basis))}"
            state = replace(
                state, state="not-applicable", level=-1, words=words, basis=basis, asks=(), size=-holds, unwanted=False
            )
        elif holds == 0 and state.level >= 0:
            words = f"it is not known whether it has this effect; {_not_stated(*basis)}"
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
        if not target.described:
            words = f"nothing is stated about the {element}"
            asks = (Ask("describe", element, element, element),)
            return self._said(control, State(control.id, element, "unknown", 0, words, asks=asks), attested)
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
            if required.level < 0:
                reason = f"it requires {name}, which is {required.state}"
                return replace(state, state="ineffective", level=-1, words=reason, asks=())
            if required.level == 0:
                asks = (*state.asks, *required.asks)
                reason = f"it requires {name}, which is {required.state}" if state.level > 0 else state.reason
                state = replace(state, state="unknown", level=0, words=reason, asks=asks)
            elif state.level > required.level:
                reason = f"it requires {name}, which is only {required.state}"
                state = replace(state, state="claimed", level=required.level, words=reason)
        return state

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
            yield from self._asks_for(target, name)

    def _asks_for(self, target: Element | Flow, fact: str) -> tuple[Ask, ...]:
        """What to ask about an unknown fact; each is looked up once."""
        key = (target.id, fact)
        found = self._asked.get(key)
        if found is None:
            found = self._asked[key] = tuple(asks_for(self.graph, target, fact))
        return found


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


def _support(condition: Condition, facts: Mapping[str, Fact]) -> tuple[Support, ...]:
    found = []
    for leaf, fact in condition.why(facts):
        if fact is not None:
            found.append(support_of(leaf.fact, fact))
    return tuple(dict.fromkeys(found))


def shown_value(value: object) -> str:
    """A fact's value as a model file writes it."""
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def shown(value: object) -> str:
    """The value of a fact or a relation as a reader knows it from the model file."""
    if isinstance(value, tuple | list):
        return "[" + ", ".join(_item(item) for item in value) + "]"
    return shown_value(value)


def _item(item: object) -> str:
    if isinstance(item, Trigger):
        path = f" at {item.path}" if item.path else ""
        through = f" through {item.source.id}{path}" if item.source is not None else ""
        return f"{item.detail or item.by}{through}"
    return str(item)


def _said_by(support: tuple[Support, ...]) -> str:
    """The facts in words: 'reserved_concurrency: 10, tracing: false'."""
    return ", ".join(f"{item.fact}: {shown_value(item.value)}" for item in support)


def _not_stated(condition: Condition, facts: Facts) -> str:
    """What keeps a condition unknown: statements that differ, or facts that are not stated."""
    unknown = {leaf.fact: fact for leaf, fact in condition.why(facts)}
    differing = [name for name, fact in unknown.items() if fact is not None and not fact.size]
    if differing:
        return f"statements differ: {', '.join(differing)}"
    doubts = [name for name in unknown if name in facts and facts[name].in_doubt]
    if doubts:
        why = dict.fromkeys(facts[name].said.doubt for name in doubts)
        return f"in doubt: {', '.join(doubts)} ({'; '.join(why)})"
    return f"not stated: {', '.join(unknown)}"


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
