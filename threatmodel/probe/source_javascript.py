"""Comparisons of signatures in JavaScript source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from threatmodel.probe.source_tokens import Token, tokens
from threatmodel.probe.source_words import Compared, names_signature

_EQUALITY = frozenset({"==", "!=", "===", "!=="})
_OPEN = {"(": ")", "[": "]", "{": "}", "${": "}"}
_CLOSE = {")", "]", "}"}
_ENDS = frozenset("; , = => && || ?? ? : += -= == != === !== < > <= >= { } & |".split()) | {  # noqa: SIM905 - read as words
    "return",
    "case",
    "throw",
}
_LITERALS = frozenset({"null", "undefined", "true", "false", "NaN"})
_SIZES = frozenset({"length", "byteLength", "size", "indexOf", "startsWith", "endsWith", "includes", "test"})
_STARTS = frozenset(
    {"const", "let", "var", "if", "return", "function", "class", "for", "while", "try", "throw", "export", "import"}
)
_MOST_ROUNDS = 20


def compared_in_javascript(text: str) -> Compared:
    """Where signatures are compared.  Raises UnreadableSourceError for what cannot be read."""
    reading = _Reading(tokens(text))
    return Compared(tuple(sorted(set(reading.equal()))), tuple(sorted(set(reading.constant()))))


class _Reading:
    """One script: names that hold a digest, wherever they are assigned one."""

    def __init__(self, found: Sequence[Token]) -> None:
        self.tokens = found
        self.partner = _partners(found)
        self.begin = {end: begin for begin, end in self.partner.items()}
        self.holding: set[str] = set()
        for _ in range(_MOST_ROUNDS):
            before = len(self.holding)
            self.holding |= set(self._assigned())
            if len(self.holding) == before:
                break

    def _assigned(self) -> Iterator[str]:
        """Names that are assigned a digest, and functions that return one."""
        for at, token in enumerate(self.tokens[:-1]):
            if token.kind == "name" and self.tokens[at + 1].text in {"=", "+="}:
                value = range(at + 2, self._end(at + 2))
                if self._gives_digest(value):
                    yield token.text
            elif token.text == "function" and self.tokens[at + 1].kind == "name" and self._returns_digest(at + 2):
                yield self.tokens[at + 1].text

    def _gives_digest(self, value: range) -> bool:
        arrow = next((at for at in value if self.tokens[at].text == "=>"), None)
        function = value and self.tokens[value[0]].text in {"function", "async"} and arrow is None
        if function:
            return self._returns_digest(value[0])
        if arrow is not None and arrow + 1 in value and self.tokens[arrow + 1].text == "{":
            return self._returns_digest(arrow + 1)
        return self.is_digest([self.tokens[at] for at in value])

    def _returns_digest(self, at: int) -> bool:
        """Whether the body that begins at the next brace returns a digest."""
        begin = next((spot for spot in range(at, len(self.tokens)) if self.tokens[spot].text == "{"), None)
        if begin is None:
            return False
        for spot in range(begin, self.partner.get(begin, begin)):
            if self.tokens[spot].text == "return":
                end = self._end(spot + 1)
                if self.is_digest(self.tokens[spot + 1 : end]):
                    return True
        return False

    def _end(self, at: int) -> int:
        """Where the expression that begins there ends."""
        spot = at
        while spot < len(self.tokens):
            token = self.tokens[spot]
            new_line = spot > at and token.line > self.tokens[spot - 1].line and token.text in _STARTS
            if token.text in {";", ","} or token.text in _CLOSE or new_line:
                break
            spot = self.partner.get(spot, spot) + 1
        return spot

    def is_digest(self, operand: Sequence[Token]) -> bool:
        """Whether an operand holds a signature or the digest it is compared with."""
        texts = [token.text for token in operand if token.kind in {"name", "punctuator"}]
        if not texts or texts[0] == "typeof" or any(name in _SIZES for name in _last_names(operand)):
            return False
        if "createHash" in texts:
            return False
        for token, following in zip(operand, [*operand[1:], None], strict=True):
            if token.kind == "string" and token.text[1:-1].lower() == "x-slack-signature":
                return True
            if token.kind != "name":
                continue
            call = following is not None and following.text == "("
            if token.text in self.holding or (token.text == "digest" and call):
                return True
            if names_signature(token.text) and not call:
                return True
        return False

    def equal(self) -> Iterator[tuple[int, int]]:
        """The place of an equality between a digest and something that is no literal."""
        for at, token in enumerate(self.tokens):
            if token.kind != "punctuator":
                if token.text in {"equals", "compare", "localeCompare"} and self._is_called_on_digest(at):
                    yield token.line, token.column
                continue
            if token.text in _EQUALITY:
                left, right = self._left(at), self._right(at)
                if not (_is_literal(left) or _is_literal(right)) and (self.is_digest(left) or self.is_digest(right)):
                    yield token.line, token.column

    def _is_called_on_digest(self, at: int) -> bool:
        """`expected.equals(given)`: Node's own comparison of buffers, which ends at the first difference."""
        if at + 1 >= len(self.tokens) or self.tokens[at + 1].text != "(" or at < 1 or self.tokens[at - 1].text != ".":
            return False
        inside = self.tokens[at + 2 : self.partner[at + 1]]
        return self.is_digest(self._left(at - 1)) or self.is_digest(inside)

    def constant(self) -> Iterator[tuple[int, int]]:
        """Where a digest is compared in constant time."""
        for at, token in enumerate(self.tokens[:-1]):
            called = token.text == "timingSafeEqual" and self.tokens[at + 1].text == "("
            if called and self.is_digest(self.tokens[at + 2 : self.partner[at + 1]]):
                yield token.line, token.column

    def _left(self, at: int) -> Sequence[Token]:
        spot = at - 1
        while spot >= 0:
            if spot in self.begin:
                spot = self.begin[spot] - 1
                continue
            if self.tokens[spot].text in _ENDS or self.tokens[spot].text in _OPEN:
                break
            spot -= 1
        return self.tokens[spot + 1 : at]

    def _right(self, at: int) -> Sequence[Token]:
        spot = at + 1
        while spot < len(self.tokens):
            token = self.tokens[spot]
            if spot in self.partner:
                spot = self.partner[spot] + 1
                continue
            if token.text in _ENDS or token.text in _CLOSE or (token.kind == "name" and token.text in _STARTS):
                break
            spot += 1
        return self.tokens[at + 1 : spot]


def _partners(found: Sequence[Token]) -> dict[int, int]:
    """The place of each opening bracket, and that of its end."""
    open_ones: list[int] = []
    partner: dict[int, int] = {}
    for at, token in enumerate(found):
        if token.kind == "punctuator" and token.text in _OPEN:
            open_ones.append(at)
        elif token.kind == "punctuator" and token.text in _CLOSE and open_ones:
            partner[open_ones.pop()] = at
    return partner


def _is_literal(operand: Sequence[Token]) -> bool:
    return len(operand) == 1 and (operand[0].kind in {"string", "number", "template"} or operand[0].text in _LITERALS)


def _last_names(operand: Sequence[Token]) -> list[str]:
    """The name that an operand ends in, or that of the call it ends in."""
    depth, last = 0, []
    for token in operand:
        if token.kind == "punctuator" and token.text in _OPEN:
            depth += 1
        elif token.kind == "punctuator" and token.text in _CLOSE:
            depth -= 1
        elif depth == 0 and token.kind == "name":
            last = [token.text]
    return last
