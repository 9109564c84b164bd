"""A page in a real browser: what a script finds in it, and how many pages it prints.

The browser is asked on the command line, so that no driver is needed: a script is added to a copy of the page without
its policy, and leaves what it found in the page.
"""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
_FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
]
_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
_PROBE = (
    "<script>(async () => {",
    "})().catch(error => ({error: String(error)})).then(found => parent.postMessage(found, '*'));</script>",
)
_FRAME = """<!doctype html><iframe src="page.html{fragment}" width="{width}" height="900"></iframe>
<script>addEventListener("message", event => {{
  const end = document.createElement("pre"); end.id = "found"; end.textContent = JSON.stringify(event.data);
  document.body.append(end);
}});</script>"""
"""A window has a least width; a frame is as narrow as a telephone."""

_PATIENCE = 300
"""Seconds after which a browser that hangs is ended."""


def run(page: str, script: str, folder: Path, *, dark: bool = False, width: int = 1200, fragment: str = "") -> Any:
    """What a script finds in a page: the value that the body of an asynchronous function returns, as JSON has it."""
    probe = _PROBE[0] + script + _PROBE[1]
    path = folder / "page.html"
    assert page.count("</body>") == 1
    path.write_text(_POLICY.sub("", page).replace("</body>", probe + "</body>"), encoding="utf-8")
    frame = folder / "frame.html"
    frame.write_text(_FRAME.format(width=width, fragment=html.escape(fragment)), encoding="utf-8")
    more = ["--window-size=1400,1000", "--virtual-time-budget=60000", "--dump-dom"]
    more += ["--blink-settings=preferredColorScheme=0"] if dark else []
    shown = _asked(folder, *more, frame.as_uri())
    found = re.findall(r'<pre id="found">(.*?)</pre>', shown, re.DOTALL)
    assert found, shown[-2000:]
    return json.loads(html.unescape(found[-1]))


def printed_pages(page: str, folder: Path) -> int:
    """How many pages of paper a page takes, on the browser's usual one."""
    path, paper = folder / "print.html", folder / "print.pdf"
    path.write_text(page, encoding="utf-8")
    _asked(folder, f"--print-to-pdf={paper}", "--no-pdf-header-footer", path.as_uri())
    return len(re.findall(rb"/Type\s*/Page\b", paper.read_bytes()))


def _asked(folder: Path, *arguments: str) -> str:
    assert CHROMIUM is not None
    command = [CHROMIUM, *_FLAGS, f"--user-data-dir={folder / 'profile'}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_PATIENCE)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def starts(folder: Path) -> bool:
    """Whether there is a browser that starts here; it takes more addresses than some limits of memory leave it."""
    if CHROMIUM is None:
        return False
    command = [CHROMIUM, *_FLAGS, f"--user-data-dir={folder / 'profile'}", "--dump-dom", "about:blank"]
    return subprocess.run(command, capture_output=True, check=False, timeout=_PATIENCE).returncode == 0
