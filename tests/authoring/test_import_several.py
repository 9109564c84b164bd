"""`tm.py import` of several files: those of a CDK app, of a folder, and one more for a model that there is."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.refusals import refused
from threatmodel.command.main import main
from threatmodel.model.load import load_model
from threatmodel.reading.files import Files

Golden = Callable[[str, str], None]
TRUST = {
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]
}
RETENTION = "LogRetentionaae0aa3c5b4d4f87b02d85b201efdd8a"


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shop").mkdir()
    monkeypatch.chdir(tmp_path / "shop")


def resource(stack: str, path: str, kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties, "Metadata": {"aws:cdk:path": f"{stack}/{path}/Resource"}}


def arn(name: str) -> dict[str, list[str]]:
    return {"Fn::GetAtt": [name, "Arn"]}


def imports(attribute: str) -> dict[str, str]:
    return {"Fn::ImportValue": f"Storage:ExportsOutput{attribute}1B2C3D4E"}


def function(stack: str, action: str) -> dict[str, Any]:
    """A stack with a function that uses the table of another, and the function by which the CDK keeps its logs."""
    statement = {"Effect": "Allow", "Action": action, "Resource": imports("FnGetAttOrdersTable0AArn")}
    policy = {"PolicyName": "own", "PolicyDocument": {"Statement": [statement]}}
    code = {"S3Bucket": "cdk-hnb659fds-assets-1-eu-central-1", "S3Key": "a.zip"}
    variables = {"TABLE": imports("RefOrdersTable0A")}
    runs = {"Handler": "a.b", "Runtime": "python3.13", "Code": code}
    lambda_, role = "AWS::Lambda::Function", "AWS::IAM::Role"
    return {
        "Resources": {
            "HandlerRole": resource(
                stack, "Handler/ServiceRole", role, AssumeRolePolicyDocument=TRUST, Policies=[policy]
            ),
            "Handler1234": resource(
                stack, "Handler", lambda_, **runs, Role=arn("HandlerRole"), Environment={"Variables": variables}
            ),
            f"{RETENTION}Role": resource(stack, f"{RETENTION}/ServiceRole", role, AssumeRolePolicyDocument=TRUST),
            f"{RETENTION}FD4BFC8A": resource(stack, RETENTION, lambda_, **runs, Role=arn(f"{RETENTION}Role")),
            "HandlerLogs": resource(
                stack,
                "Handler/LogRetention",
                "Custom::LogRetention",
                ServiceToken=arn(f"{RETENTION}FD4BFC8A"),
                LogGroupName={"Fn::Join": ["", ["/aws/lambda/", {"Ref": "Handler1234"}]]},
                RetentionInDays=90,
            ),
        }
    }


STORAGE = {
    "Resources": {
        "OrdersTable0A": resource("Storage", "OrdersTable", "AWS::DynamoDB::Table", BillingMode="PAY_PER_REQUEST")
    },
    "Outputs": {
        "One": {
            "Value": {"Ref": "OrdersTable0A"},
            "Export": {"Name": "Storage:ExportsOutputRefOrdersTable0A1B2C3D4E"},
        },
        "Two": {
            "Value": arn("OrdersTable0A"),
            "Export": {"Name": "Storage:ExportsOutputFnGetAttOrdersTable0AArn1B2C3D4E"},
        },
    },
}
STACKS = {
    "Storage": STORAGE,
    "Bot": function("Bot", "dynamodb:PutItem"),
    "Worker": function("Worker", "dynamodb:GetItem"),
}


def artifact(name: str, where: str = "aws://unknown-account/unknown-region") -> dict[str, Any]:
    about = {"templateFile": f"{name}.template.json"}
    return {"type": "aws:cloudformation:stack", "environment": where, "properties": about}


def assembly(folder: str, stacks: Mapping[str, Any], **artifacts: Any) -> None:
    """What `cdk synth` writes."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name, text in stacks.items():
        Path(folder, f"{name}.template.json").write_text(json.dumps(text, indent=1), encoding="utf-8")
    every = {**{name: artifact(name) for name in stacks}, "Tree": {"type": "cdk:tree"}, **artifacts}
    Path(folder, "manifest.json").write_text(json.dumps({"version": "48.0.0", "artifacts": every}), encoding="utf-8")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(arguments)
    out, err = capsys.readouterr()
    return code, out, err


