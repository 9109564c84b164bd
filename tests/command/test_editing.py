"""Several processes that edit one model: what each was told is written is in it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import HOME


@pytest.mark.slow
def test_of_answers_at_the_same_time_none_is_lost(tmp_path: Path) -> None:
    model = tmp_path / "model.yaml"
    names = [f"bot-{at}" for at in range(6)]
    bots = "".join(f"  {name}: {{}}\n" for name in names)
    model.write_text(f"name: Shop\nfunctions:\n{bots}", encoding="utf-8")
    answers = [f"{name}.uses_layers=n" for name in names]
    running = [
        subprocess.Popen(
            [sys.executable, str(HOME / "tm.py"), "-m", "model.yaml", "ask", "--set", answer],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for answer in answers
    ]
    said = [(one.communicate()[0], one.returncode) for one in running]
    assert [code for _, code in said] == [0] * len(answers), said
    text = model.read_text(encoding="utf-8")
    for name in names:
        assert re.search(rf"{name}:\s+uses_layers: false", text), text
    assert [path.name for path in tmp_path.iterdir()] == ["model.yaml"]
