"""The report in a browser: pointing, keys, filters, links into it, paper, dark and small screens, and what axe says."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.render.browser import opened, started
from tests.render.test_fitted import bot
from tests.support import HOME
from threatmodel.command.main import main

pytestmark = pytest.mark.slow
NPM = shutil.which("npm")
AXE = "axe-core@4"
FORMS = ("html", "brief", "full")
RULES = "async () => (await axe.run(document, {resultTypes: ['violations']})).violations"
SHOWN = "[...document.querySelectorAll('.case, .ruled-out')].filter(one => !one.hidden).length"
OVERLAPPED = """() => [...document.querySelectorAll("main > *, main section > *")].filter(one => {
  const next = one.nextElementSibling;
  const both = next && one.checkVisibility() && next.checkVisibility();
  const stacked = both && getComputedStyle(one.parentElement).display !== "grid";
  return stacked && one.getBoundingClientRect().bottom > next.getBoundingClientRect().top + 1;
}).map(one => one.outerHTML.slice(0, 80))"""
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with started() as found:
        if found is None:
            pytest.skip("no Chromium that starts is there")
        yield found


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The pages of the default model, with its evidence."""
    folder = tmp_path_factory.mktemp("pages")
    model = str(HOME / "models" / "slack-lambda.yaml")
    return {form: reported(model, form, folder) for form in FORMS}


def reported(model: str, form: str, folder: Path) -> str:
    """The report of a model."""
    path = folder / f"{form}.html"
    assert main(["-m", model, "--report", form, "-o", str(path), "--force", "--today", "2026-11-25"]) == 0
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("axe")
    if not NPM:
        pytest.skip("npm is not there")
    command = [NPM, "install", "--no-audit", "--no-fund", "--prefix", str(folder), AXE]
    if subprocess.run(command, capture_output=True, check=False, cwd=folder).returncode:
        pytest.skip("no registry answers")
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


# --- pointing and keys


def box(name: str) -> str:
    """The selector of a box of the picture."""
    return f"g[data-of][id$='box-{name}']:visible"


def said(page: Page) -> str:
    """How many findings the filter says that it shows."""
    return page.locator("form[role=search] output").inner_text()


def test_the_picture_is_on_the_first_screen(browser: Browser, pages: dict[str, str], tmp_path: Path) -> None:
    with opened(browser, pages["html"], tmp_path) as shown:
        place = shown.page.locator(".picture svg:visible").bounding_box()
        assert place is not None
        assert place["y"] < 620


@pytest.mark.parametrize("size", [(1280, 720), (1280, 900), (390, 844)])
def test_the_threats_of_what_is_pointed_at_are_on_the_screen(
    browser: Browser, pages: dict[str, str], tmp_path: Path, size: tuple[int, int]
) -> None:
    """Also where the window is so low that the picture pushes the words above it away."""
    with opened(browser, pages["html"], tmp_path, viewport={"width": size[0], "height": size[1]}) as shown:
        page = shown.page
        for name in ("work-queue", "replay-guard"):
            page.locator(box(name)).hover()
            about = page.locator("#about")
            expect(about).to_contain_text(name)
            place, part = about.bounding_box(), page.locator(box(name)).bounding_box()
            assert place is not None
            assert part is not None
            assert 0 <= place["y"] <= size[1] - 150
            assert (
                place["x"] + place["width"] <= part["x"]
                or place["y"] + place["height"] <= part["y"]
                or (place["y"] >= part["y"] + part["height"])
            )


def test_pointing_at_an_element_shows_its_threats_and_controls(
    browser: Browser, pages: dict[str, str], tmp_path: Path
) -> None:
    with opened(browser, pages["html"], tmp_path) as shown:
        page = shown.page
        page.locator(box("slack-user")).scroll_into_view_if_needed()  # the lowest one
        page.locator(box("order-worker")).hover()
        about = page.locator("#about")
        expect(about).to_contain_text("order-worker")
        expect(about).to_contain_text("Unsigned code")
        expect(about).to_contain_text("code-signing (missing)")
        assert page.evaluate(SHOWN) > 100  # nothing is filtered yet
        height = about.bounding_box()
        page.locator(box("slack-user")).hover()
        expect(about).to_contain_text("No finding")
        assert about.bounding_box() == height  # what is below does not move away from the pointer


