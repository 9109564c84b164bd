"""What a file of infrastructure code makes of a function, for what ran elsewhere to be held against."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from threatmodel.stacks.stack import Resource, Stack

if TYPE_CHECKING:
    from threatmodel.probe.seen import SeenCall


class Deployed(NamedTuple):
    """A resource that a file makes of a function, the file's folder, and other elements that are mapped to it too.

    `signing` are the resources of the file that are secrets of Slack's requests, each with its element.
    `unable` tells which of the calls that a handler was seen to make its role surely does not allow here, in words;
    `paths` the routes by which requests come to it.
    """

    stack: Stack
    resource: Resource
    folder: Path
    shared: tuple[str, ...]
    unable: Callable[[Sequence[SeenCall]], Sequence[str]]
    paths: Callable[[], Sequence[str]]
    signing: Mapping[str, str]
