"""A model with entries of evidence in the working directory, and what the command line says of it."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

from threatmodel.command.main import main

TODAY = "2026-11-27"


def saved(name: str, content: Any) -> None:
    text = content if isinstance(content, str) else json.dumps(content, indent=4)
    Path(name).write_text(text, encoding="utf-8")


def run(*arguments: str) -> tuple[int, str, str]:
    out, err = io.BytesIO(), io.BytesIO()
    with (
        io.TextIOWrapper(out, encoding="utf-8", write_through=True) as written,
        io.TextIOWrapper(err, encoding="utf-8", write_through=True) as complained,
        contextlib.redirect_stdout(written),
        contextlib.redirect_stderr(complained),
    ):
        code = main([*arguments, *([] if arguments[0] == "import" else ["--today", TODAY])])
        return code, " ".join(out.getvalue().decode().split()), " ".join(err.getvalue().decode().split())


def modeled(*entries: str, rest: str = "stores: {orders: {kind: dynamodb}}", bot: str = "{}") -> None:
    lines = "".join(f"  - {{{entry}}}\n" for entry in entries)
    saved("model.yaml", f"name: Shop\nevidence:\n{lines}functions:\n  bot: {bot}\n{rest}\n")


def facts(*entries: str, element: str = "bot") -> dict[str, Any]:
    """The facts of an element, as --json has them."""
    modeled(*entries)
    code, out, err = run("-m", "model.yaml", "--json")
    assert code == 0, err
    (found,) = (one["facts"] for one in json.loads(out)["elements"] if one["id"] == element)
    return {one["fact"]: one for one in found}


def checked(*entries: str) -> str:
    """What check prints."""
    modeled(*entries)
    code, out, err = run("check", "-m", "model.yaml")
    assert code in {0, 1}, err
    return out
