"""The files of infrastructure code that a path stands for: itself, or those of a folder."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from threatmodel.beside.folder import MOST_FILES, NOT_SOURCE
from threatmodel.reading.files import Files, shown_path
from threatmodel.reading.grouping import grouped
from threatmodel.reading.home import COMMAND
from threatmodel.reading.problems import InputError, Place, listed, quoted, refusal
from threatmodel.reading.project import real_path
from threatmodel.stacks import nested
from threatmodel.stacks.assumed import DEFAULTS
from threatmodel.stacks.cloudformation import document
from threatmodel.stacks.readers import LARGEST_PLAN, STATES, kind_of, shows_deployed
from threatmodel.stacks.values import Table

_MANIFEST = "manifest.json"
_ENDINGS = (".yaml", ".yml", ".json", ".template")
_STACK, _ASSEMBLY = "aws:cloudformation:stack", "cdk:cloud-assembly"
_PLAN = "terraform plan -out plan.out && terraform show -json plan.out > plan.json"


class Source(NamedTuple):
    """A file of infrastructure code, and its kind as a model's evidence has it."""

    path: Path
    kind: str


def sources(paths: Sequence[Path], kind: str, files: Files, notes: list[str]) -> tuple[Source, ...]:
    """Return the files that some paths stand for, each once, of a `kind` or of that which each seems to be.

    A file that is named twice, by whatever name, is one.  Files of a folder that cannot be read are in `notes`.

    Raises InputError where a path stands for none, or where it is unclear for which.
    """
    found: dict[Path, Source] = {}
    for path in paths:
        own = _in_folder(path, kind, files, notes) if files.has_folder(path) else (_file(path, kind, files),)
        for one in own:
            found.setdefault(real_path(one.path), one)
    return tuple(found.values())


def _file(path: Path, kind: str, files: Files) -> Source:
    for pattern, what, hint in _OTHERS:
        if re.search(pattern, str(path)) and not path.is_fifo():
            raise _refused(path, f"this is {what}", hint.format(folder=shlex.quote(shown_path(path.parent))))
    if path.name == _MANIFEST and not kind and _is_assembly(_json(path, files)):
        raise _refused(path, "this is the manifest of a CDK app", f"import its folder: {_again(path.parent)}")
    return Source(path, kind or kind_of(path, files))


_MAKES_SERVERLESS = r"serverless\.[cm]?[jt]s"
_PROGRAM = "a program that makes a serverless.yml"
_PRINTS = "run 'serverless print > serverless.yml', and import that"
_OTHERS: Sequence[tuple[str, str, str]] = (
    (r"(?i)^[a-z][a-z0-9+.-]*:/", "an address, and import reads files", "download the file, and import it by its path"),
    (
        r"\.tf(\.json)?$|\.tofu$",
        "Terraform configuration, of which only the plan has the values",
        f"import a plan: {_PLAN}",
    ),
    (r"\.tfvars$", "a file of Terraform variables", f"import a plan: {_PLAN}"),
    (rf"(^|/){_MAKES_SERVERLESS}$", _PROGRAM, _PRINTS),
    (
        r"\.([cm]?[jt]sx?|py|go|java|cs|kt|rb)$",
        "a program, and import runs none",
        f"for a CDK app, run 'cdk synth' and then '{COMMAND} import cdk.out'",
    ),
    (r"(^|/)cdk\.json$", "the configuration of a CDK app", f"run 'cdk synth' and then '{COMMAND} import cdk.out'"),
    (r"(^|/)samconfig\.(toml|ya?ml)$", "the configuration of the SAM CLI", "import the template that it deploys"),
)
"""What a file is by its name, and what to run instead."""


