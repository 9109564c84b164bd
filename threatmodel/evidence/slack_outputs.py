"""What the outputs of a template say of where Slack sends requests: their descriptions are read as a README is."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from threatmodel.beside.slack_manifest import RequestUrl
from threatmodel.beside.slack_readme import read
from threatmodel.beside.urls import NOWHERE, Address, address
from threatmodel.evidence.signs import described_outputs
from threatmodel.stacks.stack import Stack
from threatmodel.stacks.values import Node, Scalar, get, leaves, text


def urls_of_outputs(stack: Stack) -> Iterator[RequestUrl]:
    """Yield the addresses that an output gives to a feature of Slack, by its description."""
    named = (get(one.properties, "StageName") for one in stack.resources.values())
    stages = {word for node in named if (word := text(node))}
    for said, value in described_outputs(stack):
        for one in read(f"Slack: {said.value}", stack.file):
            own = [one.address] if one.address.path is not None else _addresses(value, stages)
            yield from (RequestUrl(one.feature, one.feature, at, said.place, one.words) for at in own)


def _addresses(value: Node, stages: Collection[str]) -> Iterator[Address]:
    """Yield the address in the value of an output; a stage, or what ends as a folder, is that of any route."""
    written = "".join(str(one.value) for one in leaves(value) if isinstance(one, Scalar))
    found = address(written)
    if found is not None and found.path is not None:
        yield found
    if found is None or found.path is None or written.endswith("/") or found.path.strip("/") in stages:
        yield NOWHERE
