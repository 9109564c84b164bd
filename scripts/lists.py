#!/usr/bin/env python3
"""What becomes of threats that others published: their systems are imported and assessed, item by item.

    python scripts/lists.py [--write]

scripts/lists.yaml has the lists; `--write` keeps the tables in docs/maintainers/accuracy.md.  Each system is imported
as it is, with nothing answered: an item is a finding, a question, answered (the threat is reported with what keeps it
low), tolerable (not asked, since at worst it is within the system's tolerance), ruled out by the template, or missed.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

HOME = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HOME))  # started as a script, it finds the engine beside its own folder

from scripts.labelled.found import TODAY, library  # noqa: E402
from scripts.labelled.page import inserted  # noqa: E402
from threatmodel import load_model  # noqa: E402
from threatmodel.assessment.assess import assess  # noqa: E402
from threatmodel.assessment.assessed import Assessment  # noqa: E402
from threatmodel.authoring.importing.plan import imported  # noqa: E402
from threatmodel.graph.elements import Element, Flow  # noqa: E402
from threatmodel.library.entries import Threat  # noqa: E402
from threatmodel.reading.files import Files  # noqa: E402

PAGE = HOME / "docs" / "maintainers" / "accuracy.md"
LISTS = HOME / "scripts" / "lists.yaml"
PART = "lists by others"
FINDING, QUESTION, ANSWERED, TOLERABLE, RULED_OUT, MISSED = ORDER = (
    *("finding", "question", "answered"),
    *("tolerable", "ruled out", "missed"),
)
_OUTCOMES = {"undetermined": QUESTION, "open": FINDING, "reduced": FINDING}
"""What an item becomes by the verdict of its finding; by any other one it is answered."""


class Became(NamedTuple):
    """What became of one item: the best that one of its threats came to, and these, each with what it is here."""

    item: str
    outcome: str
    threats: tuple[str, ...]
    note: str


def lists() -> Mapping[str, Mapping[str, Any]]:
    """All lists, by a short name."""
    found: Mapping[str, Mapping[str, Any]] = yaml.safe_load(LISTS.read_text(encoding="utf-8"))
    return found


@cache
def assessed(system: str) -> Assessment:
    """The assessment of what a file deploys, imported and with nothing answered."""
    path = HOME / system
    model = path.with_name("lists-model.yaml")
    text = imported(path, "", model, Files()).text
    graph = load_model(model, Files(texts={model: text}), today=TODAY)
    return assess(graph, library(), TODAY)


def became(one: Mapping[str, Any]) -> Sequence[Became]:
    """What becomes of each item of a list."""
    found = assessed(one["system"])
    outcomes = {threat.id: _left(found, threat) for threat in library().threats.values()}
    outcomes |= {finding.threat.id: QUESTION for finding in found.possible}
    verdicts = {finding.threat.id: finding.verdict for finding in reversed(found.applying)}
    outcomes |= {threat: _best(found, threat) for threat in verdicts}
    items = []
    for item, said in one["items"].items():
        threats = {threat: outcomes[threat] for threat in said["threats"]}
        best = min((*threats.values(), MISSED), key=ORDER.index)
        shown = tuple(f"{threat}: {verdicts.get(threat, outcome)}" for threat, outcome in threats.items())
        items.append(Became(item, best, shown, said.get("note", "")))
    return items


def _best(found: Assessment, threat: str) -> str:
    """The most that is reported of a threat, of all elements that it hits."""
    stated = [_OUTCOMES.get(finding.verdict, ANSWERED) for finding in found.findings if finding.threat.id == threat]
    return min(stated, key=ORDER.index)


def _left(found: Assessment, threat: Threat) -> str:
    """What a threat is of which nothing is reported: it may apply without a question, or it applies to nothing."""
    every: list[Element | Flow] = [*found.graph.elements.values(), *found.graph.flows.values()]
    may = (threat.applies[one.kind].truth(one.facts) >= 0 for one in every if one.kind in threat.applies)
    return TOLERABLE if any(may) else RULED_OUT


def page() -> str:
    """The tables of all lists."""
    return "\n".join(line for one in lists().values() for line in _table(one)).rstrip()


def _table(one: Mapping[str, Any]) -> Iterator[str]:
    items = became(one)
    counted = Counter(item.outcome for item in items)
    stated = ", ".join(f"{counted[outcome]} {outcome}" for outcome in ORDER if counted[outcome])
    yield f"[{one['title']}]({one['url']}), {one['by']}; run on `{one['system']}`. {len(items)} items: {stated}."
    yield ""
    yield "| item | becomes | by |"
    yield "| --- | --- | --- |"
    for item in items:
        by = ", ".join(item.threats) or "-"
        yield f"| {item.item} | {item.outcome} | {by}{'; ' if item.note else ''}{item.note} |"
    yield ""


def main() -> int:
    """Prints the tables, or writes them; the exit code."""
    parser = argparse.ArgumentParser(description="What becomes of threats that others published.")
    parser.add_argument("--write", action="store_true", help="write the tables of docs/maintainers/accuracy.md")
    text = page()
    if parser.parse_args().write:
        PAGE.write_text(inserted(PAGE.read_text(encoding="utf-8"), PART, text, "scripts/lists.py"), encoding="utf-8")
    else:
        print(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
