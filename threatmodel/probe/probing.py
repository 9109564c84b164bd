"""A whole run: every probe against one handler, and what follows from it."""

from __future__ import annotations

import datetime
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from threatmodel.probe.cases import OVERALL, SHAPES, UNSHOWN, Case, Sealed, Shown, load_cases
from threatmodel.probe.deciding import Row, decisions
from threatmodel.probe.expectations import FAILED, NOT_RUN, PASSED, UNDECIDED, Judgement, Setting
from threatmodel.probe.judging import judge
from threatmodel.probe.leaks import Hidden
from threatmodel.probe.protocol import Reply, Runner, Scenario
from threatmodel.probe.replies import accepted, came_back
from threatmodel.probe.requests import BODY, SECRET, Genuine, in_words, sent
from threatmodel.probe.result import Result
from threatmodel.reading.problems import InputError, visible

THREADS = 4
LONGEST_RUN = 300.0
"""Seconds after which no further probe begins: the example's run takes four."""
_NEEDS = {
    "clock": "the handler's clock cannot be set",
    "environment": "the handler's own secret cannot be changed",
    "effects": "what the handler does and logs is not seen",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a run is given beside the runner.

    `target` is what the user typed, `kind` one of python, node, http; `body` and `secret` make a genuine request, which
    goes to `path`; `shape` is its form ('': the first of the three that the handler accepts).  `environment` are the
    handler's variables: their values are kept out of the result.  `isolation` says
    what keeps it from this machine.  `now` is the time of the run, which begins no further
    probe after so many `seconds`.
    """

    target: str
    kind: str
    folder_sha256: str = ""
    version: str
    now: datetime.datetime
    body: str = BODY
    secret: str = SECRET
    path: str = "/slack/command"
    shape: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    isolation: Sequence[str] = ()
    threads: int = THREADS
    seconds: float = LONGEST_RUN


def probe(runner: Runner, options: Options, cases: Sequence[Case] = ()) -> Result:
    """The result of every probe, or of some that `genuine` is among.

    Raises InputError where the handler cannot be run at all.
    """
    run = _Run(runner, options)
    cases = cases or load_cases()
    shape = options.shape or run.shape(cases)
    genuine = replace(run.genuine, shape=shape)
    skipped = {case.id: reason for case in cases if (reason := run.reason_to_skip(case))}
    asked = [case for case in cases if case.id not in skipped and case.expect not in OVERALL]
    with ThreadPoolExecutor(options.threads) as pool:
        answered = list(pool.map(lambda case: run.ask(case, genuine), asked))
    skipped |= {case.id: run.stopped for case, found in zip(asked, answered, strict=True) if found is None}
    replies = [(case, found[0]) for case, found in zip(asked, answered, strict=True) if found]
    signatures = [signature for found in answered if found for signature in found[1]]
    setting = Setting(
        genuine=next(found[0] for case, found in replies if case.id == "genuine"),
        shape=shape,
        sees_effects=runner.sees_effects,
        hidden=Hidden(genuine, signatures, options.environment),
        replies=replies,
    )
    found = {case.id: several for case, several in replies}
    rows = tuple(_row(case, found.get(case.id, ()), setting, skipped.get(case.id, ""), run.stopped) for case in cases)
    return Result(
        target=visible(setting.hidden.redacted(_plain(options.target))),
        kind=options.kind,
        folder_sha256=options.folder_sha256,
        when=options.now.astimezone(datetime.UTC).replace(microsecond=0),
        version=options.version,
        shape=shape,
        sees_effects=runner.sees_effects,
        rows=rows,
        isolation=tuple(options.isolation),
        facts=decisions(rows, sees_effects=runner.sees_effects),
    )


class _Run:
    """A runner, and what a genuine request is to it."""

    def __init__(self, runner: Runner, options: Options) -> None:
        self.runner, self.options = runner, options
        self.tried: list[tuple[Scenario, Sequence[Reply]]] = []
        self.stopped = ""
        self._until = time.monotonic() + options.seconds
        self.genuine = Genuine(
            body=options.body,
            secret=options.secret,
            path=options.path,
            now=float(int(options.now.timestamp())),  # a whole second: 301 of them stay more than 300 for one more
            sets_clock=runner.sets_clock,
        )

    def shape(self, cases: Sequence[Case]) -> str:
        """The first form in which a genuine request is accepted; the first of all where none is."""
        case = next(case for case in cases if case.id == "genuine")
        for shape in SHAPES:
            scenario = sent(case, self._at_now(replace(self.genuine, shape=shape))).scenario
            found = self._sent(case, scenario)
            self.tried.append((scenario, found))
            if found and accepted(found[0], shape):
                return shape
            if self.stopped:
                break
        return SHAPES[0]

    def reason_to_skip(self, case: Case) -> str:
        """Why a probe cannot be run here, or ''."""
        able = {
            "clock": self.runner.sets_clock,
            "environment": self.runner.sees_effects,
            "effects": self.runner.sees_effects,
        }
        if case.secret == "published" and self.options.body != BODY:  # noqa: S105 - a word of the format
            return "its body is fixed, and another one was given as genuine"
        return next((_NEEDS[need] for need in sorted(case.needs) if not able[need]), "")

    def ask(self, case: Case, genuine: Genuine) -> tuple[Sequence[Reply], tuple[str, ...]] | None:
        """The replies to a probe, and the signatures that it sent; None where the run was stopped before it.

        The genuine request could be sent, so what cannot be run now (a handler that reads a missing secret as it
        loads) is an error of the handler in Lambda too.
        """
        scenario, signatures = sent(case, self._at_now(genuine))
        for tried, replies in self.tried:
            if (tried.calls, tried.secret) == (scenario.calls, scenario.secret):
                return replies, signatures
        if not self.stopped and time.monotonic() > self._until:
            self.stopped = f"the run had taken {self.options.seconds:g} seconds"
        if self.stopped and case.id != "genuine":
            return None
        try:
            return self._sent(case, scenario), signatures
        except InputError:
            if case.id == "genuine":
                raise
            failed = Reply(ended="error", error="an exception as it was loaded")
            return [failed] * len(scenario.calls), signatures

    def _sent(self, case: Case, scenario: Scenario) -> Sequence[Reply]:
        """The replies to a scenario; one that hung stops the run: each further request would cost its whole time."""
        found = self.runner.run(scenario)
        if any(reply.ended == "timeout" for reply in found) and not self.stopped:
            self.stopped = f"the handler hung on a request of '{case.id}'"
        return found

    def _at_now(self, genuine: Genuine) -> Genuine:
        if self.runner.sets_clock:
            return genuine
        return replace(genuine, now=datetime.datetime.now(datetime.UTC).timestamp())


def _row(case: Case, replies: Sequence[Reply], setting: Setting, skipped: str, stopped: str) -> Row:
    judgement = Judgement(outcome=NOT_RUN, why=skipped) if skipped else judge(case, replies, setting)
    if stopped and case.expect in OVERALL and judgement.outcome == PASSED:  # it is about all answers of a run
        judgement = Judgement(outcome=UNDECIDED, why=f"not everything was sent: {stopped}")
    at = judgement.at
    known = at < len(replies)
    return Row(
        probe=case.id,
        title=case.title,
        level=case.level,
        sent=in_words(case.send[at]) if case.send else "all requests of this run",
        back=came_back(replies[at], setting.hidden) if known else "",
        outcome=judgement.outcome,
        why=setting.hidden.redacted(judgement.why),
        failure=case.failure,
        bears_on=tuple(case.decides),
        shows=dict(_shows(case, judgement)),
    )


def _shows(case: Case, judgement: Judgement) -> list[tuple[str, Shown]]:
    """What a row shows of the facts that it bears on."""
    found: list[tuple[str, Shown]] = []
    for fact, shows in case.decides.items():
        failed = shows.late if judgement.late else shows.failed
        value: Shown | Sealed = {PASSED: shows.passed, FAILED: failed}.get(judgement.outcome, UNSHOWN)
        if judgement.outcome == FAILED and judgement.shows:
            value = _largest(judgement.shows)
        if not isinstance(value, Sealed):
            found.append((fact, value))
    return found


def _largest(shows: Sequence[Shown]) -> Shown:
    return None if None in shows else max(value for value in shows if value is not None)


def _plain(target: str) -> str:
    """A target without what a URL may hold of passwords and tokens."""
    if not target.lower().startswith(("http://", "https://")):
        return target
    scheme, _, rest = target.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path.partition('?')[0].partition('#')[0]}"
