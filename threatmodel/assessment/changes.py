"""What differs between two assessments, in words of the model: what was lost first.

Both sides are the JSON of `tm --json`, so that a saved file can be held against a model; order and layout play no part.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from threatmodel.assessment.assessed import PLACES, VERDICTS
from threatmodel.assessment.control_state import shown_value
from threatmodel.assessment.regressions import Change, Regression, regressions
from threatmodel.assessment.risk import BANDS
from threatmodel.reading.values import dataclass

_BEST = ("proven", "attested", "claimed", "planned", "unknown", "lapsed", "ineffective", "absent", "contradicted")
_GOOD = frozenset({"proven", "attested", "claimed"})

Part = Literal[
    "lost_controls",
    "lost_proofs",
    "evidence",
    "edited",
    "word",
    "crossings",
    "rules",
    "settings",
    "findings",
    "elements",
    "flows",
    "facts",
    "controls",
]
"""What differences are of, in the order in which they are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """All differences by what they are of; `causes` explain them, `counts` are those of both sides."""

    before: str
    after: str
    causes: tuple[Regression, ...]
    parts: Mapping[Part, Sequence[Change]]
    counts: tuple[tuple[str, str, int, int], ...]

    @property
    def number(self) -> int:
        """How many differences there are."""
        return sum(map(len, self.parts.values()))


Assessed = Mapping[str, Any]


def changes(before: Assessed, after: Assessed) -> Changes:
    """Return what differs between two assessments as JSON that are `comparable`."""
    moved = list(_control_changes(_states(before), _states(after), _ids(after)))
    lost = [one for one in moved if one.before in _GOOD and one.after not in _GOOD]
    unproven = [one for one in moved if one.before == "proven" and one not in lost]
    findings, facts = tuple(_findings(before, after)), tuple(_facts(before, after))
    parts: dict[Part, Iterable[Change]] = {
        "lost_controls": lost,
        "lost_proofs": unproven,
        "evidence": (*_swapped(before, after), *_evidence(before, after)),
        "edited": (one for one in _compared("file", _texts(before), _texts(after)) if one.how == "changed"),
        "word": (one for one in _compared("word", _relied_on(before), _relied_on(after)) if one.how != "changed"),
        "crossings": _crossings(before, after),
        "rules": _rules(before, after),
        "settings": _settings(before, after),
        "findings": findings,
        "elements": _compared("element", _words(before, "elements", _element), _words(after, "elements", _element)),
        "flows": _compared("flow", _words(before, "flows", _flow), _words(after, "flows", _flow)),
        "facts": facts,
        "controls": (one for one in moved if one not in lost and one not in unproven),
    }
    return Changes(
        before=_name(before),
        after=_name(after),
        causes=regressions(facts, findings, after),
        parts={name: tuple(found) for name, found in parts.items()},
        counts=tuple(_counts(before, after)),
    )


def _name(side: Assessed) -> str:
    model = side["model"]
    return f"{model['name']} ({model['revision']})"


def _by_id(side: Assessed, part: str) -> Mapping[str, Mapping[str, Any]]:
    return {one["id"]: one for one in side[part]}


def _ids(side: Assessed) -> frozenset[str]:
    return frozenset([*_by_id(side, "elements"), *_by_id(side, "flows")])


def _place(one: Mapping[str, Any]) -> str:
    location = one.get("mend_at") or one.get("location")  # 1.x had a separate key for the cause's place
    return f"{location['file']}:{location['line']}" if location else ""


_Words = Mapping[str, tuple[str, str]]
"""Things of one kind by name: what each is in words, and its place."""


def _words(side: Assessed, part: str, describe: Callable[[Mapping[str, Any]], str]) -> _Words:
    return {one["id"]: (describe(one), _place(one)) for one in side.get(part, ())}


