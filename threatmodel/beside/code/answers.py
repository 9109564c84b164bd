"""What a handler tells in its answers, such as texts of exceptions; and secrets in its own text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from threatmodel.beside.code.conditions import tests_around
from threatmodel.beside.code.functions import Function
from threatmodel.beside.code.observed import CERTAIN, SIGN, Observed, Reading
from threatmodel.beside.code.syntax import Node, walk

_SECRETS = (
    (re.compile(r"xox[abeoprs]-[0-9A-Za-z-]{10,}"), "a token of Slack", "token"),
    (re.compile(r"xapp-[0-9]-[0-9A-Za-z-]{10,}"), "an app token of Slack", "app token"),
    (re.compile(r"(?:AKIA|ASIA)[0-9A-Z]{16}"), "an access key of AWS", ""),
    (re.compile(r"/services/T[A-Z0-9]{8,}/B[A-Z0-9]{8,}/\w{20,}"), "a webhook of Slack", "webhook"),
    (re.compile(r"-----BEGIN (?:[A-Z ]+ )?PRIVATE KEY-----"), "a private key", ""),
    (re.compile(r"(?:ghp|gho|ghs)_[0-9A-Za-z]{36}|github_pat_\w{60,}"), "a token of GitHub", ""),
    (re.compile(r"sk-(?:ant-|proj-)?[0-9A-Za-z_-]{32,}"), "a key of a model's API", ""),
)
_HEX = re.compile(r"[0-9a-f]{32}\Z")
_KEY = re.compile(r"[0-9a-z]{24,}\Z", re.IGNORECASE)
_SIGNING = re.compile(r"sign\w*_?secret|signing", re.IGNORECASE)
_ABOUT = re.compile(r"(?:_?id|name|arn|md5|hash|fingerprint|digest|version|path|url)\Z", re.IGNORECASE)
"""How the name of something ends that is about a secret, and is none."""
_NAMED = re.compile(
    r"(?:secret(?:_?key)?|pass(?:word|wd|phrase)|(?:api|private|encryption|signing)_?key|(?:access|auth|api|bot)_?token)\Z",
    re.IGNORECASE,
)
"""How the name of a secret ends."""
_VALUE = re.compile(
    r"(?![A-Z0-9_]+\Z)(?=.*[A-Za-z])(?=.*(?:\d|[^\w\s.:/-]))[^\s/{}<>$]{8,200}\Z"
    r"|(?!.*(?i:secret|key|pass|token|param|header))(?=.*[a-z][A-Z])[A-Za-z]{20,200}\Z"
)
"""A text that may be a secret: one word with a digit or a sign, or a long one; no path, no address and no variable."""
_VERIFIES = re.compile(r"(?:\A|\.)(?:SignatureVerifier|createHmac|hmac\.new|hmac\.digest|SlackEventAdapter)\Z")
_EXAMPLE = re.compile(r"x{6,}|0{8,}|example|your|placeholder|dummy", re.IGNORECASE)
_TRACES = re.compile(r"traceback\.(?:format_exc|format_exception)\(|(?:\A|\.)format_exc\(")
_SHOWS = frozenset({"str", "repr", "String", "format_exception"})
_RESPONDS = frozenset({"callback", "ack", "respond", "say"})
_TELLS = frozenset({"message", "stack", "toString", "args", "response"})
_ALL = frozenset({"Exception", "BaseException"})
_MAKES = re.compile(
    r"(?:\A|\.)(?:dumps|JSON\.stringify|str|dict|jsonify|\w*Response|make_response|encode|String|format|response|reply)\Z"
)
"""What makes an answer of what it is given."""
_BODIES = frozenset({"body", "text", "message", "error", "errorMessage", "detail"})


def answers(reading: Reading) -> Iterator[Observed]:
    """Yield what answers tell, and which secrets are in the text of the code."""
    yield from _told(reading)
    yield from islice(_literals(reading), 1)


# --- answers


def _told(reading: Reading) -> Iterator[Observed]:
    """Yield an answer with the text of an exception: the first that surely has it, else the first that may."""
    found = sorted(_all_told(reading), key=lambda one: one.how != CERTAIN)
    yield from found[:1]


def _all_told(reading: Reading) -> Iterator[Observed]:
    raised = _raised(reading)
    for function in reading.program.surely:
        for node in function.nodes:
            if node.kind != "handler":
                continue
            foreign = _is_foreign(reading, node, raised)
            for one in walk(node.parts[0]):
                told = next(_telling(reading, one, node.name, function), None)
                if told is not None:
                    sure = foreign and not tests_around(node.parts[0], one)
                    note = "an answer has the text of an exception"
                    yield reading.at("tells-exception", CERTAIN if sure else SIGN, (function, told), note)


def _telling(reading: Reading, node: Node, exception: str, function: Function) -> Iterator[Node]:
    """Yield what tells the text of an exception: a part of an answer, or a variable that is one after the handler."""
    for part in _answered(reading, node, function):
        if _tells(reading, part, exception, function) or (
            part[:2] == ("name", exception) and _is_shown(reading, node, part, function)
        ):
            yield part
    kept = node.parts[0].name if node.kind == "assign" and node.parts[0].kind == "name" else ""
    if kept and _tells(reading, node.parts[1], exception, function, depth=1):
        later = (one for one in function.nodes if one.kind == "return" and one.line > node.line)
        if any(part[:2] == ("name", kept) for one in later for part in _answered(reading, one, function)):
            yield node.parts[1]


def _is_shown(reading: Reading, answer: Node, exception: Node, function: Function) -> bool:
    """Return whether a function of the folder is given an exception, and what it returns has its text."""
    for call in (one for one in walk(answer) if one.kind == "call"):
        target = reading.program.called(call, function)
        for given, name in zip(call.parts[1:], _names(target), strict=False) if target is not None else ():
            returned = (one for one in target.nodes if one.kind == "return") if target is not None else ()
            if given is exception and any(_shows(inner, name) for one in returned for inner in walk(one)):
                return True
    return False


def _raised(reading: Reading) -> frozenset[str]:
    """Return the names of the exceptions that the code raises itself."""
    given = (node.parts[0] for _, node in reading.program.nodes if node.kind == "raise" and node.parts)
    return frozenset(one.name for made in given for one in (made, *made.parts[:1]))


def _is_foreign(reading: Reading, handler: Node, raised: frozenset[str]) -> bool:
    """Return whether a handler catches exceptions whose texts are not all written in this code."""
    types = [one.name for typed in handler.parts[1:] for one in (typed.parts if typed.kind == "list" else (typed,))]
    own = reading.program.names.classes | raised
    return not types or any(one in _ALL or one not in own for one in types)


def _answered(reading: Reading, node: Node, function: Function) -> Iterator[Node]:
    """Yield the parts of an answer that its receiver reads: of what is returned, or given to what responds."""
    if node.kind == "return" and node.parts and _answers(reading, function, node):
        yield from _bodies(reading, node.parts[0], function)
    elif node.kind == "call" and node.parts[0].name in _RESPONDS:
        yield from node.parts[1:]


def _bodies(reading: Reading, value: Node, function: Function) -> Iterator[Node]:
    for one in walk(value):
        if one.kind == "pair" and one.name in _BODIES:
            yield one.parts[0]
        elif one.kind == "call":
            target = reading.program.called(one, function)
            if target is None and _MAKES.search(reading.program.dotted(one.parts[0], function)):
                yield from one.parts[1:]
            elif target is not None:
                yield from (
                    given for given, name in zip(one.parts[1:], _names(target), strict=False) if _gives(target, name)
                )


def _names(function: Function) -> Iterator[str]:
    yield from (one.name for one in function.parameters if one.name not in {"self", "cls"})


def _gives(function: Function, name: str) -> bool:
    """Return whether a parameter of a function is in what it returns."""
    returned = (node for node in function.nodes if node.kind == "return")
    return any(one.kind == "name" and one.name == name for node in returned for one in walk(node))


def _tells(reading: Reading, value: Node, exception: str, function: Function, depth: int = 0) -> bool:
    """Return whether a value has the text of an exception, whatever a test in it says."""
    ahead = [value]
    while ahead:
        one = ahead.pop()
        if one.kind in {"choice", "and", "compare", "function"}:
            continue
        ahead.extend(one.parts)
        if one.kind == "call" and _TRACES.search(reading.program.dotted(one, function)):
            return True
        if one.kind == "name" and depth == 0 and one.name != exception:
            values = function.assigned.get(one.name, ())
            if len(values) == 1 and _tells(reading, values[0], exception, function, depth + 1):
                return True
        if exception and _shows(one, exception):
            return True
    return False


def _shows(node: Node, exception: str) -> bool:
    match node.kind:
        case "attribute":
            return node.name in _TELLS and node.parts[0].name == exception
        case "call" if node.parts[0].name not in _SHOWS:
            return False
        case "call" | "join":
            return any(part.kind == "name" and part.name == exception for part in node.parts)
        case _:
            return False


def _answers(reading: Reading, function: Function, returned: Node) -> bool:
    """Return whether what a function returns is the answer of the handler, by its form or its place."""
    if any(one.kind == "pair" and one.name == "statusCode" for one in walk(returned)):
        return True
    return function is reading.program.handler


# --- secrets in the text


def _literals(reading: Reading) -> Iterator[Observed]:
    """Yield a secret that is written in the code; its value is never part of what is said."""
    for function, node in reading.program.nodes:
        for found, which in _written(reading, node, function):
            yield reading.at("literal-secret", CERTAIN, (function, node), f"{found} is written in the code", which)


def _written(reading: Reading, node: Node, function: Function) -> Iterator[tuple[str, str]]:
    """Yield which secret a node writes, in words and by its name."""
    if node.kind == "text" and not _EXAMPLE.search(node.name):
        yield from (found[1:] for found in _SECRETS if found[0].search(node.name))
    if node.kind in {"assign", "keyword", "pair"} and node.parts:
        target = node.parts[0].name if node.kind == "assign" else node.name
        value = node.parts[-1] if node.kind == "assign" else node.parts[0]
        if _is_named_secret(target) and any(
            one.kind == "text" and _VALUE.match(one.name) and not _EXAMPLE.search(one.name) for one in _may_be(value)
        ):
            yield "a secret", ""
        named = _SIGNING.search(target) and not _ABOUT.search(target)
        if named and any(one.kind == "text" and _HEX.match(one.name) for one in _may_be(value)):
            yield "a signing secret", "signing secret"
    if node.kind == "call" and _VERIFIES.search(reading.program.dotted(node.parts[0], function)):
        given = (one.parts[0] if one.kind == "keyword" else one for one in node.parts[1:])
        if any(one.kind == "text" and _KEY.match(one.name) for one in given):
            yield "a signing secret", "signing secret"


def _is_named_secret(name: str) -> bool:
    """Return whether a variable, an option or a key is named as a secret, and not as what is about one."""
    return bool(_NAMED.search(name)) and not _ABOUT.search(name)


def _may_be(value: Node) -> Iterator[Node]:
    """Yield what a value may be: itself, an alternative, or the default of a setting."""
    yield value
    if value.kind in {"or", "choice", "list"}:
        yield from (inner for one in value.parts for inner in _may_be(one))
    elif value.kind == "call" and value.parts[0].name in {"get", "getenv"}:
        yield from value.parts[2:]
    elif value.kind == "call" and value.parts[0].kind == "attribute" and value.parts[0].name == "encode":
        yield from _may_be(value.parts[0].parts[0])
