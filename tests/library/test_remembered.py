"""What a library's files hold is kept from run to run, and never stale; what is kept gives the same."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support import HOME, assessed
from threatmodel.library.entries import Library
from threatmodel.library.load import load_library
from threatmodel.reading.files import Files
from threatmodel.reading.problems import InputError
from threatmodel.render.contract.assessment import contract
from threatmodel.render.report.report import report

MODEL = "name: x\napis: {api: {}}\nfunctions: {bot: {triggers: [{slack: events}], validates_input: true}}\n"


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the library, and a cache of its own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("TM_CACHE", str(tmp_path / "cache"))
    shutil.copytree(HOME / "threatlib", tmp_path / "base")
    return tmp_path / "base"


def loaded(base: Path) -> tuple[Library, bool, Files]:
    """A library, whether its files were worked out (and kept under a new key), and what was read."""
    files, before = Files(), kept(base)
    library = load_library(base, files, remember=True)
    return library, kept(base) != before, files


def kept(base: Path) -> dict[str, str]:
    """What is in the cache."""
    folder = base.parent / "cache" / "threatmodel"
    return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()} if folder.is_dir() else {}


@pytest.mark.slow
def test_the_second_run_gives_the_same_and_works_out_nothing(base: Path, tmp_path: Path) -> None:
    first, worked, read = loaded(base)
    again, worked_again, read_again = loaded(base)
    assert (worked, worked_again) == (True, False)
    assert (read.paths, read.read) == (read_again.paths, read_again.read)
    assert list(again.threats) == list(first.threats)
    assert list(again.controls) == list(first.controls)
    one, other = (assessed(tmp_path, MODEL, library) for library in (first, again))
    assert contract(one) == contract(other)
    assert report(one, "full") == report(other, "full")


@pytest.mark.slow
@pytest.mark.parametrize("change", ["a byte", "a new file", "a file less"])
def test_another_text_or_file_makes_it_work_anew(base: Path, change: str) -> None:
    loaded(base)
    path = base / "threats" / "social-engineering" / "reviewer-deceived.yaml"
    match change:
        case "a byte":
            path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
        case "a new file":
            text = path.read_text(encoding="utf-8").replace("id: reviewer-deceived", "id: own")
            path.with_name("own.yaml").write_text(text, encoding="utf-8")
        case _:
            path.unlink()
    assert loaded(base)[1]
    assert not loaded(base)[1]


@pytest.mark.slow
def test_a_folder_of_another_name_is_the_same_library_in_other_places(base: Path) -> None:
    loaded(base)
    base = base.rename(base.with_name("other"))
    library, worked, _ = loaded(base)
    assert not worked
    assert all(Path(one.place.file).is_relative_to(base) for one in library.threats.values())


@pytest.mark.slow
def test_a_problem_is_told_each_time(base: Path) -> None:
    loaded(base)
    path = base / "threats" / "social-engineering" / "reviewer-deceived.yaml"
    path.write_text("id: other\n", encoding="utf-8")
    said = []
    for _ in range(2):
        with pytest.raises(InputError) as caught:
            loaded(base)
        said.append(caught.value.problems)
    assert said[0] == said[1]


@pytest.mark.slow
@pytest.mark.parametrize("change", ["swapped value", "empty"])
def test_what_was_tampered_with_is_not_taken(base: Path, tmp_path: Path, change: str) -> None:
    """What is put in its place is well-formed, and would be believed without the code."""
    loaded(base)
    whole = kept(base)
    ((name, text),) = whole.items()
    forged = text.replace("reviewer-deceived", "reviewer-believed") if change == "swapped value" else ""
    assert forged != text
    (tmp_path / "cache" / "threatmodel" / name).write_text(forged, encoding="utf-8")
    library, worked, _ = loaded(base)
    assert worked
    assert "reviewer-deceived" in library.threats
    assert kept(base) == whole
