"""The findings of a report, by threat: what is alike is shown once, with its elements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

from threatmodel.assessment.assessed import DONE, VERDICTS, Assessment, Finding, Group
from threatmodel.assessment.control_state import ControlState, shown
from threatmodel.assessment.priorities import reached
from threatmodel.assessment.risk import BANDS, Band, band
from threatmodel.assessment.states import States
from threatmodel.library.entries import Threat
from threatmodel.model.vocabulary import PLANES
from threatmodel.reading.grouping import grouped
from threatmodel.reading.values import dataclass
from threatmodel.render.report.filtered import Owners, filtered, owners_of
from threatmodel.render.report.method import RANK, verdict_words
from threatmodel.render.report.words import (
    ALL_NAMED,
    NAMED,
    Plain,
    Row,
    cell,
    counted,
    inert,
    links,
    maps,
    names,
    origins,
    sayings,
    where,
    with_work,
)

MOST_CASES = 40
"""Cases of a threat that are shown one by one; the rest is counted."""


@dataclass(frozen=True, slots=True)
class FindingGroup:
    """Findings of one threat that are alike: the same kind of element, verdict, cells and states of controls."""

    findings: list[Finding]

    @property
    def head(self) -> Finding:
        """The first of them, which speaks for all."""
        return self.findings[0]


def cases(groups: Iterable[Group]) -> dict[str, list[FindingGroup]]:
    """Findings by threat, those that are alike together; worst first, as `groups` come."""
    found: dict[tuple[object, ...], list[Finding]] = {}
    for group in groups:
        finding = group.head
        if not finding.applies:
            continue
        key = (
            finding.threat.id,
            finding.verdict,
            finding.target.kind,
            finding.applies,
            finding.inherent,
            finding.claimed,
            finding.proven,
            finding.rated,
            finding.id if finding.acceptance is not None else "",
            tuple([answer.state.state for answer in finding.answers]),
        )
        found.setdefault(key, []).extend(group.findings)
    return grouped(
        (alike[0].threat.id, FindingGroup(sorted(alike, key=lambda one: one.id))) for alike in found.values()
    )


def parts(
    assessment: Assessment, by_threat: Mapping[str, list[FindingGroup]], named_once: Container[str] = ()
) -> list[Row]:
    """Every threat that applies, worst first, with its cases: those of the system, then those of its platform.

    Threats that are `named_once` are in another table.
    """
    found: dict[bool, list[list[FindingGroup]]] = {False: [], True: []}
    for alike in (cases for name, cases in by_threat.items() if name not in named_once):
        found[_of_platform(alike, assessment)].append(alike)
    owners = owners_of(assessment)
    titles = (("system", "The system", False), ("platform", "The platform", True))
    return [
        {"id": part, "title": title, "threats": [_threat(assessment, alike, owners) for alike in found[platform]]}
        for part, title, platform in titles
        if found[platform]
    ]


def _threat(assessment: Assessment, found: Sequence[FindingGroup], owners: Owners) -> Row:
    threat = found[0].head.threat
    shown_cases = found[:MOST_CASES]
    rest = found[MOST_CASES:]
    return {
        **facts_of(threat),
        "scenario_title": _scenario_title(assessment, threat),
        **tally(found),
        "elements": names([finding.target.id for case in found for finding in case.findings]),
        "cases": [_case(case, assessment, owners) for case in shown_cases],
        "rest": _rest(rest, owners),
    }


def facts_of(threat: Threat) -> Row:
    """What the library says about a threat."""
    return {
        "id": threat.id,
        "title": threat.title,
        "scenario": threat.scenario,
        "stride": list(threat.stride),
        "likelihood": threat.likelihood,
        "impact": threat.impact,
        "why": threat.why,
        "maps": maps(threat.maps),
        "references": links(threat.references),
        "place": where(threat.place),
    }


def tally(found: Sequence[FindingGroup]) -> Row:
    """The findings of several cases in numbers, and the worst of each."""
    verdicts: Counter[str] = Counter()
    for case in found:
        verdicts[case.head.verdict] += len(case.findings)
    worst = min((case.head for case in found), key=lambda f: VERDICTS.index(f.verdict))
    return {
        "number": verdicts.total(),
        "verdict": worst.verdict,
        "verdicts": [{"verdict": v, "number": verdicts[v]} for v in VERDICTS if verdicts[v]],
        "verdicts_text": ", ".join(f"{verdicts[v]:,} {v}" for v in VERDICTS if verdicts[v]),
        "inherent": cell(max((case.head.inherent for case in found), key=lambda c: c.score)),
        "claimed": cell(max((case.head.claimed for case in found), key=lambda c: c.score)),
        "proven": cell(max((case.head.proven for case in found), key=lambda c: c.score)),
        "work": worst.verdict not in DONE,
    }


def _of_platform(found: Sequence[FindingGroup], assessment: Assessment) -> bool:
    """Whether all findings of a threat are of planes that another file than the system's own describes."""
    targets = [case.head.target for case in found]
    own = assessment.graph.system.file
    return all(t.kind in PLANES and t.place is not None and t.place.file != own for t in targets)


def _scenario_title(assessment: Assessment, threat: Threat) -> str:
    return next(s.title for s in assessment.library.article.scenarios if s.id == threat.scenario)


# --- one case


