"""A finding, or a control on an element, explained for a model: the reasons, the sources, and what would prove it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from threatmodel.assessment.actions import proofs
from threatmodel.assessment.assessed import Assessment, Finding
from threatmodel.assessment.control_state import Answer, State, shown, support_of
from threatmodel.graph.building import Element, Flow
from threatmodel.library.condition import leaves
from threatmodel.library.entries import EFFECTS, Control, Threat
from threatmodel.model.facts import EVIDENCE
from threatmodel.model.vocabulary import FACTS
from threatmodel.reading.problems import article, listed
from threatmodel.render.pages.library import prose
from threatmodel.render.plain import STATE
from threatmodel.render.report.words import origins
from threatmodel.render.text import markdown, one_line

_MOST_PLACES = 3
"""Places of one fact that are named; docs/evidence.md has all."""

_PROVE = {
    "probe": "run the handler: `tm probe`, and name its result under `evidence:`",
    "template": "name a template, plan or serverless.yml that shows it, under `evidence:`",
    "aws": "verifiable in AWS only. State it under `controls:`, with an end date",
    "host": "save the answers of the repository's host, and name them under `evidence:` as `host:`",
    "attestation": "attestation needed: no tool can see this. State it under `controls:`, with an end date",
}


def finding_page(finding: Finding, assessment: Assessment) -> str:
    """Return a threat to an element: why it applies, each control with its state and sources, and what to do."""
    target = finding.target
    cells = (
        f"{finding.inherent.band} before controls, {finding.claimed.band} as claimed, {finding.proven.band} as proven"
    )
    lines = [
        f"# {prose(finding.threat.title)}",
        "",
        f"`{finding.id}` · {finding.verdict} · {cells}",
        "",
        *(f"- {markdown(text)}\n" for text in finding.rated),
        "## Why it applies here",
        "",
        *_exposure(finding.threat, target, applies=finding.applies),
        "",
        prose(finding.threat.why),
        "",
        "## Controls",
        "",
        *_answers(finding.answers, assessment),
        *_asked(finding.id, assessment),
    ]
    return "\n".join(lines).rstrip() + "\n"


def ruled_out_page(threat: Threat, target: Element | Flow) -> str:
    """Return why a threat does not apply to an element, with the sources."""
    out = f"It is out of scope: {markdown(target.out_of_scope)}" if target.out_of_scope else ""
    lines = [
        f"# {prose(threat.title)}",
        "",
        f"`{threat.id}@{target.id}` · does not apply",
        "",
        "## Why it does not apply here",
        "",
        *([out] if out else _exposure(threat, target, applies=-1)),
    ]
    return "\n".join(lines) + "\n"


def control_here_page(control: Control, element: str, assessment: Assessment) -> str:
    """Return a control on an element: its state, sources, what would prove it, and the findings that depend on it."""
    state = assessment.states.at(control, element)
    found = assessment.findings
    depending = [
        f for f in found if any(a.link.control == control.id and a.state.element == element for a in f.answers)
    ]
    lines = [
        f"# {prose(control.title)}",
        "",
        f"`{control.id}@{element}` · {STATE[state.state]}",
        "",
        f"**{prose(control.do)}.**",
        "",
        "## Why",
        "",
        *_reasons(state),
        *_to_prove(control, state),
        "",
        f"`tm explain {control.id}` shows how to put it in place.",
        "",
        "## Findings that depend on it",
        "",
        *(f"- {f.claimed.band}, {f.verdict}: {prose(f.threat.title)} `{f.id}`" for f in depending),
        *([] if depending else ["Nothing."]),
    ]
    return "\n".join(lines) + "\n"


def _exposure(threat: Threat, target: Element | Flow, *, applies: int) -> Iterator[str]:
    """The facts that decide whether it applies."""
    condition = threat.applies.get(target.kind)
    if condition is None:
        yield f"- It does not target {article(target.kind or 'party')}"
        return
    deciding = condition.why(target.facts)
    yield f"- `{target.id}` is {article(target.kind)}; it applies where `{condition.text}`"
    if not target.described:
        yield f"- the {target.kind} is not described: whether it applies is unknown"
    for name, fact in {leaf.fact: fact for leaf, fact in deciding}.items():
        meaning = prose(FACTS[target.kind][name].meaning)
        if fact is None or not fact.size:
            yield f"- `{name}` is not stated ({meaning})"
        else:
            said = "; ".join(map(markdown, origins([support_of(name, fact)])))
            yield f"- `{name}: {one_line(shown(fact.value))}`: {said}"
    if not deciding and applies > 0:
        yield f"- every {target.kind} is exposed to it"


def _answers(answers: Iterable[Answer], assessment: Assessment) -> Iterator[str]:
    """Each control, the strongest effect first."""
    for answer in sorted(answers, key=lambda one: EFFECTS.index(one.link.effect)):
        control, state = assessment.library.controls[answer.link.control], answer.state
        yield f"### {answer.link.effect}: {prose(control.title)}"
        yield ""
        yield f"`{control.id}@{state.element}` · **{STATE[state.state]}**"
        yield ""
        yield from _reasons(state)
        yield from _to_prove(control, state)
        yield ""


def _reasons(state: State) -> Iterator[str]:
    if state.reason:
        yield f"- {markdown(state.reason)}"
    yield from (f"- {markdown(text)}" for text in origins(state.support))


def _to_prove(control: Control, state: State) -> Iterator[str]:
    """What to do, and what would prove it, unless evidence does already."""
    if state.level >= EVIDENCE or state.state == "not-applicable":
        return
    if state.is_missing:
        yield f"- To do: {prose(control.do)}"
    if control.in_place is not None:
        yield f"- In place where `{control.in_place.text}`"
    yield from (f"- To prove it: {_PROVE[proof]}" for proof in proofs(control))
    if control.in_place is not None and "template" in proofs(control):
        yield from _properties(control)


def _properties(control: Control) -> Iterator[str]:
    """The properties of templates that its facts are read from."""
    from threatmodel.evidence.mappings.described import standing_places

    if control.in_place is None:
        return
    for name in dict.fromkeys(leaf.fact for leaf in leaves(control.in_place.tree)):
        places = [f"{title} `{one_line(place)}`" for title, place in standing_places(control.scope, name)]
        if places:
            yield f"  - `{name}` is read from {listed(places, _MOST_PLACES)}"


def _asked(finding: str, assessment: Assessment) -> Iterator[str]:
    """The open questions that affect it."""
    found = [question for question in assessment.questions if finding in question.decides]
    if found:
        yield from ("## Open questions", "")
        yield from (f"- {prose(question.ask)} (`{question.id}`)" for question in found)
