"""AWS in memory, for one scenario: what a handler's calls are answered with, and a record of every one of them."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from threatmodel.probe.protocol import MOST_CONTENT, Effect
from threatmodel.probe.runners.dynamodb import AwsError, DynamoDbTables, SilentError, Tables, UnreadError

MOST_EFFECTS = 2_000
_EFFECTS_OF_A_CALL = 8
"""Effects of a scenario that are recorded one by one; those after them are counted, and the last has the count."""

LONGEST_DETAIL = 200

_ACCOUNT = "123456789012"
TOKEN = "xoxb-probe-" + "4207315096-TzLwQk7b"
"""The made-up bot token that a store holds under the name of a token."""
SECRET_KEYS = (
    "SLACK_SIGNING_SECRET",
    "slack_signing_secret",
    "slackSigningSecret",
    "signing_secret",
    "signingSecret",
    "SIGNING_SECRET",
    "signing-secret",
    "slack-signing-secret",
    "SlackSigningSecret",
    "secret",
    "SLACK_BOT_TOKEN",
    "slack_bot_token",
    "slackBotToken",
    "bot_token",
    "botToken",
    "bot-token",
)
"""What a secret that is kept as JSON is usually called in it."""

_TOKEN_NAME = re.compile(r"token", re.IGNORECASE)
_SIGNING_NAME = re.compile(r"sign|secret(?!s?manager)", re.IGNORECASE)
_KEPT_OBJECT = re.compile(r"secret|sign|cred|config|settings|token|(?:^|/)\.?env\b", re.IGNORECASE)
"""Keys of objects that hold a configuration, and so may hold the secret."""
_LATE_BY = 3.5
_REFERENCE = "/aws/reference/secretsmanager/"
_STORES = frozenset({"dynamodb", "s3"})
LATE = "lateness"
"""How a store of secrets fails that answers only after most clients have given up."""
_HOLDING = frozenset({"secretsmanager", "ssm", "kms", "appconfig", "appconfigdata", "s3"})
"""Services that hold secrets."""
_MADE = 1_600_000_000.0  # long ago, so that no secret counts as just changed
_NAMES = {  # how SDKs and endpoints call a service, where boto3 calls it otherwise
    "sfn": "stepfunctions",
    "states": "stepfunctions",
    "eventbridge": "events",
    "email": "ses",
    "cognitoidentityprovider": "cognito-idp",
    "cloudwatchlogs": "logs",
}
_DETAILS = (
    "TableName",
    "QueueUrl",
    "FunctionName",
    "stateMachineArn",
    "TopicArn",
    "TargetArn",
    "SecretId",
    "Name",
    "Path",
    "KeyId",
    "Bucket",
)


class World:
    """What one scenario's handler can reach: services that remember, and what was done to them."""

    def __init__(self, secret: str | None, *, secret_json: Sequence[str] = (), failing: str = "") -> None:
        self.effects: list[Effect] = []
        self._secret, self._made = secret, _MADE
        self._previous: str | None = None
        self._json, self._failing = tuple(secret_json), failing
        self._tables = DynamoDbTables()
        self._before: DynamoDbTables | None = None
        self._filled: Tables = {}
        self._objects: dict[tuple[str, str], str] = {}
        self._count, self._most = 0, MOST_EFFECTS
        self._codes: set[str] = set()
        self._was_late = False

    def fill(self, tables: Tables) -> None:
        """Gives DynamoDB's tables their items, once; the text `SECRET_MARK` in them stands for the secret."""
        if tables and not self._filled:
            self._filled = _with_secret(tables, self._secret)
            self._tables = DynamoDbTables(self._filled)

    def rotate(self, current: str | None, previous: str | None, at: float) -> None:
        """Puts another secret into the stores, or none, at seconds since 1970."""
        self._secret, self._previous, self._made = current, previous, at

    def read_before(self, *, stale: bool) -> None:
        """From here on tables are read as they were when the world was made, or as they are now."""
        self._before = DynamoDbTables(self._filled) if stale else None

    def note(  # noqa: PLR0913 - the members of an effect
        self,
        service: str,
        operation: str,
        detail: str = "",
        *,
        refused: bool = False,
        unclear: bool = False,
        content: str = "",
    ) -> None:
        """Records an effect."""
        self._count += 1
        if self._count <= self._most:
            cut = detail[:LONGEST_DETAIL]
            self.effects.append(
                Effect(
                    service=service,
                    operation=operation,
                    detail=cut,
                    refused=refused,
                    unclear=unclear,
                    content=content[:MOST_CONTENT],
                )
            )
        elif self._count == self._most + 1:
            self.effects.append(Effect(service="process", operation="more", detail=f"more than {self._most}"))

    def next_call(self) -> None:
        """Lets one more call be recorded: what it usually does, beside what all may do together."""
        self._most += _EFFECTS_OF_A_CALL

    def exchange(self, code: str) -> bool:
        """Whether a code of an installation is still good: Slack takes each once."""
        if code in self._codes:
            return False
        self._codes.add(code)
        return True

    def delay(self, service: str) -> float:
        """Seconds after which a service answers: a store of secrets may be late, the first time that it is asked."""
        if self._failing != LATE or service.lower().replace("-", "") not in _HOLDING or self._was_late:
            return 0.0
        self._was_late = True
        return _LATE_BY

    def call(self, service: str, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """What a service answers.  Raises AwsError; either way the call is recorded."""
        service = service.lower()
        service = _NAMES.get(service.replace("-", ""), service)
        detail, refused, unclear = _detail(operation, params), True, False
        try:
            answer = self._answer(service, operation, params)
            refused = False
        except UnreadError:
            detail, unclear = f"{detail} (not understood)".lstrip(), True
            raise
        except (AttributeError, KeyError, TypeError, ValueError):  # a request of the wrong shape, as AWS would find it
            raise AwsError("ValidationException", "a parameter is of the wrong type") from None
        finally:
            content = json.dumps(params, default=str, ensure_ascii=False)
            self.note(service, operation, detail, refused=refused, unclear=unclear, content=content)
        return answer

    def _answer(self, service: str, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        failing = {"silence": _STORES, "errors": _STORES, "": (), LATE: ()}.get(self._failing, _HOLDING)
        if service in failing and not (failing is _HOLDING and _is_of_token(params)):
            if self._failing == "silence":
                raise SilentError
            code = "InternalServerError" if self._failing == "errors" else self._failing
            raise AwsError(code, "The request processing has failed because of an internal error.")
        if service == "dynamodb":
            reads = operation.startswith(("Get", "BatchGet", "Query", "Scan"))
            tables = self._before if self._before is not None and reads else self._tables
            return tables.answer(operation, params)
        known: dict[tuple[str, str], Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            ("secretsmanager", "GetSecretValue"): self._secret_value,
            ("secretsmanager", "BatchGetSecretValue"): self._secret_values,
            ("ssm", "GetParameter"): self._parameter,
            ("ssm", "GetParameters"): self._parameters,
            ("ssm", "GetParametersByPath"): self._parameters_by_path,
            ("kms", "Decrypt"): self._decrypted,
            ("appconfigdata", "StartConfigurationSession"): lambda _: {"InitialConfigurationToken": "probe"},
            ("appconfigdata", "GetLatestConfiguration"): self._configuration,
            ("appconfig", "GetConfiguration"): self._configuration,
            ("s3", "PutObject"): self._put_object,
            ("s3", "GetObject"): self._get_object,
            ("s3", "HeadObject"): self._get_object,
        }
        found = known.get((service, operation))
        return found(params) if found else _plain_answer(service, operation, params)

    def _kept(self, name: str) -> str:
        """What a store holds under a name: the secret, or a token for the name of one; as JSON where so tried.

        Where the secret is missing, a token has its name still.
        """
        if self._secret is None and not _names_token(name):
            raise AwsError("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
        if self._json:
            found: dict[str, Any] = {}
            for key in self._json:
                outer, _, inner = key.rpartition("/")
                if self._secret is None and not _names_token(inner):
                    continue
                (found.setdefault(outer, {}) if outer else found)[inner] = self._named_value(inner, self._secret)
            return json.dumps(found)
        return self._named_value(name, self._secret)

    def _named_value(self, name: str, secret: str | None) -> str:
        return TOKEN if _names_token(name) else secret or ""

    def _secret_value(self, params: Mapping[str, Any]) -> dict[str, Any]:
        name = str(params.get("SecretId", ""))
        stage = params.get("VersionStage", "AWSCURRENT")
        if stage == "AWSPREVIOUS" and self._previous is not None:
            text = self._previous
        elif stage == "AWSCURRENT":
            text = self._kept(name)
        else:
            raise AwsError("ResourceNotFoundException", "Secrets Manager can't find the specified secret value.")
        arn = name if name.startswith("arn:") else f"arn:aws:secretsmanager:eu-west-1:{_ACCOUNT}:secret:{name}-AbCdEf"
        return {
            "ARN": arn,
            "Name": name,
            "VersionId": "00000000-0000-4000-8000-000000000000",
            "SecretString": text,
            "VersionStages": [stage],
            "CreatedDate": self._made,
        }

    def _secret_values(self, params: Mapping[str, Any]) -> dict[str, Any]:
        values = [self._secret_value({"SecretId": name}) for name in params.get("SecretIdList", ())]
        return {"SecretValues": values, "Errors": []}

    def _parameter(self, params: Mapping[str, Any]) -> dict[str, Any]:
        if self._secret is None and not _is_of_token(params):
            raise AwsError("ParameterNotFound", "")
        return {"Parameter": self._named(str(params.get("Name", "")))}

    def _named(self, name: str) -> dict[str, Any]:
        if name.startswith(_REFERENCE):  # a secret of Secrets Manager, read through Parameter Store
            self.note("secretsmanager", "GetSecretValue", name.removeprefix(_REFERENCE))
        arn = f"arn:aws:ssm:eu-west-1:{_ACCOUNT}:parameter/{name.lstrip('/')}"
        kind = {"Type": "SecureString", "Version": 1, "LastModifiedDate": self._made, "DataType": "text"}
        return {"Name": name, "Value": self._kept(name), "ARN": arn, **kind}

    def _parameters(self, params: Mapping[str, Any]) -> dict[str, Any]:
        names = [str(name) for name in params.get("Names", ())]
        if self._secret is None:
            return {"Parameters": [], "InvalidParameters": names}
        return {"Parameters": [self._named(name) for name in names], "InvalidParameters": []}

    def _parameters_by_path(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Everything below a path: under each name by which a handler may look for its secret."""
        path = str(params.get("Path", "")).rstrip("/")
        names = dict.fromkeys(("signing-secret", *self._json, *SECRET_KEYS))
        found = [] if self._secret is None else [self._named_plainly(f"{path}/{name}") for name in names]
        return {"Parameters": found}

    def _named_plainly(self, name: str) -> dict[str, Any]:
        """A parameter that is one of many, each with a separate value: none holds JSON."""
        as_json, self._json = self._json, ()
        try:
            return self._named(name)
        finally:
            self._json = as_json

    def _decrypted(self, params: Mapping[str, Any]) -> dict[str, Any]:
        if self._secret is None:
            raise AwsError("InvalidCiphertextException", "")
        plain = base64.b64encode(self._secret.encode()).decode()
        return {"KeyId": str(params.get("KeyId", "")), "Plaintext": plain, "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}

    def _configuration(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """The configuration of AppConfig, which has the secret in it."""
        name = str(params.get("Configuration") or params.get("ConfigurationToken", ""))
        text = self._kept(name)
        found = {"Configuration": text, "Content": text, "ContentType": "application/json"}
        return {**found, "NextPollConfigurationToken": "probe", "NextPollIntervalInSeconds": 60}

    def _put_object(self, params: Mapping[str, Any]) -> dict[str, Any]:
        place = (str(params.get("Bucket")), str(params.get("Key")))
        if params.get("IfNoneMatch") == "*" and place in self._objects:
            raise AwsError("PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
        self._objects[place] = str(params.get("Body", ""))
        return {"ETag": '"00000000000000000000000000000000"'}

    def _get_object(self, params: Mapping[str, Any]) -> dict[str, Any]:
        place = (str(params.get("Bucket")), str(params.get("Key")))
        if place not in self._objects and self._secret is not None and _KEPT_OBJECT.search(place[1]):
            return {"Body": self._kept(place[1]), "ETag": '"00000000000000000000000000000000"'}
        if place not in self._objects:
            raise AwsError("NoSuchKey", "The specified key does not exist.")
        return {"Body": self._objects[place], "ETag": '"00000000000000000000000000000000"'}


SECRET_MARK = "{signing secret}"  # noqa: S105 - a word for one


def _names_token(name: str) -> bool:
    return _TOKEN_NAME.search(name) is not None and not _SIGNING_NAME.search(name)


def _is_of_token(params: Mapping[str, Any]) -> bool:
    """Whether a call is for a token, by the name of what holds it."""
    return any(_names_token(str(params.get(key, ""))) for key in ("SecretId", "Name"))


def _with_secret(value: Any, secret: str | None) -> Any:
    """Plain data in which the secret replaces its mark."""
    match value:
        case dict():
            return {name: _with_secret(one, secret) for name, one in value.items()}
        case list():
            return [_with_secret(one, secret) for one in value]
        case str():
            return value.replace(SECRET_MARK, secret or "")
        case _:
            return value


def _plain_answer(service: str, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """The smallest answer that says a call went well."""
    match service, operation:
        case "sqs", "SendMessage":
            digest = hashlib.md5(str(params.get("MessageBody", "")).encode(), usedforsecurity=False).hexdigest()
            return {"MessageId": "00000000-0000-4000-8000-000000000001", "MD5OfMessageBody": digest}
        case "sqs", "SendMessageBatch":
            sent = [{"Id": entry["Id"], "MessageId": entry["Id"]} for entry in params.get("Entries", ())]
            return {"Successful": sent, "Failed": []}
        case "sqs", "GetQueueUrl":
            return {"QueueUrl": f"https://sqs.eu-west-1.amazonaws.com/{_ACCOUNT}/{params.get('QueueName', '')}"}
        case "sns", "Publish":
            return {"MessageId": "00000000-0000-4000-8000-000000000002"}
        case "lambda", "Invoke":
            return {"StatusCode": 202 if params.get("InvocationType") == "Event" else 200, "Payload": "{}"}
        case "stepfunctions", "StartExecution" | "StartSyncExecution":
            arn = str(params.get("stateMachineArn", "")).replace(":stateMachine:", ":execution:")
            return {"executionArn": f"{arn}:1", "startDate": _MADE, "status": "SUCCEEDED", "output": "{}"}
        case "events", "PutEvents":
            return {"FailedEntryCount": 0, "Entries": [{"EventId": str(at)} for at, _ in enumerate(params["Entries"])]}
        case "sts", "GetCallerIdentity":
            arn = f"arn:aws:sts::{_ACCOUNT}:assumed-role/probe/probe"
            return {"Account": _ACCOUNT, "Arn": arn, "UserId": "PROBE:probe"}
    return {}


def _detail(operation: str, params: Mapping[str, Any]) -> str:
    """What a call is about, in one word: the name of a table, a queue, a function."""
    if operation in {"TransactWriteItems", "TransactGetItems"}:
        inner = [
            one for entry in _listed(params.get("TransactItems")) if isinstance(entry, dict) for one in entry.values()
        ]
        return ", ".join(dict.fromkeys(str(one.get("TableName", "")) for one in inner if isinstance(one, dict)))
    if isinstance(params.get("RequestItems"), dict):
        return ", ".join(map(str, params["RequestItems"]))
    for name in _DETAILS:
        if isinstance(params.get(name), str):
            text = str(params[name])
            end = {"QueueUrl": "/", "FunctionName": ":", "stateMachineArn": ":", "TopicArn": ":"}.get(name)
            return text.rsplit(end, 1)[-1] if end and (end == "/" or text.startswith("arn:")) else text
    return ""


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
