"""`tm.py init`: create the first files of a threat model in a repository."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from threatmodel.command.arguments import Parser, path, text
from threatmodel.command.new import carry_out
from threatmodel.command.request import Invocation, in_clone
from threatmodel.reading.files import Files, shown_path
from threatmodel.reading.home import COMMAND, CONTENT
from threatmodel.reading.problems import InputError, Place, refusal, visible

if TYPE_CHECKING:
    from threatmodel.authoring.starting import FirstFiles
    from threatmodel.command.config_file import Config

DESCRIPTION = (
    "Create a first model, a platform file, an empty library, the schema for editors, a baseline and a configuration. "
    "The model describes what the template, plan or serverless.yml in this folder deploys. With --source, a workflow "
    "checks it in CI. Run it in the root of your repository. Nothing is overwritten: if one of the files exists, "
    "nothing is written."
)


def options(parser: Parser) -> None:
    """Declare the command's options."""
    from threatmodel.authoring.workflow import FORMS
    from threatmodel.model.evidence_shape import STACK_KINDS

    parser.add_argument(
        "--from",
        dest="sources",
        type=path,
        nargs="+",
        default=[],
        metavar="FILE",
        help="the files or folders that are deployed together (default: found in this folder)",
    )
    parser.add_argument("--kind", choices=STACK_KINDS, help="the kind of those files (default: detected)")
    parser.add_argument("--empty", action="store_true", help="import nothing: start with an example of a model")
    parser.add_argument(
        "--source",
        type=text,
        metavar="PIN",
        help=f"what the workflow for CI installs: {FORMS} (default: no workflow)",
    )


def run(request: Invocation) -> int:
    """Write the files, and print the next steps."""
    from threatmodel.authoring.planned import Plan
    from threatmodel.authoring.starting import BASELINE, CHECK, Wanted, checked_in_ci, first_files, refuse_existing
    from threatmodel.authoring.workflow import pinned

    args, here = request.args, Path()
    if request.output is not None or request.folder is not None:
        request.misused("init writes to the working directory; remove -o")
    if in_clone():
        request.misused("init is for your own repository; this is the toolkit's clone, which has a model")
    if args.empty and args.sources:
        request.misused("--empty and --from exclude each other; give only one")
    pin = pinned(args.source) if args.source else ""
    there = _model_here(here, request.files)
    if there is not None:
        if not pin:
            raise _has_model(there)
        texts = checked_in_ci(here, pin, "tm check" if _baseline_configured(request, here) else CHECK)
        refuse_existing([*texts])
        carry_out(Plan(tuple((file, text, "") for file, text in texts.items()), (*_baseline_first(here),)))
        return 0
    configured = _configured_here(request, here) is not None
    first = first_files(here, request.files, Wanted(args.sources or _found(request), args.kind or "", pin, configured))
    baseline, failing = _baseline(request, first)
    texts = {**first.texts, here / BASELINE: baseline}
    carry_out(Plan(tuple((file, text, "") for file, text in texts.items()), (*_then(first, failing, pin),)))
    return 0


def _model_here(here: Path, files: Files) -> Path | None:
    """Return a model that is in this very folder; one above it describes another part of the repository."""
    from threatmodel.model.search import models_in

    return next(iter(models_in(files, here, here)), None)


def _configured_here(request: Invocation, here: Path) -> Config | None:
    """Return the configuration in this very folder; one above it gets one of the folder's own beside it."""
    from threatmodel.command.settings import configuration

    found = configuration(request.files, here)
    return found if found is not None and found.file.parent == here else None


def _baseline_configured(request: Invocation, here: Path) -> bool:
    found = _configured_here(request, here)
    return found is not None and "baseline" in found.values


def _has_model(model: Path) -> InputError:
    name = shown_path(model)
    message = "this folder has a threat model already"
    hint = (
        f"add what a template deploys with '{COMMAND} import TEMPLATE --update {name}', or the workflow with "
        f"'{COMMAND} init --source PIN'"
    )
    return refusal("already-exists", Place(name, 0), message, hint)


def _found(request: Invocation) -> list[Path]:
    """Return what to import where nothing is named; nothing for an example."""
    if request.args.empty:
        return []
    from threatmodel.authoring.importing.sources import beside

    found = beside(Path(), request.files)
    return [] if found is None else [found]


def _baseline(request: Invocation, first: FirstFiles) -> tuple[str, int]:
    """Return the baseline of the new model, before any file is written, and how many of its results fail."""
    from threatmodel.assessment.gate.baseline import taken
    from threatmodel.assessment.gate.baseline_file import key_in, written
    from threatmodel.assessment.gate.judging import judge
    from threatmodel.assessment.gate.results import Rules
    from threatmodel.authoring.starting import BASELINE

    as_written = Files(CONTENT, texts={str(path): text for path, text in first.texts.items()})  # also the workflow
    assessment = request.assessed(first.model, as_written)
    results = judge(assessment, Rules())
    known = {key_in(Path(BASELINE), first.model): taken(assessment, results)}
    return written(known), sum(result.fails for result in results)


def _baseline_first(here: Path) -> Iterator[str]:
    """Yield what to do before the workflow of a model that exists can be green."""
    from threatmodel.authoring.starting import BASELINE

    if not (here / BASELINE).exists():
        yield f"next: {COMMAND} check --baseline {BASELINE} --write-baseline, which the workflow compares with"


def _then(first: FirstFiles, failing: int, pin: str) -> Iterator[str]:
    """Yield what an author should know of what was written, and what to do next."""
    from threatmodel.authoring.starting import BASELINE, CONFIG

    yield from map(visible, first.notes)
    if not failing:
        yield f"{BASELINE}: nothing fails today; what is new or worse fails from here on"
    else:
        yield f"{BASELINE}: {failing} results fail today and are recorded; what is new or worse fails from here on"
    if not pin:
        yield f"no workflow was written: name what it installs, {COMMAND} init --source {_example()}"
    check = "check" if Path(CONFIG) in first.texts else f"check --baseline {BASELINE}"
    yield f"next: {COMMAND} {check}, and commit these files"
    yield f"      {COMMAND} ask asks what no file shows; {COMMAND} --report html -o report.html shows what is open"
    yield f"      state facts in {shown_path(first.model)} ({COMMAND} --describe function lists them)"


def _example() -> str:
    from threatmodel.authoring.workflow import FORMS

    return FORMS.partition(",")[0]
