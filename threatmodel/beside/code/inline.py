"""Code that a template holds inline, as the one file that Lambda makes of it; its lines are those of the template."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from threatmodel.beside.folder import Folder
from threatmodel.reading.files import Files, shown_path
from threatmodel.reading.problems import Place
from threatmodel.reading.values import dataclass

_LARGEST = 32 * 1024 * 1024
_BLOCK = re.compile(r"""(?:!Sub\s+|["']?Fn::Sub["']?:\s+)?\|""")
"""How a text of YAML begins whose lines are those of the file."""
_AHEAD, _WIDEST = 20, 2000
"""Lines of a template, and characters of each, in which a line of code is looked for."""
_ENDINGS = {"python": ".py", "nodejs": ".js"}


@dataclass(frozen=True, kw_only=True)
class Template(Folder):
    """A file that holds code inline, by the path of a folder without files: `text` is its own."""

    text: str


@dataclass(frozen=True, kw_only=True)
class Inline(Folder):
    """The file of inline code; `lines` are the template's, by the lines of the code.

    Files of an archive in a plan have no lines there: `part` is where the plan has them.
    """

    lines: Sequence[int] = ()
    part: str = ""

    def place(self, name: str, line: int = 0, column: int = 0) -> Place:  # noqa: ARG002 - the line is enough
        """Return the place in the template."""
        if self.part:
            return Place(self.path, 1, 1, f"{self.part}: {name}:{line}" if line else f"{self.part}: {name}")
        return Place(self.path, self.lines[max(0, min(line, len(self.lines)) - 1)])


def read_template(path: Path, files: Files) -> Template:
    """Return a file that may hold code inline.  Raises InputError."""
    text = files.text(path, _LARGEST, "name the template")
    digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
    return Template(path=shown_path(path), texts={}, unread=(), digest=digest, text=text)


def inline_file(runtime: str) -> str:
    """Return the name of the file that Lambda makes of inline code; '' for a runtime whose code is not read."""
    return next((f"index{ending}" for name, ending in _ENDINGS.items() if runtime.startswith(name)), "")


def inline_code(template: Template, file: str, code: str, at: Place) -> Inline:
    """Return the folder of a file of code that is written at a place of a template."""
    written = code.split("\n")
    lines = tuple(_lines(template.text.split("\n"), written, at))
    return Inline(path=template.path, texts={file: code}, unread=(), digest=template.digest, lines=lines)


def archived_code(template: Template, texts: Mapping[str, str], at: Place) -> Inline:
    """Return the folder of the files that a plan puts into an archive."""
    return Inline(path=template.path, texts=texts, unread=(), digest=template.digest, part=at.part)


def _lines(template: Sequence[str], code: Sequence[str], at: Place) -> Iterator[int]:
    """Yield the line of a template for each line of code: by its number in a block, else where its text is next."""
    if _BLOCK.match(template[at.line - 1], max(at.column - 1, 0)):
        yield from range(at.line + 1, at.line + 1 + len(code))
        return
    here = at.line
    for line in code:
        forms = (line.strip(), json.dumps(line.strip(), ensure_ascii=False)[1:-1])
        ahead = range(here, min(here + _AHEAD, len(template)) + 1)
        here = next((number for number in ahead if any(one in template[number - 1][:_WIDEST] for one in forms)), here)
        yield here
