"""Whether an api answers its CDN only (by signatures, its policy or a web ACL), and what a function URL requires."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet

from threatmodel.evidence.analyses.properties import (
    each,
    read,
    stands,
    worded,
)
from threatmodel.evidence.analyses.registry import analysis
from threatmodel.evidence.analyses.sharing import public_statement
from threatmodel.evidence.analyses.stages import Stage, at_stage, stages
from threatmodel.evidence.answers import (
    Answered,
    Gathered,
    Outcome,
    Unanswered,
    doubt_of,
    named,
    open_at,
    places,
    unknown,
    unless_unread,
)
from threatmodel.evidence.policies.grants import Grant, allowing, statements
from threatmodel.reading.problems import Place
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Node, Table, Unknown, get, links, unknowns


@analysis("stage", "deployment", "acl", "origin", "origin-access", "auth", "policy")
def cdn_only(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether the api rejects what does not come through its CDN, where that can be seen.

    No only if the CDN sends nothing that distinguishes it from other callers.
    """
    origins = [part for part in named(parts, "origin") if _is_origin_of(part.node, resource)]
    if not origins:
        return None
    unreadable = next((part.node for part in origins if isinstance(part.node, Unknown)), None)
    if unreadable is not None:
        return unknown(unreadable)
    ties = [one for one in stack.of_type(*ASSOCIATIONS) if _may_guard(one, resource, stack)]
    sent = frozenset(name for part in origins for name in _sent(part.node))
    proof = (
        signed(parts, origins)
        or _by_policy(parts, sent)
        or _by_web_acl(tuple(stages(parts)), ties, sent, resource, stack)
    )
    silent = not ties and not named(parts, "policy") and all(_tells_nothing(part) for part in origins)
    if proof is not None and doubt_of(origins[0].resource, resource) is None:
        return unless_unread(Answered(value=True, places=proof), stack, [True])
    seen = named(parts, "origin", "origin-access", "auth", "policy")
    if silent and proof is None and not any(isinstance(part.node, Unknown) for part in seen):
        note = "the CDN sends nothing that distinguishes it from other callers"
        return Answered(value=False, places=places(origins), note=note)
    return Unanswered("it is unknown whether it rejects requests that bypass its CDN", origins[0].node.place)


def _is_origin_of(node: Node, resource: Resource) -> bool:
    """Whether an origin of a distribution is this api; what cannot be read may be."""
    name = read(node, "DomainName")
    return (
        isinstance(node, Unknown)
        or isinstance(name, Unknown)
        or resource.name in {link.resource for link in links(name)}
    )


def signed(parts: Sequence[Gathered], origins: Sequence[Gathered]) -> tuple[Place, ...] | None:
    """Where a function URL takes signed requests only, and the CDN signs."""
    auth = next((part.node for part in named(parts, "auth")), None)
    if auth is None or worded(auth) != "AWS_IAM":
        return None
    for part in named(parts, "origin-access"):
        signs = worded(read(part.node, "SigningBehavior")) in {"always", "no-override", "always-amz-auth"}
        for_functions = worded(read(part.node, "OriginAccessControlOriginType")) == "lambda"
        named_by = {link.resource for one in origins for link in links(read(one.node, "OriginAccessControlId"))}
        if signs and for_functions and part.resource.name in named_by and part.resource.doubt is None:
            return auth.place, part.node.place
    return None


_LEAST = 16
"""Characters of a header's value that is a secret: 64 bits at least, if it is random."""


def _sent(origin: Node) -> Iterator[str]:
    """The names of the headers that the CDN adds, but for those whose values are short enough to be guessed."""
    for header in each(read(origin, "OriginCustomHeaders")):
        name, value = worded(read(header, "HeaderName")), worded(read(header, "HeaderValue"))
        if name is not None and (value is None or len(value) >= _LEAST):
            yield name.lower()


_CONDITIONS = {"aws:referer": "referer", "aws:useragent": "user-agent"}
"""The condition keys that are headers; any other header no policy can read."""
_EXACT = frozenset(("stringequals", "foranyvalue:stringequals"))


def _by_policy(parts: Sequence[Gathered], sent: AbstractSet[str]) -> tuple[Place, ...] | None:
    """Where the api's policy allows only what carries a header that the CDN adds."""
    for part in named(parts, "policy"):
        allows = tuple(allowing(statements(part.node)))
        if allows and part.resource.doubt is None and all(_checks_header(one, sent) for one in allows):
            return (part.node.place,)
    return None


def _checks_header(grant: Grant, sent: AbstractSet[str]) -> bool:
    tests = (_CONDITIONS.get(one.key) for one in grant.conditions if one.operator in _EXACT)
    return grant.effect == "Allow" and any(header in sent for header in tests)


ASSOCIATIONS = ("AWS::WAFv2::WebACLAssociation",)


