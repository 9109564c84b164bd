"""An answer written into a model file at the line where it belongs: the rest stays, byte for byte."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from threatmodel.authoring.insertion import between_braces, cannot_add, comment, joined, last_of, lines_of, read_back
from threatmodel.authoring.surfaces import BY_PATH, SURFACES, WHERE
from threatmodel.reading.problems import InputError, Place, refusal
from threatmodel.reading.source import Document, Map, as_read, parse
from threatmodel.reading.values import dataclass

_SCALAR = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"\\\\]|\\\\.)*\"|[^\s,}\]:#'\"]+")
"""A key or value on one line, such as a method or a word."""

_BRACES = 20
"""Closing braces that are tried as the end of a mapping; after the last value there are only comments."""


class NotAnAnswerError(Exception):
    """The text typed is not an allowed answer; says what was expected."""


@dataclass(frozen=True, slots=True)
class Said:
    """Who calls a route that the model states: the function, the route's place among its triggers, the word."""

    function: str
    index: int
    word: str


@dataclass(frozen=True, slots=True)
class Edit:
    """One thing to write: ``key: written`` in the mapping at `path`.

    `closes`: instead, the list named `key` is no longer among those that are incomplete.
    """

    path: tuple[str, ...]
    key: str
    written: str = ""
    closes: bool = False


def with_edit(text: str, document: Document, edit: Edit, note: str) -> tuple[str, int]:
    """A file's text with an answer in it, and its line.

    `document` is the text as read; the edit's path leads from its root through keys, and what is missing of it is added
    at the end of what is there.  `note` becomes a comment beside the answer.  Everything that was there stays, byte for
    byte, and means what it meant.  Raises InputError where the key is stated already, or where nothing can be added.
    """
    if edit.closes:
        return _without_incomplete(text, document, edit.path, edit.key)
    path, key, written = edit.path, edit.key, edit.written
    value = read_back(f"{key}: {written}\n")
    place = document.place(document.mark)
    if isinstance(value, Map) and isinstance(document.root, Map):
        holder, there = _deepest(document.root, path)
        place = _place_of(document, path[:there])
        rest = path[there:]
        if holder is None or (not rest and key in holder):
            raise _stated(document, path, key)
        wanted = _with(document.root, path, key, value[key])
        for edited, line in _edits(text, document, edit, there, comment(note)):
            if read_back(as_read(edited)) == wanted:
                return edited, line
    raise cannot_add(document.file, place, f"'{'.'.join(path) or 'the file'}'", key, [f"{key}: {written}"])


def _stated(document: Document, path: Sequence[str], key: str) -> InputError:
    at = _place_of(document, [*path, key])
    message = f"'{key}' of '{'.'.join(path)}' is stated here already"
    return refusal(
        "stated-twice", at, message, "existing statements are not overwritten; change it here if it is wrong"
    )


def _deepest(root: Map, path: Sequence[str]) -> tuple[Map | None, int]:
    """The last mapping on a path that is there, and how many of the path's keys lead to it; None: no mapping."""
    holder: Any = root
    for depth, name in enumerate(path):
        if name not in holder:
            return holder, depth
        holder = holder[name]
        if not isinstance(holder, Map):
            return None, depth
    return holder, len(path)


def _place_of(document: Document, path: Sequence[str]) -> Place:
    """Return the place of the key at the end of a path, or of the last one before it that exists."""
    at, holder = document.mark, document.root
    for name in path:
        found = next(((value, key) for k, value, key, _ in holder.placed() if k == name), None)
        if found is None:
            break
        holder, at = found
        if not isinstance(holder, Map):
            break
    return document.place(at)


def _with(root: Any, path: Sequence[str], key: str, value: Any) -> dict[str, Any]:
    """Return the values that the file must have after the edit."""
    if not path:
        return {**root, key: value}
    return {**root, path[0]: _with(root.get(path[0], {}), path[1:], key, value)}


def _edits(text: str, document: Document, edit: Edit, there: int, note: str) -> Iterator[tuple[str, int]]:
    """Yield ways to write it: as separate lines, or between the braces of a mapping; `there` keys of its path exist."""
    path, key, written = edit.path, edit.key, edit.written
    holder: Map = document.root
    marks: list[int] = []
    for name in path[:there]:
        mark = next(at for k, _, _, at in holder.placed() if k == name)
        holder = holder[name]
        marks.append(mark)
    if between_braces(document, marks[-1] if marks else document.mark):
        inside = f"{key}: {written}"
        for name in reversed(path[there:]):
            inside = f"{name}: {{{inside}}}"
        if not holder and marks:
            yield from _opened(text, document, path[:there], [*path[there:], f"{key}: {written}  # {note}"])
        last = document.place(holder.marks[-1] if holder.marks else marks[-1] if marks else document.mark)
        yield from _in_braces(text, last, f"{', ' * bool(holder)}{inside}", f"{key}: {note}")
        return
    parts = lines_of(text)
    end = next((at for at, part in enumerate(parts) if re.match(r"\.\.\.\s", part + "\n")), len(parts))
    after = _after(document, path[:there])
    end = min(end, after) if after is not None else end
    indent = " " * (document.place(holder.marks[0] if holder.marks else document.mark).column - 1)
    added = [f"{indent}{'  ' * depth}{name}:" for depth, name in enumerate(path[there:])]
    added.append(f"{indent}{'  ' * len(added)}{key}: {written}  # {note}")
    for at in dict.fromkeys((last_of(parts, end, len(indent)), end)):
        yield joined(parts, at, added), at + len(added)


