"""DOT text drawn by Graphviz: the one inside the graphviz-pure wheel, or a system's own."""

from __future__ import annotations

import hashlib
import html as html_module
import importlib.metadata
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType

from threatmodel.reading.marks import marked_picture
from threatmodel.reading.project import real_path
from threatmodel.render.text import html, one_line

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


FORMATS = ("svg", "png", "pdf", "dot")

_PAGE_DOTS = 300
"""The dots per inch of an image in a PDF."""

_SECONDS = 300  # of wall-clock time: a limit for a program that never ends, not for a busy machine
_BUNDLE = "graphviz-pure"
_BESIDE_THE_FONTS = re.compile("[^\x00-\u052f\u1e00-\u20cf\u2100-\u214f\u2190-\u22ff\u2500-\u266f]")
"""What the wheel's own fonts have no letter for: writing other than Latin, Greek and Cyrillic, and emoji."""

_HARMLESS = re.compile(r"no value for width of non-ASCII character|fontconfig|pango|scaling by|^\s*\Z", re.IGNORECASE)
"""Remarks of Graphviz that say nothing against the picture."""

_SVG = "http://www.w3.org/2000/svg"
_DRAWING = frozenset({"svg", "g", "title", "text", "polygon", "polyline", "path", "ellipse", "circle", "rect"})
_ATTRIBUTES = frozenset({
    *("id", "class", "data-of", "width", "height", "viewBox", "transform", "preserveAspectRatio", "version"),
    *("d", "points", "x", "y", "cx", "cy", "rx", "ry", "r"),
    *("fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "stroke-opacity", "opacity"),
    *("text-anchor", "font-family", "font-size", "font-weight", "font-style", "text-decoration"),
    "{http://www.w3.org/XML/1998/namespace}space",
})  # fmt: skip


class DrawError(Exception):
    """No picture, and why; says what to do."""


def draw(dot: str, fmt: str, engine: str = "", dots: int = 0) -> bytes:
    """A picture of DOT text as svg, png or pdf (or the text itself, as dot).

    `engine` names the program to draw with.  Without it the wheel's draws, so that pictures are the same on every
    machine; the system's draws writing that the wheel has no letters for, and PDF.  Without the latter a PDF holds an
    image, whose text cannot be selected.  `dots` are a PNG's, per inch.
    Raises DrawError.
    """
    if fmt not in FORMATS:
        raise DrawError(f"'{fmt}' is no picture format; known: {', '.join(FORMATS)}")
    if fmt == "dot":
        return dot.encode()
    program = engine or engine_for(dot, fmt)
    if fmt == "pdf" and program == bundled():
        return marked_picture(page_of(_run(program, "jpg", dot, _PAGE_DOTS), _PAGE_DOTS), fmt)
    drawn = _run(program, fmt, dot, dots if fmt == "png" else 0)
    if fmt == "svg":
        _parsed(drawn)
    return marked_picture(drawn, fmt)


def engine_for(dot: str, fmt: str) -> str:
    """Return the program that draws this text in a format.  Raises DrawError where there is none."""
    return choice(dot, fmt, bundled(), shutil.which("dot") or "")


def choice(dot: str, fmt: str, inside: str, system: str) -> str:
    """Which of two programs draws, the wheel's and the system's ('' where there is none).  Raises DrawError."""
    if system and (fmt == "pdf" or not inside or _BESIDE_THE_FONTS.search(dot)):
        return system
    if not inside:
        raise DrawError(
            f"there is no Graphviz: install the {_BUNDLE} package (python3 -m pip install {_BUNDLE}), "
            "or the system's (apt-get install graphviz, brew install graphviz)"
        )
    return inside


@cache
def bundled() -> str:
    """The program inside the graphviz-pure wheel, or '' where the wheel is not installed."""
    try:
        files = importlib.metadata.files(_BUNDLE) or []
    except importlib.metadata.PackageNotFoundError:
        return ""
    for file in files:
        if file.stem == _BUNDLE and file.suffix in {"", ".exe"}:
            return str(real_path(Path(str(file.locate()))))
    return ""


def _run(engine: str, fmt: str, dot: str, dots: int) -> bytes:
    command = [engine, "-Kdot", f"-T{fmt}", *([f"-Gdpi={dots}"] if dots else [])]
    try:
        done = subprocess.run(  # noqa: S603 - the user's own choice, or one of two fixed programs; no shell
            command, input=dot.encode(), capture_output=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise DrawError(
            f"{engine} took more than {_SECONDS} seconds; draw an overview, or one element with --focus"
        ) from None
    except OSError as error:
        raise DrawError(f"{engine} cannot be started: {error.strerror}") from None
    remarks = [line for line in done.stderr.decode(errors="replace").splitlines() if not _HARMLESS.search(line)]
    if done.returncode or remarks or not done.stdout:
        reason = "; ".join(remarks[:3]) or f"no picture, exit code {done.returncode}"
        raise DrawError(f"{engine}: {reason}")
    return done.stdout


_SCALE = re.compile(rb'<g id="graph0"[^>]* transform="scale\(([0-9.]+)')


def scale(svg: bytes) -> float:
    """Return by how much Graphviz has reduced a picture to fit the size that its text asks for."""
    found = _SCALE.search(svg)
    return float(found.group(1)) if found is not None else 1.0


_TITLE = re.compile(rb'(<g id="([^"]+)" class="(?:node|edge|cluster)[^"]*">\s*<title>)[^<]*')


def titled(svg: bytes, titles: Mapping[str, str], of: Mapping[str, Sequence[str]] = MappingProxyType({})) -> bytes:
    """Return an SVG of Graphviz whose nodes, edges and clusters have the titles that are given by their ids.

    `of` gives the elements or flows that each stands for, which a page finds in `data-of`.
    """

    def title(found: re.Match[bytes]) -> bytes:
        name = html_module.unescape(found.group(2).decode())
        text, ids = titles.get(name), html(" ".join(of.get(name, ())))
        head = found.group(1).replace(b"<g ", f'<g data-of="{ids}" '.encode(), 1) if ids else found.group(1)
        return found.group() if text is None else head + _title_text(text).encode()

    return _TITLE.sub(title, svg)


_PART = re.compile(rb'(<g [^>]*?id="([^"]+)" class="(?:node|cluster)[^"]*">)(.*?)(</g>)', re.DOTALL)


def linked(svg: bytes, links: Mapping[str, str]) -> bytes:
    """Return an SVG of Graphviz in which nodes and clusters lead to the addresses that are given by their ids."""

    def link(found: re.Match[bytes]) -> bytes:
        address = links.get(html_module.unescape(found.group(2).decode()))
        if address is None:
            return found.group()
        anchor = f'<a href="{html(address)}">'.encode()
        return found.group(1) + anchor + found.group(3) + b"</a>" + found.group(4)

    return _PART.sub(link, svg) if links else svg


def _title_text(text: str) -> str:
    return "&#10;".join(html(line) for line in text.split("\n"))


def inline_svg(svg: bytes | str, title: str) -> str:
    """An SVG as an element of an HTML page: a picture with a title, whose ids no other picture of the page has.

    Raises DrawError where it holds anything but a drawing (a script, a link, a style, an image).
    """
    title = one_line(title)
    data = svg.encode() if isinstance(svg, str) else svg
    root = _parsed(data)
    own = "p" + hashlib.sha256(data + title.encode()).hexdigest()[:8]
    for element in root.iter():
        if "id" in element.attrib:
            element.set("id", f"{own}-{element.get('id')}")
    name = ET.Element(f"{{{_SVG}}}title", {"id": f"{own}-title"})
    name.text = title
    root.insert(0, name)
    root.set("role", "img")
    if _height_to_width(root) > _TALL:
        root.set("class", "tall")
    root.set("aria-labelledby", f"{own}-title")
    ET.register_namespace("", _SVG)
    return ET.tostring(root, encoding="unicode")


_TALL = 0.75
"""The height of a picture, as a share of its width, above which it does not fit below the summary of page one.

On a screen it is not reduced to the height of the window either: then its type would be too small."""


def _height_to_width(svg: ET.Element) -> float:
    box = [float(number) for number in svg.get("viewBox", "").split()]
    return box[3] / box[2] if len(box) == 4 and box[2] else 0.0  # noqa: PLR2004 - left, top, width, height


def _parsed(svg: bytes) -> ET.Element:
    """The elements of an SVG that is a drawing and no more.

    Graphviz writes links, images and styles only where its input asks for them.  Ours does not: they are rejected.
    """
    if b"<?xml-stylesheet" in svg:
        raise DrawError("the picture holds a style sheet, which is no drawing")
    try:
        root = ET.fromstring(svg)  # noqa: S314 - what Graphviz wrote; expat limits entities
    except ET.ParseError as error:
        raise DrawError(f"the picture is no SVG: {error}") from None
    for element in root.iter():
        name = str(element.tag).removeprefix(f"{{{_SVG}}}")
        odd = element.attrib.keys() - _ATTRIBUTES
        if name not in _DRAWING or odd:
            raise DrawError(f"the picture holds {name} {' '.join(sorted(odd))}".strip() + ", which is no drawing")
    return root