def _in_folder(folder: Path, kind: str, files: Files, notes: list[str]) -> tuple[Source, ...]:
    """The files of a folder that are deployed together."""
    manifest = folder / _MANIFEST
    if files.has(manifest) and _is_assembly(_json(manifest, files)):
        return tuple(Source(path, kind or "template") for path in _stacks(manifest, files))
    found = list(_candidates(folder, kind, files, notes))
    if not found and files.has(folder / _CDK_OUT / _MANIFEST):
        return _in_folder(folder / _CDK_OUT, kind, files, notes)
    written = [one for one in found if not shows_deployed(one.kind, one.path, files)] or found
    kinds = {one.kind for one in written}
    if len(kinds) > 1 or sum(one.kind == "plan" for one in written) > 1:
        names = listed(shlex.quote(shown_path(one.path)) for one in written)
        message = f"this folder has files that may describe the same system: {names}"
        raise _refused(folder, message, "import those that are deployed together by name")
    if found:
        return tuple(_not_nested(found, files))
    program = _made_by(folder)
    below = () if program else _folders_below(folder, files, notes)
    if len(below) == 1:
        return _in_folder(below[0], kind, files, notes)
    if not program and not below:
        folder = _configured_below(folder, files)
        program = _made_by(folder)
    message, hint = program or _nothing(below)
    raise _refused(folder, "; ".join((message, *notes)), hint)


def _not_nested(found: Sequence[Source], files: Files) -> Iterator[Source]:
    """The files that no other nests; of templates that nest each other in a circle, the first one."""
    inside = {one: frozenset(_nested_in(one.path, files) if one.kind == "template" else ()) for one in found}
    nested = frozenset[str]().union(*inside.values())
    read: set[str] = set()
    for one in sorted(found, key=lambda one: shown_path(one.path) in nested):
        if shown_path(one.path) not in read:
            yield one
            read |= inside[one]


def beside(here: Path, files: Files) -> Path | None:
    """Return the folder to import for a repository: itself, or the one folder in it that has infrastructure code.

    None where there is none.  Raises InputError where it is unclear what is deployed together, and where the code
    first has to be turned into a file that can be read.
    """
    own = list(_not_nested([*_candidates(here, "", files, [])], files))
    program = None if own else _made_by(here)
    found = [here] if own else [] if program else [*_folders_below(here, files, [])]
    if len(own) > 1 or len(found) > 1:
        names = [shlex.quote(shown_path(one.path)) for one in own] or [shlex.quote(shown_path(one)) for one in found]
        what = "templates" if own else "folders with templates"
        message = f"there are {len(names)} {what}: {listed(names)}"
        hint = f"name those that are deployed together: {COMMAND} init --from {names[0]}"
        raise refusal("several-templates", Place(shown_path(here), 0), message, hint)
    if program:
        raise _refused(here, *program)
    return found[0] if found else None


_CDK_OUT = "cdk.out"
"""The folder of what the CDK writes, in that of the app."""
_DEEPEST = 4
"""Folders on the way to infrastructure code that is found without its name."""
_LARGEST = 1024 * 1024
"""Characters of a file that may be infrastructure code."""
_OF_AWS = re.compile(r"\bAWS::[A-Z]\w*::[A-Z]|\A\s*\{.{0,2000}\"planned_values\"", re.DOTALL)
_CONFIGURES = frozenset((".tf", ".tofu"))
_MOST_UNREAD = 5
"""Files below a folder that are named because they cannot be read."""
_COPIES = frozenset(("test", "tests", "__tests__", "fixtures", "example", "examples", "sample", "samples", "docs"))
"""Names of folders with infrastructure code of other systems."""


def _folders_below(folder: Path, files: Files, notes: list[str]) -> Sequence[Path]:
    """Return the folders below that have infrastructure code; hidden ones have copies.

    Those of tests and examples count where there is no other.  The first files that cannot be read are in `notes`.
    """
    unread: list[str] = []
    found = [one for one in files.below(folder, [], NOT_SOURCE, MOST_FILES) if _may_be(one, folder, files, unread)]
    notes += unread[:_MOST_UNREAD]
    notes += [f"and {len(unread) - _MOST_UNREAD} more that were not read"] if len(unread) > _MOST_UNREAD else []
    alone = [one.path for one in _not_nested([Source(path, "template") for path in found], files)]
    own = [path for path in alone if not _COPIES & {part.lower() for part in path.relative_to(folder).parts}]
    return sorted({path.parent for path in own or alone})


