"""What most likely keeps a genuine request out, and what to do about it."""

from __future__ import annotations

from threatmodel.probe.outcome import RAISED
from threatmodel.probe.protocol import Reply

_TABLE = (
    "it asks a table, in which the probe keeps nothing: where its secret or its callers stand there, let it take them "
    "from a variable or from Secrets Manager while it is probed, or start it and name its address"
)
_OTHER_EVENT = (
    "it may take another event than the probe has, which are those of a REST API, an HTTP API, a function URL and a "
    "load balancer: of what a mapping template or a queue hands over, nothing can be shown"
)
_ASKS_FOR_MORE = (
    "it asks for what the request has not: name the commands and callers that it knows (--body, --env, --kind, --path)"
    "; a key of its own Slack never sends, so that it is no check of Slack's requests"
)


def what_to_do(genuine: Reply) -> str:
    """Advice for a handler that did not accept what should have been a genuine request; '' where there is none."""
    if any(effect.service == "dynamodb" and effect.reads for effect in (*genuine.loading, *genuine.effects)):
        return _TABLE
    if genuine.ended in RAISED:
        return _OTHER_EVENT
    return _ASKS_FOR_MORE if 400 <= (genuine.status or 0) < 500 else ""  # noqa: PLR2004 - HTTP's class of refusals
