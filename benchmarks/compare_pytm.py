"""Our speed beside pytm's, as ratios of one run; exit code 1 where a target of the design is not reached.

Run: .venv/bin/python benchmarks/compare_pytm.py [--quick] [--write]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import pytm
import yaml

from benchmarks.generate import model
from benchmarks.pytm_side import drawn_again, plain_model
from benchmarks.scale import everything, measured
from benchmarks.threats import by_ours, by_pytm, conditions_by_pytm, found_by_pytm, known
from benchmarks.timing import Timed, machine, medians, written
from threatmodel.graph.building import Graph, build
from threatmodel.library.load import load_library
from threatmodel.model.load import load_model
from threatmodel.pytm_model.model import to_pytm
from threatmodel.reading.files import Files
from threatmodel.reading.source import parse
from threatmodel.render.dfd import dfd

HERE = Path(__file__).resolve().parent
HOME = HERE.parent
README = HERE / "README.md"


class Size(NamedTuple):
    """How much work a run does: functions for threats and pictures, for YAML and the whole, and rounds of each."""

    middle: int
    large: int
    rounds: int
    starts: int


FULL = Size(middle=1_000, large=10_000, rounds=3, starts=15)
QUICK = Size(middle=30, large=100, rounds=1, starts=1)


class Line(NamedTuple):
    """A line of the table.  `reached` is None where a line has no separate target."""

    work: str
    pytm: str
    ours: str
    ratio: float | None
    target: str
    reached: bool | None


def _ratio_line(work: str, seconds: Sequence[float], least: float) -> Line:
    theirs, own = seconds
    ratio = theirs / own
    return Line(
        work, _seconds(theirs), _seconds(own), ratio, f"{least:g}x" if least else "", ratio >= least if least else None
    )


def _seconds(value: float) -> str:
    return f"{value:.3f} s" if value < 1 else f"{value:.2f} s"


# --- which threats apply


def threats_apply(size: Size) -> Iterator[Line]:
    """Our library in both: pytm's `resolve()`, and our conditions over our elements.  Asserts the same findings."""
    library = load_library(HOME / "threatlib")
    graph = known(_graph(size.middle))
    theirs = to_pytm(graph, library)
    theirs.check()
    applied = by_ours(graph, library)
    by_pytm(theirs)
    if sorted(found_by_pytm(theirs)) != sorted(applied):
        raise AssertionError(set(found_by_pytm(theirs)) ^ set(applied))
    work = f"which threats apply, {size.middle:,} functions"
    own = Timed(lambda: by_ours(graph, library), "off")
    for words, state, asked, least in (
        (f"`resolve()`: {len(applied):,} findings, the same set", "on", lambda: by_pytm(theirs), 20.0),
        ("the same, GC off on both sides", "off", lambda: by_pytm(theirs), 0.0),
        ("pytm's conditions alone, no finding made, GC off", "off", lambda: conditions_by_pytm(theirs), 0.0),
    ):
        yield _ratio_line(f"{work} ({words})", medians(size.rounds, Timed(asked, state), own), least)


def _graph(size: int) -> Graph:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.yaml"
        path.write_text(model(size), encoding="utf-8")
        return build(load_model(Files(), path))


# --- pictures, YAML, the whole


def picture(size: Size) -> Line:
    """The text of the data-flow diagram with every function in it: pytm's six flows a function, our eight."""
    graph, theirs = _graph(size.middle), plain_model(size.middle)
    theirs.check()
    texts = drawn_again(theirs), dfd(graph, overview=False)
    if any(f"bot-{n}" not in text for text in texts for n in range(size.middle)):
        raise AssertionError
    seconds = medians(
        size.rounds, Timed(lambda: drawn_again(theirs), "on"), Timed(lambda: dfd(graph, overview=False), "off")
    )
    pytm.TM.reset()
    return _ratio_line(f"DFD text, {size.middle:,} functions", seconds, 50)


