"""How a handler keeps things: conditions of its writes, what it remembers, time limits of its calls."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from threatmodel.beside.code.conditions import tests_around
from threatmodel.beside.code.flows import GIVEN
from threatmodel.beside.code.functions import Function, derived
from threatmodel.beside.code.handled import is_handled
from threatmodel.beside.code.observed import CERTAIN, CLAIMED, SIGN, Observed, Reading
from threatmodel.beside.code.syntax import Node, walk

_WRITES = frozenset(
    {"put_item", "update_item", "putItem", "updateItem", "PutItemCommand", "UpdateItemCommand", "PutCommand"}
) | {"UpdateCommand"}
_READS = frozenset({"get_item", "getItem", "GetItemCommand", "GetCommand", "query", "QueryCommand"})
_CLIENT = re.compile(r"DocumentClient\([^)]*\)\.(?:put|update)\Z")
_CHANGES = frozenset(
    {"delete_item", "update_item", "delete_object", "deleteItem", "updateItem", "deleteObject", "DeleteItemCommand"}
    | {"UpdateItemCommand", "DeleteObjectCommand", "DeleteCommand"}
) | {"UpdateCommand"}
_CHANGES_IN = re.compile(r"DocumentClient\([^)]*\)\.(?:delete|update)\Z")
"""What changes or removes the object that its key names."""
_WRITTEN = frozenset({"ExpressionAttributeValues", "UpdateExpression", "AttributeUpdates"})
"""The options of an update that say what it writes."""
_IDENTITY = re.compile(
    r"authoriz|identity|claim|principal|cognito|jwt|token|session|cookie|secret|signature|hmac|password|api_?key|\bsub\b"
    r"|owner|caller|tenant|user|account|permission|allowed|admin",
    re.IGNORECASE,
)
"""Words by which code speaks of who calls."""
_CONDITION = "ConditionExpression"
_REQUESTS = re.compile(r"\Arequests\.(?:get|post|put|patch|delete|head|request)\Z")
_RANDOM = re.compile(r"\A(?:uuid\.uuid[14]|random\.\w+|secrets\.\w+|crypto\.random\w+|uuid\.v4|time\.time)\Z")
_JSON = re.compile(r"(?:\A|\.)(?:json\.loads|JSON\.parse)\(")
_REDIRECTS = re.compile(r"oauth[._]v2[._]access|oauth_v2_access|oauth\.access")


def writes(reading: Reading) -> Iterator[Observed]:
    """Yield what is seen of writes, of what is remembered, and of calls to the outside."""
    yield from _conditions(reading)
    for first_of in (_remembered, _timeouts, _at_start, _state, _of_anyone):
        yield from islice(first_of(reading), 1)


def _named(call: Node) -> str:
    return call.parts[0].name


def _conditions(reading: Reading) -> Iterator[Observed]:
    called = reading.program.sure_calls
    put = [(function, node) for function, node, name in called if _named(node) in _WRITES or _CLIENT.search(name)]
    if not put:
        return
    bare = [found for found in put if not any(one.name == _CONDITION for one in _given(*found))]
    for function, node in bare:
        if _relies_on_read(function, node):
            note = f"{_named(node)}() writes without a condition what was read before"
            yield reading.at("read-then-write", SIGN, (function, node), note)
            yield reading.at("unconditional", CERTAIN, (function, node), note)
            break
    if not bare and reading.whole:
        yield reading.at("conditional", CLAIMED, put[0], "each write has a condition", value=True)
    for function, node in put:
        pairs = (one for one in _given(function, node) if one.kind in {"pair", "keyword"} and one.name == "Item")
        value = next((one.parts[0] for one in pairs), None)
        if value is not None and reading.flows.of(value, function) & {"payload"} and value.kind in {"name", "call"}:
            note = f"{_named(node)}() stores the whole object that a request brings"
            how = SIGN if is_handled(reading, value, function, node, "object") else CERTAIN
            yield reading.at("stores-whole", how, (function, node), note)
            return


def _of_anyone(reading: Reading) -> Iterator[Observed]:
    """Yield a change of an object that a request names, in code that nowhere speaks of who calls."""
    if reading.openings or any(_IDENTITY.search(word) for word in reading.program.words):
        return
    for function, node, name in reading.program.sure_calls:
        if _named(node) not in _CHANGES and not _CHANGES_IN.search(name):
            continue
        options = [one for one in _given(function, node) if one.kind in {"pair", "keyword"}]
        given = {one.name for one in options if one.parts and reading.flows.of(one.parts[0], function) & GIVEN}
        removes = "delete" in _named(node).lower()  # what a count adds is not the caller's
        if "Key" in given and (removes or given & _WRITTEN):
            note = f"{_named(node)}() changes the object that a request names, and no code reads who calls"
            yield reading.at("any-object", CERTAIN, (function, node), note)


def _given(function: Function, call: Node) -> Iterator[Node]:
    """Yield all that a call is given, the only value of a variable too."""
    for one in call.parts[1:]:
        values = function.assigned.get(one.name, ()) if one.kind == "name" else ()
        for part in (one, *values[:1]) if len(values) == 1 else (one,):
            yield from walk(part)


def _relies_on_read(function: Function, write: Node) -> bool:
    """Return whether what is written, or whether it is, depends on what the function read from a store before."""
    read = {
        target.name
        for node in function.nodes
        if node.kind == "assign" and any(one.kind == "call" and _named(one) in _READS for one in walk(node.parts[1]))
        for target in walk(node.parts[0])
        if target.kind == "name" and node.line < write.line
    }
    names = derived(function, read)
    deciding = [write, *tests_around(function.body, write)] if names else []
    return any(one.kind == "name" and one.name in names for part in deciding for one in walk(part))


def _remembered(reading: Reading) -> Iterator[Observed]:
    """Yield data of a request that stays in a global variable."""
    for function in reading.program.surely:
        shared = set(_shared(reading, function))
        for node in function.nodes:
            name = node.parts[0].name if node.kind == "assign" and node.parts[0].kind == "name" else ""
            if name in shared and reading.flows.of(node.parts[1], function):
                note = f"{name} keeps data of a request for the next"
                inner = (other for other in reading.program.surely if other.around is not None)
                cleared = any(one.kind == "constant" for other in inner for one in other.assigned.get(name, ()))
                yield reading.at("keeps-state", SIGN if cleared else CERTAIN, (function, node), note)


def _shared(reading: Reading, function: Function) -> Iterator[str]:
    """Yield the variables of a module that a function assigns: declared global, or in JavaScript not declared in it."""
    if function.around is None:
        return
    own = set(function.bound)
    for node in function.nodes:
        if node.kind == "declare" and node.name == "global":
            yield from (one.name for one in node.parts)
        elif node.kind == "assign" and node.name == "declare":
            own.add(node.parts[0].name)
    if not function.module.python:
        top = reading.program.top[function.module.path].assigned
        yield from (name for name in function.assigned if name in top and name not in own)


def _timeouts(reading: Reading) -> Iterator[Observed]:
    """Yield a request without a time limit, of a library that has none by default."""
    for function, node, name in reading.program.sure_calls:
        limits = (
            one.kind == "spread" or (one.kind == "keyword" and one.name in {"", "timeout"}) for one in node.parts[1:]
        )
        if _REQUESTS.search(name) and not any(limits):
            yield reading.at("no-timeout", CERTAIN, (function, node), f"requests.{_named(node)}() has no timeout")


def _at_start(reading: Reading) -> Iterator[Observed]:
    """Yield randomness or an id that is made once, when the module is loaded."""
    for function in reading.program.top.values():
        for node in function.nodes:
            random = node.kind == "call" and _RANDOM.search(reading.program.dotted(node.parts[0], function))
            if random and "seed" not in _named(node) and not any(node is one for one in _inside(function)):
                note = f"{_named(node)}() runs once, when the module is loaded"
                yield reading.at("made-once", CERTAIN, (function, node), note)


def _inside(function: Function) -> Iterator[Node]:
    """Yield the nodes of functions without a name, which run later."""
    for node in function.nodes:
        if node.kind == "function":
            yield from walk(node.parts[1])


def _state(reading: Reading) -> Iterator[Observed]:
    """Yield an OAuth exchange in code that reads no state."""
    read = {one.name for _, one in reading.program.nodes if one.kind in {"attribute", "text", "name"}}
    for function, node, name in reading.program.calls if reading.whole and "state" not in read else ():
        if _REDIRECTS.search(name):
            note = "an OAuth code is exchanged, and no state is read"
            yield reading.at("no-oauth-state", CERTAIN, (function, node), note)
