"""The result of a probe as text for a terminal: what passed, what failed and what it means, and the facts decided."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from threatmodel.library.entries import Library
from threatmodel.model.facts import Statement, stated
from threatmodel.probe.cases import load_cases
from threatmodel.probe.deciding import LEVELS, Decision, Row
from threatmodel.probe.outcome_names import FAILED, NOT_RUN, PASSED, UNDECIDED
from threatmodel.probe.result import Result
from threatmodel.reading.problems import Place, visible
from threatmodel.reading.values import replace
from threatmodel.render.text import wrapped

WIDTH = 100
_WORDS = {PASSED: "pass", FAILED: "FAIL", UNDECIDED: "undecided", NOT_RUN: "not run"}
_OTHERS = {FAILED: "failed", UNDECIDED: "undecided", NOT_RUN: "not run"}
_COLUMN = max(len(word) for word in _WORDS.values())


def controls_shown(result: Result, library: Library) -> dict[str, bool]:
    """Return the controls that the decided facts alone show in place (true) or not in place (false), by id.

    A control counts as in place only where none that it requires is shown not to be.
    """
    place = Place(result.target)
    facts = {name: stated(Statement(value, "probe", place)) for name, value in result.decided.items()}
    found = {}
    for name, control in sorted(library.controls.items()):
        if control.in_place is not None and control.in_place.facts & set(facts):
            truth = control.in_place.truth(facts)
            if truth:
                found[name] = truth > 0
    denied = {name for name, proven in found.items() if not proven}
    return {
        name: proven for name, proven in found.items() if not (proven and denied & set(library.controls[name].requires))
    }


def exit_code(result: Result, *, strict: bool = False) -> int:
    """Return 0 if every required probe passed, 1 if one failed, 2 if one is undecided or the genuine one is rejected.

    A probe that cannot run here changes nothing; `strict` counts advised probes as well.
    """
    if _refused(result) is not None:
        return 2
    rows = [row for row in result.rows if strict or row.level == "required"]
    if any(row.outcome == FAILED for row in rows):
        return 1
    if any(row.outcome == UNDECIDED for row in rows):
        return 2
    ran = any(row.level == "required" and row.outcome == PASSED for row in rows)
    return 0 if ran else 2


def probed(result: Result, controls: Mapping[str, bool]) -> str:
    """Return the result as text of at most 100 columns.

    `controls` are those that the facts prove (true) or contradict (false).
    """
    whole, result = result, _shortened(result)
    lines = [*_head(result), ""]
    for level in LEVELS:
        rows = [row for row in result.rows if row.level == level]
        lines += [level, *(line for row in rows for line in _row(row)), ""]
    if result.facts:
        lines += ["facts", *(line for one in result.facts for line in _fact(one, result)), ""]
    if controls:
        lines += ["controls", *_controls(controls), ""]
    if _refused(whole) is not None:
        lines += [*_wrapped(_NOT_ACCEPTED, "", "  "), ""]
    lines += summary(whole)
    return "\n".join(visible(line).rstrip() for line in lines) + "\n"


_NOT_ACCEPTED = (
    "No genuine request was accepted, so that other rejections show nothing. Remove the reason above, or name a "
    "request that the handler accepts."
)


def _refused(result: Result) -> Row | None:
    """Return the row of the genuine request if it was rejected."""
    return next((row for row in result.rows if row.probe == "genuine" and row.outcome == FAILED), None)


def _shortened(result: Result) -> Result:
    """Return only what shows something where the genuine request was rejected: all else follows from that."""
    if _refused(result) is None:
        return result
    rows = tuple(row for row in result.rows if row.outcome == FAILED and (row.shows or row.probe == "genuine"))
    return replace(result, rows=rows, facts=tuple(one for one in result.facts if one.decided))


def summary(result: Result) -> list[str]:
    """Return a line for each level: ``advised probes: 3 of 5 passed, 1 failed, 1 not run``."""
    return [f"{level} probes: {_counts([row for row in result.rows if row.level == level])}" for level in LEVELS]


def _counts(rows: Sequence[Row]) -> str:
    """How many probes passed, and how many had each other outcome."""
    count = Counter(row.outcome for row in rows)
    rest = [f"{count[outcome]} {word}" for outcome, word in _OTHERS.items() if count[outcome]]
    return ", ".join([f"{count[PASSED]} of {len(rows)} passed", *rest])


def _head(result: Result) -> Iterator[str]:
    code = f", code {result.folder_sha256[:12]}" if result.folder_sha256 else ""
    yield from _wrapped(f"{result.target} ({result.kind}{code}), {result.when:%Y-%m-%d %H:%M:%S} UTC", "", "  ")
    seen = (
        "side effects and logs are visible"
        if result.sees_effects
        else "only responses are visible, no side effects and no logs"
    )
    yield from _wrapped(f"requests in the form of {result.shape}; {seen}", "", "  ")
    yield f"{result.requests:,} requests were sent" if result.requests != 1 else "1 request was sent"
    if result.branches is not None:
        yield f"{result.branches['reached']:,} branches were reached, {result.branches['both']:,} taken both ways"
    yield from _isolation(result)


def _isolation(result: Result) -> Iterator[str]:
    """What isolates the handler from this machine, after what does not."""
    held = [line.partition(":")[0] for line in result.isolation if line.endswith(": holds")]
    for line in result.isolation:
        if not line.endswith(": holds"):
            name, _, why = line.partition(": ")
            yield from _wrapped(f"NOT ISOLATED in its {name}: {why}", "", "  ")
    if held:
        yield from _wrapped(f"isolated in its {', '.join(held)}", "", "  ")


def _row(row: Row) -> Iterator[str]:
    head = f"  {_WORDS[row.outcome]:<{_COLUMN}}  "
    yield from _wrapped(f"{row.title} ({row.probe})", head, " " * len(head))
    because = "" if row.why in {row.back, f"it answered {row.back}"} else row.why
    texts = [("because", row.why)]
    if row.outcome == FAILED:
        texts = [("sent", row.sent), ("received", row.back), ("because", because), ("meaning", row.failure)]
    for label, text in texts:
        if text:
            begin = f"{' ' * len(head)}{label + ':':<11}"
            yield from _wrapped(text, begin, " " * len(begin))


def _fact(one: Decision, result: Result) -> Iterator[str]:
    value = json.dumps(one.value) if one.decided else "undecided"
    said = [f"{one.passed} of {one.of} probes passed", one.note, result.not_tried.get(one.fact, "")]
    text = f"{one.fact}: {value} ({'; '.join(filter(None, said))})"
    yield from _wrapped(text, "  ", "      ")


def _controls(controls: Mapping[str, bool]) -> Iterator[str]:
    for proven, label in ((True, "proven"), (False, "contradicted")):
        names = sorted(name for name, value in controls.items() if value is proven)
        if names:
            yield from _wrapped(f"{label}: {', '.join(names)}", "  ", "      ")


def _wrapped(text: str, first: str, rest: str) -> list[str]:
    """A text in lines of the width; a longer word is cut."""
    return wrapped(text, WIDTH, first, rest) or [first]


def table() -> str:
    """Return what each probe asks, as a Markdown table for docs/probe.md."""
    lines = ["| probe | level | asks that | decides |", "| --- | --- | --- | --- |"]
    for case in load_cases():
        decides = ", ".join(f"`{fact}`" for fact in case.decides)
        lines.append(f"| `{case.id}` | {case.level} | {case.title[0].lower()}{case.title[1:]} | {decides} |")
    return "\n".join(lines) + "\n"
