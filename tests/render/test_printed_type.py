"""The size of a picture's type in a report: in the PDF that a browser prints on A4, on a screen and on a telephone."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.render.browser import opened, started
from tests.render.test_fitted import bot
from tests.support import HOME
from threatmodel.command.main import main

pytestmark = pytest.mark.slow
ALONE = "main > :not(#picture), header, footer, nav { display: none !important } @page { size: A4 }"
NUMBER = r"-?[\d.]+"
OPERATOR = re.compile(
    rf"(?<![\w/])(?:(?P<save>q)|(?P<restore>Q)|(?P<six>(?:{NUMBER}\s+){{6}})(?P<of>cm|Tm)"
    rf"|/\S+\s+(?P<font>{NUMBER})\s+Tf|(?P<show>Tj|TJ))(?!\w)"
)


def sizes(pdf: bytes) -> Iterator[float]:
    """The size in points of each piece of text: that of its font, times all that scales it."""
    for head, body in re.findall(rb"<<((?:(?!endobj).)*?)>>\s*stream\r?\n(.*?)endstream", pdf, re.DOTALL):
        if b"FlateDecode" in head:
            text = zlib.decompress(body).decode("latin-1")
            yield from shown(text) if " Tf" in text else ()


def shown(text: str) -> Iterator[float]:
    scale, font, own = 1.0, 0.0, 1.0
    saved: list[float] = []
    for found in OPERATOR.finditer(text):
        if found["save"]:
            saved.append(scale)
        elif found["restore"]:
            scale = saved.pop()
        elif found["six"]:
            a, b, c, d, _, _ = map(float, found["six"].split())
            by = abs(a * d - b * c) ** 0.5
            scale, own = (scale * by, own) if found["of"] == "cm" else (scale, by)
        elif found["font"]:
            font = float(found["font"])
        else:
            yield font * own * scale


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with started() as found:
        if found is None:
            pytest.skip("no Chromium that starts is there")
        yield found


def page_of(functions: int, folder: Path) -> str:
    """The report of a bot; of the default model for 0."""
    model, page = folder / "model.yaml", folder / "out.html"
    model.write_text(bot(functions), encoding="utf-8")
    named = model if functions else HOME / "models" / "slack-lambda.yaml"
    assert main(["-m", str(named), "--report", "html", "-o", str(page)]) == 0
    return page.read_text(encoding="utf-8")


@pytest.mark.parametrize("functions", [0, 3, 6, 8, 30])
def test_no_text_of_the_picture_is_printed_below_seven_points(browser: Browser, tmp_path: Path, functions: int) -> None:
    with opened(browser, page_of(functions, tmp_path), tmp_path, bypass_csp=True) as shown:
        shown.page.add_style_tag(content=ALONE)
        paper = shown.page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", paper)) == 1
    found = list(sizes(paper))
    assert len(found) > 50
    assert min(found) >= 7


@pytest.mark.parametrize("functions", [0, 6])
def test_no_text_of_a_report_is_printed_below_seven_points(browser: Browser, tmp_path: Path, functions: int) -> None:
    """Tables, lists, risk matrices and code are printed as large as pictures are."""
    with opened(browser, page_of(functions, tmp_path), tmp_path, bypass_csp=True) as shown:
        found = list(sizes(shown.page.pdf(prefer_css_page_size=True)))
    assert len(found) > 10_000
    assert min(found) >= 7


SMALLEST = """() => Math.min(...[...document.querySelectorAll("#picture svg text")].filter(
  text => text.getClientRects().length
).map(text => parseFloat(text.getAttribute("font-size")) * text.getScreenCTM().a))"""
WIDEST = """() => Math.max(...[document.documentElement, ...document.querySelectorAll("#picture .paper")].map(
  node => node.scrollWidth))"""


@pytest.mark.parametrize(("width", "pixels"), [(1280, 11), (390, 10)])
@pytest.mark.parametrize("functions", [0, 3, 6, 8, 10, 30, 300])
def test_type_can_be_read_on_a_screen_and_a_telephone(
    browser: Browser, tmp_path: Path, functions: int, width: int, pixels: float
) -> None:
    page = page_of(functions, tmp_path)
    with opened(browser, page, tmp_path, viewport={"width": width, "height": 844}) as shown:
        assert shown.page.evaluate(SMALLEST) >= pixels
        assert shown.page.evaluate(WIDEST) <= width
