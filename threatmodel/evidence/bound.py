"""What a file deploys as a function, held against what a probe ran: the same code, started the same way."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path, PurePosixPath

from threatmodel.evidence.deployed import Deployed, built_otherwise, code_root, no_folder
from threatmodel.evidence.resource_types import known
from threatmodel.probe.result import Result, fingerprint
from threatmodel.reading.problems import listed, paths_apart, quoted
from threatmodel.reading.project import real_path
from threatmodel.stacks.stack import Stack
from threatmodel.stacks.values import (
    Joined,
    Link,
    Node,
    Scalar,
    Table,
    as_text,
    get,
    items,
    links,
    same,
    shape_of,
    text,
    unknowns,
)

_USUAL = {"handler", "lambda_handler"}


def mismatches(result: Result, deployed: Deployed, code: Path, free: Collection[str] = ()) -> Iterator[str]:
    """Why a result is not about what is deployed.

    `code` is the folder of the code that was probed, `free` are variables that may have any value by the model.
    """
    yield from started_otherwise(result, deployed, code, free)
    yield from _other_secret(result, deployed, free)
    paths = [
        one for one in dict.fromkeys(deployed.paths()) if not any(map(_route(one).fullmatch, result.shown_for.paths))
    ]
    if paths:
        yield f"no request was sent to {listed(paths[:3])}, which reaches it (probe again, or with --path {paths[0]})"
    yield from (
        f"its role does not allow {one}, which the handler called" for one in deployed.unable(result.calls_seen)
    )


_OPEN = re.compile(r"\{[^}]*\}|<[^>]*>|[*]")
"""What a route has in place of a text: a parameter, a star, what a file leaves open."""


def _route(path: str) -> re.Pattern[str]:
    """Return what matches the paths that a route takes; one that takes any path matches all."""
    fixed = map(re.escape, _OPEN.split(path) if path.startswith("/") else ("", ""))
    return re.compile(".*".join(fixed))


def started_otherwise(result: Result, deployed: Deployed, code: Path, free: Collection[str] = ()) -> Iterator[str]:
    """Why what is deployed is other code, or starts with other variables: all that is known before a probe runs."""
    for name in _given(deployed):
        yield f"its {name} comes from a parameter and may differ"
    for part in deployed.stack.unread:
        if part.strength == "all" or (part.strength != "adds" and deployed.resource.name in part.handed):
            yield f"{quoted(part.name)} may change it: {part.why}"
    if deployed.resource.opaque is not None:
        yield f"not all of its properties are known: {deployed.resource.opaque.why}"
    if deployed.shared:
        yield f"{quoted(deployed.resource.name)} is also the resource of {listed(deployed.shared)}"
    yield from _other_code(result, deployed, code)
    yield from _other_runtime(result, deployed)
    yield from _other_layers(result, deployed, code)
    yield from other_variables(result, deployed, free)


_WITH_NAME = re.compile(r"\.(?:py|m?js|cjs):\w+\Z")
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
    if why := no_folder(deployed):
        yield f"{why}, which is different code"
        return
    yield from built_otherwise(deployed)
    handler = text(get(deployed.resource.properties, "Handler"))
    if handler is None:
        yield "it is unknown which handler is deployed"
        return
    file, _, name = result.target.rpartition(":") if _WITH_NAME.search(result.target) else (result.target, "", "")
    module, _, function = handler.rpartition(".")
    if function != (name or function) or (not name and function not in _USUAL):
        yield f"the handler is {quoted(handler)}, and {quoted(result.target)} was probed"
        return
    yield from _other_place(module, result, PurePosixPath(file).stem, deployed, code)


def _other_place(module: str, result: Result, stem: str, deployed: Deployed, code: Path) -> Iterator[str]:
    """Whether the module that is deployed is the file that was probed, in the folder that was probed."""
    place = PurePosixPath(module.replace(".", "/") if "/" not in module else module)
    if place.name != stem:
        yield f"the module is {quoted(module)}, and {quoted(stem)} was probed"
        return
    root = code_root(deployed)
    if root is None:
        yield "it is unknown which folder the code comes from"
        return
    if real_path((root / place).parent) != real_path(code / result.below):
        deployed_at, probed_at = paths_apart((root / place).parent, code / result.below)
        yield f"the code is {deployed_at}, and {probed_at} was probed"
    elif real_path(root) != real_path(code):
        whole, part = paths_apart(root, code)
        yield f"the code is the whole folder {whole}, and only {part} was probed (probe with --folder {whole})"


def _other_runtime(result: Result, deployed: Deployed) -> Iterator[str]:
    runtime = text(get(deployed.resource.properties, "Runtime"))
    kind = {"python": "python", "node": "nodejs"}.get(result.kind, "")
    if runtime is None or not kind or not runtime.startswith(kind):
        yield f"the runtime is {quoted(runtime) if runtime else 'unknown'}, and {result.kind} was probed"


def _other_layers(result: Result, deployed: Deployed, code: Path) -> Iterator[str]:
    """Why the function's layers are not those of the probe: one folder of the repository, or none.

    Several are merged in an order that a probe does not know.  Node.js lists no folder, so a result does not show what
    another package there would replace.
    """
    stated = get(deployed.resource.properties, "Layers")
    layers = items(stated) if stated is not None else ()
    attached = [one.resource for one in layers if isinstance(one, Link)]
    folders = dict(_layer_folders(deployed))
    read = {real_path(code / name): name.endswith("/") for name in result.files or ()}
    if layers or (stated is not None and any(unknowns(stated))):
        folder = folders.get(attached[0]) if len(layers) == len(attached) == 1 else None
        if folder is None or result.kind != "python" or not read.get(folder / "python"):
            yield "it has layers, and their code was not probed"
    for name, folder in folders.items():
        if name not in attached and any(
            not is_folder and one.is_relative_to(folder) for one, is_folder in read.items()
        ):
            yield f"it was probed with the layer {quoted(name)}, which it does not have"


def _layer_folders(deployed: Deployed) -> Iterator[tuple[str, Path]]:
    """Yield the layers of the file that are folders as they are, with these."""
    for name, resource in deployed.stack.resources.items():
        uri = text(get(resource.properties, "ContentUri") or get(resource.properties, "Content"))
        as_it_is = get((resource.about or {}).get("Metadata"), "BuildMethod") is None and resource.opaque is None
        if resource.type.endswith("::LayerVersion") and uri is not None and "://" not in uri and as_it_is:
            yield name, real_path(deployed.folder / uri)


_READS = frozenset({"secretsmanager", "ssm"})
_SIGNING = re.compile(r"sign", re.IGNORECASE)
_TOKEN = re.compile(r"token", re.IGNORECASE)


def _other_secret(result: Result, deployed: Deployed, free: Collection[str]) -> Iterator[str]:
    """Whether signatures are verified with another secret than that of Slack's requests."""
    found = variables_of(deployed)
    if not deployed.signing or found is None:
        return
    if result.secret_variable:
        verified = {result.secret_variable}
    else:
        calls = [one for one in result.calls_seen if one.service in _READS]
        named = [one for one in calls if _SIGNING.search(f"{one.variable} {one.resource}")]
        chosen = named or [one for one in calls if not _TOKEN.search(f"{one.variable} {one.resource}")]
        verified = {one.variable for one in chosen}
        names = {node.value for node in _names(deployed) if isinstance(node, Scalar)}
        if any(one.resource in names for one in chosen if not one.variable):
            return
    nodes = [found[name] for name in sorted(verified - {*free}) if name in found]
    if any(_leads_to(node, deployed) for node in nodes) or (verified and verified <= {*free}):
        return
    element = listed(sorted({*deployed.signing.values()}))
    what = listed([shape_of(node) or "an unknown value" for node in nodes]) or "a secret of which no variable tells"
    yield f"it verifies signatures with {what}, which is not {element}, the secret of Slack's requests"


