"""What starts each function of a stack: events, mappings, routes, URLs, notifications, rules, schedules, permissions.

Whoever calls a function needs a permission on it or a role of its own, and whoever polls for it a mapping.  So the list
of a function's starts is complete where each of these was understood; what was not is kept as the reason why the list
may be longer.  What is switched off counts: a switch is no part of the wiring.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import NamedTuple

from threatmodel.evidence.analyses.properties import doubt_of, each, read, worded
from threatmodel.evidence.answers import Unanswered
from threatmodel.evidence.policies.grants import parsed, statements
from threatmodel.evidence.relations.naming import Called, Names, open_in, told
from threatmodel.evidence.resource_types import CALLS_NOBODY, PUSHES, RESOURCE_TYPES, known
from threatmodel.reading.problems import Place, quoted, visible
from threatmodel.stacks.sam.events import SERVICES
from threatmodel.stacks.sam.openapi import operations
from threatmodel.stacks.sam.polls import SOURCES
from threatmodel.stacks.stack import Resource
from threatmodel.stacks.values import Link, Node, Scalar, Table, Unknown, get, links, text

_DEEPEST_PATH = 50
"""Parts of a path that are followed."""


class Start(NamedTuple):
    """One way in which a function is started.

    `by` is http, queue, store or schedule; `detail` the HTTP method or the schedule's text ('' where it is not told);
    `source` the resource that it comes through ('' for a schedule, and where that is none of this file); `path` the
    route; `places` the lines that prove it.  `certain` is False where what shows it may not exist.
    """

    by: str
    detail: str
    source: str
    path: str
    places: tuple[Place, ...]
    certain: bool = True


class Starts(NamedTuple):
    """What starts one function, and why there may be more ways."""

    starts: tuple[Start, ...]
    unknown: Unanswered | None


class _Way:
    """What is found about one function, as resource by resource is looked at."""

    def __init__(self) -> None:
        self.starts: dict[tuple[str, str, str, str], dict[Place, None]] = {}
        self.certain: set[tuple[str, str, str, str]] = set()
        self.callers: dict[str, set[str]] = {}
        self.unknown: Unanswered | None = None

    def doubt(self, why: str, place: Place) -> None:
        """Notes why there may be more; the first reason is kept."""
        if self.unknown is None:
            self.unknown = Unanswered(why, place)

    def add(self, start: Start) -> None:
        """Adds a way; the same way again adds its lines, and is certain where one of the two is."""
        self.starts.setdefault(start[:4], {}).update(dict.fromkeys(start.places))
        if start.certain:
            self.certain.add(start[:4])

    def finished(self) -> Starts:
        """The whole, as a value."""
        starts = tuple(Start(*key, tuple(places), key in self.certain) for key, places in self.starts.items())
        return Starts(starts, self.unknown)


def starts(names: Names) -> Mapping[str, Starts]:
    """What starts each function of a stack, by the function's name; without what roles allow."""
    return _Wired(names).all()


