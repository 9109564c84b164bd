"""What a user adds to every request that the probe sends: headers and a query that the handler wants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from threatmodel.reading.values import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """Headers and parts of a query, by name; what a request has under the same name stays."""

    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)

    def to(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        """An event with them; one that is no request, or has no headers, is left as it is."""
        if not (self.headers or self.query) or "requestContext" not in event:
            return event
        changed = dict(event)
        for key, more, several in (
            ("headers", self.headers, False),
            ("multiValueHeaders", self.headers, True),
            ("queryStringParameters", self.query, False),
            ("multiValueQueryStringParameters", self.query, True),
        ):
            held = event.get(key)
            if more and key in event and (isinstance(held, Mapping) or "uery" in key):
                changed[key] = _joined(held or {}, more, several=several)
        if self.query and "rawQueryString" in event:
            changed["rawQueryString"] = "&".join(filter(None, [event["rawQueryString"], urlencode(self.query)]))
            changed.setdefault("queryStringParameters", dict(self.query))
        return changed


def _joined(held: Mapping[str, Any], more: Mapping[str, str], *, several: bool) -> dict[str, Any]:
    known = {name.lower() for name in held}
    new = {name: value for name, value in more.items() if name.lower() not in known}
    return {**held, **({name: [value] for name, value in new.items()} if several else new)}
