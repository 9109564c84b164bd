"""Control states: what makes each, what it counts for, and what is asked where nobody knows."""

from __future__ import annotations

import datetime
import re
from pathlib import Path

import pytest

from tests.support import TODAY, assessed, control, evidence, library_of, only, said, threat
from threatmodel.assessment.assessed import Assessment, Finding
from threatmodel.assessment.control_state import State
from threatmodel.assessment.ranking import strongest
from threatmodel.assessment.risk import residual
from threatmodel.graph.building import Evidence
from threatmodel.model.facts import Statement

MODEL = (
    "name: x\napis: {{api: {{}}}}\nfunctions: {{bot: {{triggers: [{{slack: events}}], secrets: []{facts}}}}}\n{more}"
)


def state(
    folder: Path,
    facts: str = "",
    more: str = "",
    *,
    found: Evidence | None = None,
    in_place: str = "target.validates_input",
    extra: str = "",
    today: datetime.date = TODAY,
) -> State:
    """The state of one control on the one function."""
    library = library_of(folder, threat("bad", "{good: hinders}"), control("good", in_place, extra=extra))
    text = MODEL.format(facts=f", {facts}" if facts else "", more=more)
    return only(assessed(folder, text, library, found, today)).answers[0].state


ATTESTED = "controls: {{good@bot: {{attested_by: Ann, on: 2026-10-01, expires: {expires}}}}}"


@pytest.mark.parametrize(
    ("facts", "more", "found", "expected", "level"),
    [
        ("", "", None, "unknown", 0),
        ("validates_input: true", "", None, "claimed", 1),
        ("validates_input: false", "", None, "absent", -1),
        ("", "", evidence(bot={"validates_input": True}), "proven", 2),
        ("", "", evidence(bot={"validates_input": False}), "absent", -1),
        ("validates_input: true", "", evidence(bot={"validates_input": False}), "contradicted", -1),
        ("validates_input: false", "", evidence(bot={"validates_input": True}), "proven", 2),
        ("", "", evidence(bot={"validates_input": said(value=True, stale=True)}), "claimed", 1),
        ("", "", {"bot": {"validates_input": [said(value=True), said(value=False, source="probe")]}}, "unknown", 0),
        ("", "", {"bot": {"validates_input": [said(value=False), said(value=True, source="aws")]}}, "proven", 2),
        ("", ATTESTED.format(expires="2027-10-01"), None, "attested", 2),
        ("validates_input: true", ATTESTED.format(expires="2027-10-01"), None, "attested", 2),
        ("", ATTESTED.format(expires="2026-11-25"), None, "attested", 2),
        ("", ATTESTED.format(expires="2026-11-24"), None, "lapsed", 0),
        ("validates_input: true", ATTESTED.format(expires="2026-11-24"), None, "claimed", 1),
        ("validates_input: false", ATTESTED.format(expires="2027-10-01"), None, "absent", -1),
        ("", ATTESTED.format(expires="2027-10-01"), evidence(bot={"validates_input": False}), "contradicted", -1),
        ("", ATTESTED.format(expires="2027-10-01"), evidence(bot={"validates_input": True}), "proven", 2),
        ("", "controls: {good@bot: {planned_for: 2027-01-01}}", None, "planned", -1),
        ("validates_input: false", "controls: {good@bot: {planned_for: 2027-01-01}}", None, "planned", -1),
        ("validates_input: true", "controls: {good@bot: {planned_for: 2027-01-01}}", None, "claimed", 1),
        ("validates_input: false", "controls: {good@bot: {planned_for: 2026-01-01}}", None, "absent", -1),
    ],
)
def test_state(tmp_path: Path, facts: str, more: str, found: Evidence | None, expected: str, level: int) -> None:
    result = state(tmp_path, facts, more, found=found)
    assert (result.state, result.level) == (expected, level)


