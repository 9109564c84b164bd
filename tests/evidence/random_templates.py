"""Random small SAM templates whose properties depend on conditions and parameters, and every way to deploy each."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any

NOTHING = {"Ref": "AWS::NoValue"}
_ARN = {"Fn::GetAtt": ["Bucket", "Arn"]}
_CLOSED = dict.fromkeys(("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True)
_VALUES: Mapping[str, list[Any]] = {"Seconds": [5, 900], "Versions": ["Enabled", "Suspended"]}


class RandomTemplate:
    """A template made of one seed: one to three parameters decide one to four conditions, which decide the rest."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.values = {f"P{n}": ["a", "b"] for n in range(self._random.randint(1, 3))} | dict(_VALUES)
        self.conditions: dict[str, Any] = {}
        for n in range(self._random.randint(1, 4)):
            self.conditions[f"C{n}"] = self._condition()
        self._whole = {
            "AWSTemplateFormatVersion": "2010-09-09",
            "Transform": "AWS::Serverless-2016-10-31",
            "Parameters": {name: _parameter(values) for name, values in self.values.items()},
            "Conditions": self.conditions,
            **({"Globals": {"Function": self._common()}} if self._chance(0.4) else {}),
            "Resources": dict(self._resources()),
        }

    @property
    def text(self) -> str:
        """The template as JSON, one key a line."""
        return json.dumps(self._whole, indent=1)

    def nesting(self, child: str) -> str:
        """A template around it, which hands it parameters, some by a condition, and may leave it out."""
        handed = {
            name: self._random.choice([{"Ref": name}, {"Fn::If": ["K", {"Ref": name}, values[0]]}])
            for name, values in self.values.items()
        }
        nested = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": child, "Parameters": handed}}
        timeout = {"Fn::If": ["K", 5, {"Ref": "Seconds"}]}
        own = {"Type": "AWS::Lambda::Function", "Properties": {"Runtime": "python3.13", "Timeout": timeout}}
        whole = {
            "Parameters": self._whole["Parameters"],
            "Conditions": {"K": {"Fn::Equals": [{"Ref": "P0"}, "a"]}},
            "Resources": {"Own": own, "Kid": {**nested, "Condition": "K"} if self._chance(0.3) else nested},
        }
        return json.dumps(whole, indent=1)

    def deployments(self) -> Iterator[str]:
        """Every way to deploy it, as a file of parameters."""
        for values in itertools.product(*self.values.values()):
            yield json.dumps(dict(zip(self.values, map(str, values), strict=True)))

    # --- choices

    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    def _condition(self) -> Any:
        forms: list[Callable[[], Any]] = [self._equals] * 3
        forms += [lambda: {"Fn::Not": [self._equals()]}]
        forms += [lambda name=name: {name: [self._equals(), self._equals()]} for name in ("Fn::Or", "Fn::And")]  # type: ignore[misc]
        if self.conditions:
            forms += [lambda: {"Fn::Not": [self._named()]}, lambda: {"Fn::And": [self._named(), self._equals()]}]
        return self._random.choice(forms)()

    def _equals(self) -> Any:
        name = self._random.choice([name for name in self.values if name not in _VALUES])
        return {"Fn::Equals": [{"Ref": name}, self._random.choice("ab")]}

    def _named(self) -> Any:
        return {"Condition": self._random.choice(list(self.conditions))}

    def _either(self, good: Any, bad: Any, depth: int = 0) -> Any:
        """One of two values: plainly, or by a condition."""
        drawn = self._random.random()
        if drawn < 0.45:
            return self._random.choice([good, bad])
        name = self._random.choice(list(self.conditions))
        if drawn < 0.85 or depth:
            return {"Fn::If": [name, good, bad]}
        return {"Fn::If": [name, self._either(good, bad, 1), self._either(bad, good, 1)]}

    def _maybe(self, body: dict[str, Any]) -> dict[str, Any]:
        """A resource that a condition may leave out."""
        return {**body, "Condition": self._random.choice(list(self.conditions))} if self._chance(0.35) else body

    # --- resources

    def _common(self) -> Any:
        return {
            "Timeout": self._either(7, {"Ref": "Seconds"}),
            "Tracing": self._either("Active", "PassThrough"),
            "Environment": {"Variables": {"MODE": self._either("x", {"Ref": "P0"})}},
        }

    def _resources(self) -> Iterator[tuple[str, Any]]:
        for n in range(self._random.randint(1, 2)):
            yield f"F{n}", self._function()
        yield "Table", self._maybe({"Type": "AWS::DynamoDB::Table", "DeletionPolicy": "Retain", **self._table()})
        yield "Bucket", self._maybe({"Type": "AWS::S3::Bucket", "Properties": self._bucket()})
        for name, share, made in (
            ("BucketPolicy", 0.6, self._bucket_policy),
            ("Trail", 0.5, self._trail),
            ("Permission", 0.6, self._permission),
            ("Role", 0.4, self._role),
            ("Mapping", 0.4, self._mapping),
            ("Secret", 0.4, self._secret),
        ):
            if self._chance(share):
                yield name, self._maybe(made())

    def _function(self) -> Any:
        random_, either = self._random, self._either
        found: dict[str, Any] = {"Runtime": either("python3.13", "python3.8"), "Handler": "a.h", "CodeUri": "s3://b/k"}
        optional: dict[str, Callable[[], Any]] = {
            "Timeout": lambda: either(5, {"Ref": "Seconds"}),
            "ReservedConcurrentExecutions": lambda: either(5, NOTHING),
            "Environment": lambda: {
                "Variables": {"A": either("x", "AKIAIOSFODNN7EXAMPLE"), "T": self._table_or_text()}
            },
            "Policies": self._policies,
            "Role": lambda: either({"Fn::GetAtt": ["F0Role", "Arn"]}, NOTHING),
            "Events": lambda: either({"E": self._event()}, {"E": self._event(), "G": either(self._event(), NOTHING)}),
            "FunctionUrlConfig": lambda: either({"AuthType": either("AWS_IAM", "NONE")}, NOTHING),
            "AutoPublishAlias": lambda: either("live", NOTHING),
            "DeploymentPreference": lambda: {"Type": "AllAtOnce", "Enabled": either(True, False)},
        }
        shares = (0.5, 0.5, 0.6, 0.6, 0.1, 0.6, 0.3, 0.3, 0.2)
        for (name, made), share in zip(optional.items(), shares, strict=True):
            if random_.random() < share:
                found[name] = made()
        body = {"Type": "AWS::Serverless::Function", "Properties": found}
        return {**body, "Condition": random_.choice(list(self.conditions))} if self._chance(0.2) else body

    def _table_or_text(self) -> Any:
        return self._either({"Ref": "Table"}, "other")

    def _policies(self) -> Any:
        either = self._either
        actions = {"Effect": either("Allow", "Deny"), "Action": either("dynamodb:GetItem", "*")}
        statement = {**actions, "Resource": either({"Fn::GetAtt": ["Table", "Arn"]}, "*")}
        written = {"Version": "2012-10-17", "Statement": [either(statement, {**statement, "Effect": "Allow"})]}
        crud = {"DynamoDBCrudPolicy": {"TableName": self._table_or_text()}}
        return [either("AWSXRayDaemonWriteAccess", "AdministratorAccess"), either(written, crud)]

    def _event(self) -> Any:
        kind = self._random.choice(["Api", "HttpApi", "Schedule", "S3"])
        if kind == "Schedule":
            return {"Type": kind, "Properties": {"Schedule": "rate(1 hour)", "Enabled": self._either(True, False)}}
        if kind == "S3":
            return {"Type": kind, "Properties": {"Bucket": {"Ref": "Bucket"}, "Events": "s3:ObjectCreated:*"}}
        properties = {"Path": self._either("/x", "/y"), "Method": self._either("get", "post")}
        if self._chance(0.5):
            properties["Auth"] = {"Authorizer": self._either("AWS_IAM", "NONE")}
        return self._either({"Type": kind, "Properties": properties}, {"Type": "Api", "Properties": properties})

    def _table(self) -> Any:
        given = {
            "SSESpecification": {"SSEEnabled": self._either(True, False)},
            "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": self._either(True, False)},
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        }
        return {"Properties": given, "UpdateReplacePolicy": self._either("Retain", "Delete")}

    def _bucket(self) -> Any:
        return {
            "VersioningConfiguration": {"Status": self._either("Enabled", {"Ref": "Versions"})},
            "PublicAccessBlockConfiguration": self._either(_CLOSED, NOTHING),
        }

    def _bucket_policy(self) -> Any:
        secure = {"Bool": {"aws:SecureTransport": self._either("false", "true")}}
        statement = {"Effect": self._either("Deny", "Allow"), "Principal": "*", "Action": "s3:*", "Resource": [_ARN]}
        document = {"Statement": [{**statement, "Condition": secure}]}
        bucket = self._either({"Ref": "Bucket"}, "other-bucket")
        return {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": bucket, "PolicyDocument": document}}

    def _trail(self) -> Any:
        names = ("IsLogging", "IsMultiRegionTrail", "EnableLogFileValidation")
        flags = {name: self._either(True, False) for name in names}
        return {"Type": "AWS::CloudTrail::Trail", "Properties": {"S3BucketName": {"Ref": "Bucket"}, **flags}}

    def _permission(self) -> Any:
        given = {
            "FunctionName": self._either({"Ref": "F0"}, "another"),
            "Action": "lambda:InvokeFunction",
            "Principal": self._either("*", "s3.amazonaws.com"),
            "SourceArn": self._either(_ARN, NOTHING),
        }
        return {"Type": "AWS::Lambda::Permission", "Properties": given}

    def _role(self) -> Any:
        trust = {"Effect": "Allow", "Principal": self._either({"Service": "lambda.amazonaws.com"}, {"AWS": "*"})}
        actions = self._either("lambda:InvokeFunction", "s3:GetObject")
        allowed = {"Effect": "Allow", "Action": actions, "Resource": self._either("*", _ARN)}
        given = {
            "AssumeRolePolicyDocument": {"Statement": [{**trust, "Action": "sts:AssumeRole"}]},
            "Policies": [{"PolicyName": "p", "PolicyDocument": {"Statement": [allowed]}}],
        }
        return {"Type": "AWS::IAM::Role", "Properties": given}

    def _mapping(self) -> Any:
        stream = self._either({"Fn::GetAtt": ["Table", "StreamArn"]}, "arn:aws:sqs:eu-west-1:111122223333:other")
        given = {"FunctionName": self._either({"Ref": "F0"}, "another"), "EventSourceArn": stream}
        return {"Type": "AWS::Lambda::EventSourceMapping", "Properties": given}

    def _secret(self) -> Any:
        value = self._either(NOTHING, "hunter2-correct-horse")
        return {
            "Type": "AWS::SecretsManager::Secret",
            "Properties": {"SecretString": value, "GenerateSecretString": {}},
        }


def _parameter(values: list[Any]) -> Any:
    kind = "Number" if isinstance(values[0], int) else "String"
    return {"Type": kind, "Default": values[0], "AllowedValues": values}
