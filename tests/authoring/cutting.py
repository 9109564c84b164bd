"""The part of the example's template that its handler needs: what templates/handler.txt.j2 is held to."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

STARTS = ("OrderBotFunction", "RateAclAssociation")
"""What of the template the handler needs; the rest follows."""

_SECTION = re.compile(r"^([A-Z]\w*):", re.MULTILINE)
_ENTRY = re.compile(r"^  (\w+):", re.MULTILINE)
_CUT = ("Parameters", "Conditions", "Resources", "Outputs")
"""Sections of which only what is needed is kept."""


def needed(text: str) -> str:
    """A template cut down to what `STARTS` names, what that refers to, and what refers to nothing but these."""
    sections = _parts(text, _SECTION)
    entries = {name: _parts(sections[name], _ENTRY) for name in _CUT}
    resources = entries["Resources"]
    refers = {name: _named(body, resources) - {name} for name, body in resources.items()}
    kept: set[str] = set()
    more = set(STARTS)
    while more - kept:
        kept |= more
        more = {ref for name in kept for ref in refers[name]}
        more |= {name for name, refs in refers.items() if refs and refs <= kept}
    used = "".join(resources[name] for name in kept)
    conditions = _named(used, entries["Conditions"])
    used += "".join(entries["Conditions"][name] for name in conditions)
    cut = {
        "Parameters": _named(used, entries["Parameters"]),
        "Conditions": conditions,
        "Resources": kept,
        "Outputs": {name for name, body in entries["Outputs"].items() if _named(body, resources) <= kept},
    }
    for name in _CUT:
        left = _joined([body for entry, body in entries[name].items() if entry in cut[name]])
        sections[name] = f"{name}:\n{left}"
    return _joined(list(sections.values()))


def _parts(text: str, heading: re.Pattern[str]) -> dict[str, str]:
    """The parts of a text by the name in each one's heading, without the notes that stand between them."""
    found = list(heading.finditer(text))
    ends = [*(start.start() for start in found[1:]), len(text)]
    return {
        start[1]: re.sub(r"\s*(?:\n  # --- .*\s*)*\Z", "\n", text[start.start() : end], count=1)
        for start, end in zip(found, ends, strict=True)
    }


def _joined(bodies: Sequence[str]) -> str:
    """Parts one after the other, with an empty line beside each of several lines."""
    found = last = ""
    for body in bodies:
        space = last and (body.count("\n") > 1 or last.count("\n") > 1)
        found, last = found + "\n" * bool(space) + body, body
    return found


def _named(text: str, names: Mapping[str, str]) -> set[str]:
    return set(re.findall(r"\b[A-Za-z]\w+\b", re.sub(r"(?m)(^| )#.*$", "", text))) & set(names)
