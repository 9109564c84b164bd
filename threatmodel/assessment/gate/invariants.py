"""Rules of the team's own, held against every element of their kind; what nobody has said is no yes."""

from __future__ import annotations

from collections.abc import Iterator

from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.gate.results import CheckResult
from threatmodel.assessment.gate.rules import Rules
from threatmodel.assessment.risk import BANDS
from threatmodel.graph.building import Element, Flow
from threatmodel.library.condition import Condition, ConditionError, compile_condition
from threatmodel.model.facts import EVIDENCE, WORD
from threatmodel.model.system import Exemption, Invariant
from threatmodel.model.vocabulary import Kind
from threatmodel.reading.problems import InputError, Place, Problem


def invariants(assessment: Assessment, rules: Rules) -> Iterator[CheckResult]:
    """What breaks an invariant, what may, and what is exempt.  Raises InputError where a condition is none."""
    for one in (*assessment.graph.system.invariants, *assessment.library.invariants):
        holds = _compiled(one.holds, one.kind, one.holds_at)
        applies = _compiled(one.applies, one.kind, one.applies_at) if one.applies else None
        exempt = {exemption.element: exemption for exemption in one.exemptions}
        bound = [t for t in assessment.graph.targets() if t.kind == one.kind and not t.out_of_scope]
        for target in bound:
            yield from _held(one, target, (applies, holds), exempt.get(target.id), assessment, rules)
        known = {target.id for target in bound}
        for exemption in one.exemptions:
            if exemption.element not in known:
                yield _result(one, exemption.element, exemption.place, "it exempts what is not there", fails=True)


def _compiled(text: str, kind: Kind, place: Place) -> Condition:
    try:
        return compile_condition(text, kind)
    except ConditionError as error:
        raise InputError(
            [
                Problem(
                    code="wrong-condition", place=place, message=str(error), hint="write target.FACT, as a threat does"
                )
            ]
        ) from None


def _held(  # noqa: PLR0913, PLR0917 - a rule, an element, and by what it is judged
    one: Invariant,
    target: Element | Flow,
    conditions: tuple[Condition | None, Condition],
    exemption: Exemption | None,
    assessment: Assessment,
    rules: Rules,
) -> Iterator[CheckResult]:
    """The result of one element; none where it is not bound, or as it must be."""
    applies, holds = conditions
    bound = applies.truth(target.facts) if applies is not None else EVIDENCE
    truth = holds.truth(target.facts) if target.described else 0
    enough = EVIDENCE if rules.require_proof else WORD
    if bound < 0 or truth >= enough:
        return
    place = target.place or one.place
    severe = BANDS.index(next(b for b in BANDS if b == one.severity)) >= BANDS.index(
        next(b for b in BANDS if b == rules.fail_on)
    )
    if exemption is not None and exemption.expires >= assessment.today:
        who = assessment.graph.system.reached(exemption.owner)
        said = f"{exemption.reason}; {who} exempts it until {exemption.expires}"
        yield _result(one, target.id, place, one.message, fails=False, accepted=said)
        return
    ended = f" (its exemption ended on {exemption.expires})" if exemption is not None else ""
    unsure = truth == 0 or bound == 0
    why = ": nobody has said" if unsure else ": only word says that it holds" if truth > 0 else ""
    message = f"{one.message}{why}{ended}"
    waived = unsure and rules.allow_undetermined
    yield _result(one, target.id, place, message, fails=severe and not waived, unsure=unsure)


def _result(  # noqa: PLR0913 - a result's columns
    one: Invariant, element: str, place: Place, message: str, *, fails: bool, unsure: bool = False, accepted: str = ""
) -> CheckResult:
    return CheckResult(
        code="invariant",
        name=f"{one.id}@{element}",
        place=place,
        message=message,
        rule="invariant",
        element=element,
        band=one.severity,
        fails=fails,
        warns=not fails and not accepted,
        unsure=unsure,
        accepted=accepted,
        do=f"see {one.place.short}",
    )
