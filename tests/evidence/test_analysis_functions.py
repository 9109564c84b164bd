"""What code answers about a function, asked of templates and of plans."""

from __future__ import annotations

import pytest

from tests.evidence.asking import AT, NOTHING, UNKNOWN, answer, found, places, plan, template, usual
from threatmodel.evidence.analyses.functions import qualifier
from threatmodel.evidence.answers import Answered, Gathered
from threatmodel.evidence.mappings.stack_facts import StackFacts
from threatmodel.stacks.values import Scalar

# --- layers

OWN = "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:layer:shared"


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        (f'[!Sub "{OWN}:7"]', True),
        (f'[!Sub "{OWN}"]', False),
        ("[!Ref Shared]", True),
        (f'[!Ref Shared, !Sub "{OWN}"]', False),
        ('["arn:aws:lambda:eu-west-1:580247275435:layer:LambdaInsightsExtension:38"]', UNKNOWN),
        ('["arn:aws:lambda:eu-west-1:580247275435:layer:LambdaInsightsExtension:38", !Sub "' + OWN + '"]', False),
        ("[!ImportValue layer]", UNKNOWN),
        ("[!Ref Function]", UNKNOWN),
        (f'[!If [Prod, !Sub "{OWN}:7", !Sub "{OWN}"]]', UNKNOWN),
        ("[]", True),
    ],
)
def test_layers(layers: str, expected: object) -> None:
    stack = template(f"""
Parameters: {{Stage: {{Type: String, Default: prod}}}}
Conditions: {{Prod: !Equals [!Ref Stage, prod]}}
Resources:
  Shared: {{Type: AWS::Serverless::LayerVersion, Properties: {{ContentUri: layer/}}}}
  Function: {{Type: AWS::Lambda::Function, Properties: {{Layers: {layers}}}}}
""")
    outcome = found(stack, "function", "layers_pinned_and_trusted")
    assert answer(outcome) == expected
    if "Prod" in layers:
        assert usual(outcome) is True


def test_layers_of_a_plan() -> None:
    text = """
aws_lambda_layer_version.shared: {layer_name: shared}
aws_lambda_function.bot: {layers: ["${aws_lambda_layer_version.shared.%s}"]}
"""
    assert answer(found(plan(text % "arn"), "function", "layers_pinned_and_trusted")) is True
    assert answer(found(plan(text % "layer_arn"), "function", "layers_pinned_and_trusted")) is False


# --- variables


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ("{TABLE: orders, SLACK_TOKEN_SSM_NAME: /slack/token}", False),
        ("{TABLE: orders, TOKEN: xoxb-123456789012-planted}", True),
        ("{TABLE: !ImportValue orders, TOKEN: xoxb-123456789012-planted}", True),
        ("{TOKEN: !ImportValue orders}", UNKNOWN),
        ("!If [Prod, {A: xoxb-123456789012-planted}, {A: b}]", UNKNOWN),
        ("{TOKEN: !Ref Token}", True),
        ("{}", False),
    ],
)
def test_secret_in_environment(variables: str, expected: object) -> None:
    stack = template(f"""
Parameters:
  Stage: {{Type: String, Default: prod}}
  Token: {{Type: String, NoEcho: true, Default: planted}}
Conditions: {{Prod: !Equals [!Ref Stage, prod]}}
Resources:
  Function: {{Type: AWS::Lambda::Function, Properties: {{Environment: {{Variables: {variables}}}}}}}
""")
    outcome = found(stack, "function", "environment_holds_secret")
    assert answer(outcome) == expected
    assert "planted" not in repr(outcome)
    if "Prod" in variables:
        assert usual(outcome) is True
    if isinstance(outcome, Answered) and outcome.value:
        assert outcome.places[0].line == 7
        assert outcome.note.startswith("TOKEN: ")


def test_a_note_names_eight_variables_at_most() -> None:
    variables = ", ".join(f"TOKEN_{n}: xoxb-123456789012-planted" for n in range(20))
    stack = template(
        f"  F: {{Type: AWS::Lambda::Function, Properties: {{Environment: {{Variables: {{{variables}}}}}}}}}"
    )
    outcome = found(stack, "function", "environment_holds_secret")
    assert isinstance(outcome, Answered)
    assert outcome.note.endswith(" and 12 more")
    assert len(outcome.places) == 20


def test_variables_of_a_plan() -> None:
    text = "aws_lambda_function.bot: {environment: [{variables: {SLACK_TOKEN: %s}}]}"
    assert answer(found(plan(text % "xoxb-123456789012-planted"), "function", "environment_holds_secret")) is True
    assert answer(found(plan(text % '"?"'), "function", "environment_holds_secret")) == UNKNOWN
    link = '"${aws_secretsmanager_secret.slack.arn}"'
    assert answer(found(plan(text % link), "function", "environment_holds_secret")) is False
    link = '"${data.aws_secretsmanager_secret_version.slack.secret_string}"'
    assert answer(found(plan(text % link), "function", "environment_holds_secret")) is True


