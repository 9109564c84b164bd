import functools, hashlib, hmac, json, os, time
import boto3
table = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])
sqs = boto3.client("sqs")
ROUTES = {}

def on(name):
    def add(f):
        ROUTES[name] = f
        return f
    return add

def verified(f):
    @functools.wraps(f)
    def inner(h, body, payload):
        ts = h.get("x-slack-request-timestamp", "")
        mac = hmac.new(os.environ["SLACK_SIGNING_SECRET"].encode(), f"v0:{ts}:{body}".encode(), hashlib.sha256)
        if not ts.isdigit() or abs(time.time() - int(ts)) > 300 or not hmac.compare_digest("v0=" + mac.hexdigest(), h.get("x-slack-signature", "")):
            return {"statusCode": 401, "body": ""}
        return f(h, body, payload)
    return inner

@on("app_mention")
@verified
def mention(h, body, payload):
    sqs.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=json.dumps(payload["event"]))
    return {"statusCode": 200, "body": ""}

@on("tokens_revoked")
def revoked(h, body, payload):
    for token in payload["event"].get("tokens", {}).get("oauth", []):
        table.delete_item(Key={"user": token})
    return {"statusCode": 200, "body": ""}

def handler(event, context):
    h = {k.lower(): v for k, v in event["headers"].items()}
    try:
        payload = json.loads(event["body"])
        route = ROUTES[payload["event"]["type"]]
    except (ValueError, KeyError, TypeError):
        return {"statusCode": 401, "body": ""}
    return route(h, event["body"], payload)
