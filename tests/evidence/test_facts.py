"""Facts out of templates: each row is a template, an element of it, a fact, and what the template says of it."""

# ruff: noqa: E501 - a row is a case

from __future__ import annotations

import textwrap
from collections.abc import Mapping

import pytest

from threatmodel.evidence.answers import Answer, Answered
from threatmodel.evidence.mappings.load import load_mappings
from threatmodel.evidence.mappings.stack_facts import StackFacts
from threatmodel.stacks import sam
from threatmodel.stacks.cloudformation import reader as cloudformation

MAPPINGS = load_mappings()
UNKNOWN = "?"

FUNCTION = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Bot:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.handler
      Runtime: python3.13
      CodeUri: .
"""


def template(more: str = "", properties: str = "", head: str = "") -> str:
    """The function above with more properties, more resources and other sections."""
    return head + FUNCTION + textwrap.indent(properties, "      ") + textwrap.indent(more, "  ")


def facts(text: str, name: str, kind: str) -> Mapping[str, Answer]:
    stack = sam.expanded(*cloudformation.read(text, "template.yaml"))
    return StackFacts(stack, MAPPINGS).of(kind, stack.resources[name])


def told(text: str, name: str, kind: str, fact: str) -> tuple[object, int]:
    """The value of a fact and its line; UNKNOWN and the line of the reason; None and 0 where nothing is said."""
    found = facts(text, name, kind).get(fact)
    if found is None:
        return "nothing", 0
    if isinstance(found, Answered):
        return found.value, found.places[0].line
    return UNKNOWN, found.place.line


TABLE = "Orders:\n  Type: AWS::DynamoDB::Table\n  Properties:\n    BillingMode: PAY_PER_REQUEST\n"
QUEUE = "Jobs:\n  Type: AWS::SQS::Queue\n"
PARAMETER = "Parameters:\n  Count: {Type: Number}\n"
DEFAULT = "Parameters:\n  Count: {Type: Number, Default: 7}\n"
CONDITION = "Parameters:\n  Stage: {Type: String, Default: dev}\nConditions:\n  Live: !Equals [!Ref Stage, live]\n"

ROWS = [
    # a value, a default left out, a parameter, a condition
    (template(properties="ReservedConcurrentExecutions: 5\n"), "Bot", "function", "reserved_concurrency", 5, 9),
    (template(), "Bot", "function", "reserved_concurrency", None, 3),
    (template(properties="ReservedConcurrentExecutions: !Ref Count\n", head=PARAMETER), "Bot", "function", "reserved_concurrency", UNKNOWN, 11),
    (template(properties="ReservedConcurrentExecutions: !Ref Count\n", head=DEFAULT), "Bot", "function", "reserved_concurrency", 7, 11),
    (template(properties="ReservedConcurrentExecutions: !If [Live, 5, !Ref AWS::NoValue]\n", head=CONDITION), "Bot", "function", "reserved_concurrency", UNKNOWN, 13),
    (template(properties="ReservedConcurrentExecutions: !ImportValue count\n"), "Bot", "function", "reserved_concurrency", UNKNOWN, 9),
    (template(), "Bot", "function", "runtime", "python3.13", 7),
    (template(), "Bot", "function", "package_format", "zip", 3),
    (template(properties="PackageType: Image\n"), "Bot", "function", "package_format", "image", 9),
    (template(), "Bot", "function", "timeout_seconds", 3, 3),
    (template(properties="Timeout: 30\n"), "Bot", "function", "timeout_seconds", 30, 9),
    (template(properties="Layers: [arn:aws:lambda:eu-west-1:123456789012:layer:x:1]\n"), "Bot", "function", "uses_layers", True, 9),
    (template(properties="Layers: [!ImportValue x, arn:aws:lambda:eu-west-1:123456789012:layer:x:1]\n"), "Bot", "function", "uses_layers", True, 9),
    (template(), "Bot", "function", "uses_layers", False, 3),
    (template(properties="KmsKeyArn: !ImportValue key\n"), "Bot", "function", "environment_customer_key", UNKNOWN, 9),
    (template(properties="KmsKeyArn: !ImportValue key\n"), "Bot", "function", "package_customer_key", False, 3),
    (template(properties="AutoPublishAlias: live\n"), "Bot", "function", "invoked_by", "alias", 9),
    (template(properties="RecursiveLoop: Allow\n"), "Bot", "function", "recursive_loop", "allow", 9),
    # another resource that it refers to, or that refers to it
    (template(more="Signing:\n  Type: AWS::Lambda::CodeSigningConfig\n  Properties:\n    CodeSigningPolicies: {UntrustedArtifactOnDeployment: Enforce}\n", properties="CodeSigningConfigArn: !Ref Signing\n"), "Bot", "function", "code_signing", "enforce", 13),
    (template(more="Signing:\n  Type: AWS::Lambda::CodeSigningConfig\n  Properties: {}\n", properties="CodeSigningConfigArn: !Ref Signing\n"), "Bot", "function", "code_signing", "warn", 10),
    (template(properties="CodeSigningConfigArn: arn:aws:lambda:eu-west-1:123456789012:code-signing-config:csc-1\n"), "Bot", "function", "code_signing", UNKNOWN, 9),
    (template(), "Bot", "function", "code_signing", "none", 3),
    (template(more="Web:\n  Type: AWS::Lambda::WebFunctionEndpoint\n  Properties: {AuthType: ApplicationManaged}\n"), "Web", "api", "caller_authentication", "none", 11),
    (template(more="Web:\n  Type: AWS::Lambda::WebFunctionEndpoint\n  Properties: {AuthType: IamAuth, FunctionName: elsewhere}\n"), "Web", "api", "caller_authentication", UNKNOWN, 11),
    (template(more="Web:\n  Type: AWS::Serverless::WebFunction\n  Properties: {AuthType: IamAuth}\n"), "WebEndpoint", "api", "caller_authentication", "iam", 11),
    (template(more="Web:\n  Type: AWS::Serverless::WebFunction\n  Properties: {AuthType: IamAuth}\nP:\n  Type: AWS::Lambda::ResourcePolicy\n  Properties: {ResourceArn: !GetAtt Web.Arn, PolicyDocument: {Statement: [{Effect: Allow, Principal: '*', Action: 'lambda:InvokeWebFunctionEndpoint', Resource: '*'}]}}\n"), "WebEndpoint", "api", "caller_authentication", "none", 14),
    (template(more="Web:\n  Type: AWS::Serverless::WebFunction\n  Properties: {AuthType: ApplicationManaged}\n"), "WebEndpoint", "api", "kind", "web-function", 9),
    (template(more="Web:\n  Type: AWS::Serverless::WebFunction\n  Properties: {ThrottleConfig: {RateLimit: 200}}\n"), "WebEndpoint", "api", "throttle_rate", 200, 11),
    (template(more="Web:\n  Type: AWS::Serverless::WebFunction\n  Properties: {AuthType: IamAuth}\n"), "WebEndpoint", "api", "throttle_rate", None, 9),
    (template(more="Logs:\n  Type: AWS::Logs::LogGroup\n  Properties:\n    LogGroupName: !Sub /aws/lambda/${Bot}\n    RetentionInDays: 30\n"), "Bot", "function", "log_retention_days", 30, 13),
    (template(), "Bot", "function", "log_retention_days", None, 3),
    # policies, resource policies
    (template(properties="Policies: [{Statement: [{Effect: Allow, Action: 's3:*', Resource: '*'}]}]\n"), "Bot", "function", "role_wildcard_action", True, 9),
    (template(properties="Policies: [AdministratorAccess]\n"), "Bot", "function", "role_broad_policy", True, 9),
    (template(), "Bot", "function", "role_wildcard_action", False, 3),
    (template(more="Open:\n  Type: AWS::Lambda::Permission\n  Properties: {FunctionName: !Ref Bot, Action: 'lambda:InvokeFunction', Principal: '*'}\n"), "Bot", "function", "invocable_by_anyone", True, 11),
    # environment
    (template(properties="Environment:\n  Variables: {SLACK_SIGNING_SECRET: 8f742231b10e8888abcd99c0ffee85a5}\n"), "Bot", "function", "environment_holds_secret", True, 10),
    (template(properties="Environment:\n  Variables: {TABLE: orders, SLACK_TOKEN_SSM_NAME: /bot/token}\n"), "Bot", "function", "environment_holds_secret", False, 10),
    # stores and queues
    (template(more=TABLE), "Orders", "store", "recovery", False, 9),
    (template(more=TABLE + "    PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true}\n"), "Orders", "store", "recovery", True, 13),
    (template(more=TABLE + "    PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: 'true'}\n"), "Orders", "store", "recovery", True, 13),
    (template(more=TABLE), "Orders", "store", "kind", "dynamodb", 9),
    (template(more=QUEUE), "Jobs", "queue", "dead_letter_queue", False, 9),
    (template(more=QUEUE + "  Properties: {RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3}}\nDead: {Type: AWS::SQS::Queue}\n"), "Jobs", "queue", "dead_letter_queue", True, 11),
    (template(more=QUEUE + "  Properties: {QueueName: jobs, RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3}}\nDead: {Type: AWS::SQS::Queue, Properties: {RedriveAllowPolicy: {redrivePermission: byQueue, sourceQueueArns: [!Sub 'arn:aws:sqs:${AWS::Region}:${AWS::AccountId}:jobs']}}}\n"), "Jobs", "queue", "dead_letter_queue", True, 11),
    (template(more=QUEUE + "  Properties: {QueueName: jobs, RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3}}\nDead: {Type: AWS::SQS::Queue, Properties: {RedriveAllowPolicy: {redrivePermission: byQueue, sourceQueueArns: [!Sub 'arn:aws:sqs:${AWS::Region}:${AWS::AccountId}:others']}}}\n"), "Jobs", "queue", "dead_letter_queue", UNKNOWN, 11),
    (template(more=QUEUE + "  Properties: {QueueName: jobs, RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3}}\nDead: {Type: AWS::SQS::Queue, Properties: {RedriveAllowPolicy: {redrivePermission: byQueue, sourceQueueArns: [!Sub 'arn:aws:sqs:${AWS::Region}:444455556666:jobs']}}}\n"), "Jobs", "queue", "dead_letter_queue", UNKNOWN, 11),
    # a resource that exists only under a condition cannot be what proves something for sure
    (template(more="Logs:\n  Type: AWS::Logs::LogGroup\n  Condition: Live\n  Properties:\n    LogGroupName: !Sub /aws/lambda/${Bot}\n    RetentionInDays: 30\n", head=CONDITION), "Bot", "function", "log_retention_days", UNKNOWN, 15),
]  # fmt: skip


@pytest.mark.parametrize(("text", "name", "kind", "fact", "value", "line"), ROWS)
def test_fact(text: str, name: str, kind: str, fact: str, value: object, line: int) -> None:
    assert told(text, name, kind, fact) == (value, line)


def test_a_value_that_a_parameter_gives_says_so() -> None:
    found = facts(template(properties="Timeout: !Ref Count\n", head=DEFAULT), "Bot", "function")["timeout_seconds"]
    assert isinstance(found, Answered)
    assert (found.value, found.note) == (7, "from the default of the parameter Count")


def test_nothing_is_absent_while_a_part_is_unread() -> None:
    """A nested stack may hold the log group and the association: what is left out here may stand there."""
    nested = "Inner:\n  Type: AWS::CloudFormation::Stack\n  Properties: {TemplateURL: inner.yaml}\n"
    assert told(template(), "Bot", "function", "log_retention_days") == (None, 3)
    assert told(template(more=nested), "Bot", "function", "log_retention_days")[0] == UNKNOWN
    assert told(template(more=nested), "Bot", "function", "timeout_seconds") == (3, 3), "that stands at the function"


def test_an_analysis_that_nothing_computes_is_unknown_not_false() -> None:
    text = template(properties="Environment:\n  Variables: {TOKEN: x}\n")
    stack = sam.expanded(*cloudformation.read(text, "template.yaml"))
    found = StackFacts(stack, MAPPINGS).of("function", stack.resources["Bot"])
    assert not isinstance(found["environment_holds_secret"], Answered)
