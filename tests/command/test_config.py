"""The configuration of a repository: what holds, where it comes from, and that it cannot weaken a check silently."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.refusals import refused, write
from threatmodel.command.main import main

Golden = Callable[[str, str], None]
TODAY = ("--today", "2026-11-30")
MODEL = "name: Shop\nfunctions: {bot: {triggers: [{slack: slash-command, api: door}]}}\napis: {door: {}}\n"
EXCLUDED = """
[[exclude]]
threat = "slack-request-forgery"
reason = "a WAF of the platform"
owner = "security@example.com"
expires = 2027-03-31
"""


@pytest.fixture(autouse=True)
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a model."""
    (tmp_path / "shop" / ".git").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "shop")
    write("models/shop.yaml", MODEL)
    return tmp_path / "shop"


def config(*lines: str, file: str = ".threatmodel.toml") -> None:
    write(file, "".join(f"{line}\n" for line in lines))


def held(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, tuple[str, str]]:
    """Each setting with its value and origin, as `tm config` prints them."""
    assert main(["config", *arguments]) == 0
    rows = [line.split("  ", 1) for line in capsys.readouterr().out.splitlines()]
    found = {}
    for name, rest in rows:
        value, _, origin = rest.strip().rpartition("  ")
        found[name] = value.strip(), origin
    return found


# --- precedence


