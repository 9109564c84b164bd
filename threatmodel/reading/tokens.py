"""Tokens and keys that are known by their form: no text that is shown has one."""

from __future__ import annotations

import re

_FORMS = r"""xox[a-z][.-][A-Za-z0-9.-]{6,200}              # Slack's bot, user, refresh and configuration tokens
    | x(?:app|wfp)-[A-Za-z0-9-]{6,200}
    | hooks\.slack\.com/(?:services|workflows|triggers)(?:/[A-Za-z0-9]+){2,4}
    | (?<![A-Z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])
    | (?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,4000}\.eyJ[A-Za-z0-9_-]{4,4000}\.[A-Za-z0-9_-]
    | (?<![A-Za-z0-9])(?:gh[pousr]_[A-Za-z0-9]{30} | github_pat_[A-Za-z0-9_]{30} | glpat-[A-Za-z0-9_-]{18})
    | (?<![A-Za-z0-9])(?:[sr]k_live_[A-Za-z0-9]{16,} | sk-[A-Za-z0-9_-]{32} | AIza[A-Za-z0-9_-]{35})
    | (?<![A-Za-z0-9])npm_[A-Za-z0-9]{36}
    | (?<![A-Za-z0-9])SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{16}
"""
TOKEN = re.compile(rf"({_FORMS})[A-Za-z0-9_.-]*", re.VERBOSE)
"""A token or key of a well-known service to its end; the group is what has its form."""
_MARKS = (
    *("xox", "xapp-", "xwfp-", "hooks.", "AKIA", "ASIA", "eyJ", "gh", "glpat"),
    *("k_live_", "sk-", "AIza", "npm_", "SG."),
)
"""One of these is in every token: most texts have none."""


def redacted(text: str) -> str:
    """Return a text as it may be shown: what has the form of a known token is left out."""
    if len(text) < len("xoxb-123456") or not any(mark in text for mark in _MARKS):
        return text
    return TOKEN.sub("<redacted>", text)
