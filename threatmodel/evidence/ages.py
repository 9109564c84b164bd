"""Why a file may not say what is deployed: a plan that is older than its configuration, a samconfig of other files.

A saved answer of AWS, or a state, does not say when it was saved.  One that is committed is as old as the commit that
gave it its content; one that is not was saved since.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from threatmodel.model.longest import RESULT
from threatmodel.reading.files import Files, shown_path
from threatmodel.reading.git import git, tried
from threatmodel.reading.problems import InputError, quoted
from threatmodel.reading.project import real_path, repository
from threatmodel.stacks.cloudformation.described import Described
from threatmodel.stacks.deployment import deployed, names
from threatmodel.stacks.readers import LARGEST_PLAN

_CODE = (".tf", ".tf.json", ".tofu", ".tofu.json", ".tfvars", ".tfvars.json", ".tftpl")
_BUILT = ".aws-sam"
"""The folder in which `sam build` puts a copy of the template, which is deployed from there."""
SAVE_AGAIN = "it counts as a statement (ask AWS again, and save the answer)"
_AGAIN = "it counts as a statement (plan again, and write it with terraform show -json)"


_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")


class Age(NamedTuple):
    """When a file was made, if that is known, and why it does not count as evidence whatever the day is.

    After `days` it does not count either (0: a later change of the code decides that).  `latest` is the latest time
    that an answer of AWS has about it.
    """

    made: datetime.datetime | None = None
    why: str = ""
    days: int = 0
    latest: datetime.datetime | None = None


def plan_age(path: Path, files: Files) -> Age:
    """Return the age of a plan, compared with its configuration as Git has it."""
    plan = _raw(path, files)
    made = _timestamp(plan)
    if made is None:
        return Age(why=f"the plan has no timestamp, so it may be older than its configuration; {_AGAIN}")
    folder = real_path(path.parent)
    root = repository(folder)
    if root is None or files.changed_in(folder, besides=path):
        return Age(made)
    try:
        return Age(made, next(_older(root, folder, plan, made), ""))
    except InputError as error:
        return Age(made, f"its age is unknown: {error.problems[0].message}; {_AGAIN}")


def stale(age: Age, today: datetime.date | None) -> str:
    """Return why a file counts as a statement on a day; '' where it counts as evidence."""
    if today is not None and age.latest is not None and age.latest.date() > today:
        return f"AWS answered a time in the future ({age.latest.date()}); {SAVE_AGAIN}"
    if today is None or age.made is None:
        return age.why
    made = age.made.date()
    if made > today:
        if age.days:
            return f"it was committed in the future ({made}); {SAVE_AGAIN}"
        return f"the timestamp of the plan is in the future ({made}); {_AGAIN}"
    if age.days and (today - made).days > age.days:
        return f"it was saved on {made}, more than {age.days} days ago; {SAVE_AGAIN}"
    return age.why


def _raw(path: Path, files: Files) -> Mapping[str, Any]:
    try:
        raw: Any = json.loads(files.text(path, LARGEST_PLAN))
    except (ValueError, RecursionError):
        return {}  # its reader says what is wrong
    return raw if isinstance(raw, dict) else {}


def _timestamp(plan: Mapping[str, Any]) -> datetime.datetime | None:
    """When a plan says it was made."""
    said = plan.get("timestamp")
    if not isinstance(said, str) or not _RFC_3339.fullmatch(said):
        return None
    try:
        return datetime.datetime.fromisoformat(re.sub(r"\.\d+", "", said))
    except ValueError:
        return None


def _older(root: Path, folder: Path, plan: Mapping[str, Any], made: datetime.datetime) -> Iterator[str]:
    """Why a plan may be older than its configuration."""
    folders, committed = _configuration(root, folder, plan)
    there = _on_disk({root / one for one in folders} | {(root / name).parent for name in committed})
    if not committed and not there:
        return
    if git(root, "rev-parse", "--is-shallow-repository").strip() == b"true":
        yield f"the age of the plan is unknown in a shallow clone; fetch the whole history, else {_AGAIN}"
    for path in sorted(there.union(root / name for name in committed)):
        if path not in there or blob_of(path.read_bytes().replace(b"\r\n", b"\n")) != committed.get(
            path.relative_to(root).as_posix()
        ):
            yield f"{quoted(shown_path(path))} is changed and not committed, maybe after the plan; {_AGAIN}"
    changed = _changed(root, folders, made)
    if changed is not None:
        yield f"its configuration changed on {changed}, after the plan; {_AGAIN}"


def _configuration(root: Path, folder: Path, plan: Mapping[str, Any]) -> tuple[Collection[str], Mapping[str, str]]:
    """The folders of the configuration that a plan was made of, and the files in them and below, as committed.

    They are the plan's own folder and those of the modules that it calls there.  Where the plan's folder has none, it
    is the nearest one around that has, else any of the repository.
    """
    committed = _committed(root)
    around = [one for one in (folder, *folder.parents) if one.is_relative_to(root)]
    there = {(root / name).parent for name in committed}
    home = next((one for one in around if one in there or _on_disk({one})), None)
    first = folder if any(one.is_relative_to(folder) for one in there) else home or root
    found = (one for one in (first, *_modules(plan, first)) if one.is_relative_to(root))
    folders = frozenset(one.relative_to(root).as_posix() for one in found)
    return folders, {name: blob for name, blob in committed.items() if any(_is_in(name, one) for one in folders)}


def _modules(plan: Mapping[str, Any], folder: Path) -> Iterator[Path]:
    """The folders of the modules of this repository that a configuration calls, and those that they call."""
    waiting = [(plan.get("configuration"), "root_module", folder)]
    while waiting:
        holder, key, at = waiting.pop()
        module = holder.get(key) if isinstance(holder, dict) else None
        calls = module.get("module_calls") if isinstance(module, dict) else None
        for call in calls.values() if isinstance(calls, dict) else ():
            source = call.get("source") if isinstance(call, dict) else None
            if isinstance(source, str) and source.startswith(("./", "../")):
                below = Path(os.path.normpath(at / source))
                yield below
                waiting.append((call, "module", below))


def _is_in(name: str, folder: str) -> bool:
    return folder == "." or name.startswith(f"{folder}/")


def _on_disk(folders: Collection[Path]) -> frozenset[Path]:
    """The files of configuration that are directly in some folders."""
    found = (one for folder in folders if folder.is_dir() for one in folder.iterdir())
    return frozenset(one for one in found if one.name.endswith(_CODE) and one.is_file())


def _committed(root: Path) -> Mapping[str, str]:
    """The files of configuration that the last commit has, each with the digest of its content."""
    done = tried(root, "ls-tree", "-r", "-z", "--full-tree", "HEAD")
    found: dict[str, str] = {}
    for entry in () if done.returncode else done.stdout.split(b"\0"):
        about, _, name = entry.partition(b"\t")
        if name.endswith(tuple(one.encode() for one in _CODE)):
            found[os.fsdecode(name)] = about.split()[2].decode()
    return found


def _changed(root: Path, folders: Collection[str], made: datetime.datetime) -> datetime.date | None:
    """The day of the last commit after a plan that changed its configuration, also by a merge or by a removal.

    A commit has two dates, of which the later counts.
    """
    found: dict[bytes, int] = {}
    for way in ((), ("--first-parent",)):
        listed = git(root, "rev-list", "--format=%H %ct %at", *way, "HEAD", "--", *sorted(folders))
        for line in listed.splitlines():
            name, *dates = line.split()
            if name != b"commit" and (when := max(map(int, dates))) > made.timestamp():
                found[name] = when
    for name, when in sorted(found.items(), key=lambda one: -one[1]):
        changed = git(
            root,
            "diff-tree",
            "-r",
            "--root",
            "--no-commit-id",
            "--name-only",
            "-z",
            "-m",
            "--first-parent",
            os.fsdecode(name),
        )
        if any(
            one.endswith(_CODE) and any(_is_in(one, folder) for folder in folders)
            for one in map(os.fsdecode, changed.split(b"\0"))
        ):
            return datetime.datetime.fromtimestamp(when, datetime.UTC).date()
    return None


def blob_of(data: bytes) -> str:
    """Return the digest that Git has of a file's content."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