def _leads_to(node: Node, deployed: Deployed) -> bool:
    """Whether a value is, or has in it, a reference to the secret of Slack's requests and to no other resource."""
    linked = {one.resource for one in links(node)}
    named = any(same(node, name) for name in _names(deployed))
    return named or (bool(linked) and linked <= {*deployed.signing})


def _names(deployed: Deployed) -> Iterator[Node]:
    for name in deployed.signing:
        node = get(deployed.stack.resources[name].properties, "Name")
        if node is not None:
            yield node


# --- variables
_OF_LAMBDA = re.compile(
    r"(?:_HANDLER|_X_AMZN_TRACE_ID|AWS_(?:DEFAULT_)?REGION|AWS_EXECUTION_ENV"
    r"|AWS_LAMBDA_FUNCTION_(?:NAME|MEMORY_SIZE|VERSION)"
    r"|AWS_LAMBDA_(?:INITIALIZATION_TYPE|LOG_GROUP_NAME|LOG_STREAM_NAME|RUNTIME_API)|AWS_ACCESS_KEY(?:_ID)?"
    r"|AWS_SECRET_ACCESS_KEY|AWS_SESSION_TOKEN|AWS_XRAY_(?:CONTEXT_MISSING|DAEMON_ADDRESS)|LAMBDA_(?:TASK_ROOT|RUNTIME_DIR)"
    r"|TZ|PATH|LANG)\Z"
)
"""Variables that Lambda itself sets (docs.aws.amazon.com/lambda: "configuration-envvars-runtime")."""
_LOADERS = re.compile(
    r"(?:AWS_LAMBDA_EXEC_WRAPPER|LD_\w+|GLIBC_TUNABLES|NODE_(?:OPTIONS|PATH|EXTRA_CA_CERTS|TLS_REJECT_UNAUTHORIZED)"
    r"|PYTHON(?!UNBUFFERED\Z|DONTWRITEBYTECODE\Z|IOENCODING\Z|UTF8\Z|FAULTHANDLER\Z)[A-Z0-9]\w*"
    r"|OPENSSL_CONF|SSL_CERT_(?:FILE|DIR)"
    r"|AWS_(?:ENDPOINT_URL\w*|CONFIG_FILE|SHARED_CREDENTIALS_FILE|PROFILE|DATA_PATH|CA_BUNDLE))\Z"
)
"""Variables that decide which code runs, or which hosts it calls, before a line of the handler does.

They are the dynamic linker's, the interpreters', and the SDKs' (docs.aws.amazon.com/sdkref: "settings-reference").
A probe runs without them."""

