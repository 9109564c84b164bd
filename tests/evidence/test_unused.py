"""Rights beyond a function's work: named each, the worst first; and the grants are no witness of their own use."""

from __future__ import annotations

from typing import Any

import pytest

from tests.evidence.policies.stating import HERE, MAPPINGS, read
from threatmodel.evidence.answers import Unanswered
from threatmodel.evidence.mappings.stack_facts import StackFacts
from threatmodel.evidence.policies.iam import expanded
from threatmodel.evidence.policies.work import template_of_actions, template_of_uses
from threatmodel.evidence.relations.found import function_relations
from threatmodel.evidence.relations.unused import Needed, unused
from threatmodel.evidence.relations.use import FunctionRelations
from threatmodel.model.facts import Statement
from threatmodel.model.system import Node, Reference, Relation

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders: {Type: AWS::DynamoDB::Table}
  Bot:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: a.b
      CodeUri: .
      Environment: {Variables: {ORDERS: !Ref Orders}}
      Policies:
        - Statement:
            - {Effect: Allow, Action: %s, Resource: %s}
"""
ELEMENTS = {"Bot": "bot", "Orders": "orders"}


IN_A_VPC = "CodeUri: .\n      VpcConfig: {SubnetIds: [a], SecurityGroupIds: [b]}"


def wired(action: str, resource: str = "!GetAtt Orders.Arn", *, vpc: bool = False) -> FunctionRelations:
    text = TEMPLATE % (action, resource)
    stack = read(text.replace("CodeUri: .", IN_A_VPC) if vpc else text)
    return function_relations(stack, StackFacts(stack, MAPPINGS))["Bot"]


def said(
    action: str,
    resource: str = "!GetAtt Orders.Arn",
    *,
    seen: Any = None,
    by_sam: bool = False,
    vpc: bool = False,
    **lists: Any,
) -> Any:
    relations = {
        name: Relation(items=tuple(Reference(one, HERE) for one in items), place=HERE) for name, items in lists.items()
    }
    node = Node(kind="function", id="bot", name="bot", description="", place=HERE, facts={}, relations=relations)
    return unused(node, wired(action, resource, vpc=vpc), ELEMENTS, Needed(seen, by_sam=by_sam), HERE)


def test_without_another_witness_nothing_is_least() -> None:
    assert isinstance(said("dynamodb:PutItem"), Unanswered)


def test_the_models_word_is_word_and_calls_that_were_seen_are_evidence() -> None:
    by_word = said("dynamodb:PutItem", writes=["orders"])
    assert isinstance(by_word, Statement)
    assert (by_word.value, by_word.source) == (False, "model")
    by_calls = said("dynamodb:PutItem", seen=frozenset({("dynamodb:putitem", "Orders")}))
    assert (by_calls.value, by_calls.source) == (False, "template")
    elsewhere = said("dynamodb:PutItem", seen=frozenset({("dynamodb:putitem", "Others")}))
    assert isinstance(elsewhere, Unanswered)
    seen = frozenset({("dynamodb:putitem", "Orders")})
    more = said('["dynamodb:PutItem", "dynamodb:DeleteItem"]', seen=seen, writes=["orders"])
    assert more.source == "model"


@pytest.mark.parametrize("action", ['"dynamodb:*Item"', '["dynamodb:PutItem", "dynamodb:GetItem"]'])
def test_more_than_the_model_says_is_more_than_it_needs(action: str) -> None:
    found = said(action, writes=["orders"])
    assert found.value is True
    assert "its role allows it to read orders" in found.note


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ('"ec2:*"', '"arn:aws:ec2:eu-west-1:123456789012:instance/i-0abc"'),
        ("iam:DeleteRole", '"arn:aws:iam::123456789012:role/admin"'),
        ("kms:ScheduleKeyDeletion", '"arn:aws:kms:eu-west-1:123456789012:key/1"'),
        ("dynamodb:DeleteTable", "!GetAtt Orders.Arn"),
        ("dynamodb:UpdateTable", "!GetAtt Orders.Arn"),
        ("sqs:PurgeQueue", '"arn:aws:sqs:eu-west-1:123456789012:other"'),
        ('"rds:*"', '"arn:aws:rds:eu-west-1:123456789012:db:other"'),
    ],
)
def test_what_destroys_or_sets_up_keeps_a_role_from_least(action: str, resource: str) -> None:
    found = said(action, resource, writes=["orders"])
    assert found.value is True
    assert action.strip('"') in found.note


@pytest.mark.parametrize(
    "action",
    [
        *("ses:SendEmail", "states:StartExecution", "bedrock:InvokeModel"),
        *("ec2:TerminateInstances", "scheduler:CreateSchedule", "cloudfront:CreateInvalidation", "iam:PassRole"),
    ],
)
def test_work_on_what_is_no_element_is_open_and_named(action: str) -> None:
    found = said(action, '"arn:aws:x:eu-west-1:123456789012:thing/one"', writes=["orders"])
    assert isinstance(found, Unanswered)
    assert action in found.why


def test_what_lambda_needs_itself_is_no_right_beyond() -> None:
    assert said("logs:PutLogEvents", '"*"').value is False
    assert said("logs:TagResource", '"*"').value is False
    assert said("ec2:CreateNetworkInterface", '"*"', vpc=True).value is False
    assert said("ec2:CreateNetworkInterface", '"*"').value is True, "a function outside a VPC needs none"
    assert isinstance(said("ec2:ModifyNetworkInterfaceAttribute", '"*"', vpc=True), Unanswered)


@pytest.mark.parametrize(
    ("action", "lists", "by_sam", "instead"),
    [
        ('"dynamodb:*"', {"reads": ["orders"]}, True, "DynamoDBReadPolicy on Orders"),
        (
            '"dynamodb:*Item"',
            {"reads": ["orders"]},
            True,
            "dynamodb:BatchGetItem, dynamodb:ConditionCheckItem, dynamodb:GetItem on Orders",
        ),
        ('"dynamodb:*Item"', {"writes": ["orders"]}, True, "DynamoDBWritePolicy on Orders"),
        ('["dynamodb:PutItem", "dynamodb:GetItem"]', {"writes": ["orders"]}, False, "dynamodb:PutItem on Orders"),
        ('["dynamodb:PutItem", "dynamodb:DeleteTable"]', {"writes": ["orders"]}, False, "dynamodb:PutItem on Orders"),
    ],
)
def test_what_to_write_instead_is_told(action: str, lists: Any, by_sam: bool, instead: str) -> None:
    note = said(action, by_sam=by_sam, **lists).note
    assert note.partition("; use instead: ")[2] == instead


def test_of_a_whole_service_only_what_functions_call_is_to_be_written() -> None:
    note = said('"dynamodb:*"', reads=["orders"], writes=["orders"]).note.partition("; use instead: ")[2]
    assert "dynamodb:PutItem" in note
    assert "Export" not in note
    assert "Abac" not in note


def test_what_was_seen_is_what_to_write() -> None:
    seen = frozenset({("dynamodb:putitem", "Orders")})
    assert said('["dynamodb:*Item", "dynamodb:DeleteTable"]', seen=seen).note.endswith(
        "use instead: dynamodb:PutItem on Orders"
    )


def test_the_worst_reason_comes_first_and_none_is_left_out() -> None:
    found = said('["dynamodb:UpdateTable", "dynamodb:GetItem", "iam:PutRolePolicy"]', writes=["orders"])
    assert found.note.index("iam:PutRolePolicy") < found.note.index("dynamodb:UpdateTable")
    assert "its role allows it to read orders, but the model states that it does not" in found.note


def test_of_many_reasons_the_worst_are_named_and_the_rest_is_counted() -> None:
    actions = [f'"dynamodb:{one}Table"' for one in ("Delete", "Update", "Create")] + ['"sqs:PurgeQueue"']
    grants = "\n".join(
        f"            - {{Effect: Allow, Action: {action}, Resource: 'arn:aws:sqs:eu-west-1:1:q{number}'}}"
        for number, action in enumerate(actions * 3)
    )
    stack = read(TEMPLATE % ('"iam:PutRolePolicy"', "'*'") + grants + "\n")
    relations = function_relations(stack, StackFacts(stack, MAPPINGS))["Bot"]
    node = Node(kind="function", id="bot", name="bot", description="", place=HERE, facts={}, relations={})
    found = unused(node, relations, ELEMENTS, Needed(None), HERE)
    assert isinstance(found, Statement)
    assert found.note.startswith("beyond its known uses: iam:PutRolePolicy on *; ")
    assert found.note.endswith("; 7 more rights")


def test_nothing_is_proposed_where_nobody_says_what_is_used() -> None:
    assert "instead" not in said("dynamodb:DeleteTable").note


@pytest.mark.parametrize(
    ("actions", "template"),
    [
        (["secretsmanager:getsecretvalue"], "AWSSecretsManagerGetSecretValuePolicy"),
        (["sqs:receivemessage", "sqs:deletemessage", "sqs:getqueueattributes"], "SQSPollerPolicy"),
        (["dynamodb:putitem", "dynamodb:deletetable"], ""),
        (["dynamodb:putitem", "sqs:sendmessage"], ""),
        ([], ""),
    ],
)
def test_the_template_that_fits_allows_no_other_use(actions: list[str], template: str) -> None:
    assert template_of_actions(one for name in actions for one in expanded(name)) == template


def test_no_template_that_sets_something_up_is_proposed() -> None:
    """S3WritePolicy lets its holder change who reads the objects and when they go."""
    assert template_of_uses("s3", frozenset({"write"}), expanded("s3:*")) == ""
    assert template_of_uses("s3", frozenset({"read"}), expanded("s3:*")) == "S3ReadPolicy"


HANDING_OVER = """
Transform: AWS::Serverless-2016-10-31
Parameters: {Kept: {Type: String, Default: "yes"}}
Conditions: {IsKept: !Equals [!Ref Kept, "yes"]}
Resources:
  Letters: {Type: AWS::SQS::Queue}
  Bot:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: a.b
      CodeUri: .
      EventInvokeConfig: %s
      Policies: [{Statement: [{Effect: Allow, Action: sqs:SendMessage, Resource: !GetAtt Letters.Arn}]}]
