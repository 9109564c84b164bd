"""A whole run: every probe against one handler, and what follows from it."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from threatmodel.probe.asking import LONGEST_RUN, Asked, Asker
from threatmodel.probe.bodies import leaves, parse, values_of
from threatmodel.probe.cases import OVERALL, UNSHOWN, Case, Sealed, Shown, load_cases
from threatmodel.probe.crossing.candidates import left_out
from threatmodel.probe.deciding import Row, decisions
from threatmodel.probe.expanding import expanded
from threatmodel.probe.hints import Hints
from threatmodel.probe.judging import judge
from threatmodel.probe.kinds import kind_of
from threatmodel.probe.leaks import Hidden
from threatmodel.probe.limits import not_tried
from threatmodel.probe.outcome import ProbeOutcome, Setting
from threatmodel.probe.outcome_names import FAILED, NOT_RUN, PASSED, UNDECIDED
from threatmodel.probe.protocol import Runner
from threatmodel.probe.replies import came_back
from threatmodel.probe.requests import SECRET, Genuine
from threatmodel.probe.result import Result, fingerprint
from threatmodel.probe.retracing import retraced
from threatmodel.probe.runners.aws import TOKEN
from threatmodel.probe.searching import Wanted, searched
from threatmodel.probe.secret_values import is_plain
from threatmodel.probe.seen import calls_seen, shown_for
from threatmodel.probe.wording import in_words
from threatmodel.reading.problems import InputError, visible
from threatmodel.reading.values import dataclass, field, replace

THREADS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a run is given beside the runner.

    `target` is what the user typed, `kind` one of python, node, http; `secret` signs a genuine request; `body`,
    `request_kind`, `path` and `shape` are what it must be ('': the first that the handler accepts), `hints` what the
    handler's source names.  `environment` are the handler's variables: their values are kept out of the result;
    `secret_variable` the one that holds the signing secret.  `isolation` says what keeps it from this machine.  `now`
    is the time of the run, which begins no further probe after so many `seconds`.
    """

    target: str
    kind: str
    folder_sha256: str = ""
    version: str
    now: datetime.datetime
    body: str = ""
    request_kind: str = ""
    secret: str = SECRET
    path: str = ""
    shape: str = ""
    hints: Hints = field(default_factory=Hints)
    environment: Mapping[str, str] = field(default_factory=dict)
    isolation: Sequence[str] = ()
    secret_variable: str = ""
    threads: int = THREADS
    seconds: float = LONGEST_RUN


def probe(runner: Runner, options: Options, cases: Sequence[Case] = ()) -> Result:
    """The result of every probe, or of some that `genuine` is among.

    Raises InputError where the handler cannot be run at all, with no secret in what the handler says of that.
    """
    try:
        return _probed(runner, options, cases or load_cases())
    except InputError as error:
        raise hidden_in(runner, options).cleared(error) from None


def hidden_in(runner: Runner, options: Options) -> Hidden:
    """What must not show of a run, by whatever way it comes back from the handler."""
    return _hidden(_genuine(runner, options), options, ())


def _hidden(genuine: Genuine, options: Options, signatures: Sequence[str]) -> Hidden:
    return Hidden(genuine, signatures, options.environment, {TOKEN: "bot token"})


def _probed(runner: Runner, options: Options, cases: Sequence[Case]) -> Result:
    asker = Asker(runner, options.seconds)
    other = {name: value for name, value in options.hints.variables.items() if name != options.secret_variable}
    hints = replace(options.hints, variables=other)  # the signing secret has its own probes
    found = searched(asker.search, _genuine(runner, options), _wanted(runner, options), hints)
    genuine = found.genuine
    asked = [expanded(case, genuine) for case in cases]
    with ThreadPoolExecutor(options.threads) as pool:
        asides = pool.submit(lambda: asker.asides(genuine))
        shared = asker.shared(asked, genuine, asks_store=found.asks_store)
        several = pool.map(lambda cases: asker.ask_shared(cases, genuine, asks_store=found.asks_store), shared)
        by_id = {
            case.id: one
            for cases, ones in zip(shared, several, strict=True)
            for case, one in zip(cases, ones, strict=True)
        }
    answered = [by_id[case.id] for case in asked]
    replies = [(case, one.replies) for case, one in zip(asked, answered, strict=True) if not one.skipped and case.send]
    signatures = [signature for one in answered for signature in one.signatures]
    shapes = {f"{case.send[0].shape}": several[0] for case, several in replies if case.id in _FORMS}
    twins = {(kind, genuine.shape): reply for kind, reply in found.twins.items()}
    setting = Setting(
        genuine=next(several[0] for case, several in replies if case.id == "genuine"),
        kind=genuine.kind,
        shape=genuine.shape,
        twins={**twins, **{(genuine.kind, shape): reply for shape, reply in shapes.items()}},
        **asides.result()._asdict(),
        sees_effects=runner.sees_effects,
        hidden=_hidden(genuine, options, signatures),
        replies=replies,
        missing=runner.missing_variables,
        signed=_signed(genuine),
        taken=runner.taken,
    )
    late = next((at for at, case in enumerate(asked) if case.id == "after-branches"), None)
    if late is not None and not answered[late].skipped and setting.taken is not None:
        everything = list(zip(asked, answered, strict=True))
        asked[late], answered[late] = retraced(asked[late], everything, setting, genuine, asker)
        replies = [
            (case, one.replies) for case, one in zip(asked, answered, strict=True) if not one.skipped and case.send
        ]
        setting = replace(setting, replies=replies, taken=runner.taken)
    rows = tuple(_row(case, one, setting, asker.stopped) for case, one in zip(asked, answered, strict=True))
    secret = options.secret_variable if runner.reads_secret_variable else ""
    return Result(
        target=visible(setting.hidden.redacted(_plain(options.target))),
        kind=options.kind,
        folder_sha256=options.folder_sha256,
        when=options.now.astimezone(datetime.UTC).replace(microsecond=0),
        version=options.version,
        shape=genuine.shape,
        sees_effects=runner.sees_effects,
        variables=dict(sorted((fingerprints(options.environment, genuine) | ({secret: ""} if secret else {})).items())),
        secret_variable=secret,
        shown_for=shown_for(replies, genuine),
        calls_seen=calls_seen(replies, setting.hidden, options.environment),
        rows=rows,
        isolation=tuple(options.isolation),
        facts=(facts := decisions(rows, sees_effects=runner.sees_effects)),
        branches=None if runner.taken is None else dict(zip(("reached", "both"), runner.taken.counted, strict=True)),
        requests=sum(reply.ended != "not-run" for _, several in replies for reply in several),
        not_tried={one.fact: limits for one in facts if (limits := not_tried(one.fact, left_out(genuine)))},
    )


