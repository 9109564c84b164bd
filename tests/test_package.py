"""What is packed: an sdist, the wheel made of it, and the `tm` that a wheel installs, run outside the clone."""

from __future__ import annotations

import email
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import dev
from tests.support import HOME
from threatmodel import __version__

pytestmark = pytest.mark.slow

POSIX = os.name == "posix"
CONTENT = {  # folders, and of docs/ and models/ the files that a model elsewhere can need
    "docs": {"errors.md"},
    "examples": None,
    "models": {"model.schema.json", "platform.yaml", "slack-lambda.yaml"},
    "templates": None,
    "threatlib": None,
}


def run(*command: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command's outcome, as somebody has it who knows nothing of this Python."""
    known = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    return subprocess.run(
        command, capture_output=True, encoding="utf-8", check=False, cwd=cwd, env={**known, **environment}
    )


def files(*folders: str) -> Iterator[str]:
    """The files of a clone below some folders, without what running them leaves behind."""
    for folder in folders:
        for path in (HOME / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path.relative_to(HOME).as_posix()


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel that was made of it."""
    folder = tmp_path_factory.mktemp("dist")
    done = run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, HOME, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def wheel(packed: Path) -> Path:
    (found,) = packed.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a new environment with the wheel and what it asks for, nothing else."""
    folder = tmp_path_factory.mktemp("Über uns") / ".venv"
    venv.create(folder, with_pip=True)
    python = dev.interpreter(folder)
    pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    needs = ("--require-hashes", "--only-binary", ":all:", "-r", dev.PROGRAM)
    done = run(*pip, *needs, cwd=folder)
    if done.returncode and "CI" not in os.environ:
        pytest.skip(f"the packages of {dev.PROGRAM.name} cannot be downloaded here: {done.stderr[-300:]}")
    assert done.returncode == 0, done.stderr
    done = run(*pip, "--no-index", wheel, cwd=folder)  # fails where the wheel asks for more than the lock has
    assert done.returncode == 0, done.stderr
    return python.parent


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Somebody's project: the example's code and template, in a repository with a name that not every tool likes."""
    folder = tmp_path / "Ärger & Söhne"
    shutil.copytree(HOME / "examples" / "slack-app", folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / ".git").mkdir()
    return folder


def tm(installed: Path, project: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("tm", path=str(installed))
    assert program is not None
    return run(program, *arguments, cwd=project, PATH=os.environ["PATH"], **environment)


# --- what is packed


def test_the_sdist_holds_what_the_tests_need(packed: Path) -> None:
    (sdist,) = packed.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "tm.py", "dev.py"} <= names
    assert set(files("threatmodel", *CONTENT, "tests", "scripts", "benchmarks")) <= names
    assert not [name for name in names if ".venv" in name or "__pycache__" in name or name.startswith("build/")]


def test_the_wheel_holds_the_program_and_its_content(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if not name.startswith("threatmodel-")}
        (metadata,) = [archive.read(name) for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
    wanted = {
        name for name in files(*CONTENT) if (only := CONTENT[name.split("/")[0]]) is None or Path(name).name in only
    }
    compiled = {name for name in names if name.startswith("threatmodel/content/compiled/")}
    assert names - compiled == {*files("threatmodel"), *(f"threatmodel/content/{name}" for name in wanted)}
    assert "threatmodel/content/compiled/library.json" in compiled
    assert email.message_from_bytes(metadata)["Version"] == __version__


def test_the_installed_tables_are_of_the_installed_files(installed: Path, tmp_path: Path) -> None:
    code = (
        "from threatmodel.compiling import tables; from threatmodel.reading.compiled import FOLDER\n"
        "for name, text in tables(): assert (FOLDER / f'{name}.json').read_text(encoding='utf-8') == text, name\n"
        "print(FOLDER)"
    )
    done = run(dev.interpreter(installed.parent), "-c", code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).is_relative_to(installed.parent)


@pytest.mark.long
def test_the_sdist_installs_and_runs_too(packed: Path, installed: Path, project: Path, tmp_path: Path) -> None:
    """As where no wheel is taken: pip builds it apart, with the backend that it names."""
    (sdist,) = packed.glob("*.tar.gz")
    python, folder = dev.interpreter(installed.parent), tmp_path / "from-sdist"
    done = run(python, "-m", "pip", "install", "--quiet", "--no-deps", "--target", folder, sdist, cwd=project)
    if "No matching distribution found for hatchling" in done.stderr and "CI" not in os.environ:
        pytest.skip(f"the build backend cannot be downloaded here: {done.stderr[-300:]}")
    assert done.returncode == 0, done.stderr
    program = (python, "-m", "threatmodel")
    said = run(*program, "--version", cwd=project, PYTHONPATH=str(folder)).stdout
    assert said == f"tm {__version__} (installed in {folder})\n"
    begun = run(*program, "init", cwd=project, PYTHONPATH=str(folder))
    assert begun.returncode == 0, begun.stderr
    report = run(*program, "--report", cwd=project, PYTHONPATH=str(folder))
    assert (report.returncode, report.stdout[:2]) == (0, "# ")


# --- what an installed one does


def test_it_explains_the_codes_of_its_problems(installed: Path, project: Path) -> None:
    done = tm(installed, project, "check", "-m", "nowhere.yaml")
    assert done.returncode == 2
    assert done.stderr.endswith("1 problem; to read about it: tm explain missing-file\n")
    told = tm(installed, project, "explain", "missing-file")
    assert told.stdout.startswith("# missing-file\n")
    assert "What to do: " in told.stdout


def test_it_says_what_it_is(installed: Path, project: Path) -> None:
    done = tm(installed, project, "--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"tm {__version__} (installed in ")
    assert str(installed.parent) in done.stdout
    python = dev.interpreter(installed.parent)
    assert run(python, "-m", "threatmodel", "--version", cwd=project).stdout == done.stdout


@pytest.mark.skipif(not POSIX, reason="the steps are a shell's")
def test_the_workflow_of_a_new_repository_is_green_and_red_where_a_role_widens(
    installed: Path, wheel: Path, tmp_path: Path
) -> None:
    """The shell steps of the workflow that `init` writes, in a clean clone, with the wheel as the index."""
    env = {"TM_CACHE": "off", "GIT_CONFIG_GLOBAL": os.devnull, "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md")}
    for who in ("AUTHOR", "COMMITTER"):
        env |= {f"GIT_{who}_NAME": "x", f"GIT_{who}_EMAIL": "x@example.org"}
    pipx = installed / "pipx"
    python = dev.interpreter(installed.parent)
    pipx.write_text(f'#!/bin/sh\n"{python}" -m pip install -q --no-index --no-deps -f "{wheel.parent}" "$2"\n')
    pipx.chmod(0o755)
    env["PATH"] = f"{installed}{os.pathsep}{os.environ['PATH']}"

    def shell(script: str, folder: Path, code: int = 0, **more: str) -> str:
        done = run("bash", "-c", script, cwd=folder, **env, **more)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    bot, clone = tmp_path / "bot", tmp_path / "clone"
    shutil.copytree(HOME / "examples" / "slack-app", bot, ignore=shutil.ignore_patterns("*probe*"))
    shell("git init -qb main", bot)
    shell(f"tm init --source threatmodel=={__version__}", bot)
    shell(f"git add -A && git commit -qm 'threat model' && git clone -q . {clone}", bot)
    workflow = yaml.safe_load((clone / ".github" / "workflows" / "threat-model.yml").read_text(encoding="utf-8"))
    steps = [step for step in workflow["jobs"]["check"]["steps"] if "run" in step]
    for step in steps:
        shell(step["run"], clone, **step.get("env", {}))
    assert (tmp_path / "summary.md").read_text(encoding="utf-8").startswith("# ")

    template = clone / "template.yaml"
    text = template.read_text(encoding="utf-8").replace("Action: dynamodb:PutItem", "Action: '*'", 1)
    line = text[: text.index("Action: '*'")].count("\n") + 1
    template.write_text(text, encoding="utf-8")
    shell("git commit -qam wider", clone)
    for step in steps[:-1]:
        shell(step["run"], clone, **step.get("env", {}))
    said = shell(steps[-1]["run"], clone, code=1)
    assert f"template.yaml:{line}  " in said
    assert "do: " in said


def test_a_model_from_a_template_to_a_report(installed: Path, project: Path) -> None:
    done = tm(installed, project, "import", "template.yaml", "-o", "threatmodel.yaml")
    assert done.returncode == 0, done.stderr
    model = ("-m", "threatmodel.yaml")
    for arguments, name, start in (
        (("--report", "html"), "report.html", b"<!doctype html>"),
        (("--report",), "report.md", b"# "),
        (("--dfd",), "dfd.svg", b"<?xml"),
        (("--json",), "assessment.json", b"{"),
        (("--pytm",), "model.py", b""),
    ):
        done = tm(installed, project, *model, *arguments, "-o", name)
        assert (done.returncode, done.stderr) == (0, "")
        assert (project / name).read_bytes().startswith(start)
    done = tm(installed, project, *model, "--dfd")
    assert (done.returncode, "\ndigraph" in done.stdout) == (0, True)
    done = tm(installed, project, *model, "check")
    assert (done.returncode, done.stderr) == (1, "")
    read = json.loads((project / "assessment.json").read_text(encoding="utf-8"))
    assert read["findings"]


def test_a_template_of_ones_own_is_rendered_in_its_child_process(installed: Path, project: Path) -> None:
    assert tm(installed, project, "import", "template.yaml", "-o", "threatmodel.yaml").returncode == 0
    (project / "own.md.j2").write_text("{{ model.name }}: {{ bands | length }}\n", encoding="utf-8")
    done = tm(installed, project, "-m", "threatmodel.yaml", "--report", "own.md.j2")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith(": 4\n")


@pytest.mark.skipif(not POSIX, reason="handlers are not run on Windows")
def test_a_handler_is_probed_without_a_home_to_write_to(installed: Path, project: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o500)
    done = tm(installed, project, "probe", "app.py", "--env-file", "probe.env", HOME=str(home))
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^required probes: (\d+) of \1 passed", done.stdout, re.MULTILINE)
    assert [*home.iterdir()] == []


@pytest.mark.long
@pytest.mark.skipif(
    not POSIX or shutil.which("node") is None, reason="needs Node.js, and handlers are not run on Windows"
)
def test_a_handler_in_javascript_is_probed(installed: Path, project: Path) -> None:
    shutil.copy(HOME / "examples" / "slack-app-node" / "app.mjs", project)
    done = tm(installed, project, "probe", "app.mjs", "--env-file", "probe.env")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^required probes: (\d+) of \1 passed", done.stdout, re.MULTILINE)


def test_every_child_and_package_can_be_read_only(installed: Path, project: Path) -> None:
    """Nothing is written beside the program, whoever owns it."""
    before = {path: path.stat().st_mtime_ns for path in installed.parent.rglob("*") if "__pycache__" not in path.parts}
    assert tm(installed, project, "--list").returncode == 0
    assert tm(installed, project, "explain", "slack-request-forgery").returncode == 0
    after = {path: path.stat().st_mtime_ns for path in installed.parent.rglob("*") if "__pycache__" not in path.parts}
    assert after == before
