"""A finding, or a control on an element, explained on this model: why, what it rests on, what would prove it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from threatmodel.assessment.actions import proofs
from threatmodel.assessment.assessed import Answer, Assessment, Finding
from threatmodel.assessment.states import State, shown, support_of
from threatmodel.graph.building import Element, Flow
from threatmodel.library.condition import leaves
from threatmodel.library.entries import EFFECTS, Control, Threat
from threatmodel.model.facts import EVIDENCE
from threatmodel.model.vocabulary import FACTS
from threatmodel.reading.problems import article
from threatmodel.render.pages.library import prose
from threatmodel.render.report.words import origins
from threatmodel.render.text import markdown, one_line

_MOST_PLACES = 3
"""Places of one fact that are named; docs/evidence.md leads to all."""

_PROVE = {
    "probe": "run the handler: `tm probe`, and name its result under `evidence:`",
    "template": "let a template, plan or serverless.yml show it, named under `evidence:`",
    "aws": "only the account can show it",
    "attestation": "no machine can see it: somebody attests it until a day, under `controls:`",
}


def finding_page(finding: Finding, assessment: Assessment) -> str:
    """A threat to an element: why it applies here, the state of each control and what it rests on, what to do."""
    target = finding.target
    cells = f"inherent {finding.inherent.band}, claimed {finding.claimed.band}, proven {finding.proven.band}"
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
        "## What answers it here",
        "",
        *_answers(finding.answers, assessment),
        *_asked(finding.id, assessment),
    ]
    return "\n".join(lines).rstrip() + "\n"


def ruled_out_page(threat: Threat, target: Element | Flow) -> str:
    """A threat that does not apply to an element: what says so, and where."""
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
    """A control on an element: its state, what that rests on, what would prove it, and what hangs on it."""
    state = assessment.states.at(control, element)
    found = assessment.findings
    resting = [f for f in found if any(a.link.control == control.id and a.state.element == element for a in f.answers)]
    lines = [
        f"# {prose(control.title)}",
        "",
        f"`{control.id}@{element}` · {state.state}",
        "",
        f"**{prose(control.do)}.**",
        "",
        "## What it rests on here",
        "",
        *_rests(state),
        *_to_prove(control, state),
        "",
        f"`tm explain {control.id}` says how to put it there.",
        "",
        "## What hangs on it",
        "",
        *(f"- {f.claimed.band}, {f.verdict}: {prose(f.threat.title)} `{f.id}`" for f in resting),
        *([] if resting else ["Nothing."]),
    ]
    return "\n".join(lines) + "\n"


def _exposure(threat: Threat, target: Element | Flow, *, applies: int) -> Iterator[str]:
    """The facts that decide whether it applies."""
    condition = threat.applies.get(target.kind)
    if condition is None:
        yield f"- It is no threat to {article(target.kind or 'party')}"
        return
    facts = target.facts
    deciding = condition.why(facts)
    yield f"- `{target.id}` is {article(target.kind)}; it applies where `{condition.text}`"
    if not target.described:
        yield f"- no file describes the {target.kind}: whether it applies is not known"
    for name in dict.fromkeys(leaf.fact for leaf in deciding):
        fact = facts.get(name)
        meaning = prose(FACTS[target.kind][name].meaning)
        if fact is None or not fact.size:
            yield f"- `{name}` is not known ({meaning})"
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
        yield f"`{control.id}@{state.element}` · **{state.state}**"
        yield ""
        yield from _rests(state)
        yield from _to_prove(control, state)
        yield ""


def _rests(state: State) -> Iterator[str]:
    if state.reason:
        yield f"- {markdown(state.reason)}"
    yield from (f"- {markdown(text)}" for text in origins(state.support))


def _to_prove(control: Control, state: State) -> Iterator[str]:
    """What to do, and what would show that it is done, where evidence does not show it yet."""
    if state.level >= EVIDENCE or state.state == "not-applicable":
        return
    if state.is_wanting:
        yield f"- To do: {prose(control.do)}"
    if control.in_place is not None:
        yield f"- In place where `{control.in_place.text}`"
    yield from (f"- To prove it: {_PROVE[proof]}" for proof in proofs(control))
    if control.in_place is not None and "template" in proofs(control):
        yield from _standing(control)


def _standing(control: Control) -> Iterator[str]:
    """The properties in which its facts stand."""
    from threatmodel.evidence.mappings.described import standing_places

    if control.in_place is None:
        return
    for name in dict.fromkeys(leaf.fact for leaf in leaves(control.in_place.tree)):
        places = [f"{title} `{one_line(place)}`" for title, place in standing_places(control.scope, name)]
        more = f" and {len(places) - _MOST_PLACES} more" if len(places) > _MOST_PLACES else ""
        if places:
            yield f"  - `{name}` stands in {', '.join(places[:_MOST_PLACES])}{more}"


def _asked(finding: str, assessment: Assessment) -> Iterator[str]:
    """The questions that decide it."""
    found = [question for question in assessment.questions if finding in question.decides]
    if found:
        yield from ("## What decides it", "")
        yield from (f"- {prose(question.ask)} (`{question.id}`)" for question in found)
