"""Reading the files that a model consists of: confined to its project, and remembered for messages."""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cache
from itertools import islice
from pathlib import Path

from threatmodel.reading.former import Renamed
from threatmodel.reading.links import refuse_exit
from threatmodel.reading.problems import FileChangedError, InputError, Place, Problem, quoted, refusal
from threatmodel.reading.project import real_path, repository
from threatmodel.reading.source import LARGEST, Document, as_read, parse, read_text, too_large

_TOOLKIT = Path(__file__).parent.parent
"""The package, by the path that it is imported from: how it was installed, such as by links, is no project's."""


class Files:
    """Reads files on behalf of one run.

    `texts` replace files, by path: they are read as if they had been saved there, whether there is such a
    file or not, and nothing is written.

    `read` holds the text of every file read, by the name used in messages: the path relative to the working directory
    where it is in the same project; `paths` holds where each of them is, `absent` what was looked for in vain,
    `folders` those of which each byte counts, `renamed` the former names that were read.

    A file that another file names must be in the project: the naming file's repository; where it is in none, the
    working directory, or `home` (the toolkit's own folder) for a model in it, or else the naming file's own folder
    (symbolic links resolved).
    """

    def __init__(self, home: Path | None = None, *, texts: Mapping[Path | str, str] | None = None) -> None:
        self.read: dict[str, str] = {}
        self.paths: set[Path] = set()
        self.absent: set[Path] = set()
        self.folders: set[Path] = set()
        self.renamed: list[Renamed] = []
        self._home = real_path(home) if home is not None else None
        self._shown: dict[Path, str] = {}
        self._texts: dict[Path, str] = {}
        self._walked: dict[Path, Path] = {}  # files that were found below a folder, with no link on their way
        self._project_here = cache(_project_here)
        self._instead = {real_path(Path(path)): text for path, text in (texts or {}).items()}

    def document(self, path: Path) -> Document:
        """The YAML document in a file.  Raises InputError."""
        return parse(self.remembered_text(path), self.shown(path))

    def remembered_text(self, path: Path) -> str:
        """The text of a file, whose lines may appear in messages.  Raises InputError."""
        text = self.text(path)
        self.read[self.shown(path)] = text
        return text

    def shown(self, path: Path) -> str:
        """The name of a file in messages, asked of the system once."""
        if path not in self._shown:
            self._shown[path] = shown_path(path, self._project_here)
        return self._shown[path]

    def text(self, path: Path, largest: int = LARGEST, hint: str = "split the model") -> str:
        """The text of a file, whose lines, which may hold secrets, appear in no message.

        A file is opened once: a change of it during the run has no effect.  Raises InputError.
        """
        walked = self._walked.get(path)
        real = walked or real_path(path)
        if real in self._instead or real in self._texts:
            text = self._texts[real] if real in self._texts else as_read(self._instead[real])
            if len(text) > largest:
                raise too_large(shown_path(path), largest, hint)
        else:
            if walked is None:
                self._refuse_exit(path)
            try:
                text = self._texts[real] = read_text(path, self.shown(path), largest, hint)
                if walked is None and path.is_fifo():  # it gives its text once
                    self._instead[real] = text
            except InputError:
                self.absent.add(real)
                raise
        self.paths.add(real)
        return text

    def _refuse_exit(self, path: Path) -> None:
        if not path.is_relative_to(_TOOLKIT):
            refuse_exit(path, self.shown(path))

    def forget(self, path: Path) -> None:
        """Let the next reading of a file open it again, where another run may have written it."""
        self._texts.pop(real_path(path), None)

    def raw(self, path: Path) -> str:
        """Return a text that has been read, with the line ends and the byte order mark that it has.

        Raises FileChangedError where the file no longer holds what was read.
        """
        text = self.on_disk(path)
        if as_read(text) != self.read.get(self.shown(path), as_read(text)):
            raise FileChangedError.of(self.shown(path))
        return text

    def on_disk(self, path: Path) -> str:
        """Return a file's text as it is now, with its own line ends."""
        real = real_path(path)
        return self._instead[real] if real in self._instead else path.read_bytes().decode()

    def has(self, path: Path) -> bool:
        """Whether there is such a file, on the disk or in memory."""
        with contextlib.suppress(OSError, ValueError):  # what no path can be is no file
            real = real_path(path)
            if real in self._texts or real in self._instead or path.is_file():
                return True
            self.absent.add(real)
        return False

    def has_read(self, path: Path) -> bool:
        """Whether a path leads to a regular file that was read, by whatever name: nothing may be written over it."""
        return has_read(self.paths, path)

    def has_folder(self, path: Path) -> bool:
        """Whether there is such a folder, on the disk or as the place of a text in memory.

        Raises InputError where a link to it leads out of the project.
        """
        self._refuse_exit(path)
        return is_folder(path) or any(real_path(path) in one.parents for one in self._instead)

    def changed_in(self, folder: Path, besides: Path | None = None) -> bool:
        """Whether a text in memory (that of `besides` aside) makes the folder another one than that on the disk."""
        inside = {path: text for path, text in self._instead.items() if path.is_relative_to(real_path(folder))}
        inside.pop(real_path(besides) if besides is not None else Path(), None)
        return any(not path.is_file() or path.read_bytes() != text.encode() for path, text in inside.items())

    def below(
        self, folder: Path, problems: list[Problem], without: Collection[str] = (), most: int | None = None
    ) -> list[Path]:
        """Every file below a folder, sorted; linked folders are followed, hidden ones are not left out.

        What cannot be read, or is outside the folder's project by way of a link, is left out, and noted; folders of the
        names `without` are skipped, and of more than `most` files any may be left out.  Raises InputError where
        a link to the folder itself leads out of the project.
        """
        self._refuse_exit(folder)
        walked = self._walk(folder, _project_of(folder), (real_path(folder),), problems, without)
        found = set(islice(walked, most))
        for path in self._instead:
            if path.is_relative_to(real_path(folder)):
                found.add(folder / path.relative_to(real_path(folder)))
        return sorted(found)

    def _walk(
        self,
        folder: Path,
        project: Path,
        above: tuple[Path, ...],
        problems: list[Problem],
        without: Collection[str],
    ) -> Iterator[Path]:
        """The files in one folder and in those below it; `above` are the folders around it, links resolved."""
        try:
            entries = list(os.scandir(folder))
        except (FileNotFoundError, NotADirectoryError):
            return
        except (OSError, ValueError) as error:
            message = f"cannot be read: {getattr(error, 'strerror', None) or error}"
            problems.append(Problem(code="unreadable-file", place=Place(shown_path(folder)), message=message))
            return
        is_plain = ".." not in folder.parts and os.fspath(above[-1]) == os.path.abspath(folder)  # noqa: PTH100 - links stay
        for entry in entries:
            path = folder / entry.name
            if entry.is_symlink() and not real_path(path).is_relative_to(project):
                message, hint = "this link leaves the project", "copy what it leads to"
                where = Place(shown_path(path))
                problems.append(Problem(code="outside-project", place=where, message=message, hint=hint))
            elif entry.is_dir():
                if entry.name in without:
                    continue
                real = real_path(path)
                if real in above:
                    problems.append(_unreadable(path, "this link leads back to a folder around it", "remove it"))
                else:
                    yield from self._walk(path, project, (*above, real), problems, without)
            elif entry.is_file() or real_path(path) in self._instead:
                if is_plain and not entry.is_symlink():
                    self._walked[path] = above[-1] / entry.name
                yield path
            else:
                problems.append(
                    _unreadable(path, "this is no file: a pipe, a device or a link to nothing", "remove it")
                )

    def named(self, path: str, by: Path, place: Place) -> Path:
        """The file that `path`, written at `place` in the file `by`, means.

        Raises InputError where it leaves the project, and where reading it could wait forever.
        """
        if "\0" in path or Path(path).is_absolute():
            raise _outside(path, place, "write a path relative to this file")
        target = real_path(by.parent / path)
        if not target.is_relative_to(self._project(real_path(by))):
            raise _outside(path, place, "move the file into the project, or run from the project's folder")
        if _is_special(target):
            raise refusal("unreadable-file", shown_path(target), "this is a pipe or a device", "name a file")
        return target

    def _project(self, naming: Path) -> Path:
        """The folder in which what a file names must lie."""
        root = repository(naming.parent)
        if root is not None:
            return root
        roots = [real_path(Path.cwd()), *([self._home] if self._home is not None else [])]
        return next((one for one in roots if naming.is_relative_to(one)), naming.parent)


