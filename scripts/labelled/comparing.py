"""What a person says of a file, held against what was found in it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Literal, NamedTuple

from scripts.labelled.found import ASKED, IF_IT_APPLIES, OTHERS, Found
from scripts.labelled.labels import Caller, Label, Sign

SUBJECTS = ("functions", "routes", "flows", "secrets")
SAYS = {
    "proven": "+",
    "absent": "-",
    "ineffective": "-",
    "contradicted": "-",
    "not-applicable": "0",
    IF_IT_APPLIES: "-0",
}
"""What a state says for certain; word and questions leave a control to people."""
Verdict = Literal["right", "asked", "wrong", "false-proof"]
_STARTS = ">"


class Count(NamedTuple):
    """What was found of what is there: rightly, wrongly, and not at all; of that, where nothing says there is more."""

    right: tuple[str, ...]
    wrong: tuple[str, ...]
    missed: tuple[str, ...]
    denied: tuple[str, ...] = ()


class Judged(NamedTuple):
    """A judgment of the tool on a control or a route's caller: its subject, label and result, and the verdict."""

    what: str
    label: str
    found: str
    verdict: Verdict


class Compared(NamedTuple):
    """One file: counts by subject, the judgments on callers and controls, and why something differs."""

    name: str
    counts: Mapping[str, Count]
    callers: tuple[Judged, ...]
    controls: tuple[Judged, ...]
    why: Mapping[str, str]


def compared(label: Label, found: Found) -> Compared:
    """A label held against what was found."""
    counts = {one: counted(set(getattr(label, one)), set(getattr(found, one))) for one in SUBJECTS}
    flows = counts["flows"]
    denied = tuple(flow for flow in flows.missed if _list_of(flow) not in found.open)
    counts["flows"] = flows._replace(denied=denied)
    return Compared(label.name, counts, tuple(_callers(label, found)), tuple(_controls(label, found)), label.why)


def counted(expected: Collection[str], found: Collection[str]) -> Count:
    """Return what a label expects, compared with what was found."""
    there, seen = set(expected), set(found)
    return Count(tuple(sorted(there & seen)), tuple(sorted(seen - there)), tuple(sorted(there - seen)))


def _list_of(flow: str) -> tuple[str, str]:
    """Return the function and the list that a flow belongs to."""
    if f" {_STARTS} " in flow:
        return flow.rpartition(f" {_STARTS} ")[2], "triggers"
    function, name, _ = flow.split(" ", 2)
    return function, name


def _callers(label: Label, found: Found) -> Iterator[Judged]:
    for route, caller in label.routes.items():
        if route in found.routes:
            yield Judged(route, caller, found.routes[route], _caller(route, caller, found.routes[route]))


def _caller(route: str, caller: Caller, found: str) -> Verdict:
    """Whether it is known who calls a route: Slack sends POST alone, so that no other needs to be asked about."""
    stated = caller or ("" if route.split(" ", 1)[0] in {"POST", "ANY", "*"} else OTHERS)
    if found == ASKED:
        return "asked" if stated else "right"
    return "right" if found == stated else "wrong"


def _controls(label: Label, found: Found) -> Iterator[Judged]:
    for (control, resource), sign in sorted(label.controls.items()):
        state = found.states.get((control, resource), "no such element")
        yield Judged(f"{control} of {resource}", sign, state, control_verdict(sign, SAYS.get(state, "?")))


def control_verdict(sign: Sign, says: str) -> Verdict:
    """Return the verdict on a control: the worst is one that is wrongly called in place or not applicable."""
    if says == sign or (says == "-0" and sign == "-"):
        return "right"
    if says == "?" or sign in says:
        return "asked"
    return "false-proof" if says == "+" or (says == "0" and sign != "+") else "wrong"
