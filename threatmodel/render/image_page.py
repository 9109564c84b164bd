"""An image as a PDF of one page, for pictures that are drawn without the system's Graphviz."""

from __future__ import annotations

_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""The markers of a JPEG after which its height and width are."""


def page_of(jpeg: bytes, dots: int) -> bytes:
    """Return a PDF whose one page is a JPEG in color with so many dots per inch.  Raises ValueError for others."""
    width, height = _size(jpeg)
    page = f"{width * 72 / dots:.2f} 0 0 {height * 72 / dots:.2f}"
    box = page.replace(" 0 0 ", " ")
    drawn = f"q {page} 0 0 cm /Im Do Q".encode()
    image = f"/Type /XObject /Subtype /Image /Width {width} /Height {height} /ColorSpace /DeviceRGB /BitsPerComponent 8"
    resources = "<< /XObject << /Im 5 0 R >> >>"
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {box}] /Contents 4 0 R /Resources {resources} >>".encode(),
        _stream("", drawn),
        _stream(f"{image} /Filter /DCTDecode", jpeg),
    )
    text, places = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"), []
    for number, content in enumerate(objects, 1):
        places.append(len(text))
        text += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    rows = "".join(f"{place:010d} 00000 n \n" for place in places)
    count = len(objects) + 1
    trailer = f"xref\n0 {count}\n0000000000 65535 f \n{rows}trailer\n<< /Size {count} /Root 1 0 R >>\n"
    return bytes(text) + f"{trailer}startxref\n{len(text)}\n%%EOF\n".encode()


def _stream(entries: str, content: bytes) -> bytes:
    return f"<< {entries} /Length {len(content)} >>\nstream\n".encode() + content + b"\nendstream"


def _size(jpeg: bytes) -> tuple[int, int]:
    """The width and height in the header of a JPEG."""
    at = 2
    while jpeg[:2] == b"\xff\xd8" and at + 9 <= len(jpeg) and jpeg[at] == 0xFF:  # noqa: PLR2004 - a segment's start
        if jpeg[at + 1] in _SIZES:
            return int.from_bytes(jpeg[at + 7 : at + 9]), int.from_bytes(jpeg[at + 5 : at + 7])
        at += 2 + int.from_bytes(jpeg[at + 2 : at + 4])
    raise ValueError("no JPEG")
