"""A file of infrastructure code to a stack, by the kind that a model or a command says it is."""

from __future__ import annotations

from pathlib import Path

from threatmodel.reading.files import Files, shown_path
from threatmodel.stacks.assumed import DEFAULTS, Assumed
from threatmodel.stacks.stack import Stack

STATES = (".tfstate", ".backup")
"""How the names of Terraform's states end, the one before the last change too."""
LARGEST_PLAN = 64 * 1024 * 1024
"""Bytes of a plan: it says everything three times."""


def read(kind: str, path: Path, files: Files, assumed: Assumed = DEFAULTS) -> Stack:
    """The stack in a file, in a world that it leaves open.  Raises InputError where the file cannot be used."""
    name = shown_path(path)
    match kind:
        case "plan":
            from threatmodel.stacks.terraform import reader as terraform

            return terraform.read(files.text(path, LARGEST_PLAN, "plan a part of it (-target)"), name)
        case "state":
            from threatmodel.stacks.terraform import state_reader

            return state_reader.read(files.text(path, LARGEST_PLAN, "write the state of a part of it"), name)
        case "serverless":
            from threatmodel.stacks.serverless import reader as serverless
            from threatmodel.stacks.serverless.included import Included
            from threatmodel.stacks.serverless.package import package_of

            return serverless.read(files.text(path), name, assumed, package_of(path, files), Included(path, files))
        case _:
            from threatmodel.stacks import nested

            return nested.read(path, files, assumed)


def shows_deployed(kind: str, path: Path, files: Files) -> bool:
    """Return whether a file of a kind is what was deployed, as AWS or a state has it.  Raises InputError."""
    if kind != "template":
        return kind == "state"
    text = files.text(path)
    processed = "SamResourceId" in text and "AWS::Serverless-2016-10-31" not in text
    if not processed and "TemplateBody" not in text and text.lstrip()[:1] != '"':
        return False  # most templates: they are parsed once, when they are read
    from threatmodel.stacks.cloudformation import document
    from threatmodel.stacks.cloudformation.file import is_deployed, template_in

    root = document.parse(text, shown_path(path))
    return is_deployed(root.root, template_in(root, shown_path(path)).root)


def kind_of(path: Path, files: Files) -> str:
    """What a file probably is, by its name and first look, as a key of the evidence.  Raises InputError."""
    if path.name.startswith(("serverless.", "serverless-compose.")):
        return "serverless"
    if path.suffix in STATES:
        return "state"
    if path.suffix == ".json":
        text = files.text(path, LARGEST_PLAN)
        state = '"terraform_version"' in text and ('"values"' in text or '"lineage"' in text)
        return "plan" if '"planned_values"' in text else "state" if state else "template"
    keys = {line.split(":", 1)[0] for line in files.text(path).splitlines() if line[:1].isalpha()}
    return "serverless" if {"service", "provider"} <= keys else "template"
