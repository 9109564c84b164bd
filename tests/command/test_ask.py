"""`tm.py ask`: a conversation on a terminal, and what it leaves in the model."""

from __future__ import annotations

import contextlib
import io
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from threatmodel.command.main import main

ROOT = Path(__file__).parents[2]
ASK = [sys.executable, str(ROOT / "tm.py"), "ask", "--by", "Ana", "--today", "2026-11-27"]
MODEL = """\
name: Shop
apis:
  slack-api: {kind: http}
functions:
  bot:
    triggers: [{slack: slash-command, path: /shop}]
    reads: [orders]
    runtime: python3.13
stores:
  orders: {kind: dynamodb}
"""

TEMPLATE = """\
Resources:
  Bot:
    Type: AWS::Lambda::Function
    Properties:
      Timeout: 30
"""
_PATIENCE = 120
"""Seconds in which a conversation says something."""
Golden = Callable[[str, str], None]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "threatmodel.yaml").write_text(MODEL, encoding="utf-8")
    return tmp_path


def ask(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What it says and does where nobody sits at a terminal."""
    out, err = io.BytesIO(), io.BytesIO()
    with (
        contextlib.chdir(folder),
        io.TextIOWrapper(out, encoding="utf-8", write_through=True) as written,
        io.TextIOWrapper(err, encoding="utf-8", write_through=True) as told,
        contextlib.redirect_stdout(written),
        contextlib.redirect_stderr(told),
    ):
        code = main([*ASK[2:], *arguments])
        return subprocess.CompletedProcess(ASK, code, out.getvalue().decode(), err.getvalue().decode())


def converse(folder: Path, answers: list[str], columns: int = 80) -> tuple[str, int]:
    """What a terminal showed while these were typed at each prompt, then Ctrl-C; and the exit code."""
    pty = pytest.importorskip("pty")
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(folder)
        os.environ["COLUMNS"] = str(columns)
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a suite in the background ignores it
        os.execv(sys.executable, ASK)  # noqa: S606 - the program that is tested, on a terminal of its own
    shown, left, waited = b"", list(answers), 0
    while waited < _PATIENCE:
        if not select.select([terminal], [], [], 1)[0]:
            waited += 1
            if not left and shown.endswith(b"> "):
                os.kill(child, signal.SIGINT)  # again: one that comes just before Python waits does not wake it
            continue
        try:
            read = os.read(terminal, 4096)
        except OSError:  # its end was closed
            break
        shown, waited = shown + read, 0
        if shown.endswith(b"> "):
            if left:
                os.write(terminal, left.pop(0).encode() + b"\n")
            else:
                os.kill(child, signal.SIGINT)
    else:
        os.kill(child, signal.SIGKILL)
    return shown.decode().replace("\r\n", "\n"), os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_without_a_terminal_it_prints_what_it_would_ask(shop: Path) -> None:
    result = ask(shop)
    assert result.returncode == 0
    assert "  functions:\n    bot:\n" in result.stdout
    assert "verifies_signature: false   # or true; " in result.stdout
    assert "open questions; run tm.py ask in a terminal to answer them\n" in result.stdout
    assert (shop / "threatmodel.yaml").read_text() == MODEL


@pytest.mark.slow
def test_answers_on_the_command_line(shop: Path) -> None:
    result = ask(shop, "--set", "bot.verifies_signature=y", "--set", "orders.holds=none")
    assert result.returncode == 0, result.stderr
    text = (shop / "threatmodel.yaml").read_text()
    assert "    runtime: python3.13\n    verifies_signature: true  # Ana, 2026-11-27\n" in text
    assert "orders: {kind: dynamodb, holds: []}  # holds: Ana, 2026-11-27\n" in text


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("bot.verifies_signature=perhaps", "expected y or n"),
        ("bot.verifies_signature", "has no answer"),
        ("bot.verifies_signatur=y", "did you mean 'bot.verifies_signature'"),
        ("bot.runtime=python3.12", "it is stated already; edit threatmodel.yaml:8"),
        ("orders.holds=[no-such-data]", "no-such-data"),
    ],
)
def test_what_is_no_answer_is_told_and_writes_nothing(shop: Path, given: str, message: str) -> None:
    result = ask(shop, "--set", given)
    assert result.returncode == 2
    assert message in result.stderr
    assert (shop / "threatmodel.yaml").read_text() == MODEL


@pytest.mark.slow
def test_messages(shop: Path, golden: Golden) -> None:
    golden("bad-input/no-answer.txt", ask(shop, "--set", "bot.verifies_signature=perhaps").stderr)
    golden("bad-input/no-question.txt", ask(shop, "--set", "bot.runtime=python3.12").stderr)


def test_what_evidence_says_is_not_asked_and_not_answered(shop: Path) -> None:
    (shop / "template.yaml").write_text(TEMPLATE, encoding="utf-8")
    (shop / "threatmodel.yaml").write_text(f"{MODEL}evidence:\n  - {{template: template.yaml}}\n", encoding="utf-8")
    result = ask(shop, "--set", "bot.timeout_seconds=3")
    assert result.returncode == 2
    assert "it is stated already; edit template.yaml:5:16 to change it" in result.stderr


@pytest.mark.slow
def test_a_list_that_is_stated_says_nothing_of_others(shop: Path) -> None:
    (shop / "threatmodel.yaml").write_text(MODEL.replace("    reads: [orders]\n", ""), encoding="utf-8")
    result = ask(shop, "--set", "bot.reads=orders")
    assert result.returncode == 0, result.stderr
    text = (shop / "threatmodel.yaml").read_text()
    assert "    reads: [orders]  # Ana, 2026-11-27\n    incomplete: [writes, sends, secrets, invokes]" in text
    result = ask(
        shop,
        "--set",
        "bot.writes=none",
        "--set",
        "bot.sends=none",
        "--set",
        "bot.secrets=none",
        "--set",
        "bot.invokes=none",
    )
    assert result.returncode == 0, result.stderr
    assert "incomplete" not in (shop / "threatmodel.yaml").read_text()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
def test_a_conversation(shop: Path) -> None:
    shown, code = converse(shop, ["y", "perhaps", "s", "?", "d", "q"])
    assert "s: skip, d: you do not know, ?: details, u: undo the last answer, q: quit" in shown
    assert code == 0
    assert shown.rstrip().splitlines()[-1].startswith("1 answer, written to threatmodel.yaml; ")
    assert "settles" in shown or "still wait" in shown
    text = (shop / "threatmodel.yaml").read_text()
    assert text.count("Ana, 2026-11-27") == 4
    assert "# not known yet: function.role (Ana, 2026-11-27)" in text


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
def test_a_break_loses_nothing(shop: Path) -> None:
    shown, code = converse(shop, ["y"])
    assert code == 130
    assert "1 answer, written to threatmodel.yaml" in shown
    assert "Ana, 2026-11-27" in (shop / "threatmodel.yaml").read_text()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
def test_a_narrow_terminal(shop: Path) -> None:
    shown, _ = converse(shop, ["q"], columns=40)
    prompts = [line for line in shown.splitlines() if not line.startswith("  ") or "> " not in line]
    assert all(len(line) <= 40 for line in prompts if "> " not in line)


ROUTES = """\
    triggers:
      - {http: POST, api: slack-api, path: /slack/shop, caller: unknown}
      - {http: POST, api: slack-api, path: /slack/actions, caller: unknown}
      - {http: POST, api: slack-api, path: /hooks/github, caller: unknown}
    # by its path Slack's: {slack: slash-command, path: /slack/shop, api: ...}
"""


@pytest.fixture
def routes(shop: Path) -> Path:
    text = MODEL.replace("    triggers: [{slack: slash-command, path: /shop}]\n", ROUTES)
    (shop / "threatmodel.yaml").write_text(text, encoding="utf-8")
    return shop


def test_who_calls_the_routes_is_asked_first_and_once(routes: Path, golden: Golden) -> None:
    golden("cli/ask-routes.txt", "".join(ask(routes).stdout.splitlines(keepends=True)[:10]))


@pytest.mark.slow
@pytest.mark.parametrize(
    "answer",
    [
        "1 slash-command, 2 interactivity, others",
        "2=interactivity; 1=slash; rest n",
        "/slack/shop slash-command, /slack/actions interactivity, 3 others",
    ],
)
def test_one_answer_says_who_calls_every_route(routes: Path, answer: str) -> None:
    result = ask(routes, "--set", f"callers={answer}")
    assert result.returncode == 0, result.stderr
    text = (routes / "threatmodel.yaml").read_text()
    word = "# who calls: Ana, 2026-11-27"
    assert (
        "    triggers:\n"
        f"      - {{slack: slash-command, api: slack-api, path: /slack/shop}}  {word}\n"
        f"      - {{slack: interactivity, api: slack-api, path: /slack/actions}}  {word}\n"
        f"      - {{http: POST, api: slack-api, path: /hooks/github, caller: others}}  {word}\n"
        "    reads: [orders]\n"
    ) in text
    assert "Which of these routes" not in ask(routes).stdout


@pytest.mark.slow
def test_routes_that_an_answer_leaves_out_stay_open(routes: Path) -> None:
    assert ask(routes, "--set", "callers=1 slash-command").returncode == 0
    said = ask(routes).stdout
    assert "/slack/shop" not in said
    assert "1  POST /slack/actions" in said
    assert "# by its path Slack's" in (routes / "threatmodel.yaml").read_text()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("4 events", "'4' names no route: expected a number from 1 to 3, a path or a function"),
        ("2-1 events", "'2-1' names no route"),
        ("1 evens", "did you mean 'events'"),
        ("1 events, 1 others", "route 1 has two answers"),
        ("1 evens, 9 events", "'9' names no route"),
        ("", "expected numbers and who calls them"),
    ],
)
def test_an_answer_about_routes_that_is_none(routes: Path, answer: str, message: str) -> None:
    before = (routes / "threatmodel.yaml").read_text()
    result = ask(routes, "--set", "bot.verifies_signature=y", "--set", f"callers={answer}")
    assert result.returncode == 2
    assert message in result.stderr
    assert (routes / "threatmodel.yaml").read_text() == before


API = """\
Resources:
  ShopApi:
    Type: AWS::Serverless::HttpApi
  Bot:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.handler
      Runtime: python3.13
      CodeUri: src
      Events:
        Shop: {Type: HttpApi, Properties: {ApiId: !Ref ShopApi, Method: POST, Path: /slack/shop}}
        Hook: {Type: HttpApi, Properties: {ApiId: !Ref ShopApi, Method: POST, Path: /hooks}}
"""


@pytest.mark.slow
def test_a_route_that_only_evidence_has_gets_an_entry(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(API, encoding="utf-8")
    model = tmp_path / "threatmodel.yaml"
    model.write_text("name: Shop\nevidence:\n  - {template: template.yaml, functions: all}\n", encoding="utf-8")
    result = ask(tmp_path, "--set", "callers=/slack/shop slash-command")
    assert result.returncode == 0, result.stderr
    assert "1  POST /hooks" in ask(tmp_path).stdout
    assert ask(tmp_path, "--set", "callers=others").returncode == 0
    text = model.read_text()
    assert "{slack: slash-command, api: shop-api, path: /slack/shop}" in text
    assert "{http: POST, api: shop-api, path: /hooks, caller: others}" in text
    assert "Which of these routes" not in ask(tmp_path).stdout
    check = subprocess.run([*ASK[:2], "check"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "drift" not in check.stdout


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
def test_the_last_answer_is_taken_back(routes: Path) -> None:
    before = (routes / "threatmodel.yaml").read_text()
    shown, code = converse(routes, ["1 slash-command", "u", "u", "q"])
    assert code == 0
    assert "undone: threatmodel.yaml:7" in shown
    assert "there is no answer to undo" in shown
    assert shown.rstrip().splitlines()[-1].startswith("0 answers; ")
    assert (routes / "threatmodel.yaml").read_text() == before


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answer", "written"),
    [
        ("n", "    public: unintended  # Ana, 2026-11-27\n"),
        (
            "people install it: in a browser",
            """    public: intended  # Ana, 2026-11-27
    public_reason: 'people install it: in a browser'  # Ana, 2026-11-27
""",
        ),
    ],
)
def test_what_everybody_is_meant_to_reach(shop: Path, answer: str, written: str) -> None:
    open_door = "apis:\n  slack-api:\n    kind: http\n    caller_authentication: none\n"
    text = MODEL.replace("apis:\n  slack-api: {kind: http}\n", open_door)
    text = text.replace("slack: slash-command", "http: GET")
    (shop / "threatmodel.yaml").write_text(text, encoding="utf-8")
    assert "Is public access to the API intended?" in ask(shop, "--all").stdout
    result = ask(shop, "--set", f"slack-api.public={answer}")
    assert result.returncode == 0, result.stderr
    assert (open_door + written) in (shop / "threatmodel.yaml").read_text()
    assert "Is public access to the API intended" not in ask(shop).stdout


@pytest.mark.parametrize("answer", ["y", ""])
def test_an_intention_without_its_reason_is_no_answer(shop: Path, answer: str) -> None:
    result = ask(shop, "--set", f"slack-api.public={answer}")
    assert result.returncode == 2
    assert "expected the reason why public access is intended" in result.stderr
