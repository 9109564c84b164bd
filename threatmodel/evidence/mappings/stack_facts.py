"""Facts out of a stack: the places in the data files, looked up resource by resource.

Nothing here knows a single fact: they are rows of cloudformation.yaml.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from threatmodel.evidence.analyses.registry import answering
from threatmodel.evidence.answers import Answer, Answered, Gathered, Outcome, Unanswered, doubt_of, unknown
from threatmodel.evidence.mappings.format import FactMapping, Mappings, PathPart, Source, Step, ValuePath
from threatmodel.evidence.mappings.lookup import (
    NOT_SHOWN,
    OUTSIDE,
    has_values,
    lacking,
    may_be,
    names_in,
    names_other,
    own_names,
    said,
    standing,
)
from threatmodel.evidence.resource_types import RESOURCE_TYPES
from threatmodel.model.facts import LEFT_OUT, NOWHERE
from threatmodel.model.vocabulary import FACTS, FactRow
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Node, Unknown, links


class _Spot(NamedTuple):
    """A resource that steps led to; `doubt` where it is not sure that they do."""

    resource: Resource
    doubt: Unknown | None


class _Referring(NamedTuple):
    """Resources of a type by what one of their properties refers to, or may.

    `uncertain` are those of which that is unknown, `texts` what no resource surely has as its name.
    """

    known: dict[str, list[Resource]]
    uncertain: list[_Spot]
    texts: list[tuple[Node, Resource]]


_STAND_FOR = tuple(
    Step("from", row.names, (PathPart("key", row.stands_for),))
    for row in dict.fromkeys(RESOURCE_TYPES.values())
    if row.stands_for
)
"""From a resource to those that stand for it."""
_MAY_NAME = "a reference whose value is unknown may name it"


class StackFacts:
    """The facts of one stack's resources."""

    def __init__(self, stack: Stack, mappings: Mappings) -> None:
        self._stack = stack
        self._mappings = mappings
        self._once = stack.once
        self._rows: dict[tuple[str, str], Mapping[str, tuple[FactRow, Sequence[FactMapping]]]] = {}

    def on(self, stack: Stack) -> StackFacts:
        """Return what reads the same facts of another stack."""
        return StackFacts(stack, self._mappings)

    def kinds_of_type(self, type_: str) -> tuple[str, ...]:
        """All kinds of element that a resource of a type can be."""
        return tuple(kind for kind, types in self._mappings.elements.items() if type_ in types)

    def names(self, kind: str, resource: Resource, *, described: bool = True) -> Iterable[str]:
        """The facts of which a resource can say something, as an element of a kind that a model has or may have."""
        tried = self._tried(kind, resource.type)
        return (name for name, (_, places) in tried.items() if described or not all(one.described for one in places))

    def of(self, kind: str, resource: Resource) -> Mapping[str, Answer]:
        """Every fact of the element that a resource is, as `fact` gives it."""
        found = {name: self.fact(kind, resource, name) for name in self.names(kind, resource)}
        return {name: outcome for name, outcome in found.items() if outcome is not None}

    def fact(self, kind: str, resource: Resource, name: str) -> Outcome:
        """A fact of the element that a resource is, or of a plane (`resource` then stands for the whole file)."""
        row = self._tried(kind, resource.type).get(name)
        return None if row is None else self._fact(row[0], kind, row[1], resource)

    def _tried(self, kind: str, of: str) -> Mapping[str, tuple[FactRow, Sequence[FactMapping]]]:
        """The facts of a kind with the places that can say something of a type of resource."""
        found = self._rows.get((kind, of))
        if found is None:
            every = self._mappings.facts.get(kind, {})
            fitting = {
                name: [mapping for mapping in tried if not mapping.source.types or not of or of in mapping.source.types]
                for name, tried in every.items()
            }
            found = {name: (FACTS[kind][name], tried) for name, tried in fitting.items() if tried}
            self._rows[kind, of] = found
        return found

    def _fact(self, row: FactRow, kind: str, tried: Sequence[FactMapping], resource: Resource) -> Outcome:
        looked_around = False
        for at, mapping in enumerate(tried, 1):
            if mapping.predicate == "otherwise":
                return self._otherwise(mapping, resource, looked_around=looked_around)
            if mapping.analysis:
                sources = self._mappings.gathered[kind][mapping.gather]
                looked_around |= any(step.way != "to" for source in sources for step in source.steps)
                outcome = self._analysed(mapping, kind, resource)
                if isinstance(outcome, Answered) and (doubt := self._doubt(mapping, kind, resource) or outcome.doubt):
                    without = self._fact(row, kind, tried[at:], resource)
                    same = isinstance(without, Answered) and without.value == outcome.value
                    outcome = outcome._replace(doubt=None if same else doubt)
            else:
                looked_around |= any(step.way != "to" for step in mapping.source.steps)
                outcome = self._looked_up(row, mapping, resource)
            if outcome is not None:
                return outcome
        return None

    def _doubt(self, mapping: FactMapping, kind: str, resource: Resource) -> Unknown | None:
        """Why nothing may be there of what an analysis looks at."""
        doubts = [doubt_of(part.resource, resource) for part in self.gathered(kind, mapping.gather, resource)]
        return doubts[0] if all(doubts) else None

    def _otherwise(self, mapping: FactMapping, resource: Resource, *, looked_around: bool) -> Answer:
        nowhere = Answered(mapping.says, (resource.place,), NOWHERE)
        if resource.opaque is not None:
            return Unanswered(resource.opaque.why, resource.opaque.place, stands=nowhere)
        if looked_around and self._stack.unread:
            first = self._stack.unread[0]
            return Unanswered(f"{first.name} may state it: {first.why}", first.place, stands=nowhere)
        return nowhere

    def gathered(self, kind: str, gather: str, resource: Resource) -> Sequence[Gathered]:
        """What a `gather` of a kind leads to from a resource; nothing for what is not of that kind."""
        sources = self._mappings.gathered.get(kind, {}).get(gather, ())
        return self._once(
            ("gathered", kind, gather, resource.name),
            lambda: [part for source in sources for part in self._parts(source, resource)],
        )

    def looks_around(self, kind: str, fact: str) -> bool:
        """Whether a fact follows from resources beside the element's own, which others may add to."""
        for mapping in self._mappings.facts.get(kind, {}).get(fact, ()):
            sources = self._mappings.gathered[kind][mapping.gather] if mapping.analysis else (mapping.source,)
            if any(step.way != "to" for source in sources for step in source.steps):
                return True
        return False

    def rests_on(self, kind: str, fact: str, resource: Resource) -> frozenset[str]:
        """The resources of which an analysis looks at a part to answer a fact."""
        sets = {mapping.gather for mapping in self._mappings.facts.get(kind, {}).get(fact, ()) if mapping.analysis}
        parts = (part for gather in sets for part in self.gathered(kind, gather, resource))
        return frozenset(part.resource.name for part in parts)

    # --- analyses

    def _analysed(self, mapping: FactMapping, kind: str, resource: Resource) -> Outcome:
        parts = self.gathered(kind, mapping.gather, resource)
        if not parts:
            return None
        return answering(mapping.analysis, self._mappings.answered_by[mapping.analysis])(parts, resource, self._stack)

    def _parts(self, source: Source, resource: Resource) -> Sequence[Gathered]:
        """What a source leads to; what does not begin at the element is the same for all and looked up once."""
        if not source.steps or source.steps[0].way != "any":
            return tuple(self._gathered(source, resource))
        if source.types and resource.type not in source.types:
            return ()
        return self._once(("shared", source), lambda: tuple(self._gathered(source, resource)))

    def _gathered(self, source: Source, resource: Resource) -> Iterator[Gathered]:
        if source.types and resource.type and resource.type not in source.types:
            return
        for spot in self._walked(source.steps, resource):
            if spot.doubt is not None:
                yield Gathered(source.part, spot.doubt, spot.resource)
            elif not source.at:
                yield Gathered(source.part, spot.resource.properties, spot.resource)
            else:
                for node in standing(spot.resource.properties, source.at):
                    yield Gathered(source.part, node, spot.resource)
                if spot.resource.opaque is not None:
                    yield Gathered(source.part, spot.resource.opaque, spot.resource)

    # --- lookups

    def _looked_up(self, row: FactRow, mapping: FactMapping, resource: Resource) -> Outcome:
        found: list[Answer] = []
        for spot in self._walked(mapping.source.steps, resource):
            if spot.doubt is not None:
                found.append(unknown(spot.doubt))
                continue
            doubt = spot.resource.doubt if spot.resource is not resource else None
            answers = self._at(row, mapping, spot.resource)
            found += answers if doubt is None else (unknown(doubt) for _ in answers)
        return _together(found, mapping.over) if found else None

    def _at(self, row: FactRow, mapping: FactMapping, resource: Resource) -> Iterator[Answer]:
        """Return what a mapping states of one resource: an outcome for each value."""
        nodes = (
            [resource.properties] if not mapping.source.at else list(standing(resource.properties, mapping.source.at))
        )
        if nodes:
            for node in nodes:
                at = node.place if mapping.source.at else resource.place
                yield said(row, mapping, node, at)
            for item in lacking(resource.properties, mapping.source.at) if mapping.left_out else ():
                yield Answered(mapping.left_out[0], (item.place,), LEFT_OUT)
        elif resource.opaque is not None:
            yield unknown(resource.opaque)
        elif mapping.left_out:
            yield Answered(mapping.left_out[0], (resource.place,), LEFT_OUT)

    # --- steps

    def _walked(self, steps: Sequence[Step], resource: Resource) -> Iterator[_Spot]:
        spots = [_Spot(resource, None)]
        if steps and steps[0].way == "from":  # a permission on an alias opens its function just as well
            spots += self._standing_for(resource)
        for step in steps:
            spots = [after for spot in spots for after in self._stepped(step, spot)]
        return iter(spots)

    def _standing_for(self, resource: Resource) -> Sequence[_Spot]:
        """The resources that stand for another one, such as an alias for its function, and those that may."""
        return self._once(
            ("standing for", resource.name),
            lambda: [spot for step in _STAND_FOR for spot in self._referring(step, resource)],
        )

    def _stepped(self, step: Step, spot: _Spot) -> Iterator[_Spot]:
        if spot.doubt is not None:
            yield spot
            return
        match step.way:
            case "any":
                found: Iterable[_Spot] = (_Spot(one, None) for name in step.types for one in self._of_type(name))
            case "from":
                found = self._referring(step, spot.resource)
            case _:
                found = self._referred(step, spot.resource)
        yield from (fitting for one in found for fitting in _fitting(one, step.where))

    def _referred(self, step: Step, resource: Resource) -> Iterator[_Spot]:
        """The resources that a property refers to; a doubt where it refers to something outside this file."""
        for node in standing(resource.properties, step.by):
            target = self._stack.target(node)
            if target is not None and target.type in step.types:
                yield _Spot(target, None)
            elif target is None:
                named = self._named(node, step.types)
                yield named or _Spot(resource, node if isinstance(node, Unknown) else Unknown(OUTSIDE, node.place))
        if resource.opaque is not None:
            yield _Spot(resource, resource.opaque)

    def _named(self, node: Node, types: Sequence[str]) -> _Spot | None:
        """The resource of this file whose own name a text gives."""
        meant = set(names_in(node))
        for name in types:
            for resource in self._of_type(name):
                if not meant.isdisjoint(self._names_of(resource)):
                    return _Spot(resource, None)
        return None

    def _referring(self, step: Step, resource: Resource) -> Iterator[_Spot]:
        """The resources of some types whose property refers to this one, by a link or by its own name."""
        names = {resource.name, *(f"={name}" for name in self._names_of(resource))}
        for kind in step.types:
            by_target = partial(self._referring_by, kind, step.by)
            known, uncertain, texts = self._once(("referring", kind, step.by), by_target)
            seen = set()
            for name in sorted(names):
                for referring in known.get(name, ()):
                    if referring.name not in seen:
                        seen.add(referring.name)
                        yield _Spot(referring, None)
            yield from uncertain
            for text, referring in texts:
                if referring.name not in seen and may_be(resource, text):
                    yield _Spot(referring, Unknown(_MAY_NAME, text.place))

    def _of_type(self, kind: str) -> tuple[Resource, ...]:
        return self._once(("type", kind), lambda: tuple(self._stack.of_type(kind)))

    def _names_of(self, resource: Resource) -> tuple[str, ...]:
        return self._once(("own names", resource.name), lambda: tuple(own_names(resource)))

    def _referring_by(self, kind: str, by: ValuePath) -> _Referring:
        known: dict[str, list[Resource]] = {}
        uncertain: list[_Spot] = []
        texts: list[tuple[Node, Resource]] = []
        for resource in self._of_type(kind):
            for node in standing(resource.properties, by):
                if names_other(kind, node):
                    continue
                if isinstance(node, Unknown):
                    uncertain.append(_Spot(resource, node))
                linked = dict.fromkeys(link.resource for link in links(node))
                for name in (*linked, *(f"={own}" for own in names_in(node))):  # after = what a plain text gives
                    known.setdefault(name, []).append(resource)
                if names_in(node) and not self._is_named(node):
                    texts.append((node, resource))
            if resource.opaque is not None:
                uncertain.append(_Spot(resource, resource.opaque))
        return _Referring(known, uncertain, texts)

    def _is_named(self, node: Node) -> bool:
        """Whether a text is surely the name of some resource of this file."""
        every = self._once(
            "every own name", lambda: {name for one in self._stack.resources.values() for name in self._names_of(one)}
        )
        return not every.isdisjoint(names_in(node))


