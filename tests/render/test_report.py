"""The report says what is, and hides nothing."""

from __future__ import annotations

import itertools
import json
import re
import time
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from tests.report_pages import SVG, default_assessment
from tests.support import TODAY, assessed, control, evidence, library_of, said, threat
from threatmodel.assessment.assess import assess
from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.paths.tracing import paths
from threatmodel.graph.building import build
from threatmodel.model.load import load_model
from threatmodel.reading.files import Files
from threatmodel.reading.problems import InputError
from threatmodel.render import path_words
from threatmodel.render.report.context import context
from threatmodel.render.report.findings import cases
from threatmodel.render.report.platform import mitigated
from threatmodel.render.report.report import escaped, report


@pytest.fixture(scope="module")
def default() -> Assessment:
    return default_assessment()


@pytest.fixture(scope="module", params=["html", "full"])
def page(default: Assessment, request: pytest.FixtureRequest) -> str:
    return report(default, request.param, SVG)


@pytest.fixture(scope="module", params=["md", "full.md"])
def text(default: Assessment, request: pytest.FixtureRequest) -> str:
    return report(default, request.param)


def in_table(assessment: Assessment) -> frozenset[str]:
    """The threats that the table of what the platform mitigates names in place of their findings."""
    return mitigated(cases(assessment.groups))


# --- what both forms say


def test_both_forms_say_the_same_first(default: Assessment, page: str, text: str) -> None:
    first = context(default)["first"]
    assert isinstance(first, dict)
    assert f"<strong>{first['verdict']}.</strong> {first['headline']}" in page
    assert f"**{first['verdict']}.** {first['headline']}" in text
    assert text.startswith("# Threat model: Slack commands on AWS Lambda\n")


@pytest.mark.parametrize("form", ["full.md", "full"])
def test_every_threat_that_applies_stands_once_with_its_text(default: Assessment, form: str) -> None:
    shown = report(default, form).replace("&#39;", "'").replace("&#34;", '"').replace("\\", "")
    for name in {finding.threat.id for finding in default.applying}:
        assert shown.count(f'id="threat-{name}"') == 1
        if name in in_table(default):
            continue
        why = default.library.threats[name].why
        why = escape(why, quote=False) if form == "full" else why
        assert shown.count(why) == 1


@pytest.mark.slow
@pytest.mark.parametrize("form", ["full.md", "full"])
def test_everything_that_an_assessment_holds_is_shown(default: Assessment, form: str) -> None:
    shown = report(default, form).replace("&#39;", "'").replace("&#34;", '"').replace("\\", "")
    library = default.library
    for scenario in library.article.scenarios:
        assert scenario.says in shown
        assert all(gap in shown for gap in scenario.gaps)
    for mitigation in library.article.mitigations:
        assert mitigation.title in shown
        assert mitigation.says in shown
    for item in library.controls.values():
        assert item.title in shown
    for question in default.questions:
        assert question.ask in shown
    for acceptance in default.graph.system.acceptances:
        assert acceptance.reason in shown
    for ruled in default.ruled_out:
        assert ruled.threat.title in shown
    for finding in (one for one in default.applying if one.threat.id not in in_table(default)):
        assert f"{finding.claimed.score} {finding.claimed.band}" in shown
        for state in (answer.state for answer in finding.answers):
            assert state.reason in shown
    assert all(assumption in shown for assumption in default.graph.system.assumptions)


def test_markdown_tables_are_whole(text: str) -> None:
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    rows = widths = 0
    for token in tokens:
        if token.type == "tr_open":
            rows, widths = rows + 1, 0
        widths += token.type in {"td_open", "th_open"}
        assert token.type != "code_block", token.content
        if token.type == "inline":
            assert not re.search(r"^\|", token.content, re.MULTILINE), token.content[:200]
    assert rows > 100
    lines = text.splitlines()
    assert not [line for line in lines if line != line.rstrip()]
    assert "\n\n\n" not in text


