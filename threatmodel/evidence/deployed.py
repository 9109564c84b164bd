"""What a file makes of a function, for what ran elsewhere to be held against, and the folder of its code."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from threatmodel.beside.code.source import ENDINGS
from threatmodel.stacks.stack import Resource, Stack

if TYPE_CHECKING:
    from threatmodel.probe.seen import SeenCall


import re
from collections.abc import Iterator

from threatmodel.reading.problems import quoted
from threatmodel.stacks.values import Node, Scalar, Table, get, items, text, unknowns


class Deployed(NamedTuple):
    """A resource that a file makes of a function, the file's folder, and other elements that are mapped to it too.

    `signing` are the resources of the file that are secrets of Slack's requests, each with its element.
    `unable` tells which of the calls that a handler was seen to make its role surely does not allow here, in words;
    `paths` the routes by which requests come to it.
    """

    stack: Stack
    resource: Resource
    folder: Path
    shared: tuple[str, ...]
    unable: Callable[[Sequence[SeenCall]], Sequence[str]]
    paths: Callable[[], Sequence[str]]
    signing: Mapping[str, str]


# --- the package


def no_folder(deployed: Deployed) -> str:
    """Return what is deployed in place of a folder: a container image, or code in the template; '' for neither."""
    package = text(get(deployed.resource.properties, "PackageType"))
    image = any(get(deployed.resource.properties, *path) for path in (("Code", "ImageUri"), ("ImageUri",)))
    if package == "Image" or image:
        return "a container image is deployed"
    return "the template contains the code inline" if inline(deployed) is not None else ""


def inline(deployed: Deployed) -> Node | None:
    """Return the code that the template contains inline; None where it contains none."""
    every = (get(deployed.resource.properties, *name.split(".")) for name in ("InlineCode", "Code.ZipFile"))
    return next((one for one in every if one is not None), None)


def archived(deployed: Deployed) -> Table | None:
    """Return the files that a plan puts into the archive of a function, by name; None where it does not show them."""
    found = get(deployed.resource.properties, "Code", "archive")
    return found if isinstance(found, Table) else None


_FAITHFUL = re.compile(r"(?:python|nodejs)[\w.-]*|esbuild\Z")
"""Ways of `sam build` that package the code of the folder as it is (its docs: "Resource metadata", BuildMethod)."""


def built_otherwise(deployed: Deployed) -> Iterator[str]:
    """Yield what adds or replaces code of the folder: a separate build, a file system that is mounted."""
    metadata = (deployed.resource.about or {}).get("Metadata")
    if get(metadata, "aws:asset:dockerfile-path") is not None:
        yield "its metadata has `sam build` build a container image, so different code may be deployed"
    method = get(metadata, "BuildMethod")
    if method is not None and not _FAITHFUL.match(text(method) or ""):
        yield f"{quoted(text(method) or 'an unknown build')} builds the code, so different code may be deployed"
    mounted = get(deployed.resource.properties, "FileSystemConfigs")
    if mounted is not None and (items(mounted) or any(unknowns(mounted))):
        yield "it may load different code from a mounted file system"


def code_root(deployed: Deployed) -> Path | None:
    """Return the folder of the code; None where the file does not name one."""
    if deployed.stack.kind == "serverless":
        return deployed.folder
    if deployed.stack.kind == "terraform":
        return None
    metadata = (deployed.resource.about or {}).get("Metadata")
    asset = get(metadata, "aws:asset:path") if get(metadata, "aws:asset:property") is not None else None
    uri = asset or get(deployed.resource.properties, "CodeUri")  # `sam build` builds the asset, whatever the property
    if uri is None and deployed.resource.type == "AWS::Serverless::Function":
        uri = Scalar(".", deployed.resource.place)
    if uri is None:
        uri = get(deployed.resource.properties, "Code")
    found = text(uri)
    if found is None or re.match(r"[a-z0-9]+://", found) or found.endswith((".zip", ".jar")):
        return None
    path = deployed.folder / found
    return path.parent if path.suffix in ENDINGS else path  # a single file is packaged by itself
