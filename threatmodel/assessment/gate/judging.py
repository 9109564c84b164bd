"""An assessment judged by rules: everything that a check says, what fails first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.control_state import State, shown
from threatmodel.assessment.drift import absences
from threatmodel.assessment.gate.results import CheckResult, Failures, RelatedPlace, Rules
from threatmodel.assessment.gate.risks import failing, risks
from threatmodel.assessment.gate.terms import terms
from threatmodel.assessment.invariants import BoundElement
from threatmodel.assessment.issues import Issue
from threatmodel.assessment.risk import BANDS
from threatmodel.graph.building import Graph
from threatmodel.graph.elements import (
    SHOWN_SECRET,
    SOCKET_MODE,
    UNSERVED_URL,
    UNUSED_SECRET,
    VISIBLE_SECRET,
    WARNINGS,
    WORK_LIMIT,
)
from threatmodel.model.facts import EVIDENCE, STATED
from threatmodel.model.runtimes import CHECKED, RUNTIMES
from threatmodel.model.system import Invariant
from threatmodel.reading.problems import Place, article, quoted, refusal, suggestion
from threatmodel.reading.values import replace


def differing(assessment: Assessment) -> Iterator[CheckResult]:
    """Everything in which model and evidence differ."""
    yield from _contradicted(assessment)
    yield from _drifted(assessment)
    yield from _stale(assessment)
    yield from _noted(assessment)
    yield from _lacking(assessment)


def _contradicted(assessment: Assessment) -> Iterator[CheckResult]:
    for state in sorted(assessment.states.known(), key=lambda state: (state.control, state.element)):
        if state.state == "contradicted":
            places = [item.said.place for item in state.support if item.said.place is not None]
            place = places[0] if places else Place(assessment.graph.system.file)
            yield _failing("contradicted", f"{state.control}@{state.element}", place, state.reason, state.element)


def _drifted(assessment: Assessment) -> Iterator[CheckResult]:
    graph = assessment.graph
    for element, name, fact in assessment.drift:
        words = [said for said in fact.against if said.size == STATED] or fact.against
        said, found = words[0], fact.said
        message = f"{shown(said.value)} here, but {shown(found.value)} by {found.place or found.source}"
        place = said.place or Place(graph.system.file)
        other = _related(found.place, f"{name}: {shown(found.value)}")
        yield _failing("drift", f"{element}.{name}", place, message, element, other)


def _related(place: Place | None, message: str) -> tuple[RelatedPlace, ...]:
    """A place with a line, as one that has to do with a result."""
    return (RelatedPlace(place, message),) if place is not None and place.line and not place.part else ()


def _stale(assessment: Assessment) -> Iterator[CheckResult]:
    for read in assessment.graph.evidence:
        if read.stale:
            yield _failing("stale", read.file, Place(read.file, 0), read.stale, do="read or probe it again")


def _noted(assessment: Assessment) -> Iterator[CheckResult]:
    """Return what a reader should know of the evidence: it was not worked out whole, or declares secrets badly."""
    noted = ((read, note) for read in assessment.graph.evidence for note in read.notes if note.code in WARNINGS)
    for note, file in {note: read.file for read, note in noted}.items():  # of each environment that a file is read in
        yield CheckResult(
            code=note.code,
            name=_NAMED.get(note.code, file),
            place=Place(file, 0) if note.code == WORK_LIMIT else note.place,
            message=note.message,
            rule=note.code,
            warns=True,
            do=note.hint,
        )


_NAMED = {
    **dict.fromkeys((VISIBLE_SECRET, SHOWN_SECRET, UNUSED_SECRET), "secrets"),
    **dict.fromkeys((UNSERVED_URL, SOCKET_MODE), "workspace"),
}
"""What notes are of, by their code; of the others their file."""


def _lacking(assessment: Assessment) -> Iterator[CheckResult]:
    for one in absences(assessment.graph):
        message = f"{article(one.kind)} that {one.file if one.in_model else 'the model'} lacks"
        do = "remove it, or name the file that deploys it" if one.in_model else "tm import FILE --update MODEL adds it"
        yield _failing("drift", one.name, one.place, message, one.name if one.in_model else "", do=do)


def _failing(  # noqa: PLR0913, PLR0917 - a result's columns
    code: str,
    name: str,
    place: Place,
    message: str,
    element: str = "",
    related: tuple[RelatedPlace, ...] = (),
    do: str = "fix the one that is wrong",
) -> CheckResult:
    return CheckResult(
        code=code,
        name=name,
        place=place,
        message=message,
        rule=code,
        element=element,
        fails=True,
        do=do,
        related=related,
    )


def invariants(assessment: Assessment, rules: Rules) -> Iterator[CheckResult]:
    """The elements of which an invariant does not hold, by the proof that the rules ask for."""
    enough = {"proven"} if rules.require_proof else {"proven", "claimed"}
    for one in assessment.invariants:
        for element in one.bound:
            if element.holds not in enough:
                yield _result(one.rule, element, assessment, rules)


_WHY = {"unknown": ": not stated", "claimed": ": only claimed, not proven", "broken": ""}


def _result(rule: Invariant, element: BoundElement, assessment: Assessment, rules: Rules) -> CheckResult:
    exemption = element.exemption
    accepted = ended = ""
    if exemption is not None and element.is_exempt:
        who = assessment.graph.system.reached(exemption.owner)
        accepted = f"{exemption.reason}; {who} exempts it until {exemption.expires}"
        accepted += f" ({exemption.ticket})" if exemption.ticket else ""
    elif exemption is not None:
        past = exemption.expires < assessment.today
        ended = f" (its exemption {'ended' if past else 'reaches too far ahead, and does not count: it ends'}"
        ended += f" on {exemption.expires})"
    unsure = element.holds == "unknown"
    least = next(at for at, band in enumerate(BANDS) if band == rules.fail_on)
    severe = next(at for at, band in enumerate(BANDS) if band == rule.severity) >= least
    fails = severe and not accepted and not (unsure and rules.allow_undetermined)
    return CheckResult(
        code="invariant",
        name=f"{rule.id}@{element.id}",
        place=element.place,
        message=f"{rule.message}{_WHY[element.holds]}{ended}",
        rule="invariant",
        element=element.id,
        band=rule.severity,
        fails=fails,
        warns=not fails and not accepted,
        unsure=unsure,
        accepted=accepted,
        do=f"fix it, or see the rule at {rule.place.short}",
    )


def held_to(graph: Graph, rules: Rules) -> Graph:
    """The graph to assess: without acceptances and exemptions where rules ignore them, no laxer than they."""
    system = graph.system
    held = replace(
        system,
        risk_tolerance=min(system.risk_tolerance, rules.tolerance, key=BANDS.index),
        longest_terms=system.longest_terms.bounded(rules.longest_acceptance, rules.longest_attestation),
    )
    if rules.ignore_acceptances:
        held = replace(held, acceptances=(), exemptions=(), exclusions=())
    return replace(graph, system=held) if held != system else graph


def judge(assessment: Assessment, rules: Rules, issues: Sequence[Issue] | None = None) -> tuple[CheckResult, ...]:
    """Return everything that a check says of an assessment; `issues` are its own, where they are known already."""
    found = [*risks(assessment, rules, issues), *_others(assessment, rules)]
    return tuple(sorted(found, key=lambda result: not result.fails))


def failures(assessment: Assessment, rules: Rules) -> Failures:
    """Return how many findings fail a check, and how many other results; counted without what `judge` says of each."""
    return Failures(failing(assessment, rules), sum(result.fails for result in _others(assessment, rules)))


def _others(assessment: Assessment, rules: Rules) -> Iterator[CheckResult]:
    """What a check says beside the findings."""
    yield from terms(assessment, rules)
    yield from differing(assessment)
    yield from _unlisted(assessment)
    yield from invariants(assessment, rules)
    yield from _demanded(assessment, rules)
    if rules.strict:
        yield from _word(assessment)


def _word(assessment: Assessment) -> Iterator[CheckResult]:
    """What word takes out: it fails where rules are strict."""
    for one in assessment.reliances:
        yield CheckResult(
            code="relies-on-statement",
            name=f"{one.kind}:{one.what}",
            place=one.place or Place(assessment.graph.system.file),
            message=f"{one.kind}, says {one.by}{': ' + one.reason if one.reason else ''}",
            rule="relies-on-statement",
            fails=True,
            do="let evidence show it",
        )


def _unlisted(assessment: Assessment) -> Iterator[CheckResult]:
    """Yield a warning for each runtime that the table lacks: mistyped, or newer, because AWS adds runtimes."""
    graph = assessment.graph
    for element in graph.elements.values():
        fact = element.facts.get("runtime") if element.kind == "function" else None
        if fact is None or not isinstance(fact.value, str) or fact.value in RUNTIMES:
            continue
        meant = suggestion(fact.value, RUNTIMES)
        yield CheckResult(
            code="unknown-runtime",
            name=f"{element.id}.runtime",
            place=fact.said.place or element.place or Place(graph.system.file),
            message=f"{quoted(fact.value)} is no runtime in the table of {CHECKED}{f'; {meant}' if meant else ''}",
            rule="unknown-runtime",
            element=element.id,
            warns=True,
            do="correct it, or update the toolkit if the runtime is new",
        )


def _demanded(assessment: Assessment, rules: Rules) -> Iterator[CheckResult]:
    """What a policy asks for and the model lacks: kinds of evidence, and proof of controls."""
    file = Place(assessment.graph.system.file)
    fresh = {read.kind for read in assessment.graph.evidence if not read.stale}
    for kind in rules.required_evidence:
        if kind not in fresh:
            message, do = f"the policy asks for a {kind}, and the model names none that is of now", "name one"
            yield CheckResult(
                code="no-evidence", name=kind, place=file, message=message, rule="no-evidence", fails=True, do=do
            )
    for state in _states_of(rules.proven_controls, assessment):
        certain = state.state == "proven" or (state.state == "not-applicable" and state.size == EVIDENCE)
        if not certain:
            yield CheckResult(
                code="not-proven",
                name=f"{state.control}@{state.element}",
                place=assessment.graph.elements[state.element].place or file
                if state.element in assessment.graph.elements
                else file,
                message=f"the policy asks for proof, and it is {state.state}: {state.reason}",
                rule="not-proven",
                element=state.element,
                fails=True,
                do="let evidence show it",
            )


def _states_of(controls: tuple[str, ...], assessment: Assessment) -> Iterator[State]:
    """The state of each of these controls on every element of its scope.  Raises InputError where there is none."""
    library = assessment.library.controls
    former = assessment.library.former.controls
    controls = tuple(former.get(name, name) for name in controls)
    if unknown := [name for name in controls if name not in library]:
        raise refusal(
            "unknown-control", "policy", f"there is no control {quoted(unknown[0])}", suggestion(unknown[0], library)
        )
    for name in controls:
        for target in assessment.graph.targets():
            if target.kind == library[name].scope and not target.out_of_scope:
                yield assessment.states.at(library[name], target.id)
