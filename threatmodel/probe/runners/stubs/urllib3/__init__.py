"""A stand-in for urllib3, which Lambda's Python runtimes have beside boto3: requests over the standard library."""

from __future__ import annotations

import json as json_
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import urlencode

from urllib3.exceptions import HTTPError, MaxRetryError
from urllib3.util import Retry, Timeout

__all__ = ["HTTPError", "HTTPResponse", "PoolManager", "Retry", "Timeout", "disable_warnings", "request"]
__version__ = "2.5.0"
_SECONDS = 10.0


class HTTPResponse:
    """An answer, read whole."""

    def __init__(self, status: int, headers: Mapping[str, str], data: bytes) -> None:
        self.status, self.headers, self.data = status, dict(headers), data
        self.reason = ""

    def read(self, *_: Any, **__: Any) -> bytes:
        """The body."""
        return self.data

    def json(self) -> Any:
        """The body, as JSON."""
        return json_.loads(self.data)

    def getheader(self, name: str, default: str | None = None) -> str | None:
        """A header by its name."""
        return next((value for key, value in self.headers.items() if key.lower() == name.lower()), default)

    def release_conn(self) -> None:
        """Does nothing."""

    close = drain_conn = release_conn


class PoolManager:
    """Sends requests; takes any option."""

    def __init__(self, *_: Any, headers: Mapping[str, str] | None = None, **__: Any) -> None:
        self.headers = dict(headers or {})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def clear(self) -> None:
        """Does nothing."""

    def request(  # noqa: PLR0913, PLR0917 - urllib3's own
        self,
        method: str,
        url: str,
        body: Any = None,
        fields: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        **_: Any,
    ) -> HTTPResponse:
        """The answer to a request.  Raises MaxRetryError where none comes."""
        given = {**self.headers, **(headers or {})}
        if json is not None:
            body, given = json_.dumps(json), {"Content-Type": "application/json", **given}
        if fields and method.upper() in {"GET", "HEAD", "DELETE"}:
            url += ("&" if "?" in url else "?") + urlencode(fields)
        elif fields:
            body, given = urlencode(fields), {"Content-Type": "application/x-www-form-urlencoded", **given}
        data = body.encode() if isinstance(body, str) else body
        asked = urllib.request.Request(url, data=data, headers=given, method=method.upper())  # noqa: S310 - the handler's
        try:
            with urllib.request.urlopen(asked, timeout=_SECONDS) as answer:  # noqa: S310 - as above
                return HTTPResponse(answer.status, dict(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            return HTTPResponse(error.code, dict(error.headers), error.read())
        except (urllib.error.URLError, ssl.SSLError, OSError) as error:
            raise MaxRetryError(str(error)) from error  # type: ignore[call-arg,arg-type] # the stub beside it

    urlopen = request

    def request_encode_body(self, method: str, url: str, **options: Any) -> HTTPResponse:
        """The same."""
        return self.request(method, url, **options)


ProxyManager = PoolManager


def request(method: str, url: str, **options: Any) -> HTTPResponse:
    """The answer to one request."""
    return PoolManager().request(method, url, **options)


def disable_warnings(*_: Any) -> None:
    """Does nothing."""
