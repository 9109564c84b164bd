"""The first page: whether the system is safe enough, what to do, who does it, and what is only claimed."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from threatmodel.assessment.actions import Action, Improvement, actions, change, faults, proofs
from threatmodel.assessment.assessed import Assessment, Finding, Question
from threatmodel.assessment.gate.baseline import Baseline, since
from threatmodel.assessment.gate.judging import judge
from threatmodel.assessment.gate.rules import Rules
from threatmodel.assessment.groups import Group, grouped
from threatmodel.assessment.invariants import HeldInvariant
from threatmodel.assessment.invariants import counted as counted_elements
from threatmodel.assessment.priorities import Expiry, expiries
from threatmodel.assessment.risk import BANDS, MOVES, Band
from threatmodel.assessment.safety import DEFAULT_THRESHOLD, Safety, safety
from threatmodel.assessment.states import State, shown
from threatmodel.assessment.stories import Story, stories
from threatmodel.model.system import ControlStatement
from threatmodel.model.vocabulary import PLANES
from threatmodel.render.plain import PROOF, SAFE, STATE
from threatmodel.render.report.words import counted, listed
from threatmodel.render.taken_out import told_by_kind

MOST_DONE = 3
"""Actions of the first page."""

_NAMED = 3
_NEAR = 60
"""Days within which what ends is told of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """An action in words: what to do where, what is at fault, who runs it until when, what proves it, what changes."""

    control: str
    do: str
    elements: tuple[str, ...]
    on: str
    state: str
    fault: str
    place: str
    who: str
    by: str
    proof: str
    would: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedControl:
    """A control that is only claimed: how many findings hang on it, up to which band, who says it and until when."""

    control: str
    title: str
    on: str
    findings: tuple[str, ...]
    band: Band
    who: str
    until: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstPage:
    """What a reader has to know, every number with what it counts.

    `claimed` and `proven` count every finding and every possible one by the band that is left on word and on evidence,
    worst first.  `deeds` are what to do first, and `more` how many actions there are besides.  `taken` is what word
    takes out: counts, who says it and where.
    """

    verdict: str
    tone: str
    says: str
    unless: str
    claimed: tuple[tuple[Band, int], ...]
    proven: tuple[tuple[Band, int], ...]
    fails: int
    check: str
    counts: str
    deeds: tuple[Deed, ...]
    more: int
    claims: tuple[ClaimedControl, ...]
    more_claims: int
    rules: str
    taken: str
    questions: int
    asks: str
    ends: tuple[Expiry, ...]
    today: datetime.date


_TONES = {"not-safe-enough": "work", "not-yet-known": "wait", "safe-if-true": "word", "safe-enough": "good"}


class Work(NamedTuple):
    """What is to do: every action, the first of them in words, and every story."""

    actions: Sequence[Action]
    deeds: Sequence[Deed]
    stories: Sequence[Story]


def work(assessment: Assessment, most: int = MOST_DONE) -> Work:
    """What an assessment leaves to do, `most` of it in words."""
    groups = grouped(assessment)
    wanted = actions(assessment, None, groups)
    deeds = [deed(assessment, action, groups) for action in wanted[:most]]
    return Work(wanted, deeds, stories(assessment, groups))


def first_page(assessment: Assessment, threshold: Band = DEFAULT_THRESHOLD, todo: Work | None = None) -> FirstPage:
    """The first page of an assessment; `threshold` is the band from which `check` fails.

    `todo` is what it leaves to do, where that is known already.
    """
    found = safety(assessment, threshold)
    every = (*assessment.findings, *assessment.possible)
    todo = work(assessment) if todo is None else todo
    claims = _claims(assessment)
    return FirstPage(
        verdict=SAFE[found.answer],
        tone=_TONES[found.answer],
        says=_says(found),
        unless=_unless(every),
        claimed=_by_band(finding.claimed.band for finding in every),
        proven=_by_band(finding.proven.band for finding in every),
        fails=found.fails,
        check=_check(found),
        counts=_counts(todo.stories),
        deeds=tuple(todo.deeds[:MOST_DONE]),
        more=max(0, len(todo.actions) - MOST_DONE),
        claims=claims[:MOST_DONE],
        more_claims=max(0, len(claims) - MOST_DONE),
        rules=rules_in_words(assessment.invariants),
        taken=told_by_kind(assessment.taken_out),
        questions=len(assessment.questions),
        asks=_asks(assessment.questions, every, found),
        ends=expiries(assessment, _NEAR),
        today=assessment.today,
    )


def _by_band(bands: Iterable[Band]) -> tuple[tuple[Band, int], ...]:
    found = list(bands)
    return tuple((name, found.count(name)) for name in reversed(BANDS))


# --- how it stands


def _says(found: Safety) -> str:
    """The sentence under the verdict."""
    match found.answer:
        case "not-safe-enough":
            return _open(found)
        case "not-yet-known":
            return _waiting(found)
        case "safe-if-true":
            number, worst = sum(found.word.values()), _worst(found.word)
            rests = f"; {_are(number, 'finding')} low enough on word alone, up to {worst}" if number else ""
            return f"All is within the tolerance ({found.tolerance}) if what is said is true{rests}{_left(found)}."
        case "safe-enough":
            return f"All is proven to be within the tolerance ({found.tolerance}){_left(found)}."


