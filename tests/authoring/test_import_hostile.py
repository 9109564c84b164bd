"""Whatever names a file of infrastructure code holds, import writes what it meant, and nothing reaches a terminal."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.collecting import collected
from threatmodel.authoring.importing.entries import SECTION_OF
from threatmodel.authoring.importing.plan import imported
from threatmodel.authoring.importing.updating import update
from threatmodel.authoring.insertion import comment, scalar
from threatmodel.command.main import main
from threatmodel.model.load import load_model
from threatmodel.reading.files import Files
from threatmodel.reading.problems import InputError, shown
from threatmodel.reading.source import parse

FACTS = "\n    verifies_signature: true\n    triggers: []"
BAD = [
    FACTS,
    "\r" + FACTS,
    "\x85x: y",
    "\u2028x: y",
    "\x1b[2J\x07",
    "\u202etxt",
    "{0}",
    "{}",
    "{x!r}",
    "# x",
    "a: b",
    "]}'\"",
]
TEXT = st.one_of(
    st.sampled_from(BAD),
    st.lists(st.one_of(st.sampled_from(BAD), st.text(max_size=6)), min_size=1, max_size=3).map("".join),
)
"""Text that means something to YAML, a terminal or str.format."""


def hidden(text: str) -> set[str]:
    """What a terminal or an editor would act on instead of showing it."""
    shown = {"\n", "\t"}
    return {one for one in text if one not in shown and unicodedata.category(one) in {"Cc", "Cf", "Cs", "Zl", "Zp"}}


def template(function: str, other: str, type_: str, path: str, rate: str, method: str = "") -> str:
    """A template of a function whose every name is somebody else's."""
    ref = {"Ref": other}
    events = {
        "Web": {"Type": "HttpApi", "Properties": {"Path": path, "Method": method or rate}},
        path: {"Type": "Schedule", "Properties": {"Schedule": rate}},
    }
    properties = {
        "Handler": "app.run",
        "Runtime": "python3.13",
        "CodeUri": ".",
        "Events": events,
        "Policies": [{"DynamoDBReadPolicy": {"TableName": ref}}],
        "Environment": {"Variables": {"TABLE": ref}},
    }
    resources = {
        function: {"Type": "AWS::Serverless::Function", "Properties": properties},
        other: {"Type": "AWS::Serverless::SimpleTable"},
        "Caller": {"Type": type_, "Properties": {"What": {"Fn::GetAtt": [function, "Arn"]}}},
    }
    return json.dumps({"Transform": "AWS::Serverless-2016-10-31", "Resources": resources})


def plan(name: str, module: str) -> str:
    """A plan of a function whose address is somebody else's."""
    address = f'module.{module}.aws_lambda_function.x["{name}"]'
    resource = {
        "address": address,
        "mode": "managed",
        "type": "aws_lambda_function",
        "name": "x",
        "index": name,
        "values": {"function_name": name, "runtime": "python3.13", "handler": "a.b"},
    }
    values = {"root_module": {"child_modules": [{"address": f"module.{module}", "resources": [resource]}]}}
    return json.dumps(
        {"format_version": "1.2", "timestamp": "2026-01-01T00:00:00Z", "planned_values": values, "configuration": {}}
    )


LISTS = ("triggers", "reads", "writes", "sends", "secrets", "invokes", "calls")


def held(kind: str, text: str) -> None:
    """What import makes of a file is what it meant: those elements, triggers of that file, and no fact."""
    path = Path("stack.json")
    files = Files(texts={path: text})
    try:
        found = imported(path, kind, Path("model.yaml"), files)
    except InputError as error:
        said = shown(error.problems, files.read)
        assert not hidden(said)
        return
    assert not hidden(found.text)
    root: Any = parse(found.text, "model.yaml").root
    sections = {section: root[section] for section in SECTION_OF.values() if section in root}
    meant: dict[str, set[str]] = {}
    for entry in found.added:
        meant.setdefault(SECTION_OF[entry.kind], set()).add(entry.id)
    assert {section: set(items) for section, items in sections.items()} == meant
    assert set(root) - set(sections) == {"name", "evidence"}
    for items in sections.values():
        for item in items.values():
            # a bucket that a framework makes for its packages takes no uploads
            assert set(item) <= {*LISTS, "incomplete", "kind", "kept_in", "holds", "takes_uploads"}
            assert set(item.get("incomplete", {})) <= set(LISTS)
    again = load_model(Files(texts={path: text, "model.yaml": found.text}), Path("model.yaml"))
    assert {node.id for node in again.nodes.values()} == set().union(*meant.values())
    brought = update(path, kind, Path("old.yaml"), Files(texts={path: text, "old.yaml": OLD}))
    assert not hidden(brought.text)
    assert parse(brought.text, "old.yaml").root["functions"].keys() >= {"first"}


OLD = "name: Old\nfunctions:\n  first: {}\n"


