"""How our cost grows with the number of functions, and how much memory it takes.

Each size runs in a process of its own.  Run: .venv/bin/python benchmarks/scale.py [SIZE ...]
"""

from __future__ import annotations

import argparse
import datetime
import gc
import json
import math
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.generate import model
from benchmarks.timing import machine, written

HOME = Path(__file__).resolve().parent.parent
README = HOME / "benchmarks" / "README.md"
SIZES = (10, 100, 1_000, 10_000)
STAGES = ("load", "build", "library", "assess", "report", "dfd")
"""What is timed: the YAML read and checked, the graph, our library, the assessment, Markdown, the overview picture."""

TODAY = datetime.date(2026, 11, 25)
_MEGA = 1_000_000
_SHORT = 0.005
"""Seconds below which a stage is too short to say anything about its growth."""

Figures = Mapping[str, float]
T = TypeVar("T")


class _Clock:
    """Times stages one after the other."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def run(self, stage: str, work: Callable[[], T]) -> T:
        start = time.perf_counter()
        made = work()
        self.seconds[stage] = time.perf_counter() - start
        return made


def stages(path: Path) -> dict[str, float]:
    """Seconds of each stage on the model in a file, what came out, and the most memory in MB, in this process."""
    gc.disable()  # as the command line does
    from threatmodel.assessment.assess import assess
    from threatmodel.graph.building import build
    from threatmodel.library.load import load_library
    from threatmodel.model.load import load_model
    from threatmodel.reading.files import Files
    from threatmodel.render.dfd import dfd
    from threatmodel.render.report.report import report

    clock = _Clock()
    system = clock.run("load", lambda: load_model(Files(), path))
    graph = clock.run("build", lambda: build(system, today=TODAY))
    library = clock.run("library", lambda: load_library(HOME / "threatlib"))
    assessment = clock.run("assess", lambda: assess(graph, library, TODAY))
    clock.run("report", lambda: report(assessment))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    clock.run("dfd", lambda: dfd(graph))
    return {
        **clock.seconds,
        "elements": len(graph.elements) + len(graph.flows),
        "findings": len(assessment.applying),
        "megabytes": peak / _MEGA,
    }


def measured(size: int) -> Figures:
    """The figures of a model of so many functions, from a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.yaml"
        path.write_text(model(size), encoding="utf-8")
        command = [sys.executable, str(Path(__file__).resolve()), "--file", str(path)]
        made = subprocess.run(command, check=True, capture_output=True, text=True, encoding="utf-8")
    found: dict[str, float] = json.loads(made.stdout)
    return found


def everything(figures: Figures) -> float:
    """Seconds from a model's file to its Markdown report."""
    return sum(figures[stage] for stage in STAGES if stage != "dfd")


def table(found: Mapping[int, Figures]) -> str:
    """The figures of each size as a Markdown table; its last line says how cost grows between the last two sizes."""
    heads = ("functions", "elements and flows", "findings", *(f"{stage} s" for stage in STAGES), "peak MB")
    rows = [_row(size, figures) for size, figures in found.items()]
    if len(found) > 1:
        rows.append(["exponent", "", "", *_exponents(*list(found.items())[-2:]), ""])
    lines = [heads, ["---:"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _row(size: int, figures: Figures) -> list[str]:
    seconds = [f"{figures[stage]:.3f}" for stage in STAGES]
    counts = [f"{size:,}", f"{figures['elements']:,}", f"{figures['findings']:,}"]
    return [*counts, *seconds, f"{figures['megabytes']:,.0f}"]


def _exponents(smaller: tuple[int, Figures], larger: tuple[int, Figures]) -> list[str]:
    """The power of the size by which each stage grows: 1 is linear.  Nothing where there was too little to time."""
    (small, before), (large, after) = smaller, larger
    growth = math.log(large / small) if large != small else 0
    return [
        f"{math.log(after[stage] / before[stage]) / growth:.2f}" if growth and before[stage] >= _SHORT else ""
        for stage in STAGES
    ]


def main(arguments: Sequence[str]) -> int:
    """Prints the table, or with --file the figures of one model as JSON."""
    parser = argparse.ArgumentParser(description="How our cost grows with the number of functions.")
    parser.add_argument("sizes", nargs="*", type=int, metavar="SIZE", default=list(SIZES))
    parser.add_argument("--write", action="store_true", help="write the table to benchmarks/README.md")
    parser.add_argument("--file", type=Path, help="the figures of the model in this file, as JSON")
    args = parser.parse_args(arguments)
    if args.file:
        print(json.dumps(stages(args.file)))
        return 0
    body = f"{table({size: measured(size) for size in sorted(set(args.sizes))})}\n{machine()}"
    print(body)
    if args.write:
        README.write_text(written(README.read_text(encoding="utf-8"), "scale", body), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
