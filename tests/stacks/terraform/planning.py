"""Plans written down as plain data."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.stacks.dumping import dump, value
from tests.support import HOME
from threatmodel.stacks.stack import Stack
from threatmodel.stacks.terraform.reader import read
from threatmodel.stacks.values import get

Golden = Callable[[str, str], None]
SAMPLES = HOME / "tests" / "evidence" / "samples"
SECRET = "test-only-5f3c1"


def sample(name: str) -> Stack:
    return read((SAMPLES / name).read_text(encoding="utf-8"), name)


def plan(
    resources: list[dict[str, Any]],
    configured: dict[str, dict[str, Any]],
    *,
    root: dict[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """A plan of resources: address, type, name and values, with `unknown`, `sensitive` and `actions` beside them."""
    changes = [
        {
            "address": one["address"],
            "change": {
                "actions": one.pop("actions", ["create"]),
                "after_unknown": one.pop("unknown", {}),
                "after_sensitive": one.pop("sensitive", {}),
            },
        }
        for one in resources
    ]
    blocks = [{"address": name, "expressions": said} for name, said in configured.items()]
    return {
        "format_version": "1.2",
        "timestamp": "2026-01-01T00:00:00Z",
        "planned_values": {"root_module": {"resources": resources}},
        "resource_changes": changes,
        "configuration": {"root_module": {"resources": blocks, **(root or {})}},
    } | more


def resource(address: str, values: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    kind, name = address.split("[", maxsplit=1)[0].removeprefix("data.").split(".")
    mode = "data" if address.startswith("data.") else "managed"
    return {"address": address, "mode": mode, "type": kind, "name": name, "values": values or {}, **more}


def references(*names: str) -> dict[str, Any]:
    return {"references": list(names)}


def told(document: dict[str, Any], address: str = "aws_a.x", *path: str) -> str:
    node = get(read(json.dumps(document), "p").resources[address].properties, *(path or ("to",)))
    assert node is not None
    return value(node)


def one(*, said: Any, values: Any = None, unknown: Any = None, sensitive: Any = None, **more: Any) -> dict[str, Any]:
    """A plan in which the attribute `to` of aws_a.x is said to be something, beside two that it may refer to."""
    a = resource(
        "aws_a.x", {} if values is None else {"to": values}, unknown={} if unknown is None else {"to": unknown}
    )
    a["sensitive"] = {} if sensitive is None else {"to": sensitive}
    b = resource("aws_b.y", {"name": "orders", "size": 5, "mode": "fast"}, unknown={"arn": True, "id": True})
    c = resource("random_password.z", {}, unknown={"result": True}, sensitive={"result": True})
    return plan([a, b, c], {"aws_a.x": {"to": said}, "aws_b.y": {"name": {"constant_value": "orders"}}}, **more)


def modules(to: dict[str, Any], outputs: dict[str, Any], call: dict[str, Any], inner: dict[str, Any]) -> dict[str, Any]:
    """A root with aws_a.x and aws_b.y, and a module m with aws_c.z whose attribute `by` refers to something."""
    document = plan(
        [resource("aws_a.x", unknown={"to": True}), resource("aws_b.y", unknown={"arn": True})],
        {"aws_a.x": {"to": to}, "aws_b.y": {}},
    )
    z = {"address": "module.m.aws_c.z", "mode": "managed", "type": "aws_c", "name": "z", "values": {}}
    document["planned_values"]["root_module"]["child_modules"] = [{"address": "module.m", "resources": [z]}]
    change = {"actions": ["create"], "after_unknown": {"by": True, "arn": True, "id": True}}
    document["resource_changes"].append({"address": "module.m.aws_c.z", "change": change})
    document["configuration"]["root_module"]["module_calls"] = {
        "m": {
            "expressions": call,
            "module": {
                "outputs": {name: {"expression": said} for name, said in outputs.items()},
                "resources": [{"address": "aws_c.z", "expressions": {"by": inner}}],
            },
        }
    }
    return document


DOCUMENT = "data.aws_iam_policy_document.d"


def document(statement: list[dict[str, Any]], unknown: Any, **more: Any) -> str:
    """What a policy is whose document is known only after apply."""
    configured = [
        {"actions": {"constant_value": one.get("actions")}, "resources": references("aws_b.y.arn", "aws_b.y")}
        for one in statement
    ]
    found = plan(
        [
            resource("aws_a.x", unknown={"policy": True}),
            resource("aws_b.y", unknown={"arn": True}),
            resource(DOCUMENT, {"statement": statement, **more}, unknown={"json": True, "statement": unknown}),
        ],
        {
            "aws_a.x": {"policy": references(f"{DOCUMENT}.json", DOCUMENT)},
            "aws_b.y": {},
            DOCUMENT: {"statement": configured},
        },
    )
    return dump(read(json.dumps(found), "p")).split("\n  policy:\n", 1)[1].split("\naws_b.y")[0]
