"""Files of each release work in every command, say so once each, and `tm migrate` keeps what they mean."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from threatmodel.command.main import main

RELEASED = Path(__file__).parents[1] / "released"
RELEASES = sorted(path.name for path in RELEASED.iterdir() if path.is_dir())
TODAY = ("--today", "2026-11-29")
MODEL = ("-m", "models/shop.yaml", *TODAY)
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("check", *MODEL),
    ("check", "-v", *MODEL),
    *(("check", *MODEL, "--format", form) for form in ("json", "sarif", "github", "gitlab", "markdown", "junit")),
    ("check", *MODEL, "--policy", "policy.yaml"),
    ("check", *MODEL, "--baseline", "baseline.json"),
    ("check", "models/shop.yaml", "models/small.yaml", *TODAY, "--strict", "--require-proof"),
    ("check", *MODEL, "--with", "immutable-artefacts@pipeline", "--with", "incident-runbook@organisation"),
    ("--report", "full.md", *MODEL),
    ("--json", *MODEL),
    ("--dfd", "--view", "all", *MODEL),
    ("--seq", *MODEL),
    ("--pytm", *MODEL),
    ("--list", *MODEL),
    ("--exclude", "unauthorised-slack-command,artefact-swapped", "--json", *MODEL),
    ("--describe", "organisation"),
    ("explain", "immutable-artefacts", *MODEL),
    ("explain", "second-factor-relayed@organisation", *MODEL),
    ("explain", "leaver-process@organisation", *MODEL),
    ("diff", "assessment.json", "models/shop.yaml", *TODAY),
    ("diff", "models/shop.yaml", "assessment.json", "--format", "json", *TODAY),
    ("due", "models/shop.yaml", *TODAY),
    ("ask", *MODEL),
)
FORMER = re.compile("authoris|artefact|organisation")
AUTHORS = ("callers-authorised", "team-artefact-unread", "artefacts never change")
"""Names and texts of the author's own, which are no names of ours."""


@pytest.fixture(params=RELEASES)
def here(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with the files of a release."""
    folder = tmp_path / "shop"
    shutil.copytree(RELEASED / request.param, folder)
    (folder / ".git").mkdir()
    monkeypatch.chdir(folder)
    return folder


def _files(folder: Path) -> Iterator[str]:
    """The files that `tm migrate` rewrites."""
    names = [*folder.glob("models/*.yaml"), *folder.glob("threatlib/**/*.yaml"), *folder.glob("handler/*.json")]
    yield from ("baseline.json", "policy.yaml", *(path.relative_to(folder).as_posix() for path in sorted(names)))


def _ran(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = main(arguments)
    out, err = capsys.readouterr()
    out = out.replace(
        "controls/best-practices/tool-calls-authorised.yaml", "controls/best-practices/tool-calls-authorized.yaml"
    )
    return code, re.sub(r"\b(?:[0-9a-f]{12}|[0-9a-f]{64})\b", "REVISION", out), err


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_former_names_change_nothing(
    here: Path, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    before = _ran(arguments, capsys)
    assert before[0] in {0, 1}, before[2]
    assert main(("migrate", *_files(here))) == 0
    capsys.readouterr()
    after = _ran(arguments, capsys)
    assert before[:2] == after[:2]
    for line in before[2].splitlines():
        assert "renamed" in line or line.startswith(" "), line
    warned = re.findall(r"^(\S+?):[\d:]* ?renamed: ", before[2], re.MULTILINE)
    assert len(warned) == len(set(warned))
    assert warned or arguments[0] == "--describe"


@pytest.mark.usefixtures("here")
def test_nothing_written_has_a_former_name(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (("--json", *MODEL), ("check", "-v", *MODEL), ("--pytm", *MODEL)):
        _, out, _ = _ran(arguments, capsys)
        if arguments[0] == "--json":
            found = json.loads(out)
            del found["library"]["former"]
            out = "\n".join(_names(found))
        for name in AUTHORS:
            out = out.replace(name, "")
        assert not re.search("authorises_caller|artefacts_immutable|@organisation|-authoris|artefact-", out)


def _names(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, one in value.items():
            yield from (str(key), *_names(one))
    elif isinstance(value, list):
        for one in value:
            yield from _names(one)
    elif isinstance(value, str) and " " not in value:
        yield value


@pytest.mark.usefixtures("here")
def test_a_baseline_sees_nothing_new_and_nothing_gone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(("check", *MODEL, "--baseline", "baseline.json", "--format", "json")) == 0
    results = json.loads(capsys.readouterr().out)["models"][0]["results"]
    assert {one["since_baseline"] for one in results if one.get("since_baseline")} == {"known"}


def test_fingerprints_stay(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(("check", *MODEL, "--format", "sarif"))
    results = json.loads(capsys.readouterr().out)["runs"][0]["results"]
    now = {one["partialFingerprints"]["finding/v1"]: one["properties"]["finding"] for one in results}
    then = json.loads((here / "fingerprints.json").read_text())
    assert now.keys() == then.keys()
    assert {old for old in then.values() if old not in now.values()}


@pytest.mark.usefixtures("here")
def test_a_saved_assessment_differs_in_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(("diff", "assessment.json", "models/shop.yaml", *TODAY)) == 0
    assert "Nothing differs" in capsys.readouterr().out


def test_migrating_keeps_all_but_names(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.read_text() for path in here.rglob("*") if path.is_file()}
    assert main(("migrate", "--check", *_files(here))) == 1
    told = capsys.readouterr().out.splitlines()
    assert {path: path.read_text() for path in before} == before
    files = list(_files(here))
    assert main(("migrate", *files)) == 0
    capsys.readouterr()
    changed = 0
    for path, text in before.items():
        now = path if path.exists() else path.with_stem(FORMER.sub(_now, path.stem))
        lines = [
            (old, new) for old, new in zip(text.split("\n"), now.read_text().split("\n"), strict=True) if old != new
        ]
        assert all(FORMER.sub(_now, old) == FORMER.sub(_now, new) or '"sha256"' in old for old, new in lines)
        changed += len(lines)
    assert changed <= len(told)
    assert main(("migrate", *_files(here))) == 0
    assert not capsys.readouterr().out


def _now(found: re.Match[str]) -> str:
    return {"authoris": "authoriz", "artefact": "artifact", "organisation": "organization"}[found.group()]
