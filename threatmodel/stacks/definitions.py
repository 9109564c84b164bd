"""Files of the project that a template names; definitions of state machines as the property `Definition`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from threatmodel.reading.files import Files, shown_path
from threatmodel.reading.problems import InputError, Problem, note, quoted
from threatmodel.reading.values import replace
from threatmodel.stacks.cloudformation import document
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Node, Table, Unknown, get, text

_FILE_IN: Mapping[str, str] = {
    "AWS::Serverless::StateMachine": "DefinitionUri",
    "AWS::StepFunctions::StateMachine": "DefinitionS3Location",
}
"""The property that names a file, where the definition is not in the template."""


def with_definitions(stack: Stack, path: Path, files: Files) -> Stack:
    """The stack of the template at `path` with what these files hold; what cannot be read is unknown, and says why."""
    problems = list(stack.problems)
    found = {
        name: _with_definition(one, location, path, files, problems)
        for name, one in stack.resources.items()
        if one.type in _FILE_IN and (location := get(one.properties, _FILE_IN[one.type])) is not None
    }
    return replace(stack, resources={**stack.resources, **found}, problems=tuple(problems)) if found else stack


def _with_definition(resource: Resource, location: Node, path: Path, files: Files, problems: list[Problem]) -> Resource:
    definition = file_at(location, path, files, problems)
    properties = resource.properties
    entries = {**properties.entries, "Definition": definition}
    return replace(resource, properties=Table(entries, properties.place, properties.keys))


def file_at(location: Node, path: Path, files: Files, problems: list[Problem]) -> Node:
    """What a file holds that the template at `path` names; what cannot be read is unknown, and says why."""
    written, place = text(location), location.place
    if not written or "://" in written:
        return Unknown("its definition is elsewhere", place)
    try:
        target = files.named(written, path, place)
        if not files.has(target):
            return Unknown(f"there is no file {quoted(written)} here", place)
        root = document.parse(files.text(target), shown_path(target)).root
    except InputError as error:
        first = error.problems[0]
        if first.place != place:
            note(problems, first)
        return Unknown(f"{quoted(written)} cannot be read: {first.message}", place)
    return root or Unknown(f"{quoted(written)} holds nothing", place)
