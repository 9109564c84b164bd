"""What made findings new or worse between two assessments: the facts that changed, with what to do about them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from threatmodel.reading.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference: 'added', 'removed', 'worse', 'better' or 'changed'; of what kind and name, from what to what."""

    how: str
    kind: str
    name: str
    before: str = ""
    after: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Regression:
    """A changed fact that makes findings new or worse: its place now, its value, how many findings, and what to do."""

    element: str
    fact: str
    before: str
    after: str
    note: str
    place: str
    findings: int
    do: str


def regressions(
    facts: Iterable[Change], findings: Iterable[Change], after: Mapping[str, Any]
) -> tuple[Regression, ...]:
    """Return the changed facts that new and worse findings rest on, those with most findings first.

    `after` is the assessment as JSON.
    """
    by_id = {one["id"]: one for one in after["findings"]}
    worse = [by_id[one.name] for one in findings if one.how in {"added", "worse"}]
    reasons = Counter(reason for finding in worse for reason in set(_reasons(finding)))
    notes = {(one["id"], item["fact"]): item.get("note", "") for one in after["elements"] for item in one["facts"]}
    todo = {
        (cause["element"], cause["fact"]): action["do"]
        for action in reversed(after.get("actions", ()))
        for cause in action["cause"]
    }
    found = []
    for one in facts:
        element, _, fact = one.name.rpartition(".")
        number = sum(
            count for (of, reason), count in reasons.items() if of == element and fact in reason.split(": ")[0]
        )
        if number:
            note, do = notes.get((element, fact), ""), todo.get((element, fact), "")
            values = {"before": one.before, "after": one.after, "note": note, "place": one.place}
            found.append(Regression(element=element, fact=fact, findings=number, do=do, **values))
    return tuple(sorted(found, key=lambda cause: (-cause.findings, not cause.do, cause.element, cause.fact)))


def _reasons(finding: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The facts that a finding rests on, each with its element: what exposes it, and what denies its controls."""
    yield from ((finding.get("element", ""), item["fact"]) for item in finding.get("why", ()))
    for control in finding.get("controls", ()):
        if control["state"] in {"absent", "contradicted"}:
            for reason in control["reason"].split(", "):
                yield control["element"], reason.partition(":")[0].strip()
