"""Around AWS::Serverless::Api: the implicit API, stage, routes, authorizers, resource policy and domain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from threatmodel.reading.problems import Place
from threatmodel.stacks.sam.apis import Api, add_implicit
from threatmodel.stacks.sam.events import IMPLICIT_REST
from threatmodel.stacks.sam.making import Expansion, Route, counts, flag, hashed
from threatmodel.stacks.sam.openapi import Authorizer, Operation
from threatmodel.stacks.sam.targets import TargetFunction, permit, proxy_uri
from threatmodel.stacks.stack import Resource
from threatmodel.stacks.texts import written
from threatmodel.stacks.values import Link, Node, Scalar, Table, Unknown, get, items, node_of, text

_TYPE = "AWS::Serverless::Api"
_STAGE_KEYS = (
    *("StageName", "MethodSettings", "AccessLogSetting", "CanarySetting", "TracingEnabled"),
    *("CacheClusterEnabled", "CacheClusterSize", "Variables"),
)


def add_around_rest_apis(making: Expansion) -> None:
    """Adds what SAM generates for every AWS::Serverless::Api, and the API that events without one share."""
    implicit = making.routes.get(IMPLICIT_REST)
    if implicit and IMPLICIT_REST not in making.resources:
        add_implicit(making, IMPLICIT_REST, _TYPE, implicit, {"StageName": "Prod"})
    for api in making.of_type(_TYPE):
        _RestApi(making, api).add()


class _RestApi(Api):
    """One REST API, and all that is made of it."""

    def add(self) -> None:
        """Adds everything."""
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
        for one in self.described_authorizers():
            self.described_authorizer(one)
        self.policy(body)
        if isinstance(self.get("Domain"), Table):
            self.domain()

    # --- stage and domain

    def stage(self) -> None:
        """Adds the deployment and the stage."""
        stage = self.stage_id(self.get("StageName"))
        deployment, place = f"{self.name}Deployment", self.api.place
        api = Link(self.name, "", place)
        made: dict[str, Any] = {"RestApiId": api, "StageName": self.second_stage()}
        self.making.add(self.api, deployment, "AWS::ApiGateway::Deployment", made, place)
        properties = {
            "RestApiId": api,
            "DeploymentId": Link(deployment, "", place),
            **{key: self.get(key) for key in _STAGE_KEYS},
        }
        self.making.add(self.api, stage, "AWS::ApiGateway::Stage", properties, place)
        self.making.means(f"{self.name}.Stage", stage)
        self.making.means(f"{self.name}.Deployment", deployment)

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
        self.making.means(f"{self.name}.DomainName", name)
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

    def event(self, route: Route) -> None:
        """Adds the method that an event opens."""
        event, place = route.event, route.event.place
        integration = {**route.integration}
        auth, authorizer = self.asked(event.get("Auth", "Authorizer"), place)
        key = event.get("Auth", "ApiKeyRequired") or self.get("Auth", "ApiKeyRequired")
        model = event.get("RequestModel")
        checks = {"ValidateRequestBody": get(model, "ValidateBody")}
        checks["ValidateRequestParameters"] = get(model, "ValidateParameters")
        validator = None
        if any(node is not None for node in checks.values()):
            validator = Link(f"{self.name} {route.method} {shown(route.path)} validator", "", place)
            given = {"RestApiId": Link(self.name, "", place), **checks}
            self.making.add(route.maker, validator.resource, "AWS::ApiGateway::RequestValidator", given, place)
        properties = {
            "AuthorizationType": auth,
            "AuthorizerId": authorizer,
            "AuthorizationScopes": event.get("Auth", "AuthorizationScopes"),
            "ApiKeyRequired": key,
            "RequestValidatorId": validator,
            "RequestModels": None if model is None else {"application/json": get(model, "Model")},
            "RequestParameters": event.get("RequestParameters"),
            "Integration": integration,
            "HttpMethod": verb(route),
        }
        self.put(route.maker, route.method, route.path, properties, place)

    def declared(self, route: Route) -> None:
        """Adds the method of an event whose API is defined in another file: it says where, that file says the rest."""
        place = route.event.place
        hidden = Unknown("the API's definition is in another file", place)
        names = ("AuthorizationType", "AuthorizerId", "ApiKeyRequired", "RequestValidatorId")
        properties = {**dict.fromkeys(names, hidden), "Integration": route.integration, "HttpMethod": verb(route)}
        self.put(route.maker, route.method, route.path, properties, place)

    def method(self, operation: Operation) -> None:
        """Adds the method that the API's definition describes."""
        place, stated = operation.place, operation.integration
        default_auth, default_authorizer = self.asked(None, place)
        authorizer: Node | None = (
            Link(f"{self.name} {operation.authorizer}", "", place) if operation.authorizer else None
        )
        if operation.auth is None:
            authorizer = default_authorizer
        elif text(operation.auth) in {"NONE", "AWS_IAM"}:
            authorizer = None
        key = Scalar(value=True, place=place) if operation.key else self.get("Auth", "ApiKeyRequired")
        if isinstance(stated, Table):
            integration: Node = node_of(
                {
                    "Type": _upper(get(stated, "type")),
                    "IntegrationHttpMethod": get(stated, "httpMethod"),
                    "Uri": get(stated, "uri"),
                    "Credentials": get(stated, "credentials"),
                    "RequestParameters": get(stated, "requestParameters"),
                    "RequestTemplates": get(stated, "requestTemplates"),
                },
                stated.place,
            )
        else:
            integration = stated or Table({}, place, {})
        if text(get(integration, "Type")) == "MOCK":
            return
        properties = {
            "AuthorizationType": default_auth if operation.auth is None else operation.auth,
            "AuthorizerId": authorizer,
            "ApiKeyRequired": key,
            "RequestValidatorId": operation.validator,
            "Integration": integration,
        }
        if isinstance(stated, Unknown):
            properties |= {"HttpMethod": stated} if operation.method == "*" else {}
            properties |= {"ResourceId": stated} if operation.path == "*" else {}
        self.put(self.api, operation.method, Scalar(operation.path, place), properties, place)

    def put(self, maker: Resource, method: str, path: Node, properties: Mapping[str, Any], place: Place) -> None:
        """Adds a method and the path that it is under."""
        stated, api = shown(path), Link(self.name, "", place)
        resource = Link(self.name, "RootResourceId", place)
        if (stated != "/" or bool(getattr(path, "given", ()))) and "ResourceId" not in properties:
            below = {"RestApiId": api, "ParentId": resource, "PathPart": _part(path)}
            resource = Link(f"{self.name} {stated}", "", place)
            self.making.add(maker, resource.resource, "AWS::ApiGateway::Resource", below, place)
        given = {"RestApiId": api, "ResourceId": resource, "HttpMethod": method, **properties}
        self.making.add(maker, f"{self.name} {method} {stated}", "AWS::ApiGateway::Method", given, place)

    # --- who may come

    def asked(self, own: Node | None, place: Place) -> tuple[Node, Node | None]:
        """The AuthorizationType and the authorizer of a route, by what its event and the API say."""
        chosen = self.get("Auth", "DefaultAuthorizer") if own is None else own
        if chosen is None:
            return Scalar("NONE", self.api.place if own is None else place), None
        name = text(chosen)
        if name in {"NONE", "AWS_IAM"}:
            return chosen, None
        config = self.get("Auth", "Authorizers", name or "")
        if name is None or isinstance(config, Unknown):
            return config or Unknown("which authorizer it is cannot be determined", chosen.place), None
        if config is None:
            return Unknown("the authorizer is not described", chosen.place), None
        pool = get(config, "UserPoolArn") is not None
        kind = Scalar("COGNITO_USER_POOLS" if pool else "CUSTOM", chosen.place)
        return kind, Link(f"{self.name} {name}", "", chosen.place)

    def authorizers(self) -> None:
        """Adds the authorizers, and the permissions with which API Gateway calls those that are functions."""
        found = self.get("Auth", "Authorizers")
        for name, config in found.entries.items() if isinstance(found, Table) else ():
            if isinstance(config, Table):
                self.authorizer(name, config, found.keys.get(name, config.place) if isinstance(found, Table) else None)

    def authorizer(self, name: str, config: Table, place: Place | None) -> None:
        """Adds one authorizer."""
        place, pool, function = place or config.place, get(config, "UserPoolArn"), get(config, "FunctionArn")
        role = get(config, "FunctionInvokeRole")
        properties = {
            "RestApiId": Link(self.name, "", place),
            "Name": name,
            "Type": "COGNITO_USER_POOLS" if pool is not None else get(config, "FunctionPayloadType") or "TOKEN",
            "ProviderARNs": list(items(pool)) or None,
            "AuthorizerUri": None if function is None else proxy_uri(function, place),
            "AuthorizerCredentials": None if text(role) == "NONE" else role,
            "IdentityValidationExpression": get(config, "Identity", "ValidationExpression"),
            "AuthorizerResultTtlInSeconds": get(config, "Identity", "ReauthorizeEvery"),
        }
        self.making.add(self.api, f"{self.name} {name}", "AWS::ApiGateway::Authorizer", properties, place)
        if function is not None and pool is None and not flag(get(config, "DisableFunctionDefaultPermissions")):
            permit_authorizer(self.making, self.api, name, function, place)

    def described_authorizer(self, one: Authorizer) -> None:
        """Adds an authorizer that the API's definition describes; who may call its function is elsewhere."""
        properties = {
            "RestApiId": Link(self.name, "", one.place),
            "Name": one.name,
            "Type": _upper(one.get("type")),
            "ProviderARNs": one.get("providerARNs"),
            "AuthorizerUri": one.get("authorizerUri"),
            "AuthorizerCredentials": one.get("authorizerCredentials"),
            "IdentitySource": one.get("identitySource"),
            "IdentityValidationExpression": one.get("identityValidationExpression"),
            "AuthorizerResultTtlInSeconds": one.get("authorizerResultTtlInSeconds"),
        }
        self.making.add(self.api, f"{self.name} {one.name}", "AWS::ApiGateway::Authorizer", properties, one.place)

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


def permit_authorizer(making: Expansion, api: Resource, name: str, function: Node, place: Place) -> None:
    """Adds the permission with which API Gateway calls an authorizer function."""
    pattern = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/authorizers/*"
    source = written(pattern, {"Api": Link(api.name, "", place)}, place)
    called = TargetFunction(api, function, function)
    permission = f"{api.name}{name}AuthorizerPermission"
    permit(making, called, permission, place, {"Principal": "apigateway.amazonaws.com", "SourceArn": source})


def verb(route: Route) -> Node:
    """The method of a route; what a parameter gives, or what is unknown, stays so."""
    node = route.event.get("Method")
    if isinstance(node, Scalar):
        return node._replace(value=route.method)
    return node or Scalar(route.method, route.event.place)


def shown(path: Node) -> str:
    """A path in the name of a route."""
    return text(path) or "*"


def _part(path: Node) -> Node:
    stated = text(path)
    return path._replace(value=stated.lstrip("/")) if isinstance(path, Scalar) and stated is not None else path


def _upper(node: Node | None) -> Node | None:
    stated = text(node)
    return node if stated is None or node is None else Scalar(stated.upper(), node.place)


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
