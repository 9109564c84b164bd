"""The result of a check as text: what fails it, each with its place, and the counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from threatmodel.assessment.assessed import DONE, Assessment, Finding
from threatmodel.assessment.drift import absences, differences
from threatmodel.assessment.priorities import summary
from threatmodel.assessment.risk import BANDS
from threatmodel.model.facts import WORD
from threatmodel.reading.problems import Place, article, visible
from threatmodel.render import taken_out
from threatmodel.render.report.words import shown


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that fails a check: where, what kind of failure, and what it says."""

    place: Place
    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.code}: {visible(self.message)}"


def failures(assessment: Assessment, fail_on: str, *, allow_undetermined: bool) -> list[Failure]:
    """Everything that fails a check.

    Risks at or above a band that nobody treated or accepted, undetermined ones that could be such (unless allowed),
    lapsed acceptances, claims that evidence contradicts, other drift between the model and its evidence, and evidence
    that is not of what is there now.
    """
    found = [*_risks(assessment, fail_on, allow_undetermined=allow_undetermined)]
    found += _lapsed(assessment)
    found += _contradicted(assessment)
    found += _drifted(assessment)
    return found


def _risks(assessment: Assessment, fail_on: str, *, allow_undetermined: bool) -> Iterator[Failure]:
    for finding in (*assessment.findings, *assessment.possible):
        severe = BANDS.index(finding.claimed.band) >= BANDS.index(fail_on)
        waived = allow_undetermined and finding.verdict == "undetermined"
        if finding.verdict not in DONE and severe and not waived:
            band = finding.claimed.band if finding.verdict != "undetermined" else f"up to {finding.claimed.band}"
            message = f"{finding.id}: {finding.threat.title} ({band}, {_because(finding)})"
            yield Failure(_place(finding, assessment), finding.verdict, message)


def _because(finding: Finding) -> str:
    """Which controls are wanting, in a few words."""
    if not finding.target.described:
        return f"nothing is stated about the {finding.target.kind}"
    wanting = [f"{a.link.control} {a.state.state}" for a in finding.answers if a.state.level < 1]
    wanting = [text for text in wanting if not text.endswith("not-applicable")]
    return ", ".join(wanting[:3]) + (f" and {len(wanting) - 3} more" if len(wanting) > 3 else "")  # noqa: PLR2004 - a line's worth


def _place(finding: Finding, assessment: Assessment) -> Place:
    return finding.target.place or Place(assessment.graph.system.file)


def _lapsed(assessment: Assessment) -> Iterator[Failure]:
    for acceptance in assessment.graph.system.acceptances:
        if acceptance.expires < assessment.today:
            name = f"{acceptance.threat}@{acceptance.element}"
            message = f"{name}: accepted by {acceptance.owner} until {acceptance.expires}, which has passed"
            yield Failure(acceptance.place, "lapsed-acceptance", message)


def _contradicted(assessment: Assessment) -> Iterator[Failure]:
    for state in sorted(assessment.states.known(), key=lambda state: (state.control, state.element)):
        if state.state == "contradicted":
            places = [item.said.place for item in state.support if item.said.place is not None]
            place = places[0] if places else Place(assessment.graph.system.file)
            yield Failure(place, "contradicted", f"{state.control}@{state.element}: {state.reason}")


def _drifted(assessment: Assessment) -> Iterator[Failure]:
    """What a model says and its evidence denies, and elements that one of them lacks."""
    graph = assessment.graph
    for element, name, fact in differences(graph):
        words = [said for said in fact.against if said.size == WORD] or fact.against
        said, found = words[0], fact.said
        message = (
            f"{element}.{name}: {shown(said.value)} here, but {shown(found.value)} by {found.place or found.source}"
        )
        yield Failure(said.place or Place(graph.system.file), "drift", message)
    for read in graph.evidence:
        if read.stale:
            yield Failure(Place(read.file, 0), "stale", read.stale)
    for one in absences(graph):
        message = f"{one.name}: {article(one.kind)} that {one.file if one.in_model else 'the model'} lacks"
        yield Failure(one.place, "drift", message)


def checked(assessment: Assessment, found: list[Failure]) -> str:
    """The failures, one a line, then the counts."""
    counts = summary(assessment)
    verdicts = ", ".join(f"{count} {verdict}" for verdict, count in counts.verdicts.items() if count)
    lines = [str(failure) for failure in found]
    lines.append(
        f"{len(assessment.findings)} findings and {len(assessment.possible)} possible ones: {verdicts or 'none'}"
    )
    if assessment.taken_out:
        lines.append(f"taken out by word: {taken_out.counted_by_kind(assessment.taken_out)}")
        lines += [f"  {line}" for line in taken_out.lines(assessment.taken_out)]
    lines.append(f"{len(found)} of them fail this check" if found else "nothing fails this check")
    return "\n".join(lines) + "\n"
