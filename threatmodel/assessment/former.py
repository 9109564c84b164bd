"""Former names in what was saved: keys of baselines and fingerprints, and the JSON of an assessment.

A word or key of the toolkit's own output is renamed by a row in `CODES`, `JSON_KEYS` or `JSON_WORDS`, from the former
to the current one; ids, facts and kinds have their former names where they are defined.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.gate.known import Baseline
from threatmodel.graph.elements import Graph
from threatmodel.library.entries import Control, FormerIds, Threat
from threatmodel.model.reference_architecture import FORMER_ELEMENTS
from threatmodel.model.vocabulary import FORMER_FACTS, FORMER_KINDS, KINDS
from threatmodel.reading.values import dataclass, replace

CODES: Mapping[str, str] = {}
"""Former codes of results that a check gives, such as ``drift``."""

JSON_KEYS: Mapping[str, str] = {
    "at_fault": "cause",
    "decides": "affects",
    "look": "topic",
    "not_modelled": "not_modeled",
    "stories": "issues",
    "taken_out": "reliances",
    "untold": "left_open",
    "wanting": "missing",
    "would": "change",
}
"""Former keys of the assessment's JSON, wherever they stand."""

JSON_WORDS: Mapping[str, str] = {
    "kept-low": "lowered-by-claim",
    "meant-public": "intended-public",
    "not-said": "not-stated",
    "ruled-out": "ruled-out-by-claim",
    "went-missing": "missing-since-baseline",
}
"""Former words of the assessment's JSON that are no ids: verdicts, states, kinds of what is listed."""

_TOKEN = re.compile(r"[A-Za-z0-9_-]+")
_NAMING = frozenset({
    *("id", "threat", "element", "control", "fact", "kind", "finding", "of", "scope", "what", "if", "holds", "state"),
    *("boundary", "source", "target", "reaches", "controls", "elements", "facts", "affects", "decides"),
    *("excluded_threats", "first", "verdict"),
})  # fmt: skip
"""Keys of the JSON whose texts are names, or are made of names; all others are text for people, or the author's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Names to replace within keys such as ``threat@element``, ``code:name`` and ``element.fact``.

    `planes` are kinds, and elements that no author describes; `ids` all other names, which stay where an element is
    called so; `facts` are those of each kind, and `kinds` the kinds of elements by id.
    """

    planes: Mapping[str, str]
    ids: Mapping[str, str]
    facts: Mapping[str, Mapping[str, str]]
    kinds: Mapping[str, str]

    def __call__(self, key: str, kind: str = "") -> str:
        """Return a key with the names replaced; `kind` is that of the element whose fact it may be."""
        pieces, end = [], 0
        for found in _TOKEN.finditer(key):
            token = found.group()
            pieces += [key[end : found.start()], self._of(token, kind)]
            end = found.end()
            kind = self.kinds.get(token) or self.kinds.get(self.planes.get(token, token), kind)
        return "".join([*pieces, key[end:]])

    def _of(self, token: str, kind: str) -> str:
        new = self.facts.get(kind, {}).get(token) or self.planes.get(token)
        return new or (token if token in self.kinds else self.ids.get(token, token))


def current_names(former: FormerIds, kinds: Mapping[str, str], elements: Mapping[str, str] | None = None) -> Names:
    """Return what replaces former names by the current ones, for elements of these kinds.

    `elements` has the current id of each former one.
    """
    ids = {**former.controls, **former.threats, **CODES, **(elements or {})}
    return Names(planes=dict(FORMER_ELEMENTS), ids=ids, facts=FORMER_FACTS, kinds=kinds)


def first_names(assessment: Assessment) -> Names:
    """Return what replaces current names by the first ones: by these a result is recognized for good."""
    library = assessment.library
    entries: list[Threat | Control] = [*library.controls.values(), *library.threats.values()]
    ids = {one.id: one.formerly[0] for one in entries if one.formerly} | _reversed(CODES)
    ids |= _reversed(former_elements(assessment.graph))
    facts: dict[str, dict[str, str]] = {kind: _reversed(FORMER_FACTS[kind]) for kind in KINDS}
    return Names(planes=_reversed(dict(FORMER_ELEMENTS)), ids=ids, facts=facts, kinds=kinds_of(assessment.graph))


