import functools
import hashlib
import hmac
import os
import time


def is_signed(headers, body):
    headers = {name.lower(): value for name, value in headers.items()}
    timestamp = headers.get("x-slack-request-timestamp", "")
    if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > 300:
        return False
    secret = os.environ["SLACK_SIGNING_SECRET"].encode()
    digest = hmac.new(secret, f"v0:{timestamp}:{body}".encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"v0={digest}", headers.get("x-slack-signature", ""))


def signed_only(function):
    @functools.wraps(function)
    def wrapper(event, context):
        try:
            assert is_signed(event["headers"], event["body"])
        except AssertionError:
            return {"statusCode": 401, "body": ""}
        return function(event, context)

    return wrapper
