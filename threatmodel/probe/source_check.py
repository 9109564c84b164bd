"""Whether a signature is compared in constant time: what no answer tells, and the source may.

It is word and never evidence: text was read, nothing was run.  False where an equality on a digest or a signature
is; true only where there is a constant-time comparison of one and no such equality; else undecided.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from threatmodel.beside.code.digests import Digests
from threatmodel.beside.code.functions import Function
from threatmodel.beside.code.modules import Parsed, modules_of
from threatmodel.beside.code.program import Program
from threatmodel.beside.code.syntax import Node
from threatmodel.beside.folder import Folder
from threatmodel.probe.source_files import source_files
from threatmodel.reading.problems import Place
from threatmodel.reading.source import read_text
from threatmodel.reading.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceCheck:
    """What the source says of the fact: true, false, or None where it does not decide; where, and why."""

    value: bool | None
    places: tuple[Place, ...] = ()
    note: str = ""


def check_handler(handler: Path) -> SourceCheck:
    """What the source beside a handler says.  Raises InputError where a file of it cannot be read."""
    return check_sources({path.as_posix(): read_text(path, path.as_posix()) for path in source_files(handler)})


def check_sources(texts: Mapping[str, str]) -> SourceCheck:
    """What several files say together, by name."""
    parsed = Parsed(Folder(path=".", texts=texts, unread=(), digest=""), whole=True)
    modules = modules_of(parsed, texts, ".")
    program = Program(modules, "")
    digests, functions = Digests(program), (*program.top.values(), *program.functions)
    equal = [one for one in digests.equalities(functions) if _any(digests, one.sides, one.function)]
    if equal:
        places = (program.place(one.function, one.node) for one in equal)
        return _found("a signature or digest is compared by equality", places, value=False)
    unread = [one.why for one in modules.openings if one.place.file not in modules.found]
    if unread:
        return SourceCheck(value=None, note=", ".join(unread[:3]))
    constant = [one for one in digests.in_constant_time(functions) if _any(digests, one[1].parts[1:], one[0])]
    if constant:
        places = (program.place(*one) for one in constant)
        return _found("compared in constant time, and nowhere by equality", places, value=True)
    return SourceCheck(value=None, note="no comparison of a signature was found")


def _any(digests: Digests, sides: Iterable[Node], function: Function) -> bool:
    return any(digests.is_signature(one, function) for one in sides)


def _found(note: str, places: Iterable[Place], *, value: bool) -> SourceCheck:
    return SourceCheck(value=value, places=tuple(sorted(set(places))), note=note)
