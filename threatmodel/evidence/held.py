"""Files of infrastructure code, held against the model: what each knows of the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from threatmodel.evidence.environments import Environment
from threatmodel.evidence.mappings.load import load_mappings
from threatmodel.evidence.mappings.stack_facts import StackFacts
from threatmodel.evidence.matching import Matches, matches
from threatmodel.evidence.relations.naming import kinds_of
from threatmodel.model.system import System
from threatmodel.reading.problems import Place
from threatmodel.reading.values import dataclass, replace
from threatmodel.stacks.stack import Stack


@dataclass(frozen=True, kw_only=True)
class HeldFile:
    """The files of an environment, and what of them is which element: `kinds` are those of each resource."""

    system: System
    environment: Environment
    stack: Stack
    facts: StackFacts
    kinds: Mapping[str, Sequence[str]]
    matched: Matches

    @cached_property
    def element_of(self) -> Mapping[str, str]:
        """The element of each resource that is one."""
        return {name: element for element, name in self.matched.resources.items()}

    def place(self, element: str) -> Place:
        """Return where an element is in the file."""
        return self.stack.resources[self.matched.resources[element]].place

    def read_as(self, stack: Stack) -> HeldFile:
        """The same file read in another world: what was found to be an element stays it, wherever it is there at all.

        Names may depend on what a world changes (the stage of a serverless.yml is in each); which resource an author
        means does not.
        """
        facts, kinds = _kinds(stack)
        found: dict[str, str] = {}
        missing = list(self.matched.missing)
        for element, name in self.matched.resources.items():
            node = self.system.nodes[element]
            if node.kind in kinds.get(name, ()):
                found[element] = name
            else:
                missing.append((element, node.kind, node.place))
        matched = Matches(found, tuple(missing), ())
        return replace(self, stack=stack, facts=facts, kinds=kinds, matched=matched)


def held_file(system: System, environment: Environment, stack: Stack) -> HeldFile:
    """Find the element of each resource by the model's statement, by kind and by name."""
    facts, kinds = _kinds(stack)
    matched = matches(system, environment.source, stack, kinds)
    return HeldFile(system=system, environment=environment, stack=stack, facts=facts, kinds=kinds, matched=matched)


def _kinds(stack: Stack) -> tuple[StackFacts, Mapping[str, Sequence[str]]]:
    """What reads facts of a stack, and the kinds of element that each resource can be."""
    facts = StackFacts(stack, load_mappings())
    return facts, {name: kinds_of(kind, facts) for name, kind in stack.types()}
