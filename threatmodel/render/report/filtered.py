"""What the filter of a page compares: bands, verdicts, scenarios, owners, states of controls and standards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import cast

from threatmodel.assessment.assessed import Assessment, Finding
from threatmodel.assessment.control_state import Answer
from threatmodel.assessment.risk import MOVES
from threatmodel.render.report.words import OnDemand, Row, maps

Owners = Mapping[str, str]
"""The owner of each element and flow."""


def filtered(findings: Sequence[Finding], owners: Owners) -> OnDemand:
    """Return what a filter compares of findings that are shown as one: texts between bars, and how many they are."""
    head = findings[0]
    return OnDemand(
        {
            "number": lambda: len(findings),
            "claimed": lambda: _tokens(cell.band for cell in dict.fromkeys([one.claimed for one in findings])),
            "proven": lambda: _tokens(cell.band for cell in dict.fromkeys([one.proven for one in findings])),
            "verdict": lambda: _tokens([one.verdict for one in findings]),
            "scenario": lambda: _tokens([one.threat.scenario for one in findings]),
            "owner": lambda: _tokens([owners[one.target.id] for one in findings]),
            "state": lambda: _tokens(one.state.state for one in head.answers if counts(one)),
            "standard": lambda: _tokens(name for row in maps(head.threat.maps) for name in _names(row)),
        }
    )


def counts(answer: Answer) -> bool:
    """Return whether a control could lower the risk of a finding."""
    return answer.state.state != "not-applicable" and answer.link.effect in MOVES


def _tokens(found: Iterable[str]) -> str:
    return "".join(f"|{one.replace('|', '/')}" for one in dict.fromkeys(found) if one) + "|"


def _names(row: Row) -> Iterator[str]:
    """The name of a list that a threat cites, and the ids that it has there, in small letters."""
    yield str(row["catalog"]).lower()
    yield from (str(one).lower() for one in cast("Sequence[str]", row["ids"]))


def standards(assessment: Assessment) -> list[str]:
    """Return the public lists that the threats of findings cite."""
    threats = {group.head.threat.id: group.head.threat for group in assessment.groups}
    return sorted({str(row["catalog"]) for threat in threats.values() for row in maps(threat.maps)})


def owners_of(assessment: Assessment) -> Owners:
    """Return the owner of each element and flow: that of the file that describes it, else the model's."""
    system = assessment.graph.system
    return {
        one.id: (system.file_owners.get(one.place.file, "") if one.place is not None else "") or system.owner
        for one in assessment.graph.targets()
    }
