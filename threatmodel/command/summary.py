"""`tm.py summary`: the report in both forms and the picture, and what is in them."""

from __future__ import annotations

from pathlib import Path

from threatmodel.command.arguments import Parser, common, path
from threatmodel.command.drawing import picture_of
from threatmodel.command.request import Request
from threatmodel.reading.output import make_folder


def options(parser: Parser) -> None:
    """Declares its options."""
    common(parser)
    parser.add_argument("--out", type=path, default=Path("build"), metavar="FOLDER", help="the folder (default: build)")


def run(request: Request) -> int:
    """Writes three files, and says what is in them."""
    from threatmodel.render.report.report import report
    from threatmodel.render.summary import summary_text

    out: Path = request.args.out
    assessment = request.assessment()
    svg = picture_of(assessment)
    made = {
        "report.html": report(assessment, "html", svg),
        "report.md": report(assessment, "md", picture_file="dfd.svg"),
        "dfd.svg": svg,
    }
    make_folder(out)
    for name, content in made.items():
        request.write(content, out / name)
    return request.print(summary_text(assessment, [out / name for name in made]))