def test_pointing_at_a_flow_shows_its_data(browser: Browser, pages: dict[str, str], tmp_path: Path) -> None:
    with opened(browser, pages["html"], tmp_path) as shown:
        page = shown.page
        link = page.locator("g.edge[data-of='order-worker:slack:call']")
        link.locator("text").first.hover()
        expect(page.locator("#about")).to_contain_text("Slack API token")
        expect(page.locator("#about")).to_contain_text("Adversary in the middle")


def test_two_clicks_lead_from_an_element_to_the_line_that_makes_it_so(
    browser: Browser, pages: dict[str, str], tmp_path: Path
) -> None:
    with opened(browser, pages["html"], tmp_path) as shown:
        page = shown.page
        page.locator(box("order-bot")).click()
        assert page.url.endswith("#filter:element=order-bot")
        assert page.evaluate(SHOWN) < 80
        expect(page.locator(box("order-worker"))).to_have_class(re.compile("dim"))
        expect(page.locator(box("order-bot"))).not_to_have_class(re.compile("dim"))
        page.locator("#about a").click()
        line = page.locator(".issue:not([hidden])", has_text="template.yaml:").first
        expect(line).to_be_visible()
        page.locator(box("order-bot")).click()  # again: all are shown
        assert "#filter:" not in page.url


def test_the_picture_is_one_stop_of_the_keyboard_and_arrows_move_in_it(
    browser: Browser, pages: dict[str, str], tmp_path: Path
) -> None:
    with opened(browser, pages["html"], tmp_path) as shown:
        page = shown.page
        stops = page.locator("g[data-of][tabindex='0']:visible")
        assert stops.count() == 1
        stops.focus()
        first = page.evaluate("document.activeElement.id")
        page.keyboard.press("ArrowRight")
        second = page.evaluate("document.activeElement.id")
        assert first != second
        expect(page.locator("#about")).not_to_contain_text("Point at")
        assert stops.count() == 1
        page.keyboard.press("Enter")
        assert "#filter:element=" in page.url
        page.keyboard.press("Escape")
        page.wait_for_function("!location.hash.startsWith('#filter:')")
        page.keyboard.press("End")
        page.keyboard.press("ArrowRight")
        assert page.evaluate("document.activeElement.id") == first


# --- the filter


@pytest.mark.parametrize("form", ["html", "full"])
@pytest.mark.parametrize(
    ("field", "value", "fits"),
    [
        ("owner", "cloud-platform", "data-owner*='|cloud-platform|'"),
        ("state", "absent", "data-state*='|absent|'"),
        ("standard", "CWE-345", "data-standard*='|cwe-345|'"),
        ("standard", "ATT&CK", "data-standard*='|att&ck|'"),
        ("claimed", "medium", "data-claimed*='|medium|'"),
        ("proven", "high", "data-proven*='|high|'"),
        ("verdict", "unproven", "data-verdict*='|unproven|'"),
    ],
)
def test_the_filter_shows_what_fits_and_nothing_else(
    field: str, value: str, fits: str, form: str, browser: Browser, pages: dict[str, str], tmp_path: Path
) -> None:
    with opened(browser, pages[form], tmp_path) as shown:
        page = shown.page
        expected = page.locator(f".case[{fits}]").count()
        assert 0 < expected < page.locator(".case").count()
        page.locator(f"[name={field}]").evaluate(
            "(node, value) => { node.value = value; node.dispatchEvent(new Event('input', {bubbles: true})); }", value
        )
        assert page.evaluate(SHOWN) == expected
        assert said(page).endswith(("finding", "findings"))


def test_the_filter_narrows_says_so_and_lets_go(browser: Browser, pages: dict[str, str], tmp_path: Path) -> None:
    with opened(browser, pages["html"], tmp_path) as shown:
        page = shown.page
        every, before = page.evaluate(SHOWN), said(page)
        page.fill("[name=q]", "role")
        assert 0 < page.evaluate(SHOWN) < every
        assert page.url.endswith("#filter:q=role")
        page.fill("[name=q]", "no such words at all")
        assert (page.evaluate(SHOWN), said(page)) == (0, "No finding fits: clear a field")
        page.click("form button[type=reset]")
        page.wait_for_function("location.hash === '#issues'")
        assert (page.evaluate(SHOWN), said(page)) == (every, before)


