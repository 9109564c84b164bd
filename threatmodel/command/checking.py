"""Many models checked, in several processes where that is faster; each result is small, and they come in order."""

from __future__ import annotations

import contextlib
import datetime
import gc
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from threatmodel.api import AS_USUAL, Running, layered, weighed
from threatmodel.assessment.gate.results import Rules, under
from threatmodel.command.request import Invocation, without_excluded
from threatmodel.command.settings import FormAsked, against_policy
from threatmodel.model.search import is_shared
from threatmodel.reading.files import Files, shown_path
from threatmodel.reading.former import Renamed
from threatmodel.reading.home import CONTENT, EXPLAIN
from threatmodel.reading.output import complain, say
from threatmodel.reading.problems import InputError, refusal, render_problems
from threatmodel.reading.project import repository
from threatmodel.reading.values import dataclass, replace
from threatmodel.render.checks.checked import Checked, Form, Outcome, checked, outcome
from threatmodel.render.checks.failing import failing_issues

if TYPE_CHECKING:
    from threatmodel.assessment.assessed import Assessment
    from threatmodel.assessment.gate.known import Baseline
    from threatmodel.assessment.priorities import Expiry
    from threatmodel.library.entries import Library
    from threatmodel.model.system import Exclusion, System


START = "fork" if sys.platform == "linux" else "spawn"
"""How other processes start; a fork is not safe on macOS, and not available on Windows."""
FEW = 8
"""Up to this many models are checked in one process: starting others would take longer."""
_AT_ONCE = 4
"""Models in one batch for a process."""
_AHEAD = 3
"""Batches for each process that are finished before the first of them is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckDemands:
    """The demands on every model of a run.

    `baselines` are those in `baseline_file`, by the model's path from its folder. `keep`: the current results are
    written to it. `several`: more than one model is checked, so that a shared platform file is not an error.
    `remember`: results that earlier runs have cached may be used.
    """

    rules: Rules
    today: datetime.date
    layers: tuple[Path, ...] = ()
    excluded: tuple[str, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    baselines: Mapping[str, Baseline] | None = None
    baseline_file: Path = Path()
    keep: bool = False
    several: bool = False
    running: Running = AS_USUAL
    forms: tuple[FormAsked, ...] = ()


def rules_of(request: Invocation) -> Rules:
    """Return the rules of a run. Raises InputError where the policy cannot be used or is contradicted."""
    held = request.settings.of
    rules = Rules(
        fail_on=held("fail-on"),
        require_proof=held("require-proof"),
        strict=held("strict"),
        allow_undetermined=held("allow-undetermined"),
        ignore_acceptances=held("ignore-acceptances"),
    )
    path = held("policy")
    if path is None:
        return rules
    from threatmodel.assessment.gate.policy import load_policy

    policy = load_policy(request.files, path)
    if problems := [*against_policy(request.settings, policy, path)]:
        raise InputError(problems)
    return under(policy, rules)


def asked(request: Invocation) -> CheckDemands:
    """Return a run's demands on every model. Raises InputError where the policy or the baseline cannot be used."""
    question = CheckDemands(
        rules=rules_of(request),
        today=request.today,
        layers=tuple(request.given),
        excluded=tuple(request.excluded),
        exclusions=request.settings.exclusions,
        running=request.running,
    )
    return _with_baseline(question, request) if request.args.baseline is not None else question


def _with_baseline(question: CheckDemands, request: Invocation) -> CheckDemands:
    """Return the demands with the baseline. Raises InputError where it cannot be used."""
    args, file = request.args, request.args.baseline
    if args.write_baseline:
        if request.files.has(file):
            raise refusal("already-exists", str(file), "the file already exists", "update it with --update-baseline")
        found: Mapping[str, Baseline] = {}
    else:
        from threatmodel.assessment.gate.baseline_file import baselines_in

        found = baselines_in(file, request.files, request.today)
    keep = args.write_baseline or args.update_baseline
    return replace(question, baselines=found, baseline_file=file, keep=keep)


