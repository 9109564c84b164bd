"""A manifest of a Slack app: where Slack sends requests, and how the app is set up.

JSON and YAML, also as a template with placeholders, as one block of a Markdown file, and as the answer of
`apps.manifest.export`.  A README may say where addresses are put: that counts where its manifest has none.
Keys: https://docs.slack.dev/reference/app-manifest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

from threatmodel.beside import slack_readme
from threatmodel.beside.nodes import items, key_place, named, text
from threatmodel.beside.urls import PLACEHOLDER, Address, address
from threatmodel.reading.problems import Place, Problem, quoted, refusal
from threatmodel.reading.values import dataclass
from threatmodel.stacks.cloudformation.document import parse
from threatmodel.stacks.values import List, Node, Scalar, Table, get

Surface = Literal["slash-command", "interactivity", "events", "redirect"]


class RequestUrl(NamedTuple):
    """An address of the manifest: who asks for it, its label (a command, or the key), and where it is.

    `words` are those of a README that speaks of it; '' in a manifest.
    """

    surface: Surface
    label: str
    address: Address
    place: Place
    words: str = ""


class Setting(NamedTuple):
    """A setting of the app, and its line."""

    value: bool
    place: Place


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a manifest says; `settings` has those that are stated, by their names in the manifest.

    `subscribed` are the events that Slack sends, and their place, where they are listed.
    `exported`: it is an answer of Slack's API and not what an author wishes.  `notes` are keys that are not known or
    given twice.
    """

    file: str
    urls: tuple[RequestUrl, ...]
    settings: Mapping[str, Setting]
    scopes: tuple[tuple[str, Place], ...]
    addresses: tuple[str, ...]
    addresses_at: Place | None
    exported: bool
    notes: tuple[Problem, ...]
    subscribed: tuple[frozenset[str], Place] | None = None


_FLAGS = {
    "socket_mode_enabled": ("settings",),
    "token_rotation_enabled": ("settings",),
    "org_deploy_enabled": ("settings",),
    "is_hosted": ("settings",),
    "pkce_enabled": ("oauth_config",),
}
"""Settings that are on or off, and the keys that lead to them."""

_KNOWN: Mapping[tuple[str, ...], frozenset[str]] = {
    path: frozenset(keys.split())
    for path, keys in {
        (): "$schema _metadata display_information settings features oauth_config functions workflows datatypes "
        "outgoing_domains types metadata_events external_auth_providers app_directory compliance",
        (
            "settings",
        ): "allowed_ip_address_ranges event_subscriptions incoming_webhooks interactivity org_deploy_enabled "
        "socket_mode_enabled token_rotation_enabled is_hosted siws_links hermes_app_type function_runtime "
        "background_color is_mcp_enabled",
        ("settings", "event_subscriptions"): "request_url bot_events user_events metadata_subscriptions",
        ("settings", "interactivity"): "is_enabled request_url message_menu_options_url",
        ("features",): "app_home bot_user shortcuts slash_commands unfurl_domains workflow_steps assistant_view search "
        "rich_previews agent_view",
        ("oauth_config",): "redirect_urls scopes pkce_enabled token_management_enabled",
        ("oauth_config", "scopes"): "bot bot_optional user user_optional",
    }.items()
}
_EVENT = re.compile(r"[a-z_][a-z_.:]*")
_COMMAND_KEYS = frozenset(("command", "url", "description", "usage_hint", "should_escape"))

_DIRECTIVE = re.compile(r"%\{[^}\n]{0,200}\}|\{%.{0,200}?%\}|\{#.{0,200}?#\}|<%(?!=).{0,200}?%>")
_PLACED = re.compile(r"\$\{[^}\n]{0,200}\}|\{\{.{0,200}?\}\}|<%=.{0,200}?%>")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_IS_MANIFEST = re.compile(r"""^\s*["']?display_information["']?\s*:""", re.MULTILINE)
_SHOWS = re.compile(r"""["']?(?:oauth_config|features|settings)["']?\s*:""")


def is_manifest(source: str) -> bool:
    """Return whether a text holds a manifest of a Slack app, by the keys that each has."""
    return ('"display_information"' in source or _IS_MANIFEST.search(source) is not None) and _SHOWS.search(
        source
    ) is not None


def manifest(source: str, file: str, filled_in: Mapping[str, str] = MappingProxyType({})) -> Manifest:
    """Return what a manifest says; `filled_in` has what replaces placeholders, by name.

    Raises InputError where the text is none, or is cut short.
    """
    for name, value in filled_in.items():
        source = source.replace(f"${{{name}}}", value)
    is_page = file.lower().endswith((".md", ".markdown"))
    said = tuple(_said(source, file)) if is_page else ()
    if said and not any(is_manifest(block) for _, block in _blocks(source)):
        return Manifest(
            file=file, urls=said, settings={}, scopes=(), addresses=(), addresses_at=None, exported=False, notes=()
        )
    plain = _without_templating(_block(source, file) if is_page else source)
    parsed = parse(plain, file)
    root = parsed.root
    exported = isinstance(get(root, "manifest"), Table) and text(root, "ok") == "true"
    if isinstance(get(root, "manifest"), Table) and get(root, "display_information") is None:
        root = get(root, "manifest")
    if not isinstance(root, Table) or not {"display_information", "settings", "features", "oauth_config"} & set(
        root.entries
    ):
        message = "this is no manifest of a Slack app: it has none of display_information, features and settings"
        raise refusal("not-a-manifest", file, message, "name the file that api.slack.com/apps takes under App Manifest")
    ranges = get(root, "settings", "allowed_ip_address_ranges")
    return Manifest(
        file=file,
        urls=tuple(_urls(root)) or said,
        settings=dict(_settings(root)),
        scopes=tuple(_scopes(root)),
        addresses=tuple(map(text, items(ranges))),
        addresses_at=ranges.place if ranges is not None else None,
        exported=exported,
        notes=(*parsed.problems, *_unknown(root)),
        subscribed=_subscribed(root),
    )


