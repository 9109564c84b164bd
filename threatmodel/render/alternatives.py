"""What a sequence may do instead: a request that is rejected, replayed or sent again, a message delivered twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from threatmodel.graph.elements import Element, Flow
from threatmodel.model.facts import EVIDENCE

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
