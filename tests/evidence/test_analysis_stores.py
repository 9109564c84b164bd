"""What code answers about buckets and event buses, asked of templates and of plans."""

from __future__ import annotations

import pytest

from tests.evidence.asking import NOTHING, UNKNOWN, answer, found, plan, template

# --- buckets


@pytest.mark.parametrize(
    ("rules", "versioned", "expected"),
    [
        ("[{Status: Enabled, ExpirationInDays: 30}]", "", 30),
        ('[{Status: Enabled, ExpirationInDays: "30"}]', "", 30),
        ("[{Status: Enabled, ExpirationInDays: 30}, {Status: Enabled, ExpirationInDays: 7}]", "", 7),
        ("[{Status: Disabled, ExpirationInDays: 30}]", "", None),
        ("[{Status: Enabled, Prefix: logs/, ExpirationInDays: 30}]", "", None),
        ('[{Status: Enabled, Prefix: "", ExpirationInDays: 30}]', "", 30),
        ("[{Status: Enabled, TagFilters: [{Key: a, Value: b}], ExpirationInDays: 30}]", "", None),
        ("[{Status: Enabled, AbortIncompleteMultipartUpload: {DaysAfterInitiation: 1}}]", "", None),
        ("[{Status: Enabled, ExpirationInDays: !ImportValue days}]", "", UNKNOWN),
        ("[{Status: Disabled, ExpirationInDays: !ImportValue days}]", "", None),
        ("[{Status: !ImportValue on, ExpirationInDays: 30}]", "", UNKNOWN),
        ("[{Status: Enabled, ExpirationInDays: 99999}]", "", UNKNOWN),
        ("!ImportValue rules", "", UNKNOWN),
        ("[{Status: Enabled, ExpirationInDays: 30}]", "Enabled", None),
        ("[{Status: Enabled, ExpirationInDays: 30, NoncurrentVersionExpiration: {NoncurrentDays: 5}}]", "Enabled", 35),
        ("[{Status: Enabled, ExpirationInDays: 30, NoncurrentVersionExpirationInDays: 5}]", "Suspended", 35),
        (
            "[{Status: Enabled, ExpirationInDays: 30, NoncurrentVersionExpiration: {NewerNoncurrentVersions: 2}}]",
            "Enabled",
            None,
        ),
        ("[{Status: Enabled, ExpirationInDays: 30}]", "!ImportValue v", UNKNOWN),
    ],
)
def test_expiration(rules: str, versioned: str, expected: object) -> None:
    more = f", VersioningConfiguration: {{Status: {versioned}}}" if versioned else ""
    text = f"  B: {{Type: AWS::S3::Bucket, Properties: {{LifecycleConfiguration: {{Rules: {rules}}}{more}}}}}"
    assert answer(found(template(text), "store", "retention_days")) == expected


@pytest.mark.parametrize(
    ("rule", "versioning", "expected"),
    [
        ("{status: Enabled, filter: [{prefix: null, tag: [], and: []}], expiration: [{days: 30, date: null}]}", "", 30),
        ("{status: Enabled, filter: [{prefix: logs/}], expiration: [{days: 30}]}", "", None),
        ("{status: Enabled, filter: [], expiration: [{days: 30}]}", "Enabled", None),
        (
            "{status: Enabled, expiration: [{days: 30}], noncurrent_version_expiration: [{noncurrent_days: 5}]}",
            "Enabled",
            35,
        ),
        ("{status: Enabled, expiration: [{days: 30}]}", "Disabled", 30),
        ("{status: Enabled, expiration: [{days: 0, expired_object_delete_marker: true}]}", "", None),
    ],
)
def test_expiration_in_a_plan(rule: str, versioning: str, expected: object) -> None:
    text = f"""
aws_s3_bucket.files: {{}}
aws_s3_bucket_lifecycle_configuration.files: {{bucket: "${{aws_s3_bucket.files.id}}", rule: [{rule}]}}
"""
    if versioning:
        text += f"""
aws_s3_bucket_versioning.files:
  bucket: "${{aws_s3_bucket.files.id}}"
  versioning_configuration: [{{status: {versioning}}}]
"""
    assert answer(found(plan(text), "store", "retention_days")) == expected


# --- event buses


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        ("[{Id: a, Arn: x, DeadLetterConfig: {Arn: !GetAtt Q.Arn}}]", True),
        ("[{Id: a, Arn: x, DeadLetterConfig: {Arn: !GetAtt Q.Arn}}, {Id: b, Arn: y}]", False),
        ("[{Id: a, Arn: x, DeadLetterConfig: {Arn: !Ref Queue}}]", True),
        ("[{Id: a, Arn: x, DeadLetterConfig: !If [Prod, {Arn: y}, !Ref 'AWS::NoValue']}]", UNKNOWN),
        ("[]", NOTHING),
    ],
)
def test_dead_letters(targets: str, expected: object) -> None:
    stack = template(f"""
Parameters: {{Stage: {{Type: String, Default: prod}}, Queue: {{Type: String}}}}
Conditions: {{Prod: !Equals [!Ref Stage, prod]}}
Resources:
  Q: {{Type: AWS::SQS::Queue}}
  Bus: {{Type: AWS::Events::EventBus, Properties: {{Name: orders}}}}
  Rule: {{Type: AWS::Events::Rule, Properties: {{EventBusName: !Ref Bus, Targets: {targets}}}}}
""")
    outcome = found(stack, "queue", "dead_letter_queue", "Bus")
    assert answer(outcome) == expected


def test_dead_letters_of_a_plan() -> None:
    text = """
aws_cloudwatch_event_bus.orders: {name: orders}
aws_cloudwatch_event_rule.all: {event_bus_name: "${aws_cloudwatch_event_bus.orders.name}"}
aws_cloudwatch_event_target.one: {rule: "${aws_cloudwatch_event_rule.all.name}", dead_letter_config: %s}
"""
    assert answer(found(plan(text % "[{arn: x}]"), "queue", "dead_letter_queue")) is True
    assert answer(found(plan(text % "[]"), "queue", "dead_letter_queue")) is False


@pytest.mark.parametrize(
    ("configuration", "expected"),
    [(", WebsiteConfiguration: {IndexDocument: index.html}", True), ("", False)],
)
def test_a_website(configuration: str, expected: object) -> None:
    text = f"  B: {{Type: AWS::S3::Bucket, Properties: {{BucketName: site{configuration}}}}}"
    assert answer(found(template(text), "store", "serves_website")) == expected


def test_a_website_of_a_plan() -> None:
    bucket = "aws_s3_bucket.b: {bucket: site}\n"
    website = (
        "aws_s3_bucket_website_configuration.w: {bucket: '${aws_s3_bucket.b.id}', index_document: [{suffix: i}]}\n"
    )
    assert answer(found(plan(bucket + website), "store", "serves_website")) is True
    assert answer(found(plan(bucket), "store", "serves_website")) is False
