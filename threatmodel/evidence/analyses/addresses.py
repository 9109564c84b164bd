"""What a function URL requires of its callers: its type, and the principals that the function's policy allows."""

from __future__ import annotations

from collections.abc import Sequence

from threatmodel.evidence.analyses.cdn import signed
from threatmodel.evidence.analyses.properties import read, worded
from threatmodel.evidence.analyses.registry import analysis
from threatmodel.evidence.analyses.sharing import public_statement
from threatmodel.evidence.answers import Answered, Gathered, Outcome, Unanswered, named, open_at, unless_unread
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Unknown


def _for_functions(access: Resource) -> bool:
    settings = read(access.properties, "OriginAccessControlConfig") or access.properties
    return worded(read(settings, "OriginAccessControlOriginType")) == "lambda"


@analysis("auth", "permission", "policy", "origin", "origin-access", answers=("none", "iam"))
def address_asks(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """What a URL asks: nothing too where a policy lets every identity of AWS in, whosever it is.

    If a CDN signs every request that it gets, the callers are unknown.
    """
    asks = next((part.node for part in named(parts, "auth")), None)
    if asks is None:
        return None
    word = {"NONE": "none", "AWS_IAM": "iam"}.get(worded(asks) or "")
    if word != "iam":
        return Answered(word, (asks.place,)) if word else open_at(asks)
    letting = named(parts, "permission", "policy")
    anybody = public_statement(letting, resource, stack) if letting else None
    if isinstance(anybody, Answered) and anybody.value:
        return Answered("none", anybody.places, "any AWS account holder is allowed")
    if isinstance(anybody, Unanswered):
        return anybody
    origins = named(parts, "origin")
    signs = signed(parts, origins)
    unread = next((part.node for part in origins if isinstance(part.node, Unknown)), None)
    signing = next(filter(_for_functions, stack.of_type("AWS::CloudFront::OriginAccessControl")), None)
    if signs is not None or (unread is not None and signing is not None):
        at = signs[1] if signs is not None else unread.place if unread is not None else asks.place
        return Unanswered(
            "a CDN signs every request that it forwards, and it is unknown whose requests it forwards", at
        )
    return unless_unread(Answered("iam", (asks.place,)), stack, ("iam",))
