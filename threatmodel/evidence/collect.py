"""What a model names as evidence, turned into statements about its elements; all of it was read before.

Where what is deployed and the code that is written for it state different values of a fact, what is deployed counts,
and the code is a statement of what the next deployment sets.  Until both agree, neither reassures: a value that alarms
stays a finding, whichever of the two states it.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from threatmodel.evidence.ages import stale
from threatmodel.evidence.claims import Claim, in_doubt
from threatmodel.evidence.deployed import Deployed
from threatmodel.evidence.environments import clashes, environments
from threatmodel.evidence.file_statements import FileStatements
from threatmodel.evidence.matching import held_file
from threatmodel.evidence.sources import Sources
from threatmodel.graph.elements import VISIBLE_SECRET, Read
from threatmodel.graph.resolved import Evidence
from threatmodel.library.directions import Directions
from threatmodel.model.facts import EVIDENCE, Statement, Statements
from threatmodel.model.system import System
from threatmodel.model.vocabulary import LISTS, PLANES
from threatmodel.reading.problems import InputError, quoted
from threatmodel.reading.values import replace
from threatmodel.stacks.work import Work

if TYPE_CHECKING:
    from threatmodel.beside.slack_manifest import RequestUrl
    from threatmodel.evidence.beside.kinds import Found
    from threatmodel.probe.result import Result


def collect(
    system: System,
    sources: Sources,
    ways: Directions | None = None,
    today: datetime.date | None = None,
    work: Work | None = None,
) -> tuple[Evidence, tuple[Read, ...]]:
    """What the evidence of a model says: statements about its elements, and what was read.

    A system whose files hold all its functions has them from `with_functions`.  With the directions of a library,
    what reassures is evidence only if it is true in every world that its file leaves open; without them the result must
    not be called proven; with `today`, old probes are statements.  What exceeds `work` is unknown.  Raises
    InputError where a file could not be used.
    """
    work = Work() if work is None else work
    held = _held(system, sources)
    unfit = (problem for one in held for problem in (*clashes(one.stack), *one.matched.problems))
    problems = [*sources.problems, *unfit]
    if problems:
        raise InputError(problems)
    deployed = _deployed(held) if sources.probes or sources.beside else {}
    probed, read_files = _probed(system, sources, held, deployed, today)
    beside = _beside(system, sources, held, deployed, ways, today)
    stated: list[Statements] = []
    for left, one in zip(range(len(held), 0, -1), held, strict=True):
        said: Statements = {}
        one.state(said)
        counted = one.held(said, ways, work.share(left)) if ways is not None else said
        why = next(filter(None, (stale(age, today) for age in one.opened.ages.values())), "")
        stated.append(_stated(counted) if why else counted)
        read_files |= {number: replace(read, stale=why) if why else read for number, read in one.read().items()}
        one.stack.reads.forget()
    _compare(held, stated)
    if ways is not None:
        _across(held, stated, ways)
    statements: Statements = {}
    for each in (*stated, probed):
        _add(each, statements)
    for number, found in zip(sources.beside, beside, strict=True):
        from threatmodel.evidence.beside.kinds import state

        said, read_files[number] = state(found)
        _add(said, statements)
    if seen := [note for read in read_files.values() for note in read.notes if note.code == VISIBLE_SECRET]:
        alarm = Statement(value=True, source="code", place=seen[0].place, note=seen[0].message)
        _add({"pipeline": {"secret_in_files": [alarm]}}, statements)
    return statements, tuple(replace(read_files[number], source=one) for number, one in sorted(sources.named.items()))


def foreseen(system: System, sources: Sources, function: str, result: Result, code: Path) -> Iterator[str]:
    """Yield why a result of these variables and this folder would count as a statement, whatever a probe shows."""
    from threatmodel.evidence.bound import started_otherwise

    free = [name for one in system.evidence if one.kind == "probe" and one.function == function for name in one.free]
    free.append(result.secret_variable)  # whether the handler reads it is not known yet
    for one in _held(system, sources):
        if function in one.matched.resources:
            deployed = one.deployed(function, one.matched.resources[function])
            for why in started_otherwise(result, deployed, code, free):
                yield f"{why} ({deployed.stack.file})"


def _held(system: System, sources: Sources) -> Sequence[FileStatements]:
    """The files of each environment that can be used, held against the model."""
    return [
        FileStatements(held_file(system, environment, opened.stack), opened)
        for environment in environments(system, sources.deployed)
        if (opened := sources.stacks.get(environment.number)) is not None
    ]


def _deployed(held: Sequence[FileStatements]) -> Mapping[str, Sequence[Deployed]]:
    """What the files make of each element that is a resource there."""
    deployed: dict[str, list[Deployed]] = {}
    for one in held:
        for element, resource in one.matched.resources.items():
            deployed.setdefault(element, []).append(one.deployed(element, resource))
    return deployed


def _beside(  # noqa: PLR0913, PLR0917 - all that an entry is held against
    system: System,
    sources: Sources,
    held: Sequence[FileStatements],
    deployed: Mapping[str, Sequence[Deployed]],
    ways: Directions | None,
    today: datetime.date | None,
) -> Sequence[Found]:
    """What is beside the files, each with what it is held against; the files then know who calls their routes by it."""
    if not sources.beside:
        return ()
    from threatmodel.beside.readers import OpenedFile
    from threatmodel.evidence.beside.kinds import Found

    every = [
        Found(system.evidence[number], opened, system, held, deployed, ways, today)
        for number, opened in sources.beside.items()
    ]
    named = (one.opened for one in every if one.source.kind == "slack")
    manifests = [one.value for one in named if isinstance(one, OpenedFile)]
    served: dict[str, Sequence[RequestUrl]] = {}
    opened: dict[str, frozenset[str] | None] = {}
    if any(one.source.kind == "code" for one in every):
        from threatmodel.evidence.beside.code import looked, opens, serves

        every = [one._replace(looked=looked(one)) if one.source.kind == "code" else one for one in every]
        for one in every:
            if one.looked is not None:
                served |= {function: serves(seen) for function, (_, seen) in one.looked.handlers.items()}
                opened |= {
                    function: None if function in opened else opens(seen)  # of two sources, it is not known which runs
                    for function, (_, seen) in one.looked.handlers.items()
                }
    for files in held:
        files.lists.manifests, files.lists.served, files.lists.opened = manifests, served, opened
    return every


def _probed(
    system: System,
    sources: Sources,
    held: Sequence[FileStatements],
    deployed: Mapping[str, Sequence[Deployed]],
    today: datetime.date | None,
) -> tuple[Statements, dict[int, Read]]:
    """What saved probes say, held against what the files deploy, which then know the calls that were seen."""
    if not sources.probes:
        return {}, {}
    from threatmodel.evidence.probes import state_probes  # no small vocabulary, and most models have no probe

    probes = ((number, system.evidence[number], probe) for number, probe in sources.probes.items())
    statements, found, seen = state_probes(probes, deployed, today)
    for one in held:
        one.lists.seen = seen
    return statements, found


def _compare(held: Sequence[FileStatements], stated: Sequence[Statements]) -> None:
    """Compares what is deployed with the code for the same environment."""
    by_place: dict[tuple[str, bool], Statements] = {}
    for one, said in zip(held, stated, strict=True):
        by_place[one.environment.source.environment, one.stack.deployed] = said
    for (name, is_deployed), said in by_place.items():
        if is_deployed and (name, False) in by_place:
            differing(by_place[name, False], said)


def _across(held: Sequence[FileStatements], stated: Sequence[Statements], ways: Directions) -> None:
    """Holds each environment against the others that have an element: a proof is one of every environment.

    What reassures in one of them is in doubt where another leaves it open, and a claim where another alarms.
    """
    weaker = [
        (found, number, changed)
        for one, said in zip(held, stated, strict=True)
        for other, there in zip(held, stated, strict=True)
        if one.environment.source.environment != other.environment.source.environment
        for element in one.matched.resources.keys() & other.matched.resources.keys()
        for name, found in said.get(element, {}).items()
        for number, each in enumerate(found)
        if (changed := _as_there(Claim(element, other.kinds[element], name, each, ways), there, other)) != each
    ]
    for found, number, changed in weaker:
        found[number] = changed


def _as_there(claim: Claim, there: Statements, other: FileStatements) -> Statement:
    """The statement as weak as it is in another environment."""
    said = claim.statement
    found = there.get(claim.element, {}).get(claim.name, [])
    sure = all(one.size == EVIDENCE for one in found)
    if not claim.reassures or (sure and claim.holds(there)) or (claim.name in LISTS and found and not _open(found)):
        return said
    alarms = (one for one in found if not one.doubt and not _same(one, said))
    if claim.name not in LISTS and sure and any(_alarms(claim, one) for one in alarms):
        return said._replace(stale=True)
    why = f"{other.stack.file} does not show it for {quoted(other.environment.source.environment) or 'its environment'}"
    return in_doubt(claim.name, said, why)


def _alarms(claim: Claim, other: Statement) -> bool:
    """Whether a value of another environment reassures nothing that this one does not."""
    mine, theirs = (claim.ways.reassured(claim.kind, claim.name, one.value) for one in (claim.statement, other))
    return theirs < mine


def _open(found: Iterable[Statement]) -> bool:
    return any(one.open for one in found)


def _stated(said: Statements) -> Statements:
    """What files state that may not be deployed as they are; one file counts for all that are read with it."""
    return {
        element: {name: [one._replace(stale=True) for one in found] for name, found in by.items()}
        for element, by in said.items()
    }


def _add(said: Statements, statements: Statements) -> None:
    for element, by in said.items():
        for name, found in by.items():
            statements.setdefault(element, {}).setdefault(name, []).extend(found)


# --- what is deployed, and the code that is written for it
def differing(written: Statements, deployed: Statements) -> None:
    """Change the statements of facts that the code and what is deployed state differently, in place.

    What the code states of an element, and the deployment leaves open, is a statement of the next one.  Lists stay:
    members of both are known, and a member that one of them lacks opens the list.
    """
    for element, by in deployed.items():
        code = written.get(element, {})
        if element not in PLANES:  # of which another stack's code may say something
            for name in code.keys() - by.keys() - LISTS:
                code[name] = [one._replace(stale=True) for one in code[name]]
        for name in (by.keys() & code.keys()) - LISTS:
            there = by[name]
            surely = any(one.size == EVIDENCE for one in there)  # what holds by defaults alone is no difference then
            here = [one for one in code[name] if not (one.defaults and surely)]
            code[name] = [one._replace(stale=True) if _differs(one, there) else one for one in here]
            by[name] = [_doubted(one, here) for one in there]


def _differs(one: Statement, others: Iterable[Statement]) -> bool:
    """Whether evidence states another value than some other evidence."""
    return one.size == EVIDENCE and any(other.size == EVIDENCE and not _same(one, other) for other in others)


def _same(one: Statement, other: Statement) -> bool:
    return one.value == other.value and type(one.value) is type(other.value)


def _doubted(one: Statement, here: Sequence[Statement]) -> Statement:
    """What is deployed, in doubt where the code states another value."""
    other = next((said for said in here if _differs(said, [one])), None)
    if other is None or other.place is None or one.doubt:
        return one
    return one._replace(doubt=f"the next deployment may change it: {other.place.short} differs")
