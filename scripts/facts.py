#!/usr/bin/env python3
"""Record what the evidence of real files says, and compare two recordings.

    .venv/bin/python scripts/facts.py record FOLDER... -o BEFORE.json
    .venv/bin/python scripts/facts.py compare BEFORE.json AFTER.json [--all]
    .venv/bin/python scripts/facts.py count RECORDED.json

A recording holds, for each infrastructure file of the folders, every fact and list of every element: its value, how
well it is known (2 evidence, 1 stated, 0 unknown), and where it is.  Each file is read twice: by the model that
`tm import` writes, and by a model that takes all its functions (`functions: all`).  Run `record` on two revisions:
`compare` names what changed, and says how much of what was known still is.  A file that cannot be read is recorded with
its message.
"""

from __future__ import annotations

import argparse
import datetime
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

HOME = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HOME))  # started as a script, it finds the engine beside its own folder

from threatmodel.authoring.importing.plan import imported  # noqa: E402
from threatmodel.evidence.claims import member_of  # noqa: E402
from threatmodel.evidence.collect import collect  # noqa: E402
from threatmodel.evidence.every_function import with_functions  # noqa: E402
from threatmodel.evidence.sources import read_sources  # noqa: E402
from threatmodel.graph.building import Graph, build  # noqa: E402
from threatmodel.library.directions import Directions, directions  # noqa: E402
from threatmodel.library.load import load_library  # noqa: E402
from threatmodel.model.facts import EVIDENCE, STATED  # noqa: E402
from threatmodel.model.load import load_model  # noqa: E402
from threatmodel.model.vocabulary import FACTS  # noqa: E402
from threatmodel.reading.files import Files  # noqa: E402
from threatmodel.reading.problems import InputError, Place  # noqa: E402

AS_OF = datetime.date(2026, 11, 25)
_SUFFIXES = {".yaml", ".yml", ".json", ".template"}
_SIZES = {EVIDENCE: "evidence", STATED: "stated", 0: "unknown"}
_MARKS = {
    "serverless": ("functions:", "provider:"),
    "plan": ('"planned_values"',),
    "template": ("AWS::",),
}
"""What the text of each kind of evidence has in it: enough to name the key of a model that takes the file whole."""

_LEAST = 0.97
"""The share of what was known that a change has to keep."""

_IN_DOUBT = " in doubt"
"""What follows the name of a fact that alarms and proves nothing, since an unread part may change it."""

Recorded = dict[str, dict[str, Any]]
"""By file and way of reading: facts by `element.fact` as [value, size, place], or a message under `error`."""


# --- recording


def record(folders: list[Path]) -> Recorded:
    """Return what both ways of reading find in each file of the folders, in order."""
    ways = directions(load_library(HOME / "threatlib"))
    found: Recorded = {}
    for folder in folders:
        for path in _files_of(folder):
            name = path.relative_to(folder).as_posix()
            found[f"{name} import"] = _recorded(path, _import_text, ways)
            found[f"{name} whole"] = _recorded(path, _whole_text, ways)
    return found


def _files_of(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.suffix in _SUFFIXES and path.is_file())


def _recorded(path: Path, text_of: Callable[[Path, Path], str], ways: Directions) -> dict[str, Any]:
    model = path.with_name(f"{path.stem}.facts.model.yaml")
    try:
        files = Files(texts={model: text_of(path, model)})
        system = load_model(files, model)
        sources = read_sources(system, files)
        system = with_functions(system, sources)
        statements, read = collect(system, sources, ways, AS_OF)
        graph = build(system, statements, AS_OF, read)
    except InputError as error:
        return {"error": [error.problems[0].message, 0, ""]}
    facts: dict[str, Any] = {}
    for element in graph.elements.values():
        for name, row in FACTS.get(element.kind, {}).items() if element.kind else ():
            if "template" in row.seen_by:
                facts[f"{element.id}.{name}"] = [None, 0, ""]
        for name, fact in element.facts.items():
            if fact.said.source != "model":
                key = f"{element.id}.{name}{_IN_DOUBT if fact.in_doubt else ''}"
                facts[key] = [_plain(fact.value), fact.size, _short(fact.said.place)]
    return facts | dict(_recorded_lists(graph))


def _recorded_lists(graph: Graph) -> Iterator[tuple[str, list[Any]]]:
    for of, lists in graph.lists.items():
        for name, members in lists.items():
            for item, fact in members.known:
                yield f"{of}.{name}[{member_of(item)}]", [fact.value, fact.size, _short(fact.said.place)]
            yield f"{of}.{name} closed", [True, members.closed.size if members.closed else 0, ""]


