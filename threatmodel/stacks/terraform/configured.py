"""What a plan's configuration says that its resources do not show: programs that run, and other providers."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from threatmodel.reading.values import replace
from threatmodel.stacks.stack import Resource
from threatmodel.stacks.terraform.references import sequence, table
from threatmodel.stacks.values import Unknown, get, links, text

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


_HOME = ("aws_lambda_function", "awscc_lambda_function")
_BESIDE = ("aws_cloudwatch_log_group", "aws_kinesis_firehose_delivery_stream")
"""What gets logs: functions and stages write to those in the same account and Region."""


def elsewhere(resources: Mapping[str, Resource], configuration_of: Mapping[str, str]) -> dict[str, Resource]:
    """The resources, those with a doubt that may not act where the functions are.

    `configuration_of` has the key of the provider's configuration by address; a resource may name a Region besides.
    What one beside the functions refers to is meant there, wherever it is (but for what writes of itself only beside
    it: a log), and CloudFront's web ACLs have to be in one Region.
    """
    homes = {_where(one, configuration_of) for one in resources.values() if one.type in _HOME}
    if not homes or all(_is_at(_where(one, configuration_of), homes) for one in resources.values()):
        return dict(resources)
    at_home = [one for one in resources.values() if _is_at(_where(one, configuration_of), homes)]
    meant = {link.resource for one in at_home for link in links(one.properties)}
    meant -= {name for name in meant if name in resources and resources[name].type in _BESIDE}
    found = dict(resources)
    for name, one in resources.items():
        of_the_edge = text(get(one.properties, "scope")) == "CLOUDFRONT"
        of_aws = one.type.startswith(("aws_", "awscc_"))
        if of_aws and not of_the_edge and name not in meant and not _is_at(_where(one, configuration_of), homes):
            found[name] = replace(one, doubt=one.doubt or Unknown(_WHY, one.place))
    return found


def _where(resource: Resource, configuration_of: Mapping[str, str]) -> tuple[str, str]:
    """The configuration of the provider that makes a resource, and the Region that it names ('' for none)."""
    return configuration_of.get(resource.name, ""), text(get(resource.properties, "region")) or ""


def _is_at(where: tuple[str, str], homes: Collection[tuple[str, str]]) -> bool:
    """Whether a resource is where one of the functions is; one without a Region is where its configuration is."""
    return any(where[0] == home[0] and (not where[1] or not home[1] or where[1] == home[1]) for home in homes)


_WHY = "another configuration of the provider makes it, or it names a Region: it may not be where the functions are"
