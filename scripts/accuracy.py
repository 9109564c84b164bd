#!/usr/bin/env python3
"""How well infrastructure code is read: what a person found in public templates, held against what the readers find.

    python scripts/accuracy.py FOLDER

The labels stand in `scripts/accuracy.yaml`, by the digest of each template, and were written by reading the templates,
not by running the toolkit; the templates themselves lie in FOLDER (docs/accuracy.md says where they are public).  A
flow is `A > F` (A starts F), or `F reads|writes|sends|secrets|invokes|calls B`, with the names of the template, or the
keys that `threatmodel.evidence.outside` gives to what lies elsewhere.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from threatmodel.evidence.mappings.stack_facts import StackFacts  # noqa: E402 - the clone, not what is installed
from threatmodel.evidence.opened import mappings_of  # noqa: E402
from threatmodel.evidence.relations.found import FunctionRelations, function_relations  # noqa: E402
from threatmodel.reading.files import Files  # noqa: E402
from threatmodel.stacks.readers import kind_of, read  # noqa: E402

LABELS = ROOT / "scripts" / "accuracy.yaml"
USES = ("reads", "writes", "sends", "secrets", "invokes", "calls")
SUBJECTS = ("functions", "routes", "flows")


class Count(NamedTuple):
    """What was found of what is there: rightly, wrongly, and not at all."""

    right: tuple[str, ...]
    wrong: tuple[str, ...]
    missed: tuple[str, ...]


def counted(expected: set[str], found: set[str]) -> Count:
    """What a person says is there, held against what was found."""
    return Count(tuple(sorted(expected & found)), tuple(sorted(found - expected)), tuple(sorted(expected - found)))


def found_in(path: Path) -> Mapping[str, set[str]]:
    """What the readers find in a file, as labels are written."""
    files = Files()
    stack = read(kind_of(path, files), path, files)
    relations = function_relations(stack, StackFacts(stack, mappings_of(stack.kind)))
    return {
        "functions": set(relations),
        "routes": {route for name, one in relations.items() for route in _routes(name, one)},
        "flows": {flow for name, one in relations.items() for flow in _flows(name, one)},
    }


def _routes(name: str, one: FunctionRelations) -> Iterator[str]:
    return (f"{start.detail} {start.path or '*'} {name}" for start in one.triggers if start.by == "http")


def _flows(name: str, one: FunctionRelations) -> Iterator[str]:
    yield from (f"{start.source or start.detail} > {name}" for start in one.triggers if start.by != "http")
    for relation in USES:
        yield from (f"{name} {relation} {use.resource}" for use in getattr(one, relation))


def measured(folder: Path, labels: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Count]]]:
    """Each labelled file of a folder with its counts; files are known by their digest."""
    for path in sorted(folder.iterdir()):
        label = labels.get(hashlib.sha256(path.read_bytes()).hexdigest()[:16]) if path.is_file() else None
        if label is not None:
            found = found_in(path)
            yield label["public"], {one: counted(set(label.get(one, ())), found[one]) for one in SUBJECTS}


def table(rows: list[tuple[str, Mapping[str, Count]]]) -> str:
    """The counts as a table, all files together, then what was wrong or missed."""
    lines = ["| what | there | found | right of what was found |", "| --- | ---: | ---: | ---: |"]
    for subject in SUBJECTS:
        every = [counts[subject] for _, counts in rows]
        right, wrong, missed = (sum(len(one[at]) for one in every) for at in range(3))
        there, said = right + missed, right + wrong
        lines.append(f"| {subject} | {there} | {_share(right, there)} | {_share(right, said)} |")
    for name, counts in rows:
        for subject, count in counts.items():
            lines += [f"- {name}: {subject}: not there: `{one}`" for one in count.wrong]
            lines += [f"- {name}: {subject}: missed: `{one}`" for one in count.missed]
    return "\n".join(lines)


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({100 * part // whole} %)" if whole else "-"


def main(arguments: list[str]) -> int:
    """Prints the table for a folder."""
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        print(__doc__)
        return 2
    labels = yaml.safe_load(LABELS.read_text(encoding="utf-8"))
    rows = list(measured(Path(arguments[0]), labels))
    print(f"{len(rows)} of {len(labels)} labelled templates found")
    print(table(rows))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
