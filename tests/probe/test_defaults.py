"""What may stand in a secret's place is found in a source, and made-up values do not hide which variable is used."""

from __future__ import annotations

import pytest

from threatmodel.beside.code.syntax import walk
from threatmodel.probe.defaults import defaults_in
from threatmodel.probe.made_up import environment_file
from threatmodel.probe.source_files import block_of


def defaults(text: str, suffix: str) -> list[str]:
    return list(defaults_in(walk(block_of(text, suffix))))


@pytest.mark.parametrize(
    "line",
    [
        "secret = os.environ.get('S', 'spare')",
        "secret = os.getenv('S', 'spare')",
        "secret = os.environ.get('S') or 'spare'",
        "secret = 'spare' if local else os.environ['S']",
        "SIGNING_KEY = 'spare'",
        "SIGNING_KEY: str = 'spare'",
        "def verify(body, key='spare'): pass",
        "mac = hmac.new(b'spare', body, 'sha256')",
        "mac = hmac.new('spare'.encode(), body, 'sha256')",
        "keys = (os.environ['S'], 'spare')",
        "verifier = SignatureVerifier(signing_secret='spare')",
        "def secret():\n    return 'spare'",
    ],
)
def test_python(line: str) -> None:
    assert "spare" in defaults(line, ".py")


@pytest.mark.parametrize(
    "line",
    [
        "const s = process.env.S || 'spare';",
        'const s = process.env.S ?? "spare";',
        "const signingSecret = `spare`;",
        "new App({ signingSecret: 'spare' });",
        "crypto.createHmac('sha256', 'spare')",
        "const s = local ? process.env.S : 'spare';",
        "let s = process.env.S; s ||= 'spare';",
        "const verify = (body, key = 'spare') => body;",
    ],
)
def test_javascript(line: str) -> None:
    assert "spare" in defaults(line, ".mjs")


def test_what_no_secret_could_be_is_left_out() -> None:
    assert defaults("secret = ''\nkey = 'two words'\nsigning = 5\nname = 'not asked for'", ".py") == []


def test_two_variables_of_one_kind_get_values_of_their_own() -> None:
    text = environment_file(["STATE_TABLE", "TOKEN_TABLE", "ONE", "TWO", "ADMIN_USER", "OTHER_USER"], "app.py", {})
    values = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    assert len({values[name] for name in ("STATE_TABLE", "TOKEN_TABLE", "ONE", "TWO")}) == 4
    assert values["ADMIN_USER"] == values["OTHER_USER"]  # the genuine request comes from one
