"""A stand-in for boto3: the same calls, answered by the caller of the probe, each of them recorded there."""

from __future__ import annotations

from typing import Any

from boto3.session import Session

DEFAULT_SESSION: Session | None = None
__version__ = "1.40.0"


def setup_default_session(**options: Any) -> None:
    """Makes the session that `client` and `resource` use."""
    global DEFAULT_SESSION  # noqa: PLW0603 - boto3's own
    DEFAULT_SESSION = Session(**options)


def client(service_name: str, *rest: Any, **options: Any) -> Any:
    """A client of a service."""
    return Session().client(service_name, *rest, **options)


def resource(service_name: str, *rest: Any, **options: Any) -> Any:
    """A resource of a service."""
    return Session().resource(service_name, *rest, **options)
