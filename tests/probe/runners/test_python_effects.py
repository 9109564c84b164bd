"""What a Python handler does to the world is answered and recorded."""

# ruff: noqa: E501 - many a handler here is one line of text

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.probe.runners.answering import answered
from tests.probe.running import LIMITS, effect, replies, told, written
from threatmodel.probe.command import tables_in
from threatmodel.probe.protocol import Call, Limits, Scenario
from threatmodel.probe.runners.added import Added
from threatmodel.probe.runners.lambdas import LambdaRunner
from threatmodel.probe.runners.target import runner_for
from threatmodel.reading.problems import InputError

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="handlers are not run on Windows")]


def test_effects_belong_to_their_call(tmp_path: Path) -> None:
    text = """
        import boto3
        boto3.client("ssm").get_parameter(Name="/at/import")
        sqs = boto3.client("sqs", region_name="eu-west-1")

        def handler(event, context):
            if event["send"]:
                sqs.send_message(QueueUrl="https://sqs.eu-west-1.amazonaws.com/1/work", MessageBody="x")
            return 1
        """
    first, second, third = replies(written(tmp_path, text), {"send": 0}, {"send": 1}, {"send": 0})
    assert told(first) == []
    assert [(one.service, one.operation, one.detail) for one in first.loading] == [
        ("ssm", "GetParameter", "/at/import")
    ]
    assert second.loading == ()
    assert told(second) == [effect("sqs", "SendMessage", "work")]
    assert told(third) == []
    assert first.loading[0].reads
    assert not second.effects[0].reads


def test_effects_of_a_call_that_dies_are_kept(tmp_path: Path) -> None:
    text = "import boto3, os\ndef handler(event, context):\n    boto3.client('sns').publish(TopicArn='arn:a:b:c:d:alarm')\n    os._exit(1)\n"
    (reply,) = replies(written(tmp_path, text))
    assert (reply.ended, told(reply)) == ("exit", [effect("sns", "Publish", "alarm")])


def test_a_pool_that_waits_for_work_is_not_waited_for_and_one_that_works_is(tmp_path: Path) -> None:
    text = """
        import boto3, time
        from concurrent.futures import ThreadPoolExecutor
        pool = ThreadPoolExecutor(2)
        list(pool.map(str, range(4)))
        def work():
            time.sleep(0.1)
            boto3.client("sqs").send_message(QueueUrl="q", MessageBody="x")
        def handler(event, context):
            if event: pool.submit(work)
            return {"statusCode": 200}
    """
    idle, busy, after = replies(written(tmp_path, text), {}, {"work": True}, {})
    assert (idle.after, busy.after, after.after) == (0, 1, 0)


def test_effects_after_the_answer_are_kept(tmp_path: Path) -> None:
    text = """
        import boto3, threading
        def handler(event, context):
            thread = threading.Thread(target=lambda: boto3.client("sqs").send_message(QueueUrl="q", MessageBody="x"))
            thread.start()
            thread.join() if event else None
            return 1
        """
    assert told(replies(written(tmp_path, text), {"wait": 1})[0]) == [effect("sqs", "SendMessage", "q")]


def test_secrets_are_found_in_every_store(tmp_path: Path) -> None:
    body = """
import boto3, urllib.request, json, os
m, p, k = (boto3.client(name) for name in ("secretsmanager", "ssm", "kms"))
made = m.get_secret_value(SecretId="x")["CreatedDate"].year
token = {"X-Aws-Parameters-Secrets-Token": os.environ["AWS_SESSION_TOKEN"]}
ask = lambda path: json.load(urllib.request.urlopen(urllib.request.Request("http://localhost:2773" + path, headers=token)))
return [made, m.get_secret_value(SecretId="x")["SecretString"], p.get_parameter(Name="/a", WithDecryption=True)["Parameter"]["Value"],
    p.get_parameters(Names=["/a"])["Parameters"][0]["Value"], p.get_parameters_by_path(Path="/b")["Parameters"][0]["Value"],
    k.decrypt(CiphertextBlob=b"xx")["Plaintext"].decode(), ask("/secretsmanager/get?secretId=x")["SecretString"],
    ask("/systemsmanager/parameters/get?name=%2Fa&withDecryption=true")["Parameter"]["Value"]]
"""
    assert answered(tmp_path, body) == [2020, *["s3cret"] * 7]


