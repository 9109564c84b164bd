"""`tm check` as pipelines run it: several forms and models in one run, files whole or not at all."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support import HOME
from threatmodel.__main__ import run
from threatmodel.assessment.gate.results import Rules
from threatmodel.command.checking import FEW, START, CheckDemands, checks
from threatmodel.command.main import main
from threatmodel.command.settings import FormAsked
from threatmodel.render.checks.checked import Outcome

DAY = datetime.date(2026, 11, 25)
TODAY = ("--today", str(DAY))
GOOD = "name: Shop {n}\nfunctions: {{bot: {{}}}}\n"


def models(folder: Path, count: int) -> list[str]:
    found = []
    for n in range(count):
        path = folder / f"m{n:02}.yaml"
        path.write_text(GOOD.format(n=n), encoding="utf-8")
        found.append(str(path))
    return found


def test_one_run_writes_several_forms(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    forms = {"sarif": "a.sarif", "markdown": "a.md", "junit": "a.xml", "gitlab": "a.json"}
    arguments = [part for form, name in forms.items() for part in ("--format", form, "-o", str(tmp_path / name))]
    (model,) = models(tmp_path, 1)
    assert main(["check", model, *arguments, "--format", "github", *TODAY]) == 1
    assert capsys.readouterr().out.startswith("::error file=")
    assert json.loads((tmp_path / "a.sarif").read_text(encoding="utf-8"))["version"] == "2.1.0"
    entries = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert {"description", "check_name", "fingerprint", "severity", "location"} == set(entries[0])
    assert len({entry["fingerprint"] for entry in entries}) == len(entries)
    suites = ET.parse(tmp_path / "a.xml").getroot()  # noqa: S314 - our own
    assert suites.findall("testsuite/testcase/failure")
    assert (tmp_path / "a.md").read_text(encoding="utf-8").startswith("### Shop 0: ")


@pytest.mark.slow
@pytest.mark.parametrize("count", [3, FEW + 1])
def test_a_broken_model_stops_none_of_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], count: int
) -> None:
    paths = models(tmp_path, count)
    Path(paths[1]).write_text("name: [\n", encoding="utf-8")
    assert main(["check", *paths, "--format", "json", *TODAY]) == 2
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert [Path(one["file"]).name for one in found["models"]] == [Path(one).name for one in paths]
    assert [one["exit_code"] for one in found["models"]] == [1, 2, *[1] * (count - 2)]
    assert (found["summary"]["models"], found["summary"]["broken"]) == (count, 1)
    assert "m01.yaml" in said.err


def test_what_models_share_may_be_named_beside_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`models/*.yaml` names the platform file too, which `tm init` puts there."""
    paths = models(tmp_path, 2)
    shared = tmp_path / "platform.yaml"
    shared.write_text("name: Platform\naccount: {}\n", encoding="utf-8")
    assert main(["check", *paths, str(shared), "--format", "json", *TODAY]) == 1
    said = capsys.readouterr()
    assert json.loads(said.out)["summary"]["models"] == len(paths)
    assert f"{shared}: a shared platform file; it is checked with each model that uses it\n" in said.err
    assert main(["due", *paths, str(shared), *TODAY]) == 0
    for alone in ([str(shared)], [str(shared), str(shared.with_name("other.yaml"))]):
        shared.with_name("other.yaml").write_text("name: Other\naccount: {}\n", encoding="utf-8")
        assert main(["check", *alone, *TODAY]) == 2


@pytest.mark.slow
def test_the_number_of_processes_changes_no_byte(tmp_path: Path) -> None:
    paths = models(tmp_path, FEW + 1)
    together, one_by_one = tmp_path / "all.sarif", []
    main(["check", *paths, "--format", "sarif", "-o", str(together), *TODAY])
    for path in paths:
        alone = tmp_path / "one.sarif"
        main(["check", path, "--format", "sarif", "-o", str(alone), *TODAY])
        one_by_one += json.loads(alone.read_text(encoding="utf-8"))["runs"][0]["results"]
    found = json.loads(together.read_text(encoding="utf-8"))["runs"][0]
    assert sorted(map(json.dumps, found["results"])) == sorted(map(json.dumps, one_by_one))
    assert {rule["id"] for rule in found["tool"]["driver"]["rules"]} == {one["ruleId"] for one in one_by_one}
    first = together.read_bytes()
    main(["check", *paths, "--format", "sarif", "-o", str(together), *TODAY])
    assert together.read_bytes() == first


