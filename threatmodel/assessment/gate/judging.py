"""An assessment judged by rules: everything that a check says, what fails first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.control_state import State
from threatmodel.assessment.gate.differing import differing
from threatmodel.assessment.gate.invariants import invariants
from threatmodel.assessment.gate.results import CheckResult, Failures
from threatmodel.assessment.gate.risks import failing, risks
from threatmodel.assessment.gate.rules import Rules
from threatmodel.assessment.gate.terms import terms
from threatmodel.assessment.issues import Issue
from threatmodel.assessment.risk import BANDS
from threatmodel.graph.building import Graph
from threatmodel.model.facts import EVIDENCE
from threatmodel.model.runtimes import CHECKED, RUNTIMES
from threatmodel.reading.problems import Place, quoted, refusal, suggestion
from threatmodel.reading.values import replace


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
