import hashlib, hmac, json, os, time
from urllib.parse import parse_qs
import boto3
table = boto3.client("dynamodb")
sqs = boto3.client("sqs")
def ok(h, body):
    t = h.get("x-slack-request-timestamp", "")
    mac = hmac.new(os.environ["SLACK_SIGNING_SECRET"].encode(), f"v0:{t}:{body}".encode(), hashlib.sha256).hexdigest()
    return t.isdigit() and abs(time.time() - int(t)) <= 300 and hmac.compare_digest("v0=" + mac, h.get("x-slack-signature", ""))
def handler(event, context):
    h = {k.lower(): v for k, v in event["headers"].items()}
    payload = json.loads(parse_qs(event["body"]).get("payload", ["{}"])[0])
    # closing a modal is only bookkeeping
    if payload.get("type") == "view_closed" and payload.get("is_cleared"):
        table.delete_item(TableName=os.environ["TABLE_NAME"], Key={"id": {"S": payload["view"]["root_view_id"]}})
        return {"statusCode": 200, "body": ""}
    if not ok(h, event["body"]):
        return {"statusCode": 401, "body": ""}
    sqs.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=json.dumps(payload))
    return {"statusCode": 200, "body": ""}
