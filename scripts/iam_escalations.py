"""Write threatmodel/evidence/policies/escalations.json: how rights lead to more rights, and the source.

Three public lists and our own rows become one table, a set of actions a row, with the ids that each list gives it:

- cloudsplaining (BSD-3-Clause), downloaded and read as data: PRIVILEGE_ESCALATION_METHODS;
- pathfinding.cloud (DataDog, Apache-2.0), from a checkout of github.com/DataDog/pathfinding.cloud: data/paths/**.yaml;
- Rhino Security Labs, "AWS IAM Privilege Escalation - Methods and Mitigation", parts 1 and 2: RHINO, kept by hand.

    .venv/bin/python scripts/iam_escalations.py [--paths FOLDER] [--wheels FOLDER] [--check]

Without `--paths` the rows of pathfinding.cloud stay as the table has them.  `--check` writes nothing and fails where
the table would differ.
"""

from __future__ import annotations

import argparse
import ast
import json
import sys
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml

HOME = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HOME))  # started as a script, it finds the engine beside its own folder

from scripts.tables import kept, wheels  # noqa: E402

FOLDER = Path(__file__).resolve().parent.parent / "threatmodel" / "evidence" / "policies"
TABLE = FOLDER / "escalations.json"
CLOUDSPLAINING = "0.9.1"

Way = tuple[str, str]
"""An id, and the actions that it needs together, with spaces between."""

LEFT_OUT = {"pathfinding:sts-001"}
"""Assuming a role is a separate fact (`role_assumes_roles`), and what that role may do is unknown, so that
`role_can_escalate` is too."""

RHINO: tuple[Way, ...] = (
    ("1", "iam:CreatePolicyVersion"),
    ("2", "iam:SetDefaultPolicyVersion"),
    ("3", "iam:PassRole ec2:RunInstances"),
    ("4", "iam:CreateAccessKey"),
    ("5", "iam:CreateLoginProfile"),
    ("6", "iam:UpdateLoginProfile"),
    ("7", "iam:AttachUserPolicy"),
    ("8", "iam:AttachGroupPolicy"),
    ("9", "iam:AttachRolePolicy"),
    ("10", "iam:PutUserPolicy"),
    ("11", "iam:PutGroupPolicy"),
    ("12", "iam:PutRolePolicy"),
    ("13", "iam:AddUserToGroup"),
    ("14", "iam:UpdateAssumeRolePolicy"),
    ("15", "iam:PassRole lambda:CreateFunction lambda:InvokeFunction"),
    ("16", "iam:PassRole lambda:CreateFunction lambda:CreateEventSourceMapping"),
    ("17", "lambda:UpdateFunctionCode"),
    ("18", "iam:PassRole glue:CreateDevEndpoint"),
    ("19", "glue:UpdateDevEndpoint"),
    ("20", "iam:PassRole cloudformation:CreateStack"),
    ("21", "iam:PassRole datapipeline:CreatePipeline datapipeline:PutPipelineDefinition"),
    ("23", "codestar:CreateProjectFromTemplate"),
    ("24", "iam:PassRole codestar:CreateProject"),
    ("25", "codestar:CreateProject codestar:AssociateTeamMember"),
    ("26", "lambda:UpdateFunctionConfiguration"),
    ("27", "iam:PassRole sagemaker:CreateNotebookInstance sagemaker:CreatePresignedNotebookInstanceUrl"),
    ("28", "sagemaker:CreatePresignedNotebookInstanceUrl"),
)
"""The methods by their number in rhinosecuritylabs.com/aws/aws-privilege-escalation-methods-mitigation/ and part 2."""

OURS: tuple[str, ...] = (
    # a resource policy of a function may let the caller change its code: AddPermission takes any action of Lambda
    *("lambda:AddPermission", "lambda:PutResourcePolicy"),
    "iam:PassRole lambda:CreateFunction lambda:CreateFunctionUrlConfig",
    # limits taken away, and credentials of another user
    *("iam:DeleteRolePermissionsBoundary", "iam:PutRolePermissionsBoundary", "iam:PutUserPermissionsBoundary"),
    *("iam:CreateServiceSpecificCredential", "iam:ResetServiceSpecificCredential", "iam:UpdateSAMLProvider"),
    "sts:AssumeRoot",
    # people of the organization
    *("sso:CreateAccountAssignment", "sso:AttachCustomerManagedPolicyReferenceToPermissionSet"),
    *("sso:PutPermissionsPolicy", "identitystore:CreateGroupMembership", "sso-directory:AddMemberToGroup"),
    *("sso-directory:UpdatePassword", "sso-directory:CreateBearerToken"),
    # services that act on commands with the role that they have, or are handed
    *("iam:PassRole states:UpdateStateMachine", "iam:PassRole states:CreateStateMachine"),
    *("iam:PassRole scheduler:UpdateSchedule", "iam:PassRole pipes:CreatePipe", "iam:PassRole pipes:UpdatePipe"),
    *("iam:PassRole events:PutTargets", "iam:PassRole iot:CreateRoleAlias", "iam:PassRole iot:CreateTopicRule"),
    *("iam:PassRole codepipeline:CreatePipeline", "iam:PassRole codepipeline:UpdatePipeline"),
    *("iam:PassRole ecs:RegisterTaskDefinition ecs:UpdateService", "ecs:ExecuteCommand"),
    *("iam:PassRole ec2:AssociateIamInstanceProfile", "iam:PassRole ec2:ReplaceIamInstanceProfileAssociation"),
    *("codebuild:UpdateProject codebuild:StartBuild", "ec2-instance-connect:SendSerialConsoleSSHPublicKey"),
    *("iam:PassRole ssm:StartAutomationExecution", "ssm:CreateAssociation", "ssm:UpdateAssociation"),
    *("iam:PassRole eks:CreatePodIdentityAssociation", "eks:CreateAccessEntry eks:AssociateAccessPolicy"),
    *("iam:PassRole bedrock:CreateAgent", "iam:PassRole apprunner:UpdateService"),
    *("iam:PassRole amplify:CreateApp", "iam:PassRole elasticbeanstalk:CreateEnvironment"),
    *("iam:PassRole kafkaconnect:CreateConnector", "iam:PassRole emr-containers:StartJobRun"),
    *("iam:PassRole sagemaker:CreatePipeline sagemaker:StartPipelineExecution", "iam:PassRole ec2:CreateFleet"),
)
"""Ways that none of the lists has."""


