"""The first page's answer: one sentence, what it adds up to, and no all-clear while anything waits for an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.priorities import Summary
from threatmodel.assessment.risk import BANDS
from threatmodel.render.report.method import untreated
from threatmodel.render.report.words import Plain, Row, counted, listed


def answer(assessment: Assessment, counts: Summary, platform: int) -> Row:
    """The first page's sentence, what it adds up to, and how good that is (good, word, wait, work or empty)."""
    verdicts = counts.verdicts
    total = len(assessment.applying)
    work = verdicts["open"] + verdicts["reduced"]
    waiting = verdicts["undetermined"]
    before = sum(untreated(finding, assessment) for finding in assessment.applying)
    proven = verdicts["mitigated"] - before
    headline, tone = _headline(assessment, counts, work, before)
    shares = [
        ("before", "within the tolerance before any control", before),
        ("proven", "within the tolerance on evidence", proven),
        ("word", "within the tolerance on word alone", verdicts["unproven"]),
        ("accepted", "accepted by an owner", verdicts["accepted"]),
        ("provider", "for the provider to treat", verdicts["transferred"]),
        ("waiting", "waiting for an answer", waiting),
        ("work", "in need of work", work),
    ]
    possible = len(assessment.possible)
    return {
        "headline": headline,
        "tone": tone,
        "sum": f"{counted(total, 'finding')}: "
        + ", ".join(
            f"{number - (possible if name == 'waiting' else 0):,} {text}"
            for name, text, number in shares
            if number or name in {"proven", "word"}
        )
        + ".",
        "may_apply": f"{counted(possible, 'more threat')} may apply: nobody has said what decides it."
        if possible
        else "",
        "platform": f"{platform:,} of these findings belong to the platform that the system stands on."
        if platform
        else "",
        "shares": _shares([(name, text, number) for name, text, number in shares if number or name == "proven"]),
        "findings": total,
        "possible": possible,
        "work": work,
        "waiting": waiting,
        "word": verdicts["unproven"],
        "before": before,
        "proven": proven,
        "accepted": verdicts["accepted"],
        "provider": verdicts["transferred"],
        "worst_waiting": _worst(counts.undetermined),
    }


def _headline(assessment: Assessment, counts: Summary, work: int, before: int) -> tuple[str, str]:
    """The sentence that a reader takes away, and its tone."""
    total, possible = len(assessment.applying), len(assessment.possible)
    if not total and not possible:
        return "No threat of the library applies to what this model describes.", "empty"
    waiting, word = counts.verdicts["undetermined"], counts.verdicts["unproven"]
    proven = counts.verdicts["mitigated"] - before
    parts = [
        f"{work:,} {'needs' if work == 1 else 'need'} work (at worst {_worst(_needing_work(assessment))})",
        f"{waiting:,} {'waits' if waiting == 1 else 'wait'} for an answer (at worst {_worst(counts.undetermined)})",
        f"{word:,} {'is' if word == 1 else 'are'} tolerable on word alone",
        f"{proven:,} {'is' if proven == 1 else 'are'} tolerable on evidence",
        f"{before:,} {'is' if before == 1 else 'are'} tolerable before any control",
    ]
    numbers = (work, waiting, word, proven, before)
    found = listed([part for part, number in zip(parts, numbers, strict=True) if number])
    found = found or "each is accepted by its owner or for the provider to treat"
    of = counted(total, "finding") + (f" and {possible:,} that may apply" if possible else "")
    none = ", none on evidence" if word and not proven else ""
    tone = "work" if work else "wait" if waiting else "word" if word else "good"
    return f"{_STARTS[tone]} {of}, {found}{none}.", tone


_STARTS = {"work": "Of", "wait": "Not clear yet: of", "word": "Nothing is open, but of", "good": "Of"}
"""How the sentence begins, for each tone."""


def _needing_work(assessment: Assessment) -> Mapping[str, int]:
    found: dict[str, int] = dict.fromkeys(BANDS, 0)
    for finding in assessment.applying:
        if finding.verdict in {"open", "reduced"}:
            found[finding.claimed.band] += 1
    return found


def _worst(numbers: Mapping[str, int]) -> str:
    return next((name for name in reversed(BANDS) if numbers[name]), "")


_WIDTH = 1000
"""Width of the bar of shares in its own units."""


def _shares(found: Sequence[tuple[str, str, int]]) -> Plain:
    """The shares of a bar, each with where it begins and how wide it is."""
    total = sum(number for _, _, number in found) or 1
    rows: list[Row] = []
    start = 0
    for index, (name, text, number) in enumerate(found):
        taken = sum(n for _, _, n in found[: index + 1])
        end = round(taken * _WIDTH / total)
        rows.append(
            {"name": name, "text": text, "number": number, "shown": f"{number:,}", "start": start, "width": end - start}
        )
        start = end
    return rows
