"""A graph as a genuine pytm model: a `pytm.TM` whose `check`, `resolve`, `dfd`, `seq` and `process` are pytm's own.

Each model has its own registry, so that two in one process do not mix.
"""

from __future__ import annotations

import random
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytm
import pytm.pytm
import pytm.tm
from pydantic import PrivateAttr

from threatmodel.assessment.assessed import Assessment
from threatmodel.graph.elements import Graph
from threatmodel.library.entries import Control, Library
from threatmodel.pytm_model.elements import ELEMENTS, controls_class
from threatmodel.pytm_model.terms import Part, Rule, Stream, Terms, attribute, terms

Report = Callable[[str], str]
"""What `--report TEMPLATE` prints, from the name of the template."""

_NAMES = uuid.UUID("9d4c7a52-1c4e-5d0a-9c57-5e9f3f6f2b11")
"""The name space of element ids, so that an element's uuid (and its name in DOT) follows from its id alone."""

_REGISTRY = threading.RLock()


@contextmanager
def _registered(state: pytm.tm.TMState) -> Iterator[None]:
    """Whatever pytm registers or looks up in this block, it does in `state`; other threads wait."""
    with _REGISTRY:
        before = pytm.TM._state  # noqa: SLF001 - pytm keeps its registry there, and offers only to empty it
        pytm.TM._state = state  # noqa: SLF001
        try:
            yield
        finally:
            pytm.TM._state = before  # noqa: SLF001


class ThreatModel(pytm.TM):
    """A pytm TM with its own registry, which its methods (and the block `with model.active():`) work in.

    Elements that a caller adds belong in such a block: ``with model.active(): Server("cache")``.
    """

    _registry: pytm.tm.TMState = PrivateAttr(default_factory=pytm.tm.TMState)
    _verdicts: dict[str, str] = PrivateAttr(default_factory=dict)
    _report: Report | None = PrivateAttr(default=None)

    @contextmanager
    def active(self) -> Iterator[ThreatModel]:
        """Makes this model the one that pytm's constructors add to."""
        with _registered(self._registry):
            yield self

    def _init_threats(self) -> None:
        """The threats are our library's; a file that a caller names later is read as pytm reads it."""
        if "threatsFile" in self.model_fields_set:
            with self.active():
                super()._init_threats()

    def check(self) -> bool:
        """As pytm checks."""
        with self.active():
            return bool(super().check())

    def resolve(self) -> None:
        """As pytm resolves; our verdict becomes the response of each finding.

        What is out of scope has no findings (pytm gives it the findings of all), and a second run starts afresh.
        """
        with self.active():
            for element in pytm.TM._elements:  # noqa: SLF001 - pytm's only list of elements
                element.severity = 0
                element.findings = []
            super().resolve()
            for element in pytm.TM._elements:  # noqa: SLF001
                if not element.inScope:
                    element.findings = []
        for finding in self.findings:
            key = f"{finding.threat_id}@{getattr(finding.element, 'element_id', '')}"
            finding.response = self._verdicts.get(key, finding.response)

    def dfd(self, **kwargs: Any) -> str:
        """The data-flow diagram of pytm, as often as it is asked for."""
        with self.active():
            for element in pytm.TM._elements:  # noqa: SLF001 - as above
                element.is_drawn = False
            return str(super().dfd(**kwargs))

    def seq(self) -> str:
        """The sequence diagram of pytm."""
        with self.active():
            return str(super().seq())

    def report(self, template_path: str) -> str:
        """Our report: pytm 1.4.0's does not come to an end.  Raises pytm's UIError where the model was given none."""
        if self._report is None:
            reason = NotImplementedError("this model was made without a report")
            raise pytm.tm.UIError(reason, f"while making a report from {template_path}")
        return self._report(template_path)

    def process(self) -> None:
        """The command line of pytm; --describe shows our classes under pytm's names."""
        known = pytm.pytm._CLASS_REGISTRY  # noqa: SLF001 - --describe looks names up there, and there first
        before = dict(known)
        with self.active():
            known.update(ELEMENTS)
            try:
                super().process()
            finally:
                known.update(before)


