"""The look at many files: processor time, as a ratio to what Python itself needs to parse them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support import HOME

SCRIPT = """
import ast, gc, sys, time
gc.disable()
from threatmodel.beside.code.look import look
from threatmodel.beside.code.modules import Parsed
from threatmodel.beside.folder import Folder
part = '''def work{0}(event):
    body = json.loads(event["body"])
    if body.get("a"):
        return {{"statusCode": 200, "body": body["a"]}}
    return None
'''
body = "".join(part.format(number) for number in range(65))
text = "import json\\nimport m{0}\\n" + body.replace("{", "{{").replace("}", "}}")
texts = {f"m{n}.py": text.format(n + 1) for n in range(500)}
begun = time.process_time()
for one in texts.values():
    ast.parse(one)
base = time.process_time() - begun
begun = time.process_time()
found = look(Parsed(Folder(path=".", texts=texts, unread=(), digest="")), "m0.py", "work0", ".")
print(found.modules, (time.process_time() - begun) / base)
"""


@pytest.mark.slow
def test_five_hundred_files_of_ten_kilobytes_take_little_more_than_their_parsing() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], cwd=HOME, capture_output=True, text=True, check=True)
    modules, ratio = done.stdout.split()
    assert int(modules) == 500
    assert float(ratio) < 2.5
