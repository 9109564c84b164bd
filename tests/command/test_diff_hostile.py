"""What a pull request commits cannot choose what `tm diff` compares, and nothing is written outside its folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import HOME
from threatmodel.command.main import main

TODAY = ("--today", "2026-11-25")
MODEL = "name: Shop\nfunctions: {bot: {errors_generic: true}}\n"
IDENTITY = ("-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "init.defaultBranch=main")


def git(*arguments: str, feed: str = "") -> str:
    command = ["git", *IDENTITY, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, input=feed).stdout.strip()


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a model on main, and a weaker one on a branch that is checked out."""
    folder = tmp_path / "shop"
    (folder / "models").mkdir(parents=True)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    Path("models/shop.yaml").write_text(MODEL, encoding="utf-8")
    git("init", "-q")
    commit("one")
    git("checkout", "-qb", "weaker")
    Path("models/shop.yaml").write_text(MODEL.replace("true", "false"), encoding="utf-8")
    commit("two")
    return folder


def commit(message: str) -> None:
    git("add", "-A")
    git("commit", "-qm", message)


def fake_bare(folder: Path) -> None:
    for name in ("objects", "refs"):
        (folder / name).mkdir(parents=True)
        (folder / name / "keep").write_text("", encoding="utf-8")
    (folder / "HEAD").write_text("ref: refs/heads/main\n", encoding="utf-8")
    (folder / "config").write_text("[core]\n\tworktree = ../before\n", encoding="utf-8")


def diff(*arguments: str) -> int:
    return main(["diff", *arguments, "-m", "models/shop.yaml", *TODAY])


def test_a_bare_repository_beside_the_model(
    shop: Path, capsys: pytest.CaptureFixture[str], golden: Callable[[str, str], None]
) -> None:
    fake_bare(shop / "models")
    commit("three")
    assert diff("main..HEAD") == 2
    said = capsys.readouterr()
    assert "No difference" not in said.out
    golden("bad-input/diff-other-repository.txt", said.err.replace(str(shop), "/work/shop"))


def test_a_repository_that_is_not_whole(
    shop: Path, capsys: pytest.CaptureFixture[str], golden: Callable[[str, str], None]
) -> None:
    tree = git("rev-parse", "main^{tree}")
    (shop / ".git" / "objects" / tree[:2] / tree[2:]).unlink()
    assert diff("main..HEAD") == 2
    golden("bad-input/diff-git-failed.txt", capsys.readouterr().err)


@pytest.mark.parametrize("there", ["in both", "before", "after"])
@pytest.mark.usefixtures("shop")
def test_a_model_that_is_a_link_is_read_as_each_revision_has_it(capsys: pytest.CaptureFixture[str], there: str) -> None:
    """The link leads to a file that both revisions have alike, so that only what the path itself holds can differ."""
    git("checkout", "-q", "main")
    Path("models/kept.yaml").write_text(MODEL.replace("true", "false"), encoding="utf-8")
    if there != "after":
        Path("models/shop.yaml").unlink()
        Path("models/shop.yaml").symlink_to("kept.yaml")
    commit("before")
    git("checkout", "-qb", "later")
    Path("models/shop.yaml").unlink()
    if there == "before":
        Path("models/shop.yaml").write_text(MODEL, encoding="utf-8")
    else:
        Path("models/shop.yaml").symlink_to("kept.yaml")
    if there != "in both":
        commit("after")
    assert diff("main..HEAD") == 0
    assert ("No difference" in capsys.readouterr().out) == (there == "in both")


@pytest.mark.parametrize("absolute", [True, False])
@pytest.mark.usefixtures("shop")
def test_a_model_that_is_a_link_out_of_the_repository(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], absolute: bool
) -> None:
    (tmp_path / "elsewhere.yaml").write_text(MODEL, encoding="utf-8")
    Path("models/shop.yaml").unlink()
    Path("models/shop.yaml").symlink_to(tmp_path / "elsewhere.yaml" if absolute else "../../elsewhere.yaml")
    commit("three")
    assert diff("main..HEAD") == 2
    assert "outside-project" in capsys.readouterr().err


@pytest.mark.usefixtures("shop")
def test_a_folder_of_models_that_is_a_link_to_the_top(capsys: pytest.CaptureFixture[str]) -> None:
    """In one revision `models/shop.yaml` is a file, in the other the link shows the unchanged one at the top."""
    git("checkout", "-q", "main")
    Path("shop.yaml").write_text(MODEL, encoding="utf-8")
    commit("before")
    Path("models/shop.yaml").unlink()
    Path("models").rmdir()
    Path("models").symlink_to(".")
    Path("shop.yaml").write_text(MODEL.replace("true", "false"), encoding="utf-8")
    commit("after")
    assert diff("HEAD~1..HEAD") == 2
    assert "other-repository" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["tag", "branch"])
