"""The library of a run: the toolkit's own, as it was built, or what the files of a folder say."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from threatmodel.library.built import built
from threatmodel.library.entries import Library
from threatmodel.reading.files import Files
from threatmodel.reading.home import LIBRARY


def load_library(
    folder: Path, files: Files | None = None, layers: Sequence[Path] = (), *, remember: bool = False
) -> Library:
    """The library in `folder`: article.yaml, threats/<scenario>/*.yaml and controls/<mitigation>/*.yaml.

    Each folder of `layers` extends it, in order, and once: its threats and controls are added, or replace those of the
    same id; its library.yaml switches others off.  `files` remembers the texts for messages.  `remember`: what the
    files hold is kept from run to run, while not a byte of them changes.  Raises InputError with every problem of every
    file; a file in an unexpected place is a problem too.
    """
    files = files or Files()
    own = built(files) if folder == LIBRARY else None
    if own is not None and not layers:
        return own
    from threatmodel.library.files import read_library  # as much to load as to use, and most runs need none of it

    return read_library(folder, files, layers, own, remember=remember)
