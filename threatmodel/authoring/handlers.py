"""A handler to start from: the reference handler and the part of its template that it needs, for a model's function.

Both are taken from examples/ as they stand there, under the names that the model has for them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from threatmodel.authoring.scaffold import Plan
from threatmodel.model.load import load_model
from threatmodel.model.system import Node, System
from threatmodel.reading.files import Files, shown_path
from threatmodel.reading.home import COMMAND, EXAMPLES, PROGRAM
from threatmodel.reading.problems import InputError, Place, Problem, listed, quoted, suggestion

LANGUAGES: Mapping[str, tuple[str, str]] = {
    "python": ("slack-app/app.py", "python3.13"),
    "node": ("slack-app-node/app.mjs", "nodejs22.x"),
}
"""Where the reference handler of each language lies under examples/, and the runtime that it is for."""

_TEMPLATE = "slack-app/template.yaml"
_VARIABLES = "slack-app/probe.env"
_EXAMPLE = "order-bot"
_RUNTIME = "python3.13"
_STARTS = ("OrderBotFunction", "RateAclAssociation")
"""What of the template the handler needs; the rest follows."""
_NAMED = {"api": "SlackApi", "secret": "SlackSigningSecret", "queue": "WorkQueue"}
"""What the template has of each kind that the handler meets and a model names."""

_SECTION = re.compile(r"^([A-Z]\w*):", re.MULTILINE)
_ENTRY = re.compile(r"^  (\w+):", re.MULTILINE)
_CUT = ("Parameters", "Conditions", "Resources", "Outputs")
"""Sections of which only what is needed is kept."""


def new_handler(name: str, model: Path, files: Files, language: str, folder: Path) -> Plan:
    """The handler of a model's function, its template and the variables to probe it with, as files of a folder.

    Raises InputError where the model has no such function, where Slack does not call it, and where a file is there.
    """
    system = load_model(files, model)
    node = _function(name, system)
    source, runtime = LANGUAGES[language]
    handler = folder / Path(source).name
    names = {_pascal(_EXAMPLE): _pascal(name), _EXAMPLE: name, **_names(node, system)}
    texts = {
        handler: _read(source).replace(_EXAMPLE, name),
        folder / "template.yaml": _template(_read(_TEMPLATE), names, _path(node), runtime),
        folder / "probe.env": _read(_VARIABLES),
    }
    _check_new(texts)
    result = folder / f"{name}.probe.json"
    probe = f"{COMMAND} probe {shown_path(handler)} --env-file {shown_path(folder / 'probe.env')}"
    then = (
        f"next: {probe} --json -o {shown_path(result)}",
        f"then name both under evidence: of {shown_path(model)}: {{template: ...}}, {{probe: ..., function: {name}}}",
    )
    return Plan(tuple((path, text, "") for path, text in texts.items()), then)


def _function(name: str, system: System) -> Node:
    node = system.nodes.get(name)
    functions = [one.id for one in system.nodes.values() if one.kind == "function"]
    if node is None or node.kind != "function":
        known = f"known: {listed(functions)}" if functions else "this model has no function"
        hint = f"{suggestion(name, functions) or known}; {PROGRAM} new function {name} adds one"
        message = f"there is no function {quoted(name)} in {system.file}"
        raise InputError([Problem(code="unknown-element", place=Place("new handler"), message=message, hint=hint)])
    if node.triggers and not any(trigger.by == "slack" for trigger in node.triggers):
        message = f"{quoted(name)} is not called by Slack, and the reference handler answers Slack's slash commands"
        hint = "name a function with a trigger such as {slack: slash-command}"
        raise InputError([Problem(code="wrong-kind", place=node.place, message=message, hint=hint)])
    return node


def _names(node: Node, system: System) -> dict[str, str]:
    """The template's names for what the handler meets, by the model's where it has one."""
    used = {name: list(relation.ids) for name, relation in node.relations.items()}
    signing = [one for one in used.get("secrets", ()) if _says(system.nodes[one], "grants", "slack-requests")]
    apis = [t.source.id for t in node.triggers or () if t.by == "slack" and t.source is not None]
    found = {"api": apis, "secret": signing, "queue": used.get("sends", [])}
    return {_NAMED[kind]: _pascal(ids[0]) for kind, ids in found.items() if ids}


def _says(node: Node, fact: str, value: str) -> bool:
    return fact in node.facts and node.facts[fact].value == value


def _path(node: Node) -> str:
    paths = [trigger.path for trigger in node.triggers or () if trigger.by == "slack" and trigger.path]
    return paths[0] if paths else f"/slack/{node.id}"


def _pascal(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("-"))


def _template(text: str, names: Mapping[str, str], path: str, runtime: str) -> str:
    """The part of a template that one function needs, under other names."""
    whole = _needed(text)
    whole = re.sub(
        r"^Description: .*$",
        f"Description: {names[_EXAMPLE]}, a handler of Slack's slash commands.",
        whole,
        flags=re.MULTILINE,
    )
    whole = whole.replace("/slack/order", path).replace(
        "ALLOWED_COMMANDS: /order", f"ALLOWED_COMMANDS: /{names[_EXAMPLE]}"
    )
    whole = whole.replace(_RUNTIME, runtime)
    old = sorted(names, key=len, reverse=True)
    return re.sub(rf"\b(?:{'|'.join(map(re.escape, old))})", lambda found: names[found[0]], whole)


def _needed(text: str) -> str:
    """A template cut down to what `_STARTS` names, what that refers to, and what refers to nothing but these."""
    sections = _parts(text, _SECTION)
    entries = {name: _parts(sections[name], _ENTRY) for name in _CUT}
    resources = entries["Resources"]
    refers = {name: _named(body, resources) - {name} for name, body in resources.items()}
    kept: set[str] = set()
    more = set(_STARTS)
    while more - kept:
        kept |= more
        more = {ref for name in kept for ref in refers[name]}
        more |= {name for name, refs in refers.items() if refs and refs <= kept}
    used = "".join(resources[name] for name in kept)
    conditions = _named(used, entries["Conditions"])
    used += "".join(entries["Conditions"][name] for name in conditions)
    cut = {
        "Parameters": _named(used, entries["Parameters"]),
        "Conditions": conditions,
        "Resources": kept,
        "Outputs": {name for name, body in entries["Outputs"].items() if _named(body, resources) <= kept},
    }
    for name in _CUT:
        left = _joined([body for entry, body in entries[name].items() if entry in cut[name]])
        sections[name] = f"{name}:\n{left}"
    return _joined(list(sections.values()))


def _parts(text: str, heading: re.Pattern[str]) -> dict[str, str]:
    """The parts of a text by the name in each one's heading, without the notes that stand between them."""
    found = list(heading.finditer(text))
    ends = [*(start.start() for start in found[1:]), len(text)]
    return {
        start[1]: re.sub(r"\s*(?:\n  # --- .*\s*)*\Z", "\n", text[start.start() : end], count=1)
        for start, end in zip(found, ends, strict=True)
    }


def _joined(bodies: Sequence[str]) -> str:
    """Parts one after the other, with an empty line beside each of several lines."""
    found = last = ""
    for body in bodies:
        space = last and (body.count("\n") > 1 or last.count("\n") > 1)
        found, last = found + "\n" * bool(space) + body, body
    return found


def _named(text: str, names: Mapping[str, str]) -> set[str]:
    return set(re.findall(r"\b[A-Za-z]\w+\b", re.sub(r"(?m)(^| )#.*$", "", text))) & set(names)


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
        if path.exists()
    ]
    if problems:
        raise InputError(problems)
