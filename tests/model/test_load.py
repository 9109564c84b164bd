"""Loading models: what a model says, and what the user reads where it makes no sense."""

# ruff: noqa: E501 - a case on one line is read as one

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

from tests.refusals import marked, places_in, problems_of, refused, write
from tests.support import HOME, TODAY, control, library_of, system_of, threat
from threatmodel.assessment.assess import assess
from threatmodel.graph.building import build
from threatmodel.model.facts import Statement
from threatmodel.model.load import load_model
from threatmodel.model.system import Reference
from threatmodel.reading.files import Files
from threatmodel.reading.problems import InputError, Place
from threatmodel.reading.source import parse

Golden = Callable[[str, str], None]

SHOP = "name: Shop\nfunctions:\n  order-bot: {}\n"

MODELS = {
    "misspelt-key": "name: Shop\n§functoins:\n  order-bot: {}\nfunctions:\n  order-bot: {§runtme: python3.13, §Reads: []}\n",
    "unknown-key": SHOP + "§zebra: 1\nfunctions-of-mine: {}\n".replace("functions-of-mine", "§apples"),
    "evidence-twice": SHOP
    + "evidence:\n  - {template: t.yaml, stage: p, parameters: p.toml}\n  - {template: t.yaml, environment: test}\n"
    + "  - {parameters: p.toml, stage: p, template: §./t.yaml}\n",
    "stage-of-a-template": SHOP + "evidence:\n  - {template: t.yaml, §stage: prod}\n",
    "no-name": "§functions:\n  order-bot: {}\n",
    "no-function": "§name: Shop\n",
    "flag-expected": SHOP.replace("{}", "{in_vpc: §yes, role_shared: §1, code_signing: enforce}"),
    "number-expected": SHOP.replace(
        "{}", "{timeout_seconds: §soon, reserved_concurrency: §-1, log_retention_days: §1.5}"
    ),
    "word-expected": SHOP.replace("{}", "{code_signing: §enforced, egress: §true, package_format: §{zip: 1}}"),
    "text-expected": "name: §2026\nowner: §[team]\ndescription: §''\nscope: §null\nfunctions:\n  order-bot: {}\n",
    "list-expected": SHOP.replace("{}", "{reads: §orders, writes: §{orders: 1}, triggers: §7}"),
    "incomplete-list": SHOP.replace(
        "{}", "{incomplete: [§tables, §runtime, reads], triggers: []}\n  b: {incomplete: {§tables: x, writes: §''}}"
    )
    + "  c: {incomplete: §reads}\n  d: {incomplete: §[]}\nsecrets:\n  key: {§incomplete: [triggers]}\n"
    + "stores:\n  orders: {incomplete: [§reads]}\naccount: {§incomplete: [holds]}\n",
    "mapping-expected": "name: Shop\nstores: §[orders]\nfunctions:\n  order-bot: §python\n",
    "text-too-long": "name: §" + "x" * 121 + "\nfunctions:\n  order-bot: {}\n",
    "blank-values": "name:§\nstores:§\nfunctions:\n  §order-bot:\n  pay-bot: {reads§: , runtime§: , reserved_concurrency: null}\n".replace(
        "§order-bot:", "order-bot:§"
    )
    .replace("reads§: ,", "reads: §,")
    .replace("runtime§: ,", "runtime: §,"),
    "dangling-references": SHOP.replace(
        "{}", "{reads: [§order], sends: [§work], secrets: [§'\u202etoken'], calls: [§crm]}"
    )
    + "stores:\n  orders: {holds: [§orders-data]}\n",
    "wrong-kind-of-reference": SHOP.replace("{}", "{reads: [§shop-api], writes: [orders, §order-bot]}")
    + "apis:\n  shop-api: {}\nstores:\n  orders: {}\n",
    "unknown-boundary": SHOP.replace("{}", "{boundary: §acount}"),
    "circular-boundaries": SHOP
    + "boundaries:\n  §inner: {inside: outer}\n  §outer: {inside: inner}\n  §own: {inside: own}\n  lost: {inside: §nowhere}\n",
    "one-id-twice": SHOP + "apis:\n  shop-api: {}\nstores:\n  §order-bot: {}\nexternals:\n  §shop-api: {}\n",
    "reserved-ids": SHOP + "stores:\n  §slack: {}\n  §account: {}\n",
    "wrong-ids": SHOP
    + "stores:\n  §Orders: {}\n  §orderEvents: {}\n  §'': {}\n  §../etc: {}\n  §\"a\\u202Eb\": {}\n  §1st: {}\n",
    "long-id": SHOP + "stores:\n  §" + "a" * 101 + ": {}\n",
    "no-api": SHOP.replace("{}", "{triggers: [§{slack: slash-command}]}"),
    "two-apis": SHOP.replace("{}", "{triggers: [§{slack: slash-command}]}") + "apis:\n  one: {}\n  two: {}\n",
    "trigger-with-two-sources": SHOP.replace(
        "{}", "{triggers: [§{slack: events, queue: work}, §{path: /}, {queue: work, §api: one}]}"
    )
    + "queues:\n  work: {}\napis:\n  one: {}\n",
    "one-problem-once": "name: Shop\nfunctions:\n  order-bot: {reads: [orders], sends: [work]}\nstores:\n  orders: §dynamodb\nqueues: §[work]\n",
    "unknown-surface": SHOP.replace("{}", "{triggers: [{slack: §slash-comand}]}") + "apis:\n  one: {}\n",
    "not-a-date": SHOP
    + "accepted_risks:\n  forgery@order-bot: {risk: 12, reason: rare, owner: team, expires: §2027-02-30}\ncontrols:\n  training: {planned_for: §soon}\n",
    "acceptance-incomplete": SHOP
    + "accepted_risks:\n  forgery@order-bot: §{risk: §26, expires: 2027-01-01}\n  §forgery: {risk: 1, reason: a, owner: b, expires: 2027-01-01}\n",
    "boundaries-too-deep": SHOP
    + "boundaries:\n  b0: {}\n"
    + "".join(f"  {'§' if at >= 20 else ''}b{at}: {{inside: b{at - 1}}}\n" for at in range(1, 23)),
    "criticality-without-reason": SHOP.replace("{}", "{§criticality: high}"),
    "attestation-incomplete": SHOP + "controls:\n  §training: {attested_by: Ann}\n  §runbook: {note: soon}\n",
    "attestation-ends-before-it-begins": SHOP
    + "controls:\n  training: {attested_by: Ann, on: 2027-10-01, expires: §2026-10-01}\n",
    "rating-of-nothing": SHOP + "ratings:\n  §forgery@order-bot: {reason: rare}\n",
    "statement-twice": SHOP
    + "controls:\n  training: {planned_for: 2027-01-01}\n  §training@organization: {planned_for: 2027-01-01}\n",
    "unknown-flow": SHOP + "flows:\n  §order-bot:orders:read: {encrypted: true}\n",
    "derived-fact": SHOP.replace("{}", "{§slack_facing: true}"),
}
"""Models that are YAML but make no sense."""


