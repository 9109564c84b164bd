"""What only code can answer about a function: its layers, its variables, its callers and its signing.

A code-signing configuration enforces only if each publisher is the account's own profile: one of another file, or one
that other accounts may sign with, accepts the packages of others.  CloudWatch Logs masks secrets and personal data by
policies of the log group and of the account, which add up, so that what one lacks another file may have:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/mask-sensitive-log-data.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from threatmodel.evidence.analyses.properties import document, each, flag, read, worded
from threatmodel.evidence.analyses.registry import analysis
from threatmodel.evidence.analyses.secrets import Supply, supplied
from threatmodel.evidence.answers import (
    Answer,
    Answered,
    Gathered,
    Outcome,
    Unanswered,
    doubt_of,
    every,
    judged,
    no,
    open_at,
    opposite,
    places,
    said,
    some,
    unknown,
    unless_unread,
    worst,
    yes,
)
from threatmodel.evidence.resource_types import known
from threatmodel.model.facts import LEFT_OUT
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Joined, Link, List, Node, Scalar, Table, Unknown, links, shape_of, unknowns

# --- layers

_LAYER_TYPES = ("AWS::Lambda::LayerVersion", "AWS::Serverless::LayerVersion")
_LAYER = re.compile(r"arn:[^:]*:lambda:[^:]*:(?P<account>[^:]*):layer:[^:]+(?::(?P<version>[^:]+))?\Z")


@analysis("layer")
def layers_trusted(parts: Sequence[Gathered], _resource: Resource, stack: Stack) -> Outcome:
    """Each layer is named by version; whether a foreign account is trusted no file of infrastructure code tells."""
    says = [_layer(part.node, stack) for part in parts]
    return every(says, "each layer is a pinned version in this account", "a layer is not pinned to a version")


def _layer(node: Node, stack: Stack) -> Answer:
    if isinstance(node, Link):
        target = stack.resources.get(node.resource)
        if target is None or target.type not in _LAYER_TYPES:
            return Unanswered("it refers to something other than a layer version in this file", node.place)
        foreign = _foreign(target)
        if foreign is not None:
            why = "the bucket of its code is not in this file, and may be of another account"
            return Unanswered(why, foreign.place)
        return said(node.attribute != "layer_arn", node.place)  # Terraform's name for the ARN without version
    stated = worded(node)
    if stated is None:
        return open_at(node)
    found = _LAYER.match(stated)
    if found is None or found["version"] is None:
        return said(False if found else None, node.place)
    own = found["account"] == "<AccountId>"
    return said(own or None, node.place, "the file does not show whether the team trusts the layer's account")


def _foreign(layer: Resource) -> Node | None:
    """The bucket of a layer's code, if it is none of this file and does not have the account's number in its name."""
    content = read(layer.properties, "Content|ContentUri")
    bucket = content if isinstance(content, Scalar | Unknown) else read(content, "S3Bucket|Bucket")
    stated = shape_of(bucket)
    local = isinstance(content, Scalar) and not stated.startswith(("s3:", "http"))
    return None if bucket is None or local or any(links(bucket)) or "${AWS::AccountId}" in stated else bucket


# --- variables


@analysis("variables")
def secret_in_environment(parts: Sequence[Gathered], _resource: Resource, stack: Stack) -> Outcome:
    """Whether a variable's value is a secret: one certain suffices, and for a no all have to be certain."""
    supplies: list[Supply] = []
    hidden: Unknown | None = None
    for part in parts:
        if isinstance(part.node, Table):
            others = part.node.entries.get("*")  # what a plugin adds
            hidden = others if isinstance(others, Unknown) else hidden
            supplies += [supplied(name, node, stack) for name, node in part.node.entries.items() if name != "*"]
        else:
            return open_at(part.node)
    found = [supply for supply in supplies if supply.secret]
    if found:
        more = f" and {len(found) - _MOST} more" if len(found) > _MOST else ""
        note = "; ".join(supply.described() for supply in found[:_MOST]) + more
        return Answered(value=True, places=tuple(supply.place for supply in found), note=note)
    unsure = [supply for supply in supplies if supply.secret is None]
    if unsure:
        more = f"; and {len(unsure) - _MOST} more" if len(unsure) > _MOST else ""
        why = "; ".join(f"{supply.described()}: {supply.why}" for supply in unsure[:_MOST]) + more
        return Unanswered(why, unsure[0].place)
    if hidden is not None:
        return unknown(hidden)
    return Answered(value=False, places=places(parts))


_MOST = 8
"""Variables that a note names."""

# --- responses

_STREAMING = {"url": ("InvokeMode", "RESPONSE_STREAM"), "method": ("Integration.ResponseTransferMode", "STREAM")}
"""The property of what a response passes through that has it streamed, and its value; an HTTP API has none."""


