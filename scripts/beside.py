#!/usr/bin/env python3
"""How much of a Slack application is known without asking: public ones, labeled by hand, against a first run.

    python scripts/beside.py FOLDER [--only NAME] [--named] [--write]

FOLDER holds copies of applications that labels.yaml, labels-2.yaml and labels-3.yaml in tests/beside name, each in
OWNER__NAME (the first at their commit).  Those that are not there are left out.
Each is imported as a folder, checked, and asked about, with nothing added by a person.  `--write` keeps the tables in
docs/maintainers/beside.md.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HOME))  # started as a script, it finds the engine beside its own folder

from scripts.labelled.applications import UNVERIFIED, Judged, Measured, labels, measured  # noqa: E402
from scripts.labelled.expected import SIGNED, is_closed, word  # noqa: E402
from scripts.labelled.page import inserted  # noqa: E402

PAGE = HOME / "docs" / "maintainers" / "beside.md"
LABELS = [HOME / "tests" / "beside" / name for name in ("labels.yaml", "labels-2.yaml", "labels-3.yaml")]
SCRIPT = "scripts/beside.py"
VERDICTS = ("right", "asked", "wrong")


def tables(files: Sequence[Measured]) -> str:
    """Return the totals, the facts, each application, what is wrong, and what could not be imported."""
    parts = (_totals(files), _verifying(files), _facts(files), _applications(files), _wrong(files), _unread(files))
    return "\n".join(line for part in parts for line in (*part, "")).rstrip()


def verdicts(judged: Iterable[Judged]) -> Counter[str]:
    """Return how many judgments have each verdict."""
    return Counter(one.verdict for one in judged)


def verifying(files: Sequence[Measured], words: frozenset[str]) -> Iterator[tuple[Measured, str]]:
    """Yield each handler with the label's word for how it verifies among these, and its application."""
    for one in files:
        if one.found is not None:
            for function, row in one.label["functions"].items():
                if row["entry"] == "http" and is_closed(row) and word(row["verify"]) in words:
                    yield one, function


def is_known_unverified(one: Measured, function: str) -> bool:
    """Whether evidence says that a handler does not verify Slack's signature."""
    facts = one.found.facts.get(function, {}) if one.found is not None else {}
    return facts.get("verifies_signature") == (False, True)


def denied(files: Sequence[Measured]) -> list[str]:
    """Return the handlers that verify before anything else, and of which something else is said."""
    return [
        f"{one.name} {function}"
        for one, function in verifying(files, SIGNED)
        for judged in one.facts
        if (judged.of, judged.what, judged.label) == (function, "verifies_signature", True)
        and judged.verdict == "wrong"
    ]


def _totals(files: Sequence[Measured]) -> Iterator[str]:
    read = [one for one in files if one.found is not None]
    yield f"{len(files)} applications, {len(read)} of which have a file that import reads."
    yield ""
    yield "| judgment | labeled | right | asked | wrong |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    yield _row("who calls a route", [judged for one in read for judged in one.callers])
    yield _row("facts of handlers, the pipeline and the workspace", [judged for one in read for judged in one.facts])


def _row(title: str, judged: Sequence[Judged]) -> str:
    found = verdicts(judged)
    return f"| {title} | {len(judged)} | {' | '.join(_share(found[one], len(judged)) for one in VERDICTS)} |"


def _share(part: int, whole: int) -> str:
    return f"{part} ({100 * part // whole} %)" if whole else "-"


def _verifying(files: Sequence[Measured]) -> Iterator[str]:
    yield "| handlers | there | known by evidence | shown by a finding | forged requests confirmed |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    for title, words in UNVERIFIED.items():
        those = list(verifying(files, words))
        known = sum(is_known_unverified(one, function) for one, function in those)
        shown = sum(function in one.found.shown for one, function in those if one.found is not None)
        forged = sum(function in one.found.forged for one, function in those if one.found is not None)
        counts = " | ".join(_share(one, len(those)) for one in (known, shown, forged))
        yield f"| verify {title} | {len(those)} | {counts} |"
    signed = sum(1 for _ in verifying(files, SIGNED))
    yield ""
    yield f"Of {signed} handlers that verify a signature, {len(denied(files))} that do so first are denied."


def _facts(files: Sequence[Measured]) -> Iterator[str]:
    yield "| fact | labeled | right | asked | wrong |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    every = [judged for one in files for judged in one.facts]
    for fact in sorted({judged.what for judged in every}):
        yield _row(f"`{fact}`", [judged for judged in every if judged.what == fact])


def _applications(files: Sequence[Measured]) -> Iterator[str]:
    yield "| application | callers | facts | questions | prompts | things to state | others |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    for one in files:
        if one.found is not None:
            found = one.found
            counts = f"{found.questions} | {found.prompts} | {found.asked} | {found.others}"
            yield f"| {one.name} | {_mark(one.callers)} | {_mark(one.facts)} | {counts} |"


def _mark(judged: Sequence[Judged]) -> str:
    """Return the numbers of right, asked and wrong judgments."""
    found = verdicts(judged)
    return " / ".join(str(found[one]) for one in VERDICTS)


def _wrong(files: Sequence[Measured]) -> Iterator[str]:
    for one in files:
        for judged in (*one.callers, *one.facts):
            if judged.verdict == "wrong":
                label = ", ".join(judged.label) if isinstance(judged.label, list) else judged.label
                yield f"- {one.name}: `{judged.what}` of `{judged.of}` is labeled {label} and found {judged.found}"


def _unread(files: Sequence[Measured]) -> Iterator[str]:
    yield from (f"- {one.name}: not imported: {one.problem}" for one in files if one.found is None)


def main() -> int:
    """Print the tables, or write them; return the exit code."""
    parser = argparse.ArgumentParser(description="How much of public Slack applications is known without asking.")
    parser.add_argument("folder", type=Path, help="the folder of the applications, each in OWNER__NAME")
    parser.add_argument("--only", default="", metavar="NAME", help="only applications with this in their name")
    parser.add_argument("--write", action="store_true", help="write the tables of docs/maintainers/beside.md")
    parser.add_argument("--named", action="store_true", help="name what is beside the template where import does not")
    asked = parser.parse_args()
    every = {name: label for path in LABELS for name, label in labels(path).items()}
    said = {name: label for name, label in every.items() if asked.only in name and "commit" in label}
    files = list(measured(asked.folder, said, named=asked.named))
    print(f"{len(files)} of {len(said)} labeled applications found")
    print(tables(files))
    if asked.write and files:
        page = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(inserted(page, "applications", tables(files), SCRIPT), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