def _fitting(spot: _Spot, where: Sequence[tuple[str, str]]) -> Iterator[_Spot]:
    """The spot, where its resource has these values; as a doubt, where it may have them."""
    properties, opaque = spot.resource.properties, spot.resource.opaque
    having = has_values(properties, where)
    if spot.doubt is not None:
        if having is not False:
            yield spot
    elif opaque is not None and any(name not in properties.entries for name, _ in where):
        yield _Spot(spot.resource, opaque)
    elif having:
        yield spot
    elif having is None:
        yield _Spot(spot.resource, Unknown(NOT_SHOWN, spot.resource.place))


# --- several results


def _together(found: Sequence[Answer], over: str) -> Answer:
    """Several results as one."""
    if len(found) == 1:
        return found[0]
    answers = [one for one in found if isinstance(one, Answered)]
    open_ones = [one for one in found if isinstance(one, Unanswered)]
    if over in {"any", "every"}:
        decisive = (one for one in answers if one.value is (over == "any"))
        ranked: list[Answer] = [*decisive, *open_ones, *answers]
        return ranked[0]
    if open_ones:
        return open_ones[0]
    if over == "same":
        same = all(one.value == answers[0].value for one in answers)
        return answers[0] if same else Unanswered("several resources have different values", answers[0].places[0])
    endless = next((one for one in reversed(answers) if one.value is None), None)
    added = sum(one.value or 0 for one in answers)
    return endless or Answered(added, tuple(one.places[0] for one in answers), "their sum")
