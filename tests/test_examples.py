"""The example deploys as it stands, and its handlers do what the model says of them."""

from __future__ import annotations

import base64
import datetime
import hashlib
import hmac
import http.client
import importlib.util
import json
import logging
import re
import sys
import urllib.parse
from collections.abc import Callable, Mapping
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ReadTimeoutError
from cfnlint.config import ConfigMixIn
from cfnlint.decode.decode import decode_str
from cfnlint.runner import Runner, run_template_by_data
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.signature import Clock, SignatureVerifier

from tests.support import HOME

APP = HOME / "examples" / "slack-app"

# the worked example of Slack's page "Verifying requests from Slack"
SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
AT = 1531420618
BODY = (
    "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar"
    "&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
    "&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    "&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
SIGNATURE = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"

REFUSAL = {"statusCode": 401, "body": ""}
CONTEXT = SimpleNamespace(aws_request_id="6f1e0c2a")


# --- the template


@pytest.fixture(scope="module")
def template() -> Any:
    decoded, errors = decode_str((APP / "template.yaml").read_text(encoding="utf-8"))
    assert not errors
    return decoded


def test_template_is_clean(template: Any) -> None:
    settings = ConfigMixIn(regions=["eu-central-1", "us-east-1"])
    matches = run_template_by_data(template, settings, Runner(settings).rules)
    assert [f"{match.rule.id} line {match.linenumber}: {match.message}" for match in matches] == []


@pytest.mark.parametrize(("function", "code"), [("OrderBotFunction", "app.py"), ("OrderWorkerFunction", "worker.py")])
def test_template_sets_the_variables_that_the_code_reads(template: Any, function: str, code: str) -> None:
    properties = template["Resources"][function]["Properties"]
    read = set(re.findall(r'(?:environ\[|listed\()"(\w+)"', (APP / code).read_text(encoding="utf-8")))
    assert read == set(properties["Environment"]["Variables"])
    assert properties["Handler"] == f"{code.removesuffix('.py')}.handler"


@pytest.mark.parametrize("role", ["OrderBotRole", "OrderWorkerRole"])
def test_roles_name_what_they_reach(template: Any, role: str) -> None:
    properties = template["Resources"][role]["Properties"]
    assert "ManagedPolicyArns" not in properties
    for statement in properties["Policies"][0]["PolicyDocument"]["Statement"]:
        network = all(action.startswith("ec2:") for action in statement["Action"])  # takes no resource
        assert network or "*" not in json.dumps(statement)


def test_only_who_is_told_has_to_be_given_and_the_defaults_let_nobody_in(template: Any) -> None:
    assert {name: one.get("Default") for name, one in template["Parameters"].items()} == {
        "AllowedIds": "",
        "ApiGatewayLogRole": "create",
        "OnCallEmail": None,  # alarms that reach nobody are none
        "WorkerSubnetIds": "",
        "WorkerSecurityGroupIds": "",
    }


def test_sam_makes_no_stage_beside_the_protected_one(template: Any) -> None:
    assert template["Resources"]["SlackApi"]["Properties"]["OpenApiVersion"] == "2.0"


# --- a stand-in for boto3


class RefusedByAwsError(Exception):
    def __init__(self, code: str) -> None:
        super().__init__(f"{code}: {BODY} {SECRET}")  # what must not reach a log
        self.response = {"Error": {"Code": code}}


class ResourceNotFoundError(RefusedByAwsError):
    pass


class ConditionalCheckFailedError(RefusedByAwsError):
    pass


class Aws:
    """Secrets by stage, tables by name, messages: what three services keep."""

    def __init__(self, now: float) -> None:
        self.now = now
        self.secrets: dict[str, tuple[str, float]] = {"AWSCURRENT": (SECRET, 0.0)}
        self.tables: dict[str, dict[str, Any]] = {"replay": {}, "orders": {}}
        self.sent: list[dict[str, Any]] = []
        self.reads = 0
        self.broken: set[str] = set()
        self.lost: set[str] = set()
        self.configs: dict[str, Config | None] = {}
        self.exceptions = SimpleNamespace(
            ResourceNotFoundException=ResourceNotFoundError,
            ConditionalCheckFailedException=ConditionalCheckFailedError,
        )

    def client(self, name: str, config: Config | None = None) -> Aws:
        self.configs[name] = config
        return self

    def called(self, name: str) -> None:
        if name in self.broken:
            raise RefusedByAwsError("AccessDeniedException")
        if name in self.lost:
            raise ReadTimeoutError(endpoint_url="https://example.com")

    def get_secret_value(self, SecretId: str, VersionStage: str = "AWSCURRENT") -> dict[str, Any]:  # noqa: N803
        self.called("get_secret_value")
        assert SecretId == "arn:secret"
        self.reads += 1
        if VersionStage not in self.secrets:
            raise ResourceNotFoundError("ResourceNotFoundException")
        value, made = self.secrets[VersionStage]
        return {"SecretString": value, "CreatedDate": datetime.datetime.fromtimestamp(made, datetime.UTC)}

    def put_item(self, TableName: str, Item: Any, ConditionExpression: str, **rest: Any) -> None:  # noqa: N803
        self.called("put_item")
        name = ConditionExpression.partition("(")[2].partition(")")[0]
        table, key = self.tables[TableName], Item[name]["S"]
        now = rest.get("ExpressionAttributeValues", {}).get(":now", {}).get("N")
        assert ConditionExpression == f"attribute_not_exists({name})" + (" OR expires_at < :now" if now else "")
        if key in table and not (now and int(table[key]["expires_at"]["N"]) < int(now)):
            raise ConditionalCheckFailedError("ConditionalCheckFailedException")
        table[key] = Item

    def get_item(self, TableName: str, Key: Any) -> dict[str, Any]:  # noqa: N803
        self.called("get_item")
        item = self.tables[TableName].get(Key["order_id"]["S"])
        return {"Item": item} if item else {}

    def send_message(self, QueueUrl: str, MessageBody: str) -> None:  # noqa: N803
        self.called("send_message")
        assert QueueUrl == "https://queue"
        self.sent.append(json.loads(MessageBody))


ENVIRONMENT = {
    "ALLOWED_COMMANDS": "/order, /webhook-collect",
    "ALLOWED_IDS": "A012AB3CD,T1DC2JH3J,U2CERLKJA",
    "BOT_TOKEN_ARN": "arn:secret",
    "ORDERS_TABLE": "orders",
    "REPLAY_TABLE": "replay",
    "SIGNING_SECRET_ARN": "arn:secret",
    "WORK_QUEUE_URL": "https://queue",
}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return Aws(AT)


def loaded(name: str, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A file of the example, as if in a new environment of Lambda."""
    monkeypatch.setitem(sys.modules, "boto3", SimpleNamespace(client=aws.client))
    spec = importlib.util.spec_from_file_location(f"example_{name}", APP / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    return module


# --- order-bot

Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def ask(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Asks order-bot: Slack's own request, with what the test changes of it."""
    app = loaded("app", aws, monkeypatch)
    monkeypatch.setattr(app, "time", SimpleNamespace(time=lambda: aws.now))

    def asked(event: Mapping[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
        answer: dict[str, Any] = app.handler({**rest(), **changes} if event is None else event, CONTEXT)
        return answer

    return asked


def headers(timestamp: object = AT, signature: str = SIGNATURE) -> dict[str, str]:
    return {"X-Slack-Request-Timestamp": str(timestamp), "X-Slack-Signature": signature}


def rest(body: str = BODY, sent: Mapping[str, str] | None = None) -> dict[str, Any]:
    """An event as a REST API gives it."""
    given = headers() if sent is None else sent
    several = {name: [value] for name, value in given.items()}
    return {"httpMethod": "POST", "headers": given, "multiValueHeaders": several, "body": body}


def signed(body: str | bytes = BODY, timestamp: object = AT, secret: str = SECRET) -> dict[str, Any]:
    """An event that somebody with this secret sends."""
    content = body.encode() if isinstance(body, str) else body
    base = b"v0:" + str(timestamp).encode() + b":" + content
    signature = "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
    event = rest(content.decode("latin-1"), headers(timestamp, signature))
    if isinstance(body, str):
        return event
    return {**event, "body": base64.b64encode(content).decode(), "isBase64Encoded": True}


def form(**changes: str | None) -> str:
    """Slack's body with some fields changed, added or (None) left out."""
    fields = {**dict(urllib.parse.parse_qsl(BODY, keep_blank_values=True)), **changes}
    return urllib.parse.urlencode({name: value for name, value in fields.items() if value is not None})


def test_slack_s_own_request_is_accepted_at_its_time(ask: Ask, aws: Aws) -> None:
    assert signed() == rest()
    answer = ask()
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"]) == {"response_type": "ephemeral", "text": "Working on it."}
    request = hashlib.sha256(f"v0:{AT}:{BODY}".encode()).hexdigest()
    response_url = "https://hooks.slack.com/commands/T1DC2JH3J/397700885554/96rGlfmibIGlgcZRskXaIFfN"
    assert aws.sent == [{"request": request, "user_id": "U2CERLKJA", "text": "", "response_url": response_url}]
    assert aws.tables["replay"] == {request: {"request_key": {"S": request}, "expires_at": {"N": str(AT + 900)}}}


@pytest.mark.parametrize("app", ["A012AB3CD", None])
def test_the_app_s_id_may_be_left_out(ask: Ask, aws: Aws, app: str | None) -> None:
    assert ask(signed(form(api_app_id=app)))["statusCode"] == 200
    assert len(aws.sent) == 1


def test_replay_is_refused(ask: Ask, aws: Aws) -> None:
    assert [ask()["statusCode"] for _ in range(3)] == [200, 401, 401]
    assert ask() == REFUSAL
    assert len(aws.sent) == 1


@pytest.mark.parametrize("away", [-300, 0, 300])
def test_inside_the_window(ask: Ask, aws: Aws, away: int) -> None:
    aws.now = AT + away
    assert ask()["statusCode"] == 200


@pytest.mark.parametrize("away", [-1e9, -301, -300.5, 300.5, 301, 3e8])
def test_outside_the_window(ask: Ask, aws: Aws, away: float) -> None:
    aws.now = AT + away
    assert ask() == REFUSAL
    assert (aws.sent, aws.reads) == ([], 0)


@pytest.mark.parametrize(
    "timestamp", ["", "abc", f"{AT}.0", f" {AT}", f"+{AT}", f"{AT}\n", f"-{AT}", "1531420618".translate({49: "\u0661"})]
)
def test_timestamp_that_is_no_number(ask: Ask, aws: Aws, timestamp: str) -> None:
    assert ask(signed(timestamp=timestamp)) == REFUSAL
    assert aws.sent == []


@pytest.mark.parametrize("timestamp", ["9" * 12, "9" * 10_000])
def test_timestamp_without_end(ask: Ask, timestamp: str) -> None:
    assert ask(signed(timestamp=timestamp)) == REFUSAL


FORGED = {
    "another secret": signed(secret="another"),
    "another body": rest(BODY.replace("text=", "text=all")),
    "another timestamp": rest(sent=headers(AT + 1)),
    "the article's base string": rest(
        sent=headers(signature="v0=b7ac5755bce179bb844769c301a9742462cabad126c047bdf54d426f0af38803")
    ),
    "no version": rest(sent=headers(signature=SIGNATURE.removeprefix("v0="))),
    "capital letters": rest(sent=headers(signature=SIGNATURE.upper())),
    "a line break": rest(sent=headers(signature=SIGNATURE + "\n")),
    "no ASCII": rest(sent=headers(signature="v0=\u00e4")),
    "an empty signature": rest(sent=headers(signature="")),
    "no signature": rest(sent={"X-Slack-Request-Timestamp": str(AT)}),
    "no timestamp": rest(sent={"X-Slack-Signature": SIGNATURE}),
    "no headers": {**rest(), "headers": None, "multiValueHeaders": None},
    "headers of another kind": {**rest(), "headers": [1]},
    "a header of another kind": rest(sent={**headers(), "X-Slack-Signature": 1}),  # type: ignore[dict-item]
    "no body": rest(""),
    "a body of another kind": {**rest(), "body": {"a": 1}},
    "a body that is no text": {**rest(), "body": "\ud800"},
    "a large body": signed(f"{BODY}&a={'a' * 6_000_000}"),
    "base64 with more": {**signed(BODY.encode()), "body": "*" + base64.b64encode(BODY.encode()).decode()},
    "base64 that is not said": {**signed(BODY.encode()), "isBase64Encoded": False},
    "no UTF-8": signed(BODY.encode() + b"&a=\xff"),
    "no UTF-8 in a field": signed(f"{BODY}&a=%ff"),
    "too many fields": signed("&".join([BODY, *(f"a{n}=1" for n in range(90))])),
    "two signatures": {**rest(), "multiValueHeaders": {"X-Slack-Signature": [SIGNATURE, SIGNATURE]}},
    "two timestamps": {**rest(), "multiValueHeaders": {"x-slack-request-timestamp": [str(AT), "1"]}},
    "two signatures by case": rest(sent={**headers(), "x-slack-signature": SIGNATURE}),
    "two signatures joined": rest(sent=headers(signature=f"{SIGNATURE},{SIGNATURE}")),
    "nothing": {},
}


@pytest.mark.parametrize("name", FORGED)
def test_what_slack_did_not_send_is_refused(ask: Ask, aws: Aws, name: str) -> None:
    assert ask(FORGED[name]) == REFUSAL
    assert (aws.sent, aws.tables["replay"]) == ([], {})


@pytest.mark.parametrize(
    "secrets",
    [
        {"AWSCURRENT": ("", 0.0)},
        {"AWSCURRENT": (" \n", 0.0)},
        {},
        {"AWSCURRENT": ("", AT), "AWSPREVIOUS": ("", 0.0)},
    ],
)
def test_without_a_secret_nobody_gets_in(ask: Ask, aws: Aws, secrets: dict[str, tuple[str, float]]) -> None:
    aws.secrets = secrets
    for guessed in ("", " \n", SECRET):
        assert ask(signed(secret=guessed)) == REFUSAL
    assert aws.sent == []


def test_a_line_break_behind_the_secret_does_not_count(ask: Ask, aws: Aws) -> None:
    aws.secrets = {"AWSCURRENT": (f"{SECRET}\n", 0.0)}
    assert ask()["statusCode"] == 200


@pytest.mark.parametrize("body", [BODY.encode(), form(text="f\u00fcr drei").encode()])
def test_base64(ask: Ask, aws: Aws, body: bytes) -> None:
    assert ask(signed(body))["statusCode"] == 200
    assert len(aws.sent) == 1


@pytest.mark.parametrize("case", [str.lower, str.upper, str.title, str.swapcase])
def test_case_of_header_names(ask: Ask, case: Callable[[str], str]) -> None:
    sent = {case(name): value for name, value in headers().items()}
    assert ask(rest(sent=sent))["statusCode"] == 200


@pytest.mark.parametrize("left_out", ["headers", "multiValueHeaders"])
def test_one_kind_of_headers_is_enough(ask: Ask, left_out: str) -> None:
    assert ask({name: value for name, value in rest().items() if name != left_out})["statusCode"] == 200


UNAUTHORISED: dict[str, dict[str, str | None]] = {
    "another app": {"api_app_id": "A999"},
    "another team": {"team_id": "T999"},
    "another user": {"user_id": "U999"},
    "no user": {"user_id": None},
    "an empty app": {"api_app_id": ""},
    "another command": {"command": "/refund"},
    "no command": {"command": None},
    "a foreign address": {"response_url": "https://example.com/commands/T1/2/3"},
    "a foreign address with Slack's name": {"response_url": "https://hooks.slack.com@example.com/commands/T1/2/3"},
    "an address like Slack's": {"response_url": "https://hooks-slack.com/commands/T1/2/3"},
    "an address with more": {"response_url": "https://hooks.slack.com/commands/T1/2/3\r\nHost: example.com"},
    "an address with a port": {"response_url": "https://hooks.slack.com:8443/commands/T1/2/3"},
    "no encryption": {"response_url": "http://hooks.slack.com/commands/T1/2/3"},
    "no address": {"response_url": None},
}


@pytest.mark.parametrize("name", UNAUTHORISED)
def test_who_may_not_is_refused_like_everybody(ask: Ask, aws: Aws, name: str) -> None:
    assert ask(signed(form(**UNAUTHORISED[name]))) == REFUSAL
    assert aws.sent == []


@pytest.mark.parametrize("variable", ["ALLOWED_IDS", "ALLOWED_COMMANDS"])
@pytest.mark.parametrize("value", ["", " , ", None])
def test_an_empty_list_lets_nobody_in(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, variable: str, value: str | None
) -> None:
    monkeypatch.delenv(variable) if value is None else monkeypatch.setenv(variable, value)
    assert ask() == REFUSAL
    assert ask(signed(form(team_id="", user_id=""))) == REFUSAL
    assert ask(signed(form(command=""))) == REFUSAL


def test_certificate_check(ask: Ask, aws: Aws) -> None:
    assert ask(signed("token=a&ssl_check=1")) == {"statusCode": 200, "body": ""}
    assert ask(rest("token=a&ssl_check=1")) == REFUSAL
    assert aws.sent == []


# --- order-bot, beside slack_sdk's verifier


TIMESTAMPS = st.one_of(
    st.integers(-310, 310).map(lambda away: str(AT + away)),
    st.sampled_from(
        [f" {AT}", f"+{AT}", f"0{AT}", f"{AT}.0", f"{AT}\n", f"{AT // 1000}_{AT % 1000:03}", "", "now", "-1"]
    ),
    st.text(max_size=12),
)
FORMS = st.dictionaries(st.text(max_size=5), st.text(max_size=20), max_size=3).map(
    lambda more: form(**{f"x{name}": value for name, value in more.items()})
)
BODIES = st.one_of(FORMS.map(str.encode), st.just(BODY.encode()), st.binary(max_size=60))
SECRETS = st.one_of(st.just(SECRET), st.just(SECRET), st.text(max_size=8))
FORGERIES: dict[str, Callable[[str], str]] = {
    "none": lambda signature: signature,
    "another digit": lambda signature: signature[:-1] + ("0" if signature[-1] != "0" else "1"),
    "cut": lambda signature: signature[:-1],
    "longer": lambda signature: signature + "0",
    "upper": str.upper,
    "version": lambda signature: f"v1={signature[3:]}",
    "no ASCII": lambda signature: f"{signature[:-1]}\u00e9",
    "empty": lambda _: "",
}


def accepted_by_slack_sdk(body: bytes, timestamp: str, signature: str, now: float) -> bool:
    """What Slack's verifier says; what it raises on what nobody can sign is a refusal."""
    clock = Clock()
    clock.now = lambda: now  # type: ignore[method-assign]
    try:
        return SignatureVerifier(SECRET, clock).is_valid(body, timestamp, signature)
    except (ValueError, TypeError):
        return False


@given(
    body=BODIES,
    timestamp=TIMESTAMPS,
    secret=SECRETS,
    forgery=st.sampled_from([*["none"] * 5, *FORGERIES]),
    late=st.sampled_from([0.0, 0.5, 1.0]),
    encoded=st.booleans(),
    case=st.sampled_from([str.lower, str.upper, str.title]),
)
def test_accepts_what_slack_s_own_verifier_accepts(
    body: bytes, timestamp: str, secret: str, forgery: str, late: float, encoded: bool, case: Callable[[str], str]
) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        aws = Aws(AT + late)
        for name, value in ENVIRONMENT.items():
            monkeypatch.setenv(name, value)
        app = loaded("app", aws, monkeypatch)
        base = b"v0:" + timestamp.encode("utf-8", "surrogatepass") + b":" + body
        signature = FORGERIES[forgery]("v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest())
        event = rest(sent={case(name): value for name, value in headers(timestamp, signature).items()})
        if encoded or not body.isascii():
            event.update(body=base64.b64encode(body).decode(), isBase64Encoded=True)
        else:
            event.update(body=body.decode())
        try:
            app.verified(event, aws.now)
            refused = ""
        except app.RefusedError as refusal:
            refused = str(refusal)
    if accepted_by_slack_sdk(body, timestamp, signature, aws.now):
        # ours wants a form, and digits where theirs takes what int() makes of blanks, signs and other digits
        assert refused in {"", "form"} or not re.fullmatch(r"[0-9]{1,12}", timestamp)
    else:
        assert refused


# --- order-bot: its secret


def test_secret_is_read_every_five_minutes(ask: Ask, aws: Aws) -> None:
    for second in (0, 1, 299, 300, 599, 600):
        aws.now = AT + second
        assert ask(signed(timestamp=AT + second))["statusCode"] == 200
    assert aws.reads == 3


def test_new_secret_is_found_when_the_old_one_does_not_fit(ask: Ask, aws: Aws) -> None:
    ask()
    aws.secrets = {"AWSCURRENT": ("new", AT + 30), "AWSPREVIOUS": (SECRET, 0.0)}
    aws.now = AT + 60
    assert ask(signed(timestamp=AT + 60, secret="new"))["statusCode"] == 200
    assert ask(signed(timestamp=AT + 61))["statusCode"] == 200


def test_wrong_signatures_cause_a_read_a_minute_at_most(ask: Ask, aws: Aws) -> None:
    for second in range(180):
        aws.now = AT + second
        assert ask(signed(timestamp=AT + second, secret="wrong")) == REFUSAL
    assert aws.reads == 3


def test_secret_before_the_current_one_counts_for_an_hour(ask: Ask, aws: Aws) -> None:
    aws.secrets = {"AWSCURRENT": ("new", AT - 3599), "AWSPREVIOUS": (SECRET, 0.0)}
    assert ask()["statusCode"] == 200
    aws.now = AT + 300
    assert ask(signed(timestamp=AT + 300)) == REFUSAL
    assert ask(signed(timestamp=AT + 300, secret="new"))["statusCode"] == 200


# --- order-bot: what goes wrong, and what is told of it


@pytest.mark.parametrize("how", ["broken", "lost"])
@pytest.mark.parametrize("name", ["get_secret_value", "put_item"])
def test_what_fails_before_the_request_counts_is_a_refusal(ask: Ask, aws: Aws, how: str, name: str) -> None:
    setattr(aws, how, {name})
    assert ask() == REFUSAL
    assert aws.sent == []


def test_a_service_that_hangs_leaves_time_to_answer(ask: Ask, aws: Aws) -> None:
    assert ask()["statusCode"] == 200
    assert sorted(aws.configs) == ["dynamodb", "secretsmanager", "sqs"]
    for config in aws.configs.values():
        assert config
        longest = (config.connect_timeout + config.read_timeout) * config.retries["total_max_attempts"]
        assert longest <= 2.8


def test_an_answer_that_is_lost_afterwards_is_told_without_a_reason(
    ask: Ask, aws: Aws, caplog: pytest.LogCaptureFixture
) -> None:
    aws.lost = {"send_message"}
    answer = ask()
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"])["text"] == "That did not work. Reference: 6f1e0c2a"
    (record,) = told(caplog)
    assert (record["error"], record["code"]) == ("ReadTimeoutError", None)


def test_what_fails_afterwards_is_told_to_the_caller_without_a_reason(
    ask: Ask, aws: Aws, caplog: pytest.LogCaptureFixture
) -> None:
    aws.broken = {"send_message"}
    answer = ask()
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"])["text"] == "That did not work. Reference: 6f1e0c2a"
    (record,) = told(caplog)
    assert (record["levelname"], record["error"], record["code"]) == (
        "ERROR",
        "RefusedByAwsError",
        "AccessDeniedException",
    )
    assert record["steps"][0].startswith("app.py:")


def told(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [vars(record) for record in caplog.records]


def test_log_names_the_check_and_nothing_that_is_secret(ask: Ask, aws: Aws, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    ask()
    ask()
    aws.broken = {"put_item"}
    ask(signed(form(text="new mug")))
    ask(signed(timestamp=AT - 301))
    for event in FORGED.values():
        ask(event)
    for changes in UNAUTHORISED.values():
        ask(signed(form(**changes)))
    assert [record["msg"] for record in told(caplog)][:3] == ["queued", "refused", "failed"]
    assert {record["reason"] for record in told(caplog) if record["msg"] == "refused"} == {
        "body",
        "caller",
        "command",
        "form",
        "replay",
        "response_url",
        "signature",
        "timestamp",
        "x-slack-request-timestamp",
        "x-slack-signature",
    }
    everything = repr(told(caplog))
    for secret in (SECRET, SIGNATURE[3:], "xyzz0Wbap", "hooks.slack.com", "96rGlf", "trigger_id", "803a0bc8", "mug"):
        assert secret not in everything


# --- order-worker


class Slack:
    """Slack's hosts: what was posted, and what they answer."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, str]] = {"hooks.slack.com": (200, "ok"), "slack.com": (200, '{"ok": true}')}
        self.posted: list[tuple[str, str, Any, str | None]] = []

    def __call__(self, host: str, timeout: int) -> SimpleNamespace:
        assert timeout <= 10
        status, text = self.answers[host]

        def request(method: str, path: str, body: str, sent: Mapping[str, str]) -> None:
            assert method == "POST"
            self.posted.append((host, path, json.loads(body), sent.get("Authorization")))

        response = SimpleNamespace(status=status, read=lambda most: text.encode()[:most])
        return SimpleNamespace(request=request, getresponse=lambda: response, close=lambda: None)


@pytest.fixture
def slack(monkeypatch: pytest.MonkeyPatch) -> Slack:
    hosts = Slack()
    monkeypatch.setattr(http.client, "HTTPSConnection", hosts)
    return hosts


Work = Callable[..., None]


@pytest.fixture
def work(aws: Aws, slack: Slack, monkeypatch: pytest.MonkeyPatch) -> Work:
    """Has order-worker work on a message: a good one, with what the test changes of it."""
    assert slack.posted == []
    worker = loaded("worker", aws, monkeypatch)

    def worked(text: str = "new two mugs", **changes: Any) -> None:
        message = {"request": "0123456789abcdef" * 4, "user_id": "U2CERLKJA", "text": text, "response_url": ANSWER_AT}
        worker.handler({"Records": [{"body": json.dumps({**message, **changes})}]}, CONTEXT)

    return worked


ANSWER_AT = "https://hooks.slack.com/commands/T1/2/abc"


def said(slack: Slack) -> list[str]:
    return [content["text"] for _, _, content, _ in slack.posted]


def test_order_is_placed_once_and_found_by_who_placed_it(work: Work, aws: Aws, slack: Slack) -> None:
    work("new <!channel> & two mugs")
    work("new <!channel> & two mugs")
    work(" 0123456789AB ")
    work("0123456789AB", user_id="U999")
    work("BA9876543210")
    assert said(slack) == [
        "Order 0123456789AB is placed.",
        "Order 0123456789AB is placed.",
        "Order 0123456789AB: &lt;!channel&gt; &amp; two mugs",
        "There is no such order.",
        "There is no such order.",
    ]
    assert {(host, path, token) for host, path, _, token in slack.posted} == {
        ("hooks.slack.com", "/commands/T1/2/abc", None)
    }
    assert len(aws.tables["orders"]) == 1
    assert aws.reads == 0


@pytest.mark.parametrize("text", ["", "new", "new ", "new a\nb", "new " + "a" * 101, "0123456789ab", "0123456789ABC"])
def test_text_that_is_no_order(work: Work, aws: Aws, slack: Slack, text: str) -> None:
    work(text)
    assert said(slack)[0].startswith("Which order?")
    assert aws.tables["orders"] == {}


@pytest.mark.parametrize(
    "changes",
    [
        {"response_url": "https://example.com/commands/T1/2/abc"},
        {"response_url": "https://hooks.slack.com.example.com/commands/T1/2/abc"},
        {"response_url": "https://hooks.slack.com@example.com/commands/T1/2/abc"},
        {"response_url": "http://hooks.slack.com/commands/T1/2/abc"},
        {"response_url": "https://hooks.slack.com/commands/T1/2/abc\r\nHost: example.com"},
        {"response_url": "https://hooks.slack.com/services/T1/2/abc"},
        {"response_url": None},
        {"request": "0123456789ab"},
        {"user_id": "*"},
        {"text": 1},
    ],
)
def test_message_that_order_bot_did_not_write(work: Work, aws: Aws, slack: Slack, changes: dict[str, Any]) -> None:
    with pytest.raises(Exception, match=r"^$"):
        work(**changes)
    assert slack.posted == []
    assert aws.tables["orders"] == {}


def test_answer_goes_by_direct_message_where_the_address_is_used_up(work: Work, slack: Slack) -> None:
    slack.answers["hooks.slack.com"] = (404, "used_url")
    work()
    (_, _, content, _), (host, path, direct, token) = slack.posted
    assert (host, path, token) == ("slack.com", "/api/chat.postMessage", f"Bearer {SECRET}")
    assert (direct["channel"], direct["text"]) == ("U2CERLKJA", content["text"])


@pytest.mark.parametrize(
    "answers",
    [
        {"hooks.slack.com": (500, "")},
        {"hooks.slack.com": (302, "")},
        {"hooks.slack.com": (404, ""), "slack.com": (200, '{"ok": false, "error": "xoxb-1"}')},
        {"hooks.slack.com": (404, ""), "slack.com": (503, "xoxb-1")},
        {"hooks.slack.com": (404, ""), "slack.com": (200, "xoxb-1")},
    ],
)
def test_answer_that_does_not_arrive_is_tried_again(
    work: Work, slack: Slack, caplog: pytest.LogCaptureFixture, answers: dict[str, tuple[int, str]]
) -> None:
    slack.answers.update(answers)
    with pytest.raises(Exception, match=r"^$") as raised:
        work()
    assert type(raised.value).__name__ == "FailedError"
    assert raised.value.__suppress_context__
    everything = repr(told(caplog))
    for secret in (SECRET, "hooks.slack.com", "mugs", "xoxb-1"):
        assert secret not in everything


def test_worker_s_failures_tell_nothing_of_the_order(
    work: Work, aws: Aws, slack: Slack, caplog: pytest.LogCaptureFixture
) -> None:
    aws.broken = {"put_item"}
    with pytest.raises(Exception, match=r"^$"):
        work()
    aws.broken, aws.lost = set(), {"put_item"}
    with pytest.raises(Exception, match=r"^$"):
        work()
    record, lost = told(caplog)
    assert (record["msg"], record["code"]) == ("failed", "AccessDeniedException")
    assert (lost["msg"], lost["error"]) == ("failed", "ReadTimeoutError")
    assert "mugs" not in repr(record)
    assert SECRET not in repr(record)
    assert slack.posted == []
