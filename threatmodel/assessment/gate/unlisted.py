"""Runtimes that the table does not have: mistyped, or newer than this version. They warn, because AWS adds runtimes."""

from __future__ import annotations

from collections.abc import Iterator

from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.gate.results import CheckResult
from threatmodel.model.runtimes import CHECKED, RUNTIMES
from threatmodel.reading.problems import Place, quoted, suggestion


def unlisted(assessment: Assessment) -> Iterator[CheckResult]:
    """A warning for each function whose runtime is not known, so that its end of support is not known either."""
    graph = assessment.graph
    for element in graph.elements.values():
        fact = element.facts.get("runtime") if element.kind == "function" else None
        if fact is None or not isinstance(fact.value, str) or fact.value in RUNTIMES:
            continue
        meant = suggestion(fact.value, RUNTIMES)
        yield CheckResult(
            code="unknown-runtime",
            name=f"{element.id}.runtime",
            place=fact.said.place or element.place or Place(graph.system.file),
            message=f"{quoted(fact.value)} is no runtime in the table of {CHECKED}{f'; {meant}' if meant else ''}",
            rule="unknown-runtime",
            element=element.id,
            warns=True,
            do="correct it, or update the toolkit if the runtime is new",
        )
