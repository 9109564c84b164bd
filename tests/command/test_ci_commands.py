"""Whatever a model holds, no line of any output is a command of the CI job that prints it."""

from __future__ import annotations

import copy
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.fuzz.mutating import spots
from tests.fuzz.running import run
from tests.support import HOME
from threatmodel.model.load import load_model
from threatmodel.reading.files import Files
from threatmodel.reading.problems import InputError
from threatmodel.reading.source import parse

COMMAND = re.compile(r"\A\s*::|##(?:\w*)\[", re.IGNORECASE)
"""GitHub reads `::` at the start of a line without the blanks around it and `##[` anywhere, Azure Pipelines `##vso[`,
TeamCity `##teamcity[`."""

EVIL = (
    "::error::x",
    "  ::set-output name=a::b",
    "\u3000::add-mask::x",
    "x ##[group]y ##vso[task.setvariable variable=a]b ##teamcity[message text='x']",
    " ".join(["::error::x"] * 10),
    "##[error]::x",
    "x\r::stop-commands::y\n::error::x\x85::error::z\u2028::error::w",
)
MODEL = json.loads(json.dumps(parse((HOME / "docs" / "example.yaml").read_text(encoding="utf-8"), "").root))
"""A model with one of everything."""
MODEL["uses"] = ["platform.yaml"]
COMMANDS = (
    *("check", "check -v", "check --format text", "check --format json", "check --format sarif"),
    *(
        "check --format gitlab",
        "check --format junit",
        "check --format markdown",
        "check --strict --ignore-acceptances",
    ),
    *(
        "--report md",
        "--report full.md",
        "--report html",
        "--report full",
        "--json",
        "--dfd",
        "--dfd --full --view all",
    ),
    *("--dfd --view identity", "--seq", "--seq mermaid", "--pytm", "--list", "summary", "due", "due --within 9999"),
    *(
        "export findings",
        "export actions",
        "export questions",
        "paths",
        "paths --json",
        "paths --whole 99",
        "reach account",
    ),
    *("ask", "explain api-flood", "diff model.yaml harmless.yaml", "diff harmless.yaml model.yaml"),
    *("diff harmless.yaml model.yaml --format json", "diff harmless.yaml model.yaml --format markdown"),
    *("new function x-y", "check wrong.yaml", "--dfd -m wrong.yaml"),
)


def commands_in(text: str) -> list[str]:
    """The lines of a text that a runner obeys, whatever ends a line for it."""
    return [line for line in re.split(r"[\n\r\x0b\x0c\x85\u2028\u2029]", text) if COMMAND.search(line)]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that holds what the model stands on."""
    shutil.copy(HOME / "models" / "platform.yaml", tmp_path)
    shutil.copytree(HOME / "docs" / "example-library", tmp_path / "example-library")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "harmless.yaml").write_text(json.dumps(MODEL), encoding="utf-8")
    return tmp_path


def takes(data: Any) -> bool:
    try:
        load_model(Files(texts={"model.yaml": json.dumps(data)}), Path("model.yaml"))
    except InputError:
        return False
    return True


def hostile(evil: str) -> tuple[Any, int]:
    """The model with a text wherever it takes any, and at how many places that is."""
    data = copy.deepcopy(MODEL)
    count = 0
    for node, key in list(spots(data)):
        before = node[key]
        if isinstance(before, str) and key not in {"if", "holds"}:  # conditions, which are checked later
            for written in (evil, " ".join(evil.split())):
                node[key] = written
                if takes(data):
                    count += 1
                    break
            else:
                node[key] = before
    return data, count


@pytest.mark.slow
@pytest.mark.parametrize("evil", EVIL)
def test_no_line_of_any_output_is_a_command(evil: str, project: Path) -> None:
    data, count = hostile(evil)
    assert count > 20
    (project / "model.yaml").write_text(yaml.safe_dump(data), encoding="utf-8")
    (project / "wrong.yaml").write_text(json.dumps({**data, "functions": {evil: evil}, evil: evil}), encoding="utf-8")
    for command in COMMANDS:
        ended = run((*command.split(), *(() if "diff" in command or "wrong" in command else ("-m", "model.yaml"))))
        assert ended.code in {0, 1, 2}, (command, ended.err)
        assert commands_in(ended.out + "\n" + ended.err) == [], command