def test_markdown_headings_descend_one_level_at_a_time(text: str) -> None:
    levels = [int(token.tag[1]) for token in MarkdownIt("commonmark").parse(text) if token.type == "heading_open"]
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


@pytest.mark.slow
def test_markdown_links_the_picture_that_lies_beside_it(default: Assessment) -> None:
    assert "![Data-flow diagram](dfd.svg)" in report(default, "md", picture_file="dfd.svg")
    assert "![" not in report(default, "md")


@pytest.mark.slow
def test_a_report_is_the_same_every_time(default: Assessment, page: str, text: str) -> None:
    assert page in {report(default, form, SVG) for form in ("html", "full")}
    assert text in {report(default, form) for form in ("md", "full.md")}


# --- the answer is honest

FORGERY = threat("forgery", "{signing: {stops: only Slack holds the secret}}")
SIGNING = control("signing", "target.verifies_signature", extra="")
MODEL = """\
name: Bot
owner: team
apis: {api: {kind: rest}}
functions:
  bot:
    triggers: [{slack: slash-command, api: api, path: /x}]
"""


TOLERANT = MODEL.replace("owner: team\n", "owner: team\nrisk_tolerance: %s\n")


def test_what_is_within_the_accepted_level_before_controls_is_not_so_as_proven(tmp_path: Path) -> None:
    slight = threat("slight", "{signing: hinders}", likelihood=1, impact=4)
    library = library_of(tmp_path, FORGERY, slight, SIGNING)
    assessment = assessed(tmp_path, TOLERANT % "low" + "    verifies_signature: true\n", library)
    assert {f.threat.id: f.verdict for f in assessment.applying} == {"forgery": "unproven", "slight": "mitigated"}
    assert bar(assessment) == {"within it as claimed only": 1, "within it before controls": 1}
    for form in ("full.md", "full"):
        shown = report(assessment, form).lower()
        assert shown.count("within the accepted level as proven, or before controls") == 1  # the verdict's meaning
        assert re.search(r"within the accepted level before controls\b(?:\)| ?\.)", shown)


def test_a_tolerable_risk_needs_neither_evidence_nor_acceptance(tmp_path: Path) -> None:
    model = (
        TOLERANT % "low"
        + "accepted_risks:\n"
        + "".join(
            f"  {name}@bot: {{risk: 25, reason: so be it, owner: boss, expires: 2027-01-01}}\n"
            for name in ("forgery", "slight")
        )
    )
    slight = threat("slight", "{signing: hinders}", likelihood=1, impact=4)
    library = library_of(tmp_path, FORGERY, slight, SIGNING)
    assessment = assessed(tmp_path, model, library, evidence(bot={"verifies_signature": True}))
    assert bar(assessment) == {"within it as proven": 1, "within it before controls": 1}
    rows = context(assessment)["accepted"]
    assert isinstance(rows, list)
    assert {row["threat"]: row["status"] for row in rows} == {
        "forgery": "not needed: the risk is within the accepted level as proven",
        "slight": "not needed: the risk is within the accepted level before controls",
    }


def bar(assessment: Assessment) -> dict[str, int]:
    shares = context(assessment)["shares"]
    assert isinstance(shares, list)
    return {share["text"]: share["number"] for share in shares}


def test_what_may_apply_is_undetermined_in_the_bar(tmp_path: Path) -> None:
    model = "name: Bot\nowner: team\nfunctions: {bot: {runtime: python3.13}}\n"
    assert bar(assessed(tmp_path, model, library_of(tmp_path, FORGERY, SIGNING))) == {"undetermined": 1}


def test_without_findings_there_is_no_bar(tmp_path: Path) -> None:
    model = MODEL.replace("{slack: slash-command, api: api, path: /x}", "{schedule: rate(1 hour)}")
    assert bar(assessed(tmp_path, model, library_of(tmp_path, FORGERY, SIGNING))) == {}


