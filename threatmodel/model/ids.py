"""The ids of a model: given once, referred to everywhere; the problems found so far."""

from __future__ import annotations

from collections.abc import Sequence

from threatmodel.model.entries import facts_of, table_of
from threatmodel.model.file import SECTIONS
from threatmodel.model.reference_architecture import RESERVED, ZONES
from threatmodel.model.vocabulary import RelationRow
from threatmodel.reading.problems import Place, Problem, article, listed, note, quoted, suggestion
from threatmodel.reading.reader import Fields

_HELPED = 20
"""Problems up to which a closest name is looked for among all names of a model."""
SECTION_KINDS = {**SECTIONS, "data": "data item", "externals": "external system", "boundaries": "boundary"}
"""Sections whose keys are ids, with what each of them is."""


def _unread(entries: Fields) -> set[str]:
    """The ids, and the kinds of whole sections, that could not be read: what refers to them is no second problem."""
    kinds = {kind for section, kind in SECTION_KINDS.items() if section in entries.unread}
    return kinds.union(*(table_of(entries, section).unread for section in SECTION_KINDS))


def either_of(words: Sequence[str]) -> str:
    """Words of which one is meant: a, b or c."""
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))


class Ids:
    """The entries of a model file, the ids given in them, and the problems found so far."""

    def __init__(self, entries: Fields, problems: list[Problem]) -> None:
        self.entries = entries
        self.problems = problems
        self.kinds: dict[str, str] = {}
        self.places: dict[str, Place] = {}
        self.unread = _unread(entries)
        self.defaults = {kind: facts_of(entry.value, kind) for kind, entry in table_of(entries, "defaults").items()}

    def note(self, code: str, place: Place, message: str, hint: str = "") -> None:
        """Notes a problem."""
        note(self.problems, Problem(code=code, place=place, message=message, hint=hint))

    def give(self) -> None:
        """Every id once: one name space for all kinds, apart from the reserved ones."""
        given = [
            (entry.key, name, kind)
            for section, kind in SECTION_KINDS.items()
            for name, entry in table_of(self.entries, section).items()
        ]
        for place, name, kind in sorted(given):
            if name in RESERVED:
                hint = "choose another id"
                self.note("reserved-id", place, f"'{name}' is the id of something that is always drawn", hint)
            elif name in self.kinds:
                first = self.places[name]
                message = f"'{name}' is already the id of {article(self.kinds[name])}, on line {first.line}"
                self.note("duplicate-id", place, message, "choose another id")
            self.kinds[name] = kind
            self.places[name] = place

    def refers(self, kind: str, name: str, place: Place) -> bool:
        """Whether `name` is the id of an element of `kind`; notes it where it is not."""
        return self._is_one_of((kind,), name, place)

    def _is_one_of(self, kinds: Sequence[str], name: str, place: Place) -> bool:
        """Whether `name` is the id of an element of one of some kinds; notes it where it is not, with all of them."""
        if self.kinds.get(name) in kinds:
            return True
        if name in self.unread or not self.unread.isdisjoint(kinds):
            return False
        if name in self.kinds:
            expected = either_of([article(kind) for kind in kinds])
            self.note("wrong-kind", place, f"'{name}' is {article(self.kinds[name])}; expected {expected}")
        else:
            hint = self.closest(kinds, name)
            self.note("unknown-reference", place, f"there is no {either_of(kinds)} {quoted(name)}", hint)
        return False

    def closest(self, kinds: Sequence[str], name: str) -> str:
        """What may have been meant; nothing any more where a file has many problems, since looking takes long."""
        if len(self.problems) > _HELPED:
            return ""
        known = [other for other, of in self.kinds.items() if of in kinds]
        if "boundary" in kinds:
            known += [zone.id for zone in ZONES]
        none = f"this model has no {either_of(kinds)}"
        return suggestion(name, known) or (f"known: {listed(known)}" if known else none)

    def uses(self, row: RelationRow, name: str, place: Place) -> bool:
        """Whether a list may name this, or Slack where it calls."""
        return (row.name == "calls" and name == "slack") or self._is_one_of(row.to, name, place)
