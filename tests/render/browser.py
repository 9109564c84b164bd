"""A page in a real browser, driven by Playwright; where no Chromium is installed the tests say so and are skipped."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import Browser, Error, Page, sync_playwright

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
_FLAGS = ["--no-sandbox", "--disable-dev-shm-usage"]


class Opened(NamedTuple):
    """A page that is open, what its console said, and what it asked the network for."""

    page: Page
    said: list[str]
    requests: list[str]


@contextmanager
def started() -> Iterator[Browser | None]:
    """A browser, or None where there is none that starts here."""
    with sync_playwright() as driver:
        try:
            browser = driver.chromium.launch(executable_path=CHROMIUM, args=_FLAGS) if CHROMIUM else None
        except Error:  # it takes more addresses than some limits of memory leave it
            browser = None
        yield browser
        if browser is not None:
            browser.close()


@contextmanager
def opened(browser: Browser, page: str, folder: Path, *, fragment: str = "", **options: Any) -> Iterator[Opened]:
    """A page in a browser with its policy; `options` are Playwright's, such as viewport and color_scheme."""
    path = folder / "page.html"
    path.write_text(page, encoding="utf-8")
    context = browser.new_context(**({"viewport": {"width": 1280, "height": 900}} | options))
    shown = context.new_page()
    found = Opened(shown, [], [])
    shown.on("console", lambda message: found.said.append(message.text))
    shown.on("pageerror", lambda error: found.said.append(str(error)))
    shown.on("request", lambda request: found.requests.append(request.url))
    shown.goto(path.as_uri() + fragment)
    yield found
    context.close()