@analysis("url", "method", "http")
def streams(parts: Sequence[Gathered], resource: Resource, _: Stack) -> Outcome:
    """Whether one of the ways by which requests reach a function passes its response on while it is written."""
    return some(judged(parts, resource, _streams), parts=parts)


def _streams(part: Gathered) -> Answer:
    path, word = _STREAMING.get(part.part, ("", ""))
    mode = read(part.node, *path.split(".")) if path else None
    if mode is None:
        return no(part.resource.place)
    stated = worded(mode)
    return open_at(mode) if stated is None else said(stated == word, mode.place)


# --- callers

_ALIASES = ("AWS::Lambda::Alias",)
_VERSIONS = ("AWS::Lambda::Version",)
_QUALIFIED = ("qualified_arn", "qualified_invoke_arn")
_FUNCTION = re.compile(
    r"(?:arn:[^:]*:lambda:[^:]*:[^:]*:function:|[^:/]*:function:)?(?P<name>[^:/]+)(?::(?P<to>[^:/]+))?\Z"
)


@analysis("caller", "starter", "url", "alias", answers=("alias", "version", "latest"))
def qualifier(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """What all callers of the function are bound to; unknown where they differ or one is unknown."""
    bound: list[Answered] = []
    for part in parts:
        doubt = doubt_of(part.resource, resource)
        for one in _bindings(part, resource, stack):
            if isinstance(one, Unanswered):
                return one
            if doubt is not None and bound and bound[0].value != one.value:
                return unknown(doubt)
            bound.append(one)
    other = next((one for one in bound if one.value != bound[0].value), None)
    if other is not None:
        return Unanswered("its callers invoke different aliases or versions", other.places[0])
    outcome = worst(bound, ("alias", "version", "latest"))
    aliases = [part for part in parts if part.part == "alias"]
    published = {_is_published(part.node, resource) for part in aliases}
    if aliases and published != {True} and isinstance(outcome, Answered) and outcome.value == "alias":
        if published == {False}:
            return Answered("latest", places(aliases), "its alias points to unpublished code")
        return Unanswered("it is unknown which version its alias points to", aliases[0].resource.place)
    return unless_unread(outcome, stack, ("alias", "version"))


def _is_published(alias: Node, resource: Resource) -> bool | None:
    """Whether an alias points to a version, and not to $LATEST, the version of a function that publishes none."""
    to = read(alias, "FunctionVersion")
    if isinstance(to, Link):
        own = to.resource == resource.name and to.attribute == "version"  # Terraform's
        return flag(read(resource.properties, "publish"), left_out=False) if own else True
    return True if to is None else opposite(None if worded(to) is None else worded(to) == _LATEST)


def _bindings(part: Gathered, resource: Resource, stack: Stack) -> Iterator[Answer]:
    """What a caller is bound to; nothing for another function's."""
    node = part.node
    if part.part == "alias":
        return
    if part.part == "caller":
        yield from _bound(node, None, resource, stack)
        return
    if part.part == "starter":
        for name in known(part.resource.type).names_in:
            for leaf in _naming(part.resource.opaque or read(node, name), resource):
                yield from _bound(leaf, None, resource, stack)
        return
    if part.hidden is not None:
        yield unknown(part.hidden)
        return
    function = read(node, "TargetFunctionArn")
    if function is not None:
        yield from _bound(function, read(node, "Qualifier"), resource, stack)


def _naming(node: Node | None, function: Resource) -> Iterator[Node]:
    """The values within a node that refer to a function itself, or may."""
    match node:
        case Table(entries=entries):
            for child in entries.values():
                yield from _naming(child, function)
        case List(items=children):
            for child in children:
                yield from _naming(child, function)
        case None:
            return
        case _:
            if any(link.resource == function.name for link in links(node)) or any(unknowns(node)):
                yield node


def _bound(node: Node, qualified: Node | None, resource: Resource, stack: Stack) -> Iterator[Answer]:
    if isinstance(node, Unknown):
        yield unknown(node)
        return
    if qualified is not None:
        yield _worded(_to(qualified, stack), qualified, open_at(qualified).why)
        return
    links = [node] if isinstance(node, Link) else [part for part in _parts(node) if isinstance(part, Link)]
    for link in links:
        target = stack.resources.get(link.resource)
        if target is not None and target.type in (*_ALIASES, *_VERSIONS):
            yield _worded("alias" if target.type in _ALIASES else "version", node)
            return
        if link.resource == resource.name:
            word = _attribute(link, resource) or _to_behind(node, link, stack)
            yield _worded(word, node)
            return
    if not links:
        yield from _by_text(node, resource)


def _worded(word: str, node: Node, why: str = "it is unknown what it invokes") -> Answer:
    """What a caller is bound to, by a word ('' where it is not known); by default, where it names no version at all."""
    if not word:
        return Unanswered(why, node.place)
    by_default = word == "latest" and _LATEST not in shape_of(node)
    return Answered(word, (node.place,), LEFT_OUT if by_default else "")


_LATEST = "$LATEST"


def _parts(node: Node) -> tuple[str | Link | Unknown, ...]:
    return node.parts if isinstance(node, Joined) else ()


def _attribute(link: Link, resource: Resource) -> str:
    """What an attribute of the function itself is bound to; '' where that is not in the attribute."""
    if link.attribute in _QUALIFIED:
        publishes = flag(read(resource.properties, "publish"), left_out=False)
        return {True: "version", False: "latest", None: ""}[publishes]
    return {"Alias": "alias", "Version": "version"}.get(link.attribute, "")


def _to_behind(node: Node, link: Link, stack: Stack) -> str:
    """Return what follows a function's ARN in a text: ``:live`` names an alias, nothing the unqualified function."""
    if link.attribute in _QUALIFIED:
        return ""
    parts = _parts(node)
    after = parts[parts.index(link) + 1 :] if parts else ()
    if not after:
        return "latest"
    first = after[0]
    if not isinstance(first, str):
        return ""
    if not first.startswith(":"):
        return "latest" if first.startswith(("/", '"')) else ""
    name = first[1:].split("/")[0]
    if name:
        return _word(name)
    return _to(after[1], stack) if len(after) > 1 and not isinstance(after[1], str) else ""


def _to(node: Node, stack: Stack) -> str:
    if isinstance(node, Link):
        target = stack.resources.get(node.resource)
        if target is not None and target.type in _ALIASES:
            return "alias"
        version = target is not None and (target.type in _VERSIONS or node.attribute in {"Version", "version"})
        return "version" if version else ""
    stated = worded(node)
    return _word(stated) if stated else ""


def _word(name: str) -> str:
    if name == _LATEST:
        return "latest"
    if name.isdigit():
        return "version"
    return "alias" if re.fullmatch(r"[A-Za-z0-9_-]+", name) else ""


def _by_text(node: Node, resource: Resource) -> Iterator[Answer]:
    """A caller that gives the function's own name as text; one that gives another name says nothing of this one."""
    stated = worded(node)
    if stated is None:
        yield open_at(node)
        return
    if "/functions/" in stated:
        stated = stated.split("/functions/", 1)[1].removesuffix("/invocations")
    found = _FUNCTION.match(stated)
    own = worded(read(resource.properties, "FunctionName"))
    if found is not None and own is not None and found["name"] == own:
        yield _worded(_word(found["to"]) if found["to"] else "latest", node)


# --- signing
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
        strange = _foreign_publisher(part.node, stack)
        return Answered("enforce", (place,)) if strange is None else unknown(strange)
    return None


def _foreign_publisher(config: Node, stack: Stack) -> Unknown | None:
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


# --- masked logs
_CREDENTIALS = frozenset({"AwsSecretKey", "OpenSshPrivateKey", "PgpPrivateKey", "PkcsPrivateKey", "PuttyPrivateKey"})
"""AWS's own identifiers of secrets; the others are of personal data."""
_OF_DATA = "DATA_PROTECTION_POLICY"


@analysis("log-policy", "account-policy")
def log_masked(parts: Sequence[Gathered], resource: Resource, _stack: Stack) -> Outcome:
    """Whether a policy masks identifiers of secrets and of personal data; that nothing does, no file shows."""
    return some(judged(parts, resource, _masks))


def _masks(part: Gathered) -> Answer | None:
    policy = part.node
    if part.part == "account-policy":
        kind = worded(read(part.resource.properties, "PolicyType"))
        if kind is not None and kind != _OF_DATA:
            return None
        chosen = read(part.resource.properties, "SelectionCriteria")
        if kind is None or chosen is not None or part.resource.written:  # a plan may be of another Region
            return Unanswered("it is unknown whether the account's policy covers this log group", part.resource.place)
        policy = read(part.resource.properties, "PolicyDocument") or part.node
    stated = document(policy)
    if stated is None or isinstance(stated, Unknown):
        return open_at(policy)
    masked = {name for one in each(read(stated, "Statement")) for name in _masked(one)}
    own = {worded(read(one, "Name")) for one in each(read(stated, "Configuration", "CustomDataIdentifier"))}
    if masked & (_CREDENTIALS | own) and masked - _CREDENTIALS - own:
        return yes(policy.place)
    lacks = "masks nothing" if not masked else "masks no secrets or no personal data"
    return Unanswered(f"the data protection policy of the log {lacks}", policy.place)


def _masked(statement: Node) -> set[str]:
    """Return the names of the identifiers that a statement masks."""
    if read(statement, "Operation", "Deidentify", "MaskConfig") is None:
        return set()
    named = (worded(one) for one in each(read(statement, "DataIdentifier|DataIdentifiers")))
    return {name.rpartition("/")[2] for name in named if name is not None}
