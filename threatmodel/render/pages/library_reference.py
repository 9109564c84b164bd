"""The reference of the library (docs/library/): a page a scenario and a mitigation, and indexes of these."""

from __future__ import annotations

from collections.abc import Iterator

from threatmodel.assessment.risk import Cell
from threatmodel.library.entries import BEYOND, MITIGATIONS, Control, Library, Numbered, Threat
from threatmodel.library.standards import Exclusions
from threatmodel.model.vocabulary import KINDS, Kind
from threatmodel.reading.grouping import grouped
from threatmodel.render.pages.library import Book, control_page, prose, threat_page
from threatmodel.render.report.article import mitigations_of
from threatmodel.render.report.words import counted
from threatmodel.render.text import markdown

_ELEMENTS = """\
# By element

The threats to each kind of element, the most severe first, and the controls of that kind. `python tm.py explain
threat@element` shows why a threat applies in a model.
"""
_TERMS = """\
# By industry term

The threats and controls behind the terms that reviewers, scanners and standards use. `python tm.py explain IDOR`
accepts the same terms.
"""


def by_element(book: Book) -> str:
    """Every kind of element with the threats to it and the controls of its scope."""
    return "\n".join([_ELEMENTS, *(line for kind in KINDS for line in _of_kind(kind, book))])


def _of_kind(kind: Kind, book: Book) -> Iterator[str]:
    threats = [threat for threat in book.library.threats.values() if kind in threat.targets]
    controls = [control for control in book.library.controls.values() if control.scope == kind]
    yield from (f"## {kind}", "")
    for threat in sorted(threats, key=lambda one: (-one.likelihood * one.impact, one.id)):
        cell = Cell(threat.likelihood, threat.impact)
        yield f"- {book.named(threat.id)} {prose(threat.title)}: {cell.score} {cell.band}"
    if not threats:
        yield "No threat targets it directly."
    yield from ("", "Controls:", "")
    for control in controls:
        yield f"- {book.named(control.id)} {prose(control.title)}"
    if not controls:
        yield "No control applies to it directly."
    yield ""


def by_term(book: Book) -> str:
    """Every alias with what it stands for, in the order of the alphabet."""
    entries: list[Threat | Control] = [*book.library.threats.values(), *book.library.controls.values()]
    found = grouped((alias, one.id) for one in entries for alias in one.aliases)
    words = sorted(found, key=lambda word: (word.casefold(), word))
    rows = (f"| {markdown(word)} | {', '.join(book.named(name) for name in found[word])} |" for word in words)
    return "\n".join([_TERMS, "| term | entries |", "| --- | --- |", *rows])


_INDEX = """\
# The library

{count}, ordered as in *{name}* ({source}). Generated from
`threatlib/` by `python3 dev.py docs`; `python tm.py explain ID` prints a single entry. Other indexes: by
element, such as a queue or an API ([elements.md](elements.md)), by industry term, such as IDOR ([terms.md](terms.md)),
and by public list, such as CWE, ATT&CK, OWASP and NIST ([standards.md](standards.md)).
"""
_MATRIX = """\
## Coverage of scenarios by mitigation

Each cell starts with what the article covers in our reading, because it has no such table. Its last mitigation refers
to AWS's own guides, and counts as partly where these are concrete. Then the cell has the number of threats of the
scenario that this library treats, and the number of controls.
"""
_STANDARDS = """\
# By public list

The threats and controls that cite each id. Every item of the lists of risks and techniques is cited by a threat, itself
or in part, or is out of scope with a reason.
"""


def reference(book: Book, coverage: Exclusions) -> dict[str, str]:
    """The pages by their file's name."""
    library = book.library
    pages = {
        "README.md": _index(library),
        "standards.md": _by_standard(book, coverage),
        "elements.md": by_element(book),
        "terms.md": by_term(book),
    }
    for group in (*library.article.scenarios, *_mitigations(library)):
        pages[f"{group.id}.md"] = _page(group, book)
    return {name: text.rstrip() + "\n" for name, text in pages.items()}


def _page(group: Numbered, book: Book) -> str:
    """Every threat of a scenario, or every control of a mitigation."""
    threats = [threat for threat in book.library.threats.values() if threat.scenario == group.id]
    controls = [control for control in book.library.controls.values() if control.mitigation == group.id]
    lines = [f"# {group.number}. {markdown(group.title)}", ""]
    lines += [f"> {prose(group.says)}", ""] if group.says else []
    lines += [f"The article leaves out {prose('; '.join(group.gaps))}.", ""] if group.gaps else []
    lines += [_item(threat.id, threat.title) for threat in threats]
    lines += [_item(control.id, control.title) for control in controls]
    entries = [threat_page(threat, book, 2) for threat in threats]
    entries += [control_page(control, book, 2) for control in controls]
    return "\n".join([*lines, "", *entries])


