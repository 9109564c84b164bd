"""The points of a source at which it may go one way or another, each with what is certain of the ways.

A point is a condition (each operand of `and` and `or` is one), a case, an exception handler, the body of a loop, or a
return of a constant, whose ways are only recorded.  A way is harmless if what follows is evidently a rejection: an
exception, or an answer of 4xx or 5xx, after logging only.  It is as harmless as a return of the same constant
by the same function, where that followed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from threatmodel.beside.code.syntax import Node, walk
from threatmodel.probe.branches.follows import Follow, Frame, Open, constant_text, follow, is_quiet, is_rejection
from threatmodel.probe.branches.marking import Place

CONDITION, CASE, HANDLER, LOOP, RETURN, FILE = "condition", "case", "handler", "loop", "return", "file"


class Point(NamedTuple):
    """Where it is, and what follows if it is true (or entered), and if it is false (or passed over).

    `says` is what a condition's outcome, or a return, says of the value that the function returns: texts of `Follow`.
    """

    kind: str
    line: int
    column: int
    if_true: Follow = None
    if_false: Follow = None
    says: tuple[Open | None, Open | None] = (None, None)

    @property
    def place(self) -> Place:
        """Where it is, as what marks it has it."""
        return self.line, self.column, self.kind


def points_of(block: Node, handlers: Sequence[str]) -> list[Point]:
    """Return the points of a file, each place once; `handlers` are the names that its handler may have."""
    found: dict[Place, Point] = {}
    lists = frozenset(
        one.parts[0].name
        for one in block.parts
        if one.kind == "assign" and _has_items(one.parts[-1]) and one.parts[0].name
    )
    for point in _Source(handlers, lists, _names(block.parts, "", "declare")).statements(block.parts, Frame()):
        found.setdefault(point.place, point)
    return list(found.values())


class _Source:
    def __init__(self, handlers: Sequence[str], lists: Collection[str], bound: frozenset[str]) -> None:
        self._handlers, self._lists = handlers, lists
        self._around = bound

    def statements(self, several: Sequence[Node], frame: Frame) -> Iterator[Point]:
        for at, one in enumerate(several):
            yield from self._statement(one, frame.then(several[at + 1 :]))

    def _statement(self, one: Node, frame: Frame) -> Iterator[Point]:
        match one.kind:
            case "if":
                yield from self._branched(one, frame)
            case "loop":
                yield from self._loop(one, frame)
            case "try":
                yield from self._tried(one, frame)
            case "return":
                yield from self._returned(one, frame)
            case "block":
                yield from self.statements(one.parts, frame)
            case "raise":
                return
            case _ if is_quiet(one):
                return
            case _:
                yield from self._inside(one, frame)

    def _branched(self, one: Node, frame: Frame) -> Iterator[Point]:
        test, then, other = one.parts
        ways = (follow((*then.parts,), frame), follow((*other.parts,), frame))
        is_case = (one.line, one.column) == (test.line, test.column)  # its pattern is no expression
        if is_quiet(then) and is_quiet(other) and not (is_case and not then.parts):  # an empty case leads into the next
            ways = (frozenset(), frozenset())
        if one.name != "else":
            for line, column in _cases(one, test) if is_case else ():
                yield Point(CASE, line, column, *ways)
            yield from _conditions(test, ways)
            yield from self._inside(test, frame)
        yield from self.statements(then.parts, frame)
        yield from self.statements(other.parts, frame)

    def _loop(self, one: Node, frame: Frame) -> Iterator[Point]:
        body, tests = one.parts[0], one.parts[1:2]
        ways = (
            None,
            follow((), frame) if _leaves_off(body) else frozenset(),
        )  # what rejects nothing may be passed over
        for test in tests:
            yield from _conditions(test, ways)
        if not tests and not self._is_filled(one):
            yield Point(LOOP, one.line, one.column, *ways)
        for part in one.parts[1:]:
            yield from self._inside(part, frame)
        yield from self.statements(body.parts, frame.around())

    def _is_filled(self, loop: Node) -> bool:
        """Whether it goes over a list that the file has written out, and so is always entered."""
        first = loop.parts[0].parts[0] if loop.parts[0].parts else loop
        value = first.parts[-1] if first.kind == "assign" else first
        return _has_items(value) or (value.kind == "name" and value.name in self._lists)

    def _tried(self, one: Node, frame: Frame) -> Iterator[Point]:
        body, *handlers, last = one.parts
        yield from self.statements(body.parts, frame.then(last.parts))
        for handler in handlers:
            inside = handler.parts[0]
            yield Point(
                HANDLER, handler.line, handler.column, follow(inside.parts, frame.then(last.parts)), frozenset()
            )
            yield from self.statements(inside.parts, frame.then(last.parts))
        yield from self.statements(last.parts, frame)

    def _returned(self, one: Node, frame: Frame) -> Iterator[Point]:
        value = one.parts[0] if one.parts else None
        if is_rejection(value):
            return
        text = constant_text(value)
        if text:
            yield Point(RETURN, one.line, one.column, says=(frame.open(text), None))
        if value is None:
            return
        if value.kind == "choice":
            ways = tuple(follow((one._replace(parts=(part,)),), frame) for part in value.parts[1:])
            yield from _conditions(value.parts[0], (ways[0], ways[1]))
        elif value.kind in {"and", "or", "not"}:
            said = (frame.open(f"{one.line}:{one.column} true"), frame.open(f"{one.line}:{one.column} false"))
            fails = value.kind == "or" and is_rejection(value.parts[-1])
            ways = (frozenset({said[0]}), frozenset() if fails else frozenset({said[1]}))
            value = value.parts[0] if fails else value
            yield from (_saying(point, value, said) for point in _conditions(value, ways))
        yield from self._inside(value, frame)

    def _inside(self, one: Node, frame: Frame) -> Iterator[Point]:
        """Yield the points in an expression: choices, operands, and what functions in it do."""
        if one.kind == "function":
            yield from self._function(one)
            return
        if one.kind in {"assign", "pair"} and one.parts:
            value = one.parts[1] if one.kind == "assign" and len(one.parts) > 1 else one.parts[0]
            name = one.parts[0].name if one.kind == "assign" else one.name
            if value.kind == "function" and not value.name:
                yield from self._function(value._replace(name=name))
                return
        for test in _tests(one):
            yield from _conditions(test, (None, None))
        for part in one.parts:
            if part.kind in {"block", "function", "class"} or part.parts:
                yield from self._statement(part, frame) if part.kind in _STATEMENTS else self._inside(part, frame)

    def _function(self, one: Node) -> Iterator[Point]:
        parameters, body, *decorators = one.parts
        around, inside = self._around, frozenset(part.name for part in walk(parameters) if part.name)
        inside |= _names(walk(body), "declare")
        handed = (part for part in walk(body) if part.kind == "declare" and part.name)
        outside = (around - inside) | {part.name for declared in handed for part in declared.parts}
        name = f"{one.line}:{one.column}"
        own = Frame(function=name, answers=one.name in self._handlers, outside=outside)
        self._around = around | inside
        for part in (parameters, *decorators):
            yield from self._inside(part, own)
        yield from self.statements(body.parts, own)
        self._around = around


def _names(nodes: Iterable[Node], *how: str) -> frozenset[str]:
    """Return the names to which these statements assign in one of these ways."""
    targets = (one.parts[0] for one in nodes if one.kind == "assign" and one.name in how)
    return frozenset(part.name for target in targets for part in walk(target) if part.kind == "name")


def _leaves_off(block: Node) -> bool:
    """Whether a block may end its function."""
    inner = (part for part in block.parts if part.kind not in {"function", "class"})
    return any(part.kind in {"return", "raise"} or _leaves_off(part) for part in inner)


def _has_items(value: Node) -> bool:
    """Whether it is a list that is written out, and not empty."""
    return value.kind == "list" and any(part.kind not in {"spread", "assign"} for part in value.parts[:1])


_STATEMENTS = frozenset({"block", "if", "loop", "try", "return", "raise"})
_SEARCHING = frozenset({"some", "every", "find", "filter", "findIndex"})


def _tests(one: Node) -> Iterator[Node]:
    """Yield what decides in an expression itself: operands, and what a list is searched for."""
    if one.kind in {"and", "or"} and not _is_chain(one):
        yield from one.parts[:-1]
    elif one.kind == "choice":
        yield one.parts[0]
    elif one.kind == "list":
        loops = sum(1 for part in one.parts if part.kind == "assign")
        yield from one.parts[loops:-1] if loops else ()
    elif one.kind == "call":
        yield from _searched(*one.parts)


def _searched(called: Node, *given: Node) -> Iterator[Node]:
    """Yield the conditions that are looked for in a list: `any(... for ...)`, `list.some(...)`."""
    if called.kind == "name" and called.name in {"any", "all"} and given and given[0].kind == "list":
        yield from given[0].parts[-1:]
    elif called.kind == "attribute" and called.name in _SEARCHING and given and given[0].kind == "function":
        for statement in given[0].parts[1].parts:
            if statement.kind == "return":
                yield from statement.parts


def _conditions(test: Node, ways: tuple[Follow, Follow]) -> Iterator[Point]:
    """Yield the operands of a test, each with what follows from its two values."""
    for leaf in _leaves(test):
        if_true, if_false = (_joined(ways, _results(test, leaf, value=value)) for value in (True, False))
        yield Point(CONDITION, leaf.line, leaf.column, if_true, if_false)


def _saying(point: Point, value: Node, said: tuple[Open, Open]) -> Point:
    """Return the point of a returned value with what its outcomes say of it: nothing where that is still open."""
    leaf = next(one for one in _leaves(value) if (one.line, one.column) == (point.line, point.column))
    says = []
    for outcome in (True, False):
        results = _results(value, leaf, value=outcome)
        says.append(said[not next(iter(results))] if len(results) == 1 else None)
    return point._replace(says=(says[0], says[1]))


def _joined(ways: tuple[Follow, Follow], results: frozenset[bool]) -> Follow:
    several = [ways[0] if result else ways[1] for result in results]
    known = [one for one in several if one is not None]
    return frozenset().union(*known) if len(known) == len(several) else None


def _leaves(test: Node) -> Iterator[Node]:
    if test.kind in {"and", "or"} and not _is_chain(test):
        for part in test.parts:
            yield from _leaves(part)
    elif test.kind == "not":
        yield from _leaves(test.parts[0])
    elif test.kind not in {"constant", "text", "choice"}:  # a choice begins where its own condition does
        yield test


def _is_chain(one: Node) -> bool:
    """Whether it is a comparison of more than two values, which is one condition."""
    return all(part.kind == "compare" and part[3:] == one[3:] for part in one.parts)


def _results(test: Node, leaf: Node, *, value: bool) -> frozenset[bool]:
    """Return which values the test may have where this operand has one; none where it does not have the operand."""
    if test is leaf:
        return frozenset({value})
    if test.kind == "not":
        return frozenset(not one for one in _results(test.parts[0], leaf, value=value))
    if test.kind not in {"and", "or"} or _is_chain(test):
        return frozenset()
    ends = test.kind == "or"  # the value of an operand after which no other is asked
    for at, part in enumerate(test.parts):
        if found := _results(part, leaf, value=value):
            last = at == len(test.parts) - 1
            return found if last or found == {ends} else frozenset({True, False})
    return frozenset()


def _cases(branch: Node, test: Node) -> Iterable[tuple[int, int]]:
    """Return where a case is, and those before it without statements, which lead into it."""
    before = test.parts if test.kind == "or" else ()
    return dict.fromkeys((one.line, one.column) for one in (branch, *before))