def test_two_clicks_lead_from_the_worst_element_to_the_line_that_makes_it_so(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "bot.yaml").write_text(bot(9).replace("schedule: rate(1 day)", "http: GET, api: orders-api-0"))
    text = reported(str(tmp_path / "bot.yaml"), "html", tmp_path)
    with opened(browser, text, tmp_path) as shown:
        page = shown.page
        worst = page.locator("#picture g.worst:visible")
        name = worst.get_attribute("data-of", timeout=5_000).split()[0]  # type: ignore[union-attr]
        worst.click()
        page.locator("#about a").last.click()
        first = page.locator("#issues .issue:visible").first
        expect(first).to_contain_text(name)
        expect(first).to_contain_text(re.compile(r"bot\.yaml:\d+"))
        assert int(said(page).split()[0]) < 100  # those of the element, not of all that share a cause with it
        page.locator("#picture g[id$='zone-execution']:visible text").first.click()
        assert "element=zone-execution" in page.url
        group = page.locator("figure.group").first
        page.locator(f"#picture g[id$='{str(group.get_attribute('id')).replace('group-', 'box-')}']:visible").hover()
        page.get_by_text("Show its functions one by one").click()
        assert page.url.endswith(f"#{group.get_attribute('id')}")
        group.get_by_text("Back to the overview").click()
        assert page.url.endswith("#picture")


def test_numbers_and_the_legend_filter(browser: Browser, pages: dict[str, str], tmp_path: Path) -> None:
    with opened(browser, pages["html"], tmp_path) as shown:
        page = shown.page
        page.click(".bands a[href='#filter:proven=high']")
        number = page.inner_text(".bands a[href='#filter:proven=high']")
        expect(page.locator("form[role=search] output")).to_have_text(f"{number} findings")
        page.click("#picture .legend a[href='#filter:claimed=low']")
        expect(page.locator("[name=claimed]")).to_have_value("low")
        expect(page.locator("[name=proven]")).to_have_value("")


def test_an_address_holds_what_was_filtered(browser: Browser, pages: dict[str, str], tmp_path: Path) -> None:
    with opened(browser, pages["html"], tmp_path, fragment="#filter:q=role&owner=cloud-platform") as shown:
        page = shown.page
        assert (page.input_value("[name=q]"), page.input_value("[name=owner]")) == ("role", "cloud-platform")
        assert 0 < page.evaluate(SHOWN) < 40


LARGE = """\
name: Large
apis: {api: {}}
stores: {records: {kind: dynamodb}}
functions:
"""
COUNTED = """
() => {
  const form = document.querySelector("form[role=search]"), before = performance.now();
  form.elements.q.value = "role";
  form.dispatchEvent(new Event("input", {bubbles: true}));
  return performance.now() - before;
}
"""


def large(folder: Path, number: int) -> Path:
    """A model with so many functions."""
    rows = (f"  f{n}: {{triggers: [{{slack: events}}], writes: [records]}}\n" for n in range(number))
    path = folder / "large.yaml"
    path.write_text(LARGE + "".join(rows), encoding="utf-8")
    return path


def test_three_hundred_functions_filter_within_a_tenth_of_a_second_of_scripting(
    browser: Browser, tmp_path: Path
) -> None:
    page = reported(str(large(tmp_path, 300)), "html", tmp_path)
    with opened(browser, page, tmp_path) as shown:
        client = shown.page.context.new_cdp_session(shown.page)
        client.send("Performance.enable", {"timeDomain": "threadTicks"})

        def scripting() -> float:
            found = client.send("Performance.getMetrics")["metrics"]
            return float(next(one["value"] for one in found if one["name"] == "ScriptDuration"))

        before = scripting()
        shown.page.evaluate(COUNTED)
        assert scripting() - before < 0.1
        assert not shown.said


def test_three_thousand_functions_are_folded(tmp_path: Path) -> None:
    few = len(reported(str(large(tmp_path, 300)), "html", tmp_path))
    many = len(reported(str(large(tmp_path, 3000)), "html", tmp_path))
    assert many < 6_000_000
    assert many < 11 * few


# --- what a page may do, and on which devices