def _signed(genuine: Genuine) -> tuple[str, ...]:
    """The texts in genuine bodies that are long enough to be known again, and that each request repeats."""
    found: dict[str, None] = {}
    for text in (genuine.body, *genuine.bodies.values()):
        body = parse(text)
        new = set(values_of(body, "delivery"))
        found |= {one: None for _, one in leaves(body) if isinstance(one, str) and len(one) > 3 and one not in new}  # noqa: PLR2004 - a shorter one may be anywhere
    return tuple(found)


_FORMS = frozenset({"rest-api", "http-api", "function-url", "alb"})
"""The probes that send a genuine request through one form each."""


def fingerprints(environment: Mapping[str, str], genuine: Genuine) -> dict[str, str]:
    """The handler's variables by name; the value of what may be a secret leaves no trace."""
    request = genuine.body + "".join(genuine.bodies.values())
    return {
        name: fingerprint(name, value) if is_plain(name, value, request) else "" for name, value in environment.items()
    }


def _genuine(runner: Runner, options: Options) -> Genuine:
    return Genuine(
        secret=options.secret,
        path=options.path or Genuine().path,
        now=float(int(options.now.timestamp())),  # a whole second: 301 of them stay more than 300 for one more
        sets_clock=runner.sets_clock,
    )


def _wanted(runner: Runner, options: Options) -> Wanted:
    """What the search may not choose; of a handler that is at work somewhere nothing is tried but what was named."""
    kind = options.request_kind or (kind_of(options.body) if options.body else "")
    if runner.sees_effects:
        return Wanted(body=options.body, kind=kind, path=options.path, shape=options.shape)
    return Wanted(body=options.body, kind=kind or "command", path=options.path or "/", shape=options.shape, alone=True)


def _row(case: Case, asked: Asked, setting: Setting, stopped: str) -> Row:
    replies, skipped = asked.replies, asked.skipped
    judgement = ProbeOutcome(outcome=NOT_RUN, why=skipped) if skipped else judge(case, replies, setting)
    if stopped and case.expect in OVERALL and judgement.outcome == PASSED:  # it is about all answers of a run
        judgement = ProbeOutcome(outcome=UNDECIDED, why=f"not everything was sent: {stopped}")
    at = judgement.at
    known = at < len(replies)
    return Row(
        probe=case.id,
        title=case.title,
        level=case.level,
        sent=setting.hidden.secrets_out(_sent_in_words(case, at)),
        back=came_back(replies[at], setting.hidden) if known else "",
        outcome=judgement.outcome,
        why=setting.hidden.redacted(judgement.why),
        failure=case.failure,
        bears_on=tuple(case.decides),
        shows=dict(_shows(case, judgement)),
    )


def _sent_in_words(case: Case, at: int) -> str:
    if case.send:
        return in_words(case.send[at])
    return "all requests of this run" if case.expect in OVERALL else "nothing"


def _shows(case: Case, judgement: ProbeOutcome) -> list[tuple[str, Shown]]:
    """What a row shows of the facts that it bears on."""
    found: list[tuple[str, Shown]] = []
    for fact, shows in case.decides.items():
        failed = shows.late if judgement.late else shows.failed
        value: Shown | Sealed = {PASSED: shows.passed, FAILED: failed}.get(judgement.outcome, UNSHOWN)
        if judgement.outcome == FAILED and judgement.shows and isinstance(value, Sealed):
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
