"""The small system as a graph, with a library of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pytm_model.systems import FILES, MODEL
from tests.support import graph_of, library_of
from threatmodel.graph.elements import Graph
from threatmodel.library.entries import Library


@pytest.fixture
def graph(tmp_path: Path) -> Graph:
    return graph_of(tmp_path, MODEL)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return library_of(tmp_path, *FILES)