def test_no_secret_is_an_error_of_its_service(tmp_path: Path) -> None:
    body = """
import boto3
from botocore.exceptions import ClientError
m, p, k, codes = *(boto3.client(name) for name in ("secretsmanager", "ssm", "kms")), []
for ask in (lambda: m.get_secret_value(SecretId="x"), lambda: p.get_parameter(Name="x"), lambda: k.decrypt(CiphertextBlob=b"")):
    try:
        ask()
    except ClientError as error:
        codes.append(error.response["Error"]["Code"])
try:
    m.get_secret_value(SecretId="x", VersionStage="AWSPREVIOUS")
except m.exceptions.ResourceNotFoundException:
    codes.append("previous")
return codes
"""
    codes = ["ResourceNotFoundException", "ParameterNotFound", "InvalidCiphertextException", "previous"]
    assert answered(tmp_path, body, secret=None) == codes


PUTS = {
    "client": """c = boto3.client("dynamodb")
put = lambda: c.put_item(TableName="t", Item={"id": {"S": event["id"]}, "n": {"N": "1"}}, ConditionExpression="attribute_not_exists(id)")""",
    "names": """c = boto3.client("dynamodb")
put = lambda: c.put_item(TableName="t", Item={"n": {"N": "1"}, "id": {"S": event["id"]}},
    ConditionExpression="attribute_not_exists(#k)", ExpressionAttributeNames={"#k": "id"})""",
    "table": """c = boto3.resource("dynamodb").Table("t")
put = lambda: c.put_item(Item={"n": 1, "id": event["id"]}, ConditionExpression="attribute_not_exists(id)")""",
    "conditions": """c = boto3.resource("dynamodb").Table("t")
put = lambda: c.put_item(Item={"n": 1, "id": event["id"]}, ConditionExpression=Attr("id").not_exists() | Attr("n").gt(5))""",
    "update": """c = boto3.resource("dynamodb").Table("t")
put = lambda: c.update_item(Key={"id": event["id"]}, UpdateExpression="SET n = :n", ConditionExpression=Attr("id").not_exists(),
    ExpressionAttributeValues={":n": 1})""",
}


@pytest.mark.parametrize("put", PUTS.values(), ids=PUTS)
def test_conditional_writes_hold_once(tmp_path: Path, put: str) -> None:
    lines = "\n            ".join(put.splitlines())
    text = f"""
        import boto3
        from boto3.dynamodb.conditions import Attr
        from botocore.exceptions import ClientError

        def handler(event, context):
            {lines}
            try:
                put()
            except ClientError as error:
                return error.response["Error"]["Code"]
            return "stored"
        """
    got = replies(written(tmp_path, text), {"id": "a"}, {"id": "a"}, {"id": "b"})
    failed = '"ConditionalCheckFailedException"'
    assert [reply.body for reply in got] == ['"stored"', failed, '"stored"']
    assert [entry.refused for reply in got for entry in reply.effects] == [False, True, False]


def test_a_condition_that_cannot_be_read_refuses_and_says_so(tmp_path: Path) -> None:
    text = """
        import boto3
        def handler(event, context):
            boto3.client("dynamodb").put_item(TableName="t", Item={"id": {"S": "a"}}, ConditionExpression="id ~ :x")
        """
    (reply,) = replies(written(tmp_path, text))
    assert (reply.ended, reply.error) == ("error", "ValidationException")
    assert told(reply) == [effect("dynamodb", "PutItem", "t (not understood)", refused=True)]


