import base64
import hashlib
import hmac
import os
import time
from dataclasses import dataclass
from urllib.parse import parse_qsl


@dataclass(frozen=True)
class SlackRequest:
    headers: dict
    body: bytes
    form: dict

    @classmethod
    def parse(cls, event):
        body = event["body"].encode()
        if event["isBase64Encoded"]:
            body = base64.b64decode(body)
        return cls(event["headers"], body, dict(parse_qsl(body.decode())))

    @property
    def command(self):
        return self.form.get("command")

    def verified(self):
        timestamp = self.headers.get("x-slack-request-timestamp", "0")
        if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > 300:
            return False
        base = b":".join((b"v0", timestamp.encode(), self.body))
        key = os.environ["SLACK_SIGNING_SECRET"].encode()
        return hmac.compare_digest(
            "v0=" + hmac.new(key, base, hashlib.sha256).hexdigest(), self.headers.get("x-slack-signature", "")
        )