def _by_web_acl(
    ends: Sequence[Stage], ties: Sequence[Resource], sent: AbstractSet[str], resource: Resource, stack: Stack
) -> tuple[Place, ...] | None:
    """Where a web ACL at each stage blocks all but requests with a header that the CDN adds."""
    found = [_at(end, ties, sent, resource, stack) for end in ends]
    return tuple(dict.fromkeys(place for one in found if one for place in one)) if found and all(found) else None


def _at(
    end: Stage, ties: Sequence[Resource], sent: AbstractSet[str], resource: Resource, stack: Stack
) -> tuple[Place, ...] | None:
    for tie in ties:
        acl = stack.target(read(tie.properties, "WebACLArn"))
        here = end.hidden is None and at_stage(end, read(tie.properties, "ResourceArn"), resource)
        if acl is not None and here and _blocks_others(acl, sent, tie, resource):
            return tie.place, acl.place
    return None


def _may_guard(tie: Resource, resource: Resource, stack: Stack) -> bool:
    """Whether an association of a web ACL is this api's, or cannot be read."""
    guarded = read(tie.properties, "ResourceArn")
    behind = [stack.resources[link.resource] for link in links(guarded) if link.resource in stack.resources]
    unread = any(isinstance(read(one.properties, "RestApiId"), Unknown) or one.opaque is not None for one in behind)
    return unread or tie.opaque is not None or any(unknowns(guarded)) or _guards(tie, resource, stack)


def _guards(tie: Resource, resource: Resource, stack: Stack) -> bool:
    guarded = [stack.resources.get(link.resource) for link in links(read(tie.properties, "ResourceArn"))]
    stages = [stack.target(read(one.properties, "RestApiId")) for one in guarded if one is not None]
    return resource in guarded or resource in stages


def _blocks_others(acl: Resource, sent: AbstractSet[str], association: Resource, resource: Resource) -> bool:
    if doubt_of(association, resource) is not None or doubt_of(acl, resource) is not None or acl.opaque is not None:
        return False
    blocks = stands(read(acl.properties, "DefaultAction", "Block"))
    rules = each(read(acl.properties, "Rules"))
    allowing = [rule for rule in rules if stands(read(rule, "Action", "Allow")) is not False]
    return bool(blocks) and bool(allowing) and all(_needs_header(rule, sent) for rule in allowing)


def _needs_header(rule: Node, sent: AbstractSet[str]) -> bool:
    match_ = read(rule, "Statement", "ByteMatchStatement")
    header = worded(read(match_, "FieldToMatch", "SingleHeader", "Name"))
    return worded(read(match_, "PositionalConstraint")) == "EXACTLY" and header is not None and header.lower() in sent


_OTHER_WAYS = re.compile(r"header|accesscontrol|access_control|mtls|certificate", re.IGNORECASE)
_EDGE_CODE = "FunctionAssociations", "LambdaFunctionAssociations"


def _tells_nothing(part: Gathered) -> bool:
    """Whether an origin adds nothing to requests: no header, signature or certificate, and no code that might."""
    settings = [part.node, read(part.node, "CustomOriginConfig")]
    stated = [name for one in settings if isinstance(one, Table) for name in one.entries if _OTHER_WAYS.search(name)]
    whole = read(part.resource.properties, "DistributionConfig") or part.resource.properties
    behaviours = [
        *each(read(whole, "DefaultCacheBehavior")),
        *each(read(whole, "CacheBehaviors")),
    ]
    code = any(isinstance(one, Unknown) or read(one, name) is not None for one in behaviours for name in _EDGE_CODE)
    return not code and not any(read(one, name) is not None for one in settings for name in stated)


# --- function URLs
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
    word = _AUTH_TYPES.get(worded(asks) or "")
    if word != "iam":
        return Answered(word, (asks.place,)) if word else open_at(asks)
    letting = [one for one in named(parts, "permission", "policy") if _for_signed(one) is not False]
    anybody = public_statement(letting, resource, stack) if letting else None
    if isinstance(anybody, Answered) and anybody.value:
        sure = list(filter(_for_signed, letting))
        surely = public_statement(sure, resource, stack) if sure else None
        if isinstance(surely, Answered) and surely.value:
            return Answered("none", surely.places, "any AWS account holder is allowed")
        return Unanswered("it is unknown of which kind of URL a permission is", anybody.places[0])
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


def _for_signed(part: Gathered) -> bool | None:
    """Whether what lets callers in counts for a URL that asks for a signature: `lambda:FunctionUrlAuthType`."""
    kind = get(part.node, "FunctionUrlAuthType") if part.part == "permission" else None
    return True if kind is None else None if worded(kind) is None else worded(kind) != "NONE"


_AUTH_TYPES = {"NONE": "none", "AWS_IAM": "iam", "ApplicationManaged": "none", "IamAuth": "iam"}
"""What the endpoint of a function asks by its AuthType: a URL's words, and those of a web function's endpoint."""
