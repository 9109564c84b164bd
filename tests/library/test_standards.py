"""The public lists that the library cites: their tables, the ids cited, and how the tables are written."""

from __future__ import annotations

import gzip
import io
import itertools
import json
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
import yaml

from scripts import standards as script
from tests.refusals import problems_of, write
from threatmodel.library.load import load_library
from threatmodel.library.standards import (
    COVERED,
    KEYS,
    OutOfScope,
    Standard,
    load_coverage,
    load_standards,
    unlisted,
)
from threatmodel.reading.values import replace

HOME = Path(__file__).resolve().parents[2]
LIBRARY = HOME / "threatlib"
FILES = sorted(path for part in ("threats", "controls") for path in (LIBRARY / part).glob("*/*.yaml"))

TABLE = """\
name: CWE
edition: "4.17"
source: https://cwe.mitre.org/
items:
  CWE-79: Cross-site Scripting
  CWE-352: "Forgery: cross-site"
held:
  - CWE-79
"""


SERVICES = {
    *("APIGateway", "Cognito", "DynamoDB", "EventBridge", "GuardDuty", "Inspector", "KMS"),
    *("Lambda", "SNS", "SQS", "SecretsManager", "StepFunctions"),
}
"""The services of Security Hub's controls that a system here uses."""


@pytest.fixture(autouse=True)
def _in_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def standards() -> Mapping[str, Standard]:
    return load_standards(LIBRARY)


# --- the tables


def test_every_key_of_maps_has_a_table(standards: Mapping[str, Standard]) -> None:
    assert set(standards) == set(KEYS)


@pytest.mark.parametrize("key", KEYS)
def test_table(key: str, standards: Mapping[str, Standard]) -> None:
    table = standards[key]
    for ids in (list(table.items), list(table.held)):
        assert ids == sorted(set(ids), key=script.natural)
    assert all(title == title.strip() for title in table.items.values())
    assert (key == "cis") == ("" in table.items.values()), "only the text of CIS may not be shown"
    path = LIBRARY / "standards" / f"{key.replace('_', '-')}.yaml"
    text = path.read_text(encoding="utf-8")
    assert len(text) < 200_000
    assert text == script.with_items(text, script.items_of(text), table.held), "written as the script writes it"
    assert script.items_of(text) == dict(table.items) == yaml.safe_load(text)["items"]


def test_the_script_knows_every_table() -> None:
    assert {key.replace("-", "_") for key in script.LISTS} == set(KEYS)


@pytest.mark.parametrize(
    ("key", "least"),
    [
        ("cwe", 943),
        ("capec", 559),
        ("attack", 691),
        ("owasp_2021", 10),
        ("owasp_2025", 10),
        ("owasp_api_2023", 10),
        ("owasp_llm_2025", 10),
        ("sas", 12),
        ("nist_800_53", 1000),
        ("d3fend", 267),
    ],
)
def test_lists_are_whole(key: str, least: int, standards: Mapping[str, Standard]) -> None:
    assert len(standards[key].items) >= least


def test_coverage_is_held_to_the_top_25(standards: Mapping[str, Standard]) -> None:
    assert len(standards["cwe"].held) == 25
    assert {"CWE-79", "CWE-434", "CWE-639", "CWE-770"} <= set(standards["cwe"].held)


def test_cloud_techniques(standards: Mapping[str, Standard]) -> None:
    attack = standards["attack"]
    assert {"T1078.004", "T1528", "T1648", "T1190"} <= set(attack.held)
    assert "T1003.001" not in attack.held
    assert attack.items["T1078.004"] == "Valid Accounts: Cloud Accounts"


# --- the ids that the library cites


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_every_cited_id_stands_in_its_list(path: Path, standards: Mapping[str, Standard]) -> None:
    maps = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)["maps"]
    assert list(unlisted(maps, standards)) == []


