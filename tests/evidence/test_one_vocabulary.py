"""What receives a stack knows CloudFormation's types alone; the types of Terraform that are still named can only go."""

from __future__ import annotations

import re

from tests.support import HOME

PACKAGES = ("evidence", "graph", "authoring")
NO_TYPES = {"aws_policy_name"}
TO_GO = {
    "aws_api_gateway_",
    "aws_api_gateway_account",
    "aws_api_gateway_api_key",
    "aws_api_gateway_authorizer",
    "aws_api_gateway_base_path_mapping",
    "aws_api_gateway_deployment",
    "aws_api_gateway_domain_name",
    "aws_api_gateway_gateway_response",
    "aws_api_gateway_integration",
    "aws_api_gateway_integration_response",
    "aws_api_gateway_method",
    "aws_api_gateway_method_response",
    "aws_api_gateway_method_settings",
    "aws_api_gateway_model",
    "aws_api_gateway_request_validator",
    "aws_api_gateway_resource",
    "aws_api_gateway_rest_api",
    "aws_api_gateway_rest_api_policy",
    "aws_api_gateway_stage",
    "aws_appautoscaling_",
    "aws_appsync_api_key",
    "aws_budgets_",
    "aws_budgets_budget",
    "aws_cloudformation_stack",
    "aws_cloudformation_stack_instances",
    "aws_cloudformation_stack_set",
    "aws_cloudwatch_alarm_mute_rule",
    "aws_cloudwatch_dashboard",
    "aws_dynamodb_",
    "aws_iam_",
    "aws_iam_role",
    "aws_kms_grant",
    "aws_kms_secrets",
    "aws_lambda_",
    "aws_lambda_invocation",
    "aws_lambda_layer",
    "aws_lambda_permission",
    "aws_lambda_provisioned_concurrency_config",
    "aws_lb_target_group_attachment",
    "aws_prefix_list",
    "aws_s3_account_public_access_block",
    "aws_secretsmanager_secret",
    "aws_security_group",
    "aws_security_group_rule",
    "aws_serverlessapplicationrepository_cloudformation_stack",
    "aws_servicecatalog_provisioned_product",
    "aws_signer_",
    "aws_ssm_parameter",
    "aws_vpc_endpoint",
    "aws_vpc_security_group_egress_rule",
    "aws_wafv2_web_acl_rule_group_association",
}
"""Types, and beginnings of types, that a plan's reader does not say in CloudFormation's words yet: add none."""


def test_no_package_that_receives_a_stack_names_a_type_of_terraform() -> None:
    files = [
        path
        for name in PACKAGES
        for path in (HOME / "threatmodel" / name).rglob("*")
        if path.suffix in {".py", ".yaml"}
    ]
    named = {
        found for path in files for found in re.findall(r"(?<![\w.])aws_[a-z0-9_]+", path.read_text(encoding="utf-8"))
    }
    assert len(files) > 100
    assert named - NO_TYPES == TO_GO
