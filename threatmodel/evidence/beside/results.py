"""Results of other tools as statements: what a rule found alarms at once, and what it did not find proves nothing.

What reassures must be shown, and is a statement even then: a rule covers a part of what a fact means, and a file does
not show how the tool ran.  It needs an explicit pass, or a control: a planted fault that the same run found, and a list
that has all source of the function.  In Prowler's results a denied call leaves no trace, so that only an explicit pass
counts there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from threatmodel.beside.results.opening import OpenedResult
from threatmodel.beside.results.values import Finding
from threatmodel.evidence.beside.kinds import Found
from threatmodel.evidence.beside.targets import Targets
from threatmodel.graph.elements import LeftOpen, Read
from threatmodel.model.facts import Statement, Statements
from threatmodel.model.vocabulary import PLANES
from threatmodel.reading.files import Files, shown_path
from threatmodel.reading.problems import Place, Problem, listed, quoted
from threatmodel.reading.project import real_path
from threatmodel.reading.values import dataclass

FILE = Path(__file__).with_name("results.yaml")
NOTHING: Any = object()
"""Stands for a value that a row does not have: null is one."""
_ANY = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one rule says of one fact; the first lines of the table describe the keys."""

    rule: str
    of: str
    fact: str
    fails: Any = NOTHING
    passes: Any = NOTHING
    clear: Any = NOTHING
    sign: str = ""
    only: str = ""


@cache
def table() -> Mapping[str, Sequence[Row]]:
    """Return the rows by tool."""
    root: Any = Files().document(FILE).root
    return {tool: tuple(Row(**one) for one in rows) for tool, rows in root.items()}


def rows_of(tool: str, rule: str) -> Sequence[Row]:
    """Return what a rule of a tool says, the exact rows only where there are any."""
    every = table().get(tool, ())
    name = rule.rpartition(".")[2] if tool == "semgrep" else rule
    return [one for one in every if one.rule == name] or [
        one for one in every if one.rule.endswith(_ANY) and name.startswith(one.rule.removesuffix(_ANY))
    ]


DAYS = 30
"""Days for which a result that has a date is evidence."""
NOT_MAPPED = "not-mapped"
_OF_SERVICES = frozenset(("prowler", "aws", "slack"))
"""Whose results are answers of a service about itself: an explicit pass counts, as a statement."""
_MOST_NAMED = 8
_NO_CONTROL = "the entry names no file with a planted fault (control:)"


def state(found: Found) -> tuple[Statements, Read]:
    """Return what a result states of the elements that it names, and what was read."""
    one = _Result(found)
    statements = one.statements()
    return statements, one.read(statements)


