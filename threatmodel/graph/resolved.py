"""What is known of each node of a system: its facts and lists, weighed, and what follows from them."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

from threatmodel.graph.derived import DERIVE
from threatmodel.graph.elements import Neighbors
from threatmodel.graph.given import Given
from threatmodel.graph.members import Lists, weighed
from threatmodel.model.facts import EVIDENCE, STATED, Fact, Facts, Statement, in_doubt, weigh
from threatmodel.model.system import External, Node, Reference, System
from threatmodel.model.vocabulary import LISTS, ONLY_IF, PLANES, RELATIONS
from threatmodel.reading.problems import Place

Evidence = Mapping[str, Mapping[str, Sequence[Statement]]]
"""What collectors found: for an element's id and the name of a fact or a list, statements.

A list's value is a tuple: of `Trigger` for triggers, of ids for the rest.  One that may be longer says why (`open`).
"""

IMPLIED = "closed by another list"
"""What is noted of a list that is empty only because another one is stated."""


class Resolved:
    """The weighed facts and lists of a system's nodes.

    `lists` has those of functions, stores and queues by id and name, `by_services` what external systems do by
    themselves, `facts` the facts of every node, derived ones included.  `today` decides which runtimes are supported
    (unknown without it).
    """

    def __init__(self, system: System, evidence: Evidence, today: datetime.date | None, *, signs: bool) -> None:
        self.system = system
        self.evidence = evidence
        self._given = _given(system, evidence, today, signs=signs)
        self.without_slack = self._given.without_slack
        self.lists = self._given.lists
        self.by_services = self._given.by_services
        self.neighbors = Neighbors(self._given.functions, self._given.apis_before)
        self.facts: dict[str, Facts] = {node.id: self._facts(node) for node in _nodes(system, evidence)}

    @cached_property
    def _from_statements(self) -> Given:
        """What is given without evidence: only looked at where a derived fact rests on evidence."""
        return _given(
            self.system,
            _kept(self.evidence, lambda one: one.size == STATED),
            self._given.today,
            signs=self._given.signs,
        )

    @cached_property
    def _firm(self) -> Given | None:
        """What is given without the statements that are in doubt, None where there are none."""
        said = (one for by_name in self.evidence.values() for found in by_name.values() for one in found)
        if not any(one.doubt for one in said):
            return None
        return _given(
            self.system, _kept(self.evidence, lambda one: not one.doubt), self._given.today, signs=self._given.signs
        )

    def _facts(self, node: Node) -> Facts:
        facts = dict(self._given.stated[node.id])
        for name, derive in DERIVE.get(node.kind, {}).items():
            fact = derive(self._given, node)
            if fact is not None and self._firm is not None:
                fact = in_doubt(fact, derive(self._firm, node))
            if fact is not None and fact.size == EVIDENCE:
                word = derive(self._from_statements, node)
                if word is not None and word.size and word.value != fact.value:
                    fact = fact._replace(against=(word.said,))
            if fact is not None:
                facts[name] = fact
        for name, premise in ONLY_IF[node.kind].items():
            fact = facts.get(premise)
            if name not in facts and fact is not None and fact.size and not fact.value:
                facts[name] = fact
        return facts


def premise_of(kind: str, name: str, facts: Facts) -> str:
    """Return the first fact, of those that have to be true for this one, that is false; else its own name."""
    premise = ONLY_IF[kind].get(name)
    fact = facts.get(premise) if premise is not None else None
    sure = fact.sure if fact is not None else None
    if premise is None or sure is None or not sure.size or sure.value:
        return name
    return premise_of(kind, premise, facts)


def _given(system: System, evidence: Evidence, today: datetime.date | None, *, signs: bool) -> Given:
    nodes = _nodes(system, evidence)
    return Given(
        system,
        {node.id: lists_of(node, evidence.get(node.id, {})) for node in nodes if node.kind in _LISTING},
        {node.id: _stated(node, evidence.get(node.id)) for node in nodes},
        today,
        {one.id: lists_of(one, evidence.get(one.id, {})) for one in system.externals.values()},
        signs,
    )


def _nodes(system: System, evidence: Evidence) -> list[Node]:
    """The nodes of a system, the planes that only evidence speaks of, and the pipeline: files show its secrets."""
    place = Place(system.file)
    found = [one for one in PLANES if (one in evidence or one == "pipeline") and one not in system.nodes]
    planes = [Node(kind=one, id=one, name=one, description="", place=place, facts={}, relations={}) for one in found]
    return [*system.nodes.values(), *planes]


_LISTING = frozenset(kind for kind, rows in RELATIONS.items() if rows)


def _stated(node: Node, found: Mapping[str, Sequence[Statement]] | None) -> Facts:
    if found is None:
        return {name: Fact(s.value, STATED, s) for name, s in node.facts.items()}
    facts = {}
    for name in {**node.facts, **found}:
        if name not in LISTS:
            words = [node.facts[name]] if name in node.facts else []
            facts[name] = weigh([*words, *found.get(name, ())])
    return facts


def lists_of(node: Node | External, found: Mapping[str, Sequence[Statement]]) -> Lists:
    """The lists of an element, as its model and its evidence have them."""
    lists: dict[str, list[Statement]] = {}
    for name, relation in node.relations.items():
        note = IMPLIED if relation.implied else ""
        items = tuple([item.id if isinstance(item, Reference) else item for item in relation.items])
        lists[name] = [Statement(items, "model", relation.place, note, open=relation.open)]
    for name, statements in found.items():
        if name in LISTS and statements:
            lists.setdefault(name, []).extend(statements)
    return {name: weighed(statements) for name, statements in lists.items()}


def _kept(evidence: Evidence, keep: Callable[[Statement], bool]) -> Evidence:
    """Some of the statements of the evidence."""
    return {
        element: {name: kept for name, found in by_name.items() if (kept := [one for one in found if keep(one)])}
        for element, by_name in evidence.items()
    }
