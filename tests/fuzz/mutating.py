"""Inputs made wrong on purpose: data by type and place, text by line and character."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import yaml

Spot = tuple[Any, Any]
"""A container, and the key or index in it."""


def nested(levels: int, inner: Any = 1) -> Any:
    for level in range(levels):
        inner = [inner] if level % 2 else {"a": inner}
    return inner


ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**63, 10**400, -0.0, 1.5, 1e308, float("inf"), float("nan")),
    *("", " ", "\n", "a\nb: c", "- x", "#", "null", "~", "yes", "1", "-1", "1e999", "0x10", "2026-02-30", "9999-12-31"),
    *("\x00", "\x07\x1b[31m", "\u202eabc", "\u2028", "\ufeff", "\U0001f600" * 50, "e\u0301", "\u017f", "İ", "\ud800"),
    *("{", "}", "{0}", "{a.b}", "%s", "%(a)s", "${", "${}", "${A.B}", "${self:}", "${self:custom}", "${opt:a, }", "$"),
    *("{{resolve:ssm:a}}", "{{resolve:", "!Ref A", "*", "**", "?", "[", "]", "[a-", "\\", "'", '"', "`", "|", "<b>"),
    *("../../../etc/passwd", "/", "/dev/zero", ".", "..", "~root", "a" * 5000, "a." * 500, "a:" * 500, "/" * 300),
    *(
        "arn:aws:s3:::*",
        "arn:aws:iam::111122223333:role/x",
        "arn:",
        ":::::",
        "rate(5 minutes)",
        "cron(",
        "AWS::NoValue",
    ),
    *([], {}, [None], [[]], {"": None}, {"Ref": None}, {"Ref": "Nope"}, {"Ref": []}, {"Fn::GetAtt": "x"}, {"a": {}}),
    *({"Fn::If": ["x"]}, {"Fn::Sub": ["${A}", []]}, {"Fn::Join": [1, 2]}, {"Fn::ImportValue": {"Ref": "AWS::Region"}}),
    *({"Fn::GetAtt": ["A", {"Ref": "B"}]}, {"Ref": "AWS::NoValue"}, {"Fn::Select": [99, ["a"]]}, {"Fn::Nope": {}}),
    *(nested(20), nested(70), nested(300), ["x"] * 300, {f"k{n}": n for n in range(300)}),
)
KEYS = ("", " ", "a b", "Type", "Properties", "id", "name", "<<", "null", "1", "\x1b", "\u202e", "é", "{x}", "x" * 300)


class Long(yaml.CSafeLoader):
    """YAML with CloudFormation's short tags as the functions that they stand for."""


def _long(loader: Long, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any = None
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    elif isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


Long.add_multi_constructor("!", _long)


def data_of(text: str) -> Any:
    """The data in a YAML or JSON text."""
    return yaml.load(text, Long)  # noqa: S506 - a safe loader with tags that make plain data


def text_of(data: Any, random: Random) -> str:
    """Data as text: as JSON, which is YAML too, or as YAML's blocks."""
    if random.random() < 0.7:
        return json.dumps(data, ensure_ascii=random.random() < 0.5, indent=random.choice([None, 1]), default=str)
    return yaml.safe_dump(json.loads(json.dumps(data, default=str)), sort_keys=False, allow_unicode=True)


def toml_of(data: Any) -> str:
    """Data as TOML, all of it on one line for each key; where TOML has no such value, what a hand would write."""
    return "".join(f"{_inline(name)} = {_inline(value)}\n" for name, value in _pairs(data))


def _pairs(data: Any) -> list[tuple[str, Any]]:
    return [(str(name), value) for name, value in data.items()] if isinstance(data, dict) else [("x", data)]


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_inline(name)} = {_inline(one)}' for name, one in _pairs(value))}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_inline, value))}]"
    return "nan" if value is None else json.dumps(value, default=str)


def spots(data: Any) -> Iterator[Spot]:
    """Every place in data, without recursion."""
    waiting = [data]
    while waiting:
        node = waiting.pop()
        keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
        for key in keys:
            yield node, key
            waiting.append(node[key])


def mutated(data: Any, others: list[Any], random: Random) -> Any:
    """Data with one to four changes; `others` are what parts are taken from."""
    data = copy.deepcopy(data)
    for _ in range(random.choice([1, 1, 1, 2, 4])):
        found = list(spots(data))
        if not found:
            return random.choice(ODD)
        node, key = random.choice(found)
        random.choice(CHANGES)(node, key, found, others, random)
    return data


