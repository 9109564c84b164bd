"""The files that a model names as evidence, read and turned into statements about its elements."""

from __future__ import annotations

import datetime
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from threatmodel.evidence.answers import Answered, Unanswered
from threatmodel.evidence.deployed import Deployed
from threatmodel.evidence.mappings.stack_facts import StackFacts
from threatmodel.evidence.matching import matches, named_elsewhere
from threatmodel.evidence.opened import assumed, mappings_of, opened
from threatmodel.evidence.relations.found import FunctionRelations, Start, Use, function_relations, may_be_slack
from threatmodel.evidence.relations.naming import kinds_of
from threatmodel.evidence.relations.passing import Passed, passed_on
from threatmodel.evidence.relations.rights import RELATIONS as USES
from threatmodel.evidence.relations.unused import Needed, unused
from threatmodel.evidence.relations.used import unable, used
from threatmodel.evidence.signs import signs
from threatmodel.evidence.strangers import Standing, Touch, touches
from threatmodel.evidence.unmodelled import unmodelled
from threatmodel.evidence.worlds import Claim, Fallen, Readings, Said, WantedFacts, held
from threatmodel.graph.elements import Read, Untold
from threatmodel.graph.resolved import Evidence
from threatmodel.library.directions import Directions
from threatmodel.model.facts import Statement, Statements
from threatmodel.model.system import BY_ID, REQUESTS, THROUGH, EvidenceFile, Reference, System, Trigger
from threatmodel.model.vocabulary import LISTS
from threatmodel.reading.files import Files
from threatmodel.reading.problems import InputError, Place, Problem, quoted
from threatmodel.stacks.assumed import Assumed
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import table

if TYPE_CHECKING:
    from threatmodel.probe.seen import SeenCall

_ELSEWHERE = "another file may have it hand on to more"
_PLANES = ("account", "pipeline")
"""The planes of which a file of infrastructure code can say something."""


def collect(
    system: System, files: Files, ways: Directions | None = None, today: datetime.date | None = None
) -> tuple[Evidence, tuple[Read, ...]]:
    """What the evidence of a model says: statements about its elements, and what was read.

    A system whose files hold all its functions has them from `with_functions`.  With the directions of a library,
    what reassures is evidence only where it holds in every world that its file leaves open; without them nobody may
    call anything proven; with `today`, old probes are word.  Raises InputError where a file cannot be used.
    """
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
            one.seen = seen
    for number, one in opened_files.items():
        said: Statements = {}
        one.state(said)
        _add(one.held(said, files, ways) if ways is not None else said, statements)
        read_files[number] = one.read()
    _add(probed, statements)
    if problems:
        raise InputError(problems)
    return statements, tuple(found for _, found in sorted(read_files.items()))


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
        found[number] = _One(system, source, base, stack, ways)
        problems += found[number].problems
    return found


def _add(said: Statements, statements: Statements) -> None:
    for element, by in said.items():
        for name, found in by.items():
            statements.setdefault(element, {}).setdefault(name, []).extend(found)


