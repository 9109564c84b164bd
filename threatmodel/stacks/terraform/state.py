"""The resources in a Terraform state, in each form that it has, as `terraform show -json` writes them.

A raw state has two versions: in 3 the attributes are flat texts (``environment.0.variables.%``), in 4 they are JSON.
OpenTofu's states have the same forms.  A state holds secrets in clear: messages name what it is, never what is in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from threatmodel.reading.problems import InputError, refusal
from threatmodel.stacks.terraform.file import at
from threatmodel.stacks.terraform.references import sequence, table

_SHOW = "write it with 'terraform show -json > state.json'"
_MODULE = re.compile(r"module\.[^.\[]+(?:\[(?:\"(?:\\.|[^\"\\])*\"|[^\]]*)\])?")


def state_in(data: str, file: str) -> Mapping[str, Any]:
    """Return the state in a file, with its resources under `values`.  Raises InputError where there is none."""
    raw = _parsed(data, file)
    found = _refusal(raw)
    if found:
        raise _refused(file, *found)
    if isinstance(raw.get("values"), dict) or "format_version" in raw:
        return raw
    resources = _of_version_3(raw) if raw.get("version") == 3 else _of_version_4(raw)  # noqa: PLR2004 - the version
    return {"format_version": "1.0", "terraform_version": raw.get("terraform_version"), "values": _tree(resources)}


def _parsed(data: str, file: str) -> dict[str, Any]:
    try:
        raw = json.loads(data.lstrip("\ufeff"))
    except (ValueError, RecursionError):
        raise _refused(file, "this is no JSON that can be read; it may be cut short", _SHOW) from None
    if not isinstance(raw, dict):
        raise _refused(file, "this is no state: it is JSON of another kind", _SHOW)
    return raw


def _refusal(raw: Mapping[str, Any]) -> tuple[str, str] | None:
    """Why a file is no state that can be read, and what to do; None where it is one."""
    if "encrypted_data" in raw:
        return "this state is encrypted by OpenTofu", "write it in clear with 'tofu show -json > state.json'"
    if "planned_values" in raw:
        return "this is a Terraform plan", "name it under plan:"
    if isinstance(raw.get("backend"), dict) and not sequence(raw.get("resources")) and not _has_modules(raw):
        what = "this has only the settings of the backend in which the state is kept (.terraform/terraform.tfstate)"
        return what, "write the state with 'terraform show -json > state.json', or 'terraform state pull'"
    if isinstance(raw.get("values"), dict) or ("format_version" in raw and "terraform_version" in raw):
        return None
    version = raw.get("version")
    if version in (3, 4) and ("resources" in raw or "modules" in raw):
        return None
    if "lineage" in raw or "terraform_version" in raw:
        shown = f" {version}" if isinstance(version, int) and 0 <= version < 1000 else ""  # noqa: PLR2004 - a number to show
        return f"nothing is known of this version{shown} of Terraform's states", _SHOW
    return "this has no resources of a state", _SHOW


def _has_modules(raw: Mapping[str, Any]) -> bool:
    return any(table(one).get("resources") for one in sequence(raw.get("modules")))


def _refused(file: str, found: str, hint: str) -> InputError:
    return refusal("not-a-state", at(file), f"{found}; expected a Terraform state", hint)


# --- version 4


def _of_version_4(raw: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The resources of a raw state, each with the address of its module."""
    for resource in map(table, sequence(raw.get("resources"))):
        module = resource.get("module") if isinstance(resource.get("module"), str) else ""
        for instance in map(table, sequence(resource.get("instances"))):
            key = instance.get("index_key")
            yield (
                str(module),
                {
                    **_named(str(module), resource, key),
                    "provider": resource.get("provider"),
                    "values": instance.get("attributes"),
                    "sensitive_values": _sensitive(instance.get("sensitive_attributes")),
                    "depends_on": instance.get("dependencies"),
                    "tainted": instance.get("status") == "tainted",
                    "deposed_key": instance.get("deposed"),
                },
            )


