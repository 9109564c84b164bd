"""Drawing: the right Graphviz, its errors in words, and nothing but a drawing in an SVG."""

import os
import re
import stat
from pathlib import Path
from xml.etree import ElementTree

import pytest

from threatmodel.render.draw import DrawError, bundled, choice, draw, inline_svg, page_of

DOT = 'digraph { a -> b [label="1 x"] }'
needs_wheel = pytest.mark.skipif(not bundled(), reason="the graphviz-pure wheel is not installed")
needs_shell = pytest.mark.skipif(os.name == "nt", reason="writes a shell script")


def program(folder: Path, script: str) -> str:
    """A program that does what the script says."""
    path = folder / "engine"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


# --- which Graphviz


@pytest.mark.parametrize("text", ["plain", "Grüße", "Ωμέγα", "Привет", "● ▲ ■ ♦ · … →"])
@pytest.mark.parametrize("fmt", ["svg", "png"])
def test_the_wheel_draws_what_it_has_letters_for(fmt: str, text: str) -> None:
    assert choice(text, fmt, "/wheel", "/usr/bin/dot") == "/wheel"
    assert choice(text, fmt, "/wheel", "") == "/wheel"


@pytest.mark.parametrize("text", ["日本語", "\U0001f642", "שלום", "مرحبا"])
def test_the_system_draws_other_writing_where_it_can(text: str) -> None:
    assert choice(text, "png", "/wheel", "/usr/bin/dot") == "/usr/bin/dot"
    assert choice(text, "png", "/wheel", "") == "/wheel"


def test_the_system_draws_pdf_and_stands_in_for_the_wheel() -> None:
    assert choice("x", "pdf", "/wheel", "/usr/bin/dot") == "/usr/bin/dot"
    assert choice("x", "svg", "", "/usr/bin/dot") == "/usr/bin/dot"


def test_without_any_graphviz_both_ways_out_are_named() -> None:
    with pytest.raises(DrawError, match=r"graphviz-pure.*apt-get install graphviz"):
        choice("x", "svg", "", "")
    with pytest.raises(DrawError, match=r"graphviz-pure.*apt-get install graphviz"):
        choice("x", "pdf", "", "")
    assert choice("x", "pdf", "/wheel", "") == "/wheel"


@needs_shell
def test_the_engine_that_was_asked_for_draws(tmp_path: Path) -> None:
    engine = program(tmp_path, 'cat >/dev/null; echo "drawn $1 $2"')
    assert draw(DOT, "png", engine) == b"drawn -Kdot -Tpng\n"


# --- what it draws


@needs_wheel
def test_the_wheel_draws_svg_and_png() -> None:
    assert draw(DOT, "svg", bundled()).startswith(b"<?xml")
    assert draw(DOT, "png", bundled()).startswith(b"\x89PNG\r\n")
    assert draw(DOT, "svg", bundled()) == draw(DOT, "svg", bundled())


@needs_wheel
def test_the_wheel_draws_a_pdf_as_an_image_of_the_same_size() -> None:
    page = draw(DOT, "pdf", bundled())
    box = re.search(rb"/MediaBox \[0 0 ([0-9.]+) ([0-9.]+)\]", page)
    size = re.search(rb'width="(\d+)pt" height="(\d+)pt"', draw(DOT, "svg", bundled()))
    assert box is not None
    assert size is not None
    assert [float(one) for one in box.groups()] == pytest.approx([float(one) for one in size.groups()], abs=2)
    start = int(page.rsplit(b"startxref\n", 1)[1].split()[0])
    for number, row in enumerate(page[start:].splitlines()[3:8], 1):
        assert page[int(row.split()[0]) :].startswith(b"%d 0 obj" % number)
    with pytest.raises(ValueError, match="no JPEG"):
        page_of(b"\xff\xd8\xff", 300)


def test_dot_is_the_text_itself() -> None:
    assert draw('digraph { a [label="é"] }', "dot") == 'digraph { a [label="é"] }'.encode()


@needs_wheel
def test_letters_without_a_known_width_are_no_error() -> None:
    assert "日本".encode() in draw('digraph { a [label="日本"] }', "svg", bundled())


# --- what goes wrong


