"""The look at many files: processor time, as a ratio to what the toolkit needs anyway."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support import HOME

SCRIPT = """
import gc, sys, time
gc.disable()
begun = time.process_time()
import pytm
base = time.process_time() - begun
from threatmodel.beside.code.look import look
from threatmodel.beside.code.modules import Parsed
from threatmodel.beside.folder import Folder
part = '''def work{0}(event):
    body = json.loads(event["body"])
    if body.get("a"):
        return {{"statusCode": 200, "body": body["a"]}}
    return None
'''
body = "".join(part.format(number) for number in range(17))
text = "import json\\nimport m{0}\\n" + body.replace("{", "{{").replace("}", "}}")
texts = {f"m{n}.py": text.format(n + 1) for n in range(500)}
begun = time.process_time()
found = look(Parsed(Folder(path=".", texts=texts, unread=(), digest="")), "m0.py", "work0", ".")
print(found.modules, (time.process_time() - begun) / base)
"""


@pytest.mark.slow
def test_five_hundred_files_take_at_most_ten_times_an_import_of_pytm() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], cwd=HOME, capture_output=True, text=True, check=True)
    modules, ratio = done.stdout.split()
    assert int(modules) == 500
    assert float(ratio) < 10
