"""One run of the command line: its arguments, and what commands need: the model, the library, the output."""

from __future__ import annotations

import argparse
import datetime
import os
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, cast

from threatmodel.api import Running, assess, layered, weighed
from threatmodel.command.arguments import names
from threatmodel.command.settings import NONE, Settings
from threatmodel.reading.cache import is_on
from threatmodel.reading.files import Files, is_folder, shown_path
from threatmodel.reading.former import Renamed
from threatmodel.reading.home import CLONE, MODELS
from threatmodel.reading.output import Content, write
from threatmodel.reading.problems import InputError, Place, Problem, listed, quoted, refusal
from threatmodel.reading.project import real_path
from threatmodel.reading.whole import is_stream

if TYPE_CHECKING:  # most commands do not need these: importing them late keeps the start-up fast
    from threatmodel.assessment.assessed import Assessment
    from threatmodel.graph.building import Graph
    from threatmodel.library.entries import Library
    from threatmodel.model.system import Exclusion, System
    from threatmodel.reading.replacing import Replacing

MODEL = MODELS / "slack-lambda.yaml"
"""The default model, in the clone of this project."""


def in_clone() -> bool:
    """Return whether the working directory is in the clone that runs."""
    return CLONE is not None and real_path(Path.cwd()).is_relative_to(CLONE)


PICTURES = {".svg": "svg", ".png": "png", ".pdf": "pdf", ".dot": "dot", ".gv": "dot"}
"""The suffixes of picture files, with the format of each."""

_ELSEWHERE = "choose another output, or add --force"
_DRAWN = (".svg", ".png", ".pdf")
"""Suffixes that no text is written to."""


def several_models(where: str, models: Sequence[Path]) -> InputError:
    """Return what is said where one model is needed and several are configured."""
    names = listed([shown_path(path) for path in models])
    return refusal(
        "several-models", Place(where, 0), f"there are several models: {names}", f"name one: -m {shown_path(models[0])}"
    )


def without_excluded(graph: Graph, exclusions: tuple[Exclusion, ...]) -> Graph:
    """Return a graph whose system has the exclusions of a configuration."""
    if not exclusions:
        return graph
    from threatmodel.reading.values import replace

    return replace(graph, system=replace(graph.system, exclusions=exclusions))


def refuse_picture(path: Path) -> None:
    """Raise InputError where a text would be written to a file with the suffix of a picture."""
    if path.suffix.lower() in _DRAWN:
        message = f"'{path.suffix}' is a picture format, but this output is text"
        raise refusal("unknown-format", str(path), message, "use another suffix, or use --dfd to draw a picture")


