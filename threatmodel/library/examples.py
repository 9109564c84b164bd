"""The examples of a library file: facts with the expected answer, and the mutants that they must detect."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from threatmodel.library.condition import Condition, mutants
from threatmodel.model.facts import Facts, Statement, stated
from threatmodel.reading.problems import Place

Example = tuple[str, Facts, Place]
"""An answer, the facts for which it is stated, and where."""

Evaluation = Callable[[Facts], str]


def facts_of(values: Mapping[str, Any], place: Place) -> Facts:
    """Facts as claims, as an example lists them."""
    return {name: stated(Statement(value, "model", place)) for name, value in values.items()}


def threat_answer(applies: Condition) -> Evaluation:
    """What a threat's condition answers, in the words of its examples."""

    def answer(facts: Facts) -> str:
        truth = applies.truth(facts)
        return "applies" if truth > 0 else "does_not_apply" if truth < 0 else "undetermined"

    return answer


def control_answer(in_place: Condition | None, needs: Sequence[Condition]) -> Evaluation:
    """What a control's conditions answer together, in the words of its examples."""

    def answer(facts: Facts) -> str:
        needed = min((need.truth(facts) for need in needs), default=1)
        if needed < 0:
            return "not_applicable"
        truth = min(in_place.truth(facts) if in_place else 0, needed)
        return "in_place" if truth > 0 else "not_in_place" if truth < 0 else "unknown"

    return answer


def threat_mutants(applies: Condition) -> Iterator[tuple[str, Evaluation]]:
    """Every mutant of a threat's condition, with what was changed."""
    for what, tree in mutants(applies.tree):
        yield what, threat_answer(Condition("", applies.kind, tree))


def control_mutants(in_place: Condition | None, needs: Sequence[Condition]) -> Iterator[tuple[str, Evaluation]]:
    """Every mutant of a control's conditions, with what was changed."""
    if in_place is not None:
        for what, tree in mutants(in_place.tree):
            yield what, control_answer(Condition("", in_place.kind, tree), needs)
    for at, need in enumerate(needs):
        for what, tree in mutants(need.tree):
            changed = [*needs[:at], Condition("", need.kind, tree), *needs[at + 1 :]]
            yield f"{what} in a need", control_answer(in_place, changed)


def wrong_answers(answer: Evaluation, examples: Sequence[Example]) -> Iterator[tuple[Example, str]]:
    """The examples whose stated answer is not what the condition gives, with what it gives."""
    for example in examples:
        found = answer(example[1])
        if found != example[0]:
            yield example, found


def survivors(variants: Iterator[tuple[str, Evaluation]], examples: Sequence[Example]) -> Iterator[str]:
    """What was changed in each mutant that every example still agrees with."""
    for what, answer in variants:
        if not any(True for _ in wrong_answers(answer, examples)):
            yield what
