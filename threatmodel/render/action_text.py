"""An action in words, the same on the first page, in a check and in a report."""

from __future__ import annotations

from collections.abc import Sequence

from threatmodel.assessment.actions import Action, FaultyValue, Improvement, first_fault, proofs
from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.control_state import shown
from threatmodel.model.system import ControlStatement
from threatmodel.model.vocabulary import PLANES
from threatmodel.reading.problems import listed as few
from threatmodel.reading.values import dataclass
from threatmodel.render.plain import PROOF, STATE
from threatmodel.render.report.words import counted, listed

NAMED = 3
"""Names of elements that a line has room for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionText:
    """What to do on which elements, the cause with its location, the owner and the day, the proof, and the effect."""

    control: str
    do: str
    elements: tuple[str, ...]
    on: str
    state: str
    cause: str
    location: str
    owner: str
    due: str
    proof: str
    effect: str


def action_text(assessment: Assessment, action: Action) -> ActionText:
    """Return an action in words."""
    fault = first_fault(action)
    cause, location = _cause(action, fault)
    worst = fault.element if fault is not None else ""
    elements = tuple(sorted(action.elements, key=lambda name: name != worst))
    return ActionText(
        control=action.control.id,
        do=action.control.do,
        elements=elements,
        on=some(elements),
        state=_state(action) + (", and the endpoint is public" if action.entry_point else ""),
        cause=cause,
        location=location,
        owner=owner(assessment, action),
        due=due(assessment, action),
        proof=PROOF[proofs(action.control)[0]],
        effect=effect_text(action.change),
    )


def some(names: Sequence[str]) -> str:
    """Return the first few names, and how many more there are."""
    return few(names, NAMED, "element")


def _state(action: Action) -> str:
    """The state of the control: 'missing', or 'missing on 2, unknown on 3'."""
    states = action.states
    if len(states) == 1:
        return STATE[next(iter(states))]
    return ", ".join(f"{STATE[name]} on {len(elements):,}" for name, elements in states.items())


def _cause(action: Action, fault: FaultyValue | None) -> tuple[str, str]:
    """The first value that keeps the control from being in place, and its location; else what is unknown."""
    if fault is not None:
        said = fault.said
        value = f"{fault.fact}: {shown(fault.value)}"
        text = value if said.omitted or not said.note else said.note
        text += f" (in doubt: {said.doubt_of_value})" if said.doubt_of_value else ""
        found = "" if said.source in _SENTENCES and text != value else "found "
        return f"{found}{text}", said.place.short if said.place is not None else ""
    first = next(iter(action.lacks.values())).state
    if action.entry_point and any(ask.kind == "caller" for ask in first.asks):
        return "the caller of this route is not stated, and the files mention Slack", ""
    return first.reason.removeprefix("not stated: "), ""  # the state is shown before it


_SENTENCES = frozenset({"code", "source"})
"""Sources whose notes are sentences."""


def owner(assessment: Assessment, action: Action) -> str:
    """Return who runs it: the owner that the model names for it, the system's for its own elements, else the role."""
    system = assessment.graph.system
    named = dict.fromkeys(one.owner for one in _statements(assessment, action) if one.owner)
    own = action.control.scope not in PLANES and system.owner
    return listed(tuple(named)) or own or f"{action.control.owner} (suggested)"


def _statements(assessment: Assessment, action: Action) -> list[ControlStatement]:
    said = {at: one for (name, at), one in assessment.states.statements.items() if name == action.control.id}
    return [said[name] for name in action.elements if name in said] if said else []


def due(assessment: Assessment, action: Action) -> str:
    """Return the day that it is due or planned for, if there is one, and where it is tracked."""
    said = _statements(assessment, action)
    days = [day for one in said for day in (one.due, one.planned_for) if day is not None]
    tickets = dict.fromkeys(one.ticket for one in said if one.ticket)
    return ", ".join([*([min(days).isoformat()] if days else []), *tickets])


def effect_text(found: Improvement) -> str:
    """Return what an action changes: 'as claimed: closes 2 findings, lowers 11; as proven: 10 from high to medium'."""
    closed, lowered = sum(map(len, found.closed)), sum(map(len, found.lowered))
    parts = [f"closes {counted(closed, 'finding')}"] if closed else []
    parts += [f"lowers {lowered:,}" if parts else f"lowers {counted(lowered, 'finding')}"] if lowered else []
    moves = ", ".join(f"{number:,} from {before} to {after}" for before, after, number in found.proven)
    claimed = f"as claimed: {', '.join(parts) or 'closes no finding'}"
    return f"{claimed}; as proven: {moves}" if moves else claimed
