"""Files of a run: names in messages, and what a file may name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.refusals import write
from threatmodel.reading.files import Files, digest, is_file, is_folder, shown_path
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


def test_a_file_is_named_by_a_relative_path() -> None:
    with pytest.raises(InputError) as raised:
        Files().named(str(Path.cwd() / "shared" / "platform.yaml"), Path("models/model.yaml"), HERE)
    assert raised.value.problems[0].hint == "write a path relative to this file"


def test_a_toolkit_s_own_model_names_the_files_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    model = tmp_path / "project" / "models" / "model.yaml"
    with pytest.raises(InputError, match="outside-project"):
        Files().named("../shared/platform.yaml", model, HERE)
    found = Files(tmp_path / "project").named("../shared/platform.yaml", model, HERE)
    assert found == tmp_path / "project" / "shared" / "platform.yaml"


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


def test_a_folder_that_is_none_has_nothing_and_one_that_cannot_be_listed_is_noted() -> None:
    problems: list[Problem] = []
    assert Files().below(Path("models/model.yaml"), problems) == Files().below(Path("nowhere"), problems) == []
    assert problems == []
    assert Files().below(Path("models", "x" * 300), problems) == []
    (found,) = problems
    assert (found.code, found.place.file) == ("unreadable-file", f"models/{'x' * 300}")
    assert found.message == "cannot be read: File name too long"


def test_a_link_to_a_folder_itself_may_not_leave_its_repository(repository: Path, tmp_path: Path) -> None:
    (repository / "out").symlink_to(tmp_path)
    for look in (Files().has_folder, lambda folder: Files().below(folder, [])):
        with pytest.raises(InputError, match="outside-project"):
            look(Path("out"))
    assert Files().has_folder(Path("models"))


def test_texts_below_a_folder_are_read_where_they_are(tmp_path: Path) -> None:
    files = Files()
    (found,) = files.below(Path("shared"), [])
    assert files.text(found) == "name: Platform\n"
    assert files.paths == {tmp_path / "project" / "shared" / "platform.yaml"}
    Path("other").symlink_to("shared")
    (linked,) = files.below(Path("other"), [])
    assert (linked, files.text(linked)) == (Path("other/platform.yaml"), "name: Platform\n")
    assert files.paths == {tmp_path / "project" / "shared" / "platform.yaml"}


# --- what is no file, and files that change


def test_a_committed_link_out_of_the_repository_is_not_read(repository: Path, tmp_path: Path) -> None:
    (repository / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    with pytest.raises(InputError, match="outside-project"):
        Files().text(Path("link.yaml"))


def test_a_pipe_that_a_file_names_is_not_opened() -> None:
    os.mkfifo("shared/pipe")
    with pytest.raises(InputError) as raised:
        Files().named("../shared/pipe", Path("models/model.yaml"), HERE)
    (problem,) = raised.value.problems
    assert (problem.code, problem.place.file, problem.hint) == ("unreadable-file", "shared/pipe", "name a file")
    assert problem.message == "this is a pipe or a device"
    assert Files().named("../shared", Path("models/model.yaml"), HERE) == Path.cwd() / "shared"


def test_what_is_looked_for_is_remembered_where_it_is_missing(tmp_path: Path) -> None:
    files = Files(texts={"memory.yaml": ""})
    missing = tmp_path / "project" / "missing.yaml"
    assert not files.has(Path("missing.yaml"))
    assert files.absent == {missing}
    assert not files.has(Path("a\0b"))
    assert not files.has(Path("models"))
    files.absent.clear()
    with pytest.raises(InputError, match="missing-file"):
        files.text(Path("missing.yaml"))
    assert files.absent == {missing}
    files.absent.clear()
    assert all(map(files.has, (Path("memory.yaml"), Path("models/model.yaml"))))
    files.text(Path("models/model.yaml"))
    Path("models/model.yaml").unlink()
    assert files.has(Path("models/model.yaml"))  # as it was read
    assert not files.absent


def test_a_file_is_opened_once_until_it_is_forgotten() -> None:
    files, path = Files(), Path("models/model.yaml")
    files.text(path)
    write("models/model.yaml", "name: Changed\n")
    assert files.text(path) == "name: Shop\n"
    files.forget(path)
    assert files.text(path) == "name: Changed\n"
    files.forget(Path("never-read.yaml"))


def test_what_was_read_is_edited_only_as_it_was_read() -> None:
    files, path = Files(texts={"memory.yaml": "a: 1\n"}), Path("models/model.yaml")
    path.write_bytes(b"\xef\xbb\xbfname: Shop\r\n")
    assert files.raw(path) == "\ufeffname: Shop\r\n"  # nothing was read yet
    files.remembered_text(path)
    assert files.raw(path) == files.on_disk(path) == "\ufeffname: Shop\r\n"
    assert files.on_disk(Path("memory.yaml")) == "a: 1\n"
    path.write_bytes(b"name: Changed\n")
    with pytest.raises(InputError, match="file-changed"):
        files.raw(path)


def test_what_was_read_is_known_by_whatever_name() -> None:
    files = Files()
    files.text(Path("models/model.yaml"))
    Path("same.yaml").hardlink_to("models/model.yaml")
    Path("link.yaml").symlink_to("models/model.yaml")
    for name in ("same.yaml", "link.yaml", "shared/../models/model.yaml"):
        assert files.has_read(Path(name)), name
    for name in ("shared/platform.yaml", "missing.yaml", "models", "a\0b", "x" * 300):
        assert not files.has_read(Path(name)), name
    Path("models/model.yaml").unlink()
    assert not files.has_read(Path("same.yaml"))  # nothing is left that was read


def test_folder_differs_from_that_on_the_disk_by_other_texts_alone() -> None:
    files = Files(texts={"shared/platform.yaml": "name: Other\n", "models/model.yaml": "name: Shop\n"})
    assert files.changed_in(Path("shared"))
    assert not files.changed_in(Path("shared"), besides=Path("shared/platform.yaml"))
    assert files.changed_in(Path(), besides=Path("models/model.yaml"))
    assert not files.changed_in(Path("models"))


@pytest.mark.parametrize("path", ["a\0b", "x" * 300, "nowhere"])
def test_what_no_path_can_be_is_not_there(path: str) -> None:
    assert not is_file(Path(path))
    assert not is_folder(Path(path))
    assert not Files().has_folder(Path(path))
