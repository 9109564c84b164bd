"""botocore's own sessions: those of boto3."""

from __future__ import annotations

from typing import Any

from boto3.session import Session as BotoSession


class Session(BotoSession):  # type: ignore[misc] # the stub beside it, which mypy does not see
    """A session whose clients are made by `create_client`."""

    def create_client(self, service_name: str, *_: Any, **__: Any) -> Any:
        """A client of a service."""
        return self.client(service_name)


def get_session(*_: Any, **__: Any) -> Session:
    """A session."""
    return Session()
