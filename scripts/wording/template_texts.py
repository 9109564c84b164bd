"""The texts of a Jinja2 template: what is outside its tags, and strings of several words inside them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scripts.wording.hits import Text
from scripts.wording.marks import plain
from scripts.wording.python_texts import is_prose
from scripts.wording.sentences import words

COMMENT = re.compile(r"\{#-?(.*?)-?#\}", re.DOTALL)
STATEMENT = re.compile(r"\{%.*?%\}", re.DOTALL)
EXPRESSION = re.compile(r"\{\{.*?\}\}", re.DOTALL)
STRING = re.compile(r"\"([^\"\n]*)\"|'([^'\n]*)'")
UNSEEN = re.compile(r"<(style|script)\b.*?</\1>|<!--.*?-->", re.DOTALL)
WITHIN_A_LINE = re.compile(r"</?(?:a|abbr|b|code|em|i|kbd|small|span|strong|time)\b[^>]*>")
TAG = re.compile(r"</?[A-Za-z!][^>]*>")
FEWEST = 2  # words that make a text


def template_texts(path: str, source: str) -> Iterator[Text]:
    """Yield the texts of a template."""
    for match in COMMENT.finditer(source):
        yield text_at(path, source, match.start(), " ".join(match.group(1).split()), comment=True)
    rest = COMMENT.sub(blank, source)
    for tag in (*STATEMENT.finditer(rest), *EXPRESSION.finditer(rest)):
        for match in STRING.finditer(tag.group()):
            if is_prose(value := match.group(1) or match.group(2) or ""):
                yield text_at(path, rest, tag.start() + match.start(), value, comment=False)
    yield from outside(path, rest)


def outside(path: str, source: str) -> Iterator[Text]:
    """Yield the lines of what is outside tags: `X` for an expression, a new text at each statement or block of HTML."""
    for pattern, kept in ((UNSEEN, ""), (STATEMENT, ""), (EXPRESSION, "X"), (WITHIN_A_LINE, ""), (TAG, "\v")):
        source = pattern.sub(lambda match, kept=kept: kept + "\n" * match.group().count("\n"), source)  # type: ignore[misc]
    for number, line in enumerate(source.split("\n"), 1):
        for part in line.split("\v"):
            text = " ".join(part.replace("&nbsp;", " ").split())
            if len(words(text)) >= FEWEST:
                yield Text(path=path, first=number, last=number, kind="text", text=plain(text))


def blank(match: re.Match[str]) -> str:
    """Return the line breaks of what is taken out, so that lines keep their numbers."""
    return "\n" * match.group().count("\n")


def text_at(path: str, source: str, start: int, value: str, *, comment: bool) -> Text:
    """Return a text that starts at a character of the source."""
    first = source.count("\n", 0, start) + 1
    kind = "comment" if comment else "text"
    return Text(path=path, first=first, last=first + value.count("\n"), kind=kind, text=plain(value))  # type: ignore[arg-type]