# --- callers

INVOCATION = "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/"
MAPPING = "{Type: AWS::Lambda::EventSourceMapping, Properties: {FunctionName: %s}}"
METHOD = '{Type: AWS::ApiGateway::Method, Properties: {Integration: {Uri: !Sub "' + INVOCATION + '%s/invocations"}}}'


@pytest.mark.parametrize(
    ("callers", "expected"),
    [
        ([MAPPING % "!Ref F"], "latest"),
        ([MAPPING % "!GetAtt F.Arn"], "latest"),
        ([MAPPING % '!Sub "${F.Arn}:live"'], "alias"),
        ([MAPPING % '!Sub "${F}:12"'], "version"),
        ([MAPPING % '!Sub "${F.Arn}:$LATEST"'], "latest"),
        ([MAPPING % "order-bot"], "latest"),
        ([MAPPING % "other"], NOTHING),
        ([METHOD % "${F.Arn}"], "latest"),
        ([METHOD % "${F.Arn}:live"], "alias"),
        ([METHOD % "${F.Arn}:${!stageVariables.alias}"], UNKNOWN),
        ([MAPPING % '!Sub "${F.Arn}:live"', METHOD % "${F.Arn}:live"], "alias"),
        ([MAPPING % "!Ref F", METHOD % "${F.Arn}:live"], UNKNOWN),
        ([MAPPING % "!ImportValue function", METHOD % "${F.Arn}:live"], UNKNOWN),
        (
            ["{Type: AWS::Lambda::Url, Properties: {AuthType: NONE, TargetFunctionArn: !Ref F, Qualifier: live}}"],
            "alias",
        ),
        (["{Type: AWS::Lambda::Url, Properties: {AuthType: NONE, TargetFunctionArn: !Ref F}}"], "latest"),
        ([], NOTHING),
    ],
)
def test_what_callers_are_bound_to(callers: list[str], expected: str) -> None:
    text = "".join(f"  Caller{n}: {caller}\n" for n, caller in enumerate(callers))
    stack = template("  F: {Type: AWS::Lambda::Function, Properties: {FunctionName: order-bot}}\n" + text)
    assert answer(found(stack, "function", "invoked_by")) == expected


@pytest.mark.parametrize(
    ("caller", "expected"),
    [
        ("order-bot", "latest"),
        ("order-bot:live", "alias"),
        ("123456789012:function:order-bot:7", "version"),
        ("arn:aws:lambda:eu-west-1:123456789012:function:order-bot:live", "alias"),
        ("arn:aws:lambda:eu-west-1:123456789012:function:order-bot", "latest"),
        ("arn:aws:lambda:eu-west-1:123456789012:function:order-bot:$LATEST", "latest"),
        (
            "arn:aws:apigateway:a:lambda:path/1/functions/arn:aws:lambda:a:1:function:order-bot:live/invocations",
            "alias",
        ),
        ("arn:aws:lambda:eu-west-1:123456789012:function:other:live", NOTHING),
        ("https://example.com/order-bot", NOTHING),
        ("", NOTHING),
    ],
)
def test_callers_that_give_a_name_as_text(caller: str, expected: str) -> None:
    stack = template("  F: {Type: AWS::Lambda::Function, Properties: {FunctionName: order-bot}}")
    function = stack.resources["F"]
    parts = [Gathered("caller", Scalar(caller, AT), function)]
    assert answer(qualifier(parts, function, stack)) == expected


DEFINED = "  M: {Type: AWS::StepFunctions::StateMachine, Properties: {DefinitionString: %s}}\n"
SAM_F = "  F: {Type: AWS::Serverless::Function, Properties: {Handler: a.b, AutoPublishAlias: live}}\n"
MACHINE = """
  M:
    Type: AWS::StepFunctions::StateMachine
    Properties: {DefinitionString: x, DefinitionSubstitutions: {Work: %s}}
"""


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("", "alias"),
        ("  R: {Type: AWS::Events::Rule, Properties: {Targets: [{Arn: !GetAtt F.Arn}]}}\n", "latest"),
        ("  R: {Type: AWS::Events::Rule, Properties: {Targets: [{Arn: !Ref F.Alias}]}}\n", "alias"),
        (
            "  R: {Type: AWS::Events::Rule, Properties: {Targets: [{Arn: !Ref F.Alias}, {Arn: !GetAtt F.Arn}]}}\n",
            UNKNOWN,
        ),
        ("  R: {Type: AWS::Events::Rule, Properties: {Targets: [{Arn: !ImportValue x}]}}\n", UNKNOWN),
        (MACHINE % "!GetAtt F.Arn", "latest"),
        (MACHINE % "!Ref F.Alias", "alias"),
        (MACHINE % "!GetAtt Other.Arn" + "  Other: {Type: AWS::SQS::Queue}\n", "alias"),
        ("  P: {Type: AWS::Pipes::Pipe, Properties: {Source: x, Target: !GetAtt F.Arn}}\n", "latest"),
        (DEFINED % """!Sub '{"States": {"a": {"Resource": "${F.Arn}"}}}'""", "latest"),
        (DEFINED % """!Sub '{"States": {"a": {"Resource": "${F.Alias}"}}}'""", "alias"),
        ("  U: {Type: AWS::Cognito::UserPool, Properties: {LambdaConfig: {PreSignUp: !GetAtt F.Arn}}}\n", "latest"),
    ],
)
def test_callers_beside_the_alias_that_sam_makes(more: str, expected: str) -> None:
    assert answer(found(template(SAM_F + more), "function", "invoked_by", "F")) == expected


