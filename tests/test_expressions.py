"""Every regular expression of the product on inputs that make it go back: none takes more than about the square.

They are collected from the source (all that `re` is called with) and from patterns in data.  Each is run on inputs of
three sizes made of its own parts, and on each the processor's time may grow at most so many times.
"""

from __future__ import annotations

import ast
import re
import re._constants as constants  # type: ignore[import-not-found] # typeshed has only what is public
import re._parser as parser  # type: ignore[import-not-found] # the same
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support import HOME

CALLS = frozenset(("compile", "match", "fullmatch", "search", "sub", "subn", "split", "findall", "finditer"))
ANCHORED = frozenset(("match", "fullmatch"))
SIZES = (250, 500, 1000, 2000)
"""Repetitions of a part."""
CUBIC = 5.5
"""The square makes 4 of each doubling, the cube 8."""
MEASURABLE = 0.02
"""Seconds of the processor below which a ratio says nothing."""
LONGEST = 20.0
"""Seconds of the processor for one input."""


def expressions() -> Iterator[tuple[str, str, int, str]]:
    """Where each expression stands, its text and flags, and how it is asked: from a start, or anywhere."""
    for path in sorted((HOME / "threatmodel").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names, searched = dict(_constants(tree)), set(_searched(tree))
        compiled = {id(value): name for node in tree.body for name, value in _named(node)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and (found := _text(node, names)) is not None:
                yield (
                    f"{path.relative_to(HOME).as_posix()}:{node.lineno}",
                    found,
                    _flags(node),
                    _way(node, compiled.get(id(node)), searched),
                )


def _named(node: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    """What a module gives a name, and the name."""
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            yield name, value


def _searched(tree: ast.Module) -> Iterator[str]:
    """The names of which anything but a match from the start is asked, or that are handed on."""
    asked = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr in ANCHORED}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and id(node) not in asked:
            yield node.id


def _way(node: ast.Call, name: str | None, searched: set[str]) -> str:
    """`match` where nothing else is asked of an expression."""
    anchored = isinstance(node.func, ast.Name) or (isinstance(node.func, ast.Attribute) and node.func.attr in ANCHORED)
    return "match" if anchored or (name is not None and name not in searched) else "search"


def _constants(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """The texts that a module has under names."""
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(text))):
                yield name, text


def _text(node: ast.Call, names: dict[str, str]) -> str | None:
    """The expression that a call is given, where it is one of `re`'s, or a shape's pattern."""
    match node.func:
        case ast.Attribute(value=ast.Name(id="re"), attr=attr) if attr in CALLS and node.args:
            return _said(node.args[0], names)
        case ast.Name(id="Text") if len(node.args) > 1:
            return _said(node.args[1], names)
    return None


def _said(node: ast.expr, names: dict[str, str]) -> str | None:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.Constant(value=bytes(data)):
            return data.decode("latin-1")
        case ast.Name(id=name):
            return names.get(name)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            first, second = _said(left, names), _said(right, names)
            return None if first is None or second is None else first + second
        case ast.JoinedStr(values=values):
            return "".join(_said(one, names) or "x" for one in values)
        case ast.FormattedValue(value=value):
            return _said(value, names)
    return None


def _flags(node: ast.Call) -> int:
    """The flags among a call's arguments."""
    found = 0
    for one in (*node.args, *(keyword.value for keyword in node.keywords)):
        for part in ast.walk(one):
            if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name) and part.value.id == "re":
                found |= getattr(re, part.attr, 0) if part.attr.isupper() else 0
    return int(found)


def example(tokens: Any) -> str:
    """A text that parts of an expression take."""
    return "".join(_of(op, value) for op, value in tokens)


