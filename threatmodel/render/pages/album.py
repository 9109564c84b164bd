"""The folder of pictures: an overview, one of each group and function, their links, and a page that lists them."""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping, Sequence

from threatmodel.reading.marks import MARK
from threatmodel.render.placing import MOST_SHOWN
from threatmodel.render.text import markdown

_TAKEN = ("function-", "group-of-")
"""What the names of other files begin with."""


def file_of(functions: Sequence[str]) -> str:
    """Return the file of a function's picture, of a group's, or for none that of the overview."""
    if len(functions) > 1:
        return f"group-of-{functions[0]}.svg"
    if not functions:
        return "overview.svg"
    name = functions[0]
    return f"{'function-' if name == 'overview' or name.startswith(_TAKEN) else ''}{name}.svg"


def address_of(functions: Sequence[str]) -> str:
    """Return the address of a picture in the folder; '' where functions are too many for one."""
    return urllib.parse.quote(file_of(functions)) if len(functions) <= MOST_SHOWN else ""


def album_index(name: str, functions: Mapping[str, str], groups: Sequence[Sequence[str]]) -> str:
    """Return the page as Markdown; `functions` are names by id, and `groups` what the overview draws as one."""
    lines = [f"# {markdown(name) or 'Threat model'}", "", f"![Overview]({file_of(())})", ""]
    for group in groups:
        names = ", ".join(markdown(functions[one]) or markdown(one) for one in group)
        lines.append(
            f"- [{len(group)} functions]({address_of(group)}): {names}" if len(group) <= MOST_SHOWN else f"- {names}"
        )
    lines += [""] if groups else []
    for function, title in functions.items():
        lines.append(f"- [{markdown(title) or markdown(function)}]({address_of([function])})")
    return "\n".join([*lines, "", f"{MARK} with a picture of each function\n"])
