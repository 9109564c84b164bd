"""A threat or a control of the library as Markdown, with everything that links to it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from threatmodel.assessment.risk import Cell
from threatmodel.library.entries import EFFECTS, Control, ControlLink, Library, Threat
from threatmodel.library.standards import Standard
from threatmodel.model.vocabulary import FACTS
from threatmodel.reading.problems import article
from threatmodel.reading.values import dataclass
from threatmodel.render.text import markdown, markdown_code, one_line

_HOW = {"cloudformation": ("CloudFormation", "yaml"), "terraform": ("Terraform", "hcl"), "code": ("Code", "")}


@dataclass(frozen=True, slots=True)
class Book:
    """What pages draw on: a library, the public lists by key, and whether ids are links between pages."""

    library: Library
    standards: Mapping[str, Standard]
    pages: bool

    def named(self, name: str) -> str:
        """An id, as a link to the page of its scenario or mitigation where there are pages."""
        if not self.pages:
            return f"`{name}`"
        threat = self.library.threats.get(name)
        page = threat.scenario if threat is not None else self.library.controls[name].mitigation
        return f"[`{name}`]({page}.md#{name})"

    def titled(self, key: str, name: str) -> str:
        """An id of a public list with its title."""
        standard = self.standards.get(key)
        title = standard.items.get(name, "") if standard is not None else ""
        return f"{name} {markdown(title)}" if title else name


def threat_page(threat: Threat, book: Book, level: int = 1) -> str:
    """A threat: when it applies, why, what answers it, where public lists have it.  `level` is its heading's."""
    cell = Cell(threat.likelihood, threat.impact)
    risk = f"likelihood {cell.likelihood}, impact {cell.impact}: {cell.score} {cell.band}"
    lines = [
        *_head(level, threat.id, threat.title),
        f"`{threat.id}` · {threat.scenario} · {', '.join(threat.stride)} · {risk}",
        "",
        *_aliases(threat.aliases),
        *_exposed(threat),
        *_moves(threat),
        *([f"- First: {threat.do}"] if threat.do else []),
        *([f"- Reaches {article(threat.reaches)} through it"] if threat.reaches else []),
        *(["- Only the provider can treat it"] if threat.by_provider else []),
        "",
        prose(threat.why),
        "",
        *_answers(threat, book, level),
        *_sources(threat.maps, threat.references, book),
    ]
    return "\n".join(lines) + "\n"


def control_page(control: Control, book: Book, level: int = 1) -> str:
    """A control: when it is in place, what it rests on and answers, how to put it there."""
    about = (
        control.mitigation,
        control.kind,
        f"applies to {article(control.scope)}",
        f"suggested owner: {markdown(control.owner)}",
    )
    lines = [
        *_head(level, control.id, control.title),
        f"`{control.id}` · {' · '.join(about)}",
        "",
        f"**{prose(control.do)}.**",
        "",
        *_aliases(control.aliases),
        *_when(control),
        *(f"- Requires {book.named(name)}" for name in control.requires),
        *(f"- {book.named(c.id)} requires it" for c in book.library.controls.values() if control.id in c.requires),
        "",
        prose(control.why),
        "",
        *_answered(control, book, level),
        *_weaker(control, level),
        *_how(control, level),
        *_sources(control.maps, control.references, book),
    ]
    return "\n".join(lines) + "\n"


def prose(text: str) -> str:
    """Return a sentence of the library, escaped, with text between backticks as code."""
    return markdown_code(markdown(text))


def _head(level: int, name: str, title: str) -> list[str]:
    anchor = [f'<a id="{name}"></a>', ""] if level > 1 else []
    return [*anchor, f"{'#' * level} {prose(title)}", ""]


def _exposed(threat: Threat) -> Iterator[str]:
    """What an element is exposed by, or why all are."""
    for kind, condition in threat.applies.items():
        if threat.everywhere:
            yield f"- Applies to every {kind}, because {prose(threat.everywhere)}"
        else:
            yield f"- Applies to {article(kind)} where `{condition.text}`"


