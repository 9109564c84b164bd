"""What is weaker than what, as `weaker.yaml` tells it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

NO_VALUE = {"Ref": "AWS::NoValue"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Weak:
    """A value that is worse: its class, and what it needs beside it (resources, parameters, conditions)."""

    value: Any
    weakening: str
    needs: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Row:
    """A property: the controls that rest on it, what is worse, and why leaving it out is as good ('' where it is not).

    `plain`: the language allows no functions there.  `add`: a good value is none at all.  `settled`: why something else
    makes sure of the value, however it comes about, so that only the weak values themselves are tried.
    """

    path: str
    rests: tuple[str, ...]
    weak: tuple[Weak, ...]
    left_out: str
    settled: str
    plain: bool
    add: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """All of it: rows by type, controls that rest on a resource's being there, what is added beside an element."""

    rows: Mapping[str, tuple[Row, ...]]
    resources: Mapping[str, tuple[str, ...]]
    additions: Mapping[str, tuple[Mapping[str, Any], ...]]
    beside: Mapping[str, tuple[str, ...]]


@cache
def table(name: str = "weaker.yaml") -> Table:
    """The table of a file beside this one."""
    data = yaml.safe_load(Path(__file__).with_name(name).read_text(encoding="utf-8"))
    return Table(
        rows={
            kind: tuple(_row(path, row) for path, row in rows.items())
            for kind, rows in data.get("properties", {}).items()
        },
        resources={kind: tuple(controls) for kind, controls in data.get("resources", {}).items()},
        additions={kind: tuple(rows) for kind, rows in data.get("additions", {}).items()},
        beside={kind: tuple(controls) for kind, controls in data.get("beside", {}).items()},
    )


def _row(path: str, row: Mapping[str, Any]) -> Row:
    return Row(
        path=path,
        rests=tuple(row["rests"]),
        weak=tuple(_weak(one) for one in row.get("weak", ())),
        left_out=row.get("left_out", ""),
        settled=row.get("settled", ""),
        plain=row.get("plain", False),
        add=row.get("add", False),
    )


def _weak(one: Any) -> Weak:
    if isinstance(one, dict) and "value" in one and one.keys() <= {"value", "as", "with", "parameters", "conditions"}:
        needs = {
            section: one[key]
            for key, section in (("with", "Resources"), ("parameters", "Parameters"), ("conditions", "Conditions"))
            if key in one
        }
        return Weak(value=one["value"], weakening=one.get("as") or _class_of(one["value"]), needs=needs)
    return Weak(value=one, weakening=_class_of(one), needs={})


def _class_of(value: Any) -> str:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return "bound" if is_number else "remove" if value == [] else "flip"


def applied(value: Any, good: Any) -> Any:
    """A weak value, where it is a change of the good one."""
    if not isinstance(value, dict) or len(value) != 1:
        return value
    (key, change), *_ = value.items()
    match key:
        case "+merge":
            return {**(copy.deepcopy(good) if isinstance(good, dict) else {}), **change}
        case "+append":
            return [*copy.deepcopy(good if isinstance(good, list) else []), *change]
        case "+prepend":
            return [*change, *copy.deepcopy(good if isinstance(good, list) else [])]
        case "+drop":
            return {name: inner for name, inner in good.items() if name not in change}
        case _:
            return value


def filled(tree: Any, names: Mapping[str, str]) -> Any:
    """A tree with the names of resources in place of `$self`, `$role` ..."""
    if isinstance(tree, dict):
        return {filled(key, names): filled(inner, names) for key, inner in tree.items()}
    if isinstance(tree, list):
        return [filled(inner, names) for inner in tree]
    if isinstance(tree, str):
        for name, value in names.items():
            tree = tree.replace(f"${name}", value)
    return tree
