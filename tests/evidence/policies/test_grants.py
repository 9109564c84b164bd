"""Statements of a policy, read from whatever form it is written in."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from tests.evidence.policies.stating import HERE, UNKNOWN, allow, document, node
from threatmodel.evidence.policies.grants import statements
from threatmodel.stacks.values import Joined, Link


@pytest.mark.parametrize("write", [json.dumps, lambda raw: quote(json.dumps(raw)), lambda raw: raw])
def test_a_document_is_read_as_data_as_text_and_as_in_a_url(write: Any) -> None:
    raw = {"Statement": {"Effect": "Allow", "NotAction": ["iam:*"], "Resource": ["*"], "Sid": "x"}}
    (grant,) = statements(node(write(raw)))
    assert (grant.effect, grant.but_actions, grant.actions[0].text, grant.resources[0].text) == (
        "Allow",
        True,
        "iam:*",
        "*",
    )


def test_links_in_json_text_stay_links() -> None:
    whole_text = '{"Statement": [{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "'
    (grant,) = statements(Joined((whole_text, Link("Jobs", "Arn", HERE), '/x"}]}'), HERE))
    assert grant.resources[0].text == "${Jobs.Arn}/x"
    assert grant.resources[0].links == (Link("Jobs", "Arn", HERE),)


def test_what_is_unknown_in_a_document_stays_unknown() -> None:
    assert statements(UNKNOWN)[0].open == UNKNOWN
    (grant,) = statements(document({"Effect": UNKNOWN, "Action": "s3:*", "Resource": "*"}))
    assert (grant.effect, grant.open, grant.actions[0].text) == ("", UNKNOWN, "s3:*")
    (grant,) = statements(document(allow(UNKNOWN, UNKNOWN)))
    assert (grant.actions[0].open, grant.resources[0].open, grant.open) == (UNKNOWN, UNKNOWN, None)
    odd: Any
    for odd in ("no json", '{"Statement": ', "[" * 100_000, "x" * 300_000, 7, None, [], {"Statement": ["x"]}, {}):
        assert all(grant.open is not None for grant in statements(node(odd))) or odd == []
