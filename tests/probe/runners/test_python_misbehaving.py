"""Python handlers that misbehave: each way has its word, and nothing survives."""

# ruff: noqa: E501 - many a handler here is one line of text

from __future__ import annotations

import sys
from pathlib import Path
from uuid import uuid4

import pytest

from tests.probe.runners.answering import answered
from tests.probe.running import replies, written
from threatmodel.probe.protocol import Limits

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="handlers are not run on Windows")]


SIGNALLED = """
def signalled(number):
    try: os.kill(os.getppid(), number)
    except OSError: pass  # it is out of reach
"""
MISBEHAVIOURS = {
    "raises": ("raise ValueError('s3cret')", "error", "ValueError"),
    "raises what cannot be shown": (
        "class E(Exception):\n        def __str__(self): raise RuntimeError\n    raise E",
        "error",
        "E",
    ),
    "raises what is no Exception": ("raise KeyboardInterrupt", "error", "KeyboardInterrupt"),
    "answers an object": ("return object()", "error", "Runtime.MarshalError"),
    "answers in a circle": ("a = []\n    a.append(a)\n    return a", "error", "Runtime.MarshalError"),
    "answers too much": ("return 'x' * 7_000_000", "error", "Function.ResponseSizeTooLarge"),
    "hangs": ("import time\n    time.sleep(60)", "timeout", ""),
    "spins": ("while True: pass", "timeout", ""),
    "ignores signals": (
        "import signal, time\n    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n    time.sleep(60)",
        "timeout",
        "",
    ),
    "stops itself": ("os.kill(os.getpid(), 19)", "timeout", ""),
    "stops our watch": ("signalled(19)\n    import time\n    time.sleep(60)", "timeout", ""),
    "exits": ("sys.exit(0)", "exit", ""),
    "exits at once": ("os._exit(0)", "exit", ""),
    "crashes": ("import ctypes\n    ctypes.string_at(0)", "crash", ""),
    "aborts": ("os.abort()", "crash", ""),
    "floods": ("while True: print('x' * 100000)", "output", ""),
    "floods below Python": ("while True: os.write(2, b'x' * 100000)", "output", ""),
    "takes memory": ("a = []\n    while True: a.append(bytearray(10_000_000))", "memory", None),
    "closes every file": ("os.closerange(0, 200)\n    return 1", "crash", ""),
    "writes to every file": (
        'for fd in range(200):\n        try: os.write(fd, b\'{"answer": "1"}\\n\')\n        except OSError: pass\n    return 1',
        "crash",
        "",
    ),
}


@pytest.mark.parametrize(("body", "ended", "error"), MISBEHAVIOURS.values(), ids=MISBEHAVIOURS)
def test_misbehaviour_has_its_word(tmp_path: Path, body: str, ended: str, error: str | None) -> None:
    text = f"import os, sys\n{SIGNALLED}\ndef handler(event, context):\n    if event: return 1\n    {body}\n"
    limits = Limits(seconds=1.5 if ended != "memory" else 10, memory=128 * 1024 * 1024, output=200_000)
    first, second = replies(written(tmp_path, text), {}, {"well": True}, limits=limits)
    assert first.ended == ended
    assert error is None or first.error == error
    assert len(first.logs) <= limits.output + 4_096  # what one call may print beside it
    if not first.error:
        assert second.ended == "not-run"
    else:
        assert (second.ended, second.body) == ("", "1")


def test_who_kills_our_watch_gains_nothing(tmp_path: Path) -> None:
    text = f"import os, time\n{SIGNALLED}\ndef handler(event, context):\n    signalled(9)\n    time.sleep(60)\n"
    (reply,) = replies(written(tmp_path, text), limits=Limits(seconds=1.5))
    assert reply.ended in {"crash", "timeout"}  # with and without process numbers of its own


def test_what_is_printed_never_passes_for_an_answer(tmp_path: Path) -> None:
    body = "print('{\"answer\": \"{}\"}', flush=True)\nreturn 'genuine'"
    assert answered(tmp_path, body) == "genuine"


def alive(marker: str) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                if marker in str((entry / "cwd").readlink()):
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


SURVIVORS = {
    "one that killed our watch": "if os.fork() == 0:\n        os.setsid()\n        time.sleep(60)\n    signalled(9)",
    "a child": "if os.fork() == 0: time.sleep(60)",
    "a detached child": "if os.fork() == 0:\n        os.setsid()\n        if os.fork() == 0: time.sleep(60)\n        os._exit(0)",
    "one that holds no files": "if os.fork() == 0:\n        os.setsid()\n        os.closerange(0, 100)\n        time.sleep(60)",
    "many": "for _ in range(20):\n        if os.fork() == 0:\n            os.setsid()\n            time.sleep(60)",
}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processes are looked up in /proc")
@pytest.mark.parametrize("body", SURVIVORS.values(), ids=SURVIVORS)
@pytest.mark.parametrize("end", ["return 1", "os._exit(0)", "time.sleep(60)"])
def test_nothing_that_it_started_survives(tmp_path: Path, body: str, end: str) -> None:
    text = f"import os, time\n{SIGNALLED}\ndef handler(event, context):\n    {body}\n    {end}\n"
    folder = tmp_path / uuid4().hex  # as no other run of the tests is called that goes on beside this one
    folder.mkdir()
    replies(written(folder, text), limits=Limits(seconds=1))
    assert alive(folder.name) == []


def test_temporary_folder_is_gone_afterwards(tmp_path: Path) -> None:
    body = "import os, tempfile\nopen(os.path.join(tempfile.gettempdir(), 'x'), 'w').write('x')\nreturn tempfile.gettempdir()"
    assert not Path(answered(tmp_path, body)).exists()
