"""The headline of an assessment: one sentence, the same on the first page and in a check."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.gate.results import Failures
from threatmodel.assessment.risk import BANDS, Band, within
from threatmodel.assessment.safety import Safety
from threatmodel.render.report.words import counted, listed


def headline(assessment: Assessment, found: Safety, failing: Failures) -> str:
    """Return one sentence: what is above the accepted level, what open questions may add, and what the check does.

    `failing` counts the findings that fail the check, at the threshold of `found`, and other results.
    """
    outlines, total = assessment.outlines, len(assessment.findings)
    level = f"the accepted level ({found.accepted_level})"
    above = sum(number for one, number in outlines.items() if not within(one.claimed, found.accepted_level))
    if not total:
        first = "no threat of the library applies to what the model describes"
    elif above:
        first = f"{above:,} of {counted(total, 'finding')} {'is' if above == 1 else 'are'} above {level}: "
        first += ", ".join(_above(assessment, found))
    else:
        how = "as proven" if found.answer == "within-as-proven" else "as claimed"
        first = f"all of {counted(total, 'finding')} are within {level} {how}"
    text = "; ".join([first, *_unmodeled(found), check_text(failing, found.threshold)])
    return f"{text[0].upper()}{text[1:]}."


def _above(assessment: Assessment, found: Safety) -> Iterator[str]:
    """What makes up the findings above the accepted level as claimed: how sure each part is, or who owns it."""
    confirmed, open_ = sum(found.above.values()), sum(found.undetermined.values())
    if confirmed:
        yield f"{confirmed:,} confirmed ({_in_bands(found.above)})"
    if open_:
        worst = next(band for band in reversed(BANDS) if found.undetermined[band])
        verb = "depends" if open_ == 1 else "depend"
        yield f"{open_:,} {verb} on {counted(open_questions(assessment), 'open question')} (up to {worst})"
    for verdict, text in (("accepted", "accepted by an owner"), ("transferred", "for the provider to treat")):
        number = sum(
            number
            for one, number in assessment.outlines.items()
            if one.verdict == verdict and not within(one.claimed, found.accepted_level)
        )
        if number:
            yield f"{number:,} {text}"


def open_questions(assessment: Assessment) -> int:
    """Return how many questions decide findings that are undetermined; those with one source are one."""
    undetermined = (group for group in assessment.groups if group.head.verdict == "undetermined")
    names = {finding.id for group in undetermined for finding in group.findings}
    return len({question.source for question in assessment.questions if not names.isdisjoint(question.decides)})


def _in_bands(counts: Mapping[Band, int]) -> str:
    return ", ".join(f"{counts[band]:,} {band}" for band in reversed(BANDS) if counts[band])


def _unmodeled(found: Safety) -> Iterable[str]:
    if found.unmodeled:
        verb = "is" if found.unmodeled == 1 else "are"
        yield f"{counted(found.unmodeled, 'resource')} of the evidence {verb} not in the model"


def check_text(failing: Failures, threshold: Band) -> str:
    """Return whether a check passes, on how many findings and other results it fails, and from which level."""
    found, others, since_baseline = failing
    at = "at critical" if threshold == BANDS[-1] else f"at {threshold} and above"
    if not found and not others:
        why = f"nothing {at} is new or worse than in the baseline" if since_baseline else f"it fails only {at}"
        return f"the check passes, because {why}"
    parts = [f"{counted(found, 'finding')} {at}"] if found else []
    parts += [f"{counted(others, 'other result')}" if parts else counted(others, "result")] if others else []
    return f"the check fails: {listed(parts)}"