def test_the_command_line_comes_first_then_the_environment_then_the_configuration(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert held(capsys)["fail-on"] == ("high", "default")
    config('fail-on = "medium"', 'models = ["models/*.yaml"]', "strict = true")
    assert held(capsys)["fail-on"] == ("medium", ".threatmodel.toml:1:1")
    assert held(capsys)["models"] == ("models/shop.yaml", ".threatmodel.toml:2:1")
    monkeypatch.setenv("TM_FAIL_ON", "critical")
    assert held(capsys)["fail-on"] == ("critical", "TM_FAIL_ON")
    assert held(capsys, "--fail-on", "low")["fail-on"] == ("low", "command line")
    assert held(capsys, "other.yaml")["models"] == ("other.yaml", "command line")
    assert held(capsys, "-m", "other.yaml")["models"] == ("other.yaml", "command line")
    assert held(capsys)["strict"] == ("true", ".threatmodel.toml:3:1")


def test_every_setting_is_shown(capsys: pytest.CaptureFixture[str], golden: Golden) -> None:
    write("policy.yaml", "fail_on: medium\n")
    write("own/library.yaml", "name: Own\n")
    config(
        'models = ["models/shop.yaml"]',
        'library = ["own"]',
        'policy = "policy.yaml"',
        'baseline = "threats.baseline.json"',
        'fail-on = "low"',
        "require-proof = true",
        "[formats]",
        'sarif = "out/threats.sarif"',
        EXCLUDED,
    )
    assert main(["config"]) == 0
    golden("cli/config.txt", capsys.readouterr().out)


def test_the_table_of_a_pyproject_counts(capsys: pytest.CaptureFixture[str]) -> None:
    for text in (
        '[tool.threatmodel]\nfail-on = "low"\n',
        '[tool]\nthreatmodel = {fail-on = "low"}\n',
        'tool.threatmodel.fail-on = "low"\n',
        '["tool".\'threatmodel\']\n"fail-on" = "low"\n',
        '[tool.threatmodel.formats]\nsarif = "x.sarif"\n[tool]\nthreatmodel.fail-on = "low"\n'.replace("[tool]\n", ""),
    )[:4]:
        write("pyproject.toml", f"[project]\nname = 'x'\n{text}" if text.startswith("[") else text)
        value, origin = held(capsys)["fail-on"]
        assert (value, origin.split(":")[0]) == ("low", "pyproject.toml"), text


def test_a_pyproject_without_the_table_is_not_parsed(capsys: pytest.CaptureFixture[str]) -> None:
    write("pyproject.toml", "[tool.other]\nthreatmodels = [broken\n")
    assert held(capsys)["fail-on"] == ("high", "default")


def test_a_pyproject_that_cannot_be_read_concerns_other_programs(capsys: pytest.CaptureFixture[str]) -> None:
    write("pyproject.toml", b"[project]\nname = '\xff'\n")
    assert held(capsys)["fail-on"] == ("high", "default")
    write("pyproject.toml", b"[project]\nname = '\xff'\n[tool.threatmodel]\nfail-on = 'low'\n")
    assert "pyproject.toml:2:9: unreadable-file: the byte 0xFF is not UTF-8" in refused(["check"], capsys)


def test_the_nearest_folder_counts(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    config('fail-on = "low"', 'models = ["models/shop.yaml"]')
    Path("services/bot").mkdir(parents=True)
    monkeypatch.chdir("services/bot")
    assert held(capsys)["fail-on"] == ("low", "../../.threatmodel.toml:1:1")
    assert held(capsys)["models"][0] == "../../models/shop.yaml"
    assert main(["--dfd"]) == 0
    config('fail-on = "medium"', file="../.threatmodel.toml")
    capsys.readouterr()
    assert held(capsys)["fail-on"] == ("medium", "../.threatmodel.toml:1:1")


# --- what a check does with it


def test_a_check_does_what_the_configuration_says(capsys: pytest.CaptureFixture[str]) -> None:
    write("models/other.yaml", MODEL.replace("Shop", "Other"))
    config(
        'models = ["models/*.yaml"]',
        'baseline = "known.json"',
        "[formats]",
        'sarif = "out.sarif"',
    )
    assert main(["check", "--write-baseline", *TODAY]) == 0
    assert set(json.loads(Path("known.json").read_text(encoding="utf-8"))["models"]) == {
        "models/shop.yaml",
        "models/other.yaml",
    }
    capsys.readouterr()
    assert main(["check", *TODAY]) == 0
    assert "2 models" in capsys.readouterr().out
    assert len(json.loads(Path("out.sarif").read_text(encoding="utf-8"))["runs"]) == 1
    config('models = ["models/shop.yaml"]', 'baseline = "known.json"')
    assert main(["check", *TODAY]) == 1
    assert "models/other.yaml is in the baseline known.json, and 'models' leaves it out" in capsys.readouterr().err
    assert main(["check", "models/shop.yaml", *TODAY]) == 0


def test_a_command_for_one_model_asks_which(capsys: pytest.CaptureFixture[str]) -> None:
    write("models/other.yaml", MODEL)
    config('models = ["models/*.yaml"]')
    said = refused(["--dfd"], capsys)
    assert "several-models" in said
    assert "name one: -m models/other.yaml" in said


def test_an_excluded_threat_is_shown_with_its_owner_until_its_day(capsys: pytest.CaptureFixture[str]) -> None:
    config(EXCLUDED)
    main(["check", "-v", *TODAY])
    said = capsys.readouterr().out
    assert (
        ".threatmodel.toml:3:10: excluded threat: slack-request-forgery (1 element), stated by security@example.com"
        in said
    )
    assert "slack-request-forgery@bot" not in said
    main(["check", "--strict", "-v", *TODAY])
    assert "relies-on-statement: excluded:slack-request-forgery" in capsys.readouterr().out
    assert main(["due", "--within", "400d", *TODAY]) == 0
    assert "slack-request-forgery" in capsys.readouterr().out
    main(["check", "-v", "--today", "2027-04-01"])
    said = capsys.readouterr().out
    assert (
        "lapsed-exclusion: slack-request-forgery: excluded by security@example.com until 2027-03-31, which has passed"
        in said
    )
    assert "slack-request-forgery@bot" in said
    assert main(["check", "--ignore-acceptances", "-v", *TODAY]) == 1
    assert "slack-request-forgery@bot" in capsys.readouterr().out


def test_an_exclusion_of_more_than_a_year_does_not_count(capsys: pytest.CaptureFixture[str]) -> None:
    config(EXCLUDED.replace("2027", "2029"))
    main(["check", "-v", *TODAY])
    said = capsys.readouterr().out
    assert (
        "long-exclusion: slack-request-forgery: excluded until 2029-03-31, more than a year ahead, and does not count"
        in said
    )
    assert "slack-request-forgery@bot" in said


def test_a_former_or_unknown_threat(capsys: pytest.CaptureFixture[str]) -> None:
    config(EXCLUDED.replace("slack-request-forgery", "slack-request-forgry"))
    assert ".threatmodel.toml:3:10: unknown-threat: there is no threat 'slack-request-forgry'; did you mean" in refused(
        ["check"], capsys
    )


def test_a_report_only_check_ends_with_0(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["check", *TODAY]) == 1
    assert main(["check", "--report-only", *TODAY]) == 0
    assert "report only: the check fails, and the exit code is 0" in capsys.readouterr().err
    assert main(["check", "--report-only", "nowhere.yaml"]) == 2
    monkeypatch.setenv("TM_REPORT_ONLY", "true")
    assert main(["check", *TODAY]) == 0


def test_a_quiet_check_prints_only_what_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--quiet", *TODAY]) == 1
    said = capsys.readouterr().out
    assert "do: " in said
    assert "Relies on" not in said
    assert main(["check", "-q", "--fail-on", "critical", "--allow-undetermined", *TODAY]) == 0
    assert capsys.readouterr() == ("", "")


def test_a_diff_shows_which_settings_and_exclusions_changed(
    capsys: pytest.CaptureFixture[str], golden: Golden, monkeypatch: pytest.MonkeyPatch
) -> None:
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "x")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "x@example.org")
    config('fail-on = "medium"', "strict = true")
    Path(".git").rmdir()
    subprocess.run(["git", "init", "-qb", "main"], check=True)
    subprocess.run(["git", "add", "-A"], check=True)
    subprocess.run(["git", "commit", "-qm", "one"], check=True)
    config('fail-on = "high"', EXCLUDED)
    assert main(["diff", "HEAD", *TODAY]) == 0
    lines = capsys.readouterr().out.splitlines()
    at = lines.index("Settings of the check")
    golden("cli/diff-settings.txt", "\n".join(lines[at : at + 7]) + "\n")
    assert main(["diff", "HEAD", "--format", "json", *TODAY]) == 0
    assert {one["name"] for one in json.loads(capsys.readouterr().out)["settings"]} == {
        *("fail-on", "strict", "exclude slack-request-forgery"),
    }

    write("models/other.yaml", MODEL.replace("Shop", "Other"))
    config('models = ["models/*.yaml"]')
    assert main(["diff", "HEAD", "--models", *TODAY]) == 0
    assert "models/shop.yaml\nShop" in capsys.readouterr().out