def _reversed(former: Mapping[str, str]) -> dict[str, str]:
    """Return the first former name of each current one."""
    return {new: old for old, new in reversed(tuple(former.items()))}


def kinds_of(graph: Graph) -> dict[str, str]:
    """Return the kind of each element by id; '' for what has no facts."""
    return {name: element.kind or "" for name, element in graph.elements.items()}


def former_elements(graph: Graph) -> dict[str, str]:
    """Return the current id of each element that files name and once named otherwise."""
    return {node.formerly: node.id for node in graph.system.nodes.values() if node.formerly}


def current_baseline(baseline: Baseline, names: Names) -> tuple[Baseline, dict[str, str]]:
    """Return a baseline with current names, and its former keys, each with the current one."""
    renamed: dict[str, str] = {}

    def now(key: str) -> str:
        new = names(key)
        if new != key:
            renamed[key] = new
        return new

    findings = {
        now(key): replace(known, proved_by=tuple(now(control) for control in known.proved_by))
        for key, known in baseline.findings.items()
    }
    others = frozenset(now(key) for key in baseline.others)
    evidence = {
        kind: {now(name): files for name, files in elements.items()} for kind, elements in baseline.evidence.items()
    }
    sources = baseline.sources and tuple(
        one._replace(elements={now(name): resource for name, resource in one.elements.items()})
        for one in baseline.sources
    )
    return replace(baseline, findings=findings, others=others, evidence=evidence, sources=sources), renamed


def former_in(*sides: Mapping[str, Any]) -> FormerIds:
    """Return the former ids of the libraries that assessments were made with, as their JSON has them."""
    former = [side.get("library", {}).get("former", {}) for side in sides]
    threats, controls = ({k: v for one in former for k, v in one.get(part, {}).items()} for part in FormerIds._fields)
    return FormerIds(threats, controls)


def current_json(found: Mapping[str, Any], former: FormerIds) -> Mapping[str, Any]:
    """Return an assessment as JSON with current names."""
    planes = dict(FORMER_KINDS)
    kinds = {one["id"]: planes.get(one["kind"], one["kind"]) for one in found["elements"]}
    names = current_names(former, kinds)
    names = replace(names, ids={**names.ids, **JSON_WORDS})
    whole: dict[str, Any] = _current(dict(found), names, "", naming=False)
    return whole


def comparable(*sides: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """Return assessments as JSON that have the same set of findings.

    Schema 1 has only some of the undetermined findings: where it is one of the sides, no side has any.
    """
    if all(side["schema_version"].partition(".")[0] != "1" for side in sides):
        return sides
    return tuple(_determined(side) for side in sides)


def _determined(side: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an assessment without its undetermined findings, and with the counts of the others."""
    findings = [one for one in side["findings"] if one["verdict"] != "undetermined"]
    bands = {cell: Counter(one[cell]["band"] for one in findings) for cell in ("inherent", "claimed", "proven")}
    summary = {"by_verdict": Counter(one["verdict"] for one in findings), "by_band": bands}
    return {**side, "findings": findings, "summary": {**side["summary"], **summary}}


def _current(value: Any, names: Names, kind: str, *, naming: bool) -> Any:
    """Return a value with current keys and names; `kind` is that of the element around it."""
    if isinstance(value, dict):
        kind = _kind_of(value, names) or kind
        return {
            JSON_KEYS.get(key, names(key) if naming else key): _current(one, names, kind, naming=key in _NAMING)
            for key, one in value.items()
        }
    if isinstance(value, list):
        return [_current(one, names, kind, naming=naming) for one in value]
    return names(value, kind) if naming and isinstance(value, str) else value


def _kind_of(value: Mapping[str, Any], names: Names) -> str:
    """Return the kind of the element that a part of the JSON is, or speaks of."""
    own = value.get("kind", value.get("of"))
    if isinstance(own, str) and names(own) in KINDS:
        return names(own)
    element = value.get("element")
    return names.kinds.get(names(element), "") if isinstance(element, str) else ""
