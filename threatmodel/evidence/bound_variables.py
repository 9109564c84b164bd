"""The variables that a file gives a function, held against those that a handler had in a probe."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from threatmodel.evidence.deployed import Deployed
from threatmodel.evidence.resource_types import known
from threatmodel.probe.result import Result, fingerprint
from threatmodel.reading.problems import listed
from threatmodel.stacks.stack import Stack
from threatmodel.stacks.values import Joined, Link, Node, Scalar, Table, as_text, get, same, shape_of

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
