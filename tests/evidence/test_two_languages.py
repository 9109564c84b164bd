"""The same resource in CloudFormation and in Terraform gives the same value for every fact, place by place.

The pairs are made of the data file: each place of a fact, and each source that an analysis looks at, is written in both
languages, with each value that its row distinguishes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
import yaml

from tests.evidence.asking import AT, answer, plan, template
from threatmodel.evidence.mappings.format import FactMapping, Source, ValuePath
from threatmodel.evidence.mappings.load import load_mappings
from threatmodel.evidence.mappings.stack_facts import StackFacts
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.terraform.rows import in_terraform, row_of, snake
from threatmodel.stacks.values import Table

MAPPINGS = load_mappings()
OPEN = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}
CLOSED = {
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "logs:PutLogEvents",
            "Resource": "arn:aws:logs:eu-west-1:111122223333:log-group:a:*",
        }
    ]
}
VALUES: tuple[Any, ...] = (True, False, 1, 400, "Enabled", "Suspended", "x", OPEN, CLOSED)
"""What is written where a source of an analysis stands."""


class Pair(NamedTuple):
    """One resource, or two of which one refers to the other, in both languages."""

    kind: str
    template: dict[str, Any]
    plan: dict[str, Any]


def pairs() -> Iterator[tuple[str, Pair]]:
    """Every pair, with its name."""
    for kind, facts in MAPPINGS.facts.items():
        for fact, places in facts.items():
            for place in places:
                for value in values_of(place):
                    yield from named(f"{kind}.{fact}", kind, place.source, value)
    for kind, sets in MAPPINGS.gathered.items():
        for name, sources in sets.items():
            for source in sources:
                holds_a_policy = path_text(source.at).endswith(("Policy", "Policies", "Document", "Content"))
                for value in VALUES if source.at else ():
                    if isinstance(value, dict) and not holds_a_policy:
                        continue
                    yield from named(f"{kind}/{name}", kind, source, value)


def values_of(place: FactMapping) -> Iterator[Any]:
    """The values that a place distinguishes."""
    if not place.source.at or place.predicate not in {"words", "value", "says"}:
        return
    for word in place.words:
        yield {"true": True, "false": False}.get(word, word.replace("*", "x"))
    if place.value or place.predicate == "says":
        yield from (True, False, 1, 30)


def named(name: str, kind: str, source: Source, value: Any) -> Iterator[tuple[str, Pair]]:
    """The pairs of a source, one for each type of element that both languages have."""
    for of in source.types or ("",):
        pair = written(kind, of, source, value)
        if pair is not None:
            steps = "".join(f" {step.way} {step.types[0]}" for step in source.steps)
            yield f"{name}: {of}{steps} {path_text(source.at)}={json.dumps(value)}", pair


def path_text(path: ValuePath) -> str:
    return ".".join(part.name for part in path if part.name)


def written(kind: str, of: str, source: Source, value: Any) -> Pair | None:
    """A source in both languages, with a resource for each step; None where Terraform has it otherwise."""
    if any(part.kind == "values" or part.where for part in source.at) or any(step.where for step in source.steps):
        return None
    types = {
        name: one for name, one in zip(NAMES, (of, *(step.types[0] for step in source.steps)), strict=False) if one
    }
    found = [(name, in_both(one, (), None)) for name, one in types.items()]
    last = max(types)
    found.append((last, in_both(types[last], source.at, value)))
    for at, step in enumerate(source.steps):
        before, after = NAMES[at], NAMES[at + 1]
        holder, held = (after, before) if step.way == "from" else (before, after)
        if step.way != "any":
            found.append((holder, in_both(types[holder], step.by, f"<{held}>")))
    whole: dict[str, Both] = {}
    for name, one in found:
        if one is None:
            return None
        whole[name] = merged(whole[name], one) if name in whole else one
    return Pair(kind, {name: one[0] for name, one in whole.items()}, {name: one[1] for name, one in whole.items()})


NAMES = ("E", "F", "G", "H")
"""The element, and what each step leads to."""


Both = tuple[tuple[str, dict[str, Any]], list[tuple[str, dict[str, Any]]]]
"""A resource as its type and properties; in a plan the resource itself, and what stands in a part of it."""


def in_both(kind: str, path: ValuePath, value: Any) -> Both | None:
    """A resource with a value at a path, in both languages."""
    own = in_terraform(kind, ())
    if own is None or (row := row_of(own[0])) is None or row.by or row.cases:
        return None
    keys = [part.name for part in path if part.kind == "key"]
    listed = [at + 1 < len(path) and path[at + 1].kind == "items" for at, part in enumerate(path) if part.kind == "key"]
    stated: Any = value
    for name, many in reversed(list(zip(keys, listed, strict=True))):
        stated = {name: [stated] if many else stated}
    found = in_terraform(kind, keys)
    if found is None or (path and path[0].name[:1].islower()):
        return None
    name, argument = found
    plain: Any = json.dumps(value) if isinstance(value, dict) else value
    steps = argument.split(".") if argument else []
    for at, step in reversed(list(enumerate(steps))):
        last = at == len(steps) - 1
        plain = {step: plain if last and not listed[-1] else [plain]}
    resource = (kind, {**row.defaults, **(stated if keys else {})})
    part = row_of(name)
    if part is not None and part.by:
        whose = dict.fromkeys(part.by, "<OWNER>")
        return resource, [(own[0], {}), (name, {**plain, **whose})]
    return resource, [(own[0], plain if steps else {})]


def merged(one: Both, other: Both) -> Both:
    """Two writings of one resource as one."""
    (kind, first), (whole, *parts) = one
    (_, second), (more, *others) = other
    of_parts: dict[str, dict[str, Any]] = {}
    for name, values in (*parts, *others):
        of_parts[name] = together(of_parts.get(name, {}), values)
    return (kind, together(first, second)), [(whole[0], together(whole[1], more[1])), *of_parts.items()]


def together(one: Any, other: Any) -> Any:
    """Two values of a property as one: the second, in mappings and single items that of each key."""
    match one, other:
        case dict(), dict():
            return {**one, **{key: together(one.get(key), value) for key, value in other.items()}}
        case [dict() as first], [dict() as second]:
            return [together(first, second)]
        case _:
            return other


# --- the two stacks


def template_of(pair: Pair) -> Stack:
    resources = {name: {"Type": kind, "Properties": properties} for name, (kind, properties) in pair.template.items()}
    text = f"Resources: {json.dumps(resources)}".replace('"<E>"', '{"Ref": "E"}')
    return template(re.sub(r'"<([F-H])>"', r'{"Fn::GetAtt": ["\1", "Arn"]}', text))


def plan_of(pair: Pair) -> tuple[Stack, str]:
    addresses = {name: f"{resources[0][0]}.{name.lower()}" for name, resources in pair.plan.items()}
    text: dict[str, Any] = {}
    for name, resources in pair.plan.items():
        for at, (kind, values) in enumerate(resources):
            owned = {
                key: f"${{{addresses[name]}.{key}}}" if value == "<OWNER>" else value for key, value in values.items()
            }
            text[f"{kind}.{name.lower()}" if not at else f"{kind}.{name.lower()}{at}"] = owned
    written = yaml.safe_dump(text)
    for name, address in addresses.items():
        written = written.replace(f"<{name}>", f"${{{address}.{'id' if name == 'E' else 'arn'}}}")
    return plan(written), addresses.get("E", "")


def facts_of(stack: Stack, kind: str, name: str) -> dict[str, Any]:
    facts = StackFacts(stack, MAPPINGS)
    element = stack.resources[name] if name else Resource(name="", type="", properties=Table({}, AT), place=AT)
    return {fact: answer(found) for fact, found in facts.of(kind, element).items()}


def in_awscc(pair: Pair) -> tuple[Stack, str]:
    """The pair as the provider awscc has it: CloudFormation's names, without capitals."""
    addresses = {name: f"{awscc(kind)}.{name.lower()}" for name, (kind, _) in pair.template.items()}
    text = yaml.safe_dump({addresses[name]: snaked(properties) for name, (_, properties) in pair.template.items()})
    for name, address in addresses.items():
        text = text.replace(f"<{name}>", f"${{{address}.{'id' if name == 'E' else 'arn'}}}")
    return plan(text), addresses.get("E", "")


