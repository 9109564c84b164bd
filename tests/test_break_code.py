"""The driver that breaks code: which changes it reports, when it refuses to run, and that it leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support import HOME

SHOP = '''\
LIMIT = 10


def needs_approval(amount):
    """Orders above the limit are approved."""
    if amount > LIMIT:
        return True
    return False
'''
ABOVE = "import shop\n\n\ndef test_above():\n    assert shop.needs_approval(11)\n"
EXACT = "\n\ndef test_exact():\n    assert not shop.needs_approval(10)\n"
BY_COMMAND = """\
import subprocess
import sys

import shop


def test_above():
    assert shop.needs_approval(11)


def test_in_a_process():
    assert subprocess.run([sys.executable, "-c", "import shop; assert not shop.needs_approval(10)"]).returncode == 0
"""
WAITING = """\
import os
import time
from pathlib import Path

import shop


def test_above():
    if not shop.needs_approval(11) or shop.needs_approval(10):
        Path(os.environ["WAITS_AT"]).write_text(str(os.getpid()))
        time.sleep(600)
"""

BUSY = """\
    import time
    end = time.process_time() + 1.2
    while time.process_time() < end:
        pass
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="changes are made in forks"),
]


def project(parent: Path, tests: str) -> Path:
    """A project with one module and one file of tests, and the driver as it is; a folder beside it for what is left."""
    folder = parent / "project"
    shutil.copytree(HOME / "scripts" / "breaking", folder / "scripts" / "breaking")
    shutil.copy(HOME / "scripts" / "break_code.py", folder / "scripts")
    (folder / "shop.py").write_text(SHOP)
    (folder / "test_shop.py").write_text(tests)
    (parent / "left").mkdir()
    return folder


def command(folder: Path, *options: str) -> tuple[list[str], Mapping[str, str]]:
    """The driver's command line, and an environment in which it writes beside the project."""
    line = [sys.executable, str(folder / "scripts" / "break_code.py"), "shop.py", "test_shop.py", *options]
    return line, {**os.environ, "TMPDIR": str(folder.parent / "left"), "PYTEST_ADDOPTS": "-p no:xdist -p no:randomly"}


def broken(parent: Path, tests: str, *options: str) -> tuple[int, str]:
    """The driver's exit code and output; nothing of it is left, and the module is as it was."""
    folder = project(parent, tests)
    line, environment = command(folder, *options)
    ended = subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert untouched(folder)
    return ended.returncode, ended.stdout + ended.stderr


def untouched(folder: Path) -> bool:
    return (folder / "shop.py").read_text() == SHOP and list((folder.parent / "left").iterdir()) == []


def test_a_change_that_no_test_notices_is_printed_with_its_line(tmp_path: Path) -> None:
    code, out = broken(tmp_path, ABOVE)
    assert code == 1
    assert "SURVIVED shop.py:6: amount > LIMIT -> amount >= LIMIT" in out
    assert "SURVIVED shop.py:6: if amount > LIMIT: -> if True:" in out
    assert "SURVIVED shop.py:8: False -> True" in out
    assert "if False:" not in out
    assert "shop.py: 6 changes, 6 made, 3 noticed, 3 not" in out


def test_changes_are_noticed_in_functions_and_outside_them(tmp_path: Path) -> None:
    code, out = broken(tmp_path, ABOVE + EXACT)
    assert (code, "SURVIVED" in out) == (0, False)
    assert "shop.py: 6 changes, 6 made, 6 noticed, 0 not" in out


@pytest.mark.parametrize("mark", ["slow", "long"])
def test_slow_tests_run_and_long_ones_do_not(tmp_path: Path, mark: str) -> None:
    marked = f"import pytest\n{ABOVE}{EXACT.replace('def', f'@pytest.mark.{mark}' + chr(10) + 'def')}"
    code, out = broken(tmp_path, marked)
    assert (code, "SURVIVED" in out) == ((0, False) if mark == "slow" else (1, True))


def test_a_process_that_a_test_starts_runs_the_changed_module(tmp_path: Path) -> None:
    assert broken(tmp_path, BY_COMMAND)[0] == 0


def test_a_change_is_noticed_where_it_never_ends(tmp_path: Path) -> None:
    endless = ABOVE.replace("    assert", "    while not shop.needs_approval(11):\n        pass\n    assert")
    code, out = broken(tmp_path, endless + EXACT, "--seconds", "1")
    assert (code, "6 noticed" in out) == (0, True)


def test_slower_tests_than_the_time_allows_are_counted(tmp_path: Path) -> None:
    waits = EXACT.replace("    assert", f"{BUSY}    assert")
    code, out = broken(tmp_path, ABOVE + waits, "--seconds", "1")
    assert code == 1
    assert "amount >= LIMIT (1 slower tests were not run)" in out


def test_the_modules_of_a_folder_are_counted_apart(tmp_path: Path) -> None:
    folder = project(tmp_path, ABOVE.replace("import shop", "from shops import shop, other"))
    (folder / "shops").mkdir()
    for name in ("shop.py", "other.py"):
        (folder / "shops" / name).write_text(SHOP)
    line, environment = command(folder)
    line[2:3] = ["shops"]
    ended = subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "shops/other.py: 6 changes, 6 made, 0 noticed, 6 not" in ended.stdout
    assert "shops/shop.py: 6 changes, 6 made, 3 noticed, 3 not" in ended.stdout


def test_tests_that_fail_without_a_change_end_the_run(tmp_path: Path) -> None:
    code, out = broken(tmp_path, ABOVE + EXACT.replace("not ", ""))
    assert code == 2
    assert "the tests fail without any change" in out
    assert "made" not in out


@pytest.mark.parametrize("tests", ["import no_such_module\n", ""])
def test_a_run_without_tests_ends(tmp_path: Path, tests: str) -> None:
    code, out = broken(tmp_path, tests)
    assert (code, "made" in out) == (2, False)


def test_a_sample_is_the_same_each_time(tmp_path: Path) -> None:
    found = []
    for number, seed in enumerate(("1", "1", "3")):
        code, out = broken(
            tmp_path / str(number), ABOVE.partition("    assert")[0] + "    pass\n", "--rate", "0.5", "--seed", seed
        )
        assert (code, "shop.py: 6 changes, 3 made, 0 noticed, 3 not" in out) == (1, True)
        found.append([line for line in out.splitlines() if "SURVIVED" in line])
    assert found[0] == found[1] != found[2]


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_leaves_no_folder_and_no_process(tmp_path: Path, sent: signal.Signals) -> None:
    folder = project(tmp_path, WAITING)
    line, environment = command(folder)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(
        line,
        cwd=folder,
        env={**environment, "WAITS_AT": str(pipe)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as running:
        child = int(pipe.read_text())  # a changed module's test waits
        running.send_signal(sent)
        assert running.wait() == 2
    assert untouched(folder)
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def test_the_module_of_the_project_is_never_written(tmp_path: Path) -> None:
    folder = project(tmp_path, ABOVE)
    before = (folder / "shop.py").stat().st_mtime_ns
    line, environment = command(folder)
    assert subprocess.run(line, cwd=folder, env=environment, capture_output=True, check=False).returncode == 1
    assert (folder / "shop.py").stat().st_mtime_ns == before
