"""Every problem ends in a command that explains it, where the program runs and whatever the model there holds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.command.processes import shell, tm
from tests.support import HOME
from threatmodel.command.main import main
from threatmodel.library.load import load_library
from threatmodel.library.lookup import aliases
from threatmodel.reading.files import Files
from threatmodel.reading.home import LIBRARY

CODES = re.findall(r"^## (\S+)", (HOME / "docs" / "errors.md").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a model that cannot be read, as working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "threatmodel.yaml").write_text("name: Shop\nfunctoins: {}\n", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("code", CODES)
@pytest.mark.usefixtures("broken")
def test_each_code_is_explained(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", code]) == 0
    out, err = capsys.readouterr()
    assert out.startswith(f"# {code}\n\n")
    assert "\n## " not in out
    assert err == ""


def test_no_code_is_a_name_of_the_library() -> None:
    library = load_library(LIBRARY, Files())
    assert not {*library.threats, *library.controls, *aliases(library)} & set(CODES)


@pytest.mark.slow
@pytest.mark.parametrize("folder", [".", "sub folder/deeper"])
def test_the_last_line_names_a_command_that_works_there(broken: Path, folder: str) -> None:
    here = broken / folder
    here.mkdir(parents=True, exist_ok=True)
    model = "threatmodel.yaml" if folder == "." else "../../threatmodel.yaml"
    said = tm("-m", model, "check", folder=here).stderr.splitlines()[-1]
    found = re.fullmatch(r"1 problem; to read about it: python (\S+ explain unknown-key)", said)
    assert found, said
    done = shell(f"$PYTHON {found[1]}", here, PYTHON=shell("echo $TM").stdout.split()[0])
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("# unknown-key\n")


@pytest.mark.usefixtures("broken")
def test_problems_with_several_codes(capsys: pytest.CaptureFixture[str]) -> None:
    Path("threatmodel.yaml").write_text("name: 1\nfunctoins: {}\n", encoding="utf-8")
    assert main(["check"]) == 2
    assert capsys.readouterr().err.endswith("2 problems; to read about them: python tm.py explain CODE\n")
