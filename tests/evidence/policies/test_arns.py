"""What of a template an ARN means."""

from __future__ import annotations

import pytest

from tests.evidence.policies.stating import HERE
from threatmodel.evidence.policies.arns import whole
from threatmodel.evidence.policies.grants import pattern
from threatmodel.stacks.values import Scalar


@pytest.mark.parametrize(
    ("written", "service", "covers"),
    [
        ("*", "s3", True),
        ("arn:aws:s3:::*", "s3", True),
        ("arn:aws:s3:::*/*", "s3", True),
        ("arn:aws:s3:::shop*", "s3", False),
        ("arn:aws:s3:::table/*", "s3", False),
        ("arn:aws:lambda:*:*:function:*", "lambda", True),
        ("arn:aws:lambda:*:*:function:shop-*", "lambda", False),
        ("arn:aws:rds:*:*:cluster:*", "rds-data", True),
        ("arn:aws:logs:*:*:*", "logs", True),
        ("arn:*", "sqs", True),
        ("shop", "sqs", False),
        ("", "sqs", False),
    ],
)
def test_what_covers_everything(written: str, service: str, covers: bool) -> None:
    assert whole(pattern(Scalar(written, HERE)), service) is covers
