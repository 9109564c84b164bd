"""The report: an assessment rendered by a template, as Markdown, as one HTML page, or by a template of the user."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from threatmodel.assessment.assessed import Assessment
from threatmodel.reading.problems import refusal, visible
from threatmodel.render.picture import name_of
from threatmodel.render.report.context import cleaned_at, context
from threatmodel.render.report.words import OnDemand, Plain
from threatmodel.render.templates import Format, format_of, render_own, render_users
from threatmodel.render.text import markdown

if TYPE_CHECKING:
    from threatmodel.render.report.pictures import Drawn, Pictures

OWN = {
    "md": "report.md.j2",
    "html": "report.html.j2",
    "brief": "brief.html.j2",
    "pdf": "pdf.html.j2",
    "full": "full.html.j2",
    "full.md": "full.md.j2",
}
"""The templates that have a short name: the report in both formats and for PDF, its first page, and all details."""

DETAILED = frozenset({"html", "pdf"})
"""Those with a picture of each group of functions."""


def report(
    assessment: Assessment,
    template: str = "md",
    drawn: Pictures | None = None,
    picture_file: str = "",
    baseline: str = "",
) -> str:
    """Return the report of a template: a name of `OWN`, or the path of a template.

    `drawn` are the diagrams, shown where a template makes HTML.  `picture_file` is its file beside the report,
    which Markdown links.  `baseline` is the comparison with a baseline.  Raises InputError where a user's template
    fails.
    """
    kind = format_of(OWN.get(template, template))
    picture, groups = _pictures(drawn, assessment) if drawn is not None and kind == "html" else (NONE, [])
    found = escaped(context(assessment, picture_file=picture_file, baseline=baseline), kind, picture, groups)
    if template in OWN:
        return render_own(OWN[template], found)
    return render_users(Path(template), found)


_WRITER = re.compile(r"Written by threatmodel \S+ from (?:<code>|`)([^<`]+)")
_NAME = re.compile(r"<title>Threat model: ([^<]*)</title>|^# Threat model: (.*)$", re.MULTILINE)
_MOST_READ = 50_000_000


def written_for(path: Path) -> tuple[str, str] | None:
    """The model's file and name that a report was made from, if the file holds a report."""
    try:
        text = path.read_bytes()[:_MOST_READ].decode(errors="replace")
    except OSError:
        return None
    writer, name = _WRITER.search(text), _NAME.search(text)
    if writer is None or name is None:
        return None
    plain = html.unescape if name.group(1) is not None else lambda found: re.sub(r"\\(.)", r"\1", found)
    return plain(writer.group(1)), plain(name.group(1) if name.group(1) is not None else name.group(2))


Page = Mapping[str, str]
"""What a page shows of a diagram: the SVG for paper and screens, and for phones ('' for none)."""

NONE: Page = {"picture": "", "narrow_picture": ""}


def _pictures(drawn: Pictures, assessment: Assessment) -> tuple[Page, list[Page]]:
    """Return the diagram for a page, and that of each group with the box that stands for it and its functions."""
    from threatmodel.render.draw import DrawError, inline_svg
    from threatmodel.render.labels import node

    system = assessment.graph.system
    firsts = [group[0] for group, _ in drawn.groups]

    def page(one: Drawn, title: str) -> Page:
        narrow = inline_svg(one.narrow_picture, title) if one.narrow_picture else ""
        return {"picture": inline_svg(one.picture, title), "narrow_picture": narrow}

    try:
        whole = page(drawn.whole, _seen(f"Data-flow diagram of {system.name}"))
        groups: list[Page] = [
            {
                "box": node(group[0]) + ("-narrow" if group[0] in firsts[:at] else ""),
                "number": str(len(group)),
                "names": _seen(", ".join(name_of(assessment.graph, one) for one in group)),
                **page(one, f"Data-flow diagram of {len(group)} functions from {_seen(group[0])}"),
            }
            for at, (group, one) in enumerate(drawn.groups)
        ]
    except DrawError as error:
        raise refusal("cannot-draw", system.file, str(error)) from None
    return whole, groups


def escaped(found: Mapping[str, Plain], kind: Format, picture: Page = NONE, groups: Sequence[Page] = ()) -> OnDemand:
    """A context whose every string is safe in what a template makes of it; in HTML the template's own escaping adds.

    `picture`, `narrow_picture`, and those of each of `groups`, are what a template inserts as it is.
    """
    clean = _Cleaned(markdown if kind == "markdown" else _seen)
    sections = {name: partial(cleaned_at, found, name, clean) for name in found}
    drawn = {name: partial(picture.__getitem__, name) for name in picture}
    return OnDemand({**sections, **drawn, "groups": lambda: list(groups)})


class _Cleaned(dict[str, str]):
    """Strings and their cleaned texts, each computed once."""

    def __init__(self, clean: Callable[[str], str]) -> None:
        self._clean = clean

    def __missing__(self, text: str) -> str:
        found = self[text] = self._clean(text)
        return found


_SPLIT = re.compile(r"([\n\t]+)")


def _seen(text: str) -> str:
    """Text with invisible characters spelled out; line breaks and tabs stay."""
    if text.isprintable():
        return visible(text)
    return "".join(visible(part) if index % 2 == 0 else part for index, part in enumerate(_SPLIT.split(text)))
