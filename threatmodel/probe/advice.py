"""What most likely keeps a genuine request out, and what to do about it."""

from __future__ import annotations

from threatmodel.probe.outcome import RAISED
from threatmodel.probe.protocol import Reply

_TABLE = (
    "it asks a table, which is empty in a probe. If its secret or its callers are there, give the items with --table. "
    "Or start the handler, and name its address"
)
_OTHER_EVENT = (
    "it may need an event that the probe lacks; the probe has those of REST APIs, HTTP APIs, function URLs and load "
    "balancers. It cannot show anything about events from a mapping template or a queue"
)
_ASKS_FOR_MORE = (
    "it asks for something that the request lacks; name commands and callers that it knows (--body, --env, --kind, "
    "--path). Slack never sends a custom key, so that such a key is no check of Slack's requests (--header and --query "
    "add one)"
)


def what_to_do(genuine: Reply) -> str:
    """Advice for a handler that did not accept what should have been a genuine request; '' where there is none."""
    if any(effect.service == "dynamodb" and effect.reads for effect in (*genuine.loading, *genuine.effects)):
        return _TABLE
    if genuine.ended in RAISED:
        return _OTHER_EVENT
    if 300 <= (genuine.status or 0) < 400:  # noqa: PLR2004 - HTTP's class of redirects
        return "it redirects: probe the address that it redirects to"
    return _ASKS_FOR_MORE if 400 <= (genuine.status or 0) < 500 else ""  # noqa: PLR2004 - HTTP's class of refusals
