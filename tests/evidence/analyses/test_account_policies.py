"""What the policies of an account and an organization allow, refuse and guard."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.evidence.asking import found, plan, template
from tests.evidence.policies.stating import (
    NO,
    NOTHING,
    OPEN,
    UNKNOWN,
    YES,
    allow,
    asked,
    deny,
    document,
    word,
)
from threatmodel.evidence.analyses import guardrails
from threatmodel.evidence.policies.iam import watched
from threatmodel.stacks.values import Unknown

EXEMPT = {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/security"}}
RESERVED = {
    "ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_ops_*"}
}
MAKE = ["iam:CreateRole", "iam:UpdateAssumeRolePolicy"]
LEAVE = ["organizations:LeaveOrganization", "organizations:AcceptHandshake"]
STOPPING = ["cloudtrail:Stop*", "cloudtrail:Delete*", "config:Delete*", "config:Stop*", "guardduty:Delete*"]
QUIETLY = ["cloudtrail:Update*", "cloudtrail:Put*", "config:Put*", "config:Disassociate*", "guardduty:*"]
EVERY_ROLE = {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/*"}}


@pytest.mark.parametrize(
    ("name", "stated", "expected"),
    [
        ("denies-leaving", [deny(LEAVE)], YES),
        ("denies-leaving", [deny("organizations:LeaveOrganization")], NO),
        # a role that is spared by name is as safe as that name: nobody may create it, or change its trust
        ("denies-leaving", [deny("organizations:*", Condition=EXEMPT)], OPEN),
        (
            "denies-leaving",
            [deny("organizations:*", Condition=EXEMPT), deny(MAKE, "arn:aws:iam::*:role/security")],
            YES,
        ),
        ("denies-leaving", [deny("organizations:*", Condition=EXEMPT), deny(MAKE, "arn:aws:iam::*:role/sec*")], YES),
        ("denies-leaving", [deny("organizations:*", Condition=EXEMPT), deny(MAKE, "arn:aws:iam::*:role/other")], OPEN),
        ("denies-leaving", [deny("organizations:*", Condition=EXEMPT), deny(MAKE[:1])], OPEN),
        ("denies-leaving", [deny("organizations:*", Condition=RESERVED)], YES),
        ("denies-leaving", [deny("organizations:*", Condition={"Bool": {"aws:ViaAWSService": "true"}})], NO),
        ("denies-leaving", [allow("*")], NO),
        ("denies-leaving", [UNKNOWN], OPEN),
        ("denies-leaving", [{"Effect": "Deny", "NotAction": "iam:*", "Resource": "*"}], YES),
        ("denies-leaving", [deny("organizations:*", Condition=EVERY_ROLE)], NO),
        ("denies-stopping-detection", [deny(STOPPING + QUIETLY), deny("s3:DeleteBucket", "arn:aws:s3:::trail")], YES),
        ("denies-stopping-detection", [deny(STOPPING), deny("s3:DeleteBucket", "arn:aws:s3:::trail")], NO),
        ("denies-stopping-detection", [deny(STOPPING + QUIETLY)], NO),
        ("denies-stopping-detection", [deny(STOPPING[:2]), deny("s3:DeleteBucket")], NO),
        ("denies-stopping-detection", [deny(STOPPING + QUIETLY[:3] + QUIETLY[4:]), deny("logs:DeleteLogGroup")], NO),
        ("denies-root", [deny("*", Condition={"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:root"}})], YES),
        ("denies-root", [deny("s3:*", Condition={"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:root"}})], NO),
        (
            "denies-other-regions",
            [
                {
                    "Effect": "Deny",
                    "NotAction": ["iam:*"],
                    "Resource": "*",
                    "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1"]}},
                }
            ],
            YES,
        ),
        ("denies-other-regions", [deny("ec2:*", Condition={"StringNotEquals": {"aws:RequestedRegion": "x"}})], NO),
        (
            "denies-public-functions",
            [
                deny(
                    ["lambda:CreateFunctionUrlConfig", "lambda:UpdateFunctionUrlConfig"],
                    Condition={"StringNotEquals": {"lambda:FunctionUrlAuthType": "AWS_IAM"}},
                ),
                deny("lambda:AddPermission", Condition={"StringEquals": {"lambda:Principal": "*"}}),
                deny(
                    "lambda:PutResourcePolicy",
                    Condition={"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/deploy"}},
                ),
                deny(MAKE, "arn:aws:iam::*:role/deploy"),
            ],
            YES,
        ),
        (
            "denies-public-functions",
            [
                deny(
                    ["lambda:CreateFunctionUrlConfig", "lambda:UpdateFunctionUrlConfig"],
                    Condition={"StringNotEquals": {"lambda:FunctionUrlAuthType": "AWS_IAM"}},
                ),
                deny("lambda:AddPermission", Condition={"StringEquals": {"lambda:Principal": "*"}}),
                deny("lambda:PutResourcePolicy", Condition={"StringEquals": {"lambda:Principal": "*"}}),
            ],
            NO,
        ),
        ("denies-public-functions", [deny("lambda:CreateFunctionUrlConfig")], NO),
        ("denies-without-mfa", [deny("*", Condition={"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}})], YES),
        ("denies-without-mfa", [deny("*", Condition={"Bool": {"aws:MultiFactorAuthPresent": "false"}})], NO),
    ],
)
def test_guardrails(name: str, stated: list[Any], expected: Any) -> None:
    text = document(*stated) if any(isinstance(one, Unknown) for one in stated) else json.dumps({"Statement": stated})
    assert word(asked(name, ("guardrail", text))) == expected


def test_the_guardrails_of_the_library_are_guardrails() -> None:
    how = yaml.safe_load(Path("threatlib/controls/version-control/guardrail-detection.yaml").read_text("utf-8"))["how"]
    template = yaml.safe_load(re.sub(r"!(Ref|Sub|GetAtt) ", "", how["cloudformation"]))
    content = template["GuardrailDetection"]["Properties"]["Content"]
    assert word(asked("denies-stopping-detection", ("guardrail", json.dumps(content)))) is YES
    named = set(re.findall(r'"(\w[\w-]*:\w+)"', how["terraform"])) - {"aws:PrincipalArn"}
    assert named == {action for one in content["Statement"] for action in one["Action"]}


LEAVING = "{Version: '2012-10-17', Statement: [{Effect: Deny, Action: 'organizations:*', Resource: '*'}]}"
POLICY = "P: {Type: AWS::Organizations::Policy, Properties: {Name: p, Type: %s, Content: %s%s}}\n"
SCP = "SERVICE_CONTROL_POLICY"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # a template shows where a policy is attached to, and never that the account is below
        (POLICY % (SCP, LEAVING, ", TargetIds: [r-abcd]"), OPEN),
        (POLICY % (SCP, LEAVING, ", TargetIds: [!ImportValue unit]"), OPEN),
        (POLICY % (SCP, LEAVING, ""), NO),
        (POLICY % (SCP, LEAVING, ", TargetIds: []"), NO),
        (POLICY % ("RESOURCE_CONTROL_POLICY", LEAVING, ""), NOTHING),
        (POLICY % (SCP, LEAVING.replace("Deny", "Allow"), ", TargetIds: [r-abcd]"), NOTHING),
        (POLICY % (SCP, LEAVING.replace("organizations:*", "s3:*"), ""), NOTHING),
        (POLICY % (SCP, "!ImportValue a", ", TargetIds: [r-abcd]"), OPEN),
        # one that is attached beside one that is not
        (
            POLICY % (SCP, LEAVING, "") + "  Q" + (POLICY % (SCP, LEAVING, ", TargetIds: [r-abcd]"))[1:],
            OPEN,
        ),
    ],
)
def test_a_policy_of_a_template_that_is_attached_to_nothing_guards_nothing(text: str, expected: Any) -> None:
    assert word(found(template("  " + text), "account", "guardrail_leaving")) is expected


def test_a_policy_of_a_plan_is_attached_by_a_resource_of_its_own() -> None:
    stated = json.dumps({"Statement": [deny(LEAVE)]})
    policy = f"aws_organizations_policy.p: {{type: {SCP}, content: '{stated}'}}\n"
    assert word(found(plan(policy), "account", "guardrail_leaving")) is NO
    attached = (
        "aws_organizations_policy_attachment.a: {policy_id: '${aws_organizations_policy.p.id}', target_id: r-abcd}"
    )
    assert word(found(plan(policy + attached), "account", "guardrail_leaving")) is OPEN
    unknown = attached.replace("'${aws_organizations_policy.p.id}'", "'?'")
    assert word(found(plan(policy + unknown), "account", "guardrail_leaving")) is OPEN


def test_a_call_that_nobody_judged_leaves_it_open(monkeypatch: pytest.MonkeyPatch) -> None:
    newer = watched()["guardduty"]._replace(unjudged=("guardduty:sleep",))
    monkeypatch.setattr(guardrails, "watched", lambda: {**watched(), "guardduty": newer})
    listed = [action for service in ("cloudtrail", "config", "guardduty") for action in watched()[service].blinds]
    logs = deny("logs:DeleteLogGroup")
    assert word(asked("denies-stopping-detection", ("guardrail", document(deny(listed), logs)))) is OPEN
    every = deny(["cloudtrail:*", "config:*", "guardduty:*"])
    assert word(asked("denies-stopping-detection", ("guardrail", document(every, logs)))) is YES
