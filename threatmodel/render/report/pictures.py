"""The pictures of a report: the whole system, and each group of functions that this draws as one."""

from __future__ import annotations

import os
from typing import NamedTuple

from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.priorities import risks
from threatmodel.reading.problems import Place, refusal
from threatmodel.render.draw import DrawError
from threatmodel.render.fitted import Wanted, fitted

_MOST = 24
"""The functions of a group that has a picture: more could not be read in one."""


class Pictures(NamedTuple):
    """A diagram as SVG, and those of the groups in it by the functions of each."""

    whole: str = ""
    groups: tuple[tuple[tuple[str, ...], str], ...] = ()


def pictures(assessment: Assessment, *, detailed: bool = True) -> Pictures:
    """Return the pictures of a report for paper; `detailed`: those of groups too.  Raises InputError."""
    graph, engine = assessment.graph, os.environ.get("DOT", "")
    wanted = Wanted(marks=risks(assessment), named=False)
    try:
        whole = fitted(graph, "a4", wanted, engine=engine)
        groups = [group for group in whole.groups if detailed and len(group) <= _MOST]
        each = [fitted(graph, "a4", wanted._replace(only=group, full=True), engine=engine) for group in groups]
    except DrawError as error:
        raise refusal("cannot-draw", Place("svg", 0), str(error)) from None
    drawn = tuple((group, one.picture.decode()) for group, one in zip(groups, each, strict=True))
    return Pictures(whole.picture.decode(), drawn)
