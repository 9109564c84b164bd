"""A handler as a program: its functions by name, what a name means where it is used, and what is called and reached."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from threatmodel.beside.code.functions import Function, functions_in
from threatmodel.beside.code.modules import Module, Modules
from threatmodel.beside.code.syntax import Node, walk
from threatmodel.reading.problems import Place

_DEEPEST = 12
"""Names that are followed from one to the next, and calls in a chain."""


class Program:
    """The modules of a handler, and the functions in them."""

    def __init__(self, modules: Modules, handler: str) -> None:
        self.modules = modules
        self.functions: list[Function] = []
        self.top: dict[str, Function] = {}
        for module in modules.found.values():
            body = Node("function", "", (Node("list", "", (), 1, 1), module.block), 1, 1)
            whole = Function("", module, body)
            self.top[module.path] = whole
            self.functions += functions_in(module.block, module, "", whole)
        self.by_name: dict[str, list[Function]] = {}
        self._of_class: dict[str, list[Function]] = {}
        for one in self.functions:
            self.by_name.setdefault(one.name, []).append(one)
            self._of_class.setdefault(one.owner, []).append(one)
        self._known: dict[tuple[str, str], Function | None] = {}
        self._names: dict[tuple[int, int], str] = {}
        self._calls: dict[int, Function | None] = {}
        self.handler = self._handler(handler)
        self.entries = [*self._wrapping(handler), *([self.handler] if self.handler is not None else [])]

    def is_entry(self, function: Function) -> bool:
        """Return whether Lambda calls a function with each request, or a decorator of the handler does."""
        return any(one.node is function.node for one in self.entries)

    def place(self, function: Function, node: Node) -> Place:
        """Return the place of a node."""
        return self.modules.place(function.module, node)

    # --- names

    def _handler(self, name: str) -> Function | None:
        """Return the function that Lambda calls; None where it is made by a call, or is not there."""
        first = next(iter(self.modules.found.values()), None)
        return self._defined(first, name, 0) if first is not None else None

    def _defined(self, module: Module, name: str, depth: int) -> Function | None:
        """Return the function that a module has, or passes on, under a name; each is looked up once."""
        key = (module.path, name)
        if key not in self._known:
            self._known[key] = None  # while it is looked up: names that lead in a circle lead nowhere
            self._known[key] = self._lookup(module, name, depth)
        return self._known[key]

    def _lookup(self, module: Module, name: str, depth: int) -> Function | None:
        if depth > _DEEPEST:
            return None
        if (own := self._own(module, name, depth)) is not None:
            return own
        if name in module.imports:
            target, original = module.imports[name]
            there = self.modules.found.get(target)
            return self._defined(there, name if original == "*" else original, depth + 1) if there is not None else None
        for value in reversed(self.top[module.path].assigned.get(name, ())):
            if value.kind == "name":
                return self._defined(module, value.name, depth + 1)
            inside = next((one for one in value.parts if one.kind in {"function", "name"}), None)
            if value.kind == "call" and len(value.parts) > 1:
                given = value.parts[1]
                if given.kind == "function":
                    return Function(name, module, given, around=self.top[module.path])
                if given.kind == "name":
                    return self._defined(module, given.name, depth + 1)
            if inside is None:
                return None
        return self._exported(module, name, depth)

    def _own(self, module: Module, name: str, depth: int) -> Function | None:
        """Return the function that a module defines under a name, or of which it has a getter."""
        own = [one for one in self.by_name.get(name, ()) if one.module is module and not one.owner and _is_outer(one)]
        plain = [one for one in own if _given_back(one) is None]
        if plain:
            return plain[-1]
        given = _given_back(own[-1]) if own else None
        return self._defined(module, given, depth + 1) if given not in {None, name} else None

    def _exported(self, module: Module, name: str, depth: int) -> Function | None:
        """Return what a module of JavaScript exports in an object, or passes on from another module."""
        for node in self.top[module.path].nodes:
            if node.kind == "pair" and node.name == name and node.parts[0].kind == "name":
                return self._defined(module, node.parts[0].name, depth + 1)
            if node.kind == "assign" and node.parts[0].kind == "attribute" and node.parts[0].name == name:
                value = node.parts[1]
                if value.kind == "name":
                    return self._defined(module, value.name, depth + 1)
                if value.kind == "call" and len(value.parts) > 1 and value.parts[1].kind == "name":
                    return self._defined(module, value.parts[1].name, depth + 1)
                if value.kind == "call" and len(value.parts) > 1 and value.parts[1].kind == "function":
                    return Function(name, module, value.parts[1], around=self.top[module.path])
        return None

    def _wrapping(self, name: str) -> Iterator[Function]:
        """Yield the functions of the folder that run in place of the handler, and may call it: those of decorators."""
        if self.handler is None:
            return
        top = self.top[self.handler.module.path]
        assigned = (one.parts for one in top.nodes if one.kind == "assign")
        made = (value for target, value in assigned if target.name == name and value.kind == "call")
        makers = [*self.handler.decorators, *made]
        for maker in makers:
            found = self._called(_as_call(maker), top)
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

    def dotted(self, node: Node, function: Function, depth: int = 0) -> str:
        """Return what an expression names, with imports and variables followed, such as `requests.post`."""
        key = (id(node), id(function.node))
        if key not in self._names:
            self._names[key] = ""  # while it is followed
            self._names[key] = self._dotted(node, function, depth)
        return self._names[key]

    def _dotted(self, node: Node, function: Function, depth: int) -> str:
        if depth > _DEEPEST:
            return ""
        match node.kind:
            case "name":
                return self._named(node.name, function, depth)
            case "attribute":
                return f"{self.dotted(node.parts[0], function, depth + 1)}.{node.name}"
            case "call":
                first = node.parts[1] if len(node.parts) > 1 else None
                given = first.name if first is not None and first.kind == "text" and len(first.name) < _SHORT else ""
                called = self.dotted(node.parts[0], function, depth + 1)
                if first is not None and _WRAPS.search(called):
                    return self.dotted(first, function, depth + 1)
                return given if called in {"require", "import"} else f"{called}({given})"
            case "or" | "choice":
                return self.dotted(node.parts[-1], function, depth + 1)
            case _:
                return ""

    def _named(self, name: str, function: Function, depth: int) -> str:
        here: Function | None = function
        while here is not None:
            if name in here.assigned:
                values = [one for one in here.assigned[name] if one[:2] != ("constant", "none")] or here.assigned[name]
                if len({value[:3] for value in values}) == 1 and values[0].kind in {"name", "attribute", "call", "or"}:
                    return self.dotted(values[0], here, depth + 1) or name
                if here.around is not None or name not in function.module.imports:
                    return name
            if name in here.bound:
                return name
            here = here.around
        if name in function.module.imports:
            target, original = function.module.imports[name]
            there = self.modules.found.get(target)
            if there is not None and original not in {"*", "default"} and depth < _DEEPEST:
                return self._named(original, self.top[target], depth + 1)
            return target if original in {"*", "default"} else f"{target}.{original}"
        return name

    # --- calls

    def called(self, call: Node, function: Function) -> Function | None:
        """Return the function of the folder that a call surely runs; None where it is another one, or unknown."""
        if id(call) not in self._calls:
            self._calls[id(call)] = self._called(call, function)
        return self._calls[id(call)]

    def _called(self, call: Node, function: Function) -> Function | None:
        what = call.parts[0]
        if what.kind == "name":
            return self._function(what.name, function)
        if what.kind != "attribute":
            return None
        owner = what.parts[0]
        made = self._class_of(owner, function)
        if made:
            return self._only(one for one in self.by_name.get(what.name, ()) if one.owner == made)
        if owner.kind == "name" and owner.name in {"self", "this", "cls"}:
            return self._only(one for one in self.by_name.get(what.name, ()) if one.module is function.module)
        if owner.kind == "name" and owner.name in function.module.imports:
            target, original = function.module.imports[owner.name]
            there = self.modules.found.get(target)
            if there is not None and original in {"*", "default"}:
                return self._defined(there, what.name, 0)
        return None

    def _class_of(self, value: Node, function: Function) -> str:
        """Return the class of the modules of which a value surely is an instance; '' where none is known."""
        here: Function | None = function
        while here is not None and value.kind == "name":
            values = here.assigned.get(value.name, ())
            if values or value.name in here.bound:
                if len(values) != 1 or value.name in here.bound:
                    return ""
                value = values[0]
                break
            here = here.around
        name = value.parts[0].name if value.kind == "call" and value.parts[0].kind == "name" else ""
        defined = sum(one.name == name for one in self._of_kind("class"))
        return name if name in self.classes and defined == 1 and name not in self._extended else ""

    @cached_property
    def _extended(self) -> frozenset[str]:
        """The names of classes that others extend, or that are assigned."""
        bases = (base.name for one in self._of_kind("class") for part in one.parts[1:] for base in walk(part))
        assigned = (one.parts[0].name for one in self._of_kind("assign") if one.parts[0].kind == "name")
        return frozenset((*bases, *assigned)) & self.classes

    def _function(self, name: str, function: Function) -> Function | None:
        here: Function | None = function
        while here is not None:
            own = [one for one in self.by_name.get(name, ()) if one.around is here]
            if own:
                return own[-1]
            if name in here.bound:
                return None
            here = here.around
        return self._defined(function.module, name, 0)

    def _only(self, found: Iterator[Function]) -> Function | None:
        every = list(found)
        return every[0] if len(every) == 1 else None

    @cached_property
    def classes(self) -> frozenset[str]:
        """The names of the classes that are defined in the modules."""
        return frozenset(one.name for one in self._of_kind("class"))

    def _of_kind(self, kind: str) -> Iterator[Node]:
        for module in self.modules.found.values():
            yield from module.index.kinds.get(kind, ())

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
                    found = [self.called(node, one), *self._given(node, one)]
                    ahead += [function for function in found if function is not None]
        return list(seen.values())

    @cached_property
    def _within(self) -> Mapping[int, Sequence[Function]]:
        """The functions that are defined in each function, or in a module outside all."""
        found: dict[int, list[Function]] = {}
        for one in self.functions:
            if one.around is not None:
                found.setdefault(id(one.around.node), []).append(one)
        return found

    def _decorated(self, function: Function) -> Iterator[Function]:
        """Yield the decorators that run in a function, and what they make a listener."""
        for inner in self._within.get(id(function.node), ()):
            for one in inner.decorators:
                found = self._called(_as_call(one), function)
                if found is not None:
                    yield found
            if self._listens(inner):
                yield inner

    def named(self, name: Node, function: Function) -> Function | None:
        """Return the function of the folder that a name surely means."""
        return self._function(name.name, function)

    def _given(self, call: Node, function: Function) -> Iterator[Function | None]:
        """Yield the functions that a call is given by their names, as listeners are."""
        for given in call.parts[1:]:
            for one in given_functions(given):
                if one.kind == "name":
                    yield self._function(one.name, function)

    def _listens(self, function: Function) -> bool:
        """Return whether a decorator makes a function a listener: `@app.command("/x")`, `@app.route("/y")`."""
        for one in function.decorators:
            called = one.parts[0] if one.kind == "call" else one
            if called.kind == "attribute" and called.name not in {"setter", "getter", "fixture"}:
                return True
        return False

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
        if original not in {"", "*", name}:
            for one in self.functions:
                if one.module.path == target and (one.name == original or (original == "default" and _is_outer(one))):
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
            for one in self._of_kind("class")
        }
        found = {name for name, named in bases.items() if named - self.classes - _PLAIN}
        while more := {name for name, named in bases.items() if name not in found and named & found}:
            found |= more
        return frozenset(found)

    @cached_property
    def _unused(self) -> frozenset[int]:
        """The nodes by which a module names its own functions and imports, and what it imports: none is used there."""
        found = [inner for one in self._of_kind("import") for inner in walk(one)]
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
        found = ((function, node) for function, node in self.nodes if node.kind == "call")
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
_SHORT = 60
_WRAPS = re.compile(r"(?:\A|\.)promisify\Z")
"""What makes of a function one that does the same."""
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


def _given_back(function: Function) -> str | None:
    """Return the name of which an entry of an object is a getter, as bundlers write exports: `{handler: () => run}`."""
    statements = function.body.parts if function.in_table else ()
    returned = statements[0].parts if len(statements) == 1 and statements[0].kind == "return" else ()
    return returned[0].name if returned and returned[0].kind == "name" else None


def _is_outer(function: Function) -> bool:
    return function.around is not None and function.around.around is None
