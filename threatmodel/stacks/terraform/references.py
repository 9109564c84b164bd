"""What the expressions of a Terraform plan's configuration refer to, through modules, variables and outputs.

A plan lists the references of each expression, not the expression.  Followed to their ends they are resources, data
sources, the root module's variables, and what cannot be followed (a plan does not hold locals).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

from threatmodel.reading.values import dataclass, field

DEEPEST = 40
"""Modules and outputs that one reference is followed through."""
MOST = 64
"""Ends of one expression; what has more of them is not distinguished."""

Key: TypeAlias = "str | int | None"
"""Which of several: of `count`, of `for_each`, or the only one."""
Keys: TypeAlias = "Sequence[Key]"

_STEP = re.compile(r'\["(?:\\.|[^"\\])*"\]|\[[^\]]*\]|[^.\[\]]+')
_NO_SOURCE = frozenset(("path", "terraform", "self"))


def steps_of(text: str) -> list[str]:
    """The steps of an address or a reference: names, and keys in their brackets."""
    return _STEP.findall(text)


def key_of(step: str) -> Key:
    """The key in brackets."""
    inner = step[1:-1]
    if inner[:1] == '"':
        return re.sub(r"\\(.)", r"\1", inner[1:-1])
    return int(inner) if re.fullmatch(r"\d{1,9}", inner) else inner


def table(raw: Any) -> Mapping[str, Any]:
    """A JSON object; an empty one where it is anything else."""
    return raw if isinstance(raw, dict) else {}


def sequence(raw: Any) -> Sequence[Any]:
    """A JSON array; an empty one where it is anything else."""
    return raw if isinstance(raw, list) else ()


def within(value: Any, sensitive: Any, steps: Sequence[str]) -> tuple[Any, bool]:
    """What is behind some steps in a value (None where there is none to see), and whether it is sensitive."""
    for step in steps:
        name = key_of(step) if step[0] == "[" else step
        if isinstance(value, list) and isinstance(name, int):
            value = value[name] if name < len(value) else None
            marks = sequence(sensitive)
            sensitive = sensitive is True or (marks[name] if name < len(marks) else False)
        else:
            value = table(value).get(str(name))
            sensitive = sensitive is True or table(sensitive).get(str(name), False)
    return value, sensitive is True


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Instance:
    """One resource or data source of a plan, with the marks that say what of it is unknown or sensitive."""

    address: str
    base: str
    type: str
    key: Key
    data: bool
    values: Any
    unknown: Any
    sensitive: Any
    marked: bool
    created: bool
    scope: ModuleInstance

    def at(self, attribute: str) -> tuple[Any, bool]:
        """The value of an attribute (None where there is none to see), and whether it is sensitive."""
        return within(self.values, self.sensitive, steps_of(attribute))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ModuleInstance:
    """One instance of a module: its address ('' for the root), and what it was called with."""

    address: str
    configuration: Mapping[str, Any]
    parent: ModuleInstance | None = None
    call: Mapping[str, Any] = field(default_factory=dict)
    key: Key = None

    @property
    def before(self) -> str:
        """What an address within it begins with."""
        return f"{self.address}." if self.address else ""


class Owner(NamedTuple):
    """Whose expression it is: the module that it is in, the instance's key, and what `for_each` goes over."""

    scope: ModuleInstance
    key: Key = None
    each: Any = None


class Referent(NamedTuple):
    """One end of an expression's references: a resource or data source, a variable, or `why` it cannot be followed."""

    address: str = ""
    attribute: str = ""
    instance: Instance | None = None
    variable: str = ""
    why: str = ""

    @property
    def linked(self) -> bool:
        """Whether it is a resource or a data source."""
        return bool(self.address)


Referents: TypeAlias = "tuple[Referent, ...]"


