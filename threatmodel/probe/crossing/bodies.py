"""Changes of a body, as text: a leaf replaced, a field added, left out or repeated."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, urlencode

from threatmodel.probe.bodies import Body, Keys, Nested, leaves, parse, written

Changed = tuple[str, str]
"""What is changed in a body, in words, and the text of the body then."""


def places(text: str) -> tuple[Keys, ...]:
    """Return where a body has texts, by the keys that lead there; not in blocks, which repeat them for display."""
    return tuple(keys for keys, value in leaves(parse(text)) if isinstance(value, str) and "blocks" not in keys)


def dotted(keys: Keys) -> str:
    """Return the keys as a path."""
    return ".".join(map(str, keys))


def name_of(keys: Keys) -> str:
    """Return the innermost key that is a name."""
    return next((key for key in reversed(keys) if isinstance(key, str)), "")


def with_value(text: str, keys: Keys, value: Any) -> str:
    """Return the body with another value there; a field or key that is not there yet is added."""
    return _edited(text, lambda whole: _set(whole, keys, value))


def without(text: str, keys: Keys) -> str:
    """Return the body without what is there."""
    return _edited(text, lambda whole: _drop(whole, keys))


def value_at(text: str, keys: Keys) -> Any:
    """Return what is there."""
    return next((value for one, value in leaves(parse(text)) if one == keys), "")


def of_length(text: str, size: int) -> str:
    """Return the body with so much more typed text that it has `size` bytes; '' where it is longer, or has no text."""
    typed = [keys for keys in places(text) if keys[-1] in TYPED]
    missing = size - len(text.encode())
    return with_value(text, typed[0], f"{value_at(text, typed[0])}{'x' * missing}") if typed and missing > 0 else ""


TYPED = frozenset({"text", "value"})
"""Fields that hold what a person typed or chose."""


def roots(text: str) -> tuple[Keys, ...]:
    """Return where fields can be added: the body itself, and the object of an event or in a form's payload."""
    body = parse(text)
    found: list[Keys] = [()]
    whole = dict(body.value)
    inner = {name: value.value if isinstance(value, Nested) else value for name, value in whole.items()}
    found += [(name,) for name, value in inner.items() if isinstance(value, dict) and name in {"payload", "event"}]
    return tuple(found)


def with_fields(text: str, root: Keys, fields: Mapping[str, Any]) -> str:
    """Return the body with fields that it has not yet."""

    def add(whole: dict[str, Any]) -> None:
        inner: Any = whole
        for key in root:
            inner = inner[key]
        for name, value in fields.items():
            inner.setdefault(name, value)

    return _edited(text, add)


def switched_on(text: str) -> str:
    """Return the body with true in place of each false."""

    def switch(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: switch(one) for name, one in value.items()}
        return [switch(one) for one in value] if isinstance(value, list) else value is False or value

    def edit(whole: dict[str, Any]) -> None:
        whole |= switch(whole)

    return _edited(text, edit)


def with_other_first(text: str, value: str) -> Iterator[Changed]:
    """Yield the body with a copy of a list's first object before it, in which one text is another."""
    for keys in places(text):
        at = next((number for number, key in enumerate(keys) if key == 0), None)
        if at is None or len(keys) != at + 2:
            continue

        def repeat(whole: dict[str, Any], keys: Keys = keys, at: int = at) -> None:
            inner: Any = whole
            for key in keys[:at]:
                inner = inner[key]
            inner.insert(0, {**copy.deepcopy(inner[0]), keys[-1]: value})

        yield f"another of {dotted(keys[:at])} before it, with {keys[-1]} '{value}'", _edited(text, repeat)


def as_json(text: str) -> str:
    """Return the body as JSON, whatever it was."""
    body = parse(text)
    return json.dumps(_plain(body), separators=(",", ":"))


def as_form(text: str) -> str:
    """Return the texts of a body as a form, by their innermost names."""
    found = {name_of(keys): value for keys, value in leaves(parse(text)) if isinstance(value, str)}
    return "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in found.items())


def wide(text: str) -> str:
    """Return the text in the wide forms of its letters, which Unicode holds to be the same ones."""
    return "".join(chr(ord(one) + 0xFEE0) if "!" <= one <= "~" else one for one in text)


def respelled(text: str) -> Iterator[str]:
    """Yield the same body in other spellings: another order, other escapes, other blanks."""
    body = parse(text)
    if body.form:
        pairs = parse_qsl(text, keep_blank_values=True)
        named = [one for one in pairs if one[1]]
        found = [
            _ESCAPE.sub(lambda one: one[0].lower(), text),
            _ESCAPE.sub(lambda one: one[0].upper(), text),
            text.replace("+", "%20"),
            text.replace("%20", "+"),
            f"%{ord(text[0]):02X}{text[1:]}",
            urlencode(pairs),
            urlencode(pairs, quote_via=quote),
            urlencode(named),
            urlencode(sorted(pairs)),
            urlencode(pairs[::-1]),
            f"&{text}",
            text.replace("&", ";"),
        ]
    else:
        found = [
            json.dumps(body.value),
            json.dumps(body.value, separators=(",", ":")),
            json.dumps(body.value, separators=(",", ":"), sort_keys=True),
            json.dumps(body.value, indent=2),
            json.dumps(dict(reversed(body.value.items())), separators=(",", ":")),
            f" {text}",
            text.replace("/", "\\/"),
            text.replace("a", "\\u0061"),
        ]
    yield from (one for one in dict.fromkeys(found) if one != text)


_ESCAPE = re.compile("%[0-9A-Fa-f]{2}")


def _plain(body: Body) -> Any:
    return {name: value.value if isinstance(value, Nested) else value for name, value in dict(body.value).items()}


def _edited(text: str, edit: Callable[[dict[str, Any]], None]) -> str:
    body = parse(text)
    if not body.form:
        whole = copy.deepcopy(body.value)
        edit(whole)
        return written(Body(form=False, value=whole))
    nested = {name for name, value in body.value if isinstance(value, Nested)}
    whole = copy.deepcopy(_plain(body))
    edit(whole)
    pairs = [(name, Nested(value) if name in nested else value) for name, value in whole.items()]
    return written(Body(form=True, value=pairs))


def _set(whole: dict[str, Any], keys: Keys, value: Any) -> None:
    inner: Any = whole
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = value


def _drop(whole: dict[str, Any], keys: Keys) -> None:
    inner: Any = whole
    for key in keys[:-1]:
        inner = inner[key]
    del inner[keys[-1]]
