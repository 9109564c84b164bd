"""Models of any size: N functions, each with a separate API, table and boundary; or mixed ones.

Run: .venv/bin/python benchmarks/generate.py 100 > model.yaml
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from threatmodel.model.vocabulary import FACTS, PLANES, FactRow
from threatmodel.reading.shape import Flag, Number, Word

_HEAD = """\
name: Slack commands at scale
owner: payments-platform
data:
  order:
    classification: confidential
    personal: true
  receipt:
    classification: internal
"""

_TABLE = """\
  T{n}:
    Type: AWS::DynamoDB::Table
    Properties:
      SSESpecification: {{SSEEnabled: !If [C{a}, true, false]}}
      KeySchema: [{{AttributeName: id, KeyType: HASH}}]
"""
_FUNCTION = """\
  F{n}:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: app.handler
      CodeUri: src/
      Timeout: !If [C{b}, 5, 900]
      Environment: {{Variables: {{TABLE: !Ref T{n}, LEVEL: !If [C{c}, DEBUG, INFO], STAGE: !Ref P{p}}}}}
      Policies:
        - DynamoDBReadPolicy: {{TableName: !Ref T{n}}}
        - !If [C{a}, AWSXRayDaemonWriteAccess, AWSLambdaBasicExecutionRole]
      Events: {{E: {{Type: Api, Properties: {{Path: /x{n}, Method: get}}}}}}
"""

_ENTRIES = {
    "boundaries": ("", "  fn-{n}:\n    inside: account\n"),
    "apis": ("api", "  api-{n}:\n    boundary: fn-{n}\n"),
    "stores": ("store", "  table-{n}:\n    boundary: fn-{n}\n    holds: [{data}]\n"),
    "functions": (
        "function",
        (
            "  bot-{n}:\n"
            "    boundary: fn-{n}\n"
            "    description: Takes a slash command and keeps record {n}.\n"
            "    triggers:\n"
            "      - {{slack: slash-command, api: api-{n}, path: /slack/bot-{n}}}\n"
            "    reads: [table-{n}]\n"
            "    writes: [table-{n}]\n"
        ),
    ),
}
"""For each section of the file the kind whose facts its entries state, and the lines before those."""

_STEP = {"function": 3}
"""Of a function every third fact is stated, of everything else every second: what is left out is asked about."""


def template(parameters: int, conditions: int, functions: int) -> str:
    """Return a SAM template whose functions and tables depend on conditions, three each, and these on parameters."""
    lines = ["Transform: AWS::Serverless-2016-10-31\n", "Parameters:\n"]
    lines += [f"  P{n}: {{Type: String, Default: a, AllowedValues: [a, b]}}\n" for n in range(parameters)]
    lines += ["Conditions:\n", *(f"  C{n}: !Equals [!Ref P{n % parameters}, a]\n" for n in range(conditions))]
    lines.append("Resources:\n")
    for n in range(functions):
        a, b, c = ((n + step) % conditions for step in range(3))
        lines += [_TABLE.format(n=n, a=a), _FUNCTION.format(n=n, a=a, b=b, c=c, p=n % parameters)]
    return "".join(lines)


def model(size: int) -> str:
    """The text of a model of `size` functions.  Neighbors differ, so that not everything has one answer."""
    planes = (f"{plane}:\n{_facts(plane, at, '  ')}" for at, plane in enumerate(PLANES))
    return _HEAD + "".join(planes) + "".join(_sections(size))


def _sections(size: int) -> Iterator[str]:
    for section, (kind, lines) in _ENTRIES.items():
        yield f"{section}:\n"
        for n in range(size):
            yield lines.format(n=n, data="order" if n % 5 else "receipt") + _facts(kind, n, "    ")


def _facts(kind: str, turn: int, margin: str) -> str:
    rows = [row for row in FACTS.get(kind, {}).values() if not row.derived][:: _STEP.get(kind, 2)]
    return "".join(f"{margin}{row.name}: {_written(value_of(row, turn))}\n" for row in rows)


def value_of(row: FactRow, turn: int) -> object:
    """A value that a fact may have, another one each turn."""
    values: Sequence[object] = ()
    match row.shape:
        case Flag():
            values = (True, False)
        case Number(low, high):
            values = tuple(min(high, low + step) for step in (0, 1, 14, 100, 400))
        case Word(words):
            values = words
    return values[(turn + len(row.name)) % len(values)]


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def mixed(size: int) -> str:
    """Return the text of a model whose functions share a few APIs and many stores, with facts stated here and there.

    The same text for the same size: what looks random follows from a seed.
    """
    draw = random.Random(size)  # noqa: S311 - a model to measure, not a secret
    shared = {
        "api": max(1, size // 20),
        "table": max(2, size // 4),
        "queue": max(1, size // 8),
        "key": max(1, size // 10),
    }
    lines = [_HEAD]
    lines += [f"{plane}:\n{_some(plane, draw, 0.5, '  ')}" for plane in PLANES]
    for section, (name, kind, more) in _SHARED.items():
        entries = (f"  {name}-{n}:\n{more}{_some(kind, draw, draw.random(), '    ')}" for n in range(shared[name]))
        lines += [f"{section}:\n", *entries]
    lines += ["functions:\n", *(_mixed_function(n, shared, draw) for n in range(size))]
    return "".join(lines)


_SHARED = {
    "apis": ("api", "api", "    description: Takes commands.\n"),
    "stores": ("table", "store", "    holds: [order]\n"),
    "queues": ("queue", "queue", "    holds: [receipt]\n"),
    "secrets": ("key", "secret", "    description: A token.\n"),
}
"""For each section of shared elements their name, their kind, and the line that each has."""

_LISTS = {"reads": ("table", 3), "writes": ("table", 2), "sends": ("queue", 1), "secrets": ("key", 1)}
"""For each list of a function what it names, and how many at most."""


def _mixed_function(n: int, shared: Mapping[str, int], draw: random.Random) -> str:
    slack = draw.random() < 0.6
    source, detail = (
        ("api", "{slack: slash-command, api: api-%s, path: /slack/bot-%s}") if slack else ("queue", "{queue: queue-%s}")
    )
    at = draw.randrange(shared[source])
    lines = [f"  bot-{n}:\n", f"    triggers: [{detail % ((at, n) if slack else at)}]\n"]
    for name, (kind, most) in _LISTS.items():
        if draw.random() < 0.7:
            chosen = sorted({draw.randrange(shared[kind]) for _ in range(draw.randint(0, most))})
            lines.append(f"    {name}: [{', '.join(f'{kind}-{one}' for one in chosen)}]\n")
    return "".join(lines) + _some("function", draw, 0.8 * draw.random(), "    ")


def _some(kind: str, draw: random.Random, share: float, margin: str) -> str:
    rows = [row for row in FACTS.get(kind, {}).values() if not row.derived and draw.random() < share]
    return "".join(f"{margin}{row.name}: {_written(value_of(row, draw.randrange(60)))}\n" for row in rows)


MODELS: Mapping[str, Callable[[int], str]] = {"regular": model, "mixed": mixed}
"""The kinds of model by name."""


if __name__ == "__main__":
    sys.stdout.write(model(int(sys.argv[1]) if len(sys.argv) > 1 else 10))
