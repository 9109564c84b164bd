"""What people called a resource in the CDK's code, of which a template has only a logical id with a hash behind it."""

from __future__ import annotations

import re

from threatmodel.stacks.stack import Resource
from threatmodel.stacks.values import get, text

_PATH = "aws:cdk:path"
"""The key of a resource's Metadata under which the CDK keeps where in the tree of constructs it is."""
_ITSELF = frozenset(("Resource", "Default"))
"""What a construct calls the one resource that it is there for."""
_HASH = re.compile(r"(?:[0-9a-f]{32}|[0-9A-F]{32})\Z")
"""The suffix of the CDK's own functions that exist once in each stack."""
_DEEPEST = 20


def construct(resource: Resource) -> tuple[str, ...]:
    """The names of the constructs that a resource is in, its own last, without the stack's; none if untold."""
    path = text(get((resource.about or {}).get("Metadata"), _PATH))
    _, *names = (path or "").split("/")[:_DEEPEST]
    if len(names) > 1 and names[-1] in _ITSELF:
        names.pop()
    return tuple(found for name in names if (found := _HASH.sub("", name).replace(".", "-")))
