"""Pictures for the commands that write them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from threatmodel.command.request import PICTURES
from threatmodel.reading.home import PROGRAM
from threatmodel.reading.output import complain
from threatmodel.reading.problems import InputError, listed, refusal
from threatmodel.reading.whole import is_stream

if TYPE_CHECKING:
    from threatmodel.render.draw import DrawError
    from threatmodel.render.fitted import Fitted, Wanted
    from threatmodel.render.picture import Drawable


def drawn(dot: str, path: Path) -> bytes:
    """Return the picture in the format of the file's suffix; a device or a pipe without one gets DOT.

    Raises InputError where it cannot be drawn.
    """
    from threatmodel.render.draw import DrawError, draw

    fmt = _format(path)
    try:
        return draw(dot, fmt, os.environ.get("DOT", ""))
    except DrawError as error:
        raise _undrawn(error, path) from None


def _format(path: Path) -> str:
    fmt = PICTURES.get(path.suffix.lower())
    if fmt is None and not path.suffix and is_stream(path):
        return "dot"
    if fmt is None:
        hint = f"use one of {listed(['FILE' + ending for ending in PICTURES])}"
        raise refusal("unknown-format", str(path), f"'{path.suffix}' is not a picture format", hint)
    return fmt


def _undrawn(error: DrawError, path: Path) -> InputError:
    return refusal("cannot-draw", str(path), str(error))


def medium_of(path: Path) -> str:
    """Return what a picture's file is for: a PDF is printed, an SVG or PNG is looked at; '' for DOT."""
    return {"pdf": "a4", "svg": "screen", "png": "screen"}.get(_format(path), "")


def fitted_to(graph: Drawable, medium: str, path: Path | None, wanted: Wanted) -> Fitted:
    """Return the diagram that fits a medium, in the format of the file's suffix (None: DOT).

    Complains where its type is too small to be read. Raises InputError where it cannot be drawn, and for all views at
    once that cannot be read: each of them can be drawn by itself.
    """
    from threatmodel.render.draw import DrawError
    from threatmodel.render.fitted import fitted

    fmt = _format(path) if path is not None else "dot"
    try:
        found = fitted(graph, medium, wanted, fmt, os.environ.get("DOT", ""))
    except DrawError as error:
        raise _undrawn(error, path or Path("-")) from None
    if not found.readable:
        where, size = path or Path("-"), f"its smallest type has {found.points:.1f} points"
        if wanted.view == "all" and not wanted.full:
            hint = "draw --view runtime, --view deployment and --view identity; --full draws all of them even so"
            raise refusal("cannot-draw", str(where), f"the view all is too large for {medium}: {size}", hint)
        advice = "use --fit screen" if wanted.focus else "use --focus ID or -o FOLDER/"
        complain(f"{PROGRAM}: {where}: the diagram is too large for {medium}, {size}; {advice}\n")
    return found
