"""What the outputs of a template say of where Slack sends requests: their descriptions are read as a README is."""

from __future__ import annotations

from collections.abc import Iterator

from threatmodel.beside.slack_manifest import RequestUrl
from threatmodel.beside.slack_readme import read
from threatmodel.beside.urls import NOWHERE, Address, address
from threatmodel.evidence.signs import described_outputs
from threatmodel.stacks.stack import Stack
from threatmodel.stacks.values import Node, Scalar, leaves


def urls_of_outputs(stack: Stack) -> Iterator[RequestUrl]:
    """Yield the addresses that an output gives to a feature of Slack, by its description."""
    for said, value in described_outputs(stack):
        for one in read(f"Slack: {said.value}", stack.file):
            own = [one.address] if one.address.path is not None else _addresses(value)
            yield from (RequestUrl(one.feature, one.feature, at, said.place, one.words) for at in own)


def _addresses(value: Node) -> Iterator[Address]:
    """Yield the address in the value of an output; a path of one part may be a stage, behind which a route begins."""
    written = "".join(str(one.value) for one in leaves(value) if isinstance(one, Scalar))
    found = address(written)
    if found is not None and found.path is not None:
        yield found
    if found is None or found.path is None or found.path.count("/") == 1:
        yield NOWHERE
