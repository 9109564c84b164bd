#!/usr/bin/env python3
"""Write threatmodel/evidence/policies/detection.json: the calls that stop, narrow or blind what watches an account.

The actions come from iam-actions.json, AWS's own pages (scripts/iam_actions.py writes it); which of them blind is a
rule over their verbs, and over what each is about.  A call that is not judged yet is listed separately, so that
a newer call never goes for harmless.  Calls that a public tool makes to that end are marked: pacu (BSD-3-Clause, Rhino
Security Labs), its module detection__disruption, downloaded and read as data.

    .venv/bin/python scripts/iam_detection.py [--wheels FOLDER] [--check]

`--check` writes nothing and fails where the table would differ.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

HOME = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HOME))  # started as a script, it finds the engine beside its own folder

from scripts.tables import kept, wheels  # noqa: E402

FOLDER = Path(__file__).resolve().parent.parent / "threatmodel" / "evidence" / "policies"
TABLE = FOLDER / "detection.json"
PACU = "1.7.0"
MODULE = "pacu/modules/detection__disruption/main.py"

ENDS = re.compile(
    r"(?:Batch)?(?:Delete|Disable|Disassociate|Stop|Deregister|Update|Put|Set|Archive|Decline|Leave|Reject|Reset)(?=[A-Z]|\Z)"
)
"""Verbs that end a thing or make it another one."""
MAKES = re.compile(r"(?:Create|Apply)(?=[A-Z])")
"""Verbs that make a thing: of those that hide something."""


class Watcher(NamedTuple):
    """What calls of a service are about: `watches`, and is not to end or change; `hides`, and is not to be made either.

    `beside` is what ends nothing that watches, or is called in the account of an administrator only.
    """

    watches: str
    hides: str
    beside: str


WATCHERS: Mapping[str, Watcher] = {
    "cloudtrail": Watcher(
        "Trail Logging EventSelectors EventDataStore EventDataStoreIngestion",
        "",
        # channels and stores that are shared or queried, what else is written into an event, anomalies of what is there
        "Channel Dashboard ServiceLinkedChannel ResourcePolicy Federation Import InsightSelectors EventConfiguration"
        " OrganizationDelegatedAdmin",
    ),
    "config": Watcher(
        "ConfigurationRecorder DeliveryChannel ResourceTypes",
        "",
        # rules and what follows them: what is recorded stays, and teams add their own rules; recorders that a
        # service has for itself
        "ServiceLinkedConfigurationRecorder ConfigRule ConformancePack OrganizationConfigRule"
        " OrganizationConformancePack EvaluationResults Evaluations ExternalEvaluation RemediationConfiguration"
        " RemediationConfigurations RemediationExceptions StoredQuery AggregationAuthorization ConfigurationAggregator"
        " PendingAggregationRequest Connector ResourceConfig RetentionConfiguration"
        " ThirdPartyServiceLinkedConfigurationRecorder",
    ),
    "guardduty": Watcher(
        "Detector PublishingDestination FromAdministratorAccount FromMasterAccount",
        "Filter IPSet TrustedEntitySet",
        # lists and rules beyond GuardDuty's own, scans of files, single findings, and what an administrator calls
        "ThreatIntelSet ThreatEntitySet CustomDetectionRuleAssociation CustomDetectionRuleOrgConfiguration"
        " MalwareProtectionPlan MalwareScanSettings Findings FindingsFeedback Invitations Members MonitoringMembers"
        " MemberDetectors OrganizationAdminAccount OrganizationConfiguration",
    ),
    "securityhub": Watcher(
        "Standards SecurityHub SecurityHubV2 SecurityHubFeatureV2 FromAdministratorAccount FromMasterAccount"
        " StandardsControl StandardsControlAssociations SecurityControl SecurityHubConfiguration"
        " ImportFindingsForProduct",
        "AutomationRule AutomationRules AutomationRuleV2",
        "ActionTarget AggregatorV2 ConfigurationPolicy Connector ConnectorV2 FindingAggregator Insight Invitations"
        " Members OrganizationAdminAccount OrganizationConfiguration Findings FindingsV2",
    ),
    "access-analyzer": Watcher("Analyzer ServiceLinkedAnalyzer", "ArchiveRule", "Findings"),
    "macie2": Watcher(
        "Macie MacieSession FromAdministratorAccount FromMasterAccount AutomatedDiscoveryConfiguration"
        " ClassificationScope ClassificationExportConfiguration FindingsPublicationConfiguration ClassificationJob",
        "FindingsFilter AllowList",
        "CustomDataIdentifier Invitations Member MemberSession OrganizationAdminAccount OrganizationConfiguration"
        " AutomatedDiscoveryAccounts ResourceProfile ResourceProfileDetections RevealConfiguration"
        " SensitivityInspectionTemplate",
    ),
    "inspector2": Watcher(
        "* Configuration CodeSecurityScanConfiguration CisScanConfiguration Ec2DeepInspectionConfiguration",
        "Filter",
        "CodeSecurityIntegration Connector ConnectorScanConfiguration DelegatedAdminAccount EncryptionKey Member"
        " MemberEc2DeepInspectionStatus OrgEc2DeepInspectionConfiguration OrganizationConfiguration CisSession",
    ),
    "detective": Watcher(
        "Graph Membership DatasourcePackages",
        "",
        "Invitation Members InvestigationState OrganizationAdminAccount OrganizationConfiguration",
    ),
}
"""Services that watch an account, and what their calls are about (`*`: the service itself)."""


def judged(actions: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, list[str]]]:
    """The calls of each service that end or change something: what blinds, what is beside, what is not judged."""
    table: dict[str, dict[str, list[str]]] = {}
    for service, watcher in WATCHERS.items():
        kinds = {"blinds": (watcher.watches + " " + watcher.hides).split(), "beside": watcher.beside.split()}
        row: dict[str, list[str]] = {"blinds": [], "beside": [], "unjudged": []}
        for name in sorted(_writes(actions[service])):
            verb = ENDS.match(name) or MAKES.match(name)
            if verb is None:
                continue
            about = name[verb.end() :] or "*"
            hides = about in watcher.hides.split()
            made = MAKES.match(name) is not None
            # what hides no longer hides where it is gone
            if (made and not hides) or (hides and re.match(r"(Batch)?Delete", name)):
                continue
            row[next((kind for kind, nouns in kinds.items() if about in nouns), "unjudged")].append(name)
        table[service] = row
    return table


def _writes(levels: Mapping[str, str]) -> Iterator[str]:
    for level, names in levels.items():
        if level.rstrip("*") in {"write", "permissions"}:
            yield from names.split()


def called(source: str) -> set[str]:
    """The calls that a module of pacu makes, as IAM writes them, of the services that watch."""
    clients: list[tuple[int, str]] = []
    found: list[tuple[int, str]] = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Assign(
                value=ast.Call(
                    func=ast.Attribute(attr="get_boto3_client"), args=[ast.Constant(value=str() as service), *_]
                )
            ):
                clients.append((node.lineno, service))
            case ast.Call(func=ast.Attribute(value=ast.Name(id="client"), attr=name)):
                found.append((node.lineno, "".join(part.capitalize() for part in name.split("_"))))
    last = [(max(one for one in clients if one[0] < line)[1], name) for line, name in found]
    return {f"{service}:{name}" for service, name in last if service in WATCHERS}


def text(table: Mapping[str, Mapping[str, Sequence[str]]], cited: set[str]) -> str:
    """The table as text, a kind of call a line."""
    about = (
        "Written by scripts/iam_detection.py out of iam-actions.json; `pacu` are calls that pacu "
        f"{PACU} (BSD-3-Clause, Rhino Security Labs) makes to disrupt detection."
    )
    lines = [f'{{"about": {json.dumps(about)}', f'"pacu": {json.dumps(" ".join(sorted(cited)))}']
    for service, row in table.items():
        kinds = ",\n".join(f"  {json.dumps(kind)}: {json.dumps(' '.join(names))}" for kind, names in row.items())
        lines.append(f"{json.dumps(service)}: {{\n{kinds}\n}}")
    return ",\n".join(lines) + "\n}\n"


def main(arguments: list[str]) -> int:
    """Writes or compares the table; the exit code."""
    parser = argparse.ArgumentParser(description="Write the table of calls that blind detection.")
    parser.add_argument("--wheels", type=Path, help="a folder with pacu's wheel, instead of downloading it")
    parser.add_argument("--check", action="store_true", help="write nothing, fail where the table differs")
    options = parser.parse_args(arguments)
    with wheels(options.wheels, f"pacu=={PACU}") as folder:
        (wheel,) = folder.glob("pacu-*.whl")
        with zipfile.ZipFile(wheel) as archive:
            cited = called(archive.read(MODULE).decode("utf-8"))
    found = text(judged(json.loads((FOLDER / "iam-actions.json").read_text(encoding="utf-8"))), cited)
    return kept(TABLE, found, check=options.check)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
