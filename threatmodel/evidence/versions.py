"""Versions of functions that a file calls and does not describe: what it says of the function is not what runs.

Configuration, code and role belong to a version (docs.aws.amazon.com/lambda: "configuration-versions"); who may invoke
the function, how often at once, and what it does with its failures, to the function or alias.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from threatmodel.evidence.analyses.properties import each, read, worded
from threatmodel.evidence.mappings.stack_facts import StackFacts
from threatmodel.reading.problems import Place
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Node, Scalar, Table, Unknown, links, shape_of

OF_THE_FUNCTION = frozenset((
    *("reserved_concurrency", "code_signing", "recursive_loop", "failure_destination", "invoked_by"),
    *("invocable_by_anyone", "invoke_source_pinned", "invoke_source_owned", "tenant_isolation"),
))  # fmt: skip
"""Facts of a function that hold of all its versions."""
_FUNCTIONS = ("AWS::Lambda::Function", "AWS::Serverless::Function")
_NUMBER = re.compile(r"[0-9]+\Z")
_BEHIND = re.compile(r"\}:[0-9]+(?:/|\Z)")
"""A version after the name or ARN of a function in a text."""


def called_versions(stack: Stack, facts: StackFacts) -> Iterator[tuple[Resource, Place]]:
    """Each function of a file of which an older version is called, and where that is said."""
    for function in stack.of_type(*_FUNCTIONS):
        for part in facts.gathered("function", "callers", function):
            named = any(link.resource == function.name for link in links(part.node))
            if part.part == "caller" and named and _BEHIND.search(shape_of(part.node)) is not None:
                yield function, part.node.place
            elif part.part == "alias":
                yield from ((function, one.place) for one in _versions(part.resource) if _is_old(one))


def _versions(alias: Resource) -> Iterator[Node]:
    """The versions to which an alias leads: its own, and those to which it gives a share."""
    own = read(alias.properties, "FunctionVersion")
    routing = read(alias.properties, "RoutingConfig")
    shares = read(routing, "AdditionalVersionWeights")
    yield from () if own is None else (own,)
    if isinstance(routing, Unknown) or isinstance(shares, Unknown):
        yield routing if isinstance(routing, Unknown) else shares or alias.properties
    elif isinstance(shares, Table):  # Terraform: weights by version
        yield from (Scalar(name, shares.place) for name in shares.entries)
    else:
        yield from (one for share in each(shares) if (one := read(share, "FunctionVersion")) is not None)


def _is_old(version: Node) -> bool:
    """Return whether a version is a literal number, or comes from a deployment or another file."""
    given = isinstance(version, Unknown) or bool(getattr(version, "given", ()))
    return given or _NUMBER.match(worded(version) or "") is not None
