"""Differences between two assessments as text, as JSON and as a picture."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from threatmodel.assessment.changes import Changes
from threatmodel.assessment.regressions import Change
from threatmodel.reading.marks import MARK
from threatmodel.reading.problems import escaped, visible
from threatmodel.render.text import dot

_MARKS = {"added": "+", "removed": "-", "worse": "!", "better": "=", "changed": "~"}
NOTHING = "No difference in elements, facts, controls, rules and findings."


def groups(found: Changes) -> Iterator[tuple[str, Sequence[Change]]]:
    """Yield the differences by kind, the most important for a reviewer first."""
    yield "Controls lost", found.lost_controls
    yield "Proofs lost", found.lost_proofs
    yield "Evidence removed or swapped", [one for one in found.evidence if one.how != "added"]
    yield "Settings of the check", found.settings
    yield "Statements relied on, new", [one for one in found.word if one.how != "removed"]
    yield "New flows across a boundary", found.crossings
    yield "Your own rules", found.rules
    yield "Findings new or worse", [one for one in found.findings if one.how in {"added", "worse"}]
    yield "Findings removed or better", [one for one in found.findings if one.how in {"removed", "better"}]
    yield "Elements", found.elements
    yield "Flows", found.flows
    yield "Facts", found.facts
    yield "Other controls", found.controls
    yield "Evidence added", [one for one in found.evidence if one.how == "added"]
    yield "Statements no longer relied on", [one for one in found.word if one.how == "removed"]
    yield "Evidence files with changed content (SHA-256)", found.edited


def as_text(found: Changes) -> str:
    """Return every difference, one line each, in groups; losses come first."""
    if not found.all:
        return f"{NOTHING}\n"
    lines = [f"{found.before} -> {found.after}"]
    for title, group in groups(found):
        if group:
            lines += ["", title, *(f"  {_line(one)}" for one in group)]
    if counts := list(counted(found)):
        lines += ["", "Counts", *(f"  {line}" for line in counts)]
    return "".join(f"{visible(line)}\n" for line in lines)


def _line(one: Change) -> str:
    place = f"  ({one.place})" if one.place else ""
    return f"{_MARKS[one.how]} {one.name}{moved(one)}{place}"


def moved(one: Change) -> str:
    """Return the values before and after, as they follow the name."""
    if one.before and one.after:
        return f": {one.before} -> {one.after}"
    return f": {one.after or one.before}" if one.after or one.before else ""


def counted(found: Changes) -> Iterator[str]:
    """Yield the counts that differ, in words."""
    for cell, name, before, after in found.counts:
        if before != after:
            yield f"{cell} {name}: {before} -> {after}"


def as_json(found: Changes) -> str:
    """Return all differences as JSON."""
    value = {
        "schema_version": "2.0",
        "before": found.before,
        "after": found.after,
        "lost_controls": [_plain(one) for one in found.lost_controls],
        "lost_proofs": [_plain(one) for one in found.lost_proofs],
        "evidence": [_plain(one) for one in found.evidence],
        "edited": [_plain(one) for one in found.edited],
        "word": [_plain(one) for one in found.word],
        "crossings": [_plain(one) for one in found.crossings],
        "rules": [_plain(one) for one in found.rules],
        "settings": [_plain(one) for one in found.settings],
        "findings": [_plain(one) for one in found.findings],
        "elements": [_plain(one) for one in found.elements],
        "flows": [_plain(one) for one in found.flows],
        "facts": [_plain(one) for one in found.facts],
        "controls": [_plain(one) for one in found.controls],
        "counts": [
            {"of": cell, "name": name, "before": before, "after": after} for cell, name, before, after in found.counts
        ],
    }
    return escaped(json.dumps(value, indent=1, ensure_ascii=False)) + "\n"


def _plain(one: Change) -> Mapping[str, str]:
    return {
        "how": one.how,
        "kind": one.kind,
        "name": one.name,
        "before": one.before,
        "after": one.after,
        "place": one.place,
    }


# --- a picture


_COLORS = {"added": "#1a7f37", "removed": "#b3261e", "changed": "#9a6700", "": "#57606a"}


def as_dot(before: Mapping[str, Any], after: Mapping[str, Any], found: Changes) -> str:
    """Return the runtime view of both sides as DOT: added in green, removed in red and dashed, changed in amber."""
    how = {one.name: one.how for one in (*found.elements, *found.flows)}
    for one in found.facts:
        how.setdefault(one.name.rpartition(".")[0], "changed")
    flows = {flow["id"]: flow for side in (before, after) for flow in side["flows"] if flow["view"] == "runtime"}
    ends = {end for flow in flows.values() for end in (flow["source"], flow["target"])}
    elements = {one["id"]: one for side in (before, after) for one in side["elements"] if one["id"] in ends}
    lines = [f"// {MARK}", "digraph changes {", "  rankdir=LR;", '  node [shape=box, fontname="Helvetica"];']
    for zone in sorted({str(one["boundary"]) for one in elements.values()}):
        lines += [f'  subgraph "cluster_{dot(zone)}" {{', f'    label="{dot(zone)}"; style=dashed;']
        inside = sorted(one["id"] for one in elements.values() if str(one["boundary"]) == zone)
        lines += [f"    {_node(elements[name], how.get(name, ''))}" for name in inside]
        lines.append("  }")
    lines += [f"  {_edge(flows[name], how.get(name, ''))}" for name in sorted(flows)]
    return "\n".join([*lines, "}"]) + "\n"


def _style(how: str) -> str:
    style = "dashed" if how == "removed" else "solid"
    return f'color="{_COLORS[how]}", fontcolor="{_COLORS[how]}", style={style}, penwidth={2 if how else 1}'


def _node(one: Mapping[str, Any], how: str) -> str:
    mark = f"{_MARKS[how]} " if how else ""
    return f'"{dot(one["id"])}" [label="{dot(mark + one["name"])}", {_style(how)}];'


def _edge(one: Mapping[str, Any], how: str) -> str:
    mark = f"{_MARKS[how]} " if how else ""
    label = dot(f"{mark}{one['label']}")
    return f'"{dot(one["source"])}" -> "{dot(one["target"])}" [label="{label}", fontname="Helvetica", {_style(how)}];'
