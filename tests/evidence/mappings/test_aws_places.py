"""Calls, fields and rights of AWS exist, only describe, and fit the facts."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.exceptions
import botocore.session
import cfnlint.data.AdditionalSpecs
import pytest

from tests.evidence.mappings.every_place import MAPPINGS, every_place, every_source, misfits, shown
from threatmodel.evidence.mappings.format import AwsCall, Mappings
from threatmodel.evidence.mappings.paths import PathPart, ValuePath, parse_path
from threatmodel.evidence.mappings.read_only import forbidden


@functools.cache
def service(name: str) -> Any:
    """botocore's model of a service, or None."""
    try:
        return botocore.session.Session().get_service_model(name)
    except botocore.exceptions.UnknownServiceError:
        return None


def operation(call: AwsCall) -> Any:
    """botocore's model of an operation, or None."""
    model = service(call.service)
    return model.operation_model(call.operation) if model and call.operation in model.operation_names else None


def answer_end(shape: Any, path: ValuePath) -> Any:
    """The shape at a path of an answer, or None."""
    for part in path:
        kind = shape.type_name if shape else ""
        if kind == "structure" and part.kind == "key":
            shape = shape.members.get(part.name)
        elif kind == "list" and part.kind == "items":
            shape = shape.member
            if any(answer_end(shape, (PathPart("key", key),)) is None for key, _ in part.where):
                return None
            if any(value not in enum for key, value in part.where if (enum := enum_of(shape.members[key]))):
                return None
        elif kind == "map" and part.kind in {"key", "values"}:
            shape = shape.value
        else:
            return None
    return shape


def enum_of(shape: Any) -> list[str]:
    return list(getattr(shape, "enum", []) or [])


def call_problems(call: AwsCall) -> Iterator[str]:
    """What is wrong with one call."""
    model = operation(call)
    if model is None:
        yield f"{call.service}:{call.operation}: no such operation"
        return
    inputs = model.input_shape.members if model.input_shape else {}
    required = set(model.input_shape.required_members) if model.input_shape else set()
    yield from (f"{call.operation} takes no {name}" for name in call.given if name not in inputs)
    yield from (f"{call.operation} lacks {name}" for name in sorted(required - set(call.given)))
    for name, value in call.given.items():
        if name in inputs and (inputs[name].type_name == "list") is not isinstance(value, tuple):
            yield f"{call.operation}: {name} is a {inputs[name].type_name}"
        elif name in inputs and (enum := enum_of(inputs[name])) and value not in enum:
            yield f"{call.operation}: {name} is never {value}"
    if call.at and answer_end(model.output_shape, call.at) is None:
        yield f"{call.operation}: nothing at {shown(call.at)}"
    modelled = {one.metadata.get("error", {}).get("code", one.name) for one in model.error_shapes}
    modelled |= {one.name for one in model.error_shapes}
    if call.service not in {"s3", "s3control"}:  # their models name hardly any error
        yield from (f"{call.operation} raises no {name}" for name in call.nothing if name not in modelled)


def every_call(places: Mappings) -> Iterator[AwsCall]:
    for variants in places.elements.values():
        for calls in variants.values():
            yield from calls
    for source in every_source(places):
        yield from source.calls


@pytest.mark.slow
def test_calls_exist() -> None:
    assert sorted({problem for call in every_call(MAPPINGS["aws"]) for problem in call_problems(call)}) == []


def test_predicates_fit_what_aws_answers() -> None:
    problems = []
    for kind, fact, place in every_place(MAPPINGS["aws"]):
        if place.source.calls:
            last = place.source.calls[-1]
            shape = answer_end(operation(last).output_shape, last.at)
            kinds = {"long": "integer", "double": "number", "float": "number", "timestamp": "time"}
            schema = {"type": kinds.get(shape.type_name, shape.type_name), "enum": enum_of(shape)}
            problems += [f"{kind}.{fact}: {last.operation} {one}" for one in misfits(place, kind, fact, schema)]
            if place.value == "age-in-days" and shape.type_name != "timestamp":
                problems.append(f"{kind}.{fact}: {last.operation} gives no time")
    assert problems == []


