"""Resources that another configuration of the provider makes: in an account or Region that may be another one."""

from __future__ import annotations

from collections.abc import Mapping

from threatmodel.reading.values import replace
from threatmodel.stacks.stack import Resource
from threatmodel.stacks.values import Unknown, get, links, text

_HOME = ("aws_lambda_function", "awscc_lambda_function")
_OF_THE_EDGE = "CLOUDFRONT"
_BESIDE = ("aws_cloudwatch_log_group", "aws_kinesis_firehose_delivery_stream")
"""What gets logs: functions and stages write to those in the same account and Region."""


def elsewhere(resources: Mapping[str, Resource], configuration_of: Mapping[str, str]) -> dict[str, Resource]:
    """The resources, those with a doubt that may not act where the functions are.

    `configuration_of` has the key of the provider's configuration by address.  A resource that one beside the
    functions refers to is meant there, wherever it is (but for what writes of itself only beside it: a log), and
    CloudFront's web ACLs have to be in one Region.
    """
    home = {configuration_of.get(name, "") for name, one in resources.items() if one.type in _HOME}
    if not home or home >= {configuration_of.get(name, "") for name in resources}:
        return dict(resources)
    at_home = [one for name, one in resources.items() if configuration_of.get(name, "") in home]
    meant = {link.resource for one in at_home for link in links(one.properties)}
    meant -= {name for name in meant if name in resources and resources[name].type in _BESIDE}
    return {
        name: one
        if configuration_of.get(name, "") in home or name in meant or _is_of_the_edge(one) or not _is_of_aws(one)
        else replace(one, doubt=one.doubt or Unknown(_WHY, one.place))
        for name, one in resources.items()
    }


_WHY = "another configuration of the provider makes it, which may mean another account or Region than the functions'"


def _is_of_aws(resource: Resource) -> bool:
    return resource.type.startswith(("aws_", "awscc_"))


def _is_of_the_edge(resource: Resource) -> bool:
    return text(get(resource.properties, "scope")) == _OF_THE_EDGE
