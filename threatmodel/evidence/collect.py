"""The files that a model names as evidence, read and turned into statements about its elements."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from threatmodel.evidence.deployed import Deployed
from threatmodel.evidence.environments import clashes, environments
from threatmodel.evidence.file_statements import FileStatements
from threatmodel.evidence.held import held_file
from threatmodel.evidence.named import source_of
from threatmodel.evidence.work import Work
from threatmodel.graph.elements import Read
from threatmodel.graph.resolved import Evidence
from threatmodel.library.directions import Directions
from threatmodel.model.facts import Statements
from threatmodel.model.system import System
from threatmodel.reading.files import Files
from threatmodel.reading.problems import InputError, Problem
from threatmodel.reading.values import replace


def collect(
    system: System,
    files: Files,
    ways: Directions | None = None,
    today: datetime.date | None = None,
    work: Work | None = None,
) -> tuple[Evidence, tuple[Read, ...]]:
    """What the evidence of a model says: statements about its elements, and what was read.

    A system whose files hold all its functions has them from `with_functions`.  With the directions of a library,
    what reassures is evidence only if it is true in every world that its file leaves open; without them the result must
    not be called proven; with `today`, old probes are statements.  What exceeds `work` is unknown.  Raises
    InputError where a file cannot be used.
    """
    work = Work() if work is None else work
    statements: Statements = {}
    read_files: dict[int, Read] = {}
    problems: list[Problem] = []
    opened_files = _opened(system, files, ways, problems)
    probed: Statements = {}
    if any(source.kind == "probe" for source in system.evidence):
        from threatmodel.evidence.probes import state_probes  # no small vocabulary, and most models have no probe

        deployed: dict[str, list[Deployed]] = {}
        for one in opened_files:
            for element, resource in one.matched.resources.items():
                deployed.setdefault(element, []).append(one.deployed(element, resource))
        found, seen = state_probes(system, files, probed, deployed, today, problems)
        read_files |= found
        for one in opened_files:
            one.lists.seen = seen
    for left, one in zip(range(len(opened_files), 0, -1), opened_files, strict=True):
        said: Statements = {}
        one.state(said)
        _add(one.held(said, files, ways, work.share(left)) if ways is not None else said, statements)
        read_files |= one.read()
        one.stack.reads.forget()
    _add(probed, statements)
    if problems:
        raise InputError(problems)
    sources = {number: source_of(system.evidence[number], system, files) for number in read_files}
    return statements, tuple(replace(found, source=sources[number]) for number, found in sorted(read_files.items()))


def _opened(system: System, files: Files, ways: Directions | None, problems: list[Problem]) -> Sequence[FileStatements]:
    """The files of each environment that can be used, held against the model."""
    found: list[FileStatements] = []
    for environment in environments(system):
        try:
            base = environment.assumed(system, files)
            stack = environment.opened(system, files, base)
        except InputError as error:
            problems += error.problems
            continue
        one = FileStatements(held_file(system, environment, stack), base, ways)
        problems += (*clashes(stack), *one.matched.problems)
        found.append(one)
    return found


def _add(said: Statements, statements: Statements) -> None:
    for element, by in said.items():
        for name, found in by.items():
            statements.setdefault(element, {}).setdefault(name, []).extend(found)
