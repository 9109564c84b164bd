import hashlib
import hmac
import time


class Verifier:
    """Checks v0 signatures made with one secret."""

    MAX_AGE = 60 * 5

    def __init__(self, secret):
        self._secret = secret.encode()

    def accepts(self, headers, body):
        timestamp = headers.get("x-slack-request-timestamp", "")
        if not timestamp.isdecimal() or abs(time.time() - int(timestamp)) > self.MAX_AGE:
            return False
        return hmac.compare_digest(self._sign(timestamp, body), headers.get("x-slack-signature", ""))

    def _sign(self, timestamp, body):
        mac = hmac.new(self._secret, b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256)
        return "v0=" + mac.hexdigest()
