"""Files that are named as a model and are infrastructure code: what each is, and how to create a model from it."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Collection, Mapping

from threatmodel.reading.home import COMMAND
from threatmodel.reading.problems import Place, refusal

_KINDS: Mapping[str, tuple[Collection[str], ...]] = {
    "a Terraform plan": ({"planned_values"}, {"resource_changes"}),
    "a serverless.yml": ({"service", "provider"},),
    "a SAM template": ({"Transform", "Resources"},),
    "a CloudFormation template": ({"Resources"}, {"AWSTemplateFormatVersion"}),
}
"""Each kind with the keys at the top of it, in one of these sets at least: no model has one of them."""
_KEY = re.compile(r"""^(["']?)([A-Za-z_]\w*)\1[ \t]*:(?!\S)""", re.MULTILINE)


def refuse_foreign(text: str, file: str, keys: Collection[str] | None = None) -> None:
    """Raise InputError (`not-a-model`) where a text is infrastructure code.

    `keys` are those at the top of it, where they are known: a template may be YAML that a model cannot be.
    """
    found = _keys(text) if keys is None else set(keys)
    kind = next((name for name, marks in _KINDS.items() if any(found >= set(mark) for mark in marks)), None)
    if kind is None:
        return
    hint = f"create a model from it: {COMMAND} import {shlex.quote(file)} -o threatmodel.yaml"
    raise refusal("not-a-model", Place(file, 0), f"this is {kind}; expected a threat model", hint)


def _keys(text: str) -> set[str]:
    """Return the keys at the top of a JSON or YAML text, as far as they can be seen without its tags."""
    if text.lstrip()[:1] == "{":
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return set()
        return set(found) if isinstance(found, dict) else set()
    return {key for _, key in _KEY.findall(text)}
