"""A handler of a few lines, and what it answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.probe.running import replies, written


def answered(folder: Path, body: str, *events: Mapping[str, Any], **options: Any) -> Any:
    """What a handler made of these lines returns."""
    lines = "\n".join(f"    {line}" for line in body.strip().splitlines())
    reply = replies(written(folder, f"def handler(event, context):\n{lines}\n"), *events, **options)[-1]
    assert reply.ended == "", reply
    return json.loads(reply.body)
