"""What a check of one model came to, small enough to be handed from one process to another, and what forms share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol, runtime_checkable

from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.former import first_names
from threatmodel.assessment.gate.baseline import Baseline
from threatmodel.assessment.gate.results import CheckResult
from threatmodel.assessment.priorities import summary
from threatmodel.assessment.risk import BANDS, Cell
from threatmodel.library.entries import Library, Threat
from threatmodel.reading.former import Renamed
from threatmodel.reading.problems import Place, width_of
from threatmodel.render import reliances
from threatmodel.render.checks.told import Told

Level = Literal["error", "warning", "note"]

KINDS: Mapping[str, tuple[str, str]] = {
    "lapsed-acceptance": ("An accepted risk whose day has passed", "Treat the risk, or let its owner accept it anew."),
    "long-acceptance": ("A risk accepted for too long", "Let the acceptance end earlier, and look again then."),
    "exceeded-acceptance": ("More risk than was accepted", "Treat the risk, or let its owner accept the higher one."),
    "wide-acceptance": (
        "More risk is accepted than there is",
        "Accept what is left: a higher risk is for its owner to accept then.",
    ),
    "needless-acceptance": ("An acceptance of nothing", "Remove it: what it was of is gone."),
    "lapsed-exemption": ("An exemption whose day has passed", "Mend what it exempts, or let its owner exempt it anew."),
    "long-exemption": ("An exemption for too long", "Let it end earlier, and look again then."),
    "needless-exemption": ("An exemption from what holds", "Remove it."),
    "not-an-acceptor": ("Accepted by somebody who may not", "Let one of those decide whom the policy names."),
    "long-attestation": ("An attestation that holds for too long", "Let it end earlier, and look again then."),
    "ends-soon": ("Something ends within thirty days", "Look again, and say it anew with a later day."),
    "lapsed": ("An attestation that has ended", "Look again, and attest it anew."),
    "overdue": ("Work whose day has passed", "Do it, or set another day."),
    "contradicted": ("Evidence contradicts what somebody says", "Mend the one that is wrong."),
    "drift": ("The model and its evidence differ", "Mend the one that is wrong."),
    "stale": ("Evidence that is not of what is there now", "Read or probe it again."),
    "no-evidence": ("Evidence that the policy asks for is missing", "Name a file of that kind under evidence."),
    "not-proven": ("A control that the policy wants proven", "Let evidence show it."),
    "relies-on-statement": ("Word alone takes something out", "Let evidence show it, or treat the risk."),
    "missing-evidence": (
        "Evidence that the baseline knew is named no more",
        "Name it again, or take a new baseline with --update-baseline.",
    ),
    "swapped-evidence": (
        "Evidence that the baseline does not know is named in place of what it knew",
        "Name that evidence again, or review the change and run check --update-baseline.",
    ),
    "lost-proof": ("What was proven is proven no more", "Name the evidence again, or mend what it no longer shows."),
    "invariant": (
        "A rule of the team's own does not hold",
        "Mend the model or what it describes, or exempt the element.",
    ),
}
"""Results behind which no threat stands: a title and what to do."""


class RuleText(NamedTuple):
    """What a rule says, for those who meet it for the first time; `severity` from 0 to 10, '' for none."""

    title: str
    text: str
    help: str
    severity: str
    tags: tuple[str, ...]
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A model's check.

    `file` is the model as messages name it, and `base` the folder that such names start from, as seen from the root of
    the repository.  `ends` has the column behind the token at each place.  `problems` is not empty where the model
    cannot be used: then there is nothing else; nor is there where it is `shared`, a platform file named beside models.
    `rules` are those that no model before it needed; `reliances` tells what word takes out: the counts, then a line
    each.  `told` is what fails by issue; `baseline` says which one it is held to, and `now` is the model as it is, for
    a baseline to come.  `first_names` gives a key with the names by which a result is recognized for good; `renamed`
    are the former names that were read.
    """

    file: str
    base: str = ""
    name: str = ""
    revision: str = ""
    day: str = ""
    results: tuple[CheckResult, ...] = ()
    ends: Mapping[Place, int] = field(default_factory=dict)
    verdicts: Mapping[str, int] = field(default_factory=dict)
    findings: int = 0
    possible: int = 0
    problems: str = ""
    shared: bool = False
    rules: Mapping[str, RuleText] = field(default_factory=dict)
    paths: tuple[str, ...] = ()
    reliances: tuple[str, ...] = ()
    told: Told | None = None
    baseline: str = ""
    now: Baseline | None = None
    first_names: Callable[[str], str] = str
    renamed: tuple[Renamed, ...] = ()

    @property
    def failing(self) -> tuple[CheckResult, ...]:
        """What fails."""
        return tuple(result for result in self.results if result.fails)

    @property
    def code(self) -> int:
        """The exit code that it asks for."""
        return 2 if self.problems else 1 if self.failing else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A model's check as written: a piece of text for each form, and what the run has to know of it."""

    file: str
    base: str
    pieces: tuple[str, ...]
    code: int
    fails: int
    warns: int
    problems: str
    shared: bool
    rules: Mapping[str, RuleText]
    paths: tuple[str, ...]
    now: Baseline | None
    renamed: tuple[Renamed, ...]


def outcome(checked: Checked, forms: Sequence[Form]) -> Outcome:
    """A check written in these forms."""
    return Outcome(
        file=checked.file,
        base=checked.base,
        pieces=tuple("" if checked.shared else form.model(checked) for form in forms),
        code=checked.code,
        fails=len(checked.failing),
        warns=sum(result.warns for result in checked.results),
        problems=checked.problems,
        shared=checked.shared,
        rules=checked.rules,
        paths=checked.paths,
        now=checked.now,
        renamed=checked.renamed,
    )


