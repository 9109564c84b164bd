"""The controls of a report (in what state each is, where, and which threats it answers), and the team's own rules."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping

from threatmodel.assessment import standings
from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.invariants import HeldInvariant, Holds
from threatmodel.assessment.invariants import counted as counted_elements
from threatmodel.assessment.standings import Standing
from threatmodel.library.entries import Control, ControlLink, Library, Threat
from threatmodel.reading.grouping import grouped
from threatmodel.render.action_text import some
from threatmodel.render.report.article import mitigations_of
from threatmodel.render.report.findings import FindingGroup
from threatmodel.render.report.method import RANK, Seen, worst_of
from threatmodel.render.report.words import NAMED, Row, counted, links, maps, names, sayings, where


def mitigations(assessment: Assessment, states: Seen, by_threat: Mapping[str, list[FindingGroup]]) -> list[Row]:
    """Return the article's mitigations and what it lacks, each with its controls."""
    library = assessment.library
    answers = _answers(library)
    return [
        {
            **group,
            "controls": [
                {
                    **_described(control, library),
                    **_standing(control, assessment, states[control.id]),
                    "answers": [
                        {
                            "id": threat.id,
                            "title": threat.title,
                            "effect": link.effect,
                            "because": link.because,
                            "applies": threat.id in by_threat,
                        }
                        for threat, link in answers.get(control.id, ())
                    ],
                }
                for control in library.controls.values()
                if control.mitigation == group["id"]
            ],
        }
        for group in mitigations_of(library)
    ]


def _standing(control: Control, assessment: Assessment, states: Mapping[str, Mapping[str, Standing]]) -> Row:
    """The state of a control over all elements, and each state that occurs with its elements."""
    return {
        "state": worst_of(states),
        "states": [
            {
                "state": state,
                "elements": names(list(elements), control.scope),
                "says": sayings([one.state for one in list(elements.values())[:NAMED]], assessment.states),
                "more": max(0, len(elements) - NAMED),
            }
            for state, elements in sorted(states.items(), key=lambda item: RANK[item[0]])
        ],
    }


def _described(control: Control, library: Library) -> Row:
    """What the library says about a control."""
    return {
        "id": control.id,
        "title": control.title,
        "mitigation": control.mitigation,
        "kind": control.kind,
        "owner": control.owner,
        "scope": control.scope,
        "by_person": control.in_place is None,
        "requires": [{"id": name, "title": library.controls[name].title} for name in control.requires],
        "why": control.why,
        "how": dict(control.how),
        "maps": maps(control.maps),
        "references": links(control.references),
        "place": where(control.place),
    }


def _answers(library: Library) -> dict[str, list[tuple[Threat, ControlLink]]]:
    return grouped((link.control, (threat, link)) for threat in library.threats.values() for link in threat.links)


# --- what is only claimed


def only_claimed(assessment: Assessment) -> list[Row]:
    """Return the claimed controls that findings rely on to be within the accepted level, those with most first."""
    found = standings.only_claimed(assessment)
    controls = assessment.library.controls
    return [
        {
            "id": control,
            "title": controls[control].title,
            "state": state,
            "number": len(relying.findings),
            "elements": names(list(relying.elements), controls[control].scope),
            "says": sayings([one.state for one in list(relying.elements.values())[:NAMED]], assessment.states),
        }
        for (control, state), relying in sorted(found.items(), key=lambda item: (-len(item[1].findings), item[0]))
    ]


def invariants(assessment: Assessment) -> list[Row]:
    """Return every invariant, with the elements it applies to and those that do not keep it."""
    return [_row(one) for one in assessment.invariants]


def _row(one: HeldInvariant) -> Row:
    count = counted_elements([one])
    every = len(one.bound) + len(one.spared)
    return {
        "id": one.rule.id,
        "message": one.rule.message,
        "severity": one.rule.severity,
        "place": where(one.rule.place),
        "binds": f"{len(one.bound):,} of {counted(every, one.rule.kind)}",
        "proven": count.proven,
        "claimed": count.claimed,
        "wrong": "; ".join(_wrong(one)),
    }


def _wrong(one: HeldInvariant) -> Iterator[str]:
    """The elements of which it does not hold, the broken ones first."""
    words: tuple[tuple[Holds, str], ...] = (("broken", "broken by"), ("unknown", "unknown for"))
    for holds, word in words:
        found = tuple(e.id for e in one.bound if e.holds == holds and not e.is_exempt)
        if found:
            yield f"{word} {some(found)}"


def _void(expires: datetime.date, assessment: Assessment) -> str:
    """Why an exemption does not count; '' where it does."""
    if expires < assessment.today:
        return "expired"
    in_force = assessment.graph.system.longest_terms.is_in_force(expires, assessment.today)
    return "" if in_force else "longer than the longest term, and does not count"


def exemptions(assessment: Assessment) -> list[Row]:
    """Return every exemption of the model, with its owner."""
    system = assessment.graph.system
    return [
        {
            "name": one.name,
            "owner": system.reached(one.owner),
            "until": one.expires.isoformat(),
            "void": _void(one.expires, assessment),
            "reason": f"{one.reason} ({one.ticket})" if one.ticket else one.reason,
            "place": where(one.place),
        }
        for one in system.exemptions
    ]
