"""Keys that anyone knows, for requests that may choose the key with which they are verified."""

from __future__ import annotations

from collections.abc import Iterator

from threatmodel.probe.cases import Send
from threatmodel.probe.crossing import bodies
from threatmodel.probe.crossing.candidates import KEYS, field_names, header_names, keys, values
from threatmodel.probe.crossing.unsigned import crossed
from threatmodel.probe.requests import Genuine
from threatmodel.reading.values import replace

_UNKNOWN = ("T0PROBE99", "constructor", "__proto__", "../probe")
"""Names of workspaces and apps that no table should have, and some that objects and folders have anyway."""
_WHO = frozenset({"team_id", "team", "api_app_id", "enterprise_id", "user_id"})


def known(send: Send, genuine: Genuine) -> Iterator[Send]:
    """Yield requests that are signed with a key that anyone knows."""
    for key in keys(genuine):
        yield replace(send, secret=key)
    yield from _named(send, genuine)


def chosen(send: Send, genuine: Genuine) -> Iterator[Send]:
    """Yield requests that name another workspace, app or key, signed with one that this may choose."""
    text = genuine.text_of(send.body)
    guesses = tuple(dict.fromkeys((*KEYS, *genuine.hints.defaults)))[:20]
    who = [one for one in bodies.places(text) if _WHO & set(one) and one[-1] in {*_WHO, "id"}]
    for where in who:
        for name in _UNKNOWN:
            body = bodies.with_value(text, where, name)
            for key in guesses:
                yield crossed(send, f"with {bodies.dotted(where)} '{name}'", text=body, secret=key)
        body = bodies.without(text, where)
        for key in dict.fromkeys((*guesses, *values(genuine))):
            yield crossed(send, f"without {bodies.dotted(where)}", text=body, secret=key)
        for name, value in genuine.hints.known.items():
            body = bodies.with_value(text, where, name)
            yield crossed(send, f"with {bodies.dotted(where)} '{name}'", text=body, secret=value)
    for value in values(genuine):
        yield crossed(send, "", query=dict.fromkeys(field_names(genuine), value), secret=value)
    yield from _named(send, genuine)


def _named(send: Send, genuine: Genuine) -> Iterator[Send]:
    """Requests that have the key with which they are signed: in the body, query, headers or cookies."""
    text, names = genuine.text_of(send.body), field_names(genuine)
    given = dict.fromkeys(names, _OWN)
    for root in bodies.roots(text):
        yield crossed(send, "with the key in the body", text=bodies.with_fields(text, root, given), secret=_OWN)
    for where in bodies.places(text):
        body = bodies.with_value(text, where, _OWN)
        yield crossed(send, f"with the key as {bodies.dotted(where)}", text=body, secret=_OWN)
    yield crossed(send, "", query=given, secret=_OWN)
    yield crossed(send, "", headers=dict.fromkeys(header_names(genuine), _OWN), secret=_OWN)
    yield crossed(send, "", headers={"Cookie": "; ".join(f"{name}={_OWN}" for name in names)}, secret=_OWN)


_OWN = "probekey"
