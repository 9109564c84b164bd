"""What a part that was not read may change loses its proof, never its alarm."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.evidence.test_alarms import OWN, model_of, of_model
from tests.stacks.real import REAL
from threatmodel.assessment.risk import BANDS
from threatmodel.library.directions import Directions
from threatmodel.library.entries import Library

ADMIN = """\
OtherRole:
  Type: AWS::IAM::Role
  Properties:
    AssumeRolePolicyDocument:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]
    ManagedPolicyArns: ["arn:aws:iam::aws:policy/AdministratorAccess"]
OtherFunction:
  Type: AWS::Lambda::Function
  Properties: {Handler: a.b, Runtime: python3.13, Role: {"Fn::GetAtt": [OtherRole, Arn]}, Code: {ZipFile: "x = 1"}}
"""
PARTS = {
    "a custom resource whose function has wide rights": ADMIN
    + 'Other: {Type: "Custom::Thing", Properties: {ServiceToken: {"Fn::GetAtt": [OtherFunction, Arn]}}}\n',
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
        found = re.sub(r"(?m)^Transform: *['\"]?(AWS::Serverless-2016-10-31)['\"]?$", r"Transform: [\1, Other]", text)
        return (
            found
            if found != text or "Transform" in text
            else text.replace("\nResources:", "\nTransform: [Other]\nResources:")
        )
    block = re.search(r"(?m)^Resources:\n(?:[ \t]*(?:#.*)?\n)*( +)\S", text)
    if block is None:
        return None
    at = block.start() + len("Resources:\n")
    return text[:at] + "".join(f"{block.group(1)}{line}\n" for line in PARTS[part].splitlines()) + text[at:]


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