"""
DESTINATION = "{DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Letters.Arn}}}"


@pytest.mark.parametrize(
    "config",
    [
        f"!If [IsKept, {DESTINATION}, !Ref AWS::NoValue]",
        DESTINATION.replace("!GetAtt Letters.Arn", "!If [IsKept, !GetAtt Letters.Arn, !Ref AWS::NoValue]"),
    ],
)
def test_a_right_for_a_destination_that_may_be_there_is_perhaps_used(config: str) -> None:
    stack = read(HANDING_OVER % config)
    relations = function_relations(stack, StackFacts(stack, MAPPINGS))["Bot"]
    assert relations.unused == ()
    stated = {name: Relation(items=(), place=HERE) for name in ("reads", "writes", "sends", "secrets")}
    node = Node(kind="function", id="bot", name="bot", description="", place=HERE, facts={}, relations=stated)
    assert unused(node, relations, {"Bot": "bot", "Letters": "letters"}, Needed(None), HERE) is None


def test_a_right_to_send_where_nothing_is_handed_over_is_unused() -> None:
    stack = read(HANDING_OVER % "{MaximumRetryAttempts: 1}")
    assert [one.resource for one in function_relations(stack, StackFacts(stack, MAPPINGS))["Bot"].unused] == ["Letters"]


def test_a_grant_alone_shows_no_excess_and_what_is_narrow_already_gets_no_advice() -> None:
    stack = read(
        TEMPLATE.replace("      Environment: {Variables: {ORDERS: !Ref Orders}}\n", "")
        % ('"dynamodb:GetItem"', "!GetAtt Orders.Arn")
    )
    relations = function_relations(stack, StackFacts(stack, MAPPINGS))["Bot"]
    assert [one.resource for one in relations.unused] == ["Orders"]

    def of(seen: Any, *reads: str) -> Any:
        stated = Relation(items=tuple(Reference(one, HERE) for one in reads), place=HERE)
        known = {"reads": stated} if reads else {}
        node = Node(kind="function", id="bot", name="bot", description="", place=HERE, facts={}, relations=known)
        return unused(node, relations, ELEMENTS, Needed(seen, by_sam=True), HERE)

    assert "only the grant names" in of(None).why
    assert "only the grant names" in of(None, "orders").why  # import writes such a list from the grant itself
    assert "which only the grant names" in of(frozenset({("sqs:sendmessage", "Letters")})).note
    assert "use instead" not in said('["dynamodb:GetItem", "dynamodb:DeleteTable"]', by_sam=True).note
    narrowed = said('["dynamodb:GetItem", "dynamodb:DeleteTable"]', by_sam=True, reads=["orders"]).note
    assert narrowed.endswith("use instead: dynamodb:GetItem on Orders")


def test_what_other_statements_allow_is_counted_beside_what_is_no_work() -> None:
    grants = (
        "            - Effect: Allow\n              Action: 's3:DeleteBucket'\n"
        "              Resource: [!GetAtt Files.Arn, !Sub '${Files.Arn}/*']\n"
        "            - {Effect: Allow, Action: 'cloudfront:CreateInvalidation', Resource: '*'}\n"
    )
    stack = read(TEMPLATE % ('"s3:GetObject"', "!GetAtt Files.Arn") + grants + "  Files: {Type: AWS::S3::Bucket}\n")
    relations = function_relations(stack, StackFacts(stack, MAPPINGS))["Bot"]
    node = Node(kind="function", id="bot", name="bot", description="", place=HERE, facts={}, relations={})
    found = unused(node, relations, ELEMENTS, Needed(None), HERE)
    assert isinstance(found, Statement)
    assert found.note.startswith("beyond its known uses: s3:DeleteBucket on Files; ")
    assert "nothing shows whether it uses what another statement allows" in found.note