@pytest.mark.parametrize("form", FORMS)
def test_a_page_asks_for_nothing_and_reports_no_error(
    form: str, browser: Browser, pages: dict[str, str], tmp_path: Path
) -> None:
    with opened(browser, pages[form], tmp_path) as shown:
        assert [url.partition("#")[0] for url in shown.requests] == [(tmp_path / "page.html").as_uri()]
        assert shown.said == []


HOSTILE = f"""\
name: "<b>{"W" * 110}"
owner: "<script>alert(1)</script>{"W" * 60}"
apis: {{api: {{name: "<img src=x onerror=alert(1)>{"W" * 80}"}}}}
functions:
  {"f" * 60}:
    name: "</title><svg onload=alert(1)>{"W" * 80}"
    triggers: [{{slack: slash-command, api: api, path: /{"w" * 100}}}]
    verifies_signature: false
"""


@pytest.mark.parametrize("width", [390, 1280])
def test_hostile_names_stay_text_and_do_not_widen_the_page(browser: Browser, tmp_path: Path, width: int) -> None:
    model = tmp_path / "model.yaml"
    model.write_text(HOSTILE, encoding="utf-8")
    page = reported(str(model), "html", tmp_path)
    with opened(browser, page, tmp_path, viewport={"width": width, "height": 844}) as shown:
        shown.page.locator(f"g[id$='box-{'f' * 60}']:visible").dispatch_event("click")
        assert "onload=alert(1)" in shown.page.inner_text("#about")
        assert shown.page.locator("#about img, #about svg, #about script").count() == 0
        assert shown.page.evaluate("document.documentElement.scrollWidth") <= width
        assert shown.said == []
        assert len(shown.requests) == 1


@pytest.mark.parametrize("form", ["html", "brief"])
def test_nothing_stands_out_of_a_telephone(form: str, browser: Browser, pages: dict[str, str], tmp_path: Path) -> None:
    with opened(browser, pages[form], tmp_path, viewport=PHONE, has_touch=True, is_mobile=True) as shown:
        assert shown.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        if form == "html":
            shown.page.locator(box("slack-api")).tap()
            expect(shown.page.locator("#picture #about")).to_contain_text("slack-api")


def test_what_can_be_used_can_be_reached_by_keyboard(browser: Browser, pages: dict[str, str], tmp_path: Path) -> None:
    script = """() => {
      const kinds = "a[href], summary, input, select, button, [role=region], [role=button]";
      const usable = [...document.querySelectorAll(kinds)].filter(one => one.checkVisibility());
      const missed = usable.filter(one => { one.focus(); return document.activeElement !== one; });
      return missed.map(one => one.outerHTML.slice(0, 120));
    }"""
    with opened(browser, pages["html"], tmp_path) as shown:
        assert shown.page.evaluate(script) == []


def test_the_first_page_is_two_of_paper_and_the_report_ten(
    browser: Browser, pages: dict[str, str], tmp_path: Path
) -> None:
    for form, most in (("brief", 2), ("html", 10)):
        with opened(browser, pages[form], tmp_path) as shown:
            paper = shown.page.pdf(format="A4")  # as --report pdf prints
            assert len(re.findall(rb"/Type\s*/Page\b", paper)) <= most
            shown.page.emulate_media(media="print")
            assert shown.page.evaluate(OVERLAPPED) == []
            assert not shown.page.locator("#about, #picture .legend, form").filter(visible=True).count()


@pytest.mark.long
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("scheme", "width"), [("light", 1200), ("dark", 400)])
def test_axe_finds_nothing(
    browser: Browser, pages: dict[str, str], axe: str, tmp_path: Path, form: str, scheme: str, width: int
) -> None:
    options: dict[str, Any] = {"color_scheme": scheme, "viewport": {"width": width, "height": 900}, "bypass_csp": True}
    with opened(browser, pages[form], tmp_path, **options) as shown:
        if form == "html":
            shown.page.locator(box("order-worker")).dispatch_event("click")
        shown.page.add_script_tag(content=axe)
        found = shown.page.evaluate(RULES)
        assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found] == []


@pytest.mark.long
def test_axe_is_asked(browser: Browser, axe: str, tmp_path: Path) -> None:
    page = "<!doctype html><html><head><title>x</title></head><body><main><img src='data:,'></main></body></html>"
    with opened(browser, page, tmp_path) as shown:
        shown.page.add_script_tag(content=axe)
        assert "image-alt" in {one["id"] for one in shown.page.evaluate(RULES)}