@pytest.fixture(autouse=True)
def _in_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", MODELS)
def test_senseless_model(name: str, capsys: pytest.CaptureFixture[str], golden: Golden) -> None:
    text, places = marked(MODELS[name])
    write("model.yaml", text)
    said = refused(["-m", "model.yaml", "--dfd"], capsys)
    assert sorted(set(places_in(said, "model.yaml"))) == sorted(places)
    golden(f"bad-input/model-{name}.txt", said)


# --- files that a model uses

USES = {
    "uses-parent-folder": "§../other.yaml",
    "uses-absolute-path": "§/etc/passwd",
    "uses-link": "§link.yaml",
    "uses-circle-of-links": "§circle.yaml",
    "uses-missing-file": "§plaform.yaml",
    "uses-folder": "§.",
    "uses-null-byte": '§"a\\0b"',
    "uses-twice": "platform.yaml, §platform.yaml",
    "uses-model": "platform.yaml, model.yaml",
}


@pytest.mark.parametrize("name", USES)
def test_used_file(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], golden: Golden) -> None:
    project = tmp_path / "project"
    project.mkdir()
    Path("other.yaml").write_text("name: Other\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        Path("link.yaml").symlink_to("../other.yaml")
        Path("circle.yaml").symlink_to("circle.yaml")
        write("platform.yaml", "name: Platform\naccount: {guardduty: true}\n")
        text, places = marked(f"name: Shop\nfunctions: {{order-bot: {{}}}}\nuses: [{USES[name]}]\n")
        write("model.yaml", text)
        said = refused(["-m", "model.yaml", "--dfd"], capsys)
    if places:
        assert places_in(said, "model.yaml") == places
    golden(f"bad-input/model-{name}.txt", said)


def test_link_inside_the_project_is_followed() -> None:
    write("shared/platform.yaml", "name: Platform\naccount: {guardduty: true}\n")
    write("models/model.yaml", SHOP + "uses: [link.yaml]\n")
    Path("models/link.yaml").symlink_to("../shared/platform.yaml")
    system = load_model(Files(), Path("models/model.yaml"))
    place = system.nodes["account"].facts["guardduty"].place
    assert place == Place(str(Path("shared/platform.yaml")), 2, 11)


def test_model_outside_the_working_directory_uses_its_own_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("away/model.yaml", SHOP + "uses: [platform.yaml]\n")
    write("away/platform.yaml", "name: Platform\naccount: {guardduty: true}\n")
    write("here/nothing", "")
    monkeypatch.chdir(tmp_path / "here")
    assert "account" in load_model(Files(), tmp_path / "away" / "model.yaml").nodes
    write(str(tmp_path / "away" / "model.yaml"), SHOP + "uses: [../here/nothing]\n")
    with pytest.raises(InputError, match="outside-project"):
        load_model(Files(), tmp_path / "away" / "model.yaml")


def test_stated_in_model_and_platform(capsys: pytest.CaptureFixture[str], golden: Golden) -> None:
    statement = "controls:\n  training: {planned_for: 2027-01-01}\n"
    write("platform.yaml", f"name: Platform\naccount: {{guardduty: true, cloudtrail: true}}\n{statement}")
    write("model.yaml", SHOP + f"uses: [platform.yaml]\naccount: {{guardduty: true, budget_alert: true}}\n{statement}")
    golden("bad-input/model-stated-twice.txt", refused(["-m", "model.yaml", "--dfd"], capsys))


def test_problems_of_all_files_are_shown_at_once(capsys: pytest.CaptureFixture[str], golden: Golden) -> None:
    write("one.yaml", "name: One\naccount: {gardduty: true}\n")
    write("two.yaml", "name: Two\nfunctions: {}\n")
    write("three.yaml", "name: 'Three\n")
    write("model.yaml", SHOP.replace("{}", "{runtme: x}") + "uses: [one.yaml, two.yaml, three.yaml]\n")
    golden("bad-input/model-problems-of-all-files.txt", refused(["-m", "model.yaml", "--dfd"], capsys))


# --- what a model says of threats and controls

RESERVED = "invariants:\n  reserved: {of: function, holds: target.in_vpc, severity: low, message: a}\n"
STATEMENTS = {
    "unknown-threat": "accepted_risks:\n  §forgrey@order-bot: {risk: 12, reason: a, owner: b, expires: 2027-01-01}\n",
    "unknown-element": "accepted_risks:\n  §forgery@order-bto: {risk: 12, reason: a, owner: b, expires: 2027-01-01}\n",
    "threat-to-another-kind": "ratings:\n  §forgery@shop-api: {impact: 2, reason: a}\n",
    "unknown-control": "controls:\n  §sining@order-bot: {planned_for: 2027-01-01}\n",
    "control-of-no-function": "controls:\n  §signing: {planned_for: 2027-01-01}\n",
    "control-of-another-kind": "controls:\n  §signing@shop-api: {planned_for: 2027-01-01}\n  §training@account: {planned_for: 2027-01-01}\n",
    "unknown-invariant": RESERVED + "exemptions:\n  §resreved@order-bot: {reason: a, owner: b, expires: 2027-01-01}\n",
    "exempt-of-another-kind": RESERVED
    + "exemptions:\n  §reserved@shop-api: {reason: a, owner: b, expires: 2027-01-01}\n",
    "control-of-unknown-element": "controls:\n  §signing@order-bto: {planned_for: 2027-01-01}\n",
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_statement_about_nothing(name: str, golden: Golden) -> None:
    library = library_of(
        Path(),
        threat("forgery", "{signing: hinders, training: hinders}"),
        control("signing", "target.verifies_signature"),
        control("training", scope="organization"),
    )
    text, places = marked(SHOP + "apis:\n  shop-api: {}\n" + STATEMENTS[name])
    write("model.yaml", text)
    said = problems_of(lambda files: assess(build(load_model(files, Path("model.yaml"))), library, TODAY))
    assert places_in(said, "model.yaml") == places
    golden(f"bad-input/model-{name}.txt", said)


# --- what is read


def test_everything_has_its_place(tmp_path: Path) -> None:
    text = SHOP.replace("{}", "{in_vpc: true, reads: [orders]}") + "stores: {orders: {}}\n"
    node = system_of(tmp_path, text).nodes["order-bot"]
    file = node.place.file
    assert node.place == Place(file, 3, 3)
    assert node.facts["in_vpc"] == Statement(value=True, source="model", place=Place(file, 3, 15))
    assert node.relations["reads"].items == (Reference("orders", Place(file, 3, 37)),)


def test_first_relation_stated_closes_the_four(tmp_path: Path) -> None:
    node = system_of(tmp_path, SHOP.replace("{}", "{reads: []}")).nodes["order-bot"]
    assert {name: relation.items for name, relation in node.relations.items()} == dict.fromkeys(
        ("reads", "writes", "sends", "secrets", "invokes"), ()
    )
    assert node.triggers is None
    assert system_of(tmp_path, SHOP).nodes["order-bot"].relations == {}


def test_repeated_reference_counts_once_where_it_first_stands(tmp_path: Path) -> None:
    text = SHOP.replace("{}", "{reads: [b, a, b]}") + "stores: {a: {}, b: {}}\n"
    reads = system_of(tmp_path, text).nodes["order-bot"].relations["reads"]
    assert list(zip(reads.ids, [item.place.column for item in reads.items], strict=True)) == [("b", 23), ("a", 26)]


def test_defaults_fill_what_an_element_does_not_state(tmp_path: Path) -> None:
    text = "name: Shop\ndefaults: {function: {in_vpc: true, reserved_concurrency: 5}}\nfunctions: {a: {reserved_concurrency: null}, b: {}}\n"
    nodes = system_of(tmp_path, text).nodes
    assert {name: fact.value for name, fact in nodes["a"].facts.items()} == {
        "in_vpc": True,
        "reserved_concurrency": None,
    }
    assert {name: fact.value for name, fact in nodes["b"].facts.items()} == {"in_vpc": True, "reserved_concurrency": 5}


def test_trigger_takes_the_only_api(tmp_path: Path) -> None:
    text = SHOP.replace("{}", "{triggers: [{slack: events}]}") + "apis: {one: {}}\n"
    (trigger,) = system_of(tmp_path, text).nodes["order-bot"].triggers or ()
    assert trigger.source is not None
    assert (trigger.by, trigger.detail, trigger.source.id) == ("slack", "events", "one")


def test_plane_is_joined_from_platform_and_model(tmp_path: Path) -> None:
    write(str(tmp_path / "platform.yaml"), "name: P\naccount: {name: Production, guardduty: true}\n")
    system = system_of(tmp_path, SHOP + "uses: [platform.yaml]\naccount: {cloudtrail: false}\n")
    account = system.nodes["account"]
    assert account.name == "Production"
    assert {name: fact.value for name, fact in account.facts.items()} == {"guardduty": True, "cloudtrail": False}


def test_text_keeps_what_its_author_wrote(tmp_path: Path) -> None:
    name = "Größe \U0001f4e6 <b>&amp;\\ \"quoted\" 'so' \u05e9\u05dc\u05d5\u05dd"
    text = yaml.safe_dump({"name": name, "functions": {"order-bot": {"name": name}}}, allow_unicode=True)
    system = system_of(tmp_path, text)
    assert (system.name, system.nodes["order-bot"].name) == (name, name)


# --- order


def _shuffled(value: Any, random: Random) -> Any:
    """The same data with the keys of every mapping in another order."""
    if isinstance(value, dict):
        items = [(key, _shuffled(item, random)) for key, item in value.items()]
        random.shuffle(items)
        return dict(items)
    return [_shuffled(item, random) for item in value] if isinstance(value, list) else value


def _without_places(value: Any) -> Any:
    """A value of the model in a form that neither order of keys nor places change."""
    if isinstance(value, Place):
        return None
    if is_dataclass(value):
        parts = {field.name: getattr(value, field.name) for field in fields(value)}
        return type(value).__name__, _without_places({k: v for k, v in parts.items() if k not in {"revision", "text"}})
    if hasattr(value, "items"):
        return {key: _without_places(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_without_places(item) for item in value]
    return value


def _sorted_statements(found: Any) -> Any:
    kind, parts = found
    for name in ("controls", "acceptances", "ratings"):
        parts[name] = sorted(parts[name], key=repr)
    return kind, parts


@pytest.mark.parametrize("seed", range(5))
def test_order_of_keys_changes_nothing(seed: int, tmp_path: Path) -> None:
    data = parse((HOME / "models" / "slack-lambda.yaml").read_text(encoding="utf-8"), "").root
    platform = (HOME / "models" / "platform.yaml").read_text(encoding="utf-8")
    write(str(tmp_path / "platform.yaml"), platform)
    other = _shuffled(data, Random(seed))
    one, two = (_sorted_statements(_without_places(system_of(tmp_path, json.dumps(d)))) for d in (data, other))
    assert one == two
