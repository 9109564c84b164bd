"""Threats and controls found by id and by the words of the trade; what every control of ours says of itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import HOME, control, library_of, threat
from threatmodel.library.entries import Control, Library, Threat
from threatmodel.library.load import load_library
from threatmodel.library.lookup import aliases, hint, named


@pytest.fixture(scope="module")
def ours() -> Library:
    return load_library(HOME / "threatlib")


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    monkeypatch.chdir(tmp_path)
    return library_of(
        Path(),
        threat("forgery", "{signing: hinders}", extra="aliases: [CSRF, cross-site request forgery]"),
        control("signing", extra="do: Check the signature\naliases: [HMAC, csrf]"),
    )


def test_an_id_is_found_by_itself(library: Library) -> None:
    assert [one.id for one in named(library, "signing")] == ["signing"]


@pytest.mark.parametrize("words", ["CSRF", "csrf", " Csrf "])
def test_an_alias_finds_all_that_have_it(library: Library, words: str) -> None:
    assert [one.id for one in named(library, words)] == ["forgery", "signing"]


def test_spaces_and_hyphens_are_one(library: Library) -> None:
    assert [one.id for one in named(library, "Cross Site request-forgery")] == ["forgery"]


def test_what_nobody_is_called_finds_nothing(library: Library) -> None:
    assert named(library, "forger") == ()


def test_aliases_stand_once_each(library: Library) -> None:
    assert aliases(library) == ("CSRF", "cross-site request forgery", "HMAC", "csrf")


def test_a_control_without_an_order_is_called_by_its_title(library: Library, tmp_path: Path) -> None:
    plain = library_of(tmp_path / "plain", threat("forgery", "{signing: hinders}"), control("signing"))
    assert (plain.controls["signing"].do, library.controls["signing"].do) == (
        plain.controls["signing"].title,
        "Check the signature",
    )


def test_every_control_of_ours_has_an_order(ours: Library) -> None:
    """An order is no title: it begins with what to do, stands on one line, and ends without a full stop."""
    assert [one.id for one in ours.controls.values() if one.do == one.title or one.do.endswith(".")] == []
    assert [one.id for one in ours.controls.values() if not one.do.split()[0].isalpha()] == []
    assert len({one.do for one in ours.controls.values()}) == len(ours.controls)


def test_an_id_of_an_older_library_leads_to_what_took_it_in(ours: Library) -> None:
    assert [one.id for one in named(ours, "detection-switched-off")] == ["undetected-change"]
    assert hint(ours.threats, "detection-switched-off") == "it is part of 'undetected-change' now"
    assert hint(ours.controls, "slack-app-per-stage") == "it is part of 'secret-per-stage' now"
    assert hint(ours.threats, "api-floods", "none") == "did you mean 'api-flood'?"
    assert hint(ours.threats, "xyz", "none") == "none"


def test_no_id_is_in_force_and_taken_in_at_once(ours: Library) -> None:
    everything: list[Threat | Control] = [*ours.threats.values(), *ours.controls.values()]
    former = [name for one in everything for name in one.formerly]
    assert len(former) == len(set(former))
    assert not {*former} & {*ours.threats, *ours.controls}
