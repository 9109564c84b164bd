"""boto3's own exceptions, one class a name."""

from __future__ import annotations


class Boto3Error(Exception):
    """Something went wrong in boto3 itself."""


def __getattr__(name: str) -> type[Boto3Error]:
    if not name[:1].isupper():
        raise AttributeError(name)
    made = type(name, (Boto3Error,), {})
    globals()[name] = made
    return made
