"""Where the toolkit's own content lies: at the top of a clone, or inside the installed package."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent
PACKAGES = _PACKAGE.parent
"""The folder from which a child process can import the toolkit."""

_INSTALLED = _PACKAGE / "content"

CLONE: Path | None = None if _INSTALLED.is_dir() else _PACKAGE.parent
"""The clone that runs; None where the toolkit is installed."""

CONTENT = _INSTALLED if CLONE is None else CLONE
"""The folder that holds `threatlib/`, `templates/`, `models/` and `examples/`."""

LIBRARY = CONTENT / "threatlib"
TEMPLATES = CONTENT / "templates"
MODELS = CONTENT / "models"
EXAMPLES = CONTENT / "examples"
