"""What nobody has said, as questions: whom each asks about, and how much hangs on it."""

from __future__ import annotations

from dataclasses import dataclass

from threatmodel.asks import Ask
from threatmodel.library.format import Library
from threatmodel.model.vocabulary import FACTS

_Key = tuple[str, str, str]
_USES = ("reads", "writes", "sends", "secrets", "calls")
_RELATION_ASKS = {
    "triggers": "What starts it? (triggers; [] for nothing)",
    "uses": "Which stores, queues, secrets and external systems does it use? (reads, writes, sends, secrets, calls)",
    "holds": "Which data does it hold? (holds)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question: what to ask, of which elements, which findings it decides, and the worst score that hangs on it.

    `kind` is fact, relation, describe or attest; `of` the kind of element, `name` the fact, relation, plane or control.
    """

    id: str
    kind: str
    of: str
    name: str
    ask: str
    elements: tuple[str, ...]
    decides: tuple[str, ...]
    score: int


class Questions:
    """Collects asks with what hangs on them."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._elements: dict[_Key, dict[str, None]] = {}
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
                name = "uses" if ask.kind == "relation" and ask.name in _USES else ask.name
                key = (ask.kind, ask.of, name)
                self._elements.setdefault(key, {})[ask.element] = None
                keys[key] = None
            found = self._seen[id(asks)] = (asks, tuple(keys))
        return found[1]

    def ranked(self) -> tuple[Question, ...]:
        """All questions, those with the worst risk and the most findings behind them first."""
        found = [
            Question(
                id=_id(*key),
                kind=key[0],
                of=key[1],
                name=key[2],
                ask=self._ask(*key),
                elements=tuple(elements),
                decides=tuple(self._decides[key]),
                score=self._score[key],
            )
            for key, elements in self._elements.items()
        ]
        return tuple(sorted(found, key=lambda q: (-q.score, -len(q.decides), q.id)))

    def _ask(self, kind: str, of: str, name: str) -> str:
        match kind:
            case "describe":
                return f"Describe the {name}: add a section '{name}:' to the model, or to a file under uses."
            case "attest":
                control = self._library.controls[name]
                return f"Is this in place, and who says so until when? {control.title} (controls: {name}@element)"
            case "relation":
                return _RELATION_ASKS[name]
            case _:
                return FACTS[of][name].ask or f"What is its {name}?"


def _id(kind: str, of: str, name: str) -> str:
    return name if kind in {"describe", "attest"} else f"{of}.{name}"
