"""Code in the library compiles in its language."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import textwrap
import time
from typing import Any

import pytest
import urllib3
import yaml

from tests.library.how.snippets import CODE, command_problems

BASH, NODE = shutil.which("bash"), shutil.which("node")
PYTHON_LINE = re.compile(
    r"^\s*(import \w|from \S+ import |(async )?def |class |@\w|(if|elif|for|while|with|except)\b.*:|(try|else):"
    r"|(return|raise|assert)\b|[\w.\[\]\", :|]+ [+|]?= |[\w.]+\(.*)",
    re.MULTILINE,
)
JAVASCRIPT_LINE = re.compile(
    r"^\s*(const|let|var|export (default|const|function)|function|async function) |=> |;$|^\s*//", re.MULTILINE
)
YAML_LINE = re.compile(r"(?!(try|else|finally):$)(- .*|[\w.-]+:( .*)?)")
COMMAND = re.compile(r"[a-z][\w.-]*( [^=].*|\\)?")


def language(code: str) -> str:
    """The language of a snippet, by its looks."""
    lines = [line for line in code.splitlines() if line.strip() and not re.match(r"\s*(#|//)", line)]
    outer = [line for line in lines if not line[0].isspace()]
    if code.lstrip()[:1] in {"{", "["}:
        return "json"
    if all(YAML_LINE.fullmatch(re.sub(r"\s+#.*", "", line)) for line in outer):
        return "yaml"
    if JAVASCRIPT_LINE.search("\n".join(lines)):
        return "javascript"
    if COMMAND.fullmatch(outer[0]) and not PYTHON_LINE.match(outer[0]):
        return "shell"
    return "python" if PYTHON_LINE.search(code) else "?"


def code_problems(code: str) -> list[str]:
    """What is wrong with a snippet of code."""
    try:
        match language(code):
            case "json":
                json.loads(code)
            case "yaml":
                yaml.safe_load(code)
            case "python":
                ast.parse(code)
            case "shell":
                return [*checked(BASH, "-n", code=code), *command_problems(code)]
            case "javascript":
                return checked(NODE, "--input-type=module", "--check", "-", code=code)
            case _:
                return ["neither Python, JavaScript, JSON, YAML nor shell: nothing here can check it"]
    except (SyntaxError, ValueError, yaml.YAMLError) as error:
        return [str(error)]
    return []


def checked(program: str | None, *arguments: str, code: str) -> list[str]:
    """What a program says of code on its standard input; nothing where the program is missing."""
    if program is None:
        return []
    done = subprocess.run([program, *arguments], input=code, capture_output=True, text=True, check=False)
    return [done.stderr.strip()] if done.returncode else []


@pytest.mark.parametrize("name", CODE)
def test_code(name: str) -> None:
    assert code_problems(CODE[name]) == []


LANGUAGES = {
    "python": ["x = f(y)", "if not ok:\n    return 1", "with open(p) as f:\n    f.read()", "a.b(c, d=1)  # e"],
    "yaml": ["on: push\npermissions:\n  contents: read", "# note\n- name: a\n  run: b"],
    "json": ['{"a": [1, 2]}', "[1]"],
    "javascript": ["const a = require('b');", "app.use((a) => {\n  b(a)\n})", "// note\nlet a = 1"],
    "shell": ["npm ci --ignore-scripts", "# note\nopenssl dgst -sha256 a | base64", 'curl -d a="$B" \\\n  c'],
}


@pytest.mark.parametrize(("known", "code"), [(known, code) for known, codes in LANGUAGES.items() for code in codes])
def test_language_of_code(known: str, code: str) -> None:
    assert language(code) == known
    assert code_problems(code) == []


def ends_with(guard: str, **given: object) -> object:
    """What a guard at the start of a handler returns for some values; None where it lets them pass."""
    names: dict[str, Any] = {"re": re, "time": time, **given}
    exec(f"def guard():\n{textwrap.indent(CODE[guard], '    ')}", names)  # noqa: S102 - our own snippet
    return names["guard"]()


NOW = 1_800_000_000


@pytest.mark.parametrize(
    ("timestamp", "passes"),
    [
        (str(NOW), True),
        (str(NOW - 300), True),
        (str(NOW + 301), False),
        ("", False),
        ("1e9", False),
        ("\u0661" * 10, False),
        (str(NOW) + "\n", False),
        ("1" * 5_000, False),  # a number of more than 4,300 digits is an error in Python
    ],
)
def test_the_window_rejects_any_other_timestamp(monkeypatch: pytest.MonkeyPatch, timestamp: str, passes: bool) -> None:
    monkeypatch.setattr(time, "time", lambda: float(NOW))
    answer = ends_with("slack-timestamp-window", timestamp=timestamp)
    assert answer == (None if passes else {"statusCode": 401})


@pytest.mark.parametrize(
    "text",
    [
        r'{"response_url":"https:\/\/hooks.slack.com\/actions\/T1\/2\/abc"}',  # as Slack writes JSON
        r'{"message": "{\"response_url\":\"https:\\/\\/hooks.slack.com\\/actions\\/T1\\/2\\/abc\"}"}',  # in a JSON log
        "payload=%7B%22response_url%22%3A%22https%3A%5C%2F%5C%2Fhooks.slack.com%5C%2Factions%5C%2FT1%5C%2F2%5C%2Fabc%22",
        "response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1%2F2%2Fabc&trigger_id=1",
        "POST https://hooks.slack.com/services/T1/B2/abc failed",
        "xwfp-1-abc",
        "xoxe.xoxb-1-abc",
    ],
)
def test_a_redacted_log_has_no_address_or_token_in_any_form_that_slack_writes(text: str) -> None:
    names: dict[str, Any] = {"re": re}
    exec(CODE["log-redaction"].partition("class ")[0], names)  # noqa: S102 - our own snippet
    assert "abc" not in names["SECRET"].sub("", text)


def test_outbound_calls_leave_the_wait_to_the_queue_and_repeat_no_message(monkeypatch: pytest.MonkeyPatch) -> None:
    names: dict[str, Any] = {"urllib3": urllib3, "Any": Any, "Later": TimeoutError}
    exec(CODE["outbound-call-resilience"], names)  # noqa: S102 - our own snippet
    retries = names["retries"]
    assert not retries.is_retry("POST", 429, has_retry_after=True)
    busy = urllib3.HTTPResponse(status=429, headers={"Retry-After": "60"})
    monkeypatch.setattr(urllib3.PoolManager, "request", lambda *_, **__: busy)
    with pytest.raises(TimeoutError, match="60"):
        names["post"]("https://slack.com/api/chat.postMessage", {})
    sent = urllib3.exceptions.ReadTimeoutError(None, "/", "")  # type: ignore[arg-type]  # no pool is needed
    with pytest.raises(urllib3.exceptions.ReadTimeoutError):
        retries.increment("POST", "/", error=sent)


WRONG_CODE = {
    "python": "if a = 1:\n    return b(",
    "yaml": "a:\n  - b\n c: d",
    "json": "{'a': 1}",
    "javascript": "const = 1;",
    "shell": "cat file | | sort",
}


@pytest.mark.parametrize("known", WRONG_CODE)
def test_wrong_code_is_found(known: str) -> None:
    if (known, NODE) == ("javascript", None) or (known, BASH) == ("shell", None):
        pytest.skip("no program here reads it")
    assert language(WRONG_CODE[known]) == known
    assert code_problems(WRONG_CODE[known])
