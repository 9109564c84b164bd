"""Every node of every sample, replaced in turn by values of every type: `python -m tests.fuzz.replacing`.

Nodes that stand in the same place (one path, whatever the numbers and names in it) count once for a kind of file.
The cases are the same list each time.
"""

from __future__ import annotations

import argparse
import copy
import json
import re
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from typing import Any

from tests.fuzz.cases import KINDS, Case, Kind, case_of, sample
from tests.fuzz.mutating import nested, toml_of
from tests.fuzz.running import at_work, failing

_RAW = "raw text: "
"""How a text begins of which the rest stands in the file as it is, without quotes."""

TYPES: tuple[Any, ...] = (None, True, 0, "x", [], {}, ["x"], [["x"]], [{}], {"a": {"b": "c"}}, {"Ref": "x"}, nested(20))
"""What each node is replaced by."""
LIMITS: tuple[Any, ...] = (
    *(-1.5, "", "\U0001f600 \U00020000", "\ud800", "\x00", "\x85", "::error::x", "9999-12-31", "0000-00-00"),
    *("x" * 5000, nested(55), f"{_RAW}{'[' * 900}{']' * 900}", f"{_RAW}{'[' * 100_000}{']' * 100_000}"),
    *(f"{_RAW}NaN", f"{_RAW}-Infinity", f"{_RAW}1e999", f"{_RAW}{'9' * 400}", f"{_RAW}{'9' * 5000}", f"{_RAW}01"),
    *(f'{_RAW}{{"a": 1, "a": 2}}', f'{_RAW}{{"a"}}'),
)
"""What parsers, readers and writers have limits for; each node is replaced by some of them, the next one by others."""
SOME = 4
TWICE = "twice"
"""The replacement that gives a key a second time."""

_NAMED = frozenset(
    [
        "Resources",
        "Parameters",
        "Conditions",
        "Outputs",
        "Mappings",
        "Variables",
        "variables",
        "environment",
        "paths",
        "States",
        "functions",
        "apis",
        "stores",
        "queues",
        "secrets",
        "externals",
        "data",
        "boundaries",
        "prior_state",
        "configuration",
    ]
)
"""The keys below which names stand that somebody chose."""

Path = tuple[Any, ...]


def replaced() -> Iterator[Callable[[], Case]]:
    """What makes each case, in the order of the kinds: most are asked for in parts."""
    for kind in KINDS:
        seen: set[Path] = set()
        every = 8 if kind.name.startswith("team/") else 1  # they are alike
        for at in kind.samples[::every]:
            data = sample(at)[1]
            for path, place in _places(data):
                if place not in seen:
                    seen.add(place)
                    yield from _at(kind, data, path)


def _at(kind: Kind, data: Any, path: Path) -> Iterator[Callable[[], Case]]:
    """What makes the cases of one place, in turn for the kind's commands and the models that name it."""
    start = zlib.crc32(f"{kind.name} {path}".encode())
    limits = [LIMITS[(start + at * len(LIMITS) // SOME) % len(LIMITS)] for at in range(SOME)]
    commands = list(dict.fromkeys(kind.commands))
    for number, new in enumerate((*TYPES, *limits, TWICE), start):
        command = commands[number % len(commands)]
        model = ("whole.yaml", "small.yaml", "model.yaml", "whole.yaml")[number // len(commands) % 4]
        yield partial(_case, kind, (data, path, new), number, (command, model))


def _case(kind: Kind, change: tuple[Any, Path, Any], number: int, run: tuple[str, str]) -> Case:
    return case_of(kind, _text(kind, _with(*change), escaped=number % 2 == 0), *run)


def _with(data: Any, path: Path, new: Any) -> Any:
    """The data with another value at a place; nothing but what is around it is copied."""
    if not path:
        return {"a": 1} if new == TWICE else new
    key, inside = path[0], copy.copy(data)
    if len(path) > 1 or new != TWICE:
        inside[key] = _with(data[key], path[1:], new) if len(path) > 1 else new
    elif isinstance(inside, dict):
        value = json.dumps(data[key], default=str)
        inside[key] = f"{_RAW}{value}, {json.dumps(key)}: {value}"
    else:
        inside.append(data[key])
    return inside


def _text(kind: Kind, data: Any, *, escaped: bool) -> str:
    """The data as a file of the kind."""
    text = toml_of(data) if kind.name.endswith(".toml") else json.dumps(data, ensure_ascii=escaped, default=str)
    return re.sub(rf'"{_RAW}((?:[^"\\]|\\.)*)"', lambda found: json.loads(f'"{found[1]}"'), text)


def _places(data: Any) -> Iterator[tuple[Path, Path]]:
    """The path of each node, and the place that it stands for."""
    waiting: list[tuple[Path, Path, Any]] = [((), (), data)]
    while waiting:
        path, place, node = waiting.pop()
        yield path, place
        keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
        named = isinstance(node, list) or (bool(path) and path[-1] in _NAMED)
        waiting += [((*path, key), (*place, _kind_of(node[key]) if named else key), node[key]) for key in keys]


def _kind_of(node: Any) -> Any:
    """What stands for a name or a number: the type of what is there, where it tells one."""
    found = (node.get("Type") or node.get("type")) if isinstance(node, dict) else None
    return found if isinstance(found, str) else "*"


def _main() -> int:
    line = argparse.ArgumentParser(description=__doc__)
    line.add_argument("--part", type=int, default=0, help="run each case whose number leaves this after division")
    line.add_argument("--of", type=int, default=1)
    line.add_argument("--kind", default="")
    args = line.parse_args()
    seen: Counter[str] = Counter()
    done = 0
    with at_work():
        for made in islice(replaced(), args.part, None, args.of):
            case = made()
            if args.kind and case.kind != args.kind:
                continue
            wrong, done = failing(case), done + 1
            key = re.sub(r"\d+", "N", "".join(wrong.splitlines()[-2:]))[:200]
            if wrong and key not in seen:
                print(f"=== {case.kind} {case.arguments}\n{case.files[case.kind][:300]}\n{wrong}", flush=True)  # noqa: T201
            seen.update([key] if wrong else [])
    print(f"{done} cases, {sum(seen.values())} failures of {len(seen)} kinds")  # noqa: T201
    return 1 if seen else 0


if __name__ == "__main__":
    sys.exit(_main())