class _Wired:
    """All functions of a stack, while what starts them is gathered."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.stack = names.stack
        self.ways = {name: _Way() for name in names.functions}
        self.routes: dict[str, list[Resource]] = {}
        self.hidden: dict[tuple[str, str, bool], Unknown] = {}
        self.anyone: dict[bool, tuple[Unknown, str, Place]] = {}

    def all(self) -> Mapping[str, Starts]:
        """What starts each function."""
        self.look()
        for resource in self.stack.of_type(*_PERMISSIONS):
            self.permission(resource)
        for found, why, place in self.anyone.values():
            for name, function in self.names.functions.items():
                if self.names.may_name(found, function):
                    self.unknown(name, why, place)
        return {name: way.finished() for name, way in self.ways.items()}

    def look(self) -> None:
        """Looks at every resource but the permissions, which are held against what is then known."""
        for resource in self.stack.resources.values():
            if resource.type in _ROUTES:
                self.route_target(resource)
        for resource in self.stack.resources.values():
            if resource.type in _READERS:
                _READERS[resource.type](self, resource)
            elif resource.type not in _PERMISSIONS and not resource.type.startswith(CALLS_NOBODY):
                self.refers(resource)
            if resource.name in self.ways:
                self.function(resource)
            elif resource.opaque is not None and not resource.made_by:
                self.opaque(resource, resource.opaque)

    def opaque(self, resource: Resource, why: Unknown) -> None:
        """Notes that a resource may start anything that lets it, since nobody knows its properties."""
        service = next((service for prefix, service in PUSHES.items() if resource.type.startswith(prefix)), "")
        if service:
            sends = {"api", "queue", "store"} & set(self.names.kinds.get(resource.name, ()))
            own = resource.name if sends else ""
            self.hide(Called((), why), service, own)
        elif resource.type in _READERS:
            self.anybody(why, quoted(resource.name), resource.place)

    def route_target(self, resource: Resource) -> None:
        """Notes to which integration a route leads."""
        node = read(resource.properties, "Target")
        for link in links(node):
            self.routes.setdefault(link.resource, []).append(resource)
        if node is not None:
            api = self.names.element(read(resource.properties, "ApiId"), "api")
            self.hide(Called((), open_in(node)), "apigateway", api)

    # --- noting

    def start(self, called: Called, service: str, resource: Resource, start: Start, sender: str = "") -> None:
        """Notes that functions are started; `service` and `sender` are whom a permission for it names."""
        self.hide(called, service, start.source or sender)
        for name in called.functions:
            way = self.ways[name]
            doubt = doubt_of(resource, self.names.functions[name])
            way.add(start._replace(certain=doubt is None))
            way.callers.setdefault(service, set()).update({start.source, sender})
            if doubt is not None:
                way.doubt(doubt.why, doubt.place)
            if not start.source and start.by != "schedule":
                why = f"{_OUTSIDE[start.by]} that is not in this file starts it"
                way.doubt(why, start.places[0])
            if start.by == "schedule" and not start.detail:
                way.doubt("when it is started by the clock is not told", start.places[0])

    def hide(self, called: Called, service: str, sender: str) -> None:
        """Notes that somebody's call leads nobody knows where: it may be to any function that lets him call."""
        if called.open is not None:
            for whose in (sender, _WHOEVER):
                self.hidden.setdefault((service, whose, bool(called.open.given)), called.open)

    def calls(self, called: Called, service: str, resource: Resource, why: str, place: Place | None = None) -> None:
        """Notes that functions are called in a way for which a model has no word."""
        for name in called.functions:
            self.ways[name].callers.setdefault(service, set()).add(resource.name)
            self.unknown(name, why, place or resource.place)

    def unknown(self, name: str, why: str, place: Place) -> None:
        """Notes why there may be more that starts a function."""
        self.ways[name].doubt(why, place)

    def anybody(self, found: Unknown | None, what: str, place: Place) -> None:
        """Notes that something starts a function of which it is not known which it is."""
        if found is not None:
            self.anyone.setdefault(bool(found.given), (found, f"{what} may start it: {found.why}", place))

    # --- the function itself

    def function(self, resource: Resource) -> None:
        """What SAM's own properties of a function leave open."""
        if resource.opaque is not None:
            self.unknown(resource.name, resource.opaque.why, resource.opaque.place)
        if not resource.type.startswith("AWS::Serverless::"):
            return
        found = resource.properties.entries.get("Events")
        if isinstance(found, Unknown):
            self.unknown(resource.name, found.why, found.place)
        for event in found.entries.values() if isinstance(found, Table) else ():
            kind = event if isinstance(event, Unknown) else get(event, "Type")
            properties = get(event, "Properties")
            hidden = next((node for node in (kind, properties) if isinstance(node, Unknown)), None)
            if hidden is not None:
                self.unknown(resource.name, hidden.why, hidden.place)
            elif text(kind) not in SERVICES and text(kind) not in SOURCES:
                self.unknown(resource.name, "an event has a type that is not known", event.place)
        for hook in each(read(resource.properties, "DeploymentPreference", "Hooks", "PreTraffic")) + each(
            read(resource.properties, "DeploymentPreference", "Hooks", "PostTraffic")
        ):
            why = f"deployments of {quoted(resource.name)} call it, for which a model has no trigger"
            self.calls(self.names.called(hook), "codedeploy", resource, why, hook.place)

    # --- what polls

    def mapping(self, resource: Resource) -> None:
        """An event source mapping."""
        node = _named(resource, "FunctionName")
        called = self.names.called(node)
        self.anybody(called.open, f"the event source mapping {quoted(resource.name)}", resource.place)
        source = read(resource.properties, "EventSourceArn")
        name = self.names.element(source, "queue", "store")
        by = "store" if name and "queue" not in self.names.kinds[name] else "queue"
        self.start(called, "poll", resource, Start(by, "", name, "", _places(resource, source)))

    # --- APIs

    def url(self, resource: Resource) -> None:
        """A function URL, which is an api of its own."""
        called = self.names.called(_named(resource, "TargetFunctionArn|function_name"))
        self.anybody(called.open, f"the function URL {quoted(resource.name)}", resource.place)
        self.start(called, "url", resource, Start("http", "ANY", resource.name, "", (resource.place,)))

    def method(self, resource: Resource) -> None:
        """A method of a REST API, or in a plan the integration that belongs to one."""
        address = read(resource.properties, "Integration", "Uri") or read(resource.properties, "Uri")
        called = self.names.called(address)
        api = self.names.element(_followed(self, resource, "RestApiId"), "api")
        self.hide(called, "apigateway", api)
        if read(resource.properties, "Credentials") or read(resource.properties, "Integration", "Credentials"):
            self.anybody(called.open, f"the method {quoted(resource.name)}", resource.place)
        if called.functions:
            verb = _followed(self, resource, "HttpMethod")
            path, parts = self.path(_followed(self, resource, "ResourceId"))
            key = _Key(None if getattr(verb, "given", ()) else worded(verb), path, (verb, *parts))
            self.route(called, resource, api, key, _places(resource, address))

    def route(self, called: Called, resource: Resource, api: str, key: _Key, places: tuple[Place, ...]) -> None:
        """A route through an API."""
        verb, path, told_by = key
        method = {"*": "ANY", None: ""}.get(verb, (verb or "").upper())
        self.start(called, "apigateway", resource, Start("http", method, api, path or "", places))
        for name in called.functions:
            if verb is None or path is None:
                defaults = self.defaults(told_by)
                self.unknown(name, f"the path or method of a route to it is not told{defaults}", places[0])

    def defaults(self, nodes: Sequence[Node | None]) -> str:
        """The parameters whose defaults give a part of a route, and where these stand; the values are not shown."""
        found = []
        for name in dict.fromkeys(name for node in nodes for name in getattr(node, "given", ())):
            parameter = self.stack.parameters.get(name)
            if parameter is not None and not isinstance(parameter.value, Unknown):
                at = f"{quoted(name)} at {parameter.value.place}"
                found.append(f"a deployment may replace the default of the parameter {at}")
        return f": {'; '.join(found)}" if found else ""

    def path(self, node: Node | None) -> tuple[str | None, Sequence[Node]]:
        """The path of a resource of a REST API, None where it is not known; and the parts that were looked at."""
        parts: list[Node] = []
        for _ in range(_DEEPEST_PATH):
            resource = self.stack.target(node)
            if resource is None or isinstance(node, Unknown):
                return None, parts
            if "api" in self.names.kinds.get(resource.name, ()):
                known = not any(getattr(part, "given", ()) for part in parts)
                return "/" + "/".join(worded(part) or "" for part in reversed(parts)) if known else None, parts
            part = read(resource.properties, "PathPart")
            if part is None or worded(part) is None:
                return None, parts
            parts.append(part)
            node = read(resource.properties, "ParentId")
        return None, parts

    def integration(self, resource: Resource) -> None:
        """An integration of an HTTP or WebSocket API, and the routes that lead to it."""
        address = read(resource.properties, "IntegrationUri")
        called = self.names.called(address)
        self.hide(called, "apigateway", self.names.element(read(resource.properties, "ApiId"), "api"))
        if read(resource.properties, "CredentialsArn"):
            self.anybody(called.open, f"the integration {quoted(resource.name)}", resource.place)
        for route in self.routes.get(resource.name, ()) if called.functions else ():
            api = self.names.element(read(route.properties, "ApiId"), "api")
            key = read(route.properties, "RouteKey")
            places = dict.fromkeys((*_places(route, None), *_places(resource, address)))
            self.route(called, _doubtful_of(resource, route), api, _split(key), tuple(places))

    def api(self, resource: Resource) -> None:
        """An API whose routes stand in its own definition, or that leads to one function as a whole."""
        body = read(resource.properties, "Body")
        elsewhere = read(resource.properties, "BodyS3Location")
        if elsewhere is not None:
            self.hide(
                Called((), Unknown("its routes stand in another file", elsewhere.place)), "apigateway", resource.name
            )
        for operation in operations(parsed(body)) if body is not None else ():
            called = self.names.called(get(operation.integration, "uri"))
            self.hide(called, "apigateway", resource.name)
            if called.functions:
                self.route(called, resource, resource.name, _Key(operation.method, operation.path), (operation.place,))
        target = read(resource.properties, "Target")
        called = self.names.called(target)
        self.hide(called, "apigateway", resource.name)
        if target is not None and called.functions:
            key = read(resource.properties, "RouteKey")
            whole = _Key("ANY", "") if key is None else _split(key)
            self.route(called, resource, resource.name, whole, _places(resource, target))

    def authorizer(self, resource: Resource) -> None:
        """A function that decides who may call an API."""
        called = self.names.called(read(resource.properties, "AuthorizerUri"))
        why = f"{quoted(resource.name)} asks it who may call an api, for which a model has no trigger"
        self.calls(called, "apigateway", resource, why)
        api = self.names.element(read(resource.properties, "RestApiId|ApiId"), "api")
        for name in called.functions:
            self.ways[name].callers["apigateway"].add(api)

    # --- what pushes

    def subscription(self, resource: Resource) -> None:
        """A subscription to a topic."""
        self.subscribed(resource, resource.properties, read(resource.properties, "TopicArn"))

    def subscribed(self, resource: Resource, node: Node, topic: Node | None) -> None:
        """One subscription, on its own or within a topic."""
        endpoint = read(node, "Endpoint")
        source = self.names.element(topic, "queue")
        start = Start("queue", "", source, "", _places(resource, endpoint))
        self.start(self.names.called(endpoint), "sns", resource, start)

    def topic(self, resource: Resource) -> None:
        """The subscriptions that a topic lists itself."""
        for one in each(read(resource.properties, "Subscription")):
            self.subscribed(resource, one, Link(resource.name, "", resource.place))

    def bucket(self, resource: Resource) -> None:
        """A bucket's notifications, on the bucket or in a plan as a resource of their own."""
        configurations = read(resource.properties, "NotificationConfiguration", "LambdaConfigurations") or read(
            resource.properties, "LambdaFunction"
        )
        for one in each(configurations):
            node = read(one, "Function|lambda_function_arn")
            bucket = read(resource.properties, "Bucket")
            own = "store" in self.names.kinds.get(resource.name, ())
            source = resource.name if own else self.names.element(bucket, "store")
            place = (one.place,) if own else (resource.place,)
            self.start(self.names.called(node), "s3", resource, Start("store", "", source, "", place))

    def rule(self, resource: Resource) -> None:
        """A rule of EventBridge."""
        for target in each(read(resource.properties, "Targets")):
            node = read(target, "Arn")
            if read(target, "RoleArn") is not None:
                self.anybody(self.names.called(node).open, f"the rule {quoted(resource.name)}", resource.place)
            self.ruled(self.names.called(node), resource, resource, _places(resource, node))

    def target(self, resource: Resource) -> None:
        """A target of a rule, which in a plan is a resource of its own."""
        called = self.names.called(read(resource.properties, "Arn"))
        rule = self.stack.target(read(resource.properties, "Rule"))
        if rule is None:
            self.calls(called, "events", resource, "a rule of EventBridge that is not in this file starts it")
        else:
            self.ruled(called, rule, _doubtful_of(resource, rule), (*dict.fromkeys((rule.place, resource.place)),))

    def ruled(self, called: Called, rule: Resource, doubtful: Resource, places: tuple[Place, ...]) -> None:
        """What a rule starts: by the clock, by events, or by both."""
        self.hide(called, "events", rule.name)
        schedule = read(rule.properties, "ScheduleExpression")
        if schedule is not None:
            self.start(called, "events", doubtful, Start("schedule", told(schedule), "", "", places), rule.name)
        pattern = read(rule.properties, "EventPattern")
        if pattern is not None:
            by, source = self.bus(rule, pattern)
            self.start(called, "events", doubtful, Start(by, "", source, "", places), rule.name)
        for name in called.functions if schedule is None and pattern is None else ():
            self.unknown(name, f"it is not told when the rule {quoted(rule.name)} starts it", rule.place)

    def bus(self, rule: Resource, pattern: Node) -> tuple[str, str]:
        """Where the events of a rule come from: a store that its pattern names, or an event bus."""
        stores = {
            self.names.meant(link.resource)
            for link in links(parsed(pattern))
            if "store" in self.names.kinds.get(self.names.meant(link.resource), ())
        }
        bus = read(rule.properties, "EventBusName")
        if bus is None and len(stores) == 1:
            return "store", stores.pop()
        return "queue", self.names.element(bus, "queue")

    def schedule(self, resource: Resource) -> None:
        """A schedule of EventBridge Scheduler."""
        node = read(resource.properties, "Target", "Arn")
        called = self.names.called(node)
        if not called.functions and (told(node).endswith(":aws-sdk:lambda:invoke")):
            called = self.names.called(read(resource.properties, "Target", "Input"))
        self.anybody(called.open, f"the schedule {quoted(resource.name)}", resource.place)
        detail = told(read(resource.properties, "ScheduleExpression"))
        self.start(called, "scheduler", resource, Start("schedule", detail, "", "", _places(resource, node)))

    def pipe(self, resource: Resource) -> None:
        """A pipe, which calls a function with what it takes from its source."""
        node = read(resource.properties, "Source")
        source = self.names.element(node, "queue", "store")
        by = "store" if source and "queue" not in self.names.kinds[source] else "queue"
        for name in ("Target", "Enrichment"):
            called = self.names.called(read(resource.properties, name))
            self.anybody(called.open, f"the pipe {quoted(resource.name)}", resource.place)
            self.start(called, "pipes", resource, Start(by, "", source, "", _places(resource, node)))

    # --- what a model has no word for

    def refers(self, resource: Resource) -> None:
        """Any other resource that names a function: it may start it, and no trigger says that."""
        found: dict[str, Link] = {}
        for link in links(resource.properties):
            found.setdefault(self.names.meant(link.resource), link)
        for name, link in found.items():
            if name in self.ways:
                service, what = known(resource.type).calls
                if resource.type.startswith(("Custom::", "AWS::CloudFormation::CustomResource")):
                    what = "deployments call it for {}"
                by = quoted(resource.name)
                why = what.replace("{}", by) if what else f"{by} ({visible(resource.type)}) names it and may call it"
                why += ", for which a model has no trigger"
                self.calls(Called((name,)), service, resource, why, link.place)

    def destination(self, resource: Resource) -> None:
        """Where results of a function go that is called asynchronously, or failures of a mapping."""
        for outcome in ("OnSuccess", "OnFailure"):
            called = self.names.called(read(resource.properties, "DestinationConfig", outcome, "Destination"))
            why = (
                f"it is handed results of another function by {quoted(resource.name)}, for which a model has no trigger"
            )
            self.calls(called, "lambda", resource, why)

    # --- permissions

    def permission(self, resource: Resource) -> None:
        """Who may call a function: a permission, or a policy on the function."""
        node = _named(resource, "FunctionName|ResourceArn")
        called = self.names.called(node)
        what = f"whom the permission {quoted(resource.name)} lets call a function"
        self.anybody(called.open, what, resource.place)
        if not called.functions:
            return
        document = read(resource.properties, "PolicyDocument")
        if document is None:
            principal, source = read(resource.properties, "Principal"), read(resource.properties, "SourceArn")
            through = read(resource.properties, "FunctionUrlAuthType|InvokedViaFunctionUrl")
            self.permitted(called, resource, (principal, source), through_url=through is not None)
            return
        for grant in statements(document):
            if grant.effect != "Deny":
                for one in grant.principals or (None,):
                    who = None if one is None else Scalar(one.pattern.text, grant.place)
                    self.permitted(called, resource, (who, None), through_url=False)

    def permitted(
        self, called: Called, resource: Resource, who: tuple[Node | None, Node | None], *, through_url: bool
    ) -> None:
        """Holds a principal (and the source that it is tied to) against what is known to start a function."""
        principal, source = who
        spelt = worded(principal) or ""
        action = worded(read(resource.properties, "Action")) or ""
        service = "url" if through_url or action.endswith("FunctionUrl") else _service(spelt)
        senders = {self.names.meant(link.resource) for link in links(source)}
        for name in called.functions:
            known = self.ways[name].callers.get(service) if service else None
            if known is None or (senders and not senders & known):
                self.unknown(name, _stranger(spelt, service, known=known is not None), resource.place)
                continue
            for whose, given in product(senders | {""} if senders else {_WHOEVER}, (False, True)):
                hidden = self.hidden.get((service, whose, given))
                if hidden is not None and self.names.may_name(hidden, self.names.functions[name]):
                    self.unknown(name, f"{service} may start it in another way too: {hidden.why}", hidden.place)