@dataclass(slots=True)
class Totals:
    """Sums over the models written so far, the rules that they name, and those that cannot be used."""

    models: int = 0
    red: int = 0
    fails: int = 0
    warns: int = 0
    rules: dict[str, RuleText] = field(default_factory=dict)
    broken: list[Outcome] = field(default_factory=list)

    def add(self, one: Outcome) -> None:
        """Counts one model; what models share is none."""
        if one.shared:
            return
        self.models += 1
        self.red += bool(one.fails)
        self.fails += one.fails
        self.warns += one.warns
        for name, rule in one.rules.items():
            self.rules.setdefault(name, rule)
        if one.problems:
            self.broken.append(one)

    @property
    def code(self) -> int:
        """The exit code of the run; nothing checked is no pass."""
        return 2 if self.broken or not self.models else 1 if self.red else 0

    def __str__(self) -> str:
        broken = len(self.broken)
        what = "model" if self.models == 1 else "models"
        models = f"{self.models} {what}: {self.models - self.red - broken} pass, {self.red} fail"
        return models + (f", {broken} cannot be used" if broken else "")


@runtime_checkable
class GatheringForm(Protocol):
    """A form that holds what it has of each model until the last one, since there is not room for everything."""

    def gather(self, piece: str, /) -> None:
        """Takes in what it made of one model."""

    def left_out(self) -> str:
        """What there was no room for, in words; '' where all of it stands there."""


class Form(Protocol):
    """A form in which checks are written, a model at a time; `between` stands between two that say something."""

    between: str

    def head(self) -> str:
        """What stands before the first model."""

    def model(self, checked: Checked, /) -> str:
        """One model; '' where there is nothing to say of it."""

    def tail(self, totals: Totals, /) -> str:
        """What stands behind the last one."""


def checked(  # noqa: PLR0913 - what a run knows of a model
    assessment: Assessment,
    results: Sequence[CheckResult],
    text_of: Callable[[str], str],
    *,
    base: str = "",
    known: Iterable[str] = (),
    paths: Iterable[str] = (),
    issue: Told | None = None,
    baseline: str = "",
    now: Baseline | None = None,
    renamed: Iterable[Renamed] = (),
) -> Checked:
    """The check of a model that can be used.

    `text_of` gives the text of a file by its name ('' where nobody knows it), `known` are the rules that need not be
    handed over again.
    """
    system, counts = assessment.graph.system, summary(assessment)
    told = set(known)
    new = [rule for rule in dict.fromkeys(result.rule for result in results) if rule not in told]
    return Checked(
        file=system.file,
        base=base,
        name=system.name,
        revision=system.revision,
        day=assessment.today.isoformat(),
        results=tuple(results),
        ends=_ends(results, text_of),
        verdicts={verdict: count for verdict, count in counts.verdicts.items() if count},
        findings=len(assessment.findings),
        possible=len(assessment.possible),
        rules={name: rule_text(name, assessment.library) for name in new},
        paths=tuple(paths),
        told=issue,
        baseline=baseline,
        now=now,
        first_names=first_names(assessment),
        renamed=tuple(renamed),
        reliances=(reliances.counted_by_kind(assessment.reliances), *reliances.lines(assessment.reliances))
        if assessment.reliances
        else (),
    )


def _ends(results: Sequence[CheckResult], text_of: Callable[[str], str]) -> dict[Place, int]:
    """Where what stands at each place ends: with its token, where the text of the file is known."""
    places = {place for result in results for place in (result.place, *(one.place for one in result.related))}
    lines: dict[str, list[str]] = {}
    found = {}
    for place in places:
        if place.line and not place.part:
            if place.file not in lines:
                lines[place.file] = text_of(place.file).split("\n")
            line = lines[place.file][place.line - 1] if place.line <= len(lines[place.file]) else ""
            found[place] = place.column + width_of(line, place.column - 1)
    return found


def rule_text(rule: str, library: Library) -> RuleText:
    """What a rule says: a threat of the library, or one of KINDS."""
    threat = library.threats.get(rule)
    if threat is not None:
        return _of_threat(threat, library)
    title, do = KINDS[rule]
    return RuleText(title, title, do, "", (), "")


def _of_threat(threat: Threat, library: Library) -> RuleText:
    score = Cell(threat.likelihood, threat.impact).score
    controls = [f"- {library.controls[link.control].title} ({link.control})" for link in threat.links]
    answers = "\n".join(["What answers it:", *controls]) if controls else ""
    tags = [f"external/cwe/{cwe.lower()}" for cwe in threat.maps.get("cwe", ())]
    return RuleText(
        title=threat.title,
        text=threat.why,
        help=f"{threat.why}\n\n{answers}".strip(),
        severity=severity(score),
        tags=("security", *threat.stride, *tags)[:10],
        link=threat.references[0] if threat.references else "",
    )


_SEVERITIES = {
    "low": (1, 5, 0.1, 3.9),
    "medium": (6, 9, 4.0, 6.9),
    "high": (10, 16, 7.0, 8.9),
    "critical": (17, 25, 9.1, 10.0),
}


def severity(score: int) -> str:
    """A score from 1 to 25 on the scale from 0 to 10 of code hosts, in whose bands ours lie."""
    band = next(name for name in BANDS if score <= _SEVERITIES[name][1])
    low, high, least, most = _SEVERITIES[band]
    return f"{least + (most - least) * (max(score, low) - low) / (high - low):.1f}"


def level(result: CheckResult) -> Level:
    """How heavily a result counts."""
    return "error" if result.fails else "warning" if result.warns else "note"


def said(result: CheckResult) -> str:
    """A result in one line: what it is of and what it says, and what to do."""
    return f"{result.name}: {result.message}" + (f"; {result.do}" if result.do else "")