def cloudsplaining(folder: Path) -> Iterator[Way]:
    """The methods of cloudsplaining, out of its source."""
    (wheel,) = folder.glob("cloudsplaining-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        source = archive.read("cloudsplaining/shared/constants.py").decode("utf-8")
    for node in ast.walk(ast.parse(source)):
        match node:
            case (
                ast.Assign(targets=[ast.Name(id="PRIVILEGE_ESCALATION_METHODS")], value=value)
                | ast.AnnAssign(target=ast.Name(id="PRIVILEGE_ESCALATION_METHODS"), value=ast.Dict() as value)
            ):
                yield from ((f"cloudsplaining:{name}", " ".join(row)) for name, row in ast.literal_eval(value).items())


def pathfinding(folder: Path) -> Iterator[Way]:
    """The paths of a checkout of pathfinding.cloud: those of AWS, which need permissions."""
    for path in sorted(folder.rglob("*-[0-9][0-9][0-9].yaml")):
        row = yaml.safe_load(path.read_text(encoding="utf-8"))
        needed = [one["permission"] for one in row["permissions"]["required"]]
        if all(":" in one for one in needed):
            yield f"pathfinding:{row['id']}", " ".join(needed)


def as_they_stand() -> Iterator[Way]:
    """The rows of pathfinding.cloud that the table has."""
    if TABLE.exists():
        for row in json.loads(TABLE.read_text(encoding="utf-8"))["ways"]:
            yield from ((one, row["actions"]) for one in row["ids"] if one.startswith("pathfinding:"))


def spellings() -> dict[str, str]:
    """The actions of the table of actions, by their name in small letters."""
    table = json.loads((FOLDER / "iam-actions.json").read_text(encoding="utf-8"))
    names = (
        f"{service}:{name}" for service, levels in table.items() for row in levels.values() for name in row.split()
    )
    return {name.lower(): name for name in names}


def merged(ways: Iterable[Way]) -> list[dict[str, object]]:
    """A row for each set of actions, with all ids; first IAM's own, then what needs fewest."""
    spelt = spellings()
    rows: dict[frozenset[str], list[str]] = {}
    for name, actions in ways:
        if name not in LEFT_OUT:
            key = frozenset(spelt.get(one.lower(), one) for one in actions.split())
            rows.setdefault(key, []).append(name)
    ordered = sorted(rows, key=lambda key: (not all(one.startswith("iam:") for one in key), len(key), sorted(key)))
    return [
        {
            "actions": " ".join(sorted(key, key=lambda one: (one != "iam:PassRole", one))),
            "ids": sorted({*rows[key]} - {""}),
        }
        for key in ordered
    ]


def text(rows: Iterable[dict[str, object]]) -> str:
    """The table as text, a row a line."""
    about = (
        f"Written by scripts/iam_escalations.py. Sources: cloudsplaining {CLOUDSPLAINING} (BSD-3-Clause, Copyright "
        "2020 Salesforce.com, inc.), pathfinding.cloud (Apache-2.0, Copyright Datadog, Inc.), Rhino Security Labs' "
        "list of methods. Rows without an id are our additions."
    )
    lines = ",\n".join(f"  {json.dumps(row)}" for row in rows)
    return f'{{"about": {json.dumps(about)},\n"ways": [\n{lines}\n]}}\n'


def main(arguments: list[str]) -> int:
    """Writes or compares the table; the exit code."""
    parser = argparse.ArgumentParser(description="Write the table of ways to more rights.")
    parser.add_argument("--paths", type=Path, help="a checkout of pathfinding.cloud")
    parser.add_argument("--wheels", type=Path, help="a folder with cloudsplaining's wheel, instead of downloading it")
    parser.add_argument("--check", action="store_true", help="write nothing, fail where the table differs")
    options = parser.parse_args(arguments)
    with wheels(options.wheels, f"cloudsplaining=={CLOUDSPLAINING}") as folder:
        ways = [*cloudsplaining(folder), *(pathfinding(options.paths) if options.paths else as_they_stand())]
    ways += [(f"rhino:{number}", actions) for number, actions in RHINO] + [("", actions) for actions in OURS]
    found = text(merged(ways))
    return kept(TABLE, found, check=options.check)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
