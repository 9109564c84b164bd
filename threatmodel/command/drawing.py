"""Pictures for the commands that write them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from threatmodel.command.request import PICTURES
from threatmodel.reading.problems import InputError, Place, Problem, listed
from threatmodel.reading.whole import is_stream

if TYPE_CHECKING:
    from threatmodel.assessment.assessed import Assessment


def drawn(dot: str, path: Path) -> bytes:
    """Return the picture in the format of the file's suffix; a device or a pipe without one gets DOT.

    Raises InputError where it cannot be drawn.
    """
    from threatmodel.render.draw import DrawError, draw

    fmt = PICTURES.get(path.suffix.lower())
    if fmt is None and not path.suffix and is_stream(path):
        return dot.encode()
    if fmt is None:
        hint = f"use one of {listed(['FILE' + ending for ending in PICTURES])}"
        message = f"'{path.suffix}' is not a picture format"
        raise InputError([Problem(code="unknown-format", place=Place(str(path)), message=message, hint=hint)])
    try:
        return draw(dot, fmt, os.environ.get("DOT", ""))
    except DrawError as error:
        raise InputError([Problem(code="cannot-draw", place=Place(str(path)), message=str(error))]) from None


def picture_of(assessment: Assessment) -> str:
    """Return a report's picture as SVG text."""
    from threatmodel.assessment.priorities import risks
    from threatmodel.render.dfd import dfd

    return drawn(dfd(assessment.graph, risks=risks(assessment)), Path("dfd.svg")).decode()
