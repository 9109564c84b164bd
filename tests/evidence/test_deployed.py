"""Answers of AWS CloudFormation as evidence: deployed templates, parameters, resources and drift."""

from __future__ import annotations

import copy
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.evidence.at_the_command_line import checked, facts, modeled, run, saved

SAMPLES = Path(__file__).parent / "deployed"
SOURCE = (SAMPLES / "template.yaml").read_text(encoding="utf-8")
PROCESSED = json.loads((SAMPLES / "processed.json").read_text(encoding="utf-8"))
STACK_ID = "arn:aws:cloudformation:eu-west-1:111122223333:stack/shop/5f2d4a10-0000-11f0-8e3d-0a1b2c3d4e5f"


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    Path("template.yaml").write_text(SOURCE, encoding="utf-8")


def answer(body: Any) -> dict[str, Any]:
    return {"TemplateBody": body, "StagesAvailable": ["Original", "Processed"]}


def processed(**changes: Any) -> dict[str, Any]:
    """The processed template, with other properties of the function."""
    found: dict[str, Any] = copy.deepcopy(PROCESSED)
    found["Resources"]["BotFunction"]["Properties"] |= changes
    return found


def stack(**changes: Any) -> dict[str, Any]:
    """What describe-stacks answers of the stack."""
    parameters = [("Retention", "30"), ("SigningSecret", "****")]
    return {
        "Stacks": [
            {
                "StackId": STACK_ID,
                "StackName": "shop",
                "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters],
                "CreationTime": "2026-10-01T09:00:00.123000+00:00",
                "StackStatus": "UPDATE_COMPLETE",
                **changes,
            }
        ]
    }


# --- the template that is deployed


FORMS = {
    "original": lambda: json.dumps(answer(SOURCE)),
    "original-yaml": lambda: yaml.safe_dump(answer(SOURCE)),
    "processed": lambda: json.dumps(answer(processed()), indent=4),
    "processed-text": lambda: json.dumps(answer(json.dumps(processed()))),
    "windows": lambda: json.dumps(answer(SOURCE.replace("\n", "\r\n"))),
    "body": lambda: json.dumps({"TemplateBody": processed()}),
    "query": lambda: json.dumps(SOURCE),
    "bare": lambda: json.dumps(processed(), indent=2),
}


@pytest.mark.parametrize("form", FORMS)
def test_each_form_of_a_deployed_template_shows_what_its_source_shows(form: str) -> None:
    saved("deployed.json", FORMS[form]())
    source, found = facts("template: template.yaml"), facts("template: deployed.json")
    for name in (
        "timeout_seconds",
        "runtime",
        "environment_holds_secret",
        "reserved_concurrency",
        "role_wildcard_action",
    ):
        assert found[name]["value"] == source[name]["value"], name
        assert found[name]["relies_on"] == source[name]["relies_on"] == "evidence", name


def test_a_line_of_a_template_in_a_string_is_counted_in_its_text() -> None:
    saved("deployed.json", answer(SOURCE))
    found = facts("template: deployed.json")["timeout_seconds"]
    assert (found["file"], found["line"]) == ("deployed.json#TemplateBody", 14)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (answer(None), "this is empty"),
        (answer("- a\n- b\n"), "this is a list"),
        (answer("Resources: {a: [\n"), "yaml-syntax"),
        (json.dumps(answer(processed()))[:400], "yaml-syntax"),
        (stack(), "this is an answer of describe-stacks; expected a CloudFormation or SAM template"),
        ({"StackResourceSummaries": []}, "name it under deployed:, beside the template"),
        ({"StackDriftDetectionId": "x"}, "the id of a drift detection, without its result"),
    ],
)
def test_what_is_no_template_is_refused_with_what_to_do(content: Any, message: str) -> None:
    saved("deployed.json", content)
    modeled("template: deployed.json")
    code, _, err = run("check", "-m", "model.yaml")
    assert code == 2
    assert message in err


# --- deployed and written


def test_both_places_are_shown_where_deployed_and_written_differ() -> None:
    saved("deployed.json", answer(processed(Timeout=60)))
    out = checked("template: template.yaml", "template: deployed.json")
    assert "drift bot.timeout_seconds template.yaml:14 30 here, but 60 by deployed.json:" in out
    assert out.count("ServerlessRestApi") == 1  # one thing that the model lacks, though both files have it


