"""`tm.py summary`: write the report in both formats and the picture, and print a summary."""

from __future__ import annotations

import sys
from pathlib import Path

from threatmodel.command.arguments import QUIET, Parser, common, path
from threatmodel.command.baselines import held_against
from threatmodel.command.request import Invocation
from threatmodel.reading.output import columns, make_folder, write


def options(parser: Parser) -> None:
    """Declare the command's options."""
    common(parser, "FOLDER", "the output folder (default: build)")
    parser.add_argument("--out", type=path, metavar="FOLDER", help="the same as -o")
    parser.add_argument(
        "--baseline", type=path, default=QUIET, metavar="FILE", help="a baseline of check; the report shows its age"
    )


def run(request: Invocation) -> int:
    """Write three files, and print a summary."""
    from threatmodel.render.report.pictures import pictures
    from threatmodel.render.report.report import report
    from threatmodel.render.summary import summary_text

    out: Path = request.args.out or request.folder or request.output or Path("build")
    assessment, stands = held_against(request, request.assessment())
    drawn = pictures(assessment)
    made = {
        "report.html": report(assessment, "html", drawn, baseline=stands),
        "report.md": report(assessment, "md", picture_file="dfd.svg", baseline=stands),
        "dfd.svg": drawn.whole.picture,
    }
    targets = [out / name for name in made]
    request.refuse_others(targets, assessment.graph.system)
    make_folder(out)
    for target in targets:  # all or none
        request.replacing().check(target)
    for name, content in made.items():
        request.write(content, out / name)
    width = columns() if sys.stdout.isatty() else 80
    write(summary_text(assessment, [out / name for name in made], width, stands), None)
    return 0
