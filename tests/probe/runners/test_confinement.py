"""Hostile handlers: what each tries comes to nothing where the measures against it hold, and which hold is told truly.

test_hostile.py has more of them, run by other users too.  Kernels and containers differ in what they allow.  So each
attempt either fails, or the measure against it is told not to hold; where everything holds, as for a user on a usual
Linux, everything must fail.
"""

# ruff: noqa: E501 - many a handler here is one line of text

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.probe.running import replies, written
from tests.support import HOME
from threatmodel.probe.command import ProbeOptions, confined, run
from threatmodel.probe.protocol import Limits
from threatmodel.probe.runners.confinement import limits
from threatmodel.probe.runners.confinement.look import look
from threatmodel.probe.runners.confinement.measures import MEASURES, Measure, described, from_words
from threatmodel.probe.runners.lambdas import LambdaRunner
from threatmodel.probe.runners.launching import Program
from threatmodel.probe.runners.target import runner_for
from threatmodel.reading.problems import InputError

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the measures are Linux's")

NODE = shutil.which("node") or ""
LANGUAGES = ["python", pytest.param("node", marks=pytest.mark.skipif(not NODE, reason="Node.js is not there"))]
LIMITS = Limits(seconds=20)


@pytest.fixture(scope="module")
def holding(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, bool]]:
    """Which measures hold here, by language."""
    folder = tmp_path_factory.mktemp("look")
    files = {"python": written(folder, "", "app.py"), "node": written(folder, "", "app.js")}
    programs = {name: Program(file=file.resolve(), node=NODE if name == "node" else "") for name, file in files.items()}
    return {
        name: {one.name: one.holds for one in look(program)}
        for name, program in programs.items()
        if name == "python" or NODE
    }


def tried(folder: Path, language: str, lines: str, **event: Any) -> Any:
    """What a handler of these lines comes back with, in either language."""
    if language == "python":
        text = f"import ctypes, os, socket, sys, time\nlibc = ctypes.CDLL(None, use_errno=True)\ndef handler(event, context):\n{lines}"
        file = written(folder, text, "bot/app.py")
    else:
        text = f"const fs = require('node:fs');\nexports.handler = async (event) => {{\n{lines}\n}};"
        file = written(folder, text, "bot/app.js")
    (reply,) = replies(file, event, limits=LIMITS)
    assert reply.ended == "", reply
    return json.loads(reply.body)


@contextlib.contextmanager
def process_with_a_secret() -> Iterator[int]:
    """A process of this user's that has a credential in its environment."""
    started = subprocess.Popen(["/bin/sleep", "60"], env={"AWS_SECRET_ACCESS_KEY": "canary-of-ours"})
    try:
        yield started.pid
    finally:
        started.kill()
        started.wait()


