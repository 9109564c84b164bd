"""What code answers about a function, asked of templates and of plans."""

from __future__ import annotations

import pytest

from tests.evidence.asking import AT, NOTHING, UNKNOWN, answer, found, places, plan, template
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


ALIAS = "  A%d: {Type: AWS::Lambda::Alias, Properties: {FunctionName: !Ref F, Name: a, FunctionVersion: %s}}\n"


@pytest.mark.parametrize(
    ("versions", "expected"),
    [(["7"], "alias"), (["$LATEST"], "latest"), (["!GetAtt V.Version"], "alias"), (["7", "$LATEST"], UNKNOWN)],
)
def test_an_alias_of_unpublished_code_pins_nothing(versions: list[str], expected: str) -> None:
    text = "  F: {Type: AWS::Lambda::Function}\n  V: {Type: AWS::Lambda::Version, Properties: {FunctionName: !Ref F}}\n"
    text += f"  M: {MAPPING % '!Ref A0'}\n" + "".join(ALIAS % one for one in enumerate(versions))
    assert answer(found(template(text), "function", "invoked_by")) == expected


@pytest.mark.parametrize(("publish", "expected"), [("true", "alias"), ("false", "latest")])
def test_a_plan_whose_function_publishes_nothing_has_an_alias_of_unpublished_code(publish: str, expected: str) -> None:
    stack = plan(f"""
aws_lambda_function.bot: {{function_name: order-bot, publish: {publish}}}
aws_lambda_alias.live:
  function_name: "${{aws_lambda_function.bot.arn}}"
  name: live
  function_version: "${{aws_lambda_function.bot.version}}"
aws_lambda_permission.api: {{function_name: "${{aws_lambda_function.bot.function_name}}", qualifier: live}}
""")
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
        (ANYBODY % ('!Sub ["${N}:live", {N: !ImportValue x}]', ""), UNKNOWN),
        (ANYBODY % ("'{{resolve:ssm:/shop/bot}}'", ""), UNKNOWN),
        (
            ANYBODY % ("!Sub 'arn:aws:lambda:${AWS::Region}:${AWS::AccountId}:function:{{resolve:ssm:/shop/bot}}'", ""),
            UNKNOWN,
        ),
        (ANYBODY % ("'order-{{resolve:ssm:/shop/bot}}-worker'", ""), False),
    ],
)
def test_who_may_invoke_it_by_an_alias_or_a_version(more: str, expected: object) -> None:
    stack = template(SAM_F + more)
    facts = StackFacts(stack, places())
    assert answer(facts.of("function", stack.resources["F"]).get("invocable_by_anyone")) == expected


@pytest.mark.parametrize(("kind", "expected"), [("NONE", "iam"), ("AWS_IAM", "none"), ("!ImportValue x", UNKNOWN)])
def test_a_permission_for_unsigned_calls_does_not_open_an_address_that_asks_for_a_signature(
    kind: str, expected: object
) -> None:
    stack = template(
        "  U: {Type: AWS::Lambda::Url, Properties: {TargetFunctionArn: !Ref F, AuthType: AWS_IAM}}\n"
        + SAM_F
        + ANYBODY % ("!Ref F", f", FunctionUrlAuthType: {kind}")
    )
    assert answer(found(stack, "api", "caller_authentication", "U")) == expected


def test_who_may_invoke_it_by_an_alias_of_a_plan() -> None:
    text = """
aws_lambda_function.f: {function_name: order-bot}
aws_lambda_alias.live: {function_name: "${aws_lambda_function.f.function_name}", name: live}
aws_lambda_permission.any: {function_name: "${aws_lambda_alias.live.arn}", principal: "*", action: x}
"""
    stack = plan(text)
    facts = StackFacts(stack, places())
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
