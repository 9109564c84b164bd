"""What only code can answer about an api: its TLS versions, its web ACL, its routes and methods."""

from __future__ import annotations

import re
from collections.abc import Sequence

from threatmodel.evidence.analyses.properties import (
    document,
    each,
    flag,
    read,
    stands,
    worded,
)
from threatmodel.evidence.analyses.registry import analysis
from threatmodel.evidence.analyses.stages import served_otherwise
from threatmodel.evidence.answers import (
    Answer,
    Answered,
    Gathered,
    Outcome,
    Unanswered,
    all_of,
    doubt_of,
    doubted,
    every,
    judged,
    named,
    no,
    one_of,
    open_at,
    said,
    unknown,
    unless_unread,
    worst,
    yes,
)
from threatmodel.reading.problems import Place
from threatmodel.stacks.openapi import Operation, operations
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import List, Node, Table, Unknown, get, leaves, node_of, text

_REST = frozenset(("AWS::ApiGateway::RestApi", "AWS::Serverless::Api"))

# --- TLS

_TLS = ("tls-1.0", "tls-1.2", "tls-1.3")
_MAPPINGS = (
    *("AWS::ApiGateway::BasePathMapping", "AWS::ApiGateway::BasePathMappingV2", "AWS::ApiGatewayV2::ApiMapping"),
)
_OWN_POLICY = "x-amazon-apigateway-security-policy"


