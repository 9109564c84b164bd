"""The files that a model names as evidence, read and turned into statements about its elements."""

from __future__ import annotations

import datetime
import re
from collections.abc import Container, Iterator, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from threatmodel.evidence.answers import Answered, Unanswered
from threatmodel.evidence.deployed import Deployed
from threatmodel.evidence.held import HeldFile, held_file
from threatmodel.evidence.lists import Lists
from threatmodel.evidence.named import source_of
from threatmodel.evidence.opened import assumed, opened
from threatmodel.evidence.relations.role import RELATIONS as USES
from threatmodel.evidence.relations.used import unable
from threatmodel.evidence.signs import signs
from threatmodel.evidence.unmodeled import unmodeled
from threatmodel.evidence.unread_parts import Standing, Touch, touches
from threatmodel.evidence.work import Work
from threatmodel.evidence.worlds import Claim, Fallen, Readings, Said, WantedFacts, held
from threatmodel.graph.elements import WORK_LIMIT, LeftOpen, Read
from threatmodel.graph.resolved import Evidence
from threatmodel.library.directions import Directions
from threatmodel.model.facts import Statement, Statements
from threatmodel.model.system import System
from threatmodel.model.vocabulary import LISTS
from threatmodel.reading.files import Files
from threatmodel.reading.problems import InputError, Place, Problem, quoted
from threatmodel.reading.values import replace
from threatmodel.stacks.assumed import Assumed
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import table

if TYPE_CHECKING:
    from threatmodel.probe.seen import SeenCall

_PLANES = ("account", "pipeline")
"""The planes of which a file of infrastructure code can say something."""


