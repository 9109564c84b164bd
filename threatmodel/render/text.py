"""Text of a model made safe for each format: whatever a name holds, it stays text there.

Every function takes any text and gives one line: line breaks become spaces, and control, zero-width and
direction-changing characters are spelled out, and so is what would make a line of a log a command of a CI job.
"""

from __future__ import annotations

import re

from threatmodel.reading.problems import uncommanded, visible

_BREAKS = re.compile("[\t\n\x0b\x0c\r\x85\u2028\u2029]+")
_NO_CHARACTER = re.compile("[\ud800-\udfff\ufdd0-\ufdef\ufff9-\uffff\U000e0000-\U000e0fff]")
"""What no format can hold (lone surrogates, non-characters), and invisible tags."""


def one_line(text: str) -> str:
    """Return the text on one line, without invisible characters or commands of a CI job."""
    if text.isprintable():
        return uncommanded(text)
    text = visible(_BREAKS.sub(" ", text))
    return _NO_CHARACTER.sub(lambda found: f"<U+{ord(found.group()):04X}>", text)


def wrapped(text: str, width: int, first: str = "", rest: str = "", *, cut: bool = True) -> list[str]:
    """A text for a terminal in lines of so many columns, indented; a longer word is `cut` or sticks out."""
    import textwrap

    lines = textwrap.wrap(
        visible(text),
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_on_hyphens=False,
        break_long_words=cut,
    )
    return [uncommanded(line) for line in lines]  # any of its words may begin a line


# --- HTML

_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}
"""The ampersand first: each of the others holds one."""


def html(text: str) -> str:
    """Text for an HTML or XML element or a quoted attribute."""
    text = one_line(text)
    for character, entity in _ENTITIES.items():  # a translation table would take ten times as long
        text = text.replace(character, entity)
    return text


# --- Markdown

_MARKDOWN = re.compile(
    r"""
    [\\`*~\[\]|$]                      # escapes, code, emphasis, strikethrough, links, table cells, formulas
    | (?<![^\W_])_ | _(?![^\W_])       # emphasis: a _ inside a word starts none
    | <(?=[A-Za-z/!?]|\Z)              # tags
    | &(?=\#?[A-Za-z0-9]+;)            # entities
    | !\Z                              # an image, where a link follows
    | :(?=//)                          # addresses that GitHub turns into links
    | (?<=\bwww)\.
    | (?<!\S)\#                        # headings
    | \A[-+=>]                         # lists, headings, quotations
    | (?<=\A[0-9])[.)] | (?<=\A[0-9]{2})[.)] | (?<=\A[0-9]{3})[.)] | (?<=\A[0-9]{4})[.)] | (?<=\A[0-9]{5})[.)]
    | (?<=\A[0-9]{6})[.)] | (?<=\A[0-9]{7})[.)] | (?<=\A[0-9]{8})[.)] | (?<=\A[0-9]{9})[.)]
    """,
    re.VERBOSE | re.IGNORECASE,
)


def markdown(text: str) -> str:
    """Text for a paragraph, heading, list item or table cell of GitHub's Markdown; blanks around it are dropped."""
    if text[:1].isalnum() and text.isascii() and text.replace("-", "").replace(":", "").replace("@", "").isalnum():
        return text  # an id, of an element, a flow or a finding, or a number: reports hold hundreds of thousands
    return _MARKDOWN.sub(r"\\\g<0>", one_line(text).strip())


def markdown_code(text: str) -> str:
    """Return text that is escaped for Markdown, with text between backticks as code again."""
    return _ESCAPED.sub(_span, str(text))


_ESCAPED = re.compile(r"\\`((?:\\[^`\n]|[^\\\n])+?)\\`|\\.", re.DOTALL)
"""An escaped character, or a code span's text between escaped backticks."""


def _span(found: re.Match[str]) -> str:
    """The code span; not where it holds a bar, which would end a table's cell."""
    inside = found.group(1)
    return found.group() if inside is None or "|" in inside else "`" + re.sub(r"\\(.)", r"\1", inside) + "`"


# --- Graphviz


_DOT = str.maketrans({"\\": "\\\\", '"': '\\"', "&": "&amp;"})


def dot(text: str) -> str:
    """Text for between the quotes of a DOT string: a label's escapes and entities among it are plain text."""
    return one_line(text).translate(_DOT)


_DOT_HTML = {**str.maketrans(_ENTITIES), ord("\\"): "\\\\"}


def dot_html(text: str) -> str:
    """Text for an HTML-like label of Graphviz, where a backslash begins an escape too."""
    return one_line(text).translate(_DOT_HTML)


# --- CSV

_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # the last four: their wide forms


def csv_cell(text: str) -> str:
    """Text for a cell that no spreadsheet takes for a formula, not even behind blanks."""
    text = one_line(text)
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text


# --- sequence diagrams

_PLANTUML = re.compile(r"""[^\w\s.,:()?+/·…-]|(?<=[-_./])[-_./]|(?<=\s)\s""")
_MERMAID = re.compile(r"""[^\w\s.,()?!+'*/=·…-]|[\ufb02\ufb01]|(?<=-)-""")


def plantuml(text: str) -> str:
    """Text for a name in quotes or a message of PlantUML: markup, includes and functions are spelled as characters."""
    return _PLANTUML.sub(lambda found: f"<U+{ord(found.group()):04X}>", one_line(text))


def mermaid(text: str) -> str:
    """Text for a name or a message of Mermaid: markup, directives and entities are spelled as characters."""
    return _MERMAID.sub(lambda found: f"#{ord(found.group())};", one_line(text))
