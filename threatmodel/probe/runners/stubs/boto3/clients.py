"""A client of any service: a method in snake_case is the operation of that name."""

from __future__ import annotations

import base64
import datetime
import json
from collections.abc import Callable, Iterator
from typing import Any

from _probe import call  # type: ignore[import-not-found] # the child process puts it there
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import ClientError, ReadTimeoutError, of_code
from botocore.response import StreamingBody

_WORDS = {"sms": "SMS", "id": "Id", "mfa": "MFA", "oauth2": "OAuth2", "acl": "Acl", "url": "Url"}
_STREAMED = {
    ("Payload", "Invoke"),
    ("Body", "GetObject"),
    ("Configuration", "GetLatestConfiguration"),
    ("Content", "GetConfiguration"),
}
_DATES = {"CreatedDate", "LastModifiedDate", "LastChangedDate", "LastAccessedDate", "startDate"}


class Exceptions:
    """The exceptions of a service, by their codes."""

    ClientError = ClientError

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return of_code(name)


class Meta:
    """What a client knows of itself."""

    def __init__(self, client: Client, service: str, region: str) -> None:
        self.client, self.region_name, self.config, self.events = client, region, Config(), Events()
        self.endpoint_url = f"https://{service}.{region}.amazonaws.com"


class Events:
    """Hooks, of which none is ever called."""

    def register(self, *_: Any, **__: Any) -> None:
        """Takes a hook."""


class Client(BaseClient):  # type: ignore[misc] # the stub beside it, which mypy does not see
    """A client of a service."""

    exceptions = Exceptions()

    def __init__(self, service: str, region: str) -> None:
        self._service = service
        self.meta = Meta(self, service, region)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):
            raise AttributeError(name)
        operation = "".join(_WORDS.get(word, word.capitalize()) for word in name.split("_"))

        def ask(**params: Any) -> Any:
            return self.ask(operation, params)

        ask.__name__ = name
        return ask

    def ask(self, operation: str, params: dict[str, Any]) -> Any:
        """The answer to an operation.  Raises the ClientError of its code, ReadTimeoutError where none comes."""
        answered = call(self._service, operation, json.loads(json.dumps(params, default=_plain)))
        if "silent" in answered:
            raise ReadTimeoutError(endpoint_url=self.meta.endpoint_url)
        meta = {"RequestId": "probe", "HTTPStatusCode": 200, "HTTPHeaders": {}, "RetryAttempts": 0}
        if "error" in answered:
            error = answered["error"]
            response = {"Error": error, "ResponseMetadata": {**meta, "HTTPStatusCode": 400}, **answered["more"]}
            raise of_code(error["Code"])(response, operation)
        answer = {key: _rich(key, value, operation) for key, value in answered["answer"].items()}
        return {**answer, "ResponseMetadata": meta}

    def get_paginator(self, operation_name: str) -> Paginator:
        """Pages of an operation: there is one."""
        return Paginator(getattr(self, operation_name))

    def get_waiter(self, waiter_name: str) -> Waiter:  # noqa: ARG002 - boto3's own
        """Waits for nothing."""
        return Waiter()

    def can_paginate(self, operation_name: str) -> bool:  # noqa: ARG002 - boto3's own
        """Whatever it is."""
        return True

    def close(self) -> None:
        """Does nothing."""


class Paginator:
    """The one page of an operation."""

    def __init__(self, ask: Callable[..., Any]) -> None:
        self._ask = ask

    def paginate(self, **params: Any) -> Pages:
        """That page, asked for when it is looked at."""
        params.pop("PaginationConfig", None)
        return Pages(lambda: self._ask(**params))


class Pages:
    """An iterator over one page."""

    result_keys: tuple[Any, ...] = ()
    resume_token = None

    def __init__(self, ask: Callable[[], Any]) -> None:
        self._ask = ask

    def __iter__(self) -> Iterator[Any]:
        yield self._ask()

    def build_full_result(self) -> Any:
        """The page, without what is known of its answer."""
        return {name: value for name, value in self._ask().items() if name != "ResponseMetadata"}

    def search(self, expression: str) -> Iterator[Any]:
        """The members of a list of the page, by its name; of any other expression none."""
        found = self._ask().get(expression.removesuffix("[]"), ())
        yield from found if isinstance(found, list) else ()


class Waiter:
    """Waits for nothing."""

    name = config = None

    def wait(self, **_: Any) -> None:
        """Returns at once."""


def _plain(value: Any) -> Any:
    """What JSON lacks, as AWS writes it."""
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(bytes(value)).decode()
    if isinstance(value, set | frozenset | tuple):
        return sorted(value)
    if isinstance(value, datetime.datetime):
        return value.timestamp()
    if hasattr(value, "read"):
        data = value.read()
        return _plain(data) if isinstance(data, bytes) else data
    raise of_code("ParamValidationError")({"Error": {"Code": "ParamValidationError"}}, type(value).__name__)


def _rich(key: str, value: Any, operation: str) -> Any:
    """A member of an answer as boto3 gives it."""
    if key in _DATES and isinstance(value, int | float):
        return datetime.datetime.fromtimestamp(value, datetime.UTC)
    if key == "Plaintext" and isinstance(value, str):
        return base64.b64decode(value)
    if (key, operation) in _STREAMED and isinstance(value, str):
        return StreamingBody(value.encode())
    if isinstance(value, dict) and key == "Parameter":
        return {inner: _rich(inner, held, operation) for inner, held in value.items()}
    return value