def _named(module: str, resource: Mapping[str, Any], key: object) -> dict[str, Any]:
    mode, kind, name = (resource.get(one) for one in ("mode", "type", "name"))
    before = f"{module}." if module else ""
    data = "data." if mode == "data" else ""
    spelled = "" if key is None else f"[{json.dumps(key)}]"
    return {"address": f"{before}{data}{kind}.{name}{spelled}", "mode": mode, "type": kind, "name": name, "index": key}


def _sensitive(paths: object) -> dict[str, Any]:
    """The marks of `show -json` for the paths that a raw state marks; what is not understood marks all around it."""
    marks: dict[str, Any] = {}
    for path in paths if isinstance(paths, list) else ():
        steps = path if isinstance(path, list) else [path]
        first = table(steps[0]).get("value") if steps else None
        if isinstance(first, str):
            inner = [table(one).get("value") for one in steps[1:]]
            marks[first] = True if marks.get(first) else _mark(inner)
    return marks


def _mark(steps: list[Any]) -> Any:
    """The mark of a path of names within an attribute; all of the attribute where a step is no name."""
    match steps:
        case []:
            return True
        case [str() as name, *rest]:
            return {name: _mark(rest)}
        case _:
            return True


# --- version 3


def _of_version_3(raw: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for module in map(table, sequence(raw.get("modules"))):
        path = [one for one in sequence(module.get("path")) if isinstance(one, str)]
        address = ".".join(f"module.{one}" for one in path[1:])
        for key, resource in table(module.get("resources")).items():
            yield from ((address, one) for one in _instances(address, key, table(resource)))


def _instances(module: str, key: str, resource: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The instance of a resource of version 3, and those that are deposed."""
    data = key.startswith("data.")
    kind, _, name = key.removeprefix("data.").partition(".")
    name, _, index = name.partition(".")
    count = int(index) if re.fullmatch(r"\d{1,9}", index) else None
    before = f"{module}." if module else ""
    about = {"mode": "data" if data else "managed", "type": kind, "name": name}
    depends = [f"{before}{one}" for one in sequence(resource.get("depends_on")) if isinstance(one, str)]
    deposed = [(table(one), str(at)) for at, one in enumerate(sequence(resource.get("deposed")))]
    for instance, deposed_key in ((table(resource.get("primary")), None), *deposed):
        if instance:
            yield {
                **_named(module, about, count),
                "provider": resource.get("provider"),
                "values": _nested(table(instance.get("attributes"))),
                "depends_on": depends,
                "tainted": instance.get("tainted") is True,
                "deposed_key": deposed_key,
            }


_COUNT, _SIZE = "#", "%"
_DEEPEST = 60
_WORDS = {"true": True, "false": False}


def _nested(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The flat attributes of version 3 (``ports.#``, ``tags.%``) as nested values, without the keys of sets."""
    tree: dict[str, Any] = {}
    for name, value in attributes.items():
        inside, steps = tree, name.split(".")
        for step in steps[:_DEEPEST][:-1]:
            following = inside.setdefault(step, {})
            inside = following if isinstance(following, dict) else inside
        inside[".".join(steps[_DEEPEST - 1 :]) if len(steps) > _DEEPEST else steps[-1]] = value
    return {name: _inside(one) for name, one in tree.items()}


def _inside(node: Any) -> Any:
    if not isinstance(node, dict):
        return _WORDS.get(node, node) if isinstance(node, str) else node
    if _COUNT in node:
        return [_inside(one) for key, one in node.items() if key != _COUNT]
    return {key: _inside(one) for key, one in node.items() if key != _SIZE}


# --- modules


def _tree(resources: Iterator[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """The tree of modules, each with its resources, as `show -json` has it."""
    root: dict[str, Any] = {"resources": [], "child_modules": []}
    modules = {"": root}
    for address, resource in resources:
        above, known = root, ""
        for step in _MODULE.findall(address):
            known = f"{known}.{step}" if known else step
            if known not in modules:
                modules[known] = {"address": known, "resources": [], "child_modules": []}
                above["child_modules"].append(modules[known])
            above = modules[known]
        above["resources"].append(resource)
    return {"root_module": root}
