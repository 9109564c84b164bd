"""The page that lists the pictures of a folder: an overview, and one of each function."""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping

from threatmodel.reading.marks import MARK
from threatmodel.render.text import markdown

_OVERVIEW = "overview"


def file_of(function: str) -> str:
    """Return the file of a function's picture, or for '' that of the overview."""
    return f"function-{function}.svg" if function == _OVERVIEW else f"{function or _OVERVIEW}.svg"


def album_index(name: str, functions: Mapping[str, str]) -> str:
    """Return the page as Markdown; `functions` are names by id."""
    lines = [f"# {markdown(name) or 'Threat model'}", "", f"![Overview]({file_of('')})", ""]
    for function, title in functions.items():
        lines.append(f"- [{markdown(title) or markdown(function)}]({urllib.parse.quote(file_of(function))})")
    return "\n".join([*lines, "", f"{MARK} with a picture of each function\n"])
