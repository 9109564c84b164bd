"""The sections of a report, each computed when a template first reads it: no report shows all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from threatmodel.render.report.words import Plain


class OnDemand(Mapping[str, Plain]):
    """Sections by name, from functions that compute them; each is called at most once."""

    def __init__(self, sections: Mapping[str, Callable[[], Plain]]) -> None:
        self._sections = sections
        self._known: dict[str, Plain] = {}

    def __getitem__(self, name: str) -> Plain:
        if name not in self._known:
            self._known[name] = self._sections[name]()
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._sections)

    def __len__(self) -> int:
        return len(self._sections)
