"""A Terraform plan as `terraform show -json` prints it, from values by address: how attempts write their plans."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

import yaml

_REFERENCE = re.compile(r"\$\{((?:data\.)?\w+\.\w+)\.(\w+)\}")
_ADDRESS = re.compile(r'((?:module\.\w+\.)*)(data\.)?(\w+)\.(\w+)(?:\[(?:(\d+)|"([^"]+)")\])?')


class _Module(NamedTuple):
    """One module: what is planned in it, and its blocks in the configuration."""

    planned: dict[str, Any]
    written: dict[str, Any]


def as_plan(text: str) -> str:
    """The plan of a YAML text: ``${type.name.attribute}`` refers, ``?`` is not known.

    An address may be in modules (``module.a.type.name``), be one of several (``type.name[0]``, ``type.name["a"]``) or
    a data source (``data.type.name``).  What is under ``plan`` belongs to the plan as a whole; of a resource
    ``$provider`` is its provider's configuration, ``$forget`` that it is forgotten, ``$provisioners`` what runs then.
    """
    whole = yaml.load(text, Loader=yaml.CSafeLoader)
    top = whole.pop("plan", {})
    modules: dict[str, _Module] = {"": _Module({"resources": []}, {"resources": []})}
    changes = [_add(modules, address, values or {}) for address, values in whole.items()]
    return json.dumps(
        {
            "format_version": "1.2",
            "timestamp": "2026-11-24T12:00:00Z",
            "planned_values": {"root_module": modules[""].planned},
            "resource_changes": changes,
            "configuration": {"root_module": modules[""].written},
        }
        | top
    )


def _add(modules: dict[str, _Module], address: str, values: dict[str, Any]) -> dict[str, Any]:
    """Adds a resource to its module; its change."""
    found = _ADDRESS.fullmatch(address)
    if found is None:
        raise ValueError(f"{address!r} is no address")
    at, data, kind, name, number, key = found.groups()
    module = _module(modules, at)
    own = {one: value for one, value in values.items() if not one.startswith("$")}
    raw = {"address": address, "mode": "data" if data else "managed", "type": kind, "name": name}
    index: dict[str, Any] = {"index": int(number)} if number else {"index": key} if key else {}
    if values.get("$forget"):
        return {**raw, **index, "change": {"actions": ["forget"], "before": own, "after": None, "after_unknown": {}}}
    module.planned["resources"].append({**raw, **index, "values": _known(own)})
    unknown = {one: True for one in ("id", "arn") if one not in own} | _unknown(own)
    block = {
        **raw,
        "address": f"{data or ''}{kind}.{name}",
        "expressions": {one: _expression(value) for one, value in own.items()},
        "provider_config_key": values.get("$provider", "aws"),
    }
    if "$provisioners" in values:
        block["provisioners"] = values["$provisioners"]
    if all(one["address"] != block["address"] for one in module.written["resources"]):
        module.written["resources"].append(block)
    return {**raw, **index, "change": {"actions": ["create"], "after_unknown": unknown}}


def _module(modules: dict[str, _Module], at: str) -> _Module:
    """The module at an address such as ``module.a.module.b.``, made with those around it where it is not there."""
    if at not in modules:
        around, _, name = at.removesuffix(".").rpartition("module.")
        outer = _module(modules, around)
        modules[at] = _Module({"address": at.removesuffix("."), "resources": []}, {"resources": []})
        outer.planned.setdefault("child_modules", []).append(modules[at].planned)
        outer.written.setdefault("module_calls", {})[name] = {"expressions": {}, "module": modules[at].written}
    return modules[at]


def _open(value: Any) -> bool:
    return isinstance(value, str) and (value == "?" or _REFERENCE.search(value) is not None)


def _known(value: Any) -> Any:
    """The values of a plan without those that are known after apply only."""
    match value:
        case dict():
            return {key: _known(one) for key, one in value.items() if not _open(one)}
        case list():
            return [_known(one) for one in value if not _open(one)]
        case _:
            return value


def _unknown(value: Any) -> Any:
    """Which values are known after apply only, in the shape of the values."""
    match value:
        case dict():
            return {key: _unknown(one) for key, one in value.items() if _unknown(one)}
        case list():
            return [_unknown(one) for one in value] if any(map(_unknown, value)) else False
        case _:
            return _open(value)


def _expression(value: Any) -> Any:
    """What the configuration says of an argument: a constant, or what it refers to."""
    match value:
        case [dict(), *_]:
            return [{key: _expression(inner) for key, inner in one.items()} for one in value]
        case _:
            found = [f"{one[1]}.{one[2]}" for one in _REFERENCE.finditer(str(value))]
            every = [name for one in found for name in (one, one.rpartition(".")[0])]
            return {"references": every} if every else {} if value == "?" else {"constant_value": value}
