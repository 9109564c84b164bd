"""The plugins of a serverless.yml: which leave the template alone, which add to it, and what those that are read add.

What a plugin adds is in its own documentation, which the table names; any other one may make and change everything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from threatmodel.reading.problems import Place, quoted
from threatmodel.reading.values import replace
from threatmodel.stacks.apis import REST, Access, Integration, Route
from threatmodel.stacks.serverless.functions import ROLE_EACH
from threatmodel.stacks.serverless.making import REST_API, Function, GrowingTemplate, either, get, join, place_of, sub
from threatmodel.stacks.serverless.names import logical, upper_first
from threatmodel.stacks.serverless.rest import path_resource
from threatmodel.stacks.stack import Strength, Unread
from threatmodel.stacks.values import Node, Table, Unknown, entries, is_null, items, leaves, text

_HARMLESS = frozenset((
    *("serverless-offline", "serverless-offline-sqs", "serverless-offline-sns", "serverless-webpack"),
    *("serverless-esbuild", "serverless-bundle", "serverless-python-requirements"),
    *("serverless-plugin-typescript", "serverless-prune-plugin", "serverless-dynamodb-local", "serverless-dynamodb"),
    *("serverless-jest-plugin", "serverless-export-env", "serverless-s3-local", "serverless-plugin-common-excludes"),
    *("serverless-plugin-include-dependencies", "serverless-better-credentials", "serverless-localstack"),
    *("serverless-plugin-optimize", "serverless-rust", "serverless-go-plugin"),
))  # fmt: skip
"""Plugins that neither make nor change resources: they build, run locally or clean up."""
_FILLING = frozenset(("serverless-dotenv-plugin", "serverless-plugin-dotenv", "serverless-ssm-fetch"))
"""Plugins that give functions variables which are in no file that is read."""
MACHINES, PROXIES = "serverless-step-functions", "serverless-apigateway-service-proxy"
ALERTS, LIFT = "serverless-plugin-aws-alerts", "serverless-lift"
_WSGI = "serverless-wsgi"
"""Packages a handler that serves the application which `custom.wsgi.app` names, and makes no resource
(github.com/logandk/serverless-wsgi)."""


class _Adding(NamedTuple):
    """What a plugin adds, in words, to what types of resource that refers, and where its documentation states it.

    One that `changes` these, too, leaves all others alone.
    """

    what: str
    refers_to: tuple[str, ...]
    source: str
    strength: Strength = "adds"


_FUNCTIONS, _APIS = ("AWS::Lambda::Function",), ("AWS::ApiGateway::RestApi", "AWS::ApiGatewayV2::Api")
_ADDING: Mapping[str, _Adding] = {
    "serverless-domain-manager": _Adding(
        "domain names of APIs, their mappings and records", _APIS, "npmjs.com/package/serverless-domain-manager"
    ),
    ALERTS: _Adding("alarms, metric filters and topics", (), "npmjs.com/package/serverless-plugin-aws-alerts"),
    MACHINES: _Adding("roles and what starts state machines", _APIS, "npmjs.com/package/serverless-step-functions"),
    PROXIES: _Adding(
        "the role by which an API calls services", _APIS, "npmjs.com/package/serverless-apigateway-service-proxy"
    ),
    LIFT: _Adding(
        "constructs, and rights on them to every function",
        (*_FUNCTIONS, "AWS::IAM::Role"),
        "github.com/getlift/lift: docs/configuration.md",
        "changes",
    ),
}
"""Plugins that are documented to add resources, and to change no others than these."""


def note_plugins(making: GrowingTemplate) -> frozenset[str]:
    """Notes what each plugin may do that is not read; those that are there, by name."""
    found = set()
    for plugin in _plugins(making):
        name = text(plugin)
        if name is None:
            why = plugin.why if isinstance(plugin, Unknown) else "the plugin is not stated"
            making.not_read("plugins", why, plugin.place)
            continue
        found.add(name)
        if name in _FILLING:
            why = f"the plugin {quoted(name)} fills the environment from a file that is not read"
            making.fills_environment = Unknown(why, plugin.place)
        elif name == ROLE_EACH:
            making.role_each = True
        elif name == _WSGI:
            making.wsgi_app = get(making.variables.at("custom"), "wsgi", "app")
        elif name in _ADDING:
            why = f"this plugin adds {_ADDING[name].what} ({_ADDING[name].source})"
            making.adding.append(Unread(name=name, why=why, place=plugin.place))
        elif name not in _HARMLESS:
            making.not_read(name, "a plugin may make or change resources", plugin.place)
    return frozenset(found)


def _plugins(making: GrowingTemplate) -> tuple[Node, ...]:
    plugins = making.variables.at("plugins")
    if isinstance(plugins, Table):
        local = plugins.entries.get("localPath")
        if local is not None:
            making.not_read(
                "plugins.localPath", "a plugin of the project's own may have the name of any other", local.place
            )
        plugins = plugins.entries.get("modules", Unknown("which plugins they are is not stated", plugins.place))
    return items(None if is_null(plugins) else plugins)


def added(making: GrowingTemplate, types: Mapping[str, str]) -> Iterator[Unread]:
    """What plugins add that is not read, each with the resources (names to `types`) to which that may refer."""
    for one in making.adding:
        known = _ADDING[one.name]
        wanted = _FUNCTIONS if one.name == ALERTS and _tells_functions(making) else known.refers_to
        handed = frozenset(name for name, kind in types.items() if kind in wanted)
        yield replace(one, strength=known.strength, handed=handed)


def _tells_functions(making: GrowingTemplate) -> bool:
    """Whether the topics of alarms may notify functions, or unknown targets."""
    topics = get(making.variables.at("custom"), "alerts", "topics")
    return any(isinstance(leaf, Unknown) or text(leaf) == "lambda" for leaf in leaves(topics))


# --- what is read of plugins


def workers(making: GrowingTemplate, plugins: frozenset[str]) -> Iterator[Function]:
    """The functions of Lift's queues, each under `worker` (github.com/getlift/lift: docs/queue.md)."""
    constructs = making.variables.at("constructs") if LIFT in plugins else None
    for name, construct in entries(constructs).items():
        worker = get(construct, "worker")
        if isinstance(worker, Table):
            yield Function(name=f"{name}Worker", node=worker, place=place_of(constructs, name, construct.place))