def _compared(kind: str, before: _Words, after: _Words) -> Iterator[Change]:
    """What is added among things of one kind, then what is removed, then what is described otherwise."""
    both = before.keys() & after.keys()
    changed = {name for name in both if before[name][0] != after[name][0]}
    for how, names in (("added", after.keys() - both), ("removed", before.keys() - both), ("changed", changed)):
        for name in sorted(names):
            (was, _), (now, _) = before.get(name, ("", "")), after.get(name, ("", ""))
            place = (after if name in after else before)[name][1]
            yield Change(how=how, kind=kind, name=name, before=was, after=now, place=place)


# --- controls


def _states(side: Assessed) -> Mapping[str, str]:
    """The state of each control on each element that a finding rests on: the best known where there are several."""
    found: dict[str, str] = {}
    for control in side["controls"]:
        for state in control["states"]:
            name = f"{control['id']}@{state['element']}"
            if state["state"] in _BEST:
                kept = found.get(name, state["state"])
                found[name] = min(kept, state["state"], key=_BEST.index)
    return found


def _control_changes(before: Mapping[str, str], after: Mapping[str, str], there: frozenset[str]) -> Iterator[Change]:
    """The controls whose state differs, worst first; those of an element that is gone went with it."""
    moved = []
    for name in sorted(before.keys() & after.keys()):
        if before[name] != after[name]:
            worse = _BEST.index(after[name]) > _BEST.index(before[name])
            how = "worse" if worse else "better"
            moved.append(Change(how=how, kind="control", name=name, before=before[name], after=after[name]))
    for name in sorted(before.keys() - after.keys()):
        if before[name] in _GOOD and name.partition("@")[2] in there:
            gone = "no longer counts"
            moved.append(Change(how="changed", kind="control", name=name, before=before[name], after=gone))
    yield from sorted(moved, key=lambda one: (one.how != "worse", one.name))


# --- evidence and word


def _evidence(before: Assessed, after: Assessed) -> Iterator[Change]:
    """The elements that fewer or more files of a kind of evidence show, what is gone first."""
    old, new = _shown_by(before), _shown_by(after)
    there = _ids(after)
    gone = [(name, old[name], new[name]) for name in sorted(old) if new[name] < old[name] and name[1] in there]
    come = [(name, old[name], new[name]) for name in sorted(new) if new[name] > old[name]]
    for how, moved in (("removed", gone), ("added", come)):
        for (kind, element), was, now in moved:
            counts = (f"{was} files", f"{now} files") if was and now else ("", "")
            yield Change(how=how, kind="evidence", name=f"{kind} of {element}", before=counts[0], after=counts[1])


def _swapped(before: Assessed, after: Assessed) -> Iterator[Change]:
    """The elements that another file, resource or choice shows now, of a kind of evidence that showed them before."""
    old, new = _showings(before), _showings(after)
    for kind, element in sorted(old.keys() & new.keys()):
        was, now = old[kind, element], new[kind, element]
        if was and now and not now <= was:
            yield Change(
                how="worse",
                kind="evidence",
                name=f"{kind} of {element}",
                before=", ".join(sorted(was - now) or sorted(was)),
                after=", ".join(sorted(now - was)),
            )


def _showings(side: Assessed) -> Mapping[tuple[str, str], set[str]]:
    """What shows each element: resource, file and what is chosen for it.  Empty where an older version wrote it."""
    found: dict[tuple[str, str], set[str]] = {}
    for one in side.get("evidence", ()):
        if path := one.get("path"):
            chosen = ", ".join(f"{key} {value}" for key, value in sorted(one.get("chosen", {}).items()))
            for element, resource in one["elements"].items():
                shown = f"{resource} in {path}{f' with {chosen}' if chosen else ''}"
                found.setdefault((one["kind"], element), set()).add(shown)
    return found


def _texts(side: Assessed) -> _Words:
    """The digest of each file of evidence, as far as a digest is shown."""
    files = (one for one in side.get("evidence", ()) if "path" in one and "sha256" in one)
    return {one["path"]: (one["sha256"][:12], "") for one in files}


_STATED = frozenset({"ruled-out-by-claim", "lowered-by-claim", "not-stated"})
"""What follows from the facts of a model, which are reported separately where they change."""


