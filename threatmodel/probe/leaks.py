"""What must not show: secrets, signatures, tokens, addresses and bodies, found in a text and taken out of it."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping

from threatmodel.probe.bodies import found, parse, values_of
from threatmodel.probe.requests import PREVIOUS, Genuine
from threatmodel.probe.secret_values import is_plain
from threatmodel.probe.slack import PUBLISHED
from threatmodel.probe.spelling import decoded, spellings
from threatmodel.reading.problems import InputError, visible
from threatmodel.reading.values import replace

SHOWN = 80
"""Characters of an answer that a result keeps."""
_READ = 20_000
"""Characters of an answer that are looked through before it is cut."""
_SHORTEST = 4
_RANDOM = 16
_DIGEST = re.compile(r"[0-9a-f]{64}")
_PART = 8
"""Characters of a secret that are a part worth reporting: a mask usually shows four."""
_SHORTEST_VARIABLE = 6
_SECRET_ROLES = ("token", "response_url", "delivery")

_PATTERNS = {
    "signature": re.compile(r"v0=[0-9a-fA-F]{8,64}"),
    "token": re.compile(r"x(?:ox[a-z]|app)-[\w.-]{6,}|eyJ[\w-]{8,2000}\.[\w-]+(?:\.[\w-]*)?|\bAKIA[0-9A-Z]{12,}"),
    "response_url": re.compile(r"https?:(?:\\?/){2}hooks\.slack\.com[^\s\"'<>]*"),
    "key": re.compile(r"[0-9a-fA-F]{32,}|[A-Za-z0-9+/_-]{40,}={0,2}"),
}
# An answer may be six megabytes of anything: no part of these may run on without a bound from wherever it begins
_TRACES = {
    "a stack trace": re.compile(
        r"Traceback \(most recent call|\n[ \t]{1,40}at [\w.<>]{1,200} \(|\bFile \"[^\"\n]{1,500}\", line \d"
    ),
    "a path": re.compile(r"/var/task|/var/runtime|/opt/(?:nodejs|python)|node_modules/|(?<=[\w-])\.(?:py|m?js|cjs):\d"),
    "an ARN": re.compile(r"\barn:aws[\w-]{0,30}:[a-z0-9-]{1,60}:"),
    "an exception": re.compile(r"\b[A-Z][A-Za-z]{2,40}(?:Error|Exception)\b"),
}


class Hidden:
    """The values that must not show, each with the word that stands for it.

    Those of the request, the signing secret, and what the handler was given in its variables: a value there is a secret
    unless its form says that it is none (`secret_values.is_plain`).
    """

    def __init__(
        self,
        genuine: Genuine,
        signatures: Iterable[str],
        environment: Mapping[str, str],
        stored: Mapping[str, str] | None = None,
    ) -> None:
        private: dict[str, str] = {}
        for body in (PUBLISHED.body, genuine.body, *genuine.bodies.values()):
            parts = parse(body)
            private |= {value: role for role in _SECRET_ROLES for value in values_of(parts, role)}
        for value in signatures:
            private |= dict.fromkeys((value, *_digests(value.removeprefix("v0="))), "signature")
        private |= dict.fromkeys((genuine.secret, PREVIOUS, PUBLISHED.secret), "signing secret")
        private |= stored or {}
        self._private = _spelt(private, _SHORTEST)
        known = genuine.body + "".join(genuine.bodies.values())
        given = {value: name for name, value in environment.items() if not is_plain(name, value, known)}
        self._given = _spelt(given, _SHORTEST)
        keys = {genuine.secret: "signing secret", **(stored or {})}
        keys |= {value: name for value, name in given.items() if _is_random(value)}
        self._parts = {part: f"part of {name}" for value, name in keys.items() for part in _parts(value)}
        variables = _spelt({value: name for name, value in environment.items()}, _SHORTEST_VARIABLE)
        self._texts = {**variables, **self._given, **self._private}
        self._order = sorted(self._texts, key=len, reverse=True)
        self._bodies = [spelling for spelling in _body_spellings(genuine) if len(spelling) >= _SHORTEST]

    def redacted(self, text: str) -> str:
        """A text with every such value, and whatever looks like one, replaced by its name."""
        for spelling in self._order:
            text = text.replace(spelling, f"<{self._texts[spelling]}>")
        for name, pattern in _PATTERNS.items():
            text = pattern.sub(f"<{name}>", text)
        return text

    def secrets_out(self, text: str) -> str:
        """A name with every secret in it replaced; values of variables that are none may stay."""
        for spelling, name in sorted({**self._given, **self._private}.items(), key=lambda one: -len(one[0])):
            text = text.replace(spelling, f"<{name}>")
        return visible(text)

    def cleared(self, error: InputError) -> InputError:
        """What is wrong with a handler, without a secret: its classes, functions and files have the names it likes."""
        return InputError(
            replace(
                one,
                place=one.place._replace(file=self.secrets_out(one.place.file)),
                message=self.secrets_out(one.message),
                hint=self.secrets_out(one.hint),
            )
            for one in error.problems
        )

    def excerpt(self, text: str) -> str:
        """The beginning of an answer, redacted, on one line."""
        # a value that the limit of what is read cuts in two is far behind what is shown
        line = visible(" ".join(self.redacted(text[:_READ]).split()))
        return line if len(line) <= SHOWN else line[: SHOWN - 1] + "…"

    def in_logs(self, text: str) -> list[str]:
        """Names of what a log holds and must not, in base64 too, and of secrets a part."""
        read = f"{text}\n{decoded(text)}"
        found = self._held(read, {"signing secret", "signature", "token", "response_url", "bot token"})
        in_part = {name for part, name in self._parts.items() if part in read}
        found |= {name for name in in_part if name.removeprefix("part of ") not in found}
        return sorted(found | ({"body"} if any(spelling in text for spelling in self._bodies) else set()))

    def in_answer(self, text: str) -> list[str]:
        """Names of what an answer holds and must not."""
        found = self._held(text, {"signing secret", "signature", "token", "bot token"})
        return sorted(found | {name for name, pattern in _TRACES.items() if pattern.search(text)})

    def in_call(self, text: str, *, to_slack: bool) -> list[str]:
        """Names of what a call to another service holds and must not; a token belongs in a call to Slack."""
        found = self._held(text, {"signing secret"} if to_slack else {"signing secret", "signature", "bot token"})
        return sorted(name for name in found if not (to_slack and "TOKEN" in name.upper()))

    def _held(self, text: str, names: set[str]) -> set[str]:
        """Which of some values a text holds, and which of the handler's own secrets."""
        found = {name for spelling, name in self._private.items() if name in names and spelling in text}
        return found | {name for spelling, name in self._given.items() if spelling in text}


def _digests(digest: str) -> Iterator[str]:
    """The digits of a signature, and what they stand for in base64."""
    yield digest
    if _DIGEST.fullmatch(digest):
        yield base64.b64encode(bytes.fromhex(digest)).decode().rstrip("=")


def _spelt(values: Mapping[str, str], shortest: int) -> dict[str, str]:
    return {spelling: name for value, name in values.items() if len(value) >= shortest for spelling in spellings(value)}


def _is_random(value: str) -> bool:
    """Whether a value is as a key or a token is, of which no part is a word that may be in a log by chance."""
    return len(value) >= _RANDOM and bool(_PATTERNS["token"].fullmatch(value) or _PATTERNS["key"].fullmatch(value))


def _parts(value: str) -> Iterator[str]:
    yield from (value[at : at + _PART] for at in range(len(value) - _PART + 1))


def _body_spellings(genuine: Genuine) -> Iterator[str]:
    yield genuine.body
    yield json.dumps(genuine.body)[1:-1]
    yield base64.b64encode(genuine.body.encode()).decode()
    text = found(parse(genuine.body), "text")
    if len(text) >= 8:  # noqa: PLR2004 - a shorter text may be in a log by chance
        yield from spellings(text)