def to_pytm(
    graph: Graph, library: Library, assessment: Assessment | None = None, report: Report | None = None
) -> ThreatModel:
    """The graph and the library's threats as a pytm model: the same ones give the same model.

    With an assessment, each element's `controls` say in what state its controls are (an attribute for each, ``_`` for
    ``-``), and findings carry our verdict as their response.  `report` answers `--report`.
    """
    said = terms(graph, library)
    state = pytm.tm.TMState()
    with _registered(state):
        model = _model(said)
        _fill(said, library, assessment)
        state.threats = [pytm.Threat(target=rule.targets, **rule.fields) for rule in said.rules]
        state.threats_excluded = list(assessment.excluded) if assessment is not None else []
    model._registry, model._report = state, report  # noqa: SLF001 - private to this file
    if assessment is not None:
        model._verdicts = _verdicts(graph, said.rules, assessment)  # noqa: SLF001
    return model


def _model(said: Terms) -> ThreatModel:
    """The TM, without what making one does to the global random numbers."""
    before = random.getstate()
    try:
        return ThreatModel(said.name, said.description, isOrdered=True, assumptions=list(said.assumptions))
    finally:
        random.setstate(before)


def _fill(said: Terms, library: Library, assessment: Assessment | None) -> None:
    controls = controls_class(library)
    states = _states(library, assessment)
    parts: dict[str, Any] = {}
    for part in said.parts:
        parts[part.id] = _part(part, parts.get(part.within), controls(**states(part)))
    data = {
        datum.id: pytm.Data(
            datum.name,
            description=datum.description,
            classification=pytm.Classification[datum.classification],
            isPII=datum.personal,
            isCredentials=datum.credentials,
        )
        for datum in said.data
    }
    for stream in said.streams:
        made = _stream(stream, parts, controls(isEncrypted=stream.line.encrypted, **states(stream)))
        made.data = [data[item] for item in stream.data]


def _part(part: Part, within: Any, controls: Any) -> Any:
    line = {"protocol": part.line.protocol, "port": part.line.port} if part.cls != "Boundary" else {}
    if part.cls != "Boundary":
        controls.isEncrypted = part.line.encrypted
    return ELEMENTS[part.cls](
        part.name,
        uuid=uuid.uuid5(_NAMES, part.id),
        element_id=part.id,
        inBoundary=within,
        controls=controls,
        **line,
        **part.fields,
    )


def _stream(stream: Stream, parts: Mapping[str, Any], controls: Any) -> Any:
    return ELEMENTS["Dataflow"](
        parts[stream.source],
        parts[stream.sink],
        stream.name,
        uuid=uuid.uuid5(_NAMES, stream.id),
        element_id=stream.id,
        levels=stream.levels,
        protocol=stream.line.protocol,
        dstPort=stream.line.port,
        controls=controls,
        **stream.fields,
    )


# --- what an assessment adds


def _states(library: Library, assessment: Assessment | None) -> Callable[[Part | Stream], dict[str, str]]:
    """The states of the controls that live on an element."""
    by_kind: dict[str, list[Control]] = {}
    for control in library.controls.values():
        by_kind.setdefault(control.scope, []).append(control)

    def found(what: Part | Stream) -> dict[str, str]:
        if assessment is None:
            return {}
        target = assessment.graph.elements.get(what.id) or assessment.graph.flows.get(what.id)
        kind = target.kind if target is not None else ""
        return {attribute(c.id): assessment.states.at(c, what.id).state for c in by_kind.get(kind, ())}

    return found


def _verdicts(graph: Graph, rules: Iterable[Rule], assessment: Assessment) -> dict[str, str]:
    """Our verdict on each finding; where we do not even know whether the threat applies, "undetermined"."""
    targets = [target.id for target in graph.targets()]
    unknown = {f"{rule.id}@{target}": "undetermined" for rule in rules for target in targets}
    return unknown | {finding.id: finding.verdict for finding in assessment.findings}
