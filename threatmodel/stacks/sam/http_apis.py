"""Around AWS::Serverless::HttpApi: the implicit API, stage, routes, authorizers and domain."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from threatmodel.reading.problems import Place
from threatmodel.stacks.apis import HTTP, Integration, Route
from threatmodel.stacks.openapi import Operation
from threatmodel.stacks.sam.apis import Api, shown, verb
from threatmodel.stacks.sam.making import Expansion, Opened, hashed, literal
from threatmodel.stacks.stack import Resource
from threatmodel.stacks.texts import joined, written
from threatmodel.stacks.values import Link, Node, Scalar, Table, Unknown, get, items, node_of, text


class HttpApi(Api):
    """One HTTP API, and all that is made of it."""

    gateway, usual_authorizer, always_permits = HTTP, "REQUEST", False

    def add(self) -> None:
        """Adds what SAM generates for an AWS::Serverless::HttpApi."""
        self.authorizers()
        for route in self.routes:
            self.event(route)
        for operation in self.described():
            self.operation(operation)
        self.described_authorizers()
        self.settings()
        self.stage()
        if isinstance(self.get("Domain"), Table):
            add_http_domain(self.making, self.api)

    def stage(self) -> None:
        """Adds the stage."""
        stage = self.get("StageName")
        usual = stage is None or literal(stage) == "$default"
        name = f"{self.name}ApiGatewayDefaultStage" if usual else self.stage_id(stage)
        add_http_stage(self.making, self.api, name, stage or Scalar("$default", self.api.place))

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

    def event(self, route: Opened) -> None:
        """Adds the route that an event opens."""
        event = route.event
        access = self.access(event.get("Auth", "Authorizer"), event.place)
        access = access._replace(scopes=event.get("Auth", "AuthorizationScopes"))
        name = _key(route.method, shown(route.path))
        self.put(
            route.maker,
            name,
            Route(_open_key(route) or name, access, None),
            HTTP.properties(route.integration),
            event.place,
        )

    def operation(self, operation: Operation) -> None:
        """Adds the route that the API's definition describes."""
        name, stated = _key(operation.method, operation.path), operation.integration
        key = stated if isinstance(stated, Unknown) and operation.method == "*" else name
        leads = self.integration(operation)
        properties = leads.entries if isinstance(leads, Table) else HTTP.properties(Integration(leads, leads))
        self.put(self.api, name, Route(key, self.described_access(operation), None), properties, operation.place)

    def put(self, maker: Resource, key: str, route: Route, leads: Mapping[str, Any], place: Place) -> None:
        """Adds a route and what it leads to."""
        name, api = f"{self.name} {key}", Link(self.name, "", place)
        leads_to = Link(f"{name} integration", "", place)
        self.making.add(maker, leads_to.resource, "AWS::ApiGatewayV2::Integration", {"ApiId": api, **leads}, place)
        target = joined(["integrations/", leads_to], place)
        self.making.add(maker, name, *HTTP.resource(route._replace(target=target), api), place)


def _open_key(route: Opened) -> Node | None:
    """The key of a route of which a parameter gives a part, or a part is unknown; None where all is there."""
    method = verb(route)
    stated = all(text(one) is not None and not getattr(one, "given", ()) for one in (method, route.path))
    return None if stated else written("${Method} ${Path}", {"Method": method, "Path": route.path}, route.event.place)


def _key(method: str, path: str) -> str:
    return "$default" if path in {"$default", "/$default"} else f"{method} {path}"


def add_http_stage(making: Expansion, api: Resource, name: str, stage: Node) -> None:
    """Adds the stage of an HTTP or WebSocket API."""
    keys = ("StageVariables", "AccessLogSettings", "DefaultRouteSettings", "RouteSettings")
    given = {"ApiId": Link(api.name, "", api.place), "StageName": stage, "AutoDeploy": True}
    properties = {**given, **{key: get(api.properties, key) for key in keys}}
    making.add(api, name, "AWS::ApiGatewayV2::Stage", properties, api.place)
    making.meant[f"{api.name}.Stage"] = name


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
    making.meant[f"{api.name}.DomainName"] = name
    given = {
        "DomainName": Link(name, "", place),
        "ApiId": Link(api.name, "", place),
        "Stage": Link(f"{api.name}.Stage", "", place),
    }
    for base in items(get(domain, "BasePath")) or (None,):
        stated = re.sub(r"[-_/]+", "", text(base) or "")
        mapping = {**given, "ApiMappingKey": base}
        making.add(api, f"{api.name}{stated}ApiMapping", "AWS::ApiGatewayV2::ApiMapping", mapping, place)
