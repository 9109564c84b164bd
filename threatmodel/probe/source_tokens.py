"""JavaScript text to tokens: enough to tell code from comments, strings, templates and regular expressions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from threatmodel.probe.source_words import UnreadableSourceError


class Token(NamedTuple):
    """One token: name, number, string, regex, template (its fixed text) or punctuator; line and column from 1."""

    kind: str
    text: str
    line: int
    column: int


_SKIP = re.compile(r"(?:[\s\ufeff]+|//[^\n\u2028\u2029]*|/\*.*?\*/|\A#![^\n]*)+", re.DOTALL)
_NAME = re.compile(r"[#@]?[A-Za-z_$\u0080-\U0010ffff][\w$\u0080-\U0010ffff]*")
_NUMBER = re.compile(r"(?:0[xXbBoO][0-9a-fA-F_]+|(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?)n?")
_STRING = re.compile(r"'(?:[^'\\\n]|\\(?:\r\n|.|\n))*'|\"(?:[^\"\\\n]|\\(?:\r\n|.|\n))*\"", re.DOTALL)
_REGEX = re.compile(r"/(?![*/])(?:[^\\/\[\n]|\\[^\n]|\[(?:[^\]\\\n]|\\[^\n])*\])+/[A-Za-z]*")
_TEMPLATE = re.compile(r"(?:[^`\\$]|\\.|\$(?!\{))*", re.DOTALL)
_PUNCTUATOR = re.compile(
    r">>>=|\.\.\.|===|!==|\*\*=|<<=|>>=|>>>|&&=|\|\|=|\?\?=|=>|==|!=|<=|>=|&&|\|\||\?\?|\?\.(?![0-9])|\+\+|--|\+=|-=|\*=|/=|%="
    r"|&=|\|=|\^=|<<|>>|\*\*|[{}()\[\];,<>+\-*/%&|^!~?:=.]"
)
_BEFORE_REGEX = frozenset({"return", "typeof", "case", "in", "of", "delete", "void", "instanceof", "new", "throw"}) | {
    "else",
    "do",
    "yield",
    "await",
    "default",
}
_CONDITIONS = frozenset({"if", "while", "for", "with"})
_DEEPEST = 200


def tokens(text: str) -> list[Token]:
    """The tokens of a script.  Raises UnreadableSourceError at what fits no token, or is never closed."""
    return list(_Tokens(text).all())


class _Tokens:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.line, self.start = 1, 0
        self.counted = 0
        self.open: list[tuple[str, bool]] = []
        """Brackets that are open: '${' for a template's expression; whether a regex may follow their end."""
        self.last: Token | None = None
        self.regex_after_bracket = False

    def all(self) -> Iterator[Token]:
        while True:
            if skipped := _SKIP.match(self.text, self.at):
                self.at = skipped.end()
            if self.at >= len(self.text):
                break
            for token in self._next():
                self.last = token
                yield token
        if self.open:
            raise self._wrong(f"{self.open[-1][0]} is never closed")

    def _next(self) -> Iterator[Token]:
        char = self.text[self.at]
        if self.text.startswith("/*", self.at):
            raise self._wrong("this comment is never closed")
        if char == "`":
            self.at += 1
            yield from self._template()
        elif char == "}" and self.open and self.open[-1][0] == "${":
            self.open.pop()
            yield self._token("punctuator", "}")
            self.at += 1
            yield from self._template()
        elif char in "\"'":
            yield self._matched("string", _STRING)
        elif char == "/" and self._regex_may_follow():
            yield self._matched("regex", _REGEX)
        elif name := _NAME.match(self.text, self.at):
            yield self._taken("name", name.group())
        elif (char.isdigit() or char == ".") and (number := _NUMBER.match(self.text, self.at)):
            yield self._taken("number", number.group())
        else:
            token = self._matched("punctuator", _PUNCTUATOR)
            self._bracket(token)
            yield token

    def _template(self) -> Iterator[Token]:
        """The fixed text up to the next expression or the end."""
        found = _TEMPLATE.match(self.text, self.at)
        fixed = found.group() if found else ""
        yield self._taken("template", fixed)
        if self.text.startswith("`", self.at):
            self.at += 1
        elif self.text.startswith("${", self.at):
            self._push("${", regex=False)
            yield self._token("punctuator", "${")
            self.at += 2
        else:
            raise self._wrong("this template is never closed")

    def _bracket(self, token: Token) -> None:
        if token.text in {"(", "[", "{"}:
            condition = token.text == "(" and self.last is not None and self.last.text in _CONDITIONS
            self._push(token.text, regex=condition or token.text == "{")
        elif token.text in {")", "]", "}"}:
            expected = {")": "(", "]": "[", "}": "{"}[token.text]
            if not self.open or self.open[-1][0] != expected:
                raise self._wrong(f"'{token.text}' closes nothing")
            self.regex_after_bracket = self.open.pop()[1]

    def _push(self, bracket: str, *, regex: bool) -> None:
        self.open.append((bracket, regex))
        if len(self.open) > _DEEPEST:
            raise self._wrong("nested too deeply")

    def _regex_may_follow(self) -> bool:
        last = self.last
        if last is None:
            return True
        if last.kind in {"number", "string", "regex", "template"}:
            return False
        if last.kind == "name":
            return last.text in _BEFORE_REGEX
        return self.regex_after_bracket if last.text in {")", "]", "}"} else last.text not in {"++", "--"}

    def _matched(self, kind: str, pattern: re.Pattern[str]) -> Token:
        found = pattern.match(self.text, self.at)
        if found is None:
            raise self._wrong(f"this {kind} cannot be read")
        return self._taken(kind, found.group())

    def _taken(self, kind: str, text: str) -> Token:
        token = self._token(kind, text)
        self.at += len(text)
        return token

    def _token(self, kind: str, text: str) -> Token:
        breaks = self.text.count("\n", self.counted, self.at)
        if breaks:
            self.line += breaks
            self.start = self.text.rfind("\n", 0, self.at) + 1
        self.counted = self.at
        return Token(kind, text, self.line, self.at - self.start + 1)

    def _wrong(self, message: str) -> UnreadableSourceError:
        return UnreadableSourceError(f"{self.text.count(chr(10), 0, self.at) + 1}: {message}")
