"""An assessment made again: under the rules of a check, or as if controls were in place or missing."""

from __future__ import annotations

from types import MappingProxyType

from threatmodel.assessment.assess import assess
from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.gate.baseline import since
from threatmodel.assessment.gate.judging import held_to, judge
from threatmodel.assessment.gate.known import Baseline
from threatmodel.assessment.gate.missing import with_missing
from threatmodel.assessment.gate.results import CheckResult
from threatmodel.assessment.gate.rules import Rules
from threatmodel.assessment.states import Assumed
from threatmodel.graph.building import Graph


def again(assessment: Assessment, graph: Graph, assumed: Assumed = MappingProxyType({})) -> Assessment:
    """Return the assessment of another graph of the same system, without the same threats."""
    held = {one.threat for one in graph.system.exclusions}
    named = [name for name in assessment.excluded if name not in held]
    return assess(graph, assessment.library, assessment.today, named, assumed)


def checked(assessment: Assessment, rules: Rules, baseline: Baseline | None) -> tuple[CheckResult, ...]:
    """Return everything that a check under these rules says; compared with a baseline, where there is one."""
    graph = held_to(assessment.graph, rules)
    found = assessment if graph is assessment.graph else again(assessment, graph)
    if baseline is None:
        return judge(found, rules)
    found = with_missing(found, baseline)
    return since(baseline, found, judge(found, rules))
