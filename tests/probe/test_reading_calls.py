"""Which calls of AWS read: those whose names say so, and what AWS's own models say otherwise."""

from __future__ import annotations

import json

import pytest

from scripts import reading_calls
from threatmodel.probe.protocol import Effect


@pytest.mark.parametrize(
    ("service", "operation", "reads"),
    [
        ("appconfigdata", "StartConfigurationSession", True),
        ("appconfigdata", "GetLatestConfiguration", True),
        ("comprehend", "DetectSentiment", True),
        ("kms", "Decrypt", True),
        ("dynamodb", "Query", True),
        ("stepfunctions", "GetActivityTask", False),
        ("stepfunctions", "StartExecution", False),
        ("bedrock-agent-runtime", "InvokeAgent", False),
        ("sqs", "ReceiveMessage", False),
        ("not-a-service", "GetThing", True),
        ("not-a-service", "DoThing", False),
        ("network", "GET", False),
    ],
)
def test_a_call_reads_as_its_service_says(service: str, operation: str, reads: bool) -> None:
    assert Effect(service=service, operation=operation).reads is reads


@pytest.mark.slow
def test_the_table_is_that_of_the_models() -> None:
    levels = json.loads(reading_calls.LEVELS.read_text(encoding="utf-8"))
    assert reading_calls.TABLE.read_text(encoding="utf-8") == reading_calls.text(levels)
