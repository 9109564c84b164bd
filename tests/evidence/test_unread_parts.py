"""What nobody read may change what it is handed, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.collecting import collected
from tests.evidence.policies.stating import MAPPINGS, read
from threatmodel.evidence.mappings.stack_facts import StackFacts
from threatmodel.evidence.unread_parts import Standing, touches
from threatmodel.graph.resolved import Evidence
from threatmodel.library.directions import Directions
from threatmodel.model.load import load_model
from threatmodel.reading.files import Files
from threatmodel.reading.problems import Place

MODEL = """\
name: Shop
owner: shop
functions:
  bot:
    triggers: []
evidence:
  - {template: template.yaml, resources: {bot: Bot}}
"""
TEMPLATE = """\
Transform: [AWS::Serverless-2016-10-31]
Resources:
  Bot:
    Type: AWS::Serverless::Function
    Properties: {Handler: app.handler, Runtime: python3.13, InlineCode: "", Timeout: 5, FunctionName: shop-bot}
  Other:
    Type: AWS::SQS::Queue
"""
NOTHING: frozenset[str] = frozenset()
AROUND = frozenset({"role_can_escalate", "invocable_by_anyone"})
OWN = frozenset({"timeout_seconds"})
_ALLOWS = "Policies: [{{Statement: [{{Effect: Allow, Action: '{}', Resource: '*'}}]}}]"
_LETS = (
    "\n  Lets: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref Bot, "
    "Action: lambda:UpdateFunctionConfiguration, Principal: !GetAtt HandRole.Arn}}"
)
_MORE = "\n  More: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: x, Parameters: {R: !Ref HandRole}}}"


def firm(evidence: Evidence, element: str) -> set[str]:
    """The facts of an element that nothing puts in doubt."""
    return {name for name, said in evidence.get(element, {}).items() if any(not one.doubt for one in said)}


def _with_right(action: str) -> str:
    """A function with one right on everything."""
    base = "Handler: h.h, Runtime: python3.13, InlineCode: ''"
    return f"{{Type: AWS::Serverless::Function, Properties: {{{base}, {_ALLOWS.format(action)}}}}}"


_WIDENS = (
    f"\n  Hand2: {_with_right('iam:Attach*')}"
    "\n  Inner2: {Type: Custom::Roles, Properties: {ServiceToken: !GetAtt Hand2.Arn}}"
)


CASES = {
    "nothing": ("", NOTHING),
    "a nested stack that is handed the role": (
        "Inner: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: x, Parameters: {R: !Ref BotRole}}}",
        AROUND,
    ),
    "a nested application that is handed the function": (
        "Inner: {Type: AWS::Serverless::Application, Properties: {Location: x, Parameters: {F: !Ref Bot}}}",
        AROUND,
    ),
    "a stack set with the function's name in its text": (
        "Inner: {Type: AWS::CloudFormation::StackSet, Properties: {TemplateBody: 'open shop-bot to all'}}",
        AROUND,
    ),
    "a custom resource that is handed the function": (
        "Inner: {Type: Custom::Open, Properties: {ServiceToken: 'arn:aws:lambda:eu-west-1:1:function:f', F: !Ref Bot}}",
        AROUND | OWN,
    ),
    "a custom resource that is handed a queue": (
        "Inner: {Type: Custom::Q, Properties: {ServiceToken: 'arn:aws:lambda:eu-west-1:1:function:f', Q: !Ref Other}}",
        NOTHING,
    ),
    "a type of somebody's own": (
        "Inner: {Type: Acme::Lambda::Door, Properties: {Function: !GetAtt Bot.Arn}}",
        AROUND | OWN,
    ),
    "a type of IAM that nobody here knows": (
        "Inner: {Type: AWS::IAM::RoleGrant, Properties: {RoleName: !Ref BotRole, More: x}}",
        AROUND | OWN,
    ),
    "a type of AWS that is not known yet": (
        "Inner: {Type: AWS::Future::Access, Properties: {For: !GetAtt BotRole.Arn}}",
        AROUND | OWN,
    ),
    "a type of AWS that is known and gives a role nothing": (
        "Inner: {Type: AWS::EKS::AccessEntry, Properties: {ClusterName: c, PrincipalArn: !GetAtt BotRole.Arn}}",
        NOTHING,
    ),
    "a type of IAM that gives a role nothing": (
        "Inner: {Type: AWS::IAM::InstanceProfile, Properties: {Roles: [!Ref BotRole]}}",
        NOTHING,
    ),
    "a macro around all": ("Fn::Transform: {Name: Anything}", AROUND | OWN),
    "a custom resource whose function may attach policies": (
        (
            "Hand: {Type: AWS::Serverless::Function, Properties: {Handler: h.h, Runtime: python3.13, InlineCode: '', "
            "Policies: [{Statement: [{Effect: Allow, Action: 'iam:Attach*', Resource: '*'}]}]}}\n"
            "  Inner: {Type: Custom::Open, Properties: {ServiceToken: !GetAtt Hand.Arn}}"
        ),
        AROUND | OWN,
    ),
    "a custom resource whose function only reads": (
        (
            "Hand: {Type: AWS::Serverless::Function, Properties: {Handler: h.h, Runtime: python3.13, InlineCode: '', "
            "Policies: [{Statement: [{Effect: Allow, Action: 'iam:Get*', Resource: '*'}]}]}}\n"
            "  Inner: {Type: Custom::Open, Properties: {ServiceToken: !GetAtt Hand.Arn}}"
        ),
        NOTHING,
    ),
    **{
        f"a custom resource whose function has another one {how}": (
            (
                "Hand: {Type: AWS::Serverless::Function, Properties: {Handler: h.h, InlineCode: '', "
                f"{_ALLOWS.format(action)}}}}}\n"
                "  Framework: {Type: AWS::Serverless::Function, Properties: {Handler: h.h, InlineCode: '', Policies: "
                "[{Statement: [{Effect: Allow, Action: 'lambda:InvokeFunction', Resource: !GetAtt Hand.Arn}]}]}}\n"
                "  Inner: {Type: Custom::Open, Properties: {ServiceToken: !GetAtt Framework.Arn}}"
            ),
            falls,
        )
        for how, action, falls in (("change all", "*", AROUND | OWN), ("read", "iam:Get*", NOTHING))
    },
    **{
        f"a custom resource that is handed the function, {how}": (
            (
                f"Hand: {{Type: AWS::Serverless::Function, Properties: {{Handler: h.h, Runtime: python3.13, "
                f"InlineCode: '', {rights}}}}}\n"
                "  Inner: {Type: Custom::Logs, Properties: {ServiceToken: !GetAtt Hand.Arn, Group: "
                f"!Sub '/aws/lambda/${{Bot}}'}}}}{more}"
            ),
            falls,
        )
        for how, rights, more, falls in (
            ("by one that sets days of logs", _ALLOWS.format("logs:PutRetentionPolicy"), "", NOTHING),
            ("by one that changes functions", _ALLOWS.format("lambda:Update*"), "", AROUND | OWN),
            ("by one that takes another role", _ALLOWS.format("sts:AssumeRole"), "", AROUND | OWN),
            ("by one that deploys stacks", _ALLOWS.format("cloudformation:CreateStack"), "", AROUND | OWN),
            ("by one of an action that nobody knows", _ALLOWS.format("frobs:FrobAll"), "", AROUND | OWN),
            (
                "by one that may all but delete",
                _ALLOWS.replace("Action", "NotAction").format("logs:Delete*"),
                "",
                AROUND | OWN,
            ),
            (
                "by one with a policy of elsewhere",
                "Policies: ['arn:aws:iam::123456789012:policy/own']",
                "",
                AROUND | OWN,
            ),
            ("by one with a role of elsewhere", "Role: 'arn:aws:iam::123456789012:role/own'", "", AROUND | OWN),
            (
                "by one that the function's permission names",
                _ALLOWS.format("logs:PutRetentionPolicy"),
                _LETS,
                AROUND | OWN,
            ),
            (
                "by one whose role another part is handed",
                _ALLOWS.format("logs:PutRetentionPolicy"),
                _MORE,
                AROUND | OWN,
            ),
            ("by one whose role another's function may change", _ALLOWS.format("logs:Put*"), _WIDENS, AROUND | OWN),
        )
    },
}


@pytest.mark.parametrize("case", CASES)
def test_what_falls(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ways: Directions) -> None:
    more, falls = CASES[case]
    (tmp_path / "model.yaml").write_text(MODEL, encoding="utf-8")
    (tmp_path / "template.yaml").write_text(f"{TEMPLATE}  {more}\n" if more else TEMPLATE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    files = Files()
    evidence, _ = collected(load_model(files, Path("model.yaml")), files, ways)
    assert (AROUND | OWN) - firm(evidence, "bot") == falls


@pytest.mark.parametrize(("action", "reached"), [("dynamodb:Update*", {"Orders"}), ("iam:Attach*", {"Orders", "Work"})])
def test_what_a_custom_resource_is_handed_it_changes_as_far_as_its_function_may(
    action: str, reached: frozenset[str]
) -> None:
    """A table of SAM's is DynamoDB's; whoever may give the function more rights may reach all that it is handed."""
    mine, beside = ("logs:Put*", action) if action.startswith("iam") else (action, "logs:Put*")
    stack = read(
        f"""
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders: {{Type: AWS::Serverless::SimpleTable}}
  Work: {{Type: AWS::SQS::Queue}}
  Hand: {_with_right(mine)}
  Other: {_with_right(beside)}
  In: {{Type: Custom::A, Properties: {{ServiceToken: !GetAtt Hand.Arn, A: !Ref Orders, B: !Ref Work}}}}
  Beside: {{Type: Custom::B, Properties: {{ServiceToken: !GetAtt Other.Arn}}}}
