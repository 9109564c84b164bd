"""Which measures hold here, before any code of a handler is run."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from threatmodel.probe.protocol import Limits
from threatmodel.probe.runners.confinement.measures import Measure, from_words
from threatmodel.probe.runners.launching import SOCKET, Program, config
from threatmodel.probe.runners.starting import started

_PATIENCE = 60.0


def look(program: Program) -> tuple[Measure, ...]:
    """The measures that hold for a program: a process is confined as the handler's will be, tells, and ends."""
    limits = Limits()
    with tempfile.TemporaryDirectory(prefix="probe-") as name:
        folder = Path(name)
        (folder / "home").mkdir()
        (folder / "root").mkdir()
        (folder / SOCKET).touch()
        launcher = started(config(program, folder, limits) | {"look": True})
        launcher.wait(_PATIENCE)
        with os.fdopen(launcher.output, "rb") as printed:
            found = _words(printed.read() if launcher.poll() is not None else b"")
        launcher.kill()
    return from_words(found)


def _words(printed: bytes) -> dict[str, str]:
    try:
        found: dict[str, str] = json.loads(printed)
    except ValueError:
        return {}
    return found
