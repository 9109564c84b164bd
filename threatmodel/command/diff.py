"""`tm.py diff`: what changed in a threat model, between two files or two revisions."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from threatmodel.command.arguments import Parser, common, path, text
from threatmodel.command.request import Invocation
from threatmodel.reading.files import Files, is_folder
from threatmodel.reading.home import CONTENT, EXPLAINED_BY
from threatmodel.reading.output import complain
from threatmodel.reading.problems import InputError, Place, Problem, quoted, visible
from threatmodel.reading.problems import told as problems_told
from threatmodel.reading.project import real_path, repository

DESCRIPTION = (
    "Holds two models, two files that --json wrote, or two revisions (main..HEAD; one revision: against the work tree) "
    "against each other: first the controls and proofs that were lost, the flows that cross a boundary, the findings "
    "that became worse. Reordering and reformatting show nothing. Exit code 0, also where something differs."
)
_FORMS = ("text", "json", "markdown", "dot")
_SUFFIXES = {".yaml", ".yml", ".json"}
_DRAWN = {".svg", ".png", ".pdf"}


def options(parser: Parser) -> None:
    """Declares its options."""
    parser.add_argument("before", type=text, metavar="BEFORE", help="a model, a JSON file, a revision, or REV..REV")
    parser.add_argument("after", type=text, nargs="?", metavar="AFTER", help="the same, later")
    common(parser)
    parser.add_argument(
        "--models", type=path, nargs="+", metavar="MODEL", help="with revisions: several models, told together"
    )
    parser.add_argument(
        "--format",
        choices=_FORMS,
        default="text",
        help="how it is told (default: text); -o FILE.svg, .png or .pdf draws what changed",
    )


def run(request: Invocation) -> int:
    """Prints what changed."""
    from threatmodel.assessment.changes import changes
    from threatmodel.render import changed
    from threatmodel.render.comment import as_markdown

    if request.args.models:
        return _several(request)
    drawn = request.output is not None and request.output.suffix.lower() in _DRAWN
    before, after = _sides(request)
    found = changes(before, after)
    if drawn or request.args.format == "dot":
        picture = changed.as_dot(before, after, found)
        if not drawn or request.output is None:
            return request.print(picture)
        from threatmodel.command.drawing import drawn as draw

        return request.print(draw(picture, request.output))
    forms = {"text": changed.as_text, "json": changed.as_json, "markdown": as_markdown}
    return request.print(forms[request.args.format](found))


Assessed = Mapping[str, Any]


def _several(request: Invocation) -> int:
    """Prints what changed in several models between two revisions; 2 where one cannot be used."""
    from threatmodel.assessment.changes import Changes, changes
    from threatmodel.render.changed import as_text
    from threatmodel.render.comment import of_several

    args = request.args
    if args.after is not None or request.named is not None or args.format not in {"text", "markdown"}:
        request.misused("--models takes revisions (main..HEAD), as text or markdown, and no -m")
    found: dict[str, Changes] = {}
    unheld: dict[str, str] = {}
    code = 0
    for model in args.models:
        request.named = model
        try:
            before, after = _sides(request)
        except InputError as error:
            complain(problems_told(error, request.files.read, EXPLAINED_BY))
            first = error.problems[0]
            unheld[str(model)] = f"{first.code}: {first.message}"
            code = 0 if first.code == "missing-file" and model.is_file() and code == 0 else 2
        else:
            found[str(model)] = changes(before, after)
    if args.format == "text":
        request.print("\n".join(f"{visible(name)}\n{as_text(one)}" for name, one in found.items()))
        return code
    request.print(of_several(found, unheld, f"tm diff {args.before} -m MODEL"))
    return code


def _sides(request: Invocation) -> tuple[Assessed, Assessed]:
    """Both sides as JSON has them.  Raises InputError where one cannot be had."""
    before, after = request.args.before, request.args.after
    if after is None and ".." in before:
        dots = "..." if "..." in before else ".."
        first, _, last = before.partition(dots)
        first, last = first or "HEAD", last or "HEAD"
        return _at(first, request, since=last if dots == "..." else ""), _at(last, request)
    if after is None:
        return _at(before, request), _of_model(request.model, request)
    return _one(before, request), _one(after, request)


def _one(named: str, request: Invocation) -> Assessed:
    """A side that is named alone: a file of JSON, a model, or a revision."""
    path = Path(named)
    if path.is_file():
        _refuse_both(named, request)
        return _of_json(path, request) if path.suffix == ".json" else _of_model(path, request)
    if is_folder(path) or path.suffix in _SUFFIXES:
        return _of_model(path, request)  # says what is wrong
    return _at(named, request)


def _refuse_both(named: str, request: Invocation) -> None:
    """Raises InputError where a file is named as a revision is: a pull request can add one that hides the revision."""
    from threatmodel.command.revisions import is_revision

    if Path(named).suffix in _SUFFIXES or named.startswith(("./", "../", os.sep)):
        return
    root = repository(Path.cwd() if request.named is None else request.named.parent)
    if root is not None and is_revision(root, named):
        hint = f"write ./{named} for the file, or refs/heads/{named} for a branch"
        message = f"{quoted(named)} is a file and a revision"
        raise InputError([Problem(code="unknown-revision", place=Place(named), message=message, hint=hint)])


def _of_json(path: Path, request: Invocation) -> Assessed:
    """An assessment that --json wrote.  Raises InputError where a file is none."""
    place = Place(str(path))
    try:
        found = json.loads(request.files.text(path, largest=1 << 30))
    except (ValueError, RecursionError):
        found = None
    version = str(found.get("schema_version", "")) if isinstance(found, dict) else ""
    parts = ("model", "summary", "elements", "flows", "findings", "controls")
    if not isinstance(found, dict) or not version or any(part not in found for part in parts):
        message, hint = f"{quoted(path.name)} is no assessment", "tm --json FILE writes one"
        raise InputError([Problem(code="no-assessment", place=place, message=message, hint=hint)])
    if version.partition(".")[0] != "1":
        message, hint = (
            f"this assessment has the schema {version}; this version reads 1",
            "write it anew: tm --json FILE",
        )
        raise InputError([Problem(code="no-assessment", place=place, message=message, hint=hint)])
    return found


def _of_model(path: Path, request: Invocation, files: Files | None = None) -> Assessed:
    """A model, assessed."""
    from threatmodel.render.contract.assessment import contract

    return contract(request.assessed(path, files or Files(CONTENT)))


def _at(revision: str, request: Invocation, since: str = "") -> Assessed:
    """The model at a revision: the same path there as here.  The work tree is not touched."""
    from threatmodel.command.revisions import merge_base, unpacked
    from threatmodel.reading.git import located

    root, model = located(request.model)
    revision = merge_base(root, revision, since) if since else revision
    with ExitStack() as stack:
        folder = real_path(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tm-diff-"))))
        unpacked(root, revision, folder)
        there = folder / model
        if not real_path(there).is_relative_to(folder):
            message, hint = f"{quoted(model.as_posix())} is a link that leaves the repository", "commit the file itself"
            raise InputError([Problem(code="outside-project", place=Place(revision), message=message, hint=hint)])
        if not there.is_file():
            message = f"{quoted(model.as_posix())} is not there at {quoted(revision)}"
            hint = "name a later revision, or two files"
            raise InputError([Problem(code="missing-file", place=Place(revision), message=message, hint=hint)])
        here = Path.cwd()
        request.given = [real_path(layer) for layer in request.given]
        try:
            os.chdir(folder)  # so that places are told as from the root of the repository
            found = _of_model(model, request)
        except InputError as error:
            said = [f"{problem.place}: {problem.code}: {problem.message}" for problem in error.problems]
            message, hint = f"the model cannot be used at {quoted(revision)}: {said[0]}", "name another revision"
            raise InputError(
                [Problem(code="unusable-revision", place=Place(revision), message=message, hint=hint)]
            ) from None
        finally:
            os.chdir(here)
        return found
