import hashlib, hmac, json, os, time, urllib.request
import boto3
sqs = boto3.client("sqs")

def ok(h, body):
    ts = h.get("x-slack-request-timestamp", "")
    if not ts.isdigit() or abs(time.time() - int(ts)) > 300:
        return False
    mac = hmac.new(os.environ["SLACK_SIGNING_SECRET"].encode(), f"v0:{ts}:{body}".encode(), hashlib.sha256)
    return hmac.compare_digest("v0=" + mac.hexdigest(), h.get("x-slack-signature", ""))

def handler(event, context):
    h = {k.lower(): v for k, v in event["headers"].items()}
    if h.get("x-amz-sns-message-type"):
        note = json.loads(event["body"])
        if note["Type"] == "SubscriptionConfirmation" and "sns." in note["SubscribeURL"]:
            urllib.request.urlopen(note["SubscribeURL"], timeout=2)
        elif note["Type"] == "Notification":
            sqs.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=note["Message"])
        return {"statusCode": 200, "body": ""}
    if not ok(h, event["body"]):
        return {"statusCode": 401, "body": ""}
    sqs.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=event["body"])
    return {"statusCode": 200, "body": ""}
