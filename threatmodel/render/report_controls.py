"""The controls of a report: in what state each is and where, which threats it answers, and the article's order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from threatmodel.assess import Assessment
from threatmodel.library.format import BEYOND, MITIGATIONS, Control, Library, Link, Numbered, Threat
from threatmodel.render.report_findings import Case, tally, worst_states
from threatmodel.render.report_words import NAMED, Plain, Row, links, maps, names, sayings, where
from threatmodel.risk import MOVES
from threatmodel.states import STATES, State

_RANK = {state: rank for rank, state in enumerate(STATES)}
IN_PLACE = frozenset({"proven", "attested", "claimed"})
"""States in which a control counts, at least on word."""

Seen = Mapping[str, Mapping[str, Mapping[str, State]]]
"""For each control, by state, the elements on which findings rest on it."""


def seen(assessment: Assessment) -> Seen:
    """The states that findings rest on."""
    found: dict[str, dict[str, dict[str, State]]] = {control: {} for control in assessment.library.controls}
    for finding in assessment.findings:
        for answer in finding.answers:
            state = answer.state
            found[state.control].setdefault(state.state, {}).setdefault(state.element, state)
    return found


def mitigations(assessment: Assessment, states: Seen, by_threat: Mapping[str, list[Case]]) -> list[Row]:
    """The article's mitigations and what lies beyond them, each with its controls."""
    library = assessment.library
    answers = _answers(library)
    groups: list[Row] = [
        {"id": m.id, "number": m.number, "title": m.title, "says": m.says} for m in library.article.mitigations
    ]
    groups.append({"id": BEYOND, "number": len(groups) + 1, "title": "Beyond the article", "says": ""})
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
        for group in _groups(library)
    ]


def _groups(library: Library) -> list[Row]:
    """The article's mitigations, and one more group for what the article lacks."""
    found: list[Row] = [
        {"id": m.id, "number": m.number, "title": m.title, "says": m.says} for m in library.article.mitigations
    ]
    return [*found, {"id": BEYOND, "number": len(found) + 1, "title": "Beyond the article", "says": ""}]


