"""Around AWS::Serverless::HttpApi: the implicit API, stage, routes, authorizers and domain."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from threatmodel.reading.problems import Place
from threatmodel.stacks.sam.apis import Api, add_implicit
from threatmodel.stacks.sam.events import IMPLICIT_HTTP
from threatmodel.stacks.sam.making import Expansion, Route, counts, flag, hashed, literal
from threatmodel.stacks.sam.openapi import Authorizer, Operation
from threatmodel.stacks.sam.rest_apis import permit_authorizer, shown, verb
from threatmodel.stacks.sam.targets import proxy_uri
from threatmodel.stacks.stack import Resource
from threatmodel.stacks.texts import joined, written
from threatmodel.stacks.values import Link, Node, Scalar, Table, Unknown, get, items, node_of, text

_TYPE = "AWS::Serverless::HttpApi"
_STAGE_KEYS = ("StageName", "StageVariables", "AccessLogSettings", "DefaultRouteSettings", "RouteSettings")


def add_around_http_apis(making: Expansion) -> None:
    """Adds what SAM generates for every AWS::Serverless::HttpApi, and the API that events without one share."""
    implicit = making.routes.get(IMPLICIT_HTTP)
    if implicit and IMPLICIT_HTTP not in making.resources:
        add_implicit(making, IMPLICIT_HTTP, _TYPE, implicit, {})
    for api in making.of_type(_TYPE):
        _HttpApi(making, api).add()


class _HttpApi(Api):
    """One HTTP API, and all that is made of it."""

    def add(self) -> None:
        """Adds everything."""
        self.authorizers()
        for route in self.routes:
            self.event(route)
        for operation in self.described():
            self.operation(operation)
        for one in self.described_authorizers():
            self.described_authorizer(one)
        self.settings()
        self.stage()
        if isinstance(self.get("Domain"), Table):
            add_http_domain(self.making, self.api)

    def stage(self) -> None:
        """Adds the stage."""
        stage, place = self.get("StageName"), self.api.place
        usual = stage is None or literal(stage) == "$default"
        name = f"{self.name}ApiGatewayDefaultStage" if usual else self.stage_id(stage)
        properties = {
            "ApiId": Link(self.name, "", place),
            "AutoDeploy": True,
            **{key: self.get(key) for key in _STAGE_KEYS},
            "StageName": stage or "$default",
        }
        self.making.add(self.api, name, "AWS::ApiGatewayV2::Stage", properties, place)
        self.making.means(f"{self.name}.Stage", name)

    def settings(self) -> None:
        """Sets the RouteSettings that events bring."""
        brought = {
            f"{one.method} {shown(one.path)}" if one.method != "ANY" else shown(one.path): node
            for one in self.routes
            if (node := one.event.get("RouteSettings")) is not None
        }
        own = self.get("RouteSettings")
        if brought and (own is None or isinstance(own, Table)):
            place = own.place if own else self.api.place
            entries: dict[str, Node] = dict(own.entries) if own else {}
            for key, node in brought.items():
                before = entries.get(key)
                both = isinstance(before, Table) and isinstance(node, Table)
                entries[key] = node_of({**before.entries, **node.entries}, place) if both else node  # type: ignore[union-attr]
            self.making.amend(self.name, {"RouteSettings": Table(entries, place, own.keys if own else {})})
            self.api = self.making.resources[self.name]

    # --- routes

    def event(self, route: Route) -> None:
        """Adds the route that an event opens."""
        event = route.event
        auth, authorizer = self.asked(event.get("Auth", "Authorizer"), event.place)
        asked = {
            "AuthorizationType": auth,
            "AuthorizerId": authorizer,
            "AuthorizationScopes": event.get("Auth", "AuthorizationScopes"),
            "RouteKey": _open_key(route),
        }
        self.put(
            route.maker,
            _key(route.method, shown(route.path)),
            asked,
            node_of(route.integration, event.place),
            event.place,
        )

    def operation(self, operation: Operation) -> None:
        """Adds the route that the API's definition describes."""
        stated = operation.integration
        auth, authorizer = self.asked(None, operation.place)
        if operation.auth is not None:
            auth, authorizer = operation.auth, None
            if operation.authorizer and text(auth) not in {"NONE", "AWS_IAM"}:
                authorizer = Link(f"{self.name} {operation.authorizer}", "", operation.place)
        asked = {"AuthorizationType": auth, "AuthorizerId": authorizer}
        if isinstance(stated, Unknown) and operation.method == "*":
            asked["RouteKey"] = stated
        integration = stated or Table({}, operation.place, {})
        if isinstance(stated, Table):
            given = {
                "IntegrationType": get(stated, "type"),
                "IntegrationUri": get(stated, "uri"),
                "IntegrationSubtype": get(stated, "integrationSubtype"),
                "RequestParameters": get(stated, "requestParameters"),
                "CredentialsArn": get(stated, "credentials"),
                "PayloadFormatVersion": get(stated, "payloadFormatVersion"),
            }
            kind = text(given["IntegrationType"])
            given["IntegrationType"] = Scalar(kind.upper(), stated.place) if kind else given["IntegrationType"]
            integration = node_of(given, stated.place)
        self.put(self.api, _key(operation.method, operation.path), asked, integration, operation.place)

    def put(self, maker: Resource, key: str, asked: Mapping[str, Any], integration: Node, place: Place) -> None:
        """Adds a route and what it leads to."""
        name, api = f"{self.name} {key}", Link(self.name, "", place)
        if isinstance(integration, Table):
            leads: dict[str, Node] = {"ApiId": api, **integration.entries}
        else:
            leads = {"ApiId": api, "IntegrationType": integration, "IntegrationUri": integration}
        self.making.add(maker, f"{name} integration", "AWS::ApiGatewayV2::Integration", leads, place)
        target = joined(["integrations/", Link(f"{name} integration", "", place)], place)
        route = {"ApiId": api, **asked, "RouteKey": asked.get("RouteKey") or key, "Target": target}
        self.making.add(maker, name, "AWS::ApiGatewayV2::Route", route, place)

    # --- who may come

    def asked(self, own: Node | None, place: Place) -> tuple[Node, Node | None]:
        """The AuthorizationType and the authorizer of a route, by what its event and the API say."""
        chosen = self.get("Auth", "DefaultAuthorizer") if own is None else own
        if chosen is None:
            return Scalar("NONE", self.api.place if own is None else place), None
        name = text(chosen)
        config = self.get("Auth", "Authorizers", name or "")
        if name == "NONE" or (name == "AWS_IAM" and not isinstance(config, Table)):
            return chosen, None
        if name is None or isinstance(config, Unknown):
            return config or Unknown("which authorizer it is cannot be determined", chosen.place), None
        if config is None:
            return Unknown("the authorizer is not described", chosen.place), None
        kind = Scalar("JWT" if counts(get(config, "JwtConfiguration")) else "CUSTOM", chosen.place)
        return kind, Link(f"{self.name} {name}", "", chosen.place)

    def authorizers(self) -> None:
        """Adds the authorizers, and the permissions with which API Gateway calls those that are functions."""
        found = self.get("Auth", "Authorizers")
        for name, config in found.entries.items() if isinstance(found, Table) else ():
            if isinstance(config, Table):
                self.authorizer(name, config, found.keys.get(name, config.place) if isinstance(found, Table) else None)

    def authorizer(self, name: str, config: Table, place: Place | None) -> None:
        """Adds one authorizer."""
        place, tokens, function = place or config.place, get(config, "JwtConfiguration"), get(config, "FunctionArn")
        role = get(config, "FunctionInvokeRole")
        if isinstance(tokens, Table):
            names = {"issuer": "Issuer", "audience": "Audience"}
            tokens = node_of({names.get(key.lower(), key): node for key, node in tokens.entries.items()}, tokens.place)
        properties = {
            "ApiId": Link(self.name, "", place),
            "Name": name,
            "AuthorizerType": "REQUEST" if tokens is None else "JWT",
            "JwtConfiguration": tokens,
            "IdentitySource": get(config, "IdentitySource"),
            "AuthorizerUri": None if function is None else proxy_uri(function, place),
            "AuthorizerCredentialsArn": None if text(role) == "NONE" else role,
            "EnableSimpleResponses": get(config, "EnableSimpleResponses"),
        }
        self.making.add(self.api, f"{self.name} {name}", "AWS::ApiGatewayV2::Authorizer", properties, place)
        if function is not None and flag(get(config, "EnableFunctionDefaultPermissions")):
            permit_authorizer(self.making, self.api, name, function, place)

    def described_authorizer(self, one: Authorizer) -> None:
        """Adds an authorizer that the API's definition describes; who may call its function is elsewhere."""
        tokens = one.get("jwtConfiguration")
        found = {"Issuer": get(tokens, "issuer"), "Audience": get(tokens, "audience")}
        properties = {
            "ApiId": Link(self.name, "", one.place),
            "Name": one.name,
            "AuthorizerType": one.settings if isinstance(one.settings, Unknown) else "JWT" if tokens else "REQUEST",
            "JwtConfiguration": found if tokens else None,
            "IdentitySource": one.get("identitySource"),
            "AuthorizerUri": one.get("authorizerUri"),
            "AuthorizerCredentialsArn": one.get("authorizerCredentials"),
        }
        self.making.add(self.api, f"{self.name} {one.name}", "AWS::ApiGatewayV2::Authorizer", properties, one.place)


