"""The package that the framework writes of a serverless.yml: what is deployed, word for word, where it is not stale.

``serverless package`` leaves the CloudFormation template in ``.serverless/``, and beside it its own state: the settings
as it resolved them.  The state tells whether the package was made of this very serverless.yml: every setting of the
file must be there, and nothing else but what the framework adds by itself.  Where they differ, the package is left
aside and the file is read alone; where they agree, the template counts, variables and plugins included.

What a plugin may do after the deployment is in no template: that part stays unread.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from threatmodel.reading.files import Files, shown_path
from threatmodel.reading.problems import InputError, Place, Problem, quoted
from threatmodel.reading.values import replace
from threatmodel.stacks.assumed import DEFAULTS, Assumed
from threatmodel.stacks.cloudformation import reader as cloudformation
from threatmodel.stacks.serverless.making import GrowingTemplate
from threatmodel.stacks.serverless.state import differing, is_stated, plain
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import List, Node, Scalar, Table, Unknown, entries, shape_of, text

_FOLDER = ".serverless"
_TEMPLATE = f"{_FOLDER}/cloudformation-template-update-stack.json"
_STATE = f"{_FOLDER}/serverless-state.json"

_BESIDE = ("ApiGatewayStage",)
"""What is in no template, since the framework sets it after the deployment."""
_HELPERS = re.compile(r"CustomDashresource|IamRoleCustomResources")
"""The framework's own functions, which only deploy."""
_LARGEST = 16 * 1024 * 1024


class Package(NamedTuple):
    """The two files of a package: their names in messages, and their texts."""

    template: str
    template_text: str
    state: str
    state_text: str


def package_of(path: Path, files: Files) -> Package | None:
    """The package beside a serverless.yml, where there is a whole one that can be read."""
    found = []
    for name in (_TEMPLATE, _STATE):
        beside = path.parent / name
        if not files.has(beside):
            return None
        try:
            real = files.named(name, path, Place(shown_path(path)))
            found += [shown_path(beside), files.text(real, _LARGEST)]
        except InputError:
            return None
    return Package(*found)


def packaged(stack: Stack, making: GrowingTemplate, package: Package) -> Stack:
    """The stack of a package, at the lines of the serverless.yml; the file's own where the package is of another."""
    try:
        state = json.loads(package.state_text)["service"]
        template, _ = cloudformation.read(package.template_text, package.template, DEFAULTS)
        compiled = state["provider"]["compiledCloudFormationTemplate"]["Resources"].keys()
        written = json.loads(package.template_text)["Resources"].keys()
    except (InputError, ValueError, RecursionError, TypeError, KeyError, AttributeError):
        return _alone(stack, package, "it cannot be read", Place(package.state))
    if compiled != written:
        return _alone(stack, package, "its template and its state are not of one run", Place(package.template))
    stage = _stage(making)
    if stage is None or stage != state["provider"].get("stage"):
        why = "it is for another stage; state 'stage:' beside 'serverless:' in the model"
        return _alone(stack, package, why, Place(package.state))
    other = next(differing(making, state), None) or next(_other_functions(stack, template), None)
    if other is not None:
        what, place = other
        return _alone(stack, package, f"it was made from another serverless.yml: {what} differs", place)
    return _as_written(stack, template)


def _alone(stack: Stack, package: Package, why: str, place: Place) -> Stack:
    """The file's own reading, with a note why the package does not count."""
    message = f"the package {package.template} is ignored: {why}"
    problem = Problem(code="stale-package", place=place, message=message, hint="run serverless package again")
    return replace(stack, problems=(*stack.problems, problem))


def _stage(making: GrowingTemplate) -> str | None:
    """The stage that is meant, where it is stated and no default."""
    assumed: Assumed = making.variables.assumed
    if "opt:stage" in assumed.stated:
        return str(assumed.values["opt:stage"])
    own = entries(making.provider).get("stage")
    return text(own) if own is not None and is_stated(own) else None


# --- whether it is of this file


def _other_functions(stack: Stack, template: Stack) -> Iterator[tuple[str, Place]]:
    """The functions whose properties are not those that the file gives them."""
    for function in stack.of_type("AWS::Lambda::Function"):
        there = template.resources.get(function.name)
        if there is None or there.type != function.type:
            yield quoted(function.name), function.place
            continue
        for name, node in function.properties.entries.items():
            other = there.properties.entries.get(name)
            if isinstance(node, Scalar) and not node.given and (other is None or _shape(other) != _shape(node)):
                yield f"{name} of {quoted(function.name)}", node.place


def _shape(node: Node) -> str:
    return plain(node.value) if isinstance(node, Scalar) else shape_of(node)


# --- what is deployed


def _as_written(stack: Stack, template: Stack) -> Stack:
    """The stack of a template, at the lines of the serverless.yml where these say the same."""
    found = {
        name: _placed(resource, stack.resources.get(name))
        for name, resource in template.resources.items()
        if not _HELPERS.match(name)
    }
    beside = {name: stack.resources[name] for name in _BESIDE if name in stack.resources}
    if beside:  # it is the stage that the deployment makes, with what is set on it later
        found = {name: one for name, one in found.items() if one.type != "AWS::ApiGateway::Stage" or not one.made_by}
    later = [
        replace(one, strength="adds", why="a plugin may do more after the deployment")
        for one in stack.unread
        if one.why == "a plugin may make or change resources"
    ]
    return replace(
        template,
        file=stack.file,
        kind=stack.kind,
        resources=found | beside,
        unread=(*template.unread, *later),
        problems=(*stack.problems, *template.problems),
    )


def _placed(resource: Resource, own: Resource | None) -> Resource:
    if own is None or own.type != resource.type:
        return resource
    properties = _table_at_lines(resource.properties, own.properties)
    return replace(resource, properties=properties, place=own.place, made_by=own.made_by)


def _table_at_lines(table: Table, own: Table) -> Table:
    inside = {
        name: _at_lines(child, own.entries[name]) if name in own.entries else child
        for name, child in table.entries.items()
    }
    return Table(inside, own.place, {**table.keys, **own.keys})


def _at_lines(node: Node, own: Node) -> Node:
    """A value, at the line of the source where that says the same."""
    match node, own:
        case Table(), Table():
            return _table_at_lines(node, own)
        case List(), List() if len(node.items) == len(own.items):
            children = (_at_lines(a, b) for a, b in zip(node.items, own.items, strict=True))
            return List(tuple(children), own.place, node.given)
        case _ if not isinstance(node, Unknown | Table | List) and is_stated(own) and _shape(node) == _shape(own):
            return node._replace(place=own.place)
    return node
