"""Which threats apply, by our engine and by pytm's, to one graph with one library."""

from __future__ import annotations

from dataclasses import replace

import pytm

from benchmarks.generate import value_of
from threatmodel.graph.elements import Element, Flow, Graph
from threatmodel.library.entries import Library, Threat
from threatmodel.model.facts import STATED, Fact, Facts, Statement
from threatmodel.model.vocabulary import FACTS, FactRow
from threatmodel.pytm_model.model import ThreatModel

Pairs = list[tuple[str, str]]
"""Ids of an element and of a threat to it."""


def by_pytm(model: ThreatModel) -> None:
    """Pytm's own `resolve()`, without what our class adds to it."""
    with model.active():
        pytm.TM.resolve(model)


def conditions_by_pytm(model: ThreatModel) -> Pairs:
    """Pytm's conditions alone: what `resolve()` asks of each element, without making a finding of the answer."""
    with model.active():
        elements, threats = pytm.TM._elements, pytm.TM._threats  # noqa: SLF001 - pytm's only lists of them
        return [(element.element_id, threat.id) for element in elements for threat in threats if threat.apply(element)]


def found_by_pytm(model: ThreatModel) -> Pairs:
    """What `resolve()` found last."""
    return [(finding.element.element_id, finding.threat_id) for finding in model.findings]


def by_ours(graph: Graph, library: Library) -> Pairs:
    """Which threats apply to which elements, as `assess` finds out."""
    by_kind: dict[str, list[Threat]] = {}
    for threat in library.threats.values():
        for kind in threat.targets:
            by_kind.setdefault(kind, []).append(threat)
    return [
        (target.id, threat.id)
        for target in graph.targets()
        for threat in by_kind.get(target.kind, ())
        if threat.applies[target.kind].truth(target.facts) > 0
    ]


def known(graph: Graph) -> Graph:
    """The graph with a value for every fact that is not known: pytm cannot tell unknown from false."""
    shared: dict[tuple[int, str], Facts] = {}

    def facts_of(target: Element | Flow) -> Facts:
        key = (id(target.facts), target.kind)
        if key not in shared:
            shared[key] = {**{n: _fact(row, len(shared)) for n, row in FACTS[target.kind].items()}, **target.facts}
        return shared[key]

    return replace(
        graph,
        elements={
            e.id: replace(e, facts=facts_of(e), described=True) if e.kind else e for e in graph.elements.values()
        },
        flows={flow.id: replace(flow, facts=facts_of(flow)) for flow in graph.flows.values()},
    )


def _fact(row: FactRow, turn: int) -> Fact:
    value = value_of(row, turn)
    return Fact(value, STATED, Statement(value, "model", None))
