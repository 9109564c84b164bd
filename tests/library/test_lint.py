"""What must hold between the files of a library."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.refusals import problems_of, write
from tests.support import ARTICLE, HOME, control, library_of, threat
from threatmodel.library.lint import senseless
from threatmodel.library.load import load_library

Golden = Callable[[str, str], None]
GOOD = [threat("forgery", "{signing: hinders}"), control("signing", "target.verifies_signature")]

LIBRARIES = {
    "dangling-link": [*GOOD, threat("replay", "{sining: hinders, timestamps: detects}")],
    "dangling-requirement": [GOOD[0], control("signing", extra="requires: [timestamps]")],
    "unreachable-control": [
        threat("forgery", "{encryption: hinders}", target="api"),
        control("encryption", scope="store"),
    ],
    "unreachable-requirement": [
        threat("forgery", "{signing: hinders}"),
        control("signing", extra="requires: [encryption]", scope="api"),
        control("encryption", scope="store"),
    ],
    "orphans": [*GOOD, control("lonely"), threat("hopeless", "{}")],
    "circular-requirement": [
        threat("forgery", "{one: hinders}"),
        control("one", extra="requires: [two]"),
        control("two", extra="requires: [three]"),
        control("three", extra="requires: [one]"),
    ],
    "weakness-as-exposure": [
        threat("forgery", "{signing: hinders}", applies="target.verifies_signature"),
        control("signing", "target.verifies_signature"),
    ],
    "derived-weakness": [
        threat("theft", "{vault: hinders}", applies="target.slack_facing"),
        control("vault", "target.event_driven"),
    ],
}


@pytest.fixture(autouse=True)
def _in_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", LIBRARIES)
def test_library_that_does_not_hold_together(name: str, golden: Golden) -> None:
    for file, text in (("article.yaml", ARTICLE), *LIBRARIES[name]):
        write(f"lib/{file}", text)
    golden(f"bad-input/library-{name}.txt", problems_of(lambda files: load_library(Path("lib"), files)))


def test_no_control_of_the_toolkit_is_linked_where_it_is_never_applicable() -> None:
    assert list(senseless(load_library(HOME / "threatlib"))) == []


def test_library_that_holds_together() -> None:
    assert list(library_of(Path(), *GOOD).controls) == ["signing"]


def test_what_the_provider_treats_needs_no_control() -> None:
    library = library_of(Path(), *GOOD, threat("outage", "{}", extra="treated_by: provider"))
    assert library.threats["outage"].by_provider


@pytest.mark.parametrize(
    ("target", "scope"), [("flow", "function"), ("store", "function"), ("secret", "pipeline"), ("api", "api")]
)
def test_neighbours_and_planes_are_reached(target: str, scope: str) -> None:
    hit = threat("forgery", "{good: hinders}", target=target, applies="true")
    assert list(library_of(Path(), hit, control("good", scope=scope)).controls) == ["good"]
