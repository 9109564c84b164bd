"""Every sample of infrastructure code both ways: as a model that `import` writes, and through `functions: all`."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.fuzz.running import run
from tests.stacks.real import REAL
from tests.support import HOME

TESTS = HOME / "tests"
SAMPLES = sorted(
    {
        path
        for folder in (
            "samples",
            "evidence/samples",
            "evidence/wiring",
            "stacks/sam",
            "stacks/packaged",
            "fuzz/samples",
        )
        for path in (TESTS / folder).rglob("*")
        if path.suffix in {".json", ".yaml", ".yml"} and path.name not in {"labels.yaml", "flow.json", "library.yaml"}
    }
    | set((HOME / "examples").rglob("template.yaml"))
)
KINDS = ("plan", "serverless")
"""What a file is besides a template, as a part of its name."""
COMMANDS = (
    *("--report full", "--report md", "--json", "--dfd --full --view all", "--seq", "--pytm", "summary", "due", "ask"),
    *("explain event-injection", "paths", "paths --json", "reach account"),
)


@pytest.mark.slow
@pytest.mark.parametrize("path", [*SAMPLES, *REAL], ids=lambda path: "-".join(path.parts[-3:]))
def test_a_sample_is_checked_either_way(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    both_ways(path, tmp_path, monkeypatch, ())


@pytest.mark.long
@pytest.mark.parametrize("path", [*SAMPLES, *REAL], ids=lambda path: "-".join(path.parts[-3:]))
def test_no_command_fails_on_a_sample_either_way(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    both_ways(path, tmp_path, monkeypatch, COMMANDS)


def both_ways(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, commands: Sequence[str]) -> None:
    """Runs commands on the model that `import` writes of a file, and on one that takes all functions of the file."""
    if path in REAL:  # in one folder with others
        (tmp_path / "code").mkdir()
        shutil.copy(path, tmp_path / "code")
    else:
        shutil.copytree(path.parent, tmp_path / "code")
    monkeypatch.chdir(tmp_path)
    imported = run(("import", f"code/{path.name}", "-o", "imported.yaml"))
    assert imported.code in {0, 2}, imported.err
    models = ["imported.yaml"] if imported.code == 0 else []
    kind = next((kind for kind in KINDS if kind in path.stem), "template")
    text = f"name: All\nevidence: [{{{kind}: code/{path.name}, functions: all}}]\n"
    Path("all.yaml").write_text(text, encoding="utf-8")
    for model in (*models, "all.yaml"):
        first = run(("-m", model, "check"))
        assert first.code in ({0, 1} if model == "imported.yaml" else {0, 1, 2}), first.err
        ended = {one: run(("-m", model, *one.split())) for one in commands if first.code != 2}
        assert {one: found.err for one, found in ended.items() if found.code not in {0, 1}} == {}, model
    if models and commands:
        assert run(("diff", "imported.yaml", "all.yaml")).code in {0, 1, 2}
