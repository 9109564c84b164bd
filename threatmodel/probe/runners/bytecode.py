"""Byte code for the modules that a handler imports, made of their sources as they are.

Python takes byte code that is beside a source by the time that is written in it, whatever the source says by now.
A handler is given none of it: each module is compiled again, once a run, for all processes that import it.
"""

from __future__ import annotations

import json
import py_compile
import shutil
import sys
import sysconfig
import tempfile
import threading
import weakref
from collections.abc import Iterable
from importlib._bootstrap_external import _code_to_timestamp_pyc  # type: ignore[attr-defined] # as py_compile
from pathlib import Path

from threatmodel.probe.branches.marked import Marked
from threatmodel.reading.project import real_path


class Bytecode:
    """A folder for `sys.pycache_prefix`, and every path that handlers read so far.

    Only what is in `shown` is compiled, which handlers see anyway: they see the byte code too, and may say that they
    read any file.
    """

    def __init__(self, shown: Iterable[Path], marks: Marked) -> None:
        self._shown = tuple(real_path(one) for one in (*shown, Path(sysconfig.get_path("stdlib"))))
        self.folder = Path(tempfile.mkdtemp(prefix="probe-bytecode-"))
        self.folder.chmod(0o755)
        self.marks = self.folder / "marks.json"
        self._marked = marks
        self.marks.write_text(json.dumps(marks.for_child()), encoding="utf-8")
        self.seen: set[str] = set()
        self._lock = threading.Lock()
        weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)

    def add(self, read: Iterable[str]) -> None:
        """Takes what a process read; the modules among it are compiled for the next one."""
        with self._lock:
            new = {*read} - self.seen
            self.seen |= new
        for name in new:
            if name.endswith(".py") and any(real_path(Path(name)).is_relative_to(one) for one in self._shown):
                self._compile(name)

    def _compile(self, name: str) -> None:
        tag = sys.implementation.cache_tag
        path = self.folder / str(Path(name).parent).lstrip("/") / f"{Path(name).stem}.{tag}.pyc"
        made = path.with_suffix(f".{threading.get_ident()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if (code := self._marked.code(real_path(Path(name)))) is None:
                py_compile.compile(name, str(made), doraise=True, quiet=2)
            else:
                found = Path(name).stat()
                made.write_bytes(_code_to_timestamp_pyc(code, int(found.st_mtime), found.st_size))
            made.replace(path)
        except (py_compile.PyCompileError, SyntaxError, OSError, ValueError, RecursionError, MemoryError):
            made.unlink(missing_ok=True)  # it is compiled by each process that imports it, which says what is wrong
