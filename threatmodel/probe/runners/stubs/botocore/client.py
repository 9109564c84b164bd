"""Where some handlers import Config from."""

from __future__ import annotations

from botocore.config import Config
from botocore.exceptions import ClientError

__all__ = ["ClientError", "Config"]
