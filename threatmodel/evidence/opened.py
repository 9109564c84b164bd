"""A file of infrastructure code that a model names as evidence, opened in one of the worlds that it leaves open."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from threatmodel.evidence.mappings.format import Mappings
from threatmodel.evidence.mappings.load import load_mappings, plan_mappings
from threatmodel.model.system import EvidenceFile, System
from threatmodel.reading.files import Files, shown_path
from threatmodel.stacks.assumed import DEFAULTS, Assumed
from threatmodel.stacks.readers import read
from threatmodel.stacks.stack import Stack


@cache
def mappings_of(kind: str) -> Mappings:
    """The data file for a kind of stack."""
    return plan_mappings() if kind == "terraform" else load_mappings("cloudformation")


def opened(source: EvidenceFile, system: System, files: Files, assumed: Assumed) -> Stack:
    """The stack of a file, in a world that it leaves open.  Raises InputError where the file cannot be used."""
    path = files.named(source.path, Path(system.file), source.place)
    return read(source.kind, path, files, assumed)


def assumed(source: EvidenceFile, system: System, files: Files) -> Assumed:
    """What the deployment gives the file's parameters, as far as the model names it.  Raises InputError."""
    if source.kind == "serverless" and source.stage:
        return Assumed(values={"opt:stage": source.stage}, stated={"opt:stage": source.place})
    if not source.parameters:
        return DEFAULTS
    from threatmodel.stacks.deployment import given_values

    path = files.named(source.parameters, Path(system.file), source.place)
    return given_values(files.text(path), shown_path(path), source.stage or "default")
