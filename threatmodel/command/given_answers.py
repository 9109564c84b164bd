"""Open questions as JSON or CSV, and answers that options or a file give, written all or none."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from threatmodel.assessment.questions import looked_at
from threatmodel.assessment.risk import band
from threatmodel.authoring.answers import NotAnAnswerError
from threatmodel.authoring.interview import Item, expected, meaning, numbered
from threatmodel.authoring.sheets import sheets, takes
from threatmodel.command.answering import Answered, Answering
from threatmodel.reading.files import Files
from threatmodel.reading.home import PROGRAM
from threatmodel.reading.problems import InputError, Place, Problem, article, listed, note, quoted, suggestion
from threatmodel.reading.source import BLANK, Document, Map

_COLUMNS = ("id", "element", "question", "expected", "answer", "location")
_KEEP = f"keep the columns {', '.join(_COLUMNS)}"
_FORMULA = ("=", "+", "-", "@", "\t")
"""What begins a formula in a spreadsheet."""


class Given(NamedTuple):
    """One answer: of which question, where the answer can be seen ('' where that is not stated), and its place."""

    name: str
    answer: str
    location: str
    place: Place


# --- questions


def as_json(session: Answering) -> str:
    """Return the open questions as JSON, each with what it decides and the answers that it takes.

    `together` has the ids under which one answer is about several of them.
    """
    found: dict[str, dict[str, Any]] = {}
    for item in session.items:
        question = item.question
        row = found.setdefault(
            question.id,
            {
                "id": question.id,
                "ask": question.ask,
                "known": looked_at(session.assessment.graph, question),
                "hint": question.hint,
                "up_to": band(question.score),
                "decides": list(question.decides),
                "together": [],
                "answers": [],
            },
        )
        row["answers"].append(_item(session, item))
    for sheet in sheets(session.items):
        if len(sheet.items) > 1:
            found[sheet.items[0].question.id]["together"].append({"id": sheet.id, "expected": takes(sheet)})
    return json.dumps({"questions": list(found.values())}, indent=2) + "\n"


def _item(session: Answering, item: Item) -> dict[str, Any]:
    at = session.place_of(item)
    routes = {"routes": numbered(session.assessment)} if item.kind == "caller" else {}
    return {
        "id": item.id,
        "element": item.element,
        "location": at.short if at is not None else "",
        "meaning": meaning(item, session.assessment),
        "expected": expected(item),
        **routes,
    }


def as_csv(session: Answering) -> str:
    """Return the open questions as CSV, a line for each answer, with empty cells for answers and their locations."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(_COLUMNS)
    for item in session.items:
        cells = (item.id, item.element, meaning(item, session.assessment), expected(item), "", "")
        rows.writerow([_inert(cell) for cell in cells])
    return text.getvalue()


def _inert(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


# --- answers


def answers_in(path: Path, files: Files) -> list[Given]:
    """Return the answers in a file: CSV as `as_csv` makes it, or else a mapping in YAML or JSON.

    The mapping has `WHAT: ANSWER` or `WHAT: {answer: ANSWER, location: FILE:LINE}`; `*.FACT` is the fact of every
    element that it is asked of.  Raises InputError with everything that is no answer.
    """
    problems: list[Problem] = []
    if path.suffix.lower() == ".csv":
        found = list(_from_rows(files.remembered_text(path), files.shown(path), problems))
    else:
        found = list(_from_mapping(files.document(path), problems))
    if problems:
        raise InputError(problems)
    return found


def _from_rows(text: str, file: str, problems: list[Problem]) -> Iterator[Given]:
    rows = csv.DictReader(io.StringIO(text))
    missing = [name for name in ("id", "answer") if name not in (rows.fieldnames or ())]
    if missing:
        message = f"this CSV file has no column {quoted(missing[0])}"
        note(problems, Problem(code="missing-key", place=Place(file), message=message, hint=_KEEP))
        return
    for row in rows:
        if answer := (row["answer"] or "").strip():
            name = (row["id"] or "").strip().removeprefix("'")
            yield Given(name, answer, (row.get("location") or "").strip(), Place(file, rows.line_num))


def _from_mapping(document: Document, problems: list[Problem]) -> Iterator[Given]:
    root = document.root
    if root.__class__ is not Map:
        found = "empty" if root is BLANK else article("list" if isinstance(root, list) else "text")
        message = f"the file is {found}; expected a mapping of questions to answers"
        hint = "write WHAT: ANSWER, such as order-bot.verifies_signature: y"
        note(problems, Problem(code="wrong-type", place=Place(document.file), message=message, hint=hint))
        return
    for name, value, key, _ in root.placed():
        place = document.place(key)
        stated = value if value.__class__ is Map else {"answer": value}
        if "answer" not in stated or stated.keys() - {"answer", "location"}:
            message = f"{quoted(name)} has {listed(map(quoted, stated))}; expected answer and location"
            note(problems, Problem(code="unknown-key", place=place, message=message, hint="write {answer: ANSWER}"))
            continue
        answer = _written(stated["answer"])
        if answer is None:
            message = f"the answer to {quoted(name)} has no value that can be written as one line"
            note(problems, Problem(code="no-answer", place=place, message=message, hint="quote it as a text"))
        else:
            yield Given(name, answer, str(stated.get("location", "")), place)


def _written(value: Any) -> str | None:
    """An answer as it is typed; None where it has no such form."""
    if value is BLANK:
        return None
    if isinstance(value, list):
        plain = [item for item in value if isinstance(item, str)]
        return (", ".join(plain) or "none") if len(plain) == len(value) else None
    if value is None or isinstance(value, bool):
        return {None: "none", True: "y", False: "n"}[value]
    return None if isinstance(value, dict) else str(value)


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
