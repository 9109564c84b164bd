"""The report says what is, hides nothing, and stays text whatever a model holds."""

from __future__ import annotations

import base64
import dataclasses
import datetime
import hashlib
import itertools
import re
import time
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from tests.support import HOME, TODAY, assessed, control, evidence, library_of, said, threat
from threatmodel.assess import Assessment, assess
from threatmodel.files import Files
from threatmodel.graph import build
from threatmodel.library.load import load_library
from threatmodel.model.load import load_model
from threatmodel.problems import InputError
from threatmodel.render.report import escaped, report
from threatmodel.render.report_context import context

VOID = frozenset({"meta", "input", "br", "link", "img", "option"})


@pytest.fixture(scope="module")
def default() -> Assessment:
    files = Files()
    library = load_library(HOME / "threatlib", files)
    return assess(build(load_model(files, HOME / "models" / "slack-lambda.yaml")), library, TODAY)


@pytest.fixture(scope="module")
def page(default: Assessment) -> str:
    return report(default, "html", SVG)


@pytest.fixture(scope="module")
def text(default: Assessment) -> str:
    return report(default, "md")


SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><g id="a"><text x="1" y="1">x</text></g></svg>'


class Page(HTMLParser):
    """The elements of a page, checked to be properly nested."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.headings: list[tuple[int, str]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append((int(tag[1]), ""))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        if self.open and re.fullmatch("h[1-6]", self.open[-1]):
            level, before = self.headings[-1]
            self.headings[-1] = (level, before + data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


# --- the page as a document


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
        if href.startswith("#"):
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
        "details.item > summary::-webkit-details-marker",
        ".stack td:empty",
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


# --- what both forms say


def test_both_forms_say_the_same_first(default: Assessment, page: str, text: str) -> None:
    answer = context(default)["answer"]
    assert isinstance(answer, dict)
    assert answer["headline"] in page
    assert f"**{answer['headline']}**" in text
    assert text.startswith("# Threat model: Slack commands on AWS Lambda\n")


@pytest.mark.parametrize("form", ["md", "html"])
def test_every_threat_that_applies_stands_once_with_its_text(default: Assessment, form: str) -> None:
    shown = report(default, form).replace("&#39;", "'").replace("&#34;", '"').replace("\\", "")
    for name in {finding.threat.id for finding in default.findings}:
        assert shown.count(f'id="threat-{name}"') == 1
        why = default.library.threats[name].why
        assert shown.count(why) == 1


@pytest.mark.parametrize("form", ["md", "html"])
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
    for finding in default.findings:
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


def test_markdown_links_the_picture_that_lies_beside_it(default: Assessment) -> None:
    assert "![Data-flow diagram](dfd.svg)" in report(default, "md", picture_file="dfd.svg")
    assert "![" not in report(default, "md")


def test_a_report_is_the_same_every_time(default: Assessment, page: str, text: str) -> None:
    assert report(default, "html", SVG) == page
    assert report(default, "md") == text


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


def first(assessment: Assessment) -> dict[str, Any]:
    answer = context(assessment)["answer"]
    assert isinstance(answer, dict)
    return answer


@pytest.mark.parametrize(
    ("stated", "tone", "headline"),
    [
        ("verifies_signature: false", "work", "Of 1 finding, 1 needs work (at worst critical)."),
        ("", "wait", "Not clear yet: of 1 finding, 1 waits for an answer (at worst critical)."),
        (
            "verifies_signature: true",
            "word",
            "Nothing is open, but of 1 finding, 1 is tolerable on word alone, none on evidence.",
        ),
    ],
)
def test_the_headline_says_how_it_stands(tmp_path: Path, stated: str, tone: str, headline: str) -> None:
    assessment = assessed(tmp_path, MODEL + f"    {stated}\n", library_of(tmp_path, FORGERY, SIGNING))
    assert (first(assessment)["tone"], first(assessment)["headline"]) == (tone, headline)


def test_evidence_makes_a_good_headline(tmp_path: Path) -> None:
    found = evidence(bot={"verifies_signature": True})
    assessment = assessed(tmp_path, MODEL, library_of(tmp_path, FORGERY, SIGNING), found)
    assert first(assessment)["tone"] == "good"
    assert first(assessment)["headline"] == "Of 1 finding, 1 is tolerable on evidence."


def test_no_findings_and_unanswered_ones_are_no_all_clear(tmp_path: Path) -> None:
    model = "name: Bot\nowner: team\nfunctions: {bot: {runtime: python3.13}}\n"
    answer = first(assessed(tmp_path, model, library_of(tmp_path, FORGERY, SIGNING)))
    assert answer["findings"] == 0
    assert answer["tone"] == "wait"
    assert (
        answer["headline"]
        == "Not clear yet: of 0 findings and 1 that may apply, 1 waits for an answer (at worst critical)."
    )
    assert answer["may_apply"] == "1 more threat may apply: nobody has said what decides it."


def test_an_empty_model_is_no_all_clear_either(tmp_path: Path) -> None:
    model = MODEL.replace("{slack: slash-command, api: api, path: /x}", "{schedule: rate(1 hour)}")
    answer = first(assessed(tmp_path, model, library_of(tmp_path, FORGERY, SIGNING)))
    assert answer["tone"] == "empty"
    assert answer["headline"] == "No threat of the library applies to what this model describes."


def test_the_shares_fill_the_bar(default: Assessment) -> None:
    shares = first(default)["shares"]
    assert sum(share["width"] for share in shares) == 1000
    assert sum(share["number"] for share in shares) == len(default.findings) + len(default.possible)


# --- parts


def test_drift_is_shown_with_both_places(tmp_path: Path) -> None:
    found = evidence(bot={"verifies_signature": said(False, "template", 41)})
    library = library_of(tmp_path, FORGERY, SIGNING)
    assessment = assessed(tmp_path, MODEL + "    verifies_signature: true\n", library, found)
    for form in ("md", "html"):
        shown = report(assessment, form)
        assert "contradicted" in shown
        assert "template, so designed, template.yaml:41" in shown
        assert re.search(r"the model says so, \S*model\.yaml:7", shown)


def test_what_was_not_looked_for_is_said(tmp_path: Path) -> None:
    library = library_of(tmp_path, FORGERY, SIGNING)
    whole = assessed(tmp_path, MODEL, library)
    assessment = assess(whole.graph, library, TODAY, ["forgery"])
    for form in ("md", "html"):
        assert "Not looked for" in report(assessment, form)
        assert "Something bad happens to forgery" in report(assessment, form)


def test_what_is_out_of_scope_or_assumed_is_said(tmp_path: Path) -> None:
    model = MODEL + "  other: {out_of_scope: another team's}\n"
    assessment = assessed(tmp_path, model, library_of(tmp_path, FORGERY, SIGNING))
    for form in ("md", "html"):
        shown = report(assessment, form).replace("&#39;", "'")
        assert "another team's" in shown
        assert "account, pipeline, workspace, organisation" in shown


def test_an_undescribed_plane_is_one_line(tmp_path: Path) -> None:
    loose = threat("loose", "{signing: hinders}", target="account", applies="target.guardduty")
    wild = threat("wild", "{signing: hinders}", target="account", applies="target.guardduty")
    here = control("signing", "target.cloudtrail", scope="account")
    assessment = assessed(tmp_path, MODEL, library_of(tmp_path, loose, wild, here))
    (row,) = context(assessment)["possible"]  # type: ignore[misc,str-unpack]
    assert isinstance(row, dict)
    assert row["title"] == "Nothing is stated about the account"
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
    assert status(20, "2026-01-01") == "lapsed: its day has passed"
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
    assert "f18, f19: open" in report(assessed(tmp_path, many(20), library), "md")
    shown = report(assessed(tmp_path, many(21), library), "md")
    assert "**21 functions: f00, f01, f02 and 18 more: open**" in shown
    assert "f20" in report(assessed(tmp_path, many(21), library), "html")


def test_different_states_stand_apart(tmp_path: Path) -> None:
    shown = report(assessed(tmp_path, many(40, alike=False), library_of(tmp_path, FORGERY, SIGNING)), "md")
    assert "**20 functions" not in shown
    assert shown.count("**f01, f03, f05") == 1
    assert shown.count("**f00, f02, f04") == 1


def test_a_large_model_takes_linear_time(tmp_path: Path, default: Assessment) -> None:
    def seconds(count: int) -> float:
        path = tmp_path / "many.yaml"
        path.write_text(many(count), encoding="utf-8")
        found = assess(build(load_model(Files(), path)), default.library, TODAY)
        start = time.perf_counter()
        shown = report(found, "md")
        assert len(shown) < 600_000
        return time.perf_counter() - start

    few, lots = seconds(500), seconds(2000)
    assert lots < 10 * few + 1


# --- a model may hold anything

HOSTILE = (
    "</title><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' autofocus onfocus='alert(1)",
    "</style><style>*{display:none}",
    "[click](javascript:alert(1)) ![x](https://evil.example/x.png)",
    "| a | b |\n|---|---|\n# heading",
    "`code` **bold** <b>bold</b> &lt; &amp;",
    "{{ 7 * 7 }} {% raw %} {# x #}",
    "--> ]]> */ //",
    "\u202egnp.exe \u200b \u0007 \u2028",
    "😀 שלום مرحبا",
    "- list\n\n    code block\n\n<details>",
    "https://evil.example www.evil.example",
    "$x$ ~~y~~ @everyone #1",
)


def quoted(text: str) -> str:
    """Text as a double-quoted YAML scalar."""
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\u202e": "\\u202e", "\u200b": "\\u200b"}
    escapes |= {"\u0007": "\\a", "\u2028": "\\L"}
    return '"' + "".join(escapes.get(character, character) for character in text) + '"'


def hostile(folder: Path, evil: str) -> Assessment:
    one = quoted(evil)
    line = quoted(evil.replace("\n", " "))
    model = f"""\
