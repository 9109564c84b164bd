"""Former ids of threats and controls: layers, decisions, and what no library may claim."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import control, library_of, threat
from threatmodel.library.entries import Library
from threatmodel.library.load import load_library
from threatmodel.library.lookup import hint, named
from threatmodel.reading.files import Files
from threatmodel.reading.problems import InputError

BASE = (
    threat("forged", "{signed: {stops: it checks}}", extra="formerly: [faked]"),
    control("signed", "target.verifies_signature", extra="formerly: [checked]\ntook_in: [stamped]"),
)


def layer(folder: Path, *files: tuple[str, str]) -> Path:
    for name, text in files:
        path = folder / "own" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder / "own"


def on_top(folder: Path, *files: tuple[str, str]) -> tuple[Library, Files]:
    library_of(folder, *BASE)
    read = Files()
    return load_library(folder / "lib", read, [layer(folder, *files)]), read


def test_a_layer_under_the_former_id_replaces_the_entry(tmp_path: Path) -> None:
    library, read = on_top(tmp_path, threat("faked", "{checked: {stops: it checks}}", impact=2))
    assert list(library.threats) == ["forged"]
    assert library.threats["forged"].impact == 2
    assert [link.control for link in library.threats["forged"].links] == ["signed"]
    assert library.threats["forged"].formerly == ("faked",)
    assert {(one.old, one.new) for one in read.renamed} == {("faked", "forged"), ("checked", "signed")}


def test_a_layer_switches_off_by_the_former_id(tmp_path: Path) -> None:
    library, _ = on_top(tmp_path, ("library.yaml", "off: {threats: {faked: not here}}"))
    assert not library.threats
    assert [one.id for one in library.off] == ["forged"]
    assert library.former.threats == {"faked": "forged"}


def test_a_layer_has_no_entry_under_both_ids(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="duplicate-id"):
        on_top(tmp_path, threat("faked", "{signed: {stops: it}}"), threat("forged", "{signed: {stops: it}}"))


@pytest.mark.parametrize(
    "files",
    [
        (threat("copied", "{signed: {stops: it}}", extra="formerly: [faked]"),),
        (threat("copied", "{signed: {stops: it}}", extra="formerly: [signed]"),),
        (control("sealed", extra="took_in: [checked]"), threat("copied", "{sealed: hinders}")),
    ],
)
def test_a_former_id_belongs_to_one_entry(tmp_path: Path, files: tuple[tuple[str, str], ...]) -> None:
    with pytest.raises(InputError, match="duplicate-id"):
        on_top(tmp_path, *files)


def test_what_was_taken_in_leads_there_and_is_no_name(tmp_path: Path) -> None:
    library = library_of(tmp_path, *BASE)
    assert [one.id for one in named(library, "stamped")] == ["signed"]
    assert hint(library.controls, "stamped") == "it is part of 'signed' now"
    assert "stamped" not in library.former.controls