def collect(
    system: System,
    files: Files,
    ways: Directions | None = None,
    today: datetime.date | None = None,
    work: Work | None = None,
) -> tuple[Evidence, tuple[Read, ...]]:
    """What the evidence of a model says: statements about its elements, and what was read.

    A system whose files hold all its functions has them from `with_functions`.  With the directions of a library,
    what reassures is evidence only where it holds in every world that its file leaves open; without them nobody may
    call anything proven; with `today`, old probes are word.  What `work` leaves no room for is unknown.  Raises
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
        for one in opened_files.values():
            for element, resource in one.matched.resources.items():
                deployed.setdefault(element, []).append(one.deployed(element, resource))
        found, seen = state_probes(system, files, probed, deployed, today, problems)
        read_files |= found
        for one in opened_files.values():
            one.lists.seen = seen
    for number, one in opened_files.items():
        said: Statements = {}
        one.state(said)
        _add(one.held(said, files, ways, work) if ways is not None else said, statements)
        read_files[number] = one.read()
    _add(probed, statements)
    if problems:
        raise InputError(problems)
    sources = {number: source_of(system.evidence[number], system, files) for number in read_files}
    return statements, tuple(replace(found, source=sources[number]) for number, found in sorted(read_files.items()))


def _opened(system: System, files: Files, ways: Directions | None, problems: list[Problem]) -> Mapping[int, _One]:
    """Each file of infrastructure code that can be used, by its number among the evidence, held against the model."""
    found: dict[int, _One] = {}
    for number, source in enumerate(system.evidence):
        if source.kind == "probe":
            continue
        try:
            base = assumed(source, system, files)
            stack = opened(source, system, files, base)
        except InputError as error:
            problems += error.problems
            continue
        found[number] = _One(held_file(system, source, stack), base, ways)
        problems += found[number].matched.problems
    return found


_OPEN = re.compile(r"[{*$<]")
"""What a path has that is no single one: a parameter, a star, what a file leaves open."""


def _add(said: Statements, statements: Statements) -> None:
    for element, by in said.items():
        for name, found in by.items():
            statements.setdefault(element, {}).setdefault(name, []).extend(found)


class _One:
    """One file held against the model."""

    def __init__(self, held: HeldFile, base: Assumed, ways: Directions | None) -> None:
        self.file, self.base, self.ways = held, base, ways
        self.system, self.stack, self.facts, self.matched = held.system, held.stack, held.facts, held.matched
        self.lists = Lists(held)
        self.wanted: WantedFacts | None = None
        place = Place(held.stack.file)
        self.whole = Resource(name="", type="", properties=table({}, place), place=place)
        self.places: dict[tuple[str, str], tuple[Place, ...]] = {}
        self.left_open: list[LeftOpen] = []
        self.limit = 0  # that ended the work on its worlds, if any did

    @cached_property
    def _kinds(self) -> Mapping[str, str]:
        """The kind of each element of the model, external systems among them."""
        nodes = {name: node.kind for name, node in self.system.nodes.items()}
        return {**dict.fromkeys(self.system.externals, "external system"), **nodes}

    def deployed(self, element: str, resource: str) -> Deployed:
        """What the file makes of an element, for what ran elsewhere to be held against."""
        place = self.stack.resources[resource].place
        nested = {one.file for one in self.stack.nested}
        folder = Path(place.file if place.file in nested else self.stack.file).parent
        shared = tuple(one for one, name in self.matched.resources.items() if name == resource and one != element)
        unable_to, paths = partial(self._unable, resource), partial(self._paths, resource)
        return Deployed(self.stack, self.stack.resources[resource], folder, shared, unable_to, paths)

    def _paths(self, name: str) -> Sequence[str]:
        """The routes by which requests come to a function; none where one takes more than one path, or is not told."""
        relations = self.lists.relations.get(name)
        found = [] if relations is None else [one.path for one in relations.triggers if one.by == "http"]
        return () if any(_OPEN.search(path) or not path.startswith("/") for path in found) else found

    def _unable(self, name: str, calls: Sequence[SeenCall]) -> Sequence[str]:
        """Which of the calls that a handler was seen to make the function's role does not allow, where all is known."""
        relations = self.lists.relations.get(name)
        if relations is None or any(one in relations.unknown for one in USES):
            return ()
        return unable(calls, self.stack.resources[name], self.stack, relations.rights)

    def state(self, statements: Statements, wanted: WantedFacts | None = None) -> None:
        """Adds what the file says of each element, and of the planes that the model describes; or of what is wanted."""
        self.wanted = wanted
        for element, name in self.matched.resources.items():
            if wanted is None or element in wanted:
                self._state_facts(element, self.system.nodes[element].kind, self.stack.resources[name], statements)
        for plane in _PLANES:
            if plane in self.system.nodes and (wanted is None or plane in wanted):
                self._state_facts(plane, plane, self.whole, statements)
        if wanted is not None and not any(map(_asks_relations, wanted.values())):
            return
        self.lists.state(statements)
        self.left_open += self.lists.left_open

    def held(self, said: Statements, files: Files, ways: Directions, work: Work) -> Statements:
        """What of the statements holds in every world that the file leaves open."""
        base = self.base
        stacks: dict[str, Stack] = {repr(base): self.stack}

        def stack(assumed: Assumed) -> Stack:
            found = stacks.get(repr(assumed))
            if found is None:
                found = stacks[repr(assumed)] = opened(self.file.source, self.system, files, assumed)
            return found

        def stated(stack: Stack, wanted: WantedFacts | None) -> Statements:
            found: Statements = {}
            other = _One(self.file.read_as(stack), base, ways)
            other.lists.seen = self.lists.seen
            other.state(found, wanted)
            return found

        kept, fallen = held(said, self._kinds, Readings(base, stack, stated, work), ways)
        self.limit = work.limit if work.reached else 0
        self.left_open = [
            one for one in self.left_open if all(said.open for said in kept.get(one.element, {}).get(one.name, ()))
        ]
        untouched, touched = self._untouched(kept, ways)
        for element, name, statement, why, at in (*fallen, *touched):
            place = at or statement.place or self.file.place(element)
            value = () if name in LISTS else (statement.value,)
            self.left_open.append(LeftOpen(element, name, why, place, value))
        return untouched

    def _untouched(self, said: Said, ways: Directions) -> tuple[Statements, list[Fallen]]:
        """The statements that no unread part of the file may change, and those that one may."""
        kept: Statements = {}
        fallen: list[Fallen] = []
        parts = touches(self.stack, self.facts, self.file.element_of)
        standing = Standing(self.stack)
        for element, by in said.items():
            kind = self._kinds[element]
            shared = self._shared(element)
            for name, statements in by.items():
                around = self.facts.looks_around(kind, name)
                for statement in statements:
                    on = self._rests_on(element, name, standing, statement.place) if parts else frozenset()
                    part = shared or next(
                        (one for one in parts if one.reaches(element, name, on, looked_around=around)), None
                    )
                    claim = Claim(element, kind, name, statement, ways)
                    if part is not None and claim.reassures:
                        fallen.append(Fallen(element, name, statement, part.why, part.place))
                        if name in LISTS:
                            opened = statement._replace(open=statement.open or part.why)
                            kept.setdefault(element, {}).setdefault(name, []).append(opened)
                    else:
                        kept.setdefault(element, {}).setdefault(name, []).append(statement)
        return kept, fallen

    def _rests_on(self, element: str, fact: str, standing: Standing, place: Place | None) -> frozenset[str]:
        """The resources from which a fact of an element follows: what was looked at, and where the answer stands."""
        kind = self._kinds[element]
        resource = self.stack.resources.get(self.matched.resources.get(element, ""), self.whole)
        places = (place, *self.places.get((element, fact), ()))
        return self.facts.rests_on(kind, fact, resource).union(*map(standing.at, places))

    def _shared(self, element: str) -> Touch | None:
        """That another element of the same kind is said to be the same resource: which it is, is not told."""
        resource = self.matched.resources.get(element)
        nodes = self.system.nodes
        for other, name in self.matched.resources.items():
            if name == resource and other != element and nodes[other].kind == nodes[element].kind:
                why = f"{quoted(element)} and {quoted(other)} are stated to be the same resource"
                return Touch(frozenset((element,)), "changes", why, self.file.place(element))
        return None

    def _state_facts(self, element: str, kind: str, resource: Resource, statements: Statements) -> None:
        wanted = None if self.wanted is None else self.wanted[element]
        for name, found in self.facts.of(kind, resource, wanted).items():
            if isinstance(found, Answered) and (resource.doubt is None or self._alarms(kind, name, found.value)):
                statement = Statement(found.value, "template", found.places[0], found.note)
                self.places[element, name] = found.places
                statements.setdefault(element, {}).setdefault(name, []).append(statement)
            elif isinstance(found, Unanswered):
                usual = (found.usual.value,) if found.usual is not None else ()
                self.left_open.append(LeftOpen(element, name, found.why, found.place, usual))
            elif resource.doubt is not None:
                doubt = resource.doubt
                self.left_open.append(LeftOpen(element, name, doubt.why, doubt.place, (found.value,)))

    def _alarms(self, kind: str, name: str, value: object) -> bool:
        """Whether a value is bad to have, and good for nothing: it counts though its resource may not exist."""
        ways = self.ways
        return ways is not None and ways.alarms(kind, name, value) and not ways.reassured(kind, name, value)

    # --- what was read

    def read(self) -> Read:
        """What a reader of the report should know about the file."""
        functions = [name for name, kinds in self.file.kinds.items() if "function" in kinds]
        extra = dict.fromkeys((*functions, *self.lists.unread_parts))
        modelled = {*self.lists.elements, *self.file.element_of, *extra}
        unasked = [
            Problem(code="unknown-parameter", place=place, message=f"the file has no parameter {quoted(name)}")
            for name, place in self.base.stated.items()
            if name not in self.stack.parameters
        ]
        return Read(
            file=self.stack.file,
            kind=self.file.source.kind,
            elements=dict(self.matched.resources),
            missing=tuple(one for one in self.matched.missing if one[0] not in self.lists.elements.values()),
            extra=tuple(
                (name, self.file.kinds.get(name, ("",))[0], self.stack.resources[name].place)
                for name in extra
                if name not in self.lists.elements and name in self.stack.resources
            ),
            unread=tuple((one.name, one.why, one.place) for one in self.stack.unread),
            left_open=tuple(self.left_open),
            notes=(*self.stack.problems, *unasked, *self._unfinished()),
            signs=tuple(f"{what} at {place}" for what, place in signs(self.stack, dict(self.lists.relations))),
            unused=self._pairs("unused"),
            ungranted=self._pairs("ungranted"),
            unmodeled=unmodeled(self.stack, modelled),
        )

    def _unfinished(self) -> Iterator[Problem]:
        """That not all worlds of the file were read, and what to do."""
        if self.limit:
            message = f"not every way to deploy it was read: that takes more than {self.limit:,} operations"
            hint = "name a deployment that gives its parameters, or allow more with --work; the rest is unknown"
            yield Problem(code=WORK_LIMIT, place=Place(self.stack.file), message=message, hint=hint)

    def _pairs(self, name: str) -> tuple[tuple[str, str, Place], ...]:
        """Grants without a use, or uses without a grant: the function, the resource, the line."""
        return tuple(
            (self.file.element_of.get(function, function), use.resource, use.places[0])
            for function, relations in self.lists.relations.items()
            for use in getattr(relations, name)
        )


def _asks_relations(names: Container[str]) -> bool:
    """Whether what is asked for follows from how functions are wired."""
    return any(name in names for name in ("role_reaches_unused", *LISTS))
