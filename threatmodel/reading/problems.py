"""What is wrong with an input: collected as values, shown all at once."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePath
from typing import NamedTuple

from threatmodel.reading.tokens import redacted
from threatmodel.reading.values import dataclass

WIDEST_LINE = 160
"""Characters of a source line that a message shows; longer lines are cut around the caret."""

MOST = 200
"""Problems after which reading stops: a file with more of them is not what its author thinks it is."""

_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb\ufffe\uffff"
    "\U000e0000-\U000e007f]"
)


class Place(NamedTuple):
    """Where something is: a file as the user named it, line and column counted from 1.

    A Terraform plan is a file whose lines are of no use to readers, and show values: there `part` names the spot (an
    address, or the line in words), line 0 stands for the file as a whole, and no line of it is ever shown.
    """

    file: str
    line: int = 1
    column: int = 1
    part: str = ""

    def __str__(self) -> str:
        return f"{self.short}:{self.column}" if self.line and not self.part else self.short

    @property
    def short(self) -> str:
        """The place without its column: ``template.yaml:41``, or ``plan.json: aws_lambda_function.bot.timeout``."""
        if self.part:
            return f"{self.file}: {self.part}"
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One mistake of an input: a code that docs/errors.md explains, where, what was found and what to do."""

    code: str
    place: Place
    message: str
    hint: str = ""


class InputError(Exception):
    """The input cannot be used; carries every problem found.  Only the command line catches it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{p.place}: {p.code}: {p.message}" for p in self.problems))


def refusal(code: str, place: Place | str, message: str, hint: str = "") -> InputError:
    """Return the error of one problem; `place` may be the name of a file as a whole, or of an option."""
    where = place if isinstance(place, Place) else Place(place)
    return InputError([Problem(code=code, place=where, message=message, hint=hint)])


class FileChangedError(InputError):
    """A file that was about to be edited no longer holds what was read."""

    @classmethod
    def of(cls, file: str) -> FileChangedError:
        """Return the error about a file."""
        message, hint = "the file has changed since it was read, and nothing was written", "run the command again"
        return cls([Problem(code="file-changed", place=Place(file), message=message, hint=hint)])


def note(problems: list[Problem], problem: Problem) -> None:
    """Adds a problem to those found so far.  Raises InputError with all of them when there are too many."""
    problems.append(problem)
    if len(problems) >= MOST:
        message, hint = f"reading stopped here after {MOST} problems", "fix those first"
        raise InputError(
            [*problems, Problem(code="too-many-problems", place=problem.place, message=message, hint=hint)]
        )


def article(noun: str) -> str:
    """The noun with its indefinite article."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


_COMMAND = re.compile(r"\A(\s*+):(?=:)|#(?=\[|(?:vso|teamcity)\[)", re.IGNORECASE)
"""What makes a line of a log a command of the job that runs: GitHub's `::` at its beginning and `##[` anywhere, Azure
Pipelines' `##vso[`, TeamCity's `##teamcity[`.  One `#` is enough: the character before it may come from elsewhere."""


def visible(text: str) -> str:
    """A line with every control, zero-width and direction-changing character spelled out as ``<U+202E>``.

    So is what would make the line a command of a CI job.  Tokens and keys of known forms are left out.
    """
    text = redacted(text)
    if not text.isprintable():
        text = _UNSAFE.sub(lambda found: f"<U+{ord(found.group()):04X}>", text)
    return uncommanded(text)


def uncommanded(text: str) -> str:
    """A line that can be seen, with what would make it a command of a CI job spelled out: ``<U+003A>:error::``."""
    if "::" not in text and "#" not in text:
        return text
    return _COMMAND.sub(lambda found: f"{found[1]}<U+003A>" if found[1] is not None else "<U+0023>", text)


def in_literals(text: str) -> str:
    r"""Source of Python with what a CI job obeys as ``\x23``: the same literals, and nothing else may hold it."""
    return _COMMAND.sub(lambda found: found.group() if ":" in found.group() else "\\x23", text)


def escaped(text: str) -> str:
    r"""JSON text with every such character but its line breaks as ``\u202e``: the same values, and safe to look at."""
    if "#" in text:
        text = _COMMAND.sub(lambda found: found.group() if ":" in found.group() else "\\u0023", text)
    if text.isprintable():
        return text
    return _UNSAFE.sub(lambda found: found.group() if found.group() == "\n" else _units(found.group()), text)


def _units(character: str) -> str:
    digits = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{digits[at : at + 4]}" for at in range(0, len(digits), 4))


