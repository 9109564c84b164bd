"""What an event calls, and the resources that lead there whatever the event is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from threatmodel.reading.problems import Place
from threatmodel.stacks.sam.making import Event, Expansion
from threatmodel.stacks.sam.policies import trust
from threatmodel.stacks.stack import Resource
from threatmodel.stacks.texts import written
from threatmodel.stacks.values import Link, Node, Unknown, text


class TargetFunction(NamedTuple):
    """A function as events name it: `name` where a name or ARN will do, `arn` where it must be an ARN."""

    resource: Resource
    name: Node
    arn: Node

    @classmethod
    def function(cls, resource: Resource) -> TargetFunction:
        """The function itself."""
        return cls(resource, Link(resource.name, "", resource.place), Link(resource.name, "Arn", resource.place))


def permit(making: Expansion, called: TargetFunction, name: str, place: Place, properties: Mapping[str, Any]) -> None:
    """Adds the permission with which a service may call a function."""
    given = {"Action": "lambda:InvokeFunction", "FunctionName": called.name, **properties}
    making.add(called.resource, name, "AWS::Lambda::Permission", given, place)


def proxy_uri(arn: Node, place: Place) -> Node:
    """The address under which API Gateway calls a function."""
    pattern = "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Function}/invocations"
    return written(pattern, {"Function": arn}, place)


def add_starter(  # noqa: PLR0913, PLR0917 - what starts what, and with which other statements
    making: Expansion, maker: Resource, event: Event, service: str, target: Node, boundary: Node | None, **more: Any
) -> Link:
    """Adds the role with which a service may start a state machine or call a function; the role's ARN.

    `more` are other policy documents, by the ends of their names.
    """
    action = "lambda:InvokeFunction" if "Function" in maker.type else "states:StartExecution"
    name, place, start = (
        f"{maker.name}{event.id}",
        event.place,
        {"Effect": "Allow", "Action": action, "Resource": target},
    )
    inline = {f"{maker.name}StartPolicy": start, **{f"{name}{ending}": one for ending, one in more.items()}}
    properties = {
        "AssumeRolePolicyDocument": trust(service, place),
        "Policies": [
            {"PolicyName": called, "PolicyDocument": {"Version": "2012-10-17", "Statement": [one]}}
            for called, one in inline.items()
            if one is not None
        ],
        "PermissionsBoundary": boundary,
    }
    making.add(maker, f"{name}Role", "AWS::IAM::Role", properties, place)
    return Link(f"{name}Role", "Arn", place)


def dead_letters(making: Expansion, maker: Resource, event: Event, rule: Node | None) -> Node | None:
    """Where a rule or schedule puts what it cannot deliver; a queue that SAM makes where only its Type is given."""
    config = event.get("DeadLetterConfig")
    if config is None or isinstance(config, Unknown):
        return config
    if event.get("DeadLetterConfig", "Arn") is not None or event.get("DeadLetterConfig", "Type") is None:
        return event.get("DeadLetterConfig", "Arn")
    name = f"{maker.name}{event.id}"
    queue = text(event.get("DeadLetterConfig", "QueueLogicalId")) or f"{name}Queue"
    making.add(maker, queue, "AWS::SQS::Queue", {}, config.place)
    arn = Link(queue, "Arn", config.place)
    if rule is not None:
        document = sender_document({"Service": "events.amazonaws.com"}, rule, arn)
        properties = {"PolicyDocument": document, "Queues": [Link(queue, "", config.place)]}
        making.add(maker, f"{name}QueuePolicy", "AWS::SQS::QueuePolicy", properties, config.place)
    return arn


def sender_document(principal: Any, source: Any, queue: Any) -> dict[str, Any]:
    """A queue policy that lets one source send."""
    statement = {
        "Effect": "Allow",
        "Principal": principal,
        "Action": "sqs:SendMessage",
        "Resource": queue,
        "Condition": {"ArnEquals": {"aws:SourceArn": source}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def schedule(making: Expansion, maker: Resource, event: Event, target: Node, boundary: Node | None) -> None:
    """Adds an EventBridge Scheduler schedule, and the role that it calls with where none is named."""
    name, place = f"{maker.name}{event.id}", event.place
    letters, role = dead_letters(making, maker, event, None), event.get("RoleArn")
    if role is None:
        to_letters = None if letters is None else {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": letters}
        service = "scheduler.amazonaws.com"
        role = add_starter(making, maker, event, service, target, boundary, SQSPolicy=to_letters)
    kept = (
        "ScheduleExpression",
        "State",
        "GroupName",
        "KmsKeyArn",
        "StartDate",
        "EndDate",
        "ScheduleExpressionTimezone",
    )
    reached = {
        "Arn": target,
        "RoleArn": role,
        "Input": event.get("Input"),
        "DeadLetterConfig": None if letters is None else {"Arn": letters},
        "RetryPolicy": event.get("RetryPolicy"),
    }
    properties = {
        **{key: event.get(key) for key in kept},
        "Name": event.get("Name"),
        "FlexibleTimeWindow": event.get("FlexibleTimeWindow") or {"Mode": "OFF"},
        "Target": reached,
    }
    making.add(maker, name, "AWS::Scheduler::Schedule", properties, place)


def rule(making: Expansion, maker: Resource, event: Event, target: Node, role: Node | None) -> Node:
    """Adds an EventBridge rule with one target; the rule's ARN."""
    name, place = f"{maker.name}{event.id}", event.place
    arn = Link(name, "Arn", place)
    letters = dead_letters(making, maker, event, arn)
    reached = {
        "Arn": target,
        "Id": event.get("Target", "Id") or f"{name}Target",
        "RoleArn": role,
        "Input": event.get("Input"),
        "InputPath": event.get("InputPath"),
        "InputTransformer": event.get("InputTransformer"),
        "DeadLetterConfig": None if letters is None else {"Arn": letters},
        "RetryPolicy": event.get("RetryPolicy"),
    }
    properties = {
        "ScheduleExpression": event.get("Schedule"),
        "EventBusName": event.get("EventBusName"),
        "EventPattern": event.get("Pattern"),
        "Name": event.get("RuleName") or event.get("Name"),
        "State": event.get("State") or _state(event.get("Enabled")),
        "Targets": [reached],
    }
    making.add(maker, name, "AWS::Events::Rule", properties, place)
    return arn


def _state(enabled: Node | None) -> Any:
    if enabled is None or isinstance(enabled, Unknown):
        return enabled
    return "ENABLED" if getattr(enabled, "value", None) is True else "DISABLED"
