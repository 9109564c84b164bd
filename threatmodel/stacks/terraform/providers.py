"""Resources that another configuration of the provider makes: in an account or Region that may be another one."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from threatmodel.reading.values import replace
from threatmodel.stacks.stack import Resource
from threatmodel.stacks.values import Unknown, get, links, text

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
