import contextlib, hashlib, hmac, os, time
import boto3
sns = boto3.client("sns")

class Denied(Exception):
    status = 401

@contextlib.contextmanager
def fresh(stamp):
    if not (stamp.isascii() and stamp.isdigit()) or abs(time.time() - int(stamp)) > 300:
        raise Denied
    yield

@contextlib.contextmanager
def authentic(stamp, body, given):
    secret = os.environ["SLACK_SIGNING_SECRET"]
    mac = hmac.digest(secret.encode(), b"v0:" + stamp.encode() + b":" + body.encode(), "sha256")
    try:
        sent = bytes.fromhex(given[3:])
    except ValueError:
        raise Denied from None
    if not secret or given[:3] != "v0=" or not hmac.compare_digest(mac, sent):
        raise Denied
    yield

def handler(event, context):
    h = {k.lower(): v for k, v in event["headers"].items()}
    stamp = h.get("x-slack-request-timestamp", "")
    with contextlib.suppress(Denied), contextlib.ExitStack() as stack:
        stack.enter_context(fresh(stamp))
        stack.enter_context(authentic(stamp, event["body"], h.get("x-slack-signature", "")))
        stack.callback(sns.publish, TopicArn=os.environ["TOPIC_ARN"], Message=event["body"])
        return {"statusCode": 200, "body": ""}
    return {"statusCode": 401, "body": ""}
