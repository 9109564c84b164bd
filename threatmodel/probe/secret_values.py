"""Which values of a handler's variables are no secrets, by their form: all others are looked for where none may be."""

from __future__ import annotations

import re

_SECRET_NAME = re.compile(
    r"(?<![a-z])(?:pass(?:word|wd|phrase)?|pwd|secrets?|tokens?|api_?keys?|private_?keys?|access_?keys?|keys?|creds?|"
    r"credentials?|auth|salt|sig|signing|pat|jwt|dsn|webhook(?:_?url)?)(?![a-z])",
    re.IGNORECASE,
)
"""Names of secrets, as whole words between underscores or hyphens."""
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

_ARN = re.compile(r"arn:aws[\w-]*:[\w-]+:[\w-]*:\d*:\S+\Z")
_REFERENCES = re.compile(
    r"(?:_arn|_name|_id|_ids|_path|_table|_bucket|_queue|_topic|_parameter|_region)\Z", re.IGNORECASE
)
_PATH = re.compile(r"/[\w.-]+(?:/[\w.-]+)*\Z")
_ADDRESS = re.compile(r"https?://[\w.:-]+(?:/[\w./-]*)?\Z")
_WITH_SECRET = re.compile(r"hooks\.slack\.com|/(?=[^/]*\d)(?=[^/]*[a-zA-Z])[A-Za-z0-9_-]{16,}")
_WORDS = re.compile(r"[A-Za-z]+(?:[ _./,:-]+[A-Za-z]+)*\Z")
_NUMBER = re.compile(r"[\d.,:% -]+\Z")
_IDS = re.compile(r"[A-Z][A-Z0-9]{0,14}(?:[, ]+[A-Z][A-Z0-9]{0,14})*\Z")
_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d[a-z]?\Z")
_NAMED = re.compile(r"[a-z]+(?:[._-](?:[a-z]+|v?\d{1,4}))*\Z", re.IGNORECASE)
_SHORTEST = 4


def is_plain(name: str, value: str, request: str) -> bool:
    """Whether a variable's value is no secret.

    A name that says secret makes every value one, but a reference to where the secret is kept.  Else it is plain where
    it is too short to be found, is in the genuine request, or has the form of an ARN, an address, a path, ids,
    numbers or words.
    """
    if len(value) < _SHORTEST or _ARN.match(value):
        return True
    address = _ADDRESS.match(value) is not None
    if _SECRET_NAME.search(_CAMEL.sub("_", name).replace("_", " ").replace("-", " ")):
        return bool(
            _REFERENCES.search(_CAMEL.sub("_", name)) and (address or _PATH.match(value) or _NAMED.match(value))
        )
    if value in request:
        return True
    if address or _PATH.match(value):
        return not _WITH_SECRET.search(value)
    return any(pattern.match(value) for pattern in (_WORDS, _NUMBER, _IDS, _REGION, _NAMED))
