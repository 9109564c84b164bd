import hashlib, hmac, json, os, time
import boto3
sqs = boto3.client("sqs")

def merged(event):
    try:
        inner = json.loads(event.get("body") or "{}")
    except ValueError:
        inner = {}
    return {**event, **inner} if isinstance(inner, dict) else event

def handler(event, context):
    event = merged(event)
    if event.get("source") == "aws.events" and event.get("detail-type") == "Scheduled Event":
        sqs.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=json.dumps(event.get("detail", {})))
        return {}
    h = {k.lower(): v for k, v in event["headers"].items()}
    ts = h.get("x-slack-request-timestamp", "")
    mac = hmac.new(os.environ["SLACK_SIGNING_SECRET"].encode(), f"v0:{ts}:{event['body']}".encode(), hashlib.sha256)
    if not ts.isdigit() or abs(time.time() - int(ts)) > 300 or not hmac.compare_digest("v0=" + mac.hexdigest(), h.get("x-slack-signature", "")):
        return {"statusCode": 401, "body": ""}
    sqs.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=event["body"])
    return {"statusCode": 200, "body": ""}
