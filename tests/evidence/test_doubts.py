"""What a part that was not read may change loses its proof, never its alarm."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.evidence.test_alarms import OWN, model_of, of_model
from tests.stacks.real import REAL
from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.risk import BANDS
from threatmodel.library.directions import Directions
from threatmodel.library.entries import Library
from threatmodel.model.facts import EVIDENCE
from threatmodel.stacks.cloudformation.reader import read

FUNCTION = """\
OtherRole:
  Type: AWS::IAM::Role
  Properties:
    AssumeRolePolicyDocument:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]
    %s
OtherFunction:
  Type: AWS::Lambda::Function
  Properties: {Handler: a.b, Runtime: python3.13, Role: {"Fn::GetAtt": [OtherRole, Arn]}, Code: {ZipFile: "x = 1"}}
"""
ADMIN = FUNCTION % 'ManagedPolicyArns: ["arn:aws:iam::aws:policy/AdministratorAccess"]'
CUSTOM = 'Other: {Type: "Custom::Thing", Properties: {ServiceToken: {"Fn::GetAtt": [OtherFunction, Arn]}}}\n'
PARTS = {
    "a custom resource whose function has wide rights": ADMIN + CUSTOM,
    "a custom resource of another account": 'Other: {Type: "Custom::Thing", Properties: {ServiceToken: "arn:x"}}\n',
    "a function with AdministratorAccess": ADMIN,
    "a nested stack": "Other: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: https://example.org/a}}\n",
    "a macro": "",
    "a plugin": "",
}


def with_part(text: str, part: str) -> str | None:
    """The text of a file with a part that it has not; None where such a part cannot stand in it."""
    if part == "a plugin":
        return f"{text}\nplugins: [serverless-other]\n" if "\nprovider:" in text and "\nplugins:" not in text else None
    if part == "a macro":
        if "\nResources:" not in text:
            return None
        found = re.sub(r"(?m)^Transform: *['\"\[]?(AWS::[^'\"\]\n]*)['\"\]]?$", r"Transform: [\1, Other]", text)
        return (
            found
            if found != text or "Transform" in text
            else text.replace("\nResources:", "\nTransform: [Other]\nResources:")
        )
    return with_resources(text, PARTS[part])


def with_resources(text: str, resources: str) -> str | None:
    """The text of a template with further resources; None of what is no template."""
    block = re.search(r"(?m)^Resources:\n(?:[ \t]*(?:#.*)?\n)*( +)\S", text)
    if block is None:
        return None
    at = block.start() + len("Resources:\n")
    return text[:at] + "".join(f"{block.group(1)}{line}\n" for line in resources.splitlines()) + text[at:]


@pytest.mark.slow
@pytest.mark.parametrize("path", [*OWN, *REAL], ids=lambda path: path.stem[-60:])
def test_an_unrelated_part_hides_no_finding(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: Library, ways: Directions
) -> None:
    monkeypatch.chdir(tmp_path)
    text = path.read_text(encoding="utf-8")
    if not model_of(path, tmp_path):
        pytest.skip("no model is made of this file")
    before = of_model(library, ways)
    for part in PARTS:
        changed = with_part(text, part)
        if changed is not None:
            (tmp_path / path.name).write_text(changed, encoding="utf-8")
            after = {one.id: one for one in of_model(library, ways).applying}
            assert [one.id for one in before.applying if one.id not in after] == [], part
            for one in before.applying:
                rest = after[one.id]
                assert BANDS.index(rest.claimed.band) >= BANDS.index(one.claimed.band), (part, one.id)
                assert BANDS.index(rest.proven.band) >= BANDS.index(one.proven.band), (part, one.id)


RIGHTS = {
    "AWS::S3::Bucket": ("s3:PutBucketPolicy", "Arn"),
    "AWS::DynamoDB::Table": ("dynamodb:UpdateTable", "Arn"),
    "AWS::Serverless::SimpleTable": ("dynamodb:UpdateTable", "Arn"),
    "AWS::SQS::Queue": ("sqs:SetQueueAttributes", "Arn"),
    "AWS::SecretsManager::Secret": ("secretsmanager:PutResourcePolicy", "Ref"),
}
"""What changes a resource, and how its ARN is written."""
CONTENTS = ("logs:CreateLogGroup", "logs:PutLogEvents", "dynamodb:PutItem", "s3:PutObject", "sqs:SendMessage")


def working_for_it(rights: str) -> str:
    """A custom resource whose function has these rights, and no others."""
    statement = f"{{Effect: Allow, {rights}}}"
    policy = f'{{PolicyName: a, PolicyDocument: {{Version: "2012-10-17", Statement: [{statement}]}}}}'
    return FUNCTION % f"Policies: [{policy}]" + CUSTOM


@pytest.mark.slow
@pytest.mark.parametrize("path", OWN, ids=lambda path: path.stem[-60:])
def test_what_reassures_falls_as_far_as_a_custom_resource_reaches(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: Library, ways: Directions
) -> None:
    monkeypatch.chdir(tmp_path)
    text = path.read_text(encoding="utf-8")
    if not model_of(path, tmp_path):
        pytest.skip("no model is made of this file")
    before = firm(of_model(library, ways), ways)

    def lost(part: str) -> set[tuple[str, str, str]]:
        (tmp_path / path.name).write_text(with_resources(text, part) or "", encoding="utf-8")
        return before - firm(of_model(library, ways), ways)

    for wide in WIDE:
        if (changed := with_part(text, wide)) is not None:
            (tmp_path / path.name).write_text(changed, encoding="utf-8")
            assert before & firm(of_model(library, ways), ways) == set(), wide
    if with_resources(text, "") is None:
        return
    written = ", ".join(f'"{one}"' for one in CONTENTS)
    assert lost(working_for_it(f'Action: [{written}], Resource: "*"')) == set(), "contents are no settings"
    for name, (action, attribute) in _changed(text, path.name):
        arn = f"{{Ref: {name}}}" if attribute == "Ref" else f'{{"Fn::GetAtt": [{name}, {attribute}]}}'
        fallen = lost(working_for_it(f'Action: "{action}", Resource: {arn}'))
        assert len({element for kind, element, _ in fallen if kind != "function"}) <= 1, name
        assert {fact for kind, _, fact in fallen if kind == "function"} <= {"started_by_policy", "loop_detected"}, name


WIDE = ("a custom resource whose function has wide rights", "a macro", "a plugin")
"""Parts that may change everything."""


STARTED = {"started_by_policy"}
"""Facts by which a control helps against what a trigger brings: one that a part removes brings nothing."""


def firm(assessment: Assessment, ways: Directions) -> set[tuple[str, str, str]]:
    """What evidence shows that reassures, and that no part puts in doubt: kind, element and fact."""
    return {
        (element.kind, element.id, name)
        for element in assessment.graph.elements.values()
        for name, fact in element.facts.items()
        if element.kind and fact.size == EVIDENCE and not fact.in_doubt
        if ways.reassured(element.kind, name, fact.value) and (name not in STARTED or not fact.value)
    }


def _changed(text: str, name: str) -> Iterator[tuple[str, tuple[str, str]]]:
    """The first resource of each type that has rights of its own."""
    seen = set()
    for one in read(text, name)[0].resources.values():
        if one.type in RIGHTS and one.type not in seen and not one.made_by:
            seen.add(one.type)
            yield one.name, RIGHTS[one.type]


def test_a_right_on_one_bucket_takes_that_buckets_proof(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: Library, ways: Directions
) -> None:
    monkeypatch.chdir(tmp_path)
    sample = next(path for path in OWN if path.name == "nightly-export.yaml")
    assert model_of(sample, tmp_path)
    before = firm(of_model(library, ways), ways)
    right = working_for_it('Action: "s3:PutBucketPolicy", Resource: {"Fn::GetAtt": [Exports, Arn]}')
    changed = with_resources(sample.read_text(encoding="utf-8"), right)
    (tmp_path / sample.name).write_text(changed or "", encoding="utf-8")
    fallen = {fact for _, element, fact in before - firm(of_model(library, ways), ways) if element == "exports"}
    assert {"open_to_public", "writable_by_public"} <= fallen