"""
    )
    part = touches(stack, StackFacts(stack, MAPPINGS), {"Orders": "orders", "Work": "work"})[0]
    assert part.handed & {"Orders", "Work"} == reached


def test_a_part_that_runs_code_on_a_resource_reaches_what_is_read_from_it() -> None:
    stack = read(
        """
Resources:
  Bot: {Type: AWS::Lambda::Function, Properties: {FunctionName: bot}}
  Logs: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: /aws/lambda/bot}}
  Change: {Type: Custom::Change, Properties: {ServiceToken: a, Group: !Ref Logs}}
"""
    )
    (part,) = touches(stack, StackFacts(stack, MAPPINGS), {"Bot": "bot"})
    on = Standing(stack).at(Place(stack.file, 4, 30))
    assert on == {"Logs"}
    assert part.reaches("bot", "log_retention_days", on, looked_around=False)
    assert not part.reaches("bot", "timeout_seconds", frozenset({"Bot"}), looked_around=False)


def test_what_adds_properties_may_change_those_that_are_there() -> None:
    stack = read(
        """
Resources:
  Bot: {Type: AWS::Lambda::Function, Properties: {Timeout: 3, "Fn::Transform": {Name: AWS::Include}}}
"""
    )
    (part,) = touches(stack, StackFacts(stack, MAPPINGS), {"Bot": "bot"})
    assert part.reaches("bot", "timeout_seconds", frozenset({"Bot"}), looked_around=False)


def test_what_an_answer_rests_on_counts_wherever_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ways: Directions
) -> None:
    """A custom resource that is handed an alarm, or a second function, may undo what the pipeline is said to do."""
    canary = "AutoPublishAlias: live, DeploymentPreference: {Type: Canary10Percent5Minutes, Alarms: [!Ref Alarm]}"
    template = f"""\
Transform: [AWS::Serverless-2016-10-31]
Resources:
  Bot:
    Type: AWS::Serverless::Function
    Properties: {{Handler: app.handler, Runtime: python3.13, InlineCode: "", {canary}}}
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      Namespace: AWS/Lambda
      MetricName: Errors
      Dimensions: [{{Name: FunctionName, Value: !Ref Bot}}]
      Statistic: Sum
      Period: 60
      EvaluationPeriods: 1
      Threshold: 0
      ComparisonOperator: GreaterThanThreshold
"""
    custom = (
        "  Inner: {Type: Custom::C, Properties: {ServiceToken: 'arn:aws:lambda:eu-west-1:1:function:f', A: !Ref Alarm}}"
    )
    model = MODEL + "pipeline: {}\n"
    for text, said in ((template, True), (f"{template}{custom}\n", False)):
        (tmp_path / "model.yaml").write_text(model, encoding="utf-8")
        (tmp_path / "template.yaml").write_text(text, encoding="utf-8")
        monkeypatch.chdir(tmp_path)
        files = Files()
        evidence, _ = collected(load_model(files, Path("model.yaml")), files, ways)
        assert ("rollback_on_alarm" in firm(evidence, "pipeline")) is said