def _configured_below(folder: Path, files: Files) -> Path:
    """Return the folder nearest below that has Terraform configuration; the folder itself where none has any."""
    below = files.below(folder, [], NOT_SOURCE, MOST_FILES)
    found = {one.parent for one in below if one.suffix in _CONFIGURES and not _is_hidden(one, folder)}
    return min(found, key=lambda one: (len(one.parts), one), default=folder)


def _is_hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def _may_be(path: Path, folder: Path, files: Files, unread: list[str]) -> bool:
    """Whether a file below a folder is infrastructure code, by its name or by the types that it names.

    Why one cannot be read, as it is large or no text, is added to `unread`.
    """
    parts = path.relative_to(folder).parts
    if not 1 < len(parts) <= _DEEPEST + 1 or _is_hidden(path, folder):
        return False
    if path.name in {"serverless.yml", "serverless.yaml"} or re.fullmatch(_MAKES_SERVERLESS, path.name):
        return True
    if path.suffix not in _ENDINGS:
        return False
    try:
        return _OF_AWS.search(files.text(path, _LARGEST)) is not None
    except InputError as error:
        unread += _not_read(error)
        return False


def _not_read(error: InputError) -> list[str]:
    return [f"{one.place}: not read: {one.message}; {one.hint}" for one in error.problems]


def _made_by(folder: Path) -> tuple[str, str] | None:
    """What is said of a folder with a program that makes infrastructure code, and what to do; None for any other."""
    for path in sorted(folder.iterdir()):
        if path.suffix in _CONFIGURES:
            return "this is Terraform configuration without a plan as JSON", f"import a plan: {_PLAN}"
        if path.name == "cdk.json" and not (folder / _CDK_OUT / _MANIFEST).is_file():
            made = f"run 'cdk synth' and then '{_again(folder / _CDK_OUT)}'"
            return "this is a CDK app that is not synthesized", made
        if path.name == ".chalice":
            made = f"run 'chalice package packaged' and then '{_again(folder / 'packaged')}'"
            return "this is a Chalice app, of which only its package has a template", made
        if re.fullmatch(_MAKES_SERVERLESS, path.name):
            return f"{path.name} is {_PROGRAM}, and import runs none", _PRINTS
    return None


def _nothing(below: Sequence[Path]) -> tuple[str, str]:
    """What is said of a folder without infrastructure code, and what to do."""
    hint = "name the file that is deployed"
    if below:
        hint = f"import the folders that are deployed together: {_again(*below)}"
    return "there is no template, plan as JSON or serverless.yml in this folder", hint


def _again(*paths: Path) -> str:
    return f"{COMMAND} import {' '.join(shlex.quote(shown_path(one)) for one in paths)}"


def _candidates(folder: Path, kind: str, files: Files, notes: list[str]) -> Iterator[Source]:
    """The files of a folder that are infrastructure code; one that is no text is noted.

    Raises InputError where one that is infrastructure code cannot be used.
    """
    for path in sorted(folder.iterdir()):
        if path.suffix in {*_ENDINGS, STATES[0]} and path.is_file() and not path.name.startswith("."):
            try:
                files.text(path, LARGEST_PLAN)
            except InputError as error:
                notes += _not_read(error)
                continue
            if found := _kind(path, files):
                yield Source(path, kind or found)


def _kind(path: Path, files: Files) -> str:
    """The kind of a file of infrastructure code; '' for any other."""
    text = files.text(path, LARGEST_PLAN)
    try:
        root = json.loads(text) if path.suffix in {".json", *STATES} else document.parse(text, shown_path(path)).root
    except (InputError, ValueError, RecursionError):
        if _RESOURCES.search(text):
            return kind_of(path, files)
        return ""
    entries: Mapping[str, Any] = root.entries if isinstance(root, Table) else root if isinstance(root, dict) else {}
    if "planned_values" in entries:
        return "plan"
    if "terraform_version" in entries and ("values" in entries or "lineage" in entries):
        return "state"
    if {"service", "provider"} <= entries.keys():
        return "serverless"
    if "TemplateBody" in entries:
        return "template"
    return "template" if isinstance(entries.get("Resources"), Table | dict) else ""


