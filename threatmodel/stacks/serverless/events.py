"""Every event of a serverless.yml by its kind; here those of schedules, rules and the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from threatmodel.reading.problems import Place, quoted
from threatmodel.stacks.serverless.apis import http_api_event, socket_event
from threatmodel.stacks.serverless.making import (
    Function,
    GrowingTemplate,
    attribute,
    flag,
    get,
    join,
    plain,
    ref,
    sub,
    switched,
)
from threatmodel.stacks.serverless.names import logical
from threatmodel.stacks.serverless.rest import http_event
from threatmodel.stacks.serverless.sources import broker, kafka, msk, s3, sns, sqs, stream
from threatmodel.stacks.values import List, Node, Scalar, Table, Unknown, entries, is_null, items, text

_NO_EVENT = "it is not written as an event is"


def add_events(making: GrowingTemplate, function: Function) -> None:
    """The resources of every event of a function."""
    listed = function.node.entries.get("events")
    where = f"functions.{function.name}.events"
    if isinstance(listed, Unknown):
        making.not_read(where, listed.why, listed.place)
        return
    numbers: dict[str, int] = {}
    for index, event in enumerate(() if is_null(listed) else items(listed)):
        word = text(event)
        named = entries(event) or ({word: event} if word else {})
        if not named:
            why = event.why if isinstance(event, Unknown) else _NO_EVENT
            making.not_read(f"{where}.{index}", why, event.place)
        for kind, config in named.items():
            place = event.keys.get(kind, event.place) if isinstance(event, Table) else event.place
            number = numbers[kind] = numbers.get(kind, 0) + 1
            why = _not_read(kind, config)
            if why:
                making.not_read(f"{where}.{index}", why, place)
            else:
                _EVENTS[kind](making, function, config, place, index + 1 if kind == "eventBridge" else number)


def _not_read(kind: str, config: Node) -> str:
    """Why nothing can be made of an event, or ''."""
    if kind not in _EVENTS:
        return f"nothing is known of events of the kind {quoted(kind)}"
    if isinstance(config, Unknown):
        return config.why if kind in _NEEDS_TEXT else ""
    if isinstance(config, List) or (isinstance(config, Scalar) and not isinstance(config.value, str)):
        return "" if kind == "schedule" and isinstance(config, List) else _NO_EVENT
    return ""


# --- schedules and rules


def schedule(making: GrowingTemplate, function: Function, config: Node, place: Place, _number: int) -> None:
    """``schedule``: one or several times, by a rule or by a schedule of EventBridge's own."""
    rates = items(get(config, "rate") or config)
    start = logical(function.name)
    for rate in rates:
        at = function.schedules = function.schedules + 1
        if text(get(config, "method")) == "scheduler":
            name = f"{start}SchedulerSchedule{at}"
            target = {"Arn": function.target, "RoleArn": function.role, "Input": get(config, "input")}
            properties = {"ScheduleExpression": rate, "State": _state(config, place), "Target": target}
            making.add(name, "AWS::Scheduler::Schedule", place, properties, function.id)
            if "scheduler.amazonaws.com" not in making.services:
                making.services.append("scheduler.amazonaws.com")
            all_versions = join(attribute(function.id), ":*")
            making.grant(place, ["lambda:InvokeFunction"], [attribute(function.id), all_versions])
            continue
        names = f"{start}EventsRuleSchedule{at}", f"{start}LambdaPermissionEventsRuleSchedule{at}"
        target = {"Id": f"{function.name}Schedule"}
        _rule(making, function, names, config, place, target, ScheduleExpression=rate, Name=get(config, "name"))


def _rule(  # noqa: PLR0913, PLR0917 - an event, and the rule that it makes
    making: GrowingTemplate,
    function: Function,
    names: tuple[str, str],
    config: Node,
    place: Place,
    target: Mapping[str, Any],
    **own: Any,
) -> None:
    """A rule that calls the function, and the permission for that, under their two names."""
    reached = {"Arn": function.target, "Input": get(config, "input"), **target}
    properties = {"State": _state(config, place), "Targets": [reached], **own}
    making.add(names[0], "AWS::Events::Rule", place, properties, function.id)
    making.permit(names[1], function, place, "events.amazonaws.com", SourceArn=attribute(names[0]))


def _state(config: Node, place: Place) -> Any:
    return switched(config, "enabled", place, on="ENABLED", off="DISABLED")