def test_the_shares_fill_the_bar(default: Assessment) -> None:
    shares: Any = context(default)["shares"]
    assert sum(share["width"] for share in shares) == 1000
    assert sum(share["number"] for share in shares) == len(default.findings)


# --- parts


def test_drift_is_shown_with_both_places(tmp_path: Path) -> None:
    found = evidence(bot={"verifies_signature": said(False, "template", 41)})
    library = library_of(tmp_path, FORGERY, SIGNING)
    assessment = assessed(tmp_path, MODEL + "    verifies_signature: true\n", library, found)
    for form in ("full.md", "full"):
        shown = report(assessment, form)
        assert "contradicted" in shown
        assert "template (as designed), template.yaml:41" in shown
        assert re.search(r"stated in the model, \S*model\.yaml:7", shown)


@pytest.mark.slow
def test_what_was_not_looked_for_is_said(tmp_path: Path) -> None:
    library = library_of(tmp_path, FORGERY, SIGNING)
    whole = assessed(tmp_path, MODEL, library)
    assessment = assess(whole.graph, library, TODAY, ["forgery"])
    for form in ("full.md", "full"):
        assert "Excluded threats" in report(assessment, form)
        assert "Something bad happens to forgery" in report(assessment, form)


def test_what_is_out_of_scope_or_assumed_is_said(tmp_path: Path) -> None:
    model = MODEL + "  other: {out_of_scope: another team's}\n"
    assessment = assessed(tmp_path, model, library_of(tmp_path, FORGERY, SIGNING))
    for form in ("full.md", "full"):
        shown = report(assessment, form).replace("&#39;", "'")
        assert "another team's" in shown
        assert "account, pipeline, workspace, organization" in shown


def test_only_what_an_author_left_out_is_listed_as_out_of_scope(tmp_path: Path) -> None:
    model = MODEL + "  other: {out_of_scope: another team's}\n"
    rows = context(assessed(tmp_path, model, library_of(tmp_path, FORGERY, SIGNING)))["out_of_scope"]
    assert isinstance(rows, list)
    assert [(row["id"], row["kind"]) for row in rows] == [("other", "function")]


def test_backticks_of_the_library_make_code_and_nothing_else(tmp_path: Path) -> None:
    evil = "call `a*b_c <b>` and `x|y`, \\\\`no` <script>`</script>`"
    name, content = threat("risky", "{signing: hinders}")
    risky = name, content.replace("why: because", f"why: {json.dumps(evil)}")
    assessment = assessed(tmp_path, MODEL, library_of(tmp_path, risky, SIGNING))
    page = report(assessment, "full")
    assert "call <code>a*b_c &lt;b&gt;</code> and <code>x|y</code>" in page
    assert "&lt;script&gt;<code>&lt;/script&gt;</code>" in page
    text = report(assessment, "full.md")
    assert "call `a*b_c <b>` and \\`x\\|y\\`" in text
    html = MarkdownIt("commonmark").enable("table").render(text)
    assert "<code>a*b_c &lt;b&gt;</code>" in html
    assert "<script" not in html


def test_an_undescribed_plane_is_one_line(tmp_path: Path) -> None:
    loose = threat("loose", "{signing: hinders}", target="account", applies="target.guardduty")
    wild = threat("wild", "{signing: hinders}", target="account", applies="target.guardduty")
    here = control("signing", "target.cloudtrail", scope="account")
    assessment = assessed(tmp_path, MODEL, library_of(tmp_path, loose, wild, here))
    (row,) = context(assessment)["possible"]  # type: ignore[misc,str-unpack]
    assert isinstance(row, dict)
    assert row["title"] == "The account is not described"
    assert row["number"] == 2


