#!/usr/bin/env python3
"""The price of caution: what of the facts of real files is evidence, word or unknown, by fact.

    .venv/bin/python scripts/price.py FOLDER [--json]

Each file of infrastructure code in the folder is imported as a model would be, and its statements are weighed as they
count.  A fact that a file may tell of an element is evidence, word (by a parameter's default, say) or unknown.  Run on
two revisions, the difference of the two tables is what a rule costs.
"""

from __future__ import annotations

import argparse
import datetime
import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HOME))  # started as a script, it finds the engine beside its own folder

from threatmodel.authoring.importing.plan import imported  # noqa: E402
from threatmodel.evidence.collect import collect  # noqa: E402
from threatmodel.library.directions import directions  # noqa: E402
from threatmodel.library.load import load_library  # noqa: E402
from threatmodel.model.facts import EVIDENCE, weigh  # noqa: E402
from threatmodel.model.load import load_model  # noqa: E402
from threatmodel.model.vocabulary import FACTS  # noqa: E402
from threatmodel.reading.files import Files  # noqa: E402
from threatmodel.reading.problems import InputError  # noqa: E402

AS_OF = datetime.date(2026, 11, 25)
_SUFFIXES = {".yaml", ".yml", ".json", ".template"}


def counted(path: Path) -> Counter[tuple[str, str]]:
    """How often each fact of the elements of a file is evidence, word or unknown.  Raises InputError."""
    model = path.with_name(f"{path.stem}.price.model.yaml")
    text = imported(path, "", model, Files()).text
    files = Files(texts={model: text})
    system = load_model(files, model)
    statements, _ = collect(system, files, directions(load_library(HOME / "threatlib")), AS_OF)
    found: Counter[tuple[str, str]] = Counter()
    for element, node in system.nodes.items():
        for name, fact in FACTS.get(node.kind, {}).items():
            if "template" in fact.seen_by:
                said = statements.get(element, {}).get(name, ())
                size = weigh(said).size if said else 0
                word = "evidence" if size == EVIDENCE else "word" if size else "unknown"
                found[f"{node.kind}.{name}", word] += 1
    return found


def files_of(folder: Path) -> Iterator[Path]:
    """The files of a folder that may be infrastructure code, in order."""
    return (path for path in sorted(folder.rglob("*")) if path.suffix in _SUFFIXES and path.is_file())


def table(found: Mapping[tuple[str, str], int]) -> str:
    """One line a fact, the sums last."""
    words = ("evidence", "word", "unknown")
    lines = [f"{'':44}{''.join(f'{word:>10}' for word in words)}"]
    names = sorted({name for name, _ in found})
    lines += [f"{name:44}{''.join(f'{found.get((name, word), 0):>10}' for word in words)}" for name in names]
    sums = [sum(found.get((name, word), 0) for name in names) for word in words]
    return "\n".join([*lines, f"{'all':44}{''.join(f'{one:>10}' for one in sums)}"])


def main() -> int:
    """Counts and prints; the exit code."""
    parser = argparse.ArgumentParser(description="What of the facts of real files is evidence, word or unknown.")
    parser.add_argument("folder", type=Path, help="a folder with templates, plans and serverless.yml")
    parser.add_argument("--json", action="store_true", help="the counts as JSON")
    asked = parser.parse_args()
    found: Counter[tuple[str, str]] = Counter()
    read = 0
    for path in files_of(asked.folder):
        try:
            found += counted(path)
            read += 1
        except InputError as error:
            print(f"{path.name}: {error.problems[0].message}", file=sys.stderr)
    if asked.json:
        print(json.dumps({"files": read, "facts": {" ".join(key): count for key, count in sorted(found.items())}}))
    else:
        print(f"{read} files\n{table(found)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