def _service(principal: str) -> str:
    """The service that a principal is, in one word; '' where it is none."""
    found = re.match(r"([a-z0-9-]+)\.(?:[a-z0-9-]+\.)?amazonaws\.com", principal)
    return found[1] if found else ""


def _stranger(principal: str, service: str, *, known: bool) -> str:
    if service == "url":
        return "a function URL that is not in this file may start it"
    if service and known:
        return f"a permission lets {service} start it for something that is not understood here"
    if service:
        return f"a permission lets {service} start it, and what it does so for is not told"
    if principal == "*":
        return "a permission lets anybody call it"
    return "a permission lets somebody outside call it"


def _named(resource: Resource, names: str) -> Node | None:
    """A property of which none is left out: where the resource may have others, it is unknown."""
    return read(resource.properties, names) or resource.opaque


def _followed(wired: _Wired, resource: Resource, name: str) -> Node | None:
    """A property, followed where it only repeats what the method says that it belongs to."""
    node = read(resource.properties, name)
    for _ in range(2):
        target = wired.stack.target(node)
        if target is None or target.type not in _METHODS:
            return node
        node = read(target.properties, name)
    return node


class _Key(NamedTuple):
    """The method and the path of a route, each None where it is not known, and the nodes that tell them."""

    verb: str | None
    path: str | None
    told_by: tuple[Node | None, ...] = ()


