"""What a handler's own source and the template beside it name: paths, commands, ids, and words that it asks for.

Only guesses, for what else to send: a request that rests on a wrong one is rejected or ignored like any other.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from threatmodel.beside.code.syntax import Node, walk
from threatmodel.probe.defaults import defaults_in
from threatmodel.probe.protocol import LAMBDA
from threatmodel.probe.secret_values import is_plain
from threatmodel.probe.source_files import block_of, source_files
from threatmodel.probe.source_literals import ASKING, constants_in, literals_of, texts_in
from threatmodel.reading.problems import InputError
from threatmodel.reading.source import read_text
from threatmodel.reading.values import dataclass, field, field_names

MOST = 24
"""Words of each sort that are kept."""

_MOST_LITERALS = 400
_MOST_FILES = 8
_TOKEN = re.compile(r"verification_?token", re.IGNORECASE)
_SHORT = re.compile(r':\s*"([!-~]{6,80})"')
_LARGEST = 400_000
_PATH = re.compile(r"/[\w.~+-]+(?:/[\w.~+-]+)*\Z", re.ASCII)
_ROUTE = re.compile(r"(?:GET|POST|PUT|PATCH|DELETE|ANY) (?=/)")
"""What comes before a path in the key of a route, as an HTTP API hands it over."""
_PATTERN = re.compile(r"(?<=/)\?|[\\$(\[*|]")
"""Where the text of a path ends in a regular expression."""
_COMMAND = re.compile(r"/[a-z0-9_-]{1,32}\Z")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_:.-]{1,60}\Z", re.ASCII)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{1,40}\Z", re.ASCII)
_USER, _TEAM = re.compile(r"[UW](?=[A-Z0-9]*\d)[A-Z0-9]{1,14}\Z"), re.compile(r"T(?=[A-Z0-9]*\d)[A-Z0-9]{1,14}\Z")
_SECRET_KEY = re.compile(r"sign|secret|slack", re.IGNORECASE)
_EVENTS = (
    "app_mention",
    "message",
    "app_home_opened",
    "reaction_added",
    "member_joined_channel",
    "team_join",
    "channel_created",
    "link_shared",
    "message.im",
    "file_shared",
)
_STEPS = {"install": ("install", "authorize"), "callback": ("redirect", "callback")}
_PLACES = frozenset({"path", "resource", "route", "endpoint", "rawpath", "raw_path"})
_PLACE = re.compile(r"/?[\w.~+-]+(?:/[\w.~+-]+)*\Z", re.ASCII)
_LISTENERS = frozenset({"action", "view", "shortcut", "options", "command", "event", "message"})
_IDS = frozenset({"action_id", "callback_id"})
_TEMPLATES = ("template.yaml", "template.yml", "serverless.yml", "serverless.yaml")
_TEMPLATE_PATH = re.compile(r"^\s*-?\s*[Pp]ath:\s*['\"]?(/?[\w.~+/-]+)['\"]?\s*$", re.MULTILINE | re.ASCII)

_ASKED = re.compile(r"(?:query(?:StringParameters)?|headers|event|body)\Z", re.IGNORECASE)
"""What is asked for a field or header by an attribute."""
_LONGEST = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """Words in the order in which they stand.

    `names` are keys that it asks something for (a header, a query), `secret_keys` what a secret kept as JSON may be
    called in it, `defaults` what may replace a secret.  `literals` are all its short texts, those first that are
    `compared`, `called` its functions, `keys` all that may be the name of a field or header, `answers` the texts that
    it compares each of these with.  `variables` are those that it reads, with their values ('' where they have none),
    `known` those whose values are no secrets.  `token` is the app's verification token, which each request carries.
    """

    paths: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    secret_keys: tuple[str, ...] = ()
    defaults: tuple[str, ...] = ()
    literals: tuple[str, ...] = ()
    compared: tuple[str, ...] = ()
    called: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    answers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    known: Mapping[str, str] = field(default_factory=dict)
    token: str = ""


_SORTED = 9
"""How many of the fields hold words that are sorted by their form."""


def hints_of(
    handler: Path | None,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    stored: Collection[str] = (),
) -> Hints:
    """What the source in a handler's folder names, with the ids that its variables hold; nothing of an address.

    `stored` are the texts in the items of its tables, which are words of it too.
    """
    found: dict[str, list[str]] = {name: [] for name in field_names(Hints)[:_SORTED]}
    given = environment or {}
    for value in (*given.values(), *stored):
        for word in re.split(r"[\s,;]+", value)[:50]:
            _sort(word, found, ids=True)
    blocks = [block_of(_text(path), path.suffix) for path in _sources(handler, folder)] if handler is not None else []
    for block in blocks:
        _read(block, found)
    root = folder or (handler.parent if handler is not None else None)
    for place in (root, root.parent) if root is not None else ():
        for name in _TEMPLATES:
            found["paths"] += [f"/{one.lstrip('/')}" for one in _TEMPLATE_PATH.findall(_text(place / name))]
    sources = [literals_of(block) for block in blocks]
    constants = constants_in(node for block in blocks for node in walk(block))
    return Hints(
        **{name: tuple(dict.fromkeys(words))[:MOST] for name, words in found.items()},
        literals=_first([*(one.compared for one in sources), tuple(stored), *(one.texts for one in sources)]),
        compared=_first(one.compared for one in sources),
        called=_first(one.called for one in sources),
        keys=_first(one.names for one in sources),
        answers=_by_key(pair for block in blocks for pair in _answers(block, constants)),
        variables={name: given.get(name, "") for name in _first(one.variables for one in sources)},
        known={
            name: value
            for name, value in {**LAMBDA, **given}.items()
            if is_plain(name, value, "") or is_plain("", value, "")
        }
        | _in_files(handler),
        token=next((value for name, value in given.items() if _TOKEN.search(name)), ""),
    )


def _in_files(handler: Path | None) -> dict[str, str]:
    """A short text of each JSON file beside the source, by the names that lead there: anyone with the code knows it."""
    found: dict[str, str] = {}
    for path in sorted(handler.parent.glob("**/*.json"))[:_MOST_FILES] if handler is not None else ():
        texts = _SHORT.findall(_text(path)) if "node_modules" not in path.parts else []
        found |= {name: texts[0] for name in (path.stem, f"../{path.stem}") if texts}
    return found


def _first(words: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for several in words for word in several))[:_MOST_LITERALS]


def step_of(path: str) -> str:
    """Which step of an installation a path is for, by the words in it: install, callback, or '' for none."""
    return next((step for step, words in _STEPS.items() if any(word in path.lower() for word in words)), "")


def _sources(handler: Path, folder: Path | None) -> Iterable[Path]:
    """The handler's own file first: its words weigh more than a neighbor's."""
    return sorted(source_files(handler, folder), key=lambda path: path != handler)[:40]


def _text(path: Path) -> str:
    try:
        return read_text(path, path.as_posix())[:_LARGEST] if path.is_file() else ""
    except InputError:
        return ""


def _read(block: Node, found: dict[str, list[str]]) -> None:
    nodes = list(walk(block))
    methods = {id(node.parts[0]) for node in nodes if node.kind == "call"}
    found["defaults"] += defaults_in(nodes)
    for text in texts_in(block):
        _sort(text, found, ids=False)
    for node in nodes:
        if node.kind == "call" and node.parts[0].kind == "attribute" and node.parts[0].name in _LISTENERS:
            words = (one.name for one in node.parts[1:2] if one.kind == "text")
            found["ids"] += (word for word in words if _WORD.match(word) and not word.startswith("/"))
        if id(node) not in methods and _NAME.match(name := _asked(node)):
            found["names"].append(name)
    compared = [one for node in nodes if node.kind == "compare" for one in _compared({}, *node.parts)]
    for name, text, _ in sorted(compared, key=lambda one: not one[-1]):
        if name.lower() in _PLACES and _PLACE.match(text):
            found["paths"].append(f"/{text.lstrip('/')}")
        if name in _IDS and len(text) <= _LONGEST:
            found["ids"].append(text)


def _sort(word: str, found: dict[str, list[str]], *, ids: bool) -> None:
    """Puts a literal where its form says that it may belong."""
    word = _ROUTE.sub("", word)
    word = _PATTERN.split(word.lstrip("^"))[0].rstrip("/") or word
    for sort, pattern in (("users", _USER), ("teams", _TEAM), ("commands", _COMMAND), ("paths", _PATH)):
        if pattern.match(word) and not (ids and sort == "paths"):
            found[sort].append(word)
    if word in _EVENTS:
        found["events"].append(word)
    if not ids and _NAME.match(word) and _SECRET_KEY.search(word):
        found["secret_keys"].append(word)


def _answers(block: Node, constants: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield each key that a file asks for with a text or constant that it compares it with, or looks for in it."""
    for node in walk(block):
        if node.kind == "compare" and node.name not in {"in", "not in"}:
            yield from ((name, text) for name, text, asked in _compared(constants, *node.parts) if asked)
        elif node.kind == "call" and node.parts[0].kind == "attribute" and node.parts[0].name in ASKING:
            for one in node.parts[1:2]:
                several = _compared(constants, node.parts[0].parts[0], one)
                yield from ((name, text) for name, text, asked in several if asked)


