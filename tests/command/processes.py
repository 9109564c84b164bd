"""tm.py as a process of its own, for tests of what only a process has: streams, signals, an exit code."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.support import HOME


def tm(*arguments: str, folder: Path = HOME, text: bool = True) -> subprocess.CompletedProcess[str]:
    """tm.py as a process of its own."""
    command = [sys.executable, str(HOME / "tm.py"), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=text, check=False)


def shell(command: str, folder: Path = HOME, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command line in bash, with $TM for tm.py."""
    known = {**os.environ, "TM": f"{sys.executable} {HOME / 'tm.py'}", **environment}
    return subprocess.run(["bash", "-c", command], cwd=folder, env=known, capture_output=True, text=True, check=False)


def interrupted(script: Path, pipe: Path, *arguments: str) -> tuple[int, bytes, bytes]:
    """What a script that waits for a pipe leaves when Ctrl-C is pressed."""
    os.mkfifo(pipe)
    start = (  # a shell's background job ignores the signal, and so would what it starts
        "import runpy, signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); sys.argv = sys.argv[1:]; "
        "sys.path.insert(0, sys.argv[0].rpartition('/')[0]); runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    command = [sys.executable, "-c", start, str(script), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        with pipe.open("wb"):  # once the script has opened the other end
            running.send_signal(signal.SIGINT)
            out, err = running.communicate()
        return running.returncode, out, err
