"""Whether a test of a check keeps a request that fails it from having an effect."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from threatmodel.beside.code.effects import effect_of
from threatmodel.beside.code.functions import Function, ends
from threatmodel.beside.code.program import Program
from threatmodel.beside.code.syntax import Node, walk

FAILED, EITHER = "failed", "either"
"""What a check gives where it fails: a value that counts as false, or one of which it is unknown how it counts."""
_TRUE, _FALSE, _UNKNOWN = "true", "false", ""
_OPPOSITE = {_TRUE: _FALSE, _FALSE: _TRUE}
Leaf = Callable[[Node], str]
"""What a node gives where the check fails: FAILED, EITHER, or '' where it is no check."""


def rejects(program: Program, function: Function, node: Node, leaf: Leaf, *, raises: bool) -> bool:
    """Return whether nothing has an effect after a check of a function that failed; `raises`: it may then raise."""
    path = path_to(function.body, node)
    if not path:
        return False
    statement, rest = path[-1]
    if _swallows(program, function, path):
        return False
    if statement.kind == "expression":
        return raises or _is_guard(program, function, _as_test(statement), rest, leaf)
    if statement.kind == "assign" and not raises:
        names = {one.name for one in walk(statement.parts[0]) if one.kind == "name"}
        return _later(program, function, rest, names, leaf(node) or EITHER)
    if statement.kind == "if":
        return _is_guard(program, function, statement, rest, leaf)
    return statement.kind in {"return", "assign"}


def _as_test(statement: Node) -> Node:
    """Return an expression such as `ok && act()` as the statement that it is."""
    value = statement.parts[0]
    nothing = Node("block", "", (), statement.line, statement.column)
    if value.kind in {"and", "or"} and len(value.parts) > 1:
        then = Node("block", "", tuple(value.parts[1:]), statement.line, statement.column)
        branches = (then, nothing) if value.kind == "and" else (nothing, then)
        return Node("if", "", (value.parts[0], *branches), statement.line, statement.column)
    return Node("if", "", (Node("constant", "none", (), 1, 1), nothing, nothing), statement.line, statement.column)


def _later(program: Program, function: Function, rest: list[Node], names: set[str], gives: str) -> bool:
    """Return whether a statement after a check tests the variable with its outcome, and rejects."""
    for number, one in enumerate(rest):
        if one.kind == "return":
            return True
        if one.kind == "if" and any(node.kind == "name" and node.name in names for node in walk(one.parts[0])):
            leaf = lambda node: gives if node.kind == "name" and node.name in names else ""  # noqa: E731
            return _is_guard(program, function, one, rest[number + 1 :], leaf)
        if _acts(program, function, [one]):
            return False
    return True


def _is_guard(program: Program, function: Function, test: Node, rest: list[Node], leaf: Leaf) -> bool:
    """Return whether the branch that runs where the check fails, and what comes after it, has no effect."""
    condition, then, other = test.parts
    value = _value(condition, leaf)
    branches = {_TRUE: (then,), _FALSE: (other,), EITHER: (then, other)}.get(value, ())
    harmless = [not _acts(program, function, [one] if ends(one) else [one, *rest]) for one in branches]
    return any(harmless)


def _value(node: Node, leaf: Leaf) -> str:
    """Return what a test gives where the check fails: true, false, EITHER, or '' where other things decide."""
    found = leaf(node)
    if found:
        return _FALSE if found == FAILED else EITHER
    match node.kind:
        case "not":
            value = _value(node.parts[0], leaf)
            return _OPPOSITE.get(value, value)
        case "and" | "or":
            decides = _FALSE if node.kind == "and" else _TRUE
            values = {_value(one, leaf) for one in node.parts}
            return (
                decides if decides in values else EITHER if EITHER in values and node.kind == "or" else _common(values)
            )
        case "compare":
            return _compared(node, leaf)
        case "assign":
            return _value(node.parts[1], leaf)
        case "call" | "operation" | "list":
            return EITHER if any(leaf(one) for one in walk(node)) else _UNKNOWN
        case _:
            return _UNKNOWN


def _common(values: set[str]) -> str:
    return next(iter(values)) if len(values) == 1 else _UNKNOWN


def _compared(node: Node, leaf: Leaf) -> str:
    values = [_value(one, leaf) for one in node.parts]
    constants = [one.name for one in node.parts if one.kind == "constant"]
    if _FALSE in values and constants and node.name in {"==", "!=", "is", "is not"}:
        same = (constants[0] in {"false", "none", "0"}) == (node.name in {"==", "is"})
        return _TRUE if same else _FALSE
    return EITHER if any(values) else _UNKNOWN


def path_to(block: Node, node: Node) -> list[tuple[Node, list[Node]]]:
    """Return the statements from a block down to a node, each with those after it; not into what is conditional."""
    return list(_path(block, node))


def _path(block: Node, node: Node) -> Iterator[tuple[Node, list[Node]]]:
    for number, statement in enumerate(block.parts):
        if any(one is node for one in walk(statement)):
            yield statement, list(block.parts[number + 1 :])
            if statement.kind == "try" and any(one is node for one in walk(statement.parts[0])):
                yield from _path(statement.parts[0], node)
            elif statement.kind == "block":
                yield from _path(statement, node)
            return


def _swallows(program: Program, function: Function, path: list[tuple[Node, list[Node]]]) -> bool:
    """Return whether an exception around a check is caught, and an effect comes after it all the same."""
    for statement, rest in path:
        caught = [one for one in statement.parts if one.kind == "handler"] if statement.kind == "try" else []
        after = [one.parts[0] for one in caught if not ends(one.parts[0])]
        if after and _acts(program, function, [*after, *rest]):
            return True
    return False


def _acts(program: Program, function: Function, statements: list[Node]) -> bool:
    """Return whether a statement may have an effect, by itself or in a function of the folder."""
    seen: set[int] = set()
    ahead = [(function, one) for one in statements]
    for holder, statement in ahead:  # it grows on the way
        for call in walk(statement):
            if call.kind != "call":
                continue
            if effect_of(program, call, holder):
                return True
            target = program.called(call, holder)
            if target is not None and id(target.node) not in seen:
                seen.add(id(target.node))
                ahead.append((target, target.body))
    return False
