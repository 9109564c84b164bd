"""What a file leaves open is worked out up to a limit of operations; beyond it is unknown, and what alarms stays."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.command.processes import tm
from tests.support import HOME
from threatmodel.evidence.collect import collect
from threatmodel.evidence.sources import read_sources
from threatmodel.graph.elements import Read
from threatmodel.graph.resolved import Evidence
from threatmodel.library.directions import directions
from threatmodel.library.load import load_library
from threatmodel.model.facts import EVIDENCE
from threatmodel.model.load import load_model
from threatmodel.reading.files import Files
from threatmodel.reading.problems import shown
from threatmodel.stacks.assumed import Assumed
from threatmodel.stacks.cloudformation.reader import read as read_template
from threatmodel.stacks.values import choices_of
from threatmodel.stacks.work import USUAL_WORK, Work

PARAMETERS, CONDITIONS, EACH = 29, 14, 17


def template() -> str:
    """A file that can be deployed in 4 to the power of 29 ways: every resource depends on conditions of parameters."""
    lines = ["Transform: AWS::Serverless-2016-10-31", "Parameters:"]
    lines += [f"  P{n}: {{Type: String, Default: a, AllowedValues: [a, b, c, d]}}" for n in range(PARAMETERS)]
    lines += ["Conditions:", *(f"  C{n}: !Equals [!Ref P{n}, a]" for n in range(CONDITIONS)), "Resources:"]
    lines += ["  Anyone:", "    Type: AWS::Lambda::Permission"]
    lines += ["    Properties: {Action: 'lambda:InvokeFunction', FunctionName: !Ref F0, Principal: '*'}"]
    for n in range(EACH):
        first, second, third = (f"C{(n + step) % CONDITIONS}" for step in range(3))
        lines += [f"  T{n}:", "    Type: AWS::DynamoDB::Table", "    Properties:"]
        lines += [f"      DeletionProtectionEnabled: !If [{first}, true, false]"]
        lines += [f"  Q{n}:", "    Type: AWS::SQS::Queue"]
        lines += [f"    Properties: {{SqsManagedSseEnabled: !If [{second}, true, false]}}"]
        lines += [f"  F{n}:", "    Type: AWS::Serverless::Function", "    Properties:"]
        lines += ["      Runtime: python3.13", "      Handler: app.handler", "      CodeUri: src/"]
        lines += [f"      Timeout: !If [{third}, 5, 900]", "      TracingConfig: {Mode: Active}"]
        lines += [f"      Policies: [{{DynamoDBReadPolicy: {{TableName: !Ref T{n}}}}}]"]
        lines += [f"      Environment: {{Variables: {{TABLE: !Ref T{n}, MODE: !Ref P{n}}}}}"]
        lines += [f"      Events: {{E: {{Type: SQS, Properties: {{Queue: !GetAtt Q{n}.Arn}}}}}}"]
    return "\n".join(lines) + "\n"


MODEL = "name: Hostile\nevidence: [{template: template.yaml}]\n" + "".join(
    f"{section}:\n" + "".join(f"  {letter}{n}: {{}}\n" for n in range(EACH))
    for section, letter in (("stores", "t"), ("queues", "q"), ("functions", "f"))
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "template.yaml").write_text(template(), encoding="utf-8")
    (tmp_path / "model.yaml").write_text(MODEL, encoding="utf-8")
    monkeypatch.chdir(tmp_path)


def collected(work: Work) -> tuple[Evidence, Read]:
    files = Files()
    ways = directions(load_library(HOME / "threatlib"))
    system = load_model(files, Path("model.yaml"))
    evidence, (read,) = collect(system, read_sources(system, files, work), ways, work=work)
    return evidence, read


def test_a_template_that_nothing_can_read_whole_ends_within_the_limit(golden: Callable[[str, str], None]) -> None:
    work, again = Work(1_000), Work(1_000)
    evidence, read = collected(work)
    assert 300 < work.spent <= 1_000  # a file is given a share of what is left, a fact an eighth of it
    assert work.reached
    assert collected(again) == (evidence, read)
    assert again.spent == work.spent, "the limit is reached at one place, whatever the machine"
    assert [note.code for note in read.notes] == ["work-limit"]
    golden("bad-input/work-limit.txt", shown(read.notes, {}) + "\n")


def test_what_alarms_stays_and_what_reassures_is_unknown_for_that_reason() -> None:
    evidence, read = collected(Work(1_000))
    assert [said.value for said in evidence["f0"]["invocable_by_anyone"]] == [True]
    assert all(said.doubt for said in evidence["f0"].get("timeout_seconds", ()))
    whys = {one.why for one in read.left_open if one.element == "f0"}
    assert "working it out takes more than the limit of 1,000 operations (--work)" in whys
    lists = [said for name in ("reads", "writes", "triggers") for said in evidence["f0"].get(name, ())]
    assert lists
    assert all(said.open for said in lists), "nothing is known to be all there is"


def test_a_limit_that_the_defaults_fit_in_leaves_unknown_what_only_other_values_decide() -> None:
    """Nothing that holds by default, and was not held against other values, is taken for proven, or for claimed."""
    evidence, read = collected(Work(2_000))
    sure = {
        (e, name)
        for e, by in evidence.items()
        for name, found in by.items()
        if any(not (s.open or s.doubt) for s in found)
    }
    unread = {(one.element, one.name) for one in read.left_open if "--work" in one.why}
    assert ("f0", "timeout_seconds") in unread
    assert not unread & sure


def test_work_that_is_allowed_makes_known_what_a_limit_left_open(tmp_path: Path) -> None:
    small = template().replace("AllowedValues: [a, b, c, d]", "AllowedValues: [a]")
    (tmp_path / "template.yaml").write_text(small, encoding="utf-8")
    few, read = collected(Work(51))
    assert [note.code for note in read.notes] == ["work-limit"]
    assert all(said.doubt for said in few["f0"].get("timeout_seconds", ()))
    many, whole = collected(Work(USUAL_WORK))
    assert not whole.notes
    assert [(said.value, said.size, said.defaults) for said in many["f0"]["timeout_seconds"]] == [(5, 2, ())]


def test_the_check_the_json_and_the_cache_know_of_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TM_CACHE", str(tmp_path / "cache"))
    for limit in (3_000, 4_000):
        done = tm("-m", "model.yaml", "check", "--work", str(limit), folder=tmp_path)
        assert done.returncode == 1
        assert f"takes more than {limit:,} operations" in " ".join(done.stdout.split())
        told = json.loads(tm("-m", "model.yaml", "--work", str(limit), "--json", folder=tmp_path).stdout)
        (read,) = told["evidence"]
        assert [note["code"] for note in read["notes"]] == ["work-limit"]
        assert f"{limit:,} operations" in read["notes"][0]["message"]


@pytest.mark.parametrize("value", ["0", "-1", "1e6", "many", "", "1" * 13])
def test_a_limit_is_a_number_of_operations(value: str, tmp_path: Path) -> None:
    done = tm("-m", "model.yaml", "check", f"--work={value}", folder=tmp_path)
    assert done.returncode == 2
    assert "is not a number of operations" in done.stderr


def test_a_share_counts_for_the_whole_and_leaves_the_others_theirs() -> None:
    work = Work(80)
    first = work.share(2)
    assert not first.spend(41)
    assert (first.reached, work.reached, work.spent) == (True, True, 0)
    assert first.spend(10)
    assert work.share(1).spend(70), "what one file leaves, the next may take"
    assert work.spent == 80


def test_a_share_of_a_share_counts_for_the_whole() -> None:
    work = Work(80)
    inner = work.share(2).share(2)
    assert inner.spend(20)
    assert not inner.spend(1)
    assert (work.spent, work.reached, inner.allowed) == (20, True, 80)


@pytest.mark.parametrize(("apart", "limit"), [(", environment: own", 1_000), ("", 4_000)])
def test_one_file_leaves_the_work_of_the_others(tmp_path: Path, apart: str, limit: int) -> None:
    """A hostile file, named first, does not keep another one from being worked out.

    Of one that is read together with it, it does where it may decide the answer: who may call a function.
    """
    head = "Parameters: {P: {Type: String, Default: a}}\nConditions: {C: !Equals [!Ref P, a]}\nResources:\n"
    body = "  Mine: {Type: AWS::Lambda::Function, Properties: {Runtime: python3.13, Timeout: !If [C, 5, 9]}}\n"
    (tmp_path / "own.yaml").write_text(head + body, encoding="utf-8")
    model = MODEL.replace("{template: template.yaml}", "{template: template.yaml}, {template: own.yaml" + apart + "}")
    (tmp_path / "model.yaml").write_text(f"{model}  mine: {{}}\n", encoding="utf-8")
    files, ways = Files(), directions(load_library(HOME / "threatlib"))
    system = load_model(files, Path("model.yaml"))
    evidence, (hostile, own) = collect(system, read_sources(system, files), ways, work=Work(limit))
    notes = [[note.code for note in read.notes] for read in (hostile, own)]
    assert notes == [["work-limit"], [] if apart else ["work-limit"]]
    assert [(said.value, said.size, said.defaults) for said in evidence["mine"]["timeout_seconds"]] == [(5, 2, ())]


def _function(name: str, timeout: object) -> dict[str, object]:
    return {name: {"Type": "AWS::Lambda::Function", "Properties": {"Runtime": "python3.6", "Timeout": timeout}}}


def _by_condition(name: str, condition: str) -> dict[str, object]:
    return _function(name, {"Fn::If": [condition, 5, 6]})


HOSTILE: dict[str, dict[str, object]] = {
    "a mapping of 10,000 entries": {
        "Parameters": {"P": {"Type": "String", "Default": "k1", "AllowedValues": [f"k{n}" for n in range(10_000)]}},
        "Mappings": {"M": {f"k{n}": {"a": 5} for n in range(10_000)}},
        "Resources": _function("F", {"Fn::FindInMap": ["M", {"Ref": "P"}, "a"]}),
    },
    "200 parameters": {
        "Parameters": {f"P{n}": {"Type": "String", "Default": "a"} for n in range(200)},
        "Conditions": {f"C{n}": {"Fn::Equals": [{"Ref": f"P{n}"}, "a"]} for n in range(200)},
        "Resources": _function("F", functools.reduce(lambda e, n: {"Fn::If": [f"C{n}", 5, e]}, range(80), 6)),  # type: ignore[arg-type, return-value]
    },
    "conditions in a circle": {
        "Conditions": {f"C{n}": {"Fn::And": [{"Condition": f"C{(n + 1) % 90}"}] * 2} for n in range(90)},
        "Resources": {key: one for n in range(50) for key, one in _by_condition(f"F{n or ''}", f"C{n}").items()},
    },
    "types from the future": {
        "Resources": {
            **_function("F", 5),
            **{f"X{n}": {"Type": f"AWS::Later::Thing{n}", "Properties": {"Name": "x"}} for n in range(500)},
        },
    },
    "a role for each of 200 conditions": {
        "Parameters": {"P": {"Type": "String", "Default": "a"}},
        "Conditions": {f"C{n}": {"Fn::Equals": [{"Ref": "P"}, f"v{n}"]} for n in range(200)},
        "Resources": {
            **_function("F", 5),
            **{f"R{n}": {"Type": "AWS::IAM::Role", "Condition": f"C{n}", "Properties": {}} for n in range(200)},
        },
    },
}


_LATER = "'X0' may change it: the type 'AWS::Later::Thing0' is unknown"


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_end_within_the_limit_and_keep_what_alarms(name: str, tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(json.dumps(HOSTILE[name]), encoding="utf-8")
    (tmp_path / "model.yaml").write_text(
        "name: H\nevidence: [{template: template.yaml}]\nfunctions: {f: {}}\n", encoding="utf-8"
    )
    work = Work(5_000)
    evidence, read = collected(work)
    assert work.spent <= 5_000
    values = [said.value for said in evidence["f"].get("runtime", ())]
    assert values == ["python3.6"] or [one.why for one in read.left_open if one.name == "runtime"] == [_LATER]
    sure = {
        name
        for name, found in evidence["f"].items()
        if any(said.size >= EVIDENCE and not (said.open or said.doubt) for said in found)
    }
    unread = {one.name for one in read.left_open if "--work" in one.why}
    assert not unread & sure
    assert bool(unread) <= work.reached


# --- policies


def _role(*statements: object, **more: object) -> dict[str, object]:
    policies = [{"PolicyName": "p", "PolicyDocument": {"Statement": list(statements)}}]
    return {"Type": "AWS::IAM::Role", "Properties": {"Policies": policies, **more}}


def _policies(*statements: object, **more: object) -> dict[str, object]:
    bot = _function("F", 5)
    bot["F"]["Properties"]["Role"] = {"Fn::GetAtt": ["R", "Arn"]}  # type: ignore[index]
    return {"Resources": {**bot, "R": _role(*statements), **more}}


def _allow(actions: object, resources: object = "*", **more: object) -> dict[str, object]:
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **more}


COSTLY: dict[str, dict[str, object]] = {
    "wildcards over all services": _policies(*(_allow(f"*:*{n:x}*") for n in range(2_000))),
    "many wildcards in one statement": _policies(
        *(_allow([f"*:*{n:x}*" for n in range(k, k + 50)]) for k in range(40))
    ),
    "all actions but some": _policies(
        *({"Effect": "Deny", "NotAction": f"s3:*{n:x}*", "Resource": f"arn:aws:s3:::b{n}"} for n in range(500))
    ),
    "as many names as tables": _policies(
        *(_allow("dynamodb:GetItem", f"arn:aws:dynamodb:*:*:table/*t*{n}*") for n in range(400)),
        **{f"T{n}": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": f"t-{n}"}} for n in range(400)},
    ),
}


@pytest.mark.parametrize("name", COSTLY)
def test_policies_end_within_the_limit_and_what_is_plain_in_them_still_alarms(name: str, tmp_path: Path) -> None:
    text = json.loads(json.dumps(COSTLY[name]))
    text["Resources"]["R"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"].append(_allow("*"))
    (tmp_path / "template.yaml").write_text(json.dumps(text), encoding="utf-8")
    (tmp_path / "model.yaml").write_text(
        "name: H\nevidence: [{template: template.yaml}]\nfunctions: {f: {}}\n", encoding="utf-8"
    )
    work = Work(3_000)
    evidence, read = collected(work)
    assert work.spent <= 3_000
    assert [note.code for note in read.notes] == ["work-limit"]
    for fact in ("role_wildcard_action", "role_can_escalate"):
        assert [said.value for said in evidence["f"][fact] if not said.doubt] == [True], fact
    assert all(said.doubt or said.value for said in evidence["f"].get("role_wildcard_resource", ()))


def test_a_deny_that_was_not_read_takes_nothing_away(tmp_path: Path) -> None:
    deny = {"Effect": "Deny", "Action": "*:*a*", "Resource": "*"}
    many = [_allow(f"*:*{n:x}*") for n in range(2_000)]
    (tmp_path / "template.yaml").write_text(json.dumps(_policies(deny, *many)), encoding="utf-8")
    (tmp_path / "model.yaml").write_text(
        "name: H\nevidence: [{template: template.yaml}]\nfunctions: {f: {}}\n", encoding="utf-8"
    )
    evidence, _ = collected(Work(500))
    assert all(said.doubt or said.value for said in evidence["f"].get("role_can_escalate", ()))


# --- conditions, functions, nested templates


def test_conditions_that_depend_on_all_others_are_not_decided(tmp_path: Path) -> None:
    conditions: dict[str, object] = {"C0": {"Fn::Equals": [{"Ref": "P"}, "a"]}}
    conditions |= {f"C{n}": {"Fn::And": [{"Condition": f"C{n - 1}"}] * 2} for n in range(1, 3_000)}
    template = {
        "Parameters": {"P": {"Type": "String", "Default": "a"}},
        "Conditions": conditions,
        "Resources": _function("F", {"Fn::If": ["C2999", 5, 900]}),
    }
    (tmp_path / "template.yaml").write_text(json.dumps(template), encoding="utf-8")
    (tmp_path / "model.yaml").write_text(
        "name: H\nevidence: [{template: template.yaml}]\nfunctions: {f: {}}\n", encoding="utf-8"
    )
    stack, _ = read_template(json.dumps(template), "template.yaml", Assumed(work=Work(500)))
    assert len(choices_of(stack.resources["F"].properties.entries["Timeout"])) < 1_000
    work = Work(5_000)
    evidence, read = collected(work)
    assert work.spent <= 5_000
    assert [note.code for note in read.notes] == ["work-limit"]
    assert all(said.doubt or said.defaults for said in evidence["f"].get("timeout_seconds", ()))


def test_templates_that_are_nested_count_their_resources(tmp_path: Path) -> None:
    inner = {"Resources": {f"T{n}": {"Type": "AWS::SNS::Topic"} for n in range(300)}}
    nest = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "./inner.json"}}
    (tmp_path / "inner.json").write_text(json.dumps(inner), encoding="utf-8")
    outer = {"Resources": {**_function("F", 5), **{f"N{n}": nest for n in range(10)}}}
    (tmp_path / "template.yaml").write_text(json.dumps(outer), encoding="utf-8")
    (tmp_path / "model.yaml").write_text(
        "name: H\nevidence: [{template: template.yaml}]\nfunctions: {f: {}}\n", encoding="utf-8"
    )
    work = Work(1_000)
    _, read = collected(work)
    assert work.spent <= 1_000
    assert sum("(--work)" in why for _, why, _ in read.unread) == 7
    assert "work-limit" in [note.code for note in read.notes]
