"""What is written as YAML means the same to every reader of YAML, not to the toolkit's own alone."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from threatmodel.authoring.importing.plan import imported
from threatmodel.authoring.insertion import scalar
from threatmodel.reading.files import Files
from threatmodel.reading.source import parse

OTHERWISE = (
    """yes no on off ~ null true 1:30 190:20:30 0o7 017 0x1F 0b1 1e3 .inf .NaN 2020-01-01 2020-13-45 1_000 = << +1"""
)
STRANGE = ["a #b", "a: b", "? a", "- a", "a?b", "cron(0 7 ? * MON-FRI *)", "x ,y", "@x", "%a", "&a", "*a", "> a", "'a"]
TEXTS = [*OTHERWISE.split(), *STRANGE, "plain", "/slack/{id}", "aws:dynamodb:orders", "Grüße"]

LONG_ID = "AFunctionWithANameThatIsLongerThanTheColumnOfComments"
TEMPLATE = f"""\
Resources:
  {LONG_ID}: {{Type: AWS::S3::Bucket}}
  Orders: {{Type: AWS::S3::Bucket, Properties: {{BucketName: "{"b" * 40}"}}}}
  {LONG_ID}Queue: {{Type: AWS::SQS::Queue}}
  {LONG_ID}Key: {{Type: AWS::SecretsManager::Secret}}
  {LONG_ID}Api: {{Type: AWS::ApiGatewayV2::Api, Properties: {{ProtocolType: HTTP}}}}
  Bot:
    Type: AWS::Lambda::Function
    Properties: {{Handler: a.b, Runtime: python3.13, Code: {{S3Bucket: b, S3Key: k}}, Role: !Ref Role}}
  Role: {{Type: AWS::IAM::Role}}
  Clock:
    Type: AWS::Events::Rule
    Properties: {{ScheduleExpression: "cron(0 7 ? * MON-FRI *)", Targets: [{{Id: bot, Arn: !GetAtt Bot.Arn}}]}}
"""


def model() -> str:
    return imported(Path("t.yaml"), "template", Path("m.yaml"), Files(texts={"t.yaml": TEMPLATE})).text


def written() -> str:
    """Texts as values, in mappings and lists, between braces and on lines of their own."""
    drawn = random.Random(5)
    texts = [*TEXTS, *("".join(drawn.choices("ab01 :#?-,[]{}&*!|>'\"%@~=<.+_/\\yes", k=6)) for _ in range(500))]
    lines = (f"- {{a: {scalar(one)}, b: [{scalar(one)}]}}\n- a: {scalar(one, flow=False)}\n" for one in texts)
    return "".join(lines)


def test_a_text_is_a_text_to_every_reader() -> None:
    for one in TEXTS:
        for text in (f"{{a: {scalar(one)}, b: [{scalar(one)}]}}", f"a: {scalar(one, flow=False)}\nb: [x]\n"):
            assert yaml.safe_load(text)["a"] == one
    assert scalar("0o7") == "'0o7'"  # a number in YAML 1.2, which the reader above is not of
    assert [one for one in TEXTS if one in {"plain", "/slack/{id}", "Grüße"} and scalar(one, flow=False) != one] == []


def test_a_comment_is_apart_from_what_is_before_it() -> None:
    """`{}# a comment` is no YAML, though libyaml reads it."""
    lines = model().splitlines()
    assert any(LONG_ID in line and "{}" in line for line in lines)
    assert [line for line in lines if re.search(r"[^\s#]#", line.replace("$schema=", ""))] == []
    assert yaml.safe_load(model()) == parse(model(), "m.yaml").root


READ = """\
const fs = require('fs'), yaml = require('yaml'), js = require('js-yaml');
const text = fs.readFileSync(process.argv[2], 'utf8');
console.log(JSON.stringify([yaml.parse(text), js.load(text)]));
"""


@pytest.mark.long
@pytest.mark.parametrize("what", ["model", "values"])
def test_the_readers_of_javascript_agree(what: str, tmp_path: Path) -> None:
    """`npm` installs them from its registry: the test is skipped where it cannot."""
    npm, node = shutil.which("npm"), shutil.which("node")
    install = [npm or "npm", "install", "--silent", "--no-audit", "--no-fund", "yaml@2", "js-yaml@4"]
    if npm is None or node is None or subprocess.run(install, cwd=tmp_path, check=False).returncode:
        pytest.skip("npm cannot install packages here")
    (tmp_path / "read.js").write_text(READ, encoding="utf-8")
    text = model() if what == "model" else written()
    (tmp_path / "text.yaml").write_text(text, encoding="utf-8")
    said = subprocess.run([node, "read.js", "text.yaml"], cwd=tmp_path, check=True, capture_output=True, text=True)
    expected = parse(text, "text.yaml").root
    assert json.loads(said.stdout) == [expected, expected]
