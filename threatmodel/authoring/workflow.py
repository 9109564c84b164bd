"""The workflow that checks a repository in CI: it installs exactly what `tm init --source` names."""

from __future__ import annotations

import os
import re
from pathlib import Path

from threatmodel import __version__
from threatmodel.authoring.insertion import scalar
from threatmodel.reading.problems import Place, quoted, refusal
from threatmodel.reading.project import real_path, repository

FORMS = f"threatmodel=={__version__}, or git+https://HOST/OWNER/REPOSITORY@COMMIT"
"""What a source may look like, for messages."""
_PACKAGE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?==[A-Za-z0-9][A-Za-z0-9._!+-]*")
_PATH = r"(?:/[A-Za-z0-9._~-]+)+"
_ADDRESS = re.compile(
    rf"(?:git\+)?(?:https://|ssh://git@)[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]+)?{_PATH}@(?:[0-9a-f]{{64}}|[0-9a-f]{{40}})"
)
_MOVES = re.compile(
    rf"(?P<address>(?:git\+)?https://[A-Za-z0-9][A-Za-z0-9.:-]*{_PATH})(?:@(?P<name>[A-Za-z0-9._/-]+))?"
)
"""An address without a commit, or with a branch or tag, which can move."""


def pinned(source: str) -> str:
    """Return what pip installs for a source: a package of one version, or a Git repository at one commit.

    Raises InputError for anything that can change later or that CI cannot reach. Credentials are not repeated.
    """
    if _PACKAGE.fullmatch(source):
        return source
    if _ADDRESS.fullmatch(source):
        return source if source.startswith("git+") else f"git+{source}"
    raise refusal("unpinned-source", Place("--source", 0), _why(source), _do(source))


def _why(source: str) -> str:
    if re.search(r"//[^/]*@", source):
        return "the address contains credentials"
    if moves := _MOVES.fullmatch(source):
        name = moves["name"]
        return f"{quoted(name)} is not a commit of 40 digits, and can move" if name else "the address names no commit"
    if "/" in source or "\\" in source:
        return f"{quoted(source)} is a path, which CI cannot install from"
    return f"{quoted(source)} does not name one version"


def _do(source: str) -> str:
    moves = _MOVES.fullmatch(source)
    if moves is None or re.search(r"//[^/]*@", source):
        return f"expected {FORMS}"
    address = moves["address"].removeprefix("git+")
    return f"append @COMMIT; 'git ls-remote {address} {moves['name'] or 'HEAD'}' prints it"


def workflow_file(here: Path, name: str) -> Path:
    """Return the workflow of a folder: at the root of its repository, where CI looks for it."""
    root = repository(here)
    own = root is None or root == real_path(here)
    top = here if root is None else Path(os.path.relpath(root, real_path(here)))
    return top / ".github" / "workflows" / ("threat-model.yml" if own else f"threat-model-{name}.yml")


def workflow(here: Path, source: str, check: str) -> str:
    """Return the workflow: it installs a pinned source and runs the command `check` in the folder."""
    root = repository(here) or real_path(here)
    inside = real_path(here).relative_to(root).as_posix()
    where = [] if inside == "." else ["    defaults:", f"      run: {{working-directory: {scalar(inside)}}}"]
    lines = [
        "name: threat model",
        "on: [push, pull_request]",
        "permissions: {contents: read}",
        "jobs:",
        "  check:",
        "    runs-on: ubuntu-latest",
        *where,
        "    steps:",
        "      - uses: actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2",
        "        with: {persist-credentials: false}",
        '      - run: pipx install "$TM_SOURCE"',
        f"        env: {{TM_SOURCE: {scalar(pinned(source))}}}",
        '      - run: tm --report >> "$GITHUB_STEP_SUMMARY"',
        f"      - run: {check} # exit code 1: a risk is new or worse, or a proof is gone",
    ]
    return "\n".join(lines) + "\n"