ANYBODY = "  P: {Type: AWS::Lambda::Permission, Properties: {Action: x, FunctionName: %s, Principal: '*'%s}}\n"


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("", False),
        (ANYBODY % ("!Ref F", ""), True),
        (ANYBODY % ("!Ref F.Alias", ""), True),
        (ANYBODY % ("!Ref F.Version", ""), True),
        (ANYBODY % ("!Ref F.Alias", ", PrincipalOrgID: o-1"), False),
        (
            ANYBODY % ("!Ref Mine", "") + "  Mine: {Type: AWS::Lambda::Alias, Properties: {FunctionName: !Ref F}}\n",
            True,
        ),
        (
            ANYBODY % ("!Ref Mine", "") + "  Mine: {Type: AWS::Lambda::Alias, Properties: {FunctionName: other}}\n",
            False,
        ),
        (ANYBODY % ("!ImportValue x", ""), UNKNOWN),
    ],
)
def test_who_may_invoke_it_by_an_alias_or_a_version(more: str, expected: object) -> None:
    stack = template(SAM_F + more)
    facts = StackFacts(stack, places("cloudformation"))
    assert answer(facts.of("function", stack.resources["F"]).get("invocable_by_anyone")) == expected


def test_who_may_invoke_it_by_an_alias_of_a_plan() -> None:
    text = """
aws_lambda_function.f: {function_name: order-bot}
aws_lambda_alias.live: {function_name: "${aws_lambda_function.f.function_name}", name: live}
aws_lambda_permission.any: {function_name: "${aws_lambda_alias.live.arn}", principal: "*", action: x}
"""
    stack = plan(text)
    facts = StackFacts(stack, places("terraform"))
    assert answer(facts.of("function", stack.resources["aws_lambda_function.f"]).get("invocable_by_anyone")) is True


def test_a_rule_with_targets_of_two_functions_binds_each_by_its_own() -> None:
    stack = template("""
  F: {Type: AWS::Lambda::Function}
  G: {Type: AWS::Lambda::Function}
  Rule: {Type: AWS::Events::Rule, Properties: {Targets: [{Arn: !GetAtt F.Arn}, {Arn: !Sub "${G.Arn}:live"}]}}
""")
    assert answer(found(stack, "function", "invoked_by", "F")) == "latest"
    assert answer(found(stack, "function", "invoked_by", "G")) == "alias"


@pytest.mark.parametrize(
    ("permission", "published", "expected"),
    [
        ('{function_name: "${aws_lambda_function.bot.function_name}"}', "true", "latest"),
        ('{function_name: "${aws_lambda_function.bot.function_name}", qualifier: live}', "true", "alias"),
        (
            '{function_name: "${aws_lambda_function.bot.arn}", qualifier: "${aws_lambda_alias.live.name}"}',
            "true",
            "alias",
        ),
        ('{function_name: "${aws_lambda_function.bot.qualified_arn}"}', "true", "version"),
        ('{function_name: "${aws_lambda_function.bot.qualified_arn}"}', "false", "latest"),
        ('{function_name: "${aws_lambda_function.bot.arn}", qualifier: "?"}', "true", UNKNOWN),
    ],
)
def test_callers_of_a_plan(permission: str, published: str, expected: str) -> None:
    stack = plan(f"""
aws_lambda_function.bot: {{function_name: order-bot, publish: {published}}}
aws_lambda_alias.live: {{function_name: "${{aws_lambda_function.bot.arn}}", name: live}}
aws_lambda_permission.api: {permission}
""")
    assert answer(found(stack, "function", "invoked_by")) == expected


# --- egress

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
    if egress.startswith("!If") or (not egress and "Condition" in more):
        assert usual(outcome) == "restricted"


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
        ('"?"', PLANNED_RULE % "cidr_ipv4: 203.0.113.7/32", "restricted"),
        ("[]", PLANNED_RULE % "cidr_ipv4: 0.0.0.0/0", "open"),
        ("[]", PLANNED_RULE % "prefix_list_id: pl-123", UNKNOWN),
        ("[]", OLD_RULE % "type: ingress, cidr_blocks: [0.0.0.0/0]", "none"),
        ("[]", OLD_RULE % "type: egress, cidr_blocks: [0.0.0.0/0]", "open"),
    ],
)
def test_egress_of_a_plan(egress: str, more: str, expected: str) -> None:
    assert answer(found(plan(PLANNED_GROUP % egress + more), "function", "egress")) == expected