def _case(case: FindingGroup, assessment: Assessment, owners: Owners) -> Row:
    head = case.head
    detailed = case.findings if len(case.findings) <= ALL_NAMED else case.findings[:NAMED]
    rows = list(_controls(case, detailed, assessment.states))
    return {
        "id": head.id,
        "kind": head.target.kind,
        "kinds": counted(len(case.findings), head.target.kind),
        "number": len(case.findings),
        "elements": _elements([case], head.target.kind),
        "verdict": head.verdict,
        "verdict_words": verdict_words(head, assessment),
        "inherent": cell(head.inherent),
        "claimed": cell(head.claimed),
        "proven": cell(head.proven),
        "why": list(_why(detailed)),
        "exposed": "" if head.why else f"every {head.target.kind} is",
        "reaches": names(reached(assessment, head.threat), head.threat.reaches),
        "rated": list(head.rated),
        "controls": [row for row in rows if row["state"] != "not-applicable"],
        "not_applicable": [row for row in rows if row["state"] == "not-applicable"],
        "acceptance": _acceptance(head),
        "filter": filtered(case.findings, owners),
    }


def _why(detailed: Sequence[Finding]) -> Iterator[Row]:
    """The facts that expose the elements, and their origins."""
    found = grouped(((item.fact, shown(item.value)), item) for finding in detailed for item in finding.why)
    for (fact, value), support in found.items():
        who = list(dict.fromkeys(origins(support)))
        yield {"fact": fact, "value": value, "who": who, "text": f"{fact}: {value} ({'; '.join(who)})"}


def _controls(case: FindingGroup, detailed: Sequence[Finding], states: States) -> Iterator[Row]:
    """A row for each control: its state, on which elements, and the origins."""
    for index, answer in enumerate(case.head.answers):
        found = [finding.answers[index].state for finding in detailed]
        yield {
            "id": answer.link.control,
            "title": states.library.controls[answer.link.control].title,
            "effect": answer.link.effect,
            "because": answer.link.because,
            "state": answer.state.state,
            "counts": answer.state.level > 0,
            "elements": list(dict.fromkeys(state.element for state in found)),
            "says": sayings(found, states),
            "more": len(case.findings) - len(detailed),
        }


def _elements(found: Sequence[FindingGroup], kind: str = "") -> Row:
    """The elements of cases: those to show first, and all of them."""
    ids = [finding.target.id for case in found for finding in case.findings]
    return {**names(ids, kind), "all": inert(ids)}


def _acceptance(finding: Finding) -> Row | None:
    accepted = finding.acceptance
    if accepted is None:
        return None
    return {
        "risk": accepted.risk,
        "reason": with_work(accepted.reason, accepted.ticket, accepted.due),
        "owner": accepted.owner,
        "expires": accepted.expires.isoformat(),
        "place": where(accepted.place),
    }


def _rest(found: Sequence[FindingGroup], owners: Owners) -> Row | None:
    """The cases beyond those shown, in numbers."""
    if not found:
        return None
    counts = tally(found)
    elements = _elements(found)
    text = f"{counted(sum(len(c.findings) for c in found), 'finding')} in {counted(len(found), 'further combination')}"
    every = [finding for case in found for finding in case.findings]
    text = f"{text} of states: {counts['verdicts_text']}"
    return {**counts, "elements": elements, "text": text, "filter": filtered(every, owners)}


# --- what may apply, and what does not


def possible(assessment: Assessment) -> list[Row]:
    """Return what is not known to apply: a line for each plane that is not described, else for each threat."""
    undescribed = grouped((one.target.id, one) for one in assessment.possible if not one.target.described)
    others = grouped((one.threat.id, one) for one in assessment.possible if one.target.described)
    return [
        *(_possible(f"The {plane} is not described", found) for plane, found in undescribed.items()),
        *(_possible(found[0].threat.title, found) for found in others.values()),
    ]


def _possible(title: str, found: Sequence[Finding]) -> Row:
    score = max(finding.claimed.score for finding in found)
    return {
        "title": title,
        "number": len(found),
        "score": score,
        "band": band(score),
        "threats": names(list(dict.fromkeys(finding.threat.id for finding in found))),
        "elements": names(list(dict.fromkeys(finding.target.id for finding in found)), found[0].target.kind),
    }


def ruled_out(assessment: Assessment) -> list[Row]:
    """What a claim keeps from applying: a line for each threat and fact, with the first places."""
    return [
        {
            "id": item.threat.id,
            "title": item.threat.title,
            "facts": ", ".join(f"{fact}: {shown(value)}" for fact, value in item.facts),
            "number": item.times,
            "first": [{"element": element, "place": where(place)} for element, place in item.first],
            "more": item.times - len(item.first),
        }
        for item in assessment.ruled_out
    ]


def worst_states(found: Sequence[FindingGroup]) -> dict[str, ControlState]:
    """For each control that answers these cases, the worst state it is in (not-applicable only if it is so in all)."""
    worst: dict[str, ControlState] = {}
    for case in found:
        for answer in case.head.answers:
            name, state = answer.link.control, answer.state.state
            before = worst.get(name, "not-applicable")
            if before == "not-applicable" or (state != "not-applicable" and RANK[state] > RANK[before]):
                worst[name] = state
    return worst


def by_band(counts: Mapping[Band, int]) -> list[Plain]:
    """Counts by band, worst first."""
    return [{"band": name, "number": counts[name]} for name in reversed(BANDS)]
