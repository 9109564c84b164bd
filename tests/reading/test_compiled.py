"""Compiled tables say what the YAML says, and none is used that was made from other files."""

from __future__ import annotations

import ast
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import HOME
from threatmodel.compiling import main
from threatmodel.evidence import resource_types
from threatmodel.evidence.mappings import load as mappings
from threatmodel.library import built as library_built
from threatmodel.library.built import TABLE, built
from threatmodel.library.files import read_library
from threatmodel.library.remembered import CODE
from threatmodel.model import vocabulary
from threatmodel.probe import case_files, cases
from threatmodel.reading import plain
from threatmodel.reading.compiled import Compiled
from threatmodel.reading.files import Files, shown_path
from threatmodel.reading.home import LIBRARY, TEMPLATES
from threatmodel.reading.project import real_path
from threatmodel.render import generated
from threatmodel.render.templates import generate

TABLES: dict[str, tuple[Compiled, Callable[[], Any]]] = {
    "vocabulary": (vocabulary.TABLE, vocabulary.read),
    "resource-types": (resource_types.TABLE, resource_types.read),
    "probes": (cases.TABLE, case_files.read_cases),
    "mappings": (mappings.TABLE, mappings.read_mappings),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every table."""
    made = tmp_path_factory.mktemp("tables")
    assert main([str(made)]) == 0
    return made


def missing() -> Any:
    raise AssertionError("the table is not used")


@pytest.mark.parametrize("name", TABLES)
def test_a_table_says_what_the_files_say(folder: Path, name: str) -> None:
    table, read = TABLES[name]
    assert table.text(table.read(missing, folder)) == table.text(read())


def test_the_library_is_what_its_files_say(folder: Path) -> None:
    files = Files()
    library = built(files, folder)
    assert library is not None
    assert library == read_library(LIBRARY, Files())
    assert {one.place.file for one in library.threats.values()} <= {shown_path(path) for path in files.paths}
    assert {real_path(path) for path in LIBRARY.rglob("*.yaml")} == files.paths


@pytest.fixture
def copy(folder: Path, tmp_path: Path, monkeypatch: Any) -> Path:
    """A copy of the library with a table that is used."""
    shutil.copytree(LIBRARY, tmp_path / "threatlib")
    monkeypatch.setattr(library_built, "LIBRARY", tmp_path / "threatlib")
    assert built(Files(), folder) is not None
    return tmp_path / "threatlib"


def test_a_library_with_a_changed_file_is_read(folder: Path, copy: Path) -> None:
    changed = next(iter(sorted((copy / "threats").rglob("*.yaml"))))
    changed.write_text(changed.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert built(Files(), folder) is None


def test_a_library_with_a_file_more_is_read(folder: Path, copy: Path) -> None:
    (copy / ".DS_Store").touch()
    assert built(Files(), folder) is not None
    (copy / "threats" / "stray.yaml").touch()
    assert built(Files(), folder) is None


def test_a_library_with_a_text_in_memory_is_read(folder: Path, copy: Path) -> None:
    assert built(Files(texts={copy / "article.yaml": "name: Mine"}), folder) is None


def test_templates_are_what_jinja_makes_of_them(folder: Path) -> None:
    made = generated.generated(folder)
    assert made == {path.name: generate(path.name, path.read_text(encoding="utf-8")) for path in TEMPLATES.iterdir()}
    assert 'name = "report.md.j2"' in made["report.md.j2"].replace("'", '"')


def test_a_changed_template_is_not_taken_from_the_table(folder: Path, tmp_path: Path, monkeypatch: Any) -> None:
    shutil.copytree(TEMPLATES, tmp_path / "templates")
    monkeypatch.setattr(generated, "TEMPLATES", tmp_path / "templates")
    generated.generated.cache_clear()
    assert generated.generated(folder)
    (tmp_path / "templates" / "report.md.j2").write_text("changed", encoding="utf-8")
    generated.generated.cache_clear()
    assert generated.generated(folder) == {}


@pytest.mark.parametrize("text", ["", "{", "[]"])
def test_a_broken_table_of_templates_is_not_used(folder: Path, tmp_path: Path, text: str) -> None:
    key = (folder / "templates.json").read_text(encoding="utf-8").partition("\n")[0]
    (tmp_path / "templates.json").write_text(f"{key}\n{text}", encoding="utf-8")
    assert generated.generated(tmp_path) == {}


def test_every_table_is_written(folder: Path) -> None:
    assert {path.stem for path in folder.iterdir()} == {*TABLES, TABLE, generated.TABLE}


# --- when none is used


@pytest.fixture
def table(tmp_path: Path) -> Compiled:
    """A table of one file, which holds 'old'."""
    (tmp_path / "rows.yaml").write_text("old", encoding="utf-8")
    found = Compiled("rows", [tmp_path / "rows.yaml"], ["library"], plain.table())
    (tmp_path / "rows.json").write_text(found.text("old"), encoding="utf-8")
    assert found.read(missing, tmp_path) == "old"
    return found


def test_a_changed_file_is_read_anew(table: Compiled, tmp_path: Path) -> None:
    (tmp_path / "rows.yaml").write_text("new", encoding="utf-8")
    assert table.read(lambda: "new", tmp_path) == "new"


def test_a_file_more_is_read_anew(table: Compiled, tmp_path: Path) -> None:
    (tmp_path / "more.yaml").write_text("", encoding="utf-8")
    more = table._replace(files=[*table.files, tmp_path / "more.yaml"])
    assert more.read(lambda: "new", tmp_path) == "new"


def test_files_under_other_names_are_read_anew(table: Compiled, tmp_path: Path) -> None:
    (tmp_path / "rows.yaml").rename(tmp_path / "other.yaml")
    assert table._replace(files=[tmp_path / "other.yaml"]).read(lambda: "new", tmp_path) == "new"


def test_other_code_reads_anew(table: Compiled, tmp_path: Path) -> None:
    assert table._replace(code=["probe/cases.py"]).read(lambda: "new", tmp_path) == "new"


@pytest.mark.parametrize("text", ["", "\n", "{", '["Unknown"]', '["{}",1]', "[]", "[1]"])
def test_a_broken_table_is_read_anew(table: Compiled, tmp_path: Path, text: str) -> None:
    key = (tmp_path / "rows.json").read_text(encoding="utf-8").partition("\n")[0]
    (tmp_path / "rows.json").write_text(f"{key}\n{text}" if text else text, encoding="utf-8")
    assert table.read(lambda: "new", tmp_path) == "new"


# --- what a table depends on


@pytest.mark.parametrize(
    ("table", "reader"),
    [
        (vocabulary.TABLE, "model/vocabulary/format.py"),
        (resource_types.TABLE, "evidence/resource_types.py"),
        (cases.TABLE, "probe/case_files.py"),
        (Compiled(TABLE, [], CODE, {}), "library/files.py"),
    ],
    ids=lambda one: one.name if isinstance(one, Compiled) else one,
)
def test_the_key_covers_the_code_that_reads_the_files(table: Compiled, reader: str) -> None:
    code = ("reading", "model", *table.code)
    files = imported(reader, set())
    outside = {name for name in files if not any(f"{name}/".startswith(f"{one}/") for one in code)}
    assert outside == set()


def imported(module: str, seen: set[str]) -> set[str]:
    """The toolkit's files that a file imports, and those that these import."""
    if module not in seen:
        seen.add(module)
        for name in names_in((HOME / "threatmodel" / module).read_text(encoding="utf-8")):
            path = name.removeprefix("threatmodel.").replace(".", "/")
            for file in (f"{path}.py", f"{path}/__init__.py"):
                if (HOME / "threatmodel" / file).is_file():
                    imported(file, seen)
    return seen


def names_in(text: str) -> Iterator[str]:
    """The modules of the toolkit that a text imports."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("threatmodel."):
            yield node.module or ""
            yield from (f"{node.module}.{one.name}" for one in node.names)
