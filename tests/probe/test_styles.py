"""Handlers as people write them, read by hand: a run says what the reading says, or says that it cannot say."""

from __future__ import annotations

import datetime
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from threatmodel.probe.asked_for import variables_asked_for
from threatmodel.probe.command import ProbeOptions, run
from threatmodel.probe.made_up import environment_file
from threatmodel.reading.files import Files
from threatmodel.render.probe import exit_code

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="handlers are not run on Windows"),
]

FOLDER = Path(__file__).with_name("styles")
TABLE: dict[str, Any] = yaml.safe_load((FOLDER / "by_hand.yaml").read_text(encoding="utf-8"))
REACHES_ZERO = {"dynamodb_store.py.txt", "stateless.py.txt"}
FIRST = {
    "default_secret.py.txt",
    "extension.py.txt",
    "stateless.py.txt",
    "two_secrets.py.txt",
}
"""Those that the ordinary tests run, one for each kind of verdict; the others, and those in
JavaScript, each of whose requests starts a Node.js of its own, are run with `long`."""


def handler(name: str) -> Any:
    marks = [] if name in FIRST else [pytest.mark.long]
    if not name.endswith(".txt"):
        marks.append(pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed"))
    return pytest.param(name, marks=marks)


@pytest.mark.parametrize("name", [handler(name) for name in sorted(TABLE["handlers"])])
def test_a_run_says_what_the_reading_says_or_leaves_it_open(name: str, tmp_path: Path) -> None:
    row = TABLE["handlers"][name]
    by_hand = TABLE["usual"] | row.get("differs", {})
    left_open = set(by_hand) if row.get("open") == "all" else set(row.get("open", ()))
    file = tmp_path / "bot" / f"app.{name.split('.')[1]}"
    file.parent.mkdir()
    shutil.copy(FOLDER / name, file)
    made_up = tmp_path / "probe.env"
    made_up.write_text(environment_file(variables_asked_for(file, Files()), "app", {}), encoding="utf-8")
    provide = () if file.suffix == ".py" else ("aws-sdk",)
    asked = ProbeOptions(target=str(file), secret_env="", variables_file=made_up, provide=provide, unconfined=True)
    result, _ = run(asked, Files(), datetime.datetime.now(datetime.UTC))
    assert result.decided == {fact: value for fact, value in by_hand.items() if fact not in left_open}
    assert (exit_code(result) == 0) is (name in REACHES_ZERO)


def test_every_handler_was_read() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {*TABLE["handlers"], "by_hand.yaml"}
    assert set(TABLE["handlers"]) >= FIRST | REACHES_ZERO