class _One:
    """One file held against the model."""

    def __init__(
        self, system: System, source: EvidenceFile, base: Assumed, stack: Stack, ways: Directions | None
    ) -> None:
        self.ways, self.base = ways, base
        self.system, self.source, self.stack = system, source, stack
        facts = self.facts = StackFacts(stack, mappings_of(stack.kind))
        self.kinds = {name: kinds_of(resource, facts) for name, resource in stack.resources.items()}
        self.matched = matches(system, source, stack, self.kinds)
        self.problems = self.matched.problems
        self.element_of = {name: element for element, name in self.matched.resources.items()}
        self.wanted: WantedFacts | None = None
        place = Place(stack.file)
        self.whole = Resource(name="", type="", properties=table({}, place), place=place)
        self.seen: Mapping[str, frozenset[SeenCall]] = {}
        self.places: dict[tuple[str, str], tuple[Place, ...]] = {}
        self.untold: list[Untold] = []
        self.strangers: dict[str, list[Place]] = {}

    def deployed(self, element: str, resource: str) -> Deployed:
        """What the file makes of an element, for what ran elsewhere to be held against."""
        place = self.stack.resources[resource].place
        nested = {one.file for one in self.stack.nested}
        folder = Path(place.file if place.file in nested else self.stack.file).parent
        shared = tuple(one for one, name in self.matched.resources.items() if name == resource and one != element)
        return Deployed(self.stack, self.stack.resources[resource], folder, shared, partial(self._unable, resource))

    def _unable(self, name: str, calls: Sequence[SeenCall]) -> Sequence[str]:
        """Which of the calls that a handler was seen to make the function's role does not allow, where all is known."""
        relations = self.relations.get(name)
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
        for name, relations in self.relations.items():
            if name in self.element_of:
                self._state_relations(self.element_of[name], relations, statements)
        self._state_passing(statements)

    def held(self, said: Statements, files: Files, ways: Directions) -> Statements:
        """What of the statements holds in every world that the file leaves open."""
        base = self.base
        stacks: dict[str, Stack] = {repr(base): self.stack}

        def stack(assumed: Assumed) -> Stack:
            found = stacks.get(repr(assumed))
            if found is None:
                found = stacks[repr(assumed)] = opened(self.source, self.system, files, assumed)
            return found

        def stated(stack: Stack, wanted: WantedFacts | None) -> Statements:
            found: Statements = {}
            other = _One(self.system, self.source, base, stack, ways)
            other.seen = self.seen
            other.state(found, wanted)
            return found

        kinds = {name: node.kind for name, node in self.system.nodes.items()}
        kept, fallen = held(said, kinds, Readings(base, stack, stated), ways)
        self.untold = [
            one for one in self.untold if all(said.open for said in kept.get(one.element, {}).get(one.name, ()))
        ]
        untouched, touched = self._untouched(kept, ways)
        for element, name, statement, why, at in (*fallen, *touched):
            place = at or statement.place or self._place(element)
            value = () if name in LISTS else (statement.value,)
            self.untold.append(Untold(element, name, why, place, value))
        return untouched

    def _untouched(self, said: Said, ways: Directions) -> tuple[Statements, list[Fallen]]:
        """The statements that no unread part of the file may change, and those that one may."""
        kept: Statements = {}
        fallen: list[Fallen] = []
        parts = touches(self.stack, self.facts, self.element_of)
        standing = Standing(self.stack)
        for element, by in said.items():
            kind = self.system.nodes[element].kind
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
        kind = self.system.nodes[element].kind
        resource = self.stack.resources.get(self.matched.resources.get(element, ""), self.whole)
        places = (place, *self.places.get((element, fact), ()))
        return self.facts.rests_on(kind, fact, resource).union(*map(standing.at, places))

    def _shared(self, element: str) -> Touch | None:
        """That another element of the same kind is said to be the same resource: which it is, is not told."""
        resource = self.matched.resources.get(element)
        nodes = self.system.nodes
        for other, name in self.matched.resources.items():
            if name == resource and other != element and nodes[other].kind == nodes[element].kind:
                why = f"{quoted(element)} and {quoted(other)} are said to be the same resource"
                return Touch(frozenset((element,)), "changes", why, self._place(element))
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
                self.untold.append(Untold(element, name, found.why, found.place, usual))
            elif resource.doubt is not None:
                doubt = resource.doubt
                self.untold.append(Untold(element, name, doubt.why, doubt.place, (found.value,)))

    def _alarms(self, kind: str, name: str, value: object) -> bool:
        """Whether a value is bad to have, and good for nothing: it counts though its resource may not exist."""
        ways = self.ways
        return ways is not None and ways.alarms(kind, name, value) and not ways.reassured(kind, name, value)

    # --- relations

    @cached_property
    def relations(self) -> Mapping[str, FunctionRelations]:
        """How each function of the file is wired."""
        return function_relations(self.stack, self.facts)

    @cached_property
    def passed(self) -> Sequence[Passed]:
        """What elements of the file hand on with no function between."""
        return passed_on(self.stack, self.facts)

    @cached_property
    def elements(self) -> Mapping[str, str]:
        """The element of each resource, and of what the file only names: services of AWS, what other stacks hold."""
        said = (
            *(start.source for relations in self.relations.values() for start in relations.triggers),
            *(use.resource for one in self.relations.values() for uses in _lists(one) for use in uses),
            *(one.to for one in self.passed),
        )
        named = dict.fromkeys(
            name
            for name in said
            if name
            and name not in self.element_of
            and (name not in self.stack.resources or "external system" in self.kinds[name])
        )
        return {**named_elsewhere(self.system, self.source, self.stack, self.matched, named), **self.element_of}

    def _state_relations(self, element: str, relations: FunctionRelations, statements: Statements) -> None:
        for name in (*USES, "calls"):
            uses: tuple[Use, ...] = getattr(relations, name)
            known = tuple(self.elements[use.resource] for use in uses if use.resource in self.elements)
            self._note_strangers(uses)
            doubt = relations.unknown.get(name) or self._unmatched(uses, "it uses")
            if name == "calls":
                doubt = (
                    Unanswered("no file shows which other systems it calls", self._place(element)) if known else None
                )
            if name == "calls" and not known:
                continue
            if doubt is not None or name in self.system.nodes[element].relations or known:
                self._state_list(element, name, known, uses, doubt, statements)
        calls = self.seen.get(element)
        function = self.stack.resources[self.matched.resources[element]]
        seen = None if calls is None else used(calls, function, self.stack)
        role = self.stack.target(function.properties.entries.get("Role"))
        needed = Needed(seen, by_sam=role is not None and role.made_by == function.name)
        said = unused(self.system.nodes[element], relations, self.elements, needed, self._place(element))
        if isinstance(said, Statement):
            statements.setdefault(element, {}).setdefault("role_reaches_unused", []).append(said)
        elif said is not None:
            self.untold.append(Untold(element, "role_reaches_unused", said.why, said.place, ()))
        if relations.itself is not None:
            itself = Statement(value=True, source="template", place=relations.itself, note="it is let call itself")
            statements.setdefault(element, {}).setdefault("starts_itself", []).append(itself)
        doubt = relations.unknown.get("triggers") or self._unmatched(relations.triggers, "it is started by")
        triggers = tuple(self._triggers(element, relations))
        self._state_list(element, "triggers", triggers, relations.triggers, doubt, statements)

    def _state_passing(self, statements: Statements) -> None:
        """States what elements hand on by themselves; whoever may write such a rule elsewhere may add to it."""
        found: dict[str, dict[str, Place]] = {}
        for one in self.passed:
            if one.to not in self.elements:
                self.strangers.setdefault(one.to, []).append(one.place)
            elif one.source in self.element_of:
                found.setdefault(self.element_of[one.source], {}).setdefault(self.elements[one.to], one.place)
        for element, to in found.items():
            said = Statement(tuple(to), "template", next(iter(to.values())), open=_ELSEWHERE)
            statements.setdefault(element, {}).setdefault("passes_to", []).append(said)

    def _state_list(  # noqa: PLR0913, PLR0917 - a list: of what, its name, its members, their signs, why it is open
        self,
        element: str,
        name: str,
        members: tuple[Any, ...],
        signs: Sequence[Use | Start],
        doubt: Unanswered | None,
        statements: Statements,
    ) -> None:
        """States the members that are certain, and whether there may be more."""
        if doubt is not None:
            self.untold.append(Untold(element, name, doubt.why, doubt.place, ()))
        if doubt is None or members:
            place = signs[0].places[0] if signs else self._place(element)
            said = Statement(members, "template", place, open=doubt.why if doubt is not None else "")
            statements.setdefault(element, {}).setdefault(name, []).append(said)

    def _unmatched(self, found: Sequence[Use | Start], how: str) -> Unanswered | None:
        """Why a list is not whole: something in it that the model lacks."""
        for one in found:
            name = one.resource if isinstance(one, Use) else one.source
            if name and name not in self.elements and not (isinstance(one, Use) and "destination" in one.how):
                return Unanswered(f"{how} {quoted(name)}, which the model lacks", one.places[0])
        return None

    def _place(self, element: str) -> Place:
        return self.stack.resources[self.matched.resources[element]].place

    def _triggers(self, element: str, relations: FunctionRelations) -> Iterator[Trigger]:
        """The triggers as the model's: a request through an api that the model says is Slack's stays Slack's."""
        routes: dict[tuple[str, str], list[Trigger]] = {}
        for one in self.system.nodes[element].triggers or ():
            if one.by in REQUESTS and one.source is not None:
                routes.setdefault((one.source.id, one.path), []).append(one)
        for start in relations.triggers:
            if start.source and start.source not in self.elements:
                self.strangers.setdefault(start.source, []).extend(start.places)
                continue
            if not start.certain or (not start.source and THROUGH[start.by]):
                continue  # it may not exist, or comes through what is none of this file
            api = self.elements.get(start.source, "")
            paths = dict.fromkeys(("", start.path) if start.by == "http" else ())
            told = [one for path in paths for one in routes.get((api, path), ())]
            slack = [one for one in told if one.by == "slack"] if may_be_slack(start) else []
            if slack:
                yield from (replace(trigger, place=start.places[0]) for trigger in slack)
            else:
                said = any(one.by == "http" and not one.caller for one in told)
                yield _trigger(start, api, "unknown" if may_be_slack(start) and not said else "")

    def _note_strangers(self, uses: tuple[Use, ...]) -> None:
        for use in uses:
            if use.resource not in self.elements and "destination" not in use.how:  # what fails goes there
                self.strangers.setdefault(use.resource, []).extend(use.places)

    # --- what was read

    def read(self) -> Read:
        """What a reader of the report should know about the file."""
        functions = [name for name, kinds in self.kinds.items() if "function" in kinds]
        extra = dict.fromkeys((*functions, *self.strangers))
        modelled = {*self.elements, *self.element_of, *extra}
        unasked = [
            Problem(code="unknown-parameter", place=place, message=f"the file has no parameter {quoted(name)}")
            for name, place in self.base.stated.items()
            if name not in self.stack.parameters
        ]
        return Read(
            file=self.stack.file,
            kind=self.source.kind,
            elements=dict(self.matched.resources),
            missing=tuple(one for one in self.matched.missing if one[0] not in self.elements.values()),
            extra=tuple(
                (name, self.kinds.get(name, ("",))[0], self.stack.resources[name].place)
                for name in extra
                if name not in self.elements and name in self.stack.resources
            ),
            unread=tuple((one.name, one.why, one.place) for one in self.stack.unread),
            untold=tuple(self.untold),
            notes=(*self.stack.problems, *unasked),
            signs=tuple(f"{what} at {place}" for what, place in signs(self.stack, dict(self.relations))),
            unused=self._pairs("unused"),
            ungranted=self._pairs("ungranted"),
            unmodelled=unmodelled(self.stack, modelled),
        )

    def _pairs(self, name: str) -> tuple[tuple[str, str, Place], ...]:
        """Grants without a use, or uses without a grant: the function, the resource, the line."""
        return tuple(
            (self.element_of.get(function, function), use.resource, use.places[0])
            for function, relations in self.relations.items()
            for use in getattr(relations, name)
        )


def _asks_relations(names: Container[str]) -> bool:
    """Whether what is asked for follows from how functions are wired."""
    return any(name in names for name in ("role_reaches_unused", *LISTS))


def _lists(relations: FunctionRelations) -> Iterator[Sequence[Use]]:
    """All lists of what a function uses."""
    yield from (getattr(relations, name) for name in (*USES, "calls"))


def _trigger(start: Start, source: str, caller: str) -> Trigger:
    place = start.places[0]
    reference = Reference(source, place) if source else None
    detail = source if start.by in BY_ID else start.detail
    return Trigger(by=start.by, detail=detail, source=reference, path=start.path, place=place, caller=caller)
