"""What fails a check, by whose rules: acceptances and attestations fail closed, and a policy is never laxer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import HOME, assessed, check_lines, failing
from threatmodel.assessment.gate.judging import judge
from threatmodel.assessment.gate.policy import load_policy
from threatmodel.assessment.gate.results import Rules, under
from threatmodel.assessment.risk import Cell
from threatmodel.graph.elements import WORK_LIMIT, Read
from threatmodel.library.entries import Library
from threatmodel.library.load import load_library
from threatmodel.reading.files import Files
from threatmodel.reading.problems import InputError, Place, Problem
from threatmodel.reading.values import replace


@pytest.fixture(scope="module")
def library() -> Library:
    return load_library(HOME / "threatlib", Files())


MODEL = "name: Shop\nfunctions:\n  bot: {{role_wildcard_action: true}}\naccepted_risks:\n  {accepted}\n"
FINDING = "over-privileged-role@bot"


def codes(tmp_path: Path, library: Library, accepted: str, **rules: object) -> set[str]:
    text = MODEL.format(accepted=f"{accepted}")
    found = failing(assessed(tmp_path, text, library), fail_on="critical", allow_undetermined=True, **rules)
    return {result.code for result in found}


def accepting(risk: int = 25, expires: str = "2027-03-01", finding: str = FINDING) -> str:
    return f"{finding}: {{risk: {risk}, reason: a pilot, owner: team, expires: {expires}}}"


def test_an_acceptance_that_holds_fails_nothing(tmp_path: Path, library: Library) -> None:
    assert codes(tmp_path, library, accepting()) == set()


@pytest.mark.parametrize(
    ("accepted", "code"),
    [
        (accepting(expires="2026-11-24"), "lapsed-acceptance"),
        (accepting(expires="2027-11-27"), "long-acceptance"),
        (accepting(risk=1), "exceeded-acceptance"),
        (accepting(finding="code-from-a-request@bot"), ""),
    ],
)
def test_an_acceptance_fails_closed(tmp_path: Path, library: Library, accepted: str, code: str) -> None:
    if not code:
        with pytest.raises(InputError, match="unknown-threat"):
            codes(tmp_path, library, accepted)
        return
    assert codes(tmp_path, library, accepted) == {code}
    text = check_lines(
        assessed(tmp_path, MODEL.format(accepted=accepted), library), fail_on="critical", allow_undetermined=True
    )
    assert f"model.yaml:5:3: {code}: {FINDING}: " in text


def test_a_lapsed_acceptance_leaves_the_finding_at_its_own_band(tmp_path: Path, library: Library) -> None:
    lapsed = assessed(tmp_path, MODEL.format(accepted=accepting(expires="2026-11-24")), library)
    bare = assessed(tmp_path, MODEL.partition("accepted_risks")[0].replace("{{", "{").replace("}}", "}"), library)
    found = [next(f for f in one.findings if f.id == FINDING) for one in (lapsed, bare)]
    assert found[0].verdict == found[1].verdict != "accepted"
    assert found[0].claimed == found[1].claimed


def test_an_acceptance_of_what_is_gone_fails(tmp_path: Path, library: Library) -> None:
    text = "name: x\nfunctions: {bot: {calls_language_model: false}}\naccepted_risks:\n  " + accepting(
        finding="unbounded-consumption@bot"
    )
    found = failing(assessed(tmp_path, text, library), fail_on="critical")
    assert [result.code for result in found if result.name == "unbounded-consumption@bot"] == ["needless-acceptance"]


def test_acceptances_can_be_ignored_and_acceptors_named(tmp_path: Path, library: Library) -> None:
    assert codes(tmp_path, library, accepting(), acceptors=("security",)) == {"not-an-acceptor"}
    assert codes(tmp_path, library, accepting(), acceptors=("team",)) == set()


def test_an_acceptance_of_a_higher_band_than_there_is_is_warned_of(tmp_path: Path, library: Library) -> None:
    for risk, codes_ in ((25, ["wide-acceptance"]), (15, [])):
        found = judge(assessed(tmp_path, MODEL.format(accepted=accepting(risk=risk)), library), Rules())
        assert [one.code for one in found if one.code.endswith("acceptance")] == codes_
        assert not [one for one in found if one.fails and one.code.endswith("acceptance")]


def test_a_policy_bounds_the_longest_term_of_a_model_and_lengthens_none(tmp_path: Path, library: Library) -> None:
    late = accepting(expires="2027-11-27")
    longer = f"{late}\nlongest_terms: {{acceptance: 730}}"
    assert "long-acceptance" in codes(tmp_path, library, late, longest_acceptance=730)
    assert codes(tmp_path, library, longer, longest_acceptance=730) == set()
    assert "long-acceptance" in codes(tmp_path, library, longer, longest_acceptance=366)


def test_a_policy_is_read_and_options_make_it_only_stricter(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(
        "fail_on: medium\nrequire_proof: true\nlongest_terms: {acceptance: 90}\nrequired_evidence: [template]\n"
        "acceptors: [security]\ntolerance: low\n",
        encoding="utf-8",
    )
    policy = load_policy(Files(), path)
    rules = under(policy, Rules(fail_on="critical", allow_undetermined=True, strict=True))
    assert (rules.fail_on, rules.require_proof, rules.strict, rules.allow_undetermined) == ("medium", True, True, False)
    assert (rules.longest_acceptance, rules.longest_attestation) == (90, 366)
    assert (rules.required_evidence, rules.acceptors, rules.tolerance) == (("template",), ("security",), "low")


@pytest.mark.parametrize("policy", ["low", "medium", "high"])
@pytest.mark.parametrize("asked", ["low", "medium", "high"])
def test_the_lower_of_two_bands_fails(policy: str, asked: str) -> None:
    bands = ("low", "medium", "high")
    assert under(Rules(fail_on=policy), Rules(fail_on=asked)).fail_on == min(policy, asked, key=bands.index)


def test_an_accepted_risk_fails_where_more_than_that_is_proven(tmp_path: Path, library: Library) -> None:
    found = assessed(tmp_path, MODEL.format(accepted=accepting(risk=12)), library)
    (finding,) = (one for one in found.findings if one.id == FINDING)
    assert (finding.verdict, finding.claimed.score) == ("accepted", 12)
    for proven, fails in ((finding.claimed, False), (Cell(5, 5), True)):
        risen = replace(found, findings=(finding._replace(proven=proven),))
        (result,) = (one for one in judge(risen, Rules(require_proof=True)) if one.name == FINDING and one.score)
        assert (result.fails, bool(result.accepted)) == (fails, not fails)
        assert not any(one.fails for one in judge(risen, Rules()) if one.name == FINDING)


def test_evidence_that_was_not_worked_out_whole_is_warned_of(tmp_path: Path, library: Library) -> None:
    found = assessed(tmp_path, MODEL.format(accepted=accepting()), library)
    notes = tuple(Problem(code=code, place=Place("t.yaml"), message=code) for code in (WORK_LIMIT, "assumed"))
    read = Read(file="t.yaml", kind="template", elements={}, notes=notes)
    limited = replace(found, graph=replace(found.graph, evidence=(read,)))
    results = [one for one in judge(limited, Rules()) if one.place == Place("t.yaml", 0)]
    assert [(one.code, one.message, one.warns, one.fails) for one in results] == [(WORK_LIMIT, WORK_LIMIT, True, False)]


def test_a_policy_that_asks_for_what_is_not_there_fails_the_model(tmp_path: Path, library: Library) -> None:
    text = "name: x\nfunctions: {bot: {verifies_signature: true}}\n"
    rules = {"required_evidence": ("template",), "proven_controls": ("slack-request-signing",)}
    found = failing(assessed(tmp_path, text, library), fail_on="critical", allow_undetermined=True, **rules)
    assert {result.code for result in found} >= {"no-evidence", "not-proven"}


def test_what_word_takes_out_fails_where_rules_are_strict(tmp_path: Path, library: Library) -> None:
    text = "name: x\nrisk_tolerance: high\nfunctions: {bot: {}}\n"
    assert not [one for one in failing(assessed(tmp_path, text, library)) if one.code == "relies-on-statement"]
    assert [one for one in failing(assessed(tmp_path, text, library), strict=True) if one.code == "relies-on-statement"]
