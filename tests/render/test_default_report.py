"""The default report: short, whole, and every number leads to what it counts."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.report_pages import SVG, Page, default_assessment
from tests.support import HOME, assessed
from threatmodel.assessment.assessed import Assessment
from threatmodel.library.load import load_library
from threatmodel.render.first import first_page
from threatmodel.render.report.report import report

KILOBYTES = 1000


@pytest.fixture(scope="module")
def default() -> Assessment:
    return default_assessment()


def many(folder: Path, number: int) -> Assessment:
    functions = "".join(
        f"  f-{n}: {{triggers: [{{slack: slash-command, path: /{n}}}], writes: [table], verifies_signature: {said}}}\n"
        for n, said in ((n, "true" if n % 3 else "false") for n in range(number))
    )
    model = f"name: x\napis: {{api: {{kind: http}}}}\nstores: {{table: {{}}}}\nfunctions:\n{functions}"
    return assessed(folder, model, load_library(HOME / "threatlib"))


def lines(page: str) -> list[dict[str, str | None]]:
    return [attributes for attributes in Page(page).all("li") if attributes.get("class") == "case"]


def counted(page: str, field: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for line in lines(page):
        found[(line[f"data-{field}"] or "").strip("|")] += int(line["data-number"] or 0)
    return found


def test_every_number_of_the_first_page_leads_to_lines_that_add_up_to_it(default: Assessment) -> None:
    page, first = report(default, "html", SVG), first_page(default)
    assert counted(page, "claimed") == Counter({band: number for band, number in first.claimed if number})
    assert counted(page, "proven") == Counter({band: number for band, number in first.proven if number})
    links = {link["href"] for link in Page(page).all("a")}
    assert {f"#filter:proven={band}" for band, number in first.proven if number} <= links


@pytest.mark.parametrize("form", ["html", "md", "full", "full.md"])
def test_questions_are_counted_by_source_as_on_page_one(default: Assessment, form: str) -> None:
    sources = {question.source for question in default.questions}
    shown = report(default, form)
    assert f"{len(sources)} open questions with {len(default.questions)} parts" in shown
    assert len(sources) < len(default.questions)
    assert f"depend on {len(sources)} open questions" in shown


@pytest.mark.parametrize("form", ["html", "md"])
def test_every_finding_stands_in_it(default: Assessment, form: str) -> None:
    shown = report(default, form)
    for finding in default.findings:
        assert finding.threat.id in shown
        assert finding.target.id in shown


def test_what_does_not_apply_says_why(default: Assessment) -> None:
    shown = report(default, "md").partition("## Threats that do not apply")[2]
    applying = {finding.threat.id for finding in default.findings}
    for name in default.library.threats:
        assert name in applying or f"(`{name}`): " in shown
    assert "calls_language_model: false" in shown.replace("\\", "")


def test_flows_have_the_numbers_of_the_picture(default: Assessment) -> None:
    shown = report(default, "md").partition("### Flows")[2].partition("###")[0]
    rows = [row for row in shown.splitlines() if row.startswith("| ") and not row.startswith("| No.")]
    names = [default.graph.elements[flow.source].name for flow in default.graph.flows.values()]
    for row in rows:
        number, source = (cell.strip().replace("\\", "") for cell in row.strip("|").split("|")[:2])
        if "," not in number:
            assert names[int(number) - 1] == source


@pytest.mark.slow
def test_it_is_small(tmp_path: Path, default: Assessment) -> None:
    assert len(report(default, "html", SVG).encode()) < 250 * KILOBYTES
    assert len(report(many(tmp_path, 60), "html", SVG).encode()) < 600 * KILOBYTES


def test_its_first_page_alone_has_the_picture_and_leads_nowhere_else(default: Assessment) -> None:
    page = Page(report(default, "brief", SVG))
    assert {link["href"] for link in page.all("a")} == {"#answer"}
    assert len(page.all("svg")) == 1
    assert lines(report(default, "brief", SVG)) == []


@pytest.mark.slow
def test_one_reason_is_one_line_whatever_the_number_of_functions(tmp_path: Path) -> None:
    few, lot = (report(many(tmp_path, number), "md").count("\n") for number in (9, 60))
    assert lot <= few + 10
