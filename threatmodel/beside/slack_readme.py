"""What a README says of setting up a Slack app: where the address of which feature is put.

A sentence names a feature of Slack (slash commands, Event Subscriptions, interactivity), and it or the two after it
speak of an address.  That decides only together with the routes: by a path that is written out, by the name of one
function, or where Slack can call one route alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from threatmodel.beside.urls import NOWHERE, Address, address
from threatmodel.reading.problems import Place

Feature = Literal["slash-command", "interactivity", "events"]

LARGEST = 256 * 1024
"""Characters of a README that are read."""
_AFTER = 2
"""Sentences behind the one with the feature that may speak of its address."""

_FEATURES: tuple[tuple[Feature, re.Pattern[str]], ...] = (
    ("slash-command", re.compile(r"slash[ -]?commands?|slack slash|slack commands?\b", re.IGNORECASE)),
    ("events", re.compile(r"event[ -]subs?criptions?|events api|enable events|slack events", re.IGNORECASE)),
    (
        "interactivity",
        re.compile(r"interactivity|interactive (?:components?|messages?)|message actions?", re.IGNORECASE),
    ),
)
_ADDRESSES = re.compile(r"request[ _]?url|\burls?\b|\blinks?\b|\bendpoints?\b|\bwebhook\b", re.IGNORECASE)
_URL = re.compile(r"https?://(?:<[^<>\n]{0,80}>|\{[^{}\n]{0,80}\}|\[[^\[\]\n]{0,80}\]|[^\s`'\"()<>\[\]{}])+")
_TARGET = re.compile(r"\]\([^()\n]{0,400}\)")
_OTHERS = re.compile(r"discord|telegram|mattermost|microsoft teams|socket mode|incoming webhook", re.IGNORECASE)
"""Other services, and features by which Slack calls no route."""
_OF_OTHERS = re.compile(r"(?:\A|\.)(?:slack\.com|slack\.dev|github\.com|amazon\.com|npmjs\.com|localhost)(?::\d+)?\Z")
_END = re.compile(r"(?<=[.!?;])\s+")


class Said(NamedTuple):
    """A feature and its address: a path that is written out, or None; the words around it, and the line."""

    feature: Feature
    address: Address
    words: str
    place: Place


def read(text: str, file: str) -> tuple[Said, ...]:
    """Return what a README says of the addresses of a Slack app, each feature and path once."""
    if "slack" not in text.lower():
        return ()
    found: dict[tuple[Feature, str | None, str], Said] = {}
    sentences = list(_sentences(text[:LARGEST]))
    for at, (line, sentence) in enumerate(sentences):
        for feature in _features(sentence):
            words = " ".join(_window(sentences, at))
            if _ADDRESSES.search(words) and not _OTHERS.search(words):
                for one in _addresses(words):
                    found.setdefault((feature, one.path, words), Said(feature, one, words, Place(file, line)))
    return tuple(found.values())


def _sentences(text: str) -> Iterator[tuple[int, str]]:
    """The sentences, each with its line; where links lead is left out."""
    for number, line in enumerate(text.split("\n"), 1):
        for sentence in _END.split(_TARGET.sub("]", line)):
            if sentence.strip():
                yield number, sentence.strip()


def _features(sentence: str) -> list[Feature]:
    return [feature for feature, pattern in _FEATURES if pattern.search(sentence)]


def _window(sentences: Sequence[tuple[int, str]], at: int) -> Iterator[str]:
    """A sentence and those behind it, up to one with a feature or a heading."""
    yield sentences[at][1]
    for _, sentence in sentences[at + 1 : at + 1 + _AFTER]:
        if _features(sentence) or re.match(r"#{1,6} ", sentence):
            return
        yield sentence


def _addresses(words: str) -> Iterator[Address]:
    """The addresses that are written out, those of documents left out; one without a path where there is none."""
    written = [found for one in _URL.findall(words) if (found := address(one.rstrip(".,;:*"))) is not None]
    own = [one for one in written if one.path is not None and not _OF_OTHERS.search(one.host)]
    yield from own or (NOWHERE,)