def _without_templating(source: str) -> str:
    """The text with what a template engine fills in as placeholders of the same length, so that places stay."""
    source = _DIRECTIVE.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), source)
    return _PLACED.sub(lambda found: PLACEHOLDER * len(found[0]), source)


def _block(source: str, file: str) -> str:
    """The one block of a Markdown file that is a manifest, in its lines.  Raises InputError."""
    found = [one for one in _blocks(source) if is_manifest(one[1])]
    if len(found) != 1:
        message = (
            f"{'no block' if not found else f'{len(found)} blocks'} of this file may be the manifest; expected one"
        )
        raise refusal("not-a-manifest", file, message, "save the manifest as a file, and name that")
    first, block = found[0]
    return "\n" * first + block


def _blocks(source: str) -> Iterator[tuple[int, str]]:
    """The fenced blocks of a Markdown file, each with the number of lines before it."""
    fence, first, block = "", 0, list[str]()
    for number, line in enumerate(source.split("\n"), 1):
        found = _FENCE.match(line)
        if fence and found is not None and found[1].startswith(fence):
            yield first, "\n".join(block)
            fence, block = "", []
        elif fence:
            block.append(line)
        elif found is not None:
            fence, first = found[1], number


def _said(source: str, file: str) -> Iterator[RequestUrl]:
    """What the sentences of a page say of addresses; its blocks are no sentences."""
    lines = source.split("\n")
    for first, block in _blocks(source):
        if is_manifest(block):
            lines[first : first + block.count("\n") + 1] = [""] * (block.count("\n") + 1)
    for one in slack_readme.read("\n".join(lines), file):
        yield RequestUrl(one.feature, one.feature, one.address, one.place, one.words)


def _urls(root: Table) -> Iterator[RequestUrl]:
    """The addresses that Slack calls, and those that it sends browsers to."""
    for one in _commands(root):
        yield from _url("slash-command", text(one, "command"), get(one, "url"))
    yield from _url("events", "event_subscriptions", get(root, "settings", "event_subscriptions", "request_url"))
    interactivity = get(root, "settings", "interactivity")
    if text(interactivity, "is_enabled") != "false":
        for key in ("request_url", "message_menu_options_url"):
            yield from _url("interactivity", "interactivity", get(interactivity, key))
    for one in items(get(root, "oauth_config", "redirect_urls")):
        yield from _url("redirect", "redirect_urls", one)


def _url(surface: Surface, label: str, node: Node | None) -> Iterator[RequestUrl]:
    if node is not None and (found := address(text(node))) is not None:
        yield RequestUrl(surface, label, found, node.place)


def _commands(root: Table) -> Iterator[Node]:
    found = get(root, "features", "slash_commands")
    yield from (one for one in (found.items if isinstance(found, List) else ()) if isinstance(one, Table))


def _settings(root: Table) -> Iterator[tuple[str, Setting]]:
    for name, path in _FLAGS.items():
        holder = get(root, *path)
        node = get(holder, name)
        if isinstance(node, Scalar) and isinstance(node.value, bool):
            yield name, Setting(node.value, key_place(holder, name) or node.place)


def _subscribed(root: Table) -> tuple[frozenset[str], Place] | None:
    """The events of an app by their names, and their place; None where some are unknown, or none are listed."""
    holder = get(root, "settings", "event_subscriptions")
    every = [one for key in ("bot_events", "user_events") for one in items(get(holder, key))]
    names = frozenset(map(text, every))
    return (names, holder.place) if holder is not None and names and all(map(_EVENT.fullmatch, names)) else None


def _scopes(root: Table) -> Iterator[tuple[str, Place]]:
    for _, node, _ in named(get(root, "oauth_config", "scopes")):
        yield from ((text(one), one.place) for one in items(node) if text(one))


def _unknown(root: Table) -> Iterator[Problem]:
    """Keys that Slack's documents do not have: a word mistyped, or a newer one."""
    for path, known in _KNOWN.items():
        for key, _, place in named(get(root, *path) if path else root):
            if key not in known and not key.startswith("_"):
                yield _note(key, place)
    for command in _commands(root):
        yield from (_note(key, place) for key, _, place in named(command) if key not in _COMMAND_KEYS)


def _note(key: str, place: Place) -> Problem:
    message = f"{quoted(key)} is no key of a Slack manifest that is known; it is not read"
    return Problem(code="unknown-key", place=place, message=message, hint="check its spelling")
