"""Runs handlers in this process, each job with its modules loaded anew, and prints what they did.

A line of standard input is a job, a line of output its result. Calls to Slack and AWS are recorded, not made.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import http.client
import importlib.abc
import importlib.machinery
import importlib.util
import io
import json
import os
import sys
import time
import types
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

READING = ("get_", "describe_", "list_", "batch_get_", "query", "head_")

effects: list[Any] = []
shared: dict[str, Any] = {}  # the secrets and tables of the job
clock = {"now": 0.0}  # stands still within a request
compiled: dict[tuple[str, int], types.CodeType] = {}

# --- the clock


class Datetime(datetime.datetime):
    """The clock of the job."""

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> Datetime:
        return cls.fromtimestamp(time.time(), tz)

    @classmethod
    def utcnow(cls) -> Datetime:
        return cls.fromtimestamp(time.time(), datetime.UTC).replace(tzinfo=None)


# --- what is recorded


class Answer(io.BytesIO):
    """The answer of Slack's API, as urllib and http.client hand it over."""

    status = 200

    def __init__(self, *_: object, **__: object) -> None:
        super().__init__(b'{"ok": true}')


def urlopen(request: Any, data: bytes | None = None, **_: object) -> Answer:
    if isinstance(request, str):
        effects.append({"url": request, "data": (data or b"").decode("utf-8", "replace")})
    else:
        sent = request.data or data or b""
        effects.append({"url": request.full_url, "data": sent.decode("utf-8", "replace")})
    return Answer()


class Connection:
    """Records what goes to another host, in place of HTTPSConnection."""

    def __init__(self, host: str, *_: object, **__: object) -> None:
        self.host = host

    def request(self, method: str, url: str, body: Any = None, headers: Any = None) -> None:
        text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
        effects.append({"url": f"{method} {self.host}{url}", "data": text, "headers": bool(headers)})

    getresponse = Answer

    def close(self) -> None:
        pass


class ClientError(Exception):
    """An error of an AWS service, with its code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.response = {"Error": {"Code": code, "Message": code}}


class Exceptions:
    """`client.exceptions`: each name is an error of its own."""

    def __init__(self) -> None:
        self.made: dict[str, type[ClientError]] = {}

    def __getattr__(self, name: str) -> type[ClientError]:
        return self.made.setdefault(name, type(name, (ClientError,), {}))


class Client:
    """A client of boto3 that knows secrets, parameters and items, and records all other calls."""

    exceptions = Exceptions()

    def __init__(self, service: str, *_: object, **__: object) -> None:
        self.service = service

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(**given: Any) -> Any:
            if not name.startswith(READING):
                effects.append({"call": f"{self.service}.{name}", "given": given})
            return {"StatusCode": 202}

        return call

    def get_secret_value(self, SecretId: str, **_: object) -> Any:  # noqa: N803
        if SecretId not in shared["secrets"]:
            raise getattr(self.exceptions, "ResourceNotFoundException")("ResourceNotFoundException")  # noqa: B009
        return {"SecretString": self.known(SecretId)}

    def get_parameter(self, Name: str, **_: object) -> Any:  # noqa: N803
        if Name not in shared["secrets"]:
            raise getattr(self.exceptions, "ParameterNotFound")("ParameterNotFound")  # noqa: B009
        return {"Parameter": {"Value": self.known(Name)}}

    def known(self, name: str) -> str:
        value: str = shared["secrets"][name]
        if value.startswith("error: "):
            error = value.removeprefix("error: ")
            raise getattr(self.exceptions, error)(error)
        return value

    def get_item(self, TableName: str, Key: Mapping[str, Any], **_: object) -> Any:  # noqa: N803
        item = shared["tables"].get(TableName, {}).get(plain(next(iter(Key.values()))))
        return {"Item": item} if item else {}

    def put_item(self, **given: Any) -> Any:
        if "ConditionExpression" not in given:
            effects.append({"call": f"{self.service}.put_item", "given": given})
            return {}
        table = shared["tables"].setdefault(given["TableName"], {})
        key = plain(next(iter(given["Item"].values())))
        if key in table:
            name = "ConditionalCheckFailedException"
            raise getattr(self.exceptions, name)(name)
        table[key] = given["Item"]
        return {}


class Table:
    """A table of boto3's resource."""

    def __init__(self, name: str) -> None:
        self.name, self.client = name, Client("dynamodb")

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return lambda **given: getattr(self.client, name)(TableName=self.name, **given)


