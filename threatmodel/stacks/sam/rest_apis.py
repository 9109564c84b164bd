"""Around AWS::Serverless::Api: the implicit API, stage, routes, authorizers, resource policy and domain."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from threatmodel.reading.problems import Place
from threatmodel.stacks.apis import REST, Access, Route
from threatmodel.stacks.openapi import Operation
from threatmodel.stacks.sam.apis import Api, shown, verb
from threatmodel.stacks.sam.making import Opened, flag, hashed
from threatmodel.stacks.stack import Resource
from threatmodel.stacks.values import Link, Node, Scalar, Table, Unknown, counts, get, items, node_of, text

_STAGE_KEYS = (
    *("StageName", "MethodSettings", "AccessLogSetting", "CanarySetting", "TracingEnabled"),
    *("CacheClusterEnabled", "CacheClusterSize", "Variables"),
)


class RestApi(Api):
    """One REST API, and all that is made of it."""

    gateway, usual_authorizer, always_permits = REST, "TOKEN", True

    def add(self) -> None:
        """Adds what SAM generates for an AWS::Serverless::Api."""
        self.stage()
        self.authorizers()
        body = self.get("DefinitionBody")
        found = {(route.method, route.path): route for route in self.described()}
        if (body is None and self.get("DefinitionUri") is None) or flag(self.get("MergeDefinitions")):
            for opened in self.routes:
                self.event(opened)
        elif body is None:
            for opened in self.routes:
                self.declared(opened)
        for operation in found.values():
            self.method(operation)
        self.described_authorizers()
        self.policy(body)
        if isinstance(self.get("Domain"), Table):
            self.domain()

    # --- stage and domain

    def stage(self) -> None:
        """Adds the stage and its deployment."""
        stage = self.stage_id(self.get("StageName"))
        deployment, place = f"{self.name}Deployment", self.api.place
        api = Link(self.name, "", place)
        made: dict[str, Any] = {"RestApiId": api, "StageName": self.second_stage()}
        self.making.add(self.api, deployment, "AWS::ApiGateway::Deployment", made, place)
        own = {name: self.get(name) for name in _STAGE_KEYS}
        properties = {"RestApiId": api, "DeploymentId": Link(deployment, "", place), **own}
        self.making.add(self.api, stage, "AWS::ApiGateway::Stage", properties, place)
        self.making.meant[f"{self.name}.Stage"] = stage
        self.making.meant[f"{self.name}.Deployment"] = deployment

    def second_stage(self) -> Node | None:
        """The name of the stage that SAM makes beside the API's own where no version of OpenAPI is said."""
        version = self.get("OpenApiVersion")
        if isinstance(version, Unknown):
            return version
        return Scalar("Stage", self.api.place) if version is None else None

    def domain(self) -> None:
        """Adds the custom domain and its mappings."""
        domain, place = self.get("Domain"), self.api.place
        kind = self.get("Domain", "EndpointConfiguration") or Scalar("REGIONAL", place)
        private = text(kind) == "PRIVATE"
        suffix = "V2" if private else ""
        name = f"ApiGatewayDomainName{suffix}{hashed(self.get('Domain', 'DomainName'))}"
        place = domain.place if domain is not None else place
        properties = {
            "DomainName": self.get("Domain", "DomainName"),
            "EndpointConfiguration": {"Types": [kind]},
            "SecurityPolicy": self.get("Domain", "SecurityPolicy"),
            "MutualTlsAuthentication": self.get("Domain", "MutualTlsAuthentication"),
            "Policy": self.get("Domain", "Policy"),
        }
        self.making.add(self.api, name, f"AWS::ApiGateway::DomainName{suffix}", properties, place)
        self.making.meant[f"{self.name}.DomainName"] = name
        given: dict[str, Any] = {
            "RestApiId": Link(self.name, "", place),
            "Stage": Link(f"{self.name}.Stage", "", place),
        }
        given["DomainNameArn" if private else "DomainName"] = Link(name, "Arn" if private else "", place)
        for base in items(self.get("Domain", "BasePath")) or (None,):
            stated = "".join(one for one in text(base) or "" if one.isalnum())
            mapping = f"{self.name}{stated}BasePathMapping"
            kind_of = f"AWS::ApiGateway::BasePathMapping{suffix}"
            self.making.add(self.api, mapping, kind_of, {**given, "BasePath": base}, place)

    # --- routes

    def event(self, route: Opened) -> None:
        """Adds the method that an event opens."""
        event, place = route.event, route.event.place
        access = self.access(event.get("Auth", "Authorizer"), place)
        key = event.get("Auth", "ApiKeyRequired") or self.get("Auth", "ApiKeyRequired")
        model = event.get("RequestModel")
        checks = {"ValidateRequestBody": get(model, "ValidateBody")}
        checks["ValidateRequestParameters"] = get(model, "ValidateParameters")
        validator = None
        if any(node is not None for node in checks.values()):
            validator = self.link(f"{route.method} {shown(route.path)} validator", place)
            given = {"RestApiId": Link(self.name, "", place), **checks}
            self.making.add(route.maker, validator.resource, "AWS::ApiGateway::RequestValidator", given, place)
        method = Route(
            key=verb(route),
            access=access._replace(scopes=event.get("Auth", "AuthorizationScopes"), key=key),
            target=REST.properties(route.integration),
            validator=validator,
            models=None if model is None else {"application/json": get(model, "Model")},
            parameters=event.get("RequestParameters"),
        )
        self.put(route.maker, (route.method, route.path), method, place)

    def declared(self, route: Opened) -> None:
        """Adds the method of an event whose API is defined in another file: it says where, that file says the rest."""
        hidden = Unknown("the API's definition is in another file", route.event.place)
        access = Access(hidden, hidden, key=hidden)
        method = Route(verb(route), access, REST.properties(route.integration), validator=hidden)
        self.put(route.maker, (route.method, route.path), method, route.event.place)

    def method(self, operation: Operation) -> None:
        """Adds the method that the API's definition describes."""
        place, stated = operation.place, operation.integration
        integration = self.integration(operation)
        if text(get(integration, "Type")) == "MOCK":
            return
        hidden = stated if isinstance(stated, Unknown) else None
        key = Scalar(value=True, place=place) if operation.key else self.get("Auth", "ApiKeyRequired")
        method = Route(
            key=hidden if hidden is not None and operation.method == "*" else operation.method,
            access=self.described_access(operation)._replace(key=key),
            target=integration,
            at=hidden if operation.path == "*" else None,
            validator=operation.validator,
            models=operation.models,
            parameters=operation.parameters,
        )
        self.put(self.api, (operation.method, Scalar(operation.path, place)), method, place)

    def put(self, maker: Resource, called: tuple[str, Node], route: Route, place: Place) -> None:
        """Adds a method, under the name of its method and path, and the path that it is under."""
        (method, path), api = called, Link(self.name, "", place)
        stated, at = shown(path), Link(self.name, "RootResourceId", place)
        if (stated != "/" or bool(getattr(path, "given", ()))) and route.at is None:
            below = {"RestApiId": api, "ParentId": at, "PathPart": _part(path)}
            at = self.link(stated, place)
            self.making.add(maker, at.resource, "AWS::ApiGateway::Resource", below, place)
        kind, properties = REST.resource(route._replace(at=route.at or at), api)
        self.making.add(maker, f"{self.name} {method} {stated}", kind, properties, place)

    def policy(self, body: Node | None) -> None:
        """Sets the API's resource policy, out of Auth.ResourcePolicy and of the definition."""
        config, own = self.get("Auth", "ResourcePolicy"), get(body, "x-amazon-apigateway-policy")
        if isinstance(config, Table):
            statements = list(_statements(config))
            statements += items(get(own, "Statement")) if isinstance(own, Table) else []
            policy = node_of({"Version": "2012-10-17", "Statement": statements}, config.place)
            self.making.amend(self.name, {"Policy": policy})
        elif config is not None or own is not None:
            self.making.amend(self.name, {"Policy": config or own or node_of({}, self.api.place)})


