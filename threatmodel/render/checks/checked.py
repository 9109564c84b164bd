"""The result of checking one model, small enough to pass between processes, and what output formats share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.former import first_names
from threatmodel.assessment.gate.results import CheckResult
from threatmodel.assessment.priorities import summary
from threatmodel.assessment.risk import BANDS, Cell
from threatmodel.library.entries import Library, Threat
from threatmodel.reading.former import Renamed
from threatmodel.reading.problems import Place, width_of
from threatmodel.reading.values import dataclass, field
from threatmodel.render import reliances
from threatmodel.render.checks.failing import FailingIssues

if TYPE_CHECKING:
    from threatmodel.assessment.gate.known import Baseline

Level = Literal["error", "warning", "note"]

KINDS: Mapping[str, tuple[str, str]] = {
    "lapsed-acceptance": ("The acceptance of a risk has expired", "Treat the risk, or renew the acceptance."),
    "long-acceptance": ("A risk is accepted for longer than allowed", "Set an earlier end date."),
    "exceeded-acceptance": ("The risk is higher than accepted", "Treat the risk, or accept the higher one."),
    "wide-acceptance": ("More risk is accepted than remains", "Accept only the risk that remains."),
    "needless-acceptance": ("An acceptance matches no finding", "Remove it."),
    "unknown-runtime": ("A runtime is not in the table of Lambda's runtimes", "Correct it, or update the toolkit."),
    "lapsed-exclusion": ("The exclusion of a threat has expired", "Remove it, or renew the exclusion."),
    "long-exclusion": ("A threat is excluded for longer than allowed", "Set an earlier end date."),
    "lapsed-exemption": ("An exemption has expired", "Fix what it exempts, or renew the exemption."),
    "long-exemption": ("An exemption lasts longer than allowed", "Set an earlier end date."),
    "needless-exemption": ("The element keeps the rule that it is exempt from", "Remove the exemption."),
    "not-an-acceptor": ("The owner may not accept this risk", "Ask an owner that the policy names to decide."),
    "long-attestation": ("An attestation lasts longer than allowed", "Set an earlier end date."),
    "ends-soon": ("A decision ends within thirty days", "Review it, and renew it with a later date."),
    "lapsed": ("An attestation has expired", "Review the control, and renew the attestation."),
    "overdue": ("Planned work is overdue", "Do it, or set a later date."),
    "contradicted": ("Evidence contradicts a statement", "Correct whichever is wrong."),
    "drift": ("The model and its evidence differ", "Correct whichever is wrong."),
    "stale": ("Evidence is older than what it shows", "Create it again, or run the probe again."),
    "visible-secret": (
        "A file holds a text with the form of a secret",
        "Revoke it, and keep the new one in Secrets Manager.",
    ),
    "shown-secret": (
        "A parameter for a secret shows its value",
        "Set NoEcho: true, or pass the name of a secret in Secrets Manager.",
    ),
    "unused-secret": (
        "Nothing uses a declared secret",
        "Remove it, or let the function that needs it read it.",
    ),
    "unserved-url": (
        "No route serves an address of Slack's manifest",
        "Correct the path, or name the file that deploys the route under evidence.",
    ),
    "undescribed-stack": (
        "A stack is deployed that no file of the evidence describes",
        "Name its template under evidence, or save the answer of describe-stacks for one stack.",
    ),
    "foreign-account": (
        "Data goes to an AWS account that a file names by its number",
        "Check who owns the account, and name the system's own account with AWS::AccountId.",
    ),
    "socket-mode": (
        "Slack calls no route, because Socket Mode is on",
        "Turn it off if Slack calls the API, or model what opens the WebSocket.",
    ),
    "work-limit": (
        "Evidence was not worked out whole",
        "Name a deployment that gives the parameters, or allow more with --work.",
    ),
    "no-evidence": ("Evidence that the policy requires is missing", "Name a file of that kind under evidence."),
    "not-proven": ("A control that the policy requires proven is not", "Name evidence that shows it."),
    "relies-on-statement": (
        "A statement without evidence lowers a risk",
        "Name evidence that shows it, or treat the risk.",
    ),
    "missing-evidence": (
        "Evidence of the baseline is no longer named",
        "Name it again, or create a new baseline with --update-baseline.",
    ),
    "swapped-evidence": (
        "Evidence that the baseline does not know replaces what it knew",
        "Name the former evidence, or review the change and run check --update-baseline.",
    ),
    "lost-proof": ("A control is no longer proven", "Restore the evidence, or fix what it no longer proves."),
    "invariant": ("A rule of your team is broken", "Fix the model or what it describes, or exempt the element."),
}
"""Codes of results that are no findings: a title and what to do."""


class RuleText(NamedTuple):
    """A rule in words; `severity` from 0 to 10, '' for none."""

    title: str
    text: str
    help: str
    severity: str
    tags: tuple[str, ...]
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The check of a model.

    `file` is the model as messages name it, and `base` the folder of such names, relative to the repository's root.
    `ends` has the column after the token at each place.  If the model cannot be used, `problems` says why and nothing
    else is set; a platform file named beside models is `shared`.  `rules` are those that no earlier model needed.
    `reliances` has the counts, then a line each.  `failing_issues` is what fails, by issue; `baseline` names the one
    compared with, and `now` is the model for a new one.  `first_names` returns a key with the names by which results
    are recognized; `renamed` are the former names that were read.
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
    failing_issues: FailingIssues | None = None
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
    """Return a check written in these formats."""
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
        """Count one model; a shared file is none."""
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
        """The exit code of the run; checking nothing does not pass."""
        return 2 if self.broken or not self.models else 1 if self.red else 0

    def __str__(self) -> str:
        broken = len(self.broken)
        what = "model" if self.models == 1 else "models"
        models = f"{self.models} {what}: {self.models - self.red - broken} passed, {self.red} failed"
        return models + (f", {broken} cannot be used" if broken else "")


class Form(Protocol):
    """A format in which checks are written, one model at a time: `start` comes first, `between` between two models."""

    start: str = ""
    between: str = ""

    def model(self, checked: Checked, /) -> str:
        """Return the text of one model; '' if it has none."""

    def tail(self, totals: Totals, /) -> str:
        """Return the text after the last model: the sums, where there are several models."""
        return f"{totals}\n" if totals.models > 1 else ""

    def kept(self, piece: str, /) -> str:
        """Return what to write of a model's text at once; a form of limited size keeps it until the last model."""
        return piece

    def left_out(self) -> str:
        """Return what the end has no room for, in words; '' if it has all."""
        return ""