def test_an_unknown_format_is_named() -> None:
    with pytest.raises(DrawError, match="'gif' is no picture format; known: svg, png, pdf, dot"):
        draw(DOT, "gif")


def test_an_engine_that_is_not_there_is_named() -> None:
    with pytest.raises(DrawError, match=r"^/no/such/dot cannot be started: No such file"):
        draw(DOT, "svg", "/no/such/dot")


@needs_wheel
@pytest.mark.parametrize("text", ["digraph {", "digraph { a [label=<<b>x</i>>] }", "digraph { a [shape=none-such] }"])
def test_what_graphviz_complains_of_is_an_error_with_its_reason(text: str) -> None:
    with pytest.raises(DrawError, match=r"syntax error|mismatched tag|unknown shape"):
        draw(text, "svg", bundled())


@needs_shell
def test_a_program_that_draws_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DrawError, match="no picture, exit code 3"):
        draw(DOT, "png", program(tmp_path, "exit 3"))
    with pytest.raises(DrawError, match="no picture, exit code 0"):
        draw(DOT, "png", program(tmp_path, "cat >/dev/null"))
    with pytest.raises(DrawError, match="the picture is no SVG"):
        draw(DOT, "svg", program(tmp_path, "cat >/dev/null; echo '<svg'"))


# --- a drawing and no more


@needs_wheel
@pytest.mark.parametrize(
    "attributes",
    ['URL="javascript:alert(1)"', 'href="https://x.example"', 'tooltip="x"', 'style=filled fillcolor="red:blue"'],
)
def test_links_and_styles_are_refused(attributes: str) -> None:
    with pytest.raises(DrawError, match="which is no drawing"):
        draw(f"digraph {{ a [{attributes}] }}", "svg", bundled())


@needs_wheel
def test_style_sheets_are_refused() -> None:
    with pytest.raises(DrawError, match="style sheet"):
        draw('digraph { stylesheet="http://x.example/y.css"; a }', "svg", bundled())


SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">{}</svg>'


@pytest.mark.parametrize(
    "inside",
    [
        "<script>alert(1)</script>",
        '<g onload="alert(1)"/>',
        '<a xlink:href="javascript:alert(1)"><g/></a>',
        '<image xlink:href="https://x.example/y.png"/>',
        '<g style="background: url(https://x.example)"/>',
        '<foreignObject><p xmlns="http://www.w3.org/1999/xhtml">x</p></foreignObject>',
        '<use xlink:href="#x"/>',
        "<style>@import 'https://x.example'</style>",
        '<text xmlns="http://www.w3.org/1999/xhtml">x</text>',
    ],
)
def test_an_svg_that_does_more_is_not_put_into_a_page(inside: str) -> None:
    with pytest.raises(DrawError, match="which is no drawing"):
        inline_svg(SVG.format(inside).encode(), "x")


def test_entities_do_not_grow() -> None:
    bomb = '<!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)
    )
    with pytest.raises(DrawError, match="the picture is no SVG"):
        inline_svg((bomb + "]>" + SVG.format("<title>&j;</title>")).encode(), "x")


@needs_wheel
def test_an_svg_in_a_page_is_a_picture_with_a_title() -> None:
    svg = draw(DOT, "svg", bundled())
    page = inline_svg(svg, 'Orders & "more" <b>')
    assert page.startswith("<svg ")
    assert "<?xml" not in page
    assert "<!" not in page
    root = ElementTree.fromstring(page)  # noqa: S314 - made above
    title = root[0]
    assert (root.get("role"), title.text) == ("img", 'Orders & "more" <b>')
    assert root.get("aria-labelledby") == title.get("id")
    assert inline_svg(svg.decode(), 'Orders & "more" <b>') == page


@needs_wheel
def test_pictures_in_one_page_share_no_ids() -> None:
    first, second = (inline_svg(draw(dot, "svg", bundled()), "x") for dot in (DOT, "digraph { c }"))
    third = inline_svg(draw(DOT, "svg", bundled()), "y")
    ids = [re.findall(r' id="([^"]+)"', page) for page in (first, second, third)]
    assert all(ids)
    assert len({name for found in ids for name in found}) == sum(len(found) for found in ids)
