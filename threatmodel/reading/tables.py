"""The toolkit's own tables: JSON beside the modules that read it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any


@cache
def table(module: str, name: str) -> Mapping[str, Any]:
    """Return the table of a name beside a module (its ``__file__``), read once."""
    found: Mapping[str, Any] = json.loads(Path(module).with_name(name).read_text(encoding="utf-8"))
    return found
