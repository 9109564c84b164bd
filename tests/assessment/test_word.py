"""Word never proves, and never hides quietly."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import TODAY, assessed, control, evidence, graph_of, library_of, threat
from threatmodel.assessment.assess import assess

MODEL = """\
name: Shop
owner: shop-team
risk_tolerance: {tolerance}
functions:
  bot:
    triggers: []
    {bot}
{rest}"""
FORGERY = threat("forgery", "{signing: hinders}", applies="true", likelihood=4, impact=4)
SIGNING = control("signing", "target.verifies_signature")


def model(*, tolerance: str = "low", bot: str = "", rest: str = "") -> str:
    return MODEL.format(tolerance=tolerance, bot=bot, rest=rest)


RATED = "ratings:\n  forgery@bot: {likelihood: 1, impact: 1, reason: we are small}\n"
LOW = "criticality: low\n    criticality_reason: nobody needs it"


@pytest.mark.parametrize(
    "said",
    [
        model(rest=RATED),
        model(tolerance="high"),
        model(bot=LOW),
    ],
)
def test_word_moves_no_proven_cell(said: str, tmp_path: Path) -> None:
    library = library_of(tmp_path, FORGERY, SIGNING)
    plain, moved = (assessed(tmp_path, text, library).findings[0] for text in (model(), said))
    assert plain.proven == moved.proven
    assert moved.verdict != "mitigated"


def test_a_rating_that_raises_moves_all_cells(tmp_path: Path) -> None:
    library = library_of(tmp_path, FORGERY, SIGNING)
    rest = "ratings:\n  forgery@bot: {likelihood: 5, impact: 5, reason: we are a target}\n"
    (finding,) = assessed(tmp_path, model(rest=rest), library).findings
    assert finding.proven.score == finding.inherent.score == 25


def test_what_lowers_is_told(tmp_path: Path) -> None:
    library = library_of(tmp_path, FORGERY, SIGNING)
    taken = assessed(tmp_path, model(tolerance="high", rest=RATED), library).taken_out
    assert [(one.kind, one.what, one.times, one.by, one.reason) for one in taken] == [
        ("rated-lower", "forgery@bot: 16 high made 1 low", 1, "shop-team", "rated by the model: we are small"),
        ("tolerated", "risk_tolerance: high", 0, "shop-team", ""),
    ]
    assert taken[0].place is not None
    assert taken[0].place.line == 9


def test_scope_and_claims_are_told(tmp_path: Path) -> None:
    exposed = threat("exposed", "{signing: hinders}", likelihood=4, impact=4, applies="target.internet_facing")
    library = library_of(tmp_path, exposed, FORGERY, SIGNING)
    (ruled,) = assessed(tmp_path, model(), library).taken_out
    assert (ruled.kind, ruled.what, ruled.times) == ("ruled-out", "bot.internet_facing: false", 1)
    (gone,) = assessed(tmp_path, model(bot="out_of_scope: another team"), library).taken_out
    assert (gone.kind, gone.what, gone.times, gone.reason) == ("out-of-scope", "bot", 1, "another team")


def test_evidence_rules_out_without_a_word(tmp_path: Path) -> None:
    exposed = threat("exposed", "{signing: hinders}", likelihood=4, impact=4, applies="target.invocable_by_anyone")
    library = library_of(tmp_path, exposed, SIGNING)
    assert not assessed(tmp_path, model(), library, evidence(bot={"invocable_by_anyone": False})).taken_out


def test_long_terms_and_exclusions_are_told(tmp_path: Path) -> None:
    library = library_of(tmp_path, FORGERY, SIGNING)
    rest = (
        "accepted_risks:\n  forgery@bot: {risk: 16, reason: so be it, owner: boss, expires: 2036-01-01}\n"
        "controls:\n  signing@bot: {attested_by: boss, on: 2026-01-01, expires: 2036-01-01}\n"
    )
    taken = assess(graph_of(tmp_path, model(rest=rest)), library, TODAY, ["forgery"]).taken_out
    assert [(one.kind, one.what, one.by) for one in taken] == [
        ("excluded", "forgery", "--exclude"),
        ("long-term", "signing@bot until 2036-01-01", "boss"),
        ("long-term", "forgery@bot until 2036-01-01", "boss"),
    ]
