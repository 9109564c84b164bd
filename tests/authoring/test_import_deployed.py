"""`tm.py import` of a folder with what is deployed and what other tools found: each is named where it belongs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.evidence.at_the_command_line import run, saved
from tests.evidence.states import version_4

SAMPLES = Path(__file__).parents[1] / "evidence" / "deployed"
SOURCE = (SAMPLES / "template.yaml").read_text(encoding="utf-8")
PROCESSED = json.loads((SAMPLES / "processed.json").read_text(encoding="utf-8"))


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def stack(name: str, *parameters: str) -> dict[str, Any]:
    given = [{"ParameterKey": key, "ParameterValue": "1"} for key in parameters]
    return {"StackName": name, "StackStatus": "CREATE_COMPLETE", "Parameters": given}


def evidence() -> tuple[list[dict[str, Any]], str]:
    """The evidence of the model that an import of the folder writes, and what it says."""
    code, _, err = run("import", ".", "-o", "model.yaml")
    assert code == 0, err
    code, _, said = run("check", "-m", "model.yaml")
    assert code in {0, 1}, said
    return yaml.safe_load(Path("model.yaml").read_text(encoding="utf-8"))["evidence"], err


def test_a_deployed_template_is_named_beside_its_source() -> None:
    saved("template.yaml", SOURCE)
    saved("deployed.json", {"TemplateBody": PROCESSED})
    saved("stacks.json", {"Stacks": [stack("shop", "Retention", "SigningSecret"), stack("legacy")]})
    saved("resources.json", {"StackResourceSummaries": []})
    found, err = evidence()
    assert found == [
        {"template": "template.yaml"},
        {"template": "deployed.json", "parameters": "stacks.json", "stage": "shop", "deployed": ["resources.json"]},
    ]
    assert "found what is deployed: deployed.json, stacks.json, resources.json" in err
    assert "no file here is known to describe these stacks: 'legacy'" in err


def test_what_only_the_deployment_has_is_an_element() -> None:
    """An open URL that someone made by hand: the code has no such thing."""
    url = {"Type": "AWS::Lambda::Url", "Properties": {"TargetFunctionArn": {"Ref": "BotFunction"}, "AuthType": "NONE"}}
    saved("template.yaml", SOURCE)
    saved("deployed.json", {"TemplateBody": {**PROCESSED, "Resources": {**PROCESSED["Resources"], "Url": url}}})
    evidence()
    apis = yaml.safe_load(Path("model.yaml").read_text(encoding="utf-8"))["apis"]
    assert sorted(apis) == ["serverless-rest-api", "url"]
    assert "function-url-without-authentication@url" in run("check", "-v", "-m", "model.yaml")[1]


def test_a_deployed_template_alone_is_the_system() -> None:
    saved("deployed.json", {"TemplateBody": SOURCE})
    found, _ = evidence()
    assert found == [{"template": "deployed.json"}]


def test_describe_stacks_belongs_to_the_template_where_no_other_is_deployed() -> None:
    saved("template.yaml", SOURCE)
    saved("stacks.json", {"Stacks": [stack("shop", "Retention", "SigningSecret")]})
    assert evidence()[0] == [{"template": "template.yaml", "parameters": "stacks.json"}]


def test_a_state_is_named_beside_its_plan() -> None:
    state = version_4()
    function = {"address": "aws_lambda_function.bot", "mode": "managed", "type": "aws_lambda_function", "name": "bot"}
    values = {"function_name": "bot", "runtime": "python3.13", "handler": "app.handler", "timeout": 30}
    change = {"actions": ["no-op"], "after": values, "after_unknown": {}}
    plan = {
        "format_version": "1.2",
        "timestamp": "2026-01-01T00:00:00Z",
        "planned_values": {"root_module": {"resources": [{**function, "values": values}]}},
        "resource_changes": [{**function, "change": change}],
        "configuration": {"root_module": {"resources": [{**function, "expressions": {}}]}},
    }
    saved("plan.json", plan)
    saved("terraform.tfstate", state)
    assert evidence()[0] == [{"plan": "plan.json"}, {"state": "terraform.tfstate"}]


def test_a_state_of_another_account_is_named_in_a_note_only() -> None:
    """In one environment, a function of the same name would be the same function: `check` refuses such a model."""
    function = "\n  Other: {Type: AWS::Lambda::Function, Properties: {FunctionName: my-bot, Runtime: python3.13}}\n"
    saved("template.yaml", f"Resources:{function}")
    attributes = {"arn": "arn:aws:lambda:eu-west-1:222222222222:function:my-bot", "function_name": "my-bot"}
    saved("terraform.tfstate", version_4({"attributes": attributes}))
    found, err = evidence()
    assert found == [{"template": "template.yaml"}]
    assert "terraform.tfstate: not named as evidence: 'aws_lambda_function.bot' has the name 'my-bot'" in err
    assert "environment: NAME" in err


def test_results_of_other_tools_are_found_by_their_content() -> None:
    saved("template.yaml", SOURCE)
    Path("results").mkdir()
    results = Path(__file__).parents[1] / "beside" / "results"
    for name in ("semgrep.json", "zizmor.sarif"):
        saved(f"results/{name}", (results / name).read_text(encoding="utf-8"))
    saved("results/other.json", {"hello": 1})
    whole = (results / "semgrep.json").read_text(encoding="utf-8")
    for name, text in {"early": whole[:600], "between": whole[: whole.index("{", 1)], "commented": "{} // x"}.items():
        saved(f"results/{name}.json", text)
    found, err = evidence()
    assert found[1:] == [{"results": "results/semgrep.json"}, {"results": "results/zizmor.sarif"}]
    assert "found results of other tools: results/semgrep.json, results/zizmor.sarif" in err
    for name in ("early", "between"):
        assert f"results/{name}.json: not read: it is JSON that is cut short; save it again" in err
    assert "commented" not in err
