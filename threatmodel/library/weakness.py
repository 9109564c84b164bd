"""Where a threat or control of a team's library asks for less, or promises more, than the one that it replaces."""

from __future__ import annotations

from collections.abc import Iterator

from threatmodel.library.condition import Tree
from threatmodel.library.entries import EFFECTS, Control, Move, Threat


def weaknesses(new: Threat | Control, old: Threat | Control) -> Iterator[str]:
    """What the new one weakens, in words; a condition that differs may be weaker, and is named."""
    if isinstance(new, Threat) and isinstance(old, Threat):
        yield from _of_threat(new, old)
    elif isinstance(new, Control) and isinstance(old, Control):
        yield from _of_control(new, old)


def _of_threat(new: Threat, old: Threat) -> Iterator[str]:
    for name in ("likelihood", "impact"):
        before, after = getattr(old, name), getattr(new, name)
        if after < before:
            yield f"{name} {before} made {after}"
    if old.reaches and new.reaches != old.reaches:
        yield f"no {old.reaches} is named that it reaches"
    if old.first and not new.first:
        yield "no longer before all others"
    if new.by_provider and not old.by_provider:
        yield "left to the provider"
    for kind, condition in old.applies.items():
        if kind not in new.applies:
            yield f"no threat to a {kind} any more"
        elif new.applies[kind].tree != condition.tree:
            yield f"applies to a {kind} under another condition"
    yield from _of_moves(new, old)
    yield from _of_links(new, old)


def _of_links(new: Threat, old: Threat) -> Iterator[str]:
    links = {link.control: link for link in old.links}
    for link in new.links:
        before = links.get(link.control)
        if before is None or EFFECTS.index(link.effect) < EFFECTS.index(before.effect):
            yield f"{link.control} {link.effect} it" + (f", not {before.effect}" if before else "")
        elif {kind: one.tree for kind, one in link.conditions.items()} != {
            kind: one.tree for kind, one in before.conditions.items()
        }:
            yield f"{link.control} {link.effect} it under another condition"


def _of_moves(new: Threat, old: Threat) -> Iterator[str]:
    for what, less, more in (("raises", new.raises, old.raises), ("lowers", old.lowers, new.lowers)):
        if {*map(_described, more)} - {*map(_described, less)}:
            yield f"{what} the risk under other conditions"


def _described(move: Move) -> tuple[tuple[tuple[str, Tree], ...], int | None, int | None]:
    """What a rule does, without its reason."""
    trees = tuple((kind, condition.tree) for kind, condition in sorted(move.conditions.items()))
    return trees, move.likelihood, move.impact


def _of_control(new: Control, old: Control) -> Iterator[str]:
    if new.scope != old.scope:
        yield f"looked for on the {new.scope}, not on the {old.scope}"
    trees = [one.in_place.tree if one.in_place is not None else None for one in (new, old)]
    if trees[0] != trees[1]:
        yield "in place under another condition"
    if {need.condition.text for need in new.needs} - {need.condition.text for need in old.needs}:
        yield "needs more before it applies"
    if new.keeps_out and not old.keeps_out:
        yield "not required where the endpoint is meant to be public"
    if left := [name for name in old.requires if name not in new.requires]:
        yield f"requires no {', '.join(left)}"
