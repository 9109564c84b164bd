"""`tm.py diff`: what changed in a threat model, between two files or two revisions."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from threatmodel.command.arguments import Parser, common, path, picture_options, text
from threatmodel.command.request import Invocation
from threatmodel.reading.files import Files, is_folder
from threatmodel.reading.home import CONTENT, EXPLAIN
from threatmodel.reading.output import complain
from threatmodel.reading.problems import InputError, Place, quoted, refusal, render_problems, visible
from threatmodel.reading.project import real_path, repository

if TYPE_CHECKING:
    from threatmodel.assessment.changes import Changes
    from threatmodel.command.config_file import Config

DESCRIPTION = (
    "Compare two models, two files that --json wrote, or two revisions. A range such as main..HEAD names two "
    "revisions; a single revision is compared with the working tree. Lost controls and proofs come first, then new "
    "flows across a boundary and findings that became worse. Reordering and reformatting are not changes. "
    "The exit code is 0 even if the two differ."
)
_FORMS = ("text", "json", "markdown", "dot")
_SUFFIXES = {".yaml", ".yml", ".json"}
_DRAWN = {".svg", ".png", ".pdf"}


def options(parser: Parser) -> None:
    """Declare the command's options."""
    parser.add_argument("before", type=text, metavar="BEFORE", help="a model, a JSON file, a revision or REV..REV")
    parser.add_argument(
        "after", type=text, nargs="?", metavar="AFTER", help="a model, a JSON file or a revision to compare it with"
    )
    common(parser)
    parser.add_argument(
        "--models",
        type=path,
        nargs="*",
        metavar="MODEL",
        help="compare several models between two revisions (default: the one that is found)",
    )
    parser.add_argument(
        "--format",
        choices=_FORMS,
        default="text",
        help="the format (default: text); with -o FILE.svg, .png or .pdf the changes are drawn",
    )
    picture_options(parser)


def run(request: Invocation) -> int:
    """Print what changed."""
    from threatmodel.render import changed
    from threatmodel.render.comment import as_markdown

    if request.args.models is not None:
        return _several(request)
    drawn = request.output is not None and request.output.suffix.lower() in _DRAWN
    before, after = (side() for side in _sides(request))
    found = _held(before, after)
    if drawn and request.output is not None:
        from threatmodel.command.drawing import fitted_to, medium_of
        from threatmodel.render.changed_picture import changed_diagram

        diagram, wanted = changed_diagram(before, after, found, request.args.view)
        medium = request.args.fit or medium_of(request.output)
        return request.print(fitted_to(diagram, medium, request.output, wanted).picture)
    if request.args.format == "dot":
        return request.print(changed.as_dot(before, after, found))
    forms = {"text": changed.as_text, "json": changed.as_json, "markdown": as_markdown}
    return request.print(forms[request.args.format](found))


Assessed = Mapping[str, Any]


Side = Callable[[], Assessed]
"""A function that returns one of the two sides; it raises InputError where the side cannot be read."""

_UNUSABLE_BEFORE = {"missing-file", "unusable-revision"}
"""Problems of the first revision that do not fail a comparison of several models: a later revision repairs them."""


def _several(request: Invocation) -> int:
    """Print what changed in several models between two revisions; return 2 where one cannot be used."""
    from threatmodel.render.changed import as_text
    from threatmodel.render.comment import of_several

    args = request.args
    if args.after is not None or request.named is not None or args.format not in {"text", "markdown"}:
        request.misused("--models needs revisions (main..HEAD) and the format text or markdown; remove -m")
    found: dict[str, Changes] = {}
    not_compared: dict[str, str] = {}
    code = 0
    for model in args.models or request.settings.of("models") or [request.model]:
        request.named = model
        first, second = _sides(request)
        repaired = False
        try:
            after = second()
            repaired = True
            found[str(model)] = _held(first(), after)
        except InputError as error:
            complain(render_problems(error, request.files.read, EXPLAIN))
            problem = error.problems[0]
            not_compared[str(model)] = f"{problem.code}: {problem.message}"
            code = code if repaired and problem.code in _UNUSABLE_BEFORE else 2
    if args.format == "text":
        request.print("\n".join(f"{visible(name)}\n{as_text(one)}" for name, one in found.items()))
        return code
    request.print(of_several(found, not_compared, f"tm diff {args.before} -m MODEL"))
    return code


def _held(before: Assessed, after: Assessed) -> Changes:
    """Return the changes, after former names on either side are replaced."""
    from threatmodel.assessment.changes import changes
    from threatmodel.assessment.former import comparable, current_json, former_in

    former = former_in(before, after)
    return changes(*comparable(current_json(before, former), current_json(after, former)))


def _sides(request: Invocation) -> tuple[Side, Side]:
    """Return functions for both sides as JSON values."""
    before, after = request.args.before, request.args.after
    if after is None and ".." in before:
        dots = "..." if "..." in before else ".."
        first, _, last = before.partition(dots)
        first, last = first or "HEAD", last or "HEAD"
        since = last if dots == "..." else ""
        return lambda: _at(first, request, since=since), lambda: _at(last, request)
    if after is None:
        return lambda: _at(before, request), lambda: _of_model(request.model, request)
    return lambda: _one(before, request), lambda: _one(after, request)


