"""A stack as text, for golden files: one value a line, with what it is and what it comes from."""

from __future__ import annotations

import json
from collections.abc import Iterator

from threatmodel.stacks.stack import Stack
from threatmodel.stacks.values import Joined, Link, List, Node, Scalar, Table, Unknown


def dump(stack: Stack) -> str:
    """Every resource with its properties, then what else the stack says."""
    return "\n".join(_lines(stack)) + "\n"


def _lines(stack: Stack) -> Iterator[str]:
    for resource in stack.resources.values():
        maker = f", made of {resource.made_by}" if resource.made_by else ""
        yield f"{resource.name} ({resource.type}) at {resource.place}{maker}"
        for word, doubt in (("doubt", resource.doubt), ("opaque", resource.opaque)):
            if doubt is not None:
                yield f"  {word}: {value(doubt)}"
        yield from _inside(resource.properties, 1)
    for unread in stack.unread:
        yield f"not read: {unread.name} at {unread.place}: {unread.why}"
    for problem in stack.problems:
        yield f"problem: {problem.place}: {problem.code}: {problem.message}"
    for parameter in stack.parameters.values():
        hidden = " hidden" if parameter.hidden else ""
        yield f"parameter{hidden}: {parameter.name} {parameter.type} = {value(parameter.value)}"


def _inside(node: Node, depth: int) -> Iterator[str]:
    pairs: list[tuple[str, Node]] = []
    if isinstance(node, Table):
        pairs = [(f"{name}:", child) for name, child in node.entries.items()]
    elif isinstance(node, List):
        pairs = [("-", child) for child in node.items]
    for head, child in pairs:
        if isinstance(child, Table | List) and (child.entries if isinstance(child, Table) else child.items):
            yield f"{'  ' * depth}{head}"
            yield from _inside(child, depth + 1)
        else:
            yield f"{'  ' * depth}{head} {value(child)}"


def value(node: Node) -> str:
    """A single value: ``-> name.attribute`` is a link, ``? why`` something unknown, ``<- x`` where it comes from."""
    given = getattr(node, "given", ())
    by = f" <- {', '.join(given)}" if given else ""
    match node:
        case Scalar(value=raw):
            return json.dumps(raw) + by
        case Link(resource=resource, attribute=attribute):
            return f"-> {resource}{f' {attribute}' if attribute else ''}"
        case Joined(parts=parts):
            told = (json.dumps(part) if isinstance(part, str) else f"({value(part)})" for part in parts)
            return f"{' + '.join(told)}{by}"
        case Unknown(why=why, usual=usual):
            return f"? {why}{f'; usually {value(usual)}' if usual is not None else ''}{by}"
        case Table():
            return "{}"
        case _:
            return "[]"