def _item(name: str, title: str, page: str = "") -> str:
    return f"- [{prose(title)}]({page}#{name})"


# --- the index


def _mitigations(library: Library) -> list[Numbered]:
    """The article's mitigations, and a group for what it lacks."""
    title = str(mitigations_of(library)[-1]["title"])
    beyond = Numbered(id=BEYOND, number=len(MITIGATIONS) + 1, title=title, says="", gaps=(), answers={})
    return [*library.article.mitigations, beyond]


def _index(library: Library) -> str:
    count = f"{counted(len(library.threats), 'threat')} and {counted(len(library.controls), 'control')}"
    name, source = markdown(library.article.name), markdown(library.article.source)
    lines = [_INDEX.format(count=count, name=name, source=source), "## Threats by scenario", ""]
    for scenario in library.article.scenarios:
        lines += [f"### {scenario.number}. [{markdown(scenario.title)}]({scenario.id}.md)", ""]
        for threat in library.threats.values():
            if threat.scenario == scenario.id:
                cell = Cell(threat.likelihood, threat.impact)
                lines.append(f"{_item(threat.id, threat.title, f'{scenario.id}.md')}: {cell.score} {cell.band}")
        lines.append("")
    lines += ["## Controls by mitigation", ""]
    for mitigation in _mitigations(library):
        lines += [f"### {mitigation.number}. [{markdown(mitigation.title)}]({mitigation.id}.md)", ""]
        for control in library.controls.values():
            if control.mitigation == mitigation.id:
                lines.append(_item(control.id, control.title, f"{mitigation.id}.md"))
        lines.append("")
    return "\n".join([*lines, *_matrix(library)])


def _matrix(library: Library) -> Iterator[str]:
    """The article's scenarios against its mitigations: what it says itself, and what this library links."""
    columns = _mitigations(library)
    yield _MATRIX
    yield f"| scenario | {' | '.join(markdown(column.title) for column in columns)} |"
    yield f"| --- | {' | '.join('---' for _ in columns)} |"
    for scenario in library.article.scenarios:
        cells = [_cell(scenario, column, library) for column in columns]
        yield f"| **{scenario.number}. {markdown(scenario.title)}** | {' | '.join(cells)} |"
    yield from ("", "What the article leaves out:", "")
    for scenario in library.article.scenarios:
        yield f"- **{markdown(scenario.title)}:** {prose('; '.join(scenario.gaps))}"


def _cell(scenario: Numbered, mitigation: Numbered, library: Library) -> str:
    controls: set[str] = set()
    threats = 0
    for threat in library.threats.values():
        linked = {link.control for link in threat.links if library.controls[link.control].mitigation == mitigation.id}
        if threat.scenario == scenario.id and linked:
            threats += 1
            controls |= linked
    ours = f"{counted(threats, 'threat')}, {counted(len(controls), 'control')}" if threats else "nothing"
    return f"{scenario.answers.get(mitigation.id, '—')}; {ours}"


# --- by public lists


def _by_standard(book: Book, coverage: Exclusions) -> str:
    """Each cited id with what cites it, and what of the lists of risks is out of scope."""
    lines = [_STANDARDS]
    for key, standard in book.standards.items():
        cited = _citing(key, book.library)
        lines += [f"## {markdown(standard.name)} {markdown(standard.edition)}", "", f"<{standard.source}>", ""]
        lines += ["| id | title | cited by |", "| --- | --- | --- |"]
        for name, title in standard.items.items():
            if name in cited:
                by = ", ".join(book.named(item) for item in cited[name])
                lines.append(f"| {name} | {markdown(title)} | {by} |")
        scopes = coverage.get(key, ())
        lines += ["", "Out of scope:", ""] if scopes else [""]
        for scope in scopes:
            lines.append(f"- {prose(scope.reason)}: {'; '.join(book.titled(key, name) for name in scope.ids)}")
        lines += [""] if scopes else []
    return "\n".join(lines)


def _citing(key: str, library: Library) -> dict[str, list[str]]:
    entries: list[Threat | Control] = [*library.threats.values(), *library.controls.values()]
    return grouped((name, one.id) for one in entries for name in one.maps.get(key, ()))
