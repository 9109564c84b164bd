"""A file of infrastructure code, held against the model: what each knows of the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from threatmodel.evidence.mappings.stack_facts import StackFacts
from threatmodel.evidence.matching import Matches, matches
from threatmodel.evidence.opened import mappings_of
from threatmodel.evidence.relations.naming import kinds_of
from threatmodel.model.system import EvidenceFile, System
from threatmodel.reading.problems import Place
from threatmodel.stacks.stack import Stack


@dataclass(frozen=True, kw_only=True)
class HeldFile:
    """The file that a source names, and what of it is which element: `kinds` are those of each resource."""

    system: System
    source: EvidenceFile
    stack: Stack
    facts: StackFacts
    kinds: Mapping[str, Sequence[str]]
    matched: Matches

    @cached_property
    def element_of(self) -> Mapping[str, str]:
        """The element of each resource that is one."""
        return {name: element for element, name in self.matched.resources.items()}

    def place(self, element: str) -> Place:
        """Where an element stands in the file."""
        return self.stack.resources[self.matched.resources[element]].place


def held_file(system: System, source: EvidenceFile, stack: Stack) -> HeldFile:
    """Finds the element of each resource by the model's word, by kind and by name."""
    facts = StackFacts(stack, mappings_of(stack.kind))
    kinds = {name: kinds_of(resource, facts) for name, resource in stack.resources.items()}
    matched = matches(system, source, stack, kinds)
    return HeldFile(system=system, source=source, stack=stack, facts=facts, kinds=kinds, matched=matched)
