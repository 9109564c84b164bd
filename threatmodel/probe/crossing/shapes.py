"""Events of which a part is left out, empty or of another type, or that have more parts.

No caller of an API makes them.  A handler may take a branch for them all the same, and what it does there is seen.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

from threatmodel.probe.cases import Send
from threatmodel.probe.events import SHAPES
from threatmodel.probe.requests import Genuine, call_of
from threatmodel.reading.values import replace

_OTHER: tuple[Any, ...] = (None, "", {}, [], 1, ["x"])
_DIGIT = "\u0661"
"""A digit that is not ASCII, as the value of a header."""
_HEADER = re.compile(r"[A-Za-z]+(?:-[A-Za-z]+)+\Z")
_MOST_ANSWERS = 6
Keys = tuple[str, ...]


def events(send: Send, genuine: Genuine) -> Iterator[Send]:
    """Yield events of each form with each part left out or replaced, and with what the source compares keys with."""
    whole: dict[str, Any] = {}
    for shape in SHAPES:
        whole = dict(call_of(replace(send, shape=shape), genuine).event)
        yield replace(send, event=whole)
        for keys in _parts(whole):
            yield replace(send, event=_changed(whole, keys, None, left_out=True))
            for value in _OTHER:
                yield replace(send, event=_changed(whole, keys, value))
        for name in genuine.hints.keys if isinstance(whole["headers"], dict) else ():
            if _HEADER.match(name):
                yield replace(send, event={**whole, "headers": {**whole["headers"], name.lower(): _DIGIT}})
    answers = genuine.hints.answers
    for at in range(min(_MOST_ANSWERS, max(map(len, answers.values()), default=0))):
        said = {name: texts[at % len(texts)] for name, texts in answers.items() if name not in whole}
        for more in (said, *({name: text} for name, text in said.items())):
            for base in (whole, {}):
                yield replace(send, event={**base, **more})


def _parts(event: dict[str, Any], above: Keys = ()) -> Iterator[Keys]:
    for key, value in event.items():
        yield (*above, key)
        if isinstance(value, dict):
            yield from _parts(value, (*above, key))


def _changed(event: dict[str, Any], keys: Keys, value: Any, *, left_out: bool = False) -> dict[str, Any]:
    whole = copy.deepcopy(event)
    part = whole
    for key in keys[:-1]:
        part = part[key]
    if left_out:
        del part[keys[-1]]
    else:
        part[keys[-1]] = value
    return whole
