"""The first files of a repository's threat model: texts in, texts out; nothing that exists is written over."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from threatmodel.authoring.importing.model import EDITORS, SCHEMA, head
from threatmodel.authoring.importing.plan import imported
from threatmodel.authoring.insertion import scalar
from threatmodel.authoring.workflow import workflow, workflow_file
from threatmodel.evidence.matching import kebab
from threatmodel.model.search import SEVERAL
from threatmodel.reading.files import Files, shown_path
from threatmodel.reading.problems import InputError, Place, Problem, refusal
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


BASELINE = "threats.baseline.json"
"""The file of the results on the first day."""


CONFIG = ".threatmodel.toml"


class Wanted(NamedTuple):
    """What `tm init` is asked for: the files to import (none: an example), their kind, what CI installs ('': no CI).

    `configured`: the folder has a configuration already.
    """

    sources: Sequence[Path] = ()
    kind: str = ""
    pin: str = ""
    configured: bool = False


class FirstFiles(NamedTuple):
    """The first files of a repository's threat model: the model, every text by its path, and notes on the import."""

    model: Path
    texts: Mapping[Path, str]
    notes: Sequence[str]


def first_files(here: Path, files: Files, wanted: Wanted) -> FirstFiles:
    """Return the first files of a threat model in a folder: model, platform, library layer, schema, and a check in CI.

    Raises InputError where any of them exists already, all at once, and where a source cannot be used.
    """
    folder = here / SEVERAL
    name = kebab(real_path(here).name)
    model = folder / f"{name if name != 'platform' else 'system'}.yaml"
    notes: tuple[str, ...] = ()
    if not wanted.sources:
        text = _EDITORS + "\n".join(head(name, _STANDS_ON)) + "\n" + _FIRST
    else:
        found = imported(wanted.sources, wanted.kind, model, files, _STANDS_ON)
        text, notes = found.text, found.notes
    texts = {
        model: text,
        folder / "platform.yaml": f"{_EDITORS}name: {scalar(f'Platform of {name}')}\n\n{_PLATFORM}",
        folder / SCHEMA: model_schema_text(),
        here / _OWN / "library.yaml": f"name: {scalar(f'Threats and controls of {name}')}\n{_LAYER}",
        **({} if wanted.configured else {here / CONFIG: _configuration(model.relative_to(here))}),
        **checked_in_ci(here, wanted.pin, "tm check" if not wanted.configured else CHECK),
    }
    refuse_existing([*texts, here / BASELINE])
    return FirstFiles(model, texts, notes)


CHECK = f"tm check --baseline {BASELINE}"
"""The check of a folder whose configuration names no baseline."""


def _configuration(model: Path) -> str:
    return (
        "# what holds for tm check; tm config prints it with where each setting comes from\n"
        f"models = [{json.dumps(model.as_posix())}]\n"
        f'baseline = "{BASELINE}"\n'
        '# fail-on = "medium"            # the lowest band that fails; high where left out\n'
    )


def checked_in_ci(here: Path, pin: str, check: str) -> dict[Path, str]:
    """Return the workflow that checks a folder in CI, by its path; none where nothing is named that it can install.

    Raises InputError where no repository would run it.
    """
    if not pin:
        return {}
    if repository(here) is None:
        message, hint = "this folder is in no Git repository", "run 'git init' first, or leave --source out"
        raise refusal("no-git", Place("--source", 0), message, hint)
    return {workflow_file(here, kebab(real_path(here).name)): workflow(here, pin, check)}


def refuse_existing(paths: Sequence[Path]) -> None:
    """Raises InputError where any of the files exists already, with all of them."""
    if problems := [*_conflicts(paths)]:
        raise InputError(problems)


def _conflicts(paths: Sequence[Path]) -> Iterator[Problem]:
    """Return the existing files where something would be written."""
    taken = {path: "this exists already" for path in paths if os.path.lexists(path)}
    folders = {folder for path in paths for folder in path.parents}
    taken |= {path: "a folder must be here" for path in folders if os.path.lexists(path) and not path.is_dir()}
    for path, message in sorted(taken.items()):
        hint = "nothing was written; move it, or write the other files by hand"
        yield Problem(code="already-exists", place=Place(shown_path(path), 0), message=message, hint=hint)
