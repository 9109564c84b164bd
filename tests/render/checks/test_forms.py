"""The text of every form, byte for byte, for a check in which everything occurs."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable

import pytest

from threatmodel.assessment.gate.results import CheckResult, RelatedPlace
from threatmodel.reading.problems import Place
from threatmodel.render.checks.checked import Checked, Form, RuleText, Totals, outcome, severity
from threatmodel.render.checks.failing import CheckRow, FailingIssues
from threatmodel.render.checks.programs import GitHub, GitLab, Json, JUnit
from threatmodel.render.checks.sarif import Sarif
from threatmodel.render.checks.text import Lines, Markdown, TerminalForm

ROLE = CheckResult(
    code="open",
    name="over-privileged-role@receipt-reader",
    place=Place("template.yaml", 125, 17),
    message="Code that goes wrong reaches too much (high, least-privilege-role absent)",
    rule="over-privileged-role",
    element="receipt-reader",
    band="high",
    score=15,
    fails=True,
    do="name the model's ARN",
    related=(RelatedPlace(Place("models/shop.yaml", 35, 3), "receipt-reader in the model"),),
    since="worse",
)
FORGED = CheckResult(
    code="undetermined",
    name="slack-request-forgery@commands",
    place=Place("models/shop.yaml", 30, 3),
    message="Anyone can call it as Slack (up to high, slack-request-signing unknown)",
    rule="slack-request-forgery",
    element="commands",
    band="high",
    score=16,
    fails=True,
    unsure=True,
    do="state verifies_signature of commands, or let evidence show it",
)
ACCEPTED = CheckResult(
    code="accepted",
    name="denial-of-wallet@commands",
    place=Place("models/shop.yaml", 30, 3),
    message="A flood of requests runs up the bill (medium, budget-alarm claimed)",
    rule="denial-of-wallet",
    element="commands",
    band="medium",
    score=8,
    accepted="a budget alarm; payments <pay@example.com> accepts a risk of 12 until 2027-03-31 (SEC-1)",
)
ENDS = CheckResult(
    code="ends-soon",
    name="incident-runbook@organization:attestation",
    place=Place("models/platform.yaml", 62, 3),
    message="attestation of ops ends on 2026-12-15",
    rule="ends-soon",
    warns=True,
    do="check it, and attest it again",
)
DRIFT = CheckResult(
    code="drift",
    name="commands.reserved_concurrency",
    place=Place("plan.json", 0, 1, "aws_lambda_function.commands.timeout"),
    message='10 here, but "5" by a <b>plan</b> | 100%\u202e',
    rule="drift",
    element="commands",
    fails=True,
    do="fix the one that is wrong",
)
RULES = {
    "over-privileged-role": RuleText(
        "Code reaches too much",
        "Why.",
        "Why.\n\nWhat answers it:\n- A role",
        "8.7",
        ("security",),
        "https://example.org/",
    ),
    "drift": RuleText("The model and its evidence differ", "They differ", "Mend it.", "", (), ""),
}
CHECKED = Checked(
    file="models/shop.yaml",
    base="infra",
    name="Shop",
    revision="90e126d8c367",
    day="2026-11-25",
    results=(ROLE, FORGED, DRIFT, ACCEPTED, ENDS),
    ends={Place("template.yaml", 125, 17): 24, Place("models/shop.yaml", 30, 3): 11},
    verdicts={"open": 1, "undetermined": 15, "accepted": 1},
    findings=82,
    possible=1,
    rules=RULES,
    reliances=("1 rating", "models/shop.yaml:9:5: rated-lower: x@commands: 15 high made 6 medium, says shop: a test"),
    baseline="of 2026-11-01, 24 days old",
    failing_issues=FailingIssues(
        answer="Above the accepted risk level",
        headline="2 of 82 findings are above the accepted level (low): 2 high; the check fails: 3 findings at high.",
        rows=(
            CheckRow(
                band="high",
                sure=True,
                elements=("receipt-reader",),
                title="Code that goes wrong reaches too much",
                place=Place("template.yaml", 125, 17),
                cause='role_wildcard_resource: true (bedrock:InvokeModel on "*")',
                do="name the model's ARN",
                since="worse",
                findings=1,
            ),
            CheckRow(
                band="high",
                sure=False,
                elements=("commands", "other"),
                title="Anyone can call it as Slack, and 2 more",
                place=Place("models/shop.yaml", 30, 3),
                cause="Does it verify Slack's signature before it does anything?",
                do="state verifies_signature, or let evidence show it",
                since="",
                findings=2,
            ),
            CheckRow(
                band="drift",
                sure=True,
                elements=("commands.reserved_concurrency",),
                title="",
                place=Place("plan.json", 0, 1, "aws_lambda_function.commands.timeout"),
                cause="10 here, but 5 by a plan",
                do="fix the one that is wrong",
                since="",
                findings=1,
            ),
        ),
    ),
)
BROKEN = Checked(
    file="models/bad.yaml", base="infra", problems="models/bad.yaml:1:7: yaml-syntax: <no> end\n1 problem\n"
)

FORMS: dict[str, Callable[[], Form]] = {
    "text.txt": TerminalForm,
    "text-colour.txt": lambda: TerminalForm(60, color=True),
    "lines.txt": Lines,
    "json.json": Json,
    "sarif.sarif": Sarif,
    "github.txt": GitHub,
    "gitlab.json": GitLab,
    "markdown.md": Markdown,
    "junit.xml": JUnit,
}


def written(form: Form, *models: Checked) -> str:
    """A run over these models in one form."""
    totals, found, begun = Totals(), [form.start], False
    for model in models:
        one = outcome(model, [form])
        totals.add(one)
        if piece := form.kept(one.pieces[0]):
            found.append(form.between + piece if begun else piece)
            begun = True
    return "".join([*found, form.tail(totals)])


@pytest.mark.parametrize("name", FORMS)
def test_the_text_of_every_form(name: str, golden: Callable[[str, str], None]) -> None:
    golden(f"check/{name}", written(FORMS[name](), CHECKED, BROKEN))


@pytest.mark.parametrize("name", ["json.json", "sarif.sarif", "gitlab.json"])
@pytest.mark.parametrize("models", [(), (BROKEN,), (CHECKED,), (CHECKED, BROKEN, CHECKED)])
def test_json_is_json_however_many_models_there_are(name: str, models: tuple[Checked, ...]) -> None:
    json.loads(written(FORMS[name](), *models))


@pytest.mark.parametrize("models", [(), (BROKEN,), (CHECKED, BROKEN)])
def test_xml_is_xml(models: tuple[Checked, ...]) -> None:
    ET.fromstring(written(FORMS["junit.xml"](), *models))  # noqa: S314 - our own


@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    text = written(TerminalForm(width), CHECKED)
    words = max(len(word) for word in text.split())
    assert max(map(len, text.split("\n"))) <= max(width, words + 11)


def test_a_severity_lies_in_the_band_of_its_score() -> None:
    found = [float(severity(score)) for score in range(1, 26)]
    assert found == sorted(found)
    assert [max(found[:5]), max(found[5:9]), max(found[9:16])] == [3.9, 6.9, 8.9]
    assert min(found[16:]) > 9.0
    assert found[-1] == 10.0