class _Result:
    """One result, held against the model and the files that deploy it."""

    def __init__(self, found: Found) -> None:
        self.found = found
        self.opened: OpenedResult = found.opened
        self.results = self.opened.results
        self.targets = Targets(found.held, found.deployed, self.opened)
        self.why = next(self.doubts(), "")
        self.unmapped: Counter[str] = Counter()
        self.nowhere: Counter[str] = Counter()
        self.signs: dict[tuple[str, str], LeftOpen] = {}
        self.touched: Counter[str] = Counter()

    def doubts(self) -> Iterator[str]:
        """Yield why the result does not count as evidence."""
        again = "it counts as a statement (run the tool again)"
        for why in self.results.doubts:
            yield f"{why}; {again}"
        if self.opened.moved:
            yield f"it is of another commit than the one that is checked out; {again}"
        today, made = self.found.today, self.results.made
        if today is not None and made is not None:
            age = (today - made.date()).days
            if age < 0:
                yield f"it is of {made.date()}, which is in the future; {again}"
            elif age > DAYS:
                yield f"it is {age} days old, and counts as evidence for {DAYS}; {again}"
        home = self.targets.account
        if self.results.account and home and home != self.results.account:
            yield f"it is of another account than the files of the evidence; {again}"

    # --- the control

    @cached_property
    def control(self) -> Path | None:
        """The planted file, if the run found a fault in it; None where it did not, or where none is named."""
        named = self.found.source.control
        if not named:
            return None
        planted = real_path(Path(self.found.system.file).parent / named)
        return planted if any(self.opened.paths.get(one.file) == planted for one in self.results.findings) else None

    @property
    def reassures(self) -> bool:
        """Whether what the tool did not find may count, as a statement."""
        return not self.why and self.control is not None

    # --- statements

    def statements(self) -> Statements:
        """Return what the result states, by element and fact, each once."""
        said: dict[tuple[str, str], list[Statement]] = {}
        for one in self.results.findings:
            if self.control is None or self.opened.paths.get(one.file) != self.control:
                for element, row in self.named(one):
                    self.state(element, row, one, said)
        for element, row in self.cleared({(element, name) for element, name in said}):
            note = f"{self.results.tool} found nothing, and found each planted fault"
            said[element, row.fact] = [Statement(row.clear, "tool", Place(self.opened.file), note)]
        found: Statements = {}
        for (element, name), every in said.items():
            found.setdefault(element, {})[name] = every
        return found

    def state(self, element: str, row: Row, one: Finding, said: dict[tuple[str, str], list[Statement]]) -> None:
        """Add what one finding says of one fact."""
        note, place = f"{self.results.tool} {row.rule}", self.place(one)
        self.touched[element] += 1
        if row.sign and not one.passed:
            why = f"{self.results.tool} {row.rule}: {row.sign}"
            self.signs.setdefault((element, row.fact), LeftOpen(element, row.fact, why, place, ()))
        value = row.passes if one.passed else row.fails
        if value is NOTHING or not (one.passed or self.targets.decides(row.only, element, one)):
            return
        if one.passed and (self.why or not (self.reassures or self.results.tool in _OF_SERVICES)):
            return
        statement = Statement(value, "tool" if one.passed else "result", place, note, stale=bool(self.why))
        every = said.setdefault((element, row.fact), [])
        if not any(other.value == value for other in every):
            every.append(statement)

    def named(self, one: Finding) -> Iterator[tuple[str, Row]]:
        """Yield the elements that a finding is about, each with what its rule says."""
        rows = rows_of(self.results.tool, one.rule)
        if not rows:
            self.unmapped[one.rule or "a rule without a name"] += 1
        for row in rows:
            elements = [row.of] if row.of in PLANES else self.targets.of(one, row.of)
            if not elements and not one.passed:
                self.nowhere[f"{one.rule} ({quoted(one.file or one.resource)})"] += 1
            yield from ((element, row) for element in elements)

    def cleared(self, said: set[tuple[str, str]]) -> Iterator[tuple[str, Row]]:
        """Yield the functions in all of whose source no rule of a fact found anything, each with a planted fault."""
        if not self.reassures or self.results.unread:
            return
        planted = {
            row.rule
            for one in self.results.findings
            if self.opened.paths.get(one.file) == self.control
            for row in rows_of(self.results.tool, one.rule)
        }
        clearing = [row for row in table().get(self.results.tool, ()) if row.clear is not NOTHING]
        missed = {row.fact for row in clearing if row.rule not in planted}
        for row in {row.fact: row for row in clearing if row.fact not in missed}.values():
            yield from (
                (function, row)
                for function in self.targets.read_whole(self.results.read)
                if (function, row.fact) not in said and (function, row.fact) not in self.signs
            )

    def place(self, one: Finding) -> Place:
        """The line of the code, else the spot in the result."""
        path = self.opened.paths.get(one.file)
        return Place(shown_path(path), one.line) if path is not None else Place(self.opened.file, 1, 1, one.part)

    # --- what was read

    def read(self, statements: Statements) -> Read:
        """Return what a reader of the report should know of the result."""
        whole = Place(self.opened.file)
        unread = [
            (name or "a file", f"{why}; what it did not find there proves nothing", whole)
            for name, why in self.results.unread
        ]
        unread += [
            (name, f"names nothing that a file of the evidence deploys ({times})", whole)
            for name, times in self.nowhere.most_common(_MOST_NAMED)
        ]
        if self.control is None and self.results.tool not in _OF_SERVICES:
            why = "the run did not find the planted fault" if self.found.source.control else _NO_CONTROL
            name = self.found.source.control or "what was not found"
            unread.append((name, f"{why}, so that what it did not find proves nothing", whole))
        known = {element: f"{self.touched[element]} results of {self.results.tool}" for element in statements}
        return Read(
            file=self.opened.file,
            kind=self.found.source.kind,
            elements=known,
            unread=tuple(unread),
            left_open=tuple(one for key, one in self.signs.items() if key[1] not in statements.get(key[0], {})),
            notes=tuple(self.notes(whole)),
            stale=self.why,
        )

    def notes(self, place: Place) -> Iterator[Problem]:
        """Yield which rules the table lacks."""
        if self.unmapped:
            named = listed((f"{rule} ({times})" for rule, times in self.unmapped.most_common()), _MOST_NAMED)
            message = f"not mapped to a fact: {named} of {self.results.tool or 'an unknown tool'}"
            yield Problem(code=NOT_MAPPED, place=place, message=message)
