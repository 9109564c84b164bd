"""What to write in place of rights that are more than a function needs: a policy template of SAM's, or the actions.

Templates are compared by what they allow (`stacks.sam`): one fits where it allows all that is needed, on one resource,
and beside it nothing of another use and nothing that sets anything up.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import cache

from threatmodel.evidence.policies.iam import IamAction, expanded
from threatmodel.evidence.policies.work import changes, is_of_the_platform, use_of
from threatmodel.stacks.sam.policies import templates

_MOST_ACTIONS = 6
"""Actions that are named before the rest is counted."""


@cache
def _on_one_resource() -> Mapping[str, frozenset[IamAction]]:
    """SAM's templates that allow something of one service on what their one parameter names, and set nothing up."""
    found = {}
    for name, template in templates().items():
        actions = frozenset(action for one in template["statements"] for action in _allowed(one))
        services = {action.name.partition(":")[0] for action in actions}
        wide = any(one.get("Resource") == "*" for one in template["statements"])
        if len(template["parameters"]) == 1 and len(services) == 1 and not wide and not any(map(changes, actions)):
            found[name] = actions
    return found


def _allowed(statement: Mapping[str, object]) -> Iterable[IamAction]:
    listed = statement.get("Action")
    names = listed if isinstance(listed, list) else [listed]
    return (action for name in names for action in expanded(str(name).lower()))


def _content(actions: Iterable[IamAction]) -> frozenset[IamAction]:
    """The actions that work with what a resource holds."""
    return frozenset(action for action in actions if use_of(action) != "manage")


def common(actions: Iterable[IamAction]) -> list[IamAction]:
    """Return those of the actions that SAM's templates have, which is what functions call; all where there is none."""
    given = list(actions)
    known = frozenset[IamAction]().union(*_on_one_resource().values())
    return [one for one in given if one in known] or given


def template_of_actions(needed: Iterable[IamAction]) -> str:
    """SAM's template that allows these actions and as good as nothing else; '' where there is none."""
    wanted = frozenset(one for one in needed if not is_of_the_platform(one))
    uses = {use_of(one) for one in _content(wanted)}
    fitting = [
        (len(allowed), name)
        for name, allowed in _on_one_resource().items()
        if wanted and wanted <= allowed and {use_of(one) for one in _content(allowed)} <= uses
    ]
    return min(fitting, default=(0, ""))[1]


def template_of_uses(service: str, uses: frozenset[str], held: Collection[IamAction]) -> str:
    """SAM's template for these uses of a service (read, write, send, value), within what is held; '' for none."""
    fitting = [
        (-len(allowed), name)
        for name, allowed in _on_one_resource().items()
        if all(one.name.startswith(f"{service}:") for one in allowed)
        and {use_of(one) for one in _content(allowed)} == uses
        and _content(allowed) <= frozenset(held)
    ]
    return min(fitting, default=(0, ""))[1]


def listed(names: Iterable[str]) -> str:
    """Names in a row, as many as a line takes."""
    found = list(dict.fromkeys(names))
    more = f" and {len(found) - _MOST_ACTIONS} more" if len(found) > _MOST_ACTIONS else ""
    return ", ".join(found[:_MOST_ACTIONS]) + more
