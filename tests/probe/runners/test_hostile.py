"""Hostile handlers, run by this user and, where this is root, by one without any rights: what each tries comes to nothing.

As in test_confinement.py an attempt fails, or the measure against it is told not to hold; limits hold everywhere.
"""

# ruff: noqa: E501 - many a handler here is one line of text

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.probe.runners.test_confinement import CONNECTS, PROGRAMS, READS, SIGNALS, WRITES
from tests.probe.running import LIMITS, written
from tests.support import HOME
from threatmodel.probe.outside import outside
from threatmodel.probe.protocol import Call, Scenario
from threatmodel.probe.runners.confinement.measures import MEASURES
from threatmodel.probe.runners.target import runner_for

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the measures are Linux's"),
]

NOBODY = 65534
CANARY = "canary-of-ours"
MARK = "61.4321"  # how long a stray would sleep: it is known by that again
FORGED = '{"answer": "\\"forged\\""}'
RUN = """
import json, sys
sys.path.insert(0, sys.argv[1])
from threatmodel.probe.protocol import Call, Limits, Scenario
from threatmodel.probe.runners.target import runner_for
for line in open(sys.argv[2], encoding="utf-8"):
    file, event = json.loads(line)
    runner = runner_for(file, limits=Limits(seconds=8, memory=192 * 1024 * 1024, output=200_000))
    held = {one.name: one.holds for one in runner.confine()}
    (reply,) = runner.run(Scenario(name="hostile", calls=(Call(event=event),)))
    print(json.dumps([held, reply.ended, reply.body, len(reply.logs)]))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    """What came of an attempt: which measures held, how it ended, what it answered, and how much was printed."""

    held: dict[str, bool]
    ended: str
    body: Any
    printed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A handler's lines by language, and whether what came of it is as it must be."""

    python: str = ""
    node: str = ""
    event: dict[str, Any] = field(default_factory=dict)
    ok: Callable[[Came], bool]


FORKS = """
    made = 0
    for _ in range(600):
        try: child = os.fork()
        except OSError: break
        if child == 0:
            time.sleep(30)
            os._exit(0)
        made += 1
    return made
"""
FILLS = """
    written = 0
    try:
        for number in range(12):
            with open(f"/tmp/full-{number}", "wb") as file:
                for _ in range(16): written += file.write(bytes(1 << 20))
    except OSError: pass
    return written
"""
FILLS_IN_NODE = """
    let written = 0;
    try {
        for (let number = 0; number < 12; number++) {
            const file = fs.openSync(`/tmp/full-${number}`, "w");
            for (let part = 0; part < 16; part++) written += fs.writeSync(file, Buffer.alloc(1 << 20));
        }
    } catch {}
    return written;
"""
OUTLIVES = f"""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep({MARK})
        os._exit(0)
    return 1
"""
OUTLIVES_IN_NODE = f"""
    const {{ Process }} = process.binding('process_wrap');
    const made = new Process();
    made.onexit = () => {{}};
    const failed = made.spawn({{ file: '/bin/sleep', args: ['sleep', '{MARK}'], detached: true, stdio: [] }});
    setTimeout(() => {{}}, {MARK} * 1000);
    return failed ? 1 : 2;
"""
FORGES = f"""
    for number in range(3, 100):
        try: os.write(number, {FORGED!r}.encode() + b"\\n")
        except OSError: pass
    return "genuine"
"""
FORGES_IN_NODE = f"""
    for (let number = 3; number < 100; number++) try {{ fs.writeSync(number, {FORGED!r} + "\\n"); }} catch {{}}
    return "genuine";
"""
ATTEMPTS = {
    "reads credentials": Attempt(
        python=READS["python"],
        node=READS["node"],
        event={"places": ["{environ}", "{credentials}"]},
        ok=lambda came: CANARY not in json.dumps(came.body) or not (came.held["processes"] and came.held["files"]),
    ),
    "reaches this machine": Attempt(
        python=CONNECTS["python"],
        node=CONNECTS["node"],
        event={"host": "127.0.0.1", "port": "{port}"},
        ok=lambda came: came.body is False or not came.held["network"],
    ),
    "signals": Attempt(
        python=SIGNALS["python"],
        node=SIGNALS["node"],
        event={"numbers": ["{process}"]},
        ok=lambda came: came.body == [] or not came.held["processes"],
    ),
    "starts a program": Attempt(
        python=PROGRAMS["python"],
        node=PROGRAMS["node"],
        ok=lambda came: came.body != 7 or not came.held["programs"],
    ),
    "writes elsewhere": Attempt(
        python=WRITES["python"],
        node=WRITES["node"],
        event={"places": ["{folder}/written", "{folder}/bot/written"]},
        ok=lambda came: came.body == [] or not (came.held["writes"] and came.held["files"]),
    ),
    "forks without end": Attempt(python=FORKS, ok=lambda came: came.body < 600 or not came.held["number"]),
    "fills the disk": Attempt(
        python=FILLS, node=FILLS_IN_NODE, ok=lambda came: came.body <= 128 << 20 or not came.held["files"]
    ),
    "takes memory": Attempt(
        python="    kept = []\n    while True: kept.append(bytes(range(256)) * 40_000)",
        node="const kept = []; for (;;) kept.push(Buffer.alloc(1e7, 1));",
        ok=lambda came: came.ended == "memory",
    ),
    "floods": Attempt(
        python="    while True: os.write(2, b'x' * 100_000)",
        node="for (;;) try { fs.writeSync(1, 'x'.repeat(100_000)); } catch {}",
        ok=lambda came: came.ended == "output" and came.printed <= 204_096,  # what one call may print beside it
    ),
    "outlives": Attempt(python=OUTLIVES, node=OUTLIVES_IN_NODE, ok=lambda came: came.body == 1 and not strays()),
    "forges an answer": Attempt(python=FORGES, node=FORGES_IN_NODE, ok=lambda came: came.body in {"genuine", ""}),
}


