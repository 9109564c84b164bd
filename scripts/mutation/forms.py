"""The forms in which a template can say something weaker than it seems to: one list, applied to every place.

A form turns a good value and a worse one into a replacement in the template, with the parameters, conditions and
mappings that it needs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from scripts.mutation.table import NO_VALUE

Needs = Mapping[str, Mapping[str, Any]]


class Form(NamedTuple):
    """The replacement: the class and name of the form, the value, and what it needs elsewhere."""

    weakening: str
    name: str
    value: Any
    needs: Needs


NEVER: Mapping[str, Mapping[str, Any]] = {
    "literals": {"Fn::Equals": ["a", "b"]},
    "not": {"Fn::Not": [{"Fn::Equals": ["a", "a"]}]},
    "and": {"Fn::And": [{"Fn::Equals": ["a", "a"]}, {"Fn::Equals": ["a", "b"]}]},
    "or": {"Fn::Or": [{"Fn::Equals": ["a", "b"]}, {"Fn::Equals": ["c", "d"]}]},
    "no-region": {"Fn::Equals": [{"Ref": "AWS::Region"}, "nowhere-1"]},
    "no-account": {"Fn::Equals": [{"Ref": "AWS::AccountId"}, "000000000000"]},
    "joined": {"Fn::Equals": [{"Fn::Join": ["", ["a", "b"]]}, "ba"]},
}
"""Conditions that hold nowhere, or in no Region and account that is known."""
_TEXT: Needs = {"Parameters": {"Setting": {"Type": "String", "Default": "good"}}}
SOME_REGION = {"Conditions": {"InOneRegion": {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]}}}
BY_SETTING: Needs = {**_TEXT, "Conditions": {"IsGood": {"Fn::Equals": [{"Ref": "Setting"}, "good"]}}}


def never(number: int) -> tuple[str, Needs]:
    """One of the conditions that never hold, another for each number."""
    name = list(NEVER)[number % len(NEVER)]
    return name, {"Conditions": {"Never": NEVER[name]}}


def some_forms(good: Any, worse: Any, number: int) -> Iterator[Form]:
    """One form of each class, another one at each place (`number`): over all places, every form comes up."""
    by_class: dict[str, list[Form]] = {}
    for form in forms(good, worse, number):
        by_class.setdefault(form.weakening, []).append(form)
    for several in by_class.values():
        yield several[number % len(several)]


def forms(good: Any, worse: Any, number: int) -> Iterator[Form]:
    """Every form in which a worse value can hide behind a good one."""
    for turn in (number, number + 3):
        name, needs = never(turn)
        yield Form("condition-never", f"never-{name}", {"Fn::If": ["Never", good, worse]}, needs)
    yield Form("condition-open", "by-setting", {"Fn::If": ["IsGood", good, worse]}, BY_SETTING)
    both = {"Fn::If": ["IsGood", good, {"Fn::If": ["InOneRegion", good, worse]}]}
    yield Form("condition-open", "nested", both, _joined(BY_SETTING, SOME_REGION))
    yield Form("wrong-region", "in-one-region", {"Fn::If": ["InOneRegion", good, worse]}, SOME_REGION)
    if isinstance(good, str | int | float) and isinstance(worse, str | int | float):
        yield from _scalars(good, worse)
    if isinstance(good, str | int | float):
        yield from _elsewhere(good)


def _scalars(good: Any, worse: Any) -> Iterator[Form]:
    mapping = {"us-east-1": {"it": good}, "eu-west-1": {"it": worse}}
    by_region = {"Fn::FindInMap": ["Values", {"Ref": "AWS::Region"}, "it"]}
    yield Form("wrong-region", "map-by-region", by_region, {"Mappings": {"Values": mapping}})
    stages = {"Mappings": {"Values": {"good": {"it": good}, "bad": {"it": worse}}}, **_TEXT}
    yield Form("condition-open", "map-by-setting", {"Fn::FindInMap": ["Values", {"Ref": "Setting"}, "it"]}, stages)
    given = {"Ref": "Value"}
    kind = "Number" if isinstance(good, int) and not isinstance(good, bool) else "String"
    text = str(good).lower() if isinstance(good, bool) else good
    bad = str(worse).lower() if isinstance(worse, bool) else worse
    yield Form("word", "parameter", given, _parameter({"Type": kind, "Default": text}))
    allowed = {"Type": kind, "Default": text, "AllowedValues": [text, bad]}
    yield Form("word", "parameter-of-two", given, _parameter(allowed))
    if kind == "Number" and isinstance(worse, int):
        least, most = sorted((int(good), worse))
        within = {"Type": kind, "Default": good, "MinValue": least, "MaxValue": most}
        yield Form("word", "parameter-in-range", given, _parameter(within))


def _elsewhere(good: Any) -> Iterator[Form]:
    text = str(good).lower() if isinstance(good, bool) else good
    kind = "Number" if isinstance(good, int) and not isinstance(good, bool) else "String"
    yield Form("word", "parameter-without-default", {"Ref": "Value"}, _parameter({"Type": kind}))
    yield Form(
        "word",
        "parameter-with-pattern",
        {"Ref": "Value"},
        _parameter({"Type": kind, "Default": text, "AllowedPattern": ".*"}),
    )
    stored = {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/shop/value"}
    yield Form("word", "parameter-of-ssm", {"Ref": "Value"}, _parameter(stored))
    yield Form("unread", "import", {"Fn::ImportValue": "shared-value"}, {})
    yield Form("unread", "resolve", "{{resolve:ssm:/shop/value:1}}", {})
    custom = {
        "Type": "Custom::Value",
        "Properties": {"ServiceToken": "arn:aws:lambda:eu-west-1:111122223333:function:v"},
    }
    yield Form("unread", "custom-resource", {"Fn::GetAtt": ["Given", "Value"]}, {"Resources": {"Given": custom}})
    yield Form("unread", "macro", {"Fn::Transform": {"Name": "Settings", "Parameters": {"Of": "value"}}}, {})


def _parameter(declared: Mapping[str, Any]) -> Needs:
    return {"Parameters": {"Value": declared}}


def _joined(*needs: Needs) -> Needs:
    return {
        section: {name: value for one in needs for name, value in one.get(section, {}).items()}
        for section in ("Parameters", "Conditions", "Mappings", "Resources")
        if any(section in one for one in needs)
    }


__all__ = ["BY_SETTING", "NO_VALUE", "SOME_REGION", "Form", "Needs", "forms", "never"]
