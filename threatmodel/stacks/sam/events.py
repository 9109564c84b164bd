"""Events that call a function: each service's permission, and the resource that makes it call."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from threatmodel.reading.problems import Place
from threatmodel.stacks.apis import Integration
from threatmodel.stacks.sam.making import Event, Expansion, Opened, hashed, literal
from threatmodel.stacks.sam.targets import TargetFunction, permit, proxy_uri, rule, schedule, sender_document
from threatmodel.stacks.texts import written
from threatmodel.stacks.values import Link, Node, Scalar, Table, Unknown, counts, get, items, text

ANY = "x-amazon-apigateway-any-method"
IMPLICIT_REST, IMPLICIT_HTTP = "ServerlessRestApi", "ServerlessHttpApi"


def ask(making: Expansion, called: TargetFunction, event: Event) -> None:
    """Adds what SAM generates for an event that calls the function."""
    SERVICES[event.type](making, called, event)


def _permit(making: Expansion, called: TargetFunction, event: Event, principal: str, **properties: Node | None) -> None:
    given = {"Principal": principal, **properties}
    permit(making, called, f"{called.resource.name}{event.id}Permission", event.place, given)


def _account(place: Place) -> Node:
    return written("${AWS::AccountId}", {}, place)


# --- API Gateway


def api_of(node: Node | None, implicit: str) -> str | None:
    """The name of the API that an event belongs to; None where it is none of this file."""
    if node is None:
        return implicit
    return node.resource if isinstance(node, Link) else text(node)


def trimmed(path: Node | None, place: Place) -> Node:
    """A path as permissions have it: without the slash at its end, parameters as stars."""
    stated = text(path)
    if stated is None:
        return path or Unknown("no path is given", place)
    stated = re.sub(r"\{[^{}]*\}", "*", stated)
    stated = re.sub(r"(?<=.)/\Z", "", stated)
    return path._replace(value=stated) if isinstance(path, Scalar) else Scalar(stated, place)


def starred(method: Node | None) -> Node | str:
    """A method as permissions have it."""
    stated = text(method)
    if stated is None:
        return method or "*"
    return "*" if stated.lower() in {"any", ANY} else stated.upper()


def stage_suffix(making: Expansion, api: str | None) -> str:
    """The end that SAM gives to the permissions for a REST API."""
    resource = making.resources.get(api or "")
    if resource is None:
        return "Prod" if api == IMPLICIT_REST else "AllStages"
    stage = get(resource.properties, "StageName")
    stated = literal(stage)
    return (stated or "Stage") if stated.isalnum() or not stated else hashed(stage)


def _source(pattern: str, api: Node, method: Node | str, path: Node, place: Place) -> Node:
    values = {"Api": api, "Method": Scalar(method, place) if isinstance(method, str) else method, "Path": path}
    return written(f"arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:{pattern}", values, place)


def _rest(making: Expansion, called: TargetFunction, event: Event) -> None:
    if not event.properties.entries:
        return
    name = api_of(event.get("RestApiId"), IMPLICIT_REST)
    api = event.get("RestApiId") if name is None else Link(name, "", event.place)
    path = trimmed(event.get("Path"), event.place)
    source = _source("${Api}/*/${Method}${Path}", api or path, starred(event.get("Method")), path, event.place)
    permission = f"{called.resource.name}{event.id}Permission{stage_suffix(making, name)}"
    given = {"Principal": "apigateway.amazonaws.com", "SourceArn": source}
    permit(making, called, permission, event.place, given)
    if name is not None:
        _open(making, called, event, name, text(event.get("Method")) or "*", event.get("Path") or path)


def opens_everything(event: Event) -> bool:
    """Whether an event leads whatever an HTTP API is asked for to the function."""
    path = event.get("Path")
    return event.type == "HttpApi" and (
        text(path) == "$default" or (not counts(path) and not counts(event.get("Method")))
    )


def _http(making: Expansion, called: TargetFunction, event: Event) -> None:
    name = api_of(event.get("ApiId"), IMPLICIT_HTTP)
    api = event.get("ApiId") if name is None else Link(name, "", event.place)
    path, method = event.get("Path"), event.get("Method")
    everything = opens_everything(event)
    stated = Scalar("", event.place) if everything else trimmed(path, event.place)
    covers = (called.resource.name, name or "")
    if everything or covers not in making.everything:
        pattern = "${Api}/*/${Method}${Path}" if text(path) != "/$default" else "${Api}/*${Path}"
        source = _source(pattern, api or stated, starred(method), stated, event.place)
        _permit(making, called, event, "apigateway.amazonaws.com", SourceArn=source)
    if everything and starred(method) == "*":
        making.everything.add(covers)
    if name is not None:
        any_path = Scalar("$default", event.place) if everything else path or stated
        _open(making, called, event, name, "ANY" if starred(method) == "*" else text(method) or "*", any_path)


def _open(making: Expansion, called: TargetFunction, event: Event, api: str, method: str, path: Node) -> None:  # noqa: PLR0913, PLR0917 - an event, and the way that it opens
    """Notes the way through an API that an event opens."""
    integration = Integration(
        kind="AWS_PROXY",
        uri=proxy_uri(called.arn, event.place),
        method="POST",
        payload=event.get("PayloadFormatVersion") or "2.0",
        timeout=event.get("TimeoutInMillis"),
    )
    making.routes.setdefault(api, []).append(Opened(called.resource, event, method.upper(), path, integration))


# --- other services


def _notification(making: Expansion, called: TargetFunction, event: Event) -> None:
    _permit(making, called, event, "s3.amazonaws.com", SourceAccount=_account(event.place))
    bucket = event.get("Bucket")
    if isinstance(bucket, Link) and bucket.resource in making.resources:
        for kind in items(event.get("Events")):
            given = {"Event": kind, "Function": called.arn, "Filter": event.get("Filter")}
            table = {name: node for name, node in given.items() if node is not None}
            making.notified.setdefault(bucket.resource, []).append(Table(table, event.place))


def _topic(making: Expansion, called: TargetFunction, event: Event) -> None:
    topic, queue = event.get("Topic"), event.get("SqsSubscription")
    if not counts(queue):
        _permit(making, called, event, "sns.amazonaws.com", SourceArn=topic)
        _subscribe(making, called, event, "lambda", called.arn)
        return
    name, place = f"{called.resource.name}{event.id}", event.place
    policy = f"{name}QueuePolicy"
    if isinstance(queue, Scalar):
        making.add(called.resource, f"{name}Queue", "AWS::SQS::Queue", _fifo(making, topic), place)
        arn: Node = Link(f"{name}Queue", "Arn", place)
        url: Node = Link(f"{name}Queue", "", place)
    else:
        unnamed = Unknown("the event names no queue", place)
        arn, url = get(queue, "QueueArn") or unnamed, get(queue, "QueueUrl") or unnamed
        policy = text(get(queue, "QueuePolicyLogicalId")) or policy
    document = sender_document("*", topic or arn, arn)
    making.add(called.resource, policy, "AWS::SQS::QueuePolicy", {"PolicyDocument": document, "Queues": [url]}, place)
    _subscribe(making, called, event, "sqs", arn)
    mapping = {
        "FunctionName": called.name,
        "EventSourceArn": arn,
        "BatchSize": get(queue, "BatchSize") if isinstance(queue, Table) else None,
        "Enabled": True,
    }
    making.add(called.resource, f"{name}EventSourceMapping", "AWS::Lambda::EventSourceMapping", mapping, place)


def _fifo(making: Expansion, topic: Node | None) -> dict[str, Any]:
    made = making.resources.get(topic.resource) if isinstance(topic, Link) else None
    return {} if made is None else {"FifoQueue": get(made.properties, "FifoTopic")}


def _subscribe(making: Expansion, called: TargetFunction, event: Event, protocol: str, endpoint: Node) -> None:
    properties = {
        "Protocol": protocol,
        "Endpoint": endpoint,
        "TopicArn": event.get("Topic"),
        **{name: event.get(name) for name in ("Region", "FilterPolicy", "FilterPolicyScope", "RedrivePolicy")},
    }
    making.add(called.resource, f"{called.resource.name}{event.id}", "AWS::SNS::Subscription", properties, event.place)


def _bus(making: Expansion, called: TargetFunction, event: Event) -> None:
    arn = rule(making, called.resource, event, called.arn, None)
    _permit(making, called, event, "events.amazonaws.com", SourceArn=arn)


def _scheduler(making: Expansion, called: TargetFunction, event: Event) -> None:
    schedule(making, called.resource, event, called.arn, event.get("PermissionsBoundary"))


def _logs(making: Expansion, called: TargetFunction, event: Event) -> None:
    group = event.get("LogGroupName") or Unknown("no log group is named", event.place)
    pattern = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:${Group}:*"
    _permit(making, called, event, "logs.amazonaws.com", SourceArn=written(pattern, {"Group": group}, event.place))
    properties = {"LogGroupName": group, "FilterPattern": event.get("FilterPattern"), "DestinationArn": called.arn}
    name = f"{called.resource.name}{event.id}"
    making.add(called.resource, name, "AWS::Logs::SubscriptionFilter", properties, event.place)


def _things(making: Expansion, called: TargetFunction, event: Event) -> None:
    name, place = f"{called.resource.name}{event.id}", event.place
    pattern = "arn:${AWS::Partition}:iot:${AWS::Region}:${AWS::AccountId}:rule/${Rule}"
    source = written(pattern, {"Rule": Link(name, "", place)}, place)
    _permit(making, called, event, "iot.amazonaws.com", SourceArn=source, SourceAccount=_account(place))
    payload = {
        "Sql": event.get("Sql"),
        "AwsIotSqlVersion": event.get("AwsIotSqlVersion"),
        "RuleDisabled": False,
        "Actions": [{"Lambda": {"FunctionArn": called.arn}}],
    }
    making.add(called.resource, name, "AWS::IoT::TopicRule", {"TopicRulePayload": payload}, place)


def _users(making: Expansion, called: TargetFunction, event: Event) -> None:
    pool = event.get("UserPool")
    source = Link(pool.resource, "Arn", event.place) if isinstance(pool, Link) else pool
    name = f"{called.resource.name}CognitoPermission"
    permit(making, called, name, event.place, {"Principal": "cognito-idp.amazonaws.com", "SourceArn": source})
    if isinstance(pool, Link) and pool.resource in making.resources:
        for trigger in items(event.get("Trigger")):
            making.triggered.setdefault(pool.resource, {}).setdefault(text(trigger) or "*", called.arn)


def _skill(making: Expansion, called: TargetFunction, event: Event) -> None:
    _permit(making, called, event, "alexa-appkit.amazon.com", EventSourceToken=event.get("SkillId"))


SERVICES: Mapping[str, Callable[[Expansion, TargetFunction, Event], None]] = {
    "Api": _rest,
    "HttpApi": _http,
    "S3": _notification,
    "SNS": _topic,
    "Schedule": _bus,
    "CloudWatchEvent": _bus,
    "EventBridgeRule": _bus,
    "ScheduleV2": _scheduler,
    "CloudWatchLogs": _logs,
    "IoTRule": _things,
    "Cognito": _users,
    "AlexaSkill": _skill,
}
"""What is generated for each type of event that calls a function."""
