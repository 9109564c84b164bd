"""`tm.py ask`: what nobody has said, asked on the terminal, and written at the lines where it belongs."""

from __future__ import annotations

import getpass
import shutil
import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from threatmodel.command.arguments import Parser, common, text
from threatmodel.command.request import Invocation
from threatmodel.reading.home import PROGRAM
from threatmodel.reading.output import say, write
from threatmodel.reading.problems import InputError, Place, Problem, quoted, suggestion
from threatmodel.render.text import wrapped

if TYPE_CHECKING:
    from threatmodel.authoring.interview import Item
    from threatmodel.command.answering import Answering

DESCRIPTION = (
    "Asks what nobody has said, what decides most risk first, and writes each answer into the model at once, with who "
    "said it and when. Answers are y, n, a number or a word, s to skip, d for don't know, ? for more, u to take the "
    "last answer back, q to stop; go on whenever you like. Nothing that is stated is written over. Without a terminal "
    "it prints what it would ask."
)

_NARROWEST = 40
_WIDEST = 100


def options(parser: Parser) -> None:
    """Declares its options."""
    common(parser)
    parser.add_argument("--by", type=text, metavar="NAME", help="who answers (default: the name you are logged in by)")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        type=text,
        metavar="WHAT=ANSWER",
        help="answer without a terminal: order-bot.verifies_signature=y, 'callers=1 slash-command, rest others'; "
        "may be given more than once: all are written, or none",
    )


def run(request: Invocation) -> int:
    """Asks; what was answered is in the model whenever it ends."""
    from threatmodel.command.answering import Answering

    if request.output is not None or request.folder is not None:
        request.misused("ask writes into the model: give no -o")
    who = request.args.by or _login()
    session = Answering(request.model, request.given, request.today, who)
    try:
        if request.args.set:
            return _set(session, request.args.set)
        if not sys.stdin.isatty():
            return _listed(session)
        return _Terminal(session).run()
    finally:
        request.renamed(session.files)


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container without an entry for the user
        return "somebody"


def _set(session: Answering, given: Sequence[str]) -> int:
    """Answers that stand on the command line: all are written, or none.  Raises InputError with all that is wrong."""
    written: list[str] = []
    problems: list[Problem] = []
    for one in given:
        try:
            written.append(_set_one(session, one))
        except InputError as error:
            problems += error.problems
    if problems:
        while session.undone() is not None:
            pass
        raise InputError(problems)
    say([*written, _left(session)])
    return 0


def _set_one(session: Answering, given: str) -> str:
    """Writes one answer; says where it stands.  Raises InputError where it cannot be taken."""
    from threatmodel.authoring.answers import NotAnAnswerError

    name, equals, answer = given.partition("=")
    item = session.find(name)
    if item is None or not equals:
        raise InputError([_no_question(session, name, has_value=bool(equals))])
    try:
        return f"{session.answered(item, answer).short}: {item.id}"
    except NotAnAnswerError as error:
        problem = Problem(code="no-answer", place=Place(f"--set {name}", 0), message=str(error), hint="")
        raise InputError([problem]) from None


def _no_question(session: Answering, name: str, *, has_value: bool) -> Problem:
    if not has_value:
        message, hint = f"{quoted(name)} names no answer", "write WHAT=ANSWER, such as order-bot.verifies_signature=y"
        return Problem(code="no-question", place=Place("--set", 0), message=message, hint=hint)
    at = session.stated(name)
    if at is not None:
        message, hint = f"nobody asks for {quoted(name)}: it is stated", f"see {at}; nothing is written over"
    else:
        message = f"nobody asks for {quoted(name)}"
        hint = suggestion(name, [item.id for item in session.items]) or f"see {PROGRAM} ask < /dev/null"
    return Problem(code="no-question", place=Place("--set", 0), message=message, hint=hint)


def _listed(session: Answering) -> int:
    """Prints what would be asked, with what to paste."""
    from threatmodel.authoring.interview import numbered, pasted

    for _, found in groupby(session.items, key=lambda item: item.question.id):
        alike = list(found)
        if alike[0].kind == "caller":
            routes = [f"  {line}" for line in numbered(session.assessment)]
            say(
                [
                    "",
                    _head(alike[0]),
                    alike[0].question.ask,
                    *routes,
                    f"  or {PROGRAM} ask --set 'callers=1 slash-command, rest others'",
                ]
            )
            continue
        say(["", _head(alike[0]), alike[0].question.ask, *(f"  {line}" for line in pasted(alike))])
    say(["", f"{_left(session)}; on a terminal, {PROGRAM} ask goes through them"])
    return 0


def _head(item: Item) -> str:
    from threatmodel.assessment.risk import band

    count = len(item.question.decides)
    return f"up to {band(item.question.score)}, decides {count} finding{'' if count == 1 else 's'}"


def _left(session: Answering) -> str:
    questions = len({item.question.id for item in session.items})
    if not questions:
        return "nothing waits for an answer"
    return f"{questions} question{'' if questions == 1 else 's'} left"


class _Terminal:
    """One conversation."""

    def __init__(self, session: Answering) -> None:
        self.session = session
        self.skipped: set[str] = set()
        self.given = 0
        self.files: dict[str, None] = {}
        self.asked = ""
        self.width = max(_NARROWEST, min(_WIDEST, shutil.get_terminal_size().columns))

    def run(self) -> int:
        """Asks until nothing is left, or the user has had enough."""
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
        """What to ask now: the rest of the question that was asked last, before others."""
        waiting = [item for item in self.session.items if item.id not in self.skipped]
        same = [item for item in waiting if item.question.id == self.asked]
        return next(iter([*same, *waiting]), None)

    def _ask(self, item: Item) -> bool:
        """Asks one thing until it is answered or left; False to stop."""
        from threatmodel.authoring.interview import asked, expected

        if item.question.id != self.asked:
            self.asked = item.question.id
            self._say("", f"{_left(self.session)} · {_head(item)}", asked(item))
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
        """What one thing is about: its element and where it stands, what is asked, what each answer would decide."""
        from threatmodel.authoring.interview import meaning, numbered

        if item.kind == "caller":
            yield from (f"  {line}" for line in numbered(self.session.assessment))
        else:
            at = self.session.place_of(item)
            yield f"  {item.element}{f'  ({at.short})' if at else ''}"
        yield f"  {meaning(item, self.session.assessment)}"
        yield from (f"    {line}" for line in self.session.previews(item))

    def _undo(self) -> bool:
        """Takes the last answer back; False where there is none, or its file has changed."""
        try:
            at = self.session.undone()
        except InputError as error:
            self._tell(error)
            return False
        if at is None:
            self._say("  no answer is left to take back")
            return False
        self.given -= 1
        self.asked = ""
        self._say(f"  taken back: {at.short}")
        return True

    def _tell(self, error: InputError) -> None:
        for problem in error.problems:
            self._say(f"  {problem.place}: {problem.message}", f"  {problem.hint}" if problem.hint else "")

    def _take(self, item: Item, answer: str) -> bool:
        """Writes an answer; False where it is none."""
        from threatmodel.authoring.answers import NotAnAnswerError

        try:
            at = self.session.answered(item, answer)
        except NotAnAnswerError as error:
            self._say(f"  {error}")
            return False
        except InputError as error:
            self._tell(error)
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
        self._say(f"  decides {findings}{f' and {more} more' if more > 0 else ''}", "  to paste instead:")
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
