"""Bolt, Slack's framework: which applications a handler makes, and whether it hands them its requests."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from threatmodel.beside.code.functions import Function
from threatmodel.beside.code.observed import Reading
from threatmodel.beside.code.packages import BOLT
from threatmodel.beside.code.program import Program
from threatmodel.beside.code.syntax import Node

_APPS = re.compile(r"(?:\A|\.)(?:App|AsyncApp|AwsLambdaReceiver|ExpressReceiver|HTTPReceiver)\Z")
_SERVERS = ("aws-serverless-express", "serverless-express", "serverless-http", "mangum", "serverless_wsgi", "awsgi")
LISTENERS: Mapping[str, str] = {
    "command": "slash-command",
    **dict.fromkeys(("event", "message"), "events"),
    **dict.fromkeys(("action", "block_action", "attachment_action", "options", "block_suggestion"), "interactivity"),
    **dict.fromkeys(("shortcut", "global_shortcut", "message_shortcut"), "interactivity"),
    **dict.fromkeys(("view", "view_submission", "view_closed", "dialog_submission"), "interactivity"),
}
"""The methods that register a listener, each with the feature of Slack that calls it."""


def is_app(name: str) -> bool:
    """Return whether what is called makes an application of Bolt, or what receives its requests."""
    return name.startswith(tuple(BOLT)) and _APPS.search(name) is not None


def hands_over(reading: Reading, node: Node, function: Function) -> bool:
    """Return whether a call gives the request to Bolt, or to a server in front of it."""
    if node.kind != "call" or not any(reading.flows.of(one, function) & {"event"} for one in node.parts[1:]):
        return False
    name = reading.program.dotted(node.parts[0], function)
    return any(one in name for one in (*BOLT, *_SERVERS))


def options(call: Node) -> Iterator[tuple[str, Node]]:
    """Yield the options of a call: keywords, and the pairs of an object."""
    for one in call.parts[1:]:
        if one.kind == "keyword":
            yield one.name, one.parts[0]
        elif one.kind == "dict":
            yield from ((pair.name, pair.parts[0]) for pair in one.parts if pair.kind == "pair")


def in_socket_mode(call: Node) -> bool:
    """Return whether an application gets its requests through a WebSocket that it opens."""
    return any(name == "socketMode" and value[:2] == ("constant", "true") for name, value in options(call))


def listeners(reading: Reading) -> Iterator[tuple[str, tuple[Function, Node]]]:
    """Yield the listeners of Bolt's applications that requests reach: the feature of Slack, and where."""
    program = reading.program
    apps = [node for _, node, name in program.calls if is_app(name)]
    served = program.handler is None or any(
        hands_over(reading, node, function) for function in program.surely for node in function.nodes
    )
    if not served or not apps or all(map(in_socket_mode, apps)):
        return
    for function, node, name in program.calls:
        called = node.parts[0]
        listens = called.kind == "attribute" and called.name in LISTENERS and len(node.parts) > 1
        if listens and (name.startswith(tuple(BOLT)) or _is_given_app(program, called.parts[0], function)):
            yield LISTENERS[called.name], (function, node)


def _is_given_app(program: Program, node: Node, function: Function) -> bool:
    """Return whether a name is that of an application: it is assigned one, imported from its module, or a parameter."""
    for here in function.scopes if node.kind == "name" else ():
        if any(_makes(program, value, here) for value in here.assigned.get(node.name, ())):
            return True
        if node.name in here.assigned and node.name not in function.module.imports:
            return False
        if node.name in here.bound:
            return True
    target, original = function.module.imports.get(node.name, ("", ""))
    if target not in program.top:
        return False
    top = program.top[target]
    every = top.assigned.values() if original in {"*", "default"} else (top.assigned.get(original, ()),)
    return any(_makes(program, value, top) for values in every for value in values)


def _makes(program: Program, value: Node, function: Function) -> bool:
    return value.kind == "call" and is_app(program.dotted(value.parts[0], function))
