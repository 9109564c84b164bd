"""What the tests of scaffolds share: a model, ids, and a run of the command line."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

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


def library(*layers: str) -> Library:
    """The library once every placeholder is written over."""
    for path in (path for folder in ("threatlib", *layers) for path in Path(folder).rglob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("TODO write", "Say").replace("/TODO", "/read"), encoding="utf-8")
    return load_library(Path("threatlib"), layers=[Path(layer) for layer in layers])