def _split(key: Node | None) -> _Key:
    """Method and path of a route key."""
    spelt = None if getattr(key, "given", ()) else worded(key)
    if spelt is None:
        return _Key(None, None, (key,))
    if spelt == "$default":
        return _Key("ANY", "")
    method, _, path = spelt.partition(" ")
    return _Key(method, path) if path else _Key("ANY", method)


def _places(resource: Resource, node: Node | None) -> tuple[Place, ...]:
    """The line of a resource, and that of what in it names the other side, where an author wrote that elsewhere."""
    if node is None or resource.made_by or node.place[:2] == resource.place[:2]:
        return (resource.place,)
    return (resource.place, node.place)


def _doubtful_of(one: Resource, other: Resource) -> Resource:
    """The one of two resources that may not exist, if any."""
    return one if other.doubt is None else other


_WHOEVER = "*"
_OUTSIDE = {"http": "an api", "queue": "a queue, topic or bus", "store": "a store"}

_METHODS = ("aws_api_gateway_method", "AWS::ApiGateway::Method")
_ROUTES = ("AWS::ApiGatewayV2::Route", "aws_apigatewayv2_route")
_PERMISSIONS = ("AWS::Lambda::Permission", "aws_lambda_permission", "AWS::Lambda::ResourcePolicy")

_READERS: Mapping[str, Callable[[_Wired, Resource], None]] = {
    name: getattr(_Wired, row.read_as) for name, row in RESOURCE_TYPES.items() if row.read_as
}
"""How each type of resource that starts functions is read."""
