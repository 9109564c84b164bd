"""Templates of real projects, in the folder that TM_TEMPLATES names: tests over these are optional."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

FOLDER = os.environ.get("TM_TEMPLATES", "")
REAL = sorted(Path(FOLDER).resolve().glob("*.y*ml")) if FOLDER else []
needs_real = pytest.mark.skipif(not REAL, reason="optional: TM_TEMPLATES names no folder with templates")
