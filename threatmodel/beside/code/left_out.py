"""What a handler leaves out although its purpose needs it: checks of people, of channels, and of what a model writes.

Each is said only where all code was read, or where one expression shows it.  That a second person approves, or that a
check is right, no code shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from threatmodel.beside.code.absences import APPROVALS
from threatmodel.beside.code.functions import Function
from threatmodel.beside.code.models import CALLS, model_calls
from threatmodel.beside.code.observed import CERTAIN, CLAIMED, Observed, Reading
from threatmodel.beside.code.sinks import EVALUATES, POSTS, RUNS, SHELLS
from threatmodel.beside.code.syntax import Node, walk

_PEOPLE = re.compile(r"user|approver|member|email|actor|owner|group|principal|identity", re.IGNORECASE)
_ENDS_TASK = re.compile(r"(?:\.|\A)(?:send_task_(?:success|failure)|SendTask(?:Success|Failure)Command)\Z")
_STARTERS = frozenset({"npx", "bunx", "uvx", "pnpx"})
_PINNED = re.compile(r"(?!@latest\Z).+(?:@|==)v?\d[^@]*\Z")
_KEEPS = frozenset({"strip", "trim", "get", "read", "loads", "parse", "decode", "toString", "str", "String", "text"})
"""Calls whose result is a part of what they are given, or the same in another form."""
_MOST = 200
"""Nodes that are looked at for one value."""


def left_out(reading: Reading) -> Iterator[Observed]:
    """Yield what a handler surely leaves out, and whether its handler is made idempotent."""
    yield from _idempotent(reading)
    yield from islice(_given_tokens(reading), 1)
    yield from islice(_unpinned(reading), 1)
    if model_calls(reading):
        yield from _of_models(reading)
    if reading.whole:
        yield from _approvals(reading)
        yield from _audience(reading)


def _approvals(reading: Reading) -> Iterator[Observed]:
    """Yield an approval in code that names no person anywhere: the code never looks at who presses the button."""
    words = reading.program.words
    spoken = next((word for word in words if APPROVALS.search(word)), None)
    if spoken is not None and not any(map(_PEOPLE.search, words)):
        yield reading.at("no-approver", CERTAIN, words[spoken], "no code looks at the person who approves")


def _audience(reading: Reading) -> Iterator[Observed]:
    """Yield an answer to a whole channel, in code that never looks at the channel."""
    words = reading.program.words
    shown = words.get("in_channel")
    if shown is not None and not any("channel" in word.lower() for word in words if word != "in_channel"):
        yield reading.at("any-channel", CERTAIN, shown, "an answer goes to the whole channel, which no code checks")


def _given_tokens(reading: Reading) -> Iterator[Observed]:
    """Yield a task that ends with a token of the request: the token has left the server."""
    for function, call, name in reading.program.calls:
        if _ENDS_TASK.search(name):
            for one in walk(call):
                named = one.kind in {"keyword", "pair"} and one.name == "taskToken" and one.parts
                if named and reading.depends(one.parts[0], function):
                    note = "the request brings the task token"
                    yield reading.at("given-token", CERTAIN, (function, one), note)


def _idempotent(reading: Reading) -> Iterator[Observed]:
    """Yield that Powertools makes the handler idempotent; whether its key is right is not seen."""
    handler = reading.program.handler
    if handler is not None:
        for one in handler.decorators:
            name = reading.program.dotted(one.parts[0] if one.kind == "call" else one, handler)
            if name.endswith("idempotency.idempotent"):
                yield reading.at("idempotent", CLAIMED, (handler, one), "Powertools makes the handler idempotent")


# --- tools that others publish


def _unpinned(reading: Reading) -> Iterator[Observed]:
    """Yield a tool that a package runner fetches in whatever version is the newest."""
    for function, node in reading.program.nodes:
        if node.kind in {"call", "dict"}:
            named = {one.name: one.parts[0] for one in node.parts if one.kind in {"keyword", "pair"} and one.parts}
            command, options = named.get("command"), named.get("args")
            if command is None or options is None or command.name not in _STARTERS or options.kind != "list":
                continue
            package = next((one for one in options.parts if not one.name.startswith("-")), None)
            if package is not None and package.kind == "text" and not _PINNED.match(package.name):
                note = f"{command.name} fetches the newest version of a tool"
                yield reading.at("unpinned-tool", CERTAIN, (function, package), note)


# --- what a model writes


def _of_models(reading: Reading) -> Iterator[Observed]:
    """Yield where the text of a model runs in the function itself, and where it is posted as it is."""
    seen: set[str] = set()
    for function, call, name in reading.program.calls:
        for what, value, note in (*_run(call, name), *_posted(call, name)):
            if what not in seen and _is_of_model(reading, value, function):
                seen.add(what)
                yield reading.at(what, CERTAIN, (function, call), note)


def _run(call: Node, name: str) -> Iterator[tuple[str, Node, str]]:
    if len(call.parts) > 1 and any(one.search(name) for one in (EVALUATES, SHELLS, RUNS)):
        for value in call.parts[1].parts if call.parts[1].kind == "list" else call.parts[1:2]:
            yield "runs-model-text", value, f"{call.parts[0].name}() runs what the model wrote, inside the function"


def _posted(call: Node, name: str) -> Iterator[tuple[str, Node, str]]:
    if POSTS.search(name):
        for one in call.parts[1:]:
            for pair in one.parts if one.kind == "dict" else (one,):
                plain = pair.kind not in {"keyword", "pair"} and pair is call.parts[1]
                if plain or (pair.kind in {"keyword", "pair"} and pair.name == "text"):
                    value = pair if plain else pair.parts[0]
                    yield "posts-model-text", value, f"{call.parts[0].name}() posts what the model wrote as it is"


def _is_of_model(reading: Reading, value: Node, function: Function) -> bool:
    """Return whether a value is what a model wrote, or a part of it: nothing else is done with it on the way."""
    ahead = [(value, function)]
    for node, within in ahead:  # it grows on the way
        if len(ahead) > _MOST:
            return False
        match node.kind:
            case "call" if CALLS.search(reading.program.dotted(node.parts[0], within)):
                return True
            case "call":
                target = reading.program.called(node, within)
                if target is not None:
                    returned = [one for one in target.nodes if one.kind == "return" and one.parts]
                    ahead += [(one.parts[0], target) for one in returned[:1] if len(returned) == 1]
                elif node.parts[0].name in _KEEPS or any(CALLS.search(one.name) for one in walk(node)):
                    ahead += [(one, within) for one in (*node.parts[0].parts[:1], *node.parts[1:2])]
            case "name" if len(within.assigned.get(node.name, ())) == 1:
                ahead.append((within.assigned[node.name][0], within))
            case "attribute" | "item" | "operation":
                ahead.append((node.parts[0], within))
            case _:
                pass
    return False
