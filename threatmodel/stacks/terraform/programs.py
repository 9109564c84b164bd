"""Programs that Terraform runs on the machine where a plan is applied: they may call AWS as the user who applies it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from threatmodel.stacks.terraform.references import sequence, table

_BUILDS = re.compile(
    r"(?:cd|mkdir|cp|rm|echo|touch|zip|pip3?|npm|yarn|pnpm|tsc|esbuild|go|cargo|dotnet|mvn|sleep)(?:\s|\Z)"
)
"""Programs that build packages from what is there, and call no service as the user who applies the plan."""
_NEXT = re.compile(r"&&|\|\||[;\n]")
_OTHERS = re.compile(r"[|`<>]|\$\(|\b(?:exec|run|run-script)\b")
"""What starts another program out of a command."""


_BUILDERS = frozenset(("terraform-aws-modules/lambda/aws", "registry.terraform.io/terraform-aws-modules/lambda/aws"))
"""Modules of the public registry whose programs package code and do nothing else."""


def runs_a_program(block: Mapping[str, Any], module: Mapping[str, Any]) -> bool:
    """Whether a resource's block of the configuration runs a program that is not plainly a build.

    `module` is the call of the module that it is in, empty for the root.
    """
    source = module.get("source")
    if isinstance(source, str) and source in _BUILDERS:
        return False
    return any(
        one.get("type") == "local-exec" and not _only_builds(table(one.get("expressions")))
        for one in map(table, sequence(block.get("provisioners")))
    )


def _only_builds(expressions: Mapping[str, Any]) -> bool:
    command = table(expressions.get("command")).get("constant_value")
    if not isinstance(command, str) or "interpreter" in expressions or _OTHERS.search(command):
        return False
    return all(_BUILDS.match(one.strip()) for one in _NEXT.split(command) if one.strip())