def _open(found: Safety) -> str:
    worst = _worst(found.open)
    number = found.open[worst]
    others = sum(found.open.values()) - number
    text = f"{_are(number, 'finding')} {worst.upper()} and open"
    text += f", {others:,} lower but still too high" if others else ""
    if waiting := _from(found.waiting, worst):
        worse = " or worse" if _worst(found.waiting) != worst else ""
        text += f"; {waiting:,} more may be {worst}{worse} until you answer"
    return f"{text}. The tolerance is {found.tolerance}."


def _waiting(found: Safety) -> str:
    number, worst = sum(found.waiting.values()), _worst(found.waiting)
    parts = []
    if number:
        above = f"above the tolerance ({found.tolerance}), up to {worst}"
        parts.append(f"{counted(number, 'finding')} may be {above}, until you answer")
    if found.uncovered:
        parts.append(f"the evidence has {counted(found.uncovered, 'resource')} that the model lacks")
    if not parts:
        parts.append("no threat of the library applies to what the model describes")
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}." + (" Nothing is known to be above it." if number else "")


def _left(found: Safety) -> str:
    """Who has what is left."""
    parts = [f"{_are(found.accepted, 'finding')} accepted by an owner"] if found.accepted else []
    parts += [f"{_are(found.provider, 'finding')} the provider's to treat"] if found.provider else []
    return f"; {listed(parts)}" if parts else ""


def _unless(every: Sequence[Finding]) -> str:
    """What evidence alone leaves: the worst band, and high where that is not the worst."""
    counts = dict(_by_band(finding.proven.band for finding in every))
    told = [f"{counts[name]:,} would be {name}" for name in reversed(BANDS[2:]) if counts[name]]
    if not told and counts["medium"]:
        told = [f"{counts['medium']:,} would be medium"]
    return f"If nothing that is only claimed were true, {listed(told)}." if told else ""


def _worst(counts: Mapping[Band, int]) -> Band:
    return next((name for name in reversed(BANDS) if counts[name]), BANDS[0])


def _from(counts: Mapping[Band, int], least: Band) -> int:
    return sum(counts[name] for name in BANDS[BANDS.index(least) :])


def _are(number: int, noun: str) -> str:
    return f"{counted(number, noun)} {'is' if number == 1 else 'are'}"


def _check(found: Safety) -> str:
    how = f"fails from {found.threshold}; the system tolerates {found.tolerance}"
    return f"FAILS: {counted(found.fails, 'finding')} ({how})" if found.fails else f"passes on risk ({how})"


def _counts(told: Sequence[Story]) -> str:
    findings = sum(len(story.findings) for story in told)
    many = "stories" if len(told) != 1 else "story"
    return f"{counted(findings, 'finding')} in {len(told):,} {many}" if told else "nothing is open or waits"


def rules_in_words(invariants: Sequence[HeldInvariant]) -> str:
    """How the elements stand that the team's own rules bind, what is wrong first; '' where there are no rules."""
    found = counted_elements(invariants)
    told = (
        (found.broken, "broken"),
        (found.unknown, "not known"),
        (found.exempt, "exempt"),
        (found.claimed, "only claimed"),
        (found.proven, "proven"),
    )
    parts = ", ".join(f"{number:,} {word}" for number, word in told if number)
    return f"{counted(len(invariants), 'rule')}: {parts or 'nothing is bound'}" if invariants else ""


def baseline_in_words(baseline: Baseline, assessment: Assessment) -> str:
    """How old a baseline is, and how what fails a check stands to it."""
    results = since(baseline, assessment, judge(assessment, Rules()))
    lost = {"lost-proof": "lost", "missing-evidence": "gone"}
    count = Counter(lost.get(one.code, one.since) for one in results)
    told = (
        (count["new"], "new"),
        (count["worse"], "worse"),
        (count["lost"], "proven no more"),
        (count["gone"], "kinds of evidence gone" if count["gone"] > 1 else "kind of evidence gone"),
    )
    parts = [*(f"{number:,} {word}" for number, word in told if number), f"{count['known']:,} known"]
    return f"{baseline.aged(assessment.today)}: {', '.join(parts)}"


def _asks(questions: Sequence[Question], every: Sequence[Finding], found: Safety) -> str:
    """How many answers decide what the sentence under the verdict says may be bad: the same findings, counted alike."""
    least = _worst(found.open) if found.answer == "not-safe-enough" else BANDS[0]
    bad = {f.id for f in every if f.verdict == "undetermined" and f.claimed.band in BANDS[BANDS.index(least) :]}
    deciding = [question for question in questions if question.kind != "public" and bad & set(question.decides)]
    decided = bad & {name for question in deciding for name in question.decides}
    if not decided:
        return ""
    worse = " or worse" if _worst(found.waiting) != least else ""
    above = f"{least}{worse}" if least != BANDS[0] else f"above the tolerance, up to {_worst(found.waiting)}"
    answers = counted(len(deciding), "answer")
    return f"{answers} {'decides' if len(deciding) == 1 else 'decide'} {len(decided):,} that may be {above}"


