"""Addresses as people write them in manifests, and the routes that they mean.

Hosts change with each deployment, and stages with each environment; paths stay.  So an address is joined with a route
by its path, and only where exactly one route fits.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Sequence
from typing import Literal, NamedTuple

PLACEHOLDER = "\ue000"
"""Stands for what a template engine fills in."""

LONGEST = 2_000
"""Characters of an address that are looked at."""

_FILLED = re.compile(
    rf"{PLACEHOLDER}+|<[^<>/]*>|\$\{{[^}}]*\}}|\{{\{{?[^{{}}/]*\}}?\}}|\[[A-Za-z][\w -]*\]|%\w+%|\$[A-Za-z_]\w*|__\w+__"
)
"""What an author fills in: `<host>`, `${host}`, `{{ host }}`, `[host]`, `%HOST%`, `$HOST`, `__HOST__`."""
_WORD = re.compile(
    r"(?:\A|[./_-])(?:your|my|fill|replace|insert|changeme|dummy|todo|placeholder|x{3,}|example|sample)(?=[._-]|\d|\Z|[A-Z])",
    re.IGNORECASE,
)
_MADE_UP = re.compile(
    r"(?:\A|\.)(?:ngrok(?:-free)?\.(?:io|app|dev)|trycloudflare\.com|loca\.lt|localhost\.run|serveo\.net|lhr\.life|"
    r"devtunnels\.ms|example(?:\.(?:com|org|net))?|invalid|test|localhost)(?::\d+)?\Z",
    re.IGNORECASE,
)
"""Hosts of tunnels to a developer's machine, and those that are reserved for examples."""
_OF_STAGES = re.compile(rf"\.execute-api\.[\w{PLACEHOLDER}-]+\.amazonaws\.com(?:\.cn)?\Z", re.IGNORECASE)
_INSECURE = re.compile(r"http://", re.IGNORECASE)


class Address(NamedTuple):
    """An address: its host ('' where it is a placeholder or made up) and its path (None where a placeholder hides it).

    `staged` is whether its path begins with a stage.  `problem` says what is wrong with it.
    """

    host: str
    path: str | None
    staged: Literal["yes", "maybe", "no"]
    problem: str = ""


NOWHERE = Address("", None, "maybe")
"""No address is written out, though there is one."""


def address(text: str) -> Address | None:
    """Return what a text says of an address; None where it is empty."""
    if not text.strip():
        return None
    filled = _FILLED.sub(PLACEHOLDER, text.strip()[:LONGEST])
    scheme = re.match(r"https?://", filled, re.IGNORECASE)
    rest = filled[scheme.end() if scheme else 0 :]
    rest = re.split(r"[?#]", rest, maxsplit=1)[0]
    if scheme is None and (joined := re.match(rf"{PLACEHOLDER}([A-Za-z0-9].*)", rest)):
        rest = f"{PLACEHOLDER}/{joined[1]}"  # an address that ends in a slash was filled in
    host, _, path = rest.partition("/")
    is_open = (
        not host
        or " " in host
        or PLACEHOLDER in host
        or _WORD.search(host) is not None
        or _MADE_UP.search(host) is not None
    )
    problem = "it is not HTTPS" if _INSECURE.match(text.strip()) else ""
    if not problem and host and _MADE_UP.search(host) and "example" not in host:
        problem = "its host is a tunnel to a developer's machine"
    staged: Literal["yes", "maybe", "no"] = "yes" if _OF_STAGES.search(host) else "maybe" if is_open else "no"
    return Address("" if is_open else host.lower(), _path(path, is_open=is_open), staged, problem)


def _path(path: str, *, is_open: bool) -> str | None:
    """The path as far as it is written; None where nothing, or not all of it, is."""
    parts = [part for part in path.split("/") if part]
    while is_open and parts and parts[0] == PLACEHOLDER:  # a stage
        parts = parts[1:]
    if any(PLACEHOLDER in part for part in parts) or (is_open and not parts):
        return None
    return "/" + "/".join(parts)


class Route(NamedTuple):
    """A route by its path; `key` is the caller's own, the same for what is one and the same route."""

    key: Hashable
    path: str


class Joined(NamedTuple):
    """What an address means: one route, or why it is none.

    `how` is `path`, `only` (a placeholder, and one route can be meant), `sign` (a greedy route, and another host),
    `several` (routes) or `none`.
    """

    how: Literal["path", "only", "sign", "several", "none"]
    keys: tuple[Hashable, ...] = ()


def join(one: Address, routes: Sequence[Route]) -> Joined:
    """Return the route that an address means, of those that its sender can call."""
    every = tuple(dict.fromkeys(route.key for route in routes))
    if one.path is None:
        return Joined("only", every) if len(every) == 1 else Joined("several" if every else "none", every)
    for rank, path in _tried(one):
        found = tuple(dict.fromkeys(route.key for route in routes if _fits(route.path, path, rank)))
        if found:
            if len(found) > 1:
                return Joined("several", found)
            return Joined("sign" if rank == "any" and one.host else "path", found)
    return Joined("none")


_Rank = Literal["exact", "parameters", "below", "any"]


def _tried(one: Address) -> Iterator[tuple[_Rank, str]]:
    """The ways in which a path can be a route's, the strictest first: routes that accept every path are last."""
    assert one.path is not None  # noqa: S101 - for the type checker
    _, _, behind = one.path[1:].partition("/")
    is_staged = one.staged == "yes" or (one.staged == "maybe" and bool(behind))
    paths = [one.path, *([f"/{behind}"] if is_staged else [])]
    for rank in ("exact", "parameters"):
        yield from ((rank, path) for path in paths)
    yield "below", one.path
    yield from (("below", path) for path in paths[1:])
    yield "any", one.path


def _fits(route: str, path: str, rank: _Rank) -> bool:
    """Whether a route accepts a path, in one way."""
    own, parts = _parts(route), _parts(path)
    is_greedy = not own or own[-1].endswith("+}") or own == ["$default"]
    if rank == "exact":
        return own == parts and not is_greedy if own else parts == [] and route == "/"
    if rank == "parameters":
        return not is_greedy and len(own) == len(parts) and all(map(_accepts, own, parts))
    before = own[:-1] if own and own[-1].endswith("+}") else []
    if rank == "below":
        return bool(before) and len(parts) > len(before) and all(map(_accepts, before, parts))
    return is_greedy and not before and route != "/"


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part]


def _accepts(own: str, part: str) -> bool:
    return ("{" in own and not own.endswith("+}")) or own == part
