"""What evidence says, kept from run to run: what it follows from is read each time, and worked out once.

The key is a digest over everything that an answer follows from: the toolkit's own files, Python's version, the day, the
limit of work, the model with its platform files, the library, and every file of evidence with the handlers' folders.
A run that read anything else, looked for what was not there, or found former names, is not kept.  What is kept is plain
JSON, from which only the values below are made.
"""

from __future__ import annotations

import contextlib
import hashlib
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from threatmodel.graph.building import Evidence
from threatmodel.graph.elements import LeftOpen, Read, Source
from threatmodel.library.directions import Directions
from threatmodel.model.evidence_shape import BESIDE_KINDS, STACK_KINDS
from threatmodel.model.facts import Statement
from threatmodel.model.system import EvidenceFile, Node, Reference, System, Trigger
from threatmodel.reading import plain
from threatmodel.reading.cache import is_on, keep, recalled, toolkit_digest
from threatmodel.reading.files import Files
from threatmodel.reading.problems import InputError, Place, Problem
from threatmodel.reading.project import real_path
from threatmodel.reading.values import replace
from threatmodel.stacks.readers import LARGEST_PLAN, shows_deployed

Gathered = tuple[System, Evidence, tuple[Read, ...]]
"""A system with the functions that its files add, what these say, and what was read."""


class Basis(NamedTuple):
    """What evidence is held to besides the model: the day, a library's directions, and how much work it may take."""

    today: date
    ways: Directions | None
    work: int | None = None


_CLASSES = plain.table(Node, Statement, Place, Trigger, Reference, LeftOpen, Read, Source, Problem)
"""The values that what is kept is made of, besides texts, numbers, yes and no, lists and mappings."""


def remembered(
    system: System, files: Files, model: Mapping[str, str], basis: Basis, collect: Callable[[], Gathered]
) -> Gathered:
    """What `collect` gives, or gave when everything that it follows from was the same.

    `model` has the texts of the model and its platform files by name.  Raises InputError as `collect` does, which is
    not kept.
    """
    if not is_on():
        return collect()
    before, renamed = set(files.paths), len(files.renamed)
    try:
        key = _key(system, files, model, basis)
    except (InputError, OSError):
        return collect()  # says what is wrong
    stated, absent = set(files.paths), set(files.absent)
    if (text := recalled(key)) is not None and (found := _read(text, system)) is not None:
        return found
    files.paths.intersection_update(before)
    result = collect()
    if files.paths <= stated and files.absent <= absent and len(files.renamed) == renamed:
        with contextlib.suppress(TypeError):  # a value of a class that is not read back
            keep(key, plain.as_text(_written(result, system), _CLASSES))
    files.paths |= stated
    return result


# --- what it follows from


def _key(system: System, files: Files, model: Mapping[str, str], basis: Basis) -> str:
    """A digest over everything that the evidence's statements follow from."""
    whole = hashlib.sha256()
    for part in _parts(system, files, model, basis):
        content = part.encode("utf-8", "surrogateescape")
        whole.update(len(content).to_bytes(8, "big") + content)
    return whole.hexdigest()


def _parts(system: System, files: Files, model: Mapping[str, str], basis: Basis) -> Iterator[str]:
    yield from (toolkit_digest(), sys.version, str(basis.today), str(basis.work), str(Path.cwd()), system.file)
    yield _directions(basis.ways)
    for name in sorted(model):
        yield name
        yield model[name]
    for source in system.evidence:
        yield from _source(source, system, files)


def _directions(ways: Directions | None) -> str:
    """What of a library counts: which way each value of each fact goes."""
    if ways is None:
        return ""
    tests = sorted((repr(fact), sorted(map(repr, asked))) for fact, asked in ways.tests.items())
    return repr((tests, sorted(ways.structural)))


def _source(source: EvidenceFile, system: System, files: Files) -> Iterator[str]:
    path = files.named(source.path, Path(system.file), source.place)
    yield str(path)
    if source.kind in BESIDE_KINDS:
        from threatmodel.evidence.sources import read_beside  # as much to load as to use, and most models name none

        yield read_beside(source, Path(system.file), files).digest
        return
    yield files.text(path, LARGEST_PLAN)
    if source.kind == "template":
        from threatmodel.evidence.copies import copies_of

        config = path.parent / "samconfig.toml"
        for other in (*copies_of(path, files), *((config,) if files.has(config) else ())):
            yield str(other)
            yield files.text(other, LARGEST_PLAN)
    if source.parameters:
        yield files.text(files.named(source.parameters, Path(system.file), source.place))
    for answer in source.deployed:
        yield files.text(files.named(answer, Path(system.file), source.place))
    if source.kind == "plan" or (source.kind in STACK_KINDS and shows_deployed(source.kind, path, files)):
        from threatmodel.evidence.sources import age_of

        yield repr(age_of(source, None, Path(system.file), files))
    if source.kind == "probe":
        from threatmodel.probe.folder import folder_digest
        from threatmodel.probe.outside import digest_of, names_in

        folder = files.named(source.code, Path(system.file), source.place) if source.code else path.parent
        files.folders.add(real_path(folder))
        yield str(folder)
        yield folder_digest(folder)
        for name in names_in(files.text(path, LARGEST_PLAN)):
            with contextlib.suppress(InputError):  # outside the repository: it counts as a statement, whatever it is
                yield digest_of(files.named(name, folder / "file", source.place))


# --- how it is kept


def _written(found: Gathered, system: System) -> tuple[Any, ...]:
    """What is kept: of the system, its ids in order, the elements that files add, and which resources they are."""
    whole, evidence, read = found
    added = [node for name, node in whole.nodes.items() if system.nodes.get(name) is not node]
    return list(whole.nodes), added, [dict(one.resources) for one in whole.evidence], evidence, read


def _read(text: str, system: System) -> Gathered | None:
    """Return the cached value; None if it is not one of this cache."""
    try:
        ids, added, resources, evidence, read = plain.from_text(text, _CLASSES)
        nodes = {**system.nodes, **{node.id: node for node in added}}
        whole = replace(
            system,
            nodes={name: nodes[name] for name in ids},
            evidence=tuple(
                replace(one, resources=found) for one, found in zip(system.evidence, resources, strict=True)
            ),
        )
    except (ValueError, TypeError, AttributeError, LookupError, RecursionError):
        return None
    return whole, evidence, read