_RESOURCES = re.compile(r"""^\s*["']?(?:Resources|planned_values|provider)["']?\s*:""", re.MULTILINE)
"""What a file that cannot be read has where it may be infrastructure code."""


def _nested_in(path: Path, files: Files) -> Iterator[str]:
    """The templates that a template nests, which are read with it; none where it cannot be read."""
    try:
        yield from (one.file for one in nested.read(path, files, DEFAULTS).nested)
    except InputError:
        return


# --- what the CDK writes


def _json(path: Path, files: Files) -> Any:
    try:
        return json.loads(files.text(path))
    except (ValueError, RecursionError):
        return None


def _is_assembly(raw: Any) -> bool:
    return isinstance(raw, dict) and isinstance(raw.get("artifacts"), dict)


def _stacks(manifest: Path, files: Files) -> Sequence[Path]:
    """The templates of a CDK app's stacks.  Raises InputError where they are deployed to several places."""
    found: dict[Path, str] = {}
    for path, where in _artifacts(manifest, files):
        found.setdefault(path, where)
    if not found:
        raise _refused(manifest, "no stack is found in this manifest of a CDK app", _by_name(manifest))
    by_place = grouped((where, path) for path, where in found.items())
    if len(by_place) > 1:
        said = "; ".join(f"{listed(map(shown_path, paths))} to {quoted(where)}" for where, paths in by_place.items())
        raise _refused(
            manifest,
            f"this CDK app is deployed to several accounts or Regions: {said}",
            "import the templates of one of them by name, or all that make up one system",
        )
    return list(found)


def _artifacts(manifest: Path, files: Files) -> Iterator[tuple[Path, str]]:
    """The template of each stack, with where it is deployed; those of stages are in folders with own manifests.

    A manifest that several name, or that names itself, is read once.
    """
    ahead, read = [manifest], set[Path]()
    for one in ahead:  # it grows on the way
        if real_path(one) not in read:
            read.add(real_path(one))
            for kind, path, where in _named_in(one, files):
                if kind == _STACK:
                    yield path, where
                else:
                    ahead.append(path / _MANIFEST)


def _named_in(manifest: Path, files: Files) -> Iterator[tuple[str, Path, str]]:
    """The stacks and the stages that a manifest has: the kind of each, its file or folder, and where it is deployed."""
    raw = _json(manifest, files)
    if not _is_assembly(raw):
        raise _refused(manifest, "this is not a manifest of a CDK app that can be read", "run 'cdk synth' again")
    for name, artifact in raw["artifacts"].items():
        kind = artifact.get("type") if isinstance(artifact, dict) else None
        about = artifact.get("properties") if isinstance(artifact, dict) else None
        about = about if isinstance(about, dict) else {}
        if kind not in (_STACK, _ASSEMBLY):  # no set: a manifest can have anything here
            continue
        file = about.get("templateFile" if kind == _STACK else "directoryName")
        if not isinstance(file, str):
            message = f"the artifact {quoted(name)} of this manifest names no file, as those of other versions may"
            raise _refused(manifest, message, _by_name(manifest))
        files.named(file, manifest, Place(shown_path(manifest)))  # no link out of the project
        yield kind, manifest.parent / file, str(artifact.get("environment", ""))


def _by_name(manifest: Path) -> str:
    """What to do where a manifest does not give the templates beside it."""
    return f"import the templates by name: {_again(manifest.parent)}/*.template.json"  # a shell fills in the star


def _refused(path: Path, message: str, hint: str) -> InputError:
    shown = re.sub(r"^([a-z][a-z0-9+.-]*:)/(?!/)", r"\1//", shown_path(path))  # an address that was read as a path
    return refusal("not-a-template", Place(shown, 0), message, hint)
