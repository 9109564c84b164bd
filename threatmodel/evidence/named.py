"""Which files a model names as its evidence, to compare it with a later model that names others."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from threatmodel.graph.elements import Source
from threatmodel.model.system import EvidenceFile, System
from threatmodel.reading.files import Files
from threatmodel.reading.project import real_path
from threatmodel.stacks.readers import LARGEST_PLAN


def source_of(file: EvidenceFile, system: System, files: Files) -> Source:
    """Return which file it is, with its digest.  Raises InputError where it cannot be read."""
    model = Path(system.file)
    folder = real_path(model.parent)

    def path_of(path: str) -> str:
        return os.path.relpath(files.named(path, model, file.place), folder).replace(os.sep, "/")

    chosen = {"parameters": path_of(file.parameters) if file.parameters else "", "stage": file.stage}
    chosen["code"] = path_of(file.code) if file.code else ""
    text = files.text(files.named(file.path, model, file.place), LARGEST_PLAN)
    digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
    return Source(path_of(file.path), {key: value for key, value in chosen.items() if value}, digest, file.place)
