"""The documentation holds together: every page is in the index, and every link of every page leads somewhere."""

import re
from pathlib import Path

import pytest

from tests.support import HOME

DOCS = HOME / "docs"
PAGES = [HOME / "README.md", HOME / "CONTRIBUTING.md", HOME / "SECURITY.md", *sorted(DOCS.rglob("*.md"))]
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s#]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(HOME).as_posix())
def test_every_link_leads_to_a_file(page: Path) -> None:
    links = [link for link in _LINK.findall(page.read_text(encoding="utf-8")) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_index_has_every_page() -> None:
    index = _LINK.findall((DOCS / "README.md").read_text(encoding="utf-8"))
    pages = {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md") if page.parent.name != "library"}
    assert pages - {"README.md"} <= set(index)


def test_items_of_the_newest_changes_have_at_most_two_lines() -> None:
    newest = (HOME / "CHANGELOG.md").read_text(encoding="utf-8").split("\n## ")[1]
    items = re.findall(r"^- .*(?:\n[ \t]+\S.*)*", newest, re.MULTILINE)
    assert items, "no item is found in the newest section"
    assert [item for item in items if item.count("\n") > 1 or max(map(len, item.splitlines())) > 120] == []


def test_at_most_thirty_five_facts_are_known_to_a_person_only() -> None:
    rows = (HOME / "docs" / "facts.md").read_text(encoding="utf-8").splitlines()
    assert sum(row.endswith("| attestation needed |") for row in rows) <= 35