@analysis("api-policy", "body", "domain-policy", "endpoint", "endpoint-disabled", "front", answers=_TLS)
def oldest_tls(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """The oldest version of all that answers: the domains, a CDN in front, the api itself unless its endpoint is off.

    A REST API that sets none answers 1.0, a private one 1.2.
    """
    found = [_version(part.node) for part in named(parts, "domain-policy")]
    found += _domains_without_policy(parts, resource, stack)
    disabled = next((part.node for part in named(parts, "endpoint-disabled")), None)
    off = flag(disabled, left_out=False)
    own = _own(parts, resource)
    if off is False:
        found.append(own)
    elif resource.type in _REST and found:
        # API Gateway negotiates by the api's policy where a domain is called too: "Considerations" of
        # https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-custom-domain-tls-version.html
        if isinstance(own, Answered) and own.places[0] == resource.place:
            own = Unanswered("the API's own security policy applies, and it sets none", resource.place)
        found.append(own)
    elif off is None and disabled is not None:
        versions = [one.value for one in found if isinstance(one, Answered)]
        if not isinstance(own, Answered) or own.value not in versions:  # else it is answered by a domain anyway
            found.append(open_at(disabled))
    found += [_front(part, resource) for part in named(parts, "front")]
    why = "its default endpoint is disabled, and this file has no custom domain for it"
    return unless_unread(worst(found, _TLS) or Unanswered(why, parts[0].node.place), stack, _TLS[1:])


_POLICIES = (
    (r"TLS_1_0\Z", "tls-1.0"),
    (r"TLS_1_2\Z", "tls-1.2"),
    (r"SecurityPolicy_TLS13_1_3_", "tls-1.3"),
    (r"SecurityPolicy_TLS13_1_2_", "tls-1.2"),
    (r"SecurityPolicy_TLS13_(?:\w+_)?\d{4}_EDGE\Z", "tls-1.3"),
    (r"SecurityPolicy_TLS12_", "tls-1.2"),
)
_FRONTS = (
    (r"SSLv3\Z|TLSv1(?:_2016|\.1_2016)?\Z", "tls-1.0"),
    (r"TLSv1\.2_", "tls-1.2"),
    (r"TLSv1\.3_", "tls-1.3"),
)
"""CloudFront's security policies by the oldest version that they take (docs.aws.amazon.com/AmazonCloudFront:
"secure-connections-supported-viewer-protocols-ciphers"); under CloudFront's own name it takes TLS 1.0."""


def _front(part: Gathered, api: Resource) -> Answer:
    """The oldest version that a CDN in front takes of its viewers."""
    hidden = part.hidden or doubt_of(part.resource, api)
    if hidden is not None:
        return unknown(hidden)
    certificate = read(read(part.node, "DistributionConfig") or part.node, "ViewerCertificate")
    if certificate is None or flag(read(certificate, "CloudFrontDefaultCertificate")):
        return Answered("tls-1.0", (part.resource.place,))
    least = read(certificate, "MinimumProtocolVersion")
    why = "it is unknown which TLS versions the CDN in front of it accepts"
    return _oldest(least, _FRONTS, (least or part.resource).place, why)


def _version(node: Node) -> Answer:
    """The oldest version that a security policy takes, by the policy's name."""
    unknown_one = "this security policy is unknown"
    return open_at(node) if worded(node) is None else _oldest(node, _POLICIES, node.place, unknown_one)


def _oldest(node: Node | None, versions: Sequence[tuple[str, str]], place: Place, why: str) -> Answer:
    found = next((word for pattern, word in versions if re.match(pattern, worded(node) or "")), "")
    return Answered(found, (place,)) if found else Unanswered(why, place)


def _own(parts: Sequence[Gathered], resource: Resource) -> Answer:
    """What the api's own endpoint takes."""
    policy = next((part.node for part in named(parts, "api-policy")), None)
    if policy is not None:
        return _version(policy)
    if resource.type not in _REST:
        return Answered("tls-1.2", (resource.place,))
    body = document(read(resource.properties, "Body|DefinitionBody"))
    if body is not None and not isinstance(body, Table):
        return open_at(body)
    written = get(body, _OWN_POLICY)
    if written is not None:
        return _version(written)
    elsewhere = read(resource.properties, "BodyS3Location|DefinitionUri")
    if elsewhere is not None:
        return Unanswered("its definition is in another file", elsewhere.place)
    kinds = [one for part in named(parts, "endpoint") for one in leaves(part.node)]
    hidden = next((one for one in kinds if text(one) is None), None)
    private = any(text(one) == "PRIVATE" for one in kinds)
    return open_at(hidden) if hidden else Answered("tls-1.2" if private else "tls-1.0", (resource.place,))


def _domains_without_policy(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> list[Answer]:
    known = {part.resource.name for part in named(parts, "domain-policy")}
    found: list[Answer] = []
    for mapping in stack.of_type(*_MAPPINGS):
        if stack.target(read(mapping.properties, "RestApiId|ApiId")) is resource:
            domain = stack.target(read(mapping.properties, "DomainName|DomainNameArn"))
            if domain is not None and known.isdisjoint((domain.name, domain.made_by)):
                found.append(Unanswered("the domain sets no security policy", domain.place))
    return found


# --- routes and methods


@analysis("route", "method", "body", "validator", "stage", "deployment", "override")
def requests_restricted(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether every route names its path and method, and every REST method checks what it takes."""
    routes = named(parts, "route")  # of an HTTP or WebSocket API: they name a path, and nothing checks what comes
    says = [doubted(no(part.node.place), doubt_of(part.resource, resource)) for part in routes]
    says += judged(
        named(parts, "method"),
        resource,
        lambda part: _restricted(part.node, _path(part.node, stack), part.resource.place, stack),
    )
    for part in named(parts, "body"):
        says += [_operation(one, stack) for one in operations(document(part.node) or part.node)]
    says += [open_at(part.node) for part in named(parts, "validator") if isinstance(part.node, Unknown)]
    if not says:
        return None
    elsewhere = read(resource.properties, "BodyS3Location")  # SAM's own types are entry points already
    if elsewhere is not None:
        says.append(Unanswered("its definition may hold more routes", elsewhere.place))
    if resource.opaque is not None:
        says.append(open_at(resource.opaque))
    says += [open_at(one) for one in served_otherwise(parts, stack)]
    outcome = every(says, "", "a route accepts any path or method, or a method validates nothing")
    return unless_unread(outcome, stack, [True])


_WITH_BODY = frozenset(("POST", "PUT", "PATCH"))


def _operation(one: Operation, stack: Stack) -> Answer:
    """Whether a route of a definition checks what it takes: it is judged as the method that is made of it."""
    given = {
        "HttpMethod": one.integration if one.method == "*" else one.method,
        "Integration": {"Type": (text(get(one.integration, "type")) or "").upper()},
        "RequestValidatorId": one.validator,
        "RequestModels": one.models,
        "RequestParameters": one.parameters,
    }
    path = None if one.path == "*" else "+}" not in one.path
    return _restricted(node_of(given, one.place), path, one.place, stack)


def _restricted(node: Node, path: bool | None, place: Place, stack: Stack) -> Answer:  # noqa: FBT001 - a truth
    verb = read(node, "HttpMethod")
    literal_value = worded(verb)
    if literal_value == "ANY" or path is False:
        return no(place)
    if verb is None or literal_value is None or path is None:
        return Unanswered(verb.why if isinstance(verb, Unknown) else "its path is unknown", place)
    if worded(read(node, "Integration", "Type")) == "MOCK":
        return yes(place)
    return _validated(node, literal_value, place, stack)


def _path(node: Node, stack: Stack) -> bool | None:
    """Return whether a method is on its own path; None if its resource cannot be read."""
    reference = read(node, "ResourceId")
    at = stack.target(reference)
    if isinstance(reference, Unknown) or (at is not None and at.opaque is not None):
        return None
    literal_value = (
        worded(read(at.properties, "PathPart")) if at is not None and at.type == "AWS::ApiGateway::Resource" else ""
    )
    return None if literal_value is None else "+}" not in literal_value


def _validated(node: Node, verb: str, place: Place, stack: Stack) -> Answer:
    parameters, models = read(node, "RequestParameters"), read(node, "RequestModels")
    reference = read(node, "RequestValidatorId")
    if verb not in _WITH_BODY and reference is None and parameters is None and models is None:
        return Unanswered("a method without a validator accepts any request", place)
    if reference is None:
        return no(place)
    validator = stack.target(reference)
    settings = reference if validator is None else validator.properties  # a definition has them in it
    if not isinstance(settings, Table) or (validator and (validator.opaque or validator.doubt)):
        return Unanswered("its validator is not in this file", reference.place)
    checks = (
        (flag(read(settings, "ValidateRequestParameters"), left_out=False), _required(parameters)),
        (
            flag(read(settings, "ValidateRequestBody"), left_out=False),
            _constrains(models, stack.target(read(node, "RestApiId")), stack),
        ),
    )
    return said(one_of(map(all_of, checks)), place, "it is unknown what its validator checks")


def _constrains(models: Node | None, api: Resource | None, stack: Stack) -> bool | None:
    """Whether one of a method's models rejects something."""
    if models is None or isinstance(models, Unknown):
        return False if models is None else None
    named_by = models.entries.values() if isinstance(models, Table) else each(models)
    return one_of([_refuses(one, api, stack) for one in named_by])


def _refuses(model: Node, api: Resource | None, stack: Stack) -> bool | None:
    """Whether a model's schema demands a property; one that demands none takes every body that is an object."""
    target = stack.target(model)
    if isinstance(model, Table):  # of a definition
        schema: Node | None = model
    elif target is not None:
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
    if isinstance(parameters, Table):  # of SAM ``{name: {Required: true}}``, else ``{name: true}``
        asked = [(child, read(child, "Required")) for child in parameters.entries.values()]
        return one_of([flag(it, left_out=False) if isinstance(one, Table) else flag(one) for one, it in asked])
    if not isinstance(parameters, List):
        return None
    return one_of([_required(child) if isinstance(child, Table) else False for child in each(parameters)])