def _shown_by(side: Assessed) -> Counter[tuple[str, str]]:
    """How many files of a kind show an element."""
    return Counter((one["kind"], element) for one in side.get("evidence", ()) for element in one["elements"])


def _relied_on(side: Assessed) -> _Words:
    """What decisions take out, with the authors."""
    decided = (one for one in side.get("reliances", ()) if one["kind"] not in _STATED)
    return {f"{one['kind']}: {one['what']}": (f"says {one['by']}" if one["by"] else "", _place(one)) for one in decided}


# --- the configuration of the check


def _settings(before: Assessed, after: Assessed) -> Iterator[Change]:
    """The settings of the configuration that differ; a saved assessment has none to compare."""
    if "settings" in before and "settings" in after:
        old, new = ({name: (value, "") for name, value in side["settings"].items()} for side in (before, after))
        found = sorted(_compared("setting", old, new), key=lambda one: one.name)
        yield from (one for one in found if one.before != one.after)


# --- rules of the team's own

_HOLDS = ("proven", "claimed", "exempt", "unknown", "broken")


def _rules(before: Assessed, after: Assessed) -> Iterator[Change]:
    """The invariants that are gone, new or other than they were, and the elements that stand otherwise to one."""
    had, has = (_words(side, "invariants", _rule) for side in (before, after))
    yield from sorted(_compared("invariant", had, has), key=lambda one: one.how == "added")
    old, new = _held(before), _held(after)
    moved = []
    for name in sorted(old.keys() | new.keys()):
        (was, _), (now, place) = old.get(name, ("", "")), new.get(name, ("", ""))
        worse = _wrong(now) > _wrong(was)
        if now and was != now and (was or worse):
            how = "changed" if now == "exempt" else "worse" if worse else "better"
            moved.append(Change(how=how, kind="invariant", name=name, before=was, after=now, place=place))
    yield from sorted(moved, key=lambda one: ("worse", "changed", "better").index(one.how))


def _rule(one: Mapping[str, Any]) -> str:
    only = f" if {one['if']}" if one["if"] else ""
    return f"{one['severity']}, {one['of']}: {one['holds']}{only}"


def _wrong(holds: str) -> int:
    """How far from proven a rule is; of an element that was not there, or is not bound, it holds."""
    return _HOLDS.index(holds) if holds else 0


def _held(side: Assessed) -> Mapping[str, tuple[str, str]]:
    """Whether each invariant holds on each element that it binds, and the place."""
    return {
        f"{one['id']}@{element['element']}": (
            "exempt"
            if (element["exempt"] or {}).get("in_force") and element["holds"] != "proven"
            else element["holds"],
            _place(element),
        )
        for one in side.get("invariants", ())
        for element in one["binds"]
    }


# --- findings


def _findings(before: Assessed, after: Assessed) -> Iterator[Change]:
    """The findings that are new, worse, better or gone, the worst of what is new and worse first."""
    old, new = _by_id(before, "findings"), _by_id(after, "findings")
    found = []
    for name in sorted(old.keys() | new.keys()):
        was, now = old.get(name), new.get(name)
        how = _how(was, now)
        if how:
            place = _place(now or was or {})
            before_, after_ = _risks(was, now)
            found.append(Change(how=how, kind="finding", name=name, before=before_, after=after_, place=place))
    order = ("worse", "added", "changed", "better", "removed")
    yield from sorted(
        found, key=lambda one: (order.index(one.how), *_weight(old.get(one.name), new.get(one.name)), one.name)
    )


def _risks(was: Mapping[str, Any] | None, now: Mapping[str, Any] | None) -> tuple[str, str]:
    """A finding's risk before and after, by bands; by scores where the bands are equal."""
    before, after = _risk(was, "band"), _risk(now, "band")
    return (before, after) if before != after else (_risk(was, "score"), _risk(now, "score"))


def _risk(finding: Mapping[str, Any] | None, by: str) -> str:
    if finding is None:
        return ""
    claimed, proven = finding["claimed"][by], finding["proven"][by]
    score = "score " if by == "score" else ""
    return f"{finding['verdict']}, {score}{claimed}" + (f" (proven {proven})" if proven != claimed else "")


