"""`tm diff`: what was lost comes first, reordering shows nothing, and revisions are read without touching anything."""

from __future__ import annotations

import html
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fuzz.nodes import changed_at_each_node
from threatmodel.assessment.changes import changes
from threatmodel.assessment.former import current_json, former_in
from threatmodel.assessment.saved_assessment import saved_assessment
from threatmodel.command.main import main
from threatmodel.library.entries import FormerIds
from threatmodel.reading.problems import InputError, Place
from threatmodel.render.changed import as_dot, as_json, as_text
from threatmodel.render.changed_picture import changed_diagram
from threatmodel.render.comment import as_markdown
from threatmodel.render.condensed import condensed
from threatmodel.render.layout import STYLES, Layout, Sheet

TODAY = ("--today", "2026-11-25")
OLD = """\
name: Shop
evidence: [{template: template.yaml}]
stores: {orders: {}}
functions:
  bot: {triggers: [{schedule: rate(1 hour)}], reads: [orders], errors_generic: true}
"""
TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders: {Type: AWS::DynamoDB::Table, Properties: {KeySchema: [], AttributeDefinitions: []}}
  Bot:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.handler
      Runtime: python3.13
      ReservedConcurrentExecutions: 5
      Events: {Hour: {Type: Schedule, Properties: {Schedule: rate(1 hour)}}}
      Policies:
        - Statement: {Effect: Allow, Action: "dynamodb:GetItem", Resource: !GetAtt Orders.Arn}
"""
WIDER = TEMPLATE.replace(
    'Action: "dynamodb:GetItem", Resource: !GetAtt Orders.Arn', 'Action: "*", Resource: "*"'
).replace("      ReservedConcurrentExecutions: 5\n", "")


def git(*arguments: str) -> None:
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", *identity, *arguments], check=True, capture_output=True)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with the model on main, and a wider role on a branch that is checked out."""
    folder = tmp_path / "shop"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    Path("threatmodel.yaml").write_text(OLD, encoding="utf-8")
    Path("template.yaml").write_text(TEMPLATE, encoding="utf-8")
    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "one")
    git("checkout", "-qb", "wider")
    Path("template.yaml").write_text(WIDER, encoding="utf-8")
    git("commit", "-qam", "two")
    return folder


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["diff", *arguments, *TODAY]) == 0
    return capsys.readouterr().out


@pytest.mark.slow
def test_what_was_lost_comes_first(
    here: Path, capsys: pytest.CaptureFixture[str], golden: Callable[[str, str], None]
) -> None:
    before = {path: path.stat().st_mtime_ns for path in here.rglob("*")}
    text = told(capsys, "main..HEAD")
    assert {path: path.stat().st_mtime_ns for path in here.rglob("*")} == before
    assert text.index("Controls lost") < text.index("Findings new or worse")
    assert "! no-privilege-escalation@bot: proven -> absent" in text
    assert "bot.role_wildcard_action: false -> true  (template.yaml:11" in text
    short = told(capsys, "main..HEAD", "--format", "markdown")
    assert len(short.splitlines()) <= 40
    assert "no-privilege-escalation" in short
    found = json.loads(told(capsys, "main..HEAD", "--format", "json"))
    assert "no-privilege-escalation@bot" in [one["name"] for one in found["lost_controls"]]
    assert told(capsys, "main") == text, "the work tree is at HEAD"
    assert told(capsys, "main...HEAD") == text
    golden("cli/diff-header.txt", "".join(line + "\n" for line in text.splitlines()[:1]))


@pytest.mark.slow
def test_other_order_and_layout_show_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, other = tmp_path / "a.yaml", tmp_path / "b.yaml"
    one.write_text(
        "name: Shop\nstores: {a: {}, b: {}}\nfunctions:\n  bot: {reads: [a, b], timeout_seconds: 5}\n", encoding="utf-8"
    )
    other.write_text(
        "# otherwise\nfunctions:\n  bot: {timeout_seconds: 5, reads: [b, a]}\nstores: {b: {}, a: {}}\n\nname: Shop\n",
        encoding="utf-8",
    )
    assert told(capsys, str(one), str(other)) == "No difference in elements, facts, controls, rules and findings.\n"


