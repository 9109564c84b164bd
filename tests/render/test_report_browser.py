"""The report in a browser: what axe-core says of it, how it prints, and what its filter does."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.render.browser import printed_pages, run, starts
from tests.support import HOME
from threatmodel.command.main import main

pytestmark = pytest.mark.slow
NPM = shutil.which("npm")
AXE = "axe-core@4"
FORMS = ("html", "brief", "full")
RULES = "const found = await axe.run(document, {resultTypes: ['violations']});"
SAID = "return found.violations.map(one => [one.id, one.impact, one.nodes[0].html.slice(0, 200)]);"


@pytest.fixture(scope="module", autouse=True)
def browser(tmp_path_factory: pytest.TempPathFactory) -> None:
    if not starts(tmp_path_factory.mktemp("browser")):
        pytest.skip("no Chromium that starts is there")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The pages of the default model, with its evidence."""
    folder = tmp_path_factory.mktemp("pages")
    model = str(HOME / "models" / "slack-lambda.yaml")
    for form in FORMS:
        given = ["-m", model, "--report", form, "-o", str(folder / f"{form}.html"), "--today", "2026-11-25"]
        assert main(given) == 0
    return {form: (folder / f"{form}.html").read_text(encoding="utf-8") for form in FORMS}


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("axe")
    if not NPM:
        pytest.skip("npm is not there")
    command = [NPM, "install", "--no-audit", "--no-fund", "--prefix", str(folder), AXE]
    if subprocess.run(command, capture_output=True, check=False, cwd=folder).returncode:
        pytest.skip("no registry answers")
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


@pytest.mark.long
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("dark", "width"), [(False, 1200), (True, 400)], ids=["light", "dark"])
def test_axe_finds_nothing(
    pages: dict[str, str], axe: str, tmp_path: Path, form: str, *, dark: bool, width: int
) -> None:
    found = run(pages[form], f"{axe}; {RULES} {SAID}", tmp_path, dark=dark, width=width)
    assert found == []


@pytest.mark.long
def test_axe_is_asked(axe: str, tmp_path: Path) -> None:
    page = "<!doctype html><html><head><title>x</title></head><body><main><img src='data:,'></main></body></html>"
    found = run(page, f"{axe}; {RULES} {SAID}", tmp_path)
    assert "image-alt" in {rule for rule, _, _ in found}


def test_the_first_page_is_two_of_paper_and_the_report_ten(pages: dict[str, str], tmp_path: Path) -> None:
    assert printed_pages(pages["brief"], tmp_path) == 2
    assert printed_pages(pages["html"], tmp_path) <= 10


@pytest.mark.parametrize("form", ["html", "brief"])
def test_nothing_stands_out_of_a_telephone(pages: dict[str, str], tmp_path: Path, form: str) -> None:
    wide, seen = run(pages[form], "return [document.documentElement.scrollWidth, innerWidth];", tmp_path, width=400)
    assert seen == 400
    assert wide <= seen


HOSTILE = f"""\
name: "<b>{"W" * 110}"
owner: "<script>{"W" * 100}"
apis: {{api: {{name: "<img src=x>{"W" * 100}"}}}}
functions:
  {"f" * 60}:
    name: "{"W" * 120}"
    triggers: [{{slack: slash-command, api: api, path: /{"w" * 100}}}]
    verifies_signature: false
"""


@pytest.mark.parametrize("width", [400, 1280])
def test_names_as_long_as_they_may_be_do_not_widen_the_page(tmp_path: Path, width: int) -> None:
    model, page = tmp_path / "model.yaml", tmp_path / "out.html"
    model.write_text(HOSTILE, encoding="utf-8")
    assert main(["-m", str(model), "--report", "html", "-o", str(page)]) == 0
    shown = page.read_text(encoding="utf-8")
    wide, seen = run(shown, "return [document.documentElement.scrollWidth, innerWidth];", tmp_path, width=width)
    assert wide <= seen == width


FILTER = """
const form = document.querySelector("form[role=search]");
const seen = () => [...document.querySelectorAll(".case, .ruled-out")].filter(one => !one.hidden).length;
const said = () => form.querySelector("output").textContent;
const type = (name, value) => {
  form.elements[name].value = value;
  form.dispatchEvent(new Event("input", {bubbles: true}));
};
const all = {shown: !form.hidden, count: seen(), said: said()};
type("q", "role");
const some = {count: seen(), said: said(), hash: location.hash};
type("q", "no such words at all");
const none = {count: seen(), said: said()};
form.reset();
await new Promise(done => setTimeout(done, 50));
return {all, some, none, again: {count: seen(), said: said(), hash: location.hash}};
"""


def test_the_filter_narrows_says_so_and_lets_go(pages: dict[str, str], tmp_path: Path) -> None:
    found: dict[str, dict[str, Any]] = run(pages["html"], FILTER, tmp_path)
    assert found["all"]["shown"]
    assert 0 < found["some"]["count"] < found["all"]["count"]
    assert found["some"]["hash"] == "#filter:q=role"
    assert found["none"] == {"count": 0, "said": "No finding fits: clear a field"}
    assert found["again"] == {"count": found["all"]["count"], "said": found["all"]["said"], "hash": "#issues"}


def test_an_address_holds_what_was_filtered(pages: dict[str, str], tmp_path: Path) -> None:
    script = "const form = document.querySelector('form[role=search]');"
    script += "return [form.elements.q.value, form.querySelector('output').textContent];"
    typed, said = run(pages["html"], script, tmp_path, fragment="#filter:q=role")
    assert typed == "role"
    assert said.endswith(("finding", "findings"))


def test_what_can_be_used_can_be_reached_by_keyboard(pages: dict[str, str], tmp_path: Path) -> None:
    script = """
    const usable = [...document.querySelectorAll("a[href], summary, input, select, button, [role=region]")];
    const shown = usable.filter(one => one.checkVisibility());
    const missed = shown.filter(one => { one.focus(); return document.activeElement !== one; });
    return missed.map(one => one.outerHTML.slice(0, 120));
    """
    assert run(pages["html"], script, tmp_path) == []
