"""What variables of the environment grant: by where the code hands their values to Slack's clients and frameworks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from threatmodel.beside.code.bolt import options
from threatmodel.beside.code.digests import HMAC
from threatmodel.beside.code.functions import Function
from threatmodel.beside.code.observed import CLAIMED, GRANTS, Observed, Reading
from threatmodel.beside.code.packages import VERIFIERS
from threatmodel.beside.code.syntax import Node, walk

_VARIABLE = re.compile(r"(?:os\.environ\.get\(|os\.environ\.|os\.getenv\(|(?:\A|\.)process\.env\.)(\w+)")
_CLIENTS = re.compile(r"(?:\A|\.)(?:WebClient|AsyncWebClient|SlackClient)\Z")
_HOOKS = re.compile(r"(?:\A|\.)(?:WebhookClient|AsyncWebhookClient|IncomingWebhook)\Z")
_APPS = re.compile(r"(?:slack_bolt|@slack/\w+|slack_sdk)[\w./]*\.\w+\Z")
_NAMED: Mapping[str, str] = {
    **dict.fromkeys(("signing_secret", "signingSecret"), "slack-requests"),
    **dict.fromkeys(("token", "bot_token", "botToken"), "slack-api"),
    **dict.fromkeys(("app_token", "appToken"), "slack-app-level"),
    **dict.fromkeys(("client_secret", "clientSecret"), "slack-app-credentials"),
}
"""Options of Slack's frameworks and clients, each with what its value grants."""
_HEADER = re.compile(r"\Ax-slack-signature\Z", re.IGNORECASE)


def credentials(reading: Reading) -> Iterator[Observed]:
    """Yield the variables that the code hands to Slack's clients, or signs Slack's requests with, each once.

    Where it is used as several things, or several variables sign, it is not known which is which.
    """
    found: dict[str, dict[str, tuple[Function, Node]]] = {}
    signs = any(map(_HEADER.match, reading.program.words))
    for function, call, name in reading.program.calls:
        for given, grants in _handed(call, name, signs=signs):
            if variable := _variable(reading, given, function):
                found.setdefault(variable, {}).setdefault(grants, (function, call))
    signing = [variable for variable, uses in found.items() if "slack-requests" in uses]
    for variable, uses in found.items():
        (grants, where), *others = uses.items()
        if not others and (len(signing) == 1 or grants != "slack-requests"):
            note = f"the code uses {variable} as {_WORDS[grants]}"
            yield reading.at(GRANTS, CLAIMED, where, note, (variable, grants))


_WORDS = {
    "slack-requests": "Slack's signing secret",
    "slack-api": "a token of Slack's API",
    "slack-app-level": "an app-level token of Slack",
    "slack-app-credentials": "the client secret of a Slack app",
    "slack-webhook": "an incoming webhook of Slack",
}


def _handed(call: Node, name: str, *, signs: bool) -> Iterator[tuple[Node, str]]:
    """Yield what a call is given as a credential of Slack, and what that grants."""
    first = call.parts[1] if len(call.parts) > 1 else None
    if _APPS.search(name):
        yield from ((value, _NAMED[option]) for option, value in options(call) if option in _NAMED)
    if first is None or first.kind in {"keyword", "dict"}:
        return
    if _CLIENTS.search(name):
        yield first, "slack-api"
    elif _HOOKS.search(name):
        yield first, "slack-webhook"
    elif any(one in name for one in VERIFIERS):
        yield first, "slack-requests"
    elif signs and HMAC.search(name):
        yield from ((one, "slack-requests") for one in call.parts[1:3])


def _variable(reading: Reading, node: Node, function: Function) -> str:
    """Return the only variable of the environment in an expression; '' where there is none, or several."""
    names = {
        found[1]
        for one in walk(node)
        if one.kind in {"name", "attribute", "call", "or", "choice"}
        and (found := _VARIABLE.search(reading.program.dotted(one, function))) is not None
    }
    return names.pop() if len(names) == 1 else ""
