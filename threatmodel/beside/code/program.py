"""A handler as a program: its functions, and which of them run for a request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from threatmodel.beside.code.functions import Function
from threatmodel.beside.code.modules import Modules
from threatmodel.beside.code.names import Names, is_outer
from threatmodel.beside.code.syntax import Node, walk
from threatmodel.reading.grouping import grouped
from threatmodel.reading.problems import Place

_DEEPEST = 12
"""Functions that return one another."""


class Program:
    """The modules of a handler, and the functions in them."""

    def __init__(self, modules: Modules, handler: str) -> None:
        self.modules, self.names, self.name = modules, Names(modules), handler
        self.functions, self.top, self.by_name = self.names.functions, self.names.top, self.names.by_name
        self.dotted, self.called = self.names.dotted, self.names.called
        self._of_class: dict[str, list[Function]] = {}
        for one in self.functions:
            self._of_class.setdefault(one.owner, []).append(one)
        self.handler = self._handler(handler)
        self.entries = [*self._wrapping(handler), *([self.handler] if self.handler is not None else [])]

    def is_entry(self, function: Function) -> bool:
        """Return whether Lambda calls a function with each request, or a decorator of the handler does."""
        return any(one.node is function.node for one in self.entries)

    def place(self, function: Function, node: Node) -> Place:
        """Return the place of a node."""
        return self.modules.place(function.module, node)

    def _handler(self, name: str) -> Function | None:
        """Return the function that Lambda calls; None where it is made by a call, or is not there."""
        first = next(iter(self.modules.found.values()), None)
        return self.names.defined(first, name, 0) if first is not None else None

    def _wrapping(self, name: str) -> Iterator[Function]:
        """Yield the functions of the folder that run in place of the handler, and may call it: those of decorators."""
        if self.handler is None:
            return
        top = self.top[self.handler.module.path]
        assigned = (one.parts for one in top.nodes if one.kind == "assign")
        made = (value for target, value in assigned if target.name == name and value.kind == "call")
        makers = [*self.handler.decorators, *made]
        for maker in makers:
            found = self.names.run_by(_as_call(maker), top)
            if found is not None:
                yield from self._made_by(found, 0)

    def _made_by(self, maker: Function, depth: int) -> Iterator[Function]:
        """Yield the functions that a function returns, those that these return among them."""
        for node in maker.nodes:
            if node.kind != "return" or not node.parts or depth > _DEEPEST:
                continue
            value = node.parts[0]
            inner = Function("", maker.module, value, around=maker) if value.kind == "function" else None
            if value.kind == "name":
                inner = next((one for one in self.by_name.get(value.name, ()) if one.around is maker), None)
            if inner is not None:
                yield inner
                yield from self._made_by(inner, depth + 1)

    @cached_property
    def surely(self) -> Sequence[Function]:
        """The functions that run for some request: the handler, what it calls, and what listens to requests."""
        start = [*self.top.values(), *self.entries]
        seen: dict[int, Function] = {}
        ahead = list(start)
        for one in ahead:  # it grows on the way
            if id(one.node) in seen:
                continue
            seen[id(one.node)] = one
            ahead += self._decorated(one)
            for node in one.nodes:
                if node.kind == "call":
                    found = [self.called(node, one), *self.names.selected(node, one), *self._given(node, one)]
                    ahead += [function for function in found if function is not None]
        return list(seen.values())

    @cached_property
    def _within(self) -> Mapping[int, Sequence[Function]]:
        """The functions that are defined in each function, or in a module outside all."""
        return grouped((id(one.around.node), one) for one in self.functions if one.around is not None)

    def _decorated(self, function: Function) -> Iterator[Function]:
        """Yield the decorators that run in a function, and what they make a listener."""
        for inner in self._within.get(id(function.node), ()):
            for one in inner.decorators:
                found = self.names.run_by(_as_call(one), function)
                if found is not None:
                    yield found
            if self._listens(inner):
                yield inner

    def _given(self, call: Node, function: Function) -> Iterator[Function | None]:
        """Yield the functions that a call is given by their names, as listeners are."""
        for given in call.parts[1:]:
            for one in given_functions(given):
                if one.kind == "name":
                    yield self.names.function(one.name, function)

    def _listens(self, function: Function) -> bool:
        """Return whether a decorator makes a function a listener: `@app.command("/x")`, `@app.route("/y")`."""
        for one in function.decorators:
            called = one.parts[0] if one.kind == "call" else one
            if called.kind == "attribute" and called.name not in {"setter", "getter", "fixture"}:
                return True
        return False

    @cached_property
    def routes(self) -> Sequence[tuple[Function, Node]]:
        """Where a function becomes the listener of an application: one that is decorated, or a call that gets it."""
        decorated = [(one, one.node) for one in self.surely if self._listens(one)]
        calls = ((one, node) for one, node, _ in self.sure_calls if node.parts[0].kind == "attribute")
        given = [
            (one, node) for one, node in calls if node.parts[0].name in _ROUTES and node.parts[-1].kind == "function"
        ]
        return [*decorated, *given]

    @cached_property
    def perhaps(self) -> Sequence[Function]:
        """Every function that may run: whose name is mentioned by one that may, at import or for a request.

        What is in a table or decorated may be called by other means than its name, and so may all where names of
        attributes are computed.
        """
        seen: dict[int, Function] = {}
        ahead = [*self.surely]
        names: set[str] = set()
        for one in ahead:  # it grows on the way
            if id(one.node) in seen:
                continue
            seen[id(one.node)] = one
            if self._computes(one):
                return self._every(seen)
            ahead += (inner for inner in self._within.get(id(one.node), ()) if inner.in_table or inner.decorators)
            for node in (*one.nodes, *one.decorators):
                if node.kind in {"name", "attribute", "text"} and node.name and node.name not in names:
                    if id(node) in self._unused:
                        continue
                    names.add(node.name)
                    ahead += (*self.by_name.get(node.name, ()), *self._imported(node.name, one))
                    methods = self._of_class.get(node.name, ())
                    ahead += [one for one in methods if node.name in self._framed or _is_implied(one.name)]
        return list(seen.values())

    def _imported(self, name: str, function: Function) -> Iterator[Function]:
        """Yield the functions that a name may mean that is imported under another one."""
        target, original = function.module.imports.get(name, ("", ""))
        whole = self.names.function(name, function) if original == "*" else None
        if whole is not None:  # a module of JavaScript that is a function
            yield whole
        elif original not in {"", "*", name}:
            for one in self.functions:
                if one.module.path == target and (one.name == original or (original == "default" and is_outer(one))):
                    yield one

    def _computes(self, function: Function) -> bool:
        """Return whether a function may call any other one, by a name that it computes."""
        for node in (*function.nodes, *function.decorators):
            if node.kind == "call" and node.parts[0].kind == "item":
                return True
            if node.kind == "item" and _is_object(node.parts[0]):
                return True
            if node.kind in {"name", "attribute", "text"} and node.name in _COMPUTED:
                return True
        return False

    def _every(self, first: Mapping[int, Function]) -> Sequence[Function]:
        """Return all functions, those that are known to run first."""
        return list({**first, **{id(one.node): one for one in (*self.surely, *self.functions)}}.values())

    @cached_property
    def _framed(self) -> frozenset[str]:
        """The classes with a base from elsewhere, which may call each of their methods."""
        bases = {
            one.name: {base.name for part in one.parts[1:] for base in walk(part) if base.name}
            for one in self.names.of_kind("class")
        }
        found = {name for name, named in bases.items() if named - self.names.classes - _PLAIN}
        while more := {name for name, named in bases.items() if name not in found and named & found}:
            found |= more
        return frozenset(found)

    @cached_property
    def _unused(self) -> frozenset[int]:
        """The nodes by which a module names its own functions and imports, and what it imports: none is used there."""
        found = [inner for one in self.names.of_kind("import") for inner in walk(one)]
        for module in self.modules.found.values():
            for node in module.block.parts:
                if node.kind == "assign":
                    found += walk(node.parts[0])
                    if node.parts[0].kind == "attribute" and node.parts[1].kind in {"dict", "name"}:
                        named = (node.parts[1], *node.parts[1].parts, *(pair.parts[0] for pair in node.parts[1].parts))
                        found += (one for one in named if one.kind in {"name", "pair"})
        return frozenset(map(id, found))

    @cached_property
    def nodes(self) -> Sequence[tuple[Function, Node]]:
        """Every node that may run, with its function."""
        return [(function, node) for function in self.perhaps for node in function.nodes]

    @cached_property
    def calls(self) -> Sequence[tuple[Function, Node, str]]:
        """Every call that may run, with its function and what is called."""
        return self._calls(self.perhaps)

    @cached_property
    def sure_calls(self) -> Sequence[tuple[Function, Node, str]]:
        """Every call that runs for some request, with its function and what is called."""
        return self._calls(self.surely)

    def _calls(self, functions: Iterable[Function]) -> Sequence[tuple[Function, Node, str]]:
        found = ((function, node) for function in functions for node in function.nodes if node.kind == "call")
        return [(function, node, self.dotted(node.parts[0], function)) for function, node in found]

    @cached_property
    def words(self) -> Mapping[str, tuple[Function, Node]]:
        """The first place of every name, key and text that may run."""
        found: dict[str, tuple[Function, Node]] = {}
        for function, node in self.nodes:
            if node.name and node.kind in _WORDS:
                found.setdefault(node.name, (function, node))
        return found


def given_functions(argument: Node) -> Iterator[Node]:
    """Yield what a call is given that may be a function: an argument, or the items of a list."""
    if argument.kind in {"keyword", "pair", "list", "dict", "spread"}:
        for one in argument.parts:
            yield from given_functions(one)
    else:
        yield argument


_WORDS = frozenset({"text", "import", "attribute", "name", "pair", "keyword", "as"})
_ROUTES = frozenset({"post", "all", "put", "any"})
_PLAIN = frozenset({"object", "Exception", "Error", "ABC", "ABCMeta", "Protocol", "Enum", "NamedTuple", "dataclass"})
"""Bases and decorators that call no method of a class."""
_COMPUTED = frozenset({
    *("getattr", "globals", "locals", "vars", "attrgetter", "methodcaller", "__dict__", "__subclasses__"),
    *("eval", "exec", "Reflect", "globalThis", "getMembers", "getmembers", "getOwnPropertyNames"),
})  # fmt: skip
"""Names by which functions are found whose own names are computed."""


def _as_call(decorator: Node) -> Node:
    """Return the call of a decorator."""
    return decorator if decorator.kind == "call" else Node("call", "", (decorator,), decorator.line, decorator.column)


def _is_implied(name: str) -> bool:
    """Return whether a method of a class runs without a mention of its name."""
    return name == "constructor" or (name.startswith("__") and name.endswith("__"))


def _is_object(node: Node) -> bool:
    """Return whether an element with a computed name is looked up in an object, a module or a class."""
    return node.kind == "name" and node.name in {"self", "cls", "this", "exports", "module"}
