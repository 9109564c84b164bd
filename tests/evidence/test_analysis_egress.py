"""Where a function of a network can connect to, by its groups and its endpoints."""

from __future__ import annotations

import pytest

from tests.evidence.asking import UNKNOWN, answer, found, plan, template

GROUPS = """
Parameters: {{Stage: {{Type: String, Default: prod}}, Prefix: {{Type: String}}}}
Conditions: {{Prod: !Equals [!Ref Stage, prod]}}
Resources:
  Vpc: {{Type: AWS::EC2::VPC, Properties: {{CidrBlock: 10.0.0.0/16}}}}
  Other: {{Type: AWS::EC2::SecurityGroup, Properties: {{VpcId: !Ref Vpc}}}}
  Group: {{Type: AWS::EC2::SecurityGroup, Properties: {{VpcId: !Ref Vpc{egress}}}}}
  Function: {{Type: AWS::Lambda::Function, Properties: {{VpcConfig: {{SubnetIds: [a], SecurityGroupIds: {groups}}}}}}}
{more}
"""
RULE = "  Rule: {Type: AWS::EC2::SecurityGroupEgress, %sProperties: {GroupId: !Ref Group, %s}}"


@pytest.mark.parametrize(
    ("egress", "groups", "more", "expected"),
    [
        ("", "[!Ref Group]", "", "open"),
        ("[{CidrIp: 0.0.0.0/0}]", "[!Ref Group]", "", "open"),
        ("[{CidrIpv6: '::/0'}]", "[!Ref Group]", "", "open"),
        ("[{CidrIp: 128.0.0.0/1}]", "[!Ref Group]", "", "open"),
        ("[{CidrIp: 203.0.113.0/24}]", "[!Ref Group]", "", "restricted"),
        ("[{CidrIp: 192.168.0.0/16}]", "[!Ref Group]", "", "restricted"),
        ("[{CidrIp: 203.0.0.0/16}]", "[!Ref Group]", "", "restricted"),
        ("[{CidrIp: 203.0.0.0/15}]", "[!Ref Group]", "", UNKNOWN),
        ("[{CidrIp: 0.0.0.0/2}]", "[!Ref Group]", "", UNKNOWN),
        ("[{CidrIp: 0.0.0.0/2}, {CidrIp: 64.0.0.0/3}, {CidrIp: 96.0.0.0/3}]", "[!Ref Group]", "", "open"),
        ("[{CidrIp: 203.0.0.0/16}, {CidrIp: 203.1.0.0/16}]", "[!Ref Group]", "", UNKNOWN),
        ("[{CidrIpv6: '2001:db8::/32'}]", "[!Ref Group]", "", "restricted"),
        ("[{CidrIpv6: '2600::/12'}]", "[!Ref Group]", "", UNKNOWN),
        ("[{CidrIpv6: '2000::/4'}, {CidrIpv6: '3000::/4'}]", "[!Ref Group]", "", "open"),
        ("[{CidrIpv6: '64:ff9b::/96'}]", "[!Ref Group]", "", "open"),
        ("[{CidrIpv6: '64:ff9b::cb00:7107/128'}]", "[!Ref Group]", "", "restricted"),
        ("[{CidrIpv6: '::ffff:0:0/97'}]", "[!Ref Group]", "", "open"),
        ("[{CidrIp: 10.0.4.0/24}]", "[!Ref Group]", "", "none"),
        ("[{CidrIp: !GetAtt Vpc.CidrBlock}]", "[!Ref Group]", "", "none"),
        ("[{CidrIp: 127.0.0.1/32}]", "[!Ref Group]", "", "none"),
        ("[{DestinationSecurityGroupId: !Ref Other}]", "[!Ref Group]", "", "none"),
        ("[{DestinationSecurityGroupId: !Ref Other}, {CidrIp: 203.0.113.7/32}]", "[!Ref Group]", "", "restricted"),
        ("[{DestinationPrefixListId: !Ref Prefix}]", "[!Ref Group]", "", UNKNOWN),
        ("[{DestinationPrefixListId: !Ref Prefix}, {CidrIp: 0.0.0.0/0}]", "[!Ref Group]", "", "open"),
        ("[{CidrIp: !ImportValue net}]", "[!Ref Group]", "", UNKNOWN),
        ("!If [Prod, [{CidrIp: 203.0.113.7/32}], [{CidrIp: 0.0.0.0/0}]]", "[!Ref Group]", "", UNKNOWN),
        ("", "[!Ref Group]", RULE % ("", "CidrIp: 203.0.113.7/32"), "restricted"),
        ("", "[!Ref Group]", RULE % ("", "CidrIp: 0.0.0.0/0"), "open"),
        ("", "[!Ref Group]", RULE % ("Condition: Prod, ", "CidrIp: 203.0.113.7/32"), UNKNOWN),
        ("[{CidrIp: 203.0.113.7/32}]", "[!Ref Group]", RULE % ("Condition: Prod, ", "CidrIp: 0.0.0.0/0"), UNKNOWN),
        ("[{CidrIp: 203.0.113.7/32}]", "[!Ref Group, !Ref Other]", "", "open"),
        ("[{CidrIp: 203.0.113.7/32}]", "[!Ref Group, sg-123]", "", UNKNOWN),
        ("[{CidrIp: 203.0.113.7/32}]", "!ImportValue groups", "", UNKNOWN),
    ],
)
def test_egress(egress: str, groups: str, more: str, expected: str) -> None:
    stack = template(
        GROUPS.format(egress=f", SecurityGroupEgress: {egress}" if egress else "", groups=groups, more=more)
    )
    outcome = found(stack, "function", "egress", "Function")
    assert answer(outcome) == expected


