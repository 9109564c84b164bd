"""What the first answer of an installation hands to the browser, which brings it back: a state, and cookies with it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from threatmodel.probe.protocol import Reply
from threatmodel.reading.values import dataclass

STATE, COOKIE = "{state}", "{cookie}"
"""What is in an event in their place; an answer that has a state gives the ones that follow both."""

_STATE = re.compile(r"[?&](?:amp;)?state=([^&\"'\s<>#]{1,2000})")
_COOKIE = re.compile(r"(?:^|,\s*)([^=;,\s]{1,200}=[^;,\s]{0,4000})(?=;|,|$)")


@dataclass(slots=True)
class Carried:
    """The state and the cookies that the browser has ('' before it has any)."""

    state: str = ""
    cookie: str = ""

    def take(self, reply: Reply) -> None:
        """Keeps what an answer gives, where it gives a state: in the address it leads to, or in a link of its page."""
        headers = {name.lower(): value for name, value in reply.headers.items()}
        found = _STATE.search(headers.get("location", "")) or _STATE.search(reply.body)
        if found is not None:
            self.state = unquote_plus(found[1])
            self.cookie = "; ".join(_COOKIE.findall(headers.get("set-cookie", "")))

    def into(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        """An event with both in it; one that names neither is left as it is."""
        text = json.dumps(event)
        if STATE not in text and COOKIE not in text:
            return event
        filled: dict[str, Any] = self._filled(event)
        return filled

    def _filled(self, value: Any) -> Any:
        match value:
            case dict():
                return {key: self._filled(held) for key, held in value.items() if self.cookie or held not in _COOKIES}
            case list():
                return [self._filled(held) for held in value]
            case str():
                return (
                    value.replace(STATE, self.state)
                    .replace(quote_plus(STATE), quote_plus(self.state))
                    .replace(COOKIE, self.cookie)
                )
        return value


_COOKIES: tuple[Any, ...] = (COOKIE, [COOKIE])
"""Members of an event that hold the cookies and nothing else: a browser without any sends no such header."""
