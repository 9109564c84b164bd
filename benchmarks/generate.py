"""Models of any size: N functions, each with an api and a table of its own, in a boundary of its own.

Run: .venv/bin/python benchmarks/generate.py 100 > model.yaml
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
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


def model(size: int) -> str:
    """The text of a model of `size` functions.  Neighbours differ, so that not everything has one answer."""
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


if __name__ == "__main__":
    sys.stdout.write(model(int(sys.argv[1]) if len(sys.argv) > 1 else 10))