READS = {
    "python": """
    found = []
    for place in event["places"]:
        try: found.append(open(place, "rb").read().decode(errors="replace"))
        except OSError: pass
    return found
""",
    "node": "return event.places.flatMap((place) => { try { return [fs.readFileSync(place, 'utf8')]; } catch { return []; } });",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_reads_no_credentials(tmp_path: Path, language: str, holding: dict[str, dict[str, bool]]) -> None:
    own = written(tmp_path, "canary-of-ours", "home/.aws/credentials")
    with process_with_a_secret() as process:
        places = [f"/proc/{number}/environ" for number in (process, os.getpid(), os.getppid())]
        found = tried(tmp_path, language, READS[language], places=places)
    assert "canary-of-ours" not in json.dumps(found) or not holding[language]["processes"]
    assert tried(tmp_path, language, READS[language], places=[str(own)]) == [] or not holding[language]["files"]


CONNECTS = {  # below what the stubs replace
    "python": """
    made = libc.socket(2, 1, 0)
    address = (2).to_bytes(2, "little") + event["port"].to_bytes(2, "big") + bytes(map(int, event["host"].split("."))) + bytes(8)
    return libc.connect(made, address, 16) == 0
""",
    "node": """
    const { TCP, TCPConnectWrap } = process.binding('tcp_wrap');
    const made = new TCP(0), asked = new TCPConnectWrap();
    return await new Promise((done) => {
        asked.oncomplete = (status) => done(status === 0);
        if (made.connect(asked, event.host, event.port) !== 0) done(false);
    });
""",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_reaches_no_address_of_this_machine(
    tmp_path: Path, language: str, holding: dict[str, dict[str, bool]]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        reached = tried(tmp_path, language, CONNECTS[language], host="127.0.0.1", port=port)
    assert reached is False or not holding[language]["network"]
    if holding[language]["network"]:  # else the try itself may take a minute
        assert tried(tmp_path, language, CONNECTS[language], host="169.254.169.254", port=80) is False


SIGNALS = {
    "python": """
    done = []
    for number in event["numbers"]:
        try: os.kill(number, 0); done.append(number)
        except OSError: pass
    return done
""",
    "node": "return event.numbers.filter((number) => { try { return process.kill(number, 0); } catch { return false; } });",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_signals_no_process_of_ours(tmp_path: Path, language: str, holding: dict[str, dict[str, bool]]) -> None:
    with process_with_a_secret() as process:
        found = tried(tmp_path, language, SIGNALS[language], numbers=[process, os.getpid()])
    assert found == [] or not holding[language]["processes"]


PROGRAMS = {
    "python": "    return libc.system(b'exit 7') >> 8",
    "node": """
    const stdio = [0, 1, 2].map((fd) => ({ type: 'inherit', fd }));
    return process.binding('spawn_sync').spawn({ file: '/bin/sh', args: ['sh', '-c', 'exit 7'], stdio }).status ?? 127;
""",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_starts_no_program_below_the_language(
    tmp_path: Path, language: str, holding: dict[str, dict[str, bool]]
) -> None:
    assert tried(tmp_path, language, PROGRAMS[language]) != 7 or not holding[language]["programs"]


WRITES = {
    "python": """
    done = []
    for place in event["places"]:
        made = libc.open(place.encode(), os.O_WRONLY | os.O_CREAT, 0o644)
        if made >= 0: done.append(place)
    return done
""",
    "node": "return event.places.filter((place) => { try { fs.writeFileSync(place, 'x'); return true; } catch { return false; } });",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_writes_nowhere_but_in_its_own_tmp(
    tmp_path: Path, language: str, holding: dict[str, dict[str, bool]]
) -> None:
    ours = [
        tmp_path / "bot" / "bot.probe.json",
        tmp_path / "beside",
        HOME / f"written-by-{tmp_path.name}",
    ]
    places = [*map(str, ours), *(f"{folder}/x-{tmp_path.name}" for folder in ("/var/tmp", "/dev/shm"))]  # noqa: S108
    found = tried(tmp_path, language, WRITES[language], places=places)
    for place in map(Path, places):
        place.unlink(missing_ok=True)
    assert found == [] or not (holding[language]["writes"] and holding[language]["files"])
    mark = f"/tmp/left-by-{tmp_path.name}-{language}"  # noqa: S108 - Lambda's
    assert tried(tmp_path, language, WRITES[language], places=[mark]) == [mark]
    left = Path(mark).exists()
    Path(mark).unlink(missing_ok=True)
    assert not left or not holding[language]["files"]


def test_it_makes_none_of_the_calls_that_lead_out(tmp_path: Path, holding: dict[str, dict[str, bool]]) -> None:
    lines = """
    tries = [libc.ptrace(16, os.getppid(), 0, 0), libc.unshare(0x10000000), libc.chroot(b"/tmp"), libc.mount(b"x", b"/tmp", b"tmpfs", 0, 0)]
    return [answer for answer in tries if answer != -1]
"""
    assert tried(tmp_path, "python", lines) == [] or not holding["python"]["programs"]


def test_a_folder_that_only_holds_trees_of_groups_is_no_group(tmp_path: Path) -> None:
    """Where version 1 and 2 stand side by side, the folder above them is an ordinary one that takes any file."""
    assert limits.groups("probe-x", 1, str(tmp_path)) == []
    assert list(tmp_path.iterdir()) == []


# --- what is told


def test_every_measure_is_told_in_words() -> None:
    some = from_words({"files": "", "network": "unshare: Operation not permitted"})
    assert [one.name for one in some] == list(MEASURES)
    lines = described(some)
    assert "files: holds" in lines
    assert "network: does not hold (unshare: Operation not permitted)" in lines
    assert "user: does not hold (it was not tried)" in lines


@pytest.mark.slow
def test_the_result_names_what_held(tmp_path: Path) -> None:
    from threatmodel.reading.files import Files
    from threatmodel.render.probe import probed

    file = written(tmp_path, "def handler(event, context): return {'statusCode': 401}\n")
    asked = ProbeOptions(target=str(file), secret_env="S", unconfined=True)
    import datetime

    result, _ = run(asked, Files(), datetime.datetime.now(datetime.UTC))
    assert [line.partition(":")[0] for line in result.isolation] == list(MEASURES)
    head = probed(result, {})
    for line in result.isolation:
        name, _, state = line.partition(": ")
        assert state == "holds" or f"NOT ISOLATED in its {name}" in head


class Open(LambdaRunner):
    """A runner on a machine where a measure does not hold."""

    def confine(self) -> tuple[Measure, ...]:
        return from_words(dict.fromkeys(MEASURES, "") | {"network": "unshare: Operation not permitted"})


def test_root_runs_nothing_that_is_not_isolated_unless_told_to(tmp_path: Path) -> None:
    runner = Open(Program(file=tmp_path / "app.py"), secret_env="S", environment={}, limits=LIMITS)
    assert len(confined(runner, True)) == len(MEASURES)
    if os.geteuid() != 0:
        assert len(confined(runner, False)) == len(MEASURES)
        return
    with pytest.raises(InputError) as raised:
        confined(runner, False)
    (problem,) = raised.value.problems
    assert (problem.code, "unshare: Operation not permitted" in problem.message) == ("cannot-probe", True)
    assert "--unconfined" in problem.hint


def test_what_held_when_it_was_looked_at_must_hold_when_it_runs(tmp_path: Path) -> None:
    runner = runner_for(str(written(tmp_path, "def handler(event, context): return 1\n")))
    assert isinstance(runner, LambdaRunner)
    held = {one.name for one in runner.confine() if one.holds}
    assert set(vars(runner)["_program"].required) == held
