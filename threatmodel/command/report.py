"""`tm.py --report`: print the threat report."""

from __future__ import annotations

import os
from argparse import _ArgumentGroup, _MutuallyExclusiveGroup
from pathlib import Path

from threatmodel.api import render_report
from threatmodel.command.arguments import path, text
from threatmodel.command.baselines import held_against
from threatmodel.command.request import Invocation
from threatmodel.reading.problems import InputError, refusal


def options(what: _MutuallyExclusiveGroup) -> None:
    """Declare the option."""
    what.add_argument(
        "--report",
        nargs="?",
        const="md",
        type=text,
        metavar="TEMPLATE",
        help="threat report: md (default), html, pdf (by an installed Chromium, with -o FILE.pdf), brief (first page), "
        "full or full.md (all details), or a template file",
    )


def details(how: _ArgumentGroup) -> None:
    """Declare the related options."""
    how.add_argument("--baseline", type=path, metavar="FILE", help="a baseline of check; the report shows its age")


def run(request: Invocation) -> int:
    """Print the report, with the picture where the format can hold one."""
    from threatmodel.render.report.report import OWN
    from threatmodel.render.templates import check_template

    template: str = request.args.report
    if template == "pdf" and (request.output is None or request.output.suffix.lower() != ".pdf"):
        request.misused("--report pdf writes a file: add -o FILE.pdf")
    program = _browser(request) if template == "pdf" else ""
    if template not in OWN:
        check_template(Path(template))
        request.files.paths.add(Path(template))
    assessment, stands = held_against(request, request.assessment())
    if request.output is not None:
        request.refuse_others([request.output], assessment.graph.system)
    if template == "pdf":
        return request.print(_printed(request, program, render_report(assessment, template, baseline=stands)))
    sources = () if template in OWN or request.output is None else (request.output.suffix.lower(),)
    return request.print(render_report(assessment, template, baseline=stands), sources)


def _browser(request: Invocation) -> str:
    """Return the browser that prints. Raises InputError where there is none."""
    from threatmodel.render.printing import PrintError, browser

    try:
        return browser(os.environ.get("TM_BROWSER", ""))
    except PrintError as error:
        raise _unprinted(request, error) from None


def _printed(request: Invocation, program: str, page: str) -> bytes:
    """Return a page as PDF. Raises InputError where the browser cannot print it."""
    from threatmodel.command.temporary import temporary_folder
    from threatmodel.render.printing import PrintError, printed

    try:
        with temporary_folder("tm-print-") as folder:
            return printed(page, program, folder)
    except PrintError as error:
        raise _unprinted(request, error) from None


def _unprinted(request: Invocation, error: Exception) -> InputError:
    return refusal("cannot-print", str(request.output), str(error))
