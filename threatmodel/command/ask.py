"""`tm.py ask`: ask the open questions of a model, and write the answers at the lines where they belong."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from threatmodel.command.arguments import Parser, common, path, text
from threatmodel.command.request import Invocation
from threatmodel.reading.home import PROGRAM
from threatmodel.reading.output import columns, say, write
from threatmodel.reading.problems import InputError, Place, Problem, quoted, suggestion
from threatmodel.render.text import wrapped

if TYPE_CHECKING:
    from pathlib import Path

    from threatmodel.authoring.interview import Item
    from threatmodel.command.answer_files import Given
    from threatmodel.command.answering import Answering
    from threatmodel.reading.files import Files

DESCRIPTION = (
    "Ask the open questions of a model, those that affect most risk first. Each answer is written to the model at "
    "once, with your name and the date. An answer is y, n, a number or one of the words in the question. Type s to "
    "skip, d for don't know, ? for details, u to undo the last answer, q to quit; you can continue at any time. "
    "Existing statements are never overwritten. Without a terminal, the questions are printed."
)

_NARROWEST = 40
_WIDEST = 100


def options(parser: Parser) -> None:
    """Declare the command's options."""
    common(parser)
    parser.add_argument(
        "--by", type=text, metavar="NAME", help="the name to record with the answers (default: your login name)"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        type=text,
        metavar="WHAT=ANSWER",
        help="answer without a terminal, such as order-bot.verifies_signature=y or '*.logs_redacted=n' or "
        "'callers=1 slash-command, rest others'; can be repeated; if one answer is wrong, none is written",
    )
    parser.add_argument(
        "--answers",
        type=path,
        metavar="FILE",
        help="write the answers of a file (YAML, JSON or CSV), all or none: WHAT: ANSWER, or WHAT: {answer: ANSWER, "
        "location: FILE:LINE}",
    )
    printed = parser.add_mutually_exclusive_group()
    for name, told in (("json", "print the open questions as JSON"), ("csv", "print them as CSV, to be filled in")):
        printed.add_argument(f"--{name}", dest="printed", action="store_const", const=name, help=told)


def run(request: Invocation) -> int:
    """Ask the questions; every answer is in the model, however the command ends."""
    from threatmodel.command.answering import Answering

    args = request.args
    prints, writes = args.printed, bool(args.set or args.answers)
    if prints and writes:
        request.misused("--json and --csv print questions; remove --set and --answers, or print in a separate run")
    if not prints and (request.output is not None or request.folder is not None):
        request.misused("ask writes to the model; remove -o")
    who = args.by or _login()
    session = Answering(request.model, request.given, request.today, who, request.running.work)
    try:
        if prints:
            from threatmodel.command.answer_files import as_csv, as_json

            return request.print(as_json(session) if prints == "json" else as_csv(session))
        if writes:
            return _write(session, _given(args.set, args.answers, session.files))
        if not sys.stdin.isatty():
            return _listed(session)
        return _Terminal(session).run()
    finally:
        request.renamed(session.files)


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container without an entry for the user
        return "unknown user"


def _given(typed: Sequence[str], file: Path | None, files: Files) -> list[Given]:
    """The answers of the command line, and those of a file. Raises InputError."""
    from threatmodel.command.answer_files import Given, answers_in

    found = answers_in(file, files) if file is not None else []
    problems = []
    for one in typed:
        name, equals, answer = one.partition("=")
        if equals:
            found.append(Given(name, answer, "", Place(f"--set {name}", 0)))
        else:
            message, hint = f"{quoted(name)} has no answer", "write WHAT=ANSWER, such as order-bot.verifies_signature=y"
            problems.append(Problem(code="no-question", place=Place("--set", 0), message=message, hint=hint))
    if problems:
        raise InputError(problems)
    return found


def _write(session: Answering, given: Sequence[Given]) -> int:
    """Write answers, all or none. Raises InputError with every wrong answer."""
    written: list[str] = []
    problems: list[Problem] = []
    for one in given:
        try:
            written += _write_one(session, one)
        except InputError as error:
            problems += error.problems
    if problems:
        while session.undone() is not None:
            pass
        raise InputError(problems)
    say([*written, _left(session)])
    return 0


def _write_one(session: Answering, given: Given) -> Iterator[str]:
    """Write one answer; yield the place and name of all that it answers. Raises InputError where it is invalid."""
    from threatmodel.authoring.answers import NotAnAnswerError

    found = session.find_all(given.name)
    if not found:
        raise InputError([_no_question(session, given)])
    for item in found:
        try:
            yield f"{session.answered(item, given.answer, given.location).short}: {item.id}"
        except NotAnAnswerError as error:
            message = f"{error}" if given.place.file.endswith(item.id) else f"{item.id}: {error}"
            raise InputError([Problem(code="no-answer", place=given.place, message=message, hint="")]) from None


def _no_question(session: Answering, given: Given) -> Problem:
    name, place = given.name, Place("--set", 0) if given.place.file.startswith("--set") else given.place
    at = session.stated(name)
    if at is not None:
        message, hint = f"{quoted(name)} is not an open question; it is stated already", f"edit {at} to change it"
    else:
        message = f"{quoted(name)} is not an open question"
        hint = (
            suggestion(name, [item.id for item in session.items])
            or f"list the open questions with {PROGRAM} ask < /dev/null"
        )
    return Problem(code="no-question", place=place, message=message, hint=hint)