_REFERENCE = re.compile(r"(?:.*(?:arn|name|url|uri|id|endpoint|address|bucket|self_link))?\Z", re.IGNORECASE)
"""Attributes of a resource that say which one it is; any other one may be a value that an author wrote."""
_NO_RESOURCE = ("AWS::CloudFormation::", "AWS::SSM::Parameter")
"""Types that give back what an author put into them (custom resources, nested stacks), or that hold any text."""
_ADDRESS = re.compile(
    r"(?:arn:[\w*${}.:-]+:[\w-]+:|s3://|https?://(?=\$\{)"
    r"|https?://[a-z]+\.(?:\*|[a-z]+(?:-[a-z]+)+-[0-9])\.amazonaws\.com(?:\.cn)?/(?:\*/)?(?=\$\{))"
    r"[\w*${}.:/@-]*\Z"
)
"""An ARN or address of which parts are references, as `shape_of` writes them; its host is one too, or is AWS's."""
_PSEUDO = re.compile(r"\$\{AWS::\w+\}")
_OF_ANOTHER = re.compile(r"(?<![0-9])[0-9]{12}(?![0-9])|[^:/@]\$\{")
"""An account that is written out, or a name that only ends in a reference: what is named is not of the file."""


_SWITCH = re.compile(r"(?:[A-Za-z]+|[0-9]|-?[01]|\*|)\Z")
"""A value that reads as a switch: one word, one digit, a star, or nothing.  Ids, lists and addresses are data."""


_LONGEST = 40