name: {line}
description: {one}
owner: {line}
scope: {one}
assumptions: [{one}]
data: {{order: {{name: {line}, classification: secret, personal: true}}}}
apis: {{api: {{name: {line}, kind: rest}}}}
stores: {{orders: {{name: {line}, kind: dynamodb, holds: [order]}}}}
functions:
  bot:
    name: {line}
    description: {one}
    criticality: high
    criticality_reason: {line}
    triggers: [{{slack: slash-command, api: api, path: /x}}]
    writes: [orders]
    verifies_signature: true
  other: {{out_of_scope: {line}}}
controls:
  training@bot: {{attested_by: {line}, on: 2026-10-01, expires: 2026-12-01, note: {line}}}
accepted_risks:
  forgery@bot: {{risk: 25, reason: {line}, owner: {line}, expires: 2026-12-01}}
"""
    library = library_of(
        folder, threat("forgery", "{signing: hinders, training: hinders}"), SIGNING, control("training")
    )
    statement = said(False, "aws", 7)._replace(note=evil)
    assert statement.place is not None
    statement = statement._replace(place=statement.place._replace(file=f"{evil}.yaml"))
    found = assessed(folder, model, library, evidence(bot={"verifies_signature": statement}))
    return dataclasses.replace(found, today=datetime.date(2026, 11, 25))


@pytest.mark.parametrize("evil", HOSTILE)
def test_a_hostile_model_adds_no_element_to_the_page(tmp_path: Path, evil: str) -> None:
    def shape(text: str) -> list[tuple[str, tuple[str, ...]]]:
        return [(tag, tuple(attributes)) for tag, attributes in Page(text).tags]

    shown = report(hostile(tmp_path, evil), "html")
    assert shape(shown) == shape(report(hostile(tmp_path, "harmless"), "html"))
    assert not re.search("[\u202e\u200b\u0007\u2028]", shown)
    if evil == HOSTILE[9]:
        assert "&lt;U+202E&gt;gnp.exe" in shown


@pytest.mark.parametrize("evil", HOSTILE)
def test_a_hostile_model_adds_no_markup_to_markdown(tmp_path: Path, evil: str) -> None:
    reader = MarkdownIt("commonmark", {"linkify": False}).enable(["table", "strikethrough"])

    def shape(text: str) -> list[str]:
        found = []
        for token in reader.parse(text):
            found.append(token.type)
            found += [child.type for child in token.children or () if child.type not in {"text", "text_special"}]
        return found

    shown = report(hostile(tmp_path, evil), "md")
    assert shape(shown) == shape(report(hostile(tmp_path, "harmless"), "md"))
    assert not re.search(r"(?<!\\):(?=//)evil|[^\\]://evil", shown)
    assert not re.search("[\u202e\u200b\u0007\u2028]", shown)


def test_a_hostile_model_does_no_more_to_a_users_template(tmp_path: Path) -> None:
    assessment = hostile(tmp_path, HOSTILE[0])
    own = tmp_path / "own.html.j2"
    own.write_text("<title>{{ model.name }}</title>", encoding="utf-8")
    assert report(assessment, str(own)).count("<") == 2
    own = tmp_path / "own.md.j2"
    own.write_text("# {{ model.name }}", encoding="utf-8")
    assert report(assessment, str(own)).count("\\<") == 3
    own = tmp_path / "own.txt.j2"
    own.write_text("{{ model.name }}", encoding="utf-8")
    assert report(assessment, str(own)) == HOSTILE[0]


# --- users' templates


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
        if isinstance(value, dict):
            for key, item in value.items():
                assert isinstance(key, str)
                assert not hasattr({}, key), key
                check(item)
        elif isinstance(value, list | tuple):
            for item in value:
                check(item)
        else:
            assert value is None or isinstance(value, str | int)

    check(context(default))
    check(escaped(context(default), "markdown"))
