"""Marks the points of a JavaScript source in its text, whose lines stay, as `marking` does in a tree of Python."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from threatmodel.beside.code.javascript.parsing import tree_of
from threatmodel.beside.code.javascript.tree import Tree, children
from threatmodel.probe.branches.marking import CONDITION, SEEN, WHOLE, Place

PRESENT = "__probe_present__"
"""What an operand of `??` is handed through: it is true where that is there."""
END = "/*;*/"
"""What ends all that is put into a source, so that it can be taken out of what a function says of itself."""
_SHORT = {"&&": CONDITION, "||": CONDITION, "??": PRESENT}
_TESTED = frozenset({"if_statement", "while_statement", "do_statement", "for_statement", "ternary_expression"})
Insertion = tuple[int, int, int, str]
"""Where, in which order there, and a text."""


def mark(text: str, ending: str, numbers: Mapping[Place, int]) -> tuple[str, set[Place]]:
    """Return the marked source, and the places that have a number and could be marked."""
    source = text.encode("utf-8", "surrogatepass")
    root = tree_of(text, ending)
    insertions: list[Insertion] = []
    found: set[Place] = set()
    for place, added in _changes(root):
        if place in numbers and place not in found:
            found.add(place)
            insertions += (one for more in added for one in more.numbered(2 * numbers[place]))
    pieces, at = [], 0
    for place_, _, _, piece in sorted(insertions):
        pieces += [source[at:place_], piece.encode()]
        at = place_
    marked = b"".join([*pieces, source[at:]]).decode("utf-8", "surrogatepass")
    if WHOLE in numbers:
        found.add(WHOLE)
        marked += f"\n;{SEEN}({2 * numbers[WHOLE]},0);{END}"
    return marked, found


class _Added:
    """A call around an expression, or a statement before another: `more` is added to the number of the point."""

    def __init__(self, begin: int, end: int, name: str, more: int = 0) -> None:
        self._begin, self._end, self._name, self._more = begin, end, name, more

    def numbered(self, number: int) -> Iterator[Insertion]:
        """Yield what is put in: what ends comes before what begins, inner ends first and outer beginnings."""
        length = self._end - self._begin
        call = f"{self._name}({number + self._more},"
        if length:
            yield self._begin, 1, -length, f"{call}("
            yield self._end, 0, length, f"){END})"
        else:
            yield self._begin, 1, -1_000_000_000, f"{call}0);{END}"


def _changes(root: Tree) -> Iterator[tuple[Place, list[_Added]]]:
    ahead = [root]
    while ahead:
        one = ahead.pop()
        ahead += reversed(one.named_children)
        yield from _of(one)


def _of(one: Tree) -> Iterator[tuple[Place, list[_Added]]]:  # noqa: C901, PLR0912 - one kind of statement a case
    match one.type:
        case kind if kind in _TESTED:
            yield from _tested(one.child_by_field_name("condition"))
        case "binary_expression":
            yield from _tested(one.child_by_field_name("left"), _SHORT.get(_operator(one), ""))
        case "return_statement":
            value = next(iter(children(one)), None)
            if value is not None:
                yield _place(one, "return"), [_around(value, SEEN)]
                yield from _tested(value)
        case "arrow_function":
            body = one.child_by_field_name("body")
            if body is not None and body.type != "statement_block":
                yield _place(body, "return"), [_around(body, SEEN)]
                yield from _tested(body)
        case "switch_statement":
            value, body = one.child_by_field_name("value"), one.child_by_field_name("body")
            for case in children(body) if body is not None and value is not None else ():
                colon = next((part for part in case.children if part.type == ":"), None)
                if colon is not None and value is not None:
                    begun = _around(value.named_children[0], SEEN, 1)
                    yield _place(case, "case"), [_before(colon.end_byte), begun]
        case "for_in_statement":
            body, right = one.child_by_field_name("body"), one.child_by_field_name("right")
            if body is not None and right is not None and body.type == "statement_block":
                yield _place(one, "loop"), [_before(body.start_byte + 1), _around(right, SEEN, 1)]
        case "try_statement":
            body, caught = one.child_by_field_name("body"), one.child_by_field_name("handler")
            inside = caught.child_by_field_name("body") if caught is not None else None
            if caught is not None and inside is not None and body is not None:
                added = [_before(inside.start_byte + 1), _Added(body.start_byte + 1, body.start_byte + 1, SEEN, 1)]
                yield _place(caught, "handler"), added


def _tested(test: Tree | None, name: str = CONDITION) -> Iterator[tuple[Place, list[_Added]]]:
    """Yield the operands of a test."""
    if test is None or not name:
        return
    test = _bare(test)
    if test.type == "binary_expression" and (inner := _SHORT.get(_operator(test))):
        yield from _tested(test.child_by_field_name("left"), inner)
        yield from _tested(test.child_by_field_name("right"), name)
    elif test.type == "unary_expression" and _operator(test) == "!":
        yield from _tested(test.child_by_field_name("argument"))
    elif test.type not in {"ternary_expression", "sequence_expression"}:
        yield _place(test, "condition"), [_around(test, name)]


def _bare(one: Tree) -> Tree:
    """Return an expression without brackets; a statement without its semicolon."""
    while one.type in {"parenthesized_expression", "expression_statement"} and (inside := children(one)):
        one = inside[0]
    return one


def _operator(one: Tree) -> str:
    found = one.child_by_field_name("operator")
    return (found.text or b"").decode() if found is not None else ""


def _place(one: Tree, kind: str) -> Place:
    row, column = one.start_point
    return row + 1, column + 1, kind


def _around(one: Tree, name: str, more: int = 0) -> _Added:
    return _Added(one.start_byte, one.end_byte, name, more)


def _before(at: int) -> _Added:
    return _Added(at, at, SEEN)