def test_a_library_states_invariants_for_all_models(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "team").mkdir()
    (tmp_path / "team" / "library.yaml").write_text(
        "invariants:\n"
        "  reserved: {of: function, holds: target.reserved_concurrency > 0, severity: high, message: reserve some}\n",
        encoding="utf-8",
    )
    paths = models(tmp_path, 2)
    Path(paths[1]).write_text("name: Shop\nfunctions: {bot: {reserved_concurrency: 5}}\n", encoding="utf-8")
    arguments = ["check", *paths, "--library", str(tmp_path / "team"), "--format", "json", *TODAY]
    assert main(arguments) == 1
    found = json.loads(capsys.readouterr().out)["models"]
    broken = [[one["name"] for one in model["results"] if one["code"] == "invariant"] for model in found]
    assert broken == [["reserved@bot"], []]
    library = tmp_path / "team" / "library.yaml"
    library.write_text(library.read_text(encoding="utf-8").replace("target.res", "target.rez"), encoding="utf-8")
    assert main(arguments) == 2
    assert f"{library}:2:" in capsys.readouterr().err


def test_a_check_that_a_baseline_lets_pass_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (model,) = models(tmp_path, 1)
    line = ["check", model, "--baseline", str(tmp_path / "baseline.json"), *TODAY]
    assert main([*line, "--write-baseline"]) == 0
    capsys.readouterr()
    assert main(line) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "the check passes, because nothing at high and above is new or worse than in the baseline" in said


@pytest.mark.slow
def test_the_report_shows_the_age_of_a_baseline(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (model,) = models(tmp_path, 1)
    baseline = str(tmp_path / "baseline.json")
    assert main(["check", model, "--baseline", baseline, "--write-baseline", "--today", "2026-11-01"]) == 0
    text = Path(model).read_text(encoding="utf-8").replace("bot: {}", "bot: {}, other: {}")
    Path(model).write_text(text, encoding="utf-8")
    capsys.readouterr()
    for form in ("md", "html", "brief", "full", "full.md"):
        assert main(["-m", model, "--report", form, "--baseline", baseline, *TODAY]) == 0
        assert "24 days old" in (page := capsys.readouterr().out), form
        assert " new, " in page
    assert main(["summary", "-m", model, "-o", str(tmp_path / "out"), "--baseline", baseline, *TODAY]) == 0
    assert "Baseline of 2026-11-01, 24 days old: " in capsys.readouterr().out
    assert main(["-m", model, "--report", "--baseline", model, *TODAY]) == 2
    assert "unusable-baseline" in capsys.readouterr().err


@pytest.mark.slow
def test_the_way_in_which_processes_start_changes_nothing(tmp_path: Path) -> None:
    """macOS and Windows start them anew, without what this process holds."""
    paths = [Path(path) for path in models(tmp_path, 20)]
    question = CheckDemands(rules=Rules(), today=DAY, several=True, forms=(FormAsked("sarif"), FormAsked("text", 80)))
    done: list[int] = []
    forked, spawned = (list(checks(paths, question, done.append, start)) for start in (START, "spawn"))
    assert done == [*range(1, 21), *range(1, 21)]
    assert _told(spawned) == _told(forked)
    assert {name for one in spawned for name in one.rules} == {name for one in forked for name in one.rules}


def _told(outcomes: list[Outcome]) -> list[Outcome]:
    """What is written of each; which process read the library first, and met a rule first, is chance."""
    return [replace(one, rules={}, paths=()) for one in outcomes]


@pytest.mark.skipif(sys.platform == "win32", reason="it has no pseudo-terminals")
@pytest.mark.parametrize(("count", "shown"), [(6, True), (4, False)])
def test_a_terminal_sees_how_many_models_are_done(tmp_path: Path, count: int, shown: bool) -> None:
    import pty

    ours, theirs = pty.openpty()
    command = [sys.executable, str(HOME / "tm.py"), "check", *models(tmp_path, count), *TODAY]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, check=False)
    os.close(theirs)
    told = b""
    with contextlib.suppress(OSError):  # the other end is closed, and what was written is read
        while more := os.read(ours, 4096):
            told += more
    os.close(ours)
    bars = [f"[{'#' * (40 * n // count)}{'.' * (40 - 40 * n // count)}] {n}/{count}" for n in range(1, count + 1)]
    assert told.decode().replace("\r\n", "") == ("\r" + "\r".join(bars) if shown else "")
    assert b"#" * 20 not in done.stdout


@pytest.mark.parametrize(
    ("outputs", "said"),
    [
        (["--format", "sarif", "-o", "x", "--format", "json", "-o", "./x"], "sarif and json both go to ./x"),
        (["--format", "sarif", "--format", "json"], "sarif and json both go to standard output"),
    ],
)
def test_two_outputs_to_one_place_are_a_usage_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], outputs: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (model,) = models(tmp_path, 1)
    with pytest.raises(SystemExit) as stopped:
        main(["check", model, *outputs, *TODAY])
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["m00.yaml"]


