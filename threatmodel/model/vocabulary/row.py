"""What the vocabulary says of one fact."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple, get_args

from threatmodel.reading.shape import Flag, Former, Number, Word
from threatmodel.reading.values import dataclass

Plane = Literal["account", "pipeline", "workspace", "organization"]
Kind = Literal["function", "api", "store", "queue", "secret", "flow", Plane]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""The kinds of element that have facts."""

PLANES: tuple[Plane, ...] = get_args(Plane)
"""The kinds that exist once; everything is related to them."""

PLANE_SOURCES: Mapping[str, AnsweredFrom] = {
    **dict.fromkeys(PLANES, "platform"),
    "pipeline": "pipeline",
    "workspace": "workspace",
}
"""The source that answers what is asked of each plane."""

FORMER_KINDS: Former = (("organisation", "organization"),)
"""Former names of kinds, each with the current one.  A plane is an element of its kind's name: it is renamed too."""

CLASSIFICATIONS = ("public", "internal", "confidential", "secret")
"""Classes of data, from least to most sensitive."""


AnsweredFrom = Literal["handler", "deployment", "data", "pipeline", "workspace", "platform"]
ANSWERED_FROM: tuple[AnsweredFrom, ...] = get_args(AnsweredFrom)
"""Sources that answer all that is asked of them at once: the code, the template, data, and what systems share."""


Partner = Literal["data item", "external system"]
PARTNERS: tuple[Partner, ...] = get_args(Partner)
"""What lists name besides elements that have facts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationRow:
    """One list of an element: of which kind, its name, what its items are, and what follows from it.

    `to` are the kinds of its items.  `verb` names the flow that goes to each of them ('' for what is no use, or comes
    in); `puts_out`: what is handed on this way can start a function.  Of the lists of a kind that are
    `closed_together`, the first that is stated closes all.  `topic` and `ask` are as for facts; `ask_rest`
    asks about lists of which some members are known.  `answered_from` is the source that answers it, or None.
    `formerly` lists its former names.
    """

    kind: Kind
    name: str
    to: tuple[Kind | Partner, ...]
    meaning: str
    topic: str
    ask: str
    ask_rest: str
    answered_from: AnsweredFrom | None = None
    verb: str = ""
    puts_out: bool = False
    closed_together: bool = False
    formerly: tuple[str, ...] = ()


class Input(NamedTuple):
    """Something that a derived fact follows from: a fact of a kind, or one of its relations."""

    kind: Kind
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FactRow:
    """One fact: of which kind, its name, its type, and what to say about it.

    `topic` groups it with other facts that are answered together; `topic_title` is the title of that group.
    `answered_from` is what one looks at to answer its topic, and others with it (None: nothing else).
    `seen_by` can observe it; `denied_by` sees a part of it only, whose lack shows that it is not so.
    `only_if` is a flag of the same kind without which this one is false, and which is asked before it ('' for none).
    A derived fact has no topic; `follows_from` names what it is computed of.  `formerly` lists its former names.
    """

    kind: Kind
    name: str
    shape: Flag | Number | Word
    meaning: str
    ask: str = ""
    seen_by: tuple[str, ...] = ()
    denied_by: tuple[str, ...] = ()
    default: str = ""
    only_if: str = ""
    derived: bool = False
    follows_from: tuple[Input, ...] = ()
    topic: str = ""
    topic_title: str = ""
    answered_from: AnsweredFrom | None = None
    formerly: tuple[str, ...] = ()

    @property
    def nullable(self) -> bool:
        """Whether `null` says something: the meaning tells what."""
        return "null:" in self.meaning

    @property
    def type(self) -> str:
        """The type in words: 'yes/no', 'number', 'one of rest, http'."""
        match self.shape:
            case Flag():
                return "yes/no"
            case Number():
                return "number"
            case Word(words, ordered):
                return ("from least to most: " if ordered else "one of ") + ", ".join(words)