def _part(path: Node) -> Node:
    stated = text(path)
    return path._replace(value=stated.lstrip("/")) if isinstance(path, Scalar) and stated is not None else path


_CONDITIONS = (
    # property, operator of the statement that denies, key of the condition
    ("IpRangeWhitelist", "NotIpAddress", "aws:SourceIp"),
    ("IpRangeBlacklist", "IpAddress", "aws:SourceIp"),
    ("SourceVpcWhitelist", "StringNotEquals", "aws:SourceVpc"),
    ("SourceVpcBlacklist", "StringEquals", "aws:SourceVpc"),
    ("IntrinsicVpcWhitelist", "StringNotEquals", "aws:SourceVpc"),
    ("IntrinsicVpcBlacklist", "StringEquals", "aws:SourceVpc"),
    ("IntrinsicVpceWhitelist", "StringNotEquals", "aws:SourceVpce"),
    ("IntrinsicVpceBlacklist", "StringEquals", "aws:SourceVpce"),
)


def _statements(config: Table) -> Iterator[Any]:
    """The statements of Auth.ResourcePolicy: who is allowed, and for lists of addresses and networks who is denied."""
    base = {"Action": "execute-api:Invoke", "Resource": "execute-api:/*"}
    for name, effect in (("AwsAccountWhitelist", "Allow"), ("AwsAccountBlacklist", "Deny")):
        if counts(config.entries.get(name)):
            yield {"Effect": effect, "Principal": {"AWS": list(items(config.entries[name]))}, **base}
    denials = []
    for name, operator, key in _CONDITIONS:
        listed = items(config.entries.get(name))
        for word, some in _networks(key, listed):
            if some:
                denials.append({"Effect": "Deny", "Principal": "*", **base, "Condition": {operator: {word: some}}})
    if denials:
        yield {"Effect": "Allow", "Principal": "*", **base}
        yield from denials
    yield from items(config.entries.get("CustomStatements"))


def _networks(key: str, listed: tuple[Node, ...]) -> Iterator[tuple[str, list[Node]]]:
    """The items of a list by the condition key that they go with: endpoints may stand among networks."""
    if key != "aws:SourceVpc":
        yield key, list(listed)
        return
    yield "aws:SourceVpce", [one for one in listed if (text(one) or "").startswith("vpce-")]
    yield key, [one for one in listed if not (text(one) or "").startswith("vpce-")]
