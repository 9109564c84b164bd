"""What tests of the report share: the default model's assessment, and a page taken apart."""

from __future__ import annotations

import functools
import re
from html.parser import HTMLParser

from tests.support import HOME, TODAY
from threatmodel.assessment.assess import assess
from threatmodel.assessment.assessed import Assessment
from threatmodel.graph.building import build
from threatmodel.library.load import load_library
from threatmodel.model.load import load_model
from threatmodel.reading.files import Files
from threatmodel.render.report.pictures import Drawn, Pictures

SVG = Pictures(
    Drawn('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><g id="a"><text x="1" y="1">x</text></g></svg>')
)


VOID = frozenset({"meta", "input", "br", "link", "img", "option"})


@functools.cache
def default_assessment() -> Assessment:
    """The assessment of the default model against the library."""
    files = Files()
    library = load_library(HOME / "threatlib", files)
    return assess(build(load_model(files, HOME / "models" / "slack-lambda.yaml"), today=TODAY), library, TODAY)


class Page(HTMLParser):
    """The elements of a page, checked to be properly nested."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.headings: list[tuple[int, str]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append((int(tag[1]), ""))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        if self.open and re.fullmatch("h[1-6]", self.open[-1]):
            level, before = self.headings[-1]
            self.headings[-1] = (level, before + data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]
