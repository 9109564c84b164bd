"""Findings: what applies, which verdict, what is asked, what is accepted."""

from __future__ import annotations

import datetime
import random
from pathlib import Path
from typing import Any

import pytest

from tests.support import HOME, TODAY, assessed, control, evidence, failing, graph_of, library_of, only, said, threat
from threatmodel.assessment.assess import assess
from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.risk import Cell, weighed
from threatmodel.graph.building import Evidence, build
from threatmodel.library.entries import Library
from threatmodel.library.load import load_library
from threatmodel.model.facts import Origin, Statement
from threatmodel.model.file import FACT_KEYS
from threatmodel.model.load import load_model
from threatmodel.reading.files import Files
from threatmodel.reading.problems import InputError, Place
from threatmodel.reading.shape import Flag, Number, Word

MODEL = "name: x\napis: {{api: {{}}}}\nfunctions: {{bot: {{triggers: [{{slack: events}}]{facts}}}}}\n{more}"


def model(facts: str = "", more: str = "") -> str:
    return MODEL.format(facts=f", {facts}" if facts else "", more=more)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return library_of(
        tmp_path,
        threat("bad", "{good: {stops: it does}, log: detects, plan: responds}"),
        control("good", "target.validates_input"),
        control("log", "target.logs_redacted"),
        control("plan", scope="organization"),
    )


@pytest.mark.parametrize(
    ("facts", "more", "found", "verdict"),
    [
        ("validates_input: false, logs_redacted: false", "organization: {}", None, "open"),
        ("", "", None, "undetermined"),
        ("validates_input: true", "", None, "unproven"),
        ("", "", evidence(bot={"validates_input": True}), "mitigated"),
        ("validates_input: true", "risk_tolerance: medium", None, "unproven"),
        ("validates_input: false, logs_redacted: true", "risk_tolerance: high", None, "undetermined"),
    ],
)
def test_verdict(tmp_path: Path, library: Library, facts: str, more: str, found: Evidence | None, verdict: str) -> None:
    assert only(assessed(tmp_path, model(facts, more), library, found)).verdict == verdict


def test_reduced_is_a_lower_band_that_is_still_too_high(tmp_path: Path) -> None:
    library = library_of(
        tmp_path, threat("bad", "{good: hinders}", impact=5), control("good", "target.validates_input")
    )
    found = only(assessed(tmp_path, model("validates_input: true"), library))
    assert (found.verdict, found.inherent.band, found.claimed.band) == ("open", "critical", "critical")
    library = library_of(
        tmp_path, threat("bad", "{good: hinders}", impact=4), control("good", "target.validates_input")
    )
    found = only(assessed(tmp_path, model("validates_input: true"), library))
    assert (found.verdict, found.inherent.band, found.claimed.band) == ("reduced", "critical", "high")


def test_what_only_the_provider_can_treat_is_transferred(tmp_path: Path) -> None:
    library = library_of(tmp_path, threat("bad", "{}", extra="treated_by: provider"))
    assert only(assessed(tmp_path, model(), library)).verdict == "transferred"


ACCEPTED = "accepted_risks: {{bad@bot: {{risk: {risk}, reason: because, owner: Ann, expires: {expires}}}}}"


@pytest.mark.parametrize(
    ("risk", "expires", "verdict"),
    [
        (20, "2027-01-01", "accepted"),
        (19, "2027-01-01", "undetermined"),
        (20, "2026-11-25", "accepted"),
        (20, "2026-11-24", "undetermined"),
    ],
)
def test_acceptance(tmp_path: Path, library: Library, risk: int, expires: str, verdict: str) -> None:
    found = only(assessed(tmp_path, model("", ACCEPTED.format(risk=risk, expires=expires)), library))
    assert found.verdict == verdict
    assert found.acceptance is not None


def test_an_acceptance_of_what_is_mitigated_is_reported_as_not_needed(tmp_path: Path, library: Library) -> None:
    more = ACCEPTED.format(risk=20, expires="2027-01-01")
    assessment = assessed(tmp_path, model("", more), library, evidence(bot={"validates_input": True}))
    assert [reason for _, reason in assessment.needless] == ["the finding is mitigated"]


