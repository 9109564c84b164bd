"""Every kind of word that takes something out is told in every output, with its number, its author and its place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import pytest

from tests.support import ARTICLE, TODAY, check_lines, control, graph_of, threat
from threatmodel.assessment.assess import assess
from threatmodel.assessment.assessed import Assessment, RelianceKind
from threatmodel.assessment.gate.baseline import taken
from threatmodel.assessment.gate.missing import with_missing
from threatmodel.library.load import load_library
from threatmodel.render.contract.assessment import contract
from threatmodel.render.reliances import WORDS
from threatmodel.render.report.report import report
from threatmodel.render.summary import summary_text

MODEL = """\
name: Shop
owner: shop-team
risk_tolerance: {tolerance}
apis:
  door: {{{entry_point}}}
functions:
  bot: {{triggers: [{{http: GET, api: door}}], {bot}}}
{rest}"""
RAISED = "raises: [{if: target.uses_layers, impact: 5, because: x}]"
FORGERY = threat("forgery", "{signing: hinders, vouched: {stops: x}}", applies="true", extra=RAISED)
BASE = (
    (FORGERY[0], FORGERY[1].replace("{applies: [{}]}", "{applies: [{}, {uses_layers: true}, {uses_layers: false}]}")),
    threat("spread", "{signing: {stops: x}}", applies="target.calls_language_model"),
    threat("walked-in", "{lock: {stops: x}}", target="api", applies="true"),
    control("signing", "target.verifies_signature"),
    control("vouched"),
    control("lock", "target.mutual_tls", scope="api", extra="public: kept-out"),
)
ACCEPTED = "accepted_risks: {forgery@bot: {risk: 20, reason: so be it, owner: boss, expires: 2027-01-01}}\n"
RULE = "invariants: {r: {of: function, holds: target.uses_layers, severity: low, message: m}}\n"


@dataclass(frozen=True, kw_only=True)
class Said:
    """A model and what is said beside it."""

    tolerance: str = "low"
    entry_point: str = "mutual_tls: false"
    bot: str = ""
    rest: str = ""
    layer: tuple[str, str] | None = None
    excluded: tuple[str, ...] = ()
    gone: bool = False
    by: str = "shop-team"


SAID: dict[RelianceKind, Said] = {
    "rated-lower": Said(rest="ratings: {forgery@bot: {likelihood: 1, reason: we are small}}\n"),
    "tolerated": Said(tolerance="high"),
    "out-of-scope": Said(bot="out_of_scope: another team's"),
    "ruled-out-by-claim": Said(bot="calls_language_model: false"),
    "lowered-by-claim": Said(bot="uses_layers: false"),
    "not-stated": Said(bot="verifies_signature: true", by=""),
    "intended-public": Said(entry_point="mutual_tls: false, public: intended, public_reason: people come in here"),
    "accepted": Said(rest=ACCEPTED, by="boss"),
    "exempted": Said(
        rest=f"{RULE}exemptions: {{r@bot: {{reason: no, owner: boss, expires: 2027-01-01}}}}\n", by="boss"
    ),
    "attested": Said(
        rest="controls: {vouched@bot: {attested_by: boss, on: 2026-11-01, expires: 2027-01-01}}\n", by="boss"
    ),
    "excluded": Said(excluded=("forgery",), by="--exclude"),
    "switched-off": Said(layer=("library.yaml", "name: T\noff: {threats: {forgery: not ours}}\n"), by="library.yaml"),
    "weakened": Said(
        layer=threat("walked-in", "{lock: {stops: x}}", target="api", applies="true", impact=1), by=".yaml"
    ),
    "replaced": Said(
        layer=threat("walked-in", "{lock: {stops: x}}", target="api", applies="true", extra="aliases: [door]"),
        by=".yaml",
    ),
    "long-term": Said(rest="longest_terms: {attestation: 700}\n"),
    "missing-since-baseline": Said(gone=True),
}


def assessment_of(folder: Path, said: Said) -> Assessment:
    base, team = folder / "base", folder / "team"
    for root, files in ((base, (("article.yaml", ARTICLE), *BASE)), (team, (said.layer,) if said.layer else ())):
        for name, text in files:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
    library = load_library(base, layers=[team] if said.layer else [])
    text = MODEL.format(tolerance=said.tolerance, entry_point=said.entry_point, bot=said.bot, rest=said.rest)
    found = assess(graph_of(folder, text), library, TODAY, said.excluded)
    if not said.gone:
        return found
    more = text.replace("functions:\n", "functions:\n  other: {triggers: []}\n")
    return with_missing(found, taken(assess(graph_of(folder, more), library, TODAY), ()))


def test_every_kind_has_an_example() -> None:
    assert SAID.keys() == set(get_args(RelianceKind)) == WORDS.keys()


@pytest.mark.parametrize("kind", SAID)
def test_it_is_told_everywhere(tmp_path: Path, kind: RelianceKind) -> None:
    said = SAID[kind]
    assessment = assessment_of(tmp_path, said)
    told = [one for one in assessment.reliances if one.kind == kind]
    assert told[0].by.endswith(said.by)
    assert told[0].place is not None or kind == "excluded"
    first_page = report(assessment, "md").partition("## What to do")[0]
    for text in (check_lines(assessment), summary_text(assessment, []), first_page, report(assessment, "html")):
        flat = " ".join(text.split())
        assert f"{len(told)} {WORDS[kind][len(told) > 1]}" in flat
        assert said.by in flat
    rows = [one for one in contract(assessment)["reliances"] if one["kind"] == kind]
    assert [(one["what"], one["by"]) for one in rows] == [(one.what, one.by) for one in told]
    if told[0].place is not None and told[0].place.line > 1:
        assert str(told[0].place.line) in check_lines(assessment)
