"""The article in a report: its five scenarios, its mitigations, and the one against the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from threatmodel.assessment.assessed import DONE, Assessment
from threatmodel.assessment.control_state import ControlState
from threatmodel.assessment.risk import MOVES
from threatmodel.library.entries import BEYOND, MITIGATIONS, Library, Numbered, Threat
from threatmodel.reading.grouping import grouped
from threatmodel.render.plain import STATE
from threatmodel.render.report.findings import FindingGroup, tally, worst_states
from threatmodel.render.report.method import IN_PLACE, NOT_NEEDED, RANK, worst_by_control
from threatmodel.render.report.words import Plain, Row


def mitigations_of(library: Library) -> list[Row]:
    """The article's mitigations, and one more group for what the article lacks."""
    found: list[Row] = [
        {"id": m.id, "number": m.number, "title": m.title, "says": m.says} for m in library.article.mitigations
    ]
    return [*found, {"id": BEYOND, "number": len(found) + 1, "title": "Beyond the article", "says": ""}]


def scenarios(assessment: Assessment, by_threat: Mapping[str, list[FindingGroup]]) -> list[Row]:
    """Return the article's five scenarios: the text of each, its threats and the controls that address them."""
    library = assessment.library
    return [_scenario(numbered, library, by_threat, assessment) for numbered in library.article.scenarios]


def _scenario(
    numbered: Numbered, library: Library, by_threat: Mapping[str, list[FindingGroup]], assessment: Assessment
) -> Row:
    own = [threat for threat in library.threats.values() if threat.scenario == numbered.id]
    found = [(threat, by_threat[threat.id]) for threat in own if threat.id in by_threat]
    waiting = dict.fromkeys(f.threat.id for f in assessment.possible if f.threat.scenario == numbered.id)
    absent = [t for t in own if t.id not in by_threat and t.id not in waiting and t.id not in assessment.excluded]
    every = [case for _, cases in found for case in cases]
    return {
        "id": numbered.id,
        "number": numbered.number,
        "title": numbered.title,
        "says": numbered.says,
        "gaps": list(numbered.gaps),
        "tally": tally(every) if every else None,
        "threats": [_threat_row(threat, cases) for threat, cases in sorted(found, key=_by_need)],
        **_standing(
            [_threat_row(threat, cases) for threat, cases in sorted(found, key=_by_need)], len(waiting), len(absent)
        ),
        "may_apply": [{"id": name, "title": library.threats[name].title} for name in waiting],
        "absent": [{"id": threat.id, "title": threat.title} for threat in absent],
    }


def _standing(rows: list[Row], waiting: int, absent: int) -> Row:
    """What is open of a scenario, and one line for the rest."""
    work = [row for row in rows if row["work"]]
    parts = [
        (len(rows) - len(work), "mitigated, accepted, transferred or unproven"),
        (waiting, "may apply"),
        (absent, "does not apply" if absent == 1 else "do not apply"),
    ]
    rest = ", ".join(f"{number} {text}" for number, text in parts if number)
    return {"open": work, "rest": f"Of its other threats: {rest}." if rest else ""}


def _by_need(item: tuple[Threat, Sequence[FindingGroup]]) -> tuple[bool, int, str]:
    """Sorts threats that need something done first, then by what is left."""
    threat, cases = item
    done = all(case.head.verdict in DONE for case in cases)
    return done, -max(case.head.claimed.score for case in cases), threat.id


def _threat_row(threat: Threat, cases: Sequence[FindingGroup]) -> Row:
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


def _by_state(worst: Mapping[str, ControlState]) -> list[Row]:
    """Controls by state, the best known first."""
    found = grouped((state, name) for name, state in worst.items())
    return [{"state": STATE[state], "controls": found[state]} for state in sorted(found, key=lambda state: RANK[state])]


def coverage(assessment: Assessment) -> Row:
    """The matrix of the article's scenarios against its mitigations: controls linked, and those of them in place."""
    library = assessment.library
    worst = worst_by_control(assessment)
    rows: list[Plain] = [
        {
            "id": scenario.id,
            "number": scenario.number,
            "title": scenario.title,
            "cells": [_covered(scenario, name, library, worst) for name in (*MITIGATIONS, BEYOND)],
        }
        for scenario in library.article.scenarios
    ]
    every = (*library.article.scenarios, *library.article.mitigations)
    gaps = [{"title": part.title, "gaps": list(part.gaps)} for part in every if part.gaps]
    return {"columns": mitigations_of(library), "rows": rows, "gaps": gaps}


def _covered(scenario: Numbered, mitigation: str, library: Library, worst: Mapping[str, str]) -> Row:
    linked = dict.fromkeys(
        link.control
        for threat in library.threats.values()
        if threat.scenario == scenario.id
        for link in threat.links
        if library.controls[link.control].mitigation == mitigation
    )
    applicable = [name for name in linked if worst[name] not in {"not-applicable", NOT_NEEDED}]
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
        "text": {"none": "—", "idle": NOT_NEEDED}.get(level, f"{in_place} of {len(applicable)}"),
    }
