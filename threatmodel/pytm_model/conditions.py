"""Conditions of the library as the Python that pytm evaluates.

They answer what ours answer once every fact is known.  A fact that is not known is None there, as one known not to be
set is: false, no word, and neither below nor above anything.
"""

from __future__ import annotations

from collections.abc import Mapping

from threatmodel.library.condition import Always, And, Condition, Leaf, Not, Or, Tree
from threatmodel.model.vocabulary import FACTS
from threatmodel.reading.grouping import grouped
from threatmodel.reading.shape import Word

_KINDS_ALONE = frozenset({"function", "api", "flow"})
"""Kinds that share their class in pytm with nothing else."""


def of_kinds(conditions: Mapping[str, Condition]) -> str:
    """Return one condition, compiled for each kind, as pytm evaluates it.

    It begins with the kind where kinds share a class or read differently.
    """
    cases = grouped((_grouped(found.tree, kind), kind) for kind, found in conditions.items())
    if len(cases) == 1 and _KINDS_ALONE.issuperset(conditions):
        return next(_python(found.tree, kind) for kind, found in conditions.items())
    return " or ".join(_of_kinds(kinds, text) for text, kinds in cases.items())


def _of_kinds(kinds: list[str], text: str) -> str:
    test = f"== {kinds[0]!r}" if len(kinds) == 1 else f"in {tuple(kinds)!r}"
    return f"target.element_kind {test}" + ("" if text == "True" else f" and {text}")


def _python(tree: Tree, kind: str) -> str:
    match tree:
        case Leaf():
            return _test(tree, kind)
        case Always():
            return "True"
        case Not(part):
            return f"not {_grouped(part, kind)}"
        case And(parts):
            return " and ".join(_grouped(part, kind) for part in parts)
        case Or(parts):
            return " or ".join(_grouped(part, kind) for part in parts)


def _grouped(part: Tree, kind: str) -> str:
    text = _python(part, kind)
    return f"({text})" if isinstance(part, And | Or) else text


def _test(leaf: Leaf, kind: str) -> str:
    """A leaf as Python.  pytm would compare words by the alphabet, and take an error (None < 5) for a no."""
    fact = f"target.{leaf.fact}"
    shape = FACTS[kind][leaf.fact].shape
    match leaf.test:
        case "":
            return fact
        case "==" | "!=" if leaf.constant is None:
            return f"{fact} {'is' if leaf.test == '==' else 'is not'} None"
        case "==" | "!=" | "in" | "not in":
            return f"{fact} {leaf.test} {leaf.constant!r}"
        case test if isinstance(shape, Word):
            return f"{fact} in {_reached(shape.words, test, leaf.constant)!r}"
        case test:
            return f"({fact} is not None and {fact} {test} {leaf.constant!r})"


def _reached(words: tuple[str, ...], test: str, bound: str) -> tuple[str, ...]:
    """The words of an ordered list that pass an order comparison."""
    at = words.index(bound)
    return {"<": words[:at], "<=": words[: at + 1], ">": words[at + 1 :], ">=": words[at:]}[test]
