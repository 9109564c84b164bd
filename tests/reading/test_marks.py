"""The marks of drawn pictures: each is in a picture that stays valid, and is found again."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest

from threatmodel.reading.marks import is_marked, marked_picture

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


PNG = SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)) + chunk(b"IEND", b"")
PICTURES = {
    "svg": b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>',
    "png": PNG,
    "pdf": b"%PDF-1.4\n%%EOF\n",
}


def test_each_chunk_of_a_marked_png_has_its_length_and_checksum() -> None:
    rest, kinds = marked_picture(PNG, "png")[len(SIGNATURE) :], []
    while rest:
        (length,), kind, data = struct.unpack(">I", rest[:4]), rest[4:8], rest[8:]
        assert struct.unpack(">I", data[length : length + 4]) == (zlib.crc32(kind + data[:length]),)
        kinds.append(kind)
        rest = data[length + 4 :]
    assert kinds == [b"IHDR", b"tEXt", b"IEND"]


@pytest.mark.parametrize("fmt", PICTURES)
def test_a_marked_picture_is_known_and_one_without_the_mark_is_not(fmt: str, tmp_path: Path) -> None:
    file = tmp_path / f"picture.{fmt}"
    file.write_bytes(PICTURES[fmt])
    assert not is_marked(file)
    file.write_bytes(marked_picture(PICTURES[fmt], fmt))
    assert is_marked(file)


def test_the_mark_of_an_svg_is_behind_its_declaration() -> None:
    assert marked_picture(PICTURES["svg"], "svg").startswith(b'<?xml version="1.0"?>\n<!-- Written by')


def test_an_svg_without_a_declaration_is_marked_at_its_beginning() -> None:
    assert marked_picture(b"<svg/>", "svg") == b"<!-- Written by threatmodel -->\n<svg/>"
