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
HELPER = "A helper function of the CDK"
"""What a model says of such a function, before what it does."""
_HELPERS = (
    (r"LogRetention(?:[0-9a-f]{32}|\Z)", "sets how long log groups keep their events"),
    (r"BucketNotificationsHandler(?:[0-9a-f]{32}|\Z)", "sets the notifications of buckets"),
    (r"AWS(?:679f53fac002430cb0da5b7982bd2287|\Z)", "calls AWS at each deployment"),
    (
        r"Custom::CDKBucketDeployment|CustomCDKBucketDeployment",
        "copies files into buckets at each deployment",
    ),
    (
        r"Custom::\w+CustomResourceProvider|Custom\w+CustomResourceProviderHandler",
        "provides a custom resource",
    ),
    (
        r"(?:\w*?)framework-?on(?:Event|Timeout)|(?:\w*?)framework-?isComplete",
        "runs a provider of custom resources",
    ),
)
"""Functions that the CDK adds to a stack: how a construct or logical id of one begins, and what it does."""


def construct(resource: Resource) -> tuple[str, ...]:
    """The names of the constructs that a resource is in, its own last, without the stack's; none if untold."""
    path = text(get((resource.about or {}).get("Metadata"), _PATH))
    _, *names = (path or "").split("/")[:_DEEPEST]
    if len(names) > 1 and names[-1] in _ITSELF:
        names.pop()
    return tuple(found for name in names if (found := _HASH.sub("", name).replace(".", "-")))


def helper(resource: Resource) -> str:
    """What a function does that the CDK added to the stack by itself; '' for any other."""
    path = text(get((resource.about or {}).get("Metadata"), _PATH)) or ""
    names = (*path.split("/")[1:_DEEPEST], resource.name.rpartition(".")[2])
    return next((what for begins, what in _HELPERS if any(re.match(begins, name) for name in names)), "")
