"""Where secrets and passwords are kept: in a store, or in plaintext in the file or the stack.

Values are looked at here and dropped: what is returned holds names, places and words, never a value.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from threatmodel.evidence.analyses.properties import document, flag, read, worded
from threatmodel.evidence.analyses.registry import analysis
from threatmodel.evidence.analyses.secret_texts import is_placeholder, spells_secret
from threatmodel.evidence.analyses.secrets import supplied
from threatmodel.evidence.answers import Answered, Gathered, Outcome, Unanswered, doubt_of, named, open_at
from threatmodel.reading.problems import Place
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Node, Scalar, Table, Unknown, is_set, leaves, links, shape_of

_LONGEST = 200_000
"""Characters of code that are looked through."""
_STORE = re.compile(r"\{\{resolve:(?:secretsmanager|ssm-secure):[^{}]*\}\}\Z")


@analysis("itself", "beside", "value", "pattern", answers=("secrets-manager", "code"))
def secret_kept_in(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Return where the value of a secret in Secrets Manager is: in the file too, if the file has it in plain text.

    A literal secret anywhere else in the file may be any of the secrets: then it is unknown where each is kept;
    so it is where a dynamic reference copies it to where it can be read.
    """
    for part in named(parts, "pattern"):
        if _spells_more(part.node, stack):
            return Unanswered("the pattern that generates its value may contain a secret itself", part.node.place)
    for part in named(parts, "value"):
        outcome = _spelt(part, resource, stack)
        if outcome is not None:
            return outcome
    spelt, copies = stack.once(_texts, lambda: _texts(stack))
    if spelt is not None:
        return Unanswered("a secret is in plaintext here, which may be this one", spelt)
    copy = next((node for node in copies if _copies(node, resource, stack)), None)
    return Unanswered("a copy of it may be here in plaintext", copy.place) if copy is not None else None


