"""The names by which a project of JavaScript or TypeScript imports its own files: `paths` of tsconfig.json."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from threatmodel.beside.folder import Folder

_CONFIG = re.compile(r"(?:.*/)?[tj]sconfig[\w.-]*\.json\Z")
_COMMENT = re.compile(r'("(?:\\.|[^"\\\n])*"?)|//[^\n]*|/\*.*?(?:\*/|\Z)', re.DOTALL)
_LAST_COMMA = re.compile(r'("(?:\\.|[^"\\\n])*"?)|,(?=\s*[}\]])')
"""What TypeScript accepts in JSON: comments, and a comma behind the last item. Texts are matched to be kept."""


class Alias(NamedTuple):
    """A pattern of names in the modules of a folder, and the paths that they mean, with `*` for what it leaves open.

    `own`: a name that fits is never that of a package.
    """

    names: re.Pattern[str]
    paths: tuple[str, ...]
    folder: str = ""
    own: bool = True

    def of(self, name: str, module: str) -> list[str]:
        """Return the paths that a name in a module can stand for."""
        found = self.names.fullmatch(name) if module.startswith(self.folder) else None
        return [posixpath.normpath(one.replace("*", found[1] or "")) for one in self.paths] if found else []


def aliases(folder: Folder, root: str) -> Iterator[Alias]:
    """Yield the aliases that a folder configures, and those that bundlers have for what is packaged and its src."""
    for name, text in folder.data.items():
        if _CONFIG.match(name):
            yield from _configured(posixpath.dirname(name), text)
    usual = tuple(posixpath.join(root, one) for one in ("*", "src/*"))
    yield from (Alias(re.compile("[@~]/(.*)"), usual), Alias(re.compile("(.*)"), usual, own=False))


def _configured(here: str, text: str) -> Iterator[Alias]:
    try:
        for left_out in (_COMMENT, _LAST_COMMA):
            text = left_out.sub(lambda found: found[1] or "", text)
        options: Any = json.loads(text)["compilerOptions"]
        base = posixpath.join(here, options.get("baseUrl", "."))
        for pattern, targets in options.get("paths", {}).items():
            names = re.compile("(.*)".join(map(re.escape, pattern.split("*", 1))) + "()")
            paths = tuple(posixpath.join(base, one) for one in targets)
            yield Alias(names, paths, f"{here}/" if here else "", own=pattern != "*")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return  # what it names is then unknown
