"""The context of a report: an assessment as text, numbers, lists and mappings, every decision taken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache, partial

from threatmodel import __version__
from threatmodel.assessment.actions import Action
from threatmodel.assessment.assessed import Assessment, Question
from threatmodel.assessment.priorities import Expiry, Summary, carried_alone, expiries, summary
from threatmodel.assessment.risk import BANDS, band
from threatmodel.library.entries import Library
from threatmodel.render.first import MOST_ACTIONS, FirstPage, first_page, work
from threatmodel.render.picture import numbers_of
from threatmodel.render.plain import STATE, VERDICT, VERDICT_MEANS
from threatmodel.render.reliances import counted_by_kind, lines
from threatmodel.render.report import article, controls, filtered, findings, matrix, sections
from threatmodel.render.report import system as system_tables
from threatmodel.render.report.findings import by_band
from threatmodel.render.report.matrix import shares
from threatmodel.render.report.method import method, seen
from threatmodel.render.report.words import NAMED, Inert, OnDemand, Plain, Row, counted, names, where

EXPIRY_DAYS = 60
MOST_CLAIMS = 15
"""Lines of the default report's table of claims."""

MOST_LINES = 15
"""Lines of a table of the default report; the full one has all."""

MOST_ALONE = 10
"""Controls that are shown on which alone critical findings depend."""


def context(assessment: Assessment, picture: str = "", picture_file: str = "", baseline: str = "") -> OnDemand:
    """Everything that a template can show, in the order of the report; a section is computed when it is read.

    `picture` is the data-flow diagram as an SVG element, `picture_file` its file beside the report, and `baseline` the
    comparison with a baseline.
    """
    graph, library = assessment.graph, assessment.library
    todo = cache(lambda: work(assessment, sections.MOST_ACTIONS))
    by_threat = cache(lambda: findings.cases(assessment.groups))
    named_once = cache(lambda: _named_once(by_threat()))
    counts = cache(lambda: summary(assessment))
    numbers = cache(lambda: numbers_of(graph))
    return OnDemand(
        {
            "model": lambda: _model(assessment),
            "shares": lambda: shares(assessment, counts()),
            "first": lambda: {**_first(first_page(assessment, todo=todo())), "baseline": baseline},
            "issues": lambda: sections.issue_rows(todo().issues, assessment),
            "todo": lambda: sections.todo(todo().actions, todo().texts),
            "by_owner": lambda: sections.by_owner(assessment, todo().actions),
            "settled": lambda: sections.settled(assessment),
            "does_not_apply": lambda: sections.does_not_apply(assessment),
            "flows": lambda: sections.flows(assessment, numbers()),
            "words": _words,
            "most_claims": lambda: MOST_CLAIMS,
            "most_lines": lambda: MOST_LINES,
            "counts": lambda: _counts(counts()),
            "actions": lambda: [_action(action) for action in todo().actions[:MOST_ACTIONS]],
            "only_claimed": lambda: controls.only_claimed(assessment),
            "questions": lambda: [_question(question) for question in _by_source(assessment.questions)],
            "questions_counted": lambda: _questions_counted(assessment.questions),
            "expiries": lambda: [_expiry(expiry, assessment) for expiry in expiries(assessment, EXPIRY_DAYS)],
            "expiry_days": lambda: EXPIRY_DAYS,
            "alone": lambda: _alone(carried_alone(assessment)),
            "scenarios": lambda: article.scenarios(assessment, by_threat()),
            "invariants": lambda: controls.invariants(assessment),
            "exemptions": lambda: controls.exemptions(assessment),
            "coverage": lambda: article.coverage(assessment),
            "article": lambda: {"name": library.article.name, "source": library.article.source},
            "matrix": lambda: matrix.matrix(assessment.outlines),
            "worst_path": lambda: _worst_path(assessment),
            "picture": lambda: picture,
            "picture_file": lambda: picture_file,
            "parts": lambda: findings.parts(assessment, by_threat(), named_once()),
            "by_platform": lambda: _by_platform(assessment, by_threat()),
            "elements": lambda: _elements(assessment),
            "owners": lambda: sorted({one for one in filtered.owners_of(assessment).values() if one}),
            "standards": lambda: filtered.standards(assessment),
            "possible": lambda: findings.possible(assessment),
            "ruled_out": lambda: findings.ruled_out(assessment),
            "paths": lambda: _paths(assessment),
            "reliances": lambda: {
                "counts": counted_by_kind(assessment.reliances),
                "lines": list(lines(assessment.reliances)),
            },
            "excluded": lambda: _excluded(assessment),
            "library": lambda: _library(library),
            "mitigations": lambda: controls.mitigations(assessment, seen(assessment), by_threat()),
            "accepted": lambda: system_tables.accepted(assessment, by_threat()),
            "data": lambda: system_tables.data(graph, numbers()),
            "drift": lambda: system_tables.drift(assessment),
            "absent": lambda: system_tables.absent(graph),
            "evidence": lambda: system_tables.evidence(graph),
            "out_of_scope": lambda: system_tables.out_of_scope(graph),
            "assumed": lambda: system_tables.assumed(graph),
            "assumptions": lambda: list(graph.system.assumptions),
            "method": lambda: method(len(library.threats), len(library.controls)),
            "bands": lambda: list(reversed(BANDS)),
            "version": lambda: __version__,
        }
    )


