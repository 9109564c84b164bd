"""The values that a deployment gives: read from where people keep them, or refused."""

from __future__ import annotations

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
