"""The pictures of a report: the whole system, and each group of functions that this draws as one."""

from __future__ import annotations

import os
from typing import NamedTuple

from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.priorities import risks
from threatmodel.reading.problems import Place, refusal
from threatmodel.render.draw import DrawError
from threatmodel.render.fitted import Wanted, fitted_to_each
from threatmodel.render.picture import Drawable
from threatmodel.render.placing import MOST_SHOWN


class Drawn(NamedTuple):
    """A diagram as SVG for paper and screens, and for phones ('' where none can be read there)."""

    picture: str = ""
    narrow_picture: str = ""


class Pictures(NamedTuple):
    """A diagram, and those of the groups in it by the functions of each."""

    whole: Drawn = Drawn()
    groups: tuple[tuple[tuple[str, ...], Drawn], ...] = ()


def pictures(assessment: Assessment, *, detailed: bool = True) -> Pictures:
    """Return the pictures of a report for paper and phones; `detailed`: those of groups too.  Raises InputError."""
    wanted = Wanted(marks=risks(assessment), named=False)
    try:
        whole, groups = _drawn(assessment.graph, wanted)
        shown = [group for group in groups if detailed and len(group) <= MOST_SHOWN]
        each = [_drawn(assessment.graph, wanted._replace(only=group))[0] for group in shown]
    except DrawError as error:
        raise refusal("cannot-draw", Place("svg", 0), str(error)) from None
    return Pictures(whole, tuple(zip(shown, each, strict=True)))


def _drawn(graph: Drawable, wanted: Wanted) -> tuple[Drawn, tuple[tuple[str, ...], ...]]:
    """A diagram, and the groups of functions that it draws as one, on paper or on a phone."""
    engine = os.environ.get("DOT", "")
    each = fitted_to_each(graph, ("a4", "phone"), wanted, engine=engine)
    wide = next(each)
    narrow = next(each) if wide.readable else None
    if narrow is None or not narrow.readable:
        return Drawn(wide.picture.decode()), wide.groups
    return Drawn(wide.picture.decode(), narrow.picture.decode()), tuple(dict.fromkeys((*wide.groups, *narrow.groups)))
