"""DynamoDB's condition and update expressions, over items in the service's own notation ({"S": "text"}).

An expression that cannot be read raises ExpressionError: it never counts as one that holds.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from threatmodel.reading.values import dataclass

_SETS = {"SS", "NS", "BS"}

AttributeValue = Mapping[str, Any]
"""An attribute's value: one type letter and what it holds."""

Item = dict[str, Any]

_TOKEN = re.compile(r"\s*(?:(<>|<=|>=|[=<>(),.\[\]+-])|([#:]?\w+))")
_DEEPEST = 50
_COMPARED: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class ExpressionError(Exception):
    """An expression that cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """An expression with the names (#n) and values (:v) that it is used with."""

    text: str
    names: Mapping[str, str]
    values: Mapping[str, AttributeValue]


def holds(expression: Expression, item: Mapping[str, Any]) -> bool:
    """Whether a condition is true of an item; an item that is not there is empty.  Raises ExpressionError."""
    reading = _Reading(expression, item)
    answer = reading.either(0)
    reading.expect("")
    return answer


def absent_names(expression: Expression) -> list[str]:
    """The attributes that a condition asks not to be there, in order: the key is the first of them."""
    found = re.findall(r"attribute_not_exists\s*\(\s*([#\w]+)\s*\)", expression.text, re.IGNORECASE)
    return [expression.names.get(name, name) for name in found]


def updated(expression: Expression, item: Mapping[str, Any]) -> Item:
    """The item after an update expression.  Raises ExpressionError."""
    reading = _Reading(expression, item)
    changed = dict(item)
    while (word := reading.take().upper()) != "":
        clause = {"SET": _set, "REMOVE": _remove, "ADD": _add, "DELETE": _delete}.get(word)
        if clause is None:
            raise ExpressionError("SET, REMOVE, ADD or DELETE is expected")
        clause(reading, changed)
        while reading.next() == ",":
            reading.take()
            clause(reading, changed)
    return changed


class _Reading:
    """A recursive descent over the tokens of one expression, which answers as it goes."""

    def __init__(self, expression: Expression, item: Mapping[str, Any]) -> None:
        self._tokens = _tokens(expression.text)
        self._at = 0
        self._names, self._values, self._item = expression.names, expression.values, item

    def next(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def take(self) -> str:
        token = self.next()
        self._at += 1
        return token

    def expect(self, token: str) -> None:
        if self.take().upper() != token:
            raise ExpressionError(f"'{token or 'the end'}' is expected")

    def either(self, depth: int) -> bool:
        answer = self._both(depth)
        while self.next().upper() == "OR":
            self.take()
            answer = self._both(depth) or answer
        return answer

    def _both(self, depth: int) -> bool:
        answer = self._negated(depth)
        while self.next().upper() == "AND":
            self.take()
            answer = self._negated(depth) and answer
        return answer

    def _negated(self, depth: int) -> bool:
        if depth > _DEEPEST:
            raise ExpressionError("nested too deeply")
        if self.next().upper() == "NOT":
            self.take()
            return not self._negated(depth + 1)
        if self.next() == "(":
            self.take()
            answer = self.either(depth + 1)
            self.expect(")")
            return answer
        return self._function() if self.next().lower() in _FUNCTIONS else self._comparison()

    def _function(self) -> bool:
        word = self.take().lower()
        count, answer = _FUNCTIONS[word]
        return answer(*self._several(word, count))

    def _several(self, word: str = "", count: int = 0) -> list[AttributeValue | None]:
        """What is between brackets: so many operands, or as many as there are."""
        self.expect("(")
        found = [self.operand()]
        while self.next() == ",":
            self.take()
            found.append(self.operand())
        self.expect(")")
        if count and len(found) != count:
            raise ExpressionError(f"{word} takes {count}")
        return found

    def _comparison(self) -> bool:
        left, sign = self.operand(), self.take().upper()
        if sign == "BETWEEN":
            low = self.operand()
            self.expect("AND")
            high = self.operand()
            return _ordered(">=", left, low) and _ordered("<=", left, high)
        if sign == "IN":
            return any(_same(left, one) for one in self._several())
        right = self.operand()
        if sign in {"=", "<>"}:
            return _same(left, right) is (sign == "=")
        if sign not in _COMPARED:
            raise ExpressionError("a comparison is expected")
        return _ordered(sign, left, right)

    def operand(self) -> AttributeValue | None:
        """The value of a path, a placeholder or a function of them; None where the item lacks it."""
        token = self.next()
        if token.startswith(":"):
            return self._placeholder(self.take())
        if token.lower() in {"size", "if_not_exists", "list_append"} and self._peek() == "(":
            return self._made(self.take().lower())
        return _found(self._item, self.path())

    def _peek(self) -> str:
        return self._tokens[self._at + 1] if self._at + 1 < len(self._tokens) else ""

    def _placeholder(self, token: str) -> AttributeValue:
        if token not in self._values:
            raise ExpressionError(f"{token} has no value")
        return self._values[token]

    def _made(self, word: str) -> AttributeValue | None:
        first, *rest = self._several(word, 1 if word == "size" else 2)
        second = rest[0] if rest else None
        if word == "if_not_exists":
            return second if first is None else first
        if word == "list_append":
            return {"L": [*(first or {}).get("L", ()), *(second or {}).get("L", ())]}
        return None if first is None else {"N": str(len(next(iter(first.values()))))}

    def path(self) -> list[str | int]:
        """The steps of a document path."""
        steps: list[str | int] = [self._name()]
        while self.next() in {".", "["}:
            if self.take() == ".":
                steps.append(self._name())
                continue
            index = self.take()
            if not index.isdecimal():
                raise ExpressionError("an index is expected")
            steps.append(int(index))
            self.expect("]")
        return steps

    def _name(self) -> str:
        token = self.take()
        if token.startswith("#"):
            if token not in self._names:
                raise ExpressionError(f"{token} has no name")
            return self._names[token]
        if not re.fullmatch(r"\w+", token) or token.upper() in {"AND", "OR", "NOT", "IN", "BETWEEN"}:
            raise ExpressionError("a name is expected")
        return token


def _tokens(text: str) -> list[str]:
    tokens, at, text = [], 0, text.strip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise ExpressionError("a character is unknown")
        tokens.append(found[1] or found[2])
        at = found.end()
    if not tokens:
        raise ExpressionError("it is empty")
    return tokens


def _found(item: Mapping[str, Any], steps: list[str | int]) -> AttributeValue | None:
    value: Any = {"M": item}
    for step in steps:
        try:
            value = value["L" if isinstance(step, int) else "M"][step]
        except (IndexError, KeyError):
            return None
    found: AttributeValue = value
    return found


def _same(left: AttributeValue | None, right: AttributeValue | None) -> bool:
    if left is None or right is None:
        return False
    if "N" in left and "N" in right:
        return _number(left["N"]) == _number(right["N"])
    return dict(left) == dict(right)


def _ordered(sign: str, left: AttributeValue | None, right: AttributeValue | None) -> bool:
    for letter in ("N", "S", "B"):
        if left is not None and right is not None and letter in left and letter in right:
            pair = (left[letter], right[letter])
            first, second = (_number(pair[0]), _number(pair[1])) if letter == "N" else pair
            return _COMPARED[sign](first, second)
    return False


def _number(text: Any) -> Decimal:
    try:
        number = Decimal(text)
    except (InvalidOperation, TypeError, ValueError):
        raise ExpressionError("a number is expected") from None
    if not number.is_finite():
        raise ExpressionError("a number is expected")
    return number


def _text(value: AttributeValue | None) -> Any:
    return next(iter(value.values())) if value else None


def _begins(whole: AttributeValue | None, start: AttributeValue | None) -> bool:
    text, begin = _text(whole), _text(start)
    return isinstance(text, str) and isinstance(begin, str) and text.startswith(begin)


def _contains(whole: AttributeValue | None, part: AttributeValue | None) -> bool:
    if whole is None or part is None:
        return False
    if "L" in whole:
        return part in whole["L"]
    held = _text(whole)
    return isinstance(held, list | str) and isinstance(_text(part), str) and _text(part) in held


_FUNCTIONS: dict[str, tuple[int, Callable[..., bool]]] = {
    "attribute_exists": (1, lambda value: value is not None),
    "attribute_not_exists": (1, lambda value: value is None),
    "attribute_type": (2, lambda value, letter: value is not None and _text(letter) in value),
    "begins_with": (2, _begins),
    "contains": (2, _contains),
}


def _set(reading: _Reading, item: Item) -> None:
    steps = reading.path()
    reading.expect("=")
    value = reading.operand()
    if reading.next() in {"+", "-"}:
        sign = reading.take()
        other = reading.operand()
        if value is None or other is None:
            raise ExpressionError("a number is expected")
        change = _number(other.get("N"))
        value = {"N": str(_number(value.get("N")) + (change if sign == "+" else -change))}
    if value is None:
        raise ExpressionError("a value is expected")
    _put(item, steps, value)


def _put(item: Item, steps: list[str | int], value: AttributeValue | None) -> None:
    """Sets or (None) removes what a path leads to; the maps on its way are copied, not changed."""
    if not isinstance(steps[0], str) or not all(isinstance(step, str) for step in steps):
        raise ExpressionError("setting a part of a list is not supported by this stub")
    inner = item
    for step in steps[:-1]:
        held = inner.get(str(step), {}).get("M")
        if held is None:
            raise ExpressionError("the path leads through what is not there")
        inner[str(step)] = {"M": dict(held)}
        inner = inner[str(step)]["M"]
    if value is None:
        inner.pop(str(steps[-1]), None)
    else:
        inner[str(steps[-1])] = value


def _remove(reading: _Reading, item: Item) -> None:
    _put(item, reading.path(), None)


def _add(reading: _Reading, item: Item) -> None:
    steps, more = reading.path(), reading.operand()
    now = _found(item, steps)
    if more is not None and "N" in more:
        _put(item, steps, {"N": str(_number((now or {"N": "0"}).get("N")) + _number(more["N"]))})
        return
    letter = _set_letter(more)
    held = list((now or {}).get(letter, ()))
    _put(item, steps, {letter: held + [one for one in (more or {})[letter] if one not in held]})


def _delete(reading: _Reading, item: Item) -> None:
    steps, less = reading.path(), reading.operand()
    letter, now = _set_letter(less), _found(item, steps)
    left = [one for one in (now or {}).get(letter, ()) if one not in (less or {})[letter]]
    _put(item, steps, {letter: left} if left else None)


def _set_letter(value: AttributeValue | None) -> str:
    letter = next(iter(value), "") if value else ""
    if letter not in _SETS:
        raise ExpressionError("a number or a set is expected")
    return letter
