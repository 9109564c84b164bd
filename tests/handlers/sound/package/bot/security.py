import hashlib
import hmac
import time


def is_from_slack(headers, body, secret):
    headers = {name.lower(): value for name, value in headers.items()}
    timestamp = headers.get("x-slack-request-timestamp", "")
    if not timestamp.isdecimal() or abs(int(time.time()) - int(timestamp)) > 300:
        return False
    expected = "v0=" + hmac.new(secret.encode(), f"v0:{timestamp}:{body}".encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), headers.get("x-slack-signature", "").encode())
