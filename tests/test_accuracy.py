"""How the accuracy of readings is counted, and how accurate they are on samples of our own; public files stay out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from scripts import lists
from scripts.accuracy import OWN, OWN_FRESH, PAGE, PUBLIC, labels, measured
from scripts.labelled.comparing import SUBJECTS, Compared, compared, control_verdict, counted
from scripts.labelled.found import Found, found_in, library
from scripts.labelled.labels import LabelError, Sign, digest, label
from scripts.labelled.page import inserted, share, tables, verdicts

CONTROLS = ("code-signing", "supported-runtime", "queue-customer-managed-key")
TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Parameters: {LedgerTable: {Type: String}}
Resources:
  Front:
    Type: AWS::Serverless::Function
    Properties:
      Handler: a.b
      Runtime: python3.13
      Environment: {Variables: {SLACK_BOT_TOKEN: xoxb-123456789012-123456789012-abcdefghijklmnopqrstuvwx}}
      Policies:
        - LambdaInvokePolicy: {FunctionName: !Ref Worker}
        - DynamoDBReadPolicy: {TableName: !Ref LedgerTable}
        - SSMParameterReadPolicy: {ParameterName: shop/token}
        - Statement: {Effect: Allow, Action: [translate:TranslateText, ses:SendEmail], Resource: "*"}
      Events:
        Order: {Type: HttpApi, Properties: {Path: /order, Method: POST}}
        Status: {Type: HttpApi, Properties: {Path: /status, Method: GET}}
        Tick: {Type: Schedule, Properties: {Schedule: rate(1 hour)}}
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      Handler: a.c
      Runtime: python3.13
      Events:
        Upload: {Type: Cognito, Properties: {UserPool: !Ref People, Trigger: PreSignUp}}
  People: {Type: AWS::Cognito::UserPool}
"""
EXPECTED = {
    "name": "our own",
    "functions": ["Front", "Worker"],
    "routes": ["POST /order Front by slack", "GET /status Front"],
    "flows": [
        "rate(1 hour) > Front",
        "People > Worker",
        "Front invokes Worker",
        "Front reads aws:dynamodb:LedgerTable",
        "Front secrets aws:ssm:shop/token",
        "Front calls aws:translate:",
        "Front calls aws:ses:",
    ],
    "secrets": ["aws:ssm:shop/token", "environment of Front"],
    "controls": {"function": "-code-signing", "Worker": "+supported-runtime"},
}


def differences(one: Compared) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    return {name: (count.wrong, count.missed) for name, count in one.counts.items() if count.wrong or count.missed}