class Invocation:
    """One run of the command line; `again` returns it with other files, and `inputs` are files that it has read.

    `misused` ends it with a usage error. `output` is None for standard output. `named` and `given` are the model and
    the libraries on the command line. `remembers`: results that earlier runs have cached may be used.
    """

    def __init__(
        self,
        args: argparse.Namespace,
        files: Files,
        misused: Callable[[str], NoReturn],
        settings: Settings = NONE,
        again: Callable[[Files], Invocation] | None = None,
    ) -> None:
        self.args = args
        self.files = files
        self.misused = misused
        self.named: Path | None = getattr(args, "model", None)
        self.settings = settings
        self.again = again if again is not None else lambda _: self
        self.inputs: list[Path] = []
        self.given: Sequence[Path] = settings.of("library")
        self.excluded: Sequence[str] = names(getattr(args, "exclude", ""))
        self.today: datetime.date = getattr(args, "today", None) or datetime.datetime.now().astimezone().date()
        output: str | None = getattr(args, "output", None)
        self.folder = Path(output) if output and (output.endswith(("/", os.sep)) or is_folder(Path(output))) else None
        self.output = Path(output) if output and output != "-" else None
        self.force: bool = getattr(args, "force", False)

        gating = any(getattr(args, name, None) is not None for name in ("baseline", "policy"))
        self.remembers = is_on(gating=gating)
        self.running = Running(remember=self.remembers, work=getattr(args, "work", None))

    # --- what a command needs

    @property
    def model(self) -> Path:
        """The model that is named, or the one that is found. Raises InputError where there is none, or several."""
        found = self._found()
        if found is None:
            from threatmodel.model.search import no_model

            raise no_model(Path.cwd())
        return found

    def _found(self) -> Path | None:
        if self.named is not None:
            return self.named
        if stated := self.settings.of("models"):
            if len(stated) > 1:
                raise several_models(self.settings.held["models"].origin, stated)
            return cast("Path", stated[0])
        if in_clone():
            return MODEL
        from threatmodel.model.search import found_model

        return found_model(self.files, Path.cwd())

    def layers(self) -> Sequence[Path]:
        """Return the libraries on top of the toolkit's: those of the model, if any, and of the command line."""
        from threatmodel.model.load import libraries_of

        found = self._found()
        return [*(libraries_of(self.files, found) if found is not None else ()), *self.given]

    def graph(self) -> Graph:
        """Return the graph of the model and its evidence, for outputs that only draw it."""
        return weighed(self.model, self.files, self.today, None, self.running)

    def library(self) -> Library:
        """Return the library with those of the model, if one is found, and of the command line on top."""
        return layered(self.layers(), self.files, remember=self.remembers)

    def library_of(self, graph: Graph) -> Library:
        """Return the library with those of a graph's model and of the command line on top."""
        return layered([*graph.system.libraries, *self.given], self.files, remember=self.remembers)

    def assessment(self) -> Assessment:
        """Return the assessment of the model."""
        return self.assessed(self.model, self.files)

    def assessed(self, model: Path, files: Files) -> Assessment:
        """Return the assessment of a model with the libraries that it and the command line name."""
        libraries: list[Library] = []

        def library_of(system: System, read: Files) -> Library:
            libraries.append(layered([*system.libraries, *self.given], read, remember=self.remembers))
            return libraries[0]

        graph = weighed(model, files, self.today, library_of, self.running)
        library = libraries[0] if libraries else library_of(graph.system, files)
        graph = without_excluded(graph, self.settings.exclusions)
        found = assess(graph, library, today=self.today, excluded=self.excluded)
        files.renamed += found.renamed
        return found

    def current(self, name: str, library: Library, argument: str) -> str:
        """Return an argument such as ``id@element`` with current names; a former one is warned of."""
        from threatmodel.library.current import current_name

        new = current_name(name, library)
        if new != name:
            self.files.renamed.append(Renamed(Place(argument, 0), name, new))
        return new

    def renamed(self, files: Files) -> None:
        """Take over the former names that were read by other means than this run's own."""
        self.files.renamed += files.renamed

    # --- what it writes

    def refuse_pictures(self) -> None:
        """Raise InputError where the output has the suffix of a picture."""
        if self.output is not None:
            refuse_picture(self.output)

    def refuse_others(self, paths: Sequence[Path], system: System) -> None:
        """Raises InputError where one of these files holds another model's report, unless the run may replace it."""
        if self.force:
            return
        from threatmodel.render.report.report import written_for

        problems = []
        for path in (one for one in paths if not is_stream(one)):
            file, name = written_for(path) or (system.file, system.name)
            if file != system.file and (Path(file).name, name) != (Path(system.file).name, system.name):
                message = f"the file holds the report of another model, {quoted(name)} ({file})"
                place = Place(f"output {path}")
                problems.append(Problem(code="unwritable-file", place=place, message=message, hint=_ELSEWHERE))
        if problems:
            raise InputError(problems)

    def print(self, content: Content, sources: Collection[str] = ()) -> int:
        """Writes a result where it was asked for; returns exit code 0.

        `sources` are endings of source files that this result may have.
        """
        if self.folder is not None:
            raise refusal("unwritable-file", str(self.folder), "this is a folder", "name a file")
        self.write(content, self.output, sources)
        return 0

    def write(self, content: Content, path: Path | None, sources: Collection[str] = ()) -> None:
        """Write a result; it replaces only an earlier output."""
        write(content, path, self.replacing(sources) if path is not None else None)

    def replacing(self, sources: Collection[str] = ()) -> Replacing:
        """What an output of this run may replace."""
        from threatmodel.reading.replacing import Replacing

        return Replacing(inputs=self.files.paths, force=self.force, sources=sources)


def models_of(request: Invocation) -> list[Path]:
    """Return the models of a command that takes several, each once: the arguments, -m, or the one that is found."""
    named: list[Path] = request.args.models
    if named and request.named is not None:
        request.misused(f"-m {request.named} and {named[0]} both name a model; give only one")
    found: dict[Path, Path] = {}
    stated = () if request.named is not None else request.settings.of("models")
    for one in named or stated or [request.model]:
        found.setdefault(real_path(one), one)
    return list(found.values())
