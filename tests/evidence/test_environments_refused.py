"""Several files of one environment: what is made elsewhere, left to a condition or refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.evidence.side_by_side import BOT, FILES, HEAD, ORDERS, TABLE, fact, graph, permission
from tests.refusals import refused
from threatmodel.evidence.environments import labels_of
from threatmodel.reading.problems import InputError

MAKES_MORE = {
    "a macro": "Transform: Magic\nResources: {T: {Type: AWS::SNS::Topic}}\n",
    "a macro in a nested template": (
        "Resources: {In: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: in.yaml}}}\n"
    ),
    "a loop over what another stack exports": (
        "Transform: AWS::LanguageExtensions\nResources:\n  Fn::ForEach::Open: [F, !Split [',', !ImportValue names], "
        "{'P${F}': {Type: AWS::SNS::Topic}}]\n"
    ),
    "a module": "Resources: {Open: {Type: 'My::Own::Thing::MODULE'}}\n",
}

"""Files that make resources of which none is in a file."""


@pytest.mark.parametrize("text", MAKES_MORE.values(), ids=MAKES_MORE)
def test_what_is_made_elsewhere_may_name_what_another_file_names(text: str) -> None:
    """It may permit what no file shows, and changes no setting of what it cannot replace."""
    files = {**FILES, "other.yaml": text, "in.yaml": MAKES_MORE["a macro"]}
    for named in ("{template: bot.yaml}, {template: other.yaml}", "{template: other.yaml}, {template: bot.yaml}"):
        found = graph(files, named)
        assert fact(found, "invocable_by_anyone") is None
        assert fact(found, "role_wildcard_action") is None
        assert fact(found, "runtime_supported") is True
    opened = graph(
        {**files, "open.yaml": permission("the-bot")},
        "{template: bot.yaml}, {template: other.yaml}, {template: open.yaml}",
    )
    assert fact(opened, "invocable_by_anyone") is True


LOOP = (
    "Transform: AWS::LanguageExtensions\n"
    "Parameters: {Bots: {Type: CommaDelimitedList, Default: 'a, %s'}}\n"
    "Mappings: {Known: {All: {Bots: [bot, other]}}}\n"
    "Resources:\n  Fn::ForEach::Open:\n  - Bot\n  - %s\n"
    "  - Open&{Bot}: {Type: AWS::Lambda::Permission, Properties: "
    "{FunctionName: !Join ['-', [the, !Ref Bot]], Action: lambda:InvokeFunction, Principal: '*'}}\n"
)


@pytest.mark.parametrize("collection", ["[bot, other]", "!Split [',', 'a,bot']", "!FindInMap [Known, All, Bots]"])
def test_a_loop_is_written_out_where_its_collection_is_known(collection: str) -> None:
    text = LOOP % ("b", collection)
    assert fact(graph({**FILES, "open.yaml": text}), "invocable_by_anyone") is True
    other = text.replace("bot, other", "b, other").replace("a,bot", "a,b")
    assert fact(graph({**FILES, "open.yaml": other}), "invocable_by_anyone") is False


def test_a_loop_over_a_default_alarms_and_proves_nothing() -> None:
    found = graph({**FILES, "open.yaml": LOOP % ("bot", "!Ref Bots")}).elements["bot"].facts["invocable_by_anyone"]
    assert (found.value, found.said.doubt != "") == (True, True)
    assert fact(graph({**FILES, "open.yaml": LOOP % ("b", "!Ref Bots")}), "invocable_by_anyone") is None
    given = "{template: bot.yaml}, {template: open.yaml, parameters: given.json}"
    for name, expected in (("b", False), ("bot", True)):
        files = {**FILES, "open.yaml": LOOP % ("bot", "!Ref Bots"), "given.json": json.dumps({"Bots": f"a,{name}"})}
        assert fact(graph(files, given), "invocable_by_anyone") is expected


@pytest.mark.parametrize(("stage", "alarms"), [("prod", True), ("test", False)])
def test_what_a_condition_may_leave_out_alarms_where_defaults_make_it(stage: str, *, alarms: bool) -> None:
    head = HEAD.replace("Default: test", f"Default: {stage}") + "Conditions: {Prod: !Equals [!Ref Stage, prod]}\n"
    text = head + permission("the-bot").replace("Permission,", "Permission, Condition: Prod,")
    found = graph({**FILES, "open.yaml": text})
    assert found.elements["bot"].facts["invocable_by_anyone"].value is alarms
    assert fact(found, "invocable_by_anyone") is None


def test_loops_within_loops_fill_in_the_values_of_both() -> None:
    inner = "{'Fn::ForEach::In': [B, [t], {'Open${A}${B}': {Type: AWS::Lambda::Permission, Properties: {FunctionName: "
    inner += "'the-${A}${B}', Action: lambda:InvokeFunction, Principal: '*'}}}]}"
    text = f"Transform: AWS::LanguageExtensions\nResources: {{'Fn::ForEach::Out': [A, [bo], {inner}]}}\n"
    assert fact(graph({**FILES, "open.yaml": text}), "invocable_by_anyone") is True


def test_a_macro_puts_only_its_own_file_in_doubt() -> None:
    files = {"other.yaml": "Transform: Magic\n" + TABLE.replace("orders}", "orders, DeletionProtectionEnabled: true}")}
    for named in ("{template: bot.yaml}, {template: other.yaml}", "{template: other.yaml}, {template: bot.yaml}"):
        found = graph({**FILES, **files}, named, ORDERS)
        assert fact(found, "runtime_supported") is True
        assert fact(found, "deletion_protection", "orders") is None
    told = TABLE.replace("orders}", "orders, DeletionProtectionEnabled: true}")
    assert fact(graph({**FILES, "other.yaml": told}, rest=ORDERS), "deletion_protection", "orders") is True


def refusal(files: Mapping[str, str], evidence: str = "", rest: str = "functions: {bot: {}}\n") -> list[str]:
    with pytest.raises(InputError) as caught:
        graph(files, evidence, rest)
    return [f"{one.place}: {one.code}" for one in caught.value.problems]


def test_one_name_for_two_resources_is_refused() -> None:
    """Three ways: a function's name, a role's, an export's; the same stack twice has all of them."""
    second = BOT.replace("Bot:", "Other:").replace("BotRole", "OtherRole").replace("!GetAtt Bot.", "!GetAtt Other.")
    for kept in ("the-bot", "bot-role", "bot-arn"):
        text = second
        for name in ("the-bot", "bot-role", "bot-arn"):
            text = text if name == kept else text.replace(name, f"other-{name}")
        assert {one.partition(": ")[2] for one in refusal({**FILES, "other.yaml": text})} == {"same-name"}
    twice = "{template: bot.yaml}, {template: bot.yaml, parameters: p.json}"
    assert "bot.yaml:3:3: same-name" in refusal({**FILES, "p.json": "{}"}, twice)


