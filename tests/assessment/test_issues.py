"""Issues: one line for one reason, what comes first first."""

from __future__ import annotations

from pathlib import Path

from tests.support import assessed, control, evidence, library_of, said, threat
from threatmodel.assessment.issues import issues
from threatmodel.library.entries import Library
from threatmodel.model.facts import LEFT_OUT
from threatmodel.reading.problems import Place
from threatmodel.render.issue_text import title


def functions(*facts: str, trigger: str = "slack: events") -> str:
    lines = "".join(f"  f{n}: {{triggers: [{{{trigger}}}], {text}}}\n" for n, text in enumerate(facts))
    return f"name: x\napis: {{api: {{}}}}\nfunctions:\n{lines}"


def library(folder: Path) -> Library:
    return library_of(
        folder,
        threat("bad", "{good: {stops: it does}, log: detects}"),
        threat("sad", "{good: {stops: it does}, log: detects}", likelihood=3, impact=4),
        control("good", "target.validates_input"),
        control("log", "target.logs_redacted"),
    )


def test_one_reason_is_one_issue_with_all_names(tmp_path: Path) -> None:
    texts = ["validates_input: false, logs_redacted: true", "validates_input: false, logs_redacted: false"]
    found = issues(assessed(tmp_path, functions(*texts, *texts), library(tmp_path)))
    assert [(s.threats[0].id, s.verdict, sorted(s.elements), s.missing) for s in found] == [
        ("bad", "open", ["f0", "f1", "f2", "f3"], (("good", "absent"),)),
    ]
    assert [threat.id for threat in found[0].threats] == ["bad", "sad"]


def test_another_reason_is_another_issue(tmp_path: Path) -> None:
    more = "controls: {good@f1: {planned_for: 2027-01-01}}\n"
    found = issues(assessed(tmp_path, functions(*["validates_input: false"] * 2) + more, library(tmp_path)))
    assert [(s.threats[0].id, s.elements, s.missing) for s in found] == [
        ("bad", ("f0",), (("good", "absent"),)),
        ("bad", ("f1",), (("good", "planned"),)),
    ]


def test_what_waits_for_one_answer_is_one_issue(tmp_path: Path) -> None:
    found = issues(assessed(tmp_path, functions("logs_redacted: true", "logs_redacted: true"), library(tmp_path)))
    (issue,) = found
    assert (issue.verdict, issue.id, len(issue.findings)) == ("undetermined", "handler", 4)
    assert [t.id for t in issue.threats] == ["bad", "sad"]
    assert (issue.claimed, issue.proven) == ("critical", "critical")


def test_every_finding_that_needs_something_is_in_exactly_one_issue(tmp_path: Path) -> None:
    assessment = assessed(tmp_path, functions("validates_input: false", "timeout_seconds: 3"), library(tmp_path))
    named = [finding.id for issue in issues(assessment) for finding in issue.findings]
    wanted = [f.id for f in assessment.findings if f.verdict not in {"mitigated", "unproven"}]
    assert sorted(named) == sorted(wanted)


def test_what_is_known_is_never_told_with_what_is_not(tmp_path: Path) -> None:
    texts = ("validates_input: false", "logs_redacted: false", "timeout_seconds: 3")
    assessment = assessed(tmp_path, functions(*texts), library(tmp_path))
    found = issues(assessment)
    assert {issue.verdict for issue in found} == {"open", "undetermined"}
    for issue in found:
        known = {finding.verdict in {"open", "reduced"} for finding in issue.findings}
        assert known == {not issue.questions}


def test_of_several_at_fault_it_is_what_stops_then_what_most_else_hangs_on(tmp_path: Path) -> None:
    found = library_of(
        tmp_path,
        threat("stopped", "{own: {stops: it does}, wide: {contains: it does}}"),
        threat("leaning", "{other: {hinders: it does}, wide: {contains: it does}}"),
        threat("wider", "{wide: {stops: it does}}"),
        control("own", "target.validates_input"),
        control("other", "target.logs_redacted"),
        control("wide", "target.errors_generic"),
    )
    facts = "validates_input: false, logs_redacted: false, errors_generic: false"
    told = {
        s.cause.state.control: [t.id for t in s.threats]
        for s in issues(assessed(tmp_path, functions(facts), found))
        if s.cause
    }
    assert told == {"own": ["stopped"], "wide": ["wider", "leaning"]}


def test_what_only_tells_of_an_attack_is_at_fault_where_nothing_else_is_left(tmp_path: Path) -> None:
    controls = "{good: {hinders: it does}, log: {detects: it does}}"
    found = library_of(
        tmp_path,
        threat("bad", controls, likelihood=5, impact=5),
        control("good", "target.validates_input"),
        control("log", "target.logs_redacted"),
    )
    for facts, at_fault in (("logs_redacted: false", None), ("logs_redacted: false, validates_input: true", "log")):
        (issue,) = [one for one in issues(assessed(tmp_path, functions(facts), found)) if one.verdict != "undetermined"]
        assert (issue.cause.state.control if issue.cause else None) == at_fault


def test_controls_that_one_place_denies_are_one_issue(tmp_path: Path) -> None:
    found = library_of(
        tmp_path,
        threat("bad", "{good: {stops: it does}}"),
        threat("sad", "{log: {stops: it does}}"),
        control("good", "target.validates_input"),
        control("log", "target.logs_redacted"),
    )
    for line, many in ((7, 1), (8, 2)):
        apart = said(value=False)._replace(place=Place("template.yaml", line))
        both = evidence(
            f0={"validates_input": said(value=False)._replace(place=Place("template.yaml", 7)), "logs_redacted": apart}
        )
        assert len(issues(assessed(tmp_path, functions("timeout_seconds: 3"), found, both))) == many


