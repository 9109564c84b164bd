"""Many models checked, in several processes where that is faster; each result is small, and they come in order."""

from __future__ import annotations

import contextlib
import datetime
import gc
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from threatmodel.api import layered, weighed
from threatmodel.assessment.gate.rules import Rules, under
from threatmodel.command.request import Request
from threatmodel.reading.files import Files, shown_path
from threatmodel.reading.home import CONTENT
from threatmodel.reading.output import complain
from threatmodel.reading.problems import InputError, told
from threatmodel.reading.project import repository
from threatmodel.render.checks.checked import Checked, checked

if TYPE_CHECKING:
    from threatmodel.assessment.assessed import Assessment
    from threatmodel.assessment.priorities import Expiry
    from threatmodel.library.format import Library
    from threatmodel.model.system import System

FEW = 8
"""Models up to which one process checks them all: starting others would take longer."""
_AT_ONCE = 4
"""Models that a process is handed at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked of every model."""

    rules: Rules
    today: datetime.date
    layers: tuple[Path, ...] = ()
    excluded: tuple[str, ...] = ()


def asked(request: Request) -> Asked:
    """What a run asks of every model.  Raises InputError where the policy cannot be used."""
    args = request.args
    rules = Rules(
        fail_on=args.fail_on,
        require_proof=args.require_proof,
        strict=args.strict,
        allow_undetermined=args.allow_undetermined,
        ignore_acceptances=args.ignore_acceptances,
    )
    if args.policy is not None:
        from threatmodel.assessment.gate.policy import load_policy

        rules = under(load_policy(request.files, args.policy), rules)
    return Asked(rules=rules, today=request.today, layers=tuple(request.given), excluded=tuple(request.excluded))


def checks(models: Sequence[Path], question: Asked, progress: Callable[[int], None]) -> Iterator[Checked]:
    """The check of each model, in order."""
    workers = min(_cores(), len(models) // FEW + 1)
    found = _serially(models, question) if workers == 1 else _in_processes(models, question, workers)
    for done, one in enumerate(found, 1):
        progress(done)
        yield one


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _serially(models: Sequence[Path], question: Asked) -> Iterator[Checked]:
    checking = _Checking(question)
    return (checking.one(path) for path in models)


def _in_processes(models: Sequence[Path], question: Asked, workers: int) -> Iterator[Checked]:
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    with ProcessPoolExecutor(workers, context, _begin, (question,)) as pool:
        try:
            yield from pool.map(_one, models, chunksize=_AT_ONCE)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


_CHECKING: list[_Checking] = []
"""In a process of its own: what it checks models with."""


def _begin(question: Asked) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started this one stops it
    gc.disable()
    _CHECKING.append(_Checking(question))


def _one(path: Path) -> Checked:
    return _CHECKING[0].one(path)


def dated(request: Request, models: Sequence[Path], days: int) -> tuple[list[Expiry], int]:
    """What ends within so many days in any of the models, and the exit code; what cannot be used is told."""
    from threatmodel.assessment.priorities import expiries

    question = Asked(rules=Rules(), today=request.today, layers=tuple(request.given), excluded=tuple(request.excluded))
    checking, code = _Checking(question), 0
    found: dict[Expiry, None] = {}
    for path in models:
        files = Files(CONTENT)
        try:
            assessment = checking.assessed(path, files)
        except InputError as error:
            complain(told(error, files.read))
            code = 2
        else:
            found.update(dict.fromkeys(expiries(assessment, days)))
    return list(found), code


class _Checking:
    """Checks one model after another; reads each library once, and tells each rule once."""

    def __init__(self, question: Asked) -> None:
        self._question = question
        self._libraries: dict[tuple[Path, ...], Library] = {}
        self._told: set[str] = set()
        here = Path.cwd()
        root = repository(here)
        self._base = here.relative_to(root).as_posix() if root is not None and here.is_relative_to(root) else ""

    def one(self, path: Path) -> Checked:
        """The check of a model; one that cannot be used says why."""
        files = Files(CONTENT)
        try:
            found = self._checked(path, files)
        except InputError as error:
            return Checked(file=shown_path(path), base=self._base, problems=told(error, files.read))
        self._told.update(found.rules)
        return found

    def assessed(self, path: Path, files: Files) -> Assessment:
        """The assessment of a model, under the rules.  Raises InputError where it cannot be used."""
        from threatmodel.assessment.assess import assess
        from threatmodel.assessment.gate.judging import held_to

        question = self._question
        graph = held_to(weighed(path, files, question.today, self._library), question.rules)
        return assess(graph, self._library(graph.system, files), question.today, question.excluded)

    def _checked(self, path: Path, files: Files) -> Checked:
        from threatmodel.assessment.gate.judging import judge

        assessment = self.assessed(path, files)
        results = judge(assessment, self._question.rules)
        paths = [str(one) for one in files.paths]
        return checked(assessment, results, _texts(files), base=self._base, told=self._told, paths=paths)

    def _library(self, system: System, files: Files) -> Library:
        layers = (*system.libraries, *self._question.layers)
        if layers not in self._libraries:
            self._libraries[layers] = layered(layers, files)
        return self._libraries[layers]


def _texts(files: Files) -> Callable[[str], str]:
    """What gives the text of a file that was read: of one that may hold secrets too, since it is only measured."""

    def text_of(name: str) -> str:
        if name in files.read:
            return files.read[name]
        with contextlib.suppress(InputError):
            return files.text(Path(name))
        return ""

    return text_of
