"""The toolkit's library and its directions, read once for all tests of evidence."""

from __future__ import annotations

import pytest

from tests.support import HOME
from threatmodel.library.directions import Directions, directions
from threatmodel.library.entries import Library
from threatmodel.library.load import load_library


@pytest.fixture(scope="session")
def library() -> Library:
    return load_library(HOME / "threatlib")


@pytest.fixture(scope="session")
def ways(library: Library) -> Directions:
    return directions(library)
