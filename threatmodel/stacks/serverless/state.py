"""Whether the state of a package is of a serverless.yml: every setting of the file is there, and nothing else.

The framework writes its settings after it resolved and completed them: shared values as references, events spelled out,
and some framework settings, which are listed here.  What it adds beyond these makes a package one of another file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import reduce
from typing import Any

from threatmodel.reading.problems import Place
from threatmodel.stacks.serverless.making import GrowingTemplate, deep_merged
from threatmodel.stacks.values import List, Node, Scalar, Table, Unknown, is_null, items, unknowns

_SECTIONS = ("provider", "functions", "custom", "plugins", "resources", "layers")
_ADDED: Mapping[str, frozenset[str]] = {
    "provider": frozenset((
        *("name", "stage", "region", "versionFunctions", "vpc", "deploymentBucketObject", "remoteFunctionData"),
        *("compiledCloudFormationTemplate", "coreCloudFormationTemplate"),
    )),
    "function": frozenset((
        "name", "memory", "timeout", "runtime", "package", "versionLogicalId", "targetAlias", "codeArtifactKey"
    )),
    "events": frozenset((
        *("resolvedMethod", "resolvedPath", "integration", "managedExternally", "identitySource"),
        *("identityValidationExpression", "resultTtlInSeconds", "type"),
    )),
}  # fmt: skip
"""What the framework itself adds to settings, by where."""
_MOVED = {"deploymentBucket": "deploymentBucketObject"}
"""Settings whose other form the framework keeps under another name."""
_INSIDE = {"functions": "function", "events": "events"}
"""Where one is behind a key of another; elsewhere it is plain settings."""
_REFERENCE = re.compile(r'\["([^"]*)"\]|\[(\d{1,6})\]')
_MOST_STEPS = 20


def differing(making: GrowingTemplate, state: Mapping[str, Any]) -> Iterator[tuple[str, Place]]:
    """The settings of a file that are not the same in the state of a package, and where they stand."""
    found = _Comparison(state)
    for section in _SECTIONS:
        node = making.provider if section == "provider" else _whole(making.variables.at(section))
        if node is None or _nothing(node):
            if not found.empty(state.get(section)):
                yield section, making.root.place
        else:
            yield from found.differing(section, node, state.get(section), section)


def _whole(node: Node | None) -> Node | None:
    """A section that may be a list of mappings as one mapping."""
    parts = items(node)
    if isinstance(node, List) and parts and all(isinstance(part, Table) for part in parts):
        return reduce(deep_merged, parts)
    return node


class _Comparison:
    """A file's settings held against those of a state, whose references lead within it."""

    def __init__(self, state: Mapping[str, Any]) -> None:
        self.state = {"service": state}

    def differing(self, what: str, node: Node, kept: Any, where: str) -> Iterator[tuple[str, Place]]:
        """Where a node says something else than what was kept of it; what the file alone does not tell says nothing."""
        kept = self.led(kept)
        if _nothing(node) or not is_stated(node):
            return
        match node:
            case Table(entries=inside) if isinstance(kept, dict):
                for name, child in inside.items():
                    inner = "events" if name == "events" and where == "function" else _INSIDE.get(where, "")
                    yield from self.differing(
                        f"{what}.{name}", child, kept.get(_MOVED.get(name), kept.get(name)), inner
                    )
                for name in sorted(kept.keys() - inside.keys() - _ADDED.get(where, frozenset())):
                    if not (self.empty(kept[name]) or (where == "function" and self.as_provided(name, kept[name]))):
                        yield f"{what}.{name}", node.place
            case List(items=children) if isinstance(kept, list) and len(children) == len(kept):
                for number, (child, one) in enumerate(zip(children, kept, strict=True)):
                    yield from self.differing(f"{what}[{number}]", child, one, where)
            case Scalar() if self.same(node, kept, where):
                pass
            case _ if isinstance(node, Table | List) or not any(unknowns(node)):
                yield what, node.place

    def led(self, kept: Any) -> Any:
        """What a reference such as ``{"$ref": '$["service"]["provider"]'}`` stands for, or the value itself."""
        for _ in range(_MOST_STEPS):
            if not (isinstance(kept, dict) and kept.keys() == {"$ref"} and isinstance(kept["$ref"], str)):
                return kept
            at: Any = self.state
            for name, index in _REFERENCE.findall(kept["$ref"]):
                if isinstance(at, dict) and not index:
                    at = at.get(name)
                elif isinstance(at, list) and index and int(index) < len(at):
                    at = at[int(index)]
                else:
                    return None
            kept = at
        return None

    def same(self, node: Scalar, kept: Any, where: str) -> bool:
        """Whether a single value is what was kept: events are spelled out, ``!GetAtt A.Arn`` is a list."""
        if isinstance(kept, list):
            return ".".join(map(str, kept)) == str(node.value)
        if where == "events":
            parts = str(node.value).split() if isinstance(kept, dict) else [node.value]
            return {_spelt(part) for part in parts} <= set(self.words(kept))
        return not isinstance(kept, dict) and plain(node.value) == plain(kept)

    def words(self, kept: Any, depth: int = 0) -> Iterator[str]:
        kept = self.led(kept)
        if isinstance(kept, dict | list) and depth <= _MOST_STEPS:
            for child in kept.values() if isinstance(kept, dict) else kept:
                yield from self.words(child, depth + 1)
        elif not isinstance(kept, dict | list):
            yield _spelt(kept)

    def empty(self, kept: Any) -> bool:
        return self.led(kept) in (None, {}, [], "")

    def as_provided(self, name: str, kept: Any) -> bool:
        """Whether a function's setting is the provider's, copied."""
        return name == "vpc" and bool(self.led(kept) == self.led(self.state["service"]["provider"].get(name)))


def is_stated(node: Node) -> bool:
    """Whether a file alone tells a value: no variable of it comes from elsewhere."""
    return not isinstance(node, Unknown) and not getattr(node, "given", ())


def _nothing(node: Node) -> bool:
    return is_null(node) or (
        isinstance(node, Table | List) and not (node.entries if isinstance(node, Table) else node.items)
    )  # fmt: skip


def plain(value: Any) -> str:
    """A single value as text."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _spelt(value: Any) -> str:
    return plain(value).strip("/").casefold()
