"""Requests without a right signature under other variables: each that the source reads, with each value."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from threatmodel.probe.cases import Send
from threatmodel.probe.crossing import bodies
from threatmodel.probe.crossing.candidates import BLANK, field_names, values
from threatmodel.probe.crossing.pairing import paired
from threatmodel.probe.crossing.unsigned import crossed
from threatmodel.probe.requests import Genuine
from threatmodel.probe.runners.aws import LATE
from threatmodel.reading.values import replace

_VALUES = ("", "1", "true", "false", "dev", "test", "local")
_LISTED = ("{secret},", "{secret} ", "{secret};", "{secret}|", "{secret}\n", "{secret}" * 3)
"""How a variable may hold several secrets, of which the last is empty, and a long one."""
_STAGE = re.compile(r"[A-Za-z][\w-]{1,30}\Z")
_STAGES = ("dev", "test", "local", "staging", "sandbox")
_OPTIMIZED = {"PYTHONOPTIMIZE": "2"}
_MOST = 12
"""Values, each of which needs a process."""
_MOST_UNSET = 8
_SWITCH = re.compile(r"[A-Za-z]{0,12}\Z|\d?\Z")
"""The form of a switch: one word or one digit.  An address or the name of a resource is none."""
_COMPOSED = re.compile(r"[A-Za-z]+(?:[-_][A-Za-z]+)*\Z")
_SEVERAL = 40


def variables(send: Send, genuine: Genuine) -> Iterator[Send]:
    """Yield requests under each change of the variables, unsigned and wrongly signed, in a separate process.

    Each variable is left out once. One that holds an address, a name or a secret is no switch, and keeps its value.
    """
    asked, text = genuine.hints.variables, genuine.text_of(send.body)
    switches = [name for name, value in asked.items() if _SWITCH.match(value)]
    own = (value for name in switches for value in asked[name].split())
    compared = (word for word in genuine.hints.compared if _SWITCH.match(word))
    given = [*list(dict.fromkeys((*own, *compared, *_VALUES)))[:_MOST], *_of_several(genuine)]
    unset: tuple[Mapping[str, str | None], ...] = ({}, *({name: None} for name in list(asked)[:_MOST_UNSET]))
    left_out = [keys[:1] for keys in bodies.places(text) if keys[0] in genuine.hints.keys]
    for kept in _LISTED:  # an empty entry is a key that anyone has
        yield crossed(
            send, f"where the secret is kept as '{kept}'", kept=kept, apart=True, signature="{signature}", secret=""
        )
    for changes in (*unset, *paired(switches, given, len(given))):
        yield replace(send, environment={**_OPTIMIZED, **changes}, apart=True, signature=None)
        yield replace(send, secret="wrong")  # noqa: S106 - a word of the format
        for keys in dict.fromkeys(left_out):
            yield crossed(send, f"without {keys[0]}", text=bodies.without(text, keys), signature=None)
    names = dict.fromkeys(("stage", *field_names(genuine)))
    for at, word in enumerate(dict.fromkeys((*(word for word in values(genuine) if _STAGE.match(word)), *_STAGES))):
        said = f"through the alias and stage '{word}'"
        yield crossed(send, said, deployed=dict.fromkeys(names, word), apart=not at, signature=None)


def moments(send: Send, genuine: Genuine) -> Iterator[Send]:
    """Yield requests at each hour of a day, on each day of a week, and years from now, in one process."""
    if not genuine.sets_clock:
        return
    for seconds in (*range(0, _DAY, 3600), *range(_DAY, 7 * _DAY, _DAY), *(year * 365 * _DAY for year in (1, 2, 5))):
        yield replace(send, later=seconds, clock=seconds, apart=not seconds)


_DAY = 86_400


def errors(send: Send, genuine: Genuine) -> Iterator[Send]:
    """Yield requests while the store of secrets answers with each error that the source names, and with usual ones."""
    named = [word for word in genuine.hints.literals if _ERROR.match(word)]
    for error in dict.fromkeys((LATE, *named[:_MOST], *_ERRORS)):
        yield replace(send, failing=error, apart=True)
        for key in BLANK:
            yield replace(send, failing=error, signature="{signature}", secret=key)


_ERRORS = ("ThrottlingException", "AccessDeniedException", "InternalServiceError")
"""Errors of the services that hold secrets, beside that there is none."""
_ERROR = re.compile(r"[A-Z][A-Za-z]+(?:Exception|Error|Failure|NotFound|Denied|Exceeded)\Z")


def _of_several(genuine: Genuine) -> Iterator[str]:
    """Yield values that hold several: a list of words, and an object in which each name is on, or off."""
    words = [word for word in (*genuine.hints.compared, *genuine.hints.keys) if _COMPOSED.match(word)][:_SEVERAL]
    if words:
        yield ",".join(dict.fromkeys(words))
        yield from (json.dumps(dict.fromkeys(words, value)) for value in (True, False))
