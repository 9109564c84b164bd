"""The outcomes that a probe can have, by name: all that a saved result needs of judging."""

from __future__ import annotations

PASSED, FAILED, UNDECIDED, NOT_RUN = "passed", "failed", "undecided", "not run"
OUTCOMES = (PASSED, FAILED, UNDECIDED, NOT_RUN)