def test_the_stacks_of_a_cdk_app_are_one_model(capsys: pytest.CaptureFixture[str], golden: Golden) -> None:
    assembly("cdk.out", STACKS)
    code, out, err = run(capsys, "import", "cdk.out")
    assert code == 0
    assert err.startswith("looked at cdk.out: no manifest of a Slack app, no workflow")
    golden("cli/import-cdk-app.yaml", out)
    Path("model.yaml").write_text(out, encoding="utf-8")
    _, out, err = run(capsys, "-m", "model.yaml", "check", "-v", "--fail-on", "critical", "--allow-undetermined")
    assert err == ""
    assert ": drift: " not in out


def test_a_folder_is_what_naming_its_files_is(capsys: pytest.CaptureFixture[str]) -> None:
    assembly("cdk.out", STACKS)
    by_folder = run(capsys, "import", "cdk.out")
    by_name = run(capsys, "import", *(f"cdk.out/{name}.template.json" for name in STACKS))
    assert by_folder[1] == by_name[1]
    Path("cdk.out/manifest.json").unlink()
    assert sorted(run(capsys, "import", "cdk.out")[1].splitlines()) == sorted(by_name[1].splitlines())


def test_a_file_counts_once_by_whatever_name(capsys: pytest.CaptureFixture[str]) -> None:
    Path("sub").mkdir()
    Path("a.yaml").write_text(TEMPLATE, encoding="utf-8")
    Path("link.yaml").symlink_to("a.yaml")
    assert run(capsys, "import", "a.yaml", "sub/../a.yaml", "link.yaml") == run(capsys, "import", "a.yaml")


def test_stages_are_folders_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    assembly("cdk.out/assembly-Prod", STACKS)
    stage = {"type": "cdk:cloud-assembly", "properties": {"directoryName": "assembly-Prod"}}
    assembly("cdk.out", {}, Prod=stage)
    code, out, _ = run(capsys, "import", "cdk.out")
    assert code == 0
    assert "cdk.out/assembly-Prod/Bot.template.json" in out


def test_a_folder_with_a_synthesized_app_is_that_app(capsys: pytest.CaptureFixture[str]) -> None:
    Path("cdk.json").write_text("{}", encoding="utf-8")
    assembly("cdk.out", STACKS)
    code, out, _ = run(capsys, "import", ".")
    assert code == 0
    assert "cdk.out/Bot.template.json" in out


def test_a_manifest_that_cannot_be_followed_is_refused(capsys: pytest.CaptureFixture[str], golden: Golden) -> None:
    """Three ways: stacks without files (another version), none at all, and several places of deployment."""
    assembly("cdk.out", STACKS, New={"type": "aws:cloudformation:stack", "properties": {"template": "New.json"}})
    said = refused(["import", "cdk.out"], capsys)
    assembly("cdk.out", {})
    said += refused(["import", "cdk.out"], capsys)
    assembly("cdk.out", STACKS, Edge=artifact("Bot", "aws://123456789012/us-east-1"))
    assembly("cdk.out", STACKS, Bot=artifact("Bot", "aws://123456789012/us-east-1"))
    said += refused(["import", "cdk.out"], capsys)
    stage = {"type": "cdk:cloud-assembly", "properties": {"directoryName": "../../elsewhere"}}
    assembly("cdk.out", STACKS, Prod=stage)
    said += refused(["import", "cdk.out"], capsys)
    golden("bad-input/cdk-manifest.txt", said)


