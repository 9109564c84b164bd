"""Bodies that Slack sends, taken apart and written again: forms, JSON, and JSON inside a form's fields."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

ROLES: Mapping[str, tuple[frozenset[str], str]] = {
    "user": (frozenset({"user_id", "user"}), "user"),
    "workspace": (frozenset({"team_id", "team"}), "team"),
    "channel": (frozenset({"channel_id", "channel"}), "channel"),
    "app": (frozenset({"api_app_id"}), ""),
    "text": (frozenset({"text", "value"}), ""),
    "token": (frozenset({"token"}), ""),
    "response_url": (frozenset({"response_url"}), ""),
    "delivery": (frozenset({"trigger_id", "event_id"}), ""),
}
"""What a value in a body is for: the keys under which it is, and the object in which it is the `id`.

Slack's reference of slash commands, events and interaction payloads (docs.slack.dev/interactivity and /events-api).
"""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.\[\]-]*\Z")
_OTHER_TEXTS = {"message", "blocks", "attachments"}
"""Parts of a payload that repeat what the app itself once wrote."""

Keys = tuple[str | int, ...]


class UnknownBodyError(ValueError):
    """The body is in none of the forms in which Slack sends one; the message says what was found."""


class Body(NamedTuple):
    """A body taken apart: `form` has (name, value) pairs, where a value that is a JSON object is taken apart too."""

    form: bool
    value: Any


class Nested(NamedTuple):
    """A JSON object that is written as text in a field."""

    value: Any


def parse(text: str) -> Body:
    """The parts of a form or of a JSON object.  Raises UnknownBodyError."""
    if text.lstrip().startswith(("{", "[")):
        return Body(form=False, value=_object(text))
    pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=1000)
    fields = text.split("&")
    if not pairs or len(pairs) != len(fields) or not all("=" in one for one in fields):
        raise UnknownBodyError("it is neither a form (name=value&name=value) nor a JSON object")
    strange = next((name for name, _ in pairs if not _NAME.match(name)), None)
    if strange is not None:
        raise UnknownBodyError("a name in this form is none that Slack sends")
    return Body(form=True, value=[(name, _nested(value)) for name, value in pairs])


def _object(text: str) -> Any:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise UnknownBodyError("it begins as JSON does, and is none") from None
    if not isinstance(found, dict):
        raise UnknownBodyError("it is JSON, but no object")
    return found


def _nested(value: str) -> Any:
    if value.lstrip().startswith("{"):
        try:
            return Nested(_object(value))
        except UnknownBodyError:
            return value
    return value


def written(body: Body) -> str:
    """The text of a body."""
    if not body.form:
        return _json(body.value)
    return urlencode([(name, _json(one.value) if isinstance(one, Nested) else one) for name, one in body.value])


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def round_trip(text: str) -> str:
    """The same body, taken apart and written again: what every changed body is compared with."""
    return written(parse(text))


def leaves(body: Body) -> Iterator[tuple[Keys, Any]]:
    """Every value that is no object, with the keys that lead to it."""
    if body.form:
        for name, value in body.value:
            yield from _leaves(value.value if isinstance(value, Nested) else value, (name,))
    else:
        yield from _leaves(body.value, ())


def _leaves(value: Any, keys: Keys) -> Iterator[tuple[Keys, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, (*keys, name))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from _leaves(inner, (*keys, at))
    else:
        yield keys, value


def found(body: Body, role: str) -> str:
    """The value that plays a role, the one nearest to the top; '' where there is none."""
    some = [(len(keys), value) for keys, value in leaves(body) if _plays(role, keys) and _is_text(value)]
    return min(some, key=lambda one: one[0])[1] if some else ""


def values_of(body: Body, role: str) -> Iterator[str]:
    """Every text that plays a role."""
    return (value for keys, value in leaves(body) if _plays(role, keys) and _is_text(value))


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _plays(role: str, keys: Keys) -> bool:
    names, whole = ROLES[role]
    if role == "text" and _OTHER_TEXTS & set(keys):
        return False
    last = keys[-1]
    return last in names or bool(whole and last == "id" and len(keys) > 1 and keys[-2] == whole)


def changed(text: str, changes: Mapping[str, str]) -> str | None:
    """A body in which some roles have other values and nothing else differs.

    None where one of them is not in it: nothing could be shown.
    """
    body = parse(text)
    for role, new in changes.items():
        old = found(body, role)
        if not old and role == "delivery":
            continue  # the request has no name, so a second one needs no other
        if not old or old == new:
            return None
        body = _replaced(body, lambda keys, value, role=role, old=old, new=new: _swapped(role, keys, value, old, new))  # type: ignore[misc] # mypy infers no lambda with defaults
    return written(body)


def _swapped(role: str, keys: Keys, value: Any, old: str, new: str) -> Any:
    return new if value == old and _plays(role, keys) else value


def _replaced(body: Body, by: Callable[[Keys, Any], Any]) -> Body:
    if not body.form:
        return Body(form=False, value=_each(body.value, (), by))
    pairs = [
        (name, Nested(_each(value.value, (name,), by)) if isinstance(value, Nested) else by((name,), value))
        for name, value in body.value
    ]
    return Body(form=True, value=pairs)


def _each(value: Any, keys: Keys, by: Callable[[Keys, Any], Any]) -> Any:
    if isinstance(value, dict):
        return {name: _each(inner, (*keys, name), by) for name, inner in value.items()}
    if isinstance(value, list):
        return [_each(inner, (*keys, at), by) for at, inner in enumerate(value)]
    return by(keys, value)


ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "chunked")
"""How a body's text becomes bytes; chunked: with the markers that a proxy takes out (RFC 9112, 7.1)."""


def written_in(body: bytes, encoding: str) -> bytes:
    """A body of UTF-8 in another encoding; bytes that are no UTF-8 stay as they are."""
    if encoding == "chunked":
        return b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    try:
        return body if encoding == "utf-8" else body.decode().encode(encoding)
    except UnicodeDecodeError:
        return body


def padded(text: str, size: int) -> str:
    """A body of about `size` bytes: one member more, of a name that Slack does not use, in whatever form it has."""
    body = parse(text)
    filling = "a" * max(0, size - len(written(body).encode()) - len("probe_padding") - 8)
    if not body.form:
        return written(Body(form=False, value={**body.value, "probe_padding": filling}))
    pairs = list(body.value)
    for at, (name, value) in enumerate(pairs):
        if isinstance(value, Nested):
            pairs[at] = (name, Nested({**value.value, "probe_padding": filling}))
            return written(Body(form=True, value=pairs))
    return written(Body(form=True, value=[*pairs, ("probe_padding", filling)]))
