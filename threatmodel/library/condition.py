"""The condition language: pytm's dialect cut down to what can be checked when it is loaded.

``target.fact``, one comparison with a constant (``== != < <= > >= in not in``), ``and or not``, ``true``.  Text is
parsed with `ast`, checked against the vocabulary, and compiled to closures over signed truths
(`threatmodel.model.facts`); nothing is evaluated by Python.
"""

from __future__ import annotations

import ast
import operator
import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from threatmodel.model.facts import Fact, Facts
from threatmodel.model.vocabulary import FACTS, FactRow, Kind
from threatmodel.reading.problems import article, listed, quoted, suggestion
from threatmodel.reading.shape import Flag, Number, Word
from threatmodel.reading.values import cached_property, dataclass

LONGEST = 400
"""Characters of the longest condition."""

_OPERATORS: dict[type, str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.In: "in",
    ast.NotIn: "not in",
}
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_STRANGE = re.compile(r"""[^\w.\-+*/%@&|^~?;:$!=<>()\[\]{},'" ]""", re.ASCII)
"""Characters that no condition needs: those that Python would skip (comments), join (backslashes) or translate."""
_ALLOWED = "a condition is built of target.fact, comparisons with constants, and, or, not, true"


class ConditionError(Exception):
    """A condition that cannot be used: `column` counts from 0 within its text."""

    def __init__(self, code: str, message: str, column: int = 0, hint: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.column, self.hint = code, message, column, hint


@dataclass(frozen=True, slots=True)
class Leaf:
    """One test of one fact.  `test` is '' for a bare yes/no, else an operator; `constant` what it compares with."""

    fact: str
    test: str = ""
    constant: Any = None

    def __str__(self) -> str:
        return f"{self.fact} {self.test} {shown(self.constant)}" if self.test else self.fact


@dataclass(frozen=True, slots=True)
class Always:
    """``true``."""

    def __str__(self) -> str:
        return "always"


@dataclass(frozen=True, slots=True)
class Not:
    """``not part``."""

    part: Tree


@dataclass(frozen=True, slots=True)
class And:
    """``part and part ...``."""

    parts: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """``part or part ...``."""

    parts: tuple[Tree, ...]


Tree = Leaf | Always | Not | And | Or
Truth = Callable[[Facts], int]
Why = Callable[[Facts], "tuple[Reading, ...]"]


class Reading(NamedTuple):
    """A leaf of a condition, and the fact as it counts there: None where it is not stated, or only in doubt."""

    leaf: Leaf
    fact: Fact | None


@dataclass(frozen=True)
class Condition:
    """A condition for one kind of element.

    `reassures`: it is good news where it holds.  A fact that is in doubt counts where it alarms, and is unknown where
    it would reassure.
    """

    text: str
    kind: Kind
    tree: Tree
    reassures: bool = True

    @cached_property
    def truth(self) -> Truth:
        """The function from an element's facts to a signed truth."""
        return _truth(self.tree, self.kind, reassures=self.reassures)

    @cached_property
    def why(self) -> Why:
        """The function from an element's facts to the leaves that decide the truth, each with its fact.

        For an unknown truth, these are the unknown ones.
        """
        return _why(self.tree, self.kind, reassures=self.reassures)

    @property
    def facts(self) -> frozenset[str]:
        """Names of the facts that it reads."""
        return frozenset(leaf.fact for leaf in leaves(self.tree))


def compile_condition(text: str, kind: Kind, *, reassures: bool = True) -> Condition:
    """The condition in `text` over elements of `kind`; `reassures` says that it is good news where it holds.

    Raises ConditionError at the first thing that is wrong.
    """
    return Condition(text, kind, parse(text, kind), reassures)


def parse(text: str, kind: Kind) -> Tree:
    """The tree of a condition, every name and constant of it checked.  Raises ConditionError."""
    if len(text) > LONGEST:
        raise ConditionError(
            "wrong-condition", f"the condition has {len(text)} characters; at most {LONGEST} are allowed"
        )
    if "\n" in text or "\r" in text:
        raise ConditionError("wrong-condition", "a condition is one line", 0, "join its lines")
    if strange := _STRANGE.search(text):
        raise ConditionError(
            "wrong-condition", f"{quoted(strange.group())} has no meaning here", strange.start(), _ALLOWED
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # what Python only warns of (1and 2) is no condition either
            body = ast.parse(text, mode="eval").body
    except SyntaxError as error:
        column = (error.offset or len(text) + 1) - 1
        message = "the condition is not valid from here on" if column < len(text) else "the condition ends too early"
        raise ConditionError("wrong-condition", message, max(0, column), _ALLOWED) from None
    except (ValueError, MemoryError, RecursionError):
        raise ConditionError("wrong-condition", "not a condition", 0, _ALLOWED) from None
    return _checked(body, text, kind)


def _checked(node: ast.expr, text: str, kind: Kind) -> Tree:
    match node:
        case ast.BoolOp(op=ast.And()):
            return And(tuple(_checked(part, text, kind) for part in node.values))
        case ast.BoolOp(op=ast.Or()):
            return Or(tuple(_checked(part, text, kind) for part in node.values))
        case ast.UnaryOp(op=ast.Not()):
            return Not(_checked(node.operand, text, kind))
        case ast.Name(id="true"):
            return Always()
        case ast.Attribute():
            return _bare(node, text, kind)
        case ast.Compare():
            return _comparison(node, text, kind)
        case _:
            raise _error(node, f"{_written(node, text)} is not allowed here", _ALLOWED)


def _bare(node: ast.Attribute, text: str, kind: Kind) -> Leaf:
    row = _row(node, text, kind)
    if not isinstance(row.shape, Flag):
        hint = f"compare it: {row.name} is {row.type}"
        raise _error(node, f"'{row.name}' is not a yes/no", hint, "wrong-type")
    return Leaf(row.name)


def _comparison(node: ast.Compare, text: str, kind: Kind) -> Leaf:
    if len(node.ops) > 1:
        raise _error(node, "one comparison at a time", "join comparisons with and")
    test = _OPERATORS.get(type(node.ops[0]))
    if test is None:
        raise _error(node, "'is' compares objects", "write == or !=")
    if not isinstance(node.left, ast.Attribute):
        raise _error(node.left, "a comparison begins with target.fact", _ALLOWED)
    row = _row(node.left, text, kind)
    right = node.comparators[0]
    if test in {"in", "not in"}:
        if not isinstance(right, ast.List | ast.Tuple | ast.Set) or not right.elts:
            raise _error(right, f"'{test}' needs a list of constants", "write ['a', 'b']")
        constants = tuple(_constant(item, row, test, text) for item in right.elts)
        return Leaf(row.name, test, constants)
    return Leaf(row.name, test, _constant(right, row, test, text))


def _row(node: ast.Attribute, text: str, kind: Kind) -> FactRow:
    if not (isinstance(node.value, ast.Name) and node.value.id == "target"):
        raise _error(node, f"{_written(node, text)} is not a fact of the target", "write target.fact")
    row = FACTS[kind].get(node.attr)
    if row is None:
        message = f"{quoted(node.attr)} is not a fact of {article(kind)}"
        hint = suggestion(node.attr, FACTS[kind]) or f"known: {listed(FACTS[kind], 40)}"
        column = (node.end_col_offset or 0) - len(node.attr)
        raise ConditionError("unknown-fact", message, column, hint)
    return row


def _constant(node: ast.expr, row: FactRow, test: str, text: str) -> Any:
    if not isinstance(node, ast.Constant):
        meant = _CONSTANTS.get(node.id) if isinstance(node, ast.Name) else None
        raise _error(node, f"{_written(node, text)} is not a constant", f"did you mean {meant}?" if meant else _ALLOWED)
    value = node.value
    plain = {f"'{value}'", f'"{value}"'} if isinstance(value, str) else {repr(value)}
    if text[node.col_offset : node.end_col_offset] not in plain:
        raise _error(node, f"{_written(node, text)} is not written plainly", f"write {shown(value)}")
    if value is None and test not in _ORDER:
        return None
    match row.shape:
        case Flag() if isinstance(value, bool) and test not in _ORDER:
            return value
        case Number(low, high) if type(value) is int:
            if not low <= value <= high:
                raise _error(node, f"{value} is not in the range {low} to {high}", _unit(row), "wrong-type")
            return value
        case Word(words, ordered) if isinstance(value, str):
            if test in _ORDER and not ordered:
                hint = f"write in [...]: {listed(words, 20)}"
                raise _error(node, f"the words of '{row.name}' have no order", hint, "wrong-type")
            if not row.shape.takes(value):
                hint = suggestion(value, words) or f"known: {listed(words, 20)}"
                raise _error(node, f"{quoted(value)} is not a word of '{row.name}'", hint, "unknown-word")
            return value
        case _:
            message = f"'{row.name}' is {row.type} and cannot be compared in this way with {shown(value)}"
            raise _error(node, message, _unit(row), "wrong-type")


def _unit(row: FactRow) -> str:
    """What a number of a fact counts, for a threshold that is given in another unit; '' for other facts."""
    return f"{row.name}: {row.meaning.partition('; null')[0]}" if isinstance(row.shape, Number) else ""


_CONSTANTS = {"null": "None", "true": "True", "false": "False"}
"""Constants as YAML writes them, and as a condition does."""


def _error(node: ast.expr, message: str, hint: str = "", code: str = "wrong-condition") -> ConditionError:
    return ConditionError(code, message, node.col_offset, hint)


def _written(node: ast.expr, text: str) -> str:
    """Return the source text of a part of a condition, for a message."""
    return quoted(text[node.col_offset : node.end_col_offset])


def shown(constant: Any) -> str:
    """A constant as a condition writes it."""
    if isinstance(constant, tuple):
        return "[" + ", ".join(shown(item) for item in constant) + "]"
    return repr(constant)


def leaves(tree: Tree) -> Iterator[Leaf]:
    """The leaves of a tree, in order of text."""
    match tree:
        case Leaf():
            yield tree
        case Not(part):
            yield from leaves(part)
        case And(parts) | Or(parts):
            for part in parts:
                yield from leaves(part)
        case Always():
            return


def test_of(leaf: Leaf, kind: Kind) -> Callable[[Any], bool]:
    """Whether a known value passes a leaf's test.  null equals only itself; its order comparisons are false."""
    constant = leaf.constant
    match leaf.test:
        case "":
            return lambda value: value is True
        case "==":
            return lambda value: bool(value == constant)
        case "!=":
            return lambda value: bool(value != constant)
        case "in":
            return lambda value: value in constant
        case "not in":
            return lambda value: value not in constant
        case test:
            compare, shape = _ORDER[test], FACTS[kind][leaf.fact].shape
            if not isinstance(shape, Word):
                return lambda value: value is not None and compare(value, constant)
            passing = {word for at, word in enumerate(shape.words) if compare(at, shape.words.index(constant))}
            return lambda value: value in passing


def _truth(tree: Tree, kind: Kind, *, reassures: bool) -> Truth:
    match tree:
        case Leaf():
            return _truth_of_test(tree, kind, reassures=reassures)
        case Always():
            return lambda _facts: 2
        case Not(part):
            inner = _truth(part, kind, reassures=not reassures)
            return lambda facts: -inner(facts)
        case And(parts):
            return _truth_of_all([_truth(part, kind, reassures=reassures) for part in parts], min)
        case Or(parts):
            return _truth_of_all([_truth(part, kind, reassures=reassures) for part in parts], max)


def _truth_of_test(leaf: Leaf, kind: Kind, *, reassures: bool) -> Truth:
    name, passes = leaf.fact, test_of(leaf, kind)

    def truth(facts: Facts) -> int:
        fact = facts.get(name)
        if fact is None:
            return 0
        holds = passes(fact[0])
        if fact[4] and holds is reassures:
            fact = fact[5]
            if fact is None:
                return 0
            holds = passes(fact[0])
        return fact[1] if holds else -fact[1]

    return truth


def _reading(leaf: Leaf, kind: Kind, *, reassures: bool) -> Why:
    """The fact that a leaf reads: without what is in doubt, where its answer would reassure."""
    passes = test_of(leaf, kind)

    def reading(facts: Facts) -> tuple[Reading, ...]:
        fact = facts.get(leaf.fact)
        if fact is not None and fact.in_doubt and passes(fact.value) is reassures:
            fact = fact.firm
        return (Reading(leaf, fact),)

    return reading


def _truth_of_all(parts: list[Truth], pick: Callable[..., int]) -> Truth:
    def truth(facts: Facts) -> int:
        return pick([part(facts) for part in parts])

    return truth


def _why(tree: Tree, kind: Kind, *, reassures: bool) -> Why:
    match tree:
        case Leaf():
            return _reading(tree, kind, reassures=reassures)
        case Always():
            return lambda _facts: ()
        case Not(part):
            return _why(part, kind, reassures=not reassures)
        case And(parts) | Or(parts):
            both = [(_truth(p, kind, reassures=reassures), _why(p, kind, reassures=reassures)) for p in parts]
            return _why_of_all(both, 1 if isinstance(tree, And) else -1)


def _why_of_all(parts: list[tuple[Truth, Why]], sign: int) -> Why:
    """`sign` 1 for and, -1 for or: the parts that are false (true) or unknown decide, else all of them do."""

    def why(facts: Facts) -> tuple[Reading, ...]:
        truths = [(truth(facts) * sign, reason) for truth, reason in parts]
        lowest = min([truth for truth, _ in truths])
        deciding = [r for t, r in truths if lowest > 0 or (t < 0 if lowest < 0 else t == 0)]
        if len(deciding) == 1:
            return deciding[0](facts)
        found = {reading.leaf: reading for reason in deciding for reading in reason(facts)}
        return tuple(found.values())

    return why


def mutants(tree: Tree) -> Iterator[tuple[str, Tree]]:
    """Every tree with one fault in it, each with what was changed.

    A leaf is negated, ``and`` stands for ``or`` or the other way round, a bound is moved (``<`` for ``<=``).
    """
    match tree:
        case Always():
            yield "always negated", Not(tree)
        case Leaf():
            yield f"'{tree}' negated", Not(tree)
            moved = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}.get(tree.test)
            if moved:
                yield f"{moved} for {tree.test} in '{tree}'", Leaf(tree.fact, moved, tree.constant)
        case Not(part):
            for what, changed in mutants(part):
                yield what, Not(changed)
        case And(parts) | Or(parts):
            other = Or if isinstance(tree, And) else And
            yield f"{'or' if other is Or else 'and'} for {'and' if other is Or else 'or'}", other(parts)
            for at, part in enumerate(parts):
                for what, changed in mutants(part):
                    yield what, type(tree)((*parts[:at], changed, *parts[at + 1 :]))