@analysis("parameter", answers=("code",))
def parameter_kept_in(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Return that a parameter of the Parameter Store is in the file, if its value there is a secret."""
    for part in parts:
        name = worded(read(resource.properties, "Name")) or resource.name
        if isinstance(part.node, Unknown) and worded(read(resource.properties, "Type")) != "SecureString":
            return Unanswered(part.node.why, part.node.place)
        supply = supplied(name.rpartition("/")[2], part.node, stack)
        if supply.how == "literal-secret" and doubt_of(part.resource, resource) is None:
            return Answered("code", (part.node.place,), "the file contains its value in plaintext")
    return None


def _texts(stack: Stack) -> tuple[Place | None, tuple[Node, ...]]:
    """Return where a file spells a secret, and what of it may put the value of a stored one somewhere."""
    every = [
        leaf for one in stack.resources.values() if not _KEEPERS.match(one.type) for leaf in leaves(one.properties)
    ]
    about = [leaf for one in stack.resources.values() for node in (one.about or {}).values() for leaf in leaves(node)]
    beside = [leaf for node in stack.beside for leaf in leaves(node)]
    spelt = next((one for one in (*every, *about, *beside) if spells_secret(shape_of(one)[:_LONGEST])), None)
    return spelt.place if spelt is not None else None, tuple(filter(_may_copy, every))


_KEEPERS = re.compile(
    r"AWS::SecretsManager::|AWS::(RDS|DocDB|Neptune|Redshift|RedshiftServerless|ElastiCache|MemoryDB"
    r"|AmazonMQ|DirectoryService|DMS|OpenSearchService|Elasticsearch|Cognito|FSx|MSK)::|AWS::Events::Connection\Z"
    r"|AWS::CodePipeline::Webhook\Z"
)
"""Types that are handed a password and never tell it again; the value of a secret itself is another question."""


def _may_copy(node: Node) -> bool:
    stated = shape_of(node)
    return "resolve:secretsmanager:" in stated or any(one.attribute in _VALUES for one in links(node))


def _spells_more(generated: Node, stack: Stack) -> bool:
    """Whether the pattern of a generated secret has, beside what is generated, what is or may be a secret."""
    template = document(read(generated, "SecretStringTemplate"))
    made = worded(read(generated, "GenerateStringKey"))
    if template is None:
        return False
    if not isinstance(template, Table):
        return True
    values = [supplied(name, node, stack) for name, node in template.entries.items() if name != made]
    return any(one.secret is not False for one in values)


def _copies(node: Node, resource: Resource, stack: Stack) -> bool:
    """Whether a dynamic reference puts the value of this secret here; one that names none of this file may."""
    kept = [stack.resources.get(one.resource) for one in links(node) if one.attribute in _VALUES]
    if any(one is None or one is resource for one in kept):  # Terraform looks it up, or reads it back
        return True
    if "resolve:secretsmanager:" not in shape_of(node):
        return False
    named_there = {link.resource for link in links(node)}
    secrets = {name for name in named_there if name in stack.resources}
    return resource.name in secrets or not secrets


_VALUES = frozenset(("secret_string", "secret_binary"))


def _spelt(part: Gathered, resource: Resource, stack: Stack) -> Outcome:
    node = part.node
    if _STORE.match(shape_of(node)) or _is_hidden(node, stack):
        return None
    if not isinstance(node, Scalar) or node.given:
        why = "its value is passed to the deployment in plaintext (no NoEcho)" if isinstance(node, Scalar) else ""
        return Unanswered(why or open_at(node).why, node.place)
    if is_placeholder(str(node.value)) or doubt_of(part.resource, resource) is not None:
        return Unanswered("a value is in plaintext here, which may be a placeholder", node.place)
    return Answered("code", (node.place,), "the file contains its value in plaintext")


def _is_hidden(node: Node, stack: Stack) -> bool:
    """Whether a hidden parameter without a default gives a value."""
    given = getattr(node, "given", ())
    known = [stack.parameters[name] for name in given if name in stack.parameters]
    spelt = any(isinstance(one.value, Scalar) and one.value.value not in {None, ""} for one in known)
    return bool(known) and all(one.hidden for one in known) and not spelt


# --- passwords of databases and caches
_NAME = "PASSWORD"
"""The property is a password, whatever its own name and its value say."""


@analysis("password", "managed")
def password_in_plaintext(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether a password is a literal, or a parameter that everyone who reads the stack sees (no NoEcho)."""
    managed = next((part for part in named(parts, "managed") if flag(part.node)), None)
    for part in named(parts, "password"):
        outcome = _judged(part, stack)
        doubt = doubt_of(part.resource, resource)
        if outcome is not None:
            return outcome if doubt is None or not isinstance(outcome, Answered) else Unanswered(doubt.why, doubt.place)
    if managed is None:
        return None
    return Answered(value=False, places=(managed.node.place,), note="Secrets Manager holds the password")


def _judged(part: Gathered, stack: Stack) -> Outcome:
    node = part.node
    if isinstance(node, Scalar) and not is_set(node):
        return None
    supply = supplied(_NAME, node, stack)
    if supply.how in {"secretsmanager-dynamic", "ssm-secure"}:
        return Answered(value=False, places=(node.place,), note="it is read from a managed store")
    parameter = {**stack.parameters, **stack.hidden}.get(supply.by)
    if parameter is not None and parameter.hidden and isinstance(parameter.value, Unknown):
        return Answered(value=False, places=(node.place,), note="a hidden parameter supplies it")
    if parameter is not None and not parameter.hidden:
        note = f"the parameter {supply.by} supplies it, and is shown with the stack (no NoEcho)"
        return Answered(value=True, places=(node.place,), note=note)
    if supply.how in {"literal", "literal-secret"}:
        return Answered(value=True, places=(node.place,), note="the file contains the password as a literal")
    why = "the hidden parameter has a default in the file, which a deployment may replace"
    return Unanswered(why if parameter is not None else supply.why or "its value cannot be read", node.place)
