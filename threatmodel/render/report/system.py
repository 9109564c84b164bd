"""What a report says about the system itself: data, drift, what is out of scope or assumed, accepted risks."""

from __future__ import annotations

from collections.abc import Container, Mapping

from threatmodel.assessment.assessed import Assessment, Finding
from threatmodel.assessment.control_state import shown
from threatmodel.assessment.drift import absences
from threatmodel.graph.building import Graph
from threatmodel.graph.elements import Read
from threatmodel.model.facts import Fact
from threatmodel.model.vocabulary import PLANES
from threatmodel.reading.grouping import grouped
from threatmodel.reading.problems import Place
from threatmodel.render.report.method import verdict_words
from threatmodel.render.report.words import NAMED, Row, counted, names, said, where, with_work

MOST_DRIFTS = 100
"""Lines of drift that are shown; each stands for a fact and the values that differ."""


def data(graph: Graph, numbers: Mapping[str, int]) -> list[Row]:
    """Return every kind of data that is stored or sent: its class, where it is stored, on which flows it is sent.

    `numbers` are those that pictures give the flows.
    """
    rests = grouped(
        (item, node.id)
        for node in graph.system.nodes.values()
        if node.kind in {"store", "queue"} and "holds" in node.relations
        for item in node.relations["holds"].ids
    )
    travels = grouped((name, flow.id) for flow in graph.flows.values() for name in flow.carries)
    used = [item for item in graph.data.values() if item.id in rests or item.id in travels]
    ranked = sorted(used, key=lambda item: -_CLASSES.index(item.classification))
    return [
        {
            "id": item.id,
            "name": item.name,
            "classification": item.classification,
            "personal": item.personal,
            "rests": names(rests.get(item.id, [])),
            "travels": names(travels.get(item.id, []), "flow", NAMED),
            "numbers": names([str(numbers[flow]) for flow in travels.get(item.id, ())])["text"],
        }
        for item in ranked
    ]


_CLASSES = ("public", "internal", "confidential", "secret")


# --- drift


def drift(assessment: Assessment) -> Row:
    """Return the facts on which origins differ: the value that counts, the others, and the location of each."""
    found = grouped(
        ((name, bool(fact.size), tuple(shown(one.value) for one in (fact.said, *fact.against))), (element, fact))
        for element, name, fact in assessment.drift
    )
    rows = [_drift(name, alike) for (name, *_), alike in found.items()]
    return {"rows": rows[:MOST_DRIFTS], "more": max(0, len(rows) - MOST_DRIFTS)}


def _drift(name: str, alike: list[tuple[str, Fact]]) -> Row:
    fact = alike[0][1]
    return {
        "fact": name,
        "elements": names([element for element, _ in alike]),
        "value": shown(fact.said.value),
        "counts": bool(fact.size),
        "said": said(fact.said),
        "against": [{"value": shown(other.value), "said": said(other)} for other in fact.against],
    }


# --- evidence


def evidence(graph: Graph) -> list[Row]:
    """The files that were read as evidence: what they are evidence of, what they leave open, what the model lacks."""
    return [_read(read) for read in graph.evidence]


def _read(read: Read) -> Row:
    return {
        "file": read.file,
        "kind": _KINDS[read.kind],
        "stale": read.stale,
        "elements": names([f"{element} = {name}" for element, name in read.elements.items()], "element"),
        "unread": [{"name": name, "why": why, "place": where(place)} for name, why, place in read.unread],
        "left_open_facts": [
            {
                "fact": one.name,
                "element": one.element,
                "why": one.why,
                "place": where(one.place),
                "usual": shown(one.usual[0]) if one.usual else "",
            }
            for one in read.left_open[:MOST_DRIFTS]
        ],
        "unmodeled": ", ".join(words for _, _, words in read.unmodeled),
        "grants": _grants(len(read.unused), len(read.ungranted)),
        "left_open": _left_open(len(read.left_open)),
        "more_left_open": max(0, len(read.left_open) - MOST_DRIFTS),
        "unused": [_grant(*one) for one in read.unused],
        "ungranted": [_grant(*one) for one in read.ungranted],
        "notes": [{"text": problem.message, "place": where(problem.place)} for problem in read.notes],
    }


