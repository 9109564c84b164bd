"""What leads from a handler to a proven fact: a file with its variables, and the line of evidence in a model."""

from __future__ import annotations

import os
from pathlib import Path

from threatmodel.authoring.insertion import scalar, with_item
from threatmodel.authoring.planned import Plan
from threatmodel.model.load import load_model
from threatmodel.probe.asked_for import literals_of, variables_asked_for
from threatmodel.probe.made_up import environment_file, made_up, signing_secret_of
from threatmodel.probe.runners.target import handler_file
from threatmodel.reading.files import Files, shown_path
from threatmodel.reading.problems import quoted, refusal, suggestion
from threatmodel.reading.project import real_path

VARIABLES = "probe.env"


def variables_file(target: str, files: Files, program: str) -> Plan:
    """A file beside a handler with its variables, made up.  Raises InputError where one is there, or no handler is."""
    file = handler_file(target)
    if file is None or not file.is_file():
        raise refusal("missing-file", target, "there is no such file", "name app.py:handler or index.mjs:handler")
    path = file.parent / VARIABLES
    if path.exists():
        message, hint = "this file exists already", "change it by hand, or give it with --env-file as it is"
        raise refusal("already-exists", shown_path(path), message, hint)
    names, literals = variables_asked_for(file, files), literals_of(file, files)
    secret = signing_secret_of(names)
    given = [name for name in names if name != secret and name not in literals]
    secrets = sum(made_up(name).secret for name in given)
    said = f": {len(given)} variables, made up" + (f"; {secrets} of them stand for secrets" if secrets else "")
    said += f"; {len(literals)} as in the template" if literals else ""
    command = f"{program} probe {target} --env-file {shown_path(path)}"
    return Plan(
        ((path, environment_file(names, target, literals), said),), (f"next: {command} -m MODEL --function ID",)
    )


def evidence_of(model: Path, files: Files, result: Path, function: str) -> Plan | None:
    """A model that names a saved result as evidence; None where it does already.  Raises InputError."""
    system = load_model(files, model)
    check_function(model, files, function)
    written = os.path.relpath(real_path(result), real_path(model.parent)).replace(os.sep, "/")
    for source in system.evidence:
        if source.kind == "probe" and source.function == function and os.path.normpath(source.path) == written:
            return None
    line = f"- {{probe: {scalar(written)}, function: {scalar(function)}}}"
    text, at = with_item(
        files.raw(model), files.document(model), "evidence", line, {"probe": written, "function": function}
    )
    load_model(Files(texts={model: text}), model)
    return Plan(((model, text, f", line {at}"),), (), {model: files.raw(model)})


def check_function(model: Path, files: Files, function: str) -> None:
    """Raises InputError where a model has no such function."""
    names = [node.id for node in load_model(files, model).nodes.values() if node.kind == "function"]
    if function not in names:
        message = f"{quoted(function)} is no function of this model"
        raise refusal("unknown-id", shown_path(model), message, suggestion(function, names) or "")
