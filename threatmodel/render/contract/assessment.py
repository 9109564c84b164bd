"""The assessment as JSON: a versioned contract, described by assessment.schema.json in the folder above."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from threatmodel.assessment.actions import actions
from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.control_state import support_of
from threatmodel.assessment.gaps import gaps
from threatmodel.assessment.issues import controls_at_fault, issues
from threatmodel.assessment.priorities import summary
from threatmodel.assessment.safety import safety
from threatmodel.render.contract.decided import acceptance_data, invariant_data, library_data
from threatmodel.render.contract.described import element_data, flow_data, read_data
from threatmodel.render.contract.facts import evidence_data, location_data
from threatmodel.render.contract.found import controls_data, finding_data, question_data
from threatmodel.render.contract.reported import action_data, issue_data, safety_data

SCHEMA_VERSION = "2.0"
"""The second number grows when keys are added, the first when one changes or goes."""


def contract(assessment: Assessment) -> dict[str, Any]:
    """The assessment as plain data, in the order in which it is read."""
    return {key: list(value) if isinstance(value, Iterator) else value for key, value in parts(assessment)}


def parts(assessment: Assessment) -> Iterator[tuple[str, Any]]:
    """The same key by key; a long list is an iterator, so that no more than one of its items is held at a time."""
    graph = assessment.graph
    system = graph.system
    counts = summary(assessment)
    yield "schema_version", SCHEMA_VERSION
    yield (
        "model",
        {
            "name": system.name,
            "description": system.description,
            "owner": system.owner,
            "scope": system.scope,
            "file": system.file,
            "revision": system.revision,
            "risk_tolerance": system.risk_tolerance,
            "assumptions": list(system.assumptions),
            "assessed_on": assessment.today.isoformat(),
            "excluded_threats": list(assessment.excluded),
        },
    )
    yield "library", library_data(assessment.library)
    yield (
        "summary",
        {
            "findings": len(assessment.findings),
            "by_verdict": dict(counts.verdicts),
            "by_band": {
                "inherent": dict(counts.inherent),
                "claimed": dict(counts.claimed),
                "proven": dict(counts.proven),
                "undetermined": dict(counts.undetermined),
            },
            "higher_as_proven": dict(gaps(assessment)),
        },
    )
    yield "verdict", safety_data(safety(assessment))
    listed = issues(assessment)
    at_fault = controls_at_fault(listed)
    yield "issues", (issue_data(issue) for issue in listed)
    yield "elements", (element_data(element) for element in graph.elements.values())
    yield "flows", (flow_data(flow) for flow in graph.flows.values())
    yield "findings", (finding_data(one, assessment, at_fault.get(one.id, "")) for one in assessment.findings)
    yield "controls", controls_data(assessment)
    yield "questions", (question_data(question) for question in assessment.questions)
    yield "evidence", (read_data(read) for read in graph.evidence)
    yield (
        "drift",
        (
            {"element": one.element, **evidence_data(support_of(one.name, one.fact))}
            for one in assessment.drift
            if not isinstance(one.fact.said.value, tuple)
        ),
    )
    yield "actions", (action_data(action, assessment) for action in actions(assessment))
    yield (
        "ruled_out",
        (
            {
                "threat": item.threat.id,
                "facts": [{"fact": fact, "value": value} for fact, value in item.facts],
                "count": item.times,
                "first": [element for element, _ in item.first],
            }
            for item in assessment.ruled_out
        ),
    )
    yield (
        "reliances",
        (
            {
                "kind": one.kind,
                "what": one.what,
                "times": one.times,
                "by": one.by,
                "reason": one.reason,
                "location": location_data(one.place),
            }
            for one in assessment.reliances
        ),
    )
    yield "accepted_risks", (acceptance_data(item, assessment) for item in system.acceptances)
    yield "invariants", (invariant_data(one, assessment) for one in assessment.invariants)
    yield "problems", []