def add_machines(making: GrowingTemplate, plugins: frozenset[str]) -> None:
    """The state machines under ``stepFunctions``, under the ids that serverless-step-functions gives them."""
    section = making.variables.at("stepFunctions") if MACHINES in plugins else None
    machines = get(section, "stateMachines")
    for key, machine in making.parts("stepFunctions.stateMachines", machines).items():
        place = place_of(machines, key, machine.place)
        if not isinstance(machine, Table):
            making.not_read(f"stepFunctions.stateMachines.{key}", "it is not written as a state machine is", place)
            continue
        own = get(machine, "name")
        name = text(get(machine, "id")) or (logical(text(own) or "") if own is not None else "")
        properties = {
            "StateMachineName": own,
            "Definition": get(machine, "definition"),
            "RoleArn": get(machine, "role"),
            "LoggingConfiguration": get(machine, "loggingConfig"),
        }
        kind = "AWS::StepFunctions::StateMachine"
        making.add(name or f"{logical(key)}StepFunctionsStateMachine", kind, place, properties)


_PROXIED: Mapping[str, tuple[str, str, str]] = {
    "sqs": ("sqs", "path/", "queueName"),
    "kinesis": ("kinesis", "action/PutRecord", "streamName"),
    "s3": ("s3", "path/", "bucket"),
    "sns": ("sns", "path//", "topicName"),
    "dynamodb": ("dynamodb", "action/PutItem", "tableName"),
    "eventbridge": ("events", "action/PutEvents", "eventBusName"),
}
"""By kind of proxy: the service, how its address goes on, and the setting that names the resource."""


def add_proxies(making: GrowingTemplate, plugins: frozenset[str]) -> Place | None:
    """The methods under ``custom.apiGatewayServiceProxies``; where the first is, None where there is none."""
    proxies = get(making.variables.at("custom"), "apiGatewayServiceProxies") if PROXIES in plugins else None
    if isinstance(proxies, Unknown):
        making.not_read("custom.apiGatewayServiceProxies", proxies.why, proxies.place)
    first = None
    for proxy in items(proxies):
        for kind, settings in entries(proxy).items():
            place, path, method = settings.place, text(get(settings, "path")), text(get(settings, "method"))
            if kind not in _PROXIED or path is None or method is None:
                making.not_read(f"custom.apiGatewayServiceProxies.{kind}", "what it leads to is not stated", place)
                continue
            _add_proxy(making, _PROXIED[kind], settings, (method.lower(), path.strip("/")))
            first = first or place
    return first


def _add_proxy(making: GrowingTemplate, proxied: tuple[str, str, str], settings: Node, route: tuple[str, str]) -> None:
    """One method; what it calls is among the parameters of its integration."""
    (service, way, setting), (method, path) = proxied, route
    place = settings.place
    resource, spelled = path_resource(making, REST_API, path, place)
    address: Any = sub(f"arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}:{service}:{way}")
    named = get(settings, setting)
    target = Integration(
        kind="AWS",
        uri=join(address, "${AWS::AccountId}/", named) if service == "sqs" and text(named) else address,
        method="POST",
        credentials=get(settings, "roleArn"),
        parameters={setting: named},
    )
    kind = either(get(settings, "authorizationType")) or "NONE"
    access = Access(kind, get(settings, "authorizerId"), key=get(settings, "private"))
    part = Route(method.upper(), access, REST.properties(target), at=resource)
    making.put(f"ApiGatewayMethod{spelled}{upper_first(method)}", REST, part, making.api(REST_API), place, REST_API)
