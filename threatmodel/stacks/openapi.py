"""The routes in an OpenAPI document: where each leads, and who may come.

Works on nodes, for APIs whose definition is in the template (`DefinitionBody`, `Body`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from threatmodel.reading.problems import Place
from threatmodel.stacks.values import Node, Scalar, Table, Unknown, entries, get, items, node_of, text

_METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})
_ANY = "x-amazon-apigateway-any-method"
_VALIDATOR = "x-amazon-apigateway-request-validator"
_PARTS = {"query": "querystring", "header": "header"}
_KINDS = {"awsSigv4": "AWS_IAM", "cognito_user_pools": "COGNITO_USER_POOLS", "custom": "CUSTOM"}
_TYPES = {"jwt": "JWT", "cognito_user_pools": "COGNITO_USER_POOLS", "token": "CUSTOM", "request": "CUSTOM"}


class Operation(NamedTuple):
    """One route: `integration` as it is there (None where it has none), `auth` what callers must show.

    `auth` is an AuthorizationType, or Unknown; `authorizer` the name of its security scheme; both are None
    where the document says nothing of it.  `key` is whether an API key is asked for.  `validator` has what is checked,
    `models` the schema of each type of content, and `parameters` whether each is required, as properties of a method.
    Of what cannot be read method or path is ``*``, and all else the reason.
    """

    method: str
    path: str
    integration: Node | None
    auth: Node | None
    authorizer: str | None
    key: bool
    validator: Node | None
    place: Place
    models: Node | None = None
    parameters: Node | None = None


def operations(document: Node) -> Iterator[Operation]:
    """Every route of a document that leads somewhere; one of which all is unknown for each part that cannot be read."""
    paths = get(document, "paths")
    for hidden in (document, paths):
        if isinstance(hidden, Unknown):
            yield _unread("*", "*", hidden)
            return
    for path, found in entries(paths).items():
        if isinstance(found, Unknown):
            yield _unread("*", path, found)
        for method, operation in entries(found).items():
            if method.lower() in _METHODS or method == _ANY:
                place = found.keys.get(method, operation.place) if isinstance(found, Table) else operation.place
                called = "ANY" if method == _ANY else method.upper()
                yield _operation(document, (called, path), operation, place, get(found, "parameters"))


class Authorizer(NamedTuple):
    """What a security scheme has decide who may come: by the scheme's name, its settings as they are there."""

    name: str
    settings: Node
    place: Place

    def get(self, *names: str) -> Node | None:
        """A setting of it; the reason where none can be read."""
        return get(self.settings, *names)


def authorizers(document: Node) -> Iterator[Authorizer]:
    """Every authorizer that a document describes."""
    for schemes in (get(document, "securityDefinitions"), get(document, "components", "securitySchemes")):
        for name, scheme in entries(schemes).items():
            settings = scheme if isinstance(scheme, Unknown) else get(scheme, "x-amazon-apigateway-authorizer")
            if settings is not None:
                yield Authorizer(name, settings, scheme.place)


def _unread(method: str, path: str, why: Unknown) -> Operation:
    return Operation(method, path, why, why, None, key=False, validator=why, place=why.place)


def _operation(
    document: Node, called: tuple[str, str], operation: Node, place: Place, shared: Node | None
) -> Operation:
    method, path = called
    if isinstance(operation, Unknown):
        return _unread(method, path, operation)
    security = get(operation, "security")
    security = get(document, "security") if security is None else security
    auth, authorizer, key = _security(document, security)
    own = get(operation, "x-amazon-apigateway-auth", "type")
    taken = [_referred(document, one) for listed in (shared, get(operation, "parameters")) for one in _each(listed)]
    return Operation(
        method=method,
        path=path,
        integration=get(operation, "x-amazon-apigateway-integration"),
        auth=own if auth is None else auth,
        authorizer=authorizer,
        key=key,
        validator=_checks(document, get(operation, _VALIDATOR) or get(document, _VALIDATOR)),
        place=place,
        models=_models(document, _referred(document, get(operation, "requestBody")), taken, place),
        parameters=_parameters(taken, place),
    )