def test_an_attestation_is_only_a_claim_where_a_collector_could_see(tmp_path: Path) -> None:
    more = ATTESTED.format(expires="2027-10-01")
    assert state(tmp_path, "", more, in_place="target.verifies_signature").level == 1


def test_a_control_that_only_a_person_can_tell(tmp_path: Path) -> None:
    assert state(tmp_path, in_place="").state == "unknown"
    result = state(tmp_path, "", ATTESTED.format(expires="2027-10-01"), in_place="")
    assert (result.state, result.level) == ("attested", 2)


def test_drift_keeps_both_places(tmp_path: Path) -> None:
    result = state(tmp_path, "validates_input: true", found=evidence(bot={"validates_input": False}))
    (support,) = result.support
    assert str(support.said.place) == "template.yaml:41:1"
    assert str(support.against[0].place).endswith("model.yaml:3:61")


def test_a_need_that_fails_makes_it_not_applicable_with_its_reason(tmp_path: Path) -> None:
    needs = "\nneeds: [{if: target.uses_secrets, else: it has no secret}]\nexamples:\n"
    needs += "  in_place: [{validates_input: true, uses_secrets: true}]\n"
    needs += "  not_in_place: [{validates_input: false, uses_secrets: true}]\n"
    needs += "  unknown: [{}, {validates_input: true}]\n  not_applicable: [{uses_secrets: false}]\n"
    library = library_of(
        tmp_path,
        threat("bad", "{good: hinders}"),
        control("good", extra=f"in_place: target.validates_input{needs}"),
    )
    text = MODEL.format(facts=", validates_input: true", more="")
    result = only(assessed(tmp_path, text, library)).answers[0].state
    assert (result.state, result.reason) == ("not-applicable", "it has no secret")


def requiring(folder: Path, facts: str, found: Evidence | None = None) -> State:
    library = library_of(
        folder,
        threat("bad", "{good: hinders, base: hinders}"),
        control("good", "target.validates_input", extra="requires: [base]"),
        control("base", "target.verifies_signature"),
    )
    return (
        only(assessed(folder, MODEL.format(facts=f", {facts}" if facts else "", more=""), library, found))
        .answers[0]
        .state
    )


@pytest.mark.parametrize(
    ("facts", "found", "expected"),
    [
        ("validates_input: true, verifies_signature: true", None, "claimed"),
        ("validates_input: true, verifies_signature: false", None, "ineffective"),
        ("validates_input: true", None, "unknown"),
        ("validates_input: false", None, "absent"),
        ("verifies_signature: false", None, "ineffective"),
        ("", evidence(bot={"validates_input": True, "verifies_signature": True}), "proven"),
        ("verifies_signature: true", evidence(bot={"validates_input": True}), "claimed"),
    ],
)
def test_a_control_is_no_better_than_what_it_requires(
    tmp_path: Path, facts: str, found: Evidence | None, expected: str
) -> None:
    assert requiring(tmp_path, facts, found).state == expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [("", "unknown"), (", runs_at_edge: true", "ineffective"), (", runs_at_edge: false", "claimed")],
)
def test_what_is_required_and_absent_counts_only_where_it_is_needed(tmp_path: Path, facts: str, expected: str) -> None:
    needs = "\nneeds: [{if: target.runs_at_edge, else: it has no secret}]\nexamples:\n"
    needs += "  in_place: [{verifies_signature: true, runs_at_edge: true}]\n"
    needs += "  not_in_place: [{verifies_signature: false, runs_at_edge: true}]\n"
    needs += "  unknown: [{}, {verifies_signature: true}]\n  not_applicable: [{runs_at_edge: false}]\n"
    library = library_of(
        tmp_path,
        threat("bad", "{good: hinders, base: hinders}"),
        control("good", "target.validates_input", extra="requires: [base]"),
        control("base", extra=f"in_place: target.verifies_signature{needs}"),
    )
    text = MODEL.format(facts=f", validates_input: true, verifies_signature: false{facts}", more="")
    found = only(assessed(tmp_path, text, library)).answers[0].state
    assert found.state == expected
    assert bool(found.asks) == (expected == "unknown")