# --- samconfig.toml


def other_files(path: Path, config: Path, environment: str, files: Files) -> str:
    """Return that a samconfig deploys another template than the one at `path`, or builds code elsewhere; '' if not.

    Without the name of an environment, one that deploys the template is enough.
    """
    if config.suffix != ".toml":
        return ""
    text = files.text(config)
    found = [_other_files(path, config, deployed(text, one)) for one in ([environment] if environment else names(text))]
    return found[0] if all(found) and found else ""


def _other_files(path: Path, config: Path, said: Mapping[str, str]) -> str:
    template = said.get("template")
    if template is not None and _BUILT not in Path(template).parts and real_path(config.parent / template) != path:
        return f"{shown_path(config)} deploys {quoted(template)}, not this template; this one counts as a statement"
    base = said.get("base_dir")
    if base is not None and real_path(config.parent / base) != path.parent:
        return f"{shown_path(config)} builds the code in {quoted(base)}; the template counts as a statement"
    return ""


# --- saved answers of AWS, and states
def saved_age(path: Path, files: Files) -> Age:
    """Return when a file was committed as it is, if it was.  It counts for as long as a saved probe does."""
    real = real_path(path)
    root = repository(real.parent)
    if root is None or files.changed_in(real.parent):
        return Age(days=RESULT)
    try:
        return _saved_as_committed(root, real)
    except InputError as error:
        return Age(why=f"its age is unknown: {error.problems[0].message}; {SAVE_AGAIN}", days=RESULT)


def _saved_as_committed(root: Path, path: Path) -> Age:
    name = path.relative_to(root).as_posix()
    listed = tried(root, "ls-tree", "-z", "--full-tree", "HEAD", "--", name)
    blob = listed.stdout.split()[2].decode() if not listed.returncode and listed.stdout else ""
    data = path.read_bytes()
    if blob not in {blob_of(data), blob_of(data.replace(b"\r\n", b"\n"))}:  # whatever line ends Git checks out
        return Age(days=RESULT)
    if git(root, "rev-parse", "--is-shallow-repository").strip() == b"true":
        return Age(
            why=f"its age is unknown in a shallow clone; fetch the whole history, else {SAVE_AGAIN}", days=RESULT
        )
    lines = git(root, "rev-list", "-1", "--format=%ct", "HEAD", "--", os.fsdecode(name)).split()
    made = datetime.datetime.fromtimestamp(int(lines[-1]), datetime.UTC) if lines else None
    return Age(made, days=RESULT)


def doubts_of(stack: Described, age: Age, *, is_saved: bool) -> Iterator[str]:
    """Yield why a stack, as AWS describes it, is not what a file says: `is_saved` where that is an answer, too."""
    if stack.unfinished:
        yield f"{stack.unfinished}; it counts as a statement"
    if is_saved and age.made is not None and stack.changed is not None and stack.changed > age.made:
        yield f"it was saved before the last deployment of {stack.name} ({stack.changed.date()}); {SAVE_AGAIN}"
