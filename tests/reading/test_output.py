"""Results are written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from threatmodel.reading.output import make_folder, write
from threatmodel.reading.problems import InputError
from threatmodel.reading.replacing import Replacing


def test_text_and_bytes(tmp_path: Path) -> None:
    write("Größe\n", tmp_path / "a.txt")
    write(b"\x89PNG", tmp_path / "a.png")
    assert (tmp_path / "a.txt").read_bytes() == "Größe\n".encode()
    assert (tmp_path / "a.png").read_bytes() == b"\x89PNG"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "a.txt"]


def test_standard_output_takes_bytes_as_they_are(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    write("ü\n", None)
    write(b"\r\n\xff", None)
    assert capfdbinary.readouterr().out == b"\xc3\xbc\n\r\n\xff"


def test_file_is_replaced_with_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old", encoding="utf-8")
    path.chmod(0o640)
    write("new", path, Replacing(force=True))
    assert (path.read_text(encoding="utf-8"), path.stat().st_mode & 0o777) == ("new", 0o640)


def test_new_file_has_the_usual_permissions(tmp_path: Path) -> None:
    mask = os.umask(0o027)
    try:
        write("new", tmp_path / "a.txt")
    finally:
        os.umask(mask)
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o640


def test_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "link.txt").symlink_to("there/a.txt")
    for text in ("one", "two"):
        write(text, tmp_path / "link.txt", Replacing(force=True))
        assert (tmp_path / "link.txt").is_symlink()
        assert (tmp_path / "there" / "a.txt").read_text(encoding="utf-8") == text
    assert [path.name for path in (tmp_path / "there").iterdir()] == ["a.txt"]


def test_device_is_written_to() -> None:
    write("nobody reads this", Path("/dev/null"))
    assert not Path("/dev/null").is_file()


@pytest.mark.parametrize("name", ["missing/a.txt", "folder", "a.txt/b.txt", "x" * 300, "nul\0"])
def test_nothing_is_left_of_a_failure(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "a.txt").write_text("kept", encoding="utf-8")
    with pytest.raises(InputError, match=r"unwritable-file: (cannot be written|this is a folder)"):
        write("new", tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "folder"]
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "kept"


def test_folders_are_made(tmp_path: Path) -> None:
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="unwritable-file"):
        make_folder(tmp_path / "file" / "b")
