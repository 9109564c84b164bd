import hmac
import os
import time

SECRET = os.environ["SLACK_SIGNING_SECRET"].encode()
if not SECRET:
    raise RuntimeError("SLACK_SIGNING_SECRET is empty")


def authentic(headers, body):
    timestamp = headers.get("x-slack-request-timestamp", "")
    if not timestamp.isdigit() or not -300 < time.time() - int(timestamp) < 300:
        return False
    digest = hmac.digest(SECRET, b"v0:" + timestamp.encode() + b":" + body, "sha256").hex()
    return hmac.compare_digest(f"v0={digest}".encode(), headers.get("x-slack-signature", "").encode())
