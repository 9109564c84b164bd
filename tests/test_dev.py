import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import dev


def run_dev(clone: Path, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a clone's dev.py with pip (no uv on PATH) and without any index to ask."""
    environment = {**os.environ, "PATH": "", "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}
    command = [sys.executable, str(clone / "dev.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, env=environment)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder with dev.py and locks that ask for nothing."""
    folder = tmp_path / "a clone"
    folder.mkdir()
    fill(folder)
    return folder


def fill(clone: Path) -> None:
    shutil.copy(dev.ROOT / "dev.py", clone)
    for lock in (dev.PROGRAM, dev.CHECKS):
        (clone / lock.name).write_text("# nothing\n", encoding="utf-8")


@pytest.fixture(scope="module")
def set_up(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone in which dev.py has made the environment; for copies of it, since making it takes seconds."""
    folder = tmp_path_factory.mktemp("set-up") / "a clone"
    folder.mkdir()
    fill(folder)
    done = run_dev(folder, "setup", cwd=folder.parent)
    assert done.returncode == 0, done.stderr
    assert "making .venv with pip (first run)" in done.stderr
    return folder


@pytest.fixture
def made(set_up: Path, tmp_path: Path) -> Path:
    """A clone of a test's own in which dev.py has made the environment."""
    return shutil.copytree(set_up, tmp_path / "a clone", symlinks=True)


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    """An environment as dev.py leaves it, as far as dev.py looks."""
    folder = tmp_path / ".venv"
    python = dev.interpreter(folder)
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    (folder / dev.STAMP).write_text("a.lock 1 cpython\n", encoding="utf-8")
    return folder


# --- what it says


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",), ("help",)])
def test_help_names_every_task(arguments: tuple[str, ...]) -> None:
    done = run_dev(dev.ROOT, *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.findall(r"^  (\w+) ", done.stdout, re.MULTILINE) == list(dev.TASKS)


def test_unknown_task_suggests_the_nearest() -> None:
    done = run_dev(dev.ROOT, "tset")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "dev.py: 'tset' is not a task; did you mean 'test'?\n"
        "  tasks: setup, report, check, test, coverage, fix, docs, build, lock\n"
    )


def test_setup_refuses_arguments() -> None:
    done = run_dev(dev.ROOT, "setup", "--fast")
    assert (done.returncode, done.stderr) == (1, "dev.py: setup takes nothing or 'dev', got: --fast\n")


def test_lock_needs_uv() -> None:
    done = run_dev(dev.ROOT, "lock")
    assert done.returncode == 1
    assert done.stderr.startswith("dev.py: only uv can write a lock for every system.\n  fix: install uv ")


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 14, 2), (4, 0, 0)])
def test_new_enough_python(version: tuple[int, ...]) -> None:
    dev.require_python(version)


def test_old_python() -> None:
    with pytest.raises(dev.SetupError, match=r"^Python 3\.11 or newer is needed, this is 3\.10\.13\.\n  fix: "):
        dev.require_python((3, 10, 13))


def test_an_old_python_can_parse_it() -> None:
    ast.parse((dev.ROOT / "dev.py").read_text(encoding="utf-8"), feature_version=(3, 8))


def test_missing_ensurepip_names_the_package() -> None:
    failure = str(dev.venv_failure("The virtual environment was not created because ensurepip is not available."))
    assert f"sudo apt-get install python{sys.version_info[0]}.{sys.version_info[1]}-venv" in failure


def test_other_venv_failures_are_shown() -> None:
    assert "No space left on device" in str(dev.venv_failure("Error: No space left on device\n"))


def test_table_names_what_failed() -> None:
    outcomes = [
        dev.Outcome("lint", passed=False, seconds=0.24),
        dev.Outcome("tests", passed=True, seconds=61.5),
    ]
    assert dev.table(outcomes) == "lint     FAILED     0.2 s\ntests    ok        61.5 s\nfailed: lint"
    assert dev.table(outcomes[1:]).endswith("\nall 1 checks are fine")


def test_the_tests_run_beside_the_other_checks() -> None:
    """What each prints stands together, though the last began first; the outcome of each is its own."""
    code = (
        "import dev, sys, tempfile, pathlib; dev.interpreter = lambda _: sys.executable; "
        "there = pathlib.Path(tempfile.mkdtemp()) / 'there'; "
        "wait = f'import pathlib, time\\nwhile not pathlib.Path({str(there)!r}).exists(): time.sleep(0.01)\\n'; "
        "made = f'import pathlib; pathlib.Path({str(there)!r}).touch(); print(2)'; "
        "checks = [dev.Check('a', ['-c', wait + 'print(1); raise SystemExit(3)']), dev.Check('b', ['-c', made])]; "
        "print([(one.name, one.passed) for one in dev.run_checks(checks)])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=dev.ROOT, capture_output=True, text=True, check=True, timeout=600
    )
    assert done.stdout == "--- a\n1\n\n--- b\n2\n\n[('a', False), ('b', True)]\n"


# --- what it decides


def test_stamp_depends_on_the_lock(tmp_path: Path) -> None:
    one, other = tmp_path / "one.lock", tmp_path / "other.lock"
    one.write_text("pytm==1.4.0\n", encoding="utf-8")
    other.write_text("pytm==1.4.1\n", encoding="utf-8")
    assert dev.made_from(one) == dev.made_from(one)
    assert dev.made_from(one).split()[1] != dev.made_from(other).split()[1]
    assert dev.made_from(one).split()[::2] == ["one.lock", sys.implementation.cache_tag]


def test_a_current_environment_stays(venv: Path) -> None:
    assert dev.why_remake(venv, ["a.lock 1 cpython"]) == ""


def test_an_environment_that_lacks_a_lock_stays(venv: Path) -> None:
    assert dev.why_remake(venv, ["a.lock 1 cpython", "b.lock 1 cpython"]) == ""


def test_no_environment(tmp_path: Path) -> None:
    assert dev.why_remake(tmp_path / ".venv", ["a.lock 1 cpython"]) == "first run"


def test_an_unfinished_environment(venv: Path) -> None:
    (venv / dev.STAMP).unlink()
    assert "unfinished" in dev.why_remake(venv, ["a.lock 1 cpython"])


@pytest.mark.parametrize("line", ["a.lock 2 cpython", "a.lock 1 pypy"])
def test_an_environment_of_another_lock(venv: Path, line: str) -> None:
    assert dev.why_remake(venv, [line]) == "a.lock or the Python has changed"


def test_an_environment_of_which_one_lock_has_changed(venv: Path) -> None:
    (venv / dev.STAMP).write_text("a.lock 1 cpython\nb.lock 1 cpython\n", encoding="utf-8")
    assert dev.why_remake(venv, ["a.lock 1 cpython"]) == ""
    wanted = ["a.lock 1 cpython", "b.lock 2 cpython"]
    assert dev.why_remake(venv, wanted) == "b.lock or the Python has changed"


def test_an_environment_whose_python_is_gone(venv: Path) -> None:
    python = dev.interpreter(venv)
    python.unlink()
    python.symlink_to(venv / "removed" / "python3")
    assert "is gone" in dev.why_remake(venv, ["a.lock 1 cpython"])


def test_progress_names_each_package_once() -> None:
    said = [
        "Collecting jinja2==3.1.6 (from -r requirements.lock (line 12))\n",
        "  Using cached jinja2-3.1.6-py3-none-any.whl (134 kB)\n",
        "Collecting pytm==1.4.0 (from -r requirements.lock (line 40))\n",
        "Installing collected packages: jinja2, pytm\n",
        "Successfully installed jinja2-3.1.6 pytm-1.4.0\n",
    ]
    assert [*dev.progress(said, 2)] == ["  1 of 2: jinja2==3.1.6", "  2 of 2: pytm==1.4.0", "  unpacking"]


@pytest.mark.parametrize(
    ("arguments", "given"),
    [
        (["-k", "signing"], ["-m", "not slow and not long", "-k", "signing"]),
        (["--slow"], ["-m", "not long"]),
        (["-x", "--long"], ["-m", "", "-x"]),
        (["--slow", "--long"], ["-m", ""]),
    ],
)
def test_what_goes_to_pytest(arguments: list[str], given: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []
    monkeypatch.setattr(dev, "ensure_environment", lambda *_: None)

    def checks(chosen: list[str]) -> list[dev.Check]:
        asked.append(chosen)
        return []

    monkeypatch.setattr(dev, "all_checks", checks)
    monkeypatch.setattr(dev, "run_checks", lambda _: [])
    dev.test(arguments)
    assert asked == [given]


def test_check_runs_no_test_and_takes_no_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []
    monkeypatch.setattr(dev, "ensure_environment", lambda *_: None)

    def run(one: dev.Check) -> dev.Outcome:
        ran.append(one.name)
        return dev.Outcome(one.name, passed=True, seconds=0.0)

    monkeypatch.setattr(dev, "run_check", run)
    assert dev.check([]) == 0
    assert ran == [one.name for one in dev.all_checks([]) if one.name != "tests"]
    with pytest.raises(dev.SetupError):
        dev.check(["-x"])


def test_remove_takes_a_link_not_its_target(tmp_path: Path, venv: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(venv, target_is_directory=True)
    dev.remove(link)
    assert not link.is_symlink()
    assert venv.is_dir()
    dev.remove(venv)
    assert not venv.exists()


def test_a_uv_that_only_complains_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shim = tmp_path / "uv"
    shim.write_text("#!/bin/sh\nexit 127\n", encoding="utf-8")
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert dev.find_uv() is None


# --- what it does


@pytest.mark.slow
def test_setup_makes_the_environment_once(set_up: Path, tmp_path: Path) -> None:
    second = run_dev(set_up, "setup", cwd=tmp_path)
    assert second.returncode == 0
    assert second.stderr == f"dev.py: {dev.interpreter(set_up / '.venv')} is ready\n"


@pytest.mark.slow
def test_test_tools_are_added_to_what_is_there(made: Path) -> None:
    kept = made / ".venv" / "kept"
    kept.touch()
    done = run_dev(made, "setup", "dev")
    assert (done.returncode, "making" in done.stderr) == (0, False)
    assert "installing requirements-dev.lock: up to 0 packages" in done.stderr
    assert [line.split()[0] for line in dev.stamps(made / ".venv")] == ["requirements.lock", "requirements-dev.lock"]
    assert kept.exists()


@pytest.mark.slow
def test_test_tools_that_cannot_be_added_leave_the_program(made: Path) -> None:
    locked = f"no-such-package==1 --hash=sha256:{'0' * 64}\n"
    (made / "requirements-dev.lock").write_text(locked, encoding="utf-8")
    done = run_dev(made, "setup", "dev")
    assert done.returncode == 1
    assert "the packages in requirements-dev.lock could not be installed" in done.stderr
    assert run_dev(made, "setup").stderr == f"dev.py: {dev.interpreter(made / '.venv')} is ready\n"


@pytest.mark.slow
def test_setup_that_cannot_install_leaves_nothing(clone: Path) -> None:
    locked = f"no-such-package==1 --hash=sha256:{'0' * 64}\n"
    (clone / "requirements.lock").write_text(locked, encoding="utf-8")
    done = run_dev(clone, "setup")
    assert done.returncode == 1
    assert "No matching distribution found for no-such-package==1" in done.stderr
    assert "the packages in requirements.lock could not be installed" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (clone / ".venv").exists()


# --- the locks


def locked(lock: Path) -> dict[str, str]:
    """What a lock says of each of its packages: version, marker and hashes."""
    entries = re.findall(r"^([a-z0-9-]+)(==(?:.*\\\n)*.*)", lock.read_text(encoding="utf-8"), re.MULTILINE)
    return dict(entries)


def names(wanted: list[str]) -> set[str]:
    return {line.split()[0].lower().replace("_", "-") for line in wanted}


def test_locks_have_every_package_that_the_project_asks_for() -> None:
    asked = tomllib.loads((dev.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert names(asked["project"]["dependencies"]) <= locked(dev.PROGRAM).keys()
    assert names(asked["dependency-groups"]["dev"]) <= locked(dev.CHECKS).keys()
    assert names(asked["project"]["optional-dependencies"]["completion"]) <= locked(dev.CHECKS).keys()


def test_what_checks_the_program_holds_the_program() -> None:
    assert locked(dev.PROGRAM).items() <= locked(dev.CHECKS).items()
    assert len(locked(dev.PROGRAM)) < 15


@pytest.mark.parametrize("lock", [dev.PROGRAM, dev.CHECKS], ids=lambda lock: lock.name)
def test_locks_are_hashed_and_name_no_host(lock: Path) -> None:
    assert "://" not in lock.read_text(encoding="utf-8")
    assert len(dev.pins(lock)) == len(locked(lock))
    for said in locked(lock).values():
        assert re.fullmatch(r"==\S+.*( \\\n    --hash=sha256:[0-9a-f]{64})+", said)
