"""Attack paths in words, the same in every output."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from threatmodel.assessment.control_state import Answer
from threatmodel.assessment.paths.values import Alike, Choice, Cut, Decides, Hold, Path, Paths, Position, Step, Strength
from threatmodel.reading.problems import listed
from threatmodel.render.plain import STATE
from threatmodel.render.report.words import counted

RULE = (
    "A path is as strong as its strongest step, and as likely as its least likely way in. What code in a function does "
    "is as likely as its way in. The impact is that of the last threat. A control that is unknown stops nothing."
)
"""How paths are compared."""

INCOMPLETE = "Not everything was traced: the search stops after a fixed number of steps."
"""What is said where the search stopped at its limit."""

STRENGTH: Mapping[Strength, str] = {
    "open": "no control stops it, and it is likely",
    "undecided": "an open question decides whether it is possible",
    "unlikely": "controls do not stop it, but its likelihood is 2 or lower",
    "stopped": "a control stops it",
}
"""What the strength of a path means."""

_STARTS: Mapping[str, str] = {
    "outside": "anyone on the internet",
    "member": "a member of the Slack workspace",
    "client": "a caller with access to the API",
    "supplier": "a publisher of a package, action or layer",
}
_HOLDS: Mapping[Hold, str] = {
    "outside": "is on the internet",
    "member": "acts as a member of the Slack workspace",
    "client": "calls the API",
    "supplier": "publishes code that the system uses",
    "input": "sends input to {}",
    "act": "makes {} act on forged or unauthorized requests",
    "code": "runs code in {}",
    "role": "uses the role of {}",
    "principal": "acts as a principal of the AWS account",
    "secret": "reads the secret {}",
    "write": "changes data in {}",
    "read": "reads data in {}",
    "rights": "gains rights beyond what {} needs",
    "deploy": "decides what the pipeline deploys",
    "account": "administers the AWS account",
    "workspace": "acts in Slack as the app",
    "down": "makes {} unavailable",
}
_MOST_NAMES = 4


def start(position: Position) -> str:
    """Return who starts there: 'anyone on the internet'."""
    return _STARTS[position.hold]


def held(position: Position) -> str:
    """Return what an attacker does there: 'runs code in order-bot'."""
    if position == Position("down", "account"):
        return "stops functions through the control plane"
    return _HOLDS[position.hold].format(position.element)


def title(path: Path) -> str:
    """Return who reaches what: 'anyone on the internet reads data in orders'."""
    return f"{start(path.start)} {held(path.goal)}"


def line(path: Path) -> str:
    """Return a path in one line: who reaches what from where, how strong that is, and what would cut it first."""
    first = next(step for step in path.steps if step.threat is not None)
    via = f" through {first.target}" if first.target != path.goal.element else ""
    cuts = ((answer, step) for step in path.steps for answer in step.answers if _cuts(answer))
    found = next((f"{answer.link.control} on {step.target} would cut it" for answer, step in cuts), "")
    strength = f"{path.as_claimed}, {path.claimed.band}"
    return f"{title(path)}{via} ({strength}); {found or 'no control of the library stops it'}"


def _cuts(answer: Answer) -> bool:
    return answer.link.effect == "stops" and answer.state.level <= 0 and answer.state.state != "not-applicable"


def rank(path: Path) -> str:
    """Return the strength and the band at each level: 'open, critical as claimed and as proven'."""
    claimed, proven = (
        f"{strength}, {cell.band}"
        for strength, cell in ((path.as_claimed, path.claimed), (path.as_proven, path.proven))
    )
    return f"{claimed} as claimed and as proven" if claimed == proven else f"{claimed} as claimed; {proven} as proven"


def shown(path: Path) -> Iterator[Step]:
    """Yield the steps that a reader needs: without those that say the same again."""
    for step in path.steps:
        if step.threat is not None or step.along:
            yield step


def by_threat(step: Step) -> str:
    """Return the threat that makes a step possible, or what in the design does."""
    if step.threat is not None:
        return f"{step.finding}: {step.threat.title}"
    return f"by design, through {step.along}" if ":" in step.along else f"by design: {step.along}"


def barrier(step: Step) -> str:
    """Return what blocks a step, with the controls and their states; '' for what the design allows."""
    if step.threat is None:
        return "" if step.applies else "undecided: it is not known whether it has such callers"
    claimed, proven = step.claimed.strength, step.proven.strength
    head = claimed if claimed == proven else f"{claimed} as claimed, {proven} as proven"
    return f"{head}: {'; '.join(_reasons(step))}"


def _reasons(step: Step) -> Iterator[str]:
    if not step.applies:
        yield "it is not known whether the threat applies"
    stops = [answer for answer in step.answers if answer.link.effect == "stops" and _counts(answer)]
    hinders = [answer for answer in step.answers if answer.link.effect == "hinders" and _counts(answer)]
    if stops:
        yield f"{'stopped' if step.claimed.strength == 'stopped' else 'could be stopped'} by {_controls(stops)}"
    elif step.claimed.strength == "open":
        yield "no control stops it"
    placed = [answer for answer in hinders if answer.state.level > 0]
    if step.claimed.strength != "stopped" and placed:
        yield f"hindered by {_controls(placed)}"
    elif step.claimed.strength == "undecided" and hinders and not stops:
        yield f"could be hindered by {_controls(hinders)}"
    if step.claimed.strength == "unlikely" and not placed:
        yield "it is hard even without controls"


def _counts(answer: Answer) -> bool:
    return answer.state.state != "not-applicable" and not answer.state.unwanted


def _controls(answers: Sequence[Answer]) -> str:
    return listed((f"{one.link.control} ({STATE[one.state.state]})" for one in answers), _MOST_NAMES, "control")


def asks(one: Decides) -> str:
    """Return a question that decides a path, with the facts that do."""
    named = listed(one.facts, _MOST_NAMES, "fact") if "?" not in one.question.ask else ""
    return f"{one.question.ask}: {named}" if named else one.question.ask


def others(alike: Alike) -> str:
    """Return what other paths of the same rank end by the same threat; '' where there are none."""
    more = alike.paths[1:]
    if not more:
        return ""
    starts = dict.fromkeys(start(one.start) for one in more if one.start != alike.head.start)
    ends = dict.fromkeys(held(one.goal) for one in more if one.goal != alike.head.goal)
    parts = [
        *([f"from {listed(starts, _MOST_NAMES, 'start')}"] if starts else []),
        *([f"where the attacker {listed(ends, _MOST_NAMES, 'end')}"] if ends else []),
    ]
    parts = parts or ["through other elements"]
    return f"{counted(len(more), 'more path')} of the same rank and last threat: {', and '.join(parts)}"


def cut_line(cut: Cut) -> str:
    """Return how many controls a cut has, and whether that is the smallest number."""
    if not cut.choices:
        return "no control is needed" if not cut.uncut else "no set of controls cuts the paths that are left"
    number = counted(len(cut.choices), "control")
    return number if cut.exact else f"{number}; a smaller set may exist, because not every combination was tried"


def choice(one: Choice) -> str:
    """Return a control of a cut, where it is needed, and its states there: 'code-signing on order-bot (missing)'."""
    states = dict.fromkeys(STATE[state] for state in one.elements.values())
    return f"{one.control} on {listed(one.elements, _MOST_NAMES, 'element')} ({', '.join(states)})"


def uncut_line(cut: Cut) -> str:
    """Return what stays reachable whatever controls are in place; '' for nothing."""
    if not cut.uncut:
        return ""
    ends = listed((held(one) for one in cut.uncut), _MOST_NAMES, "end")
    return f"Whatever controls are in place, an attacker {ends}."


def strengths(found: Paths) -> Iterator[str]:
    """Yield what the strengths mean that paths have."""
    for strength, means in STRENGTH.items():
        if found.claimed[strength] or found.proven[strength]:
            yield f"{strength}: {means}"


def limits(found: Paths, excluded: Sequence[str] = ()) -> Iterator[str]:
    """Yield what the paths leave out, and why."""
    if excluded:
        yield f"Left out: {listed(excluded, _MOST_NAMES, 'threat')} (--exclude, or the configuration)."
    if not found.entries:
        yield "No entry point: an attacker can send something to no function. State triggers, or name a template."
    if found.unknown:
        names = listed(found.unknown, _MOST_NAMES, "function")
        yield f"It is not known what starts or what is used by {names}: paths through that are missing."
    if not found.complete:
        yield INCOMPLETE
    if found.unlisted:
        names = listed(found.unlisted, _MOST_NAMES, "threat")
        yield f"Threats of your library take part in no path: {names}."


def counts_line(counts: Mapping[Strength, int]) -> str:
    """Return how many paths have each strength: '2 open, 1 undecided, 3 unlikely, 4 stopped'."""
    return ", ".join(f"{number:,} {strength}" for strength, number in counts.items())
