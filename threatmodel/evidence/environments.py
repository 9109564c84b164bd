"""The files of infrastructure code that a model names, by the environment that they are deployed to together."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import count
from pathlib import PurePosixPath

from threatmodel.evidence.outside import outside
from threatmodel.evidence.resource_types import known
from threatmodel.model.evidence_shape import STACK_KINDS
from threatmodel.model.system import EvidenceFile, System
from threatmodel.reading.problems import Place, Problem, quoted
from threatmodel.reading.values import dataclass, replace
from threatmodel.stacks.joining import exported, own_name
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Scalar

_SAYS_NOTHING = frozenset(("cloudformation", "main", "plan", "serverless", "stack", "template", "tfplan"))
"""Names of files that many systems have; the folder tells them apart."""
_SHARED_NAMES = ("apis/", "userpool/")
"""How the ARNs begin of what has a name that others of its kind may have too."""
_ALSO_ALONE = frozenset(("AWS::IAM::Role", "AWS::Logs::LogGroup"))
"""Types without a row for their ARNs, of which one alone can have a name."""


@dataclass(frozen=True)
class Environment:
    """Files that are deployed side by side: each by the label that its resources have in the joined stack.

    A file that is alone has the label ''.  `labels` are those of the entries of the model's evidence, by number: two
    that name one file, deployed alike, are one.
    """

    files: Mapping[str, EvidenceFile]
    labels: Mapping[int, str]

    @cached_property
    def source(self) -> EvidenceFile:
        """The first file, with the resources that the model names for elements as the joined stack calls them."""
        resources = {
            element: (name if outside(name) or not label else f"{label}.{name}", place)
            for label, one in self.files.items()
            for element, (name, place) in one.resources.items()
        }
        return replace(next(iter(self.files.values())), resources=resources)

    @property
    def number(self) -> int:
        """Its first file's number among the model's evidence."""
        return next(iter(self.labels))

    def own(self, name: str) -> tuple[str, str]:
        """Return the label of the file that has a resource, and its name there; the first file for any other name."""
        label, own = own_name(name, filter(None, self.files))
        return (label, own) if label in self.files else (next(iter(self.files)), own)


def environments(system: System, deployed: Collection[int] = ()) -> Iterator[Environment]:
    """Yield the environments of a model's files, in the order of their first files.

    The files of the numbers in `deployed` show what was deployed there, and are apart from code that may be.
    """
    by_name: dict[tuple[str, bool], dict[int, EvidenceFile]] = {}
    for number, source in enumerate(system.evidence):
        if source.kind in STACK_KINDS:
            by_name.setdefault((source.environment, number in deployed), {})[number] = source
    yield from map(environment_of, by_name.values())


def environment_of(files: Mapping[int, EvidenceFile]) -> Environment:
    """Return the environment of some files, by their numbers among the evidence."""
    same: dict[tuple[str, ...], list[int]] = {}
    for number, one in files.items():
        same.setdefault((one.path, one.parameters, one.stage), []).append(number)
    numbers = dict(zip(labels_of(path for path, *_ in same), same.values(), strict=True))
    return Environment(
        {label: _one([files[number] for number in found]) for label, found in numbers.items()},
        {number: label for label, found in numbers.items() for number in found},
    )


def _one(entries: Sequence[EvidenceFile]) -> EvidenceFile:
    """What several entries say of one file."""
    resources = {element: named for one in entries for element, named in one.resources.items()}
    return replace(entries[0], resources=resources, every_function=any(one.every_function for one in entries))


def labels_of(paths: Iterable[str]) -> list[str]:
    """Return a label for each path: the file's name, or its folder's where that says nothing; '' for one alone."""
    found: list[str] = []
    for path in map(PurePosixPath, paths):
        found.append(next(label for label in _labels(path) if label not in found))
    return found if len(found) > 1 else [""] * len(found)


def _labels(path: PurePosixPath) -> Iterator[str]:
    """What a file may be called, the best first."""
    stem, folder = _plain(path.name.partition(".")[0]) or "file", _plain(path.parent.name)
    names = (stem, f"{folder}-{stem}") if stem not in _SAYS_NOTHING else (folder, f"{folder}-{stem}")
    yield from names if folder else (stem,)
    yield from (f"{stem}-{number}" for number in count(2))


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-")


def clashes(stack: Stack) -> Iterator[Problem]:
    """Yield a problem for each name that resources of two files of one environment have, or that two export."""
    by_name: dict[tuple[str, str], Resource] = {}
    for resource in stack.resources.values() if stack.joined else ():
        name = _physical(resource)
        if name is None or resource.doubt is not None or resource.opaque is not None:
            continue
        other = by_name.setdefault(name, resource)
        (one, mine), (two, its) = own_name(resource.name, stack.joined), own_name(other.name, stack.joined)
        if one != two:
            message = f"{quoted(mine)} has the name {quoted(name[1])}, which {quoted(its)} has too"
            yield _clash(message, resource.place, other.place)
    for export, same in exported(stack.exports).items() if stack.joined else ():
        if len(same) > 1:
            yield _clash(f"{quoted(export)} is exported twice", same[1].value.place, same[0].value.place)


def also_named(stack: Stack, others: Stack) -> str:
    """Return in words the first resource of other files whose name in AWS another one of these files has; else ''."""
    by_name = {
        name: own_name(one.name, stack.joined)[1] for one in stack.resources.values() if (name := _physical(one))
    }
    for one in others.resources.values():
        name, here = _physical(one), own_name(one.name, others.joined)[1]
        if name is not None and by_name.get(name, here) != here:
            return f"{quoted(here)} has the name {quoted(name[1])}, which {quoted(by_name[name])} has too"
    return ""


def _physical(resource: Resource) -> tuple[str, str] | None:
    """What a resource is called in AWS, where no other of its kind can be called the same."""
    row = known(resource.type)
    name = resource.properties.entries.get(row.own_name)
    alone = resource.type in _ALSO_ALONE or (row.arn and not row.arn.startswith(_SHARED_NAMES))
    if not alone or not isinstance(name, Scalar) or not isinstance(name.value, str) or name.given:
        return None
    return f"{row.arn and row.services[0]}{row.arn or resource.type}", name.value


def _clash(message: str, place: Place, other: Place) -> Problem:
    return Problem(
        code="same-name",
        place=place,
        message=f"{message}: {other}, in the same environment",
        hint="keep one of the two entries of the evidence, or give one of another deployment its own environment: NAME",
    )
