"""Files of each release work in every command, say so once each, and `tm migrate` keeps what they mean."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support import HOME
from threatmodel.command.main import main
from threatmodel.library.load import load_library

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
    ("paths", *MODEL),
    ("reach", "organization", *MODEL),
)
FORMER = re.compile("authoris|artefact|organisation")
_IDS_OF = load_library(HOME / "threatlib").former
IDS = {**_IDS_OF.threats, **_IDS_OF.controls}
FORMER_IDS = re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, IDS))})(?![\w-])")
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
    out = re.sub(r'(endColumn(?:=|": ))\d+', r"\1ENDS", out)  # a name of another length ends elsewhere
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


def test_a_baseline_knows_what_was_renamed_since(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What the library has learned since may be new or worse; what the baseline has is never new."""
    main(("check", *MODEL, "--baseline", "baseline.json", "--format", "json"))
    results = json.loads(capsys.readouterr().out)["models"][0]["results"]
    since = {one["name"]: one["since_baseline"] for one in results if one["since_baseline"]}
    saved = json.loads((here / "baseline.json").read_text(encoding="utf-8"))["models"]["models/shop.yaml"]
    then = {_current(name) for name in saved["findings"]} | {
        _current(name.partition(":")[2]) for name in saved["others"]
    }
    assert {how for name, how in since.items() if name in then} <= {"known", "worse"}
    assert {name for name in since if name in then and _was_renamed(name)}


def test_fingerprints_stay(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(("check", *MODEL, "--format", "sarif"))
    results = json.loads(capsys.readouterr().out)["runs"][0]["results"]
    now = {one["properties"]["finding"]: one["partialFingerprints"]["finding/v1"] for one in results}
    saved = json.loads((here / "fingerprints.json").read_text(encoding="utf-8"))
    then = {_current(name): mark for mark, name in saved.items()}
    same = now.keys() & then.keys()
    assert {name: now[name] for name in same} == {name: then[name] for name in same}
    assert {name for name in same if _was_renamed(name)}


def test_a_saved_assessment_has_the_same_findings_under_new_names(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(("diff", "assessment.json", "models/shop.yaml", "--format", "json", *TODAY)) == 0
    found = json.loads(capsys.readouterr().out)
    saved = json.loads((here / "assessment.json").read_text(encoding="utf-8"))
    then = {_current(one["id"]) for part in ("findings", "elements", "flows") for one in saved[part]}
    changed = [one for part in ("findings", "elements", "flows", "crossings", "facts") for one in found[part]]
    added = [one["name"] for one in changed if one["how"] == "added" and one["name"] in then]
    assert not [name for name in added if _was_renamed(name)]
    assert len(added) <= 3  # of which today's library knows that they apply, or rates them lower than then
    assert not [one for one in changed if FORMER.search(_without_authors(json.dumps(one)))]


def _was_renamed(name: str) -> bool:
    return re.search("authoriz|artifact|organization", name) is not None


def _current(name: str) -> str:
    """What a name of the release is now, the author's own aside."""
    return name if any(own in name for own in AUTHORS) else _respelled(name)


def _without_authors(text: str) -> str:
    for own in AUTHORS:
        text = text.replace(own, "")
    return text


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
        now = (path if path.exists() else path.with_stem(_respelled(path.stem))).read_text()
        if path.suffix == ".json":
            assert _meant(text) == _meant(now)
            continue
        lines = [(old, new) for old, new in zip(text.split("\n"), now.split("\n"), strict=True) if old != new]
        assert all(_respelled(old) == _respelled(new) for old, new in lines)
        changed += len(lines)
    assert changed <= len(told)
    assert main(("migrate", *_files(here))) == 0
    assert not capsys.readouterr().out


def _meant(text: str) -> object:
    """Return what a JSON file holds, with current names and without the hash of what it is a result of."""
    return json.loads(re.sub(r'("sha256": )"\w+"', r'\1""', _respelled(text)))


def _respelled(text: str) -> str:
    """Return a text with the current ids of threats and controls and the current spelling."""
    return FORMER.sub(_now, FORMER_IDS.sub(lambda found: IDS[found.group()], text))


def _now(found: re.Match[str]) -> str:
    return {"authoris": "authoriz", "artefact": "artifact", "organisation": "organization"}[found.group()]


def test_an_answer_is_written_with_current_names(here: Path) -> None:
    given = ("organisation.standing_administrators=n", "bot.validates_input=y")
    assert main(("ask", *MODEL, *(part for one in given for part in ("--set", one)))) == 0
    assert "organization: {mfa_factor: push, leavers_lose_access: true, standing_administrators: false}" in (
        here / "models" / "platform.yaml"
    ).read_text(encoding="utf-8")
    assert main(("migrate", "--check", "models/shop.yaml", "models/platform.yaml")) == 0


def test_an_assessment_of_schema_1_is_compared_without_undetermined_findings(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(("--json", *MODEL))
    saved = json.loads(capsys.readouterr().out)
    saved["schema_version"] = "1.3"
    saved["findings"] = [one for one in saved["findings"] if one["verdict"] != "undetermined"]
    saved["summary"] = {"by_verdict": {}, "by_band": {"claimed": {}, "proven": {}}}
    (here / "first.json").write_text(json.dumps(saved), encoding="utf-8")
    assert main(("diff", "first.json", "models/shop.yaml", *TODAY)) == 0
    assert "No difference" in capsys.readouterr().out


def test_the_messages(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    golden: Callable[[str, str], None],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("model.yaml").write_text(
        "name: Shop\nfunctions:\n  bot:\n    triggers: []\n    authorises_caller: true\n", encoding="utf-8"
    )
    Path("old.json").write_text('{"schema_version": "1.3"}\n', encoding="utf-8")
    assert main(("--dfd", "-m", "model.yaml")) == 0
    golden("bad-input/renamed.txt", capsys.readouterr().err)
    assert main(("migrate", "old.json")) == 2
    golden("bad-input/cannot-migrate.txt", capsys.readouterr().err)
