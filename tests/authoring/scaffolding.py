"""What the tests of scaffolds share: a model, ids, and a run of the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from hypothesis import strategies as st

from tests.support import HOME
from threatmodel.library.entries import Library
from threatmodel.library.load import load_library
from threatmodel.reading.shape import ID

Golden = Callable[[str, str], None]
MODELS = [path for path in sorted((HOME / "models").glob("*.yaml")) if path.name != "platform.yaml"]
MODELS.append(HOME / "docs" / "example.yaml")
MODEL = "name: Shop\nfunctions:\n  order-bot: {}\n"
IDS = st.from_regex(ID, fullmatch=True).filter(lambda name: len(name) <= 60)


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return path


def tm(*arguments: str) -> tuple[int, str, str]:
    """What tm.py of the working directory says."""
    done = subprocess.run([sys.executable, "tm.py", *arguments], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


class Refusal(NamedTuple):
    """How `tm new` ended, what it said, and the files that are there now and were not, or are others."""

    code: int
    out: str
    err: str
    changed: list[str]


_EACH = """
import contextlib, io, json, pathlib, sys
from threatmodel.__main__ import run
def files():
    there = (path for path in pathlib.Path().rglob("*") if "__pycache__" not in path.parts)
    return {str(path): path.read_bytes() if path.is_file() else b"" for path in there}
before, told = files(), {}
for asked in json.load(sys.stdin):
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in range(2))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = run(["new", *asked.split()])
        except SystemExit as ended:
            code = ended.code
    out.flush(), err.flush()
    texts = [stream.buffer.getvalue().decode() for stream in (out, err)]
    after = files()
    told[asked] = [code, *texts, sorted(name for name in {*before, *after} if before.get(name) != after.get(name))]
json.dump(told, sys.stdout)
"""


def refused_in(folder: Path, asked: Sequence[str]) -> dict[str, Refusal]:
    """What `tm new` makes of each in the toolkit of a folder, all in one process, by what was asked."""
    command = [sys.executable, "-c", _EACH]
    done = subprocess.run(command, cwd=folder, input=json.dumps(asked), capture_output=True, text=True, check=True)
    return {name: Refusal(*found) for name, found in json.loads(done.stdout).items()}


def library(*layers: str) -> Library:
    """The library once every placeholder is written over."""
    for path in (path for folder in ("threatlib", *layers) for path in Path(folder).rglob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("TODO write", "Say").replace("/TODO", "/read"), encoding="utf-8")
    return load_library(Path("threatlib"), layers=[Path(layer) for layer in layers])
