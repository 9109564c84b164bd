"""What a handler writes into its log and its answers, such as texts of exceptions; and secrets in its own text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from threatmodel.beside.code.flows import SENSITIVE
from threatmodel.beside.code.observed import CERTAIN, Observed, Reading
from threatmodel.beside.code.program import Function
from threatmodel.beside.code.syntax import Node, walk

_PRINTS = re.compile(
    r"(?:\A|\.)(?:print|pprint|console\.(?:log|info|warn|error|debug|dir|table|trace)|(?:sys|process)\.std(?:out|err)\.write)\Z"
)
_ALWAYS = frozenset({"warning", "warn", "error", "exception", "critical", "fatal"})
_BY_LEVEL = frozenset({"info", "debug", "log"})
_LOGGER = re.compile(r"\blog(?:ger|ging)?\b|getLogger|Logger\(|winston|pino|bunyan", re.IGNORECASE)
_LEVELS = {"debug": ("DEBUG",), "info": ("DEBUG", "INFO"), "log": ("DEBUG", "INFO")}
_POWERTOOLS = re.compile(
    r"aws_lambda_powertools|@aws-lambda-powertools|structlog|loguru|winston|pino|bunyan|lambda-log"
)
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
_SIGNING = re.compile(r"sign\w*_?secret|signing", re.IGNORECASE)
_EXAMPLE = re.compile(r"x{6,}|0{8,}|example|your|placeholder|dummy|123456", re.IGNORECASE)
_TRACES = re.compile(r"traceback\.(?:format_exc|format_exception)\(|(?:\A|\.)format_exc\(")
_SHOWS = frozenset({"str", "repr", "String", "format_exception"})
_RESPONDS = frozenset({"callback", "ack", "respond", "say"})
_TELLS = frozenset({"message", "stack", "toString", "args", "response"})
_BODIES = frozenset({"body", "text", "message", "error", "errorMessage", "detail"})


def answers(reading: Reading) -> Iterator[Observed]:
    """Yield what is logged, what answers tell, and which secrets are in the text of the code."""
    yield from _logs(reading)
    yield from _told(reading)
    yield from _literals(reading)


# --- logs


def _logs(reading: Reading) -> Iterator[Observed]:
    level = _level(reading)
    for function in reading.program.surely:
        for node in (*function.nodes, *function.decorators):
            if node.kind != "call":
                continue
            if _logs_events(node) and any(node is one for one in function.decorators):
                yield reading.at("logs-request", CERTAIN, (function, node), "log_event=True logs each request")
                return
            if not _is_log(reading, node, function, level):
                continue
            for one in node.parts[1:]:
                labels = reading.flows.of(one, function) & SENSITIVE
                if labels:
                    what = {"event": "the whole request", "request": "the whole request"}
                    said = next(
                        (what[name] for name in sorted(labels) if name in what), f"the {min(labels)} of the request"
                    )
                    yield reading.at("logs-request", CERTAIN, (function, node), f"{node.parts[0].name}() logs {said}")
                    return


def _logs_events(call: Node) -> bool:
    return any(
        one.kind == "keyword"
        and one.name == "log_event"
        and one.parts[0].kind == "constant"
        and one.parts[0].name == "true"
        for one in call.parts[1:]
    )


def _is_log(reading: Reading, call: Node, function: Function, level: str) -> bool:
    """Return whether a call writes to the log, at a level that is written."""
    name = reading.program.dotted(call.parts[0], function)
    if _PRINTS.search(name):
        return True
    if call.parts[0].kind != "attribute" or not _LOGGER.search(name):
        return False
    last = call.parts[0].name
    if last in _ALWAYS:
        return True
    if last not in _BY_LEVEL:
        return False
    return (last != "debug" and bool(_POWERTOOLS.search(name))) or level in _LEVELS[last]


def _level(reading: Reading) -> str:
    """Return the level that the code sets for its log by a constant; '' for Lambda's default, which is WARNING."""
    for _, node in reading.program.nodes():
        if node.kind == "call" and node.parts[0].name in {"setLevel", "basicConfig"}:
            for one in node.parts[1:]:
                for inner in walk(one):
                    if inner.name in {"DEBUG", "INFO"}:
                        return inner.name
    return ""


# --- answers


def _told(reading: Reading) -> Iterator[Observed]:
    """Yield an answer with the text of an exception."""
    for function in reading.program.surely:
        for node in function.nodes:
            if node.kind != "handler" or _is_own(reading, node):
                continue
            for one in walk(node):
                told = _told_by(reading, one, node.name, function)
                if told is not None:
                    yield reading.at(
                        "tells-exception", CERTAIN, (function, told), "an answer has the text of an exception"
                    )
                    return


def _told_by(reading: Reading, node: Node, exception: str, function: Function) -> Node | None:
    """Return the part of an answer that has the text of an exception: of a returned one, or of one that is given."""
    if node.kind == "return" and node.parts and _answers(reading, function, node):
        return next((one for one in _bodies(node.parts[0]) if _tells(reading, one, exception, function)), None)
    if node.kind == "call" and node.parts[0].name in _RESPONDS:
        return next((one for one in node.parts[1:] if _tells(reading, one, exception, function)), None)
    return None


def _is_own(reading: Reading, handler: Node) -> bool:
    """Return whether a handler catches only exceptions of the project, whose texts may be meant for callers."""
    caught = [one for part in handler.parts[1:] for one in (part.parts if part.kind == "list" else (part,))]
    return bool(caught) and all(one.name in reading.program.classes for one in caught)


def _bodies(value: Node) -> Iterator[Node]:
    """Yield the parts of a returned value that a caller reads."""
    for one in walk(value):
        if one.kind == "pair" and one.name in _BODIES:
            yield one.parts[0]
        elif one.kind == "call":
            yield from one.parts[1:]


def _tells(reading: Reading, value: Node, exception: str, function: Function) -> bool:
    for one in walk(value):
        if one.kind == "call" and _TRACES.search(reading.program.dotted(one, function)):
            return True
        if not exception or one.kind not in {"call", "join", "attribute"}:
            continue
        if one.kind == "attribute" and one.name in _TELLS and one.parts[0].name == exception:
            return True
        shown = one.kind == "join" or (one.kind == "call" and one.parts[0].name in _SHOWS)
        if shown and any(part.kind == "name" and part.name == exception for part in one.parts):
            return True
    return False


def _answers(reading: Reading, function: Function, returned: Node) -> bool:
    """Return whether what a function returns is the answer of the handler, by its form or its place."""
    if any(one.kind == "pair" and one.name == "statusCode" for one in walk(returned)):
        return True
    return function is reading.program.handler


# --- secrets in the text


def _literals(reading: Reading) -> Iterator[Observed]:
    """Yield a secret that is written in the code; its value is never part of what is said."""
    for function, node in reading.program.nodes():
        if node.kind == "text":
            found = next((one for one in _SECRETS if one[0].search(node.name)), None)
            if found is not None and not _EXAMPLE.search(node.name):
                note = f"{found[1]} is written in the code"
                yield reading.at("literal-secret", CERTAIN, (function, node), note, found[2])
                return
        if node.kind in {"assign", "keyword", "pair"} and node.parts:
            target = node.parts[0].name if node.kind == "assign" else node.name
            value = node.parts[-1] if node.kind == "assign" else node.parts[0]
            if value.kind == "text" and _HEX.match(value.name) and _SIGNING.search(target):
                note = "a signing secret is written in the code"
                yield reading.at("literal-secret", CERTAIN, (function, node), note, "signing secret")
                return
