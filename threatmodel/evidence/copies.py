"""Copies of a template that a tool made to deploy it: what is deployed is the copy, whatever the template says now."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from pathlib import Path

from threatmodel.reading.files import Files, shown_path
from threatmodel.reading.problems import InputError, quoted
from threatmodel.reading.project import real_path, repository
from threatmodel.stacks.readers import read
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Joined, Link, List, Node, Scalar, Table, Unknown, get

_BUILT = (".aws-sam/build/template.yaml", ".aws-sam/build/template.yml")
"""Where `sam build` writes the template that `sam deploy` uses."""
_PACKAGED = ("packaged", "packaged-template", "packaged.template", "template.packaged", "template-packaged")
"""What the output of `sam package` and `aws cloudformation package` is usually called."""
_SUFFIXES = (".yaml", ".yml", ".json", ".template")
_SYNTHESIZED = "cdk.out"
_PLACES = frozenset((
    *("BodyS3Location", "Code", "CodeUri", "Command", "Content", "ContentUri", "DefinitionS3Location", "DefinitionUri"),
    *("ImageUri", "Location", "RequestMappingTemplateS3Location", "ResponseMappingTemplateS3Location", "SchemaUri"),
    *("SourceBundle", "TemplateURL"),
))  # fmt: skip
"""Properties with the place of an artifact, which building and packaging replace."""
_INLINE = "ZipFile"


def differing_copy(path: Path, files: Files) -> str:
    """Return which copy of a template differs from it, and in what; '' where none does.

    A copy is a file at one of the usual places that has a resource of the template.
    """
    there = copies_of(path, files)
    if not there:
        return ""
    own = read("template", path, files)
    return next(filter(None, (_difference(own, copy, files) for copy in there)), "")


def copies_of(path: Path, files: Files) -> list[Path]:
    """Return the files at the usual places of copies of a template."""
    return [copy for copy in dict.fromkeys(_copies(path)) if copy != path and files.has(copy)]


def _difference(own: Stack, copy: Path, files: Files) -> str:
    try:
        found = read("template", copy, files)
    except InputError:
        return f"{shown_path(copy)} may be what is deployed, and cannot be read; {_COUNTS}"
    what = next(_differences(own, found), "") if own.resources.keys() & found.resources.keys() else ""
    return f"{shown_path(copy)} is what its tool deploys, and {what}; {_COUNTS}" if what else ""


_COUNTS = "this template counts as a statement (build it again, or remove the copy)"


def _copies(path: Path) -> Iterator[Path]:
    """Where copies of a template are usually written."""
    if ".aws-sam" in path.parts or _SYNTHESIZED in path.parts:
        return
    root = repository(path.parent) or path.parent
    yield from (path.parent / one for one in (*_BUILT, *(f"{name}{end}" for name in _PACKAGED for end in _SUFFIXES)))
    for folder in (path.parent, *path.parents):
        yield real_path(folder) / _SYNTHESIZED / path.name
        if folder == root:
            return


def _differences(own: Stack, copy: Stack) -> Iterator[str]:
    """In what a copy differs from a template, in words."""
    for name, resource in own.resources.items():
        other = copy.resources.get(name)
        if other is None:
            yield f"has no {quoted(name)}"
        elif _bare_resource(resource) != _bare_resource(other):
            changed = (
                key
                for key in {**resource.properties.entries, **other.properties.entries}
                if _property(resource, key) != _property(other, key)
            )
            yield f"has another {next(changed, 'condition')} of {quoted(name)}"
    yield from (f"has {quoted(name)} as well" for name in copy.resources if name not in own.resources)


def _property(resource: Resource, name: str) -> Hashable:
    node = resource.properties.entries.get(name)
    if node is None or name not in _PLACES:
        return None if node is None else _bare(node)
    inline = get(node, _INLINE)
    return None if inline is None else _bare(inline)


def _bare_resource(resource: Resource) -> Hashable:
    properties = tuple((name, _property(resource, name)) for name in sorted(resource.properties.entries))
    doubt = None if resource.doubt is None else resource.doubt.why
    kept = tuple(one for one in properties if one[1] is not None)
    return resource.type, kept, doubt, resource.opaque is None


def _bare(node: Node) -> Hashable:
    """A value without its places."""
    match node:
        case Scalar(value=value, given=given):
            return value.__class__.__name__, value, given
        case Link(resource=resource, attribute=attribute):
            return resource, attribute
        case List(items=items):
            return tuple(map(_bare, items))
        case Table(entries=entries):
            return tuple((name, _bare(entries[name])) for name in sorted(entries))
        case Joined(parts=parts):
            return tuple(one if isinstance(one, str) else _bare(one) for one in parts)
        case Unknown(why=why):
            return ("unknown", why)