def neighbouring(folder: Path, apis: str, triggers: str, found: Evidence | None = None) -> Assessment:
    library = library_of(
        folder,
        threat("bad", "{gate: hinders}", applies="true"),
        control("gate", "target.access_logs", scope="api"),
    )
    return assessed(folder, f"name: x\napis: {apis}\nfunctions: {{bot: {{{triggers}}}}}\n", library, found)


def test_the_worst_of_several_neighbours_counts_and_is_named(tmp_path: Path) -> None:
    apis = "{a: {access_logs: true}, b: {access_logs: false}}"
    found = only(neighbouring(tmp_path, apis, "triggers: [{http: GET, api: a}, {http: GET, api: b}]"))
    assert (found.answers[0].state.state, found.answers[0].state.element) == ("absent", "b")


def test_related_to_none_is_not_applicable(tmp_path: Path) -> None:
    result = only(neighbouring(tmp_path, "{a: {}}", "triggers: []")).answers[0].state
    assert (result.state, result.reason) == ("not-applicable", "bot has no api")


def test_an_unknown_relation_is_asked_about(tmp_path: Path) -> None:
    result = only(neighbouring(tmp_path, "{a: {access_logs: true}}", "reads: []")).answers[0].state
    assert result.state == "unknown"
    assert [(ask.kind, ask.name, ask.element) for ask in result.asks] == [("relation", "triggers", "bot")]


def test_a_neighbours_proof_is_a_claim_while_only_the_model_says_who_the_neighbours_are(tmp_path: Path) -> None:
    found = evidence(a={"access_logs": True})
    result = only(neighbouring(tmp_path, "{a: {}}", "triggers: [{http: GET}]", found)).answers[0].state
    assert (result.state, result.level) == ("claimed", 1)
    assert "only the model says which apis bot has" in result.reason


def test_evidence_of_the_relation_makes_a_neighbours_proof_count(tmp_path: Path) -> None:
    from threatmodel.model.system import Reference, Trigger
    from threatmodel.reading.problems import Place

    place = Place("template.yaml", 7, 1)
    trigger = Trigger("http", "GET", Reference("a", place), "", place)
    found = {"a": {"access_logs": [said(value=True)]}, "bot": {"triggers": [Statement((trigger,), "template", place)]}}
    result = only(neighbouring(tmp_path, "{a: {}}", "triggers: [{http: GET}]", found)).answers[0].state
    assert (result.state, result.level) == ("proven", 2)


def test_an_undescribed_plane_is_one_question(tmp_path: Path) -> None:
    library = library_of(
        tmp_path,
        threat("bad", "{good: hinders}", target="pipeline", applies="true"),
        threat("worse", "{good: hinders}", target="pipeline", applies="true"),
        control("good", "target.branch_protected", scope="pipeline"),
    )
    assessment = assessed(tmp_path, "name: x\nfunctions: {f: {}}\n", library)
    assert assessment.applying == ()
    assert [finding.verdict for finding in assessment.possible] == ["undetermined"] * 2
    (question,) = assessment.questions
    assert (question.kind, question.id, question.elements, len(question.decides)) == (
        "describe",
        "platform",
        ("pipeline",),
        2,
    )


def test_all_undescribed_planes_are_one_question(tmp_path: Path) -> None:
    library = library_of(
        tmp_path,
        threat("bad", "{good: hinders}", target="pipeline", applies="true"),
        threat("worse", "{mfa: hinders}", target="account", applies="true"),
        control("good", "target.branch_protected", scope="pipeline"),
        control("mfa", scope="account"),
    )
    (question,) = assessed(tmp_path, "name: x\nfunctions: {f: {}}\n", library).questions
    assert set(question.elements) == {"account", "pipeline"}
    assert "account and pipeline" in question.ask


