"""Questions one thing at a time: their text, the answers that are allowed, and how an answer is written."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from threatmodel.assessment.assessed import DONE, Assessment, Question
from threatmodel.assessment.risk import BANDS
from threatmodel.authoring import routes
from threatmodel.authoring.answers import Edit, NotAnAnswerError, Said
from threatmodel.authoring.insertion import scalar
from threatmodel.authoring.surfaces import granted, surface
from threatmodel.graph.building import Element, Flow
from threatmodel.model.file import SECTIONS
from threatmodel.model.longest import YEAR
from threatmodel.model.vocabulary import FACTS, PLANES, RELATIONS, FactRow
from threatmodel.reading.problems import listed, suggestion
from threatmodel.reading.shape import Flag, Number, Word
from threatmodel.reading.values import dataclass

_SECTION_OF = {kind: section for section, kind in SECTIONS.items()}
_YES = frozenset({"y", "yes", "true"})
_NO = frozenset({"n", "no", "false"})
_NONE = frozenset({"none", "null", "never"})


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to ask: a fact, a list, a description or an attestation of one element; the callers of all open routes.

    `kind`, `of` and `name` are as for an `Ask`; `rest`: of a list, whether there is more in it than is known.
    """

    question: Question
    kind: str
    of: str
    element: str
    name: str
    rest: bool = False

    @property
    def id(self) -> str:
        """Return its name in `--set` and comments: ``order-bot.verifies_signature``, ``code-signing@order-bot``."""
        if self.kind == "caller":
            return self.name
        return f"{self.name}@{self.element}" if self.kind == "attest" else f"{self.element}.{self.name}"

    @property
    def score(self) -> int:
        """Return the worst score of the findings that depend on it; 0 where an answer changes no risk."""
        if self.kind == "public":
            return 0
        name = self.element if self.kind == "describe" else self.name
        return dict(self.question.scores).get(name, self.question.score)

    @property
    def row(self) -> FactRow:
        """Return the fact that is asked for."""
        return FACTS[self.of][self.name]


def items(assessment: Assessment) -> Iterator[Item]:
    """Yield everything that is not answered, one thing at a time, in the order of the questions.

    What one source answers is together, where the first of it is.
    """
    sources = list(dict.fromkeys(question.source for question in assessment.questions))
    for question in sorted(assessment.questions, key=lambda one: sources.index(one.source)):
        if question.kind == "caller":
            yield Item(question, "caller", question.of, "", question.name)
            continue
        for element in question.elements:
            yield from _items_of(question, element, assessment)


def _items_of(question: Question, element: str, assessment: Assessment) -> Iterator[Item]:
    graph = assessment.graph
    match question.kind:
        case "fact":
            facts = _target(assessment, element).facts
            for name in question.facts:
                if name not in facts or not facts[name].size:
                    yield Item(question, "fact", question.of, element, name)
        case "relation":
            for row in RELATIONS[question.of].values():
                if row.topic == question.name:
                    members = graph.lists[element].get(row.name)
                    if members is None or not members.size:
                        rest = members is not None and bool(members.known)
                        yield Item(question, "relation", question.of, element, row.name, rest)
        case "describe":
            yield Item(question, "describe", element, element, "name")
        case _:
            yield Item(question, question.kind, question.of, element, question.name)


def _target(assessment: Assessment, name: str) -> Element | Flow:
    return assessment.graph.elements.get(name) or assessment.graph.flows[name]


def expected(item: Item) -> str:
    """Return the allowed answers, in a few words."""
    match item.kind:
        case "fact":
            shape = item.row.shape
            none = ", none" if item.row.nullable else ""
            if isinstance(shape, Flag):
                return f"y, n{none}"
            if isinstance(shape, Number):
                return f"a number from {shape.low} to {shape.high}{none}"
            return f"{', '.join(shape.words[:12])}{', ...' if len(shape.words) > 12 else ''}{none}"  # noqa: PLR2004 - a line's worth
        case "relation" if item.rest:
            return "n (nothing else; add what is missing by hand)"
        case "relation" if item.name == "triggers":
            return "a list such as [{slack: slash-command}], [{schedule: rate(1 day)}]; none"
        case "relation":
            return "ids separated by commas; none"
        case "describe":
            return "its name; y for a plain one"
        case "public":
            return "the reason why public access is intended; n if it is not"
        case "caller":
            return "such as 1 slash-command, 2-3 events, rest others; n for none of them"
        case _:
            return "y (you attest it), or the date by which it will be in place"


def meaning(item: Item, assessment: Assessment) -> str:
    """Return the explanation of what is asked, in one sentence."""
    match item.kind:
        case "public":
            return "it does not authenticate its callers; the answer changes the actions, not the risk"
        case "caller":
            return "a number, a path or a function, then its caller: slash-command, interactivity, events or others"
        case "fact":
            return f"{item.name}: {item.row.meaning}{hinted(item)}"
        case "relation":
            row = RELATIONS[item.of][item.name]
            return f"{item.name}: {row.meaning}" + (" (some are known: is anything missing?)" if item.rest else "")
        case "describe":
            return f"no file describes the {item.element}; start with its name, and its facts are asked next"
        case _:
            control = assessment.library.controls[item.name]
            return f"{control.title}: attestation needed, because no tool can see this"


def hinted(item: Item) -> str:
    """Return what the name of an element hints at, as the end of a line, or ''."""
    hint = granted(item.element) if item.name == "grants" else ""
    return f"; its name suggests {hint}" if hint else ""