def test_a_wrong_id_is_found(standards: Mapping[str, Standard]) -> None:
    maps = {"cwe": ["CWE-79", "CWE-9999"], "cis": ["v5.0.0 1.13", "v5.0.0 9.9"], "iso": ["A.5.1"]}
    assert list(unlisted(maps, standards)) == [("cwe", "CWE-9999"), ("cis", "v5.0.0 9.9"), ("iso", "A.5.1")]


# --- reading tables


def test_load() -> None:
    write("lib/standards/cwe.yaml", TABLE)
    write("lib/standards/coverage.yaml", "anything: goes\n")
    cwe = Standard(
        key="cwe",
        name="CWE",
        edition="4.17",
        source="https://cwe.mitre.org/",
        items={"CWE-79": "Cross-site Scripting", "CWE-352": "Forgery: cross-site"},
        held=("CWE-79",),
    )
    assert load_standards(Path("lib")) == {"cwe": cwe}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("name: CWE\n", "", "a public list has no 'name'"),
        ("Cross-site Scripting", "''", "the title of 'CWE-79' is empty"),
        ("Cross-site Scripting", "", "has no value"),
        ("Cross-site Scripting", "[a]", "expected one line of text"),
        ("CWE-352", "CWE-79", "duplicate-key"),
        ("CWE-352", "-352", "cannot be the id of an item"),
        ("  - CWE-79", "  - CWE-80", "'CWE-80' is not an item of this list; did you mean 'CWE-79'?"),
        ("https://cwe", "http://cwe", "expected an https address"),
        ('"4.17"', "4.17", "quote it"),
        ("held", "helds", "unknown-key"),
        ("items:", "items: {", "yaml-syntax"),
    ],
)
def test_what_a_broken_table_says(old: str, new: str, said: str) -> None:
    write("lib/standards/cwe.yaml", TABLE.replace(old, new, 1))
    assert said in problems_of(lambda files: load_standards(Path("lib"), files))


# --- writing tables: small samples of the files that the lists' owners publish


CWE_XML = b"""<?xml version="1.0"?><Weakness_Catalog Name="CWE" xmlns="http://cwe.mitre.org/cwe-7"><Weaknesses>
<Weakness ID="79" Name="Cross-site Scripting" Status="Stable"><Description/></Weakness>
<Weakness ID="132" Name="DEPRECATED: Miscalculated Null Termination" Status="Deprecated"/></Weaknesses>
<Categories><Category ID="16" Name="Configuration" Status="Obsolete"/></Categories></Weakness_Catalog>"""

CAPEC_XML = b"""<?xml version="1.0"?><Attack_Pattern_Catalog xmlns="http://capec.mitre.org/capec-3"><Attack_Patterns>
<Attack_Pattern ID="94" Name="Adversary in the Middle (AiTM)" Status="Draft"/>
<Attack_Pattern ID="56" Name="DEPRECATED: Removing Logging" Status="Deprecated"/></Attack_Patterns>
</Attack_Pattern_Catalog>"""


def test_cwe_and_capec() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("cwec_v4.17.xml", CWE_XML)
    rows = {
        "CWE-79": {"name": "Cross-site Scripting", "status": "Stable"},
        "CWE-1434": {"name": "x", "status": "Draft"},
    }
    for data in (CWE_XML, packed.getvalue(), json.dumps(rows).encode()):
        assert script.weaknesses(data) == {"CWE-79": "Cross-site Scripting"}
    assert script.attack_patterns(CAPEC_XML) == {"CAPEC-94": "Adversary in the Middle (AiTM)"}


def technique(key: str, name: str, platforms: list[str], **more: bool) -> dict[str, object]:
    references = [{"source_name": "capec", "external_id": "CAPEC-1"}]
    references.append({"source_name": "mitre-attack", "external_id": key})
    more_of = {"external_references": references, "x_mitre_platforms": platforms}
    return {"type": "attack-pattern", "name": name, **more_of, **more}