# --- what it may not say


def test_every_problem_at_once(capsys: pytest.CaptureFixture[str], golden: Golden) -> None:
    config(
        'modles = ["models/shop.yaml"]',
        'baseline = "../known.json"',
        'fail-on = "critical"',
        "report-only = true",
        "allow-undetermined = true",
        'strict = "yes"',
        'models = ["nope/*.yaml", "/etc/*", "../*.yaml"]',
        "[formats]",
        'sarif = ".git/hooks/post-checkout"',
        'table = "x"',
        "[[exclude]]",
        'threat = "slack-request-forgery"',
        'expires = "soon"',
    )
    golden("bad-input/config.txt", refused(["check"], capsys))


def test_two_configurations(capsys: pytest.CaptureFixture[str], golden: Golden) -> None:
    config('fail-on = "low"')
    config("[tool.threatmodel]", file="pyproject.toml")
    golden("bad-input/two-configurations.txt", refused(["check"], capsys))


def test_text_that_is_no_toml(capsys: pytest.CaptureFixture[str], golden: Golden) -> None:
    config('fail-on "low"')
    golden("bad-input/config-no-toml.txt", refused(["check"], capsys))
    config("a = " + "[" * 5000)
    assert "toml-syntax" in refused(["check"], capsys)
    config("[tool.threatmodel]", 'password = "hunter2', file="pyproject.toml")
    Path(".threatmodel.toml").unlink()
    assert "hunter2" not in refused(["check"], capsys)


def test_a_policy_that_the_configuration_contradicts(capsys: pytest.CaptureFixture[str], golden: Golden) -> None:
    write("policy.yaml", "fail_on: medium\nacceptors: [ciso@example.com]\n")
    config('fail-on = "high"', EXCLUDED)
    golden("bad-input/config-against-policy.txt", refused(["check", "--policy", "policy.yaml"], capsys))
    assert "contradicting-setting" in refused(["config", "--policy", "policy.yaml"], capsys)
    write("policy.yaml", "ignore_acceptances: true\n")
    assert "ignores acceptances" in refused(["check", "--policy", "policy.yaml"], capsys)


def test_a_policy_of_the_configuration_weakens_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    write("policy.yaml", "fail_on: critical\nallow_undetermined: true\n")
    config('policy = "policy.yaml"')
    main(["check", *TODAY])
    said = capsys.readouterr().out
    config()
    main(["check", *TODAY])
    assert capsys.readouterr().out == said


def test_a_link_out_of_the_project_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    write("../outside.toml", 'fail-on = "low"\n')
    Path(".threatmodel.toml").symlink_to("../outside.toml")
    assert "outside-project" in refused(["check"], capsys)


def test_a_value_of_the_environment_that_is_not_understood(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TM_FAIL_ON", "severe")
    monkeypatch.setenv("TM_STRICT", "maybe")
    said = refused(["check"], capsys)
    assert "TM_FAIL_ON: unknown-word: 'severe' is not understood; expected one of low, medium, high, critical" in said
    assert "TM_STRICT: unknown-word: 'maybe' is not understood; expected true or false" in said


# --- options of other scanners


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        (["--severity", "HIGH"], "use --fail-on low, medium, high or critical"),
        (["--skip-check", "X"], "use 'tm accept FINDING' for a finding, or --exclude IDS for threats"),
        (["--exit-code", "0"], "use --report-only, which"),
        (["--exit-code=0"], "use --report-only, which"),
        (["--soft-fail"], "use --report-only, which"),
        (["--format", "table"], "did you mean 'text'?"),
        (["-f", "sarif"], "use --format FORMAT -o FILE"),
        (["-d", "."], "name the model, which names its files, or import the files with 'tm import'"),
        (["--create-baseline"], "use --baseline FILE --write-baseline"),
    ],
)
def test_options_of_other_scanners_are_answered(
    typed: list[str], answer: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["check", *typed])
    assert stopped.value.code == 2
    assert f"; {answer}" in capsys.readouterr().err
