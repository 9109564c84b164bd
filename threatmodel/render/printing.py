"""A page of the toolkit as PDF, printed by a Chromium that is installed; the page loads nothing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from threatmodel.reading.marks import marked_picture

BROWSERS = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"),
    *("msedge", "microsoft-edge"),
)
"""The programs on the PATH that can print, in order."""

_PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe",
)
_SECONDS = 300  # of wall-clock time: a limit for a program that never ends, not for a busy machine
_FLAGS = (
    "--headless=new",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--no-default-browser-check",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--generate-pdf-document-outline",
    "--no-pdf-header-footer",
)
_PAGES = re.compile(rb"/Type\s*/Page\b")
_TARGETS = re.compile(rb"/([\w.%-]+) \[(\d+) 0 R /XYZ ")
_ENTRY = re.compile(r'(<a href="#([\w-]+)">[^<]*</a> <span class="at">)(</span>)')
"""An entry of the contents, which lacks its page."""


class PrintError(Exception):
    """No PDF, and why; says what to do."""


def browser(named: str = "", environment: Mapping[str, str] = os.environ) -> str:
    """Return the program that prints: the one that is named, else one that is installed. Raises PrintError."""
    if named:
        found = shutil.which(named)
        if found is None:
            raise PrintError(f"TM_BROWSER names '{named}', which is no program")
        return found
    path = environment.get("PATH", "")
    on_path = (shutil.which(name, path=path) for name in BROWSERS)
    found = next(filter(None, on_path), None) or next((one for one in _PLACES if Path(one).is_file()), None)
    if found is None:
        raise PrintError(
            "PDF needs an installed Chromium, Chrome or Edge, and none is on the PATH. Install one "
            "(apt-get install chromium, brew install chromium), set TM_BROWSER to its path, "
            "or write --report html and print it from a browser"
        )
    return found


def printed(page: str, program: str, folder: Path) -> bytes:
    """Return a page as PDF, with an outline of its headings; `folder` is an empty one to work in. Raises PrintError.

    A page with contents is printed twice: the first time shows the page of each entry.
    """
    content = _printed(page, program, folder)
    if _ENTRY.search(page):
        at = pages_of(content)
        content = _printed(_ENTRY.sub(lambda one: f"{one[1]}{at.get(one[2], '')}{one[3]}", page), program, folder)
    return marked_picture(content, "pdf")


def pages_of(content: bytes) -> Mapping[str, int]:
    """Return the page of each target of a link in a PDF that Chromium printed; none where it is written otherwise."""
    order = {number: at for at, number in enumerate(re.findall(rb"(?:^|\n)(\d+) 0 obj\s*<</Type /Page\b", content), 1)}
    return {name.decode(): order[number] for name, number in _TARGETS.findall(content) if number in order}


def _printed(page: str, program: str, folder: Path) -> bytes:
    source, target = folder / "page.html", folder / "page.pdf"
    source.write_text(page, encoding="utf-8")
    command = [program, *_FLAGS, *_unconfined(), f"--user-data-dir={folder / 'profile'}"]
    _run([*command, f"--print-to-pdf={target}", source.as_uri()], program)
    content = target.read_bytes() if target.is_file() else b""
    if not _PAGES.search(content):
        raise PrintError(f"{program} wrote no PDF")
    return content


def _unconfined() -> tuple[str, ...]:
    """Chromium refuses to confine itself where it runs as root, as in most containers."""
    return ("--no-sandbox",) if hasattr(os, "geteuid") and os.geteuid() == 0 else ()


def _run(command: list[str], program: str) -> None:
    try:
        done = subprocess.run(  # noqa: S603 - the user's own choice, or an installed browser; no shell
            command, capture_output=True, stdin=subprocess.DEVNULL, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise PrintError(f"{program} took more than {_SECONDS} seconds") from None
    except OSError as error:
        raise PrintError(f"{program} cannot be started: {error.strerror}") from None
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise PrintError(f"{program} ended with exit code {done.returncode}{': ' + last[0][:200] if last else ''}")
