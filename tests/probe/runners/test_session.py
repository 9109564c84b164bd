"""What a process says and how it ends is heard in order, however busy the machine is."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from tests.probe.running import written
from threatmodel.probe.protocol import Limits
from threatmodel.probe.runners.aws import World
from threatmodel.probe.runners.launching import Program
from threatmodel.probe.runners.session import Message, Session

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="waits for a process as Linux has them")


def heard(file: Path, *, times: int) -> list[Message]:
    """What is heard by a listener that gets to run only when the process has ended."""

    async def listen() -> list[Message]:
        async with Session(Program(file=file), World(None), Limits(seconds=5), {"PATH": "/usr/bin"}, None) as session:
            session.launcher.wait()  # holding the loop up is the point
            return [await session.hear() for _ in range(times)]

    return asyncio.run(listen())


@pytest.mark.parametrize("text", ["def run(event, context): pass\n", "raise ValueError\n", "import no_such_package\n"])
def test_what_was_said_before_the_end_is_heard_before_the_end(tmp_path: Path, text: str) -> None:
    told, ended = heard(written(tmp_path, text), times=2)
    assert not isinstance(told, str)
    assert "unable" in told
    assert ended == "exit"


def test_an_end_without_a_word_is_an_end(tmp_path: Path) -> None:
    assert heard(written(tmp_path, "import os\nos._exit(0)\n"), times=1) == ["exit"]
    assert heard(written(tmp_path, "import os\nos.abort()\n"), times=1) == ["crash"]