def test_an_open_front_door_comes_first_known_or_not(tmp_path: Path) -> None:
    found = library_of(
        tmp_path,
        threat("forged", "{sign: {stops: it does}}", likelihood=3, extra="comes: first"),
        threat("worse", "{good: {stops: it does}}", impact=5),
        control("sign", "target.verifies_signature"),
        control("good", "target.validates_input"),
    )
    for facts in ("validates_input: false", "validates_input: false, verifies_signature: false"):
        first, second = issues(assessed(tmp_path, functions(facts), found))
        assert (first.threats[0].id, first.entry_point, second.threats[0].id, second.entry_point) == (
            "forged",
            True,
            "worse",
            False,
        )
    safe = issues(assessed(tmp_path, functions("validates_input: false, verifies_signature: true"), found))
    assert [issue.threats[0].id for issue in safe] == ["worse"]


def test_what_somebody_wrote_comes_before_what_nobody_set(tmp_path: Path) -> None:
    texts = ["timeout_seconds: 3"] * 2
    left_out = said(value=False)._replace(note=LEFT_OUT)
    both = evidence(f0={"validates_input": left_out}, f1={"validates_input": False, "logs_redacted": left_out})
    found = library_of(
        tmp_path,
        threat("bad", "{good: {stops: it does}}"),
        threat("also", "{log: {stops: it does}}"),
        control("good", "target.validates_input"),
        control("log", "target.logs_redacted"),
    )
    ranked = [s.id for s in issues(assessed(tmp_path, functions(*texts), found, both)) if s.verdict == "open"]
    assert ranked == ["bad@f1", "also@f1"]


def test_what_would_only_be_noticed_is_not_in_the_first_view(tmp_path: Path) -> None:
    found = library_of(
        tmp_path,
        threat("loud", "{log: detects, plan: responds}", impact=5),
        threat("bad", "{good: {stops: it does}}", likelihood=3, impact=4),
        control("good", "target.validates_input"),
        control("log", "target.logs_redacted"),
        control("plan", "target.errors_generic"),
    )
    facts = "validates_input: false, logs_redacted: false, errors_generic: false"
    shown = [(s.threats[0].id, s.minor) for s in issues(assessed(tmp_path, functions(facts), found))]
    assert shown == [("bad", False), ("loud", True)]


def test_a_line_is_called_after_what_is_the_systems_own(tmp_path: Path) -> None:
    known = library_of(
        tmp_path,
        threat("forged", "{good: {stops: it does}}", applies="target.slack_facing"),
        threat("own", "{good: {stops: it does}}", likelihood=3, impact=4, applies="target.internet_facing"),
        control("good", "target.validates_input"),
    )
    unsaid = issues(assessed(tmp_path, functions("incomplete: [triggers]", trigger="schedule: rate(1 day)"), known))
    (handler,) = [issue for issue in unsaid if "own" in {one.id for one in issue.threats}]
    assert handler.threats[0].id == "own"
    (slack,) = issues(assessed(tmp_path, functions("validates_input: false"), known))
    assert slack.threats[0].id == "forged"


def test_a_control_that_lacks_another_is_there_for_the_reason_of_that(tmp_path: Path) -> None:
    known = library_of(
        tmp_path,
        threat("forged", "{sign: {stops: it does}}"),
        threat("commanded", "{good: {stops: it does}}"),
        control("sign", "target.verifies_signature"),
        control("good", "target.validates_input", extra="\nrequires: [sign]"),
    )
    (issue,) = issues(assessed(tmp_path, functions("validates_input: true, verifies_signature: false"), known))
    assert [one.id for one in issue.threats] == ["forged", "commanded"]
    assert issue.missing == (("sign", "absent"),)


def test_an_issue_is_called_after_the_threat_that_names_what_is_shown(tmp_path: Path) -> None:
    known = library_of(
        tmp_path,
        threat("broken", "{good: {hinders: it does}}", likelihood=5, impact=5),
        threat("forged", "{log: {stops: it does}}"),
        control("good", "target.validates_input"),
        control("log", "target.logs_redacted"),
    )
    assessment = assessed(tmp_path, functions("validates_input: false, logs_redacted: false"), known)
    titles = {issue.head.threat.id: title(issue, assessment) for issue in issues(assessment)}
    threats, controls = known.threats, known.controls
    assert titles == {
        "broken": f"Not in place: {controls['good'].title}",
        "forged": threats["forged"].title,
    }
    left_out = evidence(f0={"logs_redacted": said(value=False)._replace(note=LEFT_OUT)})
    default = assessed(tmp_path, functions("timeout_seconds: 3"), known, left_out)
    (unset,) = [issue for issue in issues(default) if issue.by_default]
    assert title(unset, default) == f"Off by default: {controls['log'].title}"


def test_the_elements_with_the_worst_band_come_first(tmp_path: Path) -> None:
    known = library_of(
        tmp_path,
        threat("bad", "{good: {stops: it does}}", likelihood=3, impact=4),
        threat("worse", "{good: {contains: it does}}", impact=5, applies="target.logs_redacted"),
        control("good", "target.validates_input"),
    )
    texts = ("validates_input: false, logs_redacted: false", "validates_input: false, logs_redacted: true")
    (issue,) = issues(assessed(tmp_path, functions(*texts), known))
    assert (issue.elements, issue.head.threat.id) == (("f1", "f0"), "bad")
