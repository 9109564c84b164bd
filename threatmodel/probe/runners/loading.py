"""Why a handler cannot be loaded: the module, variable or file that is lacking by name, and what to add."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from threatmodel.probe.runners.dependencies import listed_in, lying_near, runtime_near
from threatmodel.reading.files import shown_path
from threatmodel.reading.problems import Place, Problem, listed, quoted

_NAME = {
    "module": re.compile(r"(?:@?[A-Za-z_][\w.-]*(?:/[\w.@-]+)*|\.{0,2}/[\w./@-]+)\Z"),
    "variable": re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z"),
    "file": re.compile(r"[\w./@+ -]+\Z"),
    "import": re.compile(r"[A-Za-z_][\w.]*\Z"),
    "name": re.compile(r"[A-Za-z_$][\w.$]*\Z"),
    "key": re.compile(r"[A-Za-z_][\w-]{0,60}\Z"),
}
_HOST = re.compile(r"[\w.-]+(?::\d+)?\Z")
_SAID = {
    "import": ("it imports {name}, which is not there", "install the version that it needs: --packages FOLDER"),
    "name": ("{error}: {name} is not known there", "fix it, or give the package of the right version with --packages"),
    "key": (
        "it reads the key {name}, which what it was given lacks",
        "if it is a key of a secret, write it out in the source, so that the probe keeps the secret under it",
    ),
}
"""Names that may be shown.  What is none of these could be a text that quotes a secret."""
_LONGEST = 200


def variable_names(names: Sequence[str]) -> tuple[str, ...]:
    """Those of the names that can be names of variables."""
    return tuple(name for name in names if _NAME["variable"].match(name))


def paths(told: object) -> tuple[str, ...]:
    """Those of a process's words for what it read that can be paths: a hostile one may send anything."""
    found = told if isinstance(told, list) else ()
    return tuple(one for one in found if isinstance(one, str) and one.startswith("/") and "\0" not in one)


def problem(failure: Mapping[str, Any], *, file: Path, name: str, node: bool) -> Problem:
    """The problem that a child reports: what is lacking, or type and place of what was raised, never its text."""
    if failure["kind"] == "attribute":
        return _no_function(failure, shown_path(file), name, node=node)
    if failure["kind"] == "other":
        return _other_module(str(failure["lacking"]), file)
    line = int(failure["line"])
    at = Place(shown_path(Path(failure["file"])), line, part="line 1" if line == 1 else "")  # else it is the whole file
    lacking = str(failure.get("lacking") or "")
    known = _NAME.get(failure["kind"])
    if known is not None and len(lacking) <= _LONGEST and known.match(lacking):
        if failure["kind"] in _SAID:
            message, hint = (one.format(name=lacking, error=failure["error"]) for one in _SAID[failure["kind"]])
        else:
            message, hint = _lacking(failure["kind"], lacking, file, node=node)
    else:
        message, hint = _raised(failure, file, node=node)
    others = [other for other in variable_names(failure.get("missing", ())) if other != lacking]
    if others:
        hint += f"; it also asked for these variables and did not get them: {', '.join(others)}"
    if hosts := [host for host in dict.fromkeys(failure.get("hosts", ())) if _HOST.match(host)]:
        hint += f"; it called {listed(hosts)}, which the probe does not answer: only AWS and Slack are there"
    return Problem(code="cannot-probe", place=at, message=message, hint=hint)


def ended(word: str, file: Path) -> Problem:
    """The problem of a process that ended in some way while it loaded the handler."""
    message, hint = _ENDED[word]
    return Problem(code="cannot-probe", place=Place(shown_path(file), 0), message=message, hint=hint)


_ENDED = {
    "exit": ("its process ends while it is loaded", "call sys.exit or process.exit in functions only"),
    "crash": ("its process crashes while it is loaded", "give packages that are compiled for this system (--packages)"),
    "output": ("it prints more than is read while it is loaded", "print less in code outside of functions"),
    "memory": (
        "it takes more memory than the probe gives while it is loaded",
        "load less in code outside of functions",
    ),
    "timeout": (
        "it takes too long to be loaded",
        "wait for nothing in code outside of functions, or start it and give its address",
    ),
}