@pytest.mark.slow
def test_elements_and_flows_that_come_and_go(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, other, saved, picture = (tmp_path / name for name in ("a.yaml", "b.yaml", "a.json", "x.svg"))
    one.write_text("name: Shop\nstores: {a: {}}\nfunctions:\n  bot: {reads: [a]}\n", encoding="utf-8")
    other.write_text("name: Shop\nstores: {b: {}}\nfunctions:\n  bot: {reads: [b], calls: [slack]}\n", encoding="utf-8")
    assert main(["-m", str(one), "--json", str(saved), *TODAY]) == 0
    text = told(capsys, str(saved), str(other))
    assert text == told(capsys, str(one), str(other))
    for line in ("+ b: store in account", "- a: store in account", "+ bot:b:read", "- bot:a:read"):
        assert line in text
    assert "New flows across a boundary" in text
    told(capsys, str(one), str(other), "-o", str(picture))
    drawn = html.unescape(picture.read_text(encoding="utf-8"))
    assert "<title>b · + added" in drawn
    assert "<title>a · - removed" in drawn
    assert "+ read<" in drawn
    assert "- read<" in drawn
    assert ">bot:a:read<" not in drawn
    dot = told(capsys, str(one), str(other), "--format", "dot")
    assert '"a" [label="- a"' in dot
    assert '"b" [label="+ b"' in dot


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("diff-unknown-revision", ["nowhere..HEAD"]),
        ("diff-no-model-there", ["main..HEAD", "-m", "other.yaml"]),
        ("diff-no-assessment", ["x.json", "threatmodel.yaml"]),
        ("diff-broken-revision", ["broken..HEAD"]),
    ],
)
def test_what_cannot_be_held_against_each_other(
    here: Path, name: str, arguments: list[str], capsys: pytest.CaptureFixture[str], golden: Callable[[str, str], None]
) -> None:
    (here / "other.yaml").write_text(OLD, encoding="utf-8")
    (here / "x.json").write_text("{}", encoding="utf-8")
    git("checkout", "-qb", "broken")
    Path("threatmodel.yaml").write_text("name: [\n", encoding="utf-8")
    git("commit", "-qam", "three")
    git("checkout", "-q", "wider")
    assert main(["diff", *arguments, *TODAY]) == 2
    golden(f"bad-input/{name}.txt", capsys.readouterr().err)