def _import_text(path: Path, model: Path) -> str:
    return imported(path, "", model, Files()).text


def _whole_text(path: Path, _model: Path) -> str:
    text = path.read_text(encoding="utf-8", errors="replace")
    kind = next((kind for kind, marks in _MARKS.items() if all(mark in text for mark in marks)), "template")
    return f"name: All of it\nevidence:\n  - {{{kind}: {json.dumps(path.name)}, functions: all}}\n"


def _plain(value: object) -> object:
    return value if isinstance(value, bool | int | float | str) or value is None else repr(value)


def _short(place: Place | None) -> str:
    return f"{Path(place.file).name}:{place.line}" if place is not None else ""


# --- comparing


def compared(before: Recorded, after: Recorded) -> tuple[list[str], Counter[str]]:
    """Return a line for each difference, and how many there are of each kind."""
    lines: list[str] = []
    counts: Counter[str] = Counter()
    for file in sorted(before.keys() | after.keys()):
        old, new = before.get(file, {}), after.get(file, {})
        for name in sorted(old.keys() | new.keys()):
            was, now = old.get(name, [None, 0, ""]), new.get(name, [None, 0, ""])
            kind = _kind(was, now)
            counts[kind] += 1
            counts["known before"] += was[1] > 0
            counts["still known"] += was[1] > 0 and now[1] > 0
            if kind != "same":
                lines.append(f"{kind:10} {file}: {name}: {_text(was)} -> {_text(now)}")
    return lines, counts


def _kind(was: list[Any], now: list[Any]) -> str:
    if was[1] != now[1]:
        return f"{_SIZES[was[1]]}>{_SIZES[now[1]]}"
    if not was[1] or was == now:
        return "same"
    return "value" if was[0] != now[0] else "place"


def _text(one: list[Any]) -> str:
    return f"{one[0]!r} {_SIZES[one[1]]} {one[2]}".rstrip()


def counted(recorded: Recorded) -> str:
    """Return a table of how well each fact is known, one line a fact, the sums last."""
    found: Counter[tuple[str, str]] = Counter()
    for facts in recorded.values():
        for name, (_, size, _) in facts.items():
            found[re.split(r"[\[ ]", name.partition(".")[2])[0], _SIZES[size]] += 1
    names = sorted({name for name, _ in found})
    rows = {name: [found[name, size] for size in _SIZES.values()] for name in names}
    sums = [sum(column) for column in zip(*rows.values(), strict=True)]
    head = f"{'':36}" + "".join(f"{size:>10}" for size in _SIZES.values())
    lines = (f"{name:36}" + "".join(f"{n:>10}" for n in row) for name, row in [*rows.items(), ("all", sums)])
    return "\n".join([head, *lines])


def main() -> int:
    """Run one of the three commands; the exit code, 1 where less than 97 % of what was known still is."""
    parser = argparse.ArgumentParser(description="Record what the evidence of files says, and compare recordings.")
    commands = parser.add_subparsers(dest="command", required=True)
    recording = commands.add_parser("record", help="read every file of the folders")
    recording.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    recording.add_argument("-o", dest="output", type=Path, required=True, metavar="FILE")
    comparing = commands.add_parser("compare", help="what changed between two recordings")
    comparing.add_argument("before", type=Path)
    comparing.add_argument("after", type=Path)
    comparing.add_argument("--all", action="store_true", help="changed places too")
    counting = commands.add_parser("count", help="how well each fact is known")
    counting.add_argument("recorded", type=Path)
    asked = parser.parse_args()
    if asked.command == "record":
        asked.output.write_text(json.dumps(record(asked.folders), indent=0, sort_keys=True), encoding="utf-8")
        return 0
    if asked.command == "count":
        print(counted(_loaded(asked.recorded)))
        return 0
    lines, counts = compared(_loaded(asked.before), _loaded(asked.after))
    print("\n".join(line for line in lines if asked.all or not line.startswith("place")))
    return _summed(counts)


def _loaded(path: Path) -> Recorded:
    found: Recorded = json.loads(path.read_text(encoding="utf-8"))
    return found


def _summed(counts: Mapping[str, int]) -> int:
    share = counts.get("still known", 0) / max(1, counts.get("known before", 0))
    print(", ".join(f"{name} {number}" for name, number in sorted(counts.items())))
    print(f"{share:.1%} of what was known still is")
    return int(share < _LEAST)


if __name__ == "__main__":
    raise SystemExit(main())
