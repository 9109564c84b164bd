"""Follows a handler for a request that Slack did not sign, or for one that it did, without running it.

Each value is what it may be, and each test that may come out either way is followed both ways.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from threatmodel.beside.code.forged_request.expressions import EXPRESSIONS, operation
from threatmodel.beside.code.forged_request.parts import attribute_of
from threatmodel.beside.code.forged_request.serving import App, serve
from threatmodel.beside.code.forged_request.statements import STATEMENTS, define
from threatmodel.beside.code.forged_request.values import (
    FAILED,
    NOTHING,
    OUTSIDE,
    REQUEST,
    UNKNOWN,
    VERDICT,
    Closure,
    Effect,
    Ended,
    External,
    Found,
    Frame,
    Items,
    Later,
    Made,
    Native,
    Path,
    Raised,
    Thing,
    TooLong,
    Value,
    Whole,
    come,
    functions_in,
    joined,
)
from threatmodel.beside.code.observed import Reading
from threatmodel.beside.code.syntax import Node, walk

Result = TypeVar("Result")
_MOST_STEPS, _DEEPEST = 60_000, 40
_KEEPS = re.compile(r"(?:\A|\.)(?:a?lru_cache|cache|cached|memoize|ttl_cache|cached_property)\b")
"""Decorators that keep what a function returns."""


class Machine:
    """What a handler reaches: `passes` says whether Slack signed the request, and `age` how many seconds ago, if known.

    `checks` are those of the whole signature, `faults` those that anyone passes, and `weak` those of which it is
    unknown. `dropped` are statements whose value is an outcome, `ignored` those that call what checks and returns, and
    `escapes` says that other code got an outcome. `unclear` are calls that may have an effect, `unsigned` calls
    of either kind that get a part of the request that the signature does not cover, `unknown` those of which
    it is unknown what they call, and `handed` those of
    packages that get the whole request, or a function. `tested` are functions that are tested, and not called.
    `leaving` are calls after a check that may end the invocation, in a branch that runs for some requests only.
    """

    def __init__(self, reading: Reading, *, passes: bool, route: int = 0, age: int | None = None) -> None:
        self.reading, self.program, self.passes, self.age = reading, reading.program, passes, age
        self.path, self.steps, self.depth, self.level = Path(signed=age is not None), 0, 0, 0
        self.serving = self.escapes = False
        self.route, self.routes, self.whole = route, 0, True  # of an application, and whether it is known whole
        self.kept = 0  # calls around whose results are kept from request to request
        self.decided = 0  # branches around that an outcome has decided
        self.reached: set[int] = set()
        self.answers: dict[int, bool] = {}  # the handler's own returns that are reached, and whether surely
        self.effects: list[Effect] = []
        self.checks: list[Found] = []
        self.faults: list[tuple[Found, str]] = []
        self.weak: list[tuple[Found, str]] = []
        self.dropped: list[Found] = []
        self.ignored: list[Found] = []
        self.unclear: list[Found] = []
        self.unsigned: list[Found] = []
        self.unknown: list[Found] = []
        self.handed: list[Found] = []
        self.leaving: list[Found] = []
        self.tested: list[tuple[Found, Closure]] = []
        self.raised: list[Raised] = []
        self.times: list[Found] = []  # comparisons of a time, in a run in which the age is known
        self.codes = 0  # how many MACs are computed
        self.keys: set[str] = set()  # of the event that are read
        self.sought = ""  # the name of the header that a test of headers looks for
        self.modules: dict[str, Frame] = {}
        self.functions = {id(one.node): one for one in self.program.functions}

    # --- the program

    def serve(self) -> None:
        """Follow the handler for a request.  Raises TooLong."""
        handler = self.program.handler
        value = self.exported(next(iter(self.program.modules.found)), self.program.name)
        if isinstance(value.shape, App):
            self.serving = True
            serve(self, value.shape)
        if handler is None or isinstance(value.shape, App):
            return
        if not isinstance(value.shape, Closure):
            value = Value(shape=Closure(handler.node, self.module(handler.module.path)))
        self.serving = True
        given = [_given("context"), _given("callback")]
        try:
            self.call(value, [Value(frozenset({"event"}), truth=True), *given], {})
        except Ended:
            return

    def module(self, path: str) -> Frame:
        """Return the variables of a module, which runs once."""
        if path not in self.modules:
            function = self.program.top[path]
            frame = self.modules[path] = Frame(function, None)
            if not function.module.python:
                exports = Value(truth=True, shape=Thing())
                module = Value(truth=True, shape=Thing({"exports": exports}))
                frame.variables |= {"exports": exports, "module": module, "this": exports}
            before, serving, self.path, self.serving = self.path, self.serving, Path(signed=self.path.signed), False
            self.block(function.module.block.parts, frame)
            self.path, self.serving = before, serving
        return self.modules[path]

    def exported(self, path: str, name: str) -> Value:
        """Return what a module has under a name, or passes on."""
        frame = self.module(path)
        exports = self._exports(frame)
        if isinstance(exports.shape, Thing) and name in exports.shape.fields:
            return exports.shape.fields[name]
        if name == "default" and "default" not in frame.variables and exports != NOTHING:
            return exports
        return self.lookup(name, frame)

    def _exports(self, frame: Frame) -> Value:
        module = frame.variables.get("module", NOTHING).shape
        return module.fields.get("exports", NOTHING) if isinstance(module, Thing) else NOTHING

    def lookup(self, name: str, frame: Frame) -> Value:
        """Return the value of a variable."""
        holder = frame.holding(name)
        return holder.variables[name] if holder is not None else self._imported(name, frame)

    def _imported(self, name: str, frame: Frame) -> Value:
        imports = frame.function.module.imports
        target, original = imports.get(name) or imports.get("*", ("", ""))
        if target in self.program.modules.found:
            if name in imports and original == "*":
                return self._whole_module(target)
            return self.exported(target, name if original == "*" else original)
        if target and name in imports:
            name = target if original in {"*", "default"} else f"{target}.{original}"
        if name in {"flask.request", "quart.request"}:
            return Value(frozenset({REQUEST}), truth=True)
        return Value(frozenset({OUTSIDE}), shape=External(name))

    def _whole_module(self, path: str) -> Value:
        frame = self.module(path)
        exports = self._exports(frame)
        if exports != NOTHING and (not isinstance(exports.shape, Thing) or exports.shape.fields):
            return exports
        return Value(truth=True, shape=Thing(frame.variables, module=path))

    def decide(self, value: Value, way: Callable[[], Result]) -> Result:
        """Follow a way that a test has decided."""
        by_outcome = VERDICT in value.of
        self.decided += by_outcome
        try:
            return way()
        finally:
            self.decided -= by_outcome

    # --- statements and expressions

    def block(self, statements: Sequence[Node], frame: Frame) -> bool:
        """Follow statements; return whether what comes after them is reached."""
        for one in statements:
            if one.kind == "function" and one.name and not one.parts[2:]:
                define(self, one, frame)
        return all(self.statement(one, frame) for one in statements)

    def statement(self, node: Node, frame: Frame) -> bool:
        """Follow a statement; return whether what comes after it is reached."""
        self._step()
        if self.serving:
            self.reached.add(id(node))
        try:
            return STATEMENTS[node.kind](self, node, frame) if node.kind in STATEMENTS else True
        except Ended:
            return False

    def value(self, node: Node, frame: Frame) -> Value:
        """Return what an expression may be.  Raises Ended where it surely raises an exception."""
        self._step()
        value = EXPRESSIONS.get(node.kind, operation)(self, node, frame)
        if self.age is not None and value.truth is None and isinstance(value.shape, Whole):
            return value._replace(truth=True)  # what Slack signs has all its parts
        return value

    def _step(self) -> None:
        self.steps += 1
        if self.steps > _MOST_STEPS:
            raise TooLong

    def fork(self, frame: Frame, test: Value, *ways: Callable[[], bool]) -> bool:
        """Follow each of some ways from here; return whether what comes after them is reached."""
        before, path = dict(frame.variables), self.path
        ends: list[tuple[dict[str, Value], Path]] = []
        self.level += 1
        for way in ways:
            frame.variables, self.path = dict(before), path.under(test)
            if way():
                ends.append((frame.variables, self.path))
        self.level -= 1
        if not ends:
            return False
        self.meet(frame, ends)
        if len(ends) == len(ways):
            self.path = path._replace(chosen=self.path.chosen)
        return True

    def meet(self, frame: Frame, ends: Sequence[tuple[dict[str, Value], Path]]) -> None:
        """Go on where several ways meet."""
        names = dict.fromkeys(name for variables, _ in ends for name in variables)
        frame.variables = {
            name: joined([variables[name] for variables, _ in ends if name in variables]) for name in names
        }
        self.path = ends[0][1]
        for _, path in ends[1:]:
            self.path = self.path.joined(path)

    # --- calls of functions and classes

    def call(self, called: Value, given: Sequence[Value], named: Mapping[str, Value]) -> Value | None:
        """Return what a call of a function or class of the folder gives; None of anything else.  Raises Ended."""
        if isinstance(called.shape, Closure):
            return self._run(called.shape, given, named)
        if isinstance(called.shape, Native):
            return called.shape.run(given, named)
        if isinstance(called.shape, Made):
            return self._make(called.shape, given, named)
        if isinstance(called.shape, Thing) and called.shape.made is not None:
            return self.call(attribute_of(self, called, "__call__"), given, named)
        return None

    def callbacks(self, values: Iterable[Value], given: Sequence[Value]) -> Iterator[Value]:
        """Yield what comes of the functions among some values, each called once: a failure for one that raises."""
        for one in functions_in(values):
            try:
                yield self._run(one, given, {})
            except Ended:
                yield FAILED

    def _make(self, made: Made, given: Sequence[Value], named: Mapping[str, Value]) -> Value:
        shape = Thing(made=made, kept=not self.serving)
        thing = Value(truth=True, shape=shape)
        fields = [one for one in made.node.parts[0].parts if one.kind in {"assign", "declare"}]
        scope = Frame(made.frame.function, made.frame)
        scope.variables["this"] = thing
        for one in fields:
            if one.kind == "assign" and one.parts[0].kind == "name":
                shape.fields[one.parts[0].name] = self.value(one.parts[1], scope)
        for name in ("__init__", "constructor"):
            method = attribute_of(self, thing, name)
            if isinstance(method.shape, Closure):
                self._run(method.shape, given, named)
                return thing
        names = (one.parts[0].name for one in fields)
        shape.fields |= {**dict(zip(names, given, strict=False)), **named}
        return thing

    def _run(self, closure: Closure, given: Sequence[Value], named: Mapping[str, Value]) -> Value:
        """Follow a function; return what it may return.  Raises Ended where it never returns."""
        node, before = closure.node, self.path
        if self.depth > _DEEPEST:
            return UNKNOWN
        frame = Frame(self.functions.get(id(node), closure.frame.function), closure.frame)
        self._bind(closure, given, named, frame)
        kept = any(_KEEPS.search(self.program.dotted(one, frame.function)) for one in node.parts[2:])
        self.depth, self.kept = self.depth + 1, self.kept + kept
        if self.block(node.parts[1].parts, frame):
            frame.ways.append((NOTHING, self.path))
        self.depth, self.kept = self.depth - 1, self.kept - kept
        if kept and any(VERDICT in value.of for value, _ in frame.ways):
            self.weak.append(((frame.function, node), "the outcome of the check is kept for other requests"))
        if any(one.kind == "operation" and one.name == "yield" for one in walk(node.parts[1])):
            return self._generated(frame, before)
        if node.parts[0].name == "async":
            frame.ways = [(come(one), path) for one, path in frame.ways if one.shape != Later(None)]
            value = self._returned(frame, before) if frame.ways else None
            self.path = self.path if frame.ways else before
            return Value(value.of if value is not None else UNKNOWN.of, truth=True, shape=Later(value))
        if not frame.ways:
            raise Ended
        return self._returned(frame, before)

    def _generated(self, frame: Frame, before: Path) -> Value:
        """Return what a generator yields; where it only raises, what comes of it fails."""
        self.path = before
        items = tuple(one for one, _ in frame.yielded)
        fails = not items and not frame.ways
        whole = all(path == before for _, path in frame.yielded)
        return Value(UNKNOWN.of, truth=True, shape=Later(None) if fails else Items(items, whole))

    def _returned(self, frame: Frame, before: Path) -> Value:
        """Return what a function may return, with what decides which of it; go on as after each way out."""
        value = joined(one for one, _ in frame.ways)
        paths = [path for _, path in frame.ways]
        if len(paths) > 1 and (value.truth is None or value.shape is None or isinstance(value.shape, Items)):
            chosen = frozenset[str]().union(*(path.chosen for path in paths)) - before.chosen
            unsure = {OUTSIDE} if any(path.doubt for path in paths) and not before.doubt else frozenset[str]()
            value = value._replace(of=value.of | chosen | unsure)
        self.path = before
        if any(one.path.chosen - before.chosen or one.path.doubt != before.doubt for one in self.raised):
            self.path = paths[0]
            for path in paths[1:]:
                self.path = self.path.joined(path)
        return value

    def _bind(self, closure: Closure, given: Sequence[Value], named: Mapping[str, Value], frame: Frame) -> None:
        """Bind parameters: by position, by name, and to their defaults."""
        ahead = list(given)
        if closure.own is not None:
            frame.variables["this"] = closure.own
        for number, one in enumerate(closure.node.parts[0].parts):
            if closure.own is not None and number == 0 and one.name in {"self", "cls"}:
                value = closure.own
            elif one.name in named:
                value = named[one.name]
            elif ahead:
                value = ahead.pop(0)
            elif one.parts and one.parts[0].kind != "as":
                serving = self.serving
                self.serving = serving and not closure.frame.function.module.python  # which makes defaults once
                value = self.value(one.parts[0], closure.frame)
                self.serving = serving
            else:
                value = NOTHING
            frame.variables[one.name] = value
            for inner in one.parts:
                if inner.kind == "as":
                    name, *default = inner.parts
                    part = attribute_of(self, value, name.name)
                    part = self.value(default[0], closure.frame) if default and part == NOTHING else part
                    frame.variables[inner.name] = part


def _given(name: str) -> Value:
    """Return what Lambda gives a handler beside the event."""
    return Value(frozenset({OUTSIDE}), truth=True, shape=External(name))
