"""What nobody has said, as questions: whom each asks about, and how much hangs on it.

Facts that one look answers (the execution role's, the handler's checks) are asked about together: a topic is one
question, and names the facts that wait for an answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from threatmodel.assessment.asks import Ask
from threatmodel.assessment.assessed import Finding, Question
from threatmodel.assessment.ranking import Rank, rank
from threatmodel.library.entries import Library
from threatmodel.model.vocabulary import FACTS, PLANES, RELATIONS, Look

_Key = tuple[str, str, str]
BY_HAND = (
    "Write slack: slash-command, interactivity or events in place of http for each, and take caller: unknown out of "
    "the others."
)
"""How who calls a route is said without `tm ask`."""

_CALLERS = f"Which of these routes does Slack call? ({{}}) {BY_HAND}"
_PUBLIC = (
    "Which {} is meant to be open to everybody? Write public: intended and public_reason: (what for) at each that is, "
    "public: unintended at the others."
)
_DESCRIBE = 3
"""The doubt that a plane is in which nobody describes."""


class Questions:
    """Collects asks with what hangs on them."""

    def __init__(self, library: Library, signs: Sequence[str] = ()) -> None:
        self._library = library
        self._signs = signs
        self._elements: dict[_Key, dict[str, None]] = {}
        self._facts: dict[_Key, set[str]] = {}
        self._whole: set[_Key] = set()
        self._decides: dict[_Key, dict[str, None]] = {}
        self._score: dict[_Key, int] = {}
        self._rank: dict[_Key, Rank] = {}
        self._seen: dict[int, tuple[tuple[Ask, ...], tuple[_Key, ...]]] = {}  # holds the asks, so that ids stay theirs

    def add(self, asks: Iterable[tuple[Ask, ...]], finding: Finding) -> None:
        """Notes that these asks hold up a finding."""
        places: dict[int, Rank] = {}
        for key in dict.fromkeys(key for each in asks for key in self._keys(each)):
            doubt = _DESCRIBE if key[0] == "describe" else 0
            place = places.get(doubt) or places.setdefault(doubt, rank(finding, doubt=doubt))
            self._decides.setdefault(key, {})[finding.id] = None
            self._score[key] = max(finding.claimed.score, self._score.get(key, 0))
            self._rank[key] = min(place, self._rank.get(key, place))

    def _keys(self, asks: tuple[Ask, ...]) -> tuple[_Key, ...]:
        """The questions that asks belong to; a tuple that many findings share is gone through once."""
        found = self._seen.get(id(asks))
        if found is None:
            keys: dict[_Key, None] = {}
            for ask in asks:
                key = _key(ask)
                if ask.kind == "fact":
                    self._facts.setdefault(key, set()).add(ask.name)
                if not ask.rest:
                    self._whole.add(key)
                self._elements.setdefault(key, {})[ask.element] = None
                keys[key] = None
            found = self._seen[id(asks)] = (asks, tuple(keys))
        return found[1]

    def ranked(self) -> tuple[Question, ...]:
        """All questions: first who calls the routes, which decides what else is asked; last what all are asked."""
        ranked = sorted(
            self._elements,
            key=lambda key: (
                key[0] != "caller",
                self._rank[key]._replace(fewer=-len(self._decides[key]), name=str(key)),
            ),
        )
        return tuple(self._question(key) for key in ranked)

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
            look=self._look(key, facts),
        )

    def _look(self, key: _Key, facts: tuple[str, ...]) -> Look | None:
        """What one looks at to answer it; who a route is for is asked of nobody else's sake."""
        kind, of, subject = key
        match kind:
            case "describe":
                return "platform"
            case "attest":
                return "platform" if self._library.controls[subject].scope in PLANES else None
            case "relation":
                return next(row.look for row in RELATIONS[of].values() if row.topic == subject)
            case "fact":
                return FACTS[of][facts[0]].look
            case _:
                return None

    def _ask(self, key: _Key, facts: tuple[str, ...]) -> str:
        kind, of, subject = key
        match kind:
            case "public":
                return _PUBLIC.format(of)
            case "describe":
                planes = [plane for plane in PLANES if plane in self._elements[key]]
                sections = _and([f"'{plane}:'" for plane in planes])
                return f"Describe the {_and(planes)}: add {sections} to the model, or to a file under uses."
            case "attest":
                control = self._library.controls[subject]
                return f"Is this in place, and who says so until when? {control.title} (controls: {subject}@element)"
            case "caller":
                return _CALLERS.format(
                    f"signs of it: {'; '.join(self._signs)}" if self._signs else "no sign of it in any file"
                )
            case "relation":
                row = next(row for row in RELATIONS[of].values() if row.topic == subject)
                return row.ask if key in self._whole else row.ask_rest
            case _:
                fact = FACTS[of][facts[0]]
                return fact.topic_ask if len(facts) > 1 else fact.ask or f"What is its {fact.name}?"


def _and(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _key(ask: Ask) -> _Key:
    """The question that an ask belongs to; one file describes all planes, so that they are asked for together."""
    return (ask.kind, "plane", "platform") if ask.kind == "describe" else (ask.kind, ask.of, _subject(ask))


def _subject(ask: Ask) -> str:
    """What a question is about: the topic of a fact or a list, or the thing itself."""
    if ask.kind == "relation":
        return RELATIONS[ask.of][ask.name].topic
    return FACTS[ask.of][ask.name].topic or ask.name if ask.kind == "fact" else ask.name
