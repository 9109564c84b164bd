"""How our cost grows with the number of functions: a gate, and a table.

    .venv/bin/python benchmarks/scale.py                     # the gate; exit code 1 where it is missed
    .venv/bin/python benchmarks/scale.py --sizes 300 10000   # the same for other sizes
    .venv/bin/python benchmarks/scale.py --measure calls     # counted calls in place of time
    .venv/bin/python benchmarks/scale.py --table [SIZE ...]  # seconds and memory at each size

The gate: in each stage a function costs at most 1.25 times as much in a model of 3,000 as in one of 300.  Two models
are held to it: a regular one, and a mixed one of shared parts and varied facts (`generate.py`).  `--write` puts what is
printed on benchmarks/README.md.

What is measured is the processor time of a process that does nothing else, with the garbage collector off, as `tm`
runs.  Each size runs in a separate process, the sizes take turns, and the least of several runs counts: what else
the machine does adds to a run, and takes nothing away.  The tests count calls instead, of Python's functions and of
C's (`sys.setprofile`): these are the same in each run and on each machine.  A count sees work that is done again for
each item.  It does not see how long a single call of C takes, such as a search through a list; time does.
"""

from __future__ import annotations

import argparse
import datetime
import gc
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Protocol, TypeVar

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.generate import MODELS
from benchmarks.timing import machine, written

if TYPE_CHECKING:  # what is measured is imported by the stages
    from threatmodel.assessment.assessed import Assessment
    from threatmodel.render.checks.failing import FailingIssues

HOME = Path(__file__).resolve().parent.parent
README = HOME / "benchmarks" / "README.md"
SIZES = (10, 100, 1_000, 10_000)
SMALL, LARGE, MOST = 300, 3_000, 1.25
"""The sizes that the gate compares, and how many times as much a function may cost in the larger."""

RUNS = 3
STAGES = ("load", "build", "library", "assess", "report", "dfd", "check", "json")
"""What is measured: the YAML read and checked, the graph, our library, the assessment, the report in Markdown, the
overview picture, the check as text, and the JSON."""

GROWING = tuple(stage for stage in STAGES if stage != "library")
"""The stages whose cost depends on the model."""

TODAY = datetime.date(2026, 11, 25)
_MEGA = 1_000_000

Figures = Mapping[str, float]
T = TypeVar("T")


class Measure(Protocol):
    """Runs a stage and keeps what it cost."""

    def __call__(self, stage: str, work: Callable[[], T], /) -> T:
        """Return what the work makes."""


def processor_time(cost: dict[str, float]) -> Measure:
    """Measure stages in seconds of processor time."""

    def run(stage: str, work: Callable[[], T]) -> T:
        start = time.process_time()
        made = work()
        cost[stage] = time.process_time() - start
        return made

    return run


def counted_calls(cost: dict[str, float]) -> Measure:
    """Measure stages in calls of functions, those of C among them."""

    def run(stage: str, work: Callable[[], T]) -> T:
        calls = 0

        def count(_frame: FrameType, event: str, _argument: object) -> None:
            nonlocal calls
            calls += event in {"call", "c_call"}

        sys.setprofile(count)
        try:
            return work()
        finally:
            sys.setprofile(None)
            cost[stage] = calls

    return run


def stages(path: Path, measure: Measure) -> dict[str, float]:
    """Run each stage on the model in a file; return how large it is, and the most memory of this process in MB."""
    gc.disable()  # as the command line does
    from threatmodel.assessment.assess import assess
    from threatmodel.graph.building import build
    from threatmodel.library.load import load_library
    from threatmodel.model.load import load_model
    from threatmodel.reading.files import Files
    from threatmodel.render.contract.assessment import parts
    from threatmodel.render.dfd import dfd
    from threatmodel.render.report.report import report
    from threatmodel.render.streaming import json_pieces

    system = measure("load", lambda: load_model(Files(), path))
    graph = measure("build", lambda: build(system, today=TODAY))
    library = measure("library", lambda: load_library(HOME / "threatlib"))
    assessment = measure("assess", lambda: assess(graph, library, TODAY))
    measure("report", lambda: report(assessment))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    measure("dfd", lambda: dfd(graph))
    measure("check", lambda: _check(assessment))
    measure("json", lambda: sum(map(len, json_pieces(parts(assessment)))))
    return {
        "elements": len(graph.elements) + len(graph.flows),
        "findings": len(assessment.applying),
        "megabytes": peak / _MEGA,
    }


