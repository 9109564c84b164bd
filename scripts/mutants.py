#!/usr/bin/env python3
"""Weakens the evidence of the default model in every way that a rule knows, and says what still counts as proven.

    .venv/bin/python scripts/mutants.py [--only CLASS] [--base NAME] [--share N] [--show ID] [--write | --check]

Each mutant makes what is deployed weaker in one place; it is caught if no control that it undoes is proven any more, or
if the input is rejected, or where a claim alone hides something, if `check` names it.  What is weaker than what is in
scripts/mutation/weaker.yaml, apart from the engine.  `--write` keeps the table in docs/maintainers/mutants.md.
"""

from __future__ import annotations

import argparse
import difflib
import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HOME))  # started as a script, it finds the engine beside its own folder

from scripts.mutation.bases import before  # noqa: E402
from scripts.mutation.judging import Mutant, Outcome, outcome  # noqa: E402
from scripts.mutation.making import Made, made  # noqa: E402
from scripts.mutation.page import needless, page, reasons, unexplained  # noqa: E402

PAGE = HOME / "docs" / "maintainers" / "mutants.md"


@cache
def every() -> Made:
    """All mutants, made once in each process."""
    return made()


def judge(number: int) -> tuple[tuple[str, ...], str, Mapping[str, str]]:
    """What came of one mutant, without the mutant, which every process has."""
    mutant = every().mutants[number]
    found = outcome(mutant, before(mutant.base))
    return found.survivors, found.refused, found.became


def run(numbers: Sequence[int]) -> list[Outcome]:
    """What came of some mutants, on all the processors there are; the good states are shared."""
    for name in {every().mutants[number].base for number in numbers}:
        before(name)
    found = []
    with multiprocessing.get_context("fork").Pool(len(os.sched_getaffinity(0))) as pool:
        for number, (survivors, refused, became) in zip(numbers, pool.imap(judge, numbers, chunksize=4), strict=True):
            one = Outcome(mutant=every().mutants[number], survivors=survivors, refused=refused, became=became)
            found.append(one)
            if not one.caught:
                print(f"survives  {one.mutant.id}: {', '.join(one.survivors)}", flush=True)
            if sys.stderr.isatty():
                print(f"\r{len(found)} of {len(numbers)}", end="", file=sys.stderr)
    return found


def shared(numbers: Sequence[int], share: int) -> list[int]:
    """Every n-th of the numbers of each class of each system."""
    seen: dict[tuple[str, str], int] = {}
    chosen = []
    for number in numbers:
        key = (every().mutants[number].base, every().mutants[number].weakening)
        seen[key] = seen.get(key, -1) + 1
        if seen[key] % share == 0:
            chosen.append(number)
    return chosen


def shown(mutant: Mutant) -> str:
    """A mutant as a difference from the good files."""
    good = every().good(mutant)
    lines: list[str] = [mutant.id, f"undoes {', '.join(mutant.weakens) or 'nothing: word hides it'}"]
    for path, text in mutant.texts.items():
        was = good.get(path) or ((HOME / path).read_text(encoding="utf-8") if (HOME / path).is_file() else "")
        lines += difflib.unified_diff(was.splitlines(), text.splitlines(), path, path, lineterm="", n=2)
    return "\n".join(lines)


def main() -> int:
    """Judges, shows, writes or compares; the exit code."""
    parser = argparse.ArgumentParser(description="What of the default model's evidence still counts when it is weaker.")
    parser.add_argument("--only", metavar="CLASS", help="only mutants of a class of weakening")
    parser.add_argument("--base", metavar="NAME", help="only mutants of a system: see scripts/mutation/bases.yaml")
    parser.add_argument("--share", type=int, default=1, metavar="N", help="only every N-th of each class and system")
    parser.add_argument("--show", metavar="ID", help="print what a mutant changes, and judge nothing")
    parser.add_argument("--write", action="store_true", help="write docs/maintainers/mutants.md")
    parser.add_argument("--check", action="store_true", help="fail where docs/maintainers/mutants.md differs")
    asked = parser.parse_args()
    mutants = every().mutants
    if asked.show:
        found = [one for one in mutants if one.id == asked.show]
        print("\n".join(map(shown, found)) or f"no mutant is called {asked.show}")
        return 0 if found else 2
    numbers = shared(
        [
            number
            for number, one in enumerate(mutants)
            if asked.only in {None, one.weakening} and asked.base in {None, one.base}
        ],
        asked.share,
    )
    outcomes = run(numbers)
    survivors = [one for one in outcomes if not one.caught]
    print(f"caught {len(outcomes) - len(survivors)} of {len(outcomes)}")
    if asked.write or asked.check:
        text = page(outcomes, every().excluded, len(mutants))
        if asked.write:
            PAGE.write_text(text, encoding="utf-8")
        elif PAGE.read_text(encoding="utf-8") != text:
            print("docs/maintainers/mutants.md is not current: run scripts/mutants.py --write")
            return 1
    rotten = needless(outcomes, reasons()) if len(numbers) == len(mutants) else []
    for pattern in rotten:
        print(f"survivors.yaml excuses what is caught: {pattern}")
    return 1 if unexplained(outcomes) or rotten else 0


if __name__ == "__main__":
    raise SystemExit(main())
