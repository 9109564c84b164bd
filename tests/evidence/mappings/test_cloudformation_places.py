"""Places in templates exist, and fit what stands there."""

from __future__ import annotations

from typing import Any

import pytest

from tests.evidence.mappings.every_place import (
    MAPPINGS,
    cloudformation_ends,
    ends_of,
    every_place,
    every_source,
    misfits,
    template_problems,
)
from threatmodel.evidence.mappings.format import FactMapping, Source, parse_path


def last_types(source: Source) -> tuple[str, ...]:
    return source.steps[-1].types if source.steps else source.types


def test_types_and_paths_exist() -> None:
    problems = [
        f"{source.place}: {problem}"
        for source in every_source(MAPPINGS)
        for problem in template_problems(source, ends_of)
    ]
    problems += [
        found for types in MAPPINGS.elements.values() for one in types if isinstance(found := ends_of(one, ()), str)
    ]
    assert problems == []


def test_predicates_fit_what_cloudformation_holds() -> None:
    problems = []
    for kind, fact, place in every_place(MAPPINGS):
        for name in last_types(place.source):
            ends = cloudformation_ends(name, place.source.at)
            for schema in () if isinstance(ends, str) else ends:
                problems += [f"{kind}.{fact}: {name} {one}" for one in misfits(place, kind, fact, schema)]
    assert problems == ["secret.kept_in: AWS::SSM::Parameter never holds 'SecureString'"]  # only a plan can have it


@pytest.mark.parametrize(
    ("name", "path", "problem"),
    [
        ("AWS::Lambda::Functions", "Runtime", "no such type"),
        ("AWS::Lambda::Function", "Runtimes", "nothing at Runtimes"),
        ("AWS::Lambda::Function", "Runtime.Version", "nothing at Runtime.Version"),
        ("AWS::Lambda::Function", "Runtime[]", "nothing at Runtime.[]"),
        ("AWS::Lambda::Function", "Arn", "read only"),
        ("AWS::ApiGateway::Stage", "MethodSettings[Path=/*].ThrottlingRateLimit", "nothing at"),
        ("AWS::Serverless::Function", "DeploymentPreference.Kind", "nothing at DeploymentPreference.Kind"),
        ("AWS::Serverless::Function", "FunctionUrlConfig.AuthTypes", "nothing at FunctionUrlConfig.AuthTypes"),
    ],
)
def test_wrong_name_in_cloudformation_is_found(name: str, path: str, problem: str) -> None:
    assert problem in str(cloudformation_ends(name, parse_path(path) or ()))


@pytest.mark.parametrize(
    ("kind", "fact", "place", "schema"),
    [
        ("api", "access_logs", {"predicate": "says", "says": True}, {"type": "boolean"}),
        ("api", "default_endpoint", {"predicate": "value", "value": "negated"}, {"type": "string"}),
        ("function", "timeout_seconds", {"predicate": "value", "value": "as-is"}, {"type": "object"}),
        ("function", "package_format", {"predicate": "words", "words": {"ZIP": "zip"}}, {"enum": ["Zip", "Image"]}),
    ],
)
def test_predicate_that_does_not_fit_is_found(kind: str, fact: str, place: Any, schema: dict[str, Any]) -> None:
    source = MAPPINGS.facts["function"]["runtime"][0].source
    assert list(misfits(FactMapping(source=source, **place), kind, fact, schema))