def _check(assessment: Assessment) -> FailingIssues:
    from threatmodel.assessment.gate.judging import judge
    from threatmodel.assessment.gate.results import Rules
    from threatmodel.render.checks.failing import failing_issues

    return failing_issues(assessment, judge(assessment, Rules()), Rules())


def measured(size: int, kind: str = "regular", measure: str = "time") -> Figures:
    """The figures of a model of so many functions, from a separate process."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.yaml"
        path.write_text(MODELS[kind](size), encoding="utf-8")
        command = [sys.executable, str(Path(__file__).resolve()), "--file", str(path), "--measure", measure]
        same = {**os.environ, "PYTHONHASHSEED": "0"}  # the order of sets, and so the calls, are the same in each run
        made = subprocess.run(command, check=True, capture_output=True, text=True, encoding="utf-8", env=same)
    found: dict[str, float] = json.loads(made.stdout)
    return found


# --- the gate


def gate(small: int, large: int, kind: str, measure: str = "time", runs: int = RUNS) -> dict[str, float]:
    """Return for each stage how many times as much a function costs in the larger model; the least of several runs."""
    least: dict[int, dict[str, float]] = {}
    for _ in range(runs):
        for size in (small, large):
            found = measured(size, kind, measure)
            before = least.setdefault(size, {stage: found[stage] for stage in GROWING})
            least[size] = {stage: min(before[stage], found[stage]) for stage in GROWING}
    return {stage: (least[large][stage] / large) / (least[small][stage] / small) for stage in GROWING}


def gates(small: int, large: int, measure: str, runs: int) -> tuple[str, bool]:
    """Return the ratios of each kind of model as a Markdown table, and whether all are within the limit."""
    rows: list[Sequence[str]] = [("model", *GROWING), ("---", *["---:"] * len(GROWING))]
    held = True
    for kind in MODELS:
        found = gate(small, large, kind, measure, runs)
        rows.append((kind, *(f"{ratio:.2f}" if ratio <= MOST else f"**{ratio:.2f}**" for ratio in found.values())))
        held = held and max(found.values()) <= MOST
    return "".join(f"| {' | '.join(row)} |\n" for row in rows), held


# --- the table


def everything(figures: Figures) -> float:
    """Return the seconds from a model's file to its Markdown report."""
    return sum(figures[stage] for stage in STAGES[: STAGES.index("dfd")])


def table(found: Mapping[int, Figures]) -> str:
    """Return the figures of each size as a Markdown table."""
    heads = ("functions", "elements and flows", "findings", *(f"{stage} s" for stage in STAGES), "peak MB")
    lines = [heads, ["---:"] * len(heads), *(_row(size, figures) for size, figures in found.items())]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _row(size: int, figures: Figures) -> list[str]:
    seconds = [f"{figures[stage]:.3f}" for stage in STAGES]
    counts = [f"{size:,}", f"{figures['elements']:,}", f"{figures['findings']:,}"]
    return [*counts, *seconds, f"{figures['megabytes']:,.0f}"]


def main(arguments: Sequence[str]) -> int:
    """Run the gate, print the table, or with --file print the figures of one model as JSON."""
    parser = argparse.ArgumentParser(description="How our cost grows with the number of functions.")
    parser.add_argument("--sizes", nargs=2, type=int, metavar="SIZE", default=(SMALL, LARGE), help="what is compared")
    parser.add_argument("--table", nargs="*", type=int, metavar="SIZE", help="print seconds and memory of each size")
    parser.add_argument("--write", action="store_true", help="write what is printed to benchmarks/README.md")
    parser.add_argument("--measure", choices=["time", "calls"], default="time", help="processor time, or counted calls")
    parser.add_argument("--runs", type=int, default=RUNS, help="of which the least time counts (default: %(default)s)")
    parser.add_argument("--file", type=Path, help="the figures of the model in this file, as JSON")
    args = parser.parse_args(arguments)
    if args.file:
        cost: dict[str, float] = {}
        sizes = stages(args.file, processor_time(cost) if args.measure == "time" else counted_calls(cost))
        print(json.dumps({**cost, **sizes}))
        return 0
    if args.table is not None:
        name, body, held = "scale", table({size: measured(size) for size in sorted(set(args.table or SIZES))}), True
    else:
        small, large = args.sizes
        name, (body, held) = "growth", gates(small, large, args.measure, args.runs if args.measure == "time" else 1)
    body = f"{body}\n{machine()}"
    print(body)
    if args.write:
        README.write_text(written(README.read_text(encoding="utf-8"), name, body), encoding="utf-8")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