def forms_of(question: CheckDemands) -> list[Form]:
    """Return the formats of the outputs."""
    return [_form(one) for one in question.forms]


def _form(asked: FormAsked) -> Form:
    from threatmodel.render.checks.text import Lines, Markdown, TerminalForm

    match asked.name:
        case "text":
            return TerminalForm(asked.width, color=asked.color, quiet=asked.quiet)
        case "lines":
            return Lines()
        case "markdown":
            return Markdown()
        case name:
            from threatmodel.render.checks.programs import FORMS

            return FORMS[name]()


def checks(
    models: Sequence[Path], question: CheckDemands, progress: Callable[[int], None], start: str = START
) -> Iterator[Outcome]:
    """Yield the outcome of each model, in order; `start` is how other processes start."""
    workers = min(_cores(), len(models) // FEW + 1)
    found = _serially(models, question) if workers == 1 else _in_processes(models, question, workers, start)
    for done, one in enumerate(found, 1):
        progress(done)
        yield one


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _serially(models: Sequence[Path], question: CheckDemands) -> Iterator[Outcome]:
    checking = _Checking(question)
    return (checking.one(path) for path in models)


def _in_processes(models: Sequence[Path], question: CheckDemands, workers: int, start: str) -> Iterator[Outcome]:
    """Yield the same from several processes, which are never more than a few batches ahead of the writing."""
    import multiprocessing
    from collections import deque
    from concurrent.futures import Future, ProcessPoolExecutor

    context = multiprocessing.get_context(start)
    handfuls = iter([models[at : at + _AT_ONCE] for at in range(0, len(models), _AT_ONCE)])
    with ProcessPoolExecutor(workers, context, _begin, (question,)) as pool:
        ahead: deque[Future[list[Outcome]]] = deque()
        try:
            for handful in handfuls:
                ahead.append(pool.submit(_several, handful))
                if len(ahead) > workers * _AHEAD:
                    yield from ahead.popleft().result()
            while ahead:
                yield from ahead.popleft().result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


_CHECKING: list[_Checking] = []
"""In a child process: what it checks models with."""


def _begin(question: CheckDemands) -> None:
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started this one stops it
    gc.disable()
    _CHECKING.append(_Checking(question))


def _several(paths: Sequence[Path]) -> list[Outcome]:
    gc.collect()  # collection is off while a model is worked on, and what it leaves adds up over many
    return [_CHECKING[0].one(path) for path in paths]


def dated(request: Invocation, models: Sequence[Path], days: int) -> tuple[list[Expiry], int]:
    """Return what expires within so many days in the models, and the exit code; report what cannot be used."""
    from threatmodel.assessment.priorities import expiries

    question = CheckDemands(
        rules=Rules(),
        today=request.today,
        layers=tuple(request.given),
        excluded=tuple(request.excluded),
        exclusions=request.settings.exclusions,
        running=request.running,
    )
    checking, code = _Checking(question), 0
    found: dict[Expiry, None] = {}
    for path in models:
        files = Files(CONTENT)
        try:
            assessment = checking.assessed(path, files)
        except InputError as error:
            if _holds_no_system(error) and is_shared(files, path) and len(models) > 1:
                continue
            complain(render_problems(error, files.read, EXPLAIN))
            code = 2
        else:
            request.renamed(files)
            found.update(dict.fromkeys(expiries(assessment, days)))
    return list(found), code


class _Checking:
    """Checks one model after another; reads each library once, and describes each rule once."""

    def __init__(self, question: CheckDemands) -> None:
        self._question = question
        self._libraries: dict[tuple[Path, ...], Library] = {}
        self._shown: set[str] = set()
        self._forms = forms_of(question)
        here = Path.cwd()
        root = repository(here)
        self._base = here.relative_to(root).as_posix() if root is not None and here.is_relative_to(root) else ""

    def one(self, path: Path) -> Outcome:
        """Return the outcome of a model in every format; for one that cannot be used, its problems."""
        files = Files(CONTENT)
        try:
            found = self._checked(path, files)
        except InputError as error:
            if _holds_no_system(error) and is_shared(files, path) and self._question.several:
                found = Checked(file=shown_path(path), base=self._base, shared=True)
            else:
                found = Checked(
                    file=shown_path(path),
                    base=self._base,
                    problems=render_problems(error, files.read, EXPLAIN),
                    renamed=tuple(files.renamed),
                    paths=tuple(map(str, (*files.paths, *files.absent))),
                )
        self._shown.update(found.rules)
        return outcome(found, self._forms)

    def assessed(self, path: Path, files: Files) -> Assessment:
        """Return the assessment of a model under the rules. Raises InputError where it cannot be used."""
        from threatmodel.assessment.assess import assess
        from threatmodel.assessment.gate.judging import held_to

        question = self._question
        graph = weighed(path, files, question.today, self._library, question.running)
        graph = held_to(without_excluded(graph, question.exclusions), question.rules)
        found = assess(graph, self._library(graph.system, files), question.today, question.excluded)
        files.renamed += found.renamed
        former = found.library.former.controls
        named = zip(question.rules.proven_controls, question.rules.proven_at, strict=True)
        files.renamed += (Renamed(place, name, former[name]) for name, place in named if name in former)
        return found

    def _checked(self, path: Path, files: Files) -> Checked:
        from threatmodel.assessment.gate.judging import judge

        assessment = self.assessed(path, files)
        rules, question = self._question.rules, self._question
        now, against = None, ""
        if question.baselines is not None and not question.keep:
            from threatmodel.assessment.gate.baseline import since
            from threatmodel.assessment.gate.baseline_file import baseline_of
            from threatmodel.assessment.gate.missing import with_missing

            baseline = baseline_of(path, assessment, question.baselines, question.baseline_file, files)
            assessment = with_missing(assessment, baseline)
            results = since(baseline, assessment, judge(assessment, rules))
            against = baseline.aged(assessment.today)
        else:
            results = judge(assessment, rules)
            if question.keep:
                from threatmodel.assessment.gate.baseline import taken

                now = taken(assessment, results)
        return checked(
            assessment,
            results,
            _texts(files),
            base=self._base,
            known=self._shown,
            paths=[str(one) for one in (*files.paths, *files.folders)],
            issue=failing_issues(assessment, results, rules)
            if any(one.name == "text" for one in question.forms)
            else None,
            baseline=against,
            now=now,
            renamed=files.renamed,
        )

    def _library(self, system: System, files: Files) -> Library:
        layers = (*system.libraries, *self._question.layers)
        if layers not in self._libraries:
            self._libraries[layers] = layered(layers, files, remember=self._question.running.remember)
        return self._libraries[layers]


def _holds_no_system(error: InputError) -> bool:
    return {problem.code for problem in error.problems} == {"empty-model"}


def _texts(files: Files) -> Callable[[str], str]:
    """Return a function for the text of a file that was read; it is only measured, so that it may hold secrets."""

    def text_of(name: str) -> str:
        if name in files.read:
            return files.read[name]
        with contextlib.suppress(InputError):
            return files.text(Path(name))
        return ""

    return text_of


def supposed(request: Invocation) -> int:
    """Print what controls being in place, or not, changes; return 1 where the check fails then, 0 otherwise."""
    from threatmodel.assessment.assess import assess
    from threatmodel.assessment.assessing_again import assumed
    from threatmodel.assessment.gate.judging import held_to, judge
    from threatmodel.render.supposed import supposed_lines

    args, rules = request.args, asked(request).rules
    said = request.assessment()
    now = assess(held_to(said.graph, rules), said.library, request.today, request.excluded)
    given = [*((name, "--with") for name in getattr(args, "with")), *((name, "--without") for name in args.without)]
    current = ((request.current(name, now.library, option), option == "--with", option) for name, option in given)
    what = assumed(current, now)
    then = assess(now.graph, now.library, request.today, request.excluded, what)
    before, after = (sum(result.fails for result in judge(one, rules)) for one in (now, then))
    say([*supposed_lines(now, then, what), f"{'fails':<11} {before} now, then {after}"])
    return 1 if after else 0
