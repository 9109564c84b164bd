"""What a checkout shows: its workflows, lock files, and the files that tell a host who owns or updates what.

Only names that mean something are read.  What was looked at is counted, and what was not read has its reason.  Nothing
is concluded from a file that is not there, except that nothing locks what another file asks for.
"""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from threatmodel.beside.folder import Unread
from threatmodel.beside.repository import github, gitlab, locks
from threatmodel.beside.repository.audits import sightings
from threatmodel.beside.repository.files import (
    COMPOSITE,
    LOCKS,
    MANIFESTS,
    OTHER_CI,
    OWNERS,
    PIPELINE,
    REQUIREMENTS,
    STATE,
    UNREADABLE,
    UPDATES,
    WORKFLOW,
)
from threatmodel.beside.repository.workflow import Sighting, Workflow, skipped
from threatmodel.reading.problems import InputError, Place, listed
from threatmodel.reading.values import dataclass
from threatmodel.stacks.cloudformation.document import parse
from threatmodel.stacks.values import Node

MOST_WORKFLOWS = 200
"""Workflows of a checkout that are read."""
MOST_LISTED = 3
LARGEST_WORKFLOW = 1024 * 1024
"""Characters of a workflow that is read."""


@dataclass(frozen=True, kw_only=True)
class Checkout:
    """What a checkout shows; `looked` says in words what was looked at, `workflows` counts those that were read."""

    sightings: tuple[Sighting, ...]
    unread: tuple[Unread, ...]
    looked: tuple[str, ...]
    workflows: int

    def of(self, topic: str) -> tuple[Sighting, ...]:
        """Return the sightings of a topic, in order of the files."""
        return tuple(one for one in self.sightings if one.topic == topic)


def checkout(texts: Mapping[str, str], shown: Callable[[str], str], noticed: Sequence[str] = ()) -> Checkout:
    """Return what the files of a checkout show, from their texts by path in it; `shown` is a path in messages.

    Of the files `noticed` only the names are known.
    """
    left: list[Unread] = []
    found: list[Sighting] = []
    workflows = list(_workflows(texts, shown, left))
    for one in workflows:
        found += sightings(one)
    locking = _Locking(texts, shown, left)
    found += locking.sightings()
    for name in sorted(texts):
        if OTHER_CI.match(name):
            where = Place(shown(name))
            left.append(skipped(where, "this service's pipelines are not read", "state the facts of the pipeline"))
            found.append(Sighting("other-pipeline", posixpath.basename(name), where))
    for name in noticed:
        if STATE.search(name) and not locks.is_of_work(name):
            found.append(Sighting("state-in-checkout", "a state of Terraform is in the checkout", Place(shown(name))))
    looked = (*_counted(workflows), *_does(found), *locking.looked(), *_beside(texts))
    return Checkout(sightings=tuple(found), unread=tuple(left), looked=looked, workflows=len(workflows))


# --- workflows


def _workflows(texts: Mapping[str, str], shown: Callable[[str], str], left: list[Unread]) -> Iterator[Workflow]:
    names = [name for name in sorted(texts) if _reader(name) is not None]
    for name in names[:MOST_WORKFLOWS]:
        try:
            found = _read(name, texts[name], shown(name), left)
        except InputError as error:
            one = error.problems[0]
            left.append(skipped(one.place, one.message, one.hint or "repair the file"))
            continue
        if found is not None:
            yield found
        elif WORKFLOW.match(name):
            left.append(skipped(Place(shown(name)), "it has no jobs", "remove the file, or give it jobs"))
    for name in names[MOST_WORKFLOWS:]:
        why = f"{MOST_WORKFLOWS} workflows were read before it"
        left.append(skipped(Place(shown(name)), why, "name a folder with fewer workflows"))


_Reader = Callable[["Node | None", str, str], "Workflow | None"]


def _reader(name: str) -> _Reader | None:
    """What reads a file as a workflow."""
    if WORKFLOW.match(name):
        return github.workflow
    if COMPOSITE.match(name):
        return github.composite
    return gitlab.workflow if PIPELINE.match(name) else None


