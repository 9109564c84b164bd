"""The format that the result of a check is written in."""

from __future__ import annotations

from typing import NamedTuple


class FormAsked(NamedTuple):
    """A format by its name; for text on a terminal also the width, and whether color is used."""

    name: str
    width: int = 80
    color: bool = False
