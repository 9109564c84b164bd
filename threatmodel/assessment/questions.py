"""What is not stated, as questions: which elements each asks about, and which findings depend on it.

Facts of one topic (the execution role's, the handler's checks) are asked about together: several of them have the
topic's title, and the question names the facts that are not stated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import count
from operator import attrgetter

from threatmodel.assessment.asks import Alike, Ask
from threatmodel.assessment.assessed import Finding, Group, Question
from threatmodel.assessment.ranking import Rank, rank
from threatmodel.assessment.standings import Role, in_role, role_of
from threatmodel.graph.elements import Graph, Read
from threatmodel.library.entries import Library
from threatmodel.model.vocabulary import FACTS, PLANE_SOURCES, PLANES, RELATIONS, AnsweredFrom, FactRow
from threatmodel.reading.problems import listed
from threatmodel.reading.shape import Flag

_Key = tuple[str, str, str]
_AsksOf = Callable[[Finding], Iterable[tuple[Ask, ...]]]
_CALLERS = (
    "on those routes, replace 'http' with 'slack: slash-command', 'interactivity' or 'events', "
    "and remove every 'caller: unknown'"
)
_PUBLIC = "state public: intended with public_reason, or public: unintended"
_MOST_SIGNS = 4
"""Signs of Slack that the question for callers names."""
_REASONS = 3
"""Reasons why the evidence leaves facts open that a question shows."""
_VARIABLES = "environment_holds_secret"
"""The fact whose question names variables."""
_DESCRIBE = 3
"""The doubt about a plane that no file describes."""


class Questions:
    """Collects asks with the findings that depend on them; `place` is the place of each element in the graph."""

    def __init__(self, graph: Graph, library: Library, place: Mapping[str, int]) -> None:
        self._graph = graph
        self._library = library
        self._place = place
        self._signs = [sign for read in graph.evidence for sign in read.signs][:_MOST_SIGNS]
        left_open = (one for read in graph.evidence for one in read.left_open)
        self._why = {(one.element, one.name): f"{one.why} ({one.place.short})" for one in left_open}
        self._elements: dict[_Key, dict[str, None]] = {}
        self._noted: set[Alike] = set()
        self._facts: dict[_Key, set[str]] = {}
        self._whole: set[_Key] = set()
        self._decides: dict[_Key, list[Finding]] = {}
        self._scores: dict[_Key, dict[str, int]] = {}
        self._rank: dict[_Key, Rank] = {}

    def add(self, group: Group, asks_of: _AsksOf) -> None:
        """Note that the findings of a group depend on what `asks_of` returns for each."""
        keys: dict[_Key, None] = {}
        score = group.head.claimed.score
        for some in group.twins:
            asks = list(dict.fromkeys(ask for each in asks_of(some[0]) for ask in each))
            for ask in asks:
                key = _key(ask)
                if ask.kind == "fact":
                    self._facts.setdefault(key, set()).add(ask.name)
                scores = self._scores.setdefault(key, {})
                scores[ask.name] = max(score, scores.get(ask.name, 0))
                if not ask.rest:
                    self._whole.add(key)
                self._ask_of(some, ask, asks_of)
            for key in dict.fromkeys(map(_key, asks)):
                self._decides.setdefault(key, []).extend(some)
                keys[key] = None
        for key in keys:
            place = rank(group.head, doubt=_DESCRIBE if key[0] == "describe" else 0).unnamed
            self._rank[key] = min(place, self._rank.get(key, place))

    def _ask_of(self, some: Sequence[Finding], ask: Ask, asks_of: _AsksOf) -> None:
        """Note the elements of an ask: to each of these twins they are what `ask.element` is to the first."""
        first, key = some[0].target, _key(ask)
        elements = self._elements.setdefault(key, {})
        if ask.alike is not None:  # whichever twin asks
            if ask.alike not in self._noted:
                self._noted.add(ask.alike)
                elements.update(dict.fromkeys(ask.alike.elements))
            return
        role = role_of(self._graph, first, ask.element)
        if role == Role():
            elements.update(dict.fromkeys([finding.target.id for finding in some]))
            return
        for finding in some:
            element = in_role(self._graph, finding.target, role) if role is not None else None
            if element is not None:
                elements[element] = None
                continue
            every = (one for each in asks_of(finding) for one in each)
            elements.update(dict.fromkeys(name for one in every if _key(one) == key for name in one.elements))

    def ranked(self, findings: Iterable[Finding]) -> tuple[Question, ...]:
        """Return all questions: first which routes Slack calls, because the other questions depend on it.

        `findings` are all, in the order in which a question has those that it decides.
        """
        ranked = sorted(
            self._elements,
            key=lambda key: (
                key[0] != "caller",
                self._rank[key]._replace(fewer=-len(self._decides[key]), name=str(key)),
            ),
        )
        places = dict(zip(map(attrgetter("id"), findings), count(), strict=False))
        return tuple(self._question(key, places) for key in ranked)

    def _question(self, key: _Key, places: Mapping[str, int]) -> Question:
        kind, of, subject = key
        open_facts = self._facts.get(key, set())
        facts = tuple(name for name in FACTS.get(of, ()) if name in open_facts)
        ask, hint, known, answered_from = self._words(key, facts)
        return Question(
            id=subject if kind in {"describe", "attest"} else f"{of}.{subject}",
            kind=kind,
            of=of,
            name=facts[0] if facts else subject,
            facts=facts,
            ask=ask,
            hint=hint,
            known=known,
            elements=self._asked_of(key),
            decides=tuple(sorted([finding.id for finding in self._decides[key]], key=places.__getitem__)),
            scores=tuple(self._scores[key].items()),
            answered_from=answered_from,
        )

    def _asked_of(self, key: _Key) -> tuple[str, ...]:
        return tuple(sorted(self._elements[key], key=self._place.__getitem__))

    def _words(self, key: _Key, facts: Sequence[str]) -> tuple[str, str, str, AnsweredFrom | None]:
        """Return the question, how to write the answer in the model, what files show of it, and what answers it.

        Facts are written by their names, so that they need no hint.
        """
        kind, of, subject = key
        match kind:
            case "public":
                return f"Is public access to the {'API' if of == 'api' else of} intended?", _PUBLIC, "", None
            case "describe":
                planes = [plane for plane in PLANES if plane in self._elements[key]]
                sections = _and([f"'{plane}:'" for plane in planes])
                hint = f"add {sections} to the model, or to a file under uses"
                verb = "are" if len(self._elements[key]) > 1 else "is"
                return f"How {verb} the {_and(planes)} configured?", hint, "", "platform"
            case "attest":
                control = self._library.controls[subject]
                name = f"{subject}@{next(iter(self._elements[key]))}"
                hint = f"add {name} under controls, with attested_by, on and expires"
                return f"Is this control in place: {control.title}?", hint, "", PLANE_SOURCES.get(control.scope)
            case "caller":
                signs = f"signs of Slack: {'; '.join(self._signs)}" if self._signs else "no file shows a sign of Slack"
                known = "; ".join((*unverified(self._graph, self._asked_of(key)), signs))
                return "Which of these routes does Slack call?", _CALLERS, known, None
            case "relation":
                rows = [row for row in RELATIONS[of].values() if row.topic == subject]
                names = _and([row.name for row in rows])
                if key in self._whole:
                    return (
                        rows[0].ask,
                        f"state {names} ([] for none), or let evidence show it",
                        "",
                        rows[0].answered_from,
                    )
                hint = f"add what is missing to {names}, then remove it from incomplete"
                return rows[0].ask_rest, hint, "", rows[0].answered_from
            case _:
                fact = FACTS[of][facts[0]]
                ask = fact.topic_title if len(facts) > 1 else fact.ask or _asking(fact)
                return ask, "", self._left_open(key, facts), fact.answered_from

    def _left_open(self, key: _Key, facts: Sequence[str]) -> str:
        """Return the reasons for which files leave facts open."""
        if not self._why:
            return ""
        found = (self._why.get((element, name)) for name in facts for element in self._asked_of(key))
        reasons = list(dict.fromkeys(why for why in found if why))
        rest = len(reasons) - _REASONS
        more = f"; and {rest} more reason{'' if rest == 1 else 's'}" if rest > 0 else ""
        return f"open in the evidence: {'; '.join(reasons[:_REASONS])}{more}" if reasons else ""


def looked_at(graph: Graph, question: Question) -> str:
    """Return what files show of an answer, or else which files have the elements and do not show it."""
    every = (
        (read, read.elements[name]) for read in graph.evidence for name in question.elements if name in read.elements
    )
    files = dict.fromkeys(_file(read, called) for read, called in every)
    if question.known or not graph.evidence:
        return question.known
    return f"looked at, and not shown there: {listed(files, _REASONS)}" if files else "no file of the evidence shows it"


def _file(read: Read, called: str) -> str:
    """Return the file in which an element was looked for; of a folder with code, the handler's."""
    if read.kind == "code" and read.file.endswith("/"):
        return f"{read.file}{called.partition(':')[0]}".removeprefix("./")
    return "the repository" if read.file == "./" else read.file