def _open_key(route: Route) -> Node | None:
    """The key of a route of which a parameter gives a part, or a part is unknown; None where all is there."""
    method = verb(route)
    stated = all(text(one) is not None and not getattr(one, "given", ()) for one in (method, route.path))
    return None if stated else written("${Method} ${Path}", {"Method": method, "Path": route.path}, route.event.place)


def _key(method: str, path: str) -> str:
    return "$default" if path in {"$default", "/$default"} else f"{method} {path}"


def add_http_domain(making: Expansion, api: Resource) -> None:
    """Adds the custom domain of an HTTP or WebSocket API, and its mappings."""
    domain = get(api.properties, "Domain")
    place = domain.place if domain is not None else api.place
    name = f"ApiGatewayDomainNameV2{hashed(get(domain, 'DomainName'))}"
    configuration = {
        "CertificateArn": get(domain, "CertificateArn"),
        "EndpointType": get(domain, "EndpointConfiguration") or "REGIONAL",
        "SecurityPolicy": get(domain, "SecurityPolicy"),
    }
    properties = {
        "DomainName": get(domain, "DomainName"),
        "DomainNameConfigurations": [configuration],
        "MutualTlsAuthentication": get(domain, "MutualTlsAuthentication"),
    }
    making.add(api, name, "AWS::ApiGatewayV2::DomainName", properties, place)
    making.means(f"{api.name}.DomainName", name)
    given = {
        "DomainName": Link(name, "", place),
        "ApiId": Link(api.name, "", place),
        "Stage": Link(f"{api.name}.Stage", "", place),
    }
    for base in items(get(domain, "BasePath")) or (None,):
        stated = re.sub(r"[-_/]+", "", text(base) or "")
        mapping = {**given, "ApiMappingKey": base}
        making.add(api, f"{api.name}{stated}ApiMapping", "AWS::ApiGatewayV2::ApiMapping", mapping, place)
