"""What a genuine request is to one handler: the form, kind, path and words with which it does something."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product

from threatmodel.probe.bodies import changed
from threatmodel.probe.cases import Case, Send
from threatmodel.probe.events import SHAPES
from threatmodel.probe.hints import Hints
from threatmodel.probe.kinds import BODY, KINDS, Caller, body_of, caller_of, is_beside, nonsense
from threatmodel.probe.protocol import SEARCH, Reply, Scenario
from threatmodel.probe.replies import accepted, side_effects
from threatmodel.probe.requests import Genuine, sent
from threatmodel.probe.runners.aws import SECRET_KEYS
from threatmodel.reading.values import dataclass, field, replace

_MOST_WORDS = 8
_MOST_PATHS = 6
_USUAL_PATHS = ("/slack", "/slack/commands", "/slack/events", "/slack/actions", "/slack/interactions")
"""Paths of Slack's own examples and of its frameworks."""
_TEXTS = ("web production", "deploy web production", "")
"""Texts of several words and of none, for commands that do nothing with a single word."""
_STORES = frozenset({"secretsmanager", "ssm", "kms"})

_IDLE = "nonsense"
"""What asks for nothing: an effect that it has too is no work for the request."""

Run = Callable[[Scenario], Sequence[Reply]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the user fixed of a genuine request: '' where the search may choose; `alone`: nothing else is tried."""

    body: str = ""
    kind: str = ""
    path: str = ""
    shape: str = ""
    alone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A genuine request, whether the handler reads its secret from a store, and what came back while it was looked for.

    `twins` are replies to genuine requests of each kind in the form that was chosen.
    """

    genuine: Genuine
    asks_store: bool = False
    twins: Mapping[str, Reply] = field(default_factory=dict)


def searched(run: Run, genuine: Genuine, wanted: Wanted, hints: Hints) -> Found:
    """The first form in which a genuine request of some kind has an effect.

    Else the first in which one gets another answer than the same without a signature, else in which one is accepted.
    `run` makes one scenario; `genuine` has the secret and the time.  Requests of one form are made in one process.
    """
    shapes = (wanted.shape,) if wanted.shape else SHAPES
    flat = _secret_keys(hints)
    nested = tuple(f"{outer}/{inner}" for outer in hints.secret_keys for inner in flat if inner != outer)
    ways: tuple[tuple[str, ...], ...] = ((), flat, nested) if nested else ((), flat)
    asks_store = False
    first = replace(genuine, path=wanted.path or genuine.path, hints=hints, paths=_paths(hints))
    if hints.token:
        first = replace(first, body=changed(first.body, {"token": hints.token}) or first.body)
    if wanted.body:
        first = replace(first, body=wanted.body, kind=wanted.kind or genuine.kind)
    ranked: dict[int, Found] = {}
    for in_base64, keys, others in product((False, True), ways, (False, True)):
        if ranked and (keys or in_base64):
            break
        if keys and not asks_store:
            continue
        for shape in shapes:
            form = replace(first, shape=shape, secret_json=keys, in_base64=in_base64)
            tried = _tried(run, form, list(_candidates(form, wanted, hints, others=others)))
            asks_store = asks_store or any(_asks_store(reply) for _, reply in tried)
            best = _best(tried, shape, wanted)
            if best is None:
                continue
            found = Found(genuine=_settled(form, tried, best), asks_store=asks_store, twins=_twins(tried))
            rank = _rank(run, form, best, next(reply for one, reply in tried if one == best))
            if rank == _WORKS or wanted.alone:
                return replace(found, genuine=_with_few_keys(run, found.genuine))
            ranked.setdefault(rank, found)
    return ranked[max(ranked)] if ranked else Found(genuine=replace(first, shape=shapes[0]), asks_store=asks_store)


_WORKS, _DISTINGUISHED, _TAKEN, _GREETED = 3, 2, 1, 0
"""How much an accepted request shows: an effect, an attacker's gets another answer, neither, or it only says that
the address is Slack's."""


def _rank(run: Run, form: Genuine, best: _Candidate, reply: Reply) -> int:
    if best.kind == "url_verification":
        return _GREETED
    if side_effects(reply):
        return _WORKS
    replies = run(_scenario(form, [best], Send(signature=None)))
    same = replies and (replies[0].status, replies[0].body, replies[0].ended) == (
        reply.status,
        reply.body,
        "",
    )
    return _TAKEN if same else _DISTINGUISHED


def _with_few_keys(run: Run, genuine: Genuine) -> Genuine:
    """The genuine request where a secret that is kept as JSON has only the keys without which nothing is done.

    A key that is missing may become a secret that anyone knows.
    """
    if not genuine.secret_json:
        return genuine
    named = {*genuine.hints.literals, *genuine.hints.keys}
    usual = _work(run, genuine)
    found = genuine
    several = tuple(key for key in genuine.secret_json if not set(key.split("/")) <= named)
    for dropped in ((several,) if several else ()) + tuple((key,) for key in genuine.secret_json if key not in several):
        fewer = replace(found, secret_json=tuple(key for key in found.secret_json if key not in dropped))
        if fewer.secret_json and _work(run, fewer) == usual:
            found = fewer
    return found


def _work(run: Run, genuine: Genuine) -> Counter[tuple[str, str, str]]:
    replies = run(_scenario(genuine, [_Candidate(kind=genuine.kind, body=genuine.body, path=genuine.path)]))
    return Counter() if not replies or replies[0].ended else _effects(replies[0])


def _secret_keys(hints: Hints) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*hints.secret_keys, *SECRET_KEYS)))


