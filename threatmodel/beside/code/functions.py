"""The functions of a handler's source: what runs as part of one, and what a statement ends."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from threatmodel.beside.code.modules import Module
from threatmodel.beside.code.syntax import Later, Node, walk
from threatmodel.reading.values import dataclass

NOTES = frozenset({"print", "log", "debug", "info", "warning", "warn", "error", "exception", "critical"})
"""What is called to write a log."""
_CALLBACKS = frozenset({"callback", "cb", "done"})
"""Names of the parameter that ends an invocation, and not the function that calls it."""
_CHANGES = frozenset({"assign", "declare", "return", "raise", "leave"})


def only_notes(function: Function, branches: Iterable[Node]) -> bool:
    """Return whether some blocks only write a log, or call Lambda's callback: they leave and set nothing."""
    inside = [one for branch in branches for one in walk(branch)]
    called = (one.parts[0] for one in inside if one.kind == "call")
    plain = all(one.name in NOTES or (one.name in _CALLBACKS & function.bound and one.kind == "name") for one in called)
    return plain and not any(one.kind in _CHANGES for one in inside)


@dataclass(eq=False)
class Function:
    """A function with a name: its module, its node, the class and the function around it ('' and None for none).

    `in_table`: its name is the key of a dictionary or an object.
    """

    name: str
    module: Module
    node: Node
    owner: str = ""
    around: Function | None = None
    in_table: bool = False

    @property
    def parameters(self) -> Sequence[Node]:
        """Its parameters, in order."""
        return self.node.parts[0].parts

    @property
    def body(self) -> Node:
        """Its block."""
        return self.node.parts[1]

    @property
    def decorators(self) -> Sequence[Node]:
        """What it is decorated with."""
        return self.node.parts[2:]

    @property
    def scopes(self) -> Iterator[Function]:
        """It and the functions around it, the innermost first; the last is the module."""
        here: Function | None = self
        while here is not None:
            yield here
            here = here.around

    @cached_property
    def nodes(self) -> Sequence[Node]:
        """All nodes that run as part of it: those of functions without a name are, those of others are not."""
        defaults = (node for one in self.parameters for part in one.parts for node in walk(part))
        found = [*defaults]
        _running(self.body, found)
        return found

    @cached_property
    def assigned(self) -> Mapping[str, list[Node]]:
        """The values that its variables are assigned."""
        found: dict[str, list[Node]] = {
            one.name: [one.parts[0]] for one in self.parameters if one.parts and one.parts[0].kind != "as"
        }
        for node in self.nodes:
            if node.kind == "assign" and node.parts[0].kind == "name":
                found.setdefault(node.parts[0].name, []).append(node.parts[1])
            elif node.kind == "assign" and node.parts[0].kind == "list":
                for target in node.parts[0].parts:
                    if target.kind == "name":
                        found.setdefault(target.name, []).append(node.parts[1])
        return found

    @cached_property
    def bound(self) -> frozenset[str]:
        """The names of its parameters, those of functions without a name in it among them."""
        lists = [self.node.parts[0], *(one.parts[0] for one in self.nodes if one.kind == "function" and not one.name)]
        return frozenset(name for given in lists for one in given.parts for name in _names(one))


def _names(parameter: Node) -> Iterator[str]:
    if parameter.name:
        yield parameter.name
    yield from (one.name for one in parameter.parts if one.kind == "as")


def _running(block: Node, found: list[Node]) -> None:
    """Add the nodes of a block that can run: nothing after a return, nothing under a test that is false."""
    for statement in block.parts:
        _running_in(statement, found)
        if ends(statement):
            return


def _running_in(statement: Node, found: list[Node]) -> None:
    match statement.kind:
        case "function" if statement.name:
            found += (node for one in statement.parts[2:] for node in walk(one))
        case "class":
            _defining(statement, found)
        case "if":
            found.append(statement)
            _within(statement.parts[0], found)
            for branch, dead in zip(statement.parts[1:], ("false", "true"), strict=True):
                if not _is_constant(statement.parts[0], dead):
                    _running(branch, found)
        case "loop" | "try" | "handler" | "block":
            found.append(statement)
            for one in statement.parts:
                inner = {"handler": _running_in, "block": _running}.get(one.kind, _within)
                inner(one, found)
        case _:
            _within(statement, found)


