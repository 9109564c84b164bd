"""From files to hits: the reader of each kind of file, then every rule."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

from scripts.wording.hits import Hit, Text, hit
from scripts.wording.markdown_texts import markdown_texts
from scripts.wording.python_texts import python_texts
from scripts.wording.rules import Found, broken
from scripts.wording.template_texts import template_texts
from scripts.wording.tools import codespell
from scripts.wording.yaml_texts import yaml_texts

Reader: TypeAlias = Callable[[str, str], Iterator[Text]]

READERS: dict[str, Reader] = {
    ".j2": template_texts,
    ".md": markdown_texts,
    ".py": python_texts,
    ".yaml": yaml_texts,
    ".yml": yaml_texts,
}


def hits(home: Path, files: Iterable[str]) -> list[Hit]:
    """Return the hits in these files, by path and line; raises KeyError for a kind of file that no reader knows."""
    sources = {path: (home / path).read_text(encoding="utf-8") for path in files}
    texts = [text for path, source in sources.items() for text in READERS[Path(path).suffix](path, source)]
    lines = {path: source.split("\n") for path, source in sources.items()}
    found = {hit_of(text, lines[text.path], one) for text, one in every(texts)}
    return sorted(found, key=lambda one: (one.path, one.line, one.rule, one.found))


def every(texts: Sequence[Text]) -> Iterator[tuple[Text, Found]]:
    """Yield what our own rules and codespell finds, each with its text."""
    for text in texts:
        for one in broken(text):
            yield text, one
    yield from codespell(texts)


def hit_of(text: Text, source: Sequence[str], found: Found) -> Hit:
    """Return what was found as a hit at its line."""
    return hit(text, source, rule=found.rule, found=found.found, write=found.write)
