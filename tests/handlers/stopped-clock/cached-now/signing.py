import functools
import hashlib
import hmac
import os
import time


@functools.cache
def secret():
    return os.environ["SLACK_SIGNING_SECRET"].encode()


@functools.cache
def now():
    return int(time.time())


def verify(headers, body):
    timestamp = headers.get("x-slack-request-timestamp", "")
    if not timestamp.isdigit() or abs(now() - int(timestamp)) > 300:
        return False
    digest = hmac.new(secret(), f"v0:{timestamp}:{body}".encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"v0={digest}", headers.get("x-slack-signature", ""))