def event_bridge(making: GrowingTemplate, function: Function, config: Node, place: Place, number: int) -> None:
    """``eventBridge``: a rule on a bus."""
    default = making.words(making.stack_name(place), "-", function.name, f"-rule-{number}", place=place)
    called = get(config, "name") or default
    bus = get(config, "eventBus")
    spelled = plain(text(called) or f"{function.name}rule{number}")
    stated = text(bus)
    if stated is not None and stated != "default" and ":" not in stated:
        made = f"{logical(stated)}EventBridgeEventBus"
        making.add(made, "AWS::Events::EventBus", place, {"Name": stated})
        bus_reference: Any = ref(made)
    else:
        bus_reference = bus
    dead = get(config, "deadLetterQueueArn")
    target = {"Id": "target", "DeadLetterConfig": {"Arn": dead} if dead is not None else None}
    names = f"{spelled}EventBridgeRule", f"{logical(function.name)}EventBridgeLambdaPermission{number}"
    _rule(
        making, function, names, config, place, target,
        Name=called,
        EventBusName=bus_reference,
        EventPattern=get(config, "pattern"),
        ScheduleExpression=get(config, "schedule"),
    )  # fmt: skip


def cloudwatch_event(making: GrowingTemplate, function: Function, config: Node, place: Place, number: int) -> None:
    """``cloudwatchEvent``: a rule on the account's own events."""
    start, end = logical(function.name), f"EventsRuleCloudWatchEvent{number}"
    target = {"Id": f"{function.name}CloudWatchEvent"}
    names = f"{start}{end}", f"{start}LambdaPermission{end}"
    _rule(making, function, names, config, place, target, EventPattern=get(config, "event"))


# --- the rest


def cloudwatch_log(making: GrowingTemplate, function: Function, config: Node, place: Place, number: int) -> None:
    """``cloudwatchLog``: what is written to a log group."""
    properties = {
        "LogGroupName": get(config, "logGroup") or config,
        "FilterPattern": get(config, "filter"),
        "DestinationArn": function.target,
    }
    name = f"{logical(function.name)}LogsSubscriptionFilterCloudWatchLog"
    making.add(f"{name}{number}", "AWS::Logs::SubscriptionFilter", place, properties, function.id)
    making.permit(
        f"{logical(function.name)}LambdaPermissionLogsSubscriptionFilterCloudWatchLog",
        function, place, sub("logs.${AWS::Region}.amazonaws.com"),
        SourceArn=sub("arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:*:*"),
    )  # fmt: skip


def iot(making: GrowingTemplate, function: Function, config: Node, place: Place, number: int) -> None:
    """``iot``: a rule of IoT."""
    rule = f"{logical(function.name)}IotTopicRule{number}"
    payload = {"Sql": get(config, "sql"), "Actions": [{"Lambda": {"FunctionArn": function.target}}]}
    making.add(rule, "AWS::IoT::TopicRule", place, {"TopicRulePayload": payload}, function.id)
    making.permit(
        f"{logical(function.name)}LambdaPermissionIotTopicRule{number}", function, place, "iot.amazonaws.com",
        SourceArn=join(sub("arn:${AWS::Partition}:iot:${AWS::Region}:${AWS::AccountId}:rule/"), ref(rule)),
    )  # fmt: skip


def iot_provisioning(making: GrowingTemplate, function: Function, config: Node, place: Place, _number: int) -> None:
    """``iotFleetProvisioning``: the hook of a provisioning template."""
    properties = {
        "PreProvisioningHook": {"TargetArn": function.target},
        "ProvisioningRoleArn": get(config, "provisioningRoleArn"),
    }
    name = f"{logical(function.name)}IotProvisioningTemplate"
    making.add(name, "AWS::IoT::ProvisioningTemplate", place, properties, function.id)
    making.permit(
        f"{logical(function.name)}LambdaPermissionIotProvisioningTemplate", function, place, "iot.amazonaws.com"
    )


def alexa_skill(making: GrowingTemplate, function: Function, config: Node, place: Place, number: int) -> None:
    """``alexaSkill``: any skill, or one."""
    skill = get(config, "appId") or (None if text(config) == "alexaSkill" else config)
    name = f"{logical(function.name)}LambdaPermissionAlexaSkill{number}"
    making.permit(name, function, place, "alexa-appkit.amazon.com", EventSourceToken=skill)


def alexa_home(making: GrowingTemplate, function: Function, config: Node, place: Place, number: int) -> None:
    """``alexaSmartHome``."""
    name = f"{logical(function.name)}LambdaPermissionAlexaSmartHome{number}"
    making.permit(
        name, function, place, "alexa-connectedhome.amazon.com", EventSourceToken=get(config, "appId") or config
    )