def test_what_is_deployed_counts_where_it_differs_from_the_code() -> None:
    saved("deployed.json", answer(processed(Timeout=60)))
    found = facts("template: template.yaml", "template: deployed.json")["timeout_seconds"]
    assert (found["value"], found["file"]) == (60, "deployed.json")


def test_what_the_deployment_leaves_open_the_code_only_states() -> None:
    saved("deployed.json", answer(processed(Timeout={"Ref": "SigningSecret"})))
    saved("stacks.json", stack())
    found = facts("template: template.yaml", "template: deployed.json, parameters: stacks.json")["timeout_seconds"]
    assert (found["value"], found["relies_on"]) == (30, "statement")


@pytest.mark.parametrize("bad_one", ["deployed", "written"])
def test_a_hole_in_either_stays_a_hole(bad_one: str) -> None:
    """Neither the code nor what is deployed makes the other's finding vanish."""
    wide = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    written, deployed = SOURCE, processed()
    policies = {"Policies": [{"PolicyName": "wide", "PolicyDocument": wide}]}
    if bad_one == "deployed":
        deployed["Resources"]["BotFunctionRole"]["Properties"] |= policies
    else:
        written = written.replace("Policies: [{DynamoDBCrud", "Policies: [" + json.dumps(wide) + ", {DynamoDBCrud")
    saved("template.yaml", written)
    saved("deployed.json", answer(deployed))
    out = checked("template: template.yaml", "template: deployed.json")
    assert "role_wildcard_action: true" in out
    assert "drift bot.role_wildcard_action" in out


def test_a_default_that_the_deployment_replaces_is_no_drift() -> None:
    saved("deployed.json", answer(processed()))
    saved("stacks.json", stack())
    entries = ("template: template.yaml", "template: deployed.json, parameters: stacks.json")
    assert "drift bot.log_retention_days" not in checked(*entries)
    assert facts(*entries)["log_retention_days"]["value"] == 30


def test_deployed_templates_of_several_stacks_are_one_system() -> None:
    saved("bot.json", answer(processed()))
    saved("logs.json", answer({"Resources": {"Trail": {"Type": "AWS::SNS::Topic"}}}))
    assert facts("template: bot.json", "template: logs.json")["timeout_seconds"]["value"] == 30


def test_a_deployed_stack_of_other_resources_opens_what_the_code_has() -> None:
    """It is no second view of the code: what it says of the code's function by its name counts."""
    saved("template.yaml", SOURCE.replace("Properties:", "Properties:\n      FunctionName: the-bot", 1))
    called = {"FunctionName": "the-bot", "Action": "lambda:InvokeFunction", "Principal": "*"}
    saved("other.json", answer({"Resources": {"Anyone": {"Type": "AWS::Lambda::Permission", "Properties": called}}}))
    assert facts("template: template.yaml", "template: other.json")["invocable_by_anyone"]["value"] is True


# --- parameters


def retention(*entries: str) -> dict[str, Any]:
    found: dict[str, Any] = facts(*entries)["log_retention_days"]
    return found


def test_describe_stacks_gives_parameters_their_values() -> None:
    saved("stacks.json", stack())
    default = retention("template: template.yaml")
    assert (default["value"], default["relies_on"]) == (7, "default")
    found = retention("template: template.yaml, parameters: stacks.json")
    assert (found["value"], found["relies_on"]) == (30, "evidence")


def test_a_hidden_value_is_unknown_whatever_the_default_is() -> None:
    saved("stacks.json", stack())
    hidden = SOURCE.replace("{Type: Number, Default: 7}", "{Type: Number, Default: 7, NoEcho: true}")
    saved("template.yaml", hidden)
    withheld = stack()
    withheld["Stacks"][0]["Parameters"][0]["ParameterValue"] = "****"
    saved("stacks.json", withheld)
    assert "log_retention_days" not in facts("template: template.yaml, parameters: stacks.json")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"StackStatus": "UPDATE_ROLLBACK_COMPLETE"}, "has the status UPDATE_ROLLBACK_COMPLETE"),
        ({"StackStatus": "DELETE_COMPLETE"}, "has the status DELETE_COMPLETE"),
        ({"StackStatus": None}, "has the status unknown"),
        ({"Parameters": []}, "the stack 'shop' has no parameter 'Retention', 'SigningSecret', so it was deployed"),
        ({"LastUpdatedTime": "2027-01-01T00:00:00+00:00"}, "AWS answered a time in the future (2027-01-01)"),
    ],
)
def test_a_stack_that_is_no_finished_deployment_proves_nothing(changes: dict[str, Any], why: str) -> None:
    saved("stacks.json", stack(**changes))
    assert why in checked("template: template.yaml, parameters: stacks.json")
    assert facts("template: template.yaml, parameters: stacks.json")["timeout_seconds"]["relies_on"] == "statement"


