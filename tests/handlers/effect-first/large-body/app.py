import hashlib, hmac, json, os, time
import boto3
s3 = boto3.client("s3")
sqs = boto3.client("sqs")
INLINE = 128 << 10

def handler(event, context):
    h = {k.lower(): v for k, v in event["headers"].items()}
    body = event["body"] or ""
    ts = h.get("x-slack-request-timestamp", "")
    if not ts.isdigit() or abs(time.time() - int(ts)) > 300:
        return {"statusCode": 401, "body": ""}
    if len(body) > INLINE:
        s3.put_object(Bucket=os.environ["EVENT_BUS"], Key=f"incoming/{ts}", Body=body.encode())
        return {"statusCode": 202, "body": ""}
    mac = hmac.new(os.environ["SLACK_SIGNING_SECRET"].encode(), f"v0:{ts}:{body}".encode(), hashlib.sha256)
    if not hmac.compare_digest("v0=" + mac.hexdigest(), h.get("x-slack-signature", "")):
        return {"statusCode": 401, "body": ""}
    sqs.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=body)
    return {"statusCode": 200, "body": ""}