def _read(name: str, text: str, file: str, left: list[Unread]) -> Workflow | None:
    """A workflow.  Raises InputError where the text is none."""
    reader = _reader(name)
    if reader is None:
        return None
    if len(text) > LARGEST_WORKFLOW:
        left.append(skipped(Place(file), "it is larger than a workflow can be", "split it"))
        return None
    parsed = parse(text, file)
    left += [skipped(one.place, one.message, one.hint) for one in parsed.problems]  # the host rejects such a file
    return reader(parsed.root, file, text)


def _counted(workflows: list[Workflow]) -> Iterator[str]:
    for service, count in Counter(one.service for one in workflows).items():
        yield f"{count} {'file' if count == 1 else 'files'} of {service}"
    if not workflows:
        yield "no workflow"


def _does(found: Sequence[Sighting]) -> Iterator[str]:
    """Where the workflows deploy and test first."""
    for topic in ("deploys", "tests"):
        place = next((one.place for one in found if one.topic == topic), None)
        if place is not None:
            yield f"{topic} at {place.short}"


# --- lock files


class _Locking:
    """Files that ask for packages and that lock them."""

    def __init__(self, texts: Mapping[str, str], shown: Callable[[str], str], left: list[Unread]) -> None:
        self.locks: list[locks.Locked] = []
        self.asked: list[locks.Required] = []
        self.loose: list[locks.Locked] = []
        self.indexes: list[Place] = []
        self.unread: list[Place] = []
        for name, text in sorted(texts.items()):
            base = posixpath.basename(name)
            try:
                self._read(base, name, text, shown(name))
            except (ValueError, AttributeError, TypeError) as error:  # a file of another shape than its name tells
                self.unread.append(Place(shown(name)))
                reason = f"it is no {base} that can be read" + (f": {error}" if type(error) is ValueError else "")
                left.append(skipped(Place(shown(name)), reason, "write it again with its tool"))

    def _read(self, base: str, name: str, text: str, file: str) -> None:
        if base in LOCKS:
            self.locks.append(locks.locked(base, text, file))
        elif REQUIREMENTS.match(base):
            found, indexes = locks.requirements(text, file)
            self.indexes += indexes
            if found is not None and not locks.is_of_work(name):
                (self.loose if found.missing else self.locks).append(found)
        elif base in MANIFESTS and not locks.is_of_work(posixpath.dirname(name)):
            asks = locks.required(base, text, file)
            self.asked += [asks] if asks is not None else []
        elif base in UNREADABLE:
            self.unread.append(Place(file))

    def sightings(self) -> Iterator[Sighting]:
        for one in self.indexes:
            yield Sighting("unlocked", "adds a second index, on which anyone may publish a private package's name", one)
        for lock in (*self.loose, *self.locks):
            if lock.missing is not None:
                yield Sighting("unlocked", "has a package without a hash", lock.missing)
        for asked in locks.unlocked(self.asked, [*self.locks, *self.loose]):
            yield Sighting("unlocked", "packages without a lock file", asked.place)
        whole = [lock for lock in self.locks if lock.missing is None]
        if whole:
            names = listed(posixpath.basename(lock.place.file) for lock in whole[:MOST_LISTED])
            more = f" and {len(whole) - MOST_LISTED} more" if len(whole) > MOST_LISTED else ""
            yield Sighting("locked", f"locks each package with its hash ({names}{more})", whole[0].place)
        for place in self.unread:
            yield Sighting("locks-unread", "asks for packages in a form that is not read", place)

    def looked(self) -> Iterator[str]:
        count = len(self.locks)
        if count or self.asked or self.loose:
            yield f"{count or 'no'} lock {'file' if count == 1 else 'files'}"


def _beside(texts: Mapping[str, str]) -> Iterator[str]:
    """The files of a host that are there, or not."""
    for what, pattern in (("CODEOWNERS", OWNERS), ("Dependabot or Renovate", UPDATES)):
        named = next((name for name in sorted(texts) if pattern.match(name)), "")
        yield named or f"no {what}"