def plain(value: Any) -> str:
    """Return the text of a key, whether DynamoDB's types are written out or not."""
    return str(next(iter(value.values())) if isinstance(value, dict) else value)


def install() -> None:
    """Put the recording modules where handlers import them."""
    time.time = time.monotonic = lambda: clock["now"]
    time.time_ns = lambda: int(time.time() * 1_000_000_000)
    datetime.datetime = Datetime  # type: ignore[misc]
    urllib.request.urlopen = urlopen  # type: ignore[assignment]
    http.client.HTTPSConnection = Connection  # type: ignore[assignment,misc]
    boto3, botocore, errors = (types.ModuleType(name) for name in ("boto3", "botocore", "botocore.exceptions"))
    vars(boto3).update(client=Client, resource=lambda *_, **__: types.SimpleNamespace(Table=Table))
    vars(errors).update(ClientError=ClientError)
    vars(botocore).update(exceptions=errors)
    sys.modules |= {"boto3": boto3, "botocore": botocore, "botocore.exceptions": errors}


# --- loading


class Loader(importlib.machinery.SourceFileLoader):
    """Loads a module of a handler without byte code on disk; `optimize` as in PYTHONOPTIMIZE."""

    optimize = 0

    def get_code(self, fullname: str) -> types.CodeType:
        key = (self.path, self.optimize)
        if key not in compiled:
            compiled[key] = compile(self.get_data(self.path), self.path, "exec", optimize=self.optimize)
        return compiled[key]


class Finder(importlib.abc.MetaPathFinder):
    """Finds the modules of one handler before those of the standard library, as Lambda does."""

    def __init__(self, folder: Path, optimize: int) -> None:
        self.folder, self.optimize, self.loaded = folder, optimize, set[str]()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        where = self.folder.joinpath(*fullname.split("."))
        is_package = (where / "__init__.py").is_file()
        file = where / "__init__.py" if is_package else where.with_suffix(".py")
        if not file.is_file():
            return None
        loader = Loader(fullname, str(file))
        loader.optimize = self.optimize
        self.loaded.add(fullname)
        return importlib.util.spec_from_file_location(
            fullname, file, loader=loader, submodule_search_locations=[str(where)] if is_package else None
        )


@contextlib.contextmanager
def loading(job: Mapping[str, Any]) -> Iterator[None]:
    """Give the job its variables, secrets and modules, and forget them at the end."""
    finder = Finder(Path(job["folder"]), job["optimize"])
    os.environ.clear()
    os.environ.update(job["env"])
    shared.update(secrets=job["secrets"], tables=job["tables"])
    clock["now"] = job["now"]
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in finder.loaded:
            sys.modules.pop(name, None)


# --- running

CONTEXT = types.SimpleNamespace(
    aws_request_id="c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
    function_name="slack-handler",
    function_version="$LATEST",
    invoked_function_arn="arn:aws:lambda:eu-central-1:123456789012:function:slack-handler",
    memory_limit_in_mb="128",
    get_remaining_time_in_millis=lambda: 3000,
)


def run(job: Mapping[str, Any]) -> list[Any]:
    """Return for each request its effects and how it ended; a module that does not load has no effect."""
    results: list[Any] = []
    with loading(job):
        function = load(job)
        for request in job["requests"]:
            effects.clear()
            clock["now"] = request["now"]
            shared["secrets"] = request["secrets"]
            try:
                ended = function(request["event"], CONTEXT)
            except BaseException as error:  # noqa: BLE001 - as Lambda: whatever ends an invocation is its result
                ended = {"error": repr(error)}
            results.append({"effects": json.loads(json.dumps(effects, default=repr)), "ended": ended})
    return results


def load(job: Mapping[str, Any]) -> Callable[..., Any]:
    """Return the handler, or where its module does not load, what raises that error for each request."""
    try:
        function: Callable[..., Any] = getattr(importlib.import_module(Path(job["file"]).stem), job["handler"])
    except BaseException as error:  # noqa: BLE001 - the same
        failed = error

        def function(*_: object) -> Any:
            raise failed

    return function


def main() -> None:
    out, sys.stdout = sys.stdout, io.StringIO()
    hashlib.sha256()  # loaded before modules of handlers can hide it
    install()
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line)), default=repr), file=out)


main()
