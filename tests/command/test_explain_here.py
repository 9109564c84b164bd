"""`tm.py explain threat@element`, `control@element`, and `check --with`: one model, one element, what if."""

from __future__ import annotations

from pathlib import Path

import pytest

from threatmodel.command.main import main

DAY = ["--today", "2026-12-01"]


def told(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert main([*arguments, *DAY]) == code
    captured = capsys.readouterr()
    return captured.out if code < 2 else captured.err


@pytest.mark.slow
def test_a_finding_says_why_it_applies_and_what_each_control_rests_on(capsys: pytest.CaptureFixture[str]) -> None:
    page = told(capsys, "explain", "slack-request-forgery@order-bot")
    assert "`slack-request-forgery@order-bot` · mitigated · critical before controls" in page
    assert "- `slack_facing: true`: stated in the model, models/slack-lambda.yaml:" in page
    assert "`slack-request-signing@order-bot` · **proven**" in page
    assert "examples/slack-app/order-bot.probe.json" in page
    assert "- `mutual_tls` is read from CloudFormation `" in page.replace("  - `mutual_tls`", "- `mutual_tls`")


@pytest.mark.slow
def test_what_does_not_apply_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    page = told(capsys, "explain", "slack-request-forgery@order-worker")
    assert "does not apply" in page
    assert "`slack_facing: false`" in page


@pytest.mark.slow
def test_a_control_on_an_element_says_what_would_prove_it(capsys: pytest.CaptureFixture[str]) -> None:
    page = told(capsys, "explain", "code-signing@order-bot")
    assert "`code-signing@order-bot` · missing" in page
    assert "examples/slack-app/template.yaml:" in page
    assert "CodeSigningConfig" in page
    assert "`unsigned-package-deployed@order-bot`" in page


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("slack-request-forger@order-bot", "did you mean 'slack-request-forgery'"),
        ("slack-request-forgery@order-bo", "did you mean 'order-bot'"),
        ("code-signing@replay-guard", "'code-signing' applies to a function, but 'replay-guard' is a store"),
    ],
)
def test_what_there_is_not_is_told(capsys: pytest.CaptureFixture[str], name: str, message: str) -> None:
    assert message in told(capsys, "explain", name, code=2)


def test_a_control_taken_to_be_in_place_closes_what_it_would_close(capsys: pytest.CaptureFixture[str]) -> None:
    said = told(capsys, "check", "--with", "code-signing@order-bot")
    assert said.startswith("assumed in place: code-signing@order-bot\n")
    assert "closes      1: unsigned-package-deployed@order-bot" in said


def test_a_control_taken_to_be_gone_fails_the_check(capsys: pytest.CaptureFixture[str]) -> None:
    said = told(capsys, "check", "--without", "slack-request-signing@order-bot", code=1)
    assert "raises " in said
    assert "slack-request-forgery@order-bot" in said


def test_every_name_that_there_is_not_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--with", "code-signin@order-bot", "--without", "code-signing@replay-guard", "--with", "code-signing"]
    said = told(capsys, "check", *given, code=2)
    assert "3 problems" in said


def test_a_look_is_no_gate(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["check", "--with", "code-signing@order-bot", "--format", "sarif", *DAY])
    assert "--with and --without show one model as text" in capsys.readouterr().err


def test_what_no_control_mends_fails_as_in_the_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Drift, and what evidence shows of a template, are no risk that a control closes: the look fails on them too."""
    template = "Resources:\n  Bot: {Type: 'AWS::Lambda::Function', Properties: {Timeout: 30}}\n"
    (tmp_path / "template.yaml").write_text(template, encoding="utf-8")
    model = "name: x\nevidence: [{template: template.yaml}]\nfunctions: {bot: {timeout_seconds: 3, triggers: []}}\n"
    (tmp_path / "model.yaml").write_text(model, encoding="utf-8")
    given = ["-m", str(tmp_path / "model.yaml"), "check", "--fail-on", "critical", "--allow-undetermined"]
    assert "timeout_seconds" in told(capsys, *given, "-v", code=1)
    assert "fails       1 now, then 1" in told(capsys, *given, "--with", "code-signing@bot", code=1)