def test_acceptances_say_whether_they_hold(tmp_path: Path) -> None:
    model = MODEL + (
        "    verifies_signature: false\n"
        "accepted_risks:\n"
        "  forgery@bot: {risk: %d, reason: so be it, owner: boss, expires: %s}\n"
    )
    library = library_of(tmp_path, FORGERY, SIGNING)

    def status(risk: int, expires: str) -> object:
        rows = context(assessed(tmp_path, model % (risk, expires), library))["accepted"]
        assert isinstance(rows, list)
        return rows[0]["status"]

    assert status(20, "2027-01-01") == "holds"
    assert status(20, "2026-01-01") == "lapsed: its end date has passed"
    assert status(12, "2027-01-01") == "does not hold: the claimed risk is 20"


# --- findings that are alike stand together


def many(count: int, *, alike: bool = True) -> str:
    functions = "".join(
        f"  f{i:02}: {{triggers: [{{slack: slash-command, path: /x}}], verifies_signature: "
        f"{'false' if alike or i % 2 else 'true'}}}\n"
        for i in range(count)
    )
    return f"name: Bots\nowner: team\napis: {{api: {{kind: rest}}}}\nfunctions:\n{functions}"


def test_twenty_elements_are_named_and_more_are_counted(tmp_path: Path) -> None:
    library = library_of(tmp_path, FORGERY, SIGNING)
    assert "f18, f19: open" in report(assessed(tmp_path, many(20), library), "full.md")
    shown = report(assessed(tmp_path, many(21), library), "full.md")
    assert "**21 functions: f00, f01, f02 and 18 more: open**" in shown
    assert "f20" in report(assessed(tmp_path, many(21), library), "full")


def test_different_states_stand_apart(tmp_path: Path) -> None:
    shown = report(assessed(tmp_path, many(40, alike=False), library_of(tmp_path, FORGERY, SIGNING)), "full.md")
    assert "**20 functions" not in shown
    assert shown.count("**f01, f03, f05") == 1
    assert shown.count("**f00, f02, f04") == 1


@pytest.mark.slow
def test_a_large_model_takes_linear_time(tmp_path: Path, default: Assessment) -> None:
    def measured(count: int) -> tuple[float, int]:
        path = tmp_path / "many.yaml"
        path.write_text(many(count), encoding="utf-8")
        found = assess(build(load_model(Files(), path), today=TODAY), default.library, TODAY)
        start = time.process_time()
        shown = report(found, "full.md")
        return time.process_time() - start, len(shown)

    (quick, short), (slow, long) = measured(60), measured(240)
    assert slow < 10 * quick + 0.5
    assert long - short < 180 * 700


# --- users' templates


@pytest.mark.slow
def test_a_users_template_sees_the_whole_report(tmp_path: Path, default: Assessment) -> None:
    own = tmp_path / "own.html.j2"
    own.write_text('{% include "report.html.j2" %}', encoding="utf-8")
    assert report(default, str(own), SVG) == report(default, "html", SVG)
    own = tmp_path / "own.md.j2"
    own.write_text('{% include "report.md.j2" %}', encoding="utf-8")
    assert report(default, str(own)) == report(default, "md")


def test_an_unknown_template_is_a_problem(default: Assessment) -> None:
    with pytest.raises(InputError, match="template-error"):
        report(default, "markdown")


def test_the_context_is_plain(default: Assessment) -> None:
    def check(value: object) -> None:
        if isinstance(value, Mapping):
            for key, item in value.items():
                assert isinstance(key, str)
                assert not hasattr({}, key), key
                check(item)
        elif isinstance(value, list | tuple):
            for item in value:
                check(item)
        else:
            assert value is None or isinstance(value, str | int)

    check(dict(context(default)))
    check(dict(escaped(context(default), "markdown")))


def test_page_one_names_the_path_that_the_chapter_lists_first(
    default: Assessment, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = path_words.line(paths(default).found[0].head)
    assert " would cut it" in line
    full = report(default, "full", SVG)
    assert f'{line}</bdi> · <a href="#paths">' in full
    assert 'id="paths"' in full
    for form in ("html", "brief", "md"):
        assert line in report(default, form, SVG)
    monkeypatch.setattr("threatmodel.render.report.paths.MOST_FUNCTIONS", 1)
    assert "Worst attack path" not in report(default, "md")
