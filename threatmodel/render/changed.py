"""Differences between two assessments as text, as JSON and as a picture."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from threatmodel.assessment.changes import Changes, Part
from threatmodel.assessment.regressions import Change
from threatmodel.reading.marks import MARK
from threatmodel.reading.problems import escaped, visible
from threatmodel.render.text import dot

_MARKS = {"added": "+", "removed": "-", "worse": "!", "better": "=", "changed": "~"}
NOTHING = "No difference in elements, facts, controls, rules and findings."


_EVERY = frozenset(_MARKS)
_GROUPS: tuple[tuple[str, Part, frozenset[str]], ...] = (
    ("Controls lost", "lost_controls", _EVERY),
    ("Proofs lost", "lost_proofs", _EVERY),
    ("Evidence removed or swapped", "evidence", _EVERY - {"added"}),
    ("Settings of the check", "settings", _EVERY),
    ("Statements relied on, new", "word", _EVERY - {"removed"}),
    ("New flows across a boundary", "crossings", _EVERY),
    ("Your own rules", "rules", _EVERY),
    ("Findings new or worse", "findings", frozenset({"added", "worse"})),
    ("Findings removed or better", "findings", frozenset({"removed", "better"})),
    ("Elements", "elements", _EVERY),
    ("Flows", "flows", _EVERY),
    ("Facts", "facts", _EVERY),
    ("Other controls", "controls", _EVERY),
    ("Evidence added", "evidence", frozenset({"added"})),
    ("Statements no longer relied on", "word", frozenset({"removed"})),
    ("Evidence files with changed content (SHA-256)", "edited", _EVERY),
)
"""The groups of differences: the title of each, what they are of, and how these differ."""


def groups(found: Changes) -> Iterator[tuple[str, Sequence[Change]]]:
    """Yield the differences by kind, the most important for a reviewer first."""
    for title, part, hows in _GROUPS:
        yield title, [one for one in found.parts[part] if one.how in hows]


def as_text(found: Changes) -> str:
    """Return every difference, one line each, in groups; losses come first."""
    if not found.number:
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
    value: dict[str, Any] = {
        "schema_version": "2.0",
        "before": found.before,
        "after": found.after,
        **{name: [_plain(one) for one in part] for name, part in found.parts.items()},
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
    how = {one.name: one.how for one in (*found.parts["elements"], *found.parts["flows"])}
    for one in found.parts["facts"]:
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
