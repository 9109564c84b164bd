"""Files of a run: names in messages, and what a file may name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.refusals import write
from threatmodel.reading.files import Files, digest, shown_path
from threatmodel.reading.problems import InputError, Place

HERE = Place("model.yaml", 1, 1)


@pytest.fixture(autouse=True)
def _in_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(str(tmp_path / "secret.yaml"), "name: secret\n")
    write(str(tmp_path / "project" / "models" / "model.yaml"), "name: Shop\n")
    write(str(tmp_path / "project" / "shared" / "platform.yaml"), "name: Platform\n")
    monkeypatch.chdir(tmp_path / "project")


def test_texts_are_remembered_by_the_name_that_messages_use() -> None:
    files = Files()
    files.document(Path.cwd() / "models" / "model.yaml")
    assert files.texts == {"models/model.yaml": "name: Shop\n"}


def test_text_that_is_no_yaml_is_remembered_too() -> None:
    files = Files()
    write("broken.yaml", "a: [")
    with pytest.raises(InputError):
        files.document(Path("broken.yaml"))
    assert files.texts == {"broken.yaml": "a: ["}


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("models/model.yaml", "models/model.yaml"),
        ("./models/model.yaml", "models/model.yaml"),
        ("../secret.yaml", "../secret.yaml"),
        ("/etc/hosts", "/etc/hosts"),
    ],
)
def test_shown_path(path: str, name: str) -> None:
    assert shown_path(Path(path)) == name


def test_path_below_the_working_directory_is_shown_relative(tmp_path: Path) -> None:
    assert shown_path(Path.cwd() / "a.yaml") == "a.yaml"
    assert shown_path(tmp_path / "secret.yaml") == str(tmp_path / "secret.yaml")


@pytest.mark.parametrize(
    "path", ["../shared/platform.yaml", "./../shared/../shared/platform.yaml", "model.yaml", "missing.yaml"]
)
def test_file_of_the_project_may_be_named(path: str) -> None:
    assert Files().named(path, Path("models/model.yaml"), HERE).is_relative_to(Path.cwd())


@pytest.mark.parametrize(
    "path", ["../../secret.yaml", "/etc/passwd", "../link.yaml", "../away/secret.yaml", "../../project-other/a", "a\0b"]
)
def test_file_outside_may_not(path: str, tmp_path: Path) -> None:
    Path("link.yaml").symlink_to(tmp_path / "secret.yaml")
    Path("away").symlink_to(tmp_path)
    with pytest.raises(InputError, match="outside-project"):
        Files().named(path, Path("models/model.yaml"), HERE)


def test_model_that_lies_outside_has_its_own_folder_as_project(tmp_path: Path) -> None:
    assert Files().named("other.yaml", tmp_path / "secret.yaml", HERE) == tmp_path / "other.yaml"
    with pytest.raises(InputError, match="outside-project"):
        Files().named("../other.yaml", tmp_path / "secret.yaml", HERE)


def test_digest_tells_revisions_apart() -> None:
    assert digest("a") == "ca978112ca1b"
    assert digest("a") != digest("b")
