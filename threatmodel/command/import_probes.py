"""Probes the handlers of a model that was just imported, and names each result in it."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from threatmodel.command.new import carry_out
from threatmodel.reading.files import Files, shown_path
from threatmodel.reading.home import CONTENT
from threatmodel.reading.output import complain, say, write
from threatmodel.reading.problems import InputError, visible
from threatmodel.reading.replacing import Replacing

_RUN = frozenset({".py", ".js", ".mjs", ".cjs"})
"""Endings of handlers that a probe can load as they are."""
_NOT_RUN = 2
"""The exit code of a probe whose handler did not run, or rejected the genuine request."""


def probe_all(model: Path) -> None:
    """Probe each function whose handler can be loaded; a result is written beside it, and the model names it."""
    for function, target in _targets(model):
        if PurePosixPath(target.rpartition(":")[0]).suffix not in _RUN:
            complain(f"note: {function} was not probed: {target} has to be built first\n")
            continue
        try:
            _probe(model, function, target)
        except InputError as error:
            why = "; ".join(visible(one.message) for one in error.problems)
            complain(f"note: {function} was not probed: {why}\n")


def _targets(model: Path) -> Iterator[tuple[str, str]]:
    """Yield the functions whose source the model names, each with its handler as `tm probe` takes it."""
    from threatmodel.api import load_model

    for read in load_model(model, Files(CONTENT)).evidence:
        if read.kind == "code":
            for function, handler in read.elements.items():
                yield function, (PurePosixPath(read.file) / handler).as_posix()


def _probe(model: Path, function: str, target: str) -> None:
    """Probe one handler.  Raises InputError where it cannot be run, or a result is there."""
    from threatmodel.authoring.probe_setup import evidence_of
    from threatmodel.probe.command import ProbeOptions, run
    from threatmodel.probe.folder import RESULT
    from threatmodel.probe.result import to_json
    from threatmodel.render.probe import exit_code

    asked = ProbeOptions(target=target, secret_env="")
    result, notes = run(asked, Files(), datetime.datetime.now(datetime.UTC))
    complain("".join(f"note: {function}: {visible(note)}\n" for note in notes))
    if exit_code(result, strict=False) == _NOT_RUN:
        complain(f"note: {function} was not probed: it rejects genuine requests (give its variables to tm probe)\n")
        return
    kept = Path(target.rpartition(":")[0]).parent / f"{function}.{RESULT}"
    write(to_json(result), kept, Replacing())
    say([f"wrote {shown_path(kept)}"])
    plan = evidence_of(model, Files(), kept, function)
    if plan is not None:
        carry_out(plan)
