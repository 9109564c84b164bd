"""Saved results: read back as they were, refused where they are not what a probe wrote."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import json
import os
import py_compile
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.probe.acting import acting, options
from threatmodel.probe.deciding import decisions
from threatmodel.probe.folder import MOST_FILES, folder_digest
from threatmodel.probe.probing import probe
from threatmodel.probe.result import Result, read, to_json
from threatmodel.reading.problems import InputError, visible

RESULT = probe(acting("day-window"), options(folder_sha256="0" * 64))
TEXT = to_json(RESULT)


@pytest.mark.parametrize("faults", [(), ("no-check",), ("no-window",), ("dots",), ("raises",)])
def test_a_result_is_read_back_as_it_was(faults: tuple[str, ...]) -> None:
    result = probe(acting(*faults), options())
    assert read(to_json(result), "bot.probe.json") == result


@pytest.mark.slow
@given(st.text(max_size=300), st.text(max_size=300), st.datetimes(timezones=st.just(datetime.UTC)))
def test_whatever_came_back_is_read_back(back: str, why: str, when: datetime.datetime) -> None:
    when = when.replace(microsecond=0, year=2026)
    rows = (dataclasses.replace(RESULT.rows[0], back=visible(back), why=visible(why)), *RESULT.rows[1:])
    result = dataclasses.replace(RESULT, rows=rows, when=when, facts=decisions(rows, sees_effects=True))
    assert read(to_json(result), "x") == result


def changed(**changes: Any) -> str:
    return json.dumps({**json.loads(TEXT), **changes}, indent=2)


def with_row(at: int, **changes: Any) -> str:
    whole = json.loads(TEXT)
    whole["rows"][at] |= changes
    return json.dumps(whole, indent=2)


FIRST_OF_WINDOW = next(at for at, row in enumerate(RESULT.rows) if row.probe == "timestamp-301-seconds-old")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (TEXT.replace('"target"', '"tarket"', 1), "3:3: unknown-key: 'tarket' is not a key of a result of the probe"),
        (TEXT.replace('"format": 2', '"format": 3'), "2:13: wrong-type: 'format' is 3"),
        (changed(kind="ruby"), "unknown-word: 'kind' is 'ruby'"),
        (changed(when="yesterday"), "wrong-type: 'when' is 'yesterday'"),
        (changed(when="2026-13-41T00:00:00Z"), "not-a-date: 'when' is '2026-13-41T00:00:00Z'"),
        (changed(folder_sha256="abc"), "wrong-type: 'abc' is here; expected 64 hexadecimal digits"),
        (changed(folder_sha256=None), "wrong-type: null is here"),
        (changed(sees_effects="yes"), "wrong-type: 'sees_effects' is 'yes'"),
        (changed(rows=[]), "wrong-type: 'rows' is empty"),
        (changed(facts=[]), "'verifies_signature' is missing, but rows bear on it"),
        (with_row(0, outcome="pass"), "unknown-word: 'outcome' is 'pass'"),
        (with_row(0, outcom="passed"), "unknown-key: 'outcom' is not a key of a row"),
        (with_row(0, bears_on=["verifies_signatur"]), "unknown-fact: 'verifies_signatur' is not a fact that"),
        (with_row(0, shows={"rejects_replay": True}), "this probe does not bear on 'rejects_replay'"),
        (with_row(1, shows={"verifies_signature": "yes"}), "the value of 'verifies_signature' is 'yes'"),
        (with_row(1, shows={"verifies_signature": 1}), "the value of 'verifies_signature' is 1"),
        (with_row(1, shows={"verifies_signature": False}), "a probe that is 'passed' cannot show false"),
        (with_row(1, outcome="undecided"), "a probe that is 'undecided' cannot show true"),
        (with_row(1, outcome="failed"), "a probe that is 'failed' cannot show true"),
        (with_row(0, probe=RESULT.rows[1].probe), "duplicate-id: the probe 'after-branches' appears twice"),
        (with_row(FIRST_OF_WINDOW, shows={"timestamp_tolerance_seconds": True}), "expected a whole number or null"),
        (with_row(FIRST_OF_WINDOW, shows={}, outcome="undecided"), "does not follow from the rows"),
        ("[]", "wrong-type"),
        ("", "empty-file"),
        ("{", "yaml-syntax"),
    ],
)
def test_what_no_probe_wrote_is_refused(text: str, expected: str) -> None:
    with pytest.raises(InputError) as raised:
        read(text, "bot.probe.json")
    assert expected in str(raised.value)


def test_a_fact_written_by_hand_is_refused() -> None:
    whole = json.loads(TEXT)
    for fact in whole["facts"]:
        if fact["fact"] == "timestamp_tolerance_seconds":
            fact["value"] = 300
    with pytest.raises(InputError, match="the value of 'timestamp_tolerance_seconds' does not follow from the rows"):
        read(json.dumps(whole), "x")


def test_every_key_that_is_left_out_is_missed() -> None:
    whole = json.loads(TEXT)
    former = {"secret_variable", "files", "options", "requests", "not_tried"}  # which former results lack
    for key in whole.keys() - former:
        with pytest.raises(InputError, match=f"has no '{key}'"):
            read(json.dumps({name: value for name, value in whole.items() if name != key}), "x")


@given(st.text(max_size=60), st.integers(0, len(TEXT)), st.integers(0, 40))
def test_reading_never_crashes(junk: str, at: int, cut: int) -> None:
    with contextlib.suppress(InputError):
        assert isinstance(read(TEXT[:at] + junk + TEXT[at + cut :], "x"), Result)


# --- the folder's digest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "app"
    (root / "lib").mkdir(parents=True)
    (root / "app.py").write_text("x = 1\n", encoding="utf-8")
    (root / "lib" / "a.py").write_text("y = 1\n", encoding="utf-8")
    return root


def test_the_digest_is_that_of_names_and_contents(folder: Path) -> None:
    first = folder_digest(folder)
    assert len(first) == 64
    assert folder_digest(folder) == first
    (folder / "lib" / "a.py").write_text("y = 2\n", encoding="utf-8")
    second = folder_digest(folder)
    (folder / "lib" / "a.py").rename(folder / "lib" / "b.py")
    assert len({first, second, folder_digest(folder)}) == 3


SAVED = '{"format": 2, "target": "a.py", "folder_sha256": "", "rows": [], "facts": []}'


@pytest.mark.parametrize("without", ["format", "target", "folder_sha256", "rows", "facts", "all", "form"])
def test_what_is_only_called_as_a_saved_result_is_part_of_the_digest(folder: Path, without: str) -> None:
    before = folder_digest(folder)
    saved = {name: value for name, value in json.loads(SAVED).items() if without not in {name, "all"}}
    text = "no JSON" if without == "form" else json.dumps(saved)
    (folder / "probe.json").write_text(text, encoding="utf-8")
    assert folder_digest(folder) != before


def test_what_is_not_deployed_changes_nothing(folder: Path) -> None:
    before = folder_digest(folder)
    tools = [f"{name}/x.py" for name in (".git", ".hg", ".svn", ".venv", ".mypy_cache", ".pytest_cache", ".ruff_cache")]
    for name in (*tools, ".venv/pyvenv.cfg", "bot.probe.json", "README.md", "probe.env"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(SAVED if name.endswith(".json") else "x", encoding="utf-8")
    py_compile.compile(str(folder / "lib" / "a.py"), doraise=True)
    assert list(folder.rglob("*.pyc"))
    assert folder_digest(folder) == before
    (folder / "node_modules").mkdir()
    (folder / "node_modules" / "x.js").write_text("x", encoding="utf-8")
    assert folder_digest(folder) != before


@pytest.mark.parametrize(
    "name",
    [
        "app.pyc",
        "lib/app.pyc",
        "lib/__pycache__/a.txt",
        "__pycache__/gone.cpython-311.pyc",
        ".aws-sam/build/app.py",
        "venv/x.py",
        ".env",
        "x/README.py",
        "a.md",
    ],
)
def test_what_runs_or_is_read_is_part_of_the_digest(folder: Path, name: str) -> None:
    before = folder_digest(folder)
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(b"abcd\0\0\0\0efgh")
    assert folder_digest(folder) != before


def test_byte_code_that_python_takes_without_a_look_at_its_source_is_part_of_the_digest(folder: Path) -> None:
    before = folder_digest(folder)
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    py_compile.compile(str(folder / "lib" / "a.py"), doraise=True, invalidation_mode=mode)
    assert folder_digest(folder) != before


def test_two_names_and_one_are_told_apart(folder: Path) -> None:
    (folder / "a").write_text("b", encoding="utf-8")
    one = folder_digest(folder)
    (folder / "a").unlink()
    (folder / "ab").write_text("", encoding="utf-8")
    assert folder_digest(folder) != one


def test_a_link_inside_counts_as_what_it_leads_to(folder: Path) -> None:
    (folder / "link.py").symlink_to(folder / "app.py")
    (folder / "more").symlink_to(folder / "lib")
    before = folder_digest(folder)
    (folder / "link.py").unlink()
    (folder / "link.py").write_text("x = 1\n", encoding="utf-8")
    assert folder_digest(folder) == before


def test_packages_behind_a_link_count_as_they_are(folder: Path) -> None:
    (folder.parent / "node_modules" / "a").mkdir(parents=True)
    (folder.parent / "node_modules" / "a" / "index.js").write_text("x", encoding="utf-8")
    (folder / "node_modules").symlink_to("../node_modules")
    before = folder_digest(folder)
    (folder.parent / "node_modules" / "a" / "index.js").write_text("y", encoding="utf-8")
    assert folder_digest(folder) != before


@pytest.mark.parametrize("target", ["../outside", "/etc/hostname", "nowhere", "link"])
def test_a_link_that_leads_out_or_nowhere_is_refused(folder: Path, target: str) -> None:
    (folder.parent / "outside").write_text("x", encoding="utf-8")
    (folder / "link").symlink_to(target)
    with pytest.raises(InputError) as raised:
        folder_digest(folder, "app")
    assert raised.value.problems[0].code == "unreadable-file"
    assert raised.value.problems[0].place.file == "app/link"


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_cannot_be_read_is_refused(folder: Path) -> None:
    (folder / "app.py").chmod(0)
    with pytest.raises(InputError):
        folder_digest(folder)


def test_a_pipe_is_refused_and_a_missing_folder_too(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    with pytest.raises(InputError, match="this is no regular file"):
        folder_digest(folder)
    with pytest.raises(InputError, match="there is no such folder"):
        folder_digest(folder / "none")


@pytest.mark.parametrize("text", ["[]", "null", "[" * 100_000])
def test_json_that_is_only_called_as_a_saved_result_is_a_part_of_the_code(text: str, tmp_path: Path) -> None:
    before = folder_digest(tmp_path)
    (tmp_path / "order-bot.probe.json").write_text(text, encoding="utf-8")
    assert folder_digest(tmp_path) != before


@pytest.mark.skipif(sys.platform == "win32", reason="making links needs a right there")
@pytest.mark.parametrize("name", ["order-bot.probe.json", "__pycache__/app.cpython-313.pyc"])
def test_a_link_to_nothing_is_refused_whatever_it_is_called(name: str, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("", encoding="utf-8")
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / name).symlink_to(tmp_path / "nowhere")
    with pytest.raises(InputError) as caught:
        folder_digest(tmp_path)
    assert [one.code for one in caught.value.problems] == ["unreadable-file"]


@pytest.mark.slow
def test_a_folder_of_too_many_files_is_refused(tmp_path: Path) -> None:
    for number in range(MOST_FILES + 1):
        (tmp_path / f"f{number}").touch()
    with pytest.raises(InputError, match=f"more than {MOST_FILES} files"):
        folder_digest(tmp_path)
