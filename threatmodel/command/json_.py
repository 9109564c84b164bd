"""`tm.py --json`: print the whole assessment as JSON."""

from __future__ import annotations

from argparse import _MutuallyExclusiveGroup
from pathlib import Path

from threatmodel.api import render_json
from threatmodel.command.arguments import text
from threatmodel.command.baselines import held_against
from threatmodel.command.request import Invocation
from threatmodel.reading.home import COMMAND
from threatmodel.reading.problems import quoted, refusal
from threatmodel.reading.whole import is_stream


def options(what: _MutuallyExclusiveGroup) -> None:
    """Declare the option."""
    what.add_argument("--json", nargs="?", const="-", type=text, metavar="FILE", help="the whole assessment as JSON")


def run(request: Invocation) -> int:
    """Print the assessment as JSON."""
    target: str = request.args.json
    if target != "-":
        if getattr(request.args, "output", None):
            request.misused(f"--json {target} and -o {request.args.output} name two outputs: give one of them")
        request.output = Path(target)
        _check_name(request.output)
    assessment, _ = held_against(request, request.assessment())
    return request.print(render_json(assessment))


def _check_name(path: Path) -> None:
    """Raises InputError where what follows --json is no file of JSON: who names a model there means to read it."""
    if path.suffix.lower() == ".json" or is_stream(path):
        return
    message = f"the file that --json writes ends in '.json', and this ends in {quoted(path.suffix or path.name)}"
    hint = f"to show a model as JSON: {COMMAND} -m {path} --json"
    if path.suffix.lower() not in {".yaml", ".yml"}:
        hint = f"name it {path.stem}.json"
    raise refusal("unknown-format", str(path), message, hint)
