"""A baseline: day one is green, and later only what is new, worse or proven no more fails."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.nodes import changed_at_each_node
from tests.support import HOME, TODAY, assessed, evidence
from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.gate.baseline import since, taken
from threatmodel.assessment.gate.baseline_file import read, written
from threatmodel.assessment.gate.judging import judge
from threatmodel.assessment.gate.known import Baseline, KnownFinding
from threatmodel.assessment.gate.missing import with_missing
from threatmodel.assessment.gate.results import CheckResult, Rules
from threatmodel.graph.elements import Read, Source
from threatmodel.library.entries import Library
from threatmodel.library.load import load_library
from threatmodel.reading.files import Files
from threatmodel.reading.problems import InputError, Place

RULES = Rules(fail_on="low")
BAD = "role_wildcard_action: true"
MODEL = "name: Shop\nfunctions:\n  bot: {role_wildcard_action: false}\n"


@pytest.fixture(scope="module")
def library() -> Library:
    return load_library(HOME / "threatlib", Files())


def failing(before: Assessment, now: Assessment) -> list[CheckResult]:
    baseline = taken(before, judge(before, RULES))
    (again,) = read(written({"m": baseline}), Place("b.json"), TODAY).values()
    assert again == baseline
    return [result for result in since(again, now, judge(now, RULES)) if result.fails]


def test_what_was_there_fails_no_more(tmp_path: Path, library: Library) -> None:
    text = "name: Shop\nfunctions: {bot: {validates_input: true}}\n"
    found = assessed(tmp_path, text, library, evidence(bot={"validates_input": False}))
    assert {result.code for result in judge(found, RULES) if result.fails} >= {"drift", "contradicted"}
    assert failing(found, found) == []


def test_what_is_new_or_worse_fails_and_says_so(tmp_path: Path, library: Library) -> None:
    before = assessed(tmp_path, MODEL, library)
    worse = assessed(tmp_path, MODEL.replace("false", "true"), library)
    found = {result.name: result.since for result in failing(before, worse)}
    assert found["over-privileged-role@bot"] == "worse"
    more = assessed(tmp_path, MODEL + "  other: {}\n", library)
    found = {result.name: result.since for result in failing(before, more)}
    assert {name.rpartition("@")[2] for name in found} == {"other"}
    assert set(found.values()) == {"new"}
    assert failing(worse, before) == []


@pytest.mark.parametrize("part", ["claimed", "proven"])
def test_a_finding_is_worse_by_either_of_its_risks(tmp_path: Path, library: Library, part: str) -> None:
    found = assessed(tmp_path, MODEL.replace("false", "true"), library)
    baseline = taken(found, judge(found, RULES))
    for less, expected in ((0, "known"), (1, "worse")):
        known = baseline.findings["over-privileged-role@bot"]
        lower = replace(known, **{part: getattr(known, part) - less})
        before = replace(baseline, findings={**baseline.findings, "over-privileged-role@bot": lower})
        (result,) = (one for one in since(before, found, judge(found, RULES)) if one.name == "over-privileged-role@bot")
        assert (result.since, result.fails) == (expected, less > 0)


def test_the_finding_that_rose_most_comes_first(tmp_path: Path, library: Library) -> None:
    found = assessed(tmp_path, "name: Shop\nfunctions: {a: {BAD}, b: {BAD}, c: {BAD}}\n".replace("BAD", BAD), library)
    baseline = taken(found, judge(found, RULES))
    names = [f"over-privileged-role@{name}" for name in "abc"]
    for rises in ((1, 2, 3), (3, 1, 2)):
        lower = {
            name: replace(baseline.findings[name], claimed=baseline.findings[name].claimed - rise)
            for name, rise in zip(names, rises, strict=True)
        }
        now = since(replace(baseline, findings={**baseline.findings, **lower}), found, judge(found, RULES))
        expected = sorted(names, key=lambda name: -rises[names.index(name)])
        assert [one.name for one in now if one.fails and one.name in names] == expected


def test_a_proof_of_a_control_that_the_library_no_longer_has_is_not_lost(tmp_path: Path, library: Library) -> None:
    found = assessed(tmp_path, MODEL, library)
    baseline = taken(found, judge(found, RULES))
    known = {
        name: replace(one, proved_by=("no-such-control@bot", "tracing@gone")) for name, one in baseline.findings.items()
    }
    now = since(replace(baseline, findings=known), found, judge(found, RULES))
    assert [one for one in now if one.code == "lost-proof"] == []


def test_proof_that_went_away_fails_although_nothing_else_does(tmp_path: Path, library: Library) -> None:
    before = assessed(tmp_path, MODEL, library, evidence(bot={"tracing": True, "reserved_concurrency": 5}))
    after = assessed(
        tmp_path, "name: Shop\nfunctions:\n  bot: {role_wildcard_action: false, reserved_concurrency: 5}\n", library
    )
    lost = [result.name for result in failing(before, after) if result.code == "lost-proof"]
    assert "reserved-concurrency@bot" in lost
    assert [result for result in failing(before, before) if result.code == "lost-proof"] == []


def test_an_acceptance_that_lapses_later_is_worse(tmp_path: Path, library: Library) -> None:
    text = (
        "name: Shop\nfunctions: {bot: {role_wildcard_action: true}}\naccepted_risks:\n"
        "  over-privileged-role@bot: {risk: 25, reason: a pilot, owner: team, expires: 2026-12-01}\n"
    )
    before = assessed(tmp_path, text, library)
    after = assessed(tmp_path, text, library, today=datetime.date(2026, 12, 2))
    codes = {(result.code, result.since) for result in failing(before, after)}
    assert ("lapsed-acceptance", "new") in codes
    assert any(since == "worse" for _, since in codes)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        "{}",
        '{"format": "tm-baseline/3", "models": {}}',
        '{"format": "tm-baseline/2", "models": {"m": {}}}',
        '{"format": "tm-baseline/1", "models": {"m": 1}}',
    ],
)
def test_what_is_no_baseline_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="unusable-baseline"):
        read(text, Place("b.json"), TODAY)


@given(st.text())
def test_no_text_makes_the_reader_crash(text: str) -> None:
    with pytest.raises(InputError):
        read(text, Place("b.json"), TODAY)


def test_the_same_findings_are_the_same_bytes() -> None:
    known = {name: KnownFinding(verdict="open", claimed=9, proven=9, proved_by=()) for name in ("b@x", "a@x")}
    one = Baseline(name="x", day=TODAY, findings=known, others=frozenset({"drift:b", "drift:a"}), evidence={})
    other = Baseline(
        name="x",
        day=TODAY,
        findings=dict(reversed(known.items())),
        others=frozenset({"drift:a", "drift:b"}),
        evidence={},
    )
    assert written({"m": one}) == written({"m": other})


SHOWN = evidence(bot={"tracing": True})
READ = (Read(file="template.yaml", kind="template", elements={"bot": "Bot"}),)


def with_files(assessment: Assessment, *read: Read) -> Assessment:
    return replace(assessment, graph=replace(assessment.graph, evidence=read))


def test_evidence_that_went_missing_fails_and_is_told(tmp_path: Path, library: Library) -> None:
    probe = Read(file="bot.probe.json", kind="probe", elements={"bot": "app.py"})
    before = with_files(assessed(tmp_path, MODEL, library), *READ, probe, probe)
    for left, kinds in (((probe,), ["probe", "template"]), (READ, ["probe"]), ((*READ, probe, probe), [])):
        now = with_files(assessed(tmp_path, MODEL, library), *left)
        gone = [result for result in failing(before, now) if result.code == "missing-evidence"]
        assert sorted(result.name for result in gone) == kinds
        told = with_missing(now, taken(before, judge(before, RULES)))
        assert sorted(one.what for one in told.reliances if one.kind == "missing-since-baseline") == [
            f"{kind} of bot" for kind in kinds
        ]


def test_what_statements_take_out_is_told_beside_what_went_missing(tmp_path: Path, library: Library) -> None:
    stated = "name: Shop\nfunctions:\n  bot: {out_of_scope: another team}\n"
    before = with_files(assessed(tmp_path, stated, library), *READ)
    now = with_files(assessed(tmp_path, stated, library))
    assert now.reliances
    told = with_missing(now, taken(before, judge(before, RULES))).reliances
    assert "missing-since-baseline" in {one.kind for one in told}
    assert set(now.reliances) <= set(told)


def test_an_element_that_is_gone_is_told_with_its_findings(tmp_path: Path, library: Library) -> None:
    before = assessed(tmp_path, MODEL + "  other: {}\n", library)
    now = assessed(tmp_path, MODEL, library)
    assert failing(before, now) == []
    (told,) = (one for one in with_missing(now, taken(before, ())).reliances if one.kind == "missing-since-baseline")
    assert told.what.startswith("element other, with ")
    assert told.times == sum(finding.target.id == "other" for finding in before.findings)


@pytest.mark.parametrize(("shown", "told"), [(True, 0), (False, 1)])
def test_a_finding_that_only_word_denies_is_told_and_one_that_evidence_denies_is_not(
    tmp_path: Path, library: Library, *, shown: bool, told: int
) -> None:
    before = assessed(tmp_path, MODEL, library, evidence(bot={"uses_layers": True}))
    assert "malicious-layer@bot" in {finding.id for finding in before.applying}
    denied = evidence(bot={"uses_layers": False}) if shown else None
    now = assessed(tmp_path, MODEL.replace("{role", "{uses_layers: false, role"), library, denied)
    assert "malicious-layer@bot" not in {finding.id for finding in now.applying}
    found = with_missing(now, taken(before, ())).reliances
    assert sum("malicious-layer" in one.what for one in found if one.kind == "missing-since-baseline") == told


def sealed(one: dict[str, Any]) -> dict[str, Any]:
    """A model's part of a baseline with the digest that anyone can work out."""
    rest = {key: value for key, value in one.items() if key != "sha256"}
    return rest | {"sha256": hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()}


