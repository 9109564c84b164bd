"""Signs in a file of infrastructure code that a system has to do with Slack: names and paths, never values.

Slack is asked about only where there is one: a route that nothing authenticates is open to anyone on the internet.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from threatmodel.evidence.analyses.properties import read
from threatmodel.evidence.relations.found import is_of_people, may_be_slack
from threatmodel.evidence.relations.use import FunctionRelations
from threatmodel.evidence.relations.ways import Start
from threatmodel.reading.problems import Place, quoted
from threatmodel.stacks.joining import own_choice, own_name
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Node, Scalar, Table, entries, get

_OF_OTHERS = re.compile(r"AWS::(?:IAM|Lambda::Permission|Logs|CloudWatch)")
"""Types of resources that are there for others and are called after them."""

Sign = tuple[str, Place]


def signs(stack: Stack, relations: Mapping[str, FunctionRelations], called: Sequence[str] = ()) -> tuple[Sign, ...]:
    """What speaks of Slack, each once with its place: parameters, resources, variables, routes.

    `called` are the names of the whole: of the model, of the repository.
    """
    found: dict[str, Place] = {}
    for what, place in _signs(stack, relations, called):
        found.setdefault(what, place)
    return tuple(found.items())


def may_call(start: Start, function: Resource, *, signed: bool) -> bool:
    """Whether it is a question if Slack sends the requests of a route; `signed` is whether the file has a sign.

    Slack's apps post.  Its legacy commands may use GET, and carry a token that the function compares.
    """
    if not may_be_slack(start):
        return False
    if start.detail.upper() != "GET":
        return signed
    names = entries(read(function.properties, "Environment", "Variables"))
    return any(_LEGACY_TOKEN.search(one) and _speaks(one) for one in names)


def installs(start: Start, function: Resource) -> str:
    """Return the variables by which a function exchanges what an OAuth server's redirect brings; '' if it does not.

    A browser follows the redirect with a GET, and the exchange takes the client's id, its secret and the same redirect,
    which the path of the route may show as well.
    """
    if start.by != "http" or start.detail.upper() not in _OF_BROWSERS:
        return ""
    names = entries(read(function.properties, "Environment", "Variables"))
    found = [next(filter(kind.search, names), "") for kind in _OF_OAUTH]
    return ", ".join(filter(None, found)) if all(found[:2]) and (found[2] or is_of_people(start)) else ""


def has_client_secret(function: Resource) -> bool:
    """Return whether a function has, or may have, a variable for the secret of an OAuth client.

    One that is called ``*`` stands for what a plugin adds.
    """
    variables = read(function.properties, "Environment", "Variables") or function.opaque
    names = entries(variables) if variables is None or isinstance(variables, Table) else ("*",)
    return any(name == "*" or _OF_OAUTH[1].search(name) for name in names)


def open_to_install(starts: Sequence[Start], function: Resource) -> bool:
    """Return whether browsers that install an app are all that call a function's routes, besides Slack.

    The redirect needs a GET, so the only one of a function that exchanges what a redirect brings is that.
    """
    routes = [start for start in starts if start.by == "http"]
    browsed = [start for start in routes if start.detail.upper() in _OF_BROWSERS]
    return (
        bool(browsed)
        and all(installs(start, function) for start in browsed)
        and (all(map(is_of_people, browsed)) or (len(browsed) == 1 and _may_be_redirect(browsed[0])))
        and all(_speaks(start.path) for start in routes if start not in browsed)
    )


def _may_be_redirect(start: Start) -> bool:
    """Whether a route may be that of a redirect, though its path names none: it names nothing else either."""
    return start.detail.upper() == "GET" and (start.path.strip("/") == "" or _speaks(start.path))


_OF_BROWSERS = frozenset(("GET", "ANY", "*"))
"""The methods by which a browser follows a redirect."""
_OF_OAUTH = tuple(
    re.compile(one, re.IGNORECASE) for one in (r"CLIENT_?ID\Z", r"CLIENT_?SECRET", r"REDIRECT|CALLBACK_?UR[IL]")
)
"""How variables are called that hold an OAuth client's id, its secret and where the server redirects to."""
_LEGACY_TOKEN = re.compile(r"\A(?!.*(?:BOT|USER|APP|OAUTH|ACCESS)).*TOKEN", re.IGNORECASE)
"""How the variables of tokens are called that Slack sends with a command, and not those of its API."""


def _signs(stack: Stack, relations: Mapping[str, FunctionRelations], called: Sequence[str]) -> Iterator[Sign]:
    """The strongest first: where Slack would call, the parameters that it would send, and then names."""
    for found in relations.values():
        for start in found.triggers:
            if _speaks(start.path):
                yield f"the path {quoted(start.path)}", start.places[0]
    for name in relations:
        variables = read(stack.resources[name].properties, "Environment", "Variables")
        for variable in variables.entries if isinstance(variables, Table) else ():
            if isinstance(variables, Table) and _speaks(variable):
                yield f"the variable {quoted(variable)}", variables.keys.get(variable, variables.place)
    yield from _named(stack, called)


def _named(stack: Stack, called: Sequence[str]) -> Iterator[Sign]:
    yield from ((f"the name {quoted(name)}", Place(stack.file)) for name in called if _speaks(name))
    for file in stack.joined.values() or (stack,):
        if _speaks(file.title):
            yield f"the service {quoted(file.title)}", Place(file.file)
        if isinstance(file.description, Scalar) and _speaks(str(file.description.value)):
            yield "the description", file.description.place
    for name, parameter in stack.parameters.items():
        if _speaks(own_choice(name)):
            yield f"the parameter {quoted(own_choice(name))}", parameter.value.place
    every = (one for one in stack.resources.values() if not one.made_by)
    named = [one for one in every if _speaks(own_name(one.name, stack.joined)[1])]
    for resource in sorted(named, key=lambda one: bool(_OF_OTHERS.match(one.type))):
        yield f"the name {quoted(own_name(resource.name, stack.joined)[1])}", resource.place


def described_outputs(stack: Stack) -> Iterator[tuple[Scalar, Node]]:
    """Yield the outputs of a template that speaks of Slack, there or as a whole: the description, and the value."""
    whole = isinstance(stack.description, Scalar) and _speaks(str(stack.description.value))
    for node in stack.beside:
        for output in entries(node).values():
            value, said = get(output, "Value"), get(output, "Description")
            if value is not None and isinstance(said, Scalar) and (whole or _speaks(str(said.value))):
                yield said, value


def _speaks(text: str) -> bool:
    return "slack" in text.lower()