def _of(op: Any, value: Any) -> str:
    """A text that one part takes; nothing for what takes none."""
    match op:
        case constants.LITERAL:
            return chr(int(value))
        case constants.NOT_LITERAL:
            return "a" if value != ord("a") else "b"
        case constants.ANY:
            return "a"
        case constants.IN:
            return _member(value)
        case constants.BRANCH:
            return example(value[1][0])
        case constants.SUBPATTERN:
            return example(value[3])
        case constants.MAX_REPEAT | constants.MIN_REPEAT | constants.POSSESSIVE_REPEAT:
            return example(value[2]) * max(1, min(int(value[0]), 3))
        case constants.ATOMIC_GROUP:
            return example(value)
    return ""


def _member(items: Any) -> str:
    """A character of a set."""
    taken: re.Pattern[str] = re.compile("[" + "".join(_spelt(*one) for one in items) + "]")
    return next((one for one in "a1 A-_.,:;/x\n\"'`\\|<>#[{(=%\u2028\x00" if taken.match(one)), "\x01")


def _spelt(op: Any, value: Any) -> str:
    categories = {
        "DIGIT": r"\d",
        "NOT_DIGIT": r"\D",
        "SPACE": r"\s",
        "NOT_SPACE": r"\S",
        "WORD": r"\w",
        "NOT_WORD": r"\W",
    }
    match op:
        case constants.NEGATE:
            return "^"
        case constants.RANGE:
            return f"{re.escape(chr(value[0]))}-{re.escape(chr(value[1]))}"
        case constants.CATEGORY:
            return categories[str(value).removeprefix("CATEGORY_")]
    return str(re.escape(chr(value)))


def parts(tokens: Any) -> Iterator[str]:
    """What a repetition takes, each of its alternatives, and what stands before and in it, all as texts to repeat."""
    before = ""
    for op, value in tokens:
        match op:
            case constants.MAX_REPEAT | constants.MIN_REPEAT | constants.POSSESSIVE_REPEAT:
                yield from (example(value[2]), before + example(value[2]))
                yield from parts(value[2])
            case constants.BRANCH:
                for branch in value[1]:
                    yield example(branch)
                    yield from parts(branch)
            case constants.SUBPATTERN:
                yield from parts(value[3])
            case constants.ATOMIC_GROUP:
                yield from parts(value)
            case constants.ASSERT | constants.ASSERT_NOT:
                yield from parts(value[1])
        before += _of(op, value)
    yield before


TAILS = ("\x01", "", "!", "\n\x01")
"""Ends that make an expression go back: what hardly one takes."""


def inputs(text: str, flags: int) -> list[tuple[str, str, str]]:
    """What comes before, what is repeated, and what comes behind."""
    tokens = parser.parse(text, flags)
    whole = example(tokens)
    heads = dict.fromkeys(("", whole, whole[: len(whole) // 2]))
    repeated = dict.fromkeys(one for one in (*parts(tokens), "a", " ", "1", "a.", "a,", "\\", "a b") if one)
    return [(head, one, tail) for one in repeated for head in heads for tail in TAILS]


def seconds(found: re.Pattern[str], way: str, text: str) -> float:
    began = time.process_time()
    getattr(found, way)(text)
    found.fullmatch(text)
    return time.process_time() - began


def grows(text: str, flags: int, way: str) -> str:
    """The input on which an expression grows faster than the square; '' where there is none."""
    found = re.compile(text, flags)
    for head, part, tail in inputs(text, flags):
        times: list[float] = []
        for size in SIZES:
            times.append(seconds(found, way, head + part * size + tail))
            if times[-1] > LONGEST:
                return f"{head!r} + {part!r} * {size} + {tail!r} takes {times[-1]:.1f} s"
            if len(times) > 2 and times[-3] > MEASURABLE and times[-1] > times[-3] * CUBIC**2:
                return f"{head!r} + {part!r} * {size} + {tail!r}: {times}"
            if len(times) > 1 and times[-2] > MEASURABLE / 4 and times[-1] > 1.0:
                break
    return ""


PLACES = {(text, flags, way): place for place, text, flags, way in expressions()}


@pytest.mark.long
@pytest.mark.parametrize("one", PLACES, ids=lambda one: PLACES[one])
def test_no_expression_takes_more_than_the_square(one: tuple[str, int, str]) -> None:
    assert grows(*one) == ""
