"""The data files are read strictly."""

from __future__ import annotations

from pathlib import Path

import pytest

from threatmodel.evidence.mappings.format import PathPart, parse_path
from threatmodel.evidence.mappings.load import read_mappings
from threatmodel.reading.problems import InputError

TEMPLATE = """\
elements: {{function: [AWS::Lambda::Function]}}
gathered: {{function: {{env: [{{at: Environment.Variables, as: variables}}]}}}}
facts: {{{facts}}}
{more}
"""


def problems_of(folder: Path, text: str) -> list[str]:
    """What reading a file of this text says."""
    file = folder / "places.yaml"
    file.write_text(text, encoding="utf-8")
    try:
        read_mappings(file)
    except InputError as error:
        return [f"{problem.code}: {problem.message}" for problem in error.problems]
    return []


RIGHT = [
    "runtime: [{at: Runtime, value: as-is}]",
    'reserved_concurrency: [{at: R, words: {"-1": null}, value: as-is, left_out: null}]',
    "environment_holds_secret: [{gather: env, analysis: secret-in-environment}, {otherwise: false}]",
    "role_shared: [{via: [{to: [AWS::IAM::Role], by: Role}], says: true}]",
    "in_vpc: [{at: Vpc.SubnetIds, words: {}}]",
    "timeout_seconds: [{via: [{from: [T], by: 'A[X=1,Y=*]{}', where: {Z: b}}], at: 'A{x}', value: as-is, over: sum}]",
]


@pytest.mark.parametrize("fact", RIGHT)
def test_right_place_is_read(tmp_path: Path, fact: str) -> None:
    assert problems_of(tmp_path, TEMPLATE.format(facts=f"function: {{{fact}}}", more="")) == []


WRONG = {
    "runtimes: [{at: Runtime, value: as-is}]": "unknown-fact: 'runtimes' is no fact",
    "runtime_supported: [{at: Runtime, words: {}}]": "unknown-fact: function.runtime_supported is computed",
    "in_vpc: [{at: A, says: maybe}]": "wrong-type: function.in_vpc cannot be 'maybe'",
    "in_vpc: [{at: A, says: null}]": "wrong-type: function.in_vpc cannot be null",
    "in_vpc: [{at: A, words: {x: 1}}]": "wrong-type: function.in_vpc cannot be 1",
    "in_vpc: [{otherwise: none}]": "wrong-type: function.in_vpc cannot be 'none'",
    "timeout_seconds: [{at: A, says: true}]": "wrong-type: function.timeout_seconds cannot be true",
    "timeout_seconds: [{at: A, value: as-is, left_out: 901}]": "wrong-type: function.timeout_seconds cannot be 901",
    "timeout_seconds: [{at: A, value: negated}]": "wrong-type: 'value: negated' is not for",
    "timeout_seconds: [{at: A, value: asis}]": "unknown-word: 'value' is 'asis'",
    "timeout_seconds: [{at: A, value: as-is, over: any}]": "wrong-type: 'over: any' is not for",
    "timeout_seconds: [{at: A, value: as-is, over: all}]": "unknown-word: 'over' is 'all'",
    "log_format: [{at: A, words: {JSON: JSON}}]": "wrong-type: function.log_format cannot be 'JSON'",
    "log_format: [{at: A, words: {JSON: json}, over: sum}]": "wrong-type: 'over: sum' is not for",
    "in_vpc: [{at: A}]": "wrong-type: a place has one predicate, and this has none",
    "in_vpc: [{at: A, says: true, words: {}}]": "wrong-type: a place has one predicate, and this has says, words",
    "in_vpc: [{words: {a: true}}]": "missing-key: a place with 'words' has no 'at'",
    "in_vpc: [{says: true, left_out: false}]": "missing-key: a place with 'says' has no 'at'",
    "in_vpc: [{at: A, otherwise: true}]": "unknown-key: 'at' says nothing beside 'otherwise'",
    "in_vpc: [{at: 'A..B', says: true}]": "wrong-type: 'at' is 'A..B', which is no path",
    "in_vpc: [{at: '[].B', says: true}]": "wrong-type: 'at' is '[].B', which is no path",
    "in_vpc: [{at: 'A[x]', says: true}]": "wrong-type: 'at' is 'A[x]', which is no path",
    "in_vpc: [{in: [AWS::Lambda::Alias], at: A, says: true}]": "unknown-reference: 'AWS::Lambda::Alias' is not among",
    "in_vpc: [{via: [{to: [T]}], says: true}]": "wrong-type: this is no step",
    "in_vpc: [{via: [{any: [T], by: A}], says: true}]": "wrong-type: this is no step",
    "in_vpc: [{via: [{to: [T], from: [T], by: A}], says: true}]": "wrong-type: this is no step",
    "in_vpc: [{calls: [{call: 'a:GetB'}], says: true}]": "unknown-key: 'calls' is not a key of a place",
    "in_vpc: [{gather: env, analysis: publicity}]": "unknown-word: 'publicity' is no analysis",
    "in_vpc: [{gather: envs, analysis: secret-in-environment}]": "unknown-reference: nothing of the name 'envs'",
    "in_vpc: [{gather: env, analysis: several}]": "wrong-type: 'several' takes user, but variables is gathered",
    "in_vpc: [{gather: env, analysis: egress}]": "wrong-type: the analysis 'egress' does not answer function.in_vpc",
    "in_vpc: [{analysis: secret-in-environment}]": "missing-key: a place with 'analysis' has no 'gather'",
    "in_vpc: [{at: A, gather: env, analysis: several}]": "unknown-key: 'at' says nothing beside 'analysis'",
    "in_vpc: []": "wrong-type: a fact 'in_vpc' is empty",
}


@pytest.mark.parametrize(("fact", "problem"), WRONG.items())
def test_wrong_place_is_refused(tmp_path: Path, fact: str, problem: str) -> None:
    found = problems_of(tmp_path, TEMPLATE.format(facts=f"function: {{{fact}}}", more=""))
    assert any(one.startswith(problem) for one in found), found


@pytest.mark.parametrize(
    ("facts", "more", "problem"),
    [
        ("functions: {}", "", "unknown-kind: 'functions' is no kind of element"),
        (
            "account: {budget_alert: [{at: A, says: true}]}",
            "",
            "wrong-type: no resource is an element of the kind account",
        ),
        ("", "permissions: {}", "unknown-key: 'permissions' is not a key"),
    ],
)
def test_wrong_file_is_refused(tmp_path: Path, facts: str, more: str, problem: str) -> None:
    found = problems_of(tmp_path, TEMPLATE.format(facts=facts, more=more))
    assert any(one.startswith(problem) for one in found), found


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("A", [PathPart("key", "A")]),
        ("A.b_2", [PathPart("key", "A"), PathPart("key", "b_2")]),
        ("A[].B", [PathPart("key", "A"), PathPart("items"), PathPart("key", "B")]),
        ("A{}", [PathPart("key", "A"), PathPart("values")]),
        ("A{*/*}.b", [PathPart("key", "A"), PathPart("key", "*/*"), PathPart("key", "b")]),
        ("A[x=/*,y=$1]", [PathPart("key", "A"), PathPart("items", where=(("x", "/*"), ("y", "$1")))]),
    ],
)
def test_path(text: str, parts: list[PathPart]) -> None:
    assert parse_path(text) == tuple(parts)


@pytest.mark.parametrize(
    "text", ["", ".", ".A", "A.", "A B", "A[", "A]", "A[x]", "A[=x]", "A[x=]", "[]", "{}", "A.[]", "A{}B"]
)
def test_no_path(text: str) -> None:
    assert parse_path(text) is None
