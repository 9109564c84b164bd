"""Random templates of several functions, with all that starts them or gives them rights, any of it conditional."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tests.evidence.random_templates import RandomTemplate

FUNCTIONS = ("F0", "F1", "F2")
_LAMBDA = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
_ELSEWHERE = "arn:aws:%s:eu-west-1:111122223333:%s"


class RandomWiring(RandomTemplate):
    """A template made of one seed, with as many conditions as there are parameters, each its own."""

    def _condition(self) -> Any:
        return self._equals()

    def _resources(self) -> Iterator[tuple[str, Any]]:
        for name in FUNCTIONS:
            yield name, self._optional(self._wired(name))
            yield f"{name}Role", self._optional(self._own_role())
        for name in ("Orders", "Items"):
            named = {"TableName": name.lower()} if self._chance(0.5) else {}
            yield name, self._optional({"Type": "AWS::DynamoDB::Table", "Properties": named})
        for name in ("Jobs", "Failed"):
            yield name, self._optional({"Type": "AWS::SQS::Queue", "Properties": {}})
        yield "Topic", self._optional({"Type": "AWS::SNS::Topic", "Properties": self._subscribed()})
        wires: tuple[Callable[[], Any], ...] = (
            *(self._source, self._source, self._invocation, self._rule_of, self._attached, self._attached),
            *(self._alias, self._subscription, self._failures, self._machine, self._of_a_key, self._queue_policy),
        )
        for number, made in enumerate(wires):
            if self._chance(0.3):
                yield f"W{number}", self._optional(made())

    def _optional(self, body: dict[str, Any]) -> dict[str, Any]:
        return {**body, "Condition": self._random.choice(list(self.conditions))} if self._chance(0.5) else body

    def _any_function(self) -> str:
        return self._random.choice(FUNCTIONS)

    def _arn(self, name: str) -> Any:
        return {"Fn::GetAtt": [name, "Arn"]}

    # --- functions and roles

    def _wired(self, name: str) -> Any:
        role = "F0Role" if self._chance(0.15) else f"{name}Role"
        given: dict[str, Any] = {"Role": self._arn(role), "Handler": "a.h", "Runtime": "python3.13", "Code": {}}
        if self._chance(0.5):
            given["FunctionName"] = f"shop-{name.lower()}"
        names = self._random.sample(["Orders", "Items", "Jobs", "Failed"], 2)
        names += [self._any_function()] if self._chance(0.15) else []
        given["Environment"] = {"Variables": {one.upper(): {"Ref": one} for one in names if one != name}}
        return {"Type": "AWS::Lambda::Function", "Properties": given}

    def _statement(self) -> Any:
        table, other = self._random.choice(["Orders", "Items"]), self._any_function()
        called = [self._arn(other), self._arn(other), _ELSEWHERE % ("lambda", f"function:shop-{other.lower()}"), "*"]
        return self._random.choice([
            {"Action": "dynamodb:GetItem", "Resource": self._arn(table)},
            {"Action": "dynamodb:PutItem", "Resource": _ELSEWHERE % ("dynamodb", f"table/{table.lower()}")},
            {"Action": "dynamodb:*", "Resource": "*"},
            {"Action": ["sqs:SendMessage", "sqs:ReceiveMessage"], "Resource": self._arn("Jobs")},
            {"Action": "lambda:InvokeFunction", "Resource": self._random.choice(called)},
        ])  # fmt: skip

    def _document(self) -> Any:
        count = self._random.randint(1, 2)
        return {"Statement": [{"Effect": "Allow", **self._statement()} for _ in range(count)]}

    def _own_role(self) -> Any:
        given = {
            "AssumeRolePolicyDocument": {"Statement": [_LAMBDA]},
            "Policies": [{"PolicyName": "p", "PolicyDocument": self._document()}],
        }
        return {"Type": "AWS::IAM::Role", "Properties": given}

    def _attached(self) -> Any:
        role = {"Ref": f"{self._any_function()}Role"}
        return {"Type": "AWS::IAM::Policy", "Properties": {"Roles": [role], "PolicyDocument": self._document()}}

    # --- what starts functions

    def _source(self) -> Any:
        given = {"FunctionName": {"Ref": self._any_function()}, "EventSourceArn": self._arn("Jobs")}
        return {"Type": "AWS::Lambda::EventSourceMapping", "Properties": given}

    def _invocation(self) -> Any:
        one = self._any_function()
        name = self._random.choice([{"Ref": one}, f"shop-{one.lower()}"])
        principal = self._random.choice(["sns.amazonaws.com", "events.amazonaws.com", "*"])
        given = {"FunctionName": name, "Action": "lambda:InvokeFunction", "Principal": principal}
        return {"Type": "AWS::Lambda::Permission", "Properties": given}

    def _rule_of(self) -> Any:
        targets = [{"Id": str(n), "Arn": self._arn(self._any_function())} for n in range(self._random.randint(1, 2))]
        return {"Type": "AWS::Events::Rule", "Properties": {"ScheduleExpression": "rate(1 hour)", "Targets": targets}}

    def _alias(self) -> Any:
        given = {"FunctionName": {"Ref": self._any_function()}, "FunctionVersion": "$LATEST", "Name": "live"}
        return {"Type": "AWS::Lambda::Alias", "Properties": given}

    def _subscribed(self) -> Any:
        listed = [{"Protocol": "lambda", "Endpoint": self._arn(self._any_function())}]
        return {"Subscription": listed} if self._chance(0.4) else {}

    def _subscription(self) -> Any:
        given = {"TopicArn": {"Ref": "Topic"}, "Protocol": "lambda", "Endpoint": self._arn(self._any_function())}
        return {"Type": "AWS::SNS::Subscription", "Properties": given}

    def _failures(self) -> Any:
        to = self._random.choice(["Failed", *FUNCTIONS])
        given = {"FunctionName": {"Ref": self._any_function()}, "Qualifier": "$LATEST"}
        failing = {"DestinationConfig": {"OnFailure": {"Destination": self._arn(to)}}}
        return {"Type": "AWS::Lambda::EventInvokeConfig", "Properties": {**given, **failing}}

    def _machine(self) -> Any:
        states = {"S": {"Type": "Task", "Resource": self._arn(self._any_function()), "End": True}}
        given = {"Definition": {"StartAt": "S", "States": states}, "RoleArn": self._arn("F2Role")}
        return {"Type": "AWS::StepFunctions::StateMachine", "Properties": given}

    # --- policies of resources

    def _of_a_key(self) -> Any:
        return {"Type": "AWS::DynamoDB::Table", "Properties": {"ResourcePolicy": {"PolicyDocument": self._given()}}}

    def _queue_policy(self) -> Any:
        return {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {"Queues": [{"Ref": "Jobs"}], "PolicyDocument": self._given()},
        }

    def _given(self) -> Any:
        role = self._arn(f"{self._any_function()}Role")
        return {"Statement": [{"Effect": "Allow", "Principal": {"AWS": role}, "Action": "*", "Resource": "*"}]}
