"""Runs a Lambda handler, one fresh process a scenario.

The probe runs the user's code, which may be an attacker's pull request.  What the handler prints never passes for an
answer, and its accidents (time-outs, exits, crashes, floods, forks) are distinguished.  What keeps it from the
machine is `confinement/`; but it may always behave otherwise for a probe than for Slack.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

from threatmodel.probe.branches.marked import marked
from threatmodel.probe.branches.taken import Taken
from threatmodel.probe.protocol import LAMBDA, SEARCH, Call, Limits, Reply, Scenario
from threatmodel.probe.runners.aws import SECRET_MARK, World
from threatmodel.probe.runners.bytecode import Bytecode
from threatmodel.probe.runners.carried import Carried
from threatmodel.probe.runners.confinement import privileges
from threatmodel.probe.runners.confinement.look import look
from threatmodel.probe.runners.confinement.measures import Measure
from threatmodel.probe.runners.interpreters import Interpreter
from threatmodel.probe.runners.launching import STUBS, Program, Progress
from threatmodel.probe.runners.loading import ended, problem
from threatmodel.probe.runners.replies import from_answer
from threatmodel.probe.runners.session import Session
from threatmodel.reading.problems import InputError
from threatmodel.reading.values import replace

_MANY = 64
"""Calls that are handed over at once, where none depends on another."""
_KEEPING = frozenset({"secretsmanager", "ssm", "s3", "appconfig", "appconfigdata"})
"""Services that keep a secret, or what has one in it."""
_MOST_KEYS = 16
_SETTLING = 0.5
"""Seconds for which threads, processes and promises that outlive an answer are watched."""


class LambdaRunner:
    """Runs scenarios against the handler of a program."""

    sees_effects = True
    sets_clock = True

    def __init__(self, program: Program, *, secret_env: str, environment: Mapping[str, str], limits: Limits) -> None:
        self._secret_env, self._limits = secret_env, limits
        self._environment = dict(environment)
        self._missing: set[str] = set()
        self.reads_secret_variable = False
        self._keys: set[str] = set()
        self.progress: Progress = lambda _: None
        self.marked = marked(program.file, program.name, program.root)
        self._ways: set[int] = set()
        self._bytecode = Bytecode((program.root, *program.packages, STUBS.parent), self.marked)
        self._program = replace(
            program,
            secret_variable=secret_env,
            bytecode=self._bytecode.folder,
            marks=self._bytecode.marks,
            ways=2 * len(self.marked.points),
        )
        privileges.hide()  # what this process was given, a CI's secrets among it, is for no handler to read

    def run(self, scenario: Scenario) -> Sequence[Reply]:
        """One reply for each call.  Raises InputError where the handler cannot be run at all."""
        self.progress(len(scenario.calls))
        replies = asyncio.run(self._run(scenario)) if scenario.calls else ()
        self._ways.update(reply.taken for reply in replies)
        return replies

    def confine(self) -> tuple[Measure, ...]:
        """The measures that hold here; from now on nothing of the handler is run without them."""
        measures = look(self._program)
        self._program = replace(self._program, required=tuple(one.name for one in measures if one.holds))
        return measures

    def give(self, **members: Any) -> None:
        """Changes members of the program: the tables that it finds, what every request has."""
        self._program = replace(self._program, **members)

    @property
    def packages(self) -> Sequence[Path]:
        """Folders with packages that lie elsewhere than beside the handler."""
        return self._program.packages

    @property
    def file(self) -> Path:
        """The handler's own file."""
        return self._program.file

    @property
    def interpreter(self) -> Interpreter:
        """What runs it."""
        return self._program.interpreter

    @property
    def files_read(self) -> Collection[str]:
        """The files that the handler opened or imported, and the folders that it listed, in every run so far."""
        return self._bytecode.seen

    @property
    def taken(self) -> Taken | None:
        """The ways that the handler's own code took in every run so far."""
        return Taken(self.marked, self._ways)

    @property
    def missing_variables(self) -> Sequence[str]:
        """Variables that the handler's own code asked for and did not get, in every run so far."""
        return tuple(sorted(self._missing - {self._secret_env}))

    async def _run(self, scenario: Scenario) -> Sequence[Reply]:
        if not scenario.together or len(scenario.calls) < _MANY:
            return await self._one_by_one(scenario)
        replies: list[Reply] = []
        while left := scenario.calls[len(replies) :]:
            clean, seen = await self._in_a_row(replace(scenario, calls=left))
            replies += clean
            part = scenario.calls[len(replies) : len(replies) + _MANY]
            if part:
                exact = await self._one_by_one(replace(scenario, calls=part))
                # what only happens after other requests is kept, although it is not known of which request it is
                exact = exact if not seen or any(map(_acts, exact)) else seen
                replies += takewhile(lambda reply: reply.ended != "not-run", exact)  # the rest has another process
                if any(map(_acts, exact)):  # one is enough
                    replies += [Reply(ended="not-run")] * (len(scenario.calls) - len(replies))
        return tuple(replies)

    async def _in_a_row(self, scenario: Scenario) -> tuple[list[Reply], list[Reply]]:
        """The replies to the first calls, which are handed over many at a time, for as long as they do nothing.

        Beside them are those to the next calls, where these did something: which of them did it is not certain.
        """
        clean: list[Reply] = []
        found: list[Reply] = []
        world, environment = self._surroundings(scenario)
        session = Session(self._program, world, self._limits, environment, scenario.calls[0].at)
        async with session:
            ready = await session.hear()
            if self._failed(ready, scenario) is not None:
                return [], []
            loading = tuple(world.effects)
            while calls := scenario.calls[len(clean) : len(clean) + _MANY]:
                found = await _handed_over(session, world, calls)
                if len(found) < len(calls) or any(map(_acts, found)):
                    break
                clean += found
            self._note(session, scenario)
        if clean:
            clean[0] = replace(clean[0], loading=loading, taken=clean[0].taken | _ways(ready))
        return clean, found if any(map(_acts, found)) else []

    def _surroundings(self, scenario: Scenario) -> tuple[World, dict[str, str]]:
        keys = (*scenario.secret_json, *sorted(self._keys)) if scenario.secret_json else ()
        world = World(scenario.secret, secret_json=keys, failing=scenario.failing)
        given = _lambda_environment(self._program) | self._environment | dict(scenario.environment)
        secret = scenario.secret or ""
        environment = {name: value.replace(SECRET_MARK, secret) for name, value in given.items() if value is not None}
        environment.pop(self._secret_env, None)  # given by hand, it would hide what happens without one
        if scenario.secret is not None and self._secret_env:
            environment[self._secret_env] = scenario.secret
        return world, environment

    async def _one_by_one(self, scenario: Scenario) -> Sequence[Reply]:
        world, environment = self._surroundings(scenario)
        return tuple(
            [
                reply
                for number, calls in enumerate(_by_environment(scenario.calls))
                for reply in await self._in_one_environment(replace(scenario, calls=calls), world, environment, number)
            ]
        )

    async def _in_one_environment(
        self, scenario: Scenario, world: World, environment: Mapping[str, str], number: int
    ) -> Sequence[Reply]:
        replies: list[Reply] = []
        carried = Carried()
        seen = len(world.effects)
        session = Session(self._program, world, self._limits, environment, scenario.calls[0].at, number)
        async with session:
            ready = await session.hear()
            loaded = _ways(ready)
            failed = self._failed(ready, scenario, asks_store=any(one.service in _KEEPING for one in world.effects))
            loading, seen = tuple(world.effects[seen:]), len(world.effects)  # of no request
            for call in scenario.calls:
                if call.store is not None:
                    world.rotate(*call.store, at=call.at or 0.0)
                world.read_before(stale=call.stale)
                if failed is None:
                    event = carried.into(call.event)
                    said = {"event": event, "at": call.at, "alias": call.alias}
                    reply = await _called(session, said, world, call.settles)
                    carried.take(reply)
                    if reply.ended and not reply.error:  # the process is gone
                        failed = Reply(ended="not-run")
                else:
                    reply = failed
                    if failed.ended not in {"error", "not-run"}:
                        failed = Reply(ended="not-run")
                done = tuple(world.effects[seen:])
                reply = replace(reply, effects=done, logs=session.logs(), loading=loading)
                replies.append(replace(reply, taken=reply.taken | loaded))
                loading, loaded, seen = (), 0, len(world.effects)
            self._note(session, scenario)
        last, more = replies[-1], tuple(world.effects[seen:])  # what was done after the last answer
        replies[-1] = replace(last, effects=last.effects + more, after=last.after + len(more))
        return replies

    def _note(self, session: Session, scenario: Scenario) -> None:
        """Keep what the handler asked for and read in a process."""
        self._missing |= session.missing - set(scenario.environment)
        self.reads_secret_variable |= session.reads_secret
        self._bytecode.add(session.read)

    def _failed(self, ready: Mapping[str, Any] | str, scenario: Scenario, *, asks_store: bool = False) -> Reply | None:
        """The reply to every call where the handler could not be loaded.  Raises InputError where none can help.

        What it keeps in a store may be JSON, and have a key that is known only now.
        """
        if isinstance(ready, str) and scenario.name == SEARCH and not asks_store:
            raise InputError([ended(ready, self._program.file)])
        if isinstance(ready, str):
            return Reply(ended=ready)
        failure = ready.get("unable")
        if failure is None:
            return None
        if failure["kind"] not in {"syntax", "attribute"} and (not scenario.secret or scenario.environment):
            return Reply(ended="error", error=failure["error"])  # the scenario, not the module, may be the reason
        key = str(failure.get("lacking") or "") if failure["kind"] == "key" else ""
        new = bool(key) and key not in self._keys and len(self._keys) < _MOST_KEYS
        if asks_store and (new or not scenario.secret_json):
            self._keys |= {key} if key else set()
            return Reply(ended="error", error=failure["error"])
        program = self._program
        raise InputError([problem(failure, file=program.file, name=program.name, node=bool(program.node))])


