"""Infrastructure code that is named as a model: what it is, and a command that creates a model from it."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from threatmodel.command.main import main

CLOUDFORMATION = "a CloudFormation template"
FILES = {
    "template.yaml": ("a SAM template", "Transform: AWS::Serverless-2016-10-31\nResources:\n  A: {B: !Ref C}\n"),
    "plain.yaml": (CLOUDFORMATION, "# deployed\nResources:\n  A: {Type: AWS::S3::Bucket}\n"),
    "tags.yaml": (CLOUDFORMATION, 'AWSTemplateFormatVersion: "2010-09-09"\nConditions: {A: !Equals [a, b]}\n'),
    "quoted.yml": (CLOUDFORMATION, '"Resources":\n  A: !Sub "x"\n'),
    "stack.template.json": (CLOUDFORMATION, '{"Resources": {"A": {"Type": "AWS::S3::Bucket"}}}'),
    "serverless.yml": ("a serverless.yml", "service: shop\nprovider: {name: aws, stage: '${opt:stage}'}\n"),
    "with-tags.yml": ("a serverless.yml", "service: shop\nprovider: aws\nresources: !Include x\n"),
    "my plan.json": ("a Terraform plan", '{"format_version": "1.2", "planned_values": {"a": [{}]}}'),
    "tabs.json": ("a Terraform plan", '{\n\t"planned_values": {},\n\t"prior_state": {}\n}'),
}


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("command", ["check", "--list", "--dfd", "summary"])
@pytest.mark.parametrize("file", FILES)
def test_it_says_what_it_is_and_how_to_import_it(file: str, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    kind, text = FILES[file]
    Path(file).write_text(text, encoding="utf-8")
    assert main(["-m", file, command]) == 2
    out, err = capsys.readouterr()
    hint = f"create a model from it: python tm.py import {shlex.quote(file)} -o threatmodel.yaml"
    assert err.splitlines()[0] == f"{file}: not-a-model: this is {kind}; expected a threat model; {hint}"
    assert err.count("\n") == 2
    assert out == ""


def test_the_command_of_the_hint_creates_a_model(
    capsys: pytest.CaptureFixture[str], golden: Callable[[str, str], None]
) -> None:
    function = "{Type: AWS::Lambda::Function, Properties: {Handler: app.handler, Code: {ZipFile: x}}}"
    Path("template.yaml").write_text(f"Resources:\n  A: {function}\n", encoding="utf-8")
    assert main(["-m", "template.yaml", "check"]) == 2
    golden("bad-input/not-a-model.txt", capsys.readouterr().err)
    assert main(["import", "template.yaml", "-o", "threatmodel.yaml"]) == 0
    assert main(["-m", "threatmodel.yaml", "--dfd"]) == 0


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("name: Shop\nfunctions: {bot: {}}\nresources: {}\n", "unknown-key"),
        ("name: Shop\nservice: x\n", "unknown-key"),
        ("name: Shop\nowner: !Ref Resources\n", "unsupported-yaml"),
        ("name: Shop\nassumptions: [one, two\nscope: |\n  Resources: none\n", "yaml-syntax"),
        ('{"name": "Shop", "functions": {', "yaml-syntax"),
        ("[" * 100_000, "yaml-syntax"),
    ],
)
def test_any_other_file_is_reported_as_before(text: str, code: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("m.yaml").write_text(text, encoding="utf-8")
    assert main(["-m", "m.yaml", "check"]) == 2
    assert f": {code}: " in capsys.readouterr().err
