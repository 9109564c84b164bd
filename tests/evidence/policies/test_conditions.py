"""What a condition narrows: it does only if its operator, its key and its value do."""

from __future__ import annotations

from typing import Any

import pytest

from tests.evidence.policies.stating import NO, OPEN, UNKNOWN, YES, by_policy, shared
from threatmodel.stacks.values import Joined

ACCOUNT = "arn:aws:iam::123456789012:role/deploy"


def public(operator: str, key: str, value: Any) -> Any:
    return by_policy("public-statement", shared("*", {operator: {key: value}}))


@pytest.mark.parametrize(
    ("operator", "key", "value"),
    [
        # every organization, account, network, identity
        ("StringLike", "aws:PrincipalOrgID", "o-*"),
        ("StringLike", "aws:PrincipalOrgID", "o-????????*"),
        ("StringLike", "aws:PrincipalOrgPaths", "o-*/r-*/*"),
        ("StringLike", "aws:PrincipalAccount", "1*"),
        ("StringLike", "aws:SourceAccount", "????????????"),
        ("StringLike", "aws:SourceVpce", "vpce-*"),
        ("StringLike", "aws:SourceVpc", "vpc-0*"),
        ("StringLike", "aws:userid", "AROA*"),
        ("StringLike", "aws:userid", "*:*"),
        ("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", ["o-abcdefghij/r-ab12/*", "*"]),
        # any account's resource or role of that name
        ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:role/deploy"),
        ("ArnEquals", "aws:PrincipalArn", "arn:aws:iam::*:role/deploy"),
        ("StringLike", "aws:PrincipalArn", "arn:aws:iam::1234*:role/deploy"),
        ("ArnLike", "aws:SourceArn", "arn:aws:sns:eu-west-1:*:orders"),
        ("ArnLike", "aws:SourceArn", "arn:aws:s3:::*-uploads"),
        ("ArnLike", "aws:SourceArn", "arn:aws:s3:::*"),
        ("ArnLike", "aws:SourceArn", "arn:*"),
        # networks as wide as the Internet
        ("IpAddress", "aws:SourceIp", "0.0.0.0/0"),
        ("IpAddress", "aws:SourceIp", ["0.0.0.0/1", "128.0.0.0/1"]),
        ("IpAddress", "aws:SourceIp", [f"{n}.0.0.0/6" for n in range(0, 256, 4)]),
        ("IpAddress", "aws:SourceIp", "::/0"),
        ("IpAddress", "aws:SourceIp", ["192.0.2.0/24", "2000::/3"]),
        ("IpAddress", "aws:SourceIp", "4.0.0.0/4"),
        # an address of the caller's own network
        ("IpAddress", "aws:VpcSourceIp", "10.0.0.0/8"),
        # what the caller writes, or gives the value of
        ("StringLike", "aws:UserAgent", "trusted/*"),
        ("StringLike", "aws:Referer", "https://example.com/*"),
        ("StringEquals", "aws:PrincipalTag/team", "orders"),
        ("StringEquals", "aws:PrincipalAccount", "${aws:PrincipalAccount}"),
        ("StringEquals", "aws:PrincipalOrgID", "${aws:PrincipalOrgID}"),
        # operators that ask for nothing
        ("StringEqualsIfExists", "aws:PrincipalOrgID", "o-abcdefghij"),
        ("ForAllValues:StringEquals", "aws:PrincipalOrgID", "o-abcdefghij"),
        ("ForAllValues:StringLike", "aws:PrincipalOrgPaths", "o-abcdefghij/r-ab12/*"),
        ("ArnNotLike", "aws:PrincipalArn", ACCOUNT),
        ("StringNotEquals", "aws:PrincipalAccount", "123456789012"),
        ("NotIpAddress", "aws:SourceIp", "192.0.2.0/24"),
        ("Null", "aws:PrincipalOrgID", "false"),
        ("Bool", "aws:PrincipalIsAWSService", "true"),
        ("DateLessThan", "aws:CurrentTime", "2999-01-01T00:00:00Z"),
        ("StringEquals", "aws:PrincipalOrgID", []),
    ],
)
def test_what_leaves_nobody_out_narrows_nothing(operator: str, key: str, value: Any) -> None:
    assert public(operator, key, value) is YES


@pytest.mark.parametrize(
    ("operator", "key", "value"),
    [
        ("StringEquals", "aws:PrincipalOrgID", "o-abcdefghij"),
        ("StringEquals", "aws:PrincipalOrgID", "${aws:ResourceOrgID}"),
        ("StringEquals", "aws:PrincipalAccount", "${aws:ResourceAccount}"),
        ("StringEquals", "aws:PrincipalAccount", "${AWS::AccountId}"),
        ("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "o-abcdefghij/r-ab12/*"),
        ("StringLike", "aws:userid", "AROA1234567890ABCDEFG:*"),
        ("StringLike", "aws:PrincipalArn", "arn:aws:iam::123456789012:role/*"),
        ("ArnLike", "aws:SourceArn", "arn:aws:s3:::orders-uploads"),
        ("ArnLike", "aws:SourceArn", "arn:aws:sns:*:${AWS::AccountId}:*"),
        ("IpAddress", "aws:SourceIp", ["192.0.2.0/24", "2001:db8::/32"]),
        ("IpAddress", "aws:SourceIp", "3.0.0.0/8"),
    ],
)
def test_what_names_somebody_narrows(operator: str, key: str, value: Any) -> None:
    assert public(operator, key, value) is NO


@pytest.mark.parametrize(
    ("operator", "key", "value"),
    [
        ("IpAddress", "aws:SourceIp", "10.0.0.0/8"),
        ("IpAddress", "aws:SourceIp", "no network"),
        ("IpAddress", "aws:SourceIp", ["192.0.2.0/24", UNKNOWN]),
        ("StringLike", "aws:PrincipalOrgID", [UNKNOWN]),
        ("ArnLike", "aws:PrincipalArn", [Joined(("arn:aws:iam::", UNKNOWN, ":role/x"), UNKNOWN.place)]),
    ],
)
def test_what_may_leave_somebody_out_is_unknown(operator: str, key: str, value: Any) -> None:
    assert public(operator, key, value) is OPEN


@pytest.mark.parametrize(
    "guard",
    [
        {"StringNotLike": {"aws:PrincipalOrgID": "o-*"}},
        {"NotIpAddress": {"aws:SourceIp": ["0.0.0.0/1", "128.0.0.0/1"]}},
        {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/deploy"}},
        {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-abcdefghij"}},
        {"StringNotEquals": {"aws:PrincipalOrgID": "${aws:PrincipalOrgID}"}},
    ],
)
def test_a_denial_that_spares_everybody_guards_nothing(guard: Any) -> None:
    assert by_policy("public-statement", shared("*"), shared("*", guard, "Deny")) is not NO
