"""Who may call a function by a permission on it, held against what is known to start it."""

from __future__ import annotations

import re
from itertools import product

from threatmodel.evidence.analyses.properties import read, worded
from threatmodel.evidence.policies.grants import Grant, statements
from threatmodel.evidence.policies.grants import permission as statement_of
from threatmodel.evidence.relations.naming import Called
from threatmodel.evidence.relations.ways import ANYONE, Ways, named
from threatmodel.reading.problems import quoted
from threatmodel.stacks.stack import Resource


def permission(ways: Ways, resource: Resource) -> None:
    """Who may call a function: a permission, or a policy on the function."""
    node = named(resource, "FunctionName|ResourceArn")
    called = ways.names.called(node)
    what = f"the principal of the permission {quoted(resource.name)}"
    ways.anybody(called.open, what, resource.place)
    if not called.functions:
        return
    document = read(resource.properties, "PolicyDocument")
    action = worded(read(resource.properties, "Action")) or ""
    through_url = read(resource.properties, "FunctionUrlAuthType|InvokedViaFunctionUrl") is not None
    for grant in statements(document) if document is not None else (statement_of(resource.properties),):
        named_by = [one.pattern.text for one in grant.principals] or [""]
        for principal in named_by if grant.effect != "Deny" else ():
            service = "url" if through_url or action.endswith("FunctionUrl") else _service(principal)
            _permitted(ways, called, resource, (principal, service), grant)


def _permitted(ways: Ways, called: Called, resource: Resource, who: tuple[str, str], grant: Grant) -> None:
    """Holds a principal, its service and the sources of its statement against what is known to start a function."""
    principal, service = who
    sources = (value for one in grant.conditions if one.key == "aws:sourcearn" for value in one.values)
    senders = {ways.names.meant(link.resource) for one in sources for link in one.links}
    for name in called.functions:
        known = ways.way(name).callers.get(service) if service else None
        if known is None or (senders and not senders & known):
            ways.unknown(name, _foreign(principal, service, known=known is not None), resource.place)
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
