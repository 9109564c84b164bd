"""Launchers are copies of a process that read everything once: each is as a new one would be, and none is left over."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from tests.probe.running import replies, written
from threatmodel.probe.protocol import Call, Scenario
from threatmodel.probe.runners import starting
from threatmodel.probe.runners.target import runner_for

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks processes up as Linux has them")

FIRST = """
import os, time
def handler(event, context):
    return {"statusCode": 200, "body": f"{hash('a')} {time.strftime('%H', time.gmtime(0))} {sorted(os.environ)}"}
"""


def starters() -> list[int]:
    """The processes of this one that make launchers."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == os.getpid() and b"starter.main()" in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def test_environments_of_one_scenario_share_no_seed_of_hash(tmp_path: Path) -> None:
    runner = runner_for(str(written(tmp_path, FIRST)))
    calls = (Call(event={}), Call(event={}), Call(event={}, fresh=True), Call(event={}, fresh=True))
    told = [reply.body.split()[0] for reply in runner.run(Scenario(name="test", calls=calls, secret="s"))]
    assert told[0] == told[1]
    assert len(set(told)) == 3


def test_a_handler_sees_its_own_variables_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI_TOKEN", "canary-of-ours")
    (reply,) = replies(written(tmp_path, FIRST), environment={"TABLE": "orders"})
    assert "'TABLE'" in reply.body
    assert "CI_TOKEN" not in reply.body


def test_its_time_zone_is_the_one_that_it_is_given(tmp_path: Path) -> None:
    text = "import time\ndef handler(event, context): return {'statusCode': 200, 'body': time.tzname[0]}\n"
    (reply,) = replies(written(tmp_path, text), environment={"TZ": "XYZ3"})
    assert reply.body == "XYZ"


def test_where_the_copied_process_is_gone_there_is_a_new_one(tmp_path: Path) -> None:
    file = written(tmp_path, "def handler(event, context): return {'statusCode': 200, 'body': 'ok'}\n")
    assert replies(file)[0].body == "ok"
    before = starters()
    assert before
    for process in before:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
    assert replies(file)[0].body == "ok"
    assert not set(starters()) & set(before)


def test_one_that_is_killed_says_so() -> None:
    launcher = starting.started({"environment": {}, "folder": "/nowhere", "python": sys.executable})
    assert launcher.wait() not in {None, 0}
    os.close(launcher.output)