@pytest.mark.parametrize("bad", ["nowhere/out.json", ".", "m00.yaml"])
def test_where_one_output_cannot_be_written_none_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], bad: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (model,) = models(tmp_path, 1)
    before = Path(model).read_bytes()
    assert main(["check", model, "--format", "sarif", "-o", "a.sarif", "--format", "json", "-o", bad, *TODAY]) == 2
    assert "unwritable-file" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["m00.yaml"]
    assert Path(model).read_bytes() == before


def test_a_full_disk_leaves_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    (model,) = models(tmp_path, 1)
    good = tmp_path / "a.sarif"
    outputs = ["--format", "sarif", "-o", str(good), "--format", "json", "-o", "/dev/full"]
    assert main(["check", model, *outputs, *TODAY]) == 2
    assert "/dev/full: unwritable-file" in capsys.readouterr().err
    assert not good.exists()


@pytest.mark.slow
def test_by_the_proven_risk_what_is_only_claimed_fails(capsys: pytest.CaptureFixture[str]) -> None:
    model = str(HOME / "models" / "slack-lambda.yaml")
    assert main(["check", model, *TODAY]) == 0
    assert main(["check", "-v", model, "--require-proof", *TODAY]) == 1
    assert ": unproven: " in capsys.readouterr().out
    assert main(["check", model, "--strict", *TODAY]) == 1


EDITED = '{"name": "Shop", "taken_on": "2026-11-25", "findings": {}, "others": [], "evidence": {}, "sha256": "0"}'


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("baseline-no-json", "name: x"),
        ("baseline-of-another-format", '{"format": "tm-baseline/0", "models": {}}'),
        (
            "baseline-of-another-shape",
            '{"format": "tm-baseline/2", "models": {"m00.yaml": {"name": 1, "sha256": "0"}}}',
        ),
        ("baseline-edited", f'{{"format": "tm-baseline/2", "models": {{"m00.yaml": {EDITED}}}}}'),
        ("baseline-of-another-model", '{"format": "tm-baseline/2", "models": {}}'),
    ],
)
def test_a_baseline_that_is_none_is_refused(
    name: str,
    text: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    golden: Callable[[str, str], None],
) -> None:
    monkeypatch.chdir(tmp_path)
    models(tmp_path, 1)
    Path("baseline.json").write_text(text, encoding="utf-8")
    assert main(["check", "m00.yaml", "--baseline", "baseline.json", *TODAY]) == 2
    golden(f"bad-input/{name}.txt", capsys.readouterr().err)


