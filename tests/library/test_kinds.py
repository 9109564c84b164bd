"""Which kinds of API, store and queue a threat or control is about, held against what evidence reads of each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.evidence.asking import found, template
from tests.support import HOME
from threatmodel.evidence.answers import Answered
from threatmodel.evidence.mappings.load import load_mappings
from threatmodel.library.condition import Condition, leaves
from threatmodel.library.entries import ControlLink
from threatmodel.library.load import load_library
from threatmodel.model.facts import Facts, Statement, stated
from threatmodel.model.vocabulary import FACTS
from threatmodel.model.vocabulary.row import Kind
from threatmodel.reading.shape import Word

LIBRARY = load_library(HOME / "threatlib")
MAPPINGS = load_mappings()
KINDS: tuple[Kind, ...] = ("api", "store", "queue")


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


KINDS_OF = {kind: row.shape.words for kind in KINDS if isinstance((row := FACTS[kind]["kind"]).shape, Word)}


def makes_sense(link: ControlLink, kind: Kind, facts: Facts) -> bool:
    """Whether a control may be in place on an element, and may then have its effect on the threat."""
    rules = [link.conditions[kind]] if link.conditions else []
    rules += [need.condition for need in LIBRARY.controls[link.control].needs]
    return all(rule.truth(facts) >= 0 for rule in rules)


@pytest.mark.parametrize("kind", KINDS_OF)
def test_no_threat_is_about_a_kind_for_which_nothing_that_stops_it_makes_sense(kind: Kind) -> None:
    """Messages of a topic, say, are not received, so that only a queue and a stream have readers."""
    for threat in (one for one in LIBRARY.threats.values() if kind in one.targets):
        stops = [one for one in threat.links if one.effect == "stops" and LIBRARY.controls[one.control].scope == kind]
        for word in KINDS_OF[kind] if stops else ():
            facts = {"kind": stated(Statement(word, "model", None))}
            if threat.applies[kind].truth(facts) >= 0:
                assert any(makes_sense(one, kind, facts) for one in stops), (threat.id, word)


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
