"""Which measures hold here, before any code of a handler is run."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path

from threatmodel.probe.protocol import Limits
from threatmodel.probe.runners.confinement.measures import Measure, from_words
from threatmodel.probe.runners.launching import COMMAND, SOCKET, Program, config

_PATIENCE = 60.0


def look(program: Program) -> tuple[Measure, ...]:
    """The measures that hold for a program: a process is confined as the handler's will be, tells, and ends."""
    limits = Limits()
    with tempfile.TemporaryDirectory(prefix="probe-") as name:
        folder = Path(name)
        (folder / "home").mkdir()
        (folder / "root").mkdir()
        (folder / SOCKET).touch()
        told = json.dumps(config(program, folder, limits) | {"look": True})
        try:
            done = subprocess.run(  # noqa: S603 - this interpreter, this package's file
                COMMAND, input=told + "\n", capture_output=True, text=True, timeout=_PATIENCE, check=False, env={}
            )
            found = json.loads(done.stdout)
        except (OSError, ValueError, subprocess.TimeoutExpired):
            found = {}
    return from_words(found)