ENDPOINT = (
    "  E: {Type: AWS::EC2::VPCEndpoint, Properties: {VpcId: v, SecurityGroupIds: [!Ref Other], ServiceName: %s%s}}\n"
)
S3 = "com.amazonaws.eu-west-1.s3"


def policy(**stated: str) -> str:
    said = {"Effect": "Allow", "Principal": "'*'", "Action": "'s3:*'", "Resource": "'*'", **stated}
    return ", PolicyDocument: {Statement: [{" + ", ".join(f"{name}: {told}" for name, told in said.items()) + "}]}"


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        (ENDPOINT % (S3, ""), UNKNOWN),  # it leads to the buckets of anybody
        (ENDPOINT % (S3, policy()), UNKNOWN),
        (ENDPOINT % (S3, policy(Resource="'arn:aws:s3:::*'")), UNKNOWN),
        (ENDPOINT % (S3, policy(Resource="'arn:aws:s3:::shop-files/*'")), "none"),
        (ENDPOINT % (S3, policy(Condition="{StringEquals: {'aws:ResourceAccount': '111122223333'}}")), "none"),
        (ENDPOINT % (S3, policy(Condition="{StringLike: {'aws:ResourceOrgID': 'o-*'}}")), UNKNOWN),
        (ENDPOINT % (S3, policy(Condition="{StringNotEquals: {'aws:ResourceAccount': '1'}}")), UNKNOWN),
        (ENDPOINT % (S3, ", PolicyDocument: !ImportValue p"), UNKNOWN),
        (ENDPOINT % ("com.amazonaws.vpce.eu-west-1.vpce-svc-1", ""), "none"),
    ],
)
def test_an_endpoint_lets_out_to_anybody_unless_its_policy_says_whose(endpoint: str, expected: str) -> None:
    egress = ", SecurityGroupEgress: [{DestinationSecurityGroupId: !Ref Other}]"
    stack = template(GROUPS.format(egress=egress, groups="[!Ref Group]", more=endpoint))
    assert answer(found(stack, "function", "egress", "Function")) == expected


def test_an_endpoint_that_no_rule_leads_to_changes_nothing() -> None:
    egress = ", SecurityGroupEgress: [{CidrIp: 203.0.113.7/32}]"
    stack = template(GROUPS.format(egress=egress, groups="[!Ref Group]", more=ENDPOINT % (S3, "")))
    assert answer(found(stack, "function", "egress", "Function")) == "restricted"