def _after(document: Document, path: Sequence[str]) -> int | None:
    """The index of the line where what follows the mapping at a path begins; None at the end of the file."""
    found: list[int] = []
    holder = document.root
    for name in path:
        marks = [(k, key) for k, _, key, _ in holder.placed()]
        own = next(key for k, key in marks if k == name)
        found += [document.place(key).line - 1 for _, key in marks if key > own]
        holder = holder[name]
    return min(found, default=None)


def _opened(text: str, document: Document, path: Sequence[str], lines: Sequence[str]) -> Iterator[tuple[str, int]]:
    """The text with lines below the key of an empty mapping, in place of its braces."""
    parts = lines_of(text)
    at = _place_of(document, path)
    line = parts[at.line - 1]
    bare = re.sub(r":\s*\{\s*\}", ":", line, count=1)
    indents = [" " * (at.column - 1) + "  " * depth for depth in range(1, len(lines) + 1)]
    keys = [f"{name}:" for name in lines[:-1]]
    added = [f"{indent}{one}" for indent, one in zip(indents, [*keys, lines[-1]], strict=True)]
    yield joined([*parts[: at.line - 1], bare, *parts[at.line :]], at.line, added), at.line + len(added)


def _in_braces(text: str, last: Place, inside: str, note: str) -> Iterator[tuple[str, int]]:
    """The text with something more before the brace that closes a mapping whose last value is at a place."""
    parts = lines_of(text)
    tried = 0
    for at in range(last.line - 1, len(parts)):
        start = last.column - 1 if at == last.line - 1 else 0
        for brace in re.finditer(r"\}", parts[at]):
            if brace.start() < start or tried == _BRACES:
                continue
            tried += 1
            before = parts[at][: brace.start()].rstrip()
            line = f"{before}{inside}{parts[at][brace.start() :]}"
            for written in (_noted(line, note), line):
                yield "".join([*parts[:at], written, *parts[at + 1 :]]), at + 1


def _noted(line: str, note: str) -> str:
    """A line with a comment at its end, behind the one that it has."""
    bare = line.rstrip("\r\n")
    mark = "; " if re.search(r"[\]}]\s+#", bare) else "  # "
    return f"{bare}{mark}{note}{line[len(bare) :]}"


def _without_incomplete(text: str, document: Document, path: Sequence[str], name: str) -> tuple[str, int]:
    """A file's text in which a list of the element at a path is no longer incomplete, and the line that changed.

    Raises InputError where `incomplete` has neither a line to itself nor one for each name.
    """
    parts = lines_of(text)
    place = _place_of(document, [*path, "incomplete"])
    wanted = _closed(document.root, path, name)
    at = place.line - 1
    line = parts[at] if at < len(parts) else ""
    edits = [(at, at + 1, edited) for edited in _shortened(line, name)]
    edits += [(one, one + lines, "") for lines in (1, 2, 3) for one in range(at, min(at + _LINES, len(parts)))]
    for first, last, edited in edits:
        found = "".join([*parts[:first], edited, *parts[last:]])
        if read_back(as_read(found)) == wanted:
            return found, first + 1
    hint = [f"remove {name} from incomplete"]
    raise cannot_add(document.file, place, "'incomplete'", "incomplete", hint)


_LINES = 12
"""Lines from `incomplete` on, among which that of a name is looked for."""


def _closed(root: Any, path: Sequence[str], name: str) -> Any:
    if path:
        return {**root, path[0]: _closed(root.get(path[0], {}), path[1:], name)}
    old = root.get("incomplete", ())
    rest = {k: v for k, v in old.items() if k != name} if isinstance(old, Map) else [one for one in old if one != name]
    return {**root, "incomplete": rest} if rest else {k: v for k, v in root.items() if k != "incomplete"}


def _shortened(line: str, name: str) -> Iterator[str]:
    """The line without one of the names, or gone."""
    yield ""
    item = rf"\b{re.escape(name)}\b(?:\s*:\s*(?:'[^']*'|\"[^\"]*\"|[^,}}\]]*))?"
    for pattern in (rf"{item}\s*,\s*", rf",\s*{item}"):
        yield re.sub(pattern, "", line, count=1)


