"""What only code can answer about an api: its TLS versions, its web ACL, its routes and methods."""

from __future__ import annotations

import re
from collections.abc import Sequence

from threatmodel.evidence.analyses.properties import (
    Say,
    all_of,
    document,
    doubt_of,
    each,
    every,
    flag,
    named,
    one_of,
    opaque_of,
    open_at,
    read,
    some,
    stands,
    unless_unread,
    worded,
)
from threatmodel.evidence.analyses.registry import analysis
from threatmodel.evidence.analyses.stages import served_otherwise
from threatmodel.evidence.answers import Answered, Gathered, Outcome, Unanswered
from threatmodel.reading.problems import Place
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import List, Node, Scalar, Table, Unknown, get

_REST = frozenset(("AWS::ApiGateway::RestApi", "AWS::Serverless::Api"))

# --- TLS

_TLS = ("tls-1.0", "tls-1.2", "tls-1.3")
_MAPPINGS = (
    *("AWS::ApiGateway::BasePathMapping", "AWS::ApiGateway::BasePathMappingV2", "AWS::ApiGatewayV2::ApiMapping"),
)
_OWN_POLICY = "x-amazon-apigateway-security-policy"


@analysis("api-policy", "domain-policy", "endpoint-disabled", "front", answers=("tls-1.0", "tls-1.2", "tls-1.3"))
def oldest_tls(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """The oldest version of all that answers: the domains, a CDN in front, the api itself unless its endpoint is off.

    A REST API that sets none answers 1.0.
    """
    found = [_version(part.node) for part in named(parts, "domain-policy")]
    found += _domains_without_policy(parts, resource, stack)
    fronts = [_front(part, resource) for part in named(parts, "front")]
    disabled = next((part.node for part in named(parts, "endpoint-disabled")), None)
    off = flag(disabled, left_out=False)
    own = _own(parts, resource)
    if off is False:
        found.append(own)
    elif resource.type in _REST and found:
        # API Gateway negotiates by the api's policy where a domain is called too: "Considerations" of
        # https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-custom-domain-tls-version.html
        stated = own[1] != resource.place
        found.append(own if stated else ("", own[1], "the API's own security policy applies, and it sets none"))
    elif off is None and disabled is not None:
        known = [word for word, _, _ in found if word]
        if own[0] not in known:  # else it is answered by a domain anyway
            found.append(("", disabled.place, open_at(disabled).why))
    found += fronts
    if not found:
        return Unanswered(
            "its default endpoint is disabled, and this file has no custom domain for it", parts[0].node.place
        )
    first = next((one for one in found if one[0] == _TLS[0]), None)
    unknown = next((one for one in found if not one[0]), None)
    if first is None and unknown is not None:
        return Unanswered(unknown[2], unknown[1])
    oldest = first or min(found, key=lambda one: _TLS.index(one[0]))
    return unless_unread(Answered(oldest[0], (oldest[1],)), stack, _TLS[1:])


_FRONTS = (
    (re.compile(r"SSLv3\Z|TLSv1(?:_2016|\.1_2016)?\Z"), "tls-1.0"),
    (re.compile(r"TLSv1\.2_"), "tls-1.2"),
    (re.compile(r"TLSv1\.3_"), "tls-1.3"),
)
"""CloudFront's security policies by the oldest version that they take (docs.aws.amazon.com/AmazonCloudFront:
"secure-connections-supported-viewer-protocols-ciphers"); under CloudFront's own name it takes TLS 1.0."""


def _front(part: Gathered, api: Resource) -> _Version:
    """The oldest version that a CDN in front takes of its viewers."""
    hidden = opaque_of(part) or doubt_of(part.resource, api)
    if hidden is not None:
        return "", hidden.place, hidden.why
    certificate = read(read(part.node, "DistributionConfig") or part.node, "ViewerCertificate")
    if certificate is None or flag(read(certificate, "CloudFrontDefaultCertificate")):
        return "tls-1.0", part.resource.place, ""
    literal_value = read(certificate, "MinimumProtocolVersion")
    fitting = (word for pattern, word in _FRONTS if pattern.match(worded(literal_value) or ""))
    at = (literal_value or part.resource).place
    return next(fitting, ""), at, "it is unknown which TLS versions the CDN in front of it accepts"


_Version = tuple[str, Place, str]
"""The word for a TLS version ('' where it is not known), its place, and why it is not known."""


def _version(node: Node) -> _Version:
    """The oldest version that a security policy takes, by the policy's name."""
    literal_value = worded(node)
    if literal_value is None:
        return "", node.place, open_at(node).why
    for pattern, word in (
        (r"TLS_1_0\Z", "tls-1.0"),
        (r"TLS_1_2\Z", "tls-1.2"),
        (r"SecurityPolicy_TLS13_1_3_", "tls-1.3"),
        (r"SecurityPolicy_TLS13_1_2_", "tls-1.2"),
        (r"SecurityPolicy_TLS13_(?:\w+_)?\d{4}_EDGE\Z", "tls-1.3"),
        (r"SecurityPolicy_TLS12_", "tls-1.2"),
    ):
        if re.match(pattern, literal_value):
            return word, node.place, ""
    return "", node.place, "this security policy is unknown"


def _own(parts: Sequence[Gathered], resource: Resource) -> _Version:
    """What the api's own endpoint takes."""
    policy = next((part.node for part in named(parts, "api-policy")), None)
    if policy is not None:
        return _version(policy)
    if resource.type not in _REST:
        return "tls-1.2", resource.place, ""
    body = document(read(resource.properties, "Body|DefinitionBody"))
    written = get(body, _OWN_POLICY)
    if written is not None:
        return _version(written)
    elsewhere = read(resource.properties, "BodyS3Location|DefinitionUri")
    if elsewhere is not None:
        return "", elsewhere.place, "its definition is in another file"
    return "tls-1.0", resource.place, ""


def _domains_without_policy(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> list[_Version]:
    known = {part.resource.name for part in named(parts, "domain-policy")}
    found = []
    for mapping in stack.of_type(*_MAPPINGS):
        if stack.target(read(mapping.properties, "RestApiId|ApiId")) is resource:
            domain = stack.target(read(mapping.properties, "DomainName|DomainNameArn"))
            if domain is not None and known.isdisjoint((domain.name, domain.made_by)):
                found.append(("", domain.place, "the domain sets no security policy"))
    return found


# --- routes and methods


@analysis("route", "method", "validator", "stage", "deployment", "override")
def requests_restricted(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether every route names its path and method, and every REST method checks what it takes."""
    says = [_route(part) for part in named(parts, "route")]
    says += [_method(part, stack) for part in named(parts, "method")]
    says += [open_at(part.node) for part in named(parts, "validator") if isinstance(part.node, Unknown)]
    if not says:
        return None
    says = [
        say._replace(doubt=doubt_of(part.resource, resource))
        for say, part in zip(says, _entry_points(parts), strict=True)
    ]
    elsewhere = read(resource.properties, "Body|BodyS3Location")  # SAM's own types are entry points already
    if elsewhere is not None:
        says.append(Say(None, elsewhere.place, "its definition may hold more routes"))
    if resource.opaque is not None:
        says.append(open_at(resource.opaque))
    says += [open_at(one) for one in served_otherwise(parts, stack)]
    outcome = every(says, "", "a route accepts any path or method, or a method validates nothing")
    return unless_unread(outcome, stack, [True])


def _entry_points(parts: Sequence[Gathered]) -> tuple[Gathered, ...]:
    """The parts in the order in which they are asked about."""
    unreadable = tuple(part for part in named(parts, "validator") if isinstance(part.node, Unknown))
    return (*named(parts, "route"), *named(parts, "method"), *unreadable)


def _route(part: Gathered) -> Say:
    """A route of an HTTP or WebSocket API names a path, no more: nothing checks headers, sizes or bodies there."""
    return Say(value=False, place=part.node.place)


_PATHS = frozenset(("AWS::ApiGateway::Resource",))
_WITH_BODY = frozenset(("POST", "PUT", "PATCH"))


def _method(part: Gathered, stack: Stack) -> Say:
    hidden = opaque_of(part)
    if hidden is not None:
        return open_at(hidden)
    node = part.node
    place = part.resource.place
    verb = read(node, "HttpMethod")
    literal_value = worded(verb)
    path = _path(node, stack)
    if literal_value == "ANY" or path is False:
        return Say(value=False, place=place)
    if verb is None or literal_value is None or path is None:
        return Say(None, place, open_at(verb).why if isinstance(verb, Unknown) else "its path is unknown")
    if worded(read(node, "Integration", "Type")) == "MOCK":
        return Say(value=True, place=place)
    return _validated(node, literal_value, place, stack)


def _path(node: Node, stack: Stack) -> bool | None:
    """Return whether a method is on its own path; None if its resource cannot be read."""
    reference = read(node, "ResourceId")
    at = stack.target(reference)
    if isinstance(reference, Unknown) or (at is not None and at.opaque is not None):
        return None
    literal_value = worded(read(at.properties, "PathPart")) if at is not None and at.type in _PATHS else ""
    return None if literal_value is None else "+}" not in literal_value


def _validated(node: Node, verb: str, place: Place, stack: Stack) -> Say:
    parameters, models = read(node, "RequestParameters"), read(node, "RequestModels")
    reference = read(node, "RequestValidatorId")
    if verb not in _WITH_BODY and reference is None and parameters is None and models is None:
        return Say(None, place, "a method without a validator accepts any request")
    if reference is None:
        return Say(value=False, place=place)
    validator = stack.target(reference)
    if validator is None or validator.opaque is not None or validator.doubt is not None:
        return Say(None, reference.place, "its validator is not in this file")
    checks = (
        (flag(read(validator.properties, "ValidateRequestParameters"), left_out=False), _required(parameters)),
        (
            flag(read(validator.properties, "ValidateRequestBody"), left_out=False),
            _constrains(models, stack.target(read(node, "RestApiId")), stack),
        ),
    )
    values = [all_of(check) for check in checks]
    value = one_of(values)
    return Say(value, place, "it is unknown what its validator checks")


def _constrains(models: Node | None, api: Resource | None, stack: Stack) -> bool | None:
    """Whether one of a method's models rejects something."""
    if models is None or isinstance(models, Unknown):
        return False if models is None else None
    named_by = models.entries.values() if isinstance(models, Table) else each(models)
    return one_of([_refuses(one, api, stack) for one in named_by])


def _refuses(model: Node, api: Resource | None, stack: Stack) -> bool | None:
    """Whether a model's schema demands a property; one that demands none takes every body that is an object."""
    target = stack.target(model)
    if target is not None:
        schema = None if target.opaque is not None else document(read(target.properties, "Schema"))
    else:
        name = worded(model)
        if name == "Empty":  # API Gateway's own model, which takes everything
            return False
        schema = get(read(api.properties, "Models") if api is not None else None, name) if name else None
    if not isinstance(schema, Table):
        return None
    if not schema.entries:
        return False
    return True if stands(get(schema, "required")) else None


def _required(parameters: Node | None) -> bool | None:
    """Whether a method requires a parameter."""
    if parameters is None:
        return False
    if isinstance(parameters, Table):
        return one_of([_requires(child) for child in parameters.entries.values()])
    if not isinstance(parameters, List):
        return None
    return one_of([_required(child) if isinstance(child, Table) else False for child in each(parameters)])


def _requires(node: Node) -> bool | None:
    """SAM writes a list of names and of ``{name: {Required: true}}`` where CloudFormation has ``{name: true}``."""
    return flag(read(node, "Required"), left_out=False) if isinstance(node, Table) else flag(node)


# --- switches


@analysis("flag")
def any_true(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether one of some switches is on."""
    says = [
        Say(flag(part.node), part.node.place, open_at(part.node).why, doubt_of(part.resource, resource))
        for part in parts
        if not (isinstance(part.node, Scalar) and part.node.value is None)
    ]
    return unless_unread(some(says), stack, [False])