def _grants(unused: int, ungranted: int) -> str:
    """How many grants have no visible use and how many uses no grant; '' where both are zero."""
    parts = [(unused, "grant", "visible use"), (ungranted, "use", "visible grant")]
    return ", ".join(f"{counted(number, noun)} without a {other}" for number, noun, other in parts if number)


def _left_open(facts: int) -> str:
    return f"It leaves {counted(facts, 'fact')} open" if facts else ""


def _grant(function: str, resource: str, place: Place) -> Row:
    return {"function": function, "resource": resource, "place": where(place)}


_KINDS = {
    "template": "CloudFormation",
    "plan": "Terraform plan",
    "state": "Terraform state",
    "serverless": "serverless.yml",
    "probe": "Saved probe",
    "code": "Source of handlers",
    "slack": "Slack app",
    "repository": "Repository",
    "host": "Answers of the repository's host",
    "results": "Result of another tool",
}


def absent(graph: Graph) -> list[Row]:
    """Elements that the evidence lacks, and resources that the model lacks."""
    return [
        {
            "name": one.name,
            "kind": one.kind,
            "place": where(one.place),
            "text": f"not in {one.file}" if one.in_model else "not in the model",
        }
        for one in absences(graph)
    ]


# --- scope


def out_of_scope(graph: Graph) -> list[Row]:
    """Return the elements that an author left out, with the reason; not what belongs to them, such as logs."""
    return [
        {"id": element.id, "kind": element.kind, "reason": element.out_of_scope, "place": where(element.place)}
        for element in graph.elements.values()
        if element.kind and element.out_of_scope
    ]


def assumed(graph: Graph) -> list[str]:
    """The planes that exist, but that no file describes."""
    return [plane for plane in PLANES if plane in graph.elements and not graph.elements[plane].described]


def files(graph: Graph) -> list[str]:
    """The files that describe the system, its own first."""
    places = (node.place.file for node in graph.system.nodes.values())
    return list(dict.fromkeys((graph.system.file, *places)))


# --- accepted risks


def accepted(assessment: Assessment, applying: Container[str]) -> list[Row]:
    """Every acceptance, and whether it holds; `applying` has the ids of the threats that apply."""
    by_id = {finding.id: finding for finding in assessment.applying if finding.acceptance is not None}
    needless = {id(acceptance): reason for acceptance, reason in assessment.needless}
    rows: list[Row] = []
    for acceptance in assessment.graph.system.acceptances:
        name = acceptance.name
        threat = assessment.library.threats.get(acceptance.threat)
        holds, status = _status(by_id, name, needless.get(id(acceptance), ""), assessment)
        rows.append(
            {
                "id": name,
                "threat": acceptance.threat,
                "title": threat.title if threat is not None else acceptance.threat,
                "applies": acceptance.threat in applying,
                "element": acceptance.element,
                "risk": acceptance.risk,
                "reason": with_work(acceptance.reason, acceptance.ticket, acceptance.due),
                "owner": assessment.graph.system.reached(acceptance.owner),
                "expires": acceptance.expires.isoformat(),
                "place": where(acceptance.place),
                "holds": holds,
                "status": status,
            }
        )
    return rows


def _status(by_id: Mapping[str, Finding], name: str, needless: str, assessment: Assessment) -> tuple[bool, str]:
    finding = by_id.get(name)
    if needless or finding is None or finding.acceptance is None:
        if finding is not None and finding.verdict == "mitigated":
            needless = f"the risk is {verdict_words(finding, assessment)}"
        return False, f"not needed: {needless or 'the threat is not known to apply'}"
    if finding.acceptance.expires < assessment.today:
        return False, "lapsed: its end date has passed"
    if not assessment.graph.system.longest_terms.is_in_force(finding.acceptance.expires, assessment.today):
        return False, "does not hold: it lasts longer than the longest term"
    if finding.claimed.score > finding.acceptance.risk:
        return False, f"does not hold: the claimed risk is {finding.claimed.score}"
    return (
        finding.verdict == "accepted",
        "holds" if finding.verdict == "accepted" else f"the finding is {finding.verdict}",
    )
