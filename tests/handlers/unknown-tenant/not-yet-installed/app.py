import base64
import json
import os
from urllib.parse import parse_qs
from urllib.request import Request, urlopen

from signing import Verifier
from tenants import find


def welcome(form):
    post(form, "Thanks for installing! Running your first command now: " + form["text"])


def deploy(form):
    post(form, "Deploying " + form["text"])


def post(form, text):
    data = json.dumps({"text": text}).encode()
    urlopen(Request(form["response_url"], data=data, headers={"Content-Type": "application/json"}))


def handler(event, context):
    raw = base64.b64decode(event["body"]) if event["isBase64Encoded"] else event["body"].encode()
    form = {key: value[-1] for key, value in parse_qs(raw.decode()).items()}
    tenant = find(os.environ["TABLE_NAME"], form.get("team_id", ""))
    if tenant is None:
        welcome(form)
        return {"statusCode": 200, "body": ""}
    if not Verifier(tenant["secret"]).accepts(event["headers"], raw):
        return {"statusCode": 401, "body": ""}
    deploy(form)
    return {"statusCode": 200, "body": ""}
