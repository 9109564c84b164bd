"""Git is asked about the repository that holds `.git`, and nothing that a pull request holds steers it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from threatmodel.reading.git import git, is_tracked, located
from threatmodel.reading.problems import InputError

IDENTITY = ("-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "init.defaultBranch=main")


def call(*arguments: str) -> str:
    done = subprocess.run(["git", *IDENTITY, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one committed file, and the working directory at its top."""
    folder = tmp_path / "shop"
    (folder / "models").mkdir(parents=True)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    Path("models/shop.yaml").write_text("name: Shop\n", encoding="utf-8")
    call("init", "-q")
    call("add", "-A")
    call("commit", "-qm", "one")
    return folder


def refused(path: str) -> str:
    with pytest.raises(InputError) as caught:
        located(Path(path))
    (problem,) = caught.value.problems
    return problem.code


def fake_bare(folder: Path, *settings: str) -> None:
    """What git takes for a bare repository: files that anyone can commit."""
    for name in ("objects", "refs/heads"):
        (folder / name).mkdir(parents=True)
    (folder / "HEAD").write_text("ref: refs/heads/main\n", encoding="utf-8")
    lines = "".join(f"\t{setting}\n" for setting in settings)
    (folder / "config").write_text(f"[core]\n\trepositoryformatversion = 0\n{lines}", encoding="utf-8")


