"""Whether an alarm takes a new version back: one that watches the errors of what is deployed, and goes off in time.

CodeDeploy asks for the alarms' states while it moves traffic, whatever their actions are.  An alarm counts where it
watches Lambda's ``Errors`` of the function (docs.aws.amazon.com/lambda: "monitoring-metrics-types") and goes off while
a canary still runs: the shortest of CodeDeploy's is five minutes (docs.aws.amazon.com/codedeploy:
"deployment-configurations").  The number of errors in that time is unknown beforehand: more than ten
before anything happens is no watch over a tenth of the traffic.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from threatmodel.evidence.analyses.alerting import goes_off
from threatmodel.evidence.analyses.properties import read, worded
from threatmodel.evidence.answers import all_of, one_of
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import List, Node, Table, Unknown, items, links

_ALARM = "AWS::CloudWatch::Alarm"
_SHORTEST_CANARY = 300
_MOST_ERRORS = 10
_COUNTED = frozenset(("Sum", "Average", "Maximum"))
_OLD = re.compile(r"(?:\A|:)[0-9]+\Z")
_OF_A_VERSION = frozenset(("FunctionName", "Resource", "ExecutedVersion"))


def takes_back(named: Sequence[Node], function: Resource | None, stack: Stack) -> bool | None:
    """Whether one of the alarms that are named watches a function's errors (None: any function of this file)."""
    return one_of([_watches(one, function, stack) for one in named])


def _watches(node: Node, function: Resource | None, stack: Stack) -> bool | None:
    alarm = _alarm(node, stack)
    if alarm is None or alarm.opaque is not None or alarm.doubt is not None:
        return None
    properties = alarm.properties
    metric, space = worded(read(properties, "MetricName")), worded(read(properties, "Namespace"))
    if metric is None or space is None:
        return None
    if (space, metric) != ("AWS/Lambda", "Errors"):
        return None  # it may watch what the function itself counts
    about = _about(read(properties, "Dimensions"), function, stack)
    counts = worded(read(properties, "Statistic")) in _COUNTED or None
    return all_of((about, counts, goes_off(properties, _SHORTEST_CANARY, _MOST_ERRORS)))


def _alarm(node: Node, stack: Stack) -> Resource | None:
    """The alarm of this file that is named, by a link or by the name that it gives itself."""
    target = stack.target(node) or stack.target(read(node, "Name"))
    if target is not None:
        return target if target.type == _ALARM else None
    stated = worded(read(node, "Name") or node)
    alarms = stack.of_type(_ALARM) if stated else ()
    return next((one for one in alarms if worded(read(one.properties, "AlarmName")) == stated), None)


def _about(dimensions: Node | None, function: Resource | None, stack: Stack) -> bool | None:
    """Whether dimensions name the function; None where they narrow it in a way that is not understood."""
    if dimensions is None or isinstance(dimensions, Unknown):
        return None  # all functions of the account together: one's own errors may drown
    found = dict(_dimensions(dimensions))
    if "FunctionName" not in found or not _OF_A_VERSION.issuperset(found):
        return None
    if any(_OLD.search(worded(one) or "") for one in found.values()):
        return None  # a version that is there already, not the one that comes
    name = found["FunctionName"]
    meant = [stack.resources[link.resource] for link in links(name) if link.resource in stack.resources]
    stated = worded(name)
    meant += [
        one for one in stack.resources.values() if stated and worded(read(one.properties, "FunctionName")) == stated
    ]
    if function is None:
        return True if meant else None
    return any(one is function for one in meant) or (None if isinstance(name, Unknown) or not meant else False)


def _dimensions(node: Node) -> Iterator[tuple[str, Node]]:
    """The dimensions of an alarm: a list of names and values, or Terraform's mapping."""
    if isinstance(node, Table):
        yield from node.entries.items()
        return
    for one in items(node) if isinstance(node, List) else ():
        name, value = worded(read(one, "Name")), read(one, "Value")
        if name is not None and value is not None:
            yield name, value
