"""What SAM's REST and HTTP APIs have in common: their properties, routes, authorizers and definition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from threatmodel.reading.problems import Place
from threatmodel.stacks import openapi
from threatmodel.stacks.apis import HTTP, Access, Authorizer, Gateway, Integration, Part
from threatmodel.stacks.sam.making import Expansion, Opened, flag, hashed, literal
from threatmodel.stacks.sam.targets import TargetFunction, permit, proxy_uri
from threatmodel.stacks.stack import Resource
from threatmodel.stacks.texts import written
from threatmodel.stacks.values import Link, Node, Scalar, Table, Unknown, counts, entries, get, items, node_of, text

_AUTHORIZERS = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/authorizers/*"


def add_implicit(making: Expansion, kind: str, name: str, properties: Mapping[str, Any]) -> None:
    """Adds the API that events share which name none, where there are any, with what Globals says of its kind."""
    routes = making.routes.get(name)
    if routes and name not in making.resources:
        sure = next((one for one in routes if one.maker.doubt is None), routes[0])
        making.add(sure.maker, name, kind, properties, routes[0].event.place)
        making.take_globals(name)


def put(making: Expansion, api: Resource, gateway: Gateway, name: str, part: Part, place: Place) -> None:  # noqa: PLR0913, PLR0917 - a part, of which API, and what it is called
    """Adds the resource that a part of an API is."""
    kind, properties = gateway.resource(part, Link(api.name, "", place))
    making.add(api, name, kind, properties, place)


def permit_calls(making: Expansion, api: Resource, function: Node, permission: str, source: Node) -> None:
    """Adds the permission with which an API calls a function."""
    given = {"Principal": "apigateway.amazonaws.com", "SourceArn": source}
    permit(making, TargetFunction(api, function, function), permission, source.place, given)


def permit_authorizer(making: Expansion, api: Resource, name: str, function: Node, place: Place) -> None:
    """Adds the permission with which API Gateway calls an authorizer function."""
    source = written(_AUTHORIZERS, {"Api": Link(api.name, "", place)}, place)
    permit_calls(making, api, function, f"{api.name}{name}AuthorizerPermission", source)


class Api:
    """One API, while all that SAM makes of it is being made."""

    gateway: ClassVar[Gateway]
    usual_authorizer: ClassVar[str]
    always_permits: ClassVar[bool]
    """Whether it may call authorizer functions unless that is switched off; else only where it is switched on."""

    def __init__(self, making: Expansion, api: Resource) -> None:
        self.making = making
        self.api = api
        self.name = api.name
        self.routes = making.routes.get(api.name, [])

    def get(self, *names: str) -> Node | None:
        """A property of the API."""
        return get(self.api.properties, *names)

    def link(self, name: str, place: Place) -> Link:
        """What refers to an authorizer or another part of the API."""
        return Link(f"{self.name} {name}", "", place)

    def stage_id(self, stage: Node | None) -> str:
        """The logical id of the stage of some name."""
        name = literal(stage)
        return f"{self.name}{name}Stage" if name.isalnum() or not name else f"{self.name}Stage{hashed(stage)}"

    # --- the definition

    def described(self) -> Iterator[openapi.Operation]:
        """The routes of the API's own definition."""
        body, elsewhere = self.get("DefinitionBody"), self.get("DefinitionUri")
        if body is not None:
            yield from openapi.operations(body)
        elif elsewhere is not None:
            yield from openapi.operations(Unknown("the API's definition is in another file", elsewhere.place))

    def integration(self, operation: openapi.Operation) -> Node:
        """What a route of the definition leads to, as a property."""
        stated = operation.integration
        if not isinstance(stated, Table):
            return stated or Table({}, operation.place)
        found = Integration(
            kind=_upper(get(stated, "type")),
            uri=get(stated, "uri"),
            method=get(stated, "httpMethod"),
            credentials=get(stated, "credentials"),
            parameters=get(stated, "requestParameters"),
            templates=get(stated, "requestTemplates"),
            payload=get(stated, "payloadFormatVersion"),
            subtype=get(stated, "integrationSubtype"),
            mode=get(stated, "responseTransferMode"),
        )
        return node_of(self.gateway.properties(found), stated.place)

    def described_access(self, operation: openapi.Operation) -> Access:
        """What the definition asks of the callers of a route, else what the API asks of all."""
        if operation.auth is None:
            return self.access(None, operation.place)
        named = operation.authorizer if text(operation.auth) not in {"NONE", "AWS_IAM"} else None
        return Access(operation.auth, self.link(named, operation.place) if named else None)

    # --- who may come

    def access(self, own: Node | None, place: Place) -> Access:
        """What a route asks of its callers, by what its event and the API say."""
        chosen = self.get("Auth", "DefaultAuthorizer") if own is None else own
        if chosen is None:
            return Access(Scalar("NONE", self.api.place if own is None else place))
        name = text(chosen)
        config = self.get("Auth", "Authorizers", name or "")
        if self.is_built_in(name, config):
            return Access(chosen)
        if name is None or isinstance(config, Unknown):
            return Access(config or Unknown("which authorizer it is cannot be determined", chosen.place))
        if config is None:
            return Access(Unknown("the authorizer is not described", chosen.place))
        pools, tokens = get(config, "UserPoolArn") is not None, counts(get(config, "JwtConfiguration"))
        kind = "COGNITO_USER_POOLS" if pools else "JWT" if tokens else "CUSTOM"
        return Access(Scalar(kind, chosen.place), self.link(name, chosen.place))

    def is_built_in(self, name: str | None, config: Node | None) -> bool:
        """Whether an authorizer is none that the API describes; an HTTP API may have one called AWS_IAM."""
        return name == "NONE" or (name == "AWS_IAM" and not (self.gateway is HTTP and isinstance(config, Table)))

    def authorizers(self) -> None:
        """Adds the authorizers that the API's own properties describe."""
        found = self.get("Auth", "Authorizers")
        for name, config in entries(found).items():
            if isinstance(config, Table):
                self.authorizer(name, config, found.keys.get(name, config.place) if isinstance(found, Table) else None)

    def authorizer(self, name: str, config: Table, at: Place | None) -> None:
        """Adds one authorizer, and the permission to call it where it is a function."""
        place, role = at or config.place, get(config, "FunctionInvokeRole")
        pools, tokens, function = (get(config, key) for key in ("UserPoolArn", "JwtConfiguration", "FunctionArn"))
        kind = "COGNITO_USER_POOLS" if pools else "JWT" if tokens else get(config, "FunctionPayloadType")
        if isinstance(tokens, Table):
            names = {"issuer": "Issuer", "audience": "Audience"}
            tokens = node_of({names.get(key.lower(), key): node for key, node in tokens.entries.items()}, tokens.place)
        decides = Authorizer(
            name=name,
            kind=kind or self.usual_authorizer,
            uri=None if function is None else proxy_uri(function, place),
            credentials=None if text(role) == "NONE" else role,
            pools=list(items(pools)) or None,
            tokens=tokens,
            source=get(config, "IdentitySource"),
            validation=get(config, "Identity", "ValidationExpression"),
            seconds=get(config, "Identity", "ReauthorizeEvery"),
            simple=get(config, "EnableSimpleResponses"),
        )
        put(self.making, self.api, self.gateway, f"{self.name} {name}", decides, place)
        switch = f"{'Disable' if self.always_permits else 'Enable'}FunctionDefaultPermissions"
        if function is not None and pools is None and bool(flag(get(config, switch))) is not self.always_permits:
            permit_authorizer(self.making, self.api, name, function, place)

    def described_authorizers(self) -> None:
        """Adds the authorizers that the API's definition describes; who may call their functions is elsewhere."""
        body = self.get("DefinitionBody")
        for one in openapi.authorizers(body) if body is not None else ():
            tokens = one.get("jwtConfiguration")
            decides = Authorizer(
                name=one.name,
                kind=_upper(one.get("type")) or self.usual_authorizer,
                uri=one.get("authorizerUri"),
                credentials=one.get("authorizerCredentials"),
                pools=one.get("providerARNs"),
                tokens={"Issuer": get(tokens, "issuer"), "Audience": get(tokens, "audience")} if tokens else None,
                source=one.get("identitySource"),
                validation=one.get("identityValidationExpression"),
                seconds=one.get("authorizerResultTtlInSeconds"),
            )
            put(self.making, self.api, self.gateway, f"{self.name} {one.name}", decides, one.place)


def verb(route: Opened) -> Node:
    """The method of a route; what a parameter gives, or what is unknown, stays so."""
    node = route.event.get("Method")
    if isinstance(node, Scalar):
        return node._replace(value=route.method)
    return node or Scalar(route.method, route.event.place)


def shown(path: Node) -> str:
    """A path in the name of a route."""
    return text(path) or "*"


def _upper(node: Node | None) -> Node | None:
    stated = text(node)
    return node if stated is None or node is None else Scalar(stated.upper(), node.place)
