"""`tm.py config`: print the settings of a check, and where each comes from."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from threatmodel.command.arguments import Parser
from threatmodel.command.check import demands
from threatmodel.command.config_file import shown_value
from threatmodel.command.request import Invocation
from threatmodel.reading.files import shown_path
from threatmodel.reading.problems import visible

DESCRIPTION = (
    "Print each setting of a check with its value and its origin. The command line comes first, then the environment "
    "(TM_FAIL_ON for fail-on). Then come the configuration, which is .threatmodel.toml or [tool.threatmodel] in "
    "pyproject.toml, and the defaults."
)


def options(parser: Parser) -> None:
    """Declare the command's options: those of check that a configuration can state."""
    demands(parser)
    parser.add_argument("-o", "--output", default=argparse.SUPPRESS, metavar="FILE", help="the output file")


def run(request: Invocation) -> int:
    """Print one line for each setting; a policy is held against them as check does."""
    from threatmodel.command.checking import rules_of

    rules_of(request)  # a policy that cannot be used, or that the configuration contradicts
    rows = [*_rows(request)]
    names, values = (max(map(len, column)) for column in list(zip(*rows, strict=True))[:2])
    lines = (f"{name:<{names}}  {value:<{values}}  {origin}" for name, value, origin in rows)
    return request.print("".join(f"{visible(line)}\n" for line in lines))


def _rows(request: Invocation) -> Iterator[tuple[str, str, str]]:
    settings = request.settings
    for key, one in settings.held.items():
        yield key, shown_value(one.value), one.origin
    for form, path in settings.formats:
        yield f"formats.{form}", shown_path(path), _config_file(request)
    for out in settings.exclusions:
        yield "exclude", f"{out.threat} ({out.owner}, until {out.expires}: {out.reason})", str(out.place)


def _config_file(request: Invocation) -> str:
    config = request.settings.config
    return str(config.values["formats"][1]) if config is not None else ""