def _paths(hints: Hints) -> tuple[str, ...]:
    commands = set(hints.commands)
    return tuple(path for path in hints.paths if path.count("/") > 1 or path not in commands)[:_MOST_PATHS]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    kind: str
    body: str
    path: str


def _candidates(form: Genuine, wanted: Wanted, hints: Hints, *, others: bool) -> Iterator[_Candidate]:
    """Requests to try, the likeliest first; `others`: from the callers that the handler's source and variables name."""
    paths = (form.path,) if wanted.path else tuple(dict.fromkeys((form.path, *form.paths, *_USUAL_PATHS)))
    if wanted.body:
        if others:
            return
        yield from (_Candidate(kind=form.kind, body=wanted.body, path=path) for path in paths)
    kinds = _kinds(wanted)
    callers = _callers(hints) if others else (caller_of(form.body),)
    number = 0
    for caller, kind, path in product(callers, kinds, paths):
        if wanted.body and kind == form.kind:
            continue
        words = _words(kind, hints) if path == form.path or kind == "command" else ("",)
        for word in words:
            number += 1
            exact = not others and not word and kind == "command" and path == form.path and form.body == BODY
            body = BODY if exact else body_of(kind, caller, word, delivery=str(number), now=form.now)
            yield _Candidate(kind=kind, body=body, path=path)
    if "command" in kinds and not (wanted.body and form.kind == "command"):
        own = (form.path,) if wanted.path else tuple(dict.fromkeys((form.path, *form.paths)))
        texts = product(callers, _TEXTS, own, _words("command", hints))
        for at, (caller, text, path, word) in enumerate(texts, number + 1):
            body = body_of("command", caller._replace(text=text), word, delivery=str(at), now=form.now)
            yield _Candidate(kind="command", body=body, path=path)
    if not wanted.alone:
        yield _Candidate(kind=_IDLE, body=nonsense(form.body), path=form.path)


def _kinds(wanted: Wanted) -> Sequence[str]:
    """The kinds to try: the one that was named first, and the others for what they show beside it."""
    if wanted.alone:
        return () if wanted.body else (wanted.kind,)
    return tuple(dict.fromkeys((wanted.kind, *KINDS))) if wanted.kind else KINDS