def test_an_endpoint_changes_nothing_for_a_function_outside_the_vpc() -> None:
    text = "  F: {Type: AWS::Lambda::Function}\n" + ENDPOINT % (S3, "")
    assert answer(found(template(text), "function", "egress")) == "open"


def test_egress_outside_a_vpc_and_in_the_default_group() -> None:
    assert answer(found(template("  F: {Type: AWS::Lambda::Function}"), "function", "egress")) == "open"
    vpc = "  F: {Type: AWS::Lambda::Function, Properties: {VpcConfig: {SubnetIds: [a]}}}"
    assert answer(found(template(vpc), "function", "egress")) == UNKNOWN


def test_egress_of_a_function_that_runs_on_instances_is_that_of_their_network() -> None:
    arn = "arn:aws:lambda:eu-west-1:123456789012:capacity-provider:p"
    stack = template(
        f"  F: {{Type: AWS::Serverless::Function, Properties: {{CapacityProviderConfig: {{Arn: '{arn}'}}}}}}"
    )
    assert answer(found(stack, "function", "egress", "F")) == UNKNOWN
    assert answer(found(stack, "function", "in_vpc", "F")) == UNKNOWN
    planned = plan("aws_lambda_function.f: {capacity_provider_config: [{own: [{capacity_provider_arn: a}]}]}")
    assert answer(found(planned, "function", "egress")) == UNKNOWN


PLANNED_GROUP = """
aws_security_group.out: {egress: %s}
aws_vpc_endpoint.s3: {}
aws_lambda_function.bot: {vpc_config: [{subnet_ids: [a], security_group_ids: ["${aws_security_group.out.id}"]}]}
"""
OWN_BUCKET = """aws_vpc_endpoint_policy.p:
  vpc_endpoint_id: "${aws_vpc_endpoint.s3.id}"
  policy: '{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::shop-files/*"}]}'
"""
PLANNED_RULE = 'aws_vpc_security_group_egress_rule.out: {security_group_id: "${aws_security_group.out.id}", %s}'
OLD_RULE = 'aws_security_group_rule.out: {security_group_id: "${aws_security_group.out.id}", %s}'


@pytest.mark.parametrize(
    ("egress", "more", "expected"),
    [
        ("[]", "", "none"),
        ("[{cidr_blocks: [0.0.0.0/0], ipv6_cidr_blocks: [], security_groups: []}]", "", "open"),
        ("[{cidr_blocks: [203.0.113.7/32], ipv6_cidr_blocks: [], security_groups: []}]", "", "restricted"),
        ("[{cidr_blocks: [10.0.4.0/24], ipv6_cidr_blocks: []}]", "", UNKNOWN),
        ("[{cidr_blocks: [], self: true}]", "", "none"),
        ('[{prefix_list_ids: ["${aws_vpc_endpoint.s3.prefix_list_id}"]}]', "", UNKNOWN),  # to the buckets of anybody
        (
            '[{prefix_list_ids: ["${aws_vpc_endpoint.s3.prefix_list_id}"]}]',
            OWN_BUCKET,
            "none",
        ),
        ('"?"', "", UNKNOWN),
        ('"?"', PLANNED_RULE % "cidr_ipv4: 203.0.113.7/32", UNKNOWN),  # known after apply, beside rules of its own
        ("[]", PLANNED_RULE % "cidr_ipv4: 0.0.0.0/0", "open"),
        ("[]", PLANNED_RULE % "prefix_list_id: pl-123", UNKNOWN),
        ("[]", OLD_RULE % "type: ingress, cidr_blocks: [0.0.0.0/0]", "none"),
        ("[]", OLD_RULE % "type: egress, cidr_blocks: [0.0.0.0/0]", "open"),
    ],
)
def test_egress_of_a_plan(egress: str, more: str, expected: str) -> None:
    assert answer(found(plan(PLANNED_GROUP % egress + more), "function", "egress")) == expected
