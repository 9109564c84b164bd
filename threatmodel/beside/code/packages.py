"""Packages that handlers import: what is known of them, and which verify Slack's requests."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from threatmodel.reading.tables import table

BOLT = frozenset({"slack_bolt", "@slack/bolt"})
"""Slack's frameworks, which verify each request unless they are configured not to."""
VERIFIERS = frozenset(
    {"SignatureVerifier", "SlackEventAdapter", "createEventAdapter", "createMessageAdapter", "verifyRequestSignature"}
    | {"verifySlackRequest", "isValidSlackRequest"}
)
"""What other packages of Slack offer to verify a signature."""
_OLD = frozenset({"distutils", "imp", "asyncore", "asynchat", "cgi", "__future__"})
"""Modules that an earlier Python had."""


def _packages() -> Mapping[str, Any]:
    """The packages of which it is known what they do with a request; any other one may verify it."""
    return table(__file__, "packages.json")


def is_standard(name: str, *, python: bool) -> bool:
    """Return whether a module is part of Python or Node.js."""
    if python:
        return name in sys.stdlib_module_names or name in _OLD
    return name.startswith("node:") or name.partition("/")[0] in _packages()["node"]


def is_known(name: str, *, python: bool) -> bool:
    """Return whether it is known of a package what it does with a request."""
    known = _packages()
    return name in known["python" if python else "javascript"] or name.startswith(tuple(known["prefixes"]))


def package_of(module: str, *, python: bool) -> str:
    """Return the package that a module is imported from."""
    if python:
        return module.partition(".")[0]
    return "/".join(module.split("/")[: 2 if module.startswith("@") else 1])
