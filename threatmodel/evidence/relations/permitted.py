"""Who may call a function by a permission on it, held against what is known to start it."""

from __future__ import annotations

import re
from itertools import product

from threatmodel.evidence.analyses.properties import read, worded
from threatmodel.evidence.policies.grants import statements
from threatmodel.evidence.relations.naming import Called
from threatmodel.evidence.relations.ways import ANYONE, Ways, named
from threatmodel.reading.problems import quoted
from threatmodel.stacks.stack import Resource
from threatmodel.stacks.values import Node, Scalar, links


def permission(ways: Ways, resource: Resource) -> None:
    """Who may call a function: a permission, or a policy on the function."""
    node = named(resource, "FunctionName|ResourceArn")
    called = ways.names.called(node)
    what = f"the principal of the permission {quoted(resource.name)}"
    ways.anybody(called.open, what, resource.place)
    if not called.functions:
        return
    document = read(resource.properties, "PolicyDocument")
    if document is None:
        principal, source = read(resource.properties, "Principal"), read(resource.properties, "SourceArn")
        through = read(resource.properties, "FunctionUrlAuthType|InvokedViaFunctionUrl")
        _permitted(ways, called, resource, (principal, source), through_url=through is not None)
        return
    for grant in statements(document):
        if grant.effect != "Deny":
            for one in grant.principals or (None,):
                who = None if one is None else Scalar(one.pattern.text, grant.place)
                _permitted(ways, called, resource, (who, None), through_url=False)


def _permitted(
    ways: Ways, called: Called, resource: Resource, who: tuple[Node | None, Node | None], *, through_url: bool
) -> None:
    """Holds a principal (and the source that it is tied to) against what is known to start a function."""
    principal, source = who
    spelt = worded(principal) or ""
    action = worded(read(resource.properties, "Action")) or ""
    service = "url" if through_url or action.endswith("FunctionUrl") else _service(spelt)
    senders = {ways.names.meant(link.resource) for link in links(source)}
    for name in called.functions:
        known = ways.found[name].callers.get(service) if service else None
        if known is None or (senders and not senders & known):
            ways.unknown(name, _foreign(spelt, service, known=known is not None), resource.place)
            continue
        for whose, given in product(senders | {""} if senders else {ANYONE}, (False, True)):
            hidden = ways.hidden.get((service, whose, given))
            if hidden is not None and ways.names.may_name(hidden, ways.names.functions[name]):
                ways.unknown(name, f"{service} may also start it in another way: {hidden.why}", hidden.place)


def _service(principal: str) -> str:
    """The service that a principal is, in one word; '' where it is none."""
    found = re.match(r"([a-z0-9-]+)\.(?:[a-z0-9-]+\.)?amazonaws\.com", principal)
    return found[1] if found else ""


def _foreign(principal: str, service: str, *, known: bool) -> str:
    if service == "url":
        return "a function URL that is not in this file may start it"
    if service and known:
        return f"a permission allows {service} to start it for a source that cannot be read"
    if service:
        return f"a permission allows {service} to start it, and its source is unknown"
    if principal == "*":
        return "a permission allows any principal to call it"
    return "a permission allows an external principal to call it"
