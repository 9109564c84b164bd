"""Answers that options or a file give, written all or none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from threatmodel.authoring.answers import NotAnAnswerError
from threatmodel.authoring.interview import Item
from threatmodel.command.answer_files import Given, answers_in
from threatmodel.command.answering import Answered, Answering
from threatmodel.reading.files import Files
from threatmodel.reading.home import PROGRAM
from threatmodel.reading.problems import InputError, Place, Problem, quoted, suggestion


def given(typed: Sequence[str], file: Path | None, files: Files) -> list[Given]:
    """Return the answers of the command line, and those of a file. Raises InputError."""
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


def written(session: Answering, answers: Sequence[Given]) -> list[str]:
    """Write answers, all or none, and return a line for each. Raises InputError with every wrong answer."""
    lines: list[str] = []
    problems: list[Problem] = []
    left = list(answers)
    while left:
        valid, later = _next_answers(session, left, problems)
        if not valid and len(later) == len(left):
            problems += [_no_question(session, one) for one in later]
            break
        try:
            places = session.answered(valid) if valid else []
            lines += [f"{place.short}: {one.item.id}" for place, one in zip(places, valid, strict=True)]
        except InputError as error:
            problems += error.problems
        left = later
    if problems:
        while session.undone() is not None:
            pass
        raise InputError(problems)
    return lines


def _next_answers(
    session: Answering, given: Sequence[Given], problems: list[Problem]
) -> tuple[list[Answered], list[Given]]:
    """Return the answers to write next, and those that are asked only after these, or of what has an answer by then.

    What is not valid is added to `problems`.
    """
    valid: list[Answered] = []
    later: list[Given] = []
    taken: set[str] = set()
    for one in given:
        try:
            named = session.named(one.name, one.answer)
        except NotAnAnswerError as error:
            problems.append(Problem(code="no-answer", place=one.place, message=f"{error}", hint=""))
            continue
        claims = {claim for item in named for claim in _claims(item)}
        if not named or claims & taken:
            later.append(one)
            continue
        taken |= claims
        found = [Answered(item, answer, one.location) for item, answer in named.items()]
        valid += [answered for answered in found if _is_valid(session, answered, one, problems)]
    return valid, later


def _is_valid(session: Answering, answered: Answered, given: Given, problems: list[Problem]) -> bool:
    """Whether an answer is valid; what is not is added to `problems`."""
    try:
        session.reject(answered)
    except NotAnAnswerError as error:
        name = answered.item.id
        message = f"{error}" if given.place.file.endswith(name) else f"{name}: {error}"
        problems.append(Problem(code="no-answer", place=given.place, message=message, hint=""))
        return False
    except InputError as error:
        problems += error.problems
        return False
    return True


def _claims(item: Item) -> Iterator[str]:
    """Yield what no other answer may change at the same time: what is asked, and the lists of its element."""
    yield item.id
    if item.kind == "relation":
        yield item.element


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
