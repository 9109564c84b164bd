"""The issues of a report, what to do, and what needs no work: each reason once, with its elements."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from threatmodel.assessment.actions import Action
from threatmodel.assessment.assessed import DONE, Assessment, Finding
from threatmodel.assessment.control_state import Answer, shown
from threatmodel.assessment.issues import Issue
from threatmodel.assessment.risk import BANDS, MOVES
from threatmodel.graph.building import Flow
from threatmodel.library.condition import Condition
from threatmodel.model.facts import Facts
from threatmodel.reading.grouping import grouped
from threatmodel.reading.problems import listed
from threatmodel.render.action_text import ActionText, due, owner, some
from threatmodel.render.issue_text import place, title, values
from threatmodel.render.picture import protocol_words
from threatmodel.render.plain import STATE, VERDICT, VERDICT_MEANS
from threatmodel.render.report.filtered import Owners, counts, filtered, owners_of
from threatmodel.render.report.words import NAMED, Plain, Row, counted, inert, names, noun, where

MOST_ACTIONS = 12
"""Actions that the default report shows one by one."""

_MOST_MISSING = 3
_MOST_HOLDING = 2


def issue_rows(every: Sequence[Issue], assessment: Assessment) -> Row:
    """The issues by verdict: what is open or still too high, and what is not known; how many in each."""
    owners = owners_of(assessment)
    known = [_issue(issue, assessment, owners) for issue in every if issue.verdict != "undetermined"]
    undetermined = [_issue(issue, assessment, owners) for issue in every if issue.verdict == "undetermined"]
    return {
        "known": known,
        "undetermined": undetermined,
        "known_findings": _means([one for one in every if one.verdict != "undetermined"]),
        "undetermined_findings": _means([one for one in every if one.verdict == "undetermined"]),
    }


def _means(found: Sequence[Issue]) -> str:
    """How many findings these issues have, and what each of their verdicts means."""
    verdicts = {finding.verdict for issue in found for finding in issue.findings}
    number = sum(len(issue.findings) for issue in found)
    meanings = "; ".join(f"{VERDICT[name]}: {VERDICT_MEANS[name]}" for name in VERDICT_MEANS if name in verdicts)
    return f"{counted(number, 'finding')}. {meanings[:1].upper()}{meanings[1:]}"


def _issue(issue: Issue, assessment: Assessment, owners: Owners) -> Row:
    head = issue.head
    asked, at = issue.questions, place(issue)
    fault = "" if asked else values(issue)
    cause = f"{fault}, {where(at)}" if fault and at is not None else fault
    described = head.target.place
    return {
        "id": issue.id,
        "title": title(issue, assessment),
        "verdict": issue.verdict,
        "label": VERDICT[issue.verdict],
        "band": issue.claimed,
        "proven": issue.proven,
        "number": len(issue.findings),
        "elements": _elements(issue.findings),
        "exposed": "; ".join(f"{item.fact}: {shown(item.value)}" for item in head.why[:NAMED]) if not asked else "",
        "wanting": _missing(issue),
        "more_wanting": max(0, len(issue.missing) - _MOST_MISSING),
        "fault": cause or (f"{head.target.id} is described in {where(described)}" if described is not None else ""),
        "lines": [_line(alike, owners) for alike in _alike(issue.findings)],
        "single": not asked and len(issue.threats) == 1,
    }


def _elements(findings: Sequence[Finding]) -> Row:
    ids = list(dict.fromkeys(finding.target.id for finding in findings))
    kinds = {finding.target.kind for finding in findings}
    return {**names(ids, kinds.pop() if len(kinds) == 1 else "element"), "all": inert(ids)}


def _missing(issue: Issue) -> list[Plain]:
    """The controls that are not in place, each with its state in words."""
    return [{"id": control, "state": state, "label": STATE[state]} for control, state in issue.missing[:_MOST_MISSING]]


def _alike(findings: Iterable[Finding]) -> Iterator[list[Finding]]:
    """Findings of one threat with the same verdict and bands, which a reader can count together."""
    yield from grouped(
        ((one.threat.id, one.verdict, one.claimed.band, one.proven.band), one) for one in findings
    ).values()


def _line(alike: Sequence[Finding], owners: Owners) -> Row:
    """One threat of an issue: the texts of its line, and what a filter compares."""
    head = alike[0]
    return {
        "id": head.threat.id,
        "title": head.threat.title,
        "verdict": head.verdict,
        "label": VERDICT[head.verdict],
        "claimed": head.claimed.band,
        "proven": head.proven.band,
        "number": len(alike),
        "applies": bool(head.applies),
        "elements": _elements(alike),
        "controls": [f"{one.link.control} ({STATE[one.state.state]})" for one in head.answers if counts(one)],
        "filter": filtered(alike, owners),
    }


# --- what to do


def todo(wanted: Sequence[Action], texts: Sequence[ActionText]) -> Row:
    """Return what to do in order: the actions shown one by one, and what the others do."""
    rows: list[Row] = [{"number": number, **in_words(one)} for number, one in enumerate(texts, 1)]
    rest: list[Row] = [{"control": action.control.id, "do": action.control.do} for action in wanted[len(texts) :]]
    return {"rows": rows, "rest": rest}


def in_words(one: ActionText) -> Row:
    """An action as a template shows it."""
    return {
        "control": one.control,
        "do": one.do,
        "on": one.on,
        "state": one.state,
        "cause": f"{one.cause} ({one.location})" if one.location else one.cause,
        "owner": one.owner,
        "due": one.due,
        "proof": one.proof,
        "effect": one.effect,
    }


def by_owner(assessment: Assessment, wanted: Sequence[Action]) -> list[Row]:
    """Return each owner with the actions assigned to it."""
    found = grouped((owner(assessment, action), action) for action in wanted)
    return [
        {
            "owner": name,
            "number": len(its),
            "actions": [{"do": one.control.do, "on": some(one.elements), "due": due(assessment, one)} for one in its],
        }
        for name, its in found.items()
    ]


# --- what needs no work


def settled(assessment: Assessment) -> list[Row]:
    """Return what needs no work now, a line for each threat and reason: why it is within the accepted level."""
    found: dict[tuple[str, ...], list[Finding]] = {}
    for group in assessment.groups:
        head = group.head
        if head.applies and head.verdict in DONE:
            key = (because(head), head.threat.id, head.verdict, head.claimed.band, head.proven.band)
            found.setdefault(key, []).extend(group.findings)
    owners = owners_of(assessment)
    return [{**_line(alike, owners), "because": because} for (because, *_), alike in found.items()]


def because(finding: Finding) -> str:
    """Return why a finding needs no work: the controls in place that lower it most, or the reason without controls."""
    if finding.verdict == "accepted" and finding.acceptance is not None:
        return f"{finding.acceptance.owner} accepts {finding.acceptance.risk} until {finding.acceptance.expires}"
    if finding.verdict == "transferred":
        return "only the cloud provider can treat it"
    if finding.inherent.band == BANDS[0]:
        return "low before controls"
    held = [answer for answer in finding.answers if answer.state.level > 0 and answer.link.effect in MOVES]
    best = [answer for answer in held if answer.link.effect == "stops"] or held
    return listed(map(_held, best), _MOST_HOLDING)


def _held(answer: Answer) -> str:
    """A control that is in place, with its state unless it is only claimed, as the verdict shows."""
    state = answer.state.state
    return answer.link.control if state == "claimed" else f"{answer.link.control} {STATE[state]}"


def does_not_apply(assessment: Assessment) -> list[Row]:
    """Return every threat that is ruled out on an element, with the facts that rule it out, or what is missing."""
    return [*_ruled_out(assessment), *_no_target(assessment)]


def _ruled_out(assessment: Assessment) -> Iterator[Row]:
    twins = assessment.states.twins
    for threat in assessment.library.threats.values():
        reasons: dict[str, list[str]] = {}
        for kind in threat.targets if threat.id not in assessment.excluded else ():
            condition = threat.applies[kind]
            for targets in twins.of(threat, kind):
                facts = targets[0].facts
                if targets[0].described and condition.truth(facts) < 0:
                    reasons.setdefault(_denied(condition, facts), []).extend([target.id for target in targets])
        ordered = [(text, sorted(elements, key=twins.place.__getitem__)) for text, elements in reasons.items()]
        for because, elements in sorted(ordered, key=lambda one: twins.place[one[1][0]]):  # as the graph has them
            yield {
                "id": threat.id,
                "title": threat.title,
                "because": because,
                "elements": {**names(elements, "element", NAMED), "all": inert(elements)},
                "number": len(elements),
            }


def _denied(condition: Condition, facts: Facts) -> str:
    """The facts that make a condition false, in words."""
    readings = {leaf.fact: fact for leaf, fact in condition.why(facts)}
    return ", ".join(f"{name}: {shown(fact.value)}" for name, fact in readings.items() if fact is not None)


def _no_target(assessment: Assessment) -> Iterator[Row]:
    kinds = {target.kind for target in assessment.graph.targets() if not target.out_of_scope}
    for threat in assessment.library.threats.values():
        if not kinds & set(threat.targets) and threat.id not in assessment.excluded:
            wanted = " or ".join(noun(kind) for kind in threat.targets)
            yield {
                "id": threat.id,
                "title": threat.title,
                "because": f"no {wanted} in the model",
                "elements": {**names([]), "all": []},
                "number": 0,
            }


# --- flows

_ALIKE = 4
"""Flows that are alike in all but the elements at one end, from which on they share a line."""

MOST_FLOWS = 100
"""Lines of the table of flows."""


def flows(assessment: Assessment, numbers: Mapping[str, int]) -> Row:
    """Return the first flows with the numbers that pictures give them: from, to, data, protocol and boundary.

    Flows of many elements that are alike otherwise share one line; `more` counts the lines beyond those shown.
    """
    alike: dict[tuple[str, ...], list[Flow]] = {}
    protocols: dict[int, str] = {}  # by the identity of facts, which flows share
    for flow in assessment.graph.flows.values():
        protocol = protocols.get(id(flow.facts))
        if protocol is None:
            protocol = protocols[id(flow.facts)] = _how(flow)
        alike.setdefault((*_same(assessment, flow), protocol), []).append(flow)
    groups = [[flow] for found in alike.values() if len(found) < _ALIKE for flow in found]
    groups += [found for found in alike.values() if len(found) >= _ALIKE]
    shown = sorted(groups, key=lambda group: numbers[group[0].id])[:MOST_FLOWS]
    return {"rows": [_flow(assessment, found, numbers) for found in shown], "more": len(groups) - len(shown)}


def _same(assessment: Assessment, flow: Flow) -> tuple[str, ...]:
    source, target = assessment.graph.elements[flow.source], assessment.graph.elements[flow.target]
    kinds = (source.kind or source.symbol, target.kind or target.symbol)
    return (*kinds, flow.label, ",".join(flow.carries), source.zone, target.zone)


def _how(flow: Flow) -> str:
    return ", ".join(protocol_words(flow.facts))


def _flow(assessment: Assessment, found: Sequence[Flow], numbers: Mapping[str, int]) -> Row:
    graph, first = assessment.graph, found[0]
    source, target = graph.elements[first.source], graph.elements[first.target]
    crossed = f"{_zone(assessment, source.zone)} → {_zone(assessment, target.zone)}"
    return {
        "number": _few([str(numbers[flow.id]) for flow in found]),
        "source": _few([graph.elements[flow.source].name for flow in found]),
        "target": _few([graph.elements[flow.target].name for flow in found]),
        "label": first.label,
        "data": ", ".join(graph.data[name].name for name in first.carries) or "—",
        "how": _how(first),
        "crosses": crossed if source.zone != target.zone else "",
    }


def _few(found: Sequence[str]) -> str:
    """A few of these texts, each once, and how many more there are."""
    return listed(dict.fromkeys(found), NAMED)


def _zone(assessment: Assessment, name: str) -> str:
    zone = assessment.graph.zones.get(name)
    return zone.name if zone is not None else name
