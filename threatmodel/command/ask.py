"""`tm.py ask`: ask the open questions of a model, and write the answers at the lines where they belong."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING

from threatmodel.command.arguments import Parser, common, path, text
from threatmodel.command.request import Invocation
from threatmodel.reading.home import PROGRAM
from threatmodel.reading.output import columns, say, write
from threatmodel.reading.problems import InputError
from threatmodel.render.text import wrapped

if TYPE_CHECKING:
    from threatmodel.assessment.assessed import Question
    from threatmodel.authoring.interview import Item
    from threatmodel.authoring.sheets import Sheet
    from threatmodel.command.answering import Answering

DESCRIPTION = (
    "Ask the open questions of a model that can change the verdict of a check, those that affect most risk first. What "
    "one source answers (the code, the pipeline ...) is one question. Each answer is written to the model at "
    "once, with your name and the date. An answer is y, n, a number or one of the words in the question. What is alike "
    "is asked together in numbered rows, and answered by row, such as '1 y, 3 order-bot n, rest n'. A row that is not "
    "named stays open. Type s to skip, d for don't know, ? for details, u to undo the last answer, q to quit; you can "
    "continue at any time. Existing statements are never overwritten. Without a terminal, the questions are printed."
)

_KEYS = "s: skip, d: you do not know, ?: details, u: undo the last answer, q: quit"
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
    parser.add_argument(
        "--all",
        action="store_true",
        dest="every",
        help="also ask what cannot change the verdict of a check, because only findings below its level depend on it",
    )
    printed = parser.add_mutually_exclusive_group()
    for name, told in (("json", "print the open questions as JSON"), ("csv", "print them as CSV, to be filled in")):
        printed.add_argument(f"--{name}", dest="printed", action="store_const", const=name, help=told)


def run(request: Invocation) -> int:
    """Ask the questions; every answer is in the model, however the command ends."""
    from threatmodel.assessment.risk import least_score
    from threatmodel.command.answering import Answering
    from threatmodel.command.checking import rules_of

    args = request.args
    prints, writes = args.printed, bool(args.set or args.answers)
    if prints and writes:
        request.misused("--json and --csv print questions; remove --set and --answers, or print in a separate run")
    if not prints and (request.output is not None or request.folder is not None):
        request.misused("ask writes to the model; remove -o")
    who = args.by or _login()
    least = 0 if args.every else least_score(rules_of(request).fail_on)
    session = Answering(request.model, request.given, request.today, who, request.running.work, least)
    try:
        if prints:
            from threatmodel.command.given_answers import as_csv, as_json

            return request.print(as_json(session) if prints == "json" else as_csv(session))
        if writes:
            from threatmodel.command.given_answers import given, written

            lines = written(session, given(args.set, args.answers, session.files))
            say([*lines, _left(session), *_others(session)])
            return 0
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


def _listed(session: Answering) -> int:
    """Print the questions, each with lines to paste or the option that answers it."""
    from threatmodel.authoring.interview import numbered
    from threatmodel.authoring.sheets import sheets

    source = ""
    for _, some in groupby(sheets(session.items), key=lambda sheet: sheet.items[0].question.id):
        found = list(some)
        single = [item for sheet in found for item in sheet.items if len(sheet.elements) == 1]
        question = found[0].items[0].question
        head = [_head(session, question)] if question.source != source else []
        source = question.source
        say(["", *head, *_asked(found[0].items[0], session)])
        if found[0].items[0].kind == "caller":
            say([f"  {line}" for line in numbered(session.assessment)])
            say([f"  or {PROGRAM} ask --set 'callers=1 slash-command, rest others'"])
            continue
        for sheet in found:
            if len(sheet.elements) > 1:
                say(_wrapped(_rows(sheet)))
                say([f"  answer with {PROGRAM} ask --set '{sheet.id}={_such_as(sheet)}'"])
        say([f"  {line}" for line in session.pasted(single)])
    say(["", f"{_left(session)}; run {PROGRAM} ask in a terminal to answer them", *_others(session)])
    return 0


def _rows(sheet: Sheet) -> Iterator[str]:
    from threatmodel.authoring.interview import expected
    from threatmodel.authoring.sheets import shown

    item = sheet.items[0]
    if not sheet.is_of_facts:
        name = "" if item.rest else sheet.asked_list
        yield f"  {f'{name}: ' if name else ''}{expected(item)}"
    yield from (f"  {line}" for line in shown(sheet))


def _such_as(sheet: Sheet) -> str:
    return f"{sheet.rows[0][0].name} y, rest n" if sheet.is_of_facts else "ANSWER"


def _wrapped(lines: Iterable[str]) -> Iterator[str]:
    """Yield lines as wide as the terminal; what does not fit is indented."""
    width = max(_NARROWEST, min(_WIDEST, columns()))
    for line in lines:
        indent = line[: len(line) - len(line.lstrip())]
        yield from wrapped(line.strip(), width, indent, f"{indent}  ") or [""]


def _head(session: Answering, question: Question) -> str:
    """What the questions of one source are about, how severe what depends on them may be, and how many findings do."""
    from threatmodel.assessment.risk import band
    from threatmodel.render.issue_text import source

    same = {item.question for item in session.items if item.question.source == question.source}
    count = len({finding for one in same for finding in one.decides})
    worst = band(max(one.score for one in same))
    how = f"up to {worst}, affects {count} finding{'' if count == 1 else 's'}"
    about = source(question)
    return f"about {about}: {how}" if about else how


def _asked(item: Item, session: Answering) -> Iterator[str]:
    """Yield the question, what files show of the answer, and how to write it by hand."""
    from threatmodel.assessment.questions import looked_at

    question = item.question
    yield question.ask
    if seen := looked_at(session.assessment.graph, question):
        yield f"  {seen}"
    if question.hint:
        yield f"  to answer: {question.hint}"


def _left(session: Answering) -> str:
    questions = len({item.question.source for item in session.items})
    if not questions:
        return f"no open questions{' that can change the verdict of a check' if session.others else ''}"
    return f"{questions} open question{'' if questions == 1 else 's'}"


def _others(session: Answering) -> Iterator[str]:
    """Yield how many answers are not asked for, because they cannot change the verdict of a check."""
    if count := len(session.others):
        more = "1 more answer" if count == 1 else f"{count} more answers"
        yield f"{more} cannot change the verdict of a check; for these, run {PROGRAM} ask --all"


class _Terminal:
    """One session in a terminal."""

    def __init__(self, session: Answering) -> None:
        self.session = session
        self.skipped: set[str] = set()
        self.given: list[bool] = []  # whether each of the answers, which can be undone, says more than don't know
        self.files: dict[str, None] = {}
        self.asked = ""

    def run(self) -> int:
        """Ask until no question is left, or the user quits."""
        self._say(_KEYS)
        try:
            while (sheet := self._next()) is not None:
                if not self._ask(sheet):
                    break
        except EOFError:
            self._say("")
        except KeyboardInterrupt:
            self._say("")
            self._end()
            return 130
        self._end()
        return 0

    def _next(self) -> Sheet | None:
        """Return what to ask next: the rest of the last question, before others."""
        from threatmodel.authoring.sheets import sheets

        waiting = [item for item in self.session.items if item.id not in self.skipped]
        same = [item for item in waiting if item.question.id == self.asked]
        return next(sheets(same or waiting), None)

    def _ask(self, sheet: Sheet) -> bool:
        """Ask one thing, or several at once, until it is answered or skipped; return False to stop."""
        from threatmodel.assessment.questions import looked_at
        from threatmodel.authoring.sheets import takes

        question = sheet.items[0].question
        if question.id != self.asked:
            self.asked = question.id
            seen = filter(None, [looked_at(self.session.assessment.graph, question)])
            self._say("", f"{_left(self.session)} · {_head(self.session, question)}", question.ask, *seen)
        self._say("", *self._about(sheet))
        undo = "u, " if self.given else ""
        while True:
            answer = input(f"  {takes(sheet)}; s, d, ?, {undo}q > ").strip()
            match answer.lower():
                case "q":
                    return False
                case "u":
                    if self._undo():
                        return True
                case "" | "s":
                    self._skip(sheet.items)
                    return True
                case "?":
                    self._more(sheet)
                case _:
                    if self._take(sheet, answer):
                        return True

    def _skip(self, items: Iterable[Item]) -> None:
        self.skipped |= {item.id for item in items}

    def _about(self, sheet: Sheet) -> Iterator[str]:
        """Yield the elements and their places, the question, and the effect of each answer."""
        from threatmodel.authoring.interview import asked, meaning, numbered
        from threatmodel.authoring.sheets import shown

        item = sheet.items[0]
        if len(sheet.items) > 1:
            yield from (f"  {line}" for line in shown(sheet))
            if not sheet.is_of_facts:
                every = {one.name: one for one in reversed(sheet.items)} if item.kind == "relation" else {"": item}
                yield from (f"  {meaning(one, self.session.assessment)}" for one in reversed(every.values()))
            yield from (f"    {line}" for line in self.session.previews(sheet.flags))
            return
        if item.kind == "caller":
            yield from (f"  {line}" for line in numbered(self.session.assessment))
        else:
            at = self.session.place_of(item)
            yield f"  {item.element}{f'  ({at.short})' if at else ''}"
        if question := asked(item):
            yield f"  {question}"
        yield f"  {meaning(item, self.session.assessment)}"
        yield from (f"    {line}" for line in self.session.previews([item]))

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
        self.given.pop()
        self.asked = ""
        self._say(f"  undone: {at.short}")
        return True

    def _show(self, error: InputError) -> None:
        for problem in error.problems:
            self._say(f"  {problem.place}: {problem.message}", f"  {problem.hint}" if problem.hint else "")

    def _take(self, sheet: Sheet, answer: str) -> bool:
        """Write an answer; return False where it is not valid."""
        from threatmodel.authoring.answers import NotAnAnswerError
        from threatmodel.authoring.sheets import answers
        from threatmodel.command.answering import Answered

        try:
            is_open = answer.lower() == "d"
            given = dict.fromkeys(sheet.items) if is_open else answers(sheet, answer)
            places = self.session.answered([Answered(*pair) for pair in given.items()])
        except NotAnAnswerError as error:
            self._say(f"  {error}")
            return False
        except InputError as error:
            self._show(error)
            return False
        self._skip(item for item, one in given.items() if one is None)
        self.given.append(any(one is not None for one in given.values()))
        self.files |= dict.fromkeys(place.file for place in places)
        more = f", and {len(places) - 1} more lines" if len(places) > 1 else ""
        self._say(f"  written: {places[0].short}{more}")
        for line in dict.fromkeys(line for item in given for line in self.session.against(item)):
            self._say(f"  {line}")
        return True

    def _more(self, sheet: Sheet) -> None:
        decides = sheet.items[0].question.decides
        more = len(decides) - 6
        findings = f"{', '.join(decides[:6])}{f' and {more} more' if more > 0 else ''}"
        self._say(f"  affects {findings}", "  to paste instead:")
        say([f"    {line}" for line in self.session.pasted(sheet.items)])

    def _end(self) -> None:
        number = sum(self.given)
        count = f"{number} answer{'' if number == 1 else 's'}"
        where = f", written to {', '.join(self.files)}" if number else ""
        self._say("", *_others(self.session), f"{count}{where}; {_left(self.session)}")

    def _say(self, *lines: str) -> None:
        for line in _wrapped(lines):
            write(f"{line}\n", None)