def test_criticality_and_ratings_move_the_inherent_risk_and_say_why(tmp_path: Path, library: Library) -> None:
    found = only(assessed(tmp_path, model("criticality: high, criticality_reason: money"), library))
    assert (found.inherent, found.rated) == ((5, 5), ("criticality high: money",))
    more = "ratings: {bad@bot: {likelihood: 2, reason: behind a proxy}}"
    found = only(assessed(tmp_path, model("", more), library))
    assert (found.inherent, found.rated) == ((2, 4), ("rated by the model: behind a proxy",))


def test_out_of_scope_yields_nothing(tmp_path: Path, library: Library) -> None:
    assessment = assessed(tmp_path, model("out_of_scope: another team's"), library)
    assert (assessment.applying, assessment.possible, assessment.questions) == ((), (), ())


def test_a_claim_that_rules_a_threat_out_is_listed(tmp_path: Path, library: Library) -> None:
    text = "name: x\nfunctions: {f: {triggers: []}, g: {triggers: []}}\n"
    (ruled,) = assessed(tmp_path, text, library).ruled_out
    assert (ruled.threat.id, ruled.facts, ruled.times) == ("bad", (("slack_facing", False),), 2)


def test_unknown_exposure_is_a_question_and_not_a_finding(tmp_path: Path, library: Library) -> None:
    assessment = assessed(tmp_path, "name: x\nfunctions: {f: {}}\n", library)
    assert assessment.applying == ()
    (question,) = assessment.questions
    assert (question.id, question.decides, question.elements) == ("function.triggers", ("bad@f",), ("f",))


def test_unknown_exposure_within_tolerance_either_way_is_not_asked(tmp_path: Path, library: Library) -> None:
    assessment = assessed(tmp_path, "name: x\nfunctions: {f: {validates_input: true}}\n", library)
    assert (assessment.possible, assessment.questions) == ((), ())


