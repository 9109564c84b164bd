"""Secrets in settings and documents beside a template: each file that holds one is named, and its value never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.beside.project import project
from threatmodel.command.main import main

HANDLER = {"app.py": "def handler(event, context):\n    return {'statusCode': 200}\n"}
TOKEN = "xoxb-" + "123456789012-" + "a1B2c3D4e5F6g7H8i9J0k1L2"
KEY = "wJalrXUtnFEMIK7MDENGbPxRfiCYzzzzzzKEYabc"
STEP = "on: push\njobs: {d: {steps: [{run: 'RUN'}]}}\n"
ALL = "{code: src}\n  - {repository: .}"


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("src/db.js", 'const user = "admin";\nconst options = { password: "C0rp' + '-123!" };\n', 2),
        ("src/admin.js", 'const adminSecret = "ea29cbdb-a562-442a' + '-8cc2-adbc6081d67c";\n', 1),
        ("src/keys.py", 'API_KEY: str = "k3Js9dQ0z' + 'Xw7PplM2v"\n', 1),
        ("src/.env", f"SLACK_BOT_TOKEN={TOKEN}\n", 1),
        ("src/.env.production", f"# production\nSLACK_BOT_TOKEN={TOKEN}\n", 2),
        ("src/config.json", f'{{"slack":\n  {{"token": "{TOKEN}"}}}}\n', 2),
        ("src/settings/app.toml", f'token = "{TOKEN}"\n', 1),
        ("README.md", f"# Bot\n\n    export SLACK_BOT_TOKEN={TOKEN}\n", 3),
        ("README.md", "curl -H 'Authorization: Basic dXNlcjpwYXNz' https://api.example.com\n", 1),
        ("README.md", "Bearer kjhgfdsaqwertyuiopzxcvbnm\n", 1),
        ("requirements.txt", "--extra-index-url https://user:pa55-W0rd@pip.example.com/simple\nrequests==2.32.3\n", 1),
        (".github/workflows/d.yml", STEP.replace("RUN", f"curl -H Authorization: Bearer {TOKEN} x"), 2),
        (".github/workflows/e.yml", STEP.replace("RUN", f"aws configure set aws_secret_access_key {KEY}"), 2),
    ],
)  # fmt: skip
def test_a_file_that_holds_a_secret_is_named(
    name: str, text: str, line: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = project(tmp_path, HANDLER, entry=ALL)
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    main(["check", "-v", model.name])
    out = "".join(capsys.readouterr())
    assert f"{name}:{line}:0: warning: visible-secret" in out
    secrets = (TOKEN, KEY, "pa55-W0rd", "dXNlcjpwYXNz", "C0rp-123", "8cc2", "k3Js9")
    assert not any(secret in out for secret in secrets)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("src/form.js", 'const form = { password: "password", passwordHint: "8Chars-min1", secretName: "db-1" };\n'),
        ("src/keys.py", 'def get(key="user#12345-abcdef-item9", next_token="a1b2c3d4e5f6a7b8c9d0"):\n    return key\n'),
        ("src/db.js", 'const options = { password: "<your-password1>", apiKey: `${process.env.API_KEY}` };\n'),
        ("tests/test_db.py", 'connect(password="C0rp-123!")\n'),
        ("src/.env.example", "SLACK_BOT_TOKEN=xoxb-your-token\n"),
        ("src/config.json", '{"token": "${SLACK_BOT_TOKEN}", "log": "info"}\n'),
        ("src/package-lock.json", f'{{"token": "{TOKEN}"}}\n'),
        ("README.md", "export SLACK_BOT_TOKEN=xoxb-...\n"),
        ("README.md", "Its secret is under **Basic Information**.\nUse Bearer authentication, or Basic/Digest.\n"),
        (".github/workflows/d.yml", STEP.replace("RUN", "curl -H Authorization: Bearer ${{ secrets.TOKEN }} x")),
    ],
)  # fmt: skip
def test_a_file_without_one_is_not(
    name: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = project(tmp_path, HANDLER, entry=ALL)
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    main(["check", "-v", model.name])
    assert "visible-secret" not in "".join(capsys.readouterr())


def test_data_is_part_of_what_the_entry_is_bound_to(tmp_path: Path) -> None:
    from threatmodel.beside.code.source import read_source
    from threatmodel.reading.files import Files

    project(tmp_path, {**HANDLER, ".env": "A=1\n"})
    before = read_source(tmp_path / "src", Files())
    (tmp_path / "src" / ".env").write_text(f"A={TOKEN}\n", encoding="utf-8")
    after = read_source(tmp_path / "src", Files())
    assert before.digest != after.digest
    assert dict(before.texts) == dict(after.texts)
