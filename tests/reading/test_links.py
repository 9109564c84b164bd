"""A link that is in a project and leads out of it is found on every way to it; any other link is followed."""

from __future__ import annotations

from pathlib import Path

import pytest

from threatmodel.reading.links import Exit, exit_of, refuse_exit
from threatmodel.reading.problems import InputError


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository beside other folders, and the working directory elsewhere."""
    for name in ("project/.git", "project/sub", "outside/deep", "here"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("project/file", "outside/file"):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "project"


@pytest.mark.parametrize(
    ("link", "target", "path"),
    [
        ("a", "../outside/file", "a"),
        ("a", "../outside/none", "a"),
        ("a", "../outside", "a/file"),
        ("a", "../outside/deep", "a/../file"),
        ("a", "../outside/deep", "a/../../project/file"),
        ("a", "../outside/file", "sub/../a"),
        ("a", "../outside/file", "sub/.././sub/../a"),
        ("sub/a", "../../outside/file", "sub/a"),
        ("a", "..", "a/outside/file"),
        ("a", "../project-2", "a"),
        ("a", ".git/config", "a"),
        ("a", ".GIT/config", "a"),
        ("a", "sub/.Git/x", "a"),
        ("a", "OUT/file", "a"),
    ],
)
def test_a_link_out_of_its_project_is_found(project: Path, link: str, target: str, path: str) -> None:
    target = target.replace("OUT", str(project.parent / "outside"))
    (project / link).symlink_to(target)
    found = exit_of(project / path)
    assert found is not None
    assert found.link == project / link
    with pytest.raises(InputError) as caught:
        refuse_exit(project / path, "as typed")
    (problem,) = caught.value.problems
    assert (problem.code, problem.place.file) == ("outside-project", "as typed")
    assert problem.message.startswith("the link '")
    assert " leads out of its project, to " in problem.message
    assert problem.hint


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("file", "a"),
        ("sub", "a/../file"),
        ("sub/../file", "a"),
        ("sub/new", "a"),
        ("../project/file", "a"),
        ("PROJECT/file", "a"),
        (".", "a/a/a/file"),
        ("a", "a"),
        ("file", "sub/../file"),
        ("file", "sub/../../outside/file"),
        ("file", "none"),
        ("file", "no\0path"),
        ("file", "sub/../no\0path"),
    ],
)
def test_a_link_that_stays_and_a_path_without_one_are_followed(project: Path, target: str, path: str) -> None:
    (project / "a").symlink_to(target.replace("PROJECT", str(project)))
    assert exit_of(project / path) is None
    refuse_exit(project / path, "as typed")


def test_a_link_from_outside_is_followed_and_the_next_one_is_not(project: Path) -> None:
    """The last part of the way is in the project again, by a relative and by an absolute link."""
    (project / "a").symlink_to("../outside/file")
    out = Exit(project / "a", project.parent / "outside" / "file")
    for name, target in (("one", Path("../project/a")), ("two", project / "a"), ("three", Path("one"))):
        (project.parent / "outside" / name).symlink_to(target)
        assert exit_of(project.parent / "outside" / name) == out
    (project.parent / "outside" / "four").symlink_to("../project/file")
    assert exit_of(project.parent / "outside" / "four") is None


def test_without_a_repository_the_working_directory_is_the_project(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / ".git").rmdir()
    (project / "a").symlink_to("../outside/file")
    assert exit_of(project / "a") is None
    monkeypatch.chdir(project)
    out = Exit(project / "a", project.parent / "outside" / "file")
    assert [exit_of(path) for path in (Path("a"), Path("sub/../a"), project / "a")] == [out, out, out]
    assert exit_of(Path("../outside/file")) is None


def test_as_many_links_are_followed_as_the_system_follows(project: Path) -> None:
    """One that lies behind more of them cannot be opened, so there is nothing to refuse."""
    outside = project.parent / "outside"
    (project / "a").symlink_to("../outside/file")
    (outside / "0").symlink_to("../project/a")
    for number in range(1, 45):
        (outside / str(number)).symlink_to(str(number - 1))
    assert exit_of(outside / "38") is not None
    assert exit_of(outside / "44") is None
