"""What docs/ci.md promises, run by hand in order: green on day one, red where a role widens, at the right line."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support import HOME

PAGE = (HOME / "docs" / "ci.md").read_text(encoding="utf-8")
ACTION = yaml.safe_load((HOME / "action.yml").read_text(encoding="utf-8"))


def code(language: str, containing: str) -> str:
    """The block of the page that holds a text."""
    found = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    (block,) = [text for text in found if containing in text]
    return str(block)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with nothing but a template and its handler, and `tm` on the path."""
    programs = tmp_path / "bin"
    programs.mkdir()
    tm = programs / "tm"
    tm.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{HOME / "tm.py"}" "$@"\n', encoding="utf-8")
    tm.chmod(0o755)
    for name in ("pipx", "pip"):
        (programs / name).symlink_to(shutil.which("true") or "/bin/true")
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("RUNNER_TEMP", str(tmp_path / "runner"))
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    for name, value in (("GIT_CONFIG_GLOBAL", os.devnull), ("TM_CACHE", "off")):
        monkeypatch.setenv(name, value)
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "x")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "x@example.org")
    folder = tmp_path / "shop"
    shutil.copytree(HOME / "examples" / "slack-app", folder, ignore=shutil.ignore_patterns("*probe*"))
    monkeypatch.chdir(folder)
    run("git init -qb main && git add -A && git commit -qm start")
    return folder


def run(script: str, codes: tuple[int, ...] = (0,), **env: str) -> str:
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, check=False, env={**os.environ, **env}
    )
    assert done.returncode in codes, f"{script}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="the steps are a shell's")
def test_from_nothing_to_green_and_red_where_a_role_widens(shop: Path, tmp_path: Path) -> None:
    lines = code("sh", "tm init").strip().split("\n")
    assert len(lines) <= 10
    for line in lines:
        run(line.replace(" PIN ", " threatmodel==0.2.0 "))
    assert (shop / "threats.baseline.json").is_file()
    run("git update-ref refs/remotes/origin/main HEAD && git checkout -qb wider")
    template = shop / "template.yaml"
    text = template.read_text(encoding="utf-8")
    narrow = next(line for line in text.split("\n") if re.search(r"^\s+Resource: !GetAtt", line))
    at = text.split("\n").index(narrow) + 1
    template.write_text(text.replace(narrow, f"{narrow.partition('Resource:')[0]}Resource: '*'", 1), encoding="utf-8")
    run("git commit -qam wider")
    env = {"BASELINE": "threats.baseline.json", "BASE": "main", "FAIL_ON": "high"}
    said = run(f"bash {HOME / 'scripts' / 'action.sh'}", codes=(1,), **env)
    assert re.search(rf"^::error file=template\.yaml,line={at},", said, re.MULTILINE), said
    outputs = dict(
        line.split("=", 1) for line in Path(os.environ["GITHUB_OUTPUT"]).read_text(encoding="utf-8").splitlines()
    )
    log = json.loads(Path(outputs["sarif"]).read_text(encoding="utf-8"))
    assert any(result["level"] == "error" for result in log["runs"][0]["results"])
    comment = Path(outputs["changes"]).read_text(encoding="utf-8")
    assert len(comment.splitlines()) <= 40
    assert f"template.yaml:{at}" in comment
    (page,) = Path(outputs["report"]).iterdir()
    assert page.read_text(encoding="utf-8").startswith("<!")
    assert "fail" in (tmp_path / "summary").read_text(encoding="utf-8")


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="the steps are a shell's")
def test_of_several_models_each_has_its_report_and_its_changes(shop: Path) -> None:
    for name in ("one", "two"):
        text = f"name: System {name}\nfunctions: {{bot: {{errors_generic: true}}}}\n"
        (shop / f"{name}.yaml").write_text(text, encoding="utf-8")
    run("git add -A && git commit -qm models && git update-ref refs/remotes/origin/main HEAD && git checkout -qb other")
    for name in ("one", "two"):
        path = shop / f"{name}.yaml"
        path.write_text(path.read_text(encoding="utf-8").replace("true", "false"), encoding="utf-8")
    run("git commit -qam weaker")
    run(f"bash {HOME / 'scripts' / 'action.sh'}", codes=(1,), MODEL="one.yaml two.yaml", BASE="main")
    outputs = dict(
        line.split("=", 1) for line in Path(os.environ["GITHUB_OUTPUT"]).read_text(encoding="utf-8").splitlines()
    )
    assert sorted(page.name for page in Path(outputs["report"]).iterdir()) == ["1-one.yaml.html", "2-two.yaml.html"]
    comment = Path(outputs["changes"]).read_text(encoding="utf-8")
    assert "**one.yaml**" in comment
    assert "**two.yaml**" in comment
    assert len(comment.splitlines()) <= 40
    assert "`tm diff refs/remotes/origin/main..HEAD -m MODEL`" in comment


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="the steps are a shell's")
def test_the_steps_of_gitlab_write_what_they_promise(shop: Path) -> None:
    job = yaml.safe_load(code("yaml", "gl-code-quality-report"))["threat-model"]
    run("tm init")
    for line in job["script"]:
        run(line, TM_SOURCE="x")
    for file in job["artifacts"]["reports"].values():
        assert (shop / file).is_file()


