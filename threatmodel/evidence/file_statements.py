"""What one file of infrastructure code says of a model's elements, and what of that holds in each way to deploy it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from threatmodel.evidence.answers import Answer, Unanswered
from threatmodel.evidence.claims import PASSING, WIRING, Claim, Fallen, Key, Said, Worlds, in_doubt, key_of
from threatmodel.evidence.deployed import Deployed
from threatmodel.evidence.lists import Lists
from threatmodel.evidence.matching import HeldFile
from threatmodel.evidence.relations.unused import unable
from threatmodel.evidence.relations.use import RELATIONS as USES
from threatmodel.evidence.sources import StackFiles
from threatmodel.evidence.unread_parts import Standing, Touch, touches
from threatmodel.evidence.what_was_read import reads
from threatmodel.evidence.worlds import Tree, World, held
from threatmodel.graph.elements import LeftOpen, Read
from threatmodel.library.directions import Directions
from threatmodel.model.facts import LEFT_OUT, OMITTED, Statement, Statements
from threatmodel.model.vocabulary import LISTS
from threatmodel.reading.problems import Place, quoted
from threatmodel.reading.values import replace
from threatmodel.stacks.assumed import Assumed
from threatmodel.stacks.stack import Resource
from threatmodel.stacks.tracking import tracked
from threatmodel.stacks.values import Table
from threatmodel.stacks.work import Work

if TYPE_CHECKING:
    from threatmodel.probe.seen import SeenCall

_PLANES = ("account", "pipeline")
"""The planes of which a file of infrastructure code can say something."""


class FileStatements:
    """The files of an environment compared with the model: what they state, by themselves and in other worlds."""

    def __init__(self, held: HeldFile, opened: StackFiles) -> None:
        self.file, self.environment, self.opened = held, held.environment, opened
        self.system, self.stack, self.facts, self.matched = held.system, held.stack, held.facts, held.matched
        self.lists = Lists(held)
        place = Place(held.stack.file)
        self.whole = Resource(name="", type="", properties=Table({}, place), place=place)
        self.places: dict[tuple[str, str], tuple[Place, ...]] = {}
        self.left_open: list[LeftOpen] = []
        self.limits: dict[str, int] = {}  # that ended the work on a file, by label

    @cached_property
    def kinds(self) -> Mapping[str, str]:
        """The kind of each element of the model, external systems among them."""
        nodes = {name: node.kind for name, node in self.system.nodes.items()}
        planes = {plane: plane for plane in _PLANES}
        return {**dict.fromkeys(self.system.externals, "external system"), **planes, **nodes}

    def deployed(self, element: str, resource: str) -> Deployed:
        """What the file makes of an element, for what ran elsewhere to be held against."""
        place = self.stack.resources[resource].place
        label, name = self.environment.own(resource)
        own = self.stack.joined.get(label, self.stack)
        nested = {one.file for one in own.nested}
        folder = Path(place.file if place.file in nested else own.file).parent
        shared = tuple(one for one, other in self.matched.resources.items() if other == resource and one != element)
        unable_to, paths = partial(self._unable, resource), partial(self._paths, resource)
        return Deployed(own, own.resources[name], folder, shared, unable_to, paths, self._signing(label))

    def _signing(self, label: str) -> Mapping[str, str]:
        """The secrets of Slack's requests among the resources of a file of the environment, each with its element."""
        found = {}
        for element, resource in self.matched.resources.items():
            grants = self.system.nodes[element].facts.get("grants")
            own_label, own = self.environment.own(resource)
            if grants is not None and grants.value == "slack-requests" and own_label == label:
                found[own] = element
        return found

    def _paths(self, name: str) -> Sequence[str]:
        """Return the routes by which requests reach a function."""
        relations = self.lists.relations.get(name)
        return [] if relations is None else [one.path for one in relations.triggers if one.by == "http"]

    def _unable(self, name: str, calls: Sequence[SeenCall]) -> Sequence[str]:
        """Which of the calls that a handler was seen to make the function's role does not allow, where all is known."""
        relations = self.lists.relations.get(name)
        if relations is None or any(one in relations.unknown for one in USES):
            return ()
        return unable(calls, self.stack.resources[name], self.stack, relations.rights)

    def state(self, statements: Statements) -> None:
        """Adds what the file says of each element, and of the planes."""
        for element, name in self._facts():
            self._state_fact(element, name, statements)
        self.lists.state(statements)
        self.left_open += self.lists.left_open

    def _facts(self) -> Iterator[Key]:
        """Each fact of which the file may say something, and its element."""
        for element, resource in self.matched.resources.items():
            kind = self.system.nodes[element].kind
            yield from ((element, name) for name in self.facts.names(kind, self.stack.resources[resource]))
        yield from ((secret, "kept_in") for secret in self.lists.supplied_secrets)
        for plane in _PLANES:
            names = self.facts.names(plane, self.whole, described=plane in self.system.nodes)
            yield from ((plane, name) for name in names)

    def questions(self) -> Iterator[Key]:
        """All that the file can be asked."""
        yield from self._facts()
        yield from ((element, WIRING) for element, kind in self.kinds.items() if kind == "function")
        yield PASSING

    def answer(self, key: Key) -> Said:
        """What the file says to a question."""
        found: Statements = {}
        element, name = key
        if key == PASSING:
            self.lists.state_passing(found)
        elif name == WIRING:
            self.lists.state_function(element, found)
        else:
            self._state_fact(element, name, found)
        return found

    def world(self, assumed: Assumed) -> World:
        """The file, read again in a world that it leaves open."""
        stack = tracked(self.opened.in_world(assumed))
        other = FileStatements(self.file.read_as(stack), self.opened)
        other.lists.seen, other.lists.signs = self.lists.seen, self.lists.signs
        other.lists.manifests, other.lists.served = self.lists.manifests, self.lists.served
        return World(stack, lambda key: stack.reads.during(lambda: other.answer(key)))

    def held(self, said: Statements, ways: Directions, work: Work) -> Statements:
        """What of the statements holds in every world that the file leaves open."""
        kept: dict[str, Mapping[str, Sequence[Statement]]] = {}
        fallen: list[Fallen] = []
        usual: dict[Key, Worlds] = {}
        files = self.environment.files
        for left, label in zip(range(len(files), 0, -1), files, strict=True):
            share = work.share(left)
            tree = Tree(replace(self.opened.base, work=share), self.stack, self.world, share)
            own = {element: by for element, by in said.items() if self._label(element) == label}
            keys = (key for key in self.questions() if self._label(key[0]) == label)
            found = held(own, self.kinds, tree, keys, ways)
            for element, by in found.said.items():
                kept[element] = {**kept.get(element, {}), **by}
            fallen += found.fallen
            usual |= found.usual
            if share.reached or self.stack.work.reached:
                self.limits[label] = work.allowed
        self.left_open = [
            one._replace(usual=one.usual or self._by_default(one, usual))
            for one in self.left_open
            if all(said.open or said.doubt for said in kept.get(one.element, {}).get(one.name, ()))
        ]
        counted, touched = self._counted(kept, ways)
        for element, name, statement, why, at in (*fallen, *touched):
            place = at or statement.place or self.file.place(element)
            value = () if name in LISTS else (statement.value,)
            self.left_open.append(LeftOpen(element, name, why, place, value))
        self.left_open = list({(one.element, one.name): one for one in self.left_open}.values())
        return counted

    def _by_default(self, left: LeftOpen, usual: Mapping[Key, Worlds]) -> tuple[Any, ...]:
        """The one value that a fact has in every world that the defaults of parameters leave; none for a list."""
        worlds = usual.get(key_of(left.element, self.kinds[left.element], left.name), Worlds((), "not read"))
        if worlds.beyond or left.name in LISTS:
            return ()
        said = [one for world in worlds.every for one in world.get(left.element, {}).get(left.name, [None])]
        known = [(one.value,) for one in said if one is not None and not one.doubt]
        return known[0] if len(known) == len(said) and len(set(known)) == 1 else ()

    def _label(self, element: str) -> str:
        """The label of the file that has an element; of the first for what no single file has."""
        return self.environment.own(self.matched.resources.get(element, ""))[0]

    def _counted(self, every: Said, ways: Directions) -> tuple[Statements, list[Fallen]]:
        """The statements, with those marked that an unread part of the file may change, and these by themselves."""
        kept: Statements = {}
        fallen: list[Fallen] = []
        parts = touches(self.stack, self.facts, self.file.element_of)
        standing = Standing(self.stack)
        for element, by in every.items():
            kind = self.kinds[element]
            shared = self._shared(element) or self._another(element)
            for name, statements in by.items():
                around = self.facts.looks_around(kind, name)
                for said in statements:
                    on = self._rests_on(element, name, standing, said.place) if parts else frozenset()
                    part = shared or next(
                        (one for one in parts if one.reaches(element, name, on, looked_around=around)), None
                    )
                    counts = said
                    if part is not None and Claim(element, kind, name, said, ways).reassures:
                        fallen.append(Fallen(element, name, said, part.why, part.place))
                        counts = in_doubt(name, said, part.why)
                    kept.setdefault(element, {}).setdefault(name, []).append(counts)
        return kept, fallen

    def _rests_on(self, element: str, fact: str, standing: Standing, place: Place | None) -> frozenset[str]:
        """Return the resources that a fact of an element follows from: those read, and the place of the answer."""
        kind = self.kinds[element]
        resource = self.stack.resources.get(self.matched.resources.get(element, ""), self.whole)
        places = (place, *self.places.get((element, fact), ()))
        return self.facts.rests_on(kind, fact, resource).union(*map(standing.at, places))

    def _shared(self, element: str) -> Touch | None:
        """Return that another element of the kind is stated to be the same resource, but not which one."""
        resource = self.matched.resources.get(element)
        nodes = self.system.nodes
        for other, name in self.matched.resources.items():
            if name == resource and other != element and nodes[other].kind == nodes[element].kind:
                why = f"{quoted(element)} and {quoted(other)} are stated to be the same resource"
                return Touch(frozenset((element,)), "changes", why, self.file.place(element))
        return None

    def _another(self, element: str) -> Touch | None:
        """Return that a secret is stated to be one resource, and the functions that use it use another one here."""
        nodes, resource = self.system.nodes, self.matched.resources.get(element, "")
        if self.kinds.get(element) != "secret" or element not in self.environment.source.resources:
            return None
        for node in nodes.values():
            stated = node.relations.get("secrets")
            relations = self.lists.relations.get(self.matched.resources.get(node.id, ""))
            if stated is None or relations is None or element not in stated.ids:
                continue
            used = [one.resource for one in relations.lists["secrets"]]
            other = next((one for one in used if not self.lists.element(one)), "")
            if other and resource not in used:
                why = f"{quoted(node.id)} uses {quoted(other)} here, and not {quoted(resource)}"
                return Touch(frozenset((element,)), "changes", why, self.file.place(element))
        return None

    def _state_fact(self, element: str, name: str, statements: Statements) -> None:
        kind = self.kinds[element]
        own = self.stack.resources.get(self.matched.resources.get(element, ""))
        resource = self.whole if element in _PLANES else own
        if resource is None and element in self.lists.supplied_secrets:
            statements.setdefault(element, {}).setdefault(name, []).append(self.lists.supplied_secrets[element])
        found = self.facts.fact(kind, resource, name) if resource is not None else None
        if resource is None or found is None:
            return
        if element in _PLANES and element not in self.system.nodes and not self._is_shown(found):
            return
        if isinstance(found, Unanswered):
            self.left_open.append(LeftOpen(element, name, found.why, found.place, ()))
            why, found = found.why, found.stands
        else:
            doubt = resource.doubt or found.doubt
            why = doubt.why if doubt is not None else ""
            if doubt is not None:
                self.left_open.append(LeftOpen(element, name, doubt.why, doubt.place, (found.value,)))
        if found is not None:
            self.places[element, name] = found.places
            statement = Statement(found.value, "template", found.places[0], found.note, doubt=why)
            statements.setdefault(element, {}).setdefault(name, []).append(statement)

    def _is_shown(self, found: Answer) -> bool:
        """Whether a resource shows a fact: what no resource says is nothing of a plane that no model describes."""
        said = found.stands if isinstance(found, Unanswered) else found
        if said is None or said.value is None:
            return False
        return said.note not in OMITTED or (said.note == LEFT_OUT and said.places[0] != self.whole.place)

    def read(self) -> Mapping[int, Read]:
        """Return what a reader of the report should know about each file, by its number among the evidence."""
        return reads(self)