def test_items_come_back_as_they_were(tmp_path: Path) -> None:
    body = """
import boto3
from decimal import Decimal
t = boto3.resource("dynamodb").Table("t")
item = {"id": "a", "n": Decimal("1.5"), "b": True, "l": [1, None], "m": {"x": {"y"}}, "raw": b"\\x00"}
t.put_item(Item=item)
t.update_item(Key={"id": "a"}, UpdateExpression="SET k = if_not_exists(k, :z) + :o ADD n :o REMOVE b", ExpressionAttributeValues={":z": 0, ":o": 1})
got = t.get_item(Key={"id": "a"})["Item"]
return [got["k"], got["n"], "b" in got, got["l"], sorted(got["m"]["x"]), got["raw"].hex(), "Item" in t.get_item(Key={"id": "c"})]
"""
    assert answered(tmp_path, body) == [1, 2.5, False, [1, None], ["y"], "00", False]


NETWORK = {
    "urllib": (
        "import urllib.request as u\n    u.urlopen('https://hooks.slack.com/commands/x', b'x=1').read()",
        "POST",
    ),
    "http.client": (
        "import http.client as h\n    c = h.HTTPSConnection('hooks.slack.com')\n    c.request('GET', '/')\n    c.getresponse().read()",
        "GET",
    ),
    "urllib3": (
        "import urllib3\n    urllib3.PoolManager().request('POST', 'https://hooks.slack.com/x', json={})",
        "POST",
    ),
    "webhook": (
        "from slack_sdk.webhook import WebhookClient\n    assert WebhookClient('https://hooks.slack.com/x').send(text='x').body == 'ok'",
        "POST",
    ),
}
SITE = [Path(path) for path in sys.path if path.endswith("site-packages")]


@pytest.mark.parametrize(("body", "method"), NETWORK.values(), ids=NETWORK)
def test_slack_answers_and_is_recorded(tmp_path: Path, body: str, method: str) -> None:
    text = f"def handler(event, context):\n    {body}\n    return 1\n"
    (reply,) = replies(written(tmp_path, text), packages=SITE)
    assert (reply.ended, reply.body, told(reply)) == ("", "1", [effect("network", method, "hooks.slack.com")])


def test_slacks_own_client_is_answered(tmp_path: Path) -> None:
    text = "from slack_sdk import WebClient\ndef handler(event, context):\n    return WebClient(token='x').chat_postMessage(channel='C', text='x')['ok']\n"
    (reply,) = replies(written(tmp_path, text), packages=SITE)
    assert (reply.body, told(reply)) == ("true", [effect("slack", "chat.postMessage", "slack.com")])


def test_vendored_boto3_is_used_and_its_requests_are_answered(tmp_path: Path) -> None:
    body = """
import boto3
from botocore.exceptions import ClientError
assert "site-packages" in boto3.__file__
s = boto3.client("secretsmanager").get_secret_value(SecretId="x")["SecretString"]
d, done = boto3.client("dynamodb"), []
for _ in range(2):
    try:
        d.put_item(TableName="t", Item={"id": {"S": "a"}}, ConditionExpression="attribute_not_exists(id)")
        done.append("stored")
    except d.exceptions.ConditionalCheckFailedException:
        done.append("refused")
boto3.client("sqs").send_message(QueueUrl="https://sqs.eu-west-1.amazonaws.com/1/work", MessageBody="x")
boto3.client("lambda").invoke(FunctionName="worker", InvocationType="Event")
return [s, done]
"""
    lines = "\n".join(f"    {line}" for line in body.strip().splitlines())
    file = written(tmp_path, f"def handler(event, context):\n{lines}\n")
    (reply,) = replies(file, packages=SITE, limits=Limits(seconds=20))
    assert json.loads(reply.body) == ["s3cret", ["stored", "refused"]]
    assert told(reply) == [
        effect("secretsmanager", "GetSecretValue", "x"),
        effect("dynamodb", "PutItem", "t"),
        effect("dynamodb", "PutItem", "t", refused=True),
        effect("sqs", "SendMessage", "work"),
        effect("lambda", "Invoke", "worker"),
    ]


