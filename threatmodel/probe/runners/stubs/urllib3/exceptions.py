"""The exceptions that handlers catch."""

from __future__ import annotations


class HTTPError(Exception):
    """Something went wrong with a request."""


class MaxRetryError(HTTPError):
    """No answer came."""


def __getattr__(name: str) -> type[HTTPError]:
    if not name[:1].isupper():
        raise AttributeError(name)
    made = type(name, (HTTPError,), {})
    globals()[name] = made
    return made
