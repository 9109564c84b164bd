"""What a template takes in by `AWS::Include` from files of the project, which `sam package` uploads as they are.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/transform-aws-include.html
"""

from __future__ import annotations

from collections.abc import Callable

from threatmodel.stacks.values import List, Node, Table, Unknown, get, text

INCLUDE = "AWS::Include"
MOST_INCLUDED = 20
"""Files that one template includes: what they hold is looked at as often."""
Including = Callable[[Node], Node]
"""Returns what the file holds that a node names: unknown where it is elsewhere or cannot be read."""


def with_included(root: Node, including: Including) -> Node:
    """Return a document with what it includes in place of the names of files, but for too many of these."""
    left = MOST_INCLUDED

    def taken_in(node: Node) -> Node:
        nonlocal left
        if isinstance(node, List):
            return node._replace(items=tuple(map(taken_in, node.items)))
        if not isinstance(node, Table):
            return node
        location = _location(node)
        if location is None:
            return node._replace(entries={name: taken_in(one) for name, one in node.entries.items()})
        found = including(location) if left else node
        left -= found is not node
        return node if isinstance(found, Unknown) else found

    return taken_in(root)


def _location(node: Table) -> Node | None:
    """The name of the file that a mapping includes, which it is nothing else but."""
    transform = node.entries.get("Fn::Transform")
    if transform is None or len(node.entries) > 1 or text(get(transform, "Name")) != INCLUDE:
        return None
    return get(transform, "Parameters", "Location")