def test_of_several_stacks_one_is_named() -> None:
    two = {"Stacks": [*stack()["Stacks"], *stack(StackName="other")["Stacks"]]}
    saved("stacks.json", two)
    modeled("template: template.yaml, parameters: stacks.json")
    code, _, err = run("check", "-m", "model.yaml")
    assert (code, "write stage: one of 'shop', 'other'" in err) == (2, True)
    assert retention("template: template.yaml, parameters: stacks.json, stage: shop")["value"] == 30


def test_a_stack_that_no_file_describes_is_listed() -> None:
    nested = stack(StackName="shop-nested", ParentId=STACK_ID)["Stacks"]
    saved("stacks.json", {"Stacks": [*stack()["Stacks"], *stack(StackName="legacy")["Stacks"], *nested]})
    entry = "template: template.yaml, parameters: stacks.json, stage: "
    out = checked(f"{entry}shop")
    assert "no file of the evidence describes the stack 'legacy', which is deployed there" in out
    assert "'shop'" not in out
    assert "shop-nested" not in out
    assert "describes the stack" not in checked(f"{entry}shop", f"{entry}legacy, environment: old")


def test_values_of_parameters_are_never_shown() -> None:
    given = [{"ParameterKey": name, "ParameterValue": CANARY} for name in ("Retention", "SigningSecret")]
    saved("template.yaml", SOURCE.replace("Type: Number, Default: 7", "Type: String").replace("NoEcho: true, ", ""))
    saved("stacks.json", stack(Parameters=given))
    entry = "template: template.yaml, parameters: stacks.json"
    said = checked(entry)
    for arguments in (("--json",), ("--report", "full"), ("--report", "html"), ("--pytm",), ("--dfd",), ("ask",)):
        code, out, err = run(*arguments, "-m", "model.yaml")
        assert code == 0, err
        said += out + err
    assert CANARY not in said


# --- resources and drift


def listed(*left_out: str, **more: str) -> dict[str, Any]:
    """What list-stack-resources answers."""
    types = {name: one["Type"] for name, one in PROCESSED["Resources"].items() if name not in left_out} | more
    return {
        "StackResourceSummaries": [
            {
                "LogicalResourceId": name,
                "PhysicalResourceId": f"shop-{name}-1X2Y3Z",
                "ResourceType": kind,
                "ResourceStatus": "CREATE_COMPLETE",
                "LastUpdatedTimestamp": "2026-10-01T09:01:00.000000+00:00",
            }
            for name, kind in types.items()
        ]
    }


def drifted(status: str = "MODIFIED", **more: Any) -> dict[str, Any]:
    """What describe-stack-resource-drifts answers."""
    difference = {
        "PropertyPath": "/Timeout",
        "ExpectedValue": "30",
        "ActualValue": CANARY,
        "DifferenceType": "NOT_EQUAL",
    }
    return {
        "StackResourceDrifts": [
            {
                "StackId": STACK_ID,
                "LogicalResourceId": "BotFunction",
                "PhysicalResourceId": "shop-BotFunction-1X2Y3Z",
                "ResourceType": "AWS::Lambda::Function",
                "PropertyDifferences": [difference],
                "StackResourceDriftStatus": status,
                "Timestamp": "2026-11-20T09:01:00.000000+00:00",
                **more,
            }
        ]
    }


CANARY = "canary-4711"
DEPLOYED = "template: deployed.json, deployed: [answer.json]"


def test_a_resource_is_found_by_the_name_that_aws_gave_it() -> None:
    saved("deployed.json", answer(processed()))
    saved("answer.json", listed())
    called = {"FunctionName": "shop-BotFunction-1X2Y3Z", "Action": "lambda:InvokeFunction", "Principal": "*"}
    saved("other.json", answer({"Resources": {"Anyone": {"Type": "AWS::Lambda::Permission", "Properties": called}}}))
    assert facts(DEPLOYED, "template: other.json")["invocable_by_anyone"]["value"] is True


