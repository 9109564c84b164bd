"""Which model a command means that names none."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.refusals import refused, write
from threatmodel.command.main import main
from threatmodel.model.search import found_model
from threatmodel.reading.files import Files
from threatmodel.reading.problems import InputError

Golden = Callable[[str, str], None]
SYSTEM = "name: Shop\nfunctions: {order-bot: {}}\n"
PLATFORM = "name: Platform\naccount: {}\n"


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository in a folder that has a model too, with a folder deep inside it as working directory."""
    root = tmp_path / "repository"
    (root / ".git").mkdir(parents=True)
    (root / "deep" / "er").mkdir(parents=True)
    write(str(tmp_path / "threatmodel.yaml"), SYSTEM)
    monkeypatch.chdir(root / "deep" / "er")
    return root


def found() -> str | None:
    path = found_model(Files(), Path.cwd())
    return None if path is None else path.as_posix()


def test_the_nearest_one_upwards_and_none_beyond_the_repository() -> None:
    assert found() is None
    write("../../models/shop.yaml", SYSTEM)
    assert found() == "../../models/shop.yaml"
    write("../../threatmodel.yaml", SYSTEM)
    assert found() == "../../threatmodel.yaml"
    write("../models/shop.yaml", SYSTEM)
    assert found() == "../models/shop.yaml"
    write("threatmodel.yaml", SYSTEM)
    assert found() == "threatmodel.yaml"


def test_without_a_repository_only_where_one_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    assert found() is None
    monkeypatch.chdir(tmp_path)
    assert found() == "threatmodel.yaml"


def test_a_platform_file_is_no_system() -> None:
    write("models/a.yaml", PLATFORM)
    assert found() is None
    write("models/b.yaml", f"{SYSTEM}uses: [./c.yaml]\n")
    write("models/c.yaml", "name: Shared\n")
    assert found() == "models/b.yaml"


def test_what_cannot_be_read_is_no_platform_file(capsys: pytest.CaptureFixture[str]) -> None:
    write("models/a.yaml", "name: [")
    assert "models/a.yaml:" in refused(["--dfd"], capsys)
    write("models/b.yaml", SYSTEM)
    with pytest.raises(InputError, match="several-models"):
        found()


@pytest.mark.parametrize("name", ["threatmodel.yaml", "models/shop.yaml"])
def test_a_link_out_of_the_repository_is_not_read(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    write("../../../secret", "key: hidden-words: x\n")
    Path("models").mkdir()
    Path(name).symlink_to(Path("../../../secret").resolve())
    said = refused(["check"], capsys)
    assert "outside-project" in said
    assert "hidden-words" not in said


def test_a_pipe_is_no_model() -> None:
    os.mkfifo("threatmodel.yaml")
    assert found() is None


def test_messages(capsys: pytest.CaptureFixture[str], golden: Golden) -> None:
    golden("bad-input/no-model.txt", refused(["check"], capsys))
    write("models/shop.yaml", SYSTEM)
    write("models/bank.yaml", SYSTEM)
    golden("bad-input/several-models.txt", refused(["check"], capsys))
    golden("bad-input/no-library.txt", refused(["-m", "models/shop.yaml", "new", "threat", "own"], capsys))


@pytest.mark.slow
def test_the_libraries_of_the_found_model_count(capsys: pytest.CaptureFixture[str]) -> None:
    write("../../models/shop.yaml", f"{SYSTEM}library: [../team]\n")
    write("../../team/library.yaml", "off: {threats: {api-flood: we have none}}\n")
    assert main(["--list"]) == 0
    assert "api-flood" not in capsys.readouterr().out
    assert main(["explain", "incident-runbook"]) == 0
    capsys.readouterr()
    assert main(["--json"]) == 0
    assert '"layers": [\n   "../../team"\n  ]' in capsys.readouterr().out


@pytest.mark.parametrize(
    ("library", "said"),
    [
        ("[../../../../away]", "outside-project: '../../../../away' leaves the project"),
        ("[/etc]", "outside-project: '/etc' leaves the project"),
        ("[nowhere]", "missing-file: 'nowhere': there is no such folder"),
        ("nowhere", "wrong-type"),
        ("[shop.yaml]", "missing-file: 'shop.yaml': there is no such folder"),
    ],
)
def test_a_library_lies_in_the_project(library: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    write("models/shop.yaml", f"{SYSTEM}library: {library}\n")
    for arguments in (["--dfd"], ["--list"]):
        told = refused(arguments, capsys)
        assert "models/shop.yaml:3:1" in told
        assert said in told
