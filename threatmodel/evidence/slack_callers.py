"""Which routes a Slack app's manifest names, or its code is made for: their caller is known, and is not asked."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, cast

from threatmodel.beside.slack_manifest import Manifest, RequestUrl
from threatmodel.beside.slack_readme import read
from threatmodel.beside.urls import NOWHERE, Address, Joined, Route, address, join
from threatmodel.evidence.relations.found import may_be_slack
from threatmodel.evidence.relations.use import FunctionRelations
from threatmodel.evidence.relations.ways import Start
from threatmodel.reading.values import dataclass
from threatmodel.stacks.stack import Stack
from threatmodel.stacks.values import Node, Scalar, get, leaves, text

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
        return tuple({one.surface: one for one in reversed(found)}.values())[::-1] if can_post(start) else ()


def callers(
    manifests: Sequence[Manifest],
    relations: Mapping[str, FunctionRelations],
    served: Mapping[str, Sequence[RequestUrl]] = MappingProxyType({}),
    others: Iterable[RequestUrl] = (),
) -> Callers:
    """Return what manifests say of the routes of some functions, and what their code does.

    `others` are addresses that other texts name.  `served` has the features of Slack that each function is made for:
    they call its route if Slack can call only one.  In Socket Mode Slack sends nothing to an address.
    """
    routes, barred = _routes(relations)
    named = [url for manifest in manifests if not is_socket_mode(manifest) for url in manifest.urls]
    called = [_called(url, routes, barred) for url in (*named, *others) if url.surface != "redirect"]
    by_route: dict[RouteKey, list[RequestUrl]] = {}
    alone = [*_only_routes(routes)]
    for one in called:
        keys = cast("tuple[RouteKey, ...]", one.joined.keys)
        is_one = one.joined.how == "several" and {*keys} <= {*alone} and len({key[0] for key in keys}) == 1
        if (is_one or one.joined.how in {"path", "only"}) and not one.barred:
            for key in keys:
                by_route.setdefault(key, []).append(one.url)
    for key in alone:
        if served.get(key[0]):
            by_route.setdefault(key, list(served[key[0]]))
    return Callers(by_route={key: tuple(urls) for key, urls in by_route.items()}, called=tuple(called))


def can_post(start: Start) -> bool:
    """Return whether Slack can send a POST by a route."""
    return may_be_slack(start) and start.detail.upper() != "GET"


def is_socket_mode(manifest: Manifest) -> bool:
    """Return whether Slack sends requests through a WebSocket that the app opens."""
    found = manifest.settings.get("socket_mode_enabled")
    return found is not None and found.value


def _only_routes(routes: Sequence[Route]) -> Iterator[RouteKey]:
    """Yield the route of each function of which Slack can call no other one; `/` and all paths below it are one."""
    by_function: dict[str, set[RouteKey]] = {}
    for route in routes:
        key = cast("RouteKey", route.key)
        by_function.setdefault(key[0], set()).add(key)
    for keys in by_function.values():
        wide = {key for key in keys if key[2].endswith("+}") and key[2].count("/") == 1}
        if len(keys) == 1 or (len({key[1] for key in keys}) == 1 and {key[2] for key in keys - wide} == {"/"} and wide):
            yield from keys


def _called(url: RequestUrl, routes: Sequence[Route], barred: Sequence[Route]) -> Called:
    if url.words:
        return Called(url, _meant(url, routes))
    found = join(url.address, routes)
    if found.how == "none" and url.address.path is not None:
        other = join(url.address, barred)
        if other.how == "path":
            return Called(url, other, barred=True)
    return Called(url, found)


def _meant(url: RequestUrl, routes: Sequence[Route]) -> Joined:
    """The route that a README means: by a path, else the only one, of the only function that it names if it names one.

    A path that no route has is an example, and a route that accepts every path is none that it names.
    """
    found = join(url.address, routes)
    if url.address.path is None:
        said = set(re.findall(r"[a-z0-9]{4,}", re.sub(r"[-_]", "", url.words.lower())))
        named = [route for route in routes if _function_of(route) in said]
        found = join(url.address, named or routes)
    return found


def _function_of(route: Route) -> str:
    """How people write the name of a route's function."""
    name = cast("RouteKey", route.key)[0].rpartition(".")[2]
    return re.sub(r"[^a-z0-9]|(?:lambda)?function\Z|lambda\Z", "", name.lower())


def _routes(relations: Mapping[str, FunctionRelations]) -> tuple[list[Route], list[Route]]:
    """The routes that Slack can call with a POST, and the others."""
    open_to: list[Route] = []
    barred: list[Route] = []
    for route, start in _starts(relations):
        (open_to if can_post(start) else barred).append(route)
    return open_to, barred


def _starts(relations: Mapping[str, FunctionRelations]) -> Iterator[tuple[Route, Start]]:
    for function, found in relations.items():
        for start in found.triggers:
            if start.by == "http":
                yield Route((function, start.source, start.path), start.path), start


# --- outputs of a template


def urls_of_outputs(stack: Stack, outputs: Iterable[tuple[Scalar, Node]]) -> Iterator[RequestUrl]:
    """Yield the addresses that outputs (the description, and the value) give to a feature of Slack."""
    named = (get(one.properties, "StageName") for one in stack.resources.values())
    stages = {word for node in named if (word := text(node))}
    for said, value in outputs:
        for one in read(f"Slack: {said.value}", stack.file):
            own = [one.address] if one.address.path is not None else _addresses(value, stages)
            yield from (RequestUrl(one.feature, one.feature, at, said.place, one.words) for at in own)


def _addresses(value: Node, stages: Collection[str]) -> Iterator[Address]:
    """Yield the address in the value of an output; a stage, or what ends as a folder, is that of any route."""
    written = "".join(str(one.value) for one in leaves(value) if isinstance(one, Scalar))
    found = address(written)
    if found is not None and found.path is not None:
        yield found
    if found is None or found.path is None or written.endswith("/") or found.path.strip("/") in stages:
        yield NOWHERE
