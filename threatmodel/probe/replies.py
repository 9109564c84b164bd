"""What a reply says: its status as the caller sees it, what was done, and both in words that hold nothing secret."""

from __future__ import annotations

import re
from collections.abc import Sequence

from threatmodel.probe.leaks import Hidden
from threatmodel.probe.protocol import EXCHANGES, TELLING, Effect, Reply

_ENDED = {
    "not-sent": "the run was stopped before it",
    "error": "it raised {error}, which Lambda answers with 502",
    "timeout": "it did not answer in time",
    "exit": "it ended its own process, which Lambda answers with 502",
    "crash": "its process crashed, which Lambda answers with 502",
    "output": "it printed more than is read",
    "memory": "it took more memory than it has",
    "not-run": "the request before it ended the process",
}


_LOOKING_UP_ITSELF = {"auth.test", "api.test"}
_AUTHORIZE = re.compile(r"https://(?:[a-z0-9-]+\.)?slack\.com/(?:oauth|openid)/[a-z0-9/]*authorize\b")
"""docs.slack.dev/authentication/installing-with-oauth: where an installation begins."""
_STORES, _STORING = frozenset({"dynamodb", "s3"}), frozenset({"PutItem", "PutObject"})
KEEPING_SECRETS = {"secretsmanager", "ssm", "kms"}


def side_effects(reply: Reply) -> tuple[Effect, ...]:
    """What a handler did to the world in one call."""
    return tuple(effect for effect in reply.effects if effect.acts)


def data_read(reply: Reply) -> tuple[Effect, ...]:
    """What a handler looked up for one call that is no secret and does not tell how it fares: it was at work."""
    beside = KEEPING_SECRETS | TELLING | {"file", "process", "network"}
    return tuple(
        effect
        for effect in reply.effects
        if effect.reads and effect.service not in beside and effect.operation not in _LOOKING_UP_ITSELF
    )


def exchanges(effect: Effect) -> bool:
    """Whether Slack was asked for a token, with the code of an installation."""
    return effect.service == "slack" and effect.operation in EXCHANGES


def begins_installation(reply: Reply, status: int | None) -> bool:
    """Whether the caller is led to where Slack asks whether an app may be installed, and nothing else was done for it.

    A user who installs the app asks for that, and the request is not signed; what is stored is the state.
    """
    if status is None or status >= 400:  # noqa: PLR2004 - HTTP's classes
        return False
    answer = " ".join(value for name, value in reply.headers.items() if name.lower() == "location") + reply.body
    stored = all(effect.service in _STORES and effect.operation in _STORING for effect in side_effects(reply))
    return stored and _AUTHORIZE.search(answer) is not None


def asks_a_store(reply: Reply) -> bool:
    """Whether anything outside its own process was asked that could remember: a table, a cache, a queue."""
    beside = KEEPING_SECRETS | TELLING | {"file", "process", "slack"}
    return any(effect.service not in beside for effect in reply.effects)


def status_of(reply: Reply, shape: str) -> int | None:
    """The status that the caller would see; None where Lambda or the API would answer with a 5xx itself."""
    if reply.ended:
        return None
    if reply.status is None and shape not in {"rest-api", "alb", "alb-multi-value"}:
        return 200  # these take any other value for the body of a good answer
    return reply.status


def accepted(reply: Reply, shape: str) -> bool:
    """Whether a request was taken."""
    return 200 <= (status_of(reply, shape) or 0) < 300  # noqa: PLR2004 - HTTP's classes


def came_back(reply: Reply, hidden: Hidden) -> str:
    """What came back, in words that hold nothing secret."""
    if reply.ended:
        text = ending(reply, hidden)
    else:
        body = hidden.excerpt(reply.body)
        text = f"{'no status' if reply.status is None else reply.status}{f' {body}' if body else ''}"
    done = side_effects(reply)
    return f"{text}; {in_words(done, hidden)}" if done else text


def ending(reply: Reply, hidden: Hidden) -> str:
    """How a call without an answer ended."""
    return _ENDED[reply.ended].format(error=hidden.excerpt(reply.error) or "an exception")


def in_words(effects: Sequence[Effect], hidden: Hidden) -> str:
    """Effects by service, operation and what they touched; the first three."""
    shown = [hidden.excerpt(" ".join(filter(None, (e.service, e.operation, e.detail)))) for e in effects]
    return ", ".join(shown[:3]) + (f" and {len(shown) - 3} more" if len(shown) > 3 else "")  # noqa: PLR2004 - a line's worth


def keeps(effect: Effect) -> bool:
    """Whether something stays of it: asking Slack for a token, and using up what was noted, leave nothing."""
    return not exchanges(effect) and not effect.operation.startswith("Delete")
