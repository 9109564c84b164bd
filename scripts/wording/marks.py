"""What is no prose inside a text is replaced, so that no rule reads it: code and addresses."""

from __future__ import annotations

import re

from scripts.wording.places import cited

CODE = re.compile(r"(`+)[^`\n]+?\1")
ADDRESS = re.compile(r"\b(?:https?|arn|s3)://?\S*[\w/]|\barn:\S*[\w*]")


def plain(text: str) -> str:
    """Return a text with `CODE` for its code spans, `URL` for its addresses and `CITED` for texts of others."""
    for one in cited():
        text = text.replace(one, "CITED")
    return ADDRESS.sub("URL", CODE.sub("CODE", text))
