"""An output replaces what an earlier run wrote, what is empty, and what `--force` may: nothing else."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from threatmodel.reading.problems import InputError
from threatmodel.reading.replacing import SOURCES, Replacing
from threatmodel.reading.written import remember

MARKED = "# Report\n\nWritten by threatmodel 1.0\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a tracked file, as the working directory."""
    monkeypatch.setenv("TM_CACHE", "off")
    root = tmp_path / "project"
    root.mkdir()
    monkeypatch.chdir(root)
    Path("tracked.md").write_text("# Mine\n", encoding="utf-8")
    Path("mine.md").write_text("# Mine\n", encoding="utf-8")
    for arguments in (["init", "-q"], ["add", "tracked.md"]):
        subprocess.run(["git", *arguments], check=True)
    return root


def refused(path: str | Path, replacing: Replacing | None = None) -> tuple[str, str, str] | None:
    """The code, place and hint of a refusal; None where the output may be written."""
    try:
        (replacing or Replacing()).check(Path(path))
    except InputError as error:
        (problem,) = error.problems
        return problem.code, problem.place.file, problem.hint
    return None


def test_what_is_known_as_an_output_is_replaced(project: Path) -> None:
    (project / "empty.md").touch()
    (project / "marked.md").write_text(MARKED, encoding="utf-8")
    for name in ("new.md", "empty.md", "marked.md", "gone/new.md"):
        assert refused(name) is None
        assert refused(name, Replacing(force=True)) is None
    for name in (os.devnull, "/dev/stdout"):
        assert refused(name) is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_pipe_takes_any_output(project: Path) -> None:
    os.mkfifo(project / "pipe.yaml")
    assert refused("pipe.yaml") is None


def test_what_was_written_before_is_known_by_its_digest(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TM_CACHE", str(project.parent / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(project.parent / "config"))
    path = project / "mine.md"
    remember(path)
    assert refused(path) is None
    path.write_text("# Edited\n", encoding="utf-8")
    assert (refused(path) or ("",))[0] == "not-replaced"


def test_a_file_of_the_users_is_replaced_by_force_unless_git_tracks_it(project: Path) -> None:
    assert project.is_dir()
    code, place, hint = refused("mine.md") or ("", "", "")
    assert (code, place) == ("not-replaced", "mine.md")
    assert "add --force to replace this one" in hint
    assert refused("mine.md", Replacing(force=True)) is None
    for replacing in (Replacing(), Replacing(force=True)):
        code, place, hint = refused("tracked.md", replacing) or ("", "", "")
        assert (code, place) == ("not-replaced", "tracked.md")
        assert "--force replaces no file that git tracks" in hint


@pytest.mark.parametrize("tracked", ["link", "target"])
def test_a_link_or_its_target_that_git_tracks_is_not_replaced(project: Path, tracked: str) -> None:
    (project / "link.md").symlink_to("tracked.md" if tracked == "target" else "mine.md")
    if tracked == "link":
        subprocess.run(["git", "add", "link.md"], check=True)
    assert (refused("link.md", Replacing(force=True)) or ("",))[0] == "not-replaced"


def test_where_git_cannot_be_asked_nothing_is_forced(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert project.is_dir()
    monkeypatch.setenv("PATH", "")
    assert (refused("mine.md", Replacing(force=True)) or ("",))[0] == "not-replaced"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads every file")
def test_what_cannot_be_read_is_not_known_as_an_output(project: Path) -> None:
    (project / "marked.md").write_text(MARKED, encoding="utf-8")
    (project / "marked.md").chmod(0)
    assert (refused("marked.md") or ("",))[0] == "not-replaced"


@pytest.mark.parametrize("ending", sorted([*SOURCES, ".PY", ".Yaml"]))
def test_no_output_has_the_ending_of_a_source(project: Path, ending: str) -> None:
    assert project.is_dir()
    found = refused(f"new{ending}", Replacing(force=True))
    assert found == ("unknown-format", f"new{ending}", "name the output otherwise")
    assert refused(f"new{ending}", Replacing(sources=[ending.lower()])) is None
    assert (refused(f"new{ending}", Replacing(sources=[".other"])) or ("",))[0] == "unknown-format"


def test_the_sources_are_those_of_models_infrastructure_and_handlers() -> None:
    models = {".yaml", ".yml", ".template", ".toml", ".tf", ".tfvars", ".j2", ".env", ".sh"}
    scripts = {".py", ".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx"}
    assert models | scripts | {".go", ".java", ".cs", ".rb", ".rs"} == SOURCES


def test_a_folder_an_input_and_a_way_out_are_refused_even_by_force(project: Path) -> None:
    (project / "folder").mkdir()
    (project / "read.md").write_text(MARKED, encoding="utf-8")
    (project / "link.md").symlink_to("read.md")
    (project / "out.md").symlink_to("../out.md")
    force = Replacing(force=True, inputs=[Path("read.md").absolute()])
    assert refused("folder", force) == ("unwritable-file", "folder", "name a file")
    for name in ("read.md", "link.md"):
        assert refused(name, force) == ("unwritable-file", f"output {name}", "name another file")
        assert refused(name) is None
    assert (refused("out.md", force) or ("",))[:2] == ("outside-project", "out.md")
