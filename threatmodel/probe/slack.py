"""How Slack signs a request, and the example that it publishes."""

from __future__ import annotations

import hashlib
import hmac
from typing import NamedTuple

BASES = {"slack": b"v0:%s:%s", "dots": b"%s.%s", "wrong-version": b"v1:%s:%s"}
"""What is signed, by timestamp and body: Slack's, and mistakes that circulate."""


class Published(NamedTuple):
    """A signed request as Slack's guide prints it: secret, time, body and the signature that fits."""

    secret: str
    timestamp: int
    body: str
    signature: str


PUBLISHED = Published(
    "8f742231b10e8888abcd99yyyzzz85a5",
    1531420618,
    "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar"
    "&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
    "&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    "&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c",
    "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
)


def signature(secret: str, timestamp: str, body: bytes, base: str = "slack") -> str:
    """The signature of a body at a time: HMAC-SHA-256 over what `base` names, as `v0=` and 64 hexadecimal digits."""
    signed = BASES[base] % (timestamp.encode(), body)
    return "v0=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