# --- what to do


def deed(assessment: Assessment, action: Action, groups: Sequence[Group]) -> Deed:
    """An action in words; `groups` are the assessment's."""
    fault, place = _fault(action)
    worst = next((found.element for found in faults(action)), "")
    elements = tuple(sorted(action.elements, key=lambda name: name != worst))
    return Deed(
        control=action.control.id,
        do=action.control.do,
        elements=elements,
        on=some(elements),
        state=_state(action) + (", and a public endpoint" if action.door else ""),
        fault=fault,
        place=place,
        who=who(assessment, action),
        by=due(assessment, action),
        proof=listed([PROOF[proof] for proof in proofs(action.control)[:1]]),
        would=would(change(assessment, action, groups)),
    )


def some(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    shown_names = ", ".join(names[:_NAMED])
    return f"{shown_names} and {len(names) - _NAMED:,} more" if len(names) > _NAMED else shown_names


def _state(action: Action) -> str:
    """In what state it is: 'missing', or 'missing on 2, not known on 3'."""
    if len(action.states) == 1:
        return next(STATE[found[0].state] for found in action.states.values())
    return ", ".join(f"{STATE[found[0].state]} on {len(found):,}" for found in action.states.values())


def _fault(action: Action) -> tuple[str, str]:
    """The first value at fault, and its place; where nothing is known, that."""
    for fault in faults(action):
        said = fault.said
        value = f"{fault.fact}: {shown(fault.value)}"
        text = value if said.omitted or not said.note else said.note
        return text, said.place.short if said.place is not None else ""
    first = next(iter(action.states.values()))[0]
    if action.door and any(ask.kind == "caller" for ask in first.asks):
        return "nobody says who calls it, and the files speak of Slack", ""
    return first.reason.replace("not stated: ", "nobody states ", 1), ""


def who(assessment: Assessment, action: Action) -> str:
    """Who runs it: whom the model names for it, the system's owner for what is its own, else the library's role."""
    system = assessment.graph.system
    named = dict.fromkeys(one.owner for one in _statements(assessment, action) if one.owner)
    own = action.control.scope not in PLANES and system.owner
    return listed(tuple(named)) or own or action.control.owner


def _statements(assessment: Assessment, action: Action) -> list[ControlStatement]:
    found = (assessment.states.statements.get((action.control.id, name)) for name in action.elements)
    return [one for one in found if one is not None]


def due(assessment: Assessment, action: Action) -> str:
    """The day that it is due or planned for, if there is one, and where it is tracked."""
    said = _statements(assessment, action)
    days = [day for one in said for day in (one.due, one.planned_for) if day is not None]
    tickets = dict.fromkeys(one.ticket for one in said if one.ticket)
    return ", ".join([*([min(days).isoformat()] if days else []), *tickets])


def would(found: Improvement) -> str:
    """What an action would change, claimed and proven apart: 'closes 2, lowers 11; on evidence 10 high -> medium'."""
    counts = (("closes", len(found.closed)), ("lowers", len(found.lowered)))
    parts = [f"{verb} {number:,}" for verb, number in counts if number]
    claimed = ", ".join(parts) or "closes none"
    moves = ", ".join(f"{number:,} {before} -> {after}" for before, after, number in found.proven)
    return f"{claimed}; on evidence {moves or 'nothing moves'}"


# --- what is only claimed


def _claims(assessment: Assessment) -> tuple[ClaimedControl, ...]:
    """The controls on whose word findings are within the tolerance, the worst and most that hang on them first."""
    hanging: dict[str, dict[str, Finding]] = {}
    states: dict[str, dict[str, State]] = {}
    for finding in assessment.findings:
        if finding.verdict == "unproven":
            for answer in finding.answers:
                if answer.state.level == 1 and answer.link.effect in MOVES:
                    hanging.setdefault(answer.state.control, {})[finding.id] = finding
                    states.setdefault(answer.state.control, {}).setdefault(answer.state.element, answer.state)
    found = [_claim(assessment, name, tuple(hanging[name].values()), states[name]) for name in hanging]
    return tuple(sorted(found, key=lambda one: (-BANDS.index(one.band), -len(one.findings), one.control)))


def _claim(assessment: Assessment, name: str, findings: Sequence[Finding], states: dict[str, State]) -> ClaimedControl:
    said = [assessment.states.statements.get((name, element)) for element in states]
    attested = [one for one in said if one is not None and one.attested_by]
    terms = assessment.graph.system.longest_terms
    ends = [terms.attested_until(one.on, one.expires) for one in attested if one.expires is not None]
    return ClaimedControl(
        control=name,
        title=assessment.library.controls[name].title,
        on=some(tuple(states)),
        findings=tuple(finding.id for finding in findings),
        band=max((finding.proven.band for finding in findings), key=BANDS.index),
        who=listed(tuple(dict.fromkeys(one.attested_by for one in attested))[:_NAMED]) or "only the model",
        until=min(ends).isoformat() if ends else "",
    )
