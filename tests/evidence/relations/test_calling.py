"""Functions that call functions, and those that others may import."""

from __future__ import annotations

import pytest

from tests.evidence.relations.stacks_of import allow, of_f, plain, resource, role, with_resources

CALL = "Policies: [{{Statement: [{{Effect: Allow, Action: lambda:InvokeFunction, Resource: {}}}]}}]"
NAMED = "!Sub 'arn:aws:lambda:${AWS::Region}:${AWS::AccountId}:function:%s'"


def calling(name: str, whom: str) -> str:
    return resource(name, "AWS::Serverless::Function", f"FunctionName: {name}, {CALL.format(whom)}")


def test_a_function_that_may_call_itself_is_seen_at_once_and_by_way_of_others() -> None:
    assert with_resources(calling("F", NAMED % "F"))["F"].itself is not None
    found = with_resources("\n".join((calling("A", NAMED % "B"), calling("B", NAMED % "C"), calling("C", NAMED % "A"))))
    assert [relations.itself is not None for relations in found.values()] == [True] * 3
    line = with_resources("\n".join((calling("A", NAMED % "B"), calling("B", NAMED % "C"), plain("C"), role(""))))
    assert [relations.itself for relations in line.values()] == [None] * 3


def test_who_may_call_every_function_may_call_itself() -> None:
    relations = with_resources(calling("F", "'*'"))["F"]
    assert (relations.itself, relations.unknown["triggers"].why) == (
        None,
        "it may call every function, including itself",
    )


@pytest.mark.parametrize("value", ["!GetAtt F.Arn", "!Ref F", "!Sub '${F.Arn}:live'"])
def test_an_exported_function_may_be_called_by_whoever_imports_it(value: str) -> None:
    relations = of_f("Handler: a.b", Outputs=f"{{A: {{Value: {value}, Export: {{Name: a}}}}}}")
    assert relations.unknown["triggers"].why == "its name or ARN is exported, and it is unknown who imports it"
    assert "triggers" not in of_f("Handler: a.b", Outputs=f"{{A: {{Value: {value}}}}}").unknown


@pytest.mark.parametrize(
    ("token", "role_of_hand", "opens"),
    [
        ("!GetAtt Hand.Arn", "!GetAtt R.Arn", False),
        ("!GetAtt Hand.Arn", "'arn:aws:iam::123456789012:role/elsewhere'", True),
        ("'arn:aws:lambda:eu-west-1:123456789012:function:elsewhere'", "!GetAtt R.Arn", True),
    ],
)
def test_a_custom_resource_may_call_what_it_is_handed_unless_its_rights_say_otherwise(
    token: str, role_of_hand: str, *, opens: bool
) -> None:
    """Before its rights were looked at, whatever it was handed counted as started by CloudFormation."""
    function = "AWS::Lambda::Function"
    relations = with_resources(
        "\n".join(
            (
                resource("Bot", function, "Handler: a.b, Role: !GetAtt R.Arn"),
                resource("Hand", function, f"Handler: a.b, Role: {role_of_hand}"),
                resource("C", "Custom::X", f"ServiceToken: {token}, F: !GetAtt Bot.Arn"),
                role(allow("'logs:PutRetentionPolicy'", "'*'")),
            )
        )
    )
    assert ("triggers" in relations["Bot"].unknown) is opens
    assert relations["Bot"].triggers == ()