def test_a_baseline_without_the_names_of_its_files_is_read_and_says_how_to_renew_it(
    tmp_path: Path, library: Library
) -> None:
    before = with_files(assessed(tmp_path, MODEL, library), *READ)
    whole = json.loads(written({"m": taken(before, ())}))
    del whole["models"]["m"]["sources"]
    whole["models"]["m"] = sealed(whole["models"]["m"])
    (old,) = read(json.dumps(whole), Place("b.json"), TODAY).values()
    assert old.aged(TODAY).endswith(", without the names of evidence files: renew it with --update-baseline")
    now = assessed(tmp_path, MODEL, library)
    assert [one.name for one in since(old, now, judge(now, RULES)) if one.code == "missing-evidence"] == ["template"]
    assert json.loads(written({"m": old})) == whole, "of a model that a run leaves out it is kept as it is"


@pytest.mark.parametrize("change", ["no digest", "format 1", "future", "no day", "deep"])
def test_what_cannot_be_trusted_is_refused_with_the_command_that_renews_it(
    tmp_path: Path, library: Library, change: str
) -> None:
    whole = json.loads(written({"m": taken(assessed(tmp_path, MODEL, library), ())}))
    one = whole["models"]["m"]
    if change == "no digest":
        del one["sha256"]
    elif change == "format 1":
        whole["format"] = "tm-baseline/1"
    else:
        day = {"future": str(TODAY + datetime.timedelta(days=2)), "no day": "soon"}.get(change, str(TODAY))
        whole["models"]["m"] = sealed(one | {"taken_on": day})
    text = json.dumps(whole)
    if change == "deep":
        text = text.replace('"name"', f'"more": {"[" * 900}{"]" * 900}, "name"', 1)
    with pytest.raises(InputError) as caught:
        read(text, Place("b.json"), TODAY)
    (problem,) = caught.value.problems
    assert problem.code == "unusable-baseline"
    assert problem.hint == "remove it and create a new one: tm check --baseline b.json --write-baseline"


