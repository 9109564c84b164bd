"""`--report pdf`: printed by an installed browser, with contents and page numbers, and a clear message without one."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from threatmodel.command.main import main
from threatmodel.render.printing import PrintError, browser, printed

DAY = ["--today", "2026-11-25"]
Printed = pytest.CaptureFixture[str]


def program(folder: Path, text: str) -> str:
    """A program that stands for a browser."""
    path = folder / "chromium"
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def test_where_no_browser_is_the_message_says_what_to_install() -> None:
    with pytest.raises(PrintError, match=r"installed Chromium.*TM_BROWSER.*--report html"):
        browser(environment={"PATH": "/nowhere"})


def test_a_browser_that_is_named_and_is_none_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    monkeypatch.setenv("TM_BROWSER", "no-such-browser")
    assert main(["--report", "pdf", "-o", str(tmp_path / "x.pdf"), *DAY]) == 2
    said = capsys.readouterr().err
    assert "cannot-print: TM_BROWSER names 'no-such-browser'" in said
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("echo broken >&2; exit 3", "exit code 3: broken"),
        ("exit 0", "wrote no PDF"),
        ('for a; do case $a in --print-to-pdf=*) echo no > "${a#*=}";; esac; done', "wrote no PDF"),
    ],
)
def test_a_browser_that_fails_is_reported(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(PrintError, match=message):
        printed("<p>", program(tmp_path, text), tmp_path)


def test_a_pdf_goes_to_a_file_of_that_name_only(tmp_path: Path, capsys: Printed) -> None:
    for more in ([], ["-o", str(tmp_path / "x.html")]):
        with pytest.raises(SystemExit) as stopped:
            main(["--report", "pdf", *more, *DAY])
        assert stopped.value.code == 2
        assert "add -o FILE.pdf" in capsys.readouterr().err
    assert main(["--report", "html", "-o", str(tmp_path / "x.pdf"), *DAY]) == 2


@pytest.mark.slow
def test_the_pdf_has_contents_an_outline_and_page_numbers(tmp_path: Path) -> None:
    try:
        browser()
    except PrintError as error:
        pytest.skip(str(error))
    target = tmp_path / "report.pdf"
    assert main(["--report", "pdf", "-o", str(target), *DAY]) == 0
    content = target.read_bytes()
    assert b"/Outlines" in content
    assert set(re.findall(rb"/MediaBox \[0 0 (\d+)\.\d* (\d+)\.", content)) == {(b"594", b"841")}  # A4
    assert content.rstrip().endswith(b"% Written by threatmodel")
    if shutil.which("pdftotext"):
        command = ["pdftotext", "-layout", str(target), "-"]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        pages = text.rstrip("\f").split("\f")
        assert "Contents" in text
        assert re.search(rf"^ *2 / {len(pages)}$", pages[1], re.MULTILINE)
        for entry, heading in (("What to do", "What to do"), ("Matrices", "The risk matrix"), ("Method", "Method")):
            page = int(re.search(rf"\d+\. {entry} +(\d+)", text)[1])  # type: ignore[index]
            assert re.search(rf"^ *{heading}$", pages[page - 1], re.MULTILINE), entry
    assert main(["--report", "pdf", "-o", str(target), *DAY]) == 0  # an earlier output is replaced
