"""Files of a run: names in messages, and what a file may name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.refusals import write
from threatmodel.reading.files import Files, digest, shown_path
from threatmodel.reading.problems import InputError, Place, Problem

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
    assert files.read == {"models/model.yaml": "name: Shop\n"}


def test_text_that_is_no_yaml_is_remembered_too() -> None:
    files = Files()
    write("broken.yaml", "a: [")
    with pytest.raises(InputError):
        files.document(Path("broken.yaml"))
    assert files.read == {"broken.yaml": "a: ["}


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


# --- a repository is a project, wherever its user stands


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The project as a repository, with a folder to stand in."""
    (tmp_path / "project" / ".git").mkdir()
    (tmp_path / "project" / "deep" / "er").mkdir(parents=True)
    return tmp_path / "project"


def test_what_a_repository_s_file_names_lies_anywhere_in_it(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository / "deep" / "er")
    model = Path("../../models/model.yaml")
    assert Files().named("../shared/platform.yaml", model, HERE) == repository / "shared" / "platform.yaml"
    with pytest.raises(InputError, match="outside-project"):
        Files().named("../../secret.yaml", model, HERE)


def test_a_repository_ends_at_its_root_even_for_who_stands_above_it(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository.parent)
    with pytest.raises(InputError, match="outside-project"):
        Files().named("../../secret.yaml", Path("project/models/model.yaml"), HERE)


def test_paths_in_a_repository_are_shown_from_where_one_stands(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository / "deep")
    assert shown_path(repository / "models" / "model.yaml") == "../models/model.yaml"
    assert shown_path(repository.parent / "secret.yaml") == str(repository.parent / "secret.yaml")


# --- paths that are none


@pytest.mark.parametrize("path", ["x" * 300, "/".join(["y" * 200] * 30), "circle", "circle/inside"])
def test_a_path_that_leads_nowhere_is_named_and_then_missing(path: str) -> None:
    Path("models/circle").symlink_to("circle")
    found = Files().named(path, Path("models/model.yaml"), HERE)
    with pytest.raises(InputError, match=r"unreadable-file: cannot be read|missing-file"):
        Files().text(found)


# --- texts in memory


def test_a_text_stands_in_place_of_a_file() -> None:
    files = Files(texts={"models/model.yaml": "\ufeffname: Other\r\n", Path("models/new.yaml"): "name: New\n"})
    assert files.document(Path.cwd() / "models" / "model.yaml").root == {"name": "Other"}
    assert files.document(Path("models/../models/new.yaml")).root == {"name": "New"}
    assert files.read == {"models/model.yaml": "name: Other\n", "models/../models/new.yaml": "name: New\n"}
    assert files.has(Path("models/new.yaml"))
    assert Path("models/model.yaml").read_text(encoding="utf-8") == "name: Shop\n"
    assert not Path("models/new.yaml").exists()


def test_a_text_in_memory_is_no_larger_than_a_file_may_be() -> None:
    with pytest.raises(InputError, match="file-too-large"):
        Files(texts={"a": "xxx"}).text(Path("a"), largest=2)


def test_a_folder_holds_its_texts_too() -> None:
    problems: list[Problem] = []
    files = Files(texts={"shared/deep/new.yaml": "", "shared/platform.yaml": "name: Platform\n"})
    assert files.below(Path("shared"), problems) == [Path("shared/deep/new.yaml"), Path("shared/platform.yaml")]
    assert files.changed_in(Path("shared"))
    assert not Files(texts={"shared/platform.yaml": "name: Platform\n"}).changed_in(Path("shared"))
    assert Files(texts={"shared/platform.yaml": "name: Other\n"}).changed_in(Path("shared"))
    assert not files.changed_in(Path("models"))
    assert problems == []


# --- what lies below a folder


def test_links_below_a_folder(tmp_path: Path) -> None:
    (tmp_path / "project" / ".git").mkdir()
    write("library/a/x.yaml", "")
    Path("library/out.yaml").symlink_to(tmp_path / "secret.yaml")
    Path("library/away").symlink_to(tmp_path)
    Path("library/up").symlink_to("..")
    Path("library/a/self").symlink_to(".")
    Path("library/nothing.yaml").symlink_to("nowhere")
    Path("library/shared").symlink_to("../shared")
    os.mkfifo("library/pipe.yaml")
    problems: list[Problem] = []
    found = Files().below(Path("library"), problems)
    assert {"library/a/x.yaml", "library/shared/platform.yaml"} <= {str(path) for path in found}
    assert not {path for path in found if "secret" in path.read_text(encoding="utf-8")}
    told = {(problem.place.file, problem.code) for problem in problems}
    assert {
        ("library/out.yaml", "outside-project"),
        ("library/away", "outside-project"),
        ("library/a/self", "unreadable-file"),
        ("library/nothing.yaml", "unreadable-file"),
        ("library/pipe.yaml", "unreadable-file"),
    } <= told
