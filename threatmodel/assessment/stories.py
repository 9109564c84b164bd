"""What is found, told once: findings that are there for the same reason are one story, however many elements it names.

Of what is known to be bad a story is one threat with the same controls wanting; of what is not known, everything that
waits for the same answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from threatmodel.assessment.assessed import Assessment, Finding, Question, Verdict
from threatmodel.assessment.ranking import Rank, at_the_door, left_out, rank, strongest, weak_only
from threatmodel.assessment.risk import BANDS, Band
from threatmodel.assessment.states import ControlState, State
from threatmodel.library.format import Threat

Wanting = tuple[tuple[str, ControlState], ...]
"""Controls that are wanting, each with the state that it is in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Findings with one reason, the worst first.

    `wanting` are the controls at fault with their states, `question` what an undetermined story waits for.
    `door`: it leaves a public endpoint open to anybody, as far as is known.  `minor`: nothing that is left to do keeps
    the attack off, or smaller; it would only be noticed.
    """

    verdict: Verdict
    findings: tuple[Finding, ...]
    wanting: Wanting
    question: Question | None
    door: bool
    minor: bool
    rank: Rank

    @property
    def head(self) -> Finding:
        """The worst of its findings, which speaks for all."""
        return self.findings[0]

    @property
    def id(self) -> str:
        """What tells it from other stories: the question's id, or that of its first finding."""
        return self.question.id if self.question is not None else self.head.id

    @property
    def title(self) -> str:
        """Its worst threat in a sentence, and how many others share the reason."""
        others = len(self.threats) - 1
        return f"{self.head.threat.title}, and {others} more" if others else self.head.threat.title

    @property
    def threats(self) -> tuple[Threat, ...]:
        """The threats that it is about, those of the worst findings first."""
        return tuple({f.threat.id: f.threat for f in self.findings}.values())

    @property
    def elements(self) -> tuple[str, ...]:
        """The elements that it names, those of the worst findings first."""
        return tuple(dict.fromkeys(finding.target.id for finding in self.findings))

    @property
    def claimed(self) -> Band:
        """The worst band that is left if everything said is true; what an undetermined story may come to."""
        return max((finding.claimed.band for finding in self.findings), key=BANDS.index)

    @property
    def proven(self) -> Band:
        """The worst band that is left on evidence."""
        return max((finding.proven.band for finding in self.findings), key=BANDS.index)

    @property
    def states(self) -> tuple[State, ...]:
        """The states of the controls at fault, on every element that they are wanting on."""
        names = {name for name, _ in self.wanting}
        found = (a.state for f in self.findings for a in f.answers if a.link.control in names and a.state.level < 1)
        return tuple({(state.control, state.element): state for state in found}.values())


def stories(assessment: Assessment) -> tuple[Story, ...]:
    """Everything that needs work or waits for an answer, as stories, what comes first first."""
    found = [*_known(assessment.findings), *_waiting(assessment)]
    return tuple(sorted(found, key=lambda story: (story.minor, story.rank)))


def _known(findings: Iterable[Finding]) -> Iterator[Story]:
    """What is known to be bad: a story for a threat, with the controls that it is bad for want of.

    What is bad because defaults were left as they are is one story for each band.
    """
    found: dict[tuple[object, ...], list[Finding]] = {}
    for finding in findings:
        if finding.verdict in {"open", "reduced"}:
            key: tuple[object, ...] = (finding.threat.id, finding.verdict, finding.claimed.band, _wanting(finding))
            found.setdefault(("nobody", finding.claimed.band) if _nobodys(finding) else key, []).append(finding)
    for alike in found.values():
        wanting = dict.fromkeys(pair for finding in alike for pair in _wanting(finding))
        yield _story(alike, tuple(wanting), None)


def _nobodys(finding: Finding) -> bool:
    """Whether it is there for what nobody set and nobody says: defaults, which every system has, are one reason."""
    states = [answer.state for answer in strongest(finding)]
    return not at_the_door(finding) and (left_out(states) or all(state.level == 0 for state in states))


def _wanting(finding: Finding) -> Wanting:
    """The controls at fault: of those that are not in place or unknown the ones with the strongest effect."""
    return tuple(sorted((answer.link.control, answer.state.state) for answer in strongest(finding)))


def _waiting(assessment: Assessment) -> Iterator[Story]:
    """What is not known: a story for the question that comes first of those that it waits for.

    What every system is asked, to describe its platform, comes after all that is asked of this one.
    """
    waiting = {f.id: f for f in (*assessment.findings, *assessment.possible) if f.verdict == "undetermined"}
    ranked = sorted(assessment.questions, key=lambda question: question.kind == "describe")
    for question in ranked:
        if alike := [waiting.pop(name) for name in question.decides if name in waiting]:
            unknown = dict.fromkeys(pair for finding in alike for pair in _wanting(finding) if finding.applies)
            yield _story(alike, tuple(unknown), question)
    for finding in waiting.values():
        yield _story([finding], _wanting(finding), None)


def _story(alike: Sequence[Finding], wanting: Wanting, question: Question | None) -> Story:
    ranked = sorted(alike, key=rank)
    return Story(
        verdict=ranked[0].verdict,
        findings=tuple(ranked),
        wanting=wanting,
        question=question,
        door=any(at_the_door(finding) for finding in alike),
        minor=all(weak_only(finding) for finding in alike),
        rank=rank(ranked[0])._replace(fewer=-len(alike)),
    )