REFUSED = {
    "another host": ("import urllib.request as u\n    u.urlopen('https://evil.example/x')", "network", "evil.example"),
    "an address": (
        "import socket\n    socket.create_connection(('169.254.169.254', 80))",
        "network",
        "169.254.169.254",
    ),
    "a port": ("import socket\n    socket.create_connection(('slack.com', 22))", "network", "slack.com:22"),
    "below Python": (
        "import _socket\n    _socket.socket(2, 1).connect(('1.1.1.1', 80))",
        "network",
        "('1.1.1.1', 80)",
    ),
    "a datagram": (
        "import socket\n    socket.socket(2, 2).sendto(b'x', ('8.8.8.8', 53))",
        "network",
        "('8.8.8.8', 53)",
    ),
    "a socket of the system": (
        "import socket\n    socket.socket(1, 1).connect('/run/docker.sock')",
        "network",
        "/run/docker.sock",
    ),
    "a program": ("import subprocess\n    subprocess.run(['curl', 'x'])", "process", "curl"),
    "a shell": ("import os\n    os.system('curl evil.example')", "process", "curl"),
    "another program": ("import os\n    os.execv('/bin/true', ['true'])", "process", "true"),
}


@pytest.mark.parametrize(("body", "service", "detail"), REFUSED.values(), ids=REFUSED)
def test_what_would_reach_out_is_refused_and_recorded(tmp_path: Path, body: str, service: str, detail: str) -> None:
    text = f"def handler(event, context):\n    try:\n        {body.replace(chr(10), chr(10) + '    ')}\n    except OSError:\n        return 1\n"
    (reply,) = replies(written(tmp_path, text))
    assert (reply.ended, reply.body) == ("", "1")
    operation = "CONNECT" if service == "network" else "spawn"
    assert told(reply) == [effect(service, operation, detail, refused=True)]


def test_writing_outside_tmp_is_refused_as_on_lambda(tmp_path: Path) -> None:
    target = Path("/var/written-by-a-handler")  # the clone itself may lie below /tmp
    body = f"import os\ntry: open({str(target)!r}, 'w')\nexcept OSError as error: return error.errno == 30"
    file = written(tmp_path, "def handler(event, context):\n    " + body.replace("\n", "\n    ") + "\n")
    (reply,) = replies(file)
    assert not target.exists()
    assert (reply.body, told(reply)) == ("true", [effect("file", "write", str(target), refused=True)])


def test_logs_show_what_was_added_to_a_record(tmp_path: Path) -> None:
    text = """
        import logging
        print("at import")
        log = logging.getLogger("x")
        def handler(event, context):
            print("call", event["n"])
            log.warning("refused %s", "x", extra={"body": {"token": 1}})
        """
    first, second = replies(written(tmp_path, text), {"n": 1}, {"n": 2})
    assert first.logs.splitlines()[:2] == ["at import", "call 1"]
    assert second.logs.splitlines()[0] == "call 2"
    assert json.loads(second.logs.splitlines()[1]) == {
        "level": "WARNING", "logger": "x", "message": "refused x", "body": {"token": 1},
    }  # fmt: skip


def test_a_silent_store_is_a_time_out_of_the_client(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        """
        import boto3
        from botocore.exceptions import BotoCoreError, ClientError, ReadTimeoutError
        def handler(event, context):
            try:
                boto3.client("dynamodb").put_item(TableName="t", Item={"id": {"S": "1"}})
            except ClientError:
                return "an error of AWS"
            except ReadTimeoutError as error:
                return isinstance(error, BotoCoreError)
        """,
    )
    runner = runner_for(str(file), limits=LIMITS)
    (reply,) = runner.run(Scenario(name="test", calls=(Call(event={}),), failing="silence"))
    assert reply.body == "true"


