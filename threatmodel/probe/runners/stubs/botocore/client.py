"""Where some handlers import Config from, and the class that every client has."""

from __future__ import annotations

from botocore.config import Config
from botocore.exceptions import ClientError

__all__ = ["BaseClient", "ClientError", "Config"]


class BaseClient:
    """A client of any service."""
