"""What the vocabulary says of one fact, and the topics by which facts are asked about."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from threatmodel.reading.shape import Flag, Number, Shape, Word

KINDS = (
    "function",
    "api",
    "store",
    "queue",
    "secret",
    "flow",
    "account",
    "pipeline",
    "workspace",
    "organisation",
)
"""The kinds of element that have facts."""

PLANES = ("account", "pipeline", "workspace", "organisation")
"""The kinds that exist once; everything is related to them."""

CLASSIFICATIONS = ("public", "internal", "confidential", "secret")
"""Classes of data, from least to most sensitive."""

CODE = ("probe",)
SOURCE = ("source",)
IAC = ("template", "aws")
TEMPLATE = ("template",)
AWS = ("aws",)
REPOSITORY = ("repository",)
PERSON = ()


@dataclass(frozen=True, slots=True)
class FactRow:
    """One fact: of which kind, its name, its type, and what to say about it.

    `topic` is what one person looks at to answer it together with others; `topic_ask` asks for all of them at once.
    """

    kind: str
    name: str
    shape: Shape
    meaning: str
    ask: str
    seen_by: tuple[str, ...] = ()
    default: str = ""
    derived: bool = False
    topic: str = ""
    topic_ask: str = ""

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
            case _:
                raise AssertionError(self.shape)


Columns = tuple[Any, ...]
"""A fact's name, shape, meaning, question, and where they apply collectors and AWS's default."""


def topic(kind: str, name: str, ask: str, *rows: Columns) -> tuple[FactRow, ...]:
    """The facts of a kind that one look answers, and the question for all of them."""
    return tuple(replace(FactRow(kind, *row), topic=name, topic_ask=ask) for row in rows)


def derived(kind: str, *rows: Columns) -> tuple[FactRow, ...]:
    """Facts of a kind that are computed."""
    return tuple(replace(FactRow(kind, *row), derived=True) for row in rows)
