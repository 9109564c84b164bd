"""Adds to the wheel what the toolkit's own YAML says, as tables (threatmodel/reading/compiled.py)."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompiledTables(BuildHookInterface[Any]):
    """Writes the tables before a wheel is packed, and removes them afterward."""

    folder = ""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the tables; not for an editable install, whose YAML changes."""
        if version != "editable":
            self.folder = tempfile.mkdtemp()
            subprocess.run([sys.executable, "-m", "threatmodel.compiling", self.folder], cwd=self.root, check=True)
            build_data["force_include"][self.folder] = "threatmodel/content/compiled"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002 - the interface's
        """Remove what was written."""
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)
