"""A handler to start from: the reference handler and the template that deploys it, for a model's function.

The handler is copied from examples/ unchanged; the template is templates/handler.txt.j2, which a test holds to
the example's.  Both get the names that the model has.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from threatmodel.authoring.planned import Plan
from threatmodel.model.load import load_model
from threatmodel.model.system import Node, System
from threatmodel.reading.files import Files, shown_path
from threatmodel.reading.home import COMMAND, EXAMPLES, PROGRAM
from threatmodel.reading.problems import InputError, Place, Problem, listed, quoted, refusal, suggestion
from threatmodel.render.templates import render_own

LANGUAGES: Mapping[str, tuple[str, str]] = {
    "python": ("slack-app/app.py", "python3.13"),
    "node": ("slack-app-node/app.mjs", "nodejs22.x"),
}
"""The path of the reference handler of each language under examples/, and its runtime."""

_VARIABLES = "slack-app/probe.env"
_EXAMPLE = "order-bot"
_NAMES = {"api": "SlackApi", "secret": "SlackSigningSecret", "queue": "WorkQueue"}
"""What the template calls what the handler meets, where the model has no name for it."""
_ROUTE = re.compile(r"(/[A-Za-z0-9._~-]*)+\Z")
_NO_TEXT = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}
"""Ids that YAML, in CloudFormation's reading of it, takes for something else than a text."""


def new_handler(name: str, model: Path, files: Files, language: str, folder: Path) -> Plan:
    """The handler of a model's function, its template and the variables to probe it with, as files of a folder.

    Raises InputError where the model has no such function, where Slack does not call it, and where a file is there.
    """
    system = load_model(files, model)
    node = _function(name, system)
    source, runtime = LANGUAGES[language]
    handler = folder / Path(source).name
    texts = {
        handler: _read(source).replace(_EXAMPLE, name),
        folder / "template.yaml": template_text(name, _path(node), runtime, _names(node, system)),
        folder / "probe.env": _read(_VARIABLES),
    }
    _check_new(texts)
    result = folder / f"{name}.probe.json"
    probe = f"{COMMAND} probe {shown_path(handler)} --env-file {shown_path(folder / 'probe.env')}"
    of = f"function: {name}, free: [ALLOWED_COMMANDS, ALLOWED_IDS]"
    then = (
        f"next: {probe} --json -o {shown_path(result)}",
        f"then name both under evidence: of {shown_path(model)}: {{template: ...}}, {{probe: ..., {of}}}",
    )
    return Plan(tuple((path, text, "") for path, text in texts.items()), then)


def _function(name: str, system: System) -> Node:
    node = system.nodes.get(name)
    functions = [one.id for one in system.nodes.values() if one.kind == "function"]
    if node is None or node.kind != "function":
        known = f"known: {listed(functions)}" if functions else "this model has no function"
        hint = f"{suggestion(name, functions) or known}; {PROGRAM} new function {name} adds one"
        raise refusal("unknown-element", "new handler", f"there is no function {quoted(name)} in {system.file}", hint)
    if node.triggers and not any(trigger.by == "slack" for trigger in node.triggers):
        message = f"{quoted(name)} is not called by Slack, and the reference handler answers Slack's slash commands"
        raise refusal(
            "wrong-kind", node.place, message, "name a function with a trigger such as {slack: slash-command}"
        )
    return node


def _names(node: Node, system: System) -> dict[str, str]:
    """The template's names for what the handler meets, by the model's where it has one."""
    used = {name: list(relation.ids) for name, relation in node.relations.items()}
    signing = [one for one in used.get("secrets", ()) if _says(system.nodes[one], "grants", "slack-requests")]
    apis = [t.source.id for t in node.triggers or () if t.by == "slack" and t.source is not None]
    found = {"api": apis, "secret": signing, "queue": used.get("sends", [])}
    return {kind: _pascal(ids[0]) for kind, ids in found.items() if ids}


def _says(node: Node, fact: str, value: str) -> bool:
    return fact in node.facts and node.facts[fact].value == value


def _path(node: Node) -> str:
    """The route of a function that Slack calls.  Raises InputError where no API could have it."""
    trigger = next((one for one in node.triggers or () if one.by == "slack" and one.path), None)
    if trigger is None:
        return f"/slack/{node.id}"
    if not _ROUTE.match(trigger.path):
        message = f"{quoted(trigger.path)} is no path that a handler of Slack's requests can have"
        hint = "write one such as /slack/order: letters, digits, '.', '_', '~' and '-' between slashes"
        raise refusal("wrong-trigger", trigger.place, message, hint)
    return trigger.path


def _pascal(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("-"))


def template_text(name: str, path: str, runtime: str, names: Mapping[str, str]) -> str:
    """The template that deploys the handler of one function; `names` are those of its api, secret and queue, if any."""
    policy = name if name not in _NO_TEXT else f'"{name}"'
    context = {"name": name, "function": _pascal(name), "path": path, "runtime": runtime, "policy": policy}
    return render_own("handler.txt.j2", {**context, **_NAMES, **names})


def _read(path: str) -> str:
    return (EXAMPLES / path).read_text(encoding="utf-8")


def _check_new(paths: Mapping[Path, str]) -> None:
    problems = [
        Problem(
            code="already-exists",
            place=Place(shown_path(path), 0),
            message="this file exists already",
            hint="name another folder: --to FOLDER",
        )
        for path in paths
        if os.path.lexists(path)
    ]
    if problems:
        raise InputError(problems)