def test_where_it_is_tomorrow_already_a_baseline_is_no_future_one(tmp_path: Path, library: Library) -> None:
    text = written({"m": taken(assessed(tmp_path, MODEL, library), ())})
    assert read(text, Place("b.json"), TODAY - datetime.timedelta(days=1))


@pytest.mark.parametrize("put", [None, [], {}, 1, 1.5, True, "x", "\ud800", [[]], {"x": None}, "removed"], ids=repr)
def test_whatever_stands_at_a_place_of_it_is_read_or_refused(tmp_path: Path, library: Library, put: Any) -> None:
    """Each node in turn, as it is and sealed again as an attacker would: a problem of this one code, or none."""
    source = Source("template.yaml", {"stage": "prod"}, "0" * 64, Place("m"))
    found = with_files(assessed(tmp_path, MODEL, library), replace(READ[0], source=source))
    whole = json.loads(written({"m": taken(found, judge(found, RULES))}))
    one = whole["models"]["m"]
    one["findings"] = dict(list(one["findings"].items())[:2])
    changed = list(changed_at_each_node(whole, put))
    refused = [codes for one in changed for each in (one, resealed(one)) if (codes := refusals(json.dumps(each)))]
    assert len(refused) > 20
    assert set().union(*refused) == {"unusable-baseline"}


def refusals(text: str) -> set[str]:
    try:
        read(text, Place("b.json"), TODAY)
    except InputError as error:
        return {problem.code for problem in error.problems}
    return set()


def resealed(whole: Any) -> Any:
    if not isinstance(whole, dict) or not isinstance(whole.get("models"), dict):
        return whole
    models = {name: sealed(one) if isinstance(one, dict) else one for name, one in whole["models"].items()}
    return whole | {"models": models}


def with_source(assessment: Assessment, *sources: tuple[str, str, dict[str, str], dict[str, str]]) -> Assessment:
    read = (
        Read(file=path, kind=kind, elements=elements, source=Source(path, chosen, "0" * 64, Place("m.yaml", 3)))
        for kind, path, chosen, elements in sources
    )
    return with_files(assessment, *read)


