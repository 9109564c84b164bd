"""Hostile templates are bounded, and whatever a template is, it is read or refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from tests.stacks.cloudformation.reading_templates import TREES, value_of
from tests.support import working_at_most
from threatmodel.reading.problems import InputError, Problem
from threatmodel.stacks.cloudformation.document import DEEPEST, MOST_REPEATED
from threatmodel.stacks.cloudformation.reader import read
from threatmodel.stacks.values import Joined, List, Node, Scalar, Table, Unknown, shape_of
from threatmodel.stacks.work import CHARACTERS, USUAL_WORK, VALUES


def test_nested_joins() -> None:
    deep = 60
    found = value_of("!Join ['', [a, " * deep + "b" + "]]" * deep)
    assert isinstance(found, Scalar)
    assert found.value == "a" * deep + "b"


@pytest.mark.parametrize("text", ["!Join ['', [a, ", '{"Fn::Join": ["", ["a", ', "[", "{a: ", "!If [Prod, a, "])
def test_a_thousand_levels_are_refused(text: str) -> None:
    for levels in (1000, 100_000):
        with working_at_most(seconds=2), pytest.raises(InputError, match=f"nested deeper than {DEEPEST} levels"):
            value_of(text * levels)


@pytest.mark.parametrize("function", ["Fn::Base64", "Fn::ToJsonString", "Fn::Length", "Fn::Not", "Fn::Shout", "Ref"])
def test_deepest_nesting_of_each_function(function: str) -> None:
    deep = DEEPEST - 4
    found = value_of(f'{{"{function}": ' * deep + "a" + "}" * deep)
    assert isinstance(found, Scalar | Unknown)


def test_aliases_that_blow_up() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10)
    )
    with working_at_most(seconds=2), pytest.raises(InputError, match=f"aliases repeat more than {MOST_REPEATED} nodes"):
        read(bomb, "f")


def test_aliases_that_nest() -> None:
    chain = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 300))
    with pytest.raises(InputError, match=f"nested deeper than {DEEPEST} levels"):
        read(chain + "Resources: {}\n", "f")


def test_conditions_in_long_chains() -> None:
    chain = "".join(f"  C{n}: !Not [!Condition C{n + 1}]\n" for n in range(5000))
    stack = read(f"Conditions:\n{chain}  C5000: !Equals [a, a]\nResources: {{Bot: {{Type: T, Condition: C0}}}}\n", "f")[
        0
    ]
    assert stack.resources["Bot"].doubt is not None


HALF = "x" * 4000
GROWING = {
    "texts of parameters": (f"Parameters: {{P: {{Type: String, Default: {HALF}}}}}\n", f"!Sub '{'${P}' * 40_000}'"),
    "lists of parameters": (
        f"Parameters: {{P: {{Type: CommaDelimitedList, Default: '{'a,' * 2000}'}}}}\n",
        f"[{'!Ref P, ' * 50_000}]",
    ),
    "lengths of lists": (
        f"Parameters: {{P: {{Type: CommaDelimitedList, Default: '{'a,' * 2000}'}}}}\n",
        f"[{'!Length {Ref: P}, ' * 50_000}]",
    ),
    "texts of mappings": (
        f"Mappings: {{M: {{a: {{b: {HALF * 20}}}}}}}\n",
        f"[{'!Split [x, !FindInMap [M, a, b]], ' * 10_000}]",
    ),
    "variables of texts": ("", f"!Sub ['{'${A}' * 40_000}', {{A: !Join ['', [{'!Ref Bot, ' * 4000}]]}}]"),
    "names of parameters without a text": (
        f"Parameters: {{{'P' * 200}: {{Type: String, Default: ''}}}}\n",
        "!Sub ['${A}${A}', {A: " * 26 + f"!Ref {'P' * 200}" + "}]" * 26,
    ),
    "regions": ("", f"!Sub '{'${AWS::Region}' * 300_000}'"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", GROWING)
def test_no_template_grows_beyond_bounds(name: str) -> None:
    more, text = GROWING[name]
    with working_at_most(seconds=10):
        found = value_of(text, more)
    assert len(shape_of(found)) < 2 * USUAL_WORK * VALUES * CHARACTERS


def test_longest_default_of_a_parameter() -> None:
    found = value_of("!Ref P", f"Parameters: {{P: {{Type: String, Default: {'x' * 5000}}}}}\n")
    assert isinstance(found, Unknown)
    assert "xx" not in found.why


SECTIONS = st.sampled_from(["Parameters", "Mappings", "Conditions", "Globals", "Transform", "Resources", "Outputs"])


@given(TREES)
@example({"Resources": {"Bot": {"Type": "a", "Properties": {"Fn::If": []}}}})
def test_any_tree_is_read_or_refused(tree: object) -> None:
    read_or_refused(json.dumps(tree))
    read_or_refused(yaml.safe_dump(tree))


@pytest.mark.slow
@given(st.dictionaries(SECTIONS, TREES, max_size=4), st.dictionaries(st.sampled_from(["Bot", "Orders"]), TREES), TREES)
def test_any_sections_are_read_or_refused(sections: dict[str, Any], resources: dict[str, Any], properties: Any) -> None:
    bot = {"Bot": {"Type": "AWS::Serverless::Function", "Properties": {"A": properties}}}
    read_or_refused(json.dumps(sections | {"Resources": resources | bot}))


@given(
    st.text(st.characters(codec="utf-8"), max_size=200) | st.text("&*!<>-?:{}[],'\"|#% \n\tabRef", max_size=60),
)
def test_any_text_is_read_or_refused(text: str) -> None:
    read_or_refused(text)
    read_or_refused(f"Resources: {{Bot: {{Type: T, Properties: {{A: {text}}}}}}}")
    read_or_refused(f"Resources:\n  Bot:\n    {text}")


def read_or_refused(text: str) -> None:
    """Raises nothing but InputError, and tells no place outside the text."""
    try:
        found = read(text, "f")[0]
    except InputError as error:
        problems: tuple[Problem, ...] = error.problems
    else:
        problems = found.problems
    last = text.count("\n") + 2  # where the end of the text counts as a line
    assert all(1 <= one.place.line <= last for one in problems)


SECRET = "hunter2hunter2"


@given(TREES)
def test_no_value_gets_into_words(tree: Any) -> None:
    """Whatever is done with a parameter, its value is in no reason and no message."""
    text = json.dumps(
        {
            "Parameters": {"Stage": {"Type": "String", "Default": SECRET}},
            "Conditions": {"Prod": {"Fn::Equals": [{"Ref": "Stage"}, SECRET]}, "Always": {"Fn::Equals": ["a", "a"]}},
            "Resources": {
                "Bot": {
                    "Type": "AWS::SQS::Queue",
                    "Properties": {
                        "A": tree,
                        "B": {"Fn::FindInMap": ["Sizes", {"Ref": "Stage"}, "Memory"]},
                        "C": {"Fn::FindInMap": [{"Ref": "Stage"}, "a", "Memory"]},
                        "D": {"Fn::GetAtt": ["Bot", {"Ref": "Stage"}]},
                        "E": {"Fn::ImportValue": {"Fn::Sub": "${Stage}-vpc"}},
                        "F": {"Fn::Select": [{"Ref": "Stage"}, ["a"]]},
                    },
                }
            },
        }
    )
    stack = read(text, "f")[0]
    words = [one.message + one.hint for one in stack.problems]
    words += [one.why for node in stack.resources["Bot"].properties.entries.values() for one in every_unknown(node)]
    assert not [one for one in words if SECRET in one]


def every_unknown(node: Node) -> Iterator[Unknown]:
    """All that is unknown in a node, also in what defaults give."""
    match node:
        case Unknown(usual=usual):
            yield node
            if usual is not None:
                yield from every_unknown(usual)
        case Joined(parts=parts):
            yield from (part for part in parts if isinstance(part, Unknown))
        case Table(entries=entries):
            for child in entries.values():
                yield from every_unknown(child)
        case List(items=children):
            for child in children:
                yield from every_unknown(child)
