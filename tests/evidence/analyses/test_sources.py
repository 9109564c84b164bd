"""For whose sources a service may invoke a function: one that is named, a named account's, or anybody's."""

from __future__ import annotations

from typing import Any

import pytest

from tests.evidence.policies.stating import allow, asked, document, word

ARN = "arn:aws:execute-api:eu-central-1:111122223333:abc/*/POST/x"


@pytest.mark.parametrize(
    ("more", "pinned", "owned"),
    [
        ({}, False, False),
        ({"SourceAccount": "111122223333"}, False, True),
        ({"SourceAccount": "*"}, False, False),
        ({"SourceArn": ARN}, True, True),
        ({"SourceArn": "arn:aws:s3:::uploads"}, False, False),
        ({"SourceArn": "arn:aws:s3:::uploads", "SourceAccount": "111122223333"}, True, True),
    ],
)
def test_of_a_permission(more: dict[str, Any], pinned: bool, owned: bool) -> None:
    permission = {"Principal": "s3.amazonaws.com", "Action": "lambda:InvokeFunction", **more}
    assert word(asked("sources-pinned", ("permission", permission))) is pinned
    assert word(asked("sources-owned", ("permission", permission))) is owned


@pytest.mark.parametrize(
    ("condition", "pinned", "owned"),
    [
        ({}, False, False),
        ({"StringEquals": {"aws:SourceAccount": "111122223333"}}, False, True),
        ({"StringLike": {"aws:SourceAccount": ["111122223333", "*"]}}, False, False),
        ({"ArnLike": {"aws:SourceArn": ARN}}, True, True),
    ],
)
def test_of_a_policy(condition: dict[str, Any], pinned: bool, owned: bool) -> None:
    more: dict[str, Any] = {"Principal": {"Service": "s3.amazonaws.com"}}
    if condition:
        more["Condition"] = condition
    policy = document(allow("lambda:InvokeFunction", **more))
    assert word(asked("sources-pinned", ("policy", policy))) is pinned
    assert word(asked("sources-owned", ("policy", policy))) is owned