def _one(named: str, request: Invocation) -> Assessed:
    """Return one side: a JSON file, a model or a revision."""
    path = Path(named)
    if path.is_file():
        _refuse_both(named, request)
        return _of_json(path, request) if path.suffix == ".json" else _of_model(path, request)
    if is_folder(path) or path.suffix in _SUFFIXES:
        return _of_model(path, request)  # reports what is wrong with it
    return _at(named, request)


def _refuse_both(named: str, request: Invocation) -> None:
    """Raise InputError where a file has the name of a revision: a pull request can add one that hides it."""
    from threatmodel.command.revisions import is_revision

    if Path(named).suffix in _SUFFIXES or named.startswith(("./", "../", os.sep)):
        return
    root = repository(Path.cwd() if request.named is None else request.named.parent)
    if root is not None and is_revision(root, named):
        hint = f"write ./{named} for the file, or refs/heads/{named} for a branch"
        message = f"{quoted(named)} is a file and a revision"
        raise refusal("unknown-revision", named, message, hint)


def _of_json(path: Path, request: Invocation) -> Assessed:
    """Return an assessment that --json wrote. Raises InputError where a file is not one."""
    from threatmodel.api import layered
    from threatmodel.assessment.saved_assessment import saved_assessment
    from threatmodel.render.contract.assessment import SCHEMA_VERSION

    library = layered(request.given, request.files, remember=request.remembers)
    text = request.files.text(path, largest=1 << 30)
    return saved_assessment(text, Place(str(path)), library.former, SCHEMA_VERSION)


def _of_model(path: Path, request: Invocation) -> Assessed:
    """Return the assessment of a model."""
    files = Files(CONTENT)
    found = _contract(path, request, files)
    request.renamed(files)
    return found


def _contract(path: Path, request: Invocation, files: Files) -> Assessed:
    from threatmodel.render.contract.assessment import contract

    config = request.settings.config
    return {**contract(request.assessed(path, files)), "settings": config.shown() if config is not None else {}}


def _at(revision: str, request: Invocation, since: str = "") -> Assessed:
    """Return the model at a revision, at the same path as in the working tree, which is not changed."""
    from threatmodel.command.revisions import merge_base, refuse_converted, unpacked
    from threatmodel.command.temporary import temporary_folder
    from threatmodel.reading.git import located

    root, model = located(request.model)
    revision = merge_base(root, revision, since) if since else revision
    here, given, settings = Path.cwd(), request.given, request.settings
    with temporary_folder("tm-diff-") as folder:
        unpacked(root, revision, folder)
        _held_inside(folder, model, revision)
        request.given = _layers_at(given, root, folder, revision)
        files = Files(CONTENT)  # separate: a warning would be of no use, since what is committed stays
        try:
            os.chdir(folder)  # so that paths in messages start at the root of the repository
            request.settings = settings._replace(config=_config_at(files, folder, root, here))
            found = _contract(model, request, files)
        except InputError as error:
            refuse_converted(root, folder, files, revision)
            said = [f"{problem.place}: {problem.code}: {problem.message}" for problem in error.problems]
            message, hint = f"the model cannot be used at {quoted(revision)}: {said[0]}", "name another revision"
            raise refusal("unusable-revision", revision, message, hint) from None
        finally:
            request.given, request.settings = given, settings
            os.chdir(here)
        refuse_converted(root, folder, files, revision)
        return found


def _config_at(files: Files, folder: Path, root: Path, here: Path) -> Config | None:
    """Return the configuration of the working directory as it was at the revision in `folder`."""
    from threatmodel.command.settings import configuration

    place = real_path(here)
    inside = folder / place.relative_to(root) if place.is_relative_to(root) else folder
    return configuration(files, inside)


def _layers_at(given: Sequence[Path], root: Path, folder: Path, revision: str) -> list[Path]:
    """Return the libraries of the command line, those inside the repository as they are at the revision."""
    found = []
    for layer in given:
        named = next((one for one in (_named(layer), real_path(layer)) if one.is_relative_to(root)), None)
        if named is not None:
            _held_inside(folder, named.relative_to(root), revision)
        found.append(folder / named.relative_to(root) if named is not None else real_path(layer))
    return found


def _named(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 - a link is compared as each revision has it


def _held_inside(folder: Path, path: Path, revision: str) -> None:
    """Raise InputError where a path does not exist at a revision, or is a link that leaves it."""
    there = folder / path
    if not real_path(there).is_relative_to(folder):
        message, hint = f"{quoted(path.as_posix())} is a link that leaves the repository", "commit the file itself"
        raise refusal("outside-project", revision, message, hint)
    if not there.exists():
        message = f"{quoted(path.as_posix())} does not exist at {quoted(revision)}"
        raise refusal("missing-file", revision, message, "name another revision, or compare two files")
