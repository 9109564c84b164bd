"""What nobody has said, as questions: whom each asks about, and how much hangs on it.

Facts that one look answers (the execution role's, the handler's checks) are asked about together: a topic is one
question, and names the facts that wait for an answer.
"""

from __future__ import annotations

from dataclasses import dataclass

from threatmodel.assessment.asks import Ask
from threatmodel.library.format import Library
from threatmodel.model.vocabulary import FACTS, RELATIONS

_Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question: what to ask, of which elements, which findings it decides, and the worst score that hangs on it.

    `kind` is fact, relation, describe or attest; `of` the kind of element, `name` the fact, relation, plane or control.
    `facts` are all the facts that it asks for, `name` first; none where it asks for something else.
    """

    id: str
    kind: str
    of: str
    name: str
    facts: tuple[str, ...]
    ask: str
    elements: tuple[str, ...]
    decides: tuple[str, ...]
    score: int


class Questions:
    """Collects asks with what hangs on them."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._elements: dict[_Key, dict[str, None]] = {}
        self._facts: dict[_Key, set[str]] = {}
        self._whole: set[_Key] = set()
        self._decides: dict[_Key, dict[str, None]] = {}
        self._score: dict[_Key, int] = {}
        self._seen: dict[int, tuple[tuple[Ask, ...], tuple[_Key, ...]]] = {}  # holds the asks, so that ids stay theirs

    def add(self, asks: tuple[Ask, ...], finding: str, score: int) -> None:
        """Notes that these asks hold up a finding of this score."""
        for key in self._keys(asks):
            self._decides.setdefault(key, {})[finding] = None
            self._score[key] = max(score, self._score.get(key, 0))

    def _keys(self, asks: tuple[Ask, ...]) -> tuple[_Key, ...]:
        """The questions that asks belong to; a tuple that many findings share is gone through once."""
        found = self._seen.get(id(asks))
        if found is None:
            keys: dict[_Key, None] = {}
            for ask in asks:
                key = (ask.kind, ask.of, _subject(ask))
                if ask.kind == "fact":
                    self._facts.setdefault(key, set()).add(ask.name)
                if not ask.rest:
                    self._whole.add(key)
                self._elements.setdefault(key, {})[ask.element] = None
                keys[key] = None
            found = self._seen[id(asks)] = (asks, tuple(keys))
        return found[1]

    def ranked(self) -> tuple[Question, ...]:
        """All questions, those with the worst risk and the most findings behind them first."""
        found = [self._question(key) for key in self._elements]
        return tuple(sorted(found, key=lambda q: (-q.score, -len(q.decides), q.id)))

    def _question(self, key: _Key) -> Question:
        kind, of, subject = key
        open_facts = self._facts.get(key, set())
        facts = tuple(name for name in FACTS.get(of, ()) if name in open_facts)
        return Question(
            id=subject if kind in {"describe", "attest"} else f"{of}.{subject}",
            kind=kind,
            of=of,
            name=facts[0] if facts else subject,
            facts=facts,
            ask=self._ask(key, facts),
            elements=tuple(self._elements[key]),
            decides=tuple(self._decides[key]),
            score=self._score[key],
        )

    def _ask(self, key: _Key, facts: tuple[str, ...]) -> str:
        kind, of, subject = key
        match kind:
            case "describe":
                return f"Describe the {subject}: add a section '{subject}:' to the model, or to a file under uses."
            case "attest":
                control = self._library.controls[subject]
                return f"Is this in place, and who says so until when? {control.title} (controls: {subject}@element)"
            case "relation":
                row = next(row for row in RELATIONS[of].values() if row.topic == subject)
                return row.ask if key in self._whole else row.ask_rest
            case _:
                fact = FACTS[of][facts[0]]
                return fact.topic_ask if len(facts) > 1 else fact.ask or f"What is its {fact.name}?"


def _subject(ask: Ask) -> str:
    """What a question is about: the topic of a fact or a list, or the thing itself."""
    if ask.kind == "relation":
        return RELATIONS[ask.of][ask.name].topic
    return FACTS[ask.of][ask.name].topic or ask.name if ask.kind == "fact" else ask.name