def other_variables(result: Result, deployed: Deployed, free: Collection[str]) -> Iterator[str]:
    """Why the variables are not those of the probe: each has the same value, refers to a resource, or is free.

    A free variable may have other data: it may not be gone, nor have another value that reads as a switch.
    """
    found = variables_of(deployed)
    if found is None:
        yield "its environment variables are unknown"
        return
    if loaders := [name for name in found if _LOADERS.match(name)]:
        yield f"{listed(loaders)} decides which code runs or which hosts it calls, and was not set during the probe"
    held = {name: node for name, node in found.items() if not _LOADERS.match(name) and name not in free}
    if lacking := [name for name in held if name not in result.variables]:
        yield f"it has environment variables that the probe did not have: {listed(lacking)}"
    gone = [name for name in result.variables if name not in found]
    if gone := [name for name in gone if not _OF_LAMBDA.match(name)]:
        yield f"it no longer has the environment variables of the probe: {listed(gone)}"
    switches = [name for name in free if name in found and _switches(result, name, found[name], deployed)]
    if switches:
        shown = [_with_value(name, found[name]) for name in switches]
        yield (
            f"free variables have, or may have, values that read as switches, other than in the probe: {listed(shown)} "
            f"(probe with these values)"
        )
    other = [name for name, node in held.items() if name in result.variables and _differs(result, name, node, deployed)]
    if other:
        shown = [_with_value(name, held[name]) for name in other]
        yield (
            f"its values differ from those of the probe, or are unknown: {listed(shown)} (probe with them, "
            f"or write `free: [{', '.join(other)}]` beside the probe if none weakens it)"
        )


def _with_value(name: str, node: Node) -> str:
    """A variable with what the file sets it to, where that is short and no secret."""
    from threatmodel.probe.secret_values import is_plain  # only where values differ

    value = as_text(node) if isinstance(node, Scalar) else ""
    return f"{name}={value}" if value and len(value) <= _LONGEST and is_plain(name, value, "") else name


def variables_of(deployed: Deployed) -> Mapping[str, Node] | None:
    """The variables that a file gives the function, by name; None where it is not known which."""
    node = get(deployed.resource.properties, "Environment", "Variables")
    if node is None:
        return {}
    return node.entries if isinstance(node, Table) else None


def _differs(result: Result, name: str, node: Node, deployed: Deployed) -> bool:
    """Whether a variable may have another value than in the probe, and is no reference to a resource."""
    if name == result.secret_variable:
        return False
    if is_reference(node, deployed.stack):
        return result.variables[name] == fingerprint(name, "")
    return not (
        isinstance(node, Scalar)
        and all(_is_fixed(one, deployed.stack) for one in node.given)
        and result.variables[name] == fingerprint(name, as_text(node))
    )


def _switches(result: Result, name: str, node: Node, deployed: Deployed) -> bool:
    """Whether a free variable has another value than in the probe that reads as a switch, or may be given one."""
    if is_reference(node, deployed.stack):
        return False
    stated = [deployed.stack.parameters[one] for one in getattr(node, "given", ()) if one in deployed.stack.parameters]
    values = {str(value) for one in stated for value in one.allowed if one.stated is None}
    if isinstance(node, Scalar) and all(_is_fixed(one, deployed.stack) for one in node.given):
        values.add(as_text(node))
    return any(_SWITCH.match(value) and result.variables.get(name) != fingerprint(name, value) for value in values)


def _is_fixed(parameter: str, stack: Stack) -> bool:
    """Whether a parameter has one value in every deployment of the model."""
    stated = stack.parameters.get(parameter)
    return stated is None or stated.stated is not None or len(stated.allowed) == 1


def is_reference(node: Node, stack: Stack) -> bool:
    """Whether a value can only be the name, ARN or address of a resource of the file."""
    match node:
        case Link():
            return _names_resource(node, stack)
        case Joined(parts=parts):
            linked = [part for part in parts if isinstance(part, Link)]
            address = bool(linked) and all(_names_resource(one, stack) for one in linked)
            address = address and all(_is_fixed(one, stack) for one in node.given)
            shape = _PSEUDO.sub("*", shape_of(node))
            own = _ADDRESS.match(shape) is not None and _OF_ANOTHER.search(shape) is None
            return (address and own) or _is_name(node, stack)
    return False


def _names_resource(link: Link, stack: Stack) -> bool:
    kind = stack.resources[link.resource].type if link.resource in stack.resources else ""
    is_one = kind.startswith("AWS::") and not (kind.startswith(_NO_RESOURCE) and link.attribute)
    return is_one and not kind.startswith(_NO_RESOURCE[0]) and _REFERENCE.match(link.attribute) is not None


def _is_name(node: Node, stack: Stack) -> bool:
    """Whether it is the name that the file gives one of its resources."""
    return any(
        same(node, resource.properties.entries.get(row.own_name))
        for resource in stack.resources.values()
        if (row := known(resource.type)).own_name
    )
