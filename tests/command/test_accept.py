"""`tm accept`: a decision with an owner and a day, written at its place, and only one that counts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.refusals import refused, write
from threatmodel.command.main import main

Golden = Callable[[str, str], None]
TODAY = ("--today", "2026-11-30")
MODEL = """\
# the head stays
name: Shop
risk_tolerance: medium

functions:
  bot:   # the bot stays
    triggers: [{slack: slash-command, api: door}]
    verifies_signature: false

accepted_risks:   # decisions
  event-injection@bot: {risk: 25, reason: known, owner: Ops, expires: 2027-01-31}  # inside

apis: {door: {}}
"""
FINDING = "slack-request-forgery@bot"
BY = ("--owner", "Team: A", "--until", "2027-03-31", "--because", "only # internal")


@pytest.fixture(autouse=True)
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    write("threatmodel.yaml", MODEL)


def text() -> str:
    return Path("threatmodel.yaml").read_bytes().decode()


def verdict(finding: str, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert main(["--json", *TODAY]) == 0
    found = json.loads(capsys.readouterr().out)["findings"]
    return next((str(one["verdict"]) for one in found if one["id"] == finding), "")


def test_an_acceptance_is_written_at_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    assert verdict(FINDING, capsys) not in {"", "accepted"}
    assert main(["accept", FINDING, *BY, "--ticket", "SEC-1", *TODAY]) == 0
    added = (
        f"  {FINDING}:\n    risk: 20\n    reason: 'only # internal'\n    owner: 'Team: A'\n"
        "    expires: 2027-03-31\n    ticket: SEC-1\n"
    )
    inside = "expires: 2027-01-31}  # inside\n"
    assert text() == MODEL.replace(inside, inside + added)
    assert capsys.readouterr().out.splitlines()[0] == "wrote threatmodel.yaml, line 12"
    assert verdict(FINDING, capsys) == "accepted"


def test_line_ends_stay(capsys: pytest.CaptureFixture[str]) -> None:
    write("threatmodel.yaml", MODEL.replace("\n", "\r\n"))
    assert main(["accept", FINDING, *BY, *TODAY]) == 0
    assert "\n" not in text().replace("\r\n", "")
    assert "next" not in capsys.readouterr().err


def test_the_first_acceptance_begins_the_section() -> None:
    write(
        "threatmodel.yaml",
        "name: Shop\nfunctions:\n  bot: {verifies_signature: false, triggers: [{slack: events}]}\napis: {door: {}}\n",
    )
    assert main(["accept", FINDING, *BY, *TODAY]) == 0
    assert f"\n\naccepted_risks:\n  {FINDING}:\n" in text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((FINDING.replace("forgery", "forgry"), *BY), f"there is no finding '{FINDING.replace('forgery', 'forgry')}'"),
        ((FINDING.replace("forgery", "forgry"), *BY), f"did you mean '{FINDING}'?"),
        (("api-flood@bot", *BY), "because this threat does not apply to this element"),
        (("denial-of-wallet@bot", *BY), "'denial-of-wallet@bot' needs no acceptance: its claimed risk is within"),
        (
            ("event-injection@bot", *BY),
            "threatmodel.yaml:11:3: already-exists: 'event-injection@bot' is accepted already",
        ),
        (
            (FINDING, *BY[:3], "2028-03-31", *BY[4:]),
            "more than a year ahead, and does not count; let it end on 2027-12-01",
        ),
        ((FINDING, *BY[:3], "2026-11-29", *BY[4:]), "until 2026-11-29, which has passed"),
    ],
)
def test_what_does_not_count_is_not_written(
    arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said in refused(["accept", *arguments, *TODAY], capsys)
    assert text() == MODEL


def test_a_policy_says_who_may_accept(capsys: pytest.CaptureFixture[str], golden: Golden) -> None:
    write("policy.yaml", "acceptors: [ciso@example.com]\n")
    write(".threatmodel.toml", 'policy = "policy.yaml"\n')
    golden("bad-input/accept-refused.txt", refused(["accept", FINDING, *BY, *TODAY], capsys))
    assert main(["accept", FINDING, "--owner", "ciso@example.com", *BY[2:], *TODAY]) == 0
    capsys.readouterr()
    write("policy.yaml", "ignore_acceptances: true\n")
    write("threatmodel.yaml", MODEL)
    assert "the check ignores acceptances" in refused(["accept", FINDING, *BY, *TODAY], capsys)


def test_a_finding_that_needs_none(capsys: pytest.CaptureFixture[str], golden: Golden) -> None:
    golden("bad-input/accept-needless.txt", refused(["accept", "denial-of-wallet@bot", *BY, *TODAY], capsys))


def test_an_owner_an_end_and_a_reason_are_required(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["accept", FINDING])
    assert stopped.value.code == 2
    assert "the following arguments are required: --owner, --until, --because" in capsys.readouterr().err