KNOWN: tuple[str, str, dict[str, str], dict[str, str]] = ("template", "template.yaml", {}, {"bot": "Bot"})


@pytest.mark.parametrize(
    ("now", "told"),
    [
        ([("template", "golden/template.yaml", {}, {"bot": "Bot"})], ["template golden/template.yaml"]),
        ([("template", "template.yaml", {}, {"bot": "Good"})], ["template template.yaml"]),
        ([("template", "template.yaml", {"parameters": "golden.toml"}, {"bot": "Bot"})], ["template template.yaml"]),
        ([("template", "template.yaml", {"stage": "test"}, {"bot": "Bot"})], ["template template.yaml"]),
        ([("template", "template.yaml", {"environment": "x"}, {"bot": "Bot"})], ["template template.yaml"]),
        ([KNOWN, ("template", "golden.yaml", {}, {"bot": "Bot"})], ["template golden.yaml"]),
        ([KNOWN, ("template", "more.yaml", {}, {"other": "Other"})], []),
        ([KNOWN, ("probe", "bot.probe.json", {}, {"bot": "app.py"})], []),
        ([("template", "template.yaml", {}, {"bot": "Bot", "other": "Other"})], []),
        ([KNOWN], []),
    ],
)
def test_evidence_that_is_swapped_fails_and_what_is_added_does_not(
    tmp_path: Path, library: Library, now: list[Any], told: list[str]
) -> None:
    model = assessed(tmp_path, MODEL, library)
    found = failing(with_source(model, KNOWN), with_source(model, *now))
    assert [one.name for one in found if one.code == "swapped-evidence"] == told
    assert all(one.place == Place("m.yaml", 3) for one in found if one.code == "swapped-evidence")


def test_a_file_that_shows_the_account_alone_is_missed_too(tmp_path: Path, library: Library) -> None:
    model = assessed(tmp_path, MODEL, library)
    account: tuple[str, str, dict[str, str], dict[str, str]] = ("template", "account.yaml", {}, {})
    found = failing(with_source(model, KNOWN, account), with_source(model, KNOWN))
    assert [(one.code, one.name, one.rule) for one in found] == [
        ("swapped-evidence", "template account.yaml", "swapped-evidence")
    ]
    assert failing(with_source(model, KNOWN, account), with_source(model, KNOWN, account)) == []
    apart: tuple[str, str, dict[str, str], dict[str, str]] = ("template", "account.yaml", {"environment": "test"}, {})
    (moved,) = failing(with_source(model, KNOWN, account), with_source(model, KNOWN, apart))
    assert (moved.code, moved.place) == ("swapped-evidence", Place("m.yaml", 3))  # what it opens is no longer read


@pytest.mark.parametrize("choice", [{"stage": "a"}, {"stage": "b"}], ids=["a", "b"])
def test_one_file_may_be_read_in_two_ways(tmp_path: Path, library: Library, choice: dict[str, str]) -> None:
    model = assessed(tmp_path, MODEL, library)
    kind, path, _, elements = KNOWN
    ways = [(kind, path, {"stage": name}, elements) for name in "ab"]
    before = with_source(model, *ways)
    assert failing(before, with_source(model, *reversed(ways))) == []
    assert failing(with_source(model, (kind, path, choice, elements)), before) != []


EDITS: list[Callable[[dict[str, Any]], object]] = [
    lambda one: one["findings"].clear(),
    lambda one: one["findings"]["over-privileged-role@bot"].update(claimed=25, proven=25, verdict="open"),
    lambda one: one["findings"]["over-privileged-role@bot"].update(proved_by=["x@bot"]),
    lambda one: one["others"].append("drift:bot.tracing"),
    lambda one: one["evidence"].clear(),
    lambda one: one["evidence"]["template"].update(bot=0),
    lambda one: one.update(taken_on="2020-01-01"),
    lambda one: one.update(name="Another"),
    lambda one: one.update(more=1),
    lambda one: one.pop("sha256"),
    lambda one: one.update(sha256="0" * 64),
]


@pytest.mark.parametrize("edit", EDITS)
def test_a_baseline_that_was_edited_by_hand_is_refused(
    tmp_path: Path, library: Library, edit: Callable[[dict[str, Any]], object]
) -> None:
    found = with_files(assessed(tmp_path, MODEL, library, SHOWN), *READ)
    whole = json.loads(written({"m": taken(found, judge(found, RULES))}))
    assert read(json.dumps(whole), Place("b.json"), TODAY)
    edit(whole["models"]["m"])
    with pytest.raises(InputError, match="unusable-baseline"):
        read(json.dumps(whole), Place("b.json"), TODAY)
