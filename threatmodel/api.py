"""The public interface: load a model, assess it, walk what was found, render it.

`from threatmodel import ...` offers these functions and the values that they use; `threatmodel.__all__` lists them.
They stay compatible from version to version; every other module is private.
"""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from threatmodel.reading.files import Files
from threatmodel.reading.home import CONTENT, LIBRARY
from threatmodel.reading.problems import refusal

if TYPE_CHECKING:  # what a caller does without is imported where it is used: start-up is a feature
    from threatmodel.assessment.assessed import Assessment
    from threatmodel.assessment.changes import Changes
    from threatmodel.assessment.gate.known import Baseline
    from threatmodel.assessment.gate.results import Rules
    from threatmodel.evidence.remembered import Gathered
    from threatmodel.graph.building import Graph
    from threatmodel.graph.elements import Read
    from threatmodel.graph.resolved import Evidence
    from threatmodel.library.directions import Directions
    from threatmodel.library.entries import Library
    from threatmodel.model.system import System
    from threatmodel.pytm_model.model import ThreatModel
    from threatmodel.reading.problems import InputError

Name = str | os.PathLike[str]


class Running(NamedTuple):
    """How a run works on evidence.

    `remember`: what it says is kept from run to run, while everything that it follows from stays the same.  `work`
    bounds the operations that go into what files leave open; None: as usual.
    """

    remember: bool = False
    work: int | None = None


AS_USUAL = Running()


def load_model(  # noqa: PLR0913 - what a caller may choose
    path: Name,
    files: Files | None = None,
    *,
    today: datetime.date | None = None,
    layers: Sequence[Name] = (),
    library: Library | None = None,
    work: int | None = None,
) -> Graph:
    """Return the system that a model file describes, weighed with the files that it uses and its evidence.

    `files` does the reading: ``Files(texts={path: text})`` reads a text instead of a file.  `today` (default: today)
    decides which runtimes are still supported.  The library, with the model's own and `layers` on top, says which
    values reassure: of these, evidence is only what holds for every value of a file's parameters. A `library` that is
    loaded already replaces all of them.  `work` bounds the operations that go into what files of evidence leave open
    (default: 100,000); what takes more is unknown.  Raises InputError with every problem of every file.
    """

    def library_of(system: System, read: Files) -> Library:
        return library if library is not None else layered([*system.libraries, *layers], read)

    return weighed(path, files, today, library_of, Running(work=work))


def weighed(
    path: Name,
    files: Files | None,
    today: datetime.date | None,
    library_of: Callable[[System, Files], Library] | None,
    running: Running = AS_USUAL,
) -> Graph:
    """The same, held to the library that a function gives; without one for what only draws the system."""
    from threatmodel.graph.building import build
    from threatmodel.model.load import load_model as load

    files = files if files is not None else Files(CONTENT)
    system, day = load(files, Path(path)), today or _today()
    if not system.evidence:
        return build(system, today=day)
    from threatmodel.library.directions import directions
    from threatmodel.model.current import with_current_elements

    texts = dict(files.read)
    library = library_of(system, files) if library_of is not None else None
    ways = directions(library) if library is not None else None

    def collect() -> Gathered:
        return _collected(system, files, day, ways, running.work)

    if running.remember:
        from threatmodel.evidence.remembered import Basis, remembered

        whole, evidence, read = remembered(system, files, texts, Basis(day, ways, running.work), collect)
    else:
        whole, evidence, read = collect()
    return build(with_current_elements(whole), evidence, day, read)


def gathered(
    system: System, files: Files, today: datetime.date, library: Library | None, work: int | None
) -> tuple[System, Evidence, tuple[Read, ...]]:
    """A system with what its evidence adds to it, what that states, and what was read; private."""
    if not system.evidence:
        return system, {}, ()
    from threatmodel.library.directions import directions
    from threatmodel.model.current import with_current_elements

    ways = directions(library) if library is not None else None
    whole, evidence, read = _collected(system, files, today, ways, work)
    return with_current_elements(whole), evidence, read


def _collected(
    system: System, files: Files, today: datetime.date, ways: Directions | None, work: int | None
) -> tuple[System, Evidence, tuple[Read, ...]]:
    from threatmodel.evidence.collect import collect
    from threatmodel.evidence.every_function import with_functions
    from threatmodel.evidence.sources import read_sources
    from threatmodel.stacks.work import USUAL_WORK, Work

    allowed = Work(USUAL_WORK if work is None else work)
    sources = read_sources(system, files, allowed)
    system = with_functions(system, sources)
    evidence, read = collect(system, sources, ways, today=today, work=allowed)
    return system, evidence, read


def load_library(
    model: Graph | None = None, layers: Sequence[Name] = (), files: Files | None = None, *, base: Name = LIBRARY
) -> Library:
    """The toolkit's threats and controls, with the libraries that a model names on top, then those in `layers`.

    `base` is a whole library (with its article.yaml) in place of the toolkit's.  Raises InputError with every problem
    of every file.
    """
    own = model.system.libraries if model is not None else ()
    return layered([*own, *layers], files if files is not None else Files(CONTENT), base)


