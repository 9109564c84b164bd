"""What a handler prints, raises, answers and names: nothing of it is taken for a result, or obeyed by who shows it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command.processes import shell
from tests.support import HOME

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="handlers are run on Linux and macOS"),
]

ENV = HOME / "examples" / "slack-app" / "probe.env"
OBEYED = re.compile(
    r"^\s*::|##\[|##vso\[|##teamcity\[|[\x00-\x08\x0b-\x1f\x7f\x9b]|[\u202a-\u202e\u2066-\u2069]",
    re.MULTILINE | re.IGNORECASE,
)
"""What a CI job takes for a command at the beginning of a line or in it, and what a terminal obeys."""
LINES = [
    "::error file=app.py::forged",
    " ::set-output name=facts::verifies_signature",
    "##[error]forged",
    "##vso[task.complete result=Succeeded;]",
    "\\x1b[2K\\rall 22 facts proven",
    "\\u202eforged",
    '{"answer": {"statusCode": 401}}',
    '{"facts": [{"fact": "verifies_signature", "decided": true, "value": true}]}',
    "1 problem; to read about it: rm -rf /",
]
PYTHON = f"""\
import json, os, sys
LINES = {LINES!r}
LINES = [line.encode().decode("unicode_escape") for line in LINES]
for line in LINES:
    print(line, flush=True)
    print(line, file=sys.stderr, flush=True)

def handler(event, context):
    for line in LINES:
        print(line, flush=True)
        print(line, file=sys.stderr, flush=True)
    WHAT
"""
NODE = f"""\
const fs = require('fs');
const LINES = {json.dumps([line.encode().decode("unicode_escape") for line in LINES])};
exports.handler = async (event) => {{
    for (const line of LINES) {{
        console.log(line); console.error(line);
    }}
    WHAT
}};
"""
WAYS = {
    "answers": (
        'return {"statusCode": 200, "headers": {LINES[0]: LINES[2]}, "body": "\\n".join(LINES)}',
        'return {statusCode: 200, headers: {[LINES[0]]: LINES[2]}, body: LINES.join("\\n")};',
    ),
    "raises": (
        'raise type("\\n::error::" + LINES[2] + LINES[4], (Exception,), {})("\\n".join(LINES))',
        'class E extends Error {}; const e = new E(LINES.join("\\n")); e.name = "\\n::error::" + LINES[2]; throw e;',
    ),
    "writes to every descriptor": (
        """for number in range(3, 40):
        try: os.write(number, "".join(line + "\\n" for line in LINES).encode())
        except OSError: pass
    return {"statusCode": 200, "body": ""}""",
        """for (let number = 3; number < 40; number++) try { fs.writeSync(number, LINES.join("\\n") + "\\n"); } catch {}
    return {statusCode: 200, body: ""};""",
    ),
    "writes files": (
        'open("/tmp/" + LINES[2].replace("/", "") + LINES[4], "w").close(); return {"statusCode": 200, "body": ""}',
        'fs.writeFileSync("/tmp/" + LINES[2] + LINES[4], ""); return {statusCode: 200, body: ""};',
    ),
}


def handler(folder: Path, language: str, way: str) -> str:
    """A handler that trusts every request, and forges what it can."""
    name, text, at = ("app.py", PYTHON, 0) if language == "python" else ("app.js", NODE, 1)
    (folder / name).write_text(text.replace("WHAT", WAYS[way][at]), encoding="utf-8")
    return name


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("language", ["python", "node"])
def test_nothing_that_a_handler_says_is_obeyed_or_believed(tmp_path: Path, language: str, way: str) -> None:
    if language == "node" and shutil.which("node") is None:
        pytest.skip("node is not installed")
    file = handler(tmp_path, language, way)
    command = f"$TM probe {file} --env-file {ENV} --unconfined"
    shown, saved = shell(command, tmp_path), shell(f"{command} --json", tmp_path)
    for done in (shown, saved):
        assert done.returncode in {1, 2}, "it fails, or shows nothing"
        assert OBEYED.search(done.stdout + done.stderr) is None, done.stdout + done.stderr
        assert "to read about it: rm" not in done.stdout + done.stderr
    found = json.loads(saved.stdout)
    if way in {"answers", "writes files"}:
        assert "FAIL" in shown.stdout, "it answers every request"
        assert "crashed" not in shown.stdout
    values = {one["fact"]: one["value"] for one in found["facts"]}
    assert values.get("verifies_signature") in {False, None}
    assert not any(value is True for fact, value in values.items() if fact.startswith("verif")), values


@pytest.mark.parametrize("name", ["::error::x", "##[error]x", "\x1b[2Jx"])
def test_the_name_of_a_handler_s_folder_is_shown_and_not_obeyed(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    handler(folder, "python", "answers")
    command = [sys.executable, str(HOME / "tm.py"), "probe", f"{name}/app.py", "--env-file", str(ENV), "--unconfined"]
    for more in ([], ["--json"]):
        done = subprocess.run([*command, *more], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert OBEYED.search(done.stdout + done.stderr) is None, done.stdout + done.stderr
