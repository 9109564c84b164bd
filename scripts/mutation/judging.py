"""What came of a mutant: the states of all controls under changed files, held against those under the good ones."""

from __future__ import annotations

import contextlib
import datetime
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from threatmodel.assessment.assess import assess
from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.drift import differences
from threatmodel.evidence.collect import collect
from threatmodel.evidence.sources import read_sources
from threatmodel.graph.building import build
from threatmodel.library.directions import directions
from threatmodel.library.entries import Library
from threatmodel.library.load import load_library
from threatmodel.model.facts import EVIDENCE
from threatmodel.model.load import load_model
from threatmodel.reading.files import Files
from threatmodel.reading.problems import InputError
from threatmodel.render.reliances import lines

HOME = Path(__file__).resolve().parent.parent.parent
AS_OF = datetime.date(2026, 11, 25)
"""The day for which states are worked out: a runtime that runs out later must not change the page."""
TRUSTED = "proven"
"""What no weakened control may stay, nor become: proven, or attested where that counts as much."""

Texts = Mapping[str, str]
"""Files with other texts than those on the disk, by path below the repository."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One weakening: its class, where and what in words, the files that it changes, and what it undoes.

    `weakens` are the `control@element` that no longer hold.  If a mutant only changes statements that hide
    something, `check` must report it: `reported` is what its output has to name.  `tree` is the content of the
    system's file of infrastructure code, None if that does not change.
    """

    id: str
    base: str
    weakening: str
    says: str
    model: str
    written: Callable[[], Texts]
    tree: Any = None
    weakens: tuple[str, ...] = ()
    reported: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()

    @property
    def texts(self) -> Texts:
        """The files that it changes; written when they are asked for, since most mutants of a sample never are."""
        return self.written()


@dataclass(frozen=True, slots=True)
class Judgement:
    """A model's result: the states by `control@element`, or why it is rejected, and what `check` reports."""

    states: Mapping[str, str]
    findings: frozenset[str]
    check: str
    refused: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a mutant: `survivors` are the controls that still count as proven, and what is not reported."""

    mutant: Mutant
    survivors: tuple[str, ...]
    refused: str = ""
    became: Mapping[str, str]

    @property
    def caught(self) -> bool:
        """Whether nothing that it weakens still counts."""
        return not self.survivors


@cache
def library(layers: tuple[str, ...] = ()) -> Library:
    """The library as it is on the disk."""
    return load_library(HOME / "threatlib", layers=tuple(HOME / one for one in layers))


def judged(model: str, texts: Texts, *, reported: bool = False, layer: Texts | None = None) -> Judgement:
    """What a model comes to under some texts; with `reported`, what `check` says of it."""
    files = Files(HOME, texts={HOME / path: text for path, text in {**texts, **(layer or {})}.items()})
    with contextlib.chdir(HOME):
        try:
            held_to = load_library(HOME / "threatlib", files, (HOME / "layer",)) if layer else library()
            system = load_model(files, HOME / model)
            evidence, read = collect(system, read_sources(system, files), directions(held_to), AS_OF)
            graph = build(system, evidence, AS_OF, read)
        except InputError as error:
            return Judgement({}, frozenset(), "", str(error.problems[0].message))
        assessment = assess(graph, held_to, AS_OF)
        states = {f"{control}@{element}": state for control, element, state in _states(assessment, held_to)}
        every = {finding.id for finding in assessment.findings}
        said = "\n".join(_reported(assessment)) if reported else ""
        return Judgement(states, frozenset(every), said)


def _reported(assessment: Assessment) -> Iterator[str]:
    """Yield what `check` and `--json` report: reliances, drift, and evidence that counts as a statement."""
    yield from lines(assessment.reliances, most=sys.maxsize)
    for element, name, fact in differences(assessment.graph):
        yield f"drift: {element}.{name}: {fact.value}"
    for read in assessment.graph.evidence:
        if read.stale:
            yield f"stale: {read.file}: {read.stale}"


def _states(assessment: Assessment, held_to: Library) -> list[tuple[str, str, str]]:
    graph, found = assessment.graph, assessment.states
    ids: dict[str, list[str]] = {"flow": list(graph.flows)}
    for element in graph.elements.values():
        ids.setdefault(element.kind, []).append(element.id)
    return [
        (control.id, element, TRUSTED if state.level == EVIDENCE else state.state)
        for control in held_to.controls.values()
        for element in ids.get(control.scope, ())
        for state in (found.at(control, element),)
    ]


def outcome(mutant: Mutant, before: Judgement) -> Outcome:
    """What came of a mutant, where the good files come to `before`."""
    layer = {path: text for path, text in mutant.texts.items() if path.startswith("layer/")}
    texts = {path: text for path, text in mutant.texts.items() if path not in layer}
    after = judged(mutant.model, texts, reported=bool(mutant.reported), layer=layer)
    if after.refused:
        return Outcome(mutant=mutant, survivors=(), refused=after.refused, became={})
    became = {name: after.states.get(name, "gone") for name in mutant.weakens}
    survivors = [name for name, state in became.items() if state == TRUSTED]
    if mutant.reported:
        survivors += _unreported(mutant, before, after)
    return Outcome(mutant=mutant, survivors=tuple(survivors), became=became)


def _unreported(mutant: Mutant, before: Judgement, after: Judgement) -> list[str]:
    """Return what a statement hides without a new line of `check` that names it: proofs, missing findings."""
    new = set(after.check.splitlines()) - set(before.check.splitlines())
    if any(name in line for line in new for name in mutant.reported):
        return []
    return [f"check does not name {' or '.join(mutant.reported)}"]