@pytest.mark.slow
def test_day_one_is_green_and_a_fixed_finding_leaves_only_on_update(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    model, kept = tmp_path / "m.yaml", ("--baseline", "b.json")
    red, green = (f"name: Shop\nfunctions: {{bot: {{role_wildcard_action: {said}}}}}\n" for said in ("true", "false"))
    model.write_text(red, encoding="utf-8")
    assert main(["check", "m.yaml", *TODAY]) == 1
    assert main(["check", "m.yaml", *kept, "--write-baseline", *TODAY]) == 0
    assert main(["check", "m.yaml", *kept, "--write-baseline", *TODAY]) == 2, "it writes over nothing"
    assert main(["check", "m.yaml", *kept, "--today", "2026-11-28"]) == 0
    assert "baseline of 2026-11-25, 3 days old" in capsys.readouterr().out
    before = Path("b.json").read_bytes()
    model.write_text(green, encoding="utf-8")
    assert main(["check", "m.yaml", *kept, *TODAY]) == 0
    assert Path("b.json").read_bytes() == before
    assert main(["check", "m.yaml", *kept, "--update-baseline", *TODAY]) == 0
    model.write_text(red, encoding="utf-8")
    assert main(["check", "m.yaml", *kept, *TODAY]) == 1, "what was fixed is held to"


def test_a_model_that_is_gone_is_no_finding_less(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    models(tmp_path, 2)
    kept = ("--baseline", "b.json")
    assert main(["check", "m00.yaml", "m01.yaml", *kept, "--write-baseline", *TODAY]) == 0
    assert main(["check", "m00.yaml", *kept, *TODAY]) == 0
    Path("m01.yaml").unlink()
    capsys.readouterr()
    assert main(["check", "m00.yaml", *kept, *TODAY]) == 1
    assert "b.json: the baseline names m01.yaml, which does not exist" in capsys.readouterr().err
    assert main(["check", "m00.yaml", *kept, "--update-baseline", *TODAY]) == 0
    assert main(["check", "m00.yaml", *kept, *TODAY]) == 0


def test_what_ends_is_listed_by_owner(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "model.yaml"
    path.write_text(
        "name: Shop\nfunctions: {bot: {}}\nowners: {team: team@example.com}\naccepted_risks:\n"
        "  over-privileged-role@bot: {risk: 25, reason: a pilot, owner: team, expires: 2027-01-01, ticket: SEC-1}\n"
        "controls:\n  code-signing@bot: {owner: team, ticket: SEC-2, due: 2026-12-01}\n"
        "  incident-runbook: {attested_by: ops, on: 2026-06-15, expires: 2026-11-24}\n",
        encoding="utf-8",
    )
    broken = tmp_path / "broken.yaml"
    broken.write_text("x", encoding="utf-8")
    assert main(["due", str(path), str(broken), "--within", "60d", *TODAY]) == 2
    lines = capsys.readouterr().out.splitlines()
    assert [line.strip().split("  ")[0] for line in lines] == [
        "ops",
        "2026-11-24",
        "team <team@example.com>",
        "2026-12-01",
        "2027-01-01",
    ]
    assert "SEC-2" in lines[3]


@pytest.mark.parametrize("name", ["\x00", "\ud800"])
@pytest.mark.parametrize("arguments", [["-m", "{}", "check"], ["check", "{}"], ["check", "-o", "{}"]])
def test_what_no_path_can_be_is_an_input_error(
    arguments: list[str], name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(HOME)
    assert run([one.format(name) for one in arguments]) == 2
    assert "file: cannot be " in capsys.readouterr().err


GOLDEN_MODEL = "name: Shop\nevidence: [{template: template.yaml}]\nfunctions: {bot: {}}\n"
DEPLOYED = "Resources:\n  Bot: {Type: AWS::Lambda::Function, Properties: {Timeout: 5, Runtime: python3.13}}\n"


@pytest.mark.parametrize("how", ["another path", "a link", "another resource", "as it was", "an edited text"])
def test_a_model_that_names_other_evidence_fails_until_the_baseline_is_updated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], how: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("golden").mkdir()
    Path("m.yaml").write_text(GOLDEN_MODEL, encoding="utf-8")
    Path("template.yaml").write_text(DEPLOYED + DEPLOYED.partition("\n")[2].replace("Bot", "Other"), encoding="utf-8")
    Path("golden/template.yaml").write_text(Path("template.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    line = ["check", "m.yaml", "--baseline", "b.json", *TODAY]
    assert main([*line, "--write-baseline"]) == 0
    if how == "another path":
        Path("m.yaml").write_text(GOLDEN_MODEL.replace("template.yaml", "golden/template.yaml"), encoding="utf-8")
    elif how == "a link":
        Path("template.yaml").unlink()
        Path("template.yaml").symlink_to("golden/template.yaml")
    elif how == "another resource":
        mapped = "template: template.yaml, resources: {bot: Other}"
        Path("m.yaml").write_text(GOLDEN_MODEL.replace("template: template.yaml", mapped), encoding="utf-8")
    elif how == "an edited text":
        Path("template.yaml").write_text(
            "# edited\n" + Path("template.yaml").read_text(encoding="utf-8"), encoding="utf-8"
        )
    capsys.readouterr()
    passes = how in {"as it was", "an edited text"}
    assert main(line) == (0 if passes else 1)
    said = capsys.readouterr().out
    assert ("swapped-evidence" in said) != passes
    if not passes:
        assert "m.yaml:2" in said
        assert main([*line, "--update-baseline"]) == 0
        assert main(line) == 0


@pytest.mark.parametrize("option", ["--baseline", "--policy", ""])
def test_what_gates_a_change_uses_no_cache_but_one_that_its_job_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    for name in ("CI", "TF_BUILD", "JENKINS_URL", "TM_CACHE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.chdir(tmp_path)
    Path("m.yaml").write_text(GOLDEN_MODEL, encoding="utf-8")
    Path("template.yaml").write_text(DEPLOYED, encoding="utf-8")
    Path("policy.yaml").write_text("fail_on: critical\n", encoding="utf-8")
    named = {
        "--baseline": ["--baseline", "b.json", "--write-baseline"],
        "--policy": ["--policy", "policy.yaml"],
        "": [],
    }
    line = ["check", "m.yaml", *named[option], *TODAY]
    assert main(line) in {0, 1}
    assert (tmp_path / "XDG_CACHE_HOME").exists() == (not option)
    monkeypatch.setenv("TM_CACHE", str(tmp_path / "job"))
    Path("b.json").unlink(missing_ok=True)
    assert main(line) in {0, 1}
    assert any((tmp_path / "job" / "threatmodel").iterdir())