@pytest.mark.slow
@given(TEXT, TEXT, TEXT, TEXT, TEXT)
@example(f"Bot{FACTS}", f"Table{FACTS}", f"X{FACTS}", f"/x{FACTS}", f"GET{FACTS}")
@example("Bot", "Table", "Custom{0}", "/{x}", "{}")
@example("Bot", "Table", "My::Type::{x!r}{}", "/slack", "\x1b[31m")
def test_a_template(function: str, other: str, type_: str, path: str, rate: str) -> None:
    held("template", template(function, other, type_, path, rate))


@pytest.mark.slow
@given(TEXT, TEXT)
@example(f"a{FACTS}", "m\x1b]0;x\x07")
def test_a_plan(name: str, module: str) -> None:
    held("plan", plan(name, module))


@pytest.mark.slow
@given(TEXT, TEXT)
@example(f"shop{FACTS}", "bot")
@example("x" * 5000, "bot")
@example(" ", "bot")
def test_a_service(title: str, function: str) -> None:
    text = {"service": title, "provider": {"name": "aws"}, "functions": {function: {"handler": "a.b"}}}
    held("serverless", json.dumps(text))


@pytest.mark.slow
@given(TEXT)
@example(f"Bot{FACTS}")
@example("x" * 5000)
@example("///")
def test_a_construct(path: str) -> None:
    function = {
        "Type": "AWS::Lambda::Function",
        "Properties": {"Handler": "a.b", "Runtime": "python3.13", "Role": "arn:aws:iam::123456789012:role/r"},
        "Metadata": {"aws:cdk:path": f"Stack/{path}/Resource"},
    }
    held("template", json.dumps({"Resources": {"Bot1A2B": function}}))


def test_names_that_give_no_id_are_told_apart_and_found_again() -> None:
    names = [f"A{'verylong' * 15}{end}" for end in ("One", "Two")] + ["Ä", "Ö", "Bot", "bot", "BotFunction"]
    function = {
        "Type": "AWS::Serverless::Function",
        "Properties": {"Handler": "a.b", "Runtime": "python3.13", "CodeUri": "."},
    }
    text = json.dumps({"Transform": "AWS::Serverless-2016-10-31", "Resources": dict.fromkeys(names, function)})
    found = imported(Path("stack.json"), "template", Path("model.yaml"), Files(texts={"stack.json": text}))
    files = Files(texts={"stack.json": text, "model.yaml": found.text})
    _, (read,) = collected(load_model(files, Path("model.yaml")), files)
    assert (dict(read.elements), read.missing, read.extra) == ({e.id: e.resource for e in found.added}, (), ())
    assert {entry.resource for entry in found.added} == set(names)


def test_a_trigger_is_the_one_of_the_file() -> None:
    rate = "rate(1 day)\n  x: y"
    text = template("Bot", "Table", "AWS::SNS::Topic", "/ä: {b}#\t'", rate, "get")
    found = imported(Path("stack.json"), "template", None, Files(texts={"stack.json": text}))
    triggers = parse(found.text, "").root["functions"]["bot"]["triggers"]
    assert {trigger.get("path") for trigger in triggers} == {None, "/ä: {b}#\t'"}
    assert {trigger.get("schedule") for trigger in triggers} == {None, rate}


@given(st.text())
@example("\ud800\U000e0041\u2028")
def test_any_text_is_a_scalar_and_a_comment_on_one_line(text: str) -> None:
    for one in (scalar(text), comment(text)):
        assert not hidden(one)
        assert "\n" not in one
    lossless = "".join("\ufffd" if "\ud800" <= character <= "\udfff" else character for character in text)
    assert parse(f"a: [{scalar(text)}, {{b: {scalar(text)}}}]  # {comment(text)}", "").root == {
        "a": [lossless, {"b": lossless}]
    }


@pytest.mark.slow
def test_nothing_of_a_file_reaches_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    bell = "\x1b]0;x\x07\x9b31m\u202e"
    text = template(f"Bot{bell}", f"Table{bell}", f"Some::{bell}", f"/x{bell}", f"GET{bell}")
    Path("template.json").write_text(text.replace("Resources", "Unknown", 0), encoding="utf-8")
    Path("model.yaml").write_text(OLD, encoding="utf-8")
    for arguments in (
        ["import", "template.json"],
        ["import", "template.json", "-o", "new.yaml"],
        ["import", "template.json", "--update", "model.yaml"],
        ["-m", "new.yaml", "check"],
        ["-m", "new.yaml", "--dfd"],
        ["-m", "new.yaml", "--json"],
        ["-m", "new.yaml", "--report"],
        ["-m", "new.yaml", "--seq"],
        ["-m", "new.yaml", "--pytm"],
    ):
        assert main(arguments) in {0, 1}
        out, err = capsys.readouterr()
        assert not hidden(out + err), arguments
