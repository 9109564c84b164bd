"""Which routes the manifest of a Slack app names: their caller is known, and is not asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, cast

from threatmodel.beside.slack_manifest import Manifest, RequestUrl
from threatmodel.beside.urls import Joined, Route, join
from threatmodel.evidence.relations.found import may_be_slack
from threatmodel.evidence.relations.use import FunctionRelations
from threatmodel.evidence.relations.ways import Start
from threatmodel.reading.values import dataclass

RouteKey = tuple[str, str, str]
"""A route: its function, the api that it comes through, its path."""


class Called(NamedTuple):
    """An address of a manifest, the routes of an environment that it means, and whether Slack cannot call them."""

    url: RequestUrl
    joined: Joined
    barred: bool = False


@dataclass(frozen=True, kw_only=True)
class Callers:
    """What manifests say of the routes of an environment: the addresses of each route, and each address with why."""

    by_route: Mapping[RouteKey, tuple[RequestUrl, ...]]
    called: tuple[Called, ...]

    def of(self, function: str, start: Start) -> tuple[RequestUrl, ...]:
        """Return the addresses that name a route, one for each surface of Slack."""
        found = self.by_route.get((function, start.source, start.path), ())
        return tuple({one.surface: one for one in reversed(found)}.values())[::-1] if may_be_slack(start) else ()


def callers(manifests: Sequence[Manifest], relations: Mapping[str, FunctionRelations]) -> Callers:
    """Return what manifests say of the routes of some functions.

    In Socket Mode Slack sends nothing to an address.
    """
    routes, barred = _routes(relations)
    called = [
        _called(url, routes, barred)
        for manifest in manifests
        if not is_socket_mode(manifest)
        for url in manifest.urls
        if url.surface != "redirect"
    ]
    by_route: dict[RouteKey, list[RequestUrl]] = {}
    for one in called:
        if one.joined.how in {"path", "only"} and not one.barred:
            by_route.setdefault(cast("RouteKey", one.joined.keys[0]), []).append(one.url)
    return Callers(by_route={key: tuple(urls) for key, urls in by_route.items()}, called=tuple(called))


def is_socket_mode(manifest: Manifest) -> bool:
    """Return whether Slack sends requests through a WebSocket that the app opens."""
    found = manifest.settings.get("socket_mode_enabled")
    return found is not None and found.value


def _called(url: RequestUrl, routes: Sequence[Route], barred: Sequence[Route]) -> Called:
    found = join(url.address, routes)
    if found.how == "none" and url.address.path is not None:
        other = join(url.address, barred)
        if other.how == "path":
            return Called(url, other, barred=True)
    return Called(url, found)


def _routes(relations: Mapping[str, FunctionRelations]) -> tuple[list[Route], list[Route]]:
    """The routes that Slack can call with a POST, and the others."""
    open_to: list[Route] = []
    barred: list[Route] = []
    for route, start in _starts(relations):
        (open_to if may_be_slack(start) and start.detail.upper() != "GET" else barred).append(route)
    return open_to, barred


def _starts(relations: Mapping[str, FunctionRelations]) -> Iterator[tuple[Route, Start]]:
    for function, found in relations.items():
        for start in found.triggers:
            if start.by == "http":
                yield Route((function, start.source, start.path), start.path), start
