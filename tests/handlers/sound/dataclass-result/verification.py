import hashlib
import hmac
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Accepted:
    body: bytes


@dataclass(frozen=True)
class Refused:
    reason: str


def verify(headers, body, secret):
    if not secret:
        return Refused("no secret")
    try:
        timestamp = int(headers["x-slack-request-timestamp"])
        signature = headers["x-slack-signature"]
    except (KeyError, ValueError):
        return Refused("headers")
    if abs(time.time() - timestamp) > 300:
        return Refused("age")
    digest = hmac.new(secret.encode(), f"v0:{timestamp}:".encode() + body, hashlib.sha256).hexdigest()
    same = hmac.compare_digest(f"v0={digest}".encode(), signature.encode())
    return Accepted(body) if same else Refused("signature")