def _by_key(pairs: Iterable[tuple[str, str]]) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {}
    for name, text in pairs:
        found.setdefault(name, {})[text] = None
    return {name: tuple(texts) for name, texts in found.items()}


def _asked(node: Node) -> str:
    """Return the key of `x.get("key")`, `x["key"]`, `"key" in x` or `event.key`; '' where a node asks for none."""
    match node.kind:
        case "call" if node.parts[0].kind == "attribute" and node.parts[0].name in {"get", "pop"}:
            return _text_of(node.parts[1:])
        case "attribute":
            owner = node.parts[0]
            return node.name if len(node.parts) > 1 or _ASKED.search(owner.name) else ""
        case "compare" if node.name in {"in", "not in"}:
            return _text_of(node.parts)
    return ""


def _text_of(nodes: Iterable[Node]) -> str:
    first = next(iter(nodes), None)
    return first.name if first is not None and first.kind == "text" else ""


def _compared(constants: Mapping[str, str], left: Node, right: Node) -> Iterator[tuple[str, str, bool]]:
    """Yield a key or variable with the text that it is compared with, and whether it is a key that is asked for."""
    for one, other in ((left, right), (right, left)):
        asked = _asked(one)
        name = asked or (one.name if one.kind in {"attribute", "name"} else "")
        text = constants.get(other.name, "") if other.kind == "name" else other.name
        if name and text and other.kind in {"text", "name"}:
            yield name, text, bool(asked)