@pytest.mark.usefixtures("shop")
def test_a_name_of_two_things_is_refused(capsys: pytest.CaptureFixture[str], kind: str) -> None:
    """A tag that is named as the remote's branch comes first in git's order."""
    git("update-ref", "refs/remotes/origin/main", "main")
    git(kind, "origin/main", "HEAD")
    assert diff("origin/main..HEAD") == 2
    assert "'origin/main' is ambiguous" in capsys.readouterr().err
    assert diff("refs/remotes/origin/main..HEAD") == 0
    assert "No difference" not in capsys.readouterr().out


@pytest.mark.usefixtures("shop")
def test_a_file_that_is_named_as_a_revision_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    Path("main").write_text(MODEL.replace("true", "false"), encoding="utf-8")
    commit("three")
    assert diff("main", "HEAD") == 2
    assert "'main' is a file and a revision" in capsys.readouterr().err
    assert diff("./main", "HEAD") == 0
    assert "No difference" in capsys.readouterr().out
    Path("main..HEAD").write_text(MODEL, encoding="utf-8")
    assert diff("main..HEAD") == 0
    assert "No difference" not in capsys.readouterr().out
    assert diff("main") == 0, "alone it can only be a revision"


@pytest.mark.usefixtures("shop")
def test_paths_of_one_name_and_links_through_links(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A tree that names a path both as a link that leaves it and as a folder with a link in it."""
    outside = tmp_path / "outside"
    outside.mkdir()
    away = git("hash-object", "-w", "--stdin", feed=str(outside))
    inner = git("mktree", feed=f"120000 blob {away}\tplanted\n")
    models = git("rev-parse", "main:models")
    tree = git("mktree", feed=f"120000 blob {away}\ta\n040000 tree {inner}\ta\n040000 tree {models}\tmodels\n")
    made = git("commit-tree", "-m", "x", tree)
    assert diff(f"{made}..HEAD") == 2
    assert "two files of this revision have the same name on this file system: 'a'" in capsys.readouterr().err
    assert not list(outside.iterdir())


@pytest.mark.parametrize(
    "attributes",
    [
        "*.yaml export-ignore\n",
        "*.yaml diff=swap eol=crlf -filter !ident working-tree-encoding=UTF-8\n*.png filter=swap\n",
        "models export-ignore\n* ident export-subst\n",
    ],
)
@pytest.mark.usefixtures("shop")
def test_attributes_change_nothing(capsys: pytest.CaptureFixture[str], attributes: str, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    for name in ("filter.swap.smudge", "filter.swap.clean", "diff.swap.textconv", "diff.swap.command"):
        git("config", name, f"touch {ran}; cat")
    assert diff("main..HEAD") == 0
    before = capsys.readouterr().out
    Path(".gitattributes").write_text(attributes, encoding="utf-8")
    commit("three")
    ran.unlink(missing_ok=True)
    assert diff("main..HEAD") == 0
    assert capsys.readouterr().out == before
    assert not ran.exists()


CONVERTED = {
    "filter=swap": "models/*.yaml filter=swap",
    "filter=lfs": "[attr]large filter=lfs -text\n*.yaml large",
    "working-tree-encoding=UTF-16LE": "* text working-tree-encoding=UTF-16LE",
    "ident": "*.yaml ident",
}
"""Attributes with which git checks out other bytes than it stores: the attribute, and a file that gives it."""


@pytest.mark.parametrize("attribute", CONVERTED)
@pytest.mark.usefixtures("shop")
def test_a_file_that_git_converts_is_refused(
    capsys: pytest.CaptureFixture[str], attribute: str, tmp_path: Path
) -> None:
    ran = tmp_path / "ran"
    git("config", "filter.swap.smudge", f"touch {ran}; cat")
    Path("models/shop.yaml").write_text(f"# $Id$\n{MODEL}", encoding="utf-8")
    commit("plain")
    assert diff("main..HEAD") == 0
    git("checkout", "-qb", "converted")
    tree = git("write-tree")
    blob = git("hash-object", "-w", "--stdin", feed=f"{CONVERTED[attribute]}\n")
    index = {**os.environ, "GIT_INDEX_FILE": str(tmp_path / "index")}  # nothing is checked out, and no filter runs
    for line in (["read-tree", tree], ["update-index", "--add", "--cacheinfo", f"100644,{blob},.gitattributes"]):
        subprocess.run(["git", *line], check=True, env=index)
    written = subprocess.run(["git", "write-tree"], check=True, env=index, capture_output=True, text=True).stdout
    git("branch", "hidden", git("commit-tree", written.strip(), "-p", "HEAD", "-m", "attributes"))
    capsys.readouterr()
    for revisions in ("main..hidden", "hidden..main", "hidden"):
        assert diff(revisions) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert f"hidden: unusable-revision: 'models/shop.yaml' has the git attribute '{attribute}'" in err
    assert diff("main..HEAD") == 0, "attributes of another revision, or of the working tree, say nothing of this one"
    assert not ran.exists()


@pytest.mark.parametrize("attributes", ["app/*.py filter=x\n", "* text eol=crlf\n"])
@pytest.mark.usefixtures("shop")
def test_a_handler_that_git_converts_is_refused(capsys: pytest.CaptureFixture[str], attributes: str) -> None:
    """Its digest is that of the bytes that are checked out."""
    probed = HOME / "examples" / "slack-app"
    Path("app").mkdir()
    for name in ("app.py", "order-bot.probe.json"):
        Path("app", name).write_bytes((probed / name).read_bytes())
    evidence = (
        "evidence: [{probe: ../app/order-bot.probe.json, function: order-bot, free: [ALLOWED_COMMANDS, ALLOWED_IDS]}]\n"
    )
    text = f"name: Shop\nfunctions: {{order-bot: {{}}}}\n{evidence}"
    Path("models/shop.yaml").write_text(text, encoding="utf-8")
    commit("probed")
    assert diff("main..HEAD") == 0
    Path(".gitattributes").write_text(attributes, encoding="utf-8")
    git("add", ".gitattributes")
    commit("converted")
    capsys.readouterr()
    assert diff("main..HEAD") == 2
    assert "HEAD: unusable-revision: 'app/app.py' has the git attribute " in capsys.readouterr().err


@pytest.mark.usefixtures("shop")
def test_the_attribute_is_reported_before_what_it_hides(capsys: pytest.CaptureFixture[str]) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n"
    Path("models/shop.yaml").write_text(pointer, encoding="utf-8")
    Path(".gitattributes").write_text("*.yaml filter=lfs\n", encoding="utf-8")
    commit("large")
    assert diff("main..HEAD") == 2
    assert "has the git attribute 'filter=lfs'" in capsys.readouterr().err


def test_a_library_of_the_repository_is_that_of_each_revision(
    shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A pull request that takes a threat out of the library that the command names shows, as its own change."""
    git("checkout", "-q", "main")
    layer = shop / "layer"
    layer.mkdir()
    (layer / "library.yaml").write_text("name: ours\n", encoding="utf-8")
    commit("layer")
    git("checkout", "-qb", "off")
    off = "name: ours\noff: {threats: {errors-reveal-internals: not ours}}\n"
    (layer / "library.yaml").write_text(off, encoding="utf-8")
    commit("off")
    assert diff("main..HEAD", "--library", "layer") == 0
    assert "No difference" not in capsys.readouterr().out
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "library.yaml").write_text(off, encoding="utf-8")
    assert diff("main..HEAD", "--library", str(tmp_path / "outside")) == 0
    assert "No difference" in capsys.readouterr().out
    assert diff("weaker..HEAD", "--library", "layer") == 2
    assert "'layer' does not exist at 'weaker'" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process without asking it")
@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_run_that_is_ended_leaves_no_folder(tmp_path: Path, number: signal.Signals) -> None:
    """It is ended while it reads a model of the revision, which is slow because of its size."""
    functions = "".join(f"  f{at}: {{errors_generic: true}}\n" for at in range(3000))
    Path("models/shop.yaml").write_text(f"name: Shop\nfunctions:\n{functions}", encoding="utf-8")
    commit("large")
    folder = tmp_path / "temporary"
    folder.mkdir()
    command = [sys.executable, str(HOME / "tm.py"), "diff", "HEAD", "-m", "models/shop.yaml", *TODAY]
    process = subprocess.Popen(command, env={**os.environ, "TMPDIR": str(folder)}, stdout=subprocess.DEVNULL)
    while not any(folder.glob("tm-diff-*/models/shop.yaml")):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(number)
    assert process.wait() == 128 + number
    assert not list(folder.iterdir())
