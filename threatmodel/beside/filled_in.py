"""What Terraform fills into a template of a manifest, as far as its configuration writes it out: paths of addresses.

``templatefile("${path.module}/manifest.json", { url = "${aws_api.invoke_url}/slack/events" })`` gives the placeholder
``${url}`` a path.  Nothing is evaluated: references are placeholders, and of a condition all arms must agree.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from threatmodel.beside.urls import PLACEHOLDER, address
from threatmodel.reading.files import Files
from threatmodel.reading.problems import InputError
from threatmodel.reading.project import real_path, repository

MOST = 200
"""Files of configuration that are searched."""
_LARGEST = 1024 * 1024
_LONGEST = 20_000
"""Characters of what one call fills in."""

_CALL = re.compile(r'\btemplatefile\(\s*"([^"\n]{1,400})"\s*,\s*\{')
_ENTRY = re.compile(r"""(?:\A|[\n,{])\s*"?([A-Za-z_]\w*)"?\s*[=:]\s*""")
_TEXT = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
_REFERENCE = re.compile(r"\$\{[^{}]{0,400}\}|%[sv]")
_ARM = re.compile(r"\s[?:]\s")


def filled_in(manifest: Path, text: str, files: Files) -> Mapping[str, str]:
    """Return what replaces placeholders of a manifest, by name: a placeholder, and the path behind it."""
    if "${" not in text:
        return {}
    found: dict[str, set[str]] = {}
    for source in _configuration(manifest, files):
        for call in _CALL.finditer(source):
            if Path(call[1]).name == manifest.name:
                for name, value in _entries(_inside(source, call.end())):
                    found.setdefault(name, set()).update(_paths(value))
    return {name: PLACEHOLDER + path for name, paths in found.items() if len(paths) == 1 for path in paths}


def _configuration(manifest: Path, files: Files) -> Iterator[str]:
    """The texts of the configuration in the manifest's folder, and in those around it in the repository."""
    folder = real_path(manifest).parent
    inside = [folder] if (root := repository(folder)) is None or folder == root else [folder, folder.parent]
    paths = [path for one in inside for pattern in ("*.tf", "*/*.tf") for path in sorted(one.glob(pattern))]
    for path in list(dict.fromkeys(paths))[:MOST]:
        with suppress(InputError):
            yield files.text(path, _LARGEST, "split it")


def _inside(source: str, start: int) -> str:
    """What is in the braces that open before a place."""
    depth = 1
    for at in range(start, min(len(source), start + _LONGEST)):
        depth += {"{": 1, "}": -1}.get(source[at], 0)
        if depth == 0:
            return source[start:at]
    return ""


def _entries(text: str) -> Iterator[tuple[str, str]]:
    """The entries of a mapping, each with its expression up to the end of the line."""
    starts = list(_ENTRY.finditer("\n" + text))
    for one, end in zip(starts, [*(after.start() for after in starts[1:]), len(text) + 1], strict=True):
        yield one[1], ("\n" + text)[one.end() : end]


def _paths(expression: str) -> set[str]:
    """The paths that an expression can give behind a host; '' for one without."""
    arms = _ARM.split(expression)
    return {_path(arm) for arm in (arms[1:] if len(arms) > 2 else arms)}  # noqa: PLR2004 - a condition has two arms


def _path(arm: str) -> str:
    written = _TEXT.search(arm)
    found = address(_REFERENCE.sub(PLACEHOLDER, written[1])) if written is not None else None
    return found.path or "" if found is not None else ""
