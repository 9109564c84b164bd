"""Labels: what a file of infrastructure code deploys, as a person read it, by the first digits of its SHA-256.

A label is written by reading the file, before the tool is run on it.  It has names of the file, or the keys that
`threatmodel.evidence.outside` gives to what is in other files:

    639b110226bd9c90:
      name: a name to print
      functions: [Front, Worker]
      routes: [POST /slack/events Front by slack, GET /health Front]   # by slack, by others; left out: unknown
      flows: [rate(1 hour) > Front, Front sends Jobs, Front calls slack, Jobs passes Archive]
      secrets: [SigningSecret, environment of Front]                   # stored, and in plain text in an environment
      controls:  # of one resource, or of several; function: of each
        function: -code-signing +supported-runtime
        Jobs Letters: -queue-customer-managed-key ?queue-readers-restricted
      why: {Front calls slack: the page prints this if the tool misses it or is wrong}

A judgment on a control is its id behind a sign: + in place, - not in place, ? the file does not decide it, 0 it does
not apply.  The judgment on one resource overrides that on each function.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast, get_args

import yaml

Sign = Literal["+", "-", "?", "0"]
SIGNS: tuple[Sign, ...] = get_args(Sign)
Caller = Literal["slack", "others", ""]
_KEYS = {"name", "functions", "routes", "flows", "secrets", "controls", "why"}
_EACH = "function"
_ROUTE = re.compile(r"(?P<route>[A-Z*]+ [/$\w]\S* \S+)(?: by (?P<caller>slack|others))?\Z")
_FLOW = re.compile(r".+ > \S+|\S+ (?:reads|writes|sends|secrets|invokes|calls|passes) .+")


class LabelError(ValueError):
    """A label that says nothing that could be held against a file."""


@dataclass(frozen=True, slots=True)
class Label:
    """What a person says of one file: routes with who calls them, controls by id and resource with a sign.

    `why` explains what the tool misses or says wrongly, by the text that the page has for it.
    """

    name: str
    functions: frozenset[str]
    routes: Mapping[str, Caller]
    flows: frozenset[str]
    secrets: frozenset[str]
    controls: Mapping[tuple[str, str], Sign]
    why: Mapping[str, str]


def digest(path: Path) -> str:
    """By what a file's label is known."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def load(path: Path, controls: Collection[str]) -> Mapping[str, Label]:
    """The labels in a file, by digest; `controls` are the ids that there are.  Raises LabelError with all mistakes."""
    found: dict[str, Label] = {}
    wrong: list[str] = []
    for key, said in yaml.safe_load(path.read_text(encoding="utf-8")).items():
        try:
            found[str(key)] = label(said, controls)
        except LabelError as error:
            wrong.append(f"{path.name}: {key}: {error}")
    if wrong:
        raise LabelError("\n".join(wrong))
    return found


def label(said: Mapping[str, Any], controls: Collection[str]) -> Label:
    """One label.  Raises LabelError."""
    if strange := said.keys() - _KEYS:
        raise LabelError(f"{', '.join(sorted(strange))}: no key of a label")
    functions = frozenset(said.get("functions", ()))
    flows = frozenset(said.get("flows", ()))
    if wrong := sorted(flow for flow in flows if not _FLOW.fullmatch(flow)):
        raise LabelError(f"{wrong[0]!r} is no flow")
    return Label(
        name=said["name"],
        functions=functions,
        routes=dict(_route(text) for text in said.get("routes", ())),
        flows=flows,
        secrets=frozenset(said.get("secrets", ())),
        controls=_judged(said.get("controls", {}), functions, controls),
        why=said.get("why", {}),
    )


def _route(text: str) -> tuple[str, Caller]:
    found = _ROUTE.fullmatch(text)
    if found is None:
        raise LabelError(f"{text!r} is no route: METHOD /path Function, and by slack or by others")
    return found["route"], cast("Caller", found["caller"] or "")


def _judged(
    said: Mapping[str, str], functions: Collection[str], controls: Collection[str]
) -> Mapping[tuple[str, str], Sign]:
    found: dict[tuple[str, str], Sign] = {}
    for names in sorted(said, key=lambda one: one != _EACH):
        for word in said[names].split():
            sign, control = word[0], word[1:]
            if sign not in SIGNS or control not in controls:
                raise LabelError(f"{word!r} of {names}: no sign and id of a control")
            for name in functions if names == _EACH else names.split():
                found[control, name] = sign
    return found
