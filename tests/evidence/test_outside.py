"""What a file names and does not hold becomes an element only under a name that AWS could give it."""

from __future__ import annotations

import pytest

from threatmodel.evidence.outside import is_service, service_of, source
from threatmodel.reading.problems import Place
from threatmodel.stacks.values import Scalar

HERE = Place("template.yaml", 1)


def arn(text: str) -> Scalar:
    return Scalar(text, HERE)


@pytest.mark.parametrize("name", ["orders", "o" * 1011])
def test_a_queue_elsewhere(name: str) -> None:
    found = source(arn(f"arn:aws:sqs:eu-west-1:123456789012:{name}"))
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize("name", ["", " ", "o" * 1012])
def test_what_no_queue_is_called(name: str) -> None:
    assert source(arn(f"arn:aws:sqs:eu-west-1:123456789012:{name}")) is None
    assert source(arn(name), "sqs") is None


@pytest.mark.parametrize("service", ["", "\n", "/" * 300, "s" * 64, "SQS", "s*"])
def test_what_no_service_is_called(service: str) -> None:
    assert not is_service(service)
    assert not service_of(arn(f"arn:aws:{service}:eu-west-1:123456789012:a"))


def test_a_service() -> None:
    assert is_service("execute-api")
    assert service_of(arn("arn:aws:kafka:eu-west-1:123456789012:cluster/a/b")) == "kafka"
