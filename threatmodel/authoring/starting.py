"""The first files of a repository's threat model: texts in, texts out; nothing that exists is written over."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from threatmodel.authoring.importing.model import EDITORS, SCHEMA, head
from threatmodel.authoring.importing.plan import imported
from threatmodel.authoring.insertion import scalar
from threatmodel.authoring.planned import Plan
from threatmodel.evidence.matching import kebab
from threatmodel.library.load import load_library
from threatmodel.model.load import load_model
from threatmodel.model.search import SEVERAL
from threatmodel.reading.files import Files, shown_path
from threatmodel.reading.home import COMMAND, LIBRARY
from threatmodel.reading.problems import InputError, Place, Problem
from threatmodel.reading.project import real_path, repository
from threatmodel.render.pages.generated import model_schema_text

_OWN = "threatlib"
_EDITORS = f"{EDITORS}\n"
_STANDS_ON = (
    "uses: [platform.yaml]             # account, pipeline, workspace and organization, described once for all",
    f"library: [../{_OWN}]           # your own threats and controls, on top of the toolkit's",
)
_FIRST = """\
apis:
  slack-api: {}                     # an example: write over it, or let `import` write what a template deploys

functions:
  slack-bot:
    triggers: [{slack: slash-command, api: slack-api}]
    # reads: [STORE]                # what it uses: reads, writes, sends, secrets, calls; [] for none
    # verifies_signature: true      # what is not stated is unknown, and asked
"""
_PLATFORM = """\
account: {}                         # facts are stated between the braces; what is not stated is asked
# pipeline: {}                      # how code gets there
# workspace: {}                     # the Slack workspace
# organization: {}                  # the team that is responsible for people, keys and incidents
"""
_LAYER = """\
# off:                              # entries of the toolkit's library that are switched off, with reasons
#   threats:
#     THREAT: why
"""


def first_files(here: Path, files: Files, source: Path | None = None, kind: str = "") -> Plan:
    """The first files of a threat model in a folder: model, platform, library layer, schema, and a check in CI.

    `source` is a file of infrastructure code that the model is made of.  Raises InputError where any of them exists
    already, all at once, and where the source cannot be used.
    """
    folder = here / SEVERAL
    name = kebab(real_path(here).name)
    model = folder / f"{name if name != 'platform' else 'system'}.yaml"
    notes: tuple[str, ...] = ()
    if source is None:
        text = _EDITORS + "\n".join(head(name, _STANDS_ON)) + "\n" + _FIRST
    else:
        found = imported(source, kind, model, files, _STANDS_ON)
        text, notes = found.text, found.notes
    texts = {
        model: text,
        folder / "platform.yaml": f"{_EDITORS}name: {scalar(f'Platform of {name}')}\n\n{_PLATFORM}",
        folder / SCHEMA: model_schema_text(),
        here / _OWN / "library.yaml": f"name: {scalar(f'Threats and controls of {name}')}\n{_LAYER}",
        _workflow(here, name): _check(here),
    }
    if problems := [*_conflicts(texts)]:
        raise InputError(problems)
    _check_together(model, texts)
    then = (
        *notes,
        f"next: {COMMAND} --report html -o report.html shows what is open; state facts in {shown_path(model)}",
        f"      ({COMMAND} --describe function lists them) and in {shown_path(folder / 'platform.yaml')}",
        f"then: {COMMAND} check, as {shown_path(_workflow(here, name))} does; it fails until the answers are there",
    )
    return Plan(tuple((path, text, "") for path, text in texts.items()), then)


def _workflow(here: Path, name: str) -> Path:
    """The workflow of a folder: at the root of its repository, where CI looks for it."""
    root = repository(here)
    own = root is None or root == real_path(here)
    top = here if root is None else Path(os.path.relpath(root, real_path(here)))
    return top / ".github" / "workflows" / ("threat-model.yml" if own else f"threat-model-{name}.yml")


def _check(here: Path) -> str:
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
        "      - uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2",
        "        with: {persist-credentials: false}",
        '      - run: pipx install "$TM_SOURCE"',
        "        env: {TM_SOURCE: git+https://HOST/OWNER/REPOSITORY@COMMIT} # your mirror of this toolkit, at a commit",
        '      - run: tm --report >> "$GITHUB_STEP_SUMMARY"',
        "      - run: tm check               # exit code 1: a high risk is left, or an answer is missing",
    ]
    return "\n".join(lines) + "\n"


def _conflicts(paths: Sequence[Path] | Mapping[Path, str]) -> Iterator[Problem]:
    """Return the existing files where something would be written."""
    taken = {path: "this exists already" for path in paths if os.path.lexists(path)}
    folders = {folder for path in paths for folder in path.parents}
    taken |= {path: "a folder must be here" for path in folders if os.path.lexists(path) and not path.is_dir()}
    for path, message in sorted(taken.items()):
        hint = "nothing was written; move it, or write the other files by hand"
        yield Problem(code="already-exists", place=Place(shown_path(path), 0), message=message, hint=hint)


def _check_together(model: Path, texts: Mapping[Path, str]) -> None:
    """Raises InputError where what would be written could not be read."""
    files = Files(texts={path: text for path, text in texts.items() if path.suffix in {".yaml", ".json"}})
    load_library(LIBRARY, files, load_model(files, model).libraries)