def alb(making: GrowingTemplate, function: Function, config: Node, place: Place, number: int) -> None:
    """``alb``: a load balancer."""
    listener = get(config, "listenerArn")
    parts = (text(listener) or "").split("/")
    balancer = parts[-2] if len(parts) > 2 else str(number)  # noqa: PLR2004 - an ARN's last parts
    group = f"{logical(function.name)}AlbTargetGroup{plain(balancer)}"
    properties = {"TargetType": "lambda", "Targets": [{"Id": function.target}]}
    making.add(group, "AWS::ElasticLoadBalancingV2::TargetGroup", place, properties, function.id)
    rule: dict[str, Any] = {
        "ListenerArn": listener,
        "Actions": [{"Type": "forward", "TargetGroupArn": ref(group)}],
        "Priority": get(config, "priority"),
        "Conditions": [{"Field": key, "Values": list(items(child))} for key, child in
                       entries(get(config, "conditions")).items()],
    }  # fmt: skip
    name = f"{logical(function.name)}AlbListenerRule{either_number(get(config, 'priority'), number)}"
    making.add(name, "AWS::ElasticLoadBalancingV2::ListenerRule", place, rule, function.id)
    making.permit(
        f"{logical(function.name)}LambdaPermissionAlb", function, place, "elasticloadbalancing.amazonaws.com",
        SourceArn=ref(group),
    )  # fmt: skip
    making.permit(
        f"{logical(function.name)}LambdaPermissionRegisterTarget",
        function, place, "elasticloadbalancing.amazonaws.com",
    )  # fmt: skip


def either_number(node: Node | None, number: int) -> int:
    """A whole number that is there, or another one."""
    value = node.value if isinstance(node, Scalar) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else number


def cognito(making: GrowingTemplate, function: Function, config: Node, place: Place, number: int) -> None:
    """``cognitoUserPool``: a trigger of a user pool of the service, or of one that exists."""
    pool = text(get(config, "pool")) or str(number)
    trigger = text(get(config, "trigger")) or "Trigger"
    permission = f"{logical(function.name)}LambdaPermissionCognitoUserPool{plain(pool)}TriggerSource{plain(trigger)}"
    if flag(entries(config).get("existing"), otherwise=False) is False:
        name = f"CognitoUserPool{plain(pool)}"
        shared = making.share(name, "AWS::Cognito::UserPool", place, {"UserPoolName": pool, "LambdaConfig": {}})
        shared["LambdaConfig"][trigger] = function.target
        making.permit(permission, function, place, "cognito-idp.amazonaws.com", SourceArn=attribute(name))
    else:
        custom = {"FunctionName": ref(function.id), "UserPoolName": pool, "UserPoolConfigs": [{"Trigger": trigger}]}
        name = f"{logical(function.name)}CustomCognitoUserPool1"
        making.add(name, "Custom::CognitoUserPool", place, custom, function.id)
        making.permit(permission, function, place, "cognito-idp.amazonaws.com")


def cloud_front(making: GrowingTemplate, function: Function, _config: Node, place: Place, _number: int) -> None:
    """``cloudFront``: the function runs at the edge, behind a distribution that is not read."""
    making.permit(f"{function.id}InvokePermission", function, place, "edgelambda.amazonaws.com")
    making.not_read("CloudFrontDistribution", "the distribution that calls it at the edge is not read", place)


_EVENTS: Mapping[str, Callable[[GrowingTemplate, Function, Node, Place, int], None]] = {
    "activemq": partial(broker, kind="ActiveMQ"),
    "alb": alb,
    "alexaSkill": alexa_skill,
    "alexaSmartHome": alexa_home,
    "cloudFront": cloud_front,
    "cloudwatchEvent": cloudwatch_event,
    "cloudwatchLog": cloudwatch_log,
    "cognitoUserPool": cognito,
    "eventBridge": event_bridge,
    "http": http_event,
    "httpApi": http_api_event,
    "iot": iot,
    "iotFleetProvisioning": iot_provisioning,
    "kafka": kafka,
    "msk": msk,
    "rabbitmq": partial(broker, kind="RabbitMQ"),
    "s3": s3,
    "schedule": schedule,
    "sns": sns,
    "sqs": sqs,
    "stream": stream,
    "websocket": socket_event,
}
_NEEDS_TEXT = frozenset(("cognitoUserPool", "http", "httpApi", "s3", "sns", "stream", "websocket"))
"""Events that make nothing where their value is not known: what it is decides what is made."""


def used(functions: Sequence[Function], kind: str) -> Place | None:
    """The place of the first event of some kind; None where there is none."""
    for function in functions:
        for event in items(function.get("events")):
            if kind in entries(event):
                return event.keys.get(kind, event.place) if isinstance(event, Table) else event.place
    return None
