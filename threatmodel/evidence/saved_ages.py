"""How old a file is that shows what was deployed: a saved answer of AWS, or a state.

None of them says when it was saved.  One that is committed is as old as the commit that gave it its content; one that
is not was saved since.
"""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterator
from pathlib import Path

from threatmodel.evidence.ages import SAVE_AGAIN, Age, blob_of
from threatmodel.model.longest import RESULT
from threatmodel.reading.files import Files
from threatmodel.reading.git import git, tried
from threatmodel.reading.problems import InputError
from threatmodel.reading.project import real_path, repository
from threatmodel.stacks.cloudformation.described import Described


def saved_age(path: Path, files: Files) -> Age:
    """Return when a file was committed as it is, if it was.  It counts for as long as a saved probe does."""
    real = real_path(path)
    root = repository(real.parent)
    if root is None or files.changed_in(real.parent):
        return Age(days=RESULT)
    try:
        return _committed(root, real)
    except InputError as error:
        return Age(why=f"its age is unknown: {error.problems[0].message}; {SAVE_AGAIN}", days=RESULT)


def _committed(root: Path, path: Path) -> Age:
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