def test_a_file_is_located_by_the_path_that_names_it(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = (shop, Path("models/shop.yaml"))
    assert located(Path("models/shop.yaml")) == at
    assert located(shop / "models" / "shop.yaml") == at
    assert located(Path("gone/later.yaml")).path == Path("gone/later.yaml")
    Path("models/link.yaml").symlink_to("shop.yaml")
    assert located(Path("models/link.yaml")).path == Path("models/link.yaml"), "a link is compared as a link"
    monkeypatch.chdir(shop / "models")
    assert located(Path("shop.yaml")) == at
    monkeypatch.chdir(shop.parent)
    assert refused("x.yaml") == "unknown-revision"
    (shop.parent / "way").symlink_to(shop)
    assert located(Path("way/models/shop.yaml")) == at


@pytest.mark.parametrize("setting", ["bare = true", "bare = false", "worktree = ..", "worktree = ../.."])
def test_a_bare_repository_that_is_committed_is_an_error(shop: Path, setting: str) -> None:
    fake_bare(shop / "models", setting)
    assert refused("models/shop.yaml") == "other-repository"
    assert git(shop, "rev-parse", "--verify", "HEAD"), "the repository itself is asked all the same"


def test_a_bare_repository_elsewhere_in_the_tree_changes_nothing(shop: Path) -> None:
    fake_bare(shop / "other")
    fake_bare(shop / "models" / "below")
    assert located(Path("models/shop.yaml")).root == shop


@pytest.mark.parametrize("kind", ["folder", "file", "clone", "empty", "link to the top"])
def test_a_repository_inside_the_repository_is_an_error(shop: Path, tmp_path: Path, kind: str) -> None:
    nested = shop / "models" / ".git"
    if kind == "folder":
        nested.mkdir()
        fake_bare(nested)
    elif kind == "file":
        fake_bare(tmp_path / "elsewhere")
        nested.write_text(f"gitdir: {tmp_path / 'elsewhere'}\n", encoding="utf-8")
    elif kind == "clone":
        call("init", "-q", "models")
    elif kind == "empty":
        nested.mkdir()
    else:
        (shop / "models").rename(shop / "before")
        (shop / "models").symlink_to(".")
    assert refused("models/shop.yaml") == "other-repository"
    with pytest.raises(InputError, match="'models' is a repository inside another one"):
        located(shop / "models" / "shop.yaml")


def test_worktrees_and_submodules_are_repositories_of_their_own(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    call("worktree", "add", "-q", str(tmp_path / "tree"))
    assert located(tmp_path / "tree" / "models" / "shop.yaml").root == tmp_path / "tree"
    call("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(shop), "sub")
    assert refused("sub/models/shop.yaml") == "other-repository"
    monkeypatch.chdir(shop / "sub")
    assert located(Path("models/shop.yaml")) == (shop / "sub", Path("models/shop.yaml"))
    assert git(shop / "sub", "rev-parse", "HEAD").decode().strip() == call("rev-parse", "HEAD")


def test_the_environment_steers_nothing(shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = call("rev-parse", "HEAD")
    fake_bare(tmp_path / "bare", "bare = true")
    for name, value in (
        ("GIT_DIR", str(tmp_path / "bare")),
        ("GIT_WORK_TREE", str(tmp_path)),
        ("GIT_OBJECT_DIRECTORY", str(tmp_path / "bare" / "objects")),
        ("GIT_CEILING_DIRECTORIES", str(shop)),
        ("GIT_CONFIG_COUNT", "1"),
        ("GIT_CONFIG_KEY_0", "core.bare"),
        ("GIT_CONFIG_VALUE_0", "true"),
        ("GIT_TRACE", str(tmp_path / "trace")),
    ):
        monkeypatch.setenv(name, value)
    assert located(Path("models/shop.yaml")).root == shop
    assert git(shop, "rev-parse", "HEAD").decode().strip() == commit
    assert not (tmp_path / "trace").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="the programs are a shell's")
def test_no_program_of_the_repository_is_started(shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = tmp_path / "ran"
    program = shop / "git"
    program.write_text(f"#!/bin/sh\necho x >> {ran}\n", encoding="utf-8")
    program.chmod(0o755)
    for name in (
        "core.fsmonitor",
        "diff.external",
        "core.pager",
        "core.sshCommand",
        "alias.ls-files",
        "alias.rev-parse",
    ):
        call("config", name, f"!{program}" if name.startswith("alias") else str(program))
    call("config", "core.hooksPath", str(shop))
    ran.unlink(missing_ok=True)  # git itself asks the monitor
    monkeypatch.setenv("PATH", os.pathsep.join(("", ".", os.environ["PATH"])))
    assert is_tracked(Path("models/shop.yaml"))
    assert located(Path("models/shop.yaml")).root == shop
    assert not ran.exists()


def test_what_is_replaced_or_grafted_is_read_as_it_is(shop: Path) -> None:
    first = call("rev-parse", "HEAD")
    call("commit", "-q", "--allow-empty", "-m", "two")
    second = call("rev-parse", "HEAD")
    call("replace", second, first)
    (shop / ".git" / "info").mkdir(exist_ok=True)
    (shop / ".git" / "info" / "grafts").write_text(f"{second}\n", encoding="utf-8")
    assert git(shop, "rev-parse", f"{second}^").decode().strip() == first
    assert git(shop, "cat-file", "commit", second).endswith(b"two\n")


def test_a_file_is_tracked_or_not(shop: Path, tmp_path: Path) -> None:
    for name in ("report.md", "models/[x].md", "Shop.yaml"):
        Path(name).write_text("", encoding="utf-8")
    assert is_tracked(Path("models/shop.yaml"))
    assert not is_tracked(Path("report.md"))
    assert not is_tracked(Path("shop.yaml")), "a name is no pattern, and belongs to its folder"
    assert not is_tracked(tmp_path / "outside.md")
    call("add", "-A")
    assert is_tracked(Path("models/[x].md"))
    assert is_tracked(Path("Shop.yaml"))
    (tmp_path / "way").symlink_to(shop)
    assert is_tracked(tmp_path / "way" / "report.md")
    os.link("Shop.yaml", "sHOP.yaml")
    assert is_tracked(Path("sHOP.yaml")), "as on a file system that tells no case apart"
    Path("REPORT.md").write_text("", encoding="utf-8")
    assert not is_tracked(Path("REPORT.md"))


def test_a_repository_that_git_cannot_read_says_why(shop: Path) -> None:
    (shop / ".git" / "HEAD").unlink()
    with pytest.raises(InputError) as caught:
        git(shop, "rev-parse", "HEAD")
    assert [problem.code for problem in caught.value.problems] == ["git-failed"]
    assert refused("models/shop.yaml") == "other-repository"


def test_a_file_outside_any_repository_is_an_error(shop: Path, tmp_path: Path) -> None:
    assert shop.is_dir()
    assert refused(str(tmp_path / "outside.yaml")) == "unknown-revision"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows starts programs by the end of their names")
@pytest.mark.parametrize("content", [None, b"", b"\x7fELF"], ids=["none", "empty", "cut off"])
def test_without_a_git_that_starts_the_error_says_so(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    assert shop.is_dir()
    programs = tmp_path / "programs"
    programs.mkdir()
    if content is not None:
        (programs / "git").write_bytes(content)
        (programs / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(programs))
    assert refused("models/shop.yaml") == "no-git"


def test_the_line_of_git_that_names_the_cause_is_shown(shop: Path) -> None:
    call("tag", "main")
    with pytest.raises(InputError) as caught:
        git(shop, "cat-file", "blob", "main")  # it warns first that the name is ambiguous
    assert caught.value.problems[0].message.startswith("fatal:")