def _moves(threat: Threat) -> Iterator[str]:
    """What moves its likelihood or impact for an element."""
    for move in (*threat.raises, *threat.lowers):
        axes = (("likelihood", move.likelihood), ("impact", move.impact))
        now = " and ".join(f"{axis} {value}" for axis, value in axes if value is not None)
        when = " or ".join(dict.fromkeys(f"`{condition.text}`" for condition in move.conditions.values()))
        yield f"- Has {now} where {when}: {prose(move.because)}"


def _aliases(aliases: Sequence[str]) -> list[str]:
    return [f"- Also known as: {', '.join(map(markdown, aliases))}"] if aliases else []


def _when(control: Control) -> Iterator[str]:
    """What decides whether it is in place and whether it makes sense, with the facts in words."""
    if control.in_place is None:
        yield "- Attestation needed: no tool can see whether it is in place. Attest it under `controls:` of a model"
    else:
        yield f"- In place where `{control.in_place.text}`"
    for need in control.needs:
        yield f"- Applicable where `{need.condition.text}`; otherwise: {prose(need.reason)}"
    conditions = [need.condition for need in control.needs] + ([control.in_place] if control.in_place else [])
    for name in dict.fromkeys(fact for condition in conditions for fact in sorted(condition.facts)):
        row = FACTS[control.scope][name]
        seen = f"; seen by: {', '.join(row.seen_by)}" if row.seen_by else ""
        yield f"- `{name}` ({row.type}): {prose(row.meaning)}{seen}"


def _answers(threat: Threat, book: Book, level: int) -> Iterator[str]:
    links = [(link, book.library.controls[link.control].title, link.control) for link in threat.links]
    yield from _linked(links, f"{'#' * (level + 1)} Controls that treat it", book)


def _answered(control: Control, book: Book, level: int) -> Iterator[str]:
    threats = book.library.threats.values()
    links = [(link, t.title, t.id) for t in threats for link in t.links if link.control == control.id]
    yield from _linked(links, f"{'#' * (level + 1)} Threats that it treats", book)


def _linked(links: Sequence[tuple[ControlLink, str, str]], heading: str, book: Book) -> Iterator[str]:
    """Links, the strongest effects first."""
    if links:
        yield from (heading, "")
        for link, title, name in sorted(links, key=lambda item: EFFECTS.index(item[0].effect)):
            because = f" ({prose(link.because)})" if link.because else ""
            where = f", if `{next(iter(link.conditions.values())).text}`" if link.conditions else ""
            looked_at = f". Looked at: {prose(link.looks_at)}" if link.looks_at else ""
            yield f"- **{link.effect}**{because}{where}: {prose(title)} {book.named(name)}{looked_at}"
        yield ""


def _weaker(control: Control, level: int) -> Iterator[str]:
    """What looks like it and is not."""
    if control.weaker:
        yield from (f"{'#' * (level + 1)} What does not count", "")
        yield from (f"- {prose(one.says)}" for one in control.weaker)
        yield ""


def _how(control: Control, level: int) -> Iterator[str]:
    yield from (f"{'#' * (level + 1)} How to implement it", "", prose(control.how["summary"]), "")
    for name, (title, language) in _HOW.items():
        if name in control.how:
            yield from (f"{title}:", "", *_fenced(control.how[name], language), "")
    if "console" in control.how:
        yield from (f"Console: {prose(control.how['console'])}", "")


def _fenced(text: str, language: str) -> list[str]:
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}{language}", *(one_line(line) for line in text.splitlines()), fence]


def _sources(maps: Mapping[str, Sequence[str]], urls: Iterable[str], book: Book) -> Iterator[str]:
    """Where public lists have it, and what to read."""
    for key, ids in maps.items():
        standard = book.standards.get(key)
        name = f"{standard.name} {standard.edition}" if standard is not None else key
        yield f"- {markdown(name)}: {'; '.join(book.titled(key, item) for item in ids)}"
    yield from (f"- <{one_line(url)}>" for url in urls)
