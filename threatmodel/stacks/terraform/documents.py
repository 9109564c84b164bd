"""The policy document that Terraform's data source `aws_iam_policy_document` makes, out of its arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from threatmodel.stacks.values import Joined, Link, List, Node, Scalar, Table, Unknown, is_set, items

_TAKEN_IN = ("source_json", "override_json", "source_policy_documents", "override_policy_documents")


def document(node: Node) -> Node:
    """The document as IAM writes it, of what the data source was given."""
    if not isinstance(node, Table):
        return node
    statements = [_statement(one) for one in items(node.entries.get("statement"))]
    taken_in = [node.entries[name] for name in _TAKEN_IN if is_set(node.entries.get(name))]
    statements += [Unknown("it takes in other policy documents", one.place) for one in taken_in]
    entries: dict[str, Node] = {"Statement": List(tuple(statements), node.place)}
    version = node.entries.get("version")
    if isinstance(version, Scalar) and version.value:
        entries["Version"] = version
    return Table(entries, node.place)


def _statement(node: Node) -> Node:
    if not isinstance(node, Table):
        return node if isinstance(node, Unknown) else Unknown("the statement is not understood", node.place)
    effect = node.entries.get("effect")
    entries: dict[str, Node] = {
        "Effect": effect if effect is not None and is_set(effect) else Scalar("Allow", node.place)
    }
    for name, (key, made) in _PARTS.items():
        found = node.entries.get(name)
        if found is not None and is_set(found):
            entries[key] = made(found)
    return Table(entries, node.place)


def _whole(node: Node) -> Node:
    """The values of a list; where it is not known item by item, what it refers to may not be all of it."""
    match node:
        case List(items=children):
            return List(tuple(map(_unescaped, children)), node.place)
        case Link():
            return List((node, Unknown("what else is there is known only after apply", node.place)), node.place)
        case Joined(parts=parts):
            found = [part for part in parts if not isinstance(part, str)]
            return List(tuple(found), node.place)
        case _:
            return node


def _unescaped(node: Node) -> Node:
    """A text with IAM's own variables as IAM writes them: the data source takes ``&{...}`` for ``${...}``."""
    if isinstance(node, Scalar) and isinstance(node.value, str):
        return node._replace(value=node.value.replace("&{", "${"))
    return node


def _principals(node: Node) -> Node:
    if isinstance(node, Unknown):
        return node
    found: dict[str, list[Node]] = {}
    for one in items(node):
        kind = one.entries.get("type") if isinstance(one, Table) else None
        if not isinstance(one, Table) or not isinstance(kind, Scalar) or not isinstance(kind.value, str):
            return Unknown("who is meant is known only after apply", one.place)
        who = one.entries.get("identifiers")
        found.setdefault(kind.value, []).extend(items(_whole(who)) if who is not None else ())
    if set(found) == {"*"}:
        return Scalar("*", node.place)
    return Table({kind: List(tuple(who), node.place) for kind, who in found.items()}, node.place)


def _conditions(node: Node) -> Node:
    if isinstance(node, Unknown):
        return node
    found: dict[str, dict[str, Node]] = {}
    for test, variable, values in _tests(node):
        if test is None or variable is None:
            return Unknown("the condition is known only after apply", values.place)
        found.setdefault(test, {})[variable] = values
    return Table({test: Table(said, node.place, {}) for test, said in found.items()}, node.place, {})


_PARTS: Mapping[str, tuple[str, Callable[[Node], Node]]] = {
    "actions": ("Action", _whole),
    "not_actions": ("NotAction", _whole),
    "resources": ("Resource", _whole),
    "not_resources": ("NotResource", _whole),
    "principals": ("Principal", _principals),
    "not_principals": ("NotPrincipal", _principals),
    "condition": ("Condition", _conditions),
}
"""What IAM calls the arguments of a statement, and what is made of them, in this order."""


def _tests(node: Node) -> Iterator[tuple[str | None, str | None, Node]]:
    for one in items(node):
        if not isinstance(one, Table):
            yield None, None, one
            continue
        words = [one.entries.get(name) for name in ("test", "variable")]
        test, variable = (word.value if isinstance(word, Scalar) else None for word in words)
        values = one.entries.get("values", Unknown("the condition is known only after apply", one.place))
        yield (
            test if isinstance(test, str) else None,
            variable if isinstance(variable, str) else None,
            _whole(values),
        )
