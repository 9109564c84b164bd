"""A form that a check is to be written in."""

from __future__ import annotations

from typing import NamedTuple


class FormAsked(NamedTuple):
    """A form by its name; of the text for a terminal also how wide it is, and whether it takes colour."""

    name: str
    width: int = 80
    colour: bool = False
