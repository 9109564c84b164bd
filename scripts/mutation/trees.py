"""Infrastructure code as plain data: read in the long form of functions, changed at a path, written again."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

import yaml

Path = tuple[str | int, ...]
AGAIN = "__again"
"""After a key: the same key again, which overrides the first."""
GONE = object()
"""In place of a value: the key is taken away."""


class _Loader(yaml.SafeLoader):
    """Reads a template with the short forms of functions written out; a date stays a text."""


def _long(loader: _Loader, suffix: str, node: yaml.Node) -> Any:
    value = (
        loader.construct_scalar(node)
        if isinstance(node, yaml.ScalarNode)
        else loader.construct_sequence(node, deep=True)
        if isinstance(node, yaml.SequenceNode)
        else loader.construct_mapping(node, deep=True)
        if isinstance(node, yaml.MappingNode)
        else None
    )
    if suffix in {"Ref", "Condition"}:
        return {suffix: value}
    if suffix == "GetAtt" and isinstance(value, str):
        return {"Fn::GetAtt": value.split(".", 1)}
    return {f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _long)
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


class _Dumper(yaml.CSafeDumper):
    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - what PyYAML asks
        return True


def read(text: str) -> Any:
    """The data of a template."""
    return yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader with the functions of templates


def written(tree: Any) -> str:
    """Return the text of a tree; a key with AGAIN occurs twice."""
    return re.sub(rf"{AGAIN}\d*", "", yaml.dump(tree, Dumper=_Dumper, sort_keys=False, width=120))


def at(tree: Any, path: Path) -> Any:
    """Return the value at a path, GONE if there is none."""
    inner: Any = tree
    for step in path:
        in_table = isinstance(inner, dict) and step in inner
        in_list = isinstance(inner, list) and isinstance(step, int) and step < len(inner)
        if not (in_table or in_list):
            return GONE
        inner = inner[int(step)] if isinstance(inner, list) else inner[step]
    return inner


def changed(tree: Any, path: Path, value: Any) -> Any:
    """A tree with another value at a path, or with none (GONE); tables on the way are made.

    What is not on the way is shared with the tree that was given, which stays as it is.
    """
    step, *rest = path
    inner = copy.copy(tree)
    if rest:
        found = inner[int(step)] if isinstance(inner, list) else inner.get(step, {})
        inner[step] = changed(found, tuple(rest), value)
    elif value is not GONE:
        inner[step] = value
    elif isinstance(inner, list):
        del inner[int(step)]
    else:
        inner.pop(step, None)
    return inner


def places(tree: Any, pattern: str) -> Iterator[Path]:
    """The paths that a pattern means: names joined by dots, numbers for items, `*` for each item or key."""

    def below(inner: Any, steps: list[str], so_far: Path) -> Iterator[Path]:
        if not steps:
            yield so_far
            return
        step, *rest = steps
        if isinstance(inner, dict):
            for key in inner:
                if step in {"*", str(key)}:
                    yield from below(inner[key], rest, (*so_far, key))
        elif isinstance(inner, list):
            for number, item in enumerate(inner):
                if step in {"*", str(number)}:
                    yield from below(item, rest, (*so_far, number))

    return below(tree, pattern.split("|") if "|" in pattern else pattern.split("."), ())
