"""The report's page: one file that asks nobody for anything, and that everybody can use."""

from __future__ import annotations

import base64
import hashlib
import itertools
import re

import pytest

from tests.report_pages import SVG, Page, default_assessment
from tests.support import HOME
from threatmodel.render.report.report import report


@pytest.fixture(scope="module", params=["html", "full"])
def page(request: pytest.FixtureRequest) -> str:
    return report(default_assessment(), request.param, SVG)


def test_no_request_leaves_the_page(page: str) -> None:
    parsed = Page(page)
    policy = parsed.all("meta")[1]["content"] or ""
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    for tag, attributes in parsed.tags:
        assert tag not in {"link", "img", "iframe", "object", "embed", "base", "video", "audio", "image", "use"}
        assert not attributes.keys() & {"src", "srcset", "style", "background", "action", "formaction", "xlink:href"}
        assert not [name for name in attributes if name.startswith("on")]
    (style,) = re.findall("<style>(.*?)</style>", page, re.DOTALL)
    assert "@import" not in style
    assert "url(" not in style
    addresses = [value for _, attributes in parsed.tags for value in attributes.values() if value and "url(" in value]
    assert all(value.startswith("url(#") for value in addresses)


@pytest.mark.parametrize("tag", ["style", "script"])
def test_the_policy_allows_exactly_the_styles_and_the_script_inside(page: str, tag: str) -> None:
    (content,) = re.findall(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
    assert f"{tag}-src 'sha256-{digest}'" in page


def test_links_lead_into_the_page_or_to_https(page: str) -> None:
    parsed = Page(page)
    ids = [attributes["id"] for _, attributes in parsed.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for link in parsed.all("a"):
        href = link["href"] or ""
        if href.startswith("#filter:"):
            field, _, value = href.removeprefix("#filter:").partition("=")
            assert any(f"|{value}|" in (one.get(f"data-{field}") or "") for one in parsed.all("li"))
        elif href.startswith("#"):
            assert href[1:] in ids
        else:
            assert href.startswith("https://")
            assert "noopener" in (link["rel"] or "")
    for tag, attributes in parsed.tags:
        for name in ("aria-labelledby", "list"):
            assert attributes.get(name) is None or attributes[name] in ids, tag


def test_headings_descend_one_level_at_a_time(page: str) -> None:
    levels = [level for level, _ in Page(page).headings]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_the_page_can_be_used_without_eyes_and_without_a_mouse(page: str) -> None:
    parsed = Page(page)
    assert parsed.all("html") == [{"lang": "en"}]
    assert parsed.all("a")[0]["class"] == "skip"
    assert len(parsed.all("main")) == 1
    assert all("scope" in cell for cell in parsed.all("th"))
    pictures = [svg for svg in parsed.all("svg") if svg.get("aria-hidden") != "true"]
    assert all(svg["role"] == "img" and svg["aria-labelledby"] for svg in pictures)
    assert len(parsed.all("label")) >= len(parsed.all("input")) + len(parsed.all("select"))
    for region in (attributes for _, attributes in parsed.tags if attributes.get("role") == "region"):
        assert region["tabindex"] == "0"


def test_the_page_is_whole_without_its_script(page: str) -> None:
    (form,) = Page(page).all("form")
    assert "hidden" in form
    (style,) = re.findall("<style>(.*?)@media print", page, re.DOTALL)
    hidden = set(re.findall(r"([^{}]+)\{[^{}]*display: none", style))
    assert {selector.strip() for selector in hidden} == {
        "form[hidden]",
        "details.item[hidden]",
        ".case[hidden]",
        ".lines li[hidden], .issue[hidden]",
        "details.item > summary::-webkit-details-marker",
        ".stack td:empty",
        ".picture.narrow",  # of two pictures of the same, the one for phones or the other
        ".picture:has(+ .picture.narrow)",
    }


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", [0, 1, 2], ids=["light", "dark", "print"])
def test_every_colour_can_be_read_on_its_ground(theme: int) -> None:
    style = (HOME / "templates" / "report.css").read_text(encoding="utf-8")
    blocks = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    assert len(blocks) == 3
    found = {
        name: colour if len(colour) == 7 else "#" + "".join(2 * digit for digit in colour[1:])
        for name, colour in re.findall(r"--([a-z-]+): (#[0-9a-f]+)", blocks[theme])
    }
    pairs = [(name, f"{name}-bg") for name in ("critical", "high", "medium", "low", "ask")]
    pairs += [(name, ground) for name in ("ink", "soft", "link") for ground in ("paper", "card")]
    pairs += [("ink", "mute-bg")] + [(name, f"{band}-bg") for name in ("ink", "soft") for band in ("high", "low")]
    for name, ground in pairs:
        light, dark = sorted((luminance(found[name]), luminance(found[ground])), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (name, ground)
