"""What is known of each node of a system: its facts and relations, weighed and derived."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from threatmodel.graph import derived
from threatmodel.graph.derived import highest, known, supported
from threatmodel.graph.elements import Neighbours, completeness
from threatmodel.graph.loops import Loops
from threatmodel.model.facts import WORD, Fact, Facts, Statement, stated, weigh
from threatmodel.model.system import Node, System, Trigger
from threatmodel.model.vocabulary import CLASSIFICATIONS, INPUTS
from threatmodel.reading.problems import Place

Evidence = Mapping[str, Mapping[str, Sequence[Statement]]]
"""What collectors found: for an element's id and a fact's (or relation's) name, statements.

A relation's value is a tuple: of `Trigger` for triggers, of ids for the rest.
"""

IMPLIED = "closed by another list"
"""What is noted of a list that is empty only because another one is stated."""

SLACK_CLASS = {"slash-command": "internal", "interactivity": "internal", "events": "confidential"}
"""The class of what Slack sends, by surface."""


class Knowledge:
    """The weighed facts and relations of a system's nodes.

    `relations` has those of functions by id and name, `holds` the data of stores and queues, `facts` the facts of
    every node, derived ones included.  `today` decides which runtimes are supported (unknown without it).
    """

    def __init__(self, system: System, evidence: Evidence, today: datetime.date | None) -> None:
        self.system = system
        self.today = today
        self.evidence = evidence
        functions = [node for node in system.nodes.values() if node.kind == "function"]
        self.relations = {node.id: self._relations(node) for node in functions}
        self.neighbours = Neighbours(self.relations)
        self.holds = {
            n.id: self._relations(n).get("holds") for n in system.nodes.values() if n.kind in {"store", "queue"}
        }
        self._started = self._starts()
        self._asked_by_http = self._asked()
        self._loops = Loops(self.relations)
        account = system.nodes.get("account")
        self._account: Facts = self._stated(account) if account is not None else {}
        self.facts: dict[str, Facts] = {node.id: self._facts(node) for node in system.nodes.values()}
        self._set_against_word()

    def _set_against_word(self) -> None:
        """Gives each derived fact that evidence decides what word alone would have it be, where that differs."""
        if not any(said.size > WORD for found in self.evidence.values() for each in found.values() for said in each):
            return
        by_word = Knowledge(self.system, _word(self.evidence), self.today).facts
        for node in self.system.nodes.values():
            facts = dict(self.facts[node.id])
            for kind, name in INPUTS:
                fact, word = facts.get(name), by_word[node.id].get(name)
                if kind == node.kind and fact and word and fact.size > word.size > 0 and fact.value != word.value:
                    facts[name] = fact._replace(against=(word.said,))
            self.facts[node.id] = facts

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
            note = IMPLIED if relation.implied else ""
            facts[name] = [Statement(tuple(item.id for item in relation.items), "model", relation.place, note)]
        for name, statements in self.evidence.get(node.id, {}).items():
            if name in derived.RELATIONS:
                facts.setdefault(name, []).extend(statements)
        return {name: _weigh_relation(statements) for name, statements in facts.items()}

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
                yield "runtime_supported", supported(facts, self.today)
                if (inspector := self._account.get("inspector_lambda")) is not None and inspector.size:
                    yield "scanned_by_inspector", known(inspector.value, [inspector.said])
            case "store":
                yield "data_classification", self._class_held(node.id)
                yield "personal_data", self._personal(node.id)
            case "queue":
                yield "data_classification", self._class_held(node.id)
                yield "starts_functions", self._starts_any("queue", node.id)
            case "api":
                callers = self._asked_by_http.get(node.id, ())
                yield "slack_facing", self._on_word(self._starts_any("slack", node.id), callers)
                yield "web_facing", self._on_word(self._starts_any("http", node.id), callers)

    def _derived_of_function(self, node: Node) -> Iterator[tuple[str, Fact | None]]:
        relations = self.relations[node.id]
        triggers = relations.get("triggers")
        if triggers is not None and triggers.size:
            by = {trigger.by for trigger in triggers.value}
            asked = [node.id] if "http" in by and "slack" not in by else []
            yield "slack_facing", self._on_word(known("slack" in by, [triggers.said]), asked)
            yield "web_facing", self._on_word(known("http" in by, [triggers.said]), asked)
            yield "internet_facing", known(bool(by & {"slack", "http"}), [triggers.said])
            yield "event_driven", known(bool(by & {"queue", "store", "schedule"}), [triggers.said])
        yield "starts_itself", self._loops.of(node.id)
        calls = relations.get("calls")
        if calls is not None and calls.size:
            yield "posts_to_slack", known("slack" in calls.value, [calls.said])
        secrets = relations.get("secrets")
        if secrets is not None and secrets.size:
            yield "uses_secrets", known(bool(secrets.value), [secrets.said])
        yield "data_classification", self._class_handled(relations)

    def _asked(self) -> Mapping[str, Sequence[str]]:
        """By api, the functions that its requests start where nobody says that these are Slack's."""
        found: dict[str, list[str]] = {}
        for function, relations in self.relations.items():
            triggers = relations.get("triggers")
            if triggers is not None and triggers.size:
                through = [(t.by, t.source.id) for t in triggers.value if t.source is not None]
                for api in {source for by, source in through if by == "http" and ("slack", source) not in through}:
                    found.setdefault(api, []).append(function)
        return found

    def _on_word(self, fact: Fact | None, functions: Sequence[str]) -> Fact | None:
        """What a fact is that hangs on whose requests start functions: a template shows a route, and not who calls."""
        if fact is None or not functions:
            return fact
        said = [fact.said]
        for function in functions:
            node = self.system.nodes[function]
            if node.triggers is None:
                return None
            said.append(Statement(node.triggers, "model", node.triggers_place))
        return known(fact.value, said)

    def _starts(self) -> Mapping[tuple[str, str], Fact]:
        """For each api and queue that starts functions, by trigger and id, that it does."""
        found: dict[tuple[str, str], Fact] = {}
        for relations in self.relations.values():
            triggers = relations.get("triggers")
            for trigger in triggers.value if triggers is not None and triggers.size else ():
                if triggers is not None and trigger.source is not None:
                    key = (trigger.by, trigger.source.id)
                    new = known(value=True, said=[triggers.said])
                    found[key] = max(found.get(key, new), new, key=lambda fact: fact.size)
        return found

    def _starts_any(self, by: str, element: str) -> Fact | None:
        """Whether any function has such a trigger from this element: false only when all triggers are known."""
        return self._started.get((by, element), self._starts_nothing)

    @cached_property
    def _starts_nothing(self) -> Fact | None:
        """That nothing starts: known where every function's triggers are, or where there is no function."""
        if not completeness(self.relations, ("triggers",)).size:
            return None
        nothing = Statement(value=False, source="model", place=Place(self.system.file))
        return known(
            value=False, said=[nothing, *(relations["triggers"].said for relations in self.relations.values())]
        )

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
        """The highest class among what starts a function and what it reads and writes.

        It is no better known than the lists that it is the highest of.
        """
        lists = [relations.get(name) for name in ("triggers", "reads", "writes")]
        classes: list[Fact | None] = []
        for relation in lists:
            if relation is None or not relation.size:
                classes.append(None)
            else:
                classes += [_no_better(held, relation.said) for held in self._classes_in(relation.value)]
        found = highest(classes) if classes else known("public", [r.said for r in lists if r is not None])
        if found is None or found.value == CLASSIFICATIONS[-1]:
            return found
        return known(found.value, [found.said, *(relation.said for relation in lists if relation is not None)])

    def _classes_in(self, partners: Sequence[Any]) -> Iterator[Fact | None]:
        """The class of each of a relation's partners: stores, queues, or what Slack sends."""
        for partner in partners:
            if not isinstance(partner, Trigger):
                yield self._class_held(partner)
            elif partner.by == "slack":
                yield stated(Statement(SLACK_CLASS[partner.detail], "wiring", None))
            elif partner.by == "http":
                yield stated(Statement("internal", "wiring", None))
            elif partner.by in {"queue", "store"} and partner.source is not None:
                yield self._class_held(partner.source.id)


def _word(evidence: Evidence) -> Evidence:
    """What of the evidence counts as word: source checks, and what is stale."""
    return {
        element: {name: kept for name, found in by_name.items() if (kept := [one for one in found if one.size == WORD])}
        for element, by_name in evidence.items()
    }


def _no_better(fact: Fact | None, said: Statement) -> Fact | None:
    """A fact, as weakly known as another statement that it hangs on."""
    return None if fact is None or not fact.size else known(fact.value, [fact.said, said])


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


def distinct(triggers: Sequence[Trigger]) -> Iterator[Trigger]:
    """The triggers that differ by more than their route."""
    seen = set()
    for trigger in triggers:
        if (name := _name_of(trigger)) not in seen:
            seen.add(name)
            yield trigger