def steps() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ACTION["runs"]["steps"]
    return found


def test_actions_are_pinned_and_no_input_is_part_of_a_command() -> None:
    workflow = code("yaml", "fetch-depth")
    used = [step["uses"] for step in steps() if "uses" in step]
    used += re.findall(r"uses: (actions/\S+)", workflow)
    assert used
    for one in used:
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", one), one
    for step in steps():
        assert "${{" not in step.get("run", ""), step["name"]
    named = {name for step in steps() for name in re.findall(r"inputs\.([\w-]+)", json.dumps(step))}
    assert named == set(ACTION["inputs"])
    assert set(re.findall(r"`([a-z-]+)`", PAGE.partition("Inputs: ")[2].partition("(")[0])) == set(ACTION["inputs"])


def test_no_job_takes_what_another_one_kept() -> None:
    """The cache of the runner's home is neither read nor written, and no step restores one."""
    used = [step["uses"] for step in steps() if "uses" in step]
    assert not [one for one in used if "cache" in one]
    assert "cache" not in json.dumps([step.get("with", {}) for step in steps()])
    for language, containing in (("yaml", "fetch-depth"), ("yaml", "gl-code-quality-report"), ("yaml", "hooks:")):
        assert "cache" not in code(language, containing)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="the steps are a shell's")
def test_the_action_keeps_nothing_in_the_runners_home(shop: Path, tmp_path: Path) -> None:
    (shop / "threatmodel.yaml").write_text("name: Shop\nevidence: [{template: template.yaml}]\nfunctions: {bot: {}}\n")
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    run(f"bash {HOME / 'scripts' / 'action.sh'}", codes=(1,), XDG_CACHE_HOME=str(home), TM_CACHE="", CI="")
    assert not list(home.iterdir())


ACCEPTED = {
    "require-proof": "true or false",
    "upload-sarif": "true or false",
    "comment": "true or false",
    "fail-on": "as-configured, low, medium, high or critical",
    "baseline": "(one path|a path, and no option)",
    "policy": "(one path|a path, and no option)",
    "work": "a number of operations such as 100000",
    "model": "paths of models, and no option",
}


@pytest.mark.skipif(sys.platform == "win32", reason="the steps are a shell's")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, value) for name in ("require-proof", "upload-sarif", "comment") for value in ("yes", "1", "", "tRue")),
        *(("fail-on", value) for value in ("High", "", "high medium", "--strict", "none")),
        *((name, value) for name in ("baseline", "policy") for value in ("a.json\nb.json", "--fail-on=critical")),
        ("model", "a.yaml\n--ignore-acceptances"),
        ("model", "-h"),
        *(("work", value) for value in ("0", "", "1e6", "-1", "9999999999999")),
    ],
)
def test_an_input_that_is_not_understood_ends_the_step(shop: Path, name: str, value: str) -> None:
    env = {**os.environ, "TM": "false", name.upper().replace("-", "_"): value}
    script = ["bash", str(HOME / "scripts" / "action.sh")]
    done = subprocess.run(script, capture_output=True, text=True, check=False, env=env, cwd=shop)
    assert done.returncode == 2
    assert done.stderr.startswith(f"::error title=threat model::input {name}: ")
    assert re.search(f" is not understood; expected {ACCEPTED[name]}$", done.stderr.strip())
    assert len(done.stderr.splitlines()) == 1, "no line of the input becomes one of the runner's commands"


