"""Applications of web frameworks: which functions they call for a request of a route, one after the other.

Flask, FastAPI, Chalice and Express say it by calls and decorators, which a module runs.  What hands the events of
Lambda to an application is of a package, and gets the application as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from threatmodel.beside.code.forged_request.values import (
    BODY,
    GATEWAY,
    NOTHING,
    OUTSIDE,
    REQUEST,
    UNKNOWN,
    Closure,
    Ended,
    External,
    Fixed,
    Frame,
    Items,
    Made,
    Native,
    Thing,
    Value,
    Whole,
    come,
)

if TYPE_CHECKING:
    from threatmodel.beside.code.forged_request.machine import Machine
    from threatmodel.beside.code.program import Program

MAKES = (
    r"(?:flask|quart)\.(?:Flask|Quart|Blueprint)|fastapi\.(?:FastAPI|APIRouter)|chalice\.(?:Chalice|Blueprint)"
    r"|express(?:\.Router)?"
)
"""What makes an application, or a part of one."""
_ROUTES = frozenset({"route", "get", "post", "put", "patch", "delete", "all", "any", "api_route", "add_url_rule"})
_GUARDS: Mapping[str, str] = {
    "before_request": "hook",
    "before_app_request": "hook",
    **dict.fromkeys(("middleware", "register_middleware", "use"), "around"),
    **dict.fromkeys(("include_router", "register_blueprint", "mount"), "part"),
}
"""What an application calls before a route: a hook ends the request by what it returns, the others by not going on."""
_HARMLESS = frozenset({"errorhandler", "exception_handler", "after_request", "teardown_request", "on_event", "listen"})
_LATE = frozenset({"on_sns_message", "on_sqs_message", "on_s3_event", "schedule", "lambda_function", "on_cw_event"})
"""Other triggers of an application of Chalice."""
_RAW = frozenset({"data", "get_data", "raw_body", "rawBody", "text"})
_PARSED = frozenset(
    {"form", "values", "json", "json_body", "get_json", "args", "query", "query_params", "params", "body"}
)


class Step(NamedTuple):
    """A function that an application calls: a hook, one that goes on itself (`around`), or one that answers."""

    how: str
    function: Value


class App:
    """An application, or a part of one: the steps before each route, and the routes by path, in order.

    Not `whole`: something else may run before a route.
    """

    def __init__(self, before: Iterable[Step] = ()) -> None:
        self.before, self.whole = list(before), True
        self.routes: list[tuple[str, tuple[Step, ...] | App]] = []

    def chains(self, depth: int = 0) -> Iterator[tuple[str, tuple[Step, ...]]]:
        """Yield the steps of each route with its path.  What Express uses is before later routes below its path."""
        used: list[tuple[str, tuple[Step, ...]]] = []
        for path, route in self.routes:
            if isinstance(route, App):
                inner = [*route.chains(depth + 1)] if depth < _DEEPEST else []
                self.whole = self.whole and route.whole and depth < _DEEPEST
            elif route[-1].how == "use":
                used.append((path, route))
                continue
            else:
                inner = [("", route)]
            for below, steps in inner:
                here = path + below
                first = [step for prefix, some in used if here.startswith(prefix) for step in some]
                yield here, (*self.before, *first, *steps)


_DEEPEST = 5


def made(named: Mapping[str, Value]) -> Value:
    """Return a new application."""
    return Value(truth=True, shape=App(_needs(named.get("dependencies", NOTHING))))


def _needs(value: Value) -> Iterator[Step]:
    """Yield the functions on which a route of FastAPI depends."""
    for one in value.shape.items if isinstance(value.shape, Items) else (value,):
        if isinstance(one.shape, Thing) and "needs" in one.shape.fields:
            yield Step("need", one.shape.fields["needs"])


def method(app: App, name: str) -> Value:
    """Return what an application has under a name: what adds to it, or its request."""
    if name == "current_request":
        return Value(frozenset({REQUEST}), truth=True)
    return Value(truth=True, shape=Native(partial(_added, app, name)))


def _added(app: App, name: str, given: Sequence[Value], named: Mapping[str, Value]) -> Value:
    """Add what an application is given; without a function, return the decorator that adds one."""
    every = [one for value in given for one in (value.shape.items if isinstance(value.shape, Items) else (value,))]
    every.append(named.get("view_func", NOTHING))
    if name not in _HARMLESS and any(
        one.shape is None or isinstance(one.shape, Made) for one in every[len(given) > 1 :]
    ):
        app.whole = False
    every = [one for one in every if isinstance(one.shape, Closure | App)]
    if not every:
        decorates = name in _ROUTES or name in _GUARDS
        return Value(truth=True, shape=Native(partial(_decorated, app, name, named))) if decorates else UNKNOWN
    needs = tuple(_needs(named.get("dependencies", NOTHING)))
    path = key_of(given[0]).rstrip("/")
    if name == "use":
        app.routes += [(path, one.shape if isinstance(one.shape, App) else (Step("use", one),)) for one in every]
    elif name in _ROUTES:
        app.routes.append((path, (*needs, *(Step("answer", one) for one in every))))
    elif _GUARDS.get(name) == "part":
        app.routes += [("", _part(one.shape, needs)) for one in every if isinstance(one.shape, App)]
    elif name in _GUARDS:
        app.before += [Step(_GUARDS[name], one) for one in every]
    elif name not in _HARMLESS | _LATE:
        app.whole = False
    return every[-1]


def _part(part: App, needs: Sequence[Step]) -> App:
    whole = App(needs)
    whole.routes.append(("", part))
    return whole


def _decorated(
    app: App, name: str, options: Mapping[str, Value], given: Sequence[Value], _: Mapping[str, Value]
) -> Value:
    return _added(app, name, given, options) if given else UNKNOWN


def served(values: Sequence[Value]) -> App | None:
    """Return the application among some values, or in the options among them."""
    inside = (one for value in values if isinstance(value.shape, Thing) for one in value.shape.fields.values())
    return next((one.shape for one in (*values, *inside) if isinstance(one.shape, App)), None)


def serve(machine: Machine, app: App) -> Value:
    """Follow the functions that an application calls for a request of the route that is judged."""
    every = [steps for _, steps in app.chains()]
    machine.routes, machine.whole = len(every), machine.whole and app.whole
    try:
        if machine.route < len(every):
            _follow(machine, every[machine.route])
    except Ended:
        pass
    return UNKNOWN


def _follow(machine: Machine, steps: Sequence[Step]) -> Value:
    """Follow some steps; each may go on to those behind it, or end the request."""
    if not steps:
        return NOTHING
    (how, function), rest = steps[0], steps[1:]
    request, python = Value(frozenset({REQUEST}), truth=True), _is_python(function)
    onward: Callable[[Any, Any], Value] = lambda *_: _follow(machine, rest)  # noqa: E731
    goes_on = Value(truth=True, shape=Native(onward))
    if how in {"around", "use"} or not python:
        answer = [] if python else [Value(frozenset({OUTSIDE}), truth=True, shape=External("response"))]
        return machine.call(function, [request, *answer, goes_on], {}) or UNKNOWN
    value = _result(machine, function)
    if how == "answer" and not rest:
        return value
    if how == "hook" and value != NOTHING:
        if value.truth is True:
            return value
        machine.path = machine.path.under(value)
    return _follow(machine, rest)


def _result(machine: Machine, function: Value) -> Value:
    """Return what a function of Python gives for a request.  Raises Ended where it raises."""
    return come(machine.call(function, (), _bound(machine, function)) or UNKNOWN)


def _bound(machine: Machine, function: Value) -> Mapping[str, Value]:
    """Return the parameters of a function of Python by name: the request, what it needs first, or a part."""
    found: dict[str, Value] = {}
    if isinstance(function.shape, Closure):
        frame: Frame = function.shape.frame
        for one in function.shape.node.parts[0].parts:
            if one.name in {"self", "cls"}:
                continue
            for step in _needs(machine.value(one.parts[0], frame)) if one.parts and one.parts[0].kind != "as" else ():
                found[one.name] = _result(machine, step.function)
            is_request = one.name in {"request", "req", "event"}
            found.setdefault(one.name, Value(frozenset({REQUEST if is_request else BODY}), truth=is_request or None))
    return found


def _is_python(function: Value) -> bool:
    return not isinstance(function.shape, Closure) or function.shape.frame.function.module.python


def of_request(machine: Machine, name: str) -> Value:
    """Return a part of a request of a framework, or what a method of it gives."""
    if name == "headers":
        machine.keys.add(name)
        return Value(frozenset({name}), truth=True)
    if name in _RAW or (name == "body" and _keeps_body(machine.program)):
        machine.keys.add(BODY)
        return Value(frozenset({BODY}), shape=Whole(frozenset({BODY})))
    if name in _PARSED:
        return Value(frozenset({BODY}))
    return Value(frozenset({GATEWAY if name in {"method", "path", "url"} else OUTSIDE}))


def _keeps_body(program: Program) -> bool:
    """Return whether the body of a request is the text as it was sent: Express has to be set so."""
    as_sent = any(_PLAIN.search(name) for *_, name in program.calls)
    return as_sent or next(iter(program.modules.found.values())).python


_PLAIN = re.compile(r"(?:express|body-parser)\.(?:raw|text)\Z")


def key_of(value: Value) -> str:
    """Return a constant text, or ''."""
    return value.shape.value if isinstance(value.shape, Fixed) and isinstance(value.shape.value, str) else ""
