"""`tm.py ask --json`, `--csv` and `--answers`: questions for programs and spreadsheets, and answers from files."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.command.test_ask import ask

MODEL = """\
name: Shop
apis:
  slack-api: {kind: http}
functions:
  bot:
    triggers: [{slack: slash-command, path: /shop}]
    reads: [orders]
    runtime: python3.13
  two:
    triggers: [{http: GET /x}]
    reads: [orders]
    runtime: python3.13
stores:
  orders: {kind: dynamodb}
"""
AGENT = ("--by", "agent:reader")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / "threatmodel.yaml").write_text(MODEL, encoding="utf-8")
    (tmp_path / "app.py").write_text("def handler(event, context):\n    print(event)\n", encoding="utf-8")
    return tmp_path


def answers(folder: Path, text: str, *arguments: str, name: str = "answers.yaml") -> tuple[int, str, str]:
    """The exit code, what is printed, and the model that a file of answers leaves."""
    (folder / name).write_text(text, encoding="utf-8")
    found = ask(folder, "--answers", name, *arguments)
    return found.returncode, found.stdout + found.stderr, (folder / "threatmodel.yaml").read_text(encoding="utf-8")


def test_questions_as_json_have_what_each_decides_and_takes(shop: Path) -> None:
    found = json.loads(ask(shop, "--json").stdout)["questions"]
    first = next(one for one in found if one["id"] == "function.request-verification")
    assert first["up_to"] == "critical"
    assert "slack-request-forgery@bot" in first["decides"]
    answer = first["answers"][0]
    assert (answer["id"], answer["element"], answer["location"]) == (
        "bot.verifies_signature",
        "bot",
        "threatmodel.yaml:5",
    )
    assert answer["expected"] == "y, n"
    assert (shop / "threatmodel.yaml").read_text(encoding="utf-8") == MODEL


def test_every_question_as_json_takes_an_answer_under_its_id(shop: Path) -> None:
    found = json.loads(ask(shop, "--json").stdout)["questions"]
    given = {one["id"]: "n" for row in found for one in row["answers"] if one["expected"].startswith("y, n")}
    assert len(given) > 20
    code, printed, _ = answers(shop, json.dumps(given), name="answers.json")
    assert code == 0, printed
    assert all(f": {name}\n" in printed for name in given)


def test_questions_as_csv_come_back_filled_in(shop: Path) -> None:
    rows = list(csv.DictReader(ask(shop, "--csv").stdout.splitlines()))
    for row in rows:
        if row["id"] == "bot.verifies_signature":
            row |= {"answer": "n", "location": "app.py:1"}
    with (shop / "filled.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    result = ask(shop, "--answers", "filled.csv")
    assert result.returncode == 0, result.stderr
    text = (shop / "threatmodel.yaml").read_text(encoding="utf-8")
    assert "    verifies_signature: false  # Ana, 2026-11-27, app.py:1\n" in text
    assert len(text.splitlines()) == len(MODEL.splitlines()) + 1


def test_no_cell_is_a_formula(shop: Path) -> None:
    model = MODEL.replace("name: Shop", "name: '=1+1'").replace("orders", "x-orders")
    (shop / "threatmodel.yaml").write_text(model, encoding="utf-8")
    cells = [cell for row in csv.reader(ask(shop, "--csv").stdout.splitlines()) for cell in row]
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t"))] == []


@pytest.mark.parametrize("given", ['"*.logs_redacted": false', '{"*.logs_redacted": {"answer": "n"}}'])
def test_one_answer_for_every_element(shop: Path, given: str) -> None:
    code, printed, text = answers(shop, given)
    assert code == 0, printed
    assert text.count("logs_redacted: false  # Ana, 2026-11-27\n") == 2
    assert "threatmodel.yaml:9: bot.logs_redacted\nthreatmodel.yaml:14: two.logs_redacted\n" in printed


def test_one_answer_for_every_element_is_typed_too(shop: Path) -> None:
    result = ask(shop, "--set", "*.logs_redacted=y")
    assert result.returncode == 0, result.stderr
    assert (shop / "threatmodel.yaml").read_text(encoding="utf-8").count("logs_redacted: true") == 2


def test_values_are_written_as_they_are_typed(shop: Path) -> None:
    text = "orders.holds: []\nbot.timestamp_tolerance_seconds: null\nbot.timeout_seconds: 30\nbot.logs_redacted: yes\n"
    code, printed, model = answers(shop, text)
    assert code == 0, printed
    for line in ("holds: []", "timestamp_tolerance_seconds: null", "timeout_seconds: 30", "logs_redacted: true"):
        assert line in model


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[a]", "wrong-type: the file is a list; expected a mapping of questions to answers"),
        ("", "wrong-type: the file is empty"),
        ("bot.x: y", "no-question: 'bot.x' is not an open question"),
        ('"*.nonsense": y', "no-question: '*.nonsense' is not an open question"),
        ("bot.runtime: python3.12", "it is stated already; edit threatmodel.yaml:8:5"),
        ("bot.logs_redacted: {answr: y}", "unknown-key: 'bot.logs_redacted' has 'answr'"),
        ("bot.logs_redacted: {answer: y, by: me}", "unknown-key"),
        ("bot.logs_redacted:", "no-answer: the answer to 'bot.logs_redacted' has no value"),
        ("bot.logs_redacted: [[a]]", "no-answer"),
        ("bot.logs_redacted: perhaps", "no-answer: bot.logs_redacted: expected y or n"),
        ("bot.logs_redacted: {answer: y, location: here}", "'here' is no location; expected FILE:LINE"),
        ("bot.logs_redacted: {answer: y, location: 'app.py:3'}", "'app.py' has 2 lines, and the location names line 3"),
        ("bot.logs_redacted: {answer: y, location: 'app.py:0'}", "the location names line 0"),
        ("bot.logs_redacted: {answer: y, location: '../secret:1'}", "outside-project"),
        ("bot.logs_redacted: {answer: y, location: 'none.py:1'}", "none.py: missing-file"),
        ("bot.verifies_signature: y\nbot.logs_redacted: perhaps", "answers.yaml:2:1: no-answer"),
    ],
)
def test_what_is_no_answer_is_reported_and_nothing_is_written(shop: Path, text: str, message: str) -> None:
    code, printed, model = answers(shop, text)
    assert (code, model) == (2, MODEL)
    assert message in printed


def test_a_csv_file_without_its_columns_is_reported(shop: Path) -> None:
    code, printed, model = answers(shop, "name,value\nbot.logs_redacted,y\n", name="answers.csv")
    assert (code, model) == (2, MODEL)
    assert "answers.csv: missing-key: this CSV file has no column 'id'; keep the columns id, element" in printed


def test_a_program_answers_with_the_line_that_shows_it(shop: Path) -> None:
    code, printed, model = answers(shop, "bot.logs_redacted: {answer: n, location: 'app.py:2'}", *AGENT)
    assert code == 0, printed
    assert "    logs_redacted: false  # agent:reader, 2026-11-27, app.py:2\n" in model


def test_a_program_answers_nothing_without_a_line_and_attests_nothing(shop: Path) -> None:
    code, printed, model = answers(shop, "bot.logs_redacted: n", *AGENT)
    assert (code, model) == (2, MODEL)
    assert "the answer of a program needs the line that shows it" in printed
    typed = ask(shop, "--set", "bot.logs_redacted=n", *AGENT)
    assert typed.returncode == 2
    found = json.loads(ask(shop, "--json").stdout)["questions"]
    controls = [one["id"] for row in found for one in row["answers"] if "@" in one["id"]]
    for name in controls[:1]:
        code, printed, _ = answers(shop, json.dumps({name: {"answer": "y", "location": "app.py:1"}}), *AGENT)
        assert code == 2
        assert "a program cannot attest a control" in printed


@pytest.mark.parametrize("arguments", [("--json", "--set", "a=b"), ("--csv", "--answers", "x"), ("--json", "--csv")])
def test_printing_and_writing_exclude_each_other(shop: Path, arguments: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as raised:
        ask(shop, *arguments)
    assert raised.value.code == 2
