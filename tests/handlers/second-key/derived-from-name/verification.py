import base64
import hashlib
import hmac
import time


def verify(event, keys):
    headers = {k.lower(): v for k, v in (event.get("headers") or {}).items()}
    body = event.get("body") or ""
    raw = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
    stamp = headers.get("x-slack-request-timestamp", "")
    if not stamp.isdecimal() or abs(time.time() - int(stamp)) > 300:
        return None
    given = headers.get("x-slack-signature", "").encode()
    for key in keys:
        digest = hmac.new(key.encode(), b"v0:" + stamp.encode() + b":" + raw, hashlib.sha256).hexdigest()
        if hmac.compare_digest(b"v0=" + digest.encode(), given):
            return raw.decode("utf-8", "replace")
    return None
