"""The assessment as JSON: a versioned contract, described by assessment.schema.json beside this file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from threatmodel.assessment.actions import Action, actions, change, faults, proofs
from threatmodel.assessment.assessed import Assessment, Finding, Question
from threatmodel.assessment.drift import differences
from threatmodel.assessment.gate.faults import places
from threatmodel.assessment.invariants import HeldInvariant
from threatmodel.assessment.priorities import reached, summary
from threatmodel.assessment.risk import Cell, band
from threatmodel.assessment.safety import Safety, safety
from threatmodel.assessment.states import State, Support, support_of
from threatmodel.assessment.stories import Story, stories
from threatmodel.graph.building import Element, Flow
from threatmodel.graph.elements import Read
from threatmodel.library.format import Library
from threatmodel.model.facts import Fact, Statement
from threatmodel.model.system import Acceptance, Exemption
from threatmodel.reading.problems import Place

SCHEMA_VERSION = "1.3"
"""Grows in its second number when keys are added, in its first when one changes or goes."""


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
    yield "library", _library(assessment.library)
    yield (
        "summary",
        {
            "by_verdict": dict(counts.verdicts),
            "by_band": {
                "inherent": dict(counts.inherent),
                "claimed": dict(counts.claimed),
                "proven": dict(counts.proven),
                "undetermined": dict(counts.undetermined),
            },
        },
    )
    yield "verdict", _safety(safety(assessment))
    yield "stories", (_story(story) for story in stories(assessment))
    yield "elements", (_element(element) for element in graph.elements.values())
    yield "flows", (_flow(flow) for flow in graph.flows.values())
    yield "findings", (_finding(finding, assessment) for finding in assessment.findings)
    yield "controls", _controls(assessment)
    yield "questions", (_question(question) for question in assessment.questions)
    yield "evidence", (_read(read) for read in graph.evidence)
    yield (
        "drift",
        (
            {"element": one.element, **_evidence(support_of(one.name, one.fact))}
            for one in differences(graph)
            if not isinstance(one.fact.said.value, tuple)
        ),
    )
    yield "actions", (_action(action, assessment) for action in actions(assessment, None))
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
        "taken_out",
        (
            {
                "kind": one.kind,
                "what": one.what,
                "times": one.times,
                "by": one.by,
                "reason": one.reason,
                "location": _location(one.place),
            }
            for one in assessment.taken_out
        ),
    )
    yield "accepted_risks", (_acceptance(item, assessment) for item in system.acceptances)
    yield "invariants", (_invariant(one, assessment) for one in assessment.invariants)
    yield "problems", []


def _location(place: Place | None) -> dict[str, Any] | None:
    return None if place is None else {"file": _file(place), "line": place.line or 1, "column": place.column or 1}


def _file(place: Place) -> str:
    """The file of a place, with the address where it has no lines."""
    return str(place) if place.part else place.file


def _element(element: Element) -> dict[str, Any]:
    return {
        "id": element.id,
        "kind": element.kind or element.symbol,
        "name": element.name,
        "boundary": element.zone,
        "described": element.described,
        "out_of_scope": element.out_of_scope or None,
        "facts": _facts(element.facts.items()),
        "location": _location(element.place),
    }


def _flow(flow: Flow) -> dict[str, Any]:
    return {
        "id": flow.id,
        "source": flow.source,
        "target": flow.target,
        "label": flow.label,
        "data": list(flow.carries),
        "view": flow.view,
        "caller": flow.caller,
        "facts": _facts(flow.facts.items()),
        "location": _location(flow.place),
    }


def _facts(facts: Iterable[tuple[str, Fact]]) -> list[dict[str, Any]]:
    return [_evidence(support_of(name, fact)) for name, fact in facts]


def _evidence(item: Support) -> dict[str, Any]:
    """A fact with its origin; `differs` lists what other origins say."""
    found: dict[str, Any] = {"fact": item.fact, "known": item.known, "value": item.value, **_origin(item.said)}
    if item.against:
        found["differs"] = [{"value": other.value, **_origin(other)} for other in item.against]
    return found


def _origin(said: Statement) -> dict[str, Any]:
    place = said.place
    return {
        "origin": said.source,
        "file": _file(place) if place else None,
        "line": (place.line or None) if place else None,
        "column": (place.column or None) if place and place.line else None,
        "note": said.note + (" (stale)" if said.stale else ""),
    }


def _cell(cell: Cell) -> dict[str, Any]:
    return {"likelihood": cell.likelihood, "impact": cell.impact, "score": cell.score, "band": cell.band}


def _finding(finding: Finding, assessment: Assessment) -> dict[str, Any]:
    return {
        "id": finding.id,
        "threat": finding.threat.id,
        "element": finding.target.id,
        "scenario": finding.threat.scenario,
        "verdict": finding.verdict,
        "inherent": _cell(finding.inherent),
        "claimed": _cell(finding.claimed),
        "proven": _cell(finding.proven),
        "rated": list(finding.rated),
        "reaches": list(reached(assessment, finding.threat)),
        "why": [_evidence(item) for item in finding.why],
        "controls": [
            {
                "id": answer.link.control,
                "state": answer.state.state,
                "element": answer.state.element,
                "effect": answer.link.effect,
                "reason": answer.state.reason,
            }
            for answer in finding.answers
        ],
        "location": _location(finding.target.place),
        "mend_at": _location(places(finding, assessment)[0]),
    }


def _controls(assessment: Assessment) -> Iterator[dict[str, Any]]:
    """Every control with the states that findings rest on."""
    states: dict[str, dict[tuple[str, str, str], State]] = {control: {} for control in assessment.library.controls}
    for finding in assessment.findings:
        for answer in finding.answers:
            state = answer.state
            states[answer.link.control].setdefault((state.element, state.state, state.reason), state)
    for control in assessment.library.controls.values():
        yield {
            "id": control.id,
            "title": control.title,
            "mitigation": control.mitigation,
            "kind": control.kind,
            "owner": control.owner,
            "scope": control.scope,
            "states": [
                {
                    "element": state.element,
                    "state": state.state,
                    "reason": state.reason,
                    "evidence": [_evidence(item) for item in state.support],
                }
                for state in states[control.id].values()
            ],
        }


def _question(question: Question) -> dict[str, Any]:
    subject = "control" if question.kind == "attest" else "fact"
    return {
        "id": question.id,
        "kind": question.kind,
        subject: question.name,
        "facts": list(question.facts),
        "of": question.of,
        "ask": question.ask,
        "elements": list(question.elements),
        "decides": list(question.decides),
        "worst_band": band(question.score),
    }


def _read(read: Read) -> dict[str, Any]:
    return {
        "file": read.file,
        "kind": read.kind,
        "elements": dict(read.elements),
        "missing": [
            {"element": name, "kind": kind, "location": _location(place)} for name, kind, place in read.missing
        ],
        "extra": [{"resource": name, "kind": kind, "location": _location(place)} for name, kind, place in read.extra],
        "unread": [{"name": name, "why": why, "location": _location(place)} for name, why, place in read.unread],
        "untold": [
            {"element": one.element, "name": one.name, "why": one.why, "location": _location(one.place)}
            | ({"usual": one.usual[0]} if one.usual and not isinstance(one.usual[0], tuple) else {})
            for one in read.untold
        ],
        "unused_grants": [_grant(*one) for one in read.unused],
        "ungranted_uses": [_grant(*one) for one in read.ungranted],
        "notes": [{"code": one.code, "message": one.message, "location": _location(one.place)} for one in read.notes],
        **(
            {"not_modelled": [{"type": of, "count": count} for of, count, _ in read.unmodelled]}
            if read.unmodelled
            else {}
        ),
        **({"stale": read.stale} if read.stale else {}),
    }


def _grant(function: str, resource: str, place: Place) -> dict[str, Any]:
    return {"function": function, "resource": resource, "location": _location(place)}


def _safety(found: Safety) -> dict[str, Any]:
    return {
        "answer": found.answer,
        "tolerance": found.tolerance,
        "threshold": found.threshold,
        "open": dict(found.open),
        "waiting": dict(found.waiting),
        "on_word": dict(found.word),
        "accepted": found.accepted,
        "provider": found.provider,
        "failing": found.fails,
        "uncovered": found.uncovered,
        "taken_out": found.taken,
    }


def _story(story: Story) -> dict[str, Any]:
    return {
        "id": story.id,
        "verdict": story.verdict,
        "threats": [threat.id for threat in story.threats],
        "elements": list(story.elements),
        "findings": [finding.id for finding in story.findings],
        "question": story.questions[0].id if story.questions else None,
        "questions": [question.id for question in story.questions],
        "look": story.look,
        "at_fault": story.cause.state.control if story.cause is not None else None,
        "wanting": [{"control": control, "state": state} for control, state in story.wanting],
        "claimed_band": story.claimed,
        "proven_band": story.proven,
        "public_endpoint_open": story.door,
        "first_view": not story.minor,
    }


def _action(action: Action, assessment: Assessment) -> dict[str, Any]:
    would = change(assessment, action)
    said = (assessment.states.statements.get((action.control.id, element)) for element in action.elements)
    return {
        "do": action.control.do,
        "effect": action.effect,
        "owner": action.control.owner,
        "public_endpoint_open": action.door,
        "first_view": not action.minor,
        "at_fault": [
            {
                "element": fault.element,
                "fact": fault.fact,
                "value": fault.value,
                "note": fault.said.note,
                "location": _location(fault.said.place),
            }
            for fault in faults(action)
        ],
        "proven_by": list(proofs(action.control)),
        "would": {
            "close": list(would.closed),
            "lower": list(would.lowered),
            "stay": would.stay,
            "claimed": [_move(*move) for move in would.claimed],
            "proven": [_move(*move) for move in would.proven],
        },
        "control": action.control.id,
        "states": {state: [item.element for item in found] for state, found in action.states.items()},
        "lowers": list(action.findings),
        "worst_band": band(action.worst),
        "tracked": [
            {
                "element": one.element,
                "owner": assessment.graph.system.reached(one.owner),
                "ticket": one.ticket,
                "due": one.due.isoformat() if one.due is not None else None,
            }
            for one in said
            if one is not None and (one.owner or one.ticket or one.due)
        ],
    }


def _move(before: str, after: str, count: int) -> dict[str, Any]:
    return {"from": before, "to": after, "count": count}


def _library(library: Library) -> dict[str, Any]:
    return {
        "threats": len(library.threats),
        "controls": len(library.controls),
        "layers": list(library.layers),
        "replaced": [
            {"part": item.part, "id": item.id, "location": _location(item.place)} for item in library.replaced
        ],
        "off": [
            {"part": off.part, "id": off.id, "reason": off.reason, "location": _location(off.place)}
            for off in library.off
        ],
    }


def _invariant(one: HeldInvariant, assessment: Assessment) -> dict[str, Any]:
    rule = one.rule
    return {
        "id": rule.id,
        "of": rule.kind,
        "if": rule.applies or None,
        "holds": rule.holds,
        "severity": rule.severity,
        "message": rule.message,
        "location": _location(rule.place),
        "binds": [
            {
                "element": element.id,
                "holds": element.holds,
                "exempt": _exemption(element.exemption, assessment) if element.exemption is not None else None,
                "location": _location(element.place),
            }
            for element in one.bound
        ],
        "does_not_bind": list(one.spared),
    }


def _exemption(exemption: Exemption, assessment: Assessment) -> dict[str, Any]:
    return {
        "reason": exemption.reason,
        "owner": exemption.owner,
        "contact": assessment.graph.system.owners.get(exemption.owner, ""),
        "ticket": exemption.ticket,
        "expires": exemption.expires.isoformat(),
        "in_force": exemption.expires >= assessment.today,
        "location": _location(exemption.place),
    }


def _acceptance(acceptance: Acceptance, assessment: Assessment) -> dict[str, Any]:
    needless = {id(item): reason for item, reason in assessment.needless}
    lapsed = acceptance.expires < assessment.today
    beyond = any(f.acceptance is acceptance and f.verdict != "accepted" for f in assessment.findings)
    return {
        "finding": acceptance.finding,
        "risk": acceptance.risk,
        "reason": acceptance.reason,
        "owner": acceptance.owner,
        "contact": assessment.graph.system.owners.get(acceptance.owner, ""),
        "ticket": acceptance.ticket,
        "due": acceptance.due.isoformat() if acceptance.due is not None else None,
        "expires": acceptance.expires.isoformat(),
        "holds": not (lapsed or beyond or id(acceptance) in needless),
        "not_needed": needless.get(id(acceptance)),
        "location": _location(acceptance.place),
    }
