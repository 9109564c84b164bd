"""Pictures on the command line: their medium, folders of them, Markdown pages, and what is too large or wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.render.test_fitted import bot
from threatmodel.command.main import main
from threatmodel.render.draw import bundled

pytestmark = pytest.mark.skipif(not bundled(), reason="the graphviz-pure wheel is not installed")


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model of three functions in the working directory."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "threatmodel.yaml"
    path.write_text(bot(3), encoding="utf-8")
    return path


def width(path: Path) -> int:
    found = re.search(r'<svg width="(\d+)pt"', path.read_text(encoding="utf-8"))
    assert found
    return int(found[1])


def test_a_picture_is_laid_out_for_its_medium(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = model.parent
    assert main(["--dfd", "-o", "screen.svg"]) == 0
    assert main(["--dfd", "--fit", "a4", "-o", "paper.svg"]) == 0
    assert width(folder / "paper.svg") <= 527 < width(folder / "screen.svg") <= 960
    assert main(["--dfd"]) == 0
    plain = capsys.readouterr().out
    assert main(["--dfd", "-o", "plain.dot"]) == 0
    assert (folder / "plain.dot").read_text(encoding="utf-8") == plain
    assert main(["--dfd", "--fit", "a4"]) == 0
    assert 'size="7.292,10.278"' in capsys.readouterr().out


def test_a_folder_has_an_overview_a_picture_of_each_function_and_a_page(model: Path) -> None:
    text = model.read_text(encoding="utf-8").replace("order-handler-1:", "overview:")
    model.write_text(text, encoding="utf-8")
    assert main(["--dfd", "-o", "pictures/"]) == 0
    folder = model.parent / "pictures"
    names = {path.name for path in folder.iterdir()}
    assert names == {"overview.svg", "function-overview.svg", "order-handler-0.svg", "order-handler-2.svg", "index.md"}
    page = (folder / "index.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\]\((.*?)\)", page)) == names - {"index.md"}
    assert "2 functions" not in (folder / "overview.svg").read_text(encoding="utf-8")
    assert main(["--dfd", "-o", "pictures/"]) == 0  # over the earlier ones


LINK = re.compile(r'<a href="([^"]*)"')


def test_pictures_of_a_folder_lead_to_those_of_groups_and_functions_and_back(model: Path) -> None:
    model.write_text(bot(9).replace("order-handler-1:", "group-of-all:"), encoding="utf-8")
    assert main(["--dfd", "-o", "pictures/"]) == 0
    folder = model.parent / "pictures"
    found = {path.name: set(LINK.findall(path.read_text(encoding="utf-8"))) for path in folder.glob("*.svg")}
    assert set().union(*found.values()) <= found.keys()
    groups = {name for name in found if name.startswith("group-of-")}
    assert groups
    assert groups < found["overview.svg"]
    parts = found.keys() - {"overview.svg"}
    assert {name for name in parts if "overview.svg" not in found[name]} == set()
    reached = found["overview.svg"].union(*(found[name] for name in groups))
    assert {"function-group-of-all.svg", "order-handler-8.svg"} <= parts <= reached
    assert not any(name in found[name] for name in parts)


def test_a_group_that_no_picture_can_show_is_a_list(model: Path) -> None:
    functions = "\n".join(f"  job-{n}: {{triggers: [{{http: POST, api: front}}]}}" for n in range(30))
    model.write_text(f"name: Shop\napis: {{front: {{kind: http}}}}\nfunctions:\n{functions}\n", encoding="utf-8")
    assert main(["--dfd", "-o", "pictures/"]) == 0
    folder = model.parent / "pictures"
    assert not list(folder.glob("group-of-*"))
    assert not LINK.findall((folder / "overview.svg").read_text(encoding="utf-8"))
    assert "- job-0, job-1" in (folder / "index.md").read_text(encoding="utf-8")


def test_a_picture_that_is_too_large_says_how_small_its_type_is(
    model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model.write_text(bot(30), encoding="utf-8")
    assert main(["--dfd", "--full", "--fit", "a4", "-o", "all.svg"]) == 0
    said = capsys.readouterr().err
    assert re.search(
        r"all.svg: the diagram is too large for a4, its smallest type has \d\.\d points; use --focus", said
    )
    assert (model.parent / "all.svg").exists()


def test_all_views_that_cannot_be_read_at_once_are_refused(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--dfd", "--view", "all", "--fit", "a4", "-o", "all.svg"]) == 2
    said = capsys.readouterr().err
    assert re.search(
        r"all.svg: cannot-draw: the view all is too large for a4: its smallest type has \d\.\d points", said
    )
    assert "draw --view runtime, --view deployment and --view identity; --full" in said
    assert not (model.parent / "all.svg").exists()
    assert main(["--dfd", "--view", "all", "--full", "--fit", "a4", "-o", "all.svg"]) == 0


def test_a_markdown_page_has_the_flowchart(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--dfd", "mermaid"]) == 0
    chart = capsys.readouterr().out
    assert chart.startswith("flowchart LR\n")
    assert main(["--dfd", "-o", "dfd.md"]) == 0
    page = (model.parent / "dfd.md").read_text(encoding="utf-8")
    assert f"```mermaid\n{chart}```" in page
    assert page.startswith("## Operations bot · runtime view")
    assert main(["--dfd", "-o", "dfd.md"]) == 0
    with pytest.raises(SystemExit, match="2"):
        main(["--dfd", "mermaid", "-o", "dfd.svg"])
    assert "name a .md or .mmd file" in capsys.readouterr().err


def test_without_the_systems_graphviz_the_wheel_draws_and_a_missing_program_is_named(
    model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(model.parent))
    assert main(["--dfd", "-o", "dfd.pdf"]) == 0
    assert b"/DCTDecode" in (model.parent / "dfd.pdf").read_bytes()  # an image, since no other program draws it
    monkeypatch.setenv("DOT", "no-such-dot")
    assert main(["--dfd", "-o", "dfd.svg"]) == 2
    assert "no-such-dot cannot be started" in capsys.readouterr().err
    assert main(["--dfd", "mermaid"]) == 0
    assert [path.name for path in model.parent.glob("dfd.*")] == ["dfd.pdf"]