@pytest.mark.skipif(sys.platform == "win32", reason="the steps are a shell's")
@pytest.mark.usefixtures("shop")
def test_what_the_inputs_say_is_what_the_check_is_asked(tmp_path: Path) -> None:
    """Every spelling of YAML for yes is yes, blanks around count for nothing, and each line names models."""
    log = tmp_path / "log"
    (tmp_path / "bin" / "tm").write_text(f'#!/bin/sh\necho "$@" >> "{log}"\n', encoding="utf-8")
    script = f"bash {HOME / 'scripts' / 'action.sh'}"
    for value, asked in (("true", 1), ("True", 1), ("TRUE", 1), (" true ", 1), ("false", 0), ("False\n", 0)):
        log.unlink(missing_ok=True)
        models = " one.yaml two.yaml\n\tthree.yaml\n\n"
        run(
            script,
            REQUIRE_PROOF=value,
            UPLOAD_SARIF="FALSE",
            MODEL=models,
            BASE="main",
            POLICY="our rules.yaml",
            WORK="5000",
        )
        lines = log.read_text(encoding="utf-8").splitlines()
        assert lines[0].startswith("check --work=5000 one.yaml two.yaml three.yaml --policy=our rules.yaml")
        assert ("--require-proof" in lines[0]) == bool(asked)
        assert [line.split()[1] for line in lines[1:-1]] == ["one.yaml", "two.yaml", "three.yaml"]
        assert lines[-1].startswith(
            "diff refs/remotes/origin/main..HEAD --work=5000 --models one.yaml two.yaml three.yaml "
        )
    log.unlink()
    run(script, FAIL_ON=" low ")
    assert log.read_text(encoding="utf-8").startswith("check --fail-on low --work=100000 ")
    outputs = Path(os.environ["GITHUB_OUTPUT"]).read_text(encoding="utf-8").splitlines()
    assert "upload=false" in outputs
    assert "comment=true" in outputs


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="the steps are a shell's")
def test_a_comparison_that_fails_fails_the_step_and_is_told_in_the_comment(shop: Path) -> None:
    """Files that git takes for a bare repository, beside the model, silence neither; a new model is no failure."""
    (shop / "threatmodel.yaml").write_text("name: Shop\nfunctions: {bot: {}}\n", encoding="utf-8")
    run("git update-ref refs/remotes/origin/main HEAD && git add -A && git commit -qm model")
    script, out = f"bash {HOME / 'scripts' / 'action.sh'}", Path(os.environ["RUNNER_TEMP"]) / "threat-model"
    run(script, codes=(1,), BASE="main")
    assert "missing-file" in (out / "changes.md").read_text(encoding="utf-8")
    for name in ("objects", "refs"):
        (shop / name).mkdir()
    (shop / "HEAD").write_text("ref: refs/heads/main\n", encoding="utf-8")
    run(script, codes=(1,), BASE="main")
    (shop / "models").mkdir()
    for name in ("objects", "refs", "HEAD", "threatmodel.yaml"):
        (shop / name).rename(shop / "models" / name)
    run(script, codes=(2,), BASE="main", MODEL="models/threatmodel.yaml")
    comment = (out / "changes.md").read_text(encoding="utf-8")
    assert "other-repository" in comment
    assert "othing differs" not in comment
    run(script, codes=(2,), BASE="nowhere", MODEL="models/threatmodel.yaml")


def test_the_hook_is_one_that_pre_commit_knows() -> None:
    (hook,) = yaml.safe_load((HOME / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert hook["id"] == yaml.safe_load(code("yaml", "hooks:"))["repos"][0]["hooks"][0]["id"]
    assert hook["always_run"], "a model may name any file: a handler, a plan, samconfig.toml"
    assert not {"files", "types", "exclude"} & set(hook)


@pytest.mark.long
def test_pre_commit_runs_it_from_a_clone(shop: Path, tmp_path: Path) -> None:
    """With pre-commit itself, where it is installed: it clones, installs and runs."""
    program = shutil.which("pre-commit")
    if program is None:
        pytest.skip("pre-commit is not installed: pip install pre-commit")
    clone = tmp_path / "toolkit"
    run(f"git clone -q {HOME} {clone}")
    commit = run(f"git -C {clone} rev-parse HEAD").strip()
    text = code("yaml", "hooks:").replace("PATH-OR-ADDRESS-OF-THIS-TOOLKIT", str(clone)).replace("COMMIT", commit)
    (shop / ".pre-commit-config.yaml").write_text(text, encoding="utf-8")
    run("tm init && git add -A")
    assert "Passed" in run(f"{program} run --all-files", PRE_COMMIT_HOME=str(tmp_path / "pre-commit"))


@pytest.mark.long
def test_zizmor_finds_nothing() -> None:
    program = shutil.which("zizmor")
    if program is None:
        pytest.skip("zizmor is not installed: pip install zizmor")
    done = subprocess.run([program, "--offline", str(HOME / "action.yml")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
