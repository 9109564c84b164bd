"""Comparisons are found in source as it is written; what cannot be read decides nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import HOME
from threatmodel.beside.code.digests import names_signature
from threatmodel.evidence.probe_files import COMPARES
from threatmodel.model.vocabulary import FACTS
from threatmodel.probe.source_check import check_handler, check_sources
from threatmodel.probe.source_files import source_files

PYTHON_EQUAL = [
    'import hmac\nif hmac.new(k, m, "sha256").hexdigest() == given: pass',
    'expected = "v0=" + hmac.new(k, m, s).hexdigest()\nok = expected == given',
    'expected = f"v0={hmac.new(k, m, s).hexdigest()}"\nif given != expected: raise X',
    'mine = hmac.new(k, m, s).hexdigest()\nalso = "v0=" + mine\nreturned = also in (given,)',
    "def sign(b):\n    return 'v0=' + hmac.new(k, b, s).hexdigest()\nok = sign(body) == given",
    "class A:\n    def f(self):\n        self.e = hmac.digest(k, m, 'sha256')\n    def g(self, x): return self.e == x",
    "if slack_signature == computed: pass",
    "if headers['X-Slack-Signature'] != computed: pass",
    "if headers.get('x-slack-signature') == computed: pass",
    "import operator\noperator.eq(signature, computed)",
    "signature.__eq__(computed)",
    "ok = (mine := hmac.new(k, m, s).digest()) == given",
    "a, b = hmac.new(k, m, s).hexdigest(), 1\nok = a == given",
    "def f(): return hmac.new(k).hexdigest()\nasync def g():\n    return f().encode() == given",
    "each = [hmac.new(k, m, s).hexdigest() for k in keys]\nok = any(one == given for one in each)",
    "part = lambda x: x[:8]\nok = part(hmac.new(k, m, s).hexdigest()) == part(given)",
    "match given:\n    case own.signature: pass",
    "for one in (hmac.new(k, m, s).hexdigest(), hmac.new(l, m, s).hexdigest()):\n    if one == given: pass",
]
PYTHON_CONSTANT = [
    "hmac.compare_digest(expected_signature, given)",
    "from hmac import compare_digest\nmine = hmac.new(k, m, s).hexdigest()\ncompare_digest(mine, given)",
    "from secrets import compare_digest as same\nsame(signature, given)",
    "if signature == '': raise X\nhmac.compare_digest(signature, mine)",
    "if signature is None or signature in ('', None): raise X\nhmac.compare_digest(signature, mine)",
    "SIGNATURE_HEADER = 'x-slack-signature'\nok = name == SIGNATURE_HEADER\nhmac.compare_digest(signature, mine)",
    "if hashlib.sha256(page).hexdigest() == etag: pass\nhmac.compare_digest(signature, mine)",
    "if len(signature) != 64: raise X\nhmac.compare_digest(signature, mine)",
    "each = [hmac.new(k, m, s).hexdigest() for k in keys]\nok = any([hmac.compare_digest(one, given) for one in each])",
]
PYTHON_OPEN = [
    "",
    "print('signature == expected')",
    "# signature == expected\n'''hmac.compare_digest(signature, x)'''",
    "verifier.is_valid(body, timestamp, signature)",
    "hmac.compare_digest(api_token, given)",
    "if signature_version == 2: pass",
]
JAVASCRIPT_EQUAL = [
    "if (given !== `v0=${hmac.digest('hex')}`) throw new Error();",
    "const mine = 'v0=' + createHmac('sha256', k).update(m).digest('hex')\nif (mine === given) go()",
    "let a = createHmac('sha256', k).update(m).digest('hex'); const b = `v0=${a}`; return b == given;",
    "function sign(b) { const x = createHmac('sha256', k); return x.digest('hex') }\nif (sign(body) != given) no()",
    "const sign = (b) => { return createHmac('sha256', k).update(b).digest('hex') };\nif (given === sign(body)) go()",
    "const ok = event.headers['x-slack-signature'] === computed",
    "const ok = slackSignature == computed // not in constant time",
    "if (Buffer.from(expected_signature).equals(Buffer.from(given))) go()",
    "if (Buffer.compare(signature, mine) === 0) go()",
    "const ok = event.headers['x-slack\\u002dsignature'] === computed",
    "const short = (x) => x.slice(0, 8); if (short(createHmac('sha256', k).digest('hex')) === short(given)) go()",
    "const re = /[\"'`/]+/g; if (signature === computed) go()",
    "const n = total / 2 / count; if (signature === computed) go()",
    'if (x) /a"b/.test(y); if (signature === computed) go()',
    "const t = `a ${b ? `c ${d}` : '}'} e`; if (signature === computed) go()",
]
JAVASCRIPT_CONSTANT = [
    "timingSafeEqual(Buffer.from(signature), mine)",
    "const mine = createHmac('sha256', k).update(m).digest()\ncrypto.timingSafeEqual(mine, given)",
    "if (signature.length !== 67) no(); timingSafeEqual(Buffer.from(signature), mine)",
    "if (typeof signature !== 'string') no(); timingSafeEqual(Buffer.from(signature), mine)",
    "if (signature === undefined || signature == null) no(); timingSafeEqual(signature, mine)",
    "if (createHash('sha256').update(x).digest('hex') === etag) hit(); timingSafeEqual(signature, mine)",
    "if (form.get('team_id') !== process.env.TEAM) no(); timingSafeEqual(signature, mine)",
    "import { timingSafeEqual as same } from 'node:crypto'; same(signature, mine)",
    "const s = 'signature === computed'; /* signature === computed */ timingSafeEqual(signature, mine)",
    "const s = /signature === computed/; timingSafeEqual(signature, mine)",
]
JAVASCRIPT_OPEN = [
    "",
    "// timingSafeEqual(signature, mine)",
    "const s = `timingSafeEqual(signature, mine)`",
    "timingSafeEqual(apiToken, given)",
    "verifier.isValid(body, signature)",
    "import { timingSafeEqual } from 'node:crypto'",
]
BROKEN = [
    ("a.py", "def f(:"),
    ("a.py", "x = '\0'"),
    ("a.py", "(" * 500),
    ("a.js", "const s = `never closed"),
    ("a.js", "const s = 'never\nclosed'"),
    ("a.js", "f((1)"),
    ("a.js", "f(1))"),
    ("a.js", "/* never closed"),
    ("a.js", "x = \\"),
    ("a.js", "[" * 5000),
]


def value_of(name: str, text: str) -> bool | None:
    return check_sources({name: text}).value


@pytest.mark.parametrize("text", PYTHON_EQUAL)
def test_python_that_compares_by_equality(text: str) -> None:
    assert value_of("a.py", text) is False


@pytest.mark.parametrize("text", PYTHON_CONSTANT)
def test_python_that_compares_in_constant_time(text: str) -> None:
    assert value_of("a.py", text) is True


@pytest.mark.parametrize("text", PYTHON_OPEN)
def test_python_that_decides_nothing(text: str) -> None:
    assert value_of("a.py", text) is None


@pytest.mark.parametrize("text", JAVASCRIPT_EQUAL)
def test_javascript_that_compares_by_equality(text: str) -> None:
    assert value_of("a.mjs", text) is False


@pytest.mark.parametrize("text", JAVASCRIPT_CONSTANT)
def test_javascript_that_compares_in_constant_time(text: str) -> None:
    assert value_of("a.js", text) is True


@pytest.mark.parametrize("text", JAVASCRIPT_OPEN)
def test_javascript_that_decides_nothing(text: str) -> None:
    assert value_of("a.cjs", text) is None


@pytest.mark.parametrize(("name", "text"), BROKEN)
def test_what_cannot_be_read_decides_nothing_and_says_so(name: str, text: str) -> None:
    good = "timingSafeEqual(signature, mine)" if name == "a.js" else "hmac.compare_digest(signature, mine)"
    found = check_sources({f"b{name[1:]}": good, name: text})
    assert found.value is None
    assert found.note.startswith(f"{name} is not read: ")


def test_an_equality_anywhere_outweighs_a_constant_time_comparison() -> None:
    found = check_sources({"a.py": PYTHON_CONSTANT[0], "b.py": "\n\nif 1:\n    x = signature == mine\n"})
    assert found.value is False
    assert [str(place) for place in found.places] == ["b.py:4:9"]


def test_places_in_javascript() -> None:
    text = "/* one\n two */\nconst t = `\n${a}\n`;\n  if (given !== hmac.digest('hex')) no()\n"
    assert [str(place) for place in check_sources({"a.js": text}).places] == ["a.js:6:7"]


@pytest.mark.parametrize(
    ("handler", "expected"),
    [("slack-app/app.py", True), ("slack-app-node/app.mjs", True), ("article/handler.js", False)],
)
def test_the_examples(handler: str, expected: bool) -> None:
    assert check_handler(HOME / "examples" / handler).value is expected


def test_the_fact_is_one_that_only_source_tells() -> None:
    assert FACTS["function"][COMPARES].seen_by == ("source",)


def test_installed_packages_are_not_read(tmp_path: Path) -> None:
    for name in ("app.py", "lib/verify.py", "node_modules/x/index.py", ".venv/x.py", "other.js"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("", encoding="utf-8")
    handler = tmp_path / "app.py"
    assert [path.relative_to(tmp_path).as_posix() for path in source_files(handler)] == ["app.py", "lib/verify.py"]
    (tmp_path / "requests-2.dist-info").mkdir()
    assert [path.name for path in source_files(handler)] == ["app.py"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("signature", True),
        ("slackSignature", True),
        ("expected_sig", True),
        ("HMAC", True),
        ("SIGNATURE_HEADER", False),
        ("signatureIsValid", False),
        ("design", False),
        ("machine", False),
        ("digestmod", False),
    ],
)
def test_names(name: str, expected: bool) -> None:
    assert names_signature(name) is expected


@given(st.text(alphabet="ab/\\`'\"${}()[]=!<>*; \n.:?1", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    assert value_of("a.js", text) in {None, True, False}


@given(st.text(max_size=60))
def test_any_python_is_read_or_refused(text: str) -> None:
    assert value_of("a.py", text) in {None, True, False}
