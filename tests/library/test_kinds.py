"""Which kinds of API, store and queue a threat or control is about, held against what evidence reads of each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.evidence.asking import found, template
from tests.support import HOME
from threatmodel.evidence.answers import Answered
from threatmodel.evidence.mappings.load import load_mappings
from threatmodel.library.condition import Condition, leaves
from threatmodel.library.load import load_library
from threatmodel.model.facts import Statement, stated

LIBRARY = load_library(HOME / "threatlib")
MAPPINGS = load_mappings("cloudformation")
KINDS = ("api", "store", "queue")


def deciding() -> Iterator[tuple[str, Condition]]:
    """The conditions that decide whether a threat applies, and whether a control makes sense."""
    for threat in LIBRARY.threats.values():
        yield from ((threat.id, condition) for condition in threat.applies.values())
    for control in LIBRARY.controls.values():
        yield from ((control.id, need.condition) for need in control.needs)


def test_kinds_are_named_and_not_left_out() -> None:
    """A new kind, such as the endpoint of a web function, is then never taken for one of the others."""
    left_out = [
        name for name, one in deciding() for leaf in leaves(one.tree) if (leaf.fact, leaf.test) == ("kind", "!=")
    ]
    assert left_out == []


def read_of() -> Iterator[tuple[str, str, str]]:
    """Each fact that evidence reads from a property of a type of resource, with the kind of element."""
    for kind in KINDS:
        for name, places in MAPPINGS.facts[kind].items():
            for place in (one for one in places if one.source.at and one.predicate in {"value", "words"}):
                yield from ((kind, name, one) for one in place.source.types if one in MAPPINGS.elements[kind])


def word_of(kind: str, type_: str) -> object:
    """The word for a type of resource under `kind`; None where the type alone does not tell."""
    said = found(template(f"  One: {{Type: '{type_}', Properties: {{}}}}"), kind, "kind", "One")
    return said.value if isinstance(said, Answered) else None


@pytest.mark.parametrize(("kind", "name", "type_"), sorted(set(read_of())))
def test_no_control_is_kept_from_a_kind_whose_setting_evidence_reads(kind: str, name: str, type_: str) -> None:
    facts = {"kind": stated(Statement(word_of(kind, type_), "template", None))}
    if facts["kind"].value is None:
        return
    for control in LIBRARY.controls.values():
        if control.scope == kind and control.in_place is not None and name in control.in_place.facts:
            ruled_out = [need.reason for need in control.needs if need.condition.truth(facts) < 0]
            assert ruled_out == [], control.id
