"""From a target on the command line to the runner for it."""

from __future__ import annotations

import ipaddress
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, quote, urlsplit

from threatmodel.probe.protocol import Limits, Runner
from threatmodel.probe.runners.dependencies import found_packages, linked_packages, runtime_near
from threatmodel.probe.runners.interpreters import Interpreter, node_note, python_of
from threatmodel.probe.runners.lambdas import LambdaRunner
from threatmodel.probe.runners.launching import Program
from threatmodel.probe.runners.over_http import HttpRunner
from threatmodel.reading.files import shown_path
from threatmodel.reading.problems import InputError, Place, quoted, refusal
from threatmodel.reading.project import real_path

OLDEST_NODE = 20
DEFAULT_LIMITS = Limits()
_ADDRESS = r"(?i)[a-z][a-z0-9+.-]*://"
FORMS = "app.py:handler, index.mjs:handler (.js, .cjs) or http://127.0.0.1:3000/slack"


def runner_for(  # noqa: PLR0913 - options of one command, each by its name
    target: str,
    *,
    secret_env: str = "SLACK_SIGNING_SECRET",  # noqa: S107 - the name of a variable
    environment: Mapping[str, str] | None = None,
    allow_remote: Sequence[str] = (),
    limits: Limits = DEFAULT_LIMITS,
    packages: Sequence[Path] = (),
    provide: Sequence[str] = (),
    folder: Path | None = None,
) -> Runner:
    """The runner for a target: a Python or Node.js file with the name of its handler, or an address.

    `secret_env` is the variable that holds the signing secret, `packages` are folders with the handler's dependencies
    that are not beside it (none: those that template and folders name), `provide` names packages to be stubbed
    although Lambda has them no more (aws-sdk), `allow_remote` the hosts beside this machine that may be asked.
    `folder` is what is deployed, where that is not the file's own folder.  Raises InputError.
    """
    if re.match(_ADDRESS, target):
        return HttpRunner(_address(target, allow_remote), limits)
    path, name = _parted(target)
    file = Path(path)
    suffix = file.suffix.lower()
    if suffix in {".ts", ".mts", ".cts"}:
        hint = "compile it as for Lambda (esbuild, tsc), and name the JavaScript that is deployed"
        raise _refused("wrong-target", target, "Lambda does not run TypeScript", hint)
    if suffix not in {".py", ".js", ".mjs", ".cjs"} or (name and not re.fullmatch(r"[^\W\d]\w*", name)):
        raise _refused("wrong-target", target, f"{quoted(target)} cannot be probed", f"name {FORMS}")
    if not file.is_file():
        raise _refused("missing-file", path, "there is no such file", f"name {FORMS}")
    if sys.platform == "win32":
        hint = "run it in WSL or a container, or start the handler and name its address"
        raise _refused("cannot-probe", path, "handlers are not run on Windows, where they cannot be confined", hint)
    if suffix != ".py":
        _check_first(file)
    _check_folders({"--packages": packages, "--folder": () if folder is None else (folder,)})
    root = real_path(folder or file.parent)
    if not real_path(file).is_relative_to(root):
        raise _refused("wrong-target", path, f"it is not in {shown_path(root)}/", "name the folder that is deployed")
    if provide and suffix == ".py":
        hint = "install the package into a folder, and give --packages FOLDER"
        raise refusal("wrong-type", "--provide", "no package of Python is replaced", hint)
    found = tuple(real_path(Path(folder)) for folder in packages) or found_packages(root / file.name)
    program = Program(
        file=real_path(file),
        folder=root,
        name=name,
        **_interpreter(path, found, python=suffix == ".py"),
        packages=found,
        linked=linked_packages(real_path(file)),
        provide=tuple(provide),
    )
    return LambdaRunner(program, secret_env=secret_env, environment=environment or {}, limits=limits)


def _check_folders(given: Mapping[str, Sequence[Path]]) -> None:
    """Raises InputError where there is no folder that an option names."""
    for option, folders in given.items():
        for folder in folders:
            if not folder.is_dir():
                raise _refused("missing-file", shown_path(folder), "there is no such folder", f"check {option}")


