import base64, email, hashlib, hmac, json, os, time
from urllib.parse import parse_qs
import boto3
sfn = boto3.client("stepfunctions")

def read_multipart(content_type, raw):
    message = email.message_from_bytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + raw)
    return {p.get_param("name", header="content-disposition"): p.get_payload(decode=True).decode() for p in message.get_payload()}

def signed(headers, raw):
    ts = headers.get("x-slack-request-timestamp", "")
    if not ts.isdigit() or abs(time.time() - int(ts)) > 300:
        return False
    mac = hmac.new(os.environ["SLACK_SIGNING_SECRET"].encode(), b"v0:" + ts.encode() + b":" + raw, hashlib.sha256).hexdigest()
    return hmac.compare_digest("v0=" + mac, headers.get("x-slack-signature", ""))

def handler(event, context):
    headers = {k.lower(): v for k, v in event["headers"].items()}
    raw = base64.b64decode(event["body"]) if event.get("isBase64Encoded") else event["body"].encode()
    kind = headers.get("content-type", "")
    if kind.startswith("multipart/form-data") and event.get("isBase64Encoded"):
        form = read_multipart(kind, raw)
    elif signed(headers, raw):
        form = {k: v[0] for k, v in parse_qs(raw.decode()).items()}
    else:
        return {"statusCode": 401, "body": ""}
    if not form.get("command", "").startswith("/"):
        return {"statusCode": 400, "body": ""}
    sfn.start_execution(stateMachineArn=os.environ["STATE_MACHINE_ARN"], input=json.dumps(form))
    return {"statusCode": 200, "body": ""}