def _model(assessment: Assessment) -> Row:
    system = assessment.graph.system
    library = assessment.library
    kinds: dict[str, int] = {}
    for element in assessment.graph.elements.values():
        if element.kind and element.described:
            kinds[element.kind] = kinds.get(element.kind, 0) + 1
    kinds["flow"] = len(assessment.graph.flows)
    return {
        "name": system.name,
        "description": system.description,
        "owner": system.owner,
        "scope": system.scope,
        "file": system.file,
        "files": system_tables.files(assessment.graph),
        "revision": system.revision,
        "tolerance": system.risk_tolerance,
        "assessed_on": assessment.today.isoformat(),
        "kinds": [{"kind": kind, "number": number} for kind, number in kinds.items()],
        "kinds_text": ", ".join(counted(number, kind) for kind, number in kinds.items()),
        "threats": len(library.threats),
        "controls": len(library.controls),
    }


def _named_once(by_threat: Mapping[str, list[findings.FindingGroup]]) -> frozenset[str]:
    from threatmodel.render.report.platform import mitigated  # only the full report reads it

    return mitigated(by_threat)


def _by_platform(assessment: Assessment, by_threat: Mapping[str, list[findings.FindingGroup]]) -> list[Row]:
    from threatmodel.render.report.platform import rows

    return rows(assessment, by_threat)


def _worst_path(assessment: Assessment) -> str:
    from threatmodel.render.report.paths import worst_line  # Markdown and HTML read it, a user's template may not

    return worst_line(assessment)


def _paths(assessment: Assessment) -> Row:
    from threatmodel.render.report.paths import path_rows  # only the full report reads it

    return path_rows(assessment)


def _counts(counts: Summary) -> Row:
    return {
        "bands": [
            {"name": "inherent", "means": "before controls", "numbers": by_band(counts.inherent)},
            {"name": "claimed", "means": "if every claim is true", "numbers": by_band(counts.claimed)},
            {"name": "proven", "means": PROVEN, "numbers": by_band(counts.proven)},
            {"name": "undetermined", "means": "severity if true", "numbers": by_band(counts.undetermined)},
        ],
        "verdicts": [{"verdict": name, "number": number} for name, number in counts.verdicts.items()],
    }


PROVEN = "by evidence, and by attestations of what no tool can see"
"""What the proven risk depends on."""


# --- the first page


def _first(page: FirstPage) -> Row:
    return {
        "verdict": page.verdict,
        "tone": page.tone,
        "headline": page.headline,
        "gap": page.gap,
        "bands": [name for name, _ in page.claimed],
        "rows": [
            {"id": name, "name": title, "means": means, "numbers": [{"band": b, "number": n} for b, n in counts]}
            for name, title, means, counts in (
                ("inherent", "before controls", "", page.inherent),
                ("claimed", "as claimed", "if every claim is true", page.claimed),
                ("proven", "as proven", PROVEN, page.proven),
            )
        ],
        "check": page.check,
        "counts": page.counts,
        "actions": [sections.in_words(one) for one in page.actions],
        "more": page.more,
        "claims": [
            {
                "control": one.control,
                "title": one.title,
                "on": one.on,
                "relying": one.relying,
                "band": one.band,
                "who": one.who,
                "until": one.until,
            }
            for one in page.claims
        ],
        "more_claims": page.more_claims,
        "rules": page.rules,
        "relies_on": page.relies_on,
        "questions": page.questions,
    }


