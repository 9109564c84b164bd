"""What all tests share: property tests that find the same cases each time, and golden files."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "repeatable",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("repeatable")

os.environ["TM_CACHE"] = "off"  # what a test works out, it works out itself

# Tests start hundreds of processes: without byte code each compiles all that it imports, and each worker all tests.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite the golden files instead of comparing")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compares a text with tests/golden/NAME byte for byte; rewrites that file under --update-golden."""
    update: bool = request.config.getoption("--update-golden")

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        content = text.encode()
        if update and not (path.is_file() and path.read_bytes() == content):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        assert path.is_file(), f"{path} is missing; pytest --update-golden writes it"
        assert content.decode() == path.read_bytes().decode()

    return compare


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests come first: of several workers none is left with a long file at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


def pytest_collection_finish() -> None:
    """What every test shares is never garbage: without this, each full collection walks all of it again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _collecting() -> Iterator[None]:
    """Turn the collector of cycles on again after a test in which the program ran: it turns it off for good."""
    yield
    gc.enable()
