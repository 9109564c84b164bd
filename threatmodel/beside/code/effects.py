"""What a call does outside the function: it changes a store, starts something, or sends something."""

from __future__ import annotations

import re

from threatmodel.beside.code.functions import Function
from threatmodel.beside.code.observed import Reading
from threatmodel.beside.code.program import Program
from threatmodel.beside.code.syntax import Node

_AWS = frozenset(
    {
        "put_item",
        "update_item",
        "delete_item",
        "batch_write_item",
        "transact_write_items",
        "put_object",
        "delete_object",
    }
    | {"upload_file", "upload_fileobj", "copy_object", "send_message", "send_message_batch", "publish", "publish_batch"}
    | {"invoke", "invoke_async", "start_execution", "start_sync_execution", "put_events", "put_record", "put_records"}
    | {"send_email", "send_raw_email", "send_task_success", "send_task_failure", "put_parameter", "put_secret_value"}
    | {
        "start_instances",
        "stop_instances",
        "terminate_instances",
        "update_function_code",
        "execute_statement",
        "run_task",
    }
)
_COMMANDS = re.compile(
    r"(?:Put|Update|Delete|BatchWrite|TransactWrite|Send|Publish|Invoke|Start|Stop|Terminate|Run)\w*Command\Z"
)
_AWS_OBJECTS = re.compile(r"boto3\.(?:client|resource|Session)|aws-sdk|@aws-sdk/|AWS\.|session\.(?:client|resource)")
_MAY_READ = re.compile(
    r"(?:invoke(?:_async)?|execute_statement|executeStatement|start_sync_execution|InvokeCommand|ExecuteStatementCommand)\Z"
)
_MEASURES = re.compile(r"(?:MetricData|LogEvents|TraceSegments)(?:Command)?\Z|Start\w*Query\w*Command\Z")
_CAMEL = re.compile(r"_(\w)")
_AWS_JAVASCRIPT = frozenset(_CAMEL.sub(lambda m: m[1].upper(), one) for one in _AWS) | {
    *("put", "update", "batchWrite", "transactWrite", "upload")
}
_HTTP = re.compile(
    r"(?:\A|\.)(?:requests|httpx|session|axios|got|superagent|needle)\.(?:post|put|patch|delete)\Z|\Aurllib\.request\.urlopen\Z"
)
_SLACK = re.compile(r"(?:chat_post\w+|chat_update|views_\w+|files_upload\w*|chat\.post\w+|chat\.update|views\.\w+)\Z")


def effect_of(program: Program, call: Node, function: Function) -> str:
    """Return what a call changes or sends, by the name of what is called; '' where it is not known to do so."""
    name = program.dotted(call.parts[0], function)
    last = call.parts[0].name
    if last in _AWS or (last in _AWS_JAVASCRIPT and _AWS_OBJECTS.search(name)):
        return name
    if call.name == "new" and _COMMANDS.search(name):
        return name
    return name if _HTTP.search(name) or _SLACK.search(name) else ""


def changes(reading: Reading, call: Node, function: Function) -> bool:
    """Return whether a call has an effect; one that may only read has it where it sends data of a request."""
    name = effect_of(reading.program, call, function)
    if _MAY_READ.search(name) or _HTTP.search(name):
        return any(reading.flows.of(one, function) for one in call.parts[1:])
    return bool(name) and not _MEASURES.search(name)


def passes_on(program: Program, call: Node, function: Function) -> bool:
    """Return whether a call hands what it is given to other code: a function, a queue, a workflow."""
    name = effect_of(program, call, function)
    return bool(name) and not _HTTP.search(name) and not _SLACK.search(name)