def _words() -> Row:
    """The words of the report for those of the engine, and what they mean."""
    return {
        "verdicts": {name: text for name, text in VERDICT.items()},  # noqa: C416 - of plain keys
        "states": {name: text for name, text in STATE.items()},  # noqa: C416 - of plain keys
        "means": [{"term": VERDICT[name], "name": name, "means": means} for name, means in VERDICT_MEANS.items()],
    }


# --- the rest of the first page


def _action(action: Action) -> Row:
    control = action.control
    return {
        "id": control.id,
        "title": control.title,
        "elements": names(action.elements, control.scope, whole=NAMED),
        "states": [{"state": state, "number": len(found)} for state, found in action.states.items()],
        "state": ", ".join(
            state if len(action.states) == 1 else f"{state} on {len(found):,}" for state, found in action.states.items()
        ),
        "owner": control.owner,
        "kind": control.kind,
        "how": dict(control.how),
        "number": len(action.findings),
        "findings": names(action.findings),
        "band": band(action.worst),
    }


def _expiry(expiry: Expiry, assessment: Assessment) -> Row:
    days = (expiry.date - assessment.today).days
    text = "today" if days == 0 else f"in {counted(days, 'day')}" if days > 0 else f"{counted(-days, 'day')} ago"
    return {
        "what": expiry.what,
        "name": f"{expiry.name} ({expiry.ticket})" if expiry.ticket else expiry.name,
        "date": expiry.date.isoformat(),
        "owner": expiry.owner,
        "place": where(expiry.place),
        "past": days < 0,
        "days": days,
        "text": text,
    }


def _alone(found: Iterable[tuple[str, tuple[str, ...]]]) -> Row:
    rows: list[Row] = [
        {"name": name, "control": name.partition("@")[0], "findings": names(findings)} for name, findings in found
    ]
    return {"rows": rows[:MOST_ALONE], "more": max(0, len(rows) - MOST_ALONE)}


def _by_source(questions: Sequence[Question]) -> list[Question]:
    """Questions with one source after each other, which are one to those who are asked."""
    sources = list(dict.fromkeys(question.source for question in questions))
    return sorted(questions, key=lambda question: sources.index(question.source))


def _questions_counted(questions: Sequence[Question]) -> str:
    number = len({question.source for question in questions})
    parts = f" with {len(questions)} parts: each covers what one source can answer" if number < len(questions) else ""
    return f"{counted(number, 'open question')}{parts}"


def _question(question: Question) -> Row:
    return {
        "source": question.answered_from or "",
        "id": question.id,
        "kind": question.kind,
        "of": question.of,
        "name": question.name,
        "facts": list(question.facts),
        "ask": question.ask,
        "elements": names(question.elements, question.of),
        "decides": names(question.decides, "finding"),
        "score": question.score,
        "band": band(question.score),
    }


MOST_ELEMENTS = 500
"""Elements that a list to choose from offers; others can still be typed."""


def _elements(assessment: Assessment) -> list[str]:
    """The elements that have findings, described ones first as the model has them, then flows."""
    found = {finding.target.id for finding in assessment.applying}
    return [target.id for target in assessment.graph.targets() if target.id in found][:MOST_ELEMENTS]


def _excluded(assessment: Assessment) -> list[Row]:
    library = assessment.library
    return [{"id": name, "title": library.threats[name].title} for name in assessment.excluded]


def _library(library: Library) -> Row:
    """What teams' libraries added, put in place of, and switched off."""
    return {
        "layers": list(library.layers),
        "off": [
            {"part": off.part, "id": off.id, "title": off.title, "reason": off.reason, "place": where(off.place)}
            for off in library.off
        ],
        "replaced": [
            {"part": item.part, "id": item.id, "place": where(item.place), "of": where(item.of)}
            for item in library.replaced
        ],
    }


# --- text that cannot hide anything


def cleaned(value: Plain, clean: Mapping[str, str]) -> Plain:
    """A context with every string put through `clean` (keys stay as they are); what is on demand stays so."""
    if isinstance(value, str):
        return clean[value]
    if isinstance(value, Inert):
        return value
    if isinstance(value, OnDemand):
        return OnDemand({key: partial(cleaned_at, value, key, clean) for key in value})
    if isinstance(value, Mapping):
        return {key: cleaned(item, clean) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [cleaned(item, clean) for item in value]
    return value


def cleaned_at(found: Mapping[str, Plain], key: str, clean: Mapping[str, str]) -> Plain:
    """The value of a key of a context, with every string put through `clean`."""
    return cleaned(found[key], clean)
