"""What a name means in a handler's modules where it is used: a function, a class, or something of a package."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property

from threatmodel.beside.code.functions import Function, functions_of
from threatmodel.beside.code.modules import Module, Modules, is_required
from threatmodel.beside.code.syntax import Node, about, walk

_DEEPEST = 12
"""Names that are followed from one to the next, and calls in a chain."""
_SHORT = 60
_WRAPS = re.compile(r"(?:\A|\.)promisify\Z")
"""What makes of a function one that does the same."""


class Names:
    """The functions of some modules by name, and what names, expressions and calls in them mean."""

    def __init__(self, modules: Modules) -> None:
        self.modules = modules
        self.functions: list[Function] = []
        self.top: dict[str, Function] = {}
        for module in modules.found.values():
            body = Node("function", "", (Node("list", "", (), 1, 1), module.block), 1, 1)
            whole = Function("", module, body)
            self.top[module.path] = whole
            self.functions += functions_of(whole)
        self.by_name: dict[str, list[Function]] = {}
        for one in self.functions:
            self.by_name.setdefault(one.name, []).append(one)
        self._known: dict[tuple[str, str], Function | None] = {}
        self._names: dict[tuple[int, int], str] = {}
        self._calls: dict[int, Function | None] = {}

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
                return next(
                    filter(None, (self.dotted(one, function, depth + 1) for one in reversed(node.parts[-2:]))), ""
                )
            case "operation" if node.name == "await":
                return self.dotted(node.parts[0], function, depth + 1)
            case _:
                return ""

    def _named(self, name: str, function: Function, depth: int) -> str:
        for here in function.scopes:
            if name in here.assigned:
                values = [one for one in here.assigned[name] if one[:2] != ("constant", "none")] or here.assigned[name]
                if len({value[:3] for value in values}) == 1 and values[0].kind in {"name", "attribute", "call", "or"}:
                    return self.dotted(values[0], here, depth + 1) or name
                if here.around is not None or name not in function.module.imports:
                    return name
            if name in here.bound:
                return name
        if name in function.module.imports:
            target, original = function.module.imports[name]
            there = self.modules.found.get(target)
            if there is not None and original not in {"*", "default"} and depth < _DEEPEST:
                return self._named(original, self.top[target], depth + 1)
            return target if original in {"*", "default"} else f"{target}.{original}"
        return name

    def called(self, call: Node, function: Function) -> Function | None:
        """Return the function of the folder that a call surely runs; None where it is another one, or unknown."""
        if id(call) not in self._calls:
            self._calls[id(call)] = self.run_by(call, function)
        return self._calls[id(call)]

    def selected(self, call: Node, function: Function) -> Iterator[Function]:
        """Yield the functions of a table of the folder out of which a call takes one: `COMMANDS[name](text)`."""
        what, here = call.parts[0], function
        table = what.parts[0].name if what.kind == "item" and what.parts[0].kind == "name" else ""
        while table and table not in here.bound | here.assigned.keys() and here.around is not None:
            here = here.around
        values = here.assigned.get(table, ())
        for one in values[0].parts if len(values) == 1 and values[0].kind == "dict" else ():
            value = one.parts[0]
            if value.kind == "name":
                found = self.function(value.name, here)
                yield from [found] if found is not None else ()
            else:
                yield from (own for own in self.by_name.get(one.name, ()) if own.node is value)

    def run_by(self, call: Node, function: Function) -> Function | None:
        """Return the same of a call that is made for a decorator, and is not kept."""
        what = call.parts[0]
        if what.kind == "name":
            return self.function(what.name, function)
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
                return self.defined(there, what.name, 0)
        return None

    def _class_of(self, value: Node, function: Function, depth: int = 0) -> str:
        """Return the class of the modules of which a value surely is an instance; '' where none is known."""
        for here in function.scopes if value.kind == "name" and depth < _DEEPEST else ():
            values = here.assigned.get(value.name, ())
            if value.name in here.bound or len(values) > 1:
                return ""
            if values and not is_required(values[0]):
                return self._class_of(values[0], here, depth + 1)
        target, original = function.module.imports.get(value.name, ("", "")) if value.kind == "name" else ("", "")
        if target in self.modules.found:  # an instance that a module of the folder makes, and passes on
            there = self.top[target]
            made = there.assigned.get(original, ()) if original != "*" else _is_exports(there)
            return self._class_of(made[0], there, depth + 1) if len(made) == 1 and depth < _DEEPEST else ""
        name = value.parts[0].name if value.kind == "call" and value.parts[0].kind == "name" else ""
        defined = sum(one.name == name for one in self.of_kind("class"))
        return name if name in self.classes and defined == 1 and name not in self._extended else ""

    @cached_property
    def _extended(self) -> frozenset[str]:
        """The names of classes that others extend, or that are assigned."""
        bases = (base.name for one in self.of_kind("class") for part in one.parts[1:] for base in walk(part))
        every = (one for module in self.modules.found.values() for one in about(module.block, self.classes))
        assigned = (one.parts[0].name for one in every if one.kind == "assign" and one.parts[0].kind == "name")
        return frozenset((*bases, *assigned)) & self.classes

    def function(self, name: str, function: Function) -> Function | None:
        """Return the function of the folder that a name surely means where a function uses it."""
        for here in function.scopes:
            own = [one for one in self.by_name.get(name, ()) if one.around is here]
            if own:
                return own[-1]
            if name in here.bound:
                return None
        return self.defined(function.module, name, 0)

    def _only(self, found: Iterator[Function]) -> Function | None:
        every = list(found)
        return every[0] if len(every) == 1 else None

    def defined(self, module: Module, name: str, depth: int) -> Function | None:
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
            return self._bound(there, name, original, depth + 1) if there is not None else None
        for value in reversed(self.top[module.path].assigned.get(name, ())):
            if _passed(value).kind in {"name", "function"}:
                return self._meant(module, name, _passed(value), depth)
            if not any(one.kind in {"function", "name"} for one in value.parts):
                return None
        return self._exported(module, name, depth)

    def _meant(self, module: Module, name: str, value: Node, depth: int) -> Function | None:
        """Return the function that a value of a module is: one that another name means, or one without a name."""
        if value.kind == "name":
            return self.defined(module, value.name, depth + 1)
        return Function(name, module, value, around=self.top[module.path])

    def _bound(self, module: Module, name: str, original: str, depth: int) -> Function | None:
        """Return the function that a name means that a module of the folder binds, be it what that module is."""
        if original != "*":
            return self.defined(module, original, depth)
        return (None if module.python else self.defined(module, "exports", depth)) or self.defined(module, name, depth)

    def _own(self, module: Module, name: str, depth: int) -> Function | None:
        """Return the function that a module defines under a name, or of which it has a getter."""
        own = [one for one in self.by_name.get(name, ()) if one.module is module and not one.owner and is_outer(one)]
        plain = [one for one in own if _given_back(one) is None]
        if plain:
            return plain[-1]
        given = _given_back(own[-1]) if own else None
        return self.defined(module, given, depth + 1) if given not in {None, name} else None

    def _exported(self, module: Module, name: str, depth: int) -> Function | None:
        """Return what a module of JavaScript exports in an object, or passes on from another module."""
        for node in self.top[module.path].nodes:
            assigned = node.kind == "assign" and node.parts[0].kind == "attribute" and node.parts[0].name == name
            if assigned or (node.kind == "pair" and node.name == name):
                value = _passed(node.parts[1 if assigned else 0])
                if value.kind in {"name", "function"}:
                    return self._meant(module, name, value, depth)
        return None

    @cached_property
    def classes(self) -> frozenset[str]:
        """The names of the classes that are defined in the modules."""
        return frozenset(one.name for one in self.of_kind("class"))

    def of_kind(self, kind: str) -> Iterator[Node]:
        """Yield the nodes of one kind in all modules."""
        for module in self.modules.found.values():
            yield from module.kinds.get(kind, ())


def _passed(value: Node) -> Node:
    """Return what a call is given first, which it may wrap; any other value itself."""
    return value.parts[1] if value.kind == "call" and len(value.parts) > 1 else value


def _given_back(function: Function) -> str | None:
    """Return the name of which an entry of an object is a getter, as bundlers write exports: `{handler: () => run}`."""
    statements = function.body.parts if function.in_table else ()
    returned = statements[0].parts if len(statements) == 1 and statements[0].kind == "return" else ()
    return returned[0].name if returned and returned[0].kind == "name" else None


def _is_exports(top: Function) -> Sequence[Node]:
    """Return what a module of JavaScript is as a whole: the values of `module.exports`."""
    assigned = (node.parts for node in top.nodes if node.kind == "assign" and node.parts[0].kind == "attribute")
    return [value for target, value in assigned if target.name == "exports" and target.parts[0].name == "module"]


def is_outer(function: Function) -> bool:
    """Return whether a function is defined outside all others."""
    return function.around is not None and function.around.around is None
