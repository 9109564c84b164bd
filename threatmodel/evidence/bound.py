"""What a file deploys as a function, held against what a probe ran: the same code, started the same way."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from threatmodel.evidence.deployed import Deployed
from threatmodel.probe.result import Result, fingerprint
from threatmodel.reading.problems import listed, paths_apart, quoted
from threatmodel.reading.project import real_path
from threatmodel.stacks.stack import Stack
from threatmodel.stacks.values import Node, Scalar, Table, Unknown, get, items, text, unknowns

_USUAL = {"handler", "lambda_handler"}
_SWITCH = re.compile(r"(?:[A-Za-z]+|[0-9]|-?[01]|\*)\Z")
"""A value that reads as a switch: one word, one digit, or a star.  Ids, lists, addresses and commands are settings."""
_OF_LAMBDA = re.compile(
    r"(?:_HANDLER|_X_AMZN_TRACE_ID|AWS_(?:DEFAULT_)?REGION|AWS_EXECUTION_ENV|AWS_LAMBDA_FUNCTION_(?:NAME|MEMORY_SIZE|VERSION)"
    r"|AWS_LAMBDA_(?:INITIALIZATION_TYPE|LOG_GROUP_NAME|LOG_STREAM_NAME|RUNTIME_API)|AWS_ACCESS_KEY(?:_ID)?"
    r"|AWS_SECRET_ACCESS_KEY|AWS_SESSION_TOKEN|AWS_XRAY_(?:CONTEXT_MISSING|DAEMON_ADDRESS)|LAMBDA_(?:TASK_ROOT|RUNTIME_DIR)"
    r"|TZ|PATH|LANG)\Z"
)
"""Variables that Lambda itself sets (docs.aws.amazon.com/lambda: "configuration-envvars-runtime")."""
_LOADERS = re.compile(
    r"AWS_LAMBDA_EXEC_WRAPPER|PYTHON(?:PATH|STARTUP|HOME|WARNINGS)|NODE_(?:OPTIONS|PATH)|LD_(?:PRELOAD|LIBRARY_PATH)\Z"
)
"""Variables that decide which code runs before the handler does."""


def mismatches(result: Result, deployed: Deployed, code: Path) -> Iterator[str]:
    """Why a result is not about what is deployed; `code` is the folder of the code that was probed."""
    for name in _given(deployed):
        yield f"its {name} comes from a parameter and may differ"
    if deployed.shared:
        yield f"{quoted(deployed.resource.name)} is also the resource of {listed(deployed.shared)}"
    yield from _other_code(result, deployed, code)
    yield from _other_runtime(result, deployed)
    yield from _other_variables(result, deployed)
    paths = list(dict.fromkeys(deployed.paths()))
    if paths and not {*paths} & {*result.shown_for.paths}:
        yield f"no request was sent to {listed(paths[:3])}, which reaches it (probe it with --path {paths[0]})"
    yield from (
        f"its role does not allow {one}, which the handler called" for one in deployed.unable(result.calls_seen)
    )


_DECIDING = ("Handler", "CodeUri", "Code", "Runtime", "PackageType", "Layers")
"""The properties that say which code runs."""


def _given(deployed: Deployed) -> Iterator[str]:
    """Return the properties that depend on parameters for which no deployment of the model has a value."""
    for name in _DECIDING:
        node = get(deployed.resource.properties, name)
        for part in (node, *items(node)):
            for parameter in getattr(part, "given", ()):
                stated = deployed.stack.parameters.get(parameter)
                if stated is not None and stated.stated is None and len(stated.allowed) != 1:
                    yield name
                    break


def _other_code(result: Result, deployed: Deployed, code: Path) -> Iterator[str]:
    package = text(get(deployed.resource.properties, "PackageType"))
    image = any(get(deployed.resource.properties, *path) for path in (("Code", "ImageUri"), ("ImageUri",)))
    if package == "Image" or image:
        yield "a container image is deployed, which is different code"
        return
    if any(get(deployed.resource.properties, *name.split(".")) for name in ("InlineCode", "Code.ZipFile")):
        yield "the template contains the code inline, which is different code"
        return
    yield from _built_otherwise(deployed)
    handler = text(get(deployed.resource.properties, "Handler"))
    if handler is None:
        yield "it is unknown which handler is deployed"
        return
    file, _, name = result.target.rpartition(":") if _named(result.target) else (result.target, "", "")
    module, _, function = handler.rpartition(".")
    if function != (name or function) or (not name and function not in _USUAL):
        yield f"the handler is {quoted(handler)}, and {quoted(result.target)} was probed"
        return
    yield from _other_place(module, PurePosixPath(file).stem, deployed, code)


_FAITHFUL = re.compile(r"(?:python|nodejs)[\w.-]*|esbuild\Z")
"""Ways of `sam build` that package the code of the folder as it is (its docs: "Resource metadata", BuildMethod)."""


def _built_otherwise(deployed: Deployed) -> Iterator[str]:
    """What adds or replaces code of the folder: a separate build, a file system that is mounted."""
    metadata = (deployed.resource.about or {}).get("Metadata")
    if get(metadata, "aws:asset:dockerfile-path") is not None:
        yield "its metadata has `sam build` build a container image, so different code may be deployed"
    method = get(metadata, "BuildMethod")
    if method is not None and not _FAITHFUL.match(text(method) or ""):
        yield f"{quoted(text(method) or 'an unknown build')} builds the code, so different code may be deployed"
    mounted = get(deployed.resource.properties, "FileSystemConfigs")
    if mounted is not None and (items(mounted) or any(unknowns(mounted))):
        yield "it may load different code from a mounted file system"


def _named(target: str) -> bool:
    return re.search(r"\.(?:py|m?js|cjs):\w+\Z", target) is not None


def _other_place(module: str, stem: str, deployed: Deployed, code: Path) -> Iterator[str]:
    """Whether the module that is deployed is the file that was probed, in the folder that was probed."""
    place = PurePosixPath(module.replace(".", "/") if "/" not in module else module)
    if place.name != stem:
        yield f"the module is {quoted(module)}, and {quoted(stem)} was probed"
        return
    root = _root(deployed)
    if root is None:
        yield "it is unknown which folder the code comes from"
        return
    if real_path((root / place).parent) != real_path(code):
        deployed_at, probed_at = paths_apart((root / place).parent, code)
        yield f"the code is {deployed_at}, and {probed_at} was probed"
    elif real_path(root) != real_path(code):
        whole, part = paths_apart(root, code)
        yield f"the code is the whole folder {whole}, and only {part} was probed"


def _root(deployed: Deployed) -> Path | None:
    """The folder of the code; None where the file does not name one."""
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
    return deployed.folder / found


def _other_runtime(result: Result, deployed: Deployed) -> Iterator[str]:
    runtime = text(get(deployed.resource.properties, "Runtime"))
    kind = {"python": "python", "node": "nodejs"}.get(result.kind, "")
    if runtime is None or not kind or not runtime.startswith(kind):
        yield f"the runtime is {quoted(runtime) if runtime else 'unknown'}, and {result.kind} was probed"
    layers = get(deployed.resource.properties, "Layers")
    if layers is not None and (items(layers) or any(unknowns(layers))):
        yield "it has layers, and their code was not probed"


def _other_variables(result: Result, deployed: Deployed) -> Iterator[str]:
    """Variables of the function that the probe had not, or that are switches and had other values."""
    found = _variables(deployed)
    if found is None:
        yield "its environment variables are unknown"
        return
    if loaders := [name for name in found if _LOADERS.match(name)]:
        yield f"{listed(loaders)} decides which code runs first, and was not set during the probe"
    lacking = [name for name in found if name not in result.variables and not _LOADERS.match(name)]
    if lacking:
        yield f"it has environment variables that the probe did not have: {listed(lacking)}"
    gone = [name for name, value in result.variables.items() if value and name not in found]
    if gone := [name for name in gone if not _OF_LAMBDA.match(name)]:
        yield f"it no longer has the environment variables of the probe: {listed(gone)}"
    other = [
        name
        for name, node in found.items()
        if name in result.variables and _differs(result, name, node, deployed.stack)
    ]
    if other:
        yield f"its values differ from those of the probe: {listed(other)}"


def _variables(deployed: Deployed) -> Mapping[str, Node] | None:
    node = get(deployed.resource.properties, "Environment", "Variables")
    if node is None:
        return {}
    return node.entries if isinstance(node, Table) else None


def _differs(result: Result, name: str, node: Node, stack: Stack) -> bool:
    """Whether a variable that reads as a switch is set otherwise; a setting may differ, and so may what is a secret."""
    if isinstance(node, Unknown):
        return _may_switch(node, stack)
    if not isinstance(node, Scalar):
        return False
    if any(not one.stated for name in node.given if (one := stack.parameters.get(name)) is not None):
        return _may_switch(Unknown("a parameter sets it", node.place, usual=node, given=node.given), stack)
    usual = {True: "true", False: "false"}[node.value] if isinstance(node.value, bool) else str(node.value)
    return bool(_SWITCH.match(usual)) and result.variables[name] != fingerprint(name, usual)


def _may_switch(node: Unknown, stack: Stack) -> bool:
    """Whether what is decided at deployment may be a switch: by its default, or by the values that it may take."""
    allowed = [
        str(value) for name in node.given if name in stack.parameters for value in stack.parameters[name].allowed
    ]
    return any(_SWITCH.match(value) for value in (text(node.usual) or "", *allowed))
