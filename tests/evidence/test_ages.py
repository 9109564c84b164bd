"""What may not be deployed counts as a statement: an old plan, and a template that samconfig passes over."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support import TODAY
from threatmodel.api import load_library, load_model
from threatmodel.graph.building import Graph
from threatmodel.model.facts import EVIDENCE, STATED

COMMITTED = "2026-03-01T12:00:00Z"
FUNCTION = {"address": "aws_lambda_function.bot", "mode": "managed", "type": "aws_lambda_function", "name": "bot"}


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shop").mkdir()
    monkeypatch.chdir(tmp_path / "shop")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)


def call(*arguments: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@b.example")
    environment = {**os.environ, "GIT_COMMITTER_DATE": COMMITTED, "GIT_AUTHOR_DATE": COMMITTED}
    subprocess.run(["git", *who, *arguments], check=True, env=environment, capture_output=True)


def committed(*names: str) -> None:
    call("init", "-q")
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("# configuration\n", encoding="utf-8")
    call("add", "-A")
    call("commit", "-qm", "one")


def plan(timestamp: str | None = "2026-03-01T12:00:01Z", folder: str = ".", **more: Any) -> None:
    values = {"function_name": "bot", "runtime": "python3.13", "handler": "a.b", "timeout": 5}
    raw = {
        "format_version": "1.2",
        "timestamp": timestamp,
        "planned_values": {"root_module": {"resources": [{**FUNCTION, "values": values}]}},
        "resource_changes": [{**FUNCTION, "change": {"actions": ["create"], "after": values, "after_unknown": {}}}],
        "configuration": {"root_module": {"resources": [{**FUNCTION, "expressions": {}}]}},
        **more,
    }
    Path(folder, "plan.json").write_text(json.dumps(raw), encoding="utf-8")


def graph(evidence: str = "{plan: plan.json}") -> Graph:
    Path("model.yaml").write_text(f"name: Shop\nevidence: [{evidence}]\nfunctions: {{bot: {{}}}}\n", encoding="utf-8")
    return load_model("model.yaml", today=TODAY, library=load_library())


def sized(found: Graph, fact: str = "timeout_seconds") -> int:
    return found.elements["bot"].facts[fact].size


def why(found: Graph) -> str:
    return found.evidence[0].stale.partition(";")[0]


def test_a_plan_after_the_last_change_is_evidence() -> None:
    committed("main.tf", "modules/bot/main.tf")
    plan()
    assert (sized(graph()), why(graph())) == (EVIDENCE, "")


def test_a_plan_where_git_has_no_configuration_is_evidence() -> None:
    plan("2020-01-01T00:00:00Z")
    assert sized(graph()) == EVIDENCE
    committed("main.py")
    assert sized(graph()) == EVIDENCE


@pytest.mark.parametrize(
    ("timestamp", "said"),
    [
        ("2026-03-01T11:59:59Z", "its configuration changed on 2026-03-01, after the plan"),
        ("2026-03-01T12:59:59+01:00", "its configuration changed on 2026-03-01, after the plan"),
        (None, "the plan has no timestamp, so it may be older than its configuration"),
        ("yesterday", "the plan has no timestamp, so it may be older than its configuration"),
        ("2999-01-01T00:00:00Z", "the timestamp of the plan is in the future (2999-01-01)"),
    ],
)
def test_an_older_plan_counts_as_a_statement(timestamp: str | None, said: str) -> None:
    committed("modules/bot/main.tf")
    plan(timestamp)
    for _ in range(2):  # the second time from the cache
        assert (sized(graph()), why(graph())) == (STATED, said)


LATER = "2026-04-01T00:00:00Z"


def later(*arguments: str, author: str = LATER, committer: str = LATER) -> None:
    """A git command at a later time."""
    who = ("-c", "user.name=a", "-c", "user.email=a@b.example")
    environment = {**os.environ, "GIT_COMMITTER_DATE": committer, "GIT_AUTHOR_DATE": author}
    subprocess.run(["git", *who, *arguments], check=True, env=environment, capture_output=True)


def written(name: str) -> None:
    """A file that is committed after the plan."""
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text("# later\n", encoding="utf-8")
    later("add", "-A")
    later("commit", "-qm", "two")


def taken_away() -> None:
    later("rm", "-q", "main.tf")
    later("commit", "-qm", "two")


def merged() -> None:
    """A commit that is older than the plan, and is merged after it."""
    later("checkout", "-qb", "other")
    Path("main.tf").write_text("# merged\n", encoding="utf-8")
    later("commit", "-qam", "two", author="2026-02-01T00:00:00Z", committer="2026-02-01T00:00:00Z")
    later("checkout", "-q", "-")
    Path("note").write_text("x", encoding="utf-8")
    later("add", "-A")
    later("commit", "-qm", "three")
    later("merge", "-q", "--no-ff", "-m", "four", "other")


def dated_back() -> None:
    Path("main.tf").write_text("# later\n", encoding="utf-8")
    later("commit", "-qam", "two", committer="2020-01-01T00:00:00Z")


@pytest.mark.parametrize(
    ("change", "old"),
    [
        (lambda: written("main.tf"), True),
        (lambda: written("new.tf"), True),
        (lambda: written("prod.auto.tfvars"), True),
        (lambda: written("policy.json.tftpl"), True),
        (lambda: written("modules/queue/main.tf"), True),
        (lambda: written("../modules/bot/main.tf"), True),
        (lambda: written("../modules/log/main.tf"), True),
        (lambda: written("../other/main.tf"), False),
        (lambda: written("README.md"), False),
        (taken_away, True),
        (merged, True),
        (dated_back, True),
    ],
)
def test_what_is_newer_than_the_plan(change: Callable[[], None], old: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("..")
    committed("shop/main.tf", "shop/prod.tf", "modules/bot/main.tf", "modules/log/main.tf")
    monkeypatch.chdir("shop")
    log = {"source": "../log", "module": {}}
    calls = {"bot": {"source": "../modules/bot", "module": {"module_calls": {"log": log}}}}
    plan(configuration={"root_module": {"resources": [{**FUNCTION, "expressions": {}}], "module_calls": calls}})
    assert sized(graph()) == EVIDENCE
    change()
    assert sized(graph()) == (STATED if old else EVIDENCE)


@pytest.mark.parametrize(("folder", "old"), [("infra/out", True), ("plans", True), ("other", False)])
def test_a_plan_elsewhere_is_of_the_nearest_configuration(folder: str, old: bool) -> None:
    committed("infra/main.tf", "other/main.tf")
    Path(folder).mkdir(parents=True, exist_ok=True)
    plan(folder=folder)
    written("infra/main.tf")
    assert sized(graph(f"{{plan: {folder}/plan.json}}")) == (STATED if old else EVIDENCE)


def added() -> None:
    Path("new.tf").write_text("# new\n", encoding="utf-8")


def staged() -> None:
    added()
    call("add", "-A")


def ignored() -> None:
    Path(".git/info/exclude").write_text("new.tf\n", encoding="utf-8")
    added()


def edited() -> None:
    Path("main.tf").write_text("# edited\n", encoding="utf-8")


def removed() -> None:
    Path("main.tf").unlink()


@pytest.mark.parametrize(
    ("change", "name"),
    [(edited, "main.tf"), (removed, "main.tf"), (added, "new.tf"), (staged, "new.tf"), (ignored, "new.tf")],
)
def test_a_change_that_is_not_committed_counts(change: Callable[[], None], name: str) -> None:
    committed("main.tf")
    plan()
    assert sized(graph()) == EVIDENCE
    change()
    assert (sized(graph()), why(graph())) == (STATED, f"'{name}' is changed and not committed, maybe after the plan")


def test_in_a_shallow_clone_the_age_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    committed("main.tf")
    subprocess.run(["git", "clone", "-q", "--depth", "1", Path.cwd().as_uri(), "../clone"], check=True)
    monkeypatch.chdir("../clone")
    plan()
    found = graph()
    assert sized(found) == STATED
    assert why(found) == "the age of the plan is unknown in a shallow clone"


def test_an_old_plan_takes_the_proofs_of_its_environment() -> None:
    """What the old plan does not have may be deployed: a permission, a policy."""
    committed("infra/main.tf")
    plan("2020-01-01T00:00:00Z", "infra")
    Path("queue.yaml").write_text("Resources: {Work: {Type: AWS::SQS::Queue}}\n", encoding="utf-8")
    Path("model.yaml").write_text(
        "name: Shop\nevidence: [{plan: infra/plan.json}, {template: queue.yaml}]\n"
        "functions: {bot: {}}\nqueues: {work: {}}\n",
        encoding="utf-8",
    )
    found = load_model("model.yaml", today=TODAY, library=load_library())
    assert found.elements["work"].facts["kind"].size == STATED
    assert [bool(one.stale) for one in found.evidence] == [True, True]


TEMPLATE = """\
Resources:
  Bot:
    Type: AWS::Serverless::Function
    Properties: {Handler: a.b, Runtime: python3.13, CodeUri: src/, Timeout: 5}
