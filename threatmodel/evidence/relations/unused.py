"""Whether a role may do more than its function uses: its permissions, compared with other statements on the function.

The grants do not prove their own use, nor does a list of the model that repeats them, as import writes it.  Uses come
from other signs in the file, which the model's lists confirm (a statement), or from the calls that the function was
observed to make (evidence): only observed calls prove that a role allows no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from threatmodel.evidence.analyses.properties import read
from threatmodel.evidence.answers import Unanswered
from threatmodel.evidence.outside import outside
from threatmodel.evidence.policies.iam import IamAction, expanded
from threatmodel.evidence.policies.work import (
    SETS_UP,
    changes,
    common,
    listed,
    template_of_actions,
    template_of_uses,
    use_of,
)
from threatmodel.evidence.relations.beyond import Beyond
from threatmodel.evidence.relations.use import RELATION, RELATIONS, VERB, FunctionRelations, Use
from threatmodel.model.facts import Statement
from threatmodel.model.system import Node, Reference
from threatmodel.reading.problems import Place
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import entries, links

if TYPE_CHECKING:
    from threatmodel.probe.seen import SeenCall

_USE = {name: use for use, name in RELATION.items()}
_HANDED_OVER = {"destination", "perhaps destination"}

Rights = frozenset[tuple[str, str]]
"""Actions in small letters, each with the resource of the file."""


class Needed(NamedTuple):
    """What a function was seen to need.

    `seen` are the actions that it was observed to call (None without an observation); `by_sam`: SAM creates its role,
    so SAM's policy templates can be used; `opened` are the services that its code can call (None: perhaps others, too).
    """

    seen: Rights | None
    by_sam: bool = False
    opened: frozenset[str] | None = None


def unused(
    node: Node, relations: FunctionRelations, element_of: Mapping[str, str], needed: Needed, place: Place
) -> Statement | Unanswered | None:
    """What is said of `role_reaches_unused`, with the reasons, the worst first, and what to write instead.

    None if the grants are unknown; `place` is the place of the function.
    """
    reasons = list(_more(node, relations, element_of, needed))
    if reasons:
        instead = list(_instead(node, relations, element_of, needed))
        others = sum(not _is_no_work(one, relations) for one in relations.beyond)
        described = [*_first([why for why, _ in reasons], _MOST_REASONS)]
        what = "what another statement allows" if others == 1 else f"what {others} more statements allow"
        described += [f"nothing shows whether it uses {what}"] if others else []
        described += [f"use instead: {listed(instead)}"] if instead else []
        return Statement(value=True, source="template", place=reasons[0][1], note="; ".join(described))
    if any(name in relations.unknown for name in RELATIONS):
        return None
    if relations.beyond:
        stated_of = "; ".join(one.described for one in relations.beyond)
        return Unanswered(f"nothing shows whether it uses {stated_of}", relations.beyond[0].place)
    if relations.unused and needed.seen is None:
        left = relations.unused[0]
        why = f"only the grant names {left.resource}, so nothing shows whether it uses it"
        return Unanswered(why, left.places[0])
    if needed.seen is not None and relations.rights <= needed.seen:
        return _not("template", place, "it uses each action that its role allows, on each resource")
    stated = next((node.relations[name] for name in RELATIONS if name in node.relations), None)
    if not relations.rights:
        return _not("template", place, "its role allows nothing on stores, queues and secrets")
    if stated is not None:
        return _not("model", stated.place, "the model states a use for each grant")
    return Unanswered("its uses are derived only from the grants themselves", place)


_MOST_REASONS = 6
"""Reasons that are named before the rest is counted."""


def _first(named: Sequence[str], most: int) -> Iterator[str]:
    yield from named[:most]
    if len(named) > most:
        yield f"{len(named) - most} more rights"


def _not(source: Literal["model", "template"], place: Place, note: str) -> Statement:
    return Statement(value=False, source=source, place=place, note=note)


def _more(
    node: Node, relations: FunctionRelations, element_of: Mapping[str, str], needed: Needed
) -> Iterator[tuple[str, Place]]:
    """What the role surely allows beyond the function's work, the worst first."""
    no_work = (one for one in relations.beyond if _is_no_work(one, relations))
    worst_first = sorted(no_work, key=lambda one: one.severity)
    for number, one in enumerate(worst_first):
        yield f"{'' if number else 'beyond its known uses: '}{one.described}", one.place
    if needed.seen is not None:
        reached = {resource for _, resource in needed.seen}
        left = (use for use in relations.unused if use.resource not in reached)
        yield from ((f"{use.resource}, which only the grant names", use.places[0]) for use in left)
    for use, services in _idle(relations, needed):
        yield f"{use.resource}, for which the code, read whole, makes no client of {services}", use.places[0]
    for name, known in _stated(node).items():
        for use in _granted(relations, name):
            element = element_of.get(use.resource)
            if element is not None and element not in known:
                yield (
                    f"its role allows it to {VERB[_USE[name]]} {element}, but the model states that it does not",
                    use.places[0],
                )