def _callers(hints: Hints) -> tuple[Caller, ...]:
    usual = caller_of(BODY)
    pairs = product(hints.users[:3] or (usual.user,), hints.teams[:3] or (usual.team,))
    return tuple(one for user, team in pairs if (one := usual._replace(user=user, team=team)) != usual)[:4]


def _words(kind: str, hints: Hints) -> tuple[str, ...]:
    known = {"command": hints.commands, "event": hints.events, "url_verification": ()}.get(kind, hints.ids)
    return ("", *known[:_MOST_WORDS])


Tried = list[tuple[_Candidate, Reply]]


def _tried(run: Run, form: Genuine, candidates: Sequence[_Candidate]) -> Tried:
    """The candidates with what came back; what a process that ended left over is tried in another, once."""
    found: Tried = []
    for _ in range(2):
        left = candidates[len(found) :]
        if not left:
            break
        replies = run(_scenario(form, left))
        through = [reply for reply in replies if reply.ended != "not-run"]
        found += list(zip(left, through, strict=False))
        if any(reply.ended == "timeout" for reply in through) or not through:
            break
    return found


def _scenario(form: Genuine, candidates: Sequence[_Candidate], send: Send | None = None) -> Scenario:
    sends = (send or Send(),)
    case = Case(id=SEARCH, title="", level="advised", expect="accepted", failure="", decides={}, send=sends)
    each = [sent(case, replace(form, body=one.body, kind=one.kind, path=one.path))[0].scenario for one in candidates]
    return replace(each[0], calls=tuple(call for scenario in each for call in scenario.calls))


def _best(tried: Tried, shape: str, wanted: Wanted) -> _Candidate | None:
    """The first that has an effect, else the first that is accepted; a url_verification only where nothing else is."""
    taken = [
        (one, reply)
        for one, reply in tried
        if accepted(reply, shape)
        and one.kind != _IDLE
        and one.kind == (wanted.kind or one.kind)
        and one.body == (wanted.body or one.body)
    ]
    taken.sort(key=lambda pair: (pair[0].kind == "url_verification", not side_effects(pair[1])))
    return taken[0][0] if taken else None


_READ_FROM = {"command": "command", "event": "event", "action": "payload"}
"""The field of a kind's own: a source that names it serves the kind, also where any signed body has the same effect."""


def _settled(form: Genuine, tried: Tried, best: _Candidate) -> Genuine:
    """The genuine request, with a body of each other kind that the handler took, and the kinds that it serves."""
    idle = next((_effects(reply) for one, reply in tried if one.kind == _IDLE), Counter())
    chosen: dict[str, _Candidate] = {}
    served: dict[str, None] = {}
    for one, reply in tried:
        if one.kind in {best.kind, _IDLE} or not accepted(reply, form.shape):
            continue
        effects = _effects(reply)
        is_read = bool(effects) and _READ_FROM.get(one.kind) in form.hints.keys
        works = (bool(effects - idle) or is_read) and one.kind != "url_verification"
        if works and not is_beside(one.kind, (best.kind, *served)):
            served[one.kind] = None
            chosen[one.kind] = one
        chosen.setdefault(one.kind, one)
    return replace(
        form,
        body=best.body,
        kind=best.kind,
        path=best.path,
        bodies={kind: one.body for kind, one in chosen.items()},
        routes={kind: one.path for kind, one in chosen.items()},
        served=tuple(served),
    )


def _twins(tried: Tried) -> dict[str, Reply]:
    found: dict[str, Reply] = {}
    for one, reply in tried:
        if one.kind not in found or (side_effects(reply) and not side_effects(found[one.kind])):
            found[one.kind] = reply
    return found


def _effects(reply: Reply) -> Counter[tuple[str, str, str]]:
    return Counter((effect.service, effect.operation, effect.detail) for effect in side_effects(reply))


def _asks_store(reply: Reply) -> bool:
    return any(effect.service in _STORES for effect in (*reply.loading, *reply.effects))