def test_attack() -> None:
    rows = [
        technique("T1078.004", "Cloud Accounts", ["SaaS", "IaaS"]),
        technique("T1078", "Valid Accounts", ["Windows"]),
        technique("T1064", "Scripting", ["SaaS"], x_mitre_deprecated=True),
        technique("T1086", "PowerShell", ["Windows"], revoked=True),
        {"type": "malware", "name": "Emotet"},
    ]
    bundle = json.dumps({"objects": rows}).encode()
    assert script.techniques(bundle) == {"T1078": "Valid Accounts", "T1078.004": "Valid Accounts: Cloud Accounts"}
    assert list(script.cloud_techniques(bundle)) == ["T1078.004"]


def test_a_source_without_platforms_leaves_what_is_held(tmp_path: Path) -> None:
    rows = {"T1078": {"name": "Valid Accounts"}, "T1190": {"name": "Exploit Public-Facing Application"}}
    (tmp_path / "attack.json").write_text(json.dumps({"techniques": rows}), encoding="utf-8")
    source = script.Source(
        read=script.techniques, held=script.cloud_techniques, address="https://example.org/attack.json"
    )
    table = "name: ATT&CK\nitems:\n  T1078: old\n  T1562: gone\nheld:\n  - T1078\n  - T1562\n"
    expected = script.with_items(table, {key: row["name"] for key, row in rows.items()}, ["T1078"])
    assert script.refreshed(table, source, tmp_path, official=True) == expected


def test_nist() -> None:
    enhancement = {"id": "ac-2.1", "title": "Automated Management", "props": [{"name": "label", "value": "AC-2(1)"}]}
    gone = {"id": "ac-2.10", "title": "Shared", "props": [{"name": "status", "value": "withdrawn"}]}
    control = {"id": "ac-2", "title": "Account Management", "controls": [enhancement, gone]}
    catalog = json.dumps({"catalog": {"groups": [{"id": "ac", "controls": [control]}]}}).encode()
    expected = {"AC-2": "Account Management", "AC-2(1)": "Account Management | Automated Management"}
    assert script.nist_controls(catalog) == expected


def test_d3fend() -> None:
    rows = [
        {"@id": "d3f:FileHashing", "d3f:d3fend-id": "D3-FH", "rdfs:label": "File Hashing"},
        {"@id": "d3f:TokenBinding", "d3f:d3fend-id": "D3-TB", "rdfs:label": {"@value": "Token Binding"}},
        {"@id": "d3f:UnixLink", "rdfs:label": "Unix Link"},
    ]
    assert script.defences(json.dumps({"@graph": rows}).encode()) == {"D3-FH": "File Hashing", "D3-TB": "Token Binding"}


def test_security_hub() -> None:
    parts = [
        {"name": "overview", "prose": "This control ..."},
        {"name": "statement", "prose": "Lambda should be\nshut."},
    ]
    catalog = {"catalog": {"groups": [{"controls": [{"id": "Lambda.1", "title": "Lambda.1", "parts": parts}]}]}}
    assert script.security_hub_controls(json.dumps(catalog).encode()) == {"Lambda.1": "Lambda should be shut"}


def test_lists_that_only_packages_hold() -> None:
    wheel = io.BytesIO()
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, edition in (("cis_4.0_aws", "4.0.1"), ("cis_5.0_aws", "5.0"), ("soc2_aws", "1.0")):
            benchmark = {"Version": edition, "Requirements": [{"Id": "1.10", "Description": "text"}]}
            archive.writestr(f"prowler/compliance/aws/{name}.json", json.dumps(benchmark))
    assert script.cis_ids(wheel.getvalue()) == {"v4.0.1 1.10": "", "v5.0.0 1.10": ""}
    rules = gzip.compress(json.dumps({"ManagedRules": {"LAMBDA_DLQ_CHECK": {}}}).encode())
    assert script.config_rules(rules) == {"LAMBDA_DLQ_CHECK": "lambda-dlq-check"}
    rows = [
        {"scenario": "AWS Well-Architected best practice SEC03-BP02: Grant least privilege access"},
        {"scenario": "x"},
    ]
    practices = script.best_practices(json.dumps({"rules": rows}).encode())
    assert practices == {"SEC03-BP02": "Grant least privilege access"}