def unverified(graph: Graph, elements: Iterable[str]) -> Iterator[str]:
    """Yield which of some elements verify no signature of Slack by the evidence, each with the reason and its line."""
    for name in elements:
        fact = graph.elements[name].facts.get("verifies_signature")
        if fact is not None and fact.value is False and fact.said.place is not None:
            yield f"{name}: {fact.said.remark or 'verifies_signature: false'} ({fact.said.place.short})"


def variables(graph: Graph, question: Question) -> Iterator[str]:
    """Yield why it is open whether variables of functions hold a secret, with their names."""
    for read in graph.evidence if _VARIABLES in question.facts else ():
        for one in read.left_open:
            if one.name == _VARIABLES and one.element in question.elements and not one.usual:
                yield f"{one.why} ({one.place.short})"


def _asking(fact: FactRow) -> str:
    """Return the question about a derived fact, which the vocabulary words as a statement only."""
    return f"{'Is this true:' if isinstance(fact.shape, Flag) else 'What is'} {fact.meaning}?"


def _and(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _key(ask: Ask) -> _Key:
    """Return the question that an ask belongs to; one file describes all planes, so one question asks about them."""
    return (ask.kind, "plane", "platform") if ask.kind == "describe" else (ask.kind, ask.of, _subject(ask))


def _subject(ask: Ask) -> str:
    """Return the subject of a question: the topic of a fact or a list, or else the name."""
    if ask.kind == "relation":
        return RELATIONS[ask.of][ask.name].topic
    return FACTS[ask.of][ask.name].topic or ask.name if ask.kind == "fact" else ask.name