def test_without_git_or_a_repository(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    golden: Callable[[str, str], None],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("threatmodel.yaml").write_text("name: Shop\nfunctions: {bot: {}}\n", encoding="utf-8")
    assert main(["diff", "main..HEAD", *TODAY]) == 2
    assert "this is not a git repository" in capsys.readouterr().err
    Path(".git").mkdir()
    monkeypatch.setenv("PATH", "")
    assert main(["diff", "main..HEAD", *TODAY]) == 2
    golden("bad-input/diff-no-git.txt", capsys.readouterr().err)


@pytest.mark.slow
@pytest.mark.parametrize("asked", ["HEAD~1..HEAD", "origin/main..HEAD", "HEAD~1"])
def test_a_shallow_clone_says_how_to_get_the_rest(
    here: Path, tmp_path: Path, asked: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As hosted CI checks out where nobody says otherwise: one commit, and no other branch."""
    git("clone", "-q", "--depth", "1", here.as_uri(), str(tmp_path / "shallow"))
    monkeypatch.chdir(tmp_path / "shallow")
    assert main(["diff", asked, *TODAY]) == 2
    assert (
        "this clone is shallow; fetch the whole history (git fetch --unshallow, fetch-depth: 0)"
        in capsys.readouterr().err
    )
    git("fetch", "-q", "--depth", "1", "origin", "main:refs/remotes/origin/main")
    assert main(["diff", "origin/main...HEAD", *TODAY]) == 2
    assert (
        "no commit in common here; fetch the whole history (git fetch --unshallow, fetch-depth: 0)"
        in capsys.readouterr().err
    )
    git("fetch", "-q", "--unshallow", "origin", "main", "wider")
    assert main(["diff", asked, *TODAY]) == 0


@pytest.mark.slow
def test_a_path_that_leaves_the_folder_is_left_out(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blob = (
        subprocess.run(["git", "hash-object", "-w", "--stdin"], input=b"x", capture_output=True, check=True, cwd=here)
        .stdout.decode()
        .strip()
    )
    model = (
        subprocess.run(["git", "rev-parse", "HEAD:threatmodel.yaml"], capture_output=True, check=True)
        .stdout.decode()
        .strip()
    )
    template = (
        subprocess.run(["git", "rev-parse", "HEAD:template.yaml"], capture_output=True, check=True)
        .stdout.decode()
        .strip()
    )
    tree = f"100644 blob {blob}\t..\n100644 blob {template}\ttemplate.yaml\n100644 blob {model}\tthreatmodel.yaml\n"
    made = subprocess.run(["git", "mktree"], input=tree.encode(), capture_output=True, check=False)
    if made.returncode:
        pytest.skip("this git makes no such tree")
    commit = subprocess.run(
        [
            "git",
            "-c",
            "user.name=x",
            "-c",
            "user.email=x@example.org",
            "commit-tree",
            "-m",
            "x",
            made.stdout.decode().strip(),
        ],
        capture_output=True,
        check=True,
    )
    told(capsys, f"{commit.stdout.decode().strip()}..HEAD")


@pytest.mark.slow
@pytest.mark.usefixtures("here")
def test_several_models_are_told_together(capsys: pytest.CaptureFixture[str]) -> None:
    Path("same.yaml").write_text("name: Same\nfunctions: {bot: {}}\n", encoding="utf-8")
    names = ["threatmodel.yaml", "same.yaml"]
    text = told(capsys, "main..HEAD", "--format", "markdown", "--models", names[0])
    assert text.startswith("**Threat models**: 1 of 1 differ; ")
    assert told(capsys, "main..HEAD", "--format", "markdown", "--models") == text
    assert "no-privilege-escalation" in text
    assert main(["diff", "main..HEAD", "--format", "markdown", "--models", *names, *TODAY]) == 2, "not committed"
    assert "'same.yaml' does not exist at 'HEAD'" in capsys.readouterr().out
    git("add", "-A")
    git("commit", "-qm", "three")
    assert main(["diff", "main..HEAD", "--format", "markdown", "--models", *names, *TODAY]) == 0, "new since main"
    said = capsys.readouterr()
    assert "- `same.yaml`: missing-file: 'same.yaml' does not exist at 'main'" in said.out
    assert "same.yaml" in said.err
    assert main(["diff", "main..HEAD", "--models", "none.yaml", *TODAY]) == 2
    for wrong in (["a.yaml", "b.yaml"], ["main..HEAD", "-m", "a.yaml"], ["main..HEAD", "--format", "json"]):
        with pytest.raises(SystemExit, match="2"):
            main(["diff", *wrong, "--models", *names])


def test_the_smallest_assessment_is_refused_with_each_place(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    golden: Callable[[str, str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    empty = {"elements": [], "flows": [], "findings": [], "controls": [{"id": "x", "states": [{"element": 5}]}]}
    text = json.dumps({"schema_version": "1", "model": {}, "summary": {}, **empty})
    Path("x.json").write_text(text, encoding="utf-8")
    assert main(["diff", "x.json", "x.json", *TODAY]) == 2
    golden("bad-input/diff-assessment-of-another-shape.txt", capsys.readouterr().err)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The assessment of a small model with one of everything that is read, and few of each."""
    folder = tmp_path_factory.mktemp("saved")
    (folder / "template.yaml").write_text(TEMPLATE, encoding="utf-8")
    more = (
        "invariants: {ours: {of: function, holds: target.timeout_seconds > 5, severity: high, message: enough time}}\n"
        "accepted_risks:\n"
        "  errors-reveal-internals@bot: {risk: 25, reason: a pilot, owner: team, expires: 2026-12-24}\n"
    )
    (folder / "shop.yaml").write_text(OLD + more, encoding="utf-8")
    assert main(["-m", str(folder / "shop.yaml"), "--json", str(folder / "shop.json"), *TODAY]) == 0
    whole = json.loads((folder / "shop.json").read_text(encoding="utf-8"))
    read = ("schema_version", "library", "model", "summary", "evidence")
    few = ("elements", "flows", "findings", "controls", "reliances", "invariants")
    whole = {key: whole[key] for key in read} | {key: whole[key][:1] for key in few}
    for part in ("elements", "flows"):
        for one in whole[part]:
            one["facts"] = one["facts"][:1]
    for one in whole["controls"]:
        one["states"] = one["states"][:1]
    assert all(whole[key] for key in (*read, *few))
    return whole


@pytest.mark.parametrize("put", [None, [], {}, 1, 1.5, True, "x", "", "\ud800", [[]], {"x": None}, "removed"], ids=repr)
def test_whatever_stands_at_a_place_of_an_assessment_it_is_compared_or_refused(saved: Any, put: Any) -> None:
    """Each node in turn: a problem with its place, or a comparison that every form can show."""
    compared = 0
    for changed in changed_at_each_node(saved, put):
        try:
            other = saved_assessment(json.dumps(changed), Place("x.json"), FormerIds({}, {}), "2.0")
        except InputError as error:
            assert {problem.code for problem in error.problems} == {"no-assessment"}  # noqa: PT017 - of one of many
            continue
        compared += 1
        for one, two in ((saved, other), (other, saved)):
            former = former_in(one, two)
            found = changes(current_json(one, former), current_json(two, former))
            assert as_text(found)
            assert as_json(found)
            assert as_markdown(found)
            assert as_dot(one, two, found)
            diagram, wanted = changed_diagram(one, two, found, "all")
            sheet = Sheet(525, 740, 120, "LR", 0, "x", leads_back=False)
            assert Layout(condensed(diagram, "all"), wanted.marks, wanted.scale, STYLES[0], sheet).text()
    assert compared


def test_what_is_nested_too_deeply_is_refused(saved: Any) -> None:
    text = json.dumps(saved)[:-1] + f', "more": {"[" * 900}{"]" * 900}}}'
    with pytest.raises(InputError, match="nested too deeply"):
        saved_assessment(text, Place("x.json"), FormerIds({}, {}), "2.0")


@pytest.mark.slow
@pytest.mark.usefixtures("here")
def test_evidence_that_is_swapped_is_told_and_one_that_is_edited_is_noted(capsys: pytest.CaptureFixture[str]) -> None:
    """The same text under another name shows the same facts: what differs is which file is believed."""
    git("checkout", "-q", "main")
    Path("golden").mkdir()
    Path("golden/template.yaml").write_text(TEMPLATE, encoding="utf-8")
    Path("threatmodel.yaml").write_text(OLD.replace("template.yaml", "golden/template.yaml"), encoding="utf-8")
    git("add", "-A")
    git("commit", "-qm", "golden")
    text = told(capsys, "HEAD~1..HEAD")
    assert "! template of bot: Bot in template.yaml -> Bot in golden/template.yaml" in text
    Path("golden/template.yaml").write_text(f"# edited\n{TEMPLATE}", encoding="utf-8")
    text = told(capsys, "HEAD")
    assert "~ golden/template.yaml: " in text.partition("changed content (SHA-256)")[2]
    assert "Evidence gone" not in text