def layered(layers: Sequence[Name], files: Files, base: Name = LIBRARY, *, remember: bool = False) -> Library:
    """The toolkit's library, or `base`, with others on top; `remember`: kept from run to run, as evidence is."""
    from threatmodel.library.load import load_library as load

    return load(Path(base), files, [Path(layer) for layer in layers], remember=remember)


def assess(
    model: Graph, library: Library, *, today: datetime.date | None = None, excluded: Sequence[str] = ()
) -> Assessment:
    """What threatens a system, in what state each control is, what risk is left, and what to ask.

    `today` (default: today) decides what has lapsed; `excluded` are ids of threats not to look for.  Raises InputError
    where the model speaks of threats, controls or elements that do not exist.
    """
    from threatmodel.assessment.assess import assess as look

    return look(model, library, today or _today(), excluded)


def load_rules(path: Name, files: Files | None = None) -> Rules:
    """The rules of a policy file, for ``assessment.check``.  Raises InputError with every problem."""
    from threatmodel.assessment.gate.policy import load_policy

    return load_policy(files if files is not None else Files(CONTENT), Path(path))


def load_baseline(path: Name, assessment: Assessment, files: Files | None = None) -> Baseline:
    """The baseline of a model in a file that ``tm check --write-baseline`` wrote, for ``assessment.check``.

    Raises InputError where the file cannot be used, or has none of this model.
    """
    from threatmodel.assessment.gate.baseline_file import baseline_of, baselines_in

    files = files if files is not None else Files(CONTENT)
    known = baselines_in(Path(path), files, assessment.today)
    return baseline_of(Path(assessment.graph.system.file), assessment, known, Path(path), files)


def diff(before: Assessment, after: Assessment) -> Changes:
    """What differs between two assessments, losses first: as ``tm diff`` reports it."""
    from threatmodel.assessment.changes import changes
    from threatmodel.render.contract.assessment import contract

    return changes(contract(before), contract(after))


def render_diff(changes: Changes, form: Literal["text", "json", "markdown"] = "text") -> str:
    """The differences as text."""
    from threatmodel.render.changed import as_json, as_text
    from threatmodel.render.comment import as_markdown

    return {"text": as_text, "json": as_json, "markdown": as_markdown}[form](changes)


def render_report(assessment: Assessment, template: str = "md", *, picture_file: str = "", baseline: str = "") -> str:
    """Return the threat report: ``md``, ``html`` with its picture, or the path of a custom template.

    ``brief`` is the first page with the picture, ``full`` and ``full.md`` have all details.

    `picture_file` names a picture in the report's folder, which Markdown links. `baseline` is a sentence that compares
    the assessment with a baseline.  Raises InputError where a template fails.
    """
    from threatmodel.render.report.report import DETAILED, report

    if template in {"md", "full.md"}:
        return report(assessment, template, picture_file=picture_file, baseline=baseline)
    from threatmodel.render.report.pictures import pictures

    return report(assessment, template, pictures(assessment, detailed=template in DETAILED), picture_file, baseline)


def render_dfd(model: Graph, view: Literal["runtime", "deployment", "identity", "all"] = "runtime") -> str:
    """The data-flow diagram of one plane, or of all, as Graphviz's DOT."""
    from threatmodel.render.dfd import dfd

    return dfd(model, view=view)


def render_sequence(model: Graph, form: Literal["plantuml", "mermaid"] = "plantuml") -> str:
    """The sequence diagram."""
    from threatmodel.render import sequence

    return sequence.mermaid(model) if form == "mermaid" else sequence.plantuml(model)


def render_json(assessment: Assessment) -> Iterator[str]:
    """The whole assessment as JSON, in pieces: a versioned contract, whose schema ``tm schema assessment`` prints."""
    from threatmodel.render.contract.assessment import parts
    from threatmodel.render.streaming import json_pieces

    return json_pieces(parts(assessment))


def render_problems(error: InputError, files: Files) -> str:
    """What is wrong with the input, as people read it: a block a problem, with its line and a caret.

    `files` is what was read with: it knows the lines.
    """
    from threatmodel.reading.problems import shown

    return shown(error.problems, files.read) + "\n"


def to_pytm(model: Graph, library: Library, assessment: Assessment | None = None) -> ThreatModel:
    """The same as a genuine pytm model, whose `--report` prints ours where there is an assessment."""
    from threatmodel.pytm_model.model import to_pytm as made

    if assessment is None:
        return made(model, library)
    from threatmodel.render.report.report import report

    return made(model, library, assessment, partial(report, assessment))


def draw(dot: str, form: Literal["svg", "png", "pdf", "dot"] = "svg") -> bytes:
    """A diagram in DOT as a picture.  Raises InputError where it cannot be drawn."""
    from threatmodel.reading.problems import Place
    from threatmodel.render.draw import DrawError
    from threatmodel.render.draw import draw as drawn

    try:
        return drawn(dot, form, os.environ.get("DOT", ""))
    except DrawError as error:
        raise refusal("cannot-draw", Place(form, 0), str(error)) from None


def _today() -> datetime.date:
    return datetime.datetime.now().astimezone().date()
