"""Whether a signature is compared in constant time: what no answer tells, and the source may.

It is word and never evidence: text was read, nothing was run.  False where an equality on a digest or a signature
is; true only where there is a constant-time comparison of one and no such equality; else undecided.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from threatmodel.probe.folder import LEFT_OUT
from threatmodel.probe.source_words import Compared, UnreadableSourceError
from threatmodel.reading.problems import Place
from threatmodel.reading.source import read_text
from threatmodel.reading.values import dataclass

FACT = "compares_in_constant_time"
_PYTHON = frozenset({".py"})
_JAVASCRIPT = frozenset({".js", ".mjs", ".cjs"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceCheck:
    """What the source says of the fact: true, false, or None where it does not decide; where, and why."""

    value: bool | None
    places: tuple[Place, ...] = ()
    note: str = ""


def check_handler(handler: Path) -> SourceCheck:
    """What the source beside a handler says.  Raises InputError where a file of it cannot be read."""
    files = list(source_files(handler))
    return check_sources((path.as_posix(), read_text(path, path.as_posix())) for path in files)


def source_files(handler: Path) -> Iterable[Path]:
    """The handler's file and others of its language in its folder, without packages that were installed into it."""
    endings = _PYTHON if handler.suffix in _PYTHON else _JAVASCRIPT
    folder = handler.parent
    installed = {path.parent for path in folder.rglob("*.dist-info")}
    left_out = LEFT_OUT | {"node_modules"}
    return sorted(
        path
        for path in (folder.glob("*") if folder in installed else folder.rglob("*"))
        if path.suffix in endings
        and path.is_file()
        and not left_out & set(path.relative_to(folder).parts)
        and not (installed - {folder}) & set(path.parents)
    )


def check_sources(files: Iterable[tuple[str, str]]) -> SourceCheck:
    """What several files say together, each given by name and text."""
    equal: list[Place] = []
    constant: list[Place] = []
    unread: list[str] = []
    for name, text in files:
        try:
            found = _compared(name, text)
        except UnreadableSourceError as error:
            unread.append(f"{name}:{error}")
            continue
        equal += [Place(name, line, column) for line, column in found.equal]
        constant += [Place(name, line, column) for line, column in found.constant]
    if equal:
        return SourceCheck(value=False, places=tuple(equal), note="a signature or digest is compared by equality")
    if unread:
        return SourceCheck(value=None, note=f"not read: {', '.join(unread[:3])}")
    if constant:
        return SourceCheck(
            value=True, places=tuple(constant), note="compared in constant time, and nowhere by equality"
        )
    return SourceCheck(value=None, note="no comparison of a signature was found")


def _compared(name: str, text: str) -> Compared:
    if Path(name).suffix in _PYTHON:
        from threatmodel.probe.source_python import compared_in_python

        return compared_in_python(text)
    from threatmodel.probe.source_javascript import compared_in_javascript  # as much to load as to use

    return compared_in_javascript(text)
