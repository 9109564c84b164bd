"""The look at many files: processor time, as a ratio to `import pytm`, and what it leaves for later."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.handlers import corpus
from tests.support import HOME
from threatmodel.beside.code.look import Look, look
from threatmodel.beside.code.modules import Parsed
from threatmodel.beside.code.source import ENDINGS
from threatmodel.beside.folder import Folder

SCRIPT = """
import gc, sys, time
gc.disable()
from threatmodel.beside.code.look import Look, look
from threatmodel.beside.code.modules import Parsed
from threatmodel.beside.folder import Folder
{texts}
looked = []
for _ in range(3):
    begun = time.process_time()
    found = look(Parsed(Folder(path=".", texts=texts, unread=(), digest="")), next(iter(texts)), "work0", ".")
    looked.append(time.process_time() - begun)
print(found.modules, min(looked))
"""
IMPORT = "import time; begun = time.process_time(); import pytm; print(time.process_time() - begun)"
PYTHON = '''
part = """def work{0}(event):
    body = json.loads(event["body"])
    if body.get("a"):
        return {{"statusCode": 200, "body": body["a"]}}
    return None
"""
body = "".join(part.format(number) for number in range(65))
texts = {f"m{n}.py": f"import json\\nimport m{n + 1}\\n{body}" for n in range(500)}
'''
JAVASCRIPT = '''
part = """exports.work{0} = async (event) => {{
  const body = JSON.parse(event.body)
  if (body.a) {{
    return {{ statusCode: 200, body: body["a"] }}
  }}
  return null
}}
"""
body = "".join(part.format(number) for number in range(65))
texts = {f"m{n}.js": f"const next = require('./m{n + 1}')\\n{body}" for n in range(500)}
'''
HIDDEN = {
    "an escape": 'def check(body):\n    return table["\\x68mac"].new(body)\n',
    "texts side by side": 'def check(body):\n    return table["hm" "ac"].new(body)\n',
    "texts in two lines": 'def check(body):\n    return table["hm"\n        ""r"ac"].new(body)\n',
    "a line that goes on": 'def check(body):\n    return table["hm\\\nac"].new(body)\n',
    "a letter of another script": "def check(body):\n    return \uff48mac.new(body)\n",
    "a letter before, in its line": 'def check(body, what="\u00e9\u00e9\u00e9"): return table["hmac"].new(body)\n',
}
"""Functions that nothing calls, with a word that is not written as it is."""


def seen(texts: dict[str, str], *, whole: bool, file: str = "app.py") -> Look:
    return look(Parsed(Folder(path=".", texts=texts, unread=(), digest=""), whole=whole), file, "handler", ".")


def printed_by(script: str) -> str:
    return subprocess.run([sys.executable, "-c", script], cwd=HOME, capture_output=True, text=True, check=True).stdout


@pytest.mark.slow
@pytest.mark.parametrize("texts", [PYTHON, JAVASCRIPT], ids=["Python", "JavaScript"])
def test_five_hundred_files_of_ten_kilobytes_take_at_most_ten_times_the_import_of_pytm(texts: str) -> None:
    imported = [float(printed_by(IMPORT)) for _ in range(3)]
    modules, looked = printed_by(SCRIPT.replace("{texts}", texts)).split()
    imported += [float(printed_by(IMPORT)) for _ in range(3)]
    assert int(modules) == 500
    assert float(looked) / min(imported) <= 10


def test_what_is_left_for_later_changes_nothing_of_what_is_seen_of_the_corpus() -> None:
    folders = {one.folder for one in corpus.load()}
    assert len(folders) > 200
    for folder in folders:
        files = {path.name: path for path in sorted(folder.iterdir()) if path.suffix in ENDINGS}
        texts = {name: path.read_text(encoding="utf-8") for name, path in files.items()}
        for name in texts:
            assert seen(texts, whole=False, file=name) == seen(texts, whole=True, file=name), folder


@pytest.mark.parametrize("case", HIDDEN)
def test_a_word_that_is_written_otherwise_is_found_in_a_function_that_nothing_calls(case: str) -> None:
    texts = {"app.py": f"table = {{}}\n{HIDDEN[case]}def handler(event, context):\n    return {{}}\n"}
    assert "a function computes an HMAC, and nothing calls it" in str(seen(texts, whole=True).observed)
    assert seen(texts, whole=False) == seen(texts, whole=True)


def test_a_function_that_is_nested_too_deeply_is_no_all_clear_where_it_is_called() -> None:
    deep = f"def check(a):\n    return {'+'.join('a' * 3000)}\n"
    texts = {"app.py": f"{deep}def handler(event, context):\n    check(event)\n    return {{}}\n"}
    assert [one.why.partition(";")[0] for one in seen(texts, whole=False).openings] == [
        "app.py is not read: it is nested too deeply to be parsed"
    ]
