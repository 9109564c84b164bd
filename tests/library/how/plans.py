"""What Terraform would plan for a snippet of the library: the same resources, and what they refer to."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import hcl2

from tests.stacks.terraform.planning import plan, references, resource

MARKS = {"__comments__", "__is_block__"}
META = {"depends_on", "lifecycle", "provider"}
ADDRESS = re.compile(r"(?<![\w.\"])((?:data\.)?(?:aws|github)_\w+\.\w+)((?:\.\w+)?)")
OTHER = re.compile(r"(?<![\w.])((?:var|local)\.\w+)")
COMPUTED = ("arn", "execution_arn", "id", "invoke_arn", "json", "version", "version_arn")


def planned(snippet: str) -> str:
    """The plan of a snippet, in which each resource that it only refers to is created with nothing set."""
    parsed = hcl2.loads(f"{snippet}\n")
    declared: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {}
    for mode, prefix in (("resource", ""), ("data", "data.")):
        for one in parsed.get(mode, []):
            for kind, names in one.items():
                for name, body in names.items():
                    declared[f"{prefix}{unquoted(kind)}.{unquoted(name)}"] = block(body)
    named = {address for address, _ in ADDRESS.findall(re.sub(r"#.*", "", snippet))}
    for address in sorted(named - declared.keys()):
        if not address.startswith("data."):  # what it would find is unknown
            declared[address] = ({}, {}, {})
    for values, unknown, said in declared.values():
        settle(values, unknown, said, {address: known for address, (known, _, _) in declared.items()})
    resources = [
        resource(address, values, unknown=dict.fromkeys(COMPUTED, True) | unknown)
        for address, (values, unknown, _) in declared.items()
    ]
    return json.dumps(plan(resources, {address: said for address, (_, _, said) in declared.items()}))


def block(body: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """The values of a block, which of them are known only after apply, and its expressions."""
    values: dict[str, Any] = {}
    unknown: dict[str, Any] = {}
    said: dict[str, Any] = {}
    for name, value in body.items():
        if name in MARKS | META:
            continue
        if isinstance(value, list) and any(isinstance(one, dict) and "__is_block__" in one for one in value):
            parts = [block(one) for one in value]
            values[name], unknown[name], said[name] = ([part[place] for part in parts] for place in range(3))
        elif used := list(referred(value)):
            values[name], unknown[name] = known(value)
            said[name] = references(*used)
        else:
            values[name] = literal(value)
            said[name] = {"constant_value": values[name]}
    return values, unknown, said


def settle(values: dict[str, Any], unknown: Any, said: Any, declared: dict[str, dict[str, Any]]) -> None:
    """Fill in what another resource of the snippet writes out, which Terraform knows before apply."""
    for name, one in said.items():
        if isinstance(one, list):
            for place, inner in enumerate(one):
                settle(values[name][place], unknown[name][place], inner, declared)
        elif unknown.get(name) is True and len(one["references"]) == 2:
            address, _, attribute = one["references"][0].rpartition(".")
            if isinstance(declared.get(address, {}).get(attribute), str):
                values[name], unknown[name] = declared[address][attribute], False


def referred(value: Any) -> Iterator[str]:
    """What an expression refers to, as a plan lists it: the attribute, and the resource that has it."""
    text = json.dumps(value)
    for address, attribute in ADDRESS.findall(text.replace('\\"', '"')):
        yield from dict.fromkeys((address + attribute, address))
    yield from OTHER.findall(text)


def known(value: Any) -> tuple[Any, Any]:
    """What of a value that refers to something is known before apply, and what is not."""
    match value:
        case list():
            parts = [known(one) for one in value]
            return [part for part, _ in parts], [unknown for _, unknown in parts]
        case dict():
            pairs = {unquoted(key): known(one) for key, one in value.items() if key not in MARKS}
            return {key: part for key, (part, _) in pairs.items()}, {key: one for key, (_, one) in pairs.items()}
        case _ if any(referred(value)):
            return None, True  # also where text stands around it
        case _:
            return literal(value), False


def literal(value: Any) -> Any:
    """A value that refers to nothing."""
    match value:
        case list():
            return [literal(one) for one in value]
        case dict():
            return {unquoted(key): literal(one) for key, one in value.items() if key not in MARKS}
        case str() if encoded := re.fullmatch(r"\$\{jsonencode\((.*)\)\}", value, re.DOTALL):
            return json.dumps(literal(hcl2.loads(f"value = {encoded[1]}\n")["value"]))
        case str():
            return unquoted(value).replace("$${", "${")
        case _:
            return value


def unquoted(text: str) -> str:
    """The text that a quoted one stands for."""
    return text[1:-1] if text.startswith('"') and text.endswith('"') and len(text) > 1 else text
