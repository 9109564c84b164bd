"""Ways to more rights: every method of the public lists is seen, and what no list explains is never called harmless."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cloudsplaining.shared.constants import PRIVILEGE_ESCALATION_METHODS

from tests.evidence.policies.stating import OPEN, allow, asked, by_policy, deny, document
from threatmodel.evidence.answers import Answered, Unanswered
from threatmodel.evidence.policies.escalations import ways
from threatmodel.evidence.policies.iam import expanded, known_service

ROLE = "arn:aws:iam::123456789012:role/admin"


def test_every_way_of_the_table_is_seen_alone_and_names_its_ids() -> None:
    for way in ways():
        outcome = asked("role-escalates", ("policy", document(allow(list(way.actions), ROLE))))
        assert isinstance(outcome, Answered), way
        assert outcome.value is True, way
        assert "(" in outcome.note or not way.ids, outcome.note


def test_the_actions_of_the_table_are_real() -> None:
    gone = {"codestar:CreateProjectFromTemplate"}  # was never documented, and worked
    unknown = {
        action
        for way in ways()
        for action in way.actions
        if known_service(action.partition(":")[0]) and not expanded(action.lower())
    }
    assert unknown - gone == set()


def test_cloudsplaining_finds_nothing_that_is_not_found_here() -> None:
    methods = PRIVILEGE_ESCALATION_METHODS
    assert len(methods) >= 59
    unseen = {
        name for name, actions in methods.items() if by_policy("role-escalates", allow(actions, ROLE)) is not True
    }
    assert unseen == set()
    ids = {name for way in ways() for name in way.ids}
    assert {f"cloudsplaining:{name}" for name in methods} <= ids


def test_the_table_says_where_it_comes_from() -> None:
    table = json.loads(Path("threatmodel/evidence/policies/escalations.json").read_text(encoding="utf-8"))
    assert all(word in table["about"] for word in ("cloudsplaining", "pathfinding.cloud", "Rhino"))
    sources = {name.partition(":")[0] for row in table["ways"] for name in row["ids"]}
    assert sources == {"cloudsplaining", "pathfinding", "rhino"}


@pytest.mark.parametrize(
    "action",
    [
        "sts:AssumeRole",
        "iam:PassRole",
        "iam:CreateRole",
        "iam:DeleteRolePolicy",
        "iam:TagRole",
        "iam:UploadSSHPublicKey",
        "sts:GetFederationToken",
        "sts:GetScopedCredentials",
        "sso:CreatePermissionSet",
        "sso:BrandNewRight",
        "identitystore:CreateUser",
        "identitystore:Update*",
        "organizations:LeaveOrganization",
        "rolesanywhere:CreateProfile",
        "cloudformation:CreateStack",
        "cloudformation:CreateStackInstances",
        "codepipeline:StartPipelineExecution",
        "codeartifact:PublishPackageVersion",
        "codecommit:GitPush",
        "ecr:PutImage",
        "lambda:PublishLayerVersion",
        "lambda:UpdateAlias",
        "lambda:CreateEventSourceMapping",
        "lambda:BrandNewRight",
        "ssm:UpdateDocument",
        "ec2:RunInstances",
        "kms:CreateGrant",
        "kms:PutKeyPolicy",
        "s3:PutBucketPolicy",
        "sqs:SetQueueAttributes",
        "secretsmanager:PutResourcePolicy",
        "apigateway:PATCH",
        "athena:StartCalculationExecution",
        "autoscaling:UpdateAutoScalingGroup",
        "bedrock:UpdateAgent",
        "cloudwatch:AssumeAccessProfile",
        "config:PutRemediationConfigurations",
        "ecr-public:PutImage",
        "emr-containers:GetManagedEndpointSessionCredentials",
        "events:PutTargets",
        "ssm:RequestManagedInstanceRoleToken",
        "synthetics:UpdateCanary",
        "nobodyknows:CreateThing",
        "nobodyknows:*",
    ],
)
def test_a_write_on_identity_code_or_deployment_that_nothing_explains_is_unknown(action: str) -> None:
    outcome = asked("role-escalates", ("policy", document(allow(action, ROLE))))
    assert isinstance(outcome, Unanswered), outcome
    assert action.partition(":")[0] in outcome.why


@pytest.mark.parametrize(
    "action",
    [
        "dynamodb:PutItem",
        "lambda:InvokeFunction",
        "lambda:GetFunction",
        "states:StartExecution",
        "states:SendTaskSuccess",
        "events:PutEvents",
        "events:DisableRule",
        "apigateway:GET",
        "ssm:GetParameter",
        "ssm:CreateOpsItem",
        "ssm:PutParameter",
        "codepipeline:PutJobSuccessResult",
        "codedeploy:PutLifecycleEventHookExecutionStatus",
        "cloudformation:DescribeStacks",
        "s3:PutObject",
        "s3:PutObjectAcl",
        "ec2:CreateNetworkInterface",
        "nobodyknows:GetThing",
    ],
)
def test_ordinary_work_leads_to_no_more_rights(action: str) -> None:
    assert by_policy("role-escalates", allow(action, ROLE)) is False


def test_a_way_counts_over_several_statements_and_under_conditions_and_not_where_it_is_denied() -> None:
    passing = allow(
        "iam:PassRole", ROLE, Condition={"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
    )
    running = allow("ecs:RunTask", "arn:aws:ecs:eu-west-1:123456789012:task-definition/x:1")
    assert by_policy("role-escalates", passing, running) is True
    assert by_policy("role-escalates", allow("iam:*Assume*", ROLE)) is True
    assert by_policy("role-escalates", allow("sagemaker:Create*", "*")) is True
    assert by_policy("role-escalates", allow("iam:CreateAccessKey", ROLE), deny("iam:CreateAccessKey")) is False
    spared = allow("iam:CreateAccessKey", ROLE), deny("iam:CreateAccessKey", "arn:aws:iam::123456789012:user/other")
    assert by_policy("role-escalates", *spared) is True
    assert by_policy("role-escalates", {"Effect": "Allow", "NotAction": "s3:*", "Resource": ROLE}) is True


def test_the_first_way_is_named_and_the_others_counted() -> None:
    outcome = asked(
        "role-escalates", ("policy", document(allow(["lambda:UpdateFunctionCode", "iam:PutRolePolicy"], ROLE)))
    )
    assert isinstance(outcome, Answered)
    expected = "iam:PutRolePolicy (cloudsplaining PutRolePolicy, pathfinding.cloud iam-005, Rhino 12), and one more way"
    assert outcome.note == expected
    assert by_policy("role-escalates", allow("iam:Get*", ROLE)) is not OPEN