def checked(  # noqa: PLR0913 - what a run knows of a model
    assessment: Assessment,
    results: Sequence[CheckResult],
    text_of: Callable[[str], str],
    *,
    base: str = "",
    known: Iterable[str] = (),
    paths: Iterable[str] = (),
    issue: FailingIssues | None = None,
    baseline: str = "",
    now: Baseline | None = None,
    renamed: Iterable[Renamed] = (),
) -> Checked:
    """Return the check of a model that can be used.

    `text_of` returns the text of a file ('' where it is unknown); `known` are the rules that are already known.
    """
    system, counts = assessment.graph.system, summary(assessment)
    earlier = set(known)
    new = [rule for rule in dict.fromkeys(result.rule for result in results) if rule not in earlier]
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
        failing_issues=issue,
        baseline=baseline,
        now=now,
        first_names=first_names(assessment),
        renamed=tuple(renamed),
        reliances=(reliances.counted_by_kind(assessment.reliances), *reliances.lines(assessment.reliances))
        if assessment.reliances
        else (),
    )


def _ends(results: Sequence[CheckResult], text_of: Callable[[str], str]) -> dict[Place, int]:
    """The column after the token at each place, where the text of the file is known."""
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
    """Return a rule in words: a threat of the library, or one of KINDS."""
    threat = library.threats.get(rule)
    if threat is not None:
        return _of_threat(threat, library)
    title, do = KINDS[rule]
    return RuleText(title, title, do, "", (), "")


def _of_threat(threat: Threat, library: Library) -> RuleText:
    score = Cell(threat.likelihood, threat.impact).score
    controls = [f"- {library.controls[link.control].title} ({link.control})" for link in threat.links]
    answers = "\n".join(["Controls that address it:", *controls]) if controls else ""
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
    """Return a score from 1 to 25 on the scale from 0 to 10 of code hosts, within the same band."""
    band = next(name for name in BANDS if score <= _SEVERITIES[name][1])
    low, high, least, most = _SEVERITIES[band]
    return f"{least + (most - least) * (max(score, low) - low) / (high - low):.1f}"


def level(result: CheckResult) -> Level:
    """Return the level of a result."""
    return "error" if result.fails else "warning" if result.warns else "note"


def said(result: CheckResult) -> str:
    """Return a result in one line: its name, its message and what to do."""
    return f"{result.name}: {result.message}" + (f"; {result.do}" if result.do else "")
