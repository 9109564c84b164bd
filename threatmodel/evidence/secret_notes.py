"""What a file declares of secrets and should not: a value that is shown, a secret that nothing uses.

The variables of functions are facts; what else in a file has the form of a secret is noted here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from threatmodel.evidence.analyses.secret_texts import looks_secret, meaning, spells_secret
from threatmodel.evidence.analyses.secrets import supplied
from threatmodel.graph.elements import SHOWN_SECRET, UNUSED_SECRET, VISIBLE_SECRET
from threatmodel.reading.problems import Place, Problem, quoted
from threatmodel.stacks.joining import own_choice, own_name
from threatmodel.stacks.stack import MADE_OF, Parameter, Resource, Stack
from threatmodel.stacks.values import Joined, List, Node, Scalar, Table, leaves, links, shape_of, tables, text

_ABOUT_SECRETS = "AWS::SecretsManager::"
"""Types of resources that belong to a secret: its policy, its rotation, the secret itself."""


def secret_notes(stack: Stack, used: Collection[str] | None) -> Iterator[Problem]:
    """The parameters of a file that show a secret, and the secrets and hidden parameters that nothing in it uses.

    `used` are the secrets that functions use; None if they may use others, too.
    """
    given = {
        own_choice(name)
        for resource in stack.resources.values()
        for node in leaves(resource.properties)
        for name in getattr(node, "given", ())
    }
    elsewhere = _for_settings(stack)
    for name, parameter in stack.parameters.items():
        if shows_secret(parameter) and own_choice(name) not in elsewhere:
            message = (
                f"the parameter {quoted(own_choice(name))} is for a secret, and everyone who reads the stack sees it"
            )
            hint = "set NoEcho: true, or pass the name of a secret in Secrets Manager"
            yield Problem(code=SHOWN_SECRET, place=parameter.place, message=message, hint=hint)
        elif (
            parameter.hidden
            and stack.kind == "cloudformation"
            and not stack.undecided
            and own_choice(name) not in given
        ):
            message = f"nothing in the file uses the hidden parameter {quoted(own_choice(name))}"
            yield Problem(code=UNUSED_SECRET, place=parameter.place, message=message, hint="remove it")
    shown: set[Place] = set()
    for found in (*(one for each in stack.resources.values() for one in _in_variables(each, stack)), *_spelled(stack)):
        if found.place not in shown:
            yield found
        shown.add(found.place)
    if used is not None:
        yield from _unused(stack, used)


def _in_variables(resource: Resource, stack: Stack) -> Iterator[Problem]:
    """The variables of a container or a build (pairs of a name and a value) that hold a secret."""
    for pair in tables(resource.properties):
        name, value = text(pair.entries.get("Name")), pair.entries.get("Value")
        if name and value is not None and (text(pair.entries.get("Type")) or _PLAIN) == _PLAIN:
            supply = supplied(name, value, stack)
            if supply.secret and supply.named:
                owner = quoted(own_name(resource.name, stack.joined)[1])
                message = f"a variable of {owner} holds a secret, which everyone who may describe it sees"
                hint = "name a secret of Secrets Manager or a parameter as where the value comes from"
                code = VISIBLE_SECRET if supply.how == "literal-secret" else SHOWN_SECRET
                yield Problem(code=code, place=value.place, message=f"{message} ({supply.described()})", hint=hint)


_PLAIN = "PLAINTEXT"
"""The type of a build's variable that has the value itself."""