def _other_module(found: str, file: Path) -> Problem:
    """The problem of a file that Lambda does not load by its name, or that hides a module of Python's."""
    other = Path(found)
    if other.is_relative_to(file.parent) and other.stem == "__init__":
        name, shown = other.parent.name, shown_path(other.parent) + "/"
    else:
        name, shown = other.name.partition(".")[0], shown_path(other)
    if name == file.stem:
        message = f"Lambda loads {shown if other.is_absolute() else 'a module of Python'} under this name, not the file"
        hint = "rename one of the two, and the handler in the template"
    else:
        message = f"{shown} hides the module {quoted(name)} of Python, and which of them Lambda loads is not certain"
        hint = "rename it"
    return Problem(code="cannot-probe", place=Place(shown_path(file), 0), message=message, hint=hint)


def _raised(failure: Mapping[str, Any], file: Path, *, node: bool) -> tuple[str, str]:
    """The message for an error of which only the type is shown: its text could quote a secret."""
    if failure["error"] == "MemoryError":
        return _ENDED["memory"]
    if failure["kind"] != "syntax":
        hint = "see this line: what it reads is not there, or has another form than it expects"
        return f"error while it was loaded: {failure['error']}", hint
    runtime, here = runtime_near(file), str(failure.get("runs", ""))
    if not node and runtime not in {"", here}:
        return f"syntax error: the template's runtime is {runtime}, and {here} runs it", f"put {runtime} on the PATH"
    hint = "fix it" if node else "fix it, or run the probe with the version of Python that it is written for"
    return f"syntax error: {failure['error']}", hint


_AS_DEPLOYED = "put it into the handler's folder, as it is deployed"


def _lacking(kind: str, name: str, file: Path, *, node: bool) -> tuple[str, str]:
    where = shown_path(file)
    if kind == "variable":
        return (
            f"it needs the variable {name}, which is not set",
            f"give --env {name}=VALUE, or let `tm.py probe {where} --init` write a file with all of them",
        )
    if kind == "file":
        return (
            f"it needs the file {quoted(name)}, which is not there",
            "the probe has no /opt: name it by a variable, and give --env"
            if name.startswith("/opt/")
            else _AS_DEPLOYED,
        )
    return f"the module {quoted(name)} is missing", _how_to_get(name, file, node=node)


def _how_to_get(name: str, file: Path, *, node: bool) -> str:
    """Where a module can be had; nothing is ever installed unasked."""
    near = lying_near(name, file)
    if near is not None:
        return f"it is near: give --packages {shlex.quote(shown_path(near))}"
    if name.startswith((".", "/")):
        return "put it where the handler looks for it, as it is deployed"
    folder = shown_path(file.parent)
    if node:
        package = "/".join(name.split("/")[: 2 if name.startswith("@") else 1])
        if package == "aws-sdk":
            return "Lambda has it no more since Node.js 18: give --provide aws-sdk to stub it, or install it"
        if listed_in(file, package):
            return f"run `npm install` in {folder}/"
        install = f"npm install --prefix FOLDER {shlex.quote(package)}"
        return f"install it into a folder (`{install}`) and give --packages FOLDER"
    listing = listed_in(file, name)
    what = (
        f"-r {shlex.quote(shown_path(listing))}" if listing else shlex.quote(name.partition(".")[0].replace("_", "-"))
    )
    return f"install it into a folder (`python -m pip install --target FOLDER {what}`) and give --packages FOLDER"


def _no_function(failure: Mapping[str, Any], file: str, name: str, *, node: bool) -> Problem:
    there = listed(failure["there"]) or "none"
    if failure["found"]:
        message, hint = "has both 'handler' and 'lambda_handler'", f"say which: {file}:handler"
    else:
        usual = "'handler'" if node else "'handler' and no 'lambda_handler'"
        wanted = f"'{name}'" if name else usual
        message, hint = f"there is no function {wanted}; functions found: {there}", f"name one: {file}:NAME"
    return Problem(code="cannot-probe", place=Place(file, 0), message=message, hint=hint)