def _how(was: Mapping[str, Any] | None, now: Mapping[str, Any] | None) -> str:
    if was is None or now is None:
        return "added" if was is None else "removed"
    old, new = _rank(was), _rank(now)
    return "" if old == new else "worse" if any(n > o for o, n in zip(old, new, strict=True)) else "better"


def _rank(finding: Mapping[str, Any]) -> tuple[int, int, int]:
    return -PLACES[finding["verdict"]], int(finding["claimed"]["score"]), int(finding["proven"]["score"])


def _weight(was: Mapping[str, Any] | None, now: Mapping[str, Any] | None) -> tuple[int, int]:
    """What sorts the findings whose claimed risk rose most to the front, then those whose is highest."""
    before, after = (int(one["claimed"]["score"]) if one is not None else 0 for one in (was, now))
    return before - after, -after


# --- elements, flows and their facts


def _element(one: Mapping[str, Any]) -> str:
    scope = f", out of scope: {one['out_of_scope']}" if one["out_of_scope"] else ""
    return f"{one['kind']} in {one['boundary']}{scope}"


def _flow(one: Mapping[str, Any]) -> str:
    data = f" carrying {', '.join(sorted(one['data']))}" if one["data"] else ""
    return f"{one['source']} to {one['target']}{data}"


def _crossings(before: Assessed, after: Assessed) -> Iterator[Change]:
    """Flows that cross a boundary now and were not there, or crossed another or none."""
    old, new = _crossed(before), _crossed(after)
    flows = _by_id(after, "flows")
    for name in sorted(new):
        if new[name] and new[name] != old.get(name, ""):
            place = _place(flows[name])
            yield Change(
                how="added", kind="crossing", name=name, before=old.get(name, ""), after=new[name], place=place
            )


def _crossed(side: Assessed) -> Mapping[str, str]:
    """For each flow the boundary that it crosses, in words, or ''."""
    zones = {one["id"]: str(one["boundary"]) for one in side["elements"]}
    found = {}
    for flow in side["flows"]:
        ends = [zones[end] for end in (flow["source"], flow["target"]) if end in zones]
        found[flow["id"]] = f"{ends[0]} to {ends[1]}" if len(set(ends)) > 1 else ""
    return found


def _facts(before: Assessed, after: Assessed) -> Iterator[Change]:
    """What is known of elements and flows that both sides have, where values differ or became known."""
    for part in ("elements", "flows"):
        old, new = _by_id(before, part), _by_id(after, part)
        for name in sorted(old.keys() & new.keys()):
            was, now = _known(old[name]), _known(new[name])
            for fact in sorted(was.keys() | now.keys()):
                if was.get(fact, ("unknown",))[0] != now.get(fact, ("unknown",))[0]:
                    yield Change(
                        how="changed",
                        kind="fact",
                        name=f"{name}.{fact}",
                        before=was.get(fact, ("unknown", ""))[0],
                        after=now.get(fact, ("unknown", ""))[0],
                        place=now.get(fact, ("", ""))[1] or was.get(fact, ("", ""))[1],
                    )


def _known(one: Mapping[str, Any]) -> Mapping[str, tuple[str, str]]:
    found = {}
    for item in one["facts"]:
        if item["known"]:
            place = f"{item['file']}:{item['line']}" if item.get("file") and item.get("line") else ""
            found[item["fact"]] = (shown_value(item["value"]), place)
    return found


def _counts(before: Assessed, after: Assessed) -> Iterator[tuple[str, str, int, int]]:
    """The counts of both sides: by verdict, and by band of what is claimed and proven."""
    old, new = before["findings"], after["findings"]
    for verdict in VERDICTS:
        yield "verdict", verdict, *(sum(one["verdict"] == verdict for one in side) for side in (old, new))
    for cell in ("claimed", "proven"):
        for band in reversed(BANDS):
            yield cell, band, *(sum(one[cell]["band"] == band for one in side) for side in (old, new))