def _by_environment(calls: Sequence[Call]) -> list[tuple[Call, ...]]:
    """The calls of each environment, in order."""
    found: list[tuple[Call, ...]] = []
    for call in calls:
        if call.fresh or not found:
            found.append(())
        found[-1] += (call,)
    return found


def _ways(message: Mapping[str, Any] | str) -> int:
    """The ways that the handler's code took until a message."""
    return 0 if isinstance(message, str) else int(message.get("ways", 0))


def _acts(reply: Reply) -> bool:
    return any(effect.acts for effect in reply.effects)


async def _handed_over(session: Session, world: World, calls: Sequence[Call]) -> list[Reply]:
    """What came of calls that were sent at once; less where the process did not get through them."""
    replies: list[Reply] = []
    for call in calls:
        session.say({"event": call.event, "at": call.at, "alias": call.alias})
        world.next_call()
    left, seen, started = False, len(world.effects), session.time()
    for _ in calls:
        message = await session.hear()
        if isinstance(message, str) or message.get("error") == "MemoryError":
            return replies
        left = left or bool(message.get("left"))
        done = tuple(world.effects[seen:])
        replies.append(replace(_reply(message), effects=done, logs=session.logs(), taken=_ways(message)))
        seen = len(world.effects)
    if left:
        session.say({"settle": _SETTLING})
        await session.hear()
    more = tuple(world.effects[seen:])
    seconds = (session.time() - started) / len(calls)
    replies[-1] = replace(replies[-1], effects=replies[-1].effects + more, after=len(more))
    return [replace(reply, seconds=seconds) for reply in replies]


