"""The routes in an OpenAPI document: where each leads, and who may come.

Works on nodes, for APIs whose definition is in the template (`DefinitionBody`, `Body`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from threatmodel.reading.problems import Place
from threatmodel.stacks.values import Node, Scalar, Table, Unknown, get, items, text

_METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})
_ANY = "x-amazon-apigateway-any-method"
_KINDS = {"awsSigv4": "AWS_IAM", "cognito_user_pools": "COGNITO_USER_POOLS", "custom": "CUSTOM"}
_TYPES = {"jwt": "JWT", "cognito_user_pools": "COGNITO_USER_POOLS", "token": "CUSTOM", "request": "CUSTOM"}


class Operation(NamedTuple):
    """One route: `integration` as it is there (None where it has none), `auth` what callers must show.

    `auth` is an AuthorizationType, or Unknown; `authorizer` the name of its security scheme; both are None
    where the document says nothing of it.  `key` is whether an API key is asked for.  Of what cannot be read method or
    path is ``*``, and all else the reason.
    """

    method: str
    path: str
    integration: Node | None
    auth: Node | None
    authorizer: str | None
    key: bool
    validator: Node | None
    place: Place


def operations(document: Node) -> Iterator[Operation]:
    """Every route of a document that leads somewhere; one of which all is unknown for each part that cannot be read."""
    paths = get(document, "paths")
    for hidden in (document, paths):
        if isinstance(hidden, Unknown):
            yield _unread("*", "*", hidden)
            return
    for path, found in paths.entries.items() if isinstance(paths, Table) else ():
        if isinstance(found, Unknown):
            yield _unread("*", path, found)
        for method, operation in found.entries.items() if isinstance(found, Table) else ():
            if method.lower() in _METHODS or method == _ANY:
                place = found.keys.get(method, operation.place) if isinstance(found, Table) else operation.place
                yield _operation(document, "ANY" if method == _ANY else method.upper(), path, operation, place)


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
        for name, scheme in schemes.entries.items() if isinstance(schemes, Table) else ():
            settings = scheme if isinstance(scheme, Unknown) else get(scheme, "x-amazon-apigateway-authorizer")
            if settings is not None:
                yield Authorizer(name, settings, scheme.place)


def _unread(method: str, path: str, why: Unknown) -> Operation:
    return Operation(method, path, why, why, None, key=False, validator=why, place=why.place)


def _operation(document: Node, method: str, path: str, operation: Node, place: Place) -> Operation:
    if isinstance(operation, Unknown):
        return _unread(method, path, operation)
    security = get(operation, "security")
    security = get(document, "security") if security is None else security
    auth, authorizer, key = _security(document, security)
    own = get(operation, "x-amazon-apigateway-auth", "type")
    return Operation(
        method=method,
        path=path,
        integration=get(operation, "x-amazon-apigateway-integration"),
        auth=own if auth is None else auth,
        authorizer=authorizer,
        key=key,
        validator=get(operation, "x-amazon-apigateway-request-validator")
        or get(document, "x-amazon-apigateway-request-validator"),
        place=place,
    )


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
