"""The ids of a model: given once, referred to everywhere; the problems found so far."""

from __future__ import annotations

from threatmodel.model.entries import facts_of, table_of
from threatmodel.model.file import SECTIONS
from threatmodel.model.reference_architecture import RESERVED, ZONES
from threatmodel.model.vocabulary import RelationRow
from threatmodel.reading.problems import Place, Problem, article, listed, note, quoted, suggestion
from threatmodel.reading.shape import Fields

_HELPED = 20
"""Problems up to which a closest name is looked for among all names of a model."""
SECTION_KINDS = {**SECTIONS, "data": "data item", "externals": "external system", "boundaries": "boundary"}
"""Sections whose keys are ids, with what each of them is."""


def _unread(entries: Fields) -> set[str]:
    """The ids, and the kinds of whole sections, that could not be read: what refers to them is no second problem."""
    kinds = {kind for section, kind in SECTION_KINDS.items() if section in entries.unread}
    return kinds.union(*(table_of(entries, section).unread for section in SECTION_KINDS))


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
        if self.kinds.get(name) == kind:
            return True
        if name in self.unread or kind in self.unread:
            return False
        if name in self.kinds:
            self.note("wrong-kind", place, f"'{name}' is {article(self.kinds[name])}; expected {article(kind)}")
        else:
            self.note("unknown-reference", place, f"there is no {kind} {quoted(name)}", self.closest(kind, name))
        return False

    def closest(self, kind: str, name: str) -> str:
        """What may have been meant; nothing any more where a file has many problems, since looking takes long."""
        if len(self.problems) > _HELPED:
            return ""
        known = [other for other, of in self.kinds.items() if of == kind]
        if kind == "boundary":
            known += [zone.id for zone in ZONES]
        return suggestion(name, known) or (f"known: {listed(known)}" if known else f"this model has no {kind}")

    def uses(self, row: RelationRow, name: str, place: Place) -> bool:
        """Whether a list may name this, or Slack where it calls; of several kinds, the first is the one missed."""
        if row.name == "calls" and name == "slack":
            return True
        kind = next((kind for kind in row.to if self.kinds.get(name) == kind), row.to[0])
        return self.refers(kind, name, place)
