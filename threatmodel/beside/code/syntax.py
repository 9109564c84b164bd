"""What the parsers of all languages make of a file: one kind of node, with the constructs that an analysis needs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from threatmodel.reading.grouping import grouped


class Node(NamedTuple):
    """A part of a program, by `kind`; `line` and `column` count from 1.

    | kind | name | parts |
    | --- | --- | --- |
    | name | the name | |
    | attribute | the attribute, or a constant key | the value, and the key if it is written as a text |
    | item | | the value, the key |
    | call | "new" for a constructor of JavaScript, "await" where it is awaited | what is called, arguments |
    | keyword | the keyword | the value |
    | text | the text | |
    | key | the text of a key that is written as one | |
    | regex | the pattern of a regular expression of JavaScript | |
    | constant | none, true, false, or the number | |
    | join | | parts of a text that is put together, operands of `+` |
    | compare | the operator: `==`, `<`, `in`, ... | left, right |
    | not, and, or, choice | | operands |
    | operation | the operator of arithmetic, "slice", "yield", "await", "typeof" | operands |
    | list | "async" for the parameters of an asynchronous function | items |
    | dict | | pairs |
    | pair | the key, "" for one that is computed | the value, and the key if it is computed or written as a text |
    | spread | | the value |
    | function | the name, "" for none | parameters, a block, decorators |
    | parameter | the name | the default, or a pattern |
    | class | the name | a block, bases |
    | assign | "+" where it adds, "declare" in a declaration of JavaScript, "with" | the target, the value |
    | return, expression | "with" of what is entered | the value, if any |
    | raise | "AssertionError" of an assertion | the value, if any |
    | leave | break, continue | |
    | if | "assert" for an assertion, "else" of a loop | the test, a block, a block |
    | loop | | a block, what is looped over, or the test |
    | try | | a block, handlers, a block |
    | handler | the name of the exception | a block, what it catches if that is named |
    | block | | statements |
    | import | the module, "" for one that is computed | names |
    | as | the local name | a text: the name in the module, "*" for the module itself; a parameter's default |
    | declare | "global" or "nonlocal", "" for a field with a type alone | names |
    """

    kind: str
    name: str
    parts: tuple[Node, ...]
    line: int
    column: int


class ParseError(Exception):
    """A file that is not in its language, or not in this version of it: the line, and why."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(why)
        self.line, self.why = line, why


class Later(Node):
    """The block of a function whose statements are made when one looks at them: most functions run for no handler.

    No function, class or import is in it, and its `source` in small letters has each name and text in it.
    """

    source: str
    making: Callable[[], Sequence[Node]]
    _made: tuple[Node, ...] | None = None

    @property
    def parts(self) -> tuple[Node, ...]:
        """Its statements.  Raises ParseError."""
        if self._made is None:
            try:
                self._made = tuple(self.making())
            except RecursionError:
                raise too_deep(self.line) from None
        return self._made


_HIDES = re.compile(r"""\\[^\W_bfnrtv]|\\\r?\n|['"](?<=\w.)(?:['"\s\\]|\#.*\n|[a-zA-Z]{1,2}(?=['"]))*['"]\w""")
"""Where a word may be written otherwise than as it is: by an escape, or as texts side by side."""


def later(source: str, line: int, column: int, make: Callable[[], Sequence[Node]]) -> Later | None:
    """Return a block that is made when it is looked at; None where its source may not tell the words in it."""
    if not source.isascii() or _HIDES.search(source):
        return None
    block = Later("block", "", (), line, column)
    block.source, block.making = source.lower(), make
    return block


def too_deep(line: int = 1) -> ParseError:
    """Return the error of a file that is nested too deeply to be parsed."""
    return ParseError(line, "it is nested too deeply to be parsed")


def walk(node: Node) -> Iterator[Node]:
    """Yield a node and all nodes below it, in the order of the text."""
    ahead = [node]
    while ahead:
        one = ahead.pop()
        yield one
        if one.parts:
            ahead += one.parts[::-1]


def about(block: Node, words: Iterable[str]) -> Iterator[Node]:
    """Yield what `walk` does, without the blocks for later that have none of some words, in any case."""
    small = {word.lower() for word in words}
    ahead = [block]
    while ahead:
        one = ahead.pop()
        if not isinstance(one, Later) or any(map(one.source.__contains__, small)):
            yield one
            ahead += one.parts[::-1]


def made(block: Node) -> Node:
    """Return a block with all that is in it made.  Raises ParseError."""
    for _ in walk(block):
        pass
    return block


_INDEXED = frozenset({"assign", "call", "class", "if", "import"})


def by_kind(block: Node) -> Mapping[str, Sequence[Node]]:
    """Return the nodes of a file of the kinds that are looked for, in the order of the text.

    Those in blocks for later are left out: no function, class or import is in them.
    """
    return grouped((one.kind, one) for one in about(block, ()) if one.kind in _INDEXED)
