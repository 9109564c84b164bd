import base64, hashlib, hmac, os, time
import boto3

class Bot:
    def __init__(self):
        self.queue = boto3.client("sqs")
        key = os.environ["SLACK_SIGNING_SECRET"].encode()
        assert_key = key if len(key) <= 64 else hashlib.sha256(key).digest()
        if not key:
            raise RuntimeError("no secret")
        block = assert_key.ljust(64, b"\0")
        self.inner = hashlib.sha256(bytes(b ^ 0x36 for b in block))
        self.outer = hashlib.sha256(bytes(b ^ 0x5C for b in block))

    def mac(self, data):
        inner, outer = self.inner.copy(), self.outer.copy()
        inner.update(data)
        outer.update(inner.digest())
        return outer.digest()

    def __call__(self, event, context):
        match event:
            case {"headers": dict(headers), "body": str(body)}:
                raw = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
            case _:
                return {"statusCode": 400, "body": ""}
        wanted = {"x-slack-request-timestamp": [], "x-slack-signature": []}
        for name, value in headers.items():
            wanted.get(name.lower(), []).append(value)
        match list(wanted.values()):
            case [[stamp], [signature]] if stamp.isascii() and stamp.isdigit() and signature.startswith("v0=") and len(signature) == 67:
                pass
            case _:
                return {"statusCode": 401, "body": ""}
        if abs(int(stamp) - time.time()) > 300 or not hmac.compare_digest(self.mac(b"v0:" + stamp.encode() + b":" + raw).hex().encode(), signature[3:].encode()):
            return {"statusCode": 401, "body": ""}
        self.queue.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=raw.decode("utf-8", "replace"))
        return {"statusCode": 200, "body": ""}

handler = Bot()