def reading(size: Size) -> Iterator[Line]:
    """YAML to plain data: PyYAML's C loader without places, ours with the place of every key and value."""
    text = model(size.large)

    def by_pyyaml() -> object:
        return yaml.load(text, yaml.CSafeLoader)

    def own() -> object:
        return parse(text, "model.yaml")

    if parse(text, "model.yaml").root != by_pyyaml():
        raise AssertionError
    work = f"YAML of {size.large:,} functions to plain data"
    for state, words, least in (("on", "as called, GC on", 4.0), ("off", "GC off on both sides", 2.5)):
        seconds = medians(size.rounds, Timed(by_pyyaml, state), Timed(own, state))
        yield _ratio_line(f"{work} ({words}; pytm reads no YAML: PyYAML's C loader, without places)", seconds, least)


def start(size: Size) -> Line:
    """`--dfd` of three functions, from start to end of the process."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.yaml"
        path.write_text(model(3), encoding="utf-8")
        theirs, own = medians(
            size.starts,
            Timed(lambda: _run(HERE / "pytm_side.py", "3", "--dfd"), "on"),
            Timed(lambda: _run(HOME / "tm.py", "-m", str(path), "--dfd"), "on"),
        )
    work = "`--dfd` of three functions, the whole process"
    return Line(work, _seconds(theirs), _seconds(own), theirs / own, "under 0.12 s", own < 0.12)


def _run(script: Path, *arguments: str) -> bytes:
    made = subprocess.run([sys.executable, str(script), *arguments], check=True, capture_output=True)
    if b"digraph" not in made.stdout[:80]:
        raise AssertionError(made.stdout[:80])
    return made.stdout


def whole(size: Size) -> Line:
    """Load, assess and report in Markdown, in a separate process."""
    figures = measured(size.large)
    seconds, gigabytes = everything(figures), figures["megabytes"] / 1_000
    work = (
        f"load, assess and Markdown report of {size.large:,} functions "
        f"({figures['elements']:,} elements and flows, {figures['findings']:,} findings)"
    )
    theirs = "more than 10 min, not run" if size == FULL else "not run"
    reached = seconds < 20 and gigabytes < 1.5
    return Line(work, theirs, f"{seconds:.1f} s, {gigabytes:.2f} GB", None, "20 s, 1.5 GB", reached)


# --- the table


def compared(size: Size) -> list[Line]:
    """Every line.  What runs in other processes comes first: this one is small and quiet then."""
    outside = [start(size), whole(size)]
    return [*threats_apply(size), picture(size), *reading(size), *outside]


def table(lines: Sequence[Line]) -> str:
    """The lines as a Markdown table."""
    heads = ("work", "pytm", "ours", "ratio", "target", "reached")
    rows = [
        (
            line.work,
            line.pytm,
            line.ours,
            "" if line.ratio is None else f"{line.ratio:.1f}x",
            line.target,
            "" if line.reached is None else "yes" if line.reached else "**no**",
        )
        for line in lines
    ]
    aligned = ("---", "---:", "---:", "---:", "---:", "---")
    return "\n".join(f"| {' | '.join(row)} |" for row in (heads, aligned, *rows)) + "\n"


def main(arguments: Sequence[str]) -> int:
    """Prints the table; returns 1 where a target is not reached.  With --quick sizes are too small to judge by."""
    parser = argparse.ArgumentParser(description="Our speed beside pytm's, as ratios of one run.")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--quick", action="store_true", help="small sizes, one round: does it run; targets not judged")
    how.add_argument("--write", action="store_true", help="write the table to benchmarks/README.md")
    args = parser.parse_args(arguments)
    lines = compared(QUICK if args.quick else FULL)
    if args.quick:
        lines = [line._replace(reached=None) for line in lines]
    body = f"{table(lines)}\n{machine()}"
    print(body)
    if args.write:
        README.write_text(written(README.read_text(encoding="utf-8"), "compare", body), encoding="utf-8")
    return 1 if any(line.reached is False for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
