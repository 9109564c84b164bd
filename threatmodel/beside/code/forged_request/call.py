"""A call of something that is not of the folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from threatmodel.beside.code.forged_request.values import UNKNOWN, Found, Frame, Value
from threatmodel.beside.code.syntax import Node

if TYPE_CHECKING:
    from threatmodel.beside.code.forged_request.machine import Machine


class Call(NamedTuple):
    """A call of something that is not of the folder: `name` is its dotted name, `owner` what a method is called on."""

    machine: Machine
    node: Node
    frame: Frame
    called: Value
    owner: Value
    given: Sequence[Value]
    named: Mapping[str, Value]
    name: str

    @property
    def last(self) -> str:
        """The name of the function or method."""
        return self.node.parts[0].name

    @property
    def is_method(self) -> bool:
        """Whether it is called on something."""
        return self.node.parts[0].kind == "attribute"

    @property
    def every(self) -> Sequence[Value]:
        """All that it is given."""
        return (*self.given, *self.named.values())

    @property
    def first(self) -> Value:
        """Its first argument."""
        return self.given[0] if self.given else UNKNOWN

    @property
    def where(self) -> Found:
        """Its place."""
        return self.frame.function, self.node
