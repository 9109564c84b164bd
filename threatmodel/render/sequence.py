"""Sequence diagrams: who sends what, in order, numbered as in the data-flow diagram, and what may happen instead."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from threatmodel.graph.elements import Element, Flow, Graph
from threatmodel.model.facts import EVIDENCE
from threatmodel.reading.marks import MARK
from threatmodel.render.picture import HOSTILE, TIMES, DrawnShape, Picture, carried, data_names, outermost, picture
from threatmodel.render.text import mermaid as mermaid_text
from threatmodel.render.text import plantuml as plantuml_text

_SIGNED = "slack:signature"
_DELIVERED = frozenset({"poll", "change"})


class Alternative(NamedTuple):
    """When it happens, and what the function then answers or does; `target` receives that."""

    when: str
    target: str
    text: str


class Block(NamedTuple):
    """The flows of a function, by their place in the order, that happen only in the usual case; and the other cases."""

    function: str
    first: int
    last: int
    usual: str
    others: tuple[Alternative, ...]


class _Case(NamedTuple):
    """A case, the fact that decides it, and what happens where that holds, and where it does not."""

    when: str
    fact: str
    holds: str
    fails: str


_REQUEST = (
    _Case(
        "the signature is missing or wrong",
        "verifies_signature",
        "rejected with 401, and nothing is done",
        "accepted, because the signature is not verified",
    ),
    _Case(
        "an attacker sends the request again (replay)",
        "rejects_replay",
        "rejected, or without a second effect",
        "accepted, and done again",
    ),
    _Case(
        "Slack sends the request again after 3 s (retry)",
        "idempotent",
        "acknowledged, without a second effect",
        "acknowledged, and done again",
    ),
)
_MESSAGE = (_Case("it is delivered again (retry)", "idempotent", "no second effect", "done again"),)


def blocks(elements: Sequence[Element], flows: Sequence[Flow]) -> Iterator[Block]:
    """Yield the blocks of the functions that Slack's requests or messages of queues start.

    `flows` are in the order of the sequence.  A function that reads a secret first does so in every case.
    """
    for element in elements:
        if element.kind != "function":
            continue
        into = [flow for flow in flows if flow.target == element.id]
        apis = [flow.source for flow in into if flow.id.endswith(":invoke") and _SIGNED in flow.carries]
        delivered = any(flow.id.rpartition(":")[2] in _DELIVERED for flow in into)
        others = [_case(one, element, apis[0]) for one in _REQUEST] if apis else []
        others += [_case(one, element, element.id) for one in _MESSAGE] if delivered else []
        own = _own(element.id, apis, flows)
        if others and own:
            usual = "a genuine request, for the first time" if apis else "a message, for the first time"
            yield Block(element.id, own[0], own[-1], usual, tuple(others))


def _own(function: str, apis: Sequence[str], flows: Sequence[Flow]) -> Sequence[int]:
    """The places of what happens only in the usual case: what a function does, and the answers that follow."""
    found: list[int] = []
    for index, flow in enumerate(flows):
        answers = found and flow.source in apis and flow.id.endswith(":answer")
        if answers or (flow.source == function and flow.label != "get secret"):
            found.append(index)
        elif found:
            break
    return found


def _case(case: _Case, element: Element, target: str) -> Alternative:
    """A case as the facts of a function decide it: what would reassure counts only if it is sure."""
    fact = element.facts.get(case.fact)
    sure = fact.sure if fact is not None else None
    if sure is not None and sure.size and sure.value is True:
        return Alternative(case.when, target, f"{case.holds} ({_known(sure.size)})")
    if fact is not None and fact.size and fact.value is False:
        return Alternative(case.when, target, f"{case.fails} ({_known(fact.size)})")
    return Alternative(case.when, target, f"unknown: {case.fact} is not stated")


def _known(size: int) -> str:
    return "evidence" if size >= EVIDENCE else "stated"


_ORDER = {kind: place for place, kind in enumerate(("person", "external", "process", "api", "function", "queue"))}
_KINDS = {"person": "actor", "store": "database"}


class _Message(NamedTuple):
    """One line of a sequence: its source and target, what is sent, and whether it is a response.

    `crosses` names the outermost boundaries that it leaves and enters.  `number` is the flow's, 0 for what is no flow.
    """

    source: str
    target: str
    text: str
    answers: bool
    crosses: tuple[str, ...] = ()
    number: int = 0


class _Line(NamedTuple):
    """A line that begins a case (alt), begins another one (else), or ends them (end)."""

    word: str
    text: str = ""


def plantuml(graph: Graph, view: str = "runtime", focus: str = "") -> str:
    """The flows of a view as a PlantUML sequence diagram, with what happens instead as alternatives."""
    shown = picture(graph, view, focus)
    text = plantuml_text
    lines = ["@startuml", f"' {MARK}", f"title {text(_title(shown))}", "autonumber", "hide footbox"]
    names = _aliases(shown)
    for zone, shapes in _columns(shown):
        lines.append(f'box "{text(zone)}" #FFFFFF')
        for shape in shapes:
            symbol = "queue" if shape.kind == "queue" else _KINDS.get(shape.symbol, "participant")
            lines.append(f'  {symbol} "{text(shape.name)}" as {names[shape.id]}')
        lines.append("end box")
    for step in _steps(shown):
        if isinstance(step, _Line):
            lines.append(f"{step.word} {text(step.text)}".strip())
            continue
        source, target = names[step.source], names[step.target]
        colour = "[#CF222E]" if step.source == HOSTILE else ""
        line = f"{source} -{colour}{'->' if step.answers else '>'} {target} : {text(step.text)}"
        lines += [line] if step.number else ["autonumber stop", line, "autonumber resume"]
        if step.crosses:
            lines.append(f"note right : {' → '.join(text(name) for name in step.crosses)}")
    return "\n".join([*lines, "@enduml", ""])


def mermaid(graph: Graph, view: str = "runtime", focus: str = "") -> str:
    """The flows of a view as a Mermaid sequence diagram, with what happens instead as alternatives."""
    shown = picture(graph, view, focus)
    text = mermaid_text
    lines = ["sequenceDiagram", f"  %% {MARK}", f"  title {text(_title(shown))}", "  autonumber"]
    names = _aliases(shown)
    for zone, shapes in _columns(shown):
        lines.append(f"  box transparent {text(zone)}")
        for shape in shapes:
            symbol = "actor" if shape.symbol == "person" else "participant"
            lines.append(f"    {symbol} {names[shape.id]} as {text(shape.name)}")
        lines.append("  end")
    last = 0
    for step in _steps(shown):
        if isinstance(step, _Line):
            lines.append(f"  {step.word} {text(step.text)}".rstrip())
            continue
        source, target = names[step.source], names[step.target]
        line = f"  {source}{'-->>' if step.answers else '->>'}{target}: {text(step.text)}"
        last = step.number or last
        lines += [line] if step.number else ["  autonumber off", line, f"  autonumber {last + 1}"]
        if step.crosses:
            lines.append(f"  Note over {source},{target}: {' → '.join(text(name) for name in step.crosses)}")
    return "\n".join([*lines, ""])


def _title(shown: Picture) -> str:
    return f"{shown.graph.system.name.strip() or 'Threat model'} · {shown.title}"


def _aliases(shown: Picture) -> dict[str, str]:
    """A word for each shape that no format reserves."""
    return {shape: f"p{index}" for index, shape in enumerate(shown.shapes, 1)}


def _columns(shown: Picture) -> Iterator[tuple[str, list[DrawnShape]]]:
    """Who takes part, by the name of the outermost boundary: from the outside to the functions to what they use."""
    busy = dict.fromkeys(end for arrow in shown.arrows for end in (arrow.source, arrow.target))
    shapes = [shown.shapes[shape] for shape in busy]
    shapes.sort(key=lambda shape: (shown.columns[shape.id], _ORDER.get(shape.kind, len(_ORDER))))
    for zone, members in groupby(shapes, key=lambda shape: outermost(shape.zone, shown.zones)):
        yield shown.zones[zone].name.strip() or zone, list(members)


def _steps(shown: Picture) -> Iterator[_Message | _Line]:
    """The messages in order, and around those of the usual case what happens instead; not in an overview."""
    messages = list(_messages(shown))
    flows = [] if shown.overview else [flows[0] for _, _, flows in _ordered(shown)]
    found = list(blocks([member for shape in shown.shapes.values() for member in shape.members], flows))
    begins = {block.first: block for block in found}
    ends = {block.last: block for block in found}
    for index, message in enumerate(messages):
        if index in begins:
            yield _Line("alt", begins[index].usual)
        yield message
        if index in ends:
            block = ends[index]
            for other in block.others:
                yield _Line("else", other.when)
                yield _Message(block.function, other.target, other.text, answers=other.target != block.function)
            yield _Line("end")


def _messages(shown: Picture) -> Iterator[_Message]:
    """A message for each flow in order; in an overview, for each arrow."""
    names = data_names(shown.graph)
    for number, (source, target, flows) in enumerate(_ordered(shown), 1):
        roots = [outermost(shown.shapes[end].zone, shown.zones) for end in (source, target)]
        label = ", ".join(dict.fromkeys(flow.label for flow in flows))
        count = f" {TIMES}{len(flows)}" if len(flows) > 1 else ""
        data = carried(flows, names)
        yield _Message(
            source=source,
            target=target,
            text=label + count + (f" ({data})" if data not in {"", label} else ""),
            answers=all(flow.id.endswith(":answer") for flow in flows),
            crosses=tuple(shown.zones[root].name.strip() or root for root in roots) if roots[0] != roots[1] else (),
            number=number,
        )


def _ordered(shown: Picture) -> list[tuple[str, str, tuple[Flow, ...]]]:
    if shown.overview:
        return [(arrow.source, arrow.target, arrow.flows) for arrow in shown.arrows]
    found = {
        number: (arrow.source, arrow.target, (flow,))
        for arrow in shown.arrows
        for number, flow in zip(arrow.numbers, arrow.flows, strict=True)
    }
    return [found[number] for number in sorted(found)]
