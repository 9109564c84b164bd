"""What a code-signing configuration requires: it enforces only if each publisher is the account's own profile.

A profile of another file, or one that other accounts may sign with, accepts the packages of others.
"""

from __future__ import annotations

from collections.abc import Sequence

from threatmodel.evidence.analyses.properties import each, read, worded
from threatmodel.evidence.analyses.registry import analysis
from threatmodel.evidence.answers import Answered, Gathered, Outcome, doubt_of, open_at, unknown
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Node, Unknown

_PLATFORM = "AWSLambda-SHA384-ECDSA"
"""The one platform whose signatures Lambda checks."""


@analysis("config", answers=("enforce", "warn", "none"))
def what_signing_does(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """What Lambda does with a package that no trusted profile signed."""
    for part in parts:
        if isinstance(part.node, Unknown):
            return unknown(part.node)
        node = read(part.node, "CodeSigningPolicies", "UntrustedArtifactOnDeployment")
        stated = "Warn" if node is None else worded(node)
        place = part.resource.place if node is None else node.place
        if stated not in {"Enforce", "Warn"}:
            return open_at(node or part.node)
        doubt = part.resource.opaque or doubt_of(part.resource, resource)
        if doubt is not None:
            return unknown(doubt)
        if stated == "Warn":
            return Answered("warn", (place,))
        strange = _foreign(part.node, stack)
        return Answered("enforce", (place,)) if strange is None else unknown(strange)
    return None


def _foreign(config: Node, stack: Stack) -> Unknown | None:
    """A publisher that may belong to another account."""
    for one in each(read(config, "AllowedPublishers", "SigningProfileVersionArns")):
        profile = stack.target(one)
        if isinstance(one, Unknown):
            return one
        if profile is None or profile.type != "AWS::Signer::SigningProfile":
            return Unknown("the signing profile that it trusts is not in this file", one.place)
        if worded(read(profile.properties, "PlatformId")) != _PLATFORM or profile.doubt is not None:
            return Unknown("it is unknown whether its signing profile signs Lambda packages", profile.place)
        for other in stack.of_type("AWS::Signer::ProfilePermission"):
            named = stack.target(read(other.properties, "ProfileName"))
            if named is None or named is profile:
                return Unknown("other accounts may be allowed to sign with its signing profile", other.place)
    return None
