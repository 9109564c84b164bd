"""Whether a text is a password by what it says: it spells the word, or is one that lists of common passwords have."""

from __future__ import annotations

import re
from collections.abc import Collection

_LONGEST = 64
_SPELT = str.maketrans("@4031!$57", "aaoeiisst")
"""Digits and signs that stand for letters: `P@ssw0rd`, `s3cr3t`."""
_COMMON = frozenset((
    *("changeme", "letmein", "hunter2", "trustno1", "iloveyou", "qwerty", "qwerty123", "qwertyuiop", "abc123"),
    *("admin123", "admin1234", "root123", "root1234", "welcome1", "welcome123", "monkey123", "dragon123"),
))  # fmt: skip
"""Common passwords that are nothing else: no name, no mode, no setting."""
_DEFAULTS = frozenset((
    *("password", "secret", "admin", "administrator", "root", "postgres", "mysql", "guest", "default", "master"),
    *("test", "user", "demo", "welcome", "rabbitmq", "elastic", "redis", "mongo"),
))  # fmt: skip
"""Words that are a password where the name says that there is one."""
_FOR_PASSWORDS = frozenset(("PASSWORD", "PASSWD", "PASSPHRASE", "PASSCODE", "PASS", "PWD"))
_SEASON = re.compile(
    r"(?:spring|summer|autumn|fall|winter|january|february|march|april|june|july|august|september|october|november|"
    r"december)(?:19|20)\d\d[!@#$%.*?]+\Z"
)


def is_for_password(words: Collection[str]) -> bool:
    """Return whether a name that consists of these words (in capitals) is that of a password."""
    return not _FOR_PASSWORDS.isdisjoint(words)


def is_known_password(raw: str, words: Collection[str]) -> bool:
    """Return whether a text is a password, which a variable has whose name consists of these words (in capitals).

    Plain words are none: `password` may be a mode, `my-secret` the name of a secret.
    """
    folded = raw.strip().lower()
    if not folded or len(folded) > _LONGEST or not re.fullmatch(r"[!-~]+", folded):
        return False
    if folded.rstrip("!.?") in _COMMON | (_DEFAULTS if is_for_password(words) else frozenset()) or _SEASON.match(
        folded
    ):
        return True
    spelt = folded.translate(_SPELT)
    if re.search(r"[/:.=$&{<]", folded) or not re.search(r"passw(?:or[dt]|d)|secret", spelt):
        return False
    in_other_signs = not re.search("passw(?:or[dt]|d)|secret", folded)
    return in_other_signs or bool(re.fullmatch(r"[a-z]*(?:passw(?:or[dt]|d)[a-z]*\d|secret[a-z]*\d\d)[^-_]*", folded))


_ALONE = re.compile(r"(?:my)?(?:passwords?|passw[dt]|secrets?|passphrase)[!.?]*\Z")
_RUN_TOGETHER = re.compile(r"[a-z0-9]*(?:passw(?:or[dt]|d)|secret)[a-z0-9]*[!@#$%*?]*\Z")
_IN_CAPITALS = re.compile(
    r"(?:[A-Z][a-z]*[-_ ])*(?:Passw(?:or[dt]|d)|Passphrase|Secret)(?:[-_ ](?:[A-Z][a-z]*|\d+))+[!.?]*\Z"
)
_STANDS_FOR_ONE = re.compile(r"your|change|replace|enter|insert|example|dummy|sample|placeholder|todo|manager")
_SHORTEST = 9


def says_secret(raw: str) -> bool:
    """Return whether a text is only the word for a secret, which is a password as often as a mode."""
    return bool(_ALONE.match(raw.strip().lower()))


def is_sentence(raw: str) -> bool:
    """Return whether a text calls itself a secret in words as the names of things are not written.

    That is run together, or each with a capital.  It may still be such a name, unless the name of the variable says
    that the value is a secret.
    """
    folded = raw.strip().lower()
    spelled = _RUN_TOGETHER.match(folded) or _IN_CAPITALS.match(raw.strip())
    whole = _SHORTEST <= len(folded) <= _LONGEST and bool(spelled)
    return whole and not _STANDS_FOR_ONE.search(folded) and not _ALONE.match(folded)