# --- who calls a route


def with_caller(text: str, document: Document, said: Said, note: str) -> tuple[str, int]:
    """A file's text in which a trigger says who calls, and its line.

    For a surface of Slack its `http` becomes `slack` and its `caller` goes; for others its `caller` states it.  `note`
    becomes a comment on the line.  Everything else stays, byte for byte.  Raises InputError where the trigger says
    already who calls, or is written in a way that cannot be changed by itself.
    """
    trigger = document.root["functions"][said.function]["triggers"][said.index]
    places = {key: (document.place(own), document.place(value)) for key, _, own, value in trigger.placed()}
    place = places.get("http", (document.place(document.mark),))[0]
    if trigger.get("caller") != "unknown":
        message, hint = (
            "the caller of this route is stated already",
            "existing statements are not overwritten; change it here if it is wrong",
        )
        raise refusal("stated-twice", place, message, hint)
    parts = lines_of(text)
    spans = {key: (_span(parts, own), _span(parts, value)) for key, (own, value) in places.items()}
    word, rest = said.word, {key: value for key, value in trigger.items() if key not in {"http", "caller"}}
    (http, method), (key, unknown) = spans["http"], spans["caller"]
    if word in SURFACES:
        wanted = {**rest, "slack": word}
        first = [(http, "slack"), (method, word)]
        ways = [[*first, *((gone, "") for gone in cut)] for cut in _removals(parts, key, unknown)]
    else:
        wanted = {**rest, "http": trigger["http"], "caller": word}
        ways = [[(unknown, word)]]
    whole = _with_trigger(document.root, said, wanted)
    for way in ways:
        changed = list(parts)
        for (line, start, end), new in sorted(way, reverse=True):
            changed[line] = changed[line][:start] + new + changed[line][end:]
        for noted in (_noted_once(changed[http[0]], note), changed[http[0]]):
            found = "".join([*changed[: http[0]], noted, *changed[http[0] + 1 :]])
            if read_back(as_read(found)) == whole:
                return found, http[0] + 1
    raise cannot_add(
        document.file, place, "this route", "triggers", [", ".join(f"{k}: {v}" for k, v in wanted.items())]
    )


_Span = tuple[int, int, int]
"""A line's index, and where in it something begins and ends."""


def _span(parts: Sequence[str], place: Place) -> _Span:
    """Return the key or value at a place, on one line."""
    line, start = place.line - 1, place.column - 1
    found = _SCALAR.match(parts[line], start)
    return line, start, found.end() if found is not None else start


def _removals(parts: Sequence[str], key: _Span, value: _Span) -> Iterator[tuple[_Span, ...]]:
    """What may be cut out for an entry of a mapping to go: with the comma before it, or after, or the whole line.

    A value on a line below its key is cut there, up to what follows it.
    """
    line, start, end = key[0], key[1], value[2]
    before = re.search(r"\s*,\s*\Z", parts[line][:start])
    cut = before.start() if before is not None else start
    if value[0] != line:
        if not parts[line][:start].strip():
            yield (line, 0, len(parts[line])), (value[0], 0, len(parts[value[0]]))
        lead = len(parts[value[0]]) - len(parts[value[0]].lstrip())
        yield (line, cut, len(parts[line].rstrip())), (value[0], lead, end)
        return
    after = re.match(r"\s*,\s*", parts[line][end:])
    if before is not None:
        yield ((line, cut, end),)
    if after is not None:
        yield ((line, start, end + after.end()),)
    if not parts[line][:start].strip():
        yield ((line, 0, len(parts[line])),)
    yield ((line, start, end),)


def _with_trigger(root: Any, said: Said, trigger: dict[str, Any]) -> dict[str, Any]:
    """Return the values that the file must have after the edit."""
    function = root["functions"][said.function]
    triggers = [trigger if at == said.index else old for at, old in enumerate(function["triggers"])]
    return {**root, "functions": {**root["functions"], said.function: {**function, "triggers": triggers}}}


def _noted_once(line: str, note: str) -> str:
    """A line with a comment at its end, where it has not the same one already."""
    return line if line.rstrip("\r\n").endswith(note) else _noted(line, note)


def without_hints(text: str, function: str) -> str:
    """Return a file's text without an import's comments on a function's routes, where all callers are stated."""
    document = parse(as_read(text), "")
    path = ("functions", function)
    if any(trigger.get("caller") == "unknown" for trigger in document.root["functions"][function].get("triggers", ())):
        return text
    parts = lines_of(text)
    first = _place_of(document, path).line
    end = _after(document, path) or len(parts)
    kept = [
        part for at, part in enumerate(parts) if not (first <= at < end and part.lstrip().startswith((BY_PATH, WHERE)))
    ]
    found = "".join(kept)
    return found if read_back(as_read(found)) == document.root else text