def test_a_name_that_a_condition_may_leave_out_is_no_clash() -> None:
    other = (
        "Parameters: {A: {Type: String}}\nConditions: {C: !Equals [!Ref A, b]}\nResources:\n  Bot:\n    Condition: C\n"
    )
    other += "    Type: AWS::SQS::Queue\n    Properties: {QueueName: x}\n"
    queue = "Resources: {Work: {Type: AWS::SQS::Queue, Properties: {QueueName: x}}}\n"
    graph({**FILES, "a.yaml": other, "b.yaml": queue})


def test_one_file_twice_is_one_file() -> None:
    found = graph(FILES, "{template: bot.yaml}, {template: bot.yaml, functions: all}")
    assert fact(found, "invocable_by_anyone") is False
    assert [dict(one.elements)["bot"] for one in found.evidence] == ["Bot", "Bot"]


def test_an_element_in_two_files_is_asked_about(
    capsys: pytest.CaptureFixture[str],
    golden: Callable[[str, str], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    role = "arn:aws:iam::123456789012:role/other"
    function = f"Type: AWS::Lambda::Function, Properties: {{Handler: a.b, Runtime: python3.13, Role: '{role}'}}"
    Path("bot.yaml").write_text(BOT, encoding="utf-8")
    Path("other.yaml").write_text(f"Resources: {{BotFunction: {{{function}}}}}\n", encoding="utf-8")
    text = "name: Shop\nevidence:\n  - {template: bot.yaml}\n  - {template: other.yaml}\nfunctions: {bot: {}}\n"
    Path("model.yaml").write_text(text, encoding="utf-8")
    golden("bad-input/ambiguous-resource-in-two-files.txt", refused(["-m", "model.yaml", "--dfd"], capsys))
    same = BOT.replace("  Bot:", "  Worker:").replace("GetAtt Bot.", "GetAtt Worker.").replace("bot-arn", "w-arn")
    Path("other.yaml").write_text(same, encoding="utf-8")
    golden("bad-input/same-name.txt", refused(["-m", "model.yaml", "--dfd"], capsys))


def test_a_file_is_called_by_what_tells_it_apart() -> None:
    assert labels_of(["bot.yaml", "storage.template.json"]) == ["bot", "storage"]
    assert labels_of(["bot/template.yaml", "../shop/template.yaml"]) == ["bot", "shop"]
    assert labels_of(["template.yaml", "x/template.yaml"]) == ["template", "x"]
    assert labels_of(["a/bot.yaml", "b/bot.yaml", "b/bot.json"]) == ["bot", "b-bot", "bot-2"]
