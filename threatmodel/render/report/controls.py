"""The controls of a report: in what state each is and where, and which threats it answers."""

from __future__ import annotations

from collections.abc import Mapping

from threatmodel.assessment import standings
from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.standings import Standing
from threatmodel.library.entries import Control, ControlLink, Library, Threat
from threatmodel.render.report.article import mitigations_of
from threatmodel.render.report.findings import FindingGroup
from threatmodel.render.report.states import RANK, Seen, worst_of
from threatmodel.render.report.words import NAMED, Row, links, maps, names, sayings, where


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
    found: dict[str, list[tuple[Threat, ControlLink]]] = {}
    for threat in library.threats.values():
        for link in threat.links:
            found.setdefault(link.control, []).append((threat, link))
    return found


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