def _each(listed: Node | None) -> Sequence[Node]:
    return (listed,) if isinstance(listed, Unknown) else items(listed)


def _checks(document: Node, named: Node | None) -> Node | None:
    """What the validator of a name checks."""
    if named is None or isinstance(named, Unknown):
        return named
    found = get(document, f"{_VALIDATOR}s", text(named) or "")
    if not isinstance(found, Table):
        return found or Unknown("the document has no request validator of this name", named.place)
    names = {"ValidateRequestBody": "validateRequestBody", "ValidateRequestParameters": "validateRequestParameters"}
    return node_of({name: found.entries.get(key) for name, key in names.items()}, found.place)


def _models(document: Node, body: Node | None, taken: Sequence[Node | None], place: Place) -> Node | None:
    """The schemas of what a request's body may be, by type of content (Swagger 2 has one for all)."""
    content = get(body, "content")
    if isinstance(content, Unknown):
        return content
    found = {kind: _referred(document, get(one, "schema")) for kind, one in entries(content).items()}
    for one in taken:
        where = get(one, "in")
        if isinstance(where, Unknown):
            found["?"] = where
        elif text(where) == "body":
            found["application/json"] = _referred(document, get(one, "schema"))
    return node_of(found, place) if found else None


def _parameters(taken: Sequence[Node | None], place: Place) -> Node | None:
    """Whether headers and query parameters are required: a path without its parameters would be another one."""
    found: dict[str, Node] = {}
    for one in taken:
        where, required = get(one, "in"), get(one, "required") or Scalar(value=False, place=place)
        part = _PARTS.get(text(where) or "")
        if isinstance(where, Unknown):
            found["?"] = where
        elif part is not None:
            found[f"method.request.{part}.{text(get(one, 'name'))}"] = required
    return node_of(found, place) if found else None


def _referred(document: Node, node: Node | None) -> Node | None:
    """What a `$ref` of the same document leads to; a node without one is itself."""
    reference = get(node, "$ref") if isinstance(node, Table) else None
    if reference is None:
        return node
    start, *steps = (text(reference) or "").split("/")
    found = get(document, *steps) if start == "#" else None
    return found or Unknown("what it refers to is not in this document", reference.place)


def _security(document: Node, security: Node | None) -> tuple[Node | None, str | None, bool]:
    """What a security requirement asks for: the AuthorizationType, the scheme's name, and whether an API key."""
    if isinstance(security, Unknown):
        return security, None, False
    auth: Node | None = None
    authorizer, key = None, False
    for one in items(security):
        for name in one.entries if isinstance(one, Table) else ():
            found = _scheme(document, name, one.place)
            if found is None:
                key = True
            elif auth is None:
                auth, authorizer = found, name
    return auth, authorizer, key


def _scheme(document: Node, name: str, place: Place) -> Node | None:
    """The AuthorizationType of a security scheme; None for an API key."""
    scheme = get(document, "securityDefinitions", name) or get(document, "components", "securitySchemes", name)
    if scheme is None or isinstance(scheme, Unknown):
        return scheme or Unknown("the security scheme is not described", place)
    kind, extension = text(get(scheme, "x-amazon-apigateway-authtype")), get(scheme, "x-amazon-apigateway-authorizer")
    if kind in _KINDS and kind != "custom":
        return Scalar(_KINDS[kind], scheme.place)
    stated = text(get(extension, "type"))
    if stated in _TYPES:
        return Scalar(_TYPES[stated], scheme.place)
    if kind == "custom":
        return Scalar("CUSTOM", scheme.place)
    if extension is None and text(get(scheme, "type")) == "apiKey":
        return None
    return Unknown("the security scheme is not understood", scheme.place)