def test_what_is_there_and_what_is_found(tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text(TEMPLATE, encoding="utf-8")
    said = {digest(tmp_path / "t.yaml"): label(EXPECTED, CONTROLS)}
    (one,) = measured(tmp_path, said)
    assert one.name == "our own"
    assert differences(one) == {}
    assert {judged.what: judged.verdict for judged in (*one.callers, *one.controls)} == {
        "POST /order Front": "asked",
        "GET /status Front": "right",
        "code-signing of Front": "right",
        "code-signing of Worker": "right",
        "supported-runtime of Worker": "right",
    }


def test_what_is_wrong_and_what_is_missed_is_named() -> None:
    assert counted({"a", "b"}, {"b", "c"})[:3] == (("b",), ("c",), ("a",))
    said = label(
        {
            "name": "x",
            "functions": ["F"],
            "routes": ["POST /a F by slack", "POST /b F"],
            "flows": ["F reads T", "F sends Q", "Q > F"],
            "controls": {"F": "-code-signing ?supported-runtime"},
            "why": {"F sends Q": "its grant is a macro's"},
        },
        CONTROLS,
    )
    found = Found(
        functions=frozenset({"F"}),
        routes={"POST /a F": "others", "POST /b F": "asked"},
        flows=frozenset({"F reads T", "F reads U"}),
        secrets=frozenset(),
        open=frozenset({("F", "sends")}),
        states={("code-signing", "F"): "proven", ("supported-runtime", "F"): "claimed"},
    )
    one = compared(said, found)
    assert one.counts["flows"].denied == ("Q > F",)
    shown = tables([one])
    assert "| flows | 3 | 1 of 3 (33 %) | 1 of 2 (50 %) | 1 |" in shown
    assert "| who calls a route | 2 | 1 | 0 | 1 | 0 | 1 of 2 (50 %) |" in shown
    assert "| controls that the file decides | 1 | 0 | 0 | 0 | 1 | 0 of 1 (0 %) |" in shown
    assert "- `x`: flows: `F reads U` is not there" in shown
    assert "- `x`: flows: `F sends Q` is missed: its grant is a macro's" in shown
    assert "- `x`: flows: `Q > F` is missed in a complete list" in shown
    assert "- `x`: false-proof: `code-signing of F` is labeled `-` and found `proven`" in shown
    assert "- `x`: wrong: `POST /a F` is labeled `slack` and found `others`" in shown


@pytest.mark.parametrize(
    ("sign", "says", "verdict"),
    [
        ("+", "+", "right"),
        ("+", "-", "wrong"),
        ("+", "0", "wrong"),
        ("-", "+", "false-proof"),
        ("-", "0", "false-proof"),
        ("?", "+", "false-proof"),
        ("?", "0", "false-proof"),
        ("?", "-", "wrong"),
        ("?", "?", "right"),
        ("-", "?", "asked"),
        ("0", "-", "wrong"),
        ("0", "+", "false-proof"),
    ],
)
def test_what_reassures_falsely_is_the_worst(sign: Sign, says: str, verdict: str) -> None:
    assert control_verdict(sign, says) == verdict


@pytest.mark.parametrize(
    "said",
    [
        {"name": "x", "control": {}},
        {"name": "x", "routes": ["POST F"]},
        {"name": "x", "routes": ["POST /a F by nobody"]},
        {"name": "x", "flows": ["F likes T"]},
        {"name": "x", "controls": {"F": "+no-such-control"}},
        {"name": "x", "controls": {"F": "code-signing"}},
    ],
)
def test_a_label_that_says_nothing_is_refused(said: dict[str, object]) -> None:
    with pytest.raises(LabelError):
        label(said, CONTROLS)


def test_a_page_without_the_part_is_no_page() -> None:
    with pytest.raises(ValueError, match="own samples"):
        inserted("# nothing", "own samples", "text")


def test_labels_of_public_templates_can_be_held_against_them() -> None:
    assert all(len(key) == 16 for key in labels(PUBLIC))


@pytest.fixture(scope="module")
def own() -> Sequence[Compared]:
    return list(measured(OWN, labels(OWN / "labels.yaml")))


@pytest.mark.slow
def test_every_sample_has_a_label_and_every_label_its_sample(own: Sequence[Compared]) -> None:
    said = labels(OWN / "labels.yaml")
    assert sorted(one.name for one in own) == sorted(one.name for one in said.values())


@pytest.mark.slow
def test_samples_of_our_own_are_read_as_people_read_them(own: Sequence[Compared]) -> None:
    right, there, said = share(own, "flows")
    assert right >= 0.9 * there
    assert right >= 0.99 * said
    assert [
        one.name for one in own if any(one.counts[subject].wrong for subject in SUBJECTS if subject != "flows")
    ] == []
    assert [one.name for one in own if one.counts["functions"].missed or one.counts["routes"].missed] == []
    right, there, _ = share(own, "secrets")
    assert right >= 0.9 * there
    assert [judged for one in own for judged in one.callers if judged.verdict not in {"right", "asked"}] == []
    controls = [judged for one in own for judged in one.controls]
    found = verdicts(controls)
    assert [judged for judged in controls if judged.verdict == "false-proof"] == []
    assert found["right"] >= 0.98 * (len(controls) - found["asked"])


@pytest.mark.slow
def test_the_page_has_the_samples_as_they_are_read_now(own: Sequence[Compared]) -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert inserted(page, "own samples", tables(own)) == page, "run scripts/accuracy.py --write"


@pytest.mark.slow
def test_files_that_were_labelled_first_are_read_without_a_false_proof() -> None:
    files = list(measured(OWN_FRESH, labels(OWN_FRESH / "labels.yaml")))
    assert sorted(one.name for one in files) == sorted(one.name for one in labels(OWN_FRESH / "labels.yaml").values())
    right, there, said = share(files, "flows")
    assert right >= 0.9 * there
    assert right >= 0.99 * said
    judged = [one for file in files for one in (*file.callers, *file.controls)]
    assert [one for one in judged if one.verdict in {"wrong", "false-proof"}] == []
    page = PAGE.read_text(encoding="utf-8")
    assert inserted(page, "fresh own files", tables(files)) == page, "run scripts/accuracy.py --write"


@pytest.mark.slow
def test_nothing_that_is_denied_is_there(own: Sequence[Compared]) -> None:
    assert [flow for one in own for flow in one.counts["flows"].denied] == []


def test_reading_writes_no_file(tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text(TEMPLATE, encoding="utf-8")
    found_in(tmp_path / "t.yaml")
    assert [one.name for one in tmp_path.iterdir()] == ["t.yaml"]


@pytest.mark.slow
def test_the_page_has_what_becomes_of_threats_of_others() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert inserted(text, lists.PART, lists.page(), "scripts/lists.py") == text


def test_an_item_becomes_what_its_threats_come_to() -> None:
    """The best of these: the template's own findings first, what nothing in the library is about last."""
    system = "tests/samples/lists/weather/template.yaml"
    about = {"shown": ["over-privileged-role", "event-injection"], "asked": ["event-injection"], "nothing": []}
    items = {item: {"threats": threats} for item, threats in about.items()}
    found = {one.item: one.outcome for one in lists.became({"system": system, "items": items})}
    assert found == {"shown": "finding", "asked": "question", "nothing": "missed"}


def test_an_item_names_threats_of_the_library() -> None:
    named = {threat for one in lists.lists().values() for item in one["items"].values() for threat in item["threats"]}
    assert named <= library().threats.keys()