@pytest.mark.parametrize("kind", [["aws:cloudformation:stack"], {"a": 1}, 5, None])
def test_an_artifact_of_an_unknown_kind_is_left_out(kind: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assembly("cdk.out", STACKS)
    without = run(capsys, "import", "cdk.out")
    assembly("cdk.out", STACKS, Other={"type": kind, "properties": {"templateFile": "x.json"}})
    assert run(capsys, "import", "cdk.out") == without


def test_each_stage_is_read_once_however_many_name_it(capsys: pytest.CaptureFixture[str]) -> None:
    """What names itself or is named by many would otherwise be read forever: here three ways into each of 40 levels."""
    for level in range(40):
        stage = {"type": "cdk:cloud-assembly", "properties": {"directoryName": f"../{level + 1}"}}
        itself = {"type": "cdk:cloud-assembly", "properties": {"directoryName": "."}}
        assembly(f"cdk.out/{level}", {}, A=stage, B=stage, C=stage, D=itself)
    assembly("cdk.out/40", STACKS)
    code, out, _ = run(capsys, "import", "cdk.out/0")
    assert code == 0
    assert out.count("{template: cdk.out/40/Bot.template.json") == 1


def test_what_cannot_be_imported_is_named_with_what_to_run(
    capsys: pytest.CaptureFixture[str], golden: Golden, tmp_path: Path
) -> None:
    assembly("cdk.out", STACKS)
    for name in (
        "main.tf",
        "terraform.tfstate",
        "prod.tfvars",
        "stack.ts",
        "serverless.ts",
        "cdk.json",
        "samconfig.toml",
    ):
        Path(name).write_text("{}", encoding="utf-8")
    Path("model.yaml").write_text("name: Shop\nfunctions: {bot: {}}\n", encoding="utf-8")
    (tmp_path / "outside.json").write_text(json.dumps(STORAGE), encoding="utf-8")
    Path(".git").mkdir()
    names = ["main.tf", "terraform.tfstate", "prod.tfvars", "stack.ts", "serverless.ts", "cdk.json", "samconfig.toml"]
    names += ["model.yaml", "cdk.out/manifest.json", "https://example.com/template.yaml", "../outside.json"]
    golden("bad-input/not-importable.txt", "".join(refused(["import", name], capsys) for name in names))


TEMPLATE = """\
Resources:
  Bot:
    Type: AWS::Lambda::Function
    Properties: {Handler: a.b, Runtime: python3.13, Code: {S3Bucket: b, S3Key: k}, Role: !GetAtt Role.Arn}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]
"""
PLAN = {"format_version": "1.2", "timestamp": "2026-01-01T00:00:00Z", "planned_values": {"root_module": {}}}


def test_a_folder_without_one_clear_system_is_refused(capsys: pytest.CaptureFixture[str], golden: Golden) -> None:
    """Nothing to read, a configuration without a plan, an app that is not synthesized, a plan beside a template."""
    folders = ("nothing", "terraform", "app", "chalice", "both", "plans", "broken", "program", "composed", "copies")
    for folder in folders:
        Path(folder).mkdir()
    Path("terraform/main.tf").write_text("", encoding="utf-8")
    Path("app/cdk.json").write_text("{}", encoding="utf-8")
    Path("both/template.yaml").write_text(TEMPLATE, encoding="utf-8")
    for name in ("both/plan.json", "plans/test.json", "plans/prod.json"):
        Path(name).write_text(json.dumps(PLAN), encoding="utf-8")
    Path("broken/a.yaml").write_text(TEMPLATE, encoding="utf-8")
    Path("broken/b.yaml").write_text("Resources:\n  A: [\n", encoding="utf-8")
    Path("chalice/.chalice").mkdir()
    for name in ("examples/a", "examples/b"):
        Path(f"copies/{name}").mkdir(parents=True)
        Path(f"copies/{name}/stack.yaml").write_text(TEMPLATE, encoding="utf-8")
    Path("program/serverless.ts").write_text("export default {}", encoding="utf-8")
    for name in ("api", "bot"):
        Path(f"composed/{name}").mkdir()
        Path(f"composed/{name}/serverless.yml").write_text("service: x\n", encoding="utf-8")
    golden("bad-input/import-folder.txt", "".join(refused(["import", folder], capsys) for folder in folders))


def test_a_file_of_a_folder_that_is_no_text_is_named_and_the_rest_imported(capsys: pytest.CaptureFixture[str]) -> None:
    """Named by itself, it is an error; where nothing else is there, the refusal names it."""
    for folder in ("repo", "alone"):
        Path(folder).mkdir()
        Path(folder, "state.json").write_bytes('{"a": 1}'.encode("utf-16"))
        Path(folder, "blob.json").write_bytes(b"{}\n\x80")
    Path("repo/template.yaml").write_text(TEMPLATE, encoding="utf-8")
    assert main(["import", "repo", "-o", "model.yaml"]) == 0
    said = capsys.readouterr().err
    assert "repo/state.json:1:1: not read: the byte 0xFF is not UTF-8; save the file as UTF-8\n" in said
    assert "repo/blob.json:2:1: not read: the byte 0x80 is not UTF-8; save the file as UTF-8\n" in said
    assert main(["import", "repo", "--update", "model.yaml"]) == 0
    assert "repo/state.json:1:1: not read" in capsys.readouterr().out
    assert "alone/blob.json:2:1: not read" in refused(["import", "alone"], capsys)
    assert "repo/state.json: unreadable-file" in refused(["import", "repo/state.json"], capsys)


def test_files_below_a_folder_that_are_no_text_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    """A template, source of the handler, and settings in which no secret can be looked for."""
    text = (
        f"{TEMPLATE}  Worker:\n    Type: AWS::Serverless::Function\n"
        "    Properties: {Runtime: python3.13, Handler: app.handler, CodeUri: src}\n"
    )
    for folder in ("repo", "alone"):
        Path(folder, "infra/src").mkdir(parents=True)
        Path(folder, "infra/stack.json").write_bytes("{}".encode("utf-16"))
    Path("repo/infra/template.yaml").write_text(text, encoding="utf-8")
    Path("repo/infra/src/app.py").write_text("def handler(event, context):\n    return {}\n", encoding="utf-8")
    for name in ("helper.py", "config.json"):
        Path("repo/infra/src", name).write_bytes("{}".encode("utf-16"))
    assert main(["import", "repo", "-o", "model.yaml"]) == 0
    said = capsys.readouterr().err
    for name in ("stack.json", "src/helper.py", "src/config.json"):
        assert said.count(f"repo/infra/{name}:1:1: not read: the byte 0xFF is not UTF-8; save the file as UTF-8\n") == 1
    assert "alone/infra/stack.json:1:1: not read" in refused(["import", "alone"], capsys)
    for number in range(9):
        Path(f"alone/infra/{number}.json").write_bytes(b"\xff")
    assert "and 5 more that were not read" in refused(["import", "alone"], capsys)


@pytest.mark.parametrize(
    "name", ["cloudformation/bot.yaml", "services/bot/aws/template.yml", "examples/hello/bot.template"]
)
def test_the_only_folder_below_with_a_template_is_read(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Wherever it is, and whatever it is called; those of tests and examples where there is no other."""
    others = ["node_modules/x/template.yaml", ".github/stack.yaml", "a/b/c/d/e/t.yaml"]
    others += [] if name.startswith("examples/") else ["examples/other/template.yaml", "tests/fixtures/template.yaml"]
    for one in (name, *others):
        Path("repo", one).parent.mkdir(parents=True, exist_ok=True)
        Path("repo", one).write_text(TEMPLATE, encoding="utf-8")
    Path("repo/values.yaml").write_text("Stage: prod\n", encoding="utf-8")
    code, out, err = run(capsys, "import", "repo")
    assert code == 0
    assert f"  - {{template: repo/{name}}}" in out
    assert f"read repo/{name}\n" in err


def test_a_plan_below_is_read_and_configuration_without_one_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    for name in (".terraform/modules/x", "infra/modules/api", "src"):
        Path("repo", name).mkdir(parents=True)
    for name in (".terraform/modules/x/main.tf", "infra/main.tf", "infra/modules/api/main.tf"):
        Path("repo", name).write_text("", encoding="utf-8")
    said = refused(["import", "repo"], capsys)
    assert "repo/infra: not-a-template: this is Terraform configuration without a plan as JSON" in said
    function = {"address": "aws_lambda_function.a", "type": "aws_lambda_function", "name": "a", "mode": "managed"}
    values = {"values": {"function_name": "a", "runtime": "python3.13"}, "provider_name": PROVIDER}
    plan = {**PLAN, "planned_values": {"root_module": {"resources": [{**function, **values}]}}}
    Path("repo/infra/plan.json").write_text(json.dumps(plan), encoding="utf-8")
    code, out, err = run(capsys, "import", "repo")
    assert code == 0
    assert "  - {plan: repo/infra/plan.json}" in out
    assert "read repo/infra/plan.json\n" in err
    assert "\nname: repo\n" in out


PROVIDER = "registry.terraform.io/hashicorp/aws"


def test_what_a_template_nests_is_no_file_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    Path("all").mkdir()
    nesting = "Resources: {Inner: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: bot.yaml}}}\n"
    Path("all/main.yaml").write_text(nesting, encoding="utf-8")
    Path("all/bot.yaml").write_text(TEMPLATE, encoding="utf-8")
    Path("all/values.json").write_text('{"Stage": "prod"}', encoding="utf-8")
    code, out, _ = run(capsys, "import", "all")
    assert code == 0
    assert [line for line in out.splitlines() if "template:" in line] == ["  - {template: all/main.yaml}"]


@pytest.mark.parametrize(("size", "code"), [(1, 2), (3, 2), (120, 0)])
def test_a_folder_of_templates_that_nest_each_other_is_read(
    size: int, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each is nested by another; a circle of more than are followed is known as none, and is read from the first on."""
    Path("all").mkdir()
    for at in range(size):
        inner = f"\n  Inner: {{Type: AWS::CloudFormation::Stack, Properties: {{TemplateURL: t{(at + 1) % size}.yaml}}}}"
        Path(f"all/t{at}.yaml").write_text(TEMPLATE.replace("Resources:", f"Resources:{inner}"), encoding="utf-8")
    found, out, err = run(capsys, "import", "all")
    assert found == code
    assert "  - {template: all/t0.yaml" in out if found == 0 else ": circular-nesting: " in err


def test_another_file_is_added_to_the_evidence(capsys: pytest.CaptureFixture[str]) -> None:
    """And what it imports is found in the file that was there: the shared table is one element."""
    assembly("cdk.out", STACKS)
    assert run(capsys, "import", "cdk.out/Storage.template.json", "cdk.out/Bot.template.json", "-o", "m.yaml")[0] == 0
    code, out, err = run(capsys, "import", "cdk.out/Worker.template.json", "--update", "m.yaml")
    assert (code, err) == (0, "")
    assert "m.yaml: added function worker (Worker.Handler1234)" in out
    system = load_model(Files(), Path("m.yaml"))
    assert [one.path for one in system.evidence] == [f"cdk.out/{name}.template.json" for name in STACKS]
    assert [name for name, node in system.nodes.items() if node.kind == "store"] == ["orders"]
    text = Path("m.yaml").read_text(encoding="utf-8")
    code, out, _ = run(capsys, "import", "cdk.out", "--update", "m.yaml")
    assert (code, Path("m.yaml").read_text(encoding="utf-8")) == (0, text)


def test_an_update_names_what_no_file_has(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.yaml").write_text(TEMPLATE, encoding="utf-8")
    Path("b.yaml").write_text("Resources: {Work: {Type: AWS::SQS::Queue}}\n", encoding="utf-8")
    model = """\
        name: Shop
        evidence:
          - {template: a.yaml}
        queues: {work: {}, gone: {}}
        functions:
          bot: {}
        """
    Path("m.yaml").write_text(textwrap.dedent(model), encoding="utf-8")
    assert run(capsys, "import", "b.yaml", "--update", "m.yaml")[1].splitlines()[:2] == [
        "m.yaml:4:20: gone: a.yaml and b.yaml no longer has this queue",
        "m.yaml: added to its evidence: b.yaml",
    ]
    assert "  - {template: b.yaml}\n" in Path("m.yaml").read_text(encoding="utf-8")


def test_one_system_in_two_languages_is_not_joined(capsys: pytest.CaptureFixture[str]) -> None:
    named = TEMPLATE.replace("Handler: a.b", "FunctionName: bot, Handler: a.b")
    Path("a.yaml").write_text(named, encoding="utf-8")
    Path("b.yaml").write_text(named.replace("Bot:", "Other:").replace("Role", "TheRole"), encoding="utf-8")
    assert "same-name" in refused(["import", "a.yaml", "b.yaml"], capsys)
