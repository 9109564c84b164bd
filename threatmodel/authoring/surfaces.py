"""What of Slack may call a route, and what a route's path hints at."""

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