def strays() -> list[str]:
    """Processes that go on sleeping."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if MARK in words and "pytest" not in words:
            found.append(words)
    return found


def interpreter(user: int) -> str:
    """An interpreter that a user can start, with what the probe needs; '' where there is none."""
    if user == os.geteuid():
        return sys.executable
    for name in ("python3.14", "python3.13", "python3.12", "python3.11"):
        found = shutil.which(name, path="/usr/bin:/usr/local/bin")
        if found and subprocess.run([found, "-c", "import yaml"], check=False, capture_output=True).returncode == 0:
            return found
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A folder that a user reads, with the toolkit in it, and what starts it."""

    user: int
    folder: Path
    python: str
    process: int
    port: int


@pytest.fixture(scope="module", params=["this user", "a user without rights"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    user = os.geteuid()
    if request.param != "this user":
        if user != 0:
            pytest.skip("only root runs something as somebody else")
        user = NOBODY
    python = interpreter(user)
    if not python:
        pytest.skip("no interpreter with PyYAML that another user can start")
    folder = Path(
        tempfile.mkdtemp(prefix="hostile-", dir="/var/tmp")
    )  # where others get to, and no handler has one of its own
    shutil.copytree(HOME / "threatmodel", folder / "home" / "threatmodel")
    (folder / "bot").mkdir()
    for open_to_all in (folder, folder / "bot"):
        open_to_all.chmod(0o777)
    (folder / "credentials").write_text(CANARY, encoding="utf-8")
    sleeping = subprocess.Popen(["/bin/sleep", "600"], env={"AWS_SECRET_ACCESS_KEY": CANARY}, user=user, group=user)
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield Place(user=user, folder=folder, python=python, process=sleeping.pid, port=server.getsockname()[1])
    sleeping.kill()
    sleeping.wait()
    shutil.rmtree(folder)


def filled(value: Any, place: Place) -> Any:
    """An event with what is known only now."""
    if isinstance(value, dict):
        return {name: filled(inner, place) for name, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, place) for inner in value]
    known = {"{process}": place.process, "{port}": place.port}
    if value in known:
        return known[value]
    known_texts = {"{environ}": f"/proc/{place.process}/environ", "{credentials}": f"{place.folder}/credentials"}
    return known_texts.get(value, str(value).replace("{folder}", str(place.folder)))


def value_of(body: str) -> Any:
    """What a handler answered: JSON, or the text itself."""
    try:
        return json.loads(body)
    except ValueError:
        return body


HEADS = {
    "python": "import ctypes, os, socket, sys, time\nlibc = ctypes.CDLL(None, use_errno=True)\ndef handler(event, context):\n",
    "node": "const fs = require('node:fs');\nexports.handler = async (event) => {\n",
}


@pytest.mark.parametrize("language", ["python", "node"])
@pytest.mark.parametrize("name", ATTEMPTS)
def test_it_comes_to_nothing(place: Place, name: str, language: str) -> None:
    attempt = ATTEMPTS[name]
    lines = attempt.python if language == "python" else attempt.node
    if not lines:
        pytest.skip("it starts no processes of its own kind")
    if language == "node" and shutil.which("node", path="/usr/bin:/usr/local/bin:/bin") is None:
        pytest.skip("no Node.js that another user can start")
    file = place.folder / "bot" / ("app.py" if language == "python" else "app.js")
    file.write_text(HEADS[language] + lines + ("\n" if language == "python" else "\n};\n"), encoding="utf-8")
    file.chmod(0o644)
    (place.folder / "asked").write_text(json.dumps([str(file), filled(attempt.event, place)]), encoding="utf-8")
    done = subprocess.run(
        [place.python, "-B", "-c", RUN, str(place.folder / "home"), str(place.folder / "asked")],
        user=place.user, group=place.user, extra_groups=[] if place.user else None, capture_output=True, text=True,
        check=False, env={"HOME": "/", "PATH": "/usr/local/bin:/usr/bin:/bin"}, cwd="/",
    )  # fmt: skip
    assert done.stderr == ""
    held, ended, body, printed = json.loads(done.stdout)
    came = Came(held=held, ended=ended, body=value_of(body), printed=printed)
    assert set(held) == set(MEASURES)
    assert attempt.ok(came), came


def test_what_it_says_that_it_read_shows_it_nothing(tmp_path: Path) -> None:
    """A hostile handler speaks for the child process: no file of the machine is compiled for it, or has a digest."""
    machine = tmp_path / "machine"
    machine.mkdir()
    (machine / "key.py").write_text("KEY = 'a key of this machine'\n", encoding="utf-8")
    text = f"""
        import gc, glob, sys
        def handler(event, context):
            (line,) = [one for one in gc.get_objects() if type(one).__name__ == "Line"]
            for told in (["{machine}/key.py", 5, {{}}, "relative"], 7, None):
                line.say({{"note": ["a", "b", "c"], "read": told}})
            line.news = dict
            return {{"statusCode": 200, "body": repr(glob.glob(sys.pycache_prefix + "/**/key*", recursive=True))}}
    """
    (tmp_path / "bot" / ".git").mkdir(parents=True)
    runner = runner_for(str(written(tmp_path, text, "bot/app.py")), limits=LIMITS)
    for _ in range(2):
        (reply,) = runner.run(Scenario(name="x", calls=(Call(event={}),), secret="s3cret"))
        assert (reply.status, reply.body) == (200, "[]"), reply.logs
    assert set(outside(tmp_path / "bot", runner.files_read).values()) <= {"0" * 64}