def _spelled(stack: Stack) -> Iterator[Problem]:
    """The texts of a file that are a secret by form or by name, but for those that are facts of elements."""
    hint = "revoke it, and keep the new one in Secrets Manager"
    in_variables: set[str] = set()
    for resource in stack.resources.values():
        if resource.type.startswith(_ABOUT_SECRETS):
            continue
        is_function = MADE_OF.get(resource.type, resource.type) == _FUNCTION
        variables = resource.properties.entries.get(_VARIABLES) if is_function else None
        in_variables.update(own_choice(name) for leaf in leaves(variables) for name in getattr(leaf, "given", ()))
        named = [(name, node) for name, node in resource.properties.entries.items() if node is not variables]
        texts = (one for name, node in (*named, *(resource.about or {}).items()) for one in _texts(name, node))
        for leaf in (leaf for name, leaf in texts if _is_secret(name, leaf)):
            owner = quoted(own_name(resource.name, stack.joined)[1])
            message = f"a text of {owner} has the form of a secret, which everyone who may describe it sees"
            yield Problem(code=VISIBLE_SECRET, place=leaf.place, message=message, hint=hint)
    for one in stack.parameters.values():
        name = own_choice(one.name)
        if one.stated is not None and _has_form(one.value):
            message = f"the value for {quoted(name)} has the form of a secret, and is in a file"
            yield Problem(code=VISIBLE_SECRET, place=one.stated, message=message, hint=hint)
        elif one.stated is None and name not in in_variables and _is_secret(name, one.value):
            message = f"the default of the parameter {quoted(name)} is a secret, which everyone who gets the file sees"
            yield Problem(code=VISIBLE_SECRET, place=one.value.place, message=message, hint=hint)
    for leaf in (leaf for node in stack.beside for leaf in leaves(node)):
        if _has_form(leaf):
            message = "a text beside the resources has the form of a secret, which everyone who reads the stack sees"
            yield Problem(code=VISIBLE_SECRET, place=leaf.place, message=message, hint=hint)


def _texts(name: str, node: Node) -> Iterator[tuple[str, Node]]:
    """Yield each value in a node, and the name of the property that has it, or of the header that it is for."""
    match node:
        case Table(entries=entries):
            header = text(entries.get("HeaderName"))
            for key, child in entries.items():
                yield from _texts(header if header and key == "HeaderValue" else key, child)
        case List(items=items):
            for child in items:
                yield from _texts(name, child)
        case _:
            yield name, node


def _has_form(leaf: Node) -> bool:
    return spells_secret(shape_of(leaf)[:_LONGEST])


def _is_secret(name: str, leaf: Node) -> bool:
    """Whether a text is a secret by its form, or by the name of its property and its looks."""
    if _has_form(leaf):
        return True
    value = text(leaf) if isinstance(leaf, Scalar) else None
    return bool(value) and name not in _NOT_BY_NAME and meaning(name) == "secret" and looks_secret(value or "", name)


_NOT_BY_NAME = frozenset(("Key", "Keys", "MasterUserPassword", "AuthToken"))
"""Properties with keys of tags and objects, and those of databases' passwords, which are separate facts."""
_FUNCTION, _VARIABLES = "AWS::Lambda::Function", "Environment"
_LONGEST = 200_000
"""Characters of a text that are looked through."""


def _unused(stack: Stack, used: Collection[str]) -> Iterator[Problem]:
    others = (one.properties for one in stack.resources.values() if not one.type.startswith(_ABOUT_SECRETS))
    named = {link.resource for node in (*others, *stack.outputs.values(), *stack.exported()) for link in links(node)}
    elsewhere = {word for node in stack.beside for one in leaves(node) for word in re.findall(r"\w+", shape_of(one))}
    for secret in stack.of_type("AWS::SecretsManager::Secret"):
        if secret.name not in named | elsewhere and secret.name not in used:
            message = f"nothing in the file uses the secret {quoted(secret.name)}"
            hint = "remove it, or let the function that needs it read it"
            yield Problem(code=UNUSED_SECRET, place=secret.place, message=message, hint=hint)


def shows_secret(parameter: Parameter) -> bool:
    """Whether a parameter of CloudFormation takes a secret, by its name, and does not hide it."""
    plain = parameter.type == "String" and not parameter.stored
    return plain and not parameter.hidden and meaning(own_choice(parameter.name)) == "secret"


_SETTING = re.compile("(?:Type|Mode|Enabled|Disabled|Level|Runtime|Format|Unit)\\Z")
"""How properties end that take one of a few words."""


def _for_settings(stack: Stack) -> set[str]:
    """The parameters of which each use is the whole value of a setting, such as AuthType."""
    used: dict[str, set[bool]] = {}
    for resource in stack.resources.values():
        for table in tables(resource.properties):
            for key, value in table.entries.items():
                for name in {own_choice(one) for leaf in leaves(value) for one in getattr(leaf, "given", ())}:
                    whole = not isinstance(value, Joined | Table | List) and _SETTING.search(key) is not None
                    if whole or not isinstance(value, Table):
                        used.setdefault(name, set()).add(whole)
    return {name for name, wholes in used.items() if all(wholes)}
