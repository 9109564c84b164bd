"""Nested stacks as a template writes them: their types, where their templates are, and what they are handed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from threatmodel.reading.problems import quoted
from threatmodel.stacks.values import Node, Scalar, Table, Unknown, get, text

NESTED = frozenset(("AWS::CloudFormation::Stack", "AWS::Serverless::Application"))
"""Types of resources that are whole stacks, whose outputs stand elsewhere."""
STACKS = NESTED | {"AWS::ServiceCatalog::CloudFormationProvisionedProduct"}
"""Types of resources that make others by a template that is elsewhere, or may be."""
TEMPLATE_IN = {"AWS::CloudFormation::Stack": "TemplateURL", "AWS::Serverless::Application": "Location"}
"""The property of a nested stack with the place of its template."""
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_ASSET_OF = "aws:asset:property"


class Nesting(NamedTuple):
    """That nested stacks are read too, and which of them a template is: its name, and what its parameters are given.

    `handed` is None for the template that is deployed, and Unknown where it cannot be determined for another one;
    what that is not handed has its default for certain.
    """

    name: str = ""
    handed: Mapping[str, Node] | Unknown | None = None


def elsewhere(kind: str, body: Table) -> str:
    """Why what a nested stack makes is not here, and where that is."""
    location = get(body.entries.get("Properties"), TEMPLATE_IN.get(kind, ""))
    application, address = text(get(location, "ApplicationId")), text(location)
    where = f" of the Serverless Application Repository: {quoted(application)}" if application else ""
    if address and _ADDRESS.match(address):
        where = f" at {quoted(address.partition('?')[0])}"  # what follows may sign the request
    return f"what a nested stack makes is in another template{where}"


def template_of(kind: str, properties: Node | None, metadata: Node | None) -> Node | None:
    """Return where the template of a nested stack is: the file that its metadata names (the CDK writes it), if any."""
    asset = get(metadata, "aws:asset:path") if text(get(metadata, _ASSET_OF)) == TEMPLATE_IN[kind] else None
    return asset if is_local(asset) else get(properties, TEMPLATE_IN[kind])


def is_local(location: Node | None) -> bool:
    """Whether a nested stack's template is a file: a text that is no address."""
    written = text(location) if isinstance(location, Scalar) and not location.given else None
    return bool(written) and _ADDRESS.match(written or "") is None