def _project_of(folder: Path) -> Path:
    """The folder that must contain the files of a library, links resolved."""
    return repository(folder) or real_path(folder)


def _is_special(path: Path) -> bool:
    """Whether something is there that is neither a file nor a folder; what no path can be is not there."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _unreadable(path: Path, message: str, hint: str) -> Problem:
    return Problem(code="unreadable-file", place=Place(shown_path(path)), message=message, hint=hint)


def is_file(path: Path) -> bool:
    """Whether a file is there; what no path can be is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def is_folder(path: Path) -> bool:
    """Whether a folder is there; what no path can be (too long, with a null byte) is none."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def has_read(paths: Iterable[Path], path: Path) -> bool:
    """Whether a path leads to one of the regular files `paths`, by whatever name."""
    with contextlib.suppress(OSError, ValueError):
        return path.is_file() and any(read.is_file() and read.samefile(path) for read in paths)
    return False


def _outside(path: str, place: Place, hint: str) -> InputError:
    return refusal("outside-project", place, f"{quoted(path)} leaves the project", hint)


def _project_here() -> Path | None:
    """The repository that contains the working directory."""
    return repository(Path.cwd())


def shown_path(path: Path, project: Callable[[], Path | None] = _project_here) -> str:
    """A path as messages and reports show it: relative to the working directory where it is in the same project.

    `project` finds that; a run that shows many paths asks the system once.
    """
    shown = os.path.relpath(path) if path.is_absolute() else str(path)
    if path.is_absolute() and shown.startswith(".."):
        root = project()
        shown = shown if root is not None and path.is_relative_to(root) else str(path)
    name = shown.replace(os.sep, "/")
    return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", name)  # a name that is not UTF-8 is neither shown nor written


_SURROGATE = re.compile("[\ud800-\udfff]")
"""What Python makes of bytes of a name that are no UTF-8, and half characters of an argument."""


def digest(text: str) -> str:
    """The first twelve digits of a text's SHA-256: which revision of a model a report speaks of."""
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()[:12]