def edits(item: Item, answer: str, who: str, today: datetime.date, assessment: Assessment) -> list[Edit | Said]:
    """Return the edits that an answer makes. Raises NotAnAnswerError where it is not an allowed answer."""
    given = answer.strip()
    path = path_of(item)
    match item.kind:
        case "caller":
            found = routes.open_routes(assessment)
            return list(routes.written(found, routes.answers(found, given), assessment.graph))
        case "fact":
            return [Edit(path, item.name, _fact(item.row, given))]
        case "relation" if item.rest:
            if given.lower() not in _NO | _NONE:
                raise NotAnAnswerError("expected n for no others; add what is missing by hand")
            return [Edit(path, item.name, closes=True)]
        case "relation":
            return [Edit(path, item.name, _list(item, given))]
        case "public":
            return _public(path, given)
        case "describe":
            if not given:
                raise NotAnAnswerError("expected a name")
            name = item.element.capitalize() if given.lower() in _YES else given
            return [Edit(path, "name", scalar(name, flow=False))]
        case _:
            return [Edit(("controls",), item.id, _statement(given, who, today))]


def path_of(item: Item) -> tuple[str, ...]:
    """Return the keys that lead to an element in a model file."""
    if item.kind == "caller":
        return ("functions",)
    if item.kind == "attest":
        return ("controls",)
    if item.of in PLANES:
        return (item.element,)
    return ("flows" if item.of == "flow" else _SECTION_OF[item.of], item.element)  # type: ignore[index]


def _fact(row: FactRow, given: str) -> str:
    """Return the value of a fact as YAML."""
    word = given.lower()
    shape = row.shape
    if isinstance(shape, Word) and shape.takes(given):
        return scalar(given)
    if row.nullable and word in _NONE:
        return "null"
    match shape:
        case Flag():
            if word in _YES | _NO:
                return "true" if word in _YES else "false"
            raise NotAnAnswerError("expected y or n")
        case Number(low, high):
            if word.isascii() and word.isdigit() and low <= int(word[:20]) <= high:
                return str(int(word))
            raise NotAnAnswerError(f"expected a whole number from {low} to {high}")
        case Word(words):
            hint = suggestion(given, words)
            raise NotAnAnswerError(f"expected one of {listed(words)}{'; ' + hint if hint else ''}")


def _public(path: tuple[str, ...], given: str) -> list[Edit | Said]:
    """Return whether public access is intended, with the reason."""
    if given.lower() in _NO:
        return [Edit(path, "public", "unintended")]
    if not given or given.lower() in _YES:
        raise NotAnAnswerError("expected the reason why public access is intended, or n if it is not")
    return [Edit(path, "public", "intended"), Edit(path, "public_reason", scalar(given))]


def _list(item: Item, given: str) -> str:
    """Return the members of a list as YAML."""
    if given.lower() in _NONE or given == "[]":
        return "[]"
    if not given:
        raise NotAnAnswerError("expected ids, or none")
    if item.name == "triggers" or given.startswith("["):
        return given if given.startswith("[") else f"[{given}]"
    return f"[{', '.join(scalar(name.strip()) for name in given.split(',') if name.strip())}]"


def _statement(given: str, who: str, today: datetime.date) -> str:
    """Return an attestation from today for a year, or a plan, as YAML."""
    if given.lower() in _YES:
        until = today + datetime.timedelta(days=YEAR)
        return f"{{attested_by: {scalar(who)}, on: {today}, expires: {until}}}"
    try:
        planned = datetime.date.fromisoformat(given)
    except ValueError:
        raise NotAnAnswerError("expected y, or the date by which it will be in place, such as 2027-03-31") from None
    return f"{{planned_for: {planned}}}"


# --- what depends on an answer


def consequences(before: Assessment, after: Assessment, question: Question) -> str:
    """Return the effect of an answer in words: findings that it settles, that need work then, and that stay open."""
    old = {finding.id: finding for finding in before.findings}
    new = {finding.id: finding for finding in after.findings}
    waiting = {name for name, finding in new.items() if finding.verdict == "undetermined"}
    settled = [
        name
        for name, finding in old.items()
        if finding.verdict == "undetermined" and (name not in new or new[name].verdict in DONE)
    ]
    needing = [
        finding
        for name, finding in new.items()
        if finding.verdict in {"open", "reduced"} and (name not in old or old[name].verdict not in {"open", "reduced"})
    ]
    still = [name for name in question.decides if name in waiting]
    parts = []
    if settled:
        parts.append(f"settles {len(settled)} finding{'' if len(settled) == 1 else 's'}")
    if needing:
        worst = max((finding.claimed.band for finding in needing), key=BANDS.index)
        parts.append(f"{len(needing)} need{'s' if len(needing) == 1 else ''} work (up to {worst})")
    if still:
        parts.append(f"{len(still)} still depend{'s' if len(still) == 1 else ''} on other answers")
    return ", ".join(parts) or "changes nothing yet"


def asked(item: Item) -> str:
    """Return the question about one thing where its group has more than one fact, else ''."""
    return item.row.ask if item.kind == "fact" and len(item.question.facts) > 1 else ""


def numbered(assessment: Assessment) -> list[str]:
    """Return the routes whose callers are not stated, one a line, with the hints of their paths."""
    found = routes.open_routes(assessment)
    names = [(f"{at}", one.shown, one.function) for at, one in enumerate(found, 1)]
    widths = [max(map(len, column)) for column in zip(*names, strict=True)]
    return [
        f"{number:>{widths[0]}}  {shown:<{widths[1]}}  {function:<{widths[2]}}  {one.trigger.place.short}{_hint(one)}"
        for (number, shown, function), one in zip(names, found, strict=True)
    ]


def _hint(route: routes.Route) -> str:
    hinted = surface(route.trigger.path)
    return f"  its path suggests {hinted}" if hinted else ""
