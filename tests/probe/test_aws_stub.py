"""The AWS that handlers meet: conditions read as DynamoDB reads them, and nothing unread that counts as true."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from threatmodel.probe.runners import slack_web
from threatmodel.probe.runners.aws import MOST_EFFECTS, World
from threatmodel.probe.runners.dynamodb import AwsError, SilentError
from threatmodel.probe.runners.expressions import Expression, ExpressionError, holds, updated

ITEM: dict[str, Any] = {
    "id": {"S": "abc"},
    "n": {"N": "10"},
    "list": {"L": [{"S": "a"}, {"N": "2"}]},
    "map": {"M": {"inner": {"N": "1"}}},
    "set": {"SS": ["x", "y"]},
}
VALUES = {
    ":n": {"N": "10.0"},
    ":nine": {"N": "9"},
    ":s": {"S": "10"},
    ":a": {"S": "ab"},
    ":x": {"S": "x"},
    ":t": {"S": "N"},
}


def expression(text: str) -> Expression:
    return Expression(text=text, names={"#n": "n", "#dot": "a.b"}, values=VALUES)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("attribute_exists(id)", True),
        ("attribute_not_exists(id)", False),
        ("attribute_not_exists(#dot)", True),
        ("attribute_not_exists(map.other)", True),
        ("n = :n", True),
        ("n = :s", False),
        ("n <> :s", True),
        ("missing = :n", False),
        ("missing <> :n", True),
        ("missing < :n", False),
        ("n < :s", False),
        ("#n > :nine", True),
        ("n BETWEEN :nine AND :n", True),
        ("n IN (:s, :n)", True),
        ("n IN (:s, :nine)", False),
        ("begins_with(id, :a)", True),
        ("contains(set, :x)", True),
        ("contains(list, :x)", False),
        ("attribute_type(n, :t)", True),
        ("size(id) < :n", True),
        ("list[1] < :n", True),
        ("map.inner < :n", True),
        ("NOT attribute_exists(id) OR n = :n", True),
        ("NOT (attribute_exists(id) OR n = :n)", False),
        ("attribute_exists(id) OR attribute_exists(id) AND attribute_exists(none)", True),
        ("(attribute_exists(id) OR attribute_exists(id)) AND attribute_exists(none)", False),
    ],
)
def test_conditions(text: str, expected: bool) -> None:
    assert holds(expression(text), ITEM) is expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "id",
        "id =",
        "id = :none",
        "#none = :n",
        "id ~ :n",
        "(id = :n",
        "id = :n)",
        "id = :n id = :n",
        "exists(id)",
        "attribute_exists()",
        "attribute_exists(id, n)",
        "n BETWEEN :n",
        "n IN :n",
        "AND",
        "list[x] = :n",
        "(" * 500,
    ],
)
def test_what_cannot_be_read_is_an_error_not_an_answer(text: str) -> None:
    with pytest.raises(ExpressionError):
        holds(expression(text), ITEM)


@given(
    st.text(max_size=40)
    | st.lists(
        st.sampled_from(["id", "n", "=", "<", "(", ")", "AND", "OR", "NOT", ":n", "#n", "attribute_exists", ",", "."])
    ).map(" ".join)
)
def test_reading_never_fails_otherwise(text: str) -> None:
    for read in (holds, updated):
        try:
            read(expression(text), ITEM)
        except ExpressionError:
            continue


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("SET n = n + :nine", "n", {"N": "19"}),
        ("SET map.inner = :n REMOVE id", "map", {"M": {"inner": {"N": "10.0"}}}),
        ("ADD count :nine", "count", {"N": "9"}),
        ("SET list = list_append(list, list)", "list", {"L": ITEM["list"]["L"] * 2}),
        ("SET n = if_not_exists(n, :nine), other = :s", "n", {"N": "10"}),
    ],
)
def test_updates(text: str, name: str, expected: Any) -> None:
    before = repr(ITEM)
    assert updated(expression(text), ITEM)[name] == expected
    assert repr(ITEM) == before


def put(key: str, condition: str = "attribute_not_exists(id)") -> dict[str, Any]:
    return {"Put": {"TableName": "t", "Item": {"id": {"S": key}}, "ConditionExpression": condition}}


def test_a_transaction_is_done_whole_or_not_at_all() -> None:
    world = World("s")
    world.call("dynamodb", "TransactWriteItems", {"TransactItems": [put("a")]})
    with pytest.raises(AwsError) as raised:
        world.call("dynamodb", "TransactWriteItems", {"TransactItems": [put("b"), put("a")]})
    assert raised.value.code == "TransactionCanceledException"
    assert [reason["Code"] for reason in raised.value.more["CancellationReasons"]] == ["None", "ConditionalCheckFailed"]
    assert world.call("dynamodb", "GetItem", {"TableName": "t", "Key": {"id": {"S": "b"}}}) == {}
    assert [(effect.detail, effect.refused) for effect in world.effects] == [("t", False), ("t", True), ("t", False)]


@pytest.mark.parametrize(
    ("service", "operation", "params"),
    [
        (
            "dynamodb",
            "PutItem",
            {"TableName": "t", "Item": {"id": "raw"}, "ConditionExpression": "id < :v", "ExpressionAttributeValues": 3},
        ),
        ("dynamodb", "PutItem", {"TableName": "t", "Item": 3}),
        ("dynamodb", "GetItem", {"TableName": "t"}),
        ("dynamodb", "PutItem", {"TableName": "t", "Item": {"id": {"S": "a"}}, "Expected": {"id": {"Exists": False}}}),
        ("dynamodb", "ExecuteStatement", {"Statement": "INSERT INTO t VALUE {}"}),
        ("dynamodb", "TransactWriteItems", {"TransactItems": [{"Put": 3}]}),
        ("events", "PutEvents", {}),
    ],
)
def test_requests_of_the_wrong_shape_are_refused_and_recorded(
    service: str, operation: str, params: dict[str, Any]
) -> None:
    world = World("s")
    with pytest.raises(AwsError):
        world.call(service, operation, params)
    assert [(effect.service, effect.operation, effect.refused) for effect in world.effects] == [
        (service, operation, True)
    ]


@pytest.mark.parametrize("world", [World(None), World("s", failing="ThrottlingException")])
def test_a_token_can_be_read_where_the_signing_secret_cannot(world: World) -> None:
    assert world.call("secretsmanager", "GetSecretValue", {"SecretId": "slack/bot-token"})["SecretString"]
    with pytest.raises(AwsError):
        world.call("secretsmanager", "GetSecretValue", {"SecretId": "slack/signing-secret"})


def test_effects_are_bounded_and_say_so() -> None:
    world = World(None)
    for _ in range(MOST_EFFECTS + 10):
        world.note("sqs", "SendMessage")
    assert len(world.effects) == MOST_EFFECTS + 1
    assert world.effects[-1].operation == "more"


def test_names_of_a_service_are_one() -> None:
    world = World("s")
    for name in ("sfn", "states", "stepfunctions"):
        world.call(name, "StartExecution", {"stateMachineArn": "arn:aws:states:r:1:stateMachine:work"})
    assert {(effect.service, effect.detail) for effect in world.effects} == {("stepfunctions", "work")}


def test_a_silent_store_answers_nothing_and_the_call_is_recorded() -> None:
    world = World("s3cret", failing="silence")
    with pytest.raises(SilentError):
        world.call("dynamodb", "PutItem", {"TableName": "t", "Item": {"id": {"S": "1"}}})
    assert world.call("sqs", "SendMessage", {"QueueUrl": "https://sqs/1/work", "MessageBody": "x"})["MessageId"]
    assert [(one.operation, one.refused) for one in world.effects] == [("PutItem", True), ("SendMessage", False)]


def test_slack_takes_each_code_once() -> None:
    world = World("s3cret")
    body = b"client_id=1&code=one"
    answers = [slack_web.answer(world, "slack.com", "POST", "/api/oauth.v2.access", body)[2] for _ in range(2)]
    assert [b'"ok": true' in one for one in answers] == [True, False]
    assert b'"ok": true' in slack_web.answer(world, "slack.com", "GET", "/api/oauth.v2.access?code=two", b"")[2]