def _interpreter(path: str, packages: Sequence[Path], *, python: bool) -> dict[str, Any]:
    """Return what a program says of its interpreter: that of the template's runtime, if there is one."""
    runtime = runtime_near(Path(path))
    if python:
        return {"interpreter": python_of(runtime, packages)}
    node, flags, major = _node(path)
    return {"node": node, "node_flags": flags, "interpreter": Interpreter(node, node_note(runtime, major))}


_ORDER = ("", ".js", ".mjs", ".cjs")
"""What Lambda adds to the name of a module, one after the other (github.com/aws/aws-lambda-nodejs-runtime-interface-
client: src/UserFunction.js)."""


def _check_first(file: Path) -> None:
    """Raises InputError where Lambda loads another file under the name of this one."""
    for ending in _ORDER[: _ORDER.index(file.suffix.lower())]:
        other = file.with_name(file.stem + ending)
        if other.is_file():
            message = f"Lambda loads {shown_path(other)} under this name, not the file"
            raise _refused("cannot-probe", shown_path(file), message, "rename one of the two, or remove it")


def handler_file(target: str) -> Path | None:
    """The file of a handler; None for an address."""
    return None if re.match(_ADDRESS, target) else Path(_parted(target)[0])


def _parted(target: str) -> tuple[str, str]:
    """Path and name of a handler; the colon of a path such as C:/app.py parts nothing."""
    found = re.fullmatch(r"(.+\.(?:py|[cm]?[jt]s)):([^:/\\]*)", target, re.IGNORECASE)
    return (found[1], found[2] or " ") if found else (target, "")


def _address(target: str, allow_remote: Sequence[str]) -> SplitResult:
    try:
        address = urlsplit(target)
        host, _ = (address.hostname or "").lower(), address.port
    except ValueError:
        host, address = "", urlsplit("")
    shown = re.sub(r"//[^/@]*@", "//", target).partition("?")[0]
    if address.scheme not in {"http", "https"} or not host or address.username is not None or re.search(r"\s", target):
        raise _refused(
            "wrong-target", shown, "this is not an address of the form http://HOST:PORT/PATH", f"name {FORMS}"
        )
    if not _is_loopback(host) and host not in {name.lower() for name in allow_remote}:
        hint = f"a probe sends hostile requests: if the operator of that host agrees, give --allow-remote {host}"
        raise _refused("wrong-target", shown, f"{quoted(host)} is not this machine", hint)
    return address._replace(path=quote(address.path, _KEPT), query=quote(address.query, _KEPT))


_KEPT = "%/?:@!$&'()*+,;=~"
"""What stays as it is in the path and query of an address; what is not ASCII is sent as a browser sends it."""


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _node(path: str) -> tuple[str, Sequence[str], int]:
    """Where Node.js is, options for its version, and that.  Raises InputError where it is missing or too old."""
    hint = f"install Node.js {OLDEST_NODE} or later, and see that `node --version` finds it"
    node = shutil.which("node")
    if node is None:
        raise _refused("cannot-probe", path, "Node.js is not on the PATH", hint)
    try:
        done = subprocess.run(  # noqa: S603 - the user's own
            [node, "--version"], capture_output=True, text=True, timeout=10, check=False, env={"PATH": os.defpath}
        )
    except (OSError, subprocess.TimeoutExpired):
        raise _refused("cannot-probe", path, "Node.js cannot be started", hint) from None
    found = re.match(r"v(\d+)\.(\d+)\.", done.stdout)
    if found is None or int(found[1]) < OLDEST_NODE:
        raise _refused("cannot-probe", path, f"Node.js {done.stdout.strip()[:20] or '?'} is too old", hint)
    version = int(found[1]), int(found[2])
    spares = (20, 15) <= version < (21, 0) or version >= (22, 2)
    # fetch runs WebAssembly, which otherwise reserves ten gigabytes of addresses: more than some shells may have
    return node, ("--disable-wasm-trap-handler",) if spares else (), version[0]


def _refused(code: str, place: str, message: str, hint: str) -> InputError:
    return refusal(code, Place(place, 0), message, hint)
