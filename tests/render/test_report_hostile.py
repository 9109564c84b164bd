"""A model may hold anything: in a report it stays text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from tests.report_pages import Page
from tests.support import assessed, control, evidence, library_of, said, threat
from threatmodel.assessment.assessed import Assessment
from threatmodel.render.report.report import report

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
    signing = control("signing", "target.verifies_signature")
    forgery = threat("forgery", "{signing: hinders, training: hinders}")
    library = library_of(folder, forgery, signing, control("training"))
    statement = said(False, "aws", 7)._replace(note=evil)
    assert statement.place is not None
    statement = statement._replace(place=statement.place._replace(file=f"{evil}.yaml"))
    return assessed(folder, model, library, evidence(bot={"verifies_signature": statement}))


@pytest.mark.slow
@pytest.mark.parametrize("form", ["html", "full"])
@pytest.mark.parametrize("evil", HOSTILE)
def test_a_hostile_model_adds_no_element_to_the_page(tmp_path: Path, evil: str, form: str) -> None:
    def shape(text: str) -> list[tuple[str, tuple[str, ...]]]:
        return [(tag, tuple(attributes)) for tag, attributes in Page(text).tags]

    shown = report(hostile(tmp_path, evil), form)
    assert shape(shown) == shape(report(hostile(tmp_path, "harmless"), form))
    assert not re.search("[\u202e\u200b\u0007\u2028]", shown)
    if evil == HOSTILE[9]:
        assert "&lt;U+202E&gt;gnp.exe" in shown


@pytest.mark.slow
@pytest.mark.parametrize("form", ["md", "full.md"])
@pytest.mark.parametrize("evil", HOSTILE)
def test_a_hostile_model_adds_no_markup_to_markdown(tmp_path: Path, evil: str, form: str) -> None:
    reader = MarkdownIt("commonmark", {"linkify": False}).enable(["table", "strikethrough"])

    def shape(text: str) -> list[str]:
        found = []
        for token in reader.parse(text):
            found.append(token.type)
            found += [child.type for child in token.children or () if child.type not in {"text", "text_special"}]
        return found

    shown = report(hostile(tmp_path, evil), form)
    assert shape(shown) == shape(report(hostile(tmp_path, "harmless"), form))
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
