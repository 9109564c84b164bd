"""The flat attributes of a Terraform state of version 3 as nested values: ``ports.#``, ``ports.0``, ``tags.%``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_COUNT, _SIZE = "#", "%"
_DEEPEST = 60
_WORDS = {"true": True, "false": False}


def nested(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes as nested values.  Numbers stay texts; the keys of sets are dropped."""
    tree: dict[str, Any] = {}
    for name, value in attributes.items():
        inside, steps = tree, name.split(".")
        for step in steps[:_DEEPEST][:-1]:
            following = inside.setdefault(step, {})
            inside = following if isinstance(following, dict) else inside
        inside[".".join(steps[_DEEPEST - 1 :]) if len(steps) > _DEEPEST else steps[-1]] = value
    return {name: _value(one) for name, one in tree.items()}


def _value(node: Any) -> Any:
    if not isinstance(node, dict):
        return _WORDS.get(node, node) if isinstance(node, str) else node
    if _COUNT in node:
        return [_value(one) for key, one in node.items() if key != _COUNT]
    return {key: _value(one) for key, one in node.items() if key != _SIZE}