def _listed(session: Answering) -> int:
    """Print the questions, with lines to paste."""
    from threatmodel.authoring.interview import numbered, pasted

    for _, found in groupby(session.items, key=lambda item: item.question.id):
        alike = list(found)
        if alike[0].kind == "caller":
            routes = [f"  {line}" for line in numbered(session.assessment)]
            say(
                [
                    "",
                    _head(alike[0]),
                    *_asked(alike[0]),
                    *routes,
                    f"  or {PROGRAM} ask --set 'callers=1 slash-command, rest others'",
                ]
            )
            continue
        say(["", _head(alike[0]), *_asked(alike[0]), *(f"  {line}" for line in pasted(alike))])
    say(["", f"{_left(session)}; run {PROGRAM} ask in a terminal to answer them"])
    return 0


def _head(item: Item) -> str:
    from threatmodel.assessment.risk import band

    count = len(item.question.decides)
    return f"up to {band(item.question.score)}, affects {count} finding{'' if count == 1 else 's'}"


def _asked(item: Item) -> Iterator[str]:
    """Yield the question, what files show of the answer, and how to write it by hand."""
    question = item.question
    yield question.ask
    if question.known:
        yield f"  {question.known}"
    if question.hint:
        yield f"  to answer: {question.hint}"


def _left(session: Answering) -> str:
    questions = len({item.question.id for item in session.items})
    if not questions:
        return "no open questions"
    return f"{questions} open question{'' if questions == 1 else 's'}"


class _Terminal:
    """One session in a terminal."""

    def __init__(self, session: Answering) -> None:
        self.session = session
        self.skipped: set[str] = set()
        self.given = 0
        self.files: dict[str, None] = {}
        self.asked = ""
        self.width = max(_NARROWEST, min(_WIDEST, columns()))

    def run(self) -> int:
        """Ask until no question is left, or the user quits."""
        try:
            while (item := self._next()) is not None:
                if not self._ask(item):
                    break
        except EOFError:
            self._say("")
        except KeyboardInterrupt:
            self._say("")
            self._end()
            return 130
        self._end()
        return 0

    def _next(self) -> Item | None:
        """Return what to ask next: the rest of the last question, before others."""
        waiting = [item for item in self.session.items if item.id not in self.skipped]
        same = [item for item in waiting if item.question.id == self.asked]
        return next(iter([*same, *waiting]), None)

    def _ask(self, item: Item) -> bool:
        """Ask one thing until it is answered or skipped; return False to stop."""
        from threatmodel.authoring.interview import expected

        if item.question.id != self.asked:
            self.asked = item.question.id
            question = item.question
            self._say("", f"{_left(self.session)} · {_head(item)}", question.ask, *filter(None, [question.known]))
        self._say("", *self._about(item))
        undo = "u, " if self.given else ""
        while True:
            answer = input(f"  {expected(item)}; s, d, ?, {undo}q > ").strip()
            match answer.lower():
                case "q":
                    return False
                case "u":
                    if self._undo():
                        return True
                case "" | "s":
                    self.skipped.add(item.id)
                    return True
                case "d":
                    self.skipped.add(item.id)
                    self.session.not_known(item)
                    return True
                case "?":
                    self._more(item)
                case _:
                    if self._take(item, answer):
                        return True

    def _about(self, item: Item) -> Iterator[str]:
        """Yield the element and its place, the question, and the effect of each answer."""
        from threatmodel.authoring.interview import asked, meaning, numbered

        if item.kind == "caller":
            yield from (f"  {line}" for line in numbered(self.session.assessment))
        else:
            at = self.session.place_of(item)
            yield f"  {item.element}{f'  ({at.short})' if at else ''}"
        if question := asked(item):
            yield f"  {question}"
        yield f"  {meaning(item, self.session.assessment)}"
        yield from (f"    {line}" for line in self.session.previews(item))

    def _undo(self) -> bool:
        """Undo the last answer; return False where there is none, or its file has changed."""
        try:
            at = self.session.undone()
        except InputError as error:
            self._show(error)
            return False
        if at is None:
            self._say("  there is no answer to undo")
            return False
        self.given -= 1
        self.asked = ""
        self._say(f"  undone: {at.short}")
        return True

    def _show(self, error: InputError) -> None:
        for problem in error.problems:
            self._say(f"  {problem.place}: {problem.message}", f"  {problem.hint}" if problem.hint else "")

    def _take(self, item: Item, answer: str) -> bool:
        """Write an answer; return False where it is not valid."""
        from threatmodel.authoring.answers import NotAnAnswerError

        try:
            at = self.session.answered(item, answer)
        except NotAnAnswerError as error:
            self._say(f"  {error}")
            return False
        except InputError as error:
            self._show(error)
            return False
        self.given += 1
        self.files[at.file] = None
        self._say(f"  written: {at.short}")
        for line in self.session.against(item):
            self._say(f"  {line}")
        return True

    def _more(self, item: Item) -> None:
        from threatmodel.authoring.interview import pasted

        findings = ", ".join(item.question.decides[:6])
        more = len(item.question.decides) - 6
        self._say(f"  affects {findings}{f' and {more} more' if more > 0 else ''}", "  to paste instead:")
        say([f"    {line}" for line in pasted([item])])

    def _end(self) -> None:
        count = f"{self.given} answer{'' if self.given == 1 else 's'}"
        where = f", written to {', '.join(self.files)}" if self.given else ""
        self._say("", f"{count}{where}; {_left(self.session)}")

    def _say(self, *lines: str) -> None:
        for line in lines:
            indent = line[: len(line) - len(line.lstrip())]
            parts = wrapped(line.strip(), self.width, indent, f"{indent}  ") or [""]
            write("".join(f"{part}\n" for part in parts), None)