def _odd(node: Any, key: Any, _found: list[Spot], _others: list[Any], random: Random) -> None:
    node[key] = copy.deepcopy(random.choice(ODD))


def _alike(node: Any, key: Any, found: list[Spot], others: list[Any], random: Random) -> None:
    """Another value of its type, so that what comes behind the first look gets something to do too."""
    value = node[key]
    if isinstance(value, bool):
        node[key] = not value
        return
    same = [copy.deepcopy(other[at]) for other, at in found if type(other[at]) is type(value)]
    away = [copy.deepcopy(other[at]) for other, at in spots(random.choice(others)) if type(other[at]) is type(value)]
    node[key] = random.choice([random.choice(same), random.choice(away or same)])


def _delete(node: Any, key: Any, _found: list[Spot], _others: list[Any], _random: Random) -> None:
    del node[key]


def _duplicate(node: Any, key: Any, _found: list[Spot], _others: list[Any], random: Random) -> None:
    if isinstance(node, list):
        node[key:key] = [copy.deepcopy(node[key]) for _ in range(random.choice([1, 1, 40]))]
    else:
        node[random.choice([f"{key}2", f"{key}".upper(), *KEYS])] = copy.deepcopy(node[key])


def _rename(node: Any, key: Any, _found: list[Spot], _others: list[Any], random: Random) -> None:
    if isinstance(node, dict):
        node[random.choice(KEYS)] = node.pop(key)


def _swap(node: Any, key: Any, found: list[Spot], _others: list[Any], random: Random) -> None:
    other, place = random.choice(found)
    node[key], other[place] = copy.deepcopy(other[place]), copy.deepcopy(node[key])


def _wrap(node: Any, key: Any, _found: list[Spot], _others: list[Any], random: Random) -> None:
    node[key] = random.choice([[node[key]], {"Ref": node[key]}, {"a": node[key]}, [node[key], node[key]]])


def _graft(node: Any, key: Any, _found: list[Spot], others: list[Any], random: Random) -> None:
    other, place = random.choice(list(spots(random.choice(others))))
    node[key] = copy.deepcopy(other[place])


def _refer(node: Any, key: Any, found: list[Spot], _others: list[Any], random: Random) -> None:
    """A reference to something else in it, or to itself: circles come of these."""
    other, place = random.choice(found)
    named = place if isinstance(other, dict) else copy.deepcopy(other[place])  # what it refers to never holds it
    node[key] = random.choice([named, {"Ref": named}, {"Fn::GetAtt": [named, "Arn"]}, f"${{{named}}}", [named]])


def _spoil(node: Any, key: Any, _found: list[Spot], _others: list[Any], random: Random) -> None:
    if isinstance(node[key], str):
        at = random.randrange(len(node[key]) + 1)
        put = random.choice([one for one in ODD if isinstance(one, str)])
        node[key] = node[key][:at] + put + node[key][at + random.choice([0, 1, 5]) :]
    else:
        node[key] = str(node[key])


CHANGES: tuple[Callable[[Any, Any, list[Spot], list[Any], Random], None], ...] = (
    *(
        _odd,
        _odd,
        _odd,
        _alike,
        _alike,
        _alike,
        _delete,
        _delete,
        _duplicate,
        _rename,
        _swap,
        _wrap,
        _graft,
        _refer,
        _refer,
        _spoil,
    ),
)


def garbled(text: str, random: Random) -> str:
    """Text with one to three changes to its lines and characters."""
    lines = text.split("\n")
    for _ in range(random.choice([1, 1, 2, 3])):
        at = random.randrange(len(lines))
        put = random.choice([str(one) for one in ODD if isinstance(one, str | int | float | bool)])
        match random.randrange(8):
            case 0:
                del lines[at : at + random.choice([1, 1, 10])]
            case 1:
                lines[at:at] = lines[at : at + random.choice([1, 5])]
            case 2:
                lines[at] = random.choice([" ", "  ", "\t", "- ", "&a ", "*a ", "? ", "!x "]) + lines[at]
            case 3:
                lines[at] = lines[at][1:]
            case 4:
                name, colon, _ = lines[at].partition(":")
                lines[at] = f"{name}{colon} {put}"
            case 5:
                cut = random.randrange(len(lines[at]) + 1)
                lines[at] = lines[at][:cut] + put + lines[at][cut:]
            case 6:
                lines[at:] = lines[at:][: random.randrange(5)]
            case _:
                other = random.randrange(len(lines))
                lines[at], lines[other] = lines[other], lines[at]
        lines = lines or [""]
    return "\n".join(lines)
