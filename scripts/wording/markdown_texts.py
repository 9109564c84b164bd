"""The texts of a Markdown file: headings, paragraphs, items and cells, without code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

from markdown_it import MarkdownIt
from markdown_it.token import Token

from scripts.wording.hits import Text
from scripts.wording.marks import plain


def markdown_texts(path: str, source: str) -> Iterator[Text]:
    """Yield the texts of a Markdown file; of a changelog those of its newest section alone."""
    sections = 0
    row = (0, 1)
    for token in MarkdownIt("commonmark").enable("table").parse(source):
        if token.type == "heading_open" and token.tag == "h2":
            sections += 1
        if sections > 1 and PurePath(path).name == "CHANGELOG.md":
            return
        row = (token.map[0], token.map[1]) if token.map else row
        if token.type == "inline":
            first, last = token.map or row
            yield Text(path=path, first=first + 1, last=last, kind="text", text=plain(shown(token)))


def shown(token: Token) -> str:
    """Return what a reader sees of a line of Markdown."""
    parts = []
    for child in token.children or []:
        match child.type:
            case "text":
                parts.append(child.content)
            case "code_inline":
                parts.append("CODE")
            case "softbreak":
                parts.append(" ")
            case "hardbreak":
                parts.append("\n")
            case "html_inline" if child.content.startswith("<br"):
                parts.append("\n")
            case "image":
                parts.append(child.content)
            case _:
                pass
    return "".join(parts)
