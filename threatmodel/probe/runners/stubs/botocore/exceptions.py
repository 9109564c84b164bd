"""The exceptions that handlers catch; those of a service are made when they are asked for, one class a code."""

from __future__ import annotations

from typing import Any


class BotoCoreError(Exception):
    """Something went wrong before AWS was asked."""

    fmt = "An unspecified error occurred"


class HTTPClientError(BotoCoreError):
    """No answer came that could be read."""

    def __init__(self, **_: Any) -> None:
        super().__init__("Read timeout")


class ReadTimeoutError(HTTPClientError):
    """No answer came in time."""


class ClientError(Exception):
    """AWS answered with an error."""

    def __init__(self, error_response: dict[str, Any], operation_name: str) -> None:
        error = error_response.get("Error", {})
        message = f"An error occurred ({error.get('Code', 'Unknown')}) when calling the {operation_name} operation: "
        super().__init__(message + str(error.get("Message", "Unknown")))
        self.response = error_response
        self.operation_name = operation_name


_CODES: dict[str, type[ClientError]] = {"ClientError": ClientError}


def of_code(code: str) -> type[ClientError]:
    """The class of an error code."""
    return _CODES.setdefault(code, type(code, (ClientError,), {}))


def __getattr__(name: str) -> type[BotoCoreError]:
    if not name[:1].isupper():
        raise AttributeError(name)
    made = type(name, (BotoCoreError,), {})
    globals()[name] = made
    return made
