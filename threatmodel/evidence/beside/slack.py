"""Slack's manifest as statements about the workspace, and what of it no route serves.

A manifest in a repository is what its author wishes: Slack holds a copy that may differ, so it states.  An answer of
`apps.manifest.export` is what Slack held: what alarms in it is evidence.  It has no day, so what reassures stays a
statement.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from threatmodel.beside.slack_manifest import Manifest, RequestUrl
from threatmodel.evidence.beside.kinds import Found, by_direction
from threatmodel.evidence.slack_callers import Called, is_socket_mode
from threatmodel.graph.elements import SOCKET_MODE, UNSERVED_URL, Read
from threatmodel.model.facts import Statement, Statements
from threatmodel.reading.problems import Place, Problem, listed, quoted

WORKSPACE = "workspace"
_ANYWHERE = frozenset(("0.0.0.0/0", "::/0"))


def state(found: Found) -> tuple[Statements, Read]:
    """Return what a manifest states of the workspace, and what was read of it."""
    manifest: Manifest = found.opened.value
    statements: dict[str, list[Statement]] = {}
    for fact, value, place, note in _said(manifest):
        said = Statement(value, "repository", place, note)
        by = by_direction(WORKSPACE, fact, said, found.ways, "host") if manifest.exported else [said]
        statements[fact] = by
    every = [one for held in found.held if (one := held.lists.callers) is not None]
    called = [one for callers in every for one in callers.called if one.url.place.file == manifest.file]
    read = Read(
        file=manifest.file,
        kind=found.source.kind,
        elements=_elements(found, called),
        notes=(*manifest.notes, *_socket(manifest), *_unserved(called, bool(found.held))),
        signs=tuple(_signs(called)),
    )
    return {WORKSPACE: statements, **_kept_after(manifest, found)}, read


_ENDS = frozenset(("app_uninstalled", "tokens_revoked"))
"""Events by which Slack says that a workspace or a person has left."""


def _kept_after(manifest: Manifest, found: Found) -> Statements:
    """Return that stores keep their records, where Slack never says that a workspace has left."""
    if manifest.subscribed is None or manifest.subscribed[0] & _ENDS:
        return {}
    note = "the app does not subscribe to app_uninstalled or tokens_revoked"
    said = Statement(value=False, source="repository", place=manifest.subscribed[1], note=note)
    stores = (name for name, node in found.system.nodes.items() if node.kind == "store")
    return {name: {"deleted_on_uninstall": [said]} for name in stores}


def _said(manifest: Manifest) -> Iterator[tuple[str, Any, Place, str]]:
    """What a manifest says of the workspace: the fact, its value, the line, a note."""
    rotation = manifest.settings.get("token_rotation_enabled")
    if rotation is not None:
        yield "token_rotation", rotation.value, rotation.place, ""
    for one in manifest.urls:
        if one.surface == "redirect" and one.address.problem:
            yield "redirect_urls_own", False, one.place, one.address.problem
            break
    if manifest.addresses and manifest.addresses_at is not None:
        limited = not _ANYWHERE & set(manifest.addresses)
        yield "token_addresses_limited", limited, manifest.addresses_at, "allowed_ip_address_ranges"


def _elements(found: Found, called: list[Called]) -> Mapping[str, str]:
    """The functions that Slack calls by the manifest, each with what it asks for."""
    by_function: dict[str, dict[str, None]] = {}
    for held in found.held:
        of, callers = held.file.element_of, held.lists.callers
        for (function, _, _), urls in callers.by_route.items() if callers is not None else ():
            for one in urls:
                if function in of and any(one is each.url for each in called):
                    by_function.setdefault(of[function], {})[f"{_asks(one)} (line {one.place.line})"] = None
    return {function: listed(tuple(asked)) for function, asked in by_function.items()}


def _asks(one: RequestUrl) -> str:
    return one.label if one.surface == "slash-command" else one.surface


def _socket(manifest: Manifest) -> Iterator[Problem]:
    if is_socket_mode(manifest):
        place = manifest.settings["socket_mode_enabled"].place
        message = "Socket Mode is on: Slack sends requests through a WebSocket of the app, and calls no route"
        hint = "turn it off if Slack calls the API, or model what opens the WebSocket"
        yield Problem(code=SOCKET_MODE, place=place, message=message, hint=hint)


def _unserved(called: list[Called], deploys: bool) -> Iterator[Problem]:  # noqa: FBT001 - whether a file has routes
    """What the manifest names and no file of the evidence serves."""
    for one in called if deploys else ():
        what = f"the command {quoted(one.url.label)}" if one.url.surface == "slash-command" else f"{one.url.surface}"
        path = one.url.address.path
        if one.url.words:
            continue  # a README may show an example
        if one.barred:
            message = (
                f"{what} is sent to {quoted(path)}, and Slack cannot call the route there (its method or authorizer)"
            )
        elif one.joined.how == "none" and path is not None:
            message = f"{what} is sent to {quoted(path)}, which is no route of the evidence"
        else:
            continue
        hint = "correct the path, or name the file that deploys the route under evidence"
        yield Problem(code=UNSERVED_URL, place=one.url.place, message=message, hint=hint)


def _signs(called: list[Called]) -> Iterator[str]:
    """The addresses that may be of one route or of another."""
    for one in called:
        if one.joined.how in {"sign", "several"}:
            why = "another host" if one.joined.how == "sign" else "several routes fit"
            yield f"{_asks(one.url)} at {one.url.place.short} ({why})"
