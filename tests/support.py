"""What tests share: models and libraries from text, evidence by hand, and limits of work."""

from __future__ import annotations

import contextlib
import datetime
import textwrap
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from threatmodel.assessment.assess import assess
from threatmodel.assessment.assessed import Assessment, Finding
from threatmodel.assessment.gate.judging import judge
from threatmodel.assessment.gate.results import CheckResult, Rules
from threatmodel.graph.building import Evidence, Graph, build
from threatmodel.library.entries import Library
from threatmodel.library.load import load_library
from threatmodel.model.facts import Origin, Statement
from threatmodel.model.load import load_model
from threatmodel.model.system import System
from threatmodel.reading.files import Files
from threatmodel.reading.problems import Place
from threatmodel.render.checks.checked import checked
from threatmodel.render.checks.text import Lines

HOME = Path(__file__).resolve().parent.parent
TODAY = datetime.date(2026, 11, 25)

ARTICLE = (HOME / "threatlib" / "article.yaml").read_text(encoding="utf-8")


@contextlib.contextmanager
def working_at_most(*, seconds: float) -> Iterator[None]:
    """Fails where what runs inside uses more of the processor; what else the machine is doing does not count."""
    began = time.process_time()
    yield
    assert time.process_time() - began < seconds


def system_of(folder: Path, text: str) -> System:
    """The system in a model's text."""
    path = folder / "model.yaml"
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return load_model(Files(), path)


def graph_of(folder: Path, text: str, evidence: Evidence | None = None) -> Graph:
    """The graph of a model's text."""
    return build(system_of(folder, text), evidence, TODAY)


def said(value: Any, source: Origin = "template", line: int = 41, *, stale: bool = False) -> Statement:
    """A statement by evidence."""
    return Statement(value, source, Place("template.yaml", line, 1), stale=stale)


def evidence(**elements: Mapping[str, Any]) -> Evidence:
    """Evidence of the template: facts by element, ``_`` standing for ``-`` in ids."""
    return {
        name.replace("_", "-"): {
            fact: [value] if isinstance(value, Statement) else [said(value)] for fact, value in facts.items()
        }
        for name, facts in elements.items()
    }


THREAT = """\
id: {id}
title: Something bad happens to {id}
scenario: exploited-vulnerability
targets: [{target}]
applies: {applies}
stride: [spoofing]
likelihood: {likelihood}
impact: {impact}
why: because
controls: {controls}
maps: {{cwe: [CWE-1]}}
references: [https://example.org/]
examples: {examples}
{extra}
"""

CONTROL = """\
id: {id}
title: {id} is in place
mitigation: best-practices
kind: preventive
owner: team
scope: {scope}
why: because
how: {{summary: do it}}
maps: {{nist_800_53: [AC-6]}}
references: [https://example.org/]
{extra}
"""


def threat(
    name: str,
    controls: str,
    *,
    target: str = "function",
    applies: str = "target.slack_facing",
    likelihood: int = 5,
    impact: int = 4,
    extra: str = "",
) -> tuple[str, str]:
    """A threat file: its path and text.  The examples fit a bare yes/no, or `true`."""
    fact = applies.removeprefix("target.")
    examples = (
        "{applies: [{}]}"
        if applies == "true"
        else f"{{applies: [{{{fact}: true}}], does_not_apply: [{{{fact}: false}}], undetermined: [{{}}]}}"
    )
    text = THREAT.format(
        id=name,
        target=target,
        applies=applies,
        likelihood=likelihood,
        impact=impact,
        controls=controls,
        examples=examples,
        extra=extra,
    )
    return f"threats/exploited-vulnerability/{name}.yaml", text


def control(name: str, in_place: str = "", *, scope: str = "function", extra: str = "") -> tuple[str, str]:
    """A control file: its path and text.  `in_place` is a bare yes/no, or '' where only a person can tell."""
    if in_place:
        fact = in_place.removeprefix("target.")
        extra += (
            f"\nin_place: {in_place}\nexamples: {{in_place: [{{{fact}: true}}], not_in_place: [{{{fact}: false}}], "
            "unknown: [{}]}"
        )
    return f"controls/best-practices/{name}.yaml", CONTROL.format(id=name, scope=scope, extra=extra)


def library_of(folder: Path, *files: tuple[str, str]) -> Library:
    """A library of such files."""
    root = folder / "lib"
    for name, text in (("article.yaml", ARTICLE), *files):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return load_library(root)


def assessed(
    folder: Path, model: str, library: Library, found: Evidence | None = None, today: datetime.date = TODAY
) -> Assessment:
    """The assessment of a model's text against a library."""
    return assess(graph_of(folder, model, found), library, today)


def only(assessment: Assessment) -> Finding:
    """The one finding of an assessment."""
    (finding,) = assessment.applying
    return finding


def failing(assessment: Assessment, **rules: Any) -> list[CheckResult]:
    """What fails a check of it."""
    return [result for result in judge(assessment, Rules(**rules)) if result.fails]


def check_lines(assessment: Assessment, **rules: Any) -> str:
    """The check of it as lines."""
    return Lines().model(checked(assessment, judge(assessment, Rules(**rules)), lambda _: ""))
