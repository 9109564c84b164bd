"""Where parts of a request go: from the parameters of a handler through variables, calls and results."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from threatmodel.beside.code.functions import Function
from threatmodel.beside.code.packages import BOLT
from threatmodel.beside.code.program import Program, given_functions
from threatmodel.beside.code.syntax import Node

Labels = frozenset[str]
NONE: Labels = frozenset()
WHOLE: Labels = frozenset({"event", "request", "headers", "signature", "signature part"})
"""What a signature can be verified with: it is in a header."""
SENSITIVE: Labels = frozenset({"event", "request", "headers", "signature", "body", "payload"})
"""Parts of a request with its signature, or with all that a user wrote."""
GIVEN: Labels = frozenset({"body", "payload", "field"})
"""Parts of a request that its sender chooses."""
ANY: Labels = SENSITIVE | GIVEN | frozenset({"header", "id", "signature part"})
"""Every part of a request."""
_MOST_ROUNDS = 8

_OF_EVENT = {
    **dict.fromkeys(("headers", "multiValueHeaders"), "headers"),
    **dict.fromkeys(("body", "rawBody", "Body"), "body"),
    **dict.fromkeys(("queryStringParameters", "multiValueQueryStringParameters", "rawQueryString"), "payload"),
    **dict.fromkeys(("pathParameters", "Records", "detail", "cookies"), "payload"),
    **dict.fromkeys(("requestContext", "isBase64Encoded", "httpMethod", "path", "rawPath", "resource", "source"), ""),
    **dict.fromkeys(("ResponseURL", "RequestType", "StackId", "LogicalResourceId"), ""),  # CloudFormation's, alone
    **dict.fromkeys(("detail-type", "stageVariables", "version", "routeKey", "time", "region", "account"), ""),
}
_OF_REQUEST = {
    **dict.fromkeys(("headers", "rawHeaders"), "headers"),
    **dict.fromkeys(("rawBody", "data", "get_data", "text"), "body"),
    **dict.fromkeys(("body", "form", "values", "args", "query", "params", "json", "get_json", "view_args"), "payload"),
    **dict.fromkeys(("method", "path", "url", "base_url", "ip", "context", "apiGateway"), ""),
    "get": "headers",
}
_PARTS = frozenset({"event", "payload"})
"""Keys of a request of Slack whose value is the most of it."""
_IDS = re.compile(
    r"(?:user|user_?id|user_?name|channel|channel_?id|channel_?name|team|team_?id|team_?domain|enterprise\w*|bot_?id)\Z"
    r"|(?:ts|thread_ts|event_ts|trigger_id|type|subtype|token|api_app_id|action_id|callback_id|client_msg_id|hash)\Z"
)
"""Keys of a request of Slack whose value Slack makes, and no user types."""
_LISTENED = frozenset({"body", "payload", "command", "event", "message", "action", "view", "shortcut", "options"})
"""Parameters by which Bolt gives a listener the request, or a part of it."""
_LISTENERS = frozenset({"command", "action", "event", "message", "view", "shortcut", "options", "use", "middleware"})
_ROUTES = frozenset({"post", "get", "all", "put", "use", "any", "patch", "delete"})
_THROUGH = frozenset(
    {
        "strip",
        "lstrip",
        "rstrip",
        "split",
        "rsplit",
        "splitlines",
        "lower",
        "upper",
        "title",
        "decode",
        "encode",
        "items",
    }
    | {
        "values",
        "copy",
        "pop",
        "setdefault",
        "trim",
        "toLowerCase",
        "toUpperCase",
        "toString",
        "slice",
        "substring",
    }
    | {"substr", "concat", "join", "partition", "removeprefix", "removesuffix", "entries", "at", "shift", "getlist"}
    | {
        "trimStart",
        "trimEnd",
        "match",
        "groups",
        "group",
        "map",
        "filter",
        "text",
        "json",
        "get_json",
        "get_data",
        "read",
    }
)
"""Methods whose result holds what they are called on."""
_PARTS_OF = frozenset({"split", "rsplit", "partition", "slice", "substring", "substr", "match"})
"""Those of them that give pieces of a text."""
_PARSES = (
    *("json.loads", "JSON.parse", ".parse_qs()", "parse_qs", "parse_qsl", "querystring.parse", "qs.parse"),
    *("querystring.decode", "URLSearchParams", "simplejson.loads", "ujson.loads", "orjson.loads", "parse_multipart"),
    *("Object.fromEntries", ".unserialize"),
)
_KEEPS = (
    *("json.dumps", "JSON.stringify", "str", "repr", "dict", "bytes", "String", "Buffer.from", "util.inspect"),
    *(
        "os.path.splitext",
        "base64.b64decode",
        "b64decode",
        "base64.standard_b64decode",
        "unquote",
        "unquote_plus",
        "decodeURIComponent",
    ),
    *(
        "atob",
        "copy.deepcopy",
        "pprint.pformat",
        "Object.assign",
        "structuredClone",
        "to_str",
        "pformat",
        "querystring.unescape",
    ),
)


class Flows:
    """What each expression of a program holds of a request."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.variables: dict[tuple[int, str], Labels] = {}
        self.attributes: dict[str, Labels] = {}
        self.results: dict[int, Labels] = {}
        self.items: dict[int, list[Labels]] = {}
        self.keys: dict[tuple[int, str], Labels] = {}
        self._begin()
        for _ in range(_MOST_ROUNDS):
            before = (dict(self.variables), dict(self.attributes), dict(self.results))
            for function in program.surely:
                self._follow(function)
            if before == (self.variables, self.attributes, self.results):
                break

    # --- where requests come in

    def _begin(self) -> None:
        for handler in self.program.entries:
            if handler.parameters:
                self._receive(handler, handler.parameters[0], "event", _OF_EVENT)
        bolt = any(name in BOLT for name in self.program.modules.packages)
        for function in self.program.surely:
            if bolt and function.decorators:
                self._listen(function, function.parameters)
            for call in function.nodes:
                if call.kind != "call":
                    continue
                called = call.parts[0].parts[0] if call.parts[0].kind == "call" else call.parts[0]
                for parameters, within in self._callbacks(call, function):
                    if bolt and called.name in _LISTENERS:
                        self._listen(within, parameters)
                    elif (
                        called.kind == "attribute" and called.name in _ROUTES and _is_route(call, parameters, function)
                    ):
                        self._receive(within, parameters[0], "request", _OF_REQUEST)

    def _receive(self, function: Function, parameter: Node, label: str, keys: dict[str, str]) -> None:
        if parameter.name:
            self._add(function, parameter.name, frozenset({label}))
        for one in parameter.parts:
            if one.kind == "as":
                self._add(function, one.name, _label(keys.get(one.parts[0].name, "field")))

    def _listen(self, function: Function, parameters: Sequence[Node]) -> None:
        for parameter in parameters:
            for one in (parameter, *parameter.parts):
                key = one.parts[0].name if one.kind == "as" else one.name
                if key in _LISTENED and one.name:
                    self._add(function, one.name, frozenset({"payload"}))

    def _callbacks(self, call: Node, function: Function) -> Iterator[tuple[tuple[Node, ...], Function]]:
        """Yield the parameters of the functions that a call is given, with the function that has them as names."""
        for given in call.parts[1:]:
            for one in given_functions(given):
                if one.kind == "function":
                    yield one.parts[0].parts, function
                elif one.kind == "name" and (named := self.program.names.function(one.name, function)) is not None:
                    yield tuple(named.parameters), named

    # --- where they go

    def _follow(self, function: Function) -> None:
        for node in function.nodes:
            if node.kind == "assign" and node.parts[0].kind == "list":
                self._unpack(node, function)
            elif node.kind == "assign":
                self._assign(node.parts[0], self.of(node.parts[1], function), function)
            elif node.kind == "call":
                target = self.program.called(node, function)
                every = (target,) if target is not None else self.program.names.selected(node, function)
                for receiver in every:
                    self._give(node, receiver, function)
            elif node.kind == "return" and node.parts:
                key = id(function.node)
                self.results[key] = self.results.get(key, NONE) | self.of(node.parts[0], function)
                if node.parts[0].kind == "list":
                    items = [self.of(one, function) for one in node.parts[0].parts]
                    before = self.items.get(key, [])
                    self.items[key] = [a | b for a, b in zip_longest(items, before, fillvalue=NONE)]
                for one in node.parts[0].parts if node.parts[0].kind == "dict" else ():
                    if one.kind == "pair" and one.name:
                        held = self.keys.get((key, one.name), NONE)
                        self.keys[key, one.name] = held | self.of(one.parts[0], function)

    def _unpack(self, node: Node, function: Function) -> None:
        """Follow an assignment to several targets, item by item where the value is a list or returns one."""
        targets, value = node.parts[0].parts, node.parts[1]
        target = self.program.called(value, function) if value.kind == "call" else None
        labels = [self.of(value, function)] * len(targets)
        if value.kind == "list" and len(value.parts) == len(targets):
            labels = [self.of(one, function) for one in value.parts]
        elif target is not None and len(self.items.get(id(target.node), ())) == len(targets):
            labels = self.items[id(target.node)]
        for one, label in zip(targets, labels, strict=True):
            self._assign(one, label, function)

    def _assign(self, target: Node, labels: Labels, function: Function) -> None:
        if not labels:
            return
        match target.kind:
            case "name":
                self._add(function, target.name, labels)
            case "list":
                for one in target.parts:
                    self._assign(one, labels, function)
            case "attribute" if target.parts[0].name in {"self", "this"}:
                self.attributes[target.name] = self.attributes.get(target.name, NONE) | labels

    def _give(self, call: Node, target: Function, function: Function) -> None:
        parameters = [one for one in target.parameters if one.name not in {"self", "cls"}]
        for number, one in enumerate(call.parts[1:]):
            if one.kind == "keyword":
                self._add(target, one.name, self.of(one.parts[0], function))
            elif number < len(parameters):
                labels = self.of(one, function)
                self._add(target, parameters[number].name, labels)
                for inner in parameters[number].parts:
                    self._add(
                        target, inner.name, self._key(labels, inner.parts[0].name) if inner.kind == "as" else NONE
                    )

    def _add(self, function: Function, name: str, labels: Labels) -> None:
        if labels and name:
            key = (id(function.node), name)
            self.variables[key] = self.variables.get(key, NONE) | labels

    # --- what an expression holds

    def of(self, node: Node, function: Function, depth: int = 0) -> Labels:
        """Return what an expression holds of a request."""
        if depth > _DEEPEST:
            return NONE
        match node.kind:
            case "name":
                return self._name(node.name, function)
            case "item" | "attribute":
                part = self._part(node, function)
                return part if part is not None else self._inside(node, function, depth)
            case "call":
                return self._call(node, function, depth)
            case "assign":
                return self.of(node.parts[1], function, depth + 1)
            case "join" | "or" | "and" | "list" | "dict" | "pair" | "spread" | "keyword":
                return NONE.union(*(self.of(one, function, depth + 1) for one in node.parts))
            case "choice":
                return NONE.union(*(self.of(one, function, depth + 1) for one in node.parts[1:]))
            case "operation" if node.name == "await":
                return self.of(node.parts[0], function, depth + 1)
            case _:
                return NONE

    def _inside(self, node: Node, function: Function, depth: int) -> Labels:
        """Return what an item or a key holds of what holds a part of a request."""
        owner = self.of(node.parts[0], function, depth + 1)
        if node.kind == "item":
            return frozenset(_ITEMS.get(one, one) for one in owner)
        if not owner and node.parts[0].name in {"self", "this"}:
            return self.attributes.get(node.name, NONE)
        return self._key(owner, node.name)

    def _part(self, node: Node, function: Function) -> Labels | None:
        """Return what an item or a key holds of a list or a dictionary that a function of the folder returns."""
        value = node.parts[0]
        target = self.program.called(value, function) if value.kind == "call" else None
        if target is None:
            return None
        if node.kind == "attribute":
            return self.keys.get((id(target.node), node.name))
        index = node.parts[1].name if len(node.parts) > 1 else ""
        items = self.items.get(id(target.node), [])
        return items[int(index)] if index.isdigit() and int(index) < len(items) else None

    def _name(self, name: str, function: Function) -> Labels:
        for here in function.scopes:
            key = (id(here.node), name)
            if key in self.variables or name in here.assigned or name in here.bound:
                return self.variables.get(key, NONE)
        if function.module.imports.get(name, ("", ""))[0] == "flask" and name == "request":
            return frozenset({"request"})
        return NONE

    def _key(self, owner: Labels, key: str) -> Labels:
        found: set[str] = set()
        for one in owner if key not in {"length", "size"} else ():
            match one:
                case "event":
                    found |= _label(_OF_EVENT.get(key, "field"))
                case "request":
                    found |= _label(_OF_REQUEST.get(key, "field"))
                case "headers":
                    found.add("signature" if "signature" in key.lower() else "header")
                case "payload" if key in _PARTS:
                    found.add("payload")
                case _:
                    found.add("id" if _IDS.match(key) else _ITEMS.get(one, one))
        return frozenset(found)

    def _call(self, node: Node, function: Function, depth: int) -> Labels:
        called, arguments = node.parts[0], node.parts[1:]
        target = self.program.called(node, function)
        if target is not None:
            return self.results.get(id(target.node), NONE)
        if called.kind == "attribute":
            owner = self.of(called.parts[0], function, depth + 1)
            if owner and called.name == "get" and arguments and arguments[0].kind == "text":
                return self._key(owner, arguments[0].name)
            if owner and called.name == "get":
                return frozenset(_ITEMS.get(one, one) for one in owner)
            if owner and called.name in _OF_REQUEST and "request" in owner:
                return self._key(owner, called.name)
            if owner and called.name in _THROUGH:
                return frozenset(_parted(one) for one in owner) if called.name in _PARTS_OF else owner
        name = self.program.dotted(called, function)
        if name.endswith(_PARSES) or name in _KEEPS or name.endswith(tuple(f".{one}" for one in _KEEPS)):
            given = NONE.union(*(self.of(one, function, depth + 1) for one in arguments))
            return frozenset("payload" if one == "body" and name.endswith(_PARSES) else one for one in given)
        if called.kind == "attribute" and called.name in {"join", "concat", "format"}:
            return NONE.union(*(self.of(one, function, depth + 1) for one in arguments))
        return NONE


def _is_route(call: Node, parameters: Sequence[Node], function: Function) -> bool:
    """Return whether a call may route requests to a function: it gives it no options, nor an error and a result."""
    values = function.assigned.get(call.parts[1].name, ()) if call.parts[1].kind == "name" else call.parts[1:2]
    return bool(parameters) and parameters[0].name not in _ERRORS and not any(one.kind == "dict" for one in values)


_ERRORS = frozenset({"err", "error", "e"})
"""Names of the first parameter of a callback that gets an error or a result."""
_DEEPEST = 30
_ITEMS = {
    "event": "field",
    "headers": "header",
    "signature": "signature part",
    "payload": "field",
    "body": "body",
    "field": "field",
}


def _parted(label: str) -> str:
    """Return the label of a piece of a text: that of a signature is none that anyone can use."""
    return "signature part" if label == "signature" else label


def _label(name: str) -> Labels:
    return frozenset({name}) if name else NONE