def awscc(kind: str) -> str:
    return f"awscc_{snake(''.join(kind.split('::')[1:]))}"


def snaked(value: Any) -> Any:
    match value:
        case {"Statement": _}:
            return json.dumps(value)
        case dict():
            return {snake(name): snaked(child) for name, child in value.items()}
        case list():
            return [snaked(child) for child in value]
        case _:
            return value


PAIRS = dict(pairs())


def test_there_are_pairs_of_every_kind() -> None:
    assert {pair.kind for pair in PAIRS.values()} == set(MAPPINGS.facts)
    assert len(PAIRS) > 1000


@pytest.mark.parametrize("written_as", [plan_of, in_awscc])
@pytest.mark.parametrize("kind", sorted({pair.kind for pair in PAIRS.values()}))
def test_both_languages_say_the_same(kind: str, written_as: Callable[[Pair], tuple[Stack, str]]) -> None:
    differing: dict[str, Any] = {}
    for name, pair in PAIRS.items():
        if pair.kind == kind:
            stack, address = written_as(pair)
            own = "E" if "E" in pair.template else ""
            one, other = facts_of(template_of(pair), kind, own), facts_of(stack, kind, address)
            differ = {
                fact: (one.get(fact), other.get(fact)) for fact in {**one, **other} if one.get(fact) != other.get(fact)
            }
            if differ:
                differing[name] = differ
    assert differing == {}
