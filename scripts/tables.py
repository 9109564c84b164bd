"""How the scripts that write tables of public data get the packages, and keep or compare what they made."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def wheels(given: Path | None, *wanted: str) -> Iterator[Path]:
    """A folder that holds the packages (`name==version`): the given one, or one for now that they come to."""
    if given is not None:
        yield given
        return
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, *wanted]
        subprocess.run(command, check=True)
        yield Path(folder)


def kept(table: Path, found: str, *, check: bool) -> int:
    """Writes a table where it differs, or says that it does; the exit code, 1 where `check` finds a difference."""
    differs = not table.exists() or table.read_text(encoding="utf-8") != found
    if differs and not check:
        table.write_text(found, encoding="utf-8")
    if differs:
        print(f"{'differs' if check else 'written'}: {table.name}")
    return int(check and differs)