def test_refresh_keeps_what_stands_above_the_items_and_what_is_kept_by_hand(tmp_path: Path) -> None:
    table = "# licence\nname: CWE\nitems:\n  CWE-1: ours\n  CWE-9: old\n"
    (tmp_path / "cwe.xml").write_bytes(CWE_XML)
    source = script.Source(read=script.weaknesses, address="https://example.org/cwe.xml", keep="CWE-1")
    expected = "# licence\nname: CWE\nitems:\n  CWE-1: ours\n  CWE-79: Cross-site Scripting\n"
    assert script.refreshed(table, source, tmp_path, official=True) == expected


@pytest.mark.parametrize(
    "title",
    [
        "",
        "plain",
        "a: b",
        "#1",
        "'Quoted' first",
        "ends with:",
        "Use of 'x' # y",
        "null",
        "yes",
        "1.0",
        "[a]",
        '"q"',
        "é",
    ],
)
def test_a_title_survives_being_written(title: str) -> None:
    text = script.with_items("name: x\nitems:\n", {"A-1": title, "A-2": "other"})
    assert yaml.safe_load(text)["items"]["A-1"] == title
    assert script.items_of(text)["A-1"] == title


def test_natural_order() -> None:
    ordered = ["AC-2", "AC-2(1)", "AC-2(10)", "AC-10", "T1078.A001", "T1190", "v3.0.0 1.9", "v3.0.0 1.10", "v5.0.0 1.1"]
    for shuffled in itertools.islice(itertools.permutations(ordered), 50):
        assert sorted(shuffled, key=script.natural) == ordered


def test_packages_are_pinned() -> None:
    pinned = [source.package for source in script.LISTS.values() if source.package]
    assert all(re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]*", package) for package in pinned)


# --- what is covered


def uncovered(key: str, standards: Mapping[str, Standard], cited: set[str], scopes: Sequence[OutOfScope]) -> list[str]:
    """The items of a list that are neither cited (themselves or a part of them) nor out of scope, or are both."""
    standard = standards[key]
    out = [name for scope in scopes for name in scope.ids]
    wrong = sorted(name for name in out if name not in standard.items or out.count(name) > 1)
    for name in standard.held or standard.items:
        covered = any(one == name or one.startswith(f"{name}.") for one in cited)
        if covered == (name in out):
            wrong.append(name)
    return wrong


@pytest.mark.parametrize("key", COVERED)
def test_every_item_is_covered_or_out_of_scope(key: str, standards: Mapping[str, Standard]) -> None:
    library = load_library(LIBRARY)
    maps = [*(one.maps for one in library.threats.values()), *(one.maps for one in library.controls.values())]
    cited = {name for one in maps for name in one.get(key, ())}
    if key == "security_hub":
        ours = {name: title for name, title in standards[key].items.items() if name.partition(".")[0] in SERVICES}
        standards = {**standards, key: replace(standards[key], items=ours)}
    assert uncovered(key, standards, cited, load_coverage(LIBRARY).get(key, ())) == []


def test_what_is_not_covered_is_found(standards: Mapping[str, Standard]) -> None:
    every = set(standards["sas"].items)
    assert uncovered("sas", standards, every - {"SAS-3"}, ()) == ["SAS-3"]
    assert uncovered("sas", standards, every, [OutOfScope(("SAS-3",), "no")]) == ["SAS-3"]
    assert uncovered("sas", standards, every - {"SAS-3"}, [OutOfScope(("SAS-3", "SAS-33"), "no")]) == ["SAS-33"]


def test_a_broken_coverage_is_refused() -> None:
    write("lib/standards/coverage.yaml", "out_of_scope: {sas: [{ids: [SAS-1]}], atack: []}\n")
    said = problems_of(lambda files: load_coverage(Path("lib"), files))
    assert "an item of 'sas' has no 'reason'" in said
    assert "'atack'" in said
