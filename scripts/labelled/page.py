"""The tables of docs/maintainers/accuracy.md: all files together, each file, and what differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from scripts.labelled.comparing import SUBJECTS, Compared, Count, Judged

BEGIN = "<!-- {name}: written by {script} -->\n"
END = "\n<!-- end of {name} -->"
_VERDICTS = ("right", "asked", "wrong", "false-proof")
_WHAT = {
    "wrong": "{subject}: `{one}` is not there",
    "missed": "{subject}: `{one}` is missed",
    "denied": "{subject}: `{one}` is missed in a complete list",
}


def inserted(page: str, name: str, text: str, script: str = "scripts/accuracy.py") -> str:
    """Return a page with one of its measured parts replaced.  Raise ValueError if the page has no such part."""
    begin, end = BEGIN.format(name=name, script=script), END.format(name=name)
    head, found, rest = page.partition(begin)
    _, closed, tail = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"the page has no part {name!r}")
    return f"{head}{begin}\n{text}\n{end}{tail}"


def tables(files: Sequence[Compared]) -> str:
    """Return the table of all files, one row per file, and the differences from the labels."""
    return "\n".join([*_totals(files), "", *_judgements(files), "", *_files(files), "", *_differences(files)]).rstrip()


def share(files: Sequence[Compared], subject: str) -> tuple[int, int, int]:
    """Return how many of a subject are rightly found, exist, and are reported."""
    every = [one.counts[subject] for one in files]
    right, wrong, missed = (sum(len(count[at]) for count in every) for at in range(3))
    return right, right + missed, right + wrong


def verdicts(judged: Sequence[Judged]) -> Counter[str]:
    """Judgments by verdict."""
    return Counter(one.verdict for one in judged)


def _totals(files: Sequence[Compared]) -> Iterator[str]:
    yield "| what | there | found | right of what was found | missed in a complete list |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    for subject in SUBJECTS:
        right, there, said = share(files, subject)
        denied = sum(len(one.counts[subject].denied) for one in files) if subject == "flows" else "-"
        yield f"| {subject} | {there} | {_of(right, there)} | {_of(right, said)} | {denied} |"


def _judgements(files: Sequence[Compared]) -> Iterator[str]:
    yield "| judgment | labeled | right | asked | wrong | false proofs | right of what was decided |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    controls = [judged for one in files for judged in one.controls]
    rows = {
        "who calls a route": [judged for one in files for judged in one.callers],
        "controls that the file decides": [judged for judged in controls if judged.label != "?"],
        "controls that it leaves open": [judged for judged in controls if judged.label == "?"],
    }
    for title, judged in rows.items():
        found = verdicts(judged)
        decided = len(judged) - found["asked"]
        cells = " | ".join(str(found[one]) for one in _VERDICTS)
        yield f"| {title} | {len(judged)} | {cells} | {_of(found['right'], decided)} |"


def _files(files: Sequence[Compared]) -> Iterator[str]:
    yield f"| file | {' | '.join(SUBJECTS)} | callers | controls | false proofs |"
    yield f"| --- | {' | '.join(['---:'] * len(SUBJECTS))} | ---: | ---: | ---: |"
    for one in files:
        counts = " | ".join(_cell(one.counts[subject]) for subject in SUBJECTS)
        controls = verdicts(one.controls)
        yield f"| `{one.name}` | {counts} | {_mark(one.callers)} | {_mark(one.controls)} | {controls['false-proof']} |"


def _cell(count: Count) -> str:
    there = len(count.right) + len(count.missed)
    wrong = f", {len(count.wrong)} wrong" if count.wrong else ""
    return f"{len(count.right)} of {there}{wrong}" if there or wrong else "-"


def _mark(judged: Sequence[Judged]) -> str:
    """Return the numbers of right, asked and wrong judgments, false proofs among the wrong ones."""
    found = verdicts(judged)
    return f"{found['right']} / {found['asked']} / {found['wrong'] + found['false-proof']}" if judged else "-"


def _differences(files: Sequence[Compared]) -> Iterator[str]:
    for one in files:
        for line in _differing(one):
            key = line.split("`")[1]
            why = f": {one.why[key]}" if key in one.why else ""
            yield f"- `{one.name}`: {line}{why}"


def _differing(file: Compared) -> Iterator[str]:
    for subject, count in file.counts.items():
        yield from (_WHAT["wrong"].format(subject=subject, one=one) for one in count.wrong)
        for one in count.missed:
            yield _WHAT["denied" if one in count.denied else "missed"].format(subject=subject, one=one)
    for judged in (*file.callers, *file.controls):
        if judged.verdict in {"wrong", "false-proof"}:
            yield f"{judged.verdict}: `{judged.what}` is labeled `{judged.label or 'open'}` and found `{judged.found}`"


def _of(part: int, whole: int) -> str:
    return f"{part} of {whole} ({100 * part // whole} %)" if whole else "-"