def _reply(message: Mapping[str, Any]) -> Reply:
    if "error" in message:
        error = str(message["error"])
        return Reply(ended="memory" if error == "MemoryError" else "error", error=error)
    return from_answer(str(message["answer"]))


async def _called(session: Session, call: Mapping[str, Any], world: World, settles: bool) -> Reply:  # noqa: FBT001 - one flag, named at the call
    started = session.time()
    world.next_call()
    session.say(call)
    message = await session.hear()
    seconds = session.time() - started
    if isinstance(message, str):
        return Reply(ended=message, seconds=seconds)
    until_answer, taken = len(world.effects), _ways(message)
    if settles and message.get("left"):  # Lambda lets what was left behind go on with the next call
        session.say({"settle": _SETTLING})
        taken |= _ways(await session.hear())
    after = len(world.effects) - until_answer
    return replace(_reply(message), seconds=seconds, after=after, taken=taken)


def _lambda_environment(program: Program) -> dict[str, str]:
    """The variables that Lambda itself sets; the credentials are good for nothing."""
    name = program.name or "handler"
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        **LAMBDA,
        "AWS_ACCESS_KEY_ID": "PROBE",
        "AWS_SECRET_ACCESS_KEY": "probe",
        "AWS_SESSION_TOKEN": "probe",
        "LAMBDA_TASK_ROOT": str(program.root),
        "_HANDLER": f"{program.file.relative_to(program.root).with_suffix('')}.{name}",
    }