NEEDING = """
needs:
  - {if: target.uses_secrets, else: it has no secret}
  - {if: target.event_driven, else: nothing starts it by an event}
examples:
  in_place: [{validates_input: true, uses_secrets: true, event_driven: true}]
  not_in_place: [{validates_input: false, uses_secrets: true, event_driven: true}, {validates_input: false}]
  unknown: [{}, {validates_input: true, uses_secrets: true}, {validates_input: true, event_driven: true}]
  not_applicable: [{uses_secrets: false, event_driven: true}, {event_driven: false}]
"""


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ("validates_input: false, triggers: []", "not-applicable"),
        ("validates_input: false", "absent"),
        ("validates_input: true", "unknown"),
        ("triggers: []", "not-applicable"),
    ],
)
def test_an_unknown_need_hides_neither_a_no_nor_another_need(tmp_path: Path, facts: str, expected: str) -> None:
    library = library_of(
        tmp_path,
        threat("bad", "{good: hinders}", applies="true"),
        control("good", extra=f"in_place: target.validates_input{NEEDING}"),
    )
    found = only(assessed(tmp_path, f"name: x\nfunctions: {{f: {{{facts}}}}}\n", library))
    assert found.answers[0].state.state == expected


def test_what_only_word_leaves_out_makes_a_proof_a_claim(tmp_path: Path) -> None:
    library = library_of(
        tmp_path,
        threat("bad", "{good: hinders, gate: hinders}", applies="true"),
        control("good", "target.validates_input", extra="requires: [gate]"),
        control("gate", "target.access_logs", scope="api"),
    )
    model = "name: x\napis: {a: {}}\nfunctions: {f: {triggers: []}}\n"
    found = only(assessed(tmp_path, model, library, evidence(f={"validates_input": True})))
    assert (found.answers[0].state.state, found.answers[1].state.state) == ("claimed", "not-applicable")


def test_everything_unknown_of_several_neighbours_is_asked_about_in_any_order(tmp_path: Path) -> None:
    triggers = "triggers: [{http: GET, api: a}, {http: GET, api: b}]"
    for apis in ("{a: {}, b: {}}", "{b: {}, a: {}}"):
        found = only(neighbouring(tmp_path, apis, triggers)).answers[0].state
        assert (found.state, found.element, {ask.element for ask in found.asks}) == ("unknown", "a", {"a", "b"})


def test_an_attestation_of_tomorrow_does_not_count_today(tmp_path: Path) -> None:
    more = "controls: {good@bot: {attested_by: Ann, on: 2026-11-26, expires: 2027-10-01}}"
    assert state(tmp_path, "", more).state == "unknown"


def test_a_plane_that_nobody_describes_can_be_attested(tmp_path: Path) -> None:
    library = library_of(
        tmp_path, threat("bad", "{plan: hinders}", applies="true"), control("plan", scope="organization")
    )
    more = "controls: {plan: {attested_by: Ann, on: 2026-10-01, expires: 2027-10-01}}"
    found = only(assessed(tmp_path, f"name: x\nfunctions: {{f: {{}}}}\n{more}\n", library))
    assert (found.answers[0].state.state, found.answers[0].state.level) == ("attested", 2)


# --- effects under a condition

WITHOUT_SLACK = "name: x\napis: {api: {}}\nfunctions: {bot: {triggers: [{http: GET, api: api, path: /x}]}}\n"


def test_a_control_of_a_plane_that_is_out_of_scope_is_not_asked_for(tmp_path: Path) -> None:
    library = library_of(
        tmp_path,
        threat("bad", "{rotation: hinders}", applies="true"),
        control("rotation", "target.token_rotation", scope="workspace"),
    )
    slack = only(assessed(tmp_path, MODEL.format(facts="", more=""), library))
    none = only(assessed(tmp_path, WITHOUT_SLACK, library))
    assert (slack.answers[0].state.state, none.answers[0].state.state) == ("unknown", "not-applicable")
    assert (none.verdict, none.claimed) == ("open", none.inherent)
    assert "out of scope: Slack is not part of this system" in none.answers[0].state.reason