def test_the_control_that_stops_is_asked_about_first(tmp_path: Path, library: Library) -> None:
    assert [question.id for question in assessed(tmp_path, model(), library).questions] == ["function.input"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("accepted_risks: {bda@bot: {risk: 9, reason: r, owner: o, expires: 2027-01-01}}", "there is no threat 'bda'"),
        ("accepted_risks: {bad@bto: {risk: 9, reason: r, owner: o, expires: 2027-01-01}}", "there is no element 'bto'"),
        ("accepted_risks: {bad@api: {risk: 9, reason: r, owner: o, expires: 2027-01-01}}", "is no threat to an api"),
        ("ratings: {bad@bto: {impact: 1, reason: r}}", "there is no element 'bto'"),
        ("controls: {god@bot: {planned_for: 2027-01-01}}", "there is no control 'god'"),
        ("controls: {good: {planned_for: 2027-01-01}}", "this statement names none"),
        ("controls: {good@bto: {planned_for: 2027-01-01}}", "there is no element 'bto'"),
        ("controls: {good@api: {planned_for: 2027-01-01}}", "'api' is an api"),
    ],
)
def test_statements_about_what_does_not_exist(tmp_path: Path, library: Library, more: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        assessed(tmp_path, model("", more), library)


def test_an_unknown_threat_cannot_be_excluded(tmp_path: Path, library: Library) -> None:
    graph = graph_of(tmp_path, model())
    with pytest.raises(InputError, match="there is no threat 'bda'"):
        assess(graph, library, TODAY, ["bda"])
    assert assess(graph, library, TODAY, ["bad"]).excluded == ("bad",)


def test_a_plane_need_not_be_named(tmp_path: Path, library: Library) -> None:
    more = "organization: {}\ncontrols: {plan: {attested_by: Ann, on: 2026-01-01, expires: 2027-01-01}}"
    found = only(assessed(tmp_path, model("", more), library))
    assert found.answers[2].state.state == "attested"


def test_an_acceptance_holds_whether_or_not_the_threat_is_known_to_apply(tmp_path: Path, library: Library) -> None:
    text = "name: x\nfunctions: {bot: {}}\n" + ACCEPTED.format(risk=20, expires="2027-01-01")
    assessment = assessed(tmp_path, text, library)
    assert (assessment.possible, assessment.needless) == ((), ())


def test_a_contradicted_claim_fails_the_check_although_the_threat_may_not_apply(
    tmp_path: Path, library: Library
) -> None:
    text = "name: x\nfunctions: {bot: {validates_input: true}}\n"
    assessment = assessed(tmp_path, text, library, evidence(bot={"validates_input": False}))
    found = failing(assessment, fail_on="critical", allow_undetermined=True)
    assert [failure.code for failure in found] == ["contradicted", "drift"]


def test_a_question_about_what_flows_goes_to_its_ends(tmp_path: Path, real: Library) -> None:
    text = """
        name: x
        externals: {e: {}}
        queues: {q: {}}
        functions: {f: {triggers: [{queue: q}], reads: [], calls: [e]}, g: {}}
    """
    assessment = assessed(tmp_path, text, real)
    (asked,) = [
        q for q in assessment.questions if "interception-in-transit@f:e:call" in q.decides and q.name == "holds"
    ]
    assert asked.elements == ("q",)


# --- properties of the whole, on the real library


@pytest.fixture(scope="module")
def real() -> Library:
    return load_library(HOME / "threatlib")


def random_evidence(seed: int, *, only_better: bool = False) -> Evidence:
    """Random statements about the default model, by every origin."""
    chance = random.Random(seed)
    graph = build(load_model(Files(), HOME / "models" / "slack-lambda.yaml"), today=TODAY)
    found: dict[str, dict[str, list[Statement]]] = {}
    for target in graph.targets():
        for key in FACT_KEYS[target.kind]:
            if chance.random() < 0.3:
                source: Origin = "template" if only_better else chance.choice(["template", "aws", "probe", "source"])
                stated = Statement(_any_value(key.shape, chance), source, Place("t.yaml", chance.randint(1, 99)))
                found.setdefault(target.id, {})[key.name] = [stated]
    return found


def _any_value(shape: object, chance: random.Random) -> object:
    match shape:
        case Flag():
            return chance.random() < 0.5
        case Number(low, high):
            return chance.choice([None, low, min(high, 90), high])
        case Word(words):
            return chance.choice(words)
        case _:
            raise AssertionError(shape)


@pytest.mark.parametrize("seed", range(12))
def test_every_undetermined_finding_stands_behind_a_question(real: Library, seed: int) -> None:
    graph = build(load_model(Files(), HOME / "models" / "slack-lambda.yaml"), random_evidence(seed), TODAY)
    assessment = assess(graph, real, TODAY)
    decided = {finding for question in assessment.questions for finding in question.decides}
    waiting = [f for f in assessment.applying if f.verdict == "undetermined"] + list(assessment.possible)
    assert [finding.id for finding in waiting if finding.id not in decided] == []


BARE = """
    name: bare
    apis: {api: {}}
    stores: {table: {}}
    functions: {bot: {triggers: [{slack: slash-command}]}}
"""


def test_a_bare_model_asks_and_is_not_waved_through(tmp_path: Path, real: Library) -> None:
    assessment = assessed(tmp_path, BARE, real)
    assert not [finding.id for finding in assessment.applying if finding.verdict == "mitigated"]
    waiting = [f for f in assessment.applying if f.verdict == "undetermined"] + list(assessment.possible)
    decided = {finding for question in assessment.questions for finding in question.decides}
    assert {finding.id for finding in waiting} == decided
    assert len(waiting) > 10


def test_the_proven_risk_is_never_below_the_claimed_one(real: Library) -> None:
    for seed in range(6):
        graph = build(load_model(Files(), HOME / "models" / "slack-lambda.yaml"), random_evidence(seed), TODAY)
        for finding in assess(graph, real, TODAY).findings:
            # what only evidence could deny raises the proven cell alone
            worst = weighed(finding.threat, finding.target.kind, finding.target.facts).proof
            most = Cell(*map(max, worst, finding.inherent))
            assert finding.claimed.score <= finding.proven.score <= most.score, finding.id


def _better(facts: Evidence, assessment: Assessment) -> Evidence:
    """The same evidence, with every control that holds by word now held by evidence."""
    found = {element: dict(by_name) for element, by_name in facts.items()}
    for finding in assessment.applying:
        for answer in finding.answers:
            if answer.state.state == "claimed":
                for item in answer.state.support:
                    statement = Statement(item.value, "aws", Place("aws", 1))
                    found.setdefault(answer.state.element, {})[item.fact] = [statement]
    return found


@pytest.mark.parametrize("seed", range(4))
def test_a_control_better_known_never_raises_a_risk(real: Library, seed: int) -> None:
    system = load_model(Files(), HOME / "models" / "slack-lambda.yaml")
    facts = random_evidence(seed, only_better=True)
    before = assess(build(system, facts, TODAY), real, TODAY)
    better = build(system, _better(facts, before), TODAY)
    after = {finding.id: finding for finding in assess(better, real, TODAY).findings}
    for finding in before.applying:
        later = after.get(finding.id)
        if later is not None:
            assert later.claimed.score <= finding.claimed.score, finding.id
            assert later.proven.score <= finding.proven.score, finding.id


def test_expiry_is_judged_by_the_day_that_is_given(real: Library) -> None:
    graph = build(load_model(Files(), HOME / "models" / "slack-lambda.yaml"), today=TODAY)
    states = {}
    for day in (TODAY, datetime.date(2030, 1, 1)):
        findings = assess(graph, real, day).findings
        states[day] = {a.state.state for f in findings for a in f.answers if a.link.control == "incident-runbook"}
    assert states[TODAY] == {"attested"}
    assert states[datetime.date(2030, 1, 1)] == {"lapsed"}


def test_evidence_by_hand_proves_and_contradicts_the_default_model(real: Library) -> None:
    found = evidence(
        order_bot={"reserved_concurrency": 20, "timeout_seconds": said(900)},
        order_worker={"code_signing": "enforce"},
    )
    graph = build(load_model(Files(), HOME / "models" / "slack-lambda.yaml"), found, TODAY)
    states = {
        (a.state.control, a.state.element): a.state.state
        for f in assess(graph, real, TODAY).findings
        for a in f.answers
    }
    assert states["reserved-concurrency", "order-bot"] == "proven"
    assert states["bounded-timeout", "order-bot"] == "contradicted"
    assert states["code-signing", "order-worker"] == "claimed"  # that its removal is denied is only claimed


@pytest.mark.parametrize(
    ("shown", "verdict"),
    [
        ({"readers_restricted": said(value=False)}, "open"),
        ({}, "undetermined"),
    ],
)
def test_a_hole_that_is_seen_is_no_question_about_what_only_lowers_it(
    shown: dict[str, Any], verdict: str, tmp_path: Path, real: Library
) -> None:
    graph = graph_of(tmp_path, "name: Hole\nsecrets: {key: {kept_in: secrets-manager}}\n", evidence(key=shown))
    found = {one.id: one.verdict for one in assess(graph, real, TODAY).findings}
    assert found["over-permissive-secret-access@key"] == verdict


@pytest.mark.parametrize(
    ("shown", "verdict"),
    [
        ({"recovery": said(value=False)}, "open"),
        ({}, "undetermined"),
    ],
)
def test_damage_that_nothing_contains_is_no_question_about_what_is_at_stake(
    shown: dict[str, Any], verdict: str, tmp_path: Path, real: Library
) -> None:
    text = "name: Loss\nstores: {orders: {kind: dynamodb}}\n"
    graph = graph_of(tmp_path, text, evidence(orders=shown))
    found = {one.id: one.verdict for one in assess(graph, real, TODAY).findings}
    assert found["data-destruction@orders"] == verdict


def test_damage_is_only_uncontained_where_nothing_stops_the_threat_and_the_first_control_contains_it(
    tmp_path: Path,
) -> None:
    parts = control("good", "target.validates_input"), control("log", "target.logs_redacted")
    facts = "validates_input: false"
    for links, verdict in (
        ("{good: contains, log: hinders}", "open"),
        ("{log: hinders, good: contains}", "undetermined"),
        ("{good: contains, log: {stops: it does}}", "undetermined"),
    ):
        library = library_of(tmp_path, threat("bad", links, likelihood=3, impact=2), *parts)
        assert only(assessed(tmp_path, model(facts), library)).verdict == verdict, links
