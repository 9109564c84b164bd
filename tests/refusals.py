"""Inputs that are refused: where the problem is, said by a mark in the input, and what a user reads."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from threatmodel.command.main import main
from threatmodel.reading.files import Files
from threatmodel.reading.problems import InputError, shown

MARK = "§"
"""Stands in the text of a case just before each place that a problem must name, and is taken out."""


def marked(text: str) -> tuple[str, list[str]]:
    """A text without its marks, and the places where they stood as `line:column`."""
    places = []
    for line, content in enumerate(text.split("\n"), 1):
        parts = content.split(MARK)
        places += [f"{line}:{len(''.join(parts[:at])) + 1}" for at in range(1, len(parts))]
    return text.replace(MARK, ""), places


def places_in(said: str, file: str) -> list[str]:
    """The places of a file that messages name, in order."""
    return re.findall(rf"^{re.escape(file)}:(\d+:\d+): ", said, re.MULTILINE)


def refused(arguments: Sequence[str], capsys: pytest.CaptureFixture[str]) -> str:
    """What the command line says when it refuses an input: on standard error, with exit code 2."""
    code = main(arguments)
    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert "Traceback" not in err
    return err


def problems_of(stage: Callable[[Files], object]) -> str:
    """What a user reads of the problems that a stage of the pipeline raises."""
    files = Files()
    with pytest.raises(InputError) as caught:
        stage(files)
    return shown(caught.value.problems, files.read) + "\n"


def write(name: str, text: str | bytes) -> Path:
    """A file below the working directory."""
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path
