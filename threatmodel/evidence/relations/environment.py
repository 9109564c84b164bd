"""What the variables of a function name (elements, secrets that are fetched, hosts), and which hold a secret itself."""

from __future__ import annotations

import re

from threatmodel.evidence.analyses.properties import read
from threatmodel.evidence.analyses.secret_texts import meaning
from threatmodel.evidence.analyses.secrets import Supply, supplied
from threatmodel.evidence.answers import Unanswered
from threatmodel.evidence.outside import Outside, is_aws_host
from threatmodel.evidence.relations.naming import Names
from threatmodel.reading.problems import Place
from threatmodel.stacks.joining import own_choice
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Joined, Node, Scalar, Table, Unknown, links, shape_of, text, unknowns

_DYNAMIC = re.compile(r"\{\{resolve:(secretsmanager|ssm|ssm-secure):")
_HOST = re.compile(
    r"(?:https?|wss?|amqps?|mqtts?|postgres(?:ql)?|mysql|rediss?|mongodb(?:\+srv)?)://(?:[^/?#@\s]*@)?([A-Za-z0-9.-]+)"
)
_BARE_HOST = re.compile(r"((?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,24})(?::\d{1,5})?\Z")
_OF_CALLERS = re.compile(r"REDIRECT|CALLBACK_?UR[IL]|ALLOW(?:ED)?_?ORIGIN|CORS|REFERR?ER|AUDIENCE", re.IGNORECASE)
"""How variables are called whose addresses are where callers come from or are sent to, and not what is called."""
_HOLDS_HOST = re.compile(r"(?:HOST|HOSTNAME|ENDPOINT|SERVER)\Z", re.IGNORECASE)
"""How the names of variables end whose values are hosts, without any scheme before them."""
_LONGEST_VALUE = 2048
_AFTER_APPLY = "its environment variables are known only after apply"


class Environment:
    """The variables of one function, looked at once.

    `named` are the elements that variables name, `fetched` the secrets that they lead to, `hosts` those in addresses.
    `blind` is set where some variables are not known, and `unread` says why a secret may be among these.
    """

    def __init__(self, function: Resource, names: Names) -> None:
        self.function = function
        self.names = names
        self.named: dict[str, Place] = {}
        self.fetched: dict[str, Place] = {}
        self.hosts: dict[str, None] = {}
        self.blind = False
        self.unread: Unanswered | None = None
        self._look()

    def place(self, name: str) -> Place | None:
        """Where a variable names an element or secret; None where none does."""
        return self.named.get(name) or self.fetched.get(name)

    def _look(self) -> None:
        variables = read(self.function.properties, "Environment", "Variables")
        hidden = variables if isinstance(variables, Unknown) else self.function.opaque
        if hidden is not None:
            self.blind = True
            self._doubt(hidden.why, hidden.place)
        if isinstance(variables, Joined):  # a plan that knows all of them after apply only
            self.blind = True
            self._doubt(_AFTER_APPLY, variables.place)
            for link in links(variables):
                self.named.setdefault(self.names.meant(link.resource), variables.place)
            self.named = {name: place for name, place in self.named.items() if name in self.names.kinds}
        for name, node in variables.entries.items() if isinstance(variables, Table) else ():
            place = variables.keys.get(name, node.place) if isinstance(variables, Table) else node.place
            self._variable(name, node, place)
            if isinstance(node, Unknown) and not node.given:
                self.blind = True
                if meaning(name) == "secret":
                    self._doubt(node.why, place)

    def _variable(self, named: str, node: Node, place: Place) -> None:
        """What one variable names; its value goes no further."""
        spelt = node.value if isinstance(node, Scalar) and isinstance(node.value, str) else ""
        if isinstance(node, Joined):
            spelt = "".join(part for part in node.parts if isinstance(part, str))
        spelt = spelt[:_LONGEST_VALUE]
        supply = supplied(named, node, self.names.stack)
        into = self.fetched if supply.secret or _DYNAMIC.search(spelt) else self.named
        held = self.names.elsewhere(supplied_secret(supply, node, self.names.stack))
        for link in links(node):
            name = self.names.meant(link.resource)
            if name in self.names.kinds:
                into.setdefault(name, place)
        plain = re.match(r"\{\{resolve:[a-z-]+:([^:}]+)", spelt)  # the name in a dynamic reference
        fetched = self.names.texted(Scalar(plain[1], self.function.place)) if plain else ()
        for name in fetched if into is self.fetched else self.names.texted(node):
            into.setdefault(name, place)
        if held is not None and not any(
            "secret" in self.names.kind_of(name) for name, at in into.items() if at == place
        ):
            into.setdefault(held.key, supply.place)
        if not getattr(node, "given", ()) and not _OF_CALLERS.search(named):
            bare = _BARE_HOST.match(spelt) if _HOLDS_HOST.search(named) and isinstance(node, Scalar) else None
            for host in (*_HOST.findall(spelt), *((bare[1],) if bare else ())):
                if "." in host.strip(".") and not is_aws_host(host):
                    self.hosts[host.lower()] = None

    def _doubt(self, why: str, place: Place) -> None:
        self.unread = self.unread or Unanswered(why, place)


# --- what variables and parameters hold
_NAMED_REFERENCE = re.compile(r"\{\{resolve:(secretsmanager|ssm)(?:-secure)?:((?!arn:)[^:{}$]{1,500})")
"""A dynamic reference to a secret by its plain name."""
_FROM_STORE = re.compile(r"ssm:(?:/aws/reference/(secretsmanager)/)?(.*)")
"""The name of a value that Serverless reads from the Parameter Store, which hands on from Secrets Manager."""


def supplied_secret(supply: Supply, node: Node, stack: Stack) -> Outside | None:
    """Return where the secret is kept that a variable holds, and its name there.

    One that a parameter supplies is the same secret in each variable; else each variable's name stands for its own.
    """
    if not supply.secret or not supply.named:
        return None
    match supply.how:
        case "secretsmanager-dynamic" | "ssm-secure" | "ssm-dynamic":
            return _stored(_NAMED_REFERENCE.search(shape_of(node)))
        case "parameter" | "hidden-parameter":
            parameter = {**stack.hidden, **stack.parameters}[supply.by]
            name = own_choice(parameter.name)
            kept = _FROM_STORE.match(f"ssm:{parameter.stored}" if parameter.stored else name)
            return _stored(kept) or Outside("environment", name.rpartition(":")[2])
        case how:
            return Outside("code" if how == "literal-secret" else "environment", supply.name)


def _stored(found: re.Match[str] | None) -> Outside | None:
    return Outside(found[1] or "ssm", found[2].strip("/")) if found is not None else None


# --- settings

_PLAIN = ("String", "StringList")


def is_setting(resource: Resource, stack: Stack) -> bool:
    """Whether a parameter is certainly no secret: it is kept in the clear, and neither name nor value speaks of one."""
    kind, value = read(resource.properties, "Type"), read(resource.properties, "Value")
    if resource.type != "AWS::SSM::Parameter" or text(kind) not in _PLAIN or value is None:
        return False
    if any(getattr(node, "given", ()) or next(unknowns(node), None) for node in (kind, value)):
        return False
    named = (text(read(resource.properties, "Name")) or resource.name, resource.name)
    return all(supplied(name.rpartition("/")[2], value, stack).secret is False for name in named)
