"""Which file an output may replace: one that an earlier run wrote, an empty one, or none at all.

A file is known as an output by its mark (`reading.marks`), or by the digest of what was written there
(`reading.written`).  Anything else is a person's work: `--force` replaces it, unless the run reads it or git tracks it.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from threatmodel.reading.files import has_read, is_folder
from threatmodel.reading.links import refuse_exit
from threatmodel.reading.marks import is_marked
from threatmodel.reading.problems import InputError, quoted, refusal
from threatmodel.reading.project import real_path
from threatmodel.reading.values import dataclass
from threatmodel.reading.whole import is_stream
from threatmodel.reading.written import is_as_written

SOURCES = frozenset({
    *(".yaml", ".yml", ".template", ".toml", ".tf", ".tfvars", ".j2", ".env", ".sh"),
    *(".py", ".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx", ".go", ".java", ".cs", ".rb", ".rs"),
})  # fmt: skip
"""Endings of models, infrastructure code and handlers, which few outputs have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacing:
    """What an output may replace beyond earlier outputs.

    `inputs` are files that the run reads, which nothing replaces; `force` allows what only is not known as an output;
    `sources` are those endings of sources that the output may have.
    """

    inputs: Collection[Path] = ()
    force: bool = False
    sources: Collection[str] = ()

    def check(self, path: Path) -> None:
        """Raises InputError where this output may not be written to a path."""
        if is_stream(path):
            return
        refuse_exit(path, str(path))
        if is_folder(path):
            raise refusal("unwritable-file", str(path), "this is a folder", "name a file")
        self.check_inputs(path)
        self._check_ending(path)
        try:
            if _is_free(path) or is_marked(path) or is_as_written(path):
                return
        except (OSError, ValueError):  # what cannot be read is not known as an output
            pass
        if not self.force or _may_be_tracked(path):
            raise _foreign(path)

    def check_inputs(self, path: Path) -> None:
        """Raises InputError where a path leads to a file that the run reads."""
        if has_read(self.inputs, path):
            raise refusal("unwritable-file", f"output {path}", "this run reads it", "name another file")

    def _check_ending(self, path: Path) -> None:
        ending = path.suffix.lower()
        if ending in SOURCES and ending not in self.sources:
            message = f"{quoted(ending)} is the ending of a source file, and this output is none"
            raise refusal("unknown-format", str(path), message, "name the output otherwise")


def _is_free(path: Path) -> bool:
    return not os.path.exists(path) or path.stat().st_size == 0  # noqa: PTH110 - what no path can be is not there


def _may_be_tracked(path: Path) -> bool:
    """Whether git tracks a file, by the name given or where that leads, or cannot be asked.

    Git is started for a file alone that is about to be rejected or forced: what most runs write costs none of it.
    """
    from threatmodel.reading.git import is_tracked

    try:
        return any(is_tracked(one) for one in dict.fromkeys((path, real_path(path))))
    except InputError:
        return True


def _foreign(path: Path) -> InputError:
    message = "this file exists, and is not an output of an earlier run"
    hint = "name another file, or add --force to replace this one"
    if _may_be_tracked(path):
        message += ", and git tracks it"
        hint = "name another file, or remove this one first: --force replaces no file that git tracks"
    return refusal("not-replaced", str(path), message, hint)
