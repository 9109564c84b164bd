"""What a handler writes into its log: the request, or a secret, at a level that is written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from threatmodel.beside.code.bolt import options
from threatmodel.beside.code.conditions import runs_for_requests, tests_around
from threatmodel.beside.code.flows import SENSITIVE
from threatmodel.beside.code.functions import Function
from threatmodel.beside.code.handled import is_changed
from threatmodel.beside.code.observed import CERTAIN, SIGN, Observed, Reading
from threatmodel.beside.code.syntax import Node, about, walk

_Call = tuple[Function, Node, str]
_PRINTS = re.compile(
    r"(?:\A|\.)(?:print|pprint|console\.(?:log|info|warn|error|debug|dir|table|trace)|(?:sys|process)\.std(?:out|err)\.write)\Z"
)
_LOGGER = re.compile(r"\blog(?:ger|ging)?\b|getLogger|Logger\(|winston|pino|bunyan", re.IGNORECASE)
_LEVELS = {
    **dict.fromkeys(("NOTSET", "TRACE", "DEBUG", "SILLY", "VERBOSE"), 10),
    **dict.fromkeys(("INFO", "LOG"), 20),
    **dict.fromkeys(("WARNING", "WARN"), 30),
    **dict.fromkeys(("ERROR", "EXCEPTION"), 40),
    **dict.fromkeys(("CRITICAL", "FATAL"), 50),
}
_INFO, _WARNING, _ERROR = 20, 30, 40
_AT_INFO = re.compile(r"aws_lambda_powertools|@aws-lambda-powertools|structlog|loguru|winston|pino|bunyan|lambda-log")
"""Loggers that write from INFO on where nothing else is set."""
_SHAPES = frozenset(
    {"addFilter", "setFormatter", "dictConfig", "fileConfig", "disable", "setLogRecordFactory", "setLoggerClass"}
    | {"configure", "redact", "formatter", "formatters", "format", "serializers", "processors", "filters", "hooks"}
    | {"logFormatter", "logger_formatter", "maskFields", "redactPaths"}
)
"""Names by which a program changes or leaves out what its logger writes."""
_WRITERS = frozenset({"console", "stdout", "stderr", "print"})
_SECRET = re.compile(r"(?:SECRET|TOKEN|PASSWORD|SIGNING|PRIVATE_KEY|API_KEY)\w*", re.IGNORECASE)
_NO_SECRET = re.compile(r"(?:NAME|ARN|ID|URL|PATH|PARAMETER|PARAM|TTL|VERSION|KEY_ID)\Z", re.IGNORECASE)
_ENVIRONMENT = re.compile(r"\A(?:os\.environb?|process\.env)\Z|\Aos\.(?:getenv|environ\.get)\Z")


def logs(reading: Reading) -> Iterator[Observed]:
    """Yield that a request or a secret is logged: the first place where it surely is, else the first sign of it."""
    found = sorted(_logs(reading), key=lambda one: one.how != CERTAIN)
    yield from found[:1]


def _logs(reading: Reading) -> Iterator[Observed]:
    shaped, muted = _is_shaped(reading), _is_muted(reading)
    setting = [one for one in reading.program.calls if _may_set(one[2])]
    for function in reading.program.surely:
        for node in function.decorators:
            if node.kind == "call" and _logs_events(node):
                yield reading.at("logs-request", CERTAIN, (function, node), "log_event=True logs each request")
        for node in function.nodes:
            if node.kind != "call" or reading.program.called(node, function) is not None:
                continue
            prints = bool(_PRINTS.search(reading.program.dotted(node.parts[0], function)))
            if not prints and not _is_written(reading, node, function, setting):
                continue
            for one in node.parts[1:]:
                said = _said(reading, one, function)
                if said:
                    unsure = (muted if prints else shaped) or is_changed(reading, one, function)
                    how = SIGN if unsure or not runs_for_requests(reading, function, node) else CERTAIN
                    yield reading.at("logs-request", how, (function, node), f"{node.parts[0].name}() logs {said}")


def _said(reading: Reading, value: Node, function: Function) -> str:
    """Return what of a request or which secret is in an argument; '' for none."""
    labels = reading.flows.of(value, function) & SENSITIVE
    if labels & {"event", "request"}:
        return "the whole request"
    if labels:
        return f"the {min(labels)} of the request"
    return "a secret" if _is_secret(reading, value, function) else ""


def _is_secret(reading: Reading, value: Node, function: Function, depth: int = 0) -> bool:
    """Return whether a text has a variable of the environment that is named as a secret."""
    match value.kind:
        case "join":
            return any(_is_secret(reading, one, function, depth) for one in value.parts)
        case "attribute":
            return _names_secret(value.name) and _is_environment(reading, value.parts[0], function)
        case "call" if len(value.parts) > 1 and value.parts[1].kind == "text":
            return _names_secret(value.parts[1].name) and _is_environment(reading, value.parts[0], function)
        case "name" if depth == 0:
            own = function.assigned.get(value.name, ())
            top = reading.program.top[function.module.path]
            values = own or (() if value.name in function.bound else top.assigned.get(value.name, ()))
            return len(values) == 1 and _is_secret(reading, values[0], function if own else top, depth + 1)
        case _:
            return False


def _names_secret(name: str) -> bool:
    return bool(_SECRET.search(name)) and not _NO_SECRET.search(name)


def _is_environment(reading: Reading, node: Node, function: Function) -> bool:
    return bool(_ENVIRONMENT.search(reading.program.dotted(node, function)))


def _logs_events(call: Node) -> bool:
    return any(
        one.kind == "keyword" and one.name == "log_event" and one.parts[0][:2] == ("constant", "true")
        for one in call.parts[1:]
    )


# --- levels


def _may_set(name: str) -> bool:
    """Return whether what is called may set the level of a logger."""
    return name.endswith(("setLevel", "basicConfig")) or bool(_AT_INFO.search(name))


def _is_written(reading: Reading, call: Node, function: Function, setting: Sequence[_Call]) -> bool:
    """Return whether a call of a logger is at a level that is written."""
    name = reading.program.dotted(call.parts[0], function)
    called = call.parts[0]
    if called.kind != "attribute" or called.name.upper() not in _LEVELS or not _LOGGER.search(name):
        return False
    return _LEVELS[called.name.upper()] >= _level(reading, name.rpartition(".")[0], setting)


def _level(reading: Reading, logger: str, setting: Sequence[_Call]) -> int:
    """Return from which level on a logger writes; what is computed or set under a condition counts as ERROR.

    Lambda has set up the root logger, at WARNING, before the code runs: basicConfig() without force does nothing while
    it has its handler.
    """
    default = _INFO if _AT_INFO.search(logger) else _WARNING
    found = {level for level in (_set_by(reading, logger, *where[:2]) for where in setting) if level}
    return found.pop() if len(found) == 1 else _ERROR if found else default


def _set_by(reading: Reading, logger: str, function: Function, node: Node) -> int:
    """Return the level that a call sets for a logger; 0 where it sets none."""
    set_to = dict(options(node))
    if node.parts[0].name == "setLevel" and len(node.parts) > 1:
        owner = reading.program.dotted(node.parts[0], function).rpartition(".")[0]
        value = node.parts[1] if owner in {logger, "logging.getLogger()", "logging.root"} else None
    elif node.parts[0].name == "basicConfig":
        counts = "force" in set_to or "removeHandler" in reading.program.words
        value = set_to.get("level") if counts else None
    else:
        makes = logger.startswith(reading.program.dotted(node, function)) and _AT_INFO.search(logger)
        value = next((set_to[one] for one in ("level", "logLevel") if one in set_to), None) if makes else None
    if value is None:
        return 0
    level = _LEVELS.get(value.name.upper(), _ERROR) if value.kind in {"text", "attribute", "name"} else _ERROR
    return _ERROR if tests_around(function.body, node) else level


def _is_shaped(reading: Reading) -> bool:
    """Return whether the program changes what its loggers write."""
    return any(
        node.parts[0].name in _SHAPES or any(name in _SHAPES for name, _ in options(node))
        for _, node, _ in reading.program.calls
    )


def _is_muted(reading: Reading) -> bool:
    """Return whether the program replaces the console."""
    return any(
        one.name in _WRITERS
        for module in reading.program.modules.found.values()
        for node in about(module.block, _WRITERS)
        if node.kind == "assign"
        for one in walk(node.parts[0])
    )
