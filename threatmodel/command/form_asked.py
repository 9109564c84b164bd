"""The format that the result of a check is written in."""

from __future__ import annotations

from typing import NamedTuple

FORMS = ("text", "json", "sarif", "github", "gitlab", "markdown", "junit")
"""The formats of a check."""


class FormAsked(NamedTuple):
    """A format by its name; for text also the width, whether color is used, and whether only what fails is shown."""

    name: str
    width: int = 80
    color: bool = False
    quiet: bool = False