def _defining(made: Node, found: list[Node]) -> None:
    """Add what runs when a class is made: its bases, its decorators and the values in its body."""
    for base in made.parts[1:]:
        _within(base, found)
    for inner in made.parts[0].parts:
        if inner.kind != "assign":
            _running_in(inner, found)
        elif _made(inner) is None:
            _within(inner.parts[1], found)


def _within(node: Node, found: list[Node]) -> None:
    """Add an expression or plain statement with what is below it; functions that get a name are left out."""
    ahead = [node]
    while ahead:
        one = ahead.pop()
        kind = one.kind
        if kind in _NAMING and one.parts and _made(one) is not None:
            if kind == "assign":
                ahead += one.parts[1].parts[2:]
            continue
        found.append(one)
        if kind != "function":
            if one.parts:
                ahead += one.parts[::-1]
        elif not one.name:
            _running(one.parts[1], found)


_NAMING = frozenset({"assign", "pair"})


def followed(node: Node, values_of: Callable[[str], Iterable[Node]]) -> Iterator[Node]:
    """Yield the nodes of an expression, and those of the values of the variables that it names, each variable once."""
    ahead = [*walk(node)]
    seen: set[str] = set()
    for one in ahead:  # it grows on the way
        yield one
        if one.kind == "name" and one.name not in seen:
            seen.add(one.name)
            ahead += (inner for value in values_of(one.name) for inner in walk(value))


def derived(function: Function, names: Iterable[str]) -> frozenset[str]:
    """Return some variables of a function, and those whose values mention one of them."""
    found = frozenset(names)
    while True:
        more = {
            name
            for name, values in function.assigned.items()
            if any(one.kind == "name" and one.name in found for value in values for one in walk(value))
        }
        if more <= found:
            return found
        found |= more


def ends(statement: Node) -> bool:
    """Return whether nothing after a statement runs."""
    match statement.kind:
        case "return" | "raise":
            return True
        case "block":
            return any(map(ends, statement.parts))
        case "if":
            if _is_constant(statement.parts[0], "true"):
                return ends(statement.parts[1])
            return ends(statement.parts[1]) and ends(statement.parts[2])
        case "try":
            return all(ends(one.parts[0] if one.kind == "handler" else one) for one in statement.parts[:-1])
        case _:
            return False


def unconditional(block: Node) -> Iterator[Node]:
    """Yield the statements of a block that run each time, those in the body of a try among them."""
    for statement in block.parts:
        if statement.kind == "try":
            yield from unconditional(statement.parts[0])
        elif statement.kind == "block":
            yield from unconditional(statement)
        else:
            yield statement


def _is_constant(node: Node, value: str) -> bool:
    if value == "false" and node.kind == "compare" and node.name == "==":
        return any(one.name in {"__name__", "require.main"} for one in node.parts)  # it is imported, and is no script
    return node.kind == "constant" and node.name == value


def _made(node: Node) -> Node | None:
    """Return the function that an assignment or a pair gives a name."""
    if node.kind == "assign" and node.parts[0].kind in {"name", "attribute"}:
        return node.parts[1] if node.parts[1].kind == "function" else None
    if node.kind == "pair" and node.name and node.parts[0].kind == "function":
        return node.parts[0]
    return None


def functions_of(whole: Function) -> Iterator[Function]:
    """Yield the functions with names in a module."""
    yield from _below(whole.module.block, "", whole)


def _below(block: Node, owner: str, around: Function) -> Iterator[Function]:
    """Yield the functions with names below a block, those in them too."""
    ahead = deque(block.parts)
    while ahead:
        node = ahead.popleft()
        kind = node.kind
        if isinstance(node, Later):  # no function is in it
            continue
        if kind == "class":
            yield from _below(node.parts[0], node.name or owner, around)
            continue
        made = node if kind == "function" and node.name else _made(node) if kind in _NAMING else None
        if made is None:
            ahead += node.parts
            continue
        name = node.parts[0].name if kind == "assign" else node.name
        function = Function(name, around.module, made, owner, around, in_table=kind == "pair")
        yield function
        if not isinstance(made.parts[1], Later):
            yield from _below(made.parts[1], owner, function)
