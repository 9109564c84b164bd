"""What is computed once for a stack is that stack's alone."""

from __future__ import annotations

import pytest

from tests.evidence.policies.stating import resource, stack
from threatmodel.reading.values import replace
from threatmodel.stacks.tracking import tracked
from threatmodel.stacks.values import Table, Unknown


@pytest.mark.parametrize("track", [False, True])
def test_a_changed_stack_has_nothing_of_what_was_computed_for_the_other(*, track: bool) -> None:
    one = tracked(stack(resource("A"))) if track else stack(resource("A"))
    assert one.once("names", lambda: list(one.resources)) == ["A"]
    other = replace(one, resources=stack(resource("B")).resources)
    assert other.once("names", lambda: list(other.resources)) == ["B"]
    assert one.once("names", lambda: ["not asked again"]) == ["A"]


def test_a_changed_stack_records_what_is_read_of_the_resources_that_it_keeps() -> None:
    there = replace(resource("A"), doubt=Unknown("a condition", resource().place, choices=frozenset(("?C",))))
    one = tracked(stack(there))
    changed = replace(one, title="another")
    assert changed.reads.during(lambda: list(changed.resources)) == (["A"], frozenset(("?C",)))


def test_a_later_caller_has_read_what_the_first_one_read() -> None:
    properties = Table(
        {"Name": Unknown("by a condition", resource().place, choices=frozenset(("?C",)))}, resource().place
    )
    one = tracked(stack(replace(resource("A"), properties=properties)))

    def asked() -> object:
        return one.once("name", lambda: one.resources["A"].properties.entries["Name"])

    assert one.reads.during(asked)[1] == one.reads.during(asked)[1] == {"?C"}