class References:
    """The instances and modules of one plan, and what their expressions refer to.

    `given` are the values of the root module's variables.
    """

    def __init__(self, given: Mapping[str, Any] | None = None) -> None:
        self._given = given or {}
        self._instances: dict[str, dict[Key, Instance]] = {}
        self._scopes: dict[tuple[str, str], dict[Key, ModuleInstance]] = {}
        self._found: dict[tuple[int, str, Key, int], tuple[Any, Any, Referents]] = {}

    def add_instance(self, instance: Instance) -> bool:
        """Makes an instance known; no where there is one of that address."""
        known = self._instances.setdefault(instance.base, {})
        if instance.key in known:
            return False
        known[instance.key] = instance
        return True

    def scope(self, parent: ModuleInstance, name: str, key: Key, address: str) -> ModuleInstance:
        """The module instance of some name in another one."""
        known = self._scopes.setdefault((parent.address, name), {})
        if key not in known:
            call = table(table(parent.configuration.get("module_calls")).get(name))
            known[key] = ModuleInstance(
                address=address, configuration=table(call.get("module")), parent=parent, call=call, key=key
            )
        return known[key]

    # --- expressions

    def sources(self, expression: Any, owner: Owner, depth: int = 0) -> Referents:
        """The ends of everything that an expression refers to, each once."""
        mark = (id(expression), owner.scope.address, owner.key, id(owner.each))
        if mark in self._found:
            return self._found[mark][-1]
        found: dict[Referent, None] = {}
        references = _references(expression)
        keys = tuple(key for one in references for key in self._keys(one, owner))
        for reference in references:
            found |= dict.fromkeys(_with_keys(tuple(self._followed(reference, owner, depth, keys)), keys))
            if len(found) > MOST:
                return (Referent(why="it refers to very many resources"),)
        self._found[mark] = expression, owner.each, tuple(found)  # both are kept alive: the mark holds their ids
        return self._found[mark][-1]

    def _keys(self, reference: str, owner: Owner) -> Iterator[Key]:
        """The keys by which an expression may choose instances: its owner's own, and what `each.value` has of it."""
        head, *rest = steps_of(reference) or [""]
        if head == "count" or (head == "each" and rest[:1] == ["key"]):
            yield owner.key
        elif head == "each" and rest[:1] == ["value"]:
            over = self._constant(owner.each, owner.scope)
            value = owner.key if isinstance(over, list) else table(over).get(str(owner.key))
            value, _ = within(value, None, rest[1:])
            yield from (one for one in (value if isinstance(value, list) else [value]) if type(one) in {str, int})

    def _constant(self, expression: Any, scope: ModuleInstance) -> Any:
        """The value of an expression that is written out, or is a variable whose value is known; None of others."""
        while len(names := _references(expression)) == 1 and names[0].startswith("var."):
            name = names[0].removeprefix("var.")
            if scope.parent is None:
                return self._given.get(name)
            expression, scope = table(scope.call.get("expressions")).get(name), scope.parent
        return table(expression).get("constant_value")

    def _followed(self, reference: str, owner: Owner, depth: int, keys: Keys) -> Iterator[Referent]:
        steps = steps_of(reference)
        if depth > DEEPEST or not steps:
            yield Referent(why="its references lead too deep")
            return
        match steps[0]:
            case "var" if len(steps) > 1:
                yield from self._variable(steps, owner.scope, depth)
            case "each" if len(steps) > 1 and steps[1] == "value":
                for one in self.sources(owner.each, owner, depth + 1):
                    yield from self._within(one, _joined(steps[2:]), owner)
            case "each" | "count":
                return
            case "module" if len(steps) > 1:
                yield from self._output(steps, owner, depth, keys)
            case "local":
                yield Referent(why=f"it depends on {reference}, and a plan does not hold locals")
            case name if name in _NO_SOURCE or len(steps) == 1:
                return
            case "data" if len(steps) > 2:  # noqa: PLR2004 - data, its type and its name
                yield from self._resources(f"{owner.scope.before}data.{steps[1]}.{steps[2]}", steps[3:], keys)
            case _:
                yield from self._resources(f"{owner.scope.before}{steps[0]}.{steps[1]}", steps[2:], keys)

    def _within(self, source: Referent, attribute: str, owner: Owner) -> Iterator[Referent]:
        """An end of what `for_each` goes over, as one of its values: a resource that is itself made by `for_each`."""
        if source.linked and not source.attribute:
            if source.instance is None or source.instance.key in {None, owner.key}:
                yield source._replace(attribute=attribute)
        else:
            yield source

    def _variable(self, steps: Sequence[str], scope: ModuleInstance, depth: int) -> Iterator[Referent]:
        if scope.parent is None:
            yield Referent(variable=steps[1])
            return
        expression = table(scope.call.get("expressions")).get(steps[1])
        owner = Owner(scope.parent, scope.key, scope.call.get("for_each_expression"))
        rest = _joined(steps[2:])
        for one in self.sources(expression, owner, depth + 1):
            yield one._replace(attribute=rest) if one.linked and not one.attribute else one

    def _output(self, steps: Sequence[str], owner: Owner, depth: int, keys: Keys) -> Iterator[Referent]:
        rest = list(steps[2:])
        key = key_of(rest.pop(0)) if rest and rest[0][0] == "[" else None
        known = self._scopes.get((owner.scope.address, steps[1]), {})
        if not known:
            known = {None: self.scope(owner.scope, steps[1], None, f"{owner.scope.before}module.{steps[1]}")}
        for scope in _chosen(known, key, keys):
            outputs = table(scope.configuration.get("outputs"))
            if not outputs or (rest and rest[0] not in outputs):
                yield Referent(why=f"the module {steps[1]} is not written out")
            elif not rest:
                for output in outputs.values():  # which of them is not said
                    for one in self.sources(table(output).get("expression"), Owner(scope), depth + 1):
                        yield one._replace(attribute="")
            else:
                expression = table(outputs[rest[0]]).get("expression")
                for one in self.sources(expression, Owner(scope), depth + 1):
                    yield one._replace(attribute=_joined(rest[1:])) if one.linked and not one.attribute else one

    def _resources(self, base: str, rest: Sequence[str], keys: Keys) -> Iterator[Referent]:
        rest = list(rest)
        key = key_of(rest.pop(0)) if rest and rest[0][0] == "[" else None
        known = self._instances.get(base)
        if known is None:
            if re.search(r"(?:^|\.)data\.[^.]+\.[^.]+$", base):
                yield Referent(address=base, attribute=_joined(rest))
            return  # a resource that the plan makes none of
        for instance in _chosen(known, key, keys):
            yield Referent(address=instance.address, attribute=_joined(rest), instance=instance)


def _with_keys(ends: Referents, keys: Keys) -> Iterator[Referent]:
    """The ends of a reference without the instances beside one of a key: they came through a variable or an output."""
    chosen = {one.instance.base for one in ends if one.instance is not None and one.instance.key in keys}
    for one in ends:
        if one.instance is None or one.instance.base not in chosen or one.instance.key in keys:
            yield one


def _references(expression: Any) -> list[str]:
    """What an expression refers to, as the plan lists it, which names a reference's beginnings after it."""
    listed = [one for one in sequence(table(expression).get("references")) if isinstance(one, str)]
    return [one for last, one in pairwise(["", *listed]) if not last.startswith((f"{one}.", f"{one}["))]


def _chosen(known: Mapping[Key, Any], key: Key, keys: Keys) -> list[Any]:
    """The instances that a reference means: of the key it names, of those its expression may go by, or all."""
    if key is not None:
        return [known[key]] if key in known else []
    return [known[one] for one in dict.fromkeys(keys) if one in known] or list(known.values())[: MOST + 1]


def _joined(steps: Sequence[str]) -> str:
    return "".join(step if step[0] == "[" else f".{step}" for step in steps).lstrip(".")