def _standing(control: Control, assessment: Assessment, states: Mapping[str, Mapping[str, State]]) -> Row:
    """The state of a control over all elements, and each state that occurs with its elements."""
    return {
        "state": _worst(states),
        "states": [
            {
                "state": state,
                "elements": names(list(elements), control.scope),
                "says": sayings(list(elements.values())[:NAMED], assessment.states),
                "more": max(0, len(elements) - NAMED),
            }
            for state, elements in sorted(states.items(), key=lambda item: _RANK[item[0]])
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


def _answers(library: Library) -> dict[str, list[tuple[Threat, Link]]]:
    found: dict[str, list[tuple[Threat, Link]]] = {}
    for threat in library.threats.values():
        for link in threat.links:
            found.setdefault(link.control, []).append((threat, link))
    return found


def _worst(states: Mapping[str, Mapping[str, State]]) -> str:
    """The worst state of a control; 'not called on' where no finding rests on it."""
    applicable = [state for state in states if state != "not-applicable"]
    if applicable:
        return max(applicable, key=lambda state: _RANK[state])
    return "not-applicable" if states else "not called on"


# --- the article


def scenarios(assessment: Assessment, by_threat: Mapping[str, list[Case]]) -> list[Row]:
    """The article's five scenarios: what each says, how it stands, its threats and the controls that answer them."""
    library = assessment.library
    return [_scenario(numbered, library, by_threat, assessment) for numbered in library.article.scenarios]


def _scenario(numbered: Numbered, library: Library, by_threat: Mapping[str, list[Case]], assessment: Assessment) -> Row:
    own = [threat for threat in library.threats.values() if threat.scenario == numbered.id]
    found = [(threat, by_threat[threat.id]) for threat in own if threat.id in by_threat]
    waiting = dict.fromkeys(f.threat.id for f in assessment.possible if f.threat.scenario == numbered.id)
    absent = [t for t in own if t.id not in by_threat and t.id not in waiting and t.id not in assessment.excluded]
    every = [case for _, cases in found for case in cases]
    rows = sorted((_threat_row(threat, cases) for threat, cases in found), key=_by_need)
    return {
        "id": numbered.id,
        "number": numbered.number,
        "title": numbered.title,
        "says": numbered.says,
        "gaps": list(numbered.gaps),
        "tally": tally(every) if every else None,
        "threats": rows,
        "may_apply": [{"id": name, "title": library.threats[name].title} for name in waiting],
        "absent": [{"id": threat.id, "title": threat.title} for threat in absent],
    }


def _by_need(row: Row) -> tuple[bool, int, str]:
    claimed = row["claimed"]
    score = claimed["score"] if isinstance(claimed, Mapping) else 0
    return not row["work"], -int(str(score)), str(row["id"])


def _threat_row(threat: Threat, cases: Sequence[Case]) -> Row:
    worst = worst_states(cases)
    effects = {link.control: link.effect for link in threat.links}
    in_place = {name: state for name, state in worst.items() if state in IN_PLACE}
    missing = {
        name: state
        for name, state in worst.items()
        if state not in IN_PLACE and state != "not-applicable" and effects[name] in MOVES
    }
    return {
        "id": threat.id,
        "title": threat.title,
        **tally(cases),
        "in_place": _by_state(in_place),
        "missing": _by_state(missing),
    }


def _by_state(worst: Mapping[str, str]) -> list[Row]:
    """Controls by state, the best known first."""
    found: dict[str, list[str]] = {}
    for name, state in worst.items():
        found.setdefault(state, []).append(name)
    return [{"state": state, "controls": found[state]} for state in sorted(found, key=lambda state: _RANK[state])]


def coverage(assessment: Assessment, states: Seen) -> Row:
    """The matrix of the article's scenarios against its mitigations: controls linked, and those of them in place."""
    library = assessment.library
    worst = {name: _worst(found) for name, found in states.items()}
    rows: list[Plain] = [
        {
            "id": scenario.id,
            "number": scenario.number,
            "title": scenario.title,
            "gaps": list(scenario.gaps),
            "cells": [_covered(scenario, name, library, worst) for name in (*MITIGATIONS, BEYOND)],
        }
        for scenario in library.article.scenarios
    ]
    return {"columns": _groups(library), "rows": rows}


def _covered(scenario: Numbered, mitigation: str, library: Library, worst: Mapping[str, str]) -> Row:
    linked = dict.fromkeys(
        link.control
        for threat in library.threats.values()
        if threat.scenario == scenario.id
        for link in threat.links
        if library.controls[link.control].mitigation == mitigation
    )
    applicable = [name for name in linked if worst[name] not in {"not-applicable", "not called on"}]
    in_place = sum(worst[name] in IN_PLACE for name in applicable)
    proven = sum(worst[name] == "proven" for name in applicable)
    level = "none" if not linked else "idle" if not applicable else "all" if in_place == len(applicable) else "some"
    return {
        "mitigation": mitigation,
        "linked": list(linked),
        "applicable": len(applicable),
        "in_place": in_place,
        "proven": proven,
        "level": level if in_place or level in {"none", "idle"} else "gap",
        "text": {"none": "—", "idle": "not called on"}.get(level, f"{in_place} of {len(applicable)}"),
    }


# --- what is only claimed, what stands alone


def only_claimed(assessment: Assessment) -> list[Row]:
    """The controls on whose word findings are within the tolerance, those that carry most first."""
    elements: dict[tuple[str, str], dict[str, State]] = {}
    numbers: dict[tuple[str, str], int] = {}
    for finding in assessment.findings:
        if finding.verdict == "unproven":
            for answer in finding.answers:
                state = answer.state
                if state.level == 1 and answer.link.effect in MOVES:
                    key = (state.control, state.state)
                    elements.setdefault(key, {}).setdefault(state.element, state)
                    numbers[key] = numbers.get(key, 0) + 1
    ranked = sorted(numbers, key=lambda key: (-numbers[key], key))
    return [
        {
            "id": control,
            "title": assessment.library.controls[control].title,
            "state": state,
            "number": numbers[control, state],
            "elements": names(list(elements[control, state]), assessment.library.controls[control].scope),
            "says": sayings(list(elements[control, state].values())[:NAMED], assessment.states),
        }
        for control, state in ranked
    ]
