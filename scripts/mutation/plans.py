"""Weakenings of a Terraform plan: planned values, what is known only after apply, and other resources."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from scripts.mutation.bases import Base, before, proven
from scripts.mutation.judging import Mutant
from scripts.mutation.table import Row, applied, filled, table
from scripts.mutation.trees import GONE, at

_PREFIX = ("planned_values", "root_module", "resources")
KINDS: Mapping[str, str] = {
    "aws_lambda_function": "function",
    "aws_dynamodb_table": "store",
    "aws_api_gateway_method": "api",
}


class Maker:
    """Makes the mutants of one plan; `excluded` counts what would weaken nothing, by reason."""

    def __init__(self, base: Base) -> None:
        self.base = base
        self._mutant = base.mutant
        self.excluded: Counter[str] = Counter()
        self.table = table("weaker-plan.yaml")
        self.planned = {one["address"]: one for one in at(base.tree, _PREFIX)}

    def mutants(self) -> Iterator[Mutant]:
        """All of them."""
        for address, planned in self.planned.items():
            for row in self.table.rows.get(planned["type"], ()):
                yield from self._property(address, planned, row)
            yield from self._existence(address, planned["type"])
            yield from self._additions(address, planned)
        yield from self._whole()

    # --- attributes

    def _property(self, address: str, planned: Mapping[str, Any], row: Row) -> Iterator[Mutant]:
        weakens = proven(self.base, row.rests, address)
        steps = tuple(int(step) if step.isdigit() else step for step in row.path.split("."))
        good = at(planned["values"], steps)
        if not weakens or good is GONE:
            self.excluded["no proof depends on it"] += 1
            return
        for number, one in enumerate(row.weak):
            value = applied(one.value, good)
            yield self._mutant(
                one.weakening, f"{address}.{row.path}", f"value-{number + 1}", self._set(address, steps, value), weakens
            )
        if row.settled:
            self.excluded[row.settled] += 1
            return
        if row.left_out:
            self.excluded[row.left_out] += 1
        else:
            yield self._mutant("remove", f"{address}.{row.path}", "null", self._set(address, steps, None), weakens)
        yield self._mutant("word", f"{address}.{row.path}", "known-after-apply", self._unknown(address, steps), weakens)

    def _set(self, address: str, steps: tuple[str | int, ...], value: Any) -> Any:
        tree = copy.deepcopy(self.base.tree)
        for values in _values(tree, address):
            if at(values, steps) is not GONE:
                _put(values, steps, value)
        for expression in _expressions(tree, address, steps):
            expression.clear()
            expression["constant_value"] = value
        return tree

    def _unknown(self, address: str, steps: tuple[str | int, ...]) -> Any:
        """The value is known after the apply only: it comes of a resource that is made then."""
        tree = copy.deepcopy(self.base.tree)
        for values in _values(tree, address):
            if at(values, steps) is not GONE:
                _take(values, steps)
        for change in tree["resource_changes"]:
            if change["address"] == address:
                unknown = change["change"].setdefault("after_unknown", {})
                unknown[steps[0]] = _nested(steps[1:])
        for expression in _expressions(tree, address, steps):
            expression.clear()
            expression["references"] = ["random_id.value.dec", "random_id.value"]
        return tree

    # --- whole resources

    def _existence(self, address: str, kind: str) -> Iterator[Mutant]:
        weakens = proven(self.base, self.table.resources.get(kind, ()), address)
        if not weakens:
            return
        for name, change in (("left-out", None), ("deleted", ["delete"]), ("forgotten", ["forget"])):
            tree = copy.deepcopy(self.base.tree)
            _drop(tree, address, change)
            yield self._mutant("remove", address, name, tree, weakens)

    # --- beside an element

    def _additions(self, address: str, planned: Mapping[str, Any]) -> Iterator[Mutant]:
        names = {"self": address, "name": str(planned["values"].get("function_name", ""))}
        for row in self.table.additions.get(KINDS.get(planned["type"], ""), ()):
            weakens = proven(self.base, row["rests"], address)
            for number, added in enumerate(row["each"] if weakens else ()):
                one = filled(added, names)
                tree = copy.deepcopy(self.base.tree)
                _add(tree, one["type"], one["values"], one.get("refers", {}))
                name = f"beside-{row['rests'][0]}-{one['type']}-{number + 1}"
                yield self._mutant(row["as"], address, name, tree, weakens)
        if KINDS.get(planned["type"]):
            yield from self._scripts(address, planned["type"])

    def _scripts(self, address: str, kind: str) -> Iterator[Mutant]:
        """Resources that run code on what they are handed."""
        rests = {control for row in self.table.rows.get(kind, ()) for control in row.rests}
        weakens = proven(self.base, sorted(rests), address)
        for type_, attribute in (
            ("null_resource", "triggers"),
            ("terraform_data", "input"),
            ("shell_script", "environment"),
            ("aws_cloudformation_stack", "parameters"),
        ):
            tree = copy.deepcopy(self.base.tree)
            _add(tree, type_, {}, {attribute: f"{address}.arn"})
            if weakens and type_ != "aws_cloudformation_stack":
                yield self._mutant("unread", address, type_, tree, weakens)

    # --- the plan as a whole

    def _whole(self) -> Iterator[Mutant]:
        states = before(self.base.name).states
        weakens = tuple(name for name, state in states.items() if state == "proven")
        around = tuple(
            name for name in weakens if name.startswith(("invoke-", "no-escalating", "store-closed", "gateway-auth"))
        )
        for name, change, what in (
            ("errored", {"errored": True}, around),
            ("incomplete", {"complete": False}, around),
        ):
            yield self._mutant("unread", "the whole plan", name, {**self.base.tree, **change}, what)
        for provider in (False, True):
            for address, planned in self.planned.items():
                rests = {control for row in self.table.rows.get(planned["type"], ()) for control in row.rests}
                held = proven(self.base, sorted(rests), address)
                if held and planned["type"] == "aws_cloudwatch_log_group":
                    tree = copy.deepcopy(self.base.tree)
                    _elsewhere(tree, address, account=provider)
                    name = "provider-of-another-account" if provider else "provider-of-another-region"
                    yield self._mutant("foreign-account" if provider else "wrong-region", address, name, tree, held)


def _values(tree: Any, address: str) -> Iterator[Any]:
    """The values of a resource, in each part of the plan that has them."""
    yield from (one["values"] for one in at(tree, _PREFIX) if one["address"] == address)
    yield from (one["change"]["after"] for one in tree["resource_changes"] if one["address"] == address)


def _expressions(tree: Any, address: str, steps: tuple[str | int, ...]) -> Iterator[dict[str, Any]]:
    for one in tree["configuration"]["root_module"]["resources"]:
        if one["address"] == address:
            found = at(one.get("expressions", {}), steps)
            if isinstance(found, dict):
                yield found


def _put(values: Any, steps: tuple[str | int, ...], value: Any) -> None:
    for step in steps[:-1]:
        values = values[step]
    values[steps[-1]] = value


def _take(values: Any, steps: tuple[str | int, ...]) -> None:
    for step in steps[:-1]:
        values = values[step]
    values.pop(steps[-1], None)


def _nested(steps: tuple[str | int, ...]) -> Any:
    if not steps:
        return True
    return [_nested(steps[1:])] if isinstance(steps[0], int) else {steps[0]: _nested(steps[1:])}


def _without(rows: list[Any], keep: Callable[[Any], bool]) -> None:
    rows[:] = [one for one in rows if keep(one)]


def _drop(tree: Any, address: str, actions: list[str] | None) -> None:
    """Takes a resource out of the plan: left out of it altogether, or deleted, or forgotten."""
    _without(at(tree, _PREFIX), lambda one: one["address"] != address)
    _without(tree["configuration"]["root_module"]["resources"], lambda one: one["address"] != address)
    if actions is None:
        _without(tree["resource_changes"], lambda one: one["address"] != address)
    for one in tree["resource_changes"]:
        if one["address"] == address:
            one["change"] = {"actions": actions, "before": one["change"]["after"], "after": None, "after_unknown": {}}


def _add(tree: Any, kind: str, values: Mapping[str, Any], refers: Mapping[str, str]) -> None:
    """Adds a resource; what it refers to is known after the apply."""
    head = {"address": f"{kind}.added", "mode": "managed", "type": kind, "name": "added"}
    provider = {"provider_name": "registry.terraform.io/hashicorp/aws", "schema_version": 0}
    at(tree, _PREFIX).append({**head, **provider, "values": dict(values), "sensitive_values": {}})
    unknown = dict.fromkeys(refers, True)
    change = {"actions": ["create"], "before": None, "after": dict(values), "after_unknown": unknown}
    tree["resource_changes"].append({**head, **provider, "change": change})
    constants = {name: {"constant_value": value} for name, value in values.items()}
    references = {
        name: {"references": [to, to.rpartition(".")[0]] if to.count(".") > 1 else [to]} for name, to in refers.items()
    }
    row = {**head, "provider_config_key": "aws", "expressions": {**constants, **references}, "schema_version": 0}
    tree["configuration"]["root_module"]["resources"].append(row)


def _elsewhere(tree: Any, address: str, *, account: bool) -> None:
    """Put a resource under a separate provider."""
    constant = {"region": {"constant_value": "us-east-1"}}
    other = (
        {"assume_role": [{"role_arn": {"constant_value": "arn:aws:iam::999999999999:role/x"}}]} if account else constant
    )
    config = {"name": "aws", "alias": "other", "full_name": "registry.terraform.io/hashicorp/aws", "expressions": other}
    tree["configuration"]["provider_config"]["aws.other"] = config
    for one in tree["configuration"]["root_module"]["resources"]:
        if one["address"] == address:
            one["provider_config_key"] = "aws.other"
