"""What was worked out before, kept in a folder that is the user's alone, by a digest of all that it follows from.

Only text is kept, as its callers write and read it.  Each entry carries a code over its key and text, made with a
secret of the user that is kept apart from the entries: an entry of a restored folder, or one that others wrote, is not
used.  Where the folder or the secret is not the user's alone, or cannot be made, nothing is kept and
nothing is found.  ``TM_CACHE=off`` switches it off, and ``TM_CACHE=FOLDER`` names the folder, for a pipeline that
makes its own: where a pipeline runs, or a run gates a change, no other is used.  On Windows, which has neither owner
nor mode here, both are in the user's profile, whose access list guards them.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import stat
import sys
from functools import cache
from pathlib import Path

from threatmodel.reading.home import PACKAGES
from threatmodel.reading.problems import InputError
from threatmodel.reading.whole import place

MOST = 50
"""Texts that are kept; the oldest go."""
DIGEST = "written-"
"""What the keys of digests begin with, which are small: more of them are kept."""
_MOST_DIGESTS = 1000
_SECRET = 32
"""Bytes of the secret."""
_PIPELINES = ("CI", "TF_BUILD", "JENKINS_URL")
"""Variables that pipelines set: most services the first, Azure Pipelines and Jenkins the others."""
_NO = {"", "off", "0", "no", "false"}


def recalled(key: str) -> str | None:
    """Return the text kept under a key, if there is one, and this user kept it there."""
    folder, secret = _folder(make=False), _secret(make=False)
    if folder is None or secret is None:
        return None
    with contextlib.suppress(OSError, ValueError):
        head, _, text = (folder / key).read_text(encoding="utf-8").partition("\n")
        if hmac.compare_digest(head.encode(), _code(secret, key, text).encode()):
            os.utime(folder / key)  # the oldest go, and this is of use
            return text
    return None


def keep(key: str, text: str) -> None:
    """Keeps a text under a key."""
    folder, secret = _folder(make=True), _secret(make=True)
    if folder is not None and secret is not None:
        with contextlib.suppress(OSError, InputError):
            place(f"{_code(secret, key, text)}\n{text}", folder / key)
            _thin_out(folder)


def _code(secret: bytes, key: str, text: str) -> str:
    return hmac.digest(secret, f"{key}\0{text}".encode(), "sha256").hex()


@cache
def toolkit_digest() -> str:
    """A digest over the toolkit's own files: its code and the tables beside it."""
    whole = hashlib.sha256()
    root = PACKAGES / "threatmodel"
    for path in sorted(root.rglob("*")):
        if path.suffix in {".py", ".yaml", ".json"} and "content" not in path.relative_to(root).parts[:1]:
            whole.update(str(path.relative_to(root)).encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()


def is_on(*, gating: bool = False) -> bool:
    """Return whether anything is kept and may be used: in a pipeline, or to gate a change, only where TM_CACHE says."""
    named = os.environ.get("TM_CACHE", "")
    if named:
        return named.lower() not in _NO
    return not gating and all(os.environ.get(name, "").lower() in _NO for name in _PIPELINES)


def _folder(*, make: bool) -> Path | None:
    """The folder, if it is the user's alone."""
    if not is_on():
        return None
    with contextlib.suppress(OSError, RuntimeError, ValueError):
        named = os.environ.get("TM_CACHE", "")
        folder = Path(named, "threatmodel") if named else _home("XDG_CACHE_HOME", ".cache")
        if not folder.is_absolute():
            return None
        if make:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
        if stat.S_ISDIR(found.st_mode) and _is_private(found):
            return folder
    return None


def _secret(*, make: bool) -> bytes | None:
    """The secret of the user's entries; a new one where there is none that is the user's alone."""
    with contextlib.suppress(OSError, RuntimeError):
        path = _home("XDG_CONFIG_HOME", ".config") / "cache-secret"
        found = _read_secret(path)
        if found is None and make:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123 - a descriptor
                file.write(os.urandom(_SECRET))
            found = _read_secret(path)
        return found
    return None


def _read_secret(path: Path) -> bytes | None:
    with contextlib.suppress(FileNotFoundError):
        found = path.lstat()
        if stat.S_ISREG(found.st_mode) and found.st_size == _SECRET and _is_private(found):
            return path.read_bytes()
    return None


def _home(variable: str, usual: str) -> Path:
    """The toolkit's folder among those of the user's caches or settings, which lie apart."""
    windows = sys.platform == "win32"
    named = os.environ.get(("APPDATA" if usual == ".config" else "LOCALAPPDATA") if windows else variable, "")
    return (Path(named) if named and Path(named).is_absolute() else Path.home() / usual) / "threatmodel"


def _is_private(found: os.stat_result) -> bool:
    return sys.platform == "win32" or (found.st_uid == os.geteuid() and not found.st_mode & 0o077)


def _thin_out(folder: Path) -> None:
    kept = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    digests = [path for path in kept if path.name.startswith(DIGEST)]
    for path in (*[path for path in kept if path not in digests][MOST:], *digests[_MOST_DIGESTS:]):
        path.unlink()
