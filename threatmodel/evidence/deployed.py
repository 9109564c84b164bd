"""What a file of infrastructure code makes of a function, for what ran elsewhere to be held against."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from threatmodel.stacks.stack import Resource, Stack


class Deployed(NamedTuple):
    """A resource that a file makes of a function, the file's folder, and other elements that are mapped to it too."""

    stack: Stack
    resource: Resource
    folder: Path
    shared: tuple[str, ...] = ()
