"""`tm.py ask`: what is alike is asked once, one answer is about all of it, and what it prints can be pasted."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.command.test_ask import ask
from threatmodel.api import assess, load_library, load_model

MODEL = """\
name: Shop
apis:
  slack-api: {kind: http}
functions:
  bot:
    triggers: [{slack: slash-command, path: /shop}]
    reads: [orders]
    runtime: python3.13
  helper:
    triggers: [{slack: events, path: /events}]
    runtime: python3.13
  worker:
    triggers: [{schedule: rate(1 day)}]
    reads: [orders]
    runtime: python3.13
stores:
  orders: {kind: dynamodb}
  carts: {kind: dynamodb}
"""
ALONE = """\
name: Shop
apis:
  slack-api: {kind: http}
functions:
  bot:
    triggers: [{slack: slash-command, path: /shop}]
    reads: [orders]
    secrets: [token]
    runtime: python3.13
stores:
  orders: {kind: dynamodb}
secrets:
  token: {kept_in: secrets-manager}
"""
TODAY = datetime.date(2026, 11, 27)
CHECKS = "function.request-verification"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "threatmodel.yaml").write_text(MODEL, encoding="utf-8")
    return tmp_path


def model(folder: Path) -> dict[str, dict[str, dict[str, object]]]:
    """The model as it is on disk."""
    found: dict[str, dict[str, dict[str, object]]] = yaml.safe_load((folder / "threatmodel.yaml").read_text())
    return found


def facts(folder: Path, name: str) -> dict[str, object]:
    """What the model states of a fact, by function."""
    return {one: of[name] for one, of in model(folder)["functions"].items() if name in of}


def test_what_is_alike_is_asked_in_one_row(shop: Path) -> None:
    shown = ask(shop).stdout
    assert shown.count("verifies_signature: Does") == 1
    assert f"answer with tm.py ask --set '{CHECKS}=verifies_signature y, rest n'" in shown


def test_one_answer_is_about_all_rows(shop: Path) -> None:
    done = ask(shop, "--set", f"{CHECKS}=1 y, verification_fails_closed helper n, rest y, 3 300")
    assert done.returncode == 0, done.stderr
    assert facts(shop, "verifies_signature") == {"bot": True, "helper": True}
    assert facts(shop, "verification_fails_closed") == {"bot": True, "helper": False}
    assert facts(shop, "timestamp_tolerance_seconds") == {"bot": 300, "helper": 300}
    assert facts(shop, "rejects_replay") == {"bot": True, "helper": True}


def test_the_rest_is_what_no_other_part_names_wherever_it_stands(shop: Path) -> None:
    assert ask(shop, "--set", f"{CHECKS}=rest n, 1-2 y, 4 d").returncode == 0
    assert facts(shop, "verifies_signature") == {"bot": True, "helper": True}
    assert facts(shop, "rejects_replay") == {}
    assert f"# not known yet: {CHECKS} (Ana, 2026-11-27)" in (shop / "threatmodel.yaml").read_text()


def test_an_element_alone_is_about_what_holds_or_does_not(shop: Path) -> None:
    assert ask(shop, "--set", f"{CHECKS}=bot y, helper n").returncode == 0
    assert facts(shop, "verifies_signature") == {"bot": True, "helper": False}
    assert facts(shop, "timestamp_tolerance_seconds") == {}


def test_a_row_that_no_part_names_stays_open(shop: Path) -> None:
    assert ask(shop, "--set", f"{CHECKS}=1 bot y").returncode == 0
    assert facts(shop, "verifies_signature") == {"bot": True}
    assert facts(shop, "rejects_replay") == {}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("9 y", "'9' is no row and no element: expected a number from 1 to 4"),
        ("verifies_signatur y", "did you mean 'verifies_signature'"),
        ("1 y, 1 bot n", "bot.verifies_signature has two answers"),
        ("rest bot n", "'rest' is no row and no element"),
        ("1 perhaps", "bot.verifies_signature: expected y or n"),
        ("1 y, 3 y", "bot.timestamp_tolerance_seconds: expected a whole number"),
        (",", "expected by row, such as 1 y, rest n"),
    ],
)
def test_what_is_no_answer_is_reported_and_nothing_is_written(shop: Path, given: str, message: str) -> None:
    done = ask(shop, "--set", f"{CHECKS}={given}")
    assert done.returncode == 2
    assert message in done.stderr
    assert (shop / "threatmodel.yaml").read_text() == MODEL


def test_answers_of_several_lists_of_an_element_keep_each_other(shop: Path) -> None:
    answers = ("--set", "helper.reads=orders", "--set", "helper.writes=none", "--set", "helper.sends=none")
    assert ask(shop, *answers).returncode == 0
    helper = model(shop)["functions"]["helper"]
    assert (helper["reads"], helper["writes"], helper["sends"]) == (["orders"], [], [])
    assert helper["incomplete"] == ["secrets", "invokes"]


def test_one_answer_is_about_all_lists_of_all_functions(shop: Path) -> None:
    (shop / "threatmodel.yaml").write_text(MODEL.replace("    reads: [orders]\n", ""), encoding="utf-8")
    assert "1  bot: reads" in ask(shop).stdout
    assert ask(shop, "--set", "function.uses=1 orders; rest none").returncode == 0
    assert facts(shop, "reads") == {"bot": ["orders"], "helper": [], "worker": []}
    assert facts(shop, "secrets") == {"bot": [], "helper": [], "worker": []}


def test_planes_are_described_at_once_and_asked_about_then(shop: Path) -> None:
    done = ask(shop, "--set", "platform=y", "--set", "account.name=Production")
    assert "'account.name' is not an open question; it is stated already" not in done.stdout
    assert done.returncode == 2
    assert ask(shop, "--set", "account.name=Production", "--set", "platform=y").returncode == 0
    text = (shop / "threatmodel.yaml").read_text()
    assert re.search(r"^account:\n  name: Production  # Ana", text, re.MULTILINE)
    assert re.search(r"^workspace:\n  name: Workspace  # Ana", text, re.MULTILINE)
    ids = [one["id"] for one in json.loads(ask(shop, "--json").stdout)["questions"]]
    assert "platform" not in ids
    assert any(name.startswith("account.") for name in ids)


def scores(path: Path) -> dict[str, int]:
    """The score of every finding, as claimed."""
    found = assess(load_model(path), load_library(), today=TODAY)
    return {finding.id: finding.claimed.score for finding in found.findings}


def blocks(printed: str) -> Iterator[dict[str, dict[str, object]]]:
    """What is printed as YAML, question by question."""
    for question in printed.split("\n\n"):
        lines = [line[2:] for line in question.splitlines() if line.startswith("  ")]
        first = next((at for at, line in enumerate(lines) if re.fullmatch(r"[a-z]+:( {})?", line)), len(lines))
        found = yaml.safe_load("\n".join(lines[first:]))
        if isinstance(found, dict):
            yield found


def test_what_is_printed_can_be_pasted_and_reassures_nothing(shop: Path) -> None:
    file = shop / "threatmodel.yaml"
    file.write_text(ALONE, encoding="utf-8")
    before = scores(file)
    found = list(blocks(ask(shop).stdout))
    for sections in found:
        merged = yaml.safe_load(ALONE)
        for section, elements in sections.items():
            own = merged.setdefault(section, {})
            for name, stated in elements.items():
                own[name] = {**own.get(name, {}), **stated} if isinstance(stated, dict) else stated
        file.write_text(yaml.safe_dump(merged), encoding="utf-8")
        after = scores(file)
        assert {name: after.get(name, 0) for name in before if after.get(name, 0) < before[name]} == {}, sections
    assert len(found) >= 8