KEY = "name: x\nsecrets: {{key: {{{facts}}}}}\nworkspace: {{token_rotation: {rotation}}}\n"
EXAMPLES = """\
examples:
  applies: [{grants: slack-api}, {grants: other}]
"""


def rotated(folder: Path, facts: str, rotation: str = "true", found: Evidence | None = None) -> tuple[Finding, State]:
    """A threat to a secret and the state of rotation, which helps against it for an API token only."""
    name, text = threat("theft", "{rotation: {hinders: it expires, if: target.grants == 'slack-api'}}", target="secret")
    text = re.sub("(?m)^applies:.*", "applies: 'true'", text)
    text = re.sub("(?m)^examples:.*", EXAMPLES, text)
    rotation_control = control("rotation", "target.token_rotation", scope="workspace")
    library = library_of(folder, (name, text), rotation_control)
    finding = only(assessed(folder, KEY.format(facts=facts, rotation=rotation), library, found))
    return finding, finding.answers[0].state


ROTATED = evidence(workspace={"token_rotation": True})
API_TOKEN = evidence(workspace={"token_rotation": True}, key={"grants": "slack-api"})


@pytest.mark.parametrize(
    ("facts", "rotation", "found", "expected", "claimed", "proven"),
    [
        ("grants: slack-api", "true", None, "claimed", 16, 20),
        ("grants: slack-api", "true", ROTATED, "claimed", 16, 20),
        ("grants: slack-api", "true", API_TOKEN, "proven", 16, 16),
        ("grants: slack-api", "false", None, "absent", 20, 20),
        ("grants: slack-app-level", "true", ROTATED, "not-applicable", 20, 20),
        ("grants: slack-app-level", "false", None, "not-applicable", 20, 20),
        ("", "true", ROTATED, "unknown", 20, 20),
        ("", "false", None, "absent", 20, 20),
    ],
)
def test_an_effect_under_a_condition_counts_only_where_it_is_true(
    tmp_path: Path, facts: str, rotation: str, found: Evidence | None, expected: str, claimed: int, proven: int
) -> None:
    finding, result = rotated(tmp_path, facts, rotation, found)
    assert (result.state, finding.claimed.score, finding.proven.score) == (expected, claimed, proven)


def test_what_has_no_effect_is_not_missing(tmp_path: Path) -> None:
    assert rotated(tmp_path, "grants: slack-api", "false")[0].answers[0].is_missing
    for facts in ("grants: slack-app-level", ""):
        finding, _ = rotated(tmp_path, facts, "false")
        assert not finding.answers[0].is_missing
        assert not list(strongest(finding))


def test_the_condition_of_an_effect_is_asked_about(tmp_path: Path) -> None:
    _, result = rotated(tmp_path, "")
    assert result.reason == "it is not known whether it has this effect; not stated: grants"
    assert [ask.name for ask in result.asks] == ["grants"]
    _, result = rotated(tmp_path, "grants: other")
    assert result.reason == "it has no effect on this: grants: other"


def test_a_control_that_would_have_no_effect_changes_nothing_if_it_were_in_place(tmp_path: Path) -> None:
    for facts, after in (("grants: slack-api", 16), ("grants: other", 20), ("", 20)):
        assessment = rotated(tmp_path, facts, "false")[0].states
        finding = rotated(tmp_path, facts, "false")[0]
        again, _ = assessment.assuming({("rotation", "workspace"): True})
        counts = tuple(answer.state.counts for answer in again.answers(finding.threat, finding.target))
        effects = [link.effect for link, (level, _) in zip(finding.threat.links, counts, strict=True) if level > 0]
        assert residual(finding.inherent, effects).score == after
