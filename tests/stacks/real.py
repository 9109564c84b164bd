"""Templates of real projects, where they lie beside this clone: tests over these are optional."""

from __future__ import annotations

import pytest

from tests.support import HOME

FOLDER = HOME.parent / "shared" / "iac"
REAL = sorted(FOLDER.glob("*.y*ml"))
needs_real = pytest.mark.skipif(not REAL, reason=f"optional: no templates of real projects lie in {FOLDER}")
