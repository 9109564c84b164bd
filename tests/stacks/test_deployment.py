"""The values that a deployment gives: read from where people keep them, or refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.collecting import collected
from tests.support import HOME
from threatmodel.library.directions import directions
from threatmodel.library.load import load_library
from threatmodel.model.load import load_model
from threatmodel.reading.files import Files
from threatmodel.reading.problems import InputError, shown
from threatmodel.stacks.cloudformation.reader import read
from threatmodel.stacks.deployment import given_values

TOML = """\
version = 0.1
[default.global.parameters]
stack_name = "shop"
[default.deploy.parameters]
parameter_overrides = "Seconds=5 Name=\\"two words\\" Mode='x y'"
[prod.deploy.parameters]
parameter_overrides = [
  "Seconds=900",
  "ParameterKey=Name,ParameterValue=shop",
]
"""


@pytest.mark.parametrize(
    ("environment", "values", "line"),
    [
        ("default", {"Seconds": "5", "Name": "two words", "Mode": "x y"}, 8),
        ("prod", {"Seconds": "900", "Name": "shop"}, 8),
    ],
)
def test_samconfig(environment: str, values: dict[str, str], line: int) -> None:
    found = given_values(TOML, "samconfig.toml", environment)
    assert found.values == values
    assert found.stated["Seconds"].line == line


@pytest.mark.parametrize(
    "text",
    [
        '[{"ParameterKey": "Seconds", "ParameterValue": "5"}, {"ParameterKey": "Old", "UsePreviousValue": true}]',
        '{"Parameters": {"Seconds": "5"}}',
        '{"Seconds": "5"}',
        '["Seconds=5"]',
    ],
)
def test_json(text: str) -> None:
    assert given_values(text, "parameters.json").values == {"Seconds": "5"}


@pytest.mark.parametrize(
    ("text", "file"),
    [
        ("[default", "samconfig.toml"),
        ("[prod.deploy.parameters]\n", "samconfig.toml"),
        ("default = 5\n", "samconfig.toml"),
        ('[default.deploy.parameters]\nparameter_overrides = "no pair"\n', "samconfig.toml"),
        ("[default.deploy.parameters]\nparameter_overrides = 5\n", "samconfig.toml"),
        ("[default]\ndeploy = 5\n", "samconfig.toml"),
        ('[default.deploy]\nparameters = ["Seconds=5"]\n', "samconfig.toml"),
        (f"x = {'9' * 5000}\n", "samconfig.toml"),
        (f"x = {'[' * 5000}\n", "samconfig.toml"),
        ("{", "p.json"),
        ("5", "p.json"),
        ('[{"Key": "Seconds"}]', "p.json"),
        ('{"Seconds": {"a": 1}}', "p.json"),
        ("[" * 100_000, "p.json"),
    ],
)
def test_what_is_not_understood_is_refused(text: str, file: str) -> None:
    with pytest.raises(InputError) as raised:
        given_values(text, file)
    assert [one.code for one in raised.value.problems] == ["wrong-parameters"]


def test_the_message(golden: Callable[[str, str], None]) -> None:
    with pytest.raises(InputError) as raised:
        given_values(TOML, "samconfig.toml", "live")
    golden("bad-input/wrong-parameters.txt", shown(raised.value.problems, {}))


MODEL = """\
name: Shop
owner: shop
functions:
  bot: {{triggers: []}}
evidence:
  - {{template: template.yaml, resources: {{bot: Bot}}{more}}}
"""
TEMPLATE = """\
Parameters:
  Seconds: {Type: Number, Default: 900}
Resources:
  Bot:
    Type: AWS::Lambda::Function
    Properties: {Handler: a.b, Runtime: python3.13, Timeout: !Ref Seconds}
"""


@pytest.mark.parametrize(
    ("more", "value", "size"),
    [("", 900, 2), (", parameters: samconfig.toml", 5, 2), (", parameters: samconfig.toml, stage: prod", 900, 2)],
)
def test_what_is_deployed_is_evidence(
    more: str,
    value: int,
    size: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    golden: Callable[[str, str], None],
) -> None:
    for name, text in (("model.yaml", MODEL.format(more=more)), ("template.yaml", TEMPLATE), ("samconfig.toml", TOML)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    files = Files()
    ways = directions(load_library(HOME / "threatlib"))
    evidence, (read,) = collected(load_model(files, Path("model.yaml")), files, ways)
    (said,) = evidence["bot"]["timeout_seconds"]
    assert (said.value, said.size) == (value, size)
    unasked = [one for one in read.notes if one.code == "unknown-parameter"]
    assert len(unasked) == (0 if not more else 1 if "prod" in more else 2)
    if "prod" in more:
        golden("bad-input/unknown-parameter.txt", shown(unasked, {}))


DECLARED = """\
Parameters:
  Stage: {Type: String, AllowedValues: [test, prod], Default: test}
  Size: {Type: Number, MinValue: 1, MaxValue: 10, Default: 1}
  Name: {Type: String, MinLength: 2, MaxLength: 4, AllowedPattern: "[a-z]+", Default: abc}
  Ports: {Type: List<Number>, MaxValue: 1024, Default: "80"}
  Token: {Type: String, NoEcho: true, AllowedPattern: "x+", Default: x}
  Odd: {Type: String, AllowedPattern: "(a+)+b", Default: ab}
Resources: {Work: {Type: AWS::SQS::Queue}}
"""


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("Stage", "prod", ""),
        ("Stage", "Prod", "expected one of test, prod"),
        ("Size", "10", ""),
        ("Size", "11", "expected a number at most 10"),
        ("Size", "0", "expected a number at least 1"),
        ("Size", "many", "expected a number"),
        ("Name", "abcd", ""),
        ("Name", "a", "expected a text of at least 2 characters"),
        ("Name", "abcde", "expected a text of at most 4 characters"),
        ("Name", "AB", "expected a text that matches '[a-z]+'"),
        ("Ports", "80, 443", ""),
        ("Ports", "80, 4430", "expected a number at most 1024"),
        ("Token", "hunter2", "expected a text that matches 'x+'"),
        ("Odd", "a" * 40, ""),  # a search that may not end is not tried
    ],
)
def test_a_value_is_held_to_what_the_template_declares(name: str, value: str, expected: str) -> None:
    given = given_values(json.dumps({name: value}), "values.json")
    if not expected:
        assert read(DECLARED, "t.yaml", given)
        return
    with pytest.raises(InputError) as caught:
        read(DECLARED, "t.yaml", given)
    (problem,) = caught.value.problems
    assert problem.message == f"the value of '{name}' is not one that the template allows; {expected}"
    assert (problem.code, problem.place.file) == ("wrong-parameters", "values.json")
    assert value not in shown(caught.value.problems, {}) or value in {"a", "0", "many"}


@pytest.mark.parametrize(("name", "hint"), [("Stgae", "did you mean 'Stage'?"), ("Unheard", "remove it: ")])
def test_a_parameter_that_the_template_has_not_is_refused(name: str, hint: str) -> None:
    """CloudFormation rejects it too; a samconfig.toml may have values for other templates."""
    with pytest.raises(InputError) as caught:
        read(DECLARED, "t.yaml", given_values(json.dumps({name: "x"}), "values.json"))
    (problem,) = caught.value.problems
    assert (problem.code, problem.message) == ("wrong-parameters", f"the template has no parameter '{name}'")
    assert problem.hint.startswith(hint)
    text = f"[default.deploy.parameters]\nparameter_overrides = '{name}=x'\n"
    assert read(DECLARED, "t.yaml", given_values(text, "samconfig.toml"))
