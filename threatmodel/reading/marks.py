"""The mark that each form of output carries, by which a file is known as one that may be overwritten.

A mark is where only the writer of the whole file puts it, at its beginning or at its end: a page that quotes a
report carries none.  What has no place for a mark, and what people go on editing, is known by its digest alone
(`reading.written`).  docs/outputs.md has the table.
"""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Mapping
from pathlib import Path

MARK = "Written by threatmodel"
"""The mark itself, in the form of a comment that each format has."""

_PNG = b"\x89PNG\r\n\x1a\n"
_HEAD, _TAIL = 4096, 1024
"""Bytes at the beginning and at the end of a file that are looked at."""

_AT_HEAD: Mapping[str, bytes] = {
    "HTML": rb"<!doctype html>\s*<html[^>]*>\s*<head>\s*(?:<meta [^>]*>\s*)*"
    rb'<meta name="generator" content="threatmodel">',
    "DOT": rb"// Written by threatmodel\r?\n",
    "SVG": rb"(?:<\?xml[^>]*>\s*)?<!-- Written by threatmodel -->",
    "PNG": re.escape(_PNG) + rb"[\s\S]{25}[\s\S]{4}tEXtSoftware\x00threatmodel",
    "PlantUML": rb"@startuml\s*' Written by threatmodel\r?\n",
    "Mermaid": rb"(?:sequenceDiagram|flowchart LR)\s*%% Written by threatmodel\r?\n",
    "JUnit XML": rb'<\?xml[^>]*>\s*<testsuites name="tm check">',
    "SARIF": rb'\{\s*"\$schema": "[^"]*sarif[^"]*",\s*"version": "[^"]*",\s*"properties": \{"writer": "threatmodel"\}',
    "--json": rb'\{\s*"schema_version": "[^"]*",\s*"model": \{\s*"name": ',
    "check --format json": rb'\{\s*"schema_version": "[^"]*",\s*"models": \[\s*(?:\{"file": |\])',
    "diff --format json": rb'\{\s*"schema_version": "[^"]*",\s*"before": [\s\S]*?"lost_controls": ',
    "baseline": rb'\{\s*"format": "?(?:tm-baseline/)?[0-9]+"?,\s*"models": \{',
    "probe": rb'\{\s*"format": [0-9]+,\s*"target": ',
    "JSON Schema": rb'\{\s*"\$schema": "[^"]*",\s*"title": '
    rb'"(?:Threat model of a serverless system|Assessment of a threat model \(tm\.py --json\)|'
    rb'Attack paths of a threat model \(tm\.py paths --json\)|What an attacker reaches \(tm\.py reach --json\))"',
}
_AT_TAIL: Mapping[str, bytes] = {
    "Markdown": rb"(?:\A|\n)Written by threatmodel [^\n]*\s*\Z",
    "PDF": rb"%%EOF\s+% Written by threatmodel\s*\Z",
}
FORMS = (*_AT_HEAD, *_AT_TAIL)
"""The forms of output that carry a mark."""


def is_marked(path: Path) -> bool:
    """Whether a file carries the mark of an output.  Raises OSError."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - _TAIL, 0))
        tail = file.read(_TAIL)
    return any(re.match(rb"\s*" + one, head) for one in _AT_HEAD.values()) or any(
        re.search(one, tail) for one in _AT_TAIL.values()
    )


def marked_picture(picture: bytes, fmt: str) -> bytes:
    """Return a drawn picture (svg, png, pdf) with the mark in it, which changes nothing that is seen."""
    match fmt:
        case "svg":
            head = re.match(rb"\s*(?:<\?xml[^>]*>\s*)?", picture)
            end = head.end() if head is not None else 0
            return picture[:end] + f"<!-- {MARK} -->\n".encode() + picture[end:]
        case "png" if picture.startswith(_PNG):
            said = b"tEXtSoftware\0threatmodel"
            chunk = (len(said) - 4).to_bytes(4, "big") + said + zlib.crc32(said).to_bytes(4, "big")
            return picture[:33] + chunk + picture[33:]  # behind the signature and the first chunk, IHDR
        case "pdf":
            return picture.rstrip() + f"\n% {MARK}\n".encode()
        case _:
            return picture
