"""What a handler does for a request that Slack did not sign, compared with what it does for one that it did."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from threatmodel.beside.code.digests import HMAC
from threatmodel.beside.code.forged_request.machine import Machine
from threatmodel.beside.code.forged_request.values import Effect, Found, TooLong
from threatmodel.beside.code.functions import only_notes
from threatmodel.beside.code.observed import Reading
from threatmodel.beside.code.syntax import Node, walk

REJECTED, EARLY, BROKEN, IGNORED, DEAD = "rejected", "early", "broken", "dropped", "dead"


_MOST_ROUTES = 40
_MOST_STEPS, _RUNS = 600_000, 5
"""Steps that all routes of a handler may take, and how often one is followed for a request that Slack signed."""


_HOUR, _YEARS = 3600, 10 * 365 * 24 * 3600


class Late(NamedTuple):
    """That a request with this age in seconds is accepted, though Slack signed it: surely, or it may be."""

    age: int
    where: Found
    why: str
    sure: bool


class Judgment(NamedTuple):
    """What is known of a handler: `what` by its name, '' where it is unknown; where, and why.

    `late`: it rejects what Slack did not sign, and not what Slack signed at another time.
    """

    what: str
    where: Found | None = None
    why: str = ""
    late: Late | None = None


_TOO_LONG = Judgment("", why="the handler takes too many steps to follow")


def judged(reading: Reading) -> Judgment:
    """Return what becomes of a forged request: rejected before any effect, or accepted by a mistake that is certain.

    Of an application with several routes, all that do something have to do the same.
    """
    found: dict[str, Judgment] = {}
    route, routes, steps = 0, 1, 0
    while route < min(routes, _MOST_ROUTES):
        forged, genuine = (Machine(reading, passes=passes, route=route) for passes in (False, True))
        if steps > _MOST_STEPS:
            return _TOO_LONG
        try:
            forged.serve()
            genuine.serve()
            steps += forged.steps + _RUNS * genuine.steps
            one = _mistake(reading, forged, genuine) or _rejection(forged, genuine)
            if one.what == REJECTED:
                one = one._replace(late=_late(forged, genuine))
        except (TooLong, RecursionError):
            return _TOO_LONG
        route, routes = route + 1, max(routes, forged.routes)
        if routes == 1 or one.what or forged.effects or forged.unclear or not forged.whole:
            found[one.what] = max(found.get(one.what, one), one, key=lambda each: each.late is not None)
    if len(found) > 1:
        return Judgment("", next(one.where for one in found.values()), "and another route does not")
    return next(iter(found.values()), Judgment("")) if routes <= _MOST_ROUTES else Judgment("")


def before_check(reading: Reading) -> Effect | None:
    """Return the first effect of a handler that comes before its request is verified."""
    forged = Machine(reading, passes=False)
    try:
        forged.serve()
    except (TooLong, RecursionError):
        return None
    return min((one for one in forged.effects if one.first), key=lambda one: one.path.doubt, default=None)


def _rejection(forged: Machine, genuine: Machine) -> Judgment:
    """Return that all that a request does comes after its check, or what speaks against it."""
    for where, why in (*forged.faults, *forged.weak):
        return Judgment("", where, why)
    if not forged.whole:
        return Judgment("", why="it is unclear what its application calls for a request")
    if not _reads_request(forged):
        return Judgment("", why="it reads no body and headers of an event of API Gateway")
    if not genuine.checks:
        return Judgment("")
    for effect in forged.effects:
        return Judgment(
            "", (effect.function, effect.node), f"{_named(effect.node)} may run for a request that fails the check"
        )
    for where in forged.unclear:
        return Judgment("", where, f"{_named(where[1])} may act on a request that fails the check")
    for where in genuine.unsigned:
        return Judgment("", where, f"{_named(where[1])} gets a part of the request that the signature does not cover")
    return Judgment(REJECTED if genuine.reached - forged.reached else "", genuine.checks[0])


def _late(forged: Machine, genuine: Machine) -> Late | None:
    """Return that a request of another time is accepted, or may be: one of the past, or of the future."""
    fresh = _aged(genuine, 0)
    for age, why in ((_HOUR, "that Slack signed an hour ago"), (-_HOUR, "whose timestamp is an hour ahead")):
        run = _aged(genuine, age)
        accepting = fresh.answers.keys() - forged.answers.keys()
        if _is_rejected(fresh, run, accepting):
            continue
        both = {id(one.node) for one in fresh.effects}
        surely = any(not one.path.doubt and id(one.node) in both for one in run.effects)
        surely = surely or any(run.answers.get(one) for one in accepting)
        known = run.whole and not (run.reading.openings or run.unknown or genuine.unknown or run.weak or run.faults)
        sure = surely and known and not (run.leaving or run.escapes)
        acts = [_place(one) for one in run.effects] or run.unclear or genuine.checks
        said = f"a request {why} {'is' if sure else 'may be'} accepted"
        always = sure and age > 0 and not _is_rejected(fresh, _aged(genuine, _YEARS), accepting)
        return Late(_YEARS if always else age, (run.times or acts)[-1], said, sure)
    return None


def _is_rejected(fresh: Machine, run: Machine, accepting: Collection[int]) -> bool:
    """Return whether a request of another time reaches no effect, and not all that one of now does.

    Of a handler that has no effect, the answers that only a request of now gets decide.
    """
    if run.effects or run.unclear or not fresh.reached - run.reached:
        return False
    return bool(fresh.effects or fresh.unclear) or not accepting or not set(accepting) <= run.answers.keys()


def _aged(genuine: Machine, age: int) -> Machine:
    """Return the run of a request that Slack signed so many seconds ago."""
    run = Machine(genuine.reading, passes=True, route=genuine.route, age=age)
    run.serve()
    return run


def _mistake(reading: Reading, forged: Machine, genuine: Machine) -> Judgment | None:
    """Return the mistake by which a forged request is surely accepted."""
    if reading.openings or forged.unknown or genuine.unknown or not (forged.whole and genuine.whole):
        return None
    both = {id(one.node) for one in genuine.effects}
    sure = [one for one in forged.effects if not one.path.doubt and id(one.node) in both]
    uncalled = [where for where, closure in forged.tested if _computes(reading, closure.node)]
    if sure and uncalled and not forged.codes and not forged.handed:
        return Judgment(DEAD, uncalled[0], "the function that checks is tested, which is always true, and not called")
    if forged.weak or not _reads_request(forged):
        return None
    if forged.faults and not forged.checks:
        return Judgment(BROKEN, *forged.faults[0])
    if not forged.checks:
        return None
    if sure and sure[0].first:
        return Judgment(EARLY, _place(sure[0]), f"{_named(sure[0].node)} runs before the signature is verified")
    if forged.escapes or genuine.escapes:
        return None
    return _unused(forged, genuine, sure)


def _unused(forged: Machine, genuine: Machine, sure: Sequence[Effect]) -> Judgment | None:
    """Return that the outcome of the check decides nothing, where no other code may end the request instead."""
    if forged.ignored and _does_the_same(forged, genuine):
        return Judgment(IGNORED, forged.ignored[0], "the result of the verification is not used")
    if forged.leaving:
        return None
    if sure:
        where = forged.dropped[0] if forged.dropped else _place(sure[0])
        return Judgment(IGNORED, where, f"a request that fails the check reaches {_named(sure[0].node)} all the same")
    if forged.reached == genuine.reached and forged.dropped:
        return Judgment(IGNORED, forged.dropped[0], "the result of the verification is not used")
    return None


def _does_the_same(forged: Machine, genuine: Machine) -> bool:
    """Return whether a check answers by its value alone, and a forged request reaches all that a genuine one does.

    The outcome decides which end of the function that checks is reached, and none of these ends does anything.
    """
    rejecting, accepting = forged.reached - genuine.reached, genuine.reached - forged.reached
    leaving = {id(call) for _, call in genuine.leaving}
    ends = {
        id(node): node.kind in {"return", "expression"} and (not _calls(node) or only_notes(function, [node]))
        for function, _ in genuine.checks
        for node in function.nodes
        if id(node) in rejecting | accepting
    }
    return (
        bool(rejecting)
        and ends.keys() == rejecting | accepting
        and all(ends.values())
        and all(id(call) in leaving for _, call in forged.leaving)
        and not any(_gives_function(forged, call) for _, call in forged.ignored)
    )


def _gives_function(machine: Machine, call: Node) -> bool:
    """Return whether a call gets a function, which may get the outcome."""
    given = [one for part in call.parts[1:] for one in walk(part)]
    return any(one.kind == "function" or (one.kind == "name" and one.name in machine.program.by_name) for one in given)


def _calls(node: Node) -> bool:
    return any(one.kind == "call" for one in walk(node))


def _reads_request(machine: Machine) -> bool:
    """Return whether a handler reads events of API Gateway as they are, so that each of their keys is known."""
    return "body" in machine.keys and bool({"headers", "multiValueHeaders"} & machine.keys)


def _computes(reading: Reading, function: Node) -> bool:
    """Return whether a function computes an HMAC, or mentions one of the folder that does."""
    computing = {one.name for one, _, name in reading.program.calls if HMAC.search(name)} - {""}
    return any(one.name in computing for one in walk(function)) or function.name in computing


def _place(effect: Effect) -> Found:
    return effect.function, effect.node


def _named(call: Node) -> str:
    return f"{call.parts[0].name}()"
