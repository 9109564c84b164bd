"""The README's table of two handlers is what the probe says of them."""

from __future__ import annotations

import json
import re
import shutil

import pytest

from tests.support import HOME
from threatmodel.command.main import main

pytestmark = pytest.mark.slow

README = HOME / "README.md"
TABLE = re.compile(r"(?<=<!-- probes -->\n).*?(?=<!-- /probes -->)", re.DOTALL)
HANDLERS = {
    "the reference": ("examples/slack-app/app.py", "--env-file", "examples/slack-app/probe.env"),
    "the article's": ("examples/article/handler.js", "--provide", "aws-sdk"),
}


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_readme_shows_both(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(HOME)
    rows: dict[str, list[str]] = {}
    for arguments in HANDLERS.values():
        main(["probe", *arguments, "--json", "--unconfined"])
        for row in json.loads(capsys.readouterr().out)["rows"]:
            if row["level"] == "required":
                rows.setdefault(row["title"], []).append(
                    {"passed": "pass", "failed": "**FAIL**"}.get(row["outcome"], row["outcome"])
                )
    lines = [f"| what is asked | {' | '.join(HANDLERS)} |", f"| --- |{' --- |' * len(HANDLERS)}"]
    lines += [f"| {title} | {' | '.join(outcomes)} |" for title, outcomes in rows.items()]
    table = "\n".join(lines) + "\n"
    text = README.read_text(encoding="utf-8")
    if request.config.getoption("--update-golden"):
        README.write_text(TABLE.sub(lambda _: table, text), encoding="utf-8")
    (shown,) = TABLE.findall(README.read_text(encoding="utf-8"))
    assert shown == table
