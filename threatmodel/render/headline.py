"""The headline of an assessment: one sentence, the same on the first page and in a check."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.risk import BANDS, Band
from threatmodel.assessment.safety import Safety
from threatmodel.render.report.words import counted, listed


def headline(assessment: Assessment, found: Safety, failing: tuple[int, int]) -> str:
    """Return one sentence: what is above the accepted level, what open questions may add, and what the check does.

    `failing` counts the findings that fail the check, at the threshold of `found`, and other results.
    """
    total, above = len(assessment.findings), sum(found.above.values())
    if not total:
        first = "no threat of the library applies to what the model describes"
    elif above:
        first = f"{above:,} of {counted(total, 'finding')} {'is' if above == 1 else 'are'} above the accepted level"
        first += f" ({found.accepted_level}): {_in_bands(found.above)}"
    elif found.answer == "undetermined":
        first = f"none of {counted(total, 'finding')} is known to be above the accepted level ({found.accepted_level})"
    else:
        how = "as proven" if found.answer == "within-as-proven" else "as claimed"
        first = f"all of {counted(total, 'finding')} are within the accepted level ({found.accepted_level}) {how}"
    parts = [first, *_questions(assessment, found), *_unmodeled(found)]
    parts += _left(found) if found.answer in {"within-as-claimed", "within-as-proven"} else ()
    parts.append(check_text(failing, found.threshold))
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def _in_bands(counts: Mapping[Band, int]) -> str:
    return ", ".join(f"{counts[band]:,} {band}" for band in reversed(BANDS) if counts[band])


def _questions(assessment: Assessment, found: Safety) -> Iterable[str]:
    """How many open questions affect the undetermined findings, and how severe these could be."""
    number = sum(found.undetermined.values())
    if number:
        open_ids = {finding.id for finding in assessment.findings if finding.verdict == "undetermined"}
        asked = sum(not open_ids.isdisjoint(question.decides) for question in assessment.questions)
        worst = next(band for band in reversed(BANDS) if found.undetermined[band])
        verb = "affects" if asked == 1 else "affect"
        more = "more " if sum(found.above.values()) else ""
        findings = "finding" if number == 1 else "findings"
        yield f"{counted(asked, 'open question')} {verb} {number:,} {more}{findings} (up to {worst})"


def _unmodeled(found: Safety) -> Iterable[str]:
    if found.unmodeled:
        verb = "is" if found.unmodeled == 1 else "are"
        yield f"{counted(found.unmodeled, 'resource')} of the evidence {verb} not in the model"


def _left(found: Safety) -> Iterable[str]:
    """What an owner accepted, and what only the provider can treat."""
    if found.accepted:
        yield f"{counted(found.accepted, 'risk')} {'is' if found.accepted == 1 else 'are'} accepted by an owner"
    if found.provider:
        yield f"{counted(found.provider, 'finding')} {'is' if found.provider == 1 else 'are'} for the provider to treat"


def check_text(failing: tuple[int, int], threshold: Band) -> str:
    """Return whether a check passes, on how many findings and other results it fails, and from which level."""
    found, others = failing
    at = "at critical" if threshold == BANDS[-1] else f"at {threshold} and above"
    if not found and not others:
        return f"the check passes, because it fails only {at}"
    parts = [f"{counted(found, 'finding')} {at}"] if found else []
    parts += [f"{counted(others, 'other result')}" if parts else counted(others, "result")] if others else []
    return f"the check fails: {listed(parts)}"
