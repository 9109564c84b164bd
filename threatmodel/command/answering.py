"""The open questions of a model, the effect of each answer, and answers written as they are given."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

from threatmodel.api import assess, gathered, load_library
from threatmodel.assessment.assessed import Assessment, Question
from threatmodel.assessment.control_state import shown
from threatmodel.assessment.former import current_names, kinds_of
from threatmodel.authoring.answers import Edit, NotAnAnswerError, Said, with_caller, with_edit, without_hints
from threatmodel.authoring.insertion import comment
from threatmodel.authoring.interview import Item, consequences, edits, items, path_of
from threatmodel.authoring.migration import migrated
from threatmodel.authoring.pasted import pasted
from threatmodel.authoring.sheets import answers, sheets, together
from threatmodel.graph.building import build
from threatmodel.graph.elements import Element, Flow, Graph, Read
from threatmodel.graph.resolved import Evidence
from threatmodel.library.directions import directions
from threatmodel.model.load import load_model
from threatmodel.model.system import OPEN_TO_ALL, System
from threatmodel.model.vocabulary import FACTS, RELATIONS
from threatmodel.reading.editing import write_edit
from threatmodel.reading.files import Files, shown_path
from threatmodel.reading.former import Renamed
from threatmodel.reading.home import CONTENT
from threatmodel.reading.problems import FileChangedError, InputError, Place, quoted, refusal
from threatmodel.reading.shape import Flag, Word
from threatmodel.reading.source import as_read, parse

_PREVIEWED = 2000
"""Up to this many findings, the effect of answers is shown: each takes an assessment."""

_TRIES = 20
"""How often an answer is tried again where the file changes while it is being written."""

_OFFERED = 4
"""Up to this many words of a fact, the effect of each is shown."""

_NOT_KNOWN = "# not known yet: "

_OF_ELEMENTS = frozenset({"fact", "relation", "public"})
"""Kinds of questions that are asked of elements one by one."""

_AGENT = "agent:"
"""What the name of a program begins with that answers in place of a person."""


class Answered(NamedTuple):
    """An answer, None for what is not known yet, and the location that shows it; '' where that is not stated."""

    item: Item
    answer: str | None
    location: str = ""


class _Changed(NamedTuple):
    """A file, and its text before and after answers."""

    path: Path
    before: str
    after: str


class Answering:
    """The questions of a model, and the model with each answer.

    `items` are the open questions on which findings of a score of `least` or more depend, those marked as not known yet
    last; `others` are the rest, whose answers cannot change the verdict of a check. Answers are checked with the whole
    model, and written at once, atomically. A file that has changed on disk in the meantime is read again.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - a run's parts
        self, model: Path, layers: Sequence[Path], today: datetime.date, who: str, work: int | None, least: int = 0
    ) -> None:
        self.model = model
        self.layers = layers
        self.today = today
        self.who = who
        self.work, self.least = work, least
        self._done: list[list[_Changed]] = []
        self._load()

    def _load(self) -> None:
        self.files = Files(CONTENT)
        self.stated_system = load_model(self.files, self.model)
        layers = [*self.stated_system.libraries, *self.layers]
        self.library = load_library(layers=layers, files=self.files)
        self._gathered = gathered(self.stated_system, self.files, self.today, self.library, self.work)
        self.assessment = self._assessed(*self._gathered)
        every = list(items(self.assessment))
        waiting = [item for item in every if item.score >= self.least]
        self.others = tuple(item for item in every if item.score < self.least)
        text = self.files.read[self.files.shown(self.model)]
        unknown = [item for item in waiting if self._is_left_open(item, text)]
        self.items = (*(item for item in waiting if item not in unknown), *unknown)

    def _assessed(self, system: System, evidence: Evidence, read: Sequence[Read]) -> Assessment:
        graph: Graph = build(system, evidence, self.today, tuple(read))
        found = assess(graph, self.library, today=self.today)
        self.files.renamed += found.renamed
        return found

    # --- what is asked

    def find(self, name: str) -> Item | None:
        """Return the open question of a name, or one that can be answered although no finding depends on it now."""
        current = current_names(self.library.former, kinds_of(self.assessment.graph))(name)
        if current != name:
            self.files.renamed.append(Renamed(Place("--set", 0), name, current))
            name = current
        every = (*self.items, *self.others)
        return next((item for item in every if item.id == name), None) or self._unasked(name)

    def named(self, name: str, answer: str) -> Mapping[Item, str | None]:
        """Return what a name asks for, with the answer to each; the id of a question is all that one prompt asks.

        Raises NotAnAnswerError where the answer to a question is none.
        """
        found = self.find_all(name)
        every = (*sheets(self.items), *sheets((*self.items, *self.others)))
        sheet = None if found else next((one for one in every if one.id == name), None)
        return answers(sheet, answer) if sheet is not None else dict.fromkeys(found, answer)

    def find_all(self, name: str) -> list[Item]:
        """Return what a name asks for: `*.FACT` is asked of every element, `CONTROL@*` to be attested on each."""
        fact, control = name.removeprefix("*."), name.removesuffix("@*")
        every = (*self.items, *self.others)
        if fact != name:
            return [item for item in every if item.kind in _OF_ELEMENTS and item.name == fact]
        if control != name:
            return [item for item in every if item.kind == "attest" and item.name == control]
        found = self.find(name)
        return [found] if found is not None else []

    def _target(self, name: str) -> Element | Flow | None:
        graph = self.assessment.graph
        return graph.elements.get(name) or graph.flows.get(name)

    def _unasked(self, name: str) -> Item | None:
        element, _, wanted = name.rpartition(".")
        graph = self.assessment.graph
        target = self._target(element)
        if target is None or not target.kind or not target.described:
            return None
        kind = target.kind
        question = Question(id="", kind="", of=kind, name=wanted, facts=(), ask="", elements=(), decides=(), scores=())
        row, fact = FACTS[kind].get(wanted), target.facts.get(wanted)
        if row is not None and not row.derived and (fact is None or not fact.size):
            return Item(question, "fact", kind, element, wanted)
        if wanted == "public" and kind in OPEN_TO_ALL and target.node is not None and not target.node.public:
            return Item(question, "public", kind, element, wanted)
        members = graph.lists[element].get(wanted) if wanted in RELATIONS[kind] else None
        if wanted in RELATIONS[kind] and (members is None or not members.size):
            return Item(question, "relation", kind, element, wanted, members is not None and bool(members.known))
        return None

    def stated(self, name: str) -> Place | None:
        """Return the place where a fact is stated already; None where it is not."""
        element, _, fact = name.rpartition(".")
        target = self._target(element)
        found = target.facts.get(fact) if target is not None else None
        return found.said.place if found is not None else None

    def place_of(self, item: Item) -> Place | None:
        """Return the place of the element in question."""
        target = self._target(item.element)
        return target.place if target is not None else None

    def previews(self, asked: Sequence[Item]) -> Iterator[str]:
        """Yield the effect of each answer to all of these, one a line, if there are few answers and findings."""
        if not asked or asked[0].kind != "fact" or len(self.assessment.findings) > _PREVIEWED:
            return
        shape = asked[0].row.shape
        offered = ["y", "n"] if isinstance(shape, Flag) else list(shape.words) if isinstance(shape, Word) else []
        for answer in offered if len(offered) <= _OFFERED else ():
            changed, _ = self._drafted([Answered(item, answer) for item in asked])
            system = load_model(Files(CONTENT, texts={one.path: one.after for one in changed}), self.model)
            after = self._assessed(self._completed(system), *self._gathered[1:])
            every = " for all" if len(asked) > 1 else ""
            yield f"{answer}{every}: {consequences(self.assessment, after, asked[0].question)}"

    def _completed(self, system: System) -> System:
        """Return a system as written, with the elements that the evidence adds."""
        from threatmodel.reading.values import replace

        whole = self._gathered[0]
        added = {name: node for name, node in whole.nodes.items() if name not in system.nodes}
        return replace(system, nodes={**system.nodes, **added}, evidence=whole.evidence)

    def pasted(self, asked: Sequence[Item]) -> list[str]:
        """Return lines of a model that answer these."""
        return pasted(asked, directions(self.library))

    def against(self, item: Item) -> Iterator[str]:
        """Yield the evidence that contradicts an answer."""
        target = self._target(item.element)
        fact = target.facts.get(item.name) if target is not None and item.kind == "fact" else None
        if fact is None:
            return
        for other in fact.against:
            yield f"but {other.place or other.source} shows {shown(other.value)}; `check` reports the drift"
        if fact.said.source != "model" and fact.against:
            yield f"the value from {fact.said.place or fact.said.source} is used: {shown(fact.value)}"

    # --- what is written

    def reject(self, given: Answered) -> None:
        """Raise NotAnAnswerError where an answer is not valid."""
        self._check_location(given)
        if given.answer is not None:
            edits(given.item, given.answer, self.who, self.today, self.assessment)

    def answered(self, given: Sequence[Answered]) -> list[Place]:
        """Write answers together, all or none, each with the location that shows it; return their places.

        Raises NotAnAnswerError where one is not valid, InputError where one cannot be written or the model cannot be
        used with them; then nothing is written.
        """
        for one in given:
            self.reject(one)
        changed, places = self._edited(given)
        self._done.append(changed)
        self._load()
        return places

    def _check_location(self, given: Answered) -> None:
        """Raise NotAnAnswerError where a location is none, or an answer needs one, or a person."""
        item, _, location = given
        is_agent = self.who.startswith(_AGENT)
        if is_agent and item.kind == "attest":
            raise NotAnAnswerError("a program cannot attest a control; a person states what no file shows")
        if is_agent and not location:
            raise NotAnAnswerError("the answer of a program needs the line that shows it: location: FILE:LINE")
        if not location:
            return
        name, _, line = location.rpartition(":")
        if not name or not line.isascii() or not line.isdigit():
            raise NotAnAnswerError(f"{quoted(location)} is no location; expected FILE:LINE, such as src/app.py:12")
        path = self.files.named(name, self.model, Place(shown_path(self.model)))
        lines = len(self.files.text(path).splitlines())
        if not 1 <= int(line) <= lines:
            raise NotAnAnswerError(f"{quoted(name)} has {lines} lines, and the location names line {line}")

    def _edited(self, given: Sequence[Answered]) -> tuple[list[_Changed], list[Place]]:
        """Write answers; return what changed, and the place of each.  Answer again where a file has changed."""
        for tries in range(_TRIES, -1, -1):
            self._fresh([one.item for one in given])
            try:
                changed, places = self._drafted(given)
                self._check({one.path: one.after for one in changed})
                _write_all(changed)
            except FileChangedError:
                if not tries:
                    raise
            else:
                return changed, places
        raise AssertionError

    def _drafted(self, given: Sequence[Answered]) -> tuple[list[_Changed], list[Place]]:
        """Return the files with these answers, and the place that each has in the end."""
        before: dict[Path, str] = {}
        after: dict[Path, str] = {}
        lines: list[tuple[Path, int]] = []
        for one in given:
            path = self._file_of(one)
            old = after[path] if path in after else before.setdefault(path, self.files.raw(path))
            new = after[path] = self._written(one, path, old, given)
            line, more = _first_changed(old, new), new.count("\n") - old.count("\n")
            lines = [(file, at + more if file == path and at >= line else at) for file, at in lines]
            lines.append((path, line))
        changed = [_Changed(path, text, after[path]) for path, text in before.items()]
        return changed, [Place(shown_path(path), line) for path, line in lines]

    def undone(self) -> Place | None:
        """Undo the last answer, so that its file is restored byte for byte; return its place.

        Return None where there is no answer. Raises InputError where the file has changed since.
        """
        if not self._done:
            return None
        changed = self._done[-1]
        for path, _, after in changed:
            if self.files.on_disk(path) != after:
                message, hint = "the file has changed since the answer was written", "remove the answer by hand"
                raise refusal("no-question", shown_path(path), message, hint)
        _write_all([_Changed(path, after, before) for path, before, after in changed])
        self._done.pop()
        self._load()
        path, before, after = changed[0]
        return Place(shown_path(path), _first_changed(before, after))

    def _left_open(self, item: Item, text: str) -> str:
        """Return the model's text with the note that an answer is not known yet, so that it is asked last."""
        if self._is_left_open(item, text):
            return text
        end = "" if not text or text.endswith("\n") else "\n"
        return f"{text}{end}{_NOT_KNOWN}{together(item)} ({comment(self.who)}, {self.today})\n"

    def _is_left_open(self, item: Item, text: str) -> bool:
        return f"{_NOT_KNOWN}{item.id} (" in text or f"{_NOT_KNOWN}{together(item)} (" in text

    def _fresh(self, asked: Sequence[Item]) -> None:
        """Read the model again where its file has changed. Raises InputError where a question is no longer open."""
        known = {shown_path(path): path for path in self.files.paths}
        if all(
            self.files.read.get(name, "") == as_read(self.files.on_disk(path))
            for name, path in known.items()
            if name in self.files.read
        ):
            return
        self._load()
        for item in asked:
            if self.find(item.id) is None:
                message = f"'{item.id}' is no longer an open question; the file has changed"
                raise refusal("no-question", shown_path(self.model), message, "continue with the next one")

    def _check(self, texts: Mapping[Path | str, str]) -> None:
        """Raise InputError where the model cannot be used with these texts."""
        files = Files(CONTENT, texts=texts)
        system = load_model(files, self.model)
        build(self._completed(system), self._gathered[1], self.today, tuple(self._gathered[2]))

    def _written(self, given: Answered, path: Path, text: str, at_once: Sequence[Answered]) -> str:
        """Return the text of the file that an answer belongs to, with the answer and with current names.

        `at_once` are the answers that are written at once.
        """
        item, answer, location = given
        if answer is None:
            return self._left_open(item, text)
        text = migrated(text, (one for one in self.files.renamed if one.place.file == shown_path(path)))
        note = f"{self.who}, {self.today}{f', {location}' if location else ''}"
        found = edits(item, answer, self.who, self.today, self.assessment)
        for edit in [*found, *self._others(item, at_once)]:
            document = parse(as_read(text), shown_path(path))
            if isinstance(edit, Said):
                text, _ = with_caller(text, document, edit, f"who calls: {note}")
            else:
                text, _ = with_edit(text, document, edit, note)
        for function in dict.fromkeys(edit.function for edit in found if isinstance(edit, Said)):
            text = without_hints(text, function)
        return text

    def _others(self, item: Item, at_once: Sequence[Answered]) -> Iterator[Edit]:
        """Yield the edits that keep an answered list from closing lists that are not answered with it."""
        if item.kind != "relation" or item.rest:
            return
        node = self.stated_system.nodes.get(item.element)
        stated = node.relations if node is not None else {}
        if item.name in stated and stated[item.name].open:
            yield Edit(path_of(item), item.name, closes=True)
        rows = [row for row in RELATIONS[item.of].values() if row.closed_together]
        if item.name not in [row.name for row in rows] or any(row.name in stated for row in rows):
            return
        same = [one.item.name for one in at_once if one.item.element == item.element and one.answer is not None]
        if item.name != next((name for name in same if name in [row.name for row in rows]), item.name):
            return  # the first of them has written it
        others = [row.name for row in rows if row.name not in {item.name, *same}]
        if any(relation.open for relation in stated.values()):
            raise NotAnAnswerError(f"this would close {', '.join(others)} too; write the lists by hand")
        if others:
            yield Edit(path_of(item), "incomplete", f"[{', '.join(others)}]")

    def _file_of(self, given: Answered) -> Path:
        """Return the file of the element; the model's own where the element has none, or nothing is stated."""
        item = given.item
        node = self.stated_system.nodes.get(item.element)
        is_stated = given.answer is not None and item.kind in _OF_ELEMENTS and node is not None
        name = node.place.file if is_stated and node is not None else shown_path(self.model)
        return next((path for path in self.files.paths if shown_path(path) == name), self.model)


def _write_all(changed: Sequence[_Changed]) -> None:
    """Write files, all or none.  Raises FileChangedError and InputError."""
    written: list[_Changed] = []
    try:
        for one in changed:
            write_edit(one.after, one.path, one.before)
            written.append(one)
    except (FileChangedError, InputError):
        for path, before, after in written:
            write_edit(before, path, after)
        raise


def _first_changed(before: str, after: str) -> int:
    """The first line of a text that differs from an earlier one."""
    pairs = zip_longest(before.splitlines(), after.splitlines())
    return next((at for at, (old, new) in enumerate(pairs, 1) if old != new), 1)
