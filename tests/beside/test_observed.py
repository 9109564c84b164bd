"""What the source of a handler shows besides the verification: each fact both ways, in Python and in JavaScript."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.beside.project import assessed, open_of, project, read_of, said_of
from tests.support import HOME
from threatmodel.command.main import main
from threatmodel.model.facts import Fact, Statement, weigh

Printed = pytest.CaptureFixture[str]
IMPORTS = "import json, logging, os, subprocess, boto3, requests\nfrom urllib.parse import parse_qs\n"
START = IMPORTS + "def handler(event, context):\n    form = parse_qs(event['body'])\n    text = form['text'][0]\n"

CASES = yaml.safe_load((HOME / "tests" / "beside" / "observed.yaml").read_text(encoding="utf-8"))
"""Handlers that show a fact at the level of evidence, and handlers that only look like it."""


def of(text: str) -> tuple[dict[str, str], str]:
    if text.startswith(("exports", "const", "let")):
        return {"app.js": text}, "nodejs22.x"
    if text.startswith("export "):
        return {"app.ts": text}, "nodejs22.x"
    return {"app.py": text}, "python3.13"


@pytest.mark.parametrize(("fact", "value", "text"), [tuple(one.values()) for one in CASES["shown"]])
def test_what_the_code_shows(
    fact: str, value: object, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    files, runtime = of(text)
    found = said_of(assessed(project(tmp_path, files, runtime=runtime), monkeypatch, capsys))
    assert found[fact][:2] == (value, "evidence"), found


@pytest.mark.parametrize(("fact", "text"), [tuple(one.values()) for one in CASES["not_shown"]])
def test_what_only_looks_like_it_is_not_shown(
    fact: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    files, runtime = of(text)
    found = said_of(assessed(project(tmp_path, files, runtime=runtime), monkeypatch, capsys))
    assert found.get(fact, (None, ""))[1] != "evidence", found[fact]


def test_a_decorator_of_powertools_states_that_the_handler_is_idempotent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    text = (
        "from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, idempotent\n"
        "LAYER = DynamoDBPersistenceLayer(table_name='seen')\n"
        "@idempotent(persistence_store=LAYER)\ndef handler(event, context):\n    return 1\n"
    )
    found = said_of(assessed(project(tmp_path, {"app.py": text}), monkeypatch, capsys))
    assert found["idempotent"][:2] == (True, "statement")


def test_what_is_nowhere_is_stated_where_all_code_is_at_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    found = said_of(
        assessed(project(tmp_path, {"app.py": "def handler(event, context):\n    return 1\n"}), monkeypatch, capsys)
    )
    nowhere = {
        *(
            "input_reaches_interpreter",
            "fetches_given_urls",
            "handles_approvals",
            "takes_tokens",
            "serves_several_tenants",
        ),
        *("checks_before_writing", "writes_given_fields", "calls_language_model"),
        *("model_uses_tools", "uses_outside_tools", "model_reads_memory", "runs_generated_code", "talks_to_agents"),
    }
    assert {fact for fact, said in found.items() if said[:2] == (False, "statement")} == nowhere


def test_what_is_nowhere_is_unknown_where_code_may_be_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    files = {
        "app.py": "import importlib\ndef handler(event, context):\n    importlib.import_module(event['x']).run()\n"
    }
    assert said_of(assessed(project(tmp_path, files), monkeypatch, capsys)) == {}


@pytest.mark.parametrize(
    ("text", "fact", "why", "line"),
    [
        (START + "    return form['user_id']\n", "authorizes_caller", "reads who calls", "src/app.py:6"),
        (
            START + "    return [{'type': 'button', 'value': 'approve'}]\n",
            "handles_approvals",
            "speaks of an approval",
            "src/app.py:6",
        ),
        (
            "import sqlite3\nc = sqlite3.connect('x').cursor()\ndef handler(event, context):\n    c.execute('a' + X)\n",
            *("input_reaches_interpreter", "calls execute()", "src/app.py:4"),
        ),
    ],
)
def test_a_sign_decides_nothing_and_the_question_shows_its_line(
    text: str, fact: str, why: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    whole = assessed(project(tmp_path, {"app.py": text}), monkeypatch, capsys)
    assert fact not in said_of(whole)
    assert open_of(whole)[fact] == (why, line)


def test_a_secret_in_the_code_is_named_and_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    token = "xoxb-" + "123456789012" + "-" + "abcdEFGH" * 3
    model = project(tmp_path, {"app.py": f"TOKEN = '{token}'\ndef handler(event, context):\n    return TOKEN\n"})
    whole = assessed(model, monkeypatch, capsys)
    (note,) = read_of(whole)["notes"]
    assert (note["message"], note["location"]["line"]) == ("a token of Slack is written in the code", 1)
    assert main(["check", "--format", "json", model.name]) == 1
    assert main(["--report", "full", "-m", model.name]) == 0
    printed = capsys.readouterr().out
    assert "a token of Slack is written in the code" in printed
    assert token not in printed
    assert token not in json.dumps(whole)
    assert "abcdEFGH" not in printed


def test_the_model_loses_to_what_the_code_shows_and_both_are_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    model = project(
        tmp_path, {"app.py": "def handler(event, context):\n    print(event)\n"}, stated="logs_redacted: true\n"
    )
    monkeypatch.chdir(tmp_path)
    assert main(["check", "--format", "json", model.name]) == 1
    printed = capsys.readouterr().out
    assert "true here, but false by src/app.py:2" in printed


def test_a_probe_counts_before_the_code_and_the_difference_is_kept() -> None:
    code = Statement(value=False, source="code", place=None)
    probe = Statement(value=True, source="probe", place=None)
    assert weigh([code, probe]) == Fact(True, 2, probe, (code,))
    assert weigh([code, probe._replace(stale=True)]).said is code
    assert weigh([code, Statement(value=True, source="model", place=None)]).said is code
    assert weigh([code, Statement(value=True, source="template", place=None)]).value is True


def test_a_module_that_is_a_function_is_read_where_it_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    files = {
        "app.js": "const save = require('./save.js');\nexports.handler = (event, _, done) => save(event, done);\n",
        "save.js": (
            "const AWS = require('aws-sdk');\nconst table = new AWS.DynamoDB.DocumentClient();\n"
            "module.exports = (event, done) => {\n  const params = { TableName: 't', Item: JSON.parse(event.body) };\n"
            "  return table.put(params, done);\n};\n"
        ),
    }
    found = said_of(assessed(project(tmp_path, files, runtime="nodejs22.x"), monkeypatch, capsys))
    assert found["writes_given_fields"][:2] == (True, "evidence")
    assert "checks_before_writing" not in found


SIGNED = """\
const crypto = require('crypto');
const sign = (body) => `sha256=${crypto.createHmac('sha256', process.env.KEY).update(body).digest('hex')}`;
exports.handler = async (event) => {
  const sig = event.headers['X-Hub-Signature-256'];
  %s
  return { statusCode: 200 };
};
"""


@pytest.mark.parametrize(
    ("check", "decides"),
    [
        ("if (sig !== sign(event.body)) return { statusCode: 401 };", True),
        ("const a = Buffer.from(sign(event.body));\n  if (!crypto.timingSafeEqual(a, sig)) throw Error();", True),
        ("console.log(sign(event.body), sig);", False),
        ("if (!sig) return { statusCode: 401 };\n  sign(event.body);", False),
        ("const a = Buffer.from(sign(event.body));\n  crypto.timingSafeEqual(a, sig);", False),
        ("sig === sign(event.body);", False),
    ],
)
def test_a_webhook_s_signature_that_the_code_compares_decides_who_calls(
    check: str, decides: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    model = project(tmp_path, {"app.js": SIGNED % check}, runtime="nodejs22.x")
    found = said_of(assessed(model, monkeypatch, capsys))
    assert ("code_decides_callers" in found) is decides


@pytest.mark.parametrize(
    ("taken", "passed_on"),
    [
        ("const pages = require('./pages');", "module.exports = new Pages();"),
        ("import pages from './pages';", "const pages = new Pages();\nexport default pages;"),
        ("import { pages } from './pages';", "export const pages = new Pages();"),
    ],
)
def test_methods_of_an_instance_that_another_module_exports_are_followed(
    taken: str, passed_on: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    service = "const axios = require('axios');\nclass Pages { async fetch(url) { return axios.get(url); } }\n"
    handler = f"{taken}\nexports.handler = async (event) => pages.fetch(JSON.parse(event.body).url);\n"
    files = {"app.js": handler, "pages.js": f"{service}{passed_on}\n"}
    found = said_of(assessed(project(tmp_path, files, runtime="nodejs22.x"), monkeypatch, capsys))
    assert found["fetches_given_urls"][:2] == (True, "evidence")


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("PASSWORD = 'Corp123!'", True),
        ("app.secret_key = 'ThisIsTheLongPhraseOfTheShop'", True),
        ("SECRET_NAME = 'prod-1234-db'", False),
        ("password = 'your-password-1'", False),
        ("api_key = 'x-api-key'", False),
        ("api_key = 'OPENAI_API_KEY_2'", False),
        ("secret = '/prod/db/1'", False),
        ("secret_key = 'secretAccessKeyOfTheAccount'", False),
    ],
)
def test_a_secret_is_known_by_its_name_and_form(
    line: str, shown: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    text = f"import types\napp = types.SimpleNamespace()\n{line}\ndef handler(event, context):\n    return 1\n"
    found = assessed(project(tmp_path, {"app.py": text}), monkeypatch, capsys)
    assert ("a secret is written in the code" in json.dumps(found)) is shown