Transform: AWS::Serverless-2016-10-31
"""


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"deploy": {"template_file": "template.yaml"}}, ""),
        ({"build": {"template": "template.yaml"}, "deploy": {"template_file": ".aws-sam/build/template.yaml"}}, ""),
        ({"build": {"base_dir": "."}}, ""),
        ({"deploy": {"template_file": "other.yaml"}}, "samconfig.toml deploys 'other.yaml', not this template"),
        ({"build": {"template_file": "infra/t.yaml"}}, "samconfig.toml deploys 'infra/t.yaml', not this template"),
        ({"global": {"template": "other.yaml"}}, "samconfig.toml deploys 'other.yaml', not this template"),
        ({"build": {"base_dir": "elsewhere"}}, "samconfig.toml builds the code in 'elsewhere'"),
    ],
)
def test_what_samconfig_deploys(config: Mapping[str, Mapping[str, str]], said: str) -> None:
    lines = (
        f"[default.{command}.parameters]\n{name} = {json.dumps(value)}\n"
        for command, settings in config.items()
        for name, value in settings.items()
    )
    Path("samconfig.toml").write_text("".join(lines), encoding="utf-8")
    Path("template.yaml").write_text(TEMPLATE, encoding="utf-8")
    for evidence in ("{template: template.yaml, parameters: samconfig.toml}", "{template: template.yaml}"):
        found = graph(evidence)
        assert (sized(found), why(found)) == (STATED if said else EVIDENCE, said)


def test_a_samconfig_that_no_entry_names_may_deploy_the_template_in_one_of_its_environments() -> None:
    other = '[prod.deploy.parameters]\ntemplate_file = "other.yaml"\n'
    Path("samconfig.toml").write_text(f"{other}[default.deploy.parameters]\nstack_name = 'bot'\n", encoding="utf-8")
    Path("template.yaml").write_text(TEMPLATE, encoding="utf-8")
    assert sized(graph("{template: template.yaml}")) == EVIDENCE
    assert sized(graph("{template: template.yaml, parameters: samconfig.toml, stage: prod}")) == STATED


@pytest.mark.parametrize("copy", [".aws-sam/build/template.yaml", "packaged.yaml", "cdk.out/template.yaml"])
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("CodeUri: src/", "CodeUri: Bot"), ""),
        (("CodeUri: src/", "CodeUri: s3://bucket/key"), ""),
        (("Transform", "Outputs: {Bot: {Value: !Ref Bot}}\nTransform"), ""),
        (("  Bot:", "  Other:"), ""),
        (("Timeout: 5", "Timeout: 900"), "has another Timeout of 'Bot'"),
        (("Timeout: 5", "Timeout: 5, Environment: {Variables: {A: b}}"), "has another Environment of 'Bot'"),
        (("Timeout: 5}", "Timeout: 5}\n  Open: {Type: AWS::SNS::Topic}"), "has 'Open' as well"),
        (("Resources:", "Resources: ["), "cannot be read"),
    ],
)
def test_a_copy_that_is_deployed_and_differs(copy: str, change: tuple[str, str], said: str) -> None:
    """What building and packaging replace is no difference, nor is a template of another system."""
    Path("template.yaml").write_text(TEMPLATE, encoding="utf-8")
    Path(copy).parent.mkdir(parents=True, exist_ok=True)
    Path(copy).write_text(TEMPLATE.replace(*change), encoding="utf-8")
    found = graph("{template: template.yaml}")
    assert sized(found) == (STATED if said else EVIDENCE)
    assert said in why(found)