def quoted(value: object, longest: int = 60) -> str:
    """A value as a message shows it: quoted, on one line, cut when long."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    text = visible(str(value)[: longest * 4])
    return f"'{text}'" if len(text) <= longest else f"'{text[:longest]}…'"


def paths_apart(*paths: PurePath, longest: int = 60) -> Iterator[str]:
    """Yield paths as a message shows them side by side: quoted, and cut where they are alike, not where they differ."""
    names = [path.as_posix() for path in paths]
    folders = zip(*(name.split("/")[:-1] for name in names), strict=False)
    alike = len(list(itertools.takewhile(lambda parts: len(set(parts)) == 1, folders)))
    for name in names:
        rest = name
        if alike > 1 and any(len(one) > longest for one in names):
            rest = "/".join(["…", *name.split("/")[alike:]])
        yield quoted(rest if len(rest) <= longest else f"{rest[: longest // 2]}…{rest[1 - longest // 2 :]}", longest)


def suggestion(name: str, known: Iterable[str]) -> str:
    """``did you mean 'x'?`` for the closest known name, or nothing where none is close."""
    if len(name) > 100:  # noqa: PLR2004 - nobody meant a name this long, and matching it would be slow
        return ""
    import difflib

    near = difflib.get_close_matches(name.lower().replace("_", "-"), _by_shape(known), 1, 0.6)
    return f"did you mean '{_by_shape(known)[near[0]]}'?" if near else ""


def _by_shape(known: Iterable[str]) -> dict[str, str]:
    return {name.lower().replace("_", "-"): name for name in known}


def listed(words: Iterable[str], most: int = 12, noun: str = "") -> str:
    """Return the first words, joined for a message, and how many more there are: ``a, b and 3 more facts``."""
    words = list(words)
    rest = len(words) - most
    more = f"{rest:,} more {noun}{'s' if rest > 1 else ''}" if noun else f"{rest:,} more"
    return ", ".join(words[:most]) + (f" and {more}" if rest > 0 else "")


def shown(problems: Iterable[Problem], texts: Mapping[str, str]) -> str:
    """All problems as text, in order of place, each with its source line and a caret where the text is known."""
    lines: dict[str, list[str]] = {}
    blocks = []
    for problem in sorted(set(problems), key=lambda p: (p.place, p.code, p.message)):
        place = problem.place
        if place.file in texts and place.file not in lines:
            lines[place.file] = texts[place.file].split("\n")
        blocks.append(_block(problem, lines.get(place.file)))
    return "\n".join(blocks)


def render_problems(error: InputError, texts: Mapping[str, str], explain: str) -> str:
    """Return an error as the command line prints it: its problems, how many there are, and how to read about them.

    `explain` is the command that explains a code.
    """
    count, codes = len(set(error.problems)), {problem.code for problem in error.problems}
    code = codes.pop() if len(codes) == 1 else "CODE"
    tail = (
        f"{count} problem{'' if count == 1 else 's'}; to read about {'it' if count == 1 else 'them'}: {explain} {code}"
    )
    return f"{shown(error.problems, texts)}\n{tail}\n"


def _block(problem: Problem, lines: list[str] | None) -> str:
    place = problem.place
    tail = f"; {problem.hint}" if problem.hint else ""
    where = place.file if lines is None and place[1:] == (1, 1, "") else str(place)  # a whole file, or an option
    head = visible(f"{where}: {problem.code}: {problem.message}{tail}")
    line = lines[place.line - 1] if lines and 0 < place.line <= len(lines) and not place.part else ""
    if not line.strip():
        return head
    at = min(place.column - 1, len(line))
    start = max(0, at - WIDEST_LINE // 2) if len(line) > WIDEST_LINE else 0
    before = visible(line[start:at].replace("\t", " "))
    token = visible(line[at : at + width_of(line, at)])
    after = visible(line[at + width_of(line, at) : start + WIDEST_LINE].replace("\t", " "))
    caret = " " * _cells(before) + "^" * max(1, _cells(token))
    return f"{head}\n{uncommanded(f'    {before}{token}{after}')}\n    {caret}"


def _cells(text: str) -> int:
    """How many columns of a terminal a text takes: two for a wide character, none for a combining one."""
    if text.isascii():
        return len(text)
    return sum(
        2 if unicodedata.east_asian_width(char) in "WF" else 0 if unicodedata.category(char) in {"Mn", "Me"} else 1
        for char in text
    )


def width_of(line: str, at: int) -> int:
    """Length of the token that starts there: a quoted string whole, else up to a separator."""
    if line[at : at + 1] in {"'", '"'}:
        end = line.find(line[at], at + 1)
        return min((end - at + 1) if end > 0 else len(line) - at, WIDEST_LINE // 2)
    found = re.match(r"[^\s,\[\]{}]+?(?=:?(?:[\s,\[\]{}]|$))", line[at : at + WIDEST_LINE // 2])
    return len(found.group()) if found else 1
