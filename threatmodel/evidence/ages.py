"""Why a file may not say what is deployed: a plan that is older than its configuration, a samconfig of other files."""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from threatmodel.model.system import EvidenceFile
from threatmodel.reading.files import Files, shown_path
from threatmodel.reading.git import git, tried
from threatmodel.reading.problems import InputError, quoted
from threatmodel.reading.project import real_path, repository
from threatmodel.stacks.deployment import deployed
from threatmodel.stacks.readers import LARGEST_PLAN

_CODE = (".tf", ".tf.json", ".tofu")
_BUILT = ".aws-sam"
"""The folder in which `sam build` puts a copy of the template, which is deployed from there."""
_AGAIN = "it counts as a statement (plan again, and write it with terraform show -json)"


_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")


class Age(NamedTuple):
    """When a plan was made, if it has a timestamp, and why a file does not count as evidence whatever the day is."""

    made: datetime.datetime | None = None
    why: str = ""


def plan_age(path: Path, files: Files) -> Age:
    """Return the age of a plan, compared with the configuration in its folder as Git has it."""
    made = _timestamp(path, files)
    folder = real_path(path.parent)
    root = repository(folder)
    if root is None or files.changed_in(folder, besides=path):
        return Age(made)
    try:
        return Age(made, next(_older(root, folder, made), ""))
    except InputError as error:
        return Age(made, f"its age is unknown: {error.problems[0].message}; {_AGAIN}")


def stale(age: Age, today: datetime.date | None) -> str:
    """Return why a plan counts as a statement on a day; '' where it counts as evidence."""
    if today is not None and age.made is not None and age.made.date() > today:
        return f"the timestamp of the plan is in the future ({age.made.date()}); {_AGAIN}"
    return age.why


def _timestamp(path: Path, files: Files) -> datetime.datetime | None:
    """When a plan says it was made."""
    try:
        raw: Any = json.loads(files.text(path, LARGEST_PLAN))
    except (ValueError, RecursionError):
        return None  # its reader says what is wrong
    said = raw.get("timestamp") if isinstance(raw, dict) else None
    if not isinstance(said, str) or not _RFC_3339.fullmatch(said):
        return None
    try:
        return datetime.datetime.fromisoformat(re.sub(r"\.\d+", "", said))
    except ValueError:
        return None


def _older(root: Path, folder: Path, made: datetime.datetime | None) -> Iterator[str]:
    """Why a plan may be older than the configuration in its folder and below."""
    here = folder.relative_to(root).as_posix()
    tracked = _tracked(root, here)
    if not tracked:
        return
    if git(root, "rev-parse", "--is-shallow-repository").strip() == b"true":
        yield f"the age of the plan is unknown in a shallow clone; fetch the whole history, else {_AGAIN}"
    if made is None:
        yield f"the plan has no timestamp, so it may be older than its configuration; {_AGAIN}"
        return
    for name, blob in tracked.items():
        path = root / name
        if not path.is_file() or _blob(path) != blob:
            yield f"{quoted(shown_path(path))} is changed and not committed, maybe after the plan; {_AGAIN}"
    done = tried(root, "rev-list", "-1", "--timestamp", "HEAD", "--", *tracked)
    found = re.match(rb"(\d+) ", done.stdout) if not done.returncode else None
    if found is None:
        yield f"it is unknown when the configuration in its folder changed; {_AGAIN}"
    elif int(found[1]) > made.timestamp():
        day = datetime.datetime.fromtimestamp(int(found[1]), datetime.UTC).date()
        yield f"the configuration in its folder changed on {day}, after the plan; {_AGAIN}"


def _tracked(root: Path, here: str) -> Mapping[str, str]:
    """The configuration that Git has in a folder and below, each file with the digest of its content."""
    found: dict[str, str] = {}
    for entry in git(root, "ls-files", "-s", "-z", "--", here).split(b"\0"):
        about, _, name = entry.partition(b"\t")
        if name.endswith(tuple(one.encode() for one in _CODE)):
            found[os.fsdecode(name)] = about.split()[1].decode()
    return found


def _blob(path: Path) -> str:
    data = path.read_bytes().replace(b"\r\n", b"\n")
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


# --- samconfig.toml


def other_files(source: EvidenceFile, path: Path, config: Path, files: Files) -> str:
    """Return that a samconfig deploys another template than the one at `path`, or builds code elsewhere; '' if not."""
    if config.suffix != ".toml":
        return ""
    said = deployed(files.text(config), source.stage or "default")
    template = said.get("template")
    if template is not None and _BUILT not in Path(template).parts and real_path(config.parent / template) != path:
        return f"{shown_path(config)} deploys {quoted(template)}, not this template; this one counts as a statement"
    base = said.get("base_dir")
    if base is not None and real_path(config.parent / base) != path.parent:
        return f"{shown_path(config)} builds the code in {quoted(base)}; the template counts as a statement"
    return ""