def test_what_the_stack_has_not_is_in_doubt() -> None:
    saved("deployed.json", answer(processed()))
    saved("answer.json", listed("BotFunction"))
    found = facts(DEPLOYED)["reserved_concurrency"]
    assert found["in_doubt"] == "the stack has no such resource"


def test_what_the_template_has_not_may_add_to_it() -> None:
    saved("deployed.json", answer(processed()))
    saved("answer.json", listed(Extra="AWS::Lambda::Url"))
    modeled(DEPLOYED)
    out = run("-m", "model.yaml", "--report", "full")[1]
    assert "the stack has this AWS::Lambda::Url, and the template does not" in out


def test_a_list_that_is_cut_short_shows_nothing_to_be_missing() -> None:
    saved("deployed.json", answer(processed()))
    saved("answer.json", {**listed("BotFunction"), "NextToken": "x"})
    assert "in_doubt" not in facts(DEPLOYED)["reserved_concurrency"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (drifted(), "the account has another Timeout than the template"),
        (drifted("DELETED"), "it is deleted in the account"),
        ({"StackDriftStatus": "DRIFTED", "DetectionStatus": "DETECTION_COMPLETE"}, "this answer does not say where"),
    ],
)
def test_drift_refutes(content: dict[str, Any], why: str) -> None:
    saved("deployed.json", answer(processed()))
    saved("answer.json", content)
    out = json.dumps(facts(DEPLOYED)["reserved_concurrency"])
    assert why in out
    assert CANARY not in out + checked(DEPLOYED) + run("-m", "model.yaml", "--report", "full")[1]


def test_no_drift_proves_nothing() -> None:
    saved("deployed.json", answer(processed()))
    saved("answer.json", drifted("IN_SYNC"))
    assert facts(DEPLOYED) == facts("template: deployed.json")


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"StackResourceSummaries": [1]}', '{"StackResourceDrifts": 1}'])
def test_an_answer_that_cannot_be_read_is_refused(content: str) -> None:
    saved("deployed.json", answer(processed()))
    saved("answer.json", content)
    modeled(DEPLOYED)
    code, _, err = run("check", "-m", "model.yaml")
    assert (code, "wrong-parameters" in err, "save what list-stack-resources" in err) == (2, True, True)


# --- age, account and Region


def committed(when: str) -> None:
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "one"]):
        who = ("-c", "user.name=a", "-c", "user.email=a@b.example")
        dates = {**os.environ, "GIT_COMMITTER_DATE": when, "GIT_AUTHOR_DATE": when}
        subprocess.run(["git", *who, *arguments], check=True, env=dates, capture_output=True)


@pytest.mark.parametrize(
    ("when", "why"),
    [
        ("2026-11-01T00:00:00Z", ""),
        ("2026-01-01T00:00:00Z", "it was saved on 2026-01-01, more than 180 days ago"),
        ("2026-12-01T00:00:00Z", "it was committed in the future (2026-12-01)"),
    ],
)
def test_an_answer_is_as_old_as_its_commit(when: str, why: str) -> None:
    saved("deployed.json", answer(processed()))
    committed(when)
    out = checked("template: deployed.json")
    assert ("stale" in out) == bool(why)
    assert why in out


def test_an_answer_that_is_older_than_the_last_deployment_is_stale() -> None:
    saved("deployed.json", answer(processed()))
    committed("2026-11-01T00:00:00Z")
    saved("stacks.json", stack(LastUpdatedTime="2026-11-02T00:00:00+00:00"))
    out = checked("template: deployed.json, parameters: stacks.json")
    assert "it was saved before the last deployment of shop (2026-11-02)" in out


@pytest.mark.parametrize(("now", "what"), [("eu-west-1:999999999999", "account"), ("us-east-1:111122223333", "Region")])
def test_a_stack_of_another_account_or_region_proves_nothing(now: str, what: str) -> None:
    saved("deployed.json", answer(processed()))
    saved("logs.json", answer({"Parameters": {}, "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}))
    saved("stacks.json", stack())
    other = STACK_ID.replace("eu-west-1:111122223333", now)
    saved("others.json", stack(StackId=other, StackName="logs", Parameters=[]))
    one, two = "template: deployed.json, parameters: stacks.json", "template: logs.json, parameters: others.json"
    assert f"it shows another {what} than deployed.json" in checked(one, two)
    assert "it shows another" not in checked(one, f"{two}, environment: logs")
