"""One request of a probe's data, made into one for each kind, path and word that are known of a handler."""

from __future__ import annotations

from collections.abc import Iterator

from threatmodel.probe.bodies import changed
from threatmodel.probe.cases import Case, Send
from threatmodel.probe.crossing.rules import RULES
from threatmodel.probe.kinds import KINDS
from threatmodel.probe.requests import Genuine
from threatmodel.reading.values import replace


def expanded(case: Case, genuine: Genuine) -> Case:
    """The probe with a request for each path and word, and the whole again for each other kind that is served."""
    own = tuple(one for send in case.send for one in _each(send, genuine))
    more: tuple[Send, ...] = ()
    if case.each_kind:
        for kind in genuine.served:
            found = [one for send in _of_kind(case.send, kind) for one in _each(send, genuine)]
            more += tuple(replace(send, apart=send.apart or at == 0) for at, send in enumerate(found))
    return replace(case, send=tuple(send for send in own + more if not send.if_named or _is_named(send, genuine)))


def _is_named(send: Send, genuine: Genuine) -> bool:
    body = genuine.of_kind(send.body) if send.body in KINDS else genuine.body
    return changed(body, send.change or {}) is not None


def _of_kind(sends: tuple[Send, ...], kind: str) -> tuple[Send, ...]:
    return tuple(replace(send, body=kind) if send.body == "genuine" else send for send in sends)


def _each(send: Send, genuine: Genuine) -> Iterator[Send]:
    if send.path == "each":
        for path in dict.fromkeys((genuine.path, *genuine.paths)):
            yield replace(send, path=path)
    elif send.words:
        yield from (replace(one, words="", rule=send.words) for one in RULES[send.words](send, genuine))
    else:
        yield send