def test_what_lambda_has_beside_boto3_is_there(tmp_path: Path) -> None:
    text = """
        import boto3, boto3.exceptions, botocore.session, urllib3
        from botocore.client import BaseClient
        from botocore.exceptions import EndpointConnectionError, NoCredentialsError
        from urllib3.util import Retry
        ssm = boto3.client("ssm")
        http = urllib3.PoolManager(retries=Retry(3))
        def handler(event, context):
            pages = ssm.get_paginator("get_parameters_by_path").paginate(Path="/bot")
            names = [one["Name"] for page in pages for one in page["Parameters"]]
            found = len(names) == len(pages.build_full_result()["Parameters"])
            ssm.get_waiter("x").wait()
            answer = http.request("POST", "https://slack.com/api/chat.postMessage", body=b"{}")
            try:
                http.request("GET", "https://config.example.com/")
            except urllib3.exceptions.MaxRetryError:
                return {"statusCode": answer.status, "body": f"{found} {answer.json()['ok']} {isinstance(ssm, BaseClient)}"}
    """
    (reply,) = replies(written(tmp_path, text))
    assert (reply.status, reply.body) == (200, "True True True"), reply.logs


def test_a_secret_is_found_in_objects_and_configurations(tmp_path: Path) -> None:
    text = """
        import boto3, urllib.request
        def handler(event, context):
            kept = boto3.client("s3").get_object(Bucket="b", Key="config/slack.json")["Body"].read().decode()
            data = boto3.client("appconfigdata")
            token = data.start_configuration_session(ApplicationIdentifier="a")["InitialConfigurationToken"]
            latest = data.get_latest_configuration(ConfigurationToken=token)["Configuration"].read().decode()
            url = "http://localhost:2772/applications/a/environments/b/configurations/c"
            return {"statusCode": 200, "body": kept + latest + urllib.request.urlopen(url).read().decode()}
    """
    (reply,) = replies(written(tmp_path, text))
    assert reply.body == "s3cret" * 3, reply.logs


def test_a_table_has_what_it_was_given(tmp_path: Path) -> None:
    text = """
        import boto3
        def handler(event, context):
            table = boto3.resource("dynamodb").Table("teams")
            found = table.get_item(Key={"id": "T1"})["Item"]
            table.put_item(Item={"id": "T2"}, ConditionExpression="attribute_not_exists(id)")
            return {"statusCode": 200, "body": f"{found['secret']} {found['plan']['seats']}"}
    """
    runner = runner_for(str(written(tmp_path, text)), limits=LIMITS)
    assert isinstance(runner, LambdaRunner)
    text = '{"teams": [{"id": "T1", "secret": "{signing secret}", "plan": {"seats": 3}}]}'
    runner.give(tables=tables_in(text, "t.json"), added=Added())
    (reply,) = runner.run(Scenario(name="x", calls=(Call(event={}),), secret="s3cret"))
    assert reply.body == "s3cret 3", reply.logs


@pytest.mark.parametrize("text", ["[]", "{", '{"teams": {}}', '{"teams": [1]}'])
def test_a_file_of_tables_has_one_form(text: str) -> None:
    with pytest.raises(InputError, match="this is no list of items for each table"):
        tables_in(text, "t.json")


def test_json_that_is_read_while_the_module_loads_gets_the_keys_that_it_lacks(tmp_path: Path) -> None:
    text = """
        import boto3, json
        SECRETS = json.loads(boto3.client("secretsmanager").get_secret_value(SecretId="x")["SecretString"])
        ODD, SIGNING = SECRETS["an_odd_one"], SECRETS["signing_secret"]
        def handler(event, context):
            return {"statusCode": 200, "body": SIGNING}
    """
    runner = runner_for(str(written(tmp_path, text)), limits=LIMITS)
    found = []
    for keys in ((), ("signing_secret",), ("signing_secret",)):
        scenario = Scenario(name="x", calls=(Call(event={}),), secret="s3cret", secret_json=keys)
        found += [(reply.error, reply.body) for reply in runner.run(scenario)]
    assert found == [("JSONDecodeError", ""), ("KeyError", ""), ("", "s3cret")]