ACTIONS = json.loads((Path(cfnlint.data.AdditionalSpecs.__file__).parent / "Policies.json").read_text(encoding="utf-8"))


def is_action(action: str) -> bool:
    """Whether cfn-lint's list has an IAM action."""
    prefix, _, name = action.partition(":")
    return name.lower() in ACTIONS.get(prefix, {}).get("Actions", {})


def test_rights_exist() -> None:
    rights = {right for call in every_call(MAPPINGS["aws"]) for right in MAPPINGS["aws"].actions(call)}
    assert sorted(right for right in rights if not is_action(right)) == []


def test_exceptions_of_rights_are_used_and_needed() -> None:
    places = MAPPINGS["aws"]
    used = {f"{call.service}:{call.operation}" for call in every_call(places)}
    for name, rights in places.permissions.items():
        assert [one for one in used if one == name or (name.endswith(":*") and one.startswith(name[:-1]))], name
        assert rights != (name,)


def test_rights_only_read() -> None:
    rights = {right for call in every_call(MAPPINGS["aws"]) for right in MAPPINGS["aws"].actions(call)}
    reads = re.compile(r"[a-z0-9-]+:((Get|List|Describe|BatchGet|View)\w+|GET|GenerateCredentialReport)")
    assert sorted(right for right in rights if not reads.fullmatch(right)) == []
    assert not rights & {"lambda:GetFunction", "secretsmanager:GetSecretValue", "kms:Decrypt", "ssm:GetParameter"}


def called(text: str, at: str = "", nothing: tuple[str, ...] = (), **given: str | tuple[str, ...]) -> AwsCall:
    name, _, op = text.partition(":")
    return AwsCall(name, op, given, parse_path(at) or (), nothing)


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        (called("lambdas:GetPolicy"), "no such operation"),
        (called("lambda:GetPolicies"), "no such operation"),
        (called("lambda:GetPolicy", "Policies", FunctionName="$name"), "nothing at Policies"),
        (called("lambda:GetPolicy", "Policy"), "lacks FunctionName"),
        (called("lambda:GetPolicy", "Policy", FunctionName="$name", Name="x"), "takes no Name"),
        (called("lambda:GetPolicy", "Policy", FunctionName=("$name",)), "FunctionName is a string"),
        (called("lambda:GetPolicy", "Policy", ("NoSuchPolicy",), FunctionName="$name"), "raises no NoSuchPolicy"),
        (called("lambda:ListFunctions", "Functions[Roles=$1].FunctionArn"), "nothing at"),
        (called("accessanalyzer:ListAnalyzers", "analyzers[type=ACCOUNTS].arn"), "nothing at"),
        (called("organizations:ListPoliciesForTarget", "", (), TargetId="1", Filter="SCP"), "Filter is never SCP"),
    ],
)
def test_wrong_call_is_found(call: AwsCall, problem: str) -> None:
    assert any(problem in found for found in call_problems(call))


@pytest.mark.parametrize(
    "action", ["lambda:GetPolicies", "lambdas:GetPolicy", "opensearch:DescribeDomain", "GetPolicy"]
)
def test_wrong_right_is_found(action: str) -> None:
    assert not is_action(action)


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("lambda:GetFunctionConfiguration", True),
        ("iam:GenerateCredentialReport", True),
        ("lambda:GetFunction", False),
        ("lambda:Invoke", False),
        ("lambda:UpdateFunctionCode", False),
        ("secretsmanager:GetSecretValue", False),
        ("secretsmanager:BatchGetSecretValue", False),
        ("ssm:GetParameter", False),
        ("kms:Decrypt", False),
        ("kms:GenerateDataKey", False),
        ("s3:GetObject", False),
    ],
)
def test_forbidden_operations(name: str, allowed: bool) -> None:
    assert forbidden(*name.split(":")) is not allowed
