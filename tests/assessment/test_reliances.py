"""Word never proves, and never hides quietly."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from tests.support import TODAY, assessed, control, evidence, graph_of, library_of, threat
from threatmodel.assessment.assess import assess
from threatmodel.assessment.safety import safety
from threatmodel.reading.problems import InputError

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
    taken = assessed(tmp_path, model(tolerance="high", rest=RATED), library).reliances
    assert [(one.kind, one.what, one.times, one.by, one.reason) for one in taken] == [
        ("rated-lower", "forgery@bot: 16 high made 1 low", 1, "shop-team", "rated by the model: we are small"),
        ("tolerated", "risk_tolerance: high", 0, "shop-team", ""),
    ]
    assert taken[0].place is not None
    assert taken[0].place.line == 9


def test_scope_and_claims_are_told(tmp_path: Path) -> None:
    exposed = threat("exposed", "{signing: hinders}", likelihood=4, impact=4, applies="target.internet_facing")
    library = library_of(tmp_path, exposed, FORGERY, SIGNING)
    (ruled,) = assessed(tmp_path, model(), library).reliances
    assert (ruled.kind, ruled.what, ruled.times) == ("ruled-out-by-claim", "bot.internet_facing: false", 1)
    (gone,) = assessed(tmp_path, model(bot="out_of_scope: another team"), library).reliances
    assert (gone.kind, gone.what, gone.times, gone.reason) == ("out-of-scope", "bot", 1, "another team")


def test_what_follows_from_an_empty_list_alone_is_told_as_that_list(tmp_path: Path) -> None:
    read = threat("read", "{locked: hinders}", target="store", applies="target.personal_data")
    library = library_of(tmp_path, read, control("locked", "target.customer_managed_key", scope="store"))
    (nothing,) = assessed(tmp_path, model(rest="stores:\n  files: {holds: []}\n"), library).reliances
    assert (nothing.kind, nothing.what, nothing.times) == ("ruled-out-by-claim", "files.holds: []", 1)
    data = "data:\n  news: {classification: public, personal: false}\nstores:\n  files: {holds: [news]}\n"
    (told,) = assessed(tmp_path, model(rest=data), library).reliances
    assert told.what == "files.personal_data: false"


def test_evidence_rules_out_without_a_word(tmp_path: Path) -> None:
    exposed = threat("exposed", "{signing: hinders}", likelihood=4, impact=4, applies="target.invocable_by_anyone")
    library = library_of(tmp_path, exposed, SIGNING)
    assert not assessed(tmp_path, model(), library, evidence(bot={"invocable_by_anyone": False})).reliances


ACCEPTED = "accepted_risks:\n  forgery@bot: {risk: 16, reason: so be it, owner: boss, expires: EXPIRES}\n"
ATTESTED = "controls:\n  signing@bot: {attested_by: boss, on: 2026-01-01, expires: EXPIRES}\n"
LONGER = "longest_terms: {acceptance: 730, attestation: 1000}\n"


def test_beyond_the_longest_term_an_acceptance_does_not_count(tmp_path: Path) -> None:
    library = library_of(tmp_path, FORGERY, SIGNING)
    late, early = (ACCEPTED.replace("EXPIRES", day) for day in ("2027-11-27", "2027-11-26"))
    assert [assessed(tmp_path, model(rest=rest), library).findings[0].verdict for rest in (late, early)] == [
        "open",
        "accepted",
    ]
    (finding,) = assessed(tmp_path, model(rest=late + LONGER), library).findings
    assert finding.verdict == "accepted"


def test_an_attestation_counts_until_the_longest_term_ends(tmp_path: Path) -> None:
    library = library_of(tmp_path, FORGERY, control("signing"))
    said = model(rest=ATTESTED.replace("EXPIRES", "2036-01-01"))
    days = datetime.date(2027, 1, 2), datetime.date(2027, 1, 3)
    states = [assessed(tmp_path, said, library, today=day).findings[0].answers[0].state for day in days]
    assert [state.state for state in states] == ["attested", "lapsed"]
    assert states[1].reason == "boss attested it until 2027-01-02"
    longer = assessed(tmp_path, said + LONGER, library, today=days[1])
    assert longer.findings[0].answers[0].state.state == "attested"


def test_longer_terms_and_exclusions_are_told(tmp_path: Path) -> None:
    library = library_of(tmp_path, FORGERY, control("signing"))
    rest = (ACCEPTED + ATTESTED).replace("EXPIRES", "2028-01-01") + LONGER
    taken = assess(graph_of(tmp_path, model(rest=rest)), library, TODAY, ["forgery"]).reliances
    assert [(one.kind, one.what, one.times, one.by) for one in taken] == [
        ("excluded", "forgery", 1, "--exclude"),
        ("long-term", "longest_terms.acceptance: 730 days, not 366", 0, "shop-team"),
        ("long-term", "longest_terms.attestation: 1000 days, not 366", 0, "shop-team"),
        ("long-term", "signing@bot until 2028-01-01", 1, "boss"),
        ("long-term", "forgery@bot until 2028-01-01", 1, "boss"),
    ]


@pytest.mark.parametrize("stated", ["acceptance: 1099", "attestation: 0", "probe: 30", "acceptance: null"])
def test_a_longest_term_is_bounded(tmp_path: Path, stated: str) -> None:
    with pytest.raises(InputError):
        graph_of(tmp_path, model(rest=f"longest_terms: {{{stated}}}\n"))


def test_who_vouches_and_who_accepts_is_told(tmp_path: Path) -> None:
    library = library_of(tmp_path, FORGERY, control("signing"))
    vouched = assessed(tmp_path, model(rest=ATTESTED.replace("EXPIRES", "2026-12-01")), library)
    assert [(one.kind, one.what, one.times, one.by) for one in vouched.reliances] == [
        ("attested", "signing@bot until 2026-12-01", 1, "boss")
    ]
    taken = assessed(tmp_path, model(rest=ACCEPTED.replace("EXPIRES", "2026-12-01")), library)
    assert [(one.kind, one.what, one.by, one.reason) for one in taken.reliances] == [
        ("accepted", "forgery@bot, a risk of 16 at most until 2026-12-01", "boss", "so be it")
    ]


def test_all_is_not_proven_where_somebody_only_vouches_for_it(tmp_path: Path) -> None:
    library = library_of(tmp_path, threat("forgery", "{signing: {stops: x}}", applies="true"), control("signing"))
    vouched = assessed(tmp_path, model(rest=ATTESTED.replace("EXPIRES", "2026-12-01")), library)
    assert [finding.verdict for finding in vouched.findings] == ["mitigated"]
    assert safety(vouched).answer == "within-as-claimed"


def test_what_nobody_says_hides_no_threat_that_claims_would_keep_low(tmp_path: Path) -> None:
    exposed = threat("exposed", "{signing: {stops: x}}", applies="target.calls_language_model")
    library = library_of(tmp_path, exposed, SIGNING)
    claimed = "verifies_signature: true"
    found = assessed(tmp_path, model(bot=claimed), library)
    assert not found.findings
    assert [(one.kind, one.what, one.times, one.by, one.reason) for one in found.reliances] == [
        ("not-stated", "bot.calls_language_model", 1, "", "exposed")
    ]
    assert safety(found).answer == "undetermined"
    proven = assessed(tmp_path, model(), library, evidence(bot={"verifies_signature": True}))
    assert not proven.reliances


@pytest.mark.parametrize(
    ("moves", "stated"),
    [
        ("lowers: [{if: target.uses_layers, impact: 2, because: x}]", "uses_layers: true"),
        ("raises: [{if: target.uses_layers, impact: 5, because: x}]", "uses_layers: false"),
    ],
)
def test_a_claim_that_keeps_a_risk_low_is_told(tmp_path: Path, moves: str, stated: str) -> None:
    examples = "{applies: [{}, {uses_layers: true}, {uses_layers: false}]}"
    path, text = threat("forgery", "{signing: hinders}", applies="true", likelihood=4, impact=4, extra=moves)
    library = library_of(tmp_path, (path, text.replace("{applies: [{}]}", examples)), SIGNING)
    said = assessed(tmp_path, model(bot=stated), library)
    assert [(one.kind, one.what, one.times, one.by) for one in said.reliances] == [
        ("lowered-by-claim", f"bot.{stated}", 1, "shop-team")
    ]
    name, value = stated.split(": ")
    shown = assessed(tmp_path, model(), library, evidence(bot={name: value == "true"}))
    assert not shown.reliances
    assert not assessed(tmp_path, model(), library).reliances


def test_each_claim_has_the_author_of_its_file(tmp_path: Path) -> None:
    shared = threat("shared", "{signing: hinders}", target="account", applies="target.console_users")
    library = library_of(tmp_path, shared, control("signing", "target.root_protected", scope="account"))
    (tmp_path / "platform.yaml").write_text("name: P\nowner: cloud-team\naccount: {console_users: false}\n", "utf-8")
    (told,) = assessed(tmp_path, model(rest="uses: [platform.yaml]\n"), library).reliances
    assert (told.kind, told.what, told.by) == ("ruled-out-by-claim", "account.console_users: false", "cloud-team")
