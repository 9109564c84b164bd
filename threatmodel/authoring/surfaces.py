"""What of Slack may call a route or take a secret, and what a path or a name hints at."""

from __future__ import annotations

import re

SURFACES = ("slash-command", "interactivity", "events")

OTHERS = "others"
"""A caller other than Slack calls the route."""

_HINTS = (
    (re.compile(r"interactiv|actions?\Z|options?\Z|modal|button", re.IGNORECASE), "interactivity"),
    (re.compile(r"events?\Z", re.IGNORECASE), "events"),
    (re.compile(r"slack|slash|commands?\Z", re.IGNORECASE), "slash-command"),
)
"""What in a path hints at a surface, first what is most telling."""

BY_PATH = "# by its path Slack's: {slack: "
WHERE = "# where Slack calls: {slack: "
"""How an import's comments on routes without a stated caller begin."""


def surface(path: str) -> str:
    """The surface of Slack that a path hints at, or ''."""
    return next((found for hint, found in _HINTS if hint.search(path)), "")


_GRANTS = (
    (re.compile(r"signing|signature", re.IGNORECASE), "slack-requests"),
    (re.compile(r"web-?_?hook", re.IGNORECASE), "slack-webhook"),
    (re.compile(r"(?<![a-z])app[-_]?(?:level[-_]?)?token|xapp", re.IGNORECASE), "slack-app-level"),
    (re.compile(r"client[-_]?secret", re.IGNORECASE), "slack-app-credentials"),
    (re.compile(r"(?:bot|slack|oauth|user)[-_]?(?:access[-_]?)?token|xox[bp]", re.IGNORECASE), "slack-api"),
)
"""What in a secret's name hints at what it grants, first what is most telling."""


def granted(name: str) -> str:
    """What a secret's name hints that it grants, or ''."""
    return next((found for hint, found in _GRANTS if hint.search(name)), "")