_BY_API = frozenset({"dynamodb", "events", "firehose", "kinesis", "s3", "secretsmanager", "sns", "sqs", "ssm"})
"""Services that code only uses through a client."""


def _idle(relations: FunctionRelations, needed: Needed) -> Iterator[tuple[Use, str]]:
    """What grants and variables alone name, with its service, where the code was read whole and does not call that."""
    if needed.seen is not None or needed.opened is None:
        return
    every = [use for name in RELATIONS for use in relations.lists[name]]
    others = {use.resource for use in every if not {*use.how} <= _READ_BY_CODE}
    for use in {use.resource: use for use in every if "grant" in use.how and use.resource not in others}.values():
        services = {name.partition(":")[0] for name, resource in relations.rights if resource == use.resource}
        if services and services <= _BY_API - needed.opened:
            yield use, listed(sorted(services))


_READ_BY_CODE = frozenset({"grant", "environment"})
"""The signs of a use that are none without code: Lambda itself reads events and writes to destinations."""


def _is_no_work(one: Beyond, relations: FunctionRelations) -> bool:
    """Whether rights surely are no function's work: to change what it uses, or rights and identities.

    Rights that are spelled out on a service that it calls may be what it is for, such as to create a schedule or a
    snapshot, and so is the role that it passes to that service, which `role_can_escalate` is about.
    """
    if not one.changes or {name.lower() for name in one.actions} == {"iam:passrole"}:
        return False
    called = {found.service for use in relations.lists["calls"] if (found := outside(use.resource)) is not None}
    services = {name.partition(":")[0].lower() for name in one.actions}
    return one.severity < SETS_UP or not services <= called


def _stated(node: Node) -> Mapping[str, frozenset[str]]:
    """The elements that the model says a function uses, by list; nothing where it has none of the lists."""
    if not any(name in node.relations for name in RELATIONS):
        return {}
    return {
        name: frozenset(one.id for one in stated.items if isinstance(one, Reference))
        if stated is not None
        else frozenset()
        for name in RELATIONS
        for stated in (node.relations.get(name),)
    }


def _granted(relations: FunctionRelations, name: str) -> Iterator[Use]:
    return (use for use in relations.lists[name] if "grant" in use.how and not _HANDED_OVER & set(use.how))


# --- what to write instead


def _instead(node: Node, relations: FunctionRelations, element_of: Mapping[str, str], needed: Needed) -> Iterator[str]:
    """A narrower policy for each resource that it uses: what it was seen to call, else what the model says it does."""
    if needed.seen is not None:
        for resource, actions in _by_resource(needed.seen).items():
            fits = template_of_actions(actions) if needed.by_sam else ""
            yield f"{fits or listed(one.name for one in actions)} on {resource}"
        return
    stated = _stated(node)
    idle = {use.resource for use, _ in _idle(relations, needed)}
    used = frozenset(one for one in relations.rights if one[1] not in idle)
    for resource, actions in _by_resource(used).items():
        element = element_of.get(resource, "")
        uses = frozenset(_USE[name] for name, known in stated.items() if element in known)
        kept = common(one for one in actions if use_of(one) in uses and not changes(one))
        if kept and len(kept) < len(actions):
            fits = template_of_uses(kept[0].name.partition(":")[0], uses, actions) if needed.by_sam else ""
            yield f"{fits or listed(one.name for one in kept)} on {resource}"


def _by_resource(rights: Rights) -> Mapping[str, list[IamAction]]:
    found: dict[str, list[IamAction]] = {}
    for name, resource in sorted(rights):
        found.setdefault(resource, []).extend(expanded(name))
    return found


# --- the calls that a function was seen to make

_RIGHT: Mapping[str, str] = {
    "sqs:sendmessagebatch": "sqs:sendmessage",
    "sns:publishbatch": "sns:publish",
    "s3:headobject": "s3:getobject",
    "dynamodb:executestatement": "",
}
"""Operations that another right of the same service allows ('' for those that need different ones), from the service
authorization reference; every other operation needs the permission of the same name."""


def used(calls: Iterable[SeenCall], function: Resource, stack: Stack) -> frozenset[tuple[str, str]]:
    """The rights (in small letters) that the calls need, each with the resource that the variable refers to.

    A call on something that no variable of the function refers to shows the use of no resource of the file.
    """
    variables = entries(read(function.properties, "Environment", "Variables"))
    found = set()
    for call in calls:
        operation = f"{call.service}:{call.action}".lower()
        named = {link.resource for link in links(variables.get(call.variable))} & stack.resources.keys()
        right = _RIGHT.get(operation, operation)
        if right and len(named) == 1:
            found.add((right, named.pop()))
    return frozenset(found)


def unable(
    calls: Iterable[SeenCall], function: Resource, stack: Stack, rights: frozenset[tuple[str, str]]
) -> tuple[str, ...]:
    """The calls that a function was seen to make and that its rights do not allow on what its variables refer to.

    `rights` is all that its role allows: actions in small letters, each with the resource of the file.
    """
    return tuple(f"{action} on {on}" for action, on in sorted(used(calls, function, stack) - rights))
