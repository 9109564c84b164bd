"""Templates: Jinja2 in its sandbox, over plain data; built-in ones in this process, a user's in a child process.

A user's template is untrusted.  The sandbox keeps it from reaching Python objects, the loader keeps it in its folder,
and the child process, which has limits of processor time, memory and output and no environment, keeps what neither can
stop (endless loops, huge strings) from harming the run.  Every way to fail becomes a Problem at the template's line.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from threatmodel.reading.files import shown_path
from threatmodel.reading.home import PACKAGES, TEMPLATES
from threatmodel.reading.links import refuse_exit
from threatmodel.reading.problems import InputError, Place, quoted, refusal, visible
from threatmodel.reading.project import real_path
from threatmodel.reading.values import dataclass
from threatmodel.render.generated import generated
from threatmodel.render.text import markdown_code

if TYPE_CHECKING:
    from jinja2 import Environment

LOADABLE = frozenset({".j2", ".md", ".html", ".txt", ".css", ".js", ".svg"})
"""Endings of files that a template may extend, include or import; hidden files are out of its reach too."""

LARGEST_TEMPLATE = 4 * 1024 * 1024

Format = Literal["markdown", "text", "html"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateLimits:
    """What a user's template may use: seconds of the processor, bytes of memory, characters of output."""

    seconds: int = 30
    memory: int = 1024 * 1024 * 1024
    output: int = 200_000_000


LIMITS = TemplateLimits()

_WALL = 1 if sys.platform == "win32" else 20
"""Times the seconds after which the child is ended whatever it does.

Where the system counts its processor time, that is the limit, whatever the load of the machine; Windows has no such
limit.
"""


def format_of(name: str) -> Format:
    """What a template makes, by its name: ``*.md`` Markdown, ``*.txt`` text, everything else HTML (``.j2`` is cut)."""
    match Path(name.lower().removesuffix(".j2")).suffix:
        case ".md":
            return "markdown"
        case ".txt":
            return "text"
        case _:
            return "html"


def render_own(name: str, context: Mapping[str, Any]) -> str:
    """A template of the toolkit's own, rendered; a variable is read from the context when the template reads it."""
    variables = {key: _Variable(context, key) for key in context}
    return "".join(_environment_of_own(format_of(name)).get_template(name).generate(variables))


class _Variable(NamedTuple):
    """A variable of a template that is not read yet."""

    context: Mapping[str, Any]
    key: str


def check_template(path: Path) -> None:
    """Raise InputError where a file is missing, is no template, or is a link that leads out of the project."""
    refuse_exit(path, str(path))
    report = f"to report on a model: -m {shlex.quote(str(path))} --report"
    if not path.is_file():
        what = "there is no such template" if not path.exists() else "this is not a file"
        is_model = path.suffix.lower() in {".yaml", ".yml"}
        raise _failed(
            path, 0, what, report if is_model else "built in are md and html; else give the path of a template"
        )
    if not _has_expression(path):
        what = "this file has no template expression, so the report would be its own text"
        raise _failed(path, 0, what, f"to write the report there: -o FILE; {report}")


def render_users(path: Path, context: Mapping[str, Any], limits: TemplateLimits = LIMITS) -> str:
    """Return a user's template rendered in a child process.  Raises InputError if it fails or exceeds a limit."""
    check_template(path)
    command = [sys.executable, "-m", "threatmodel.render.templates", str(real_path(path))]
    command += [str(limits.seconds), str(limits.memory), str(limits.output)]
    try:
        done = subprocess.run(  # noqa: S603 - this interpreter, this module, a path
            command,
            input=json.dumps(context, default=dict).encode(),
            capture_output=True,
            timeout=limits.seconds * _WALL,
            check=False,
            cwd=PACKAGES,
            env=environment_variables(),
        )
    except subprocess.TimeoutExpired:
        raise _failed(path, 0, *_too_long(limits)) from None
    if done.returncode:
        raise _refusal(path, done, limits)
    return done.stdout.decode()


def _has_expression(path: Path) -> bool:
    """Whether a file has anything for Jinja to fill in; one that cannot be read is left to the child to report."""
    try:
        text = path.read_bytes()
    except OSError:
        return True
    return b"{{" in text or b"{%" in text


def _too_long(limits: TemplateLimits) -> tuple[str, str]:
    return f"it used the processor for more than {limits.seconds} seconds", "a loop may be too long, or endless"


def environment_variables() -> dict[str, str]:
    """What the child's Python needs to start, and nothing else."""
    found = {"PYTHONPATH": os.pathsep.join(str(Path(path).absolute()) for path in sys.path if path), "PYTHONUTF8": "1"}
    if "SYSTEMROOT" in os.environ:  # Windows: no socket and no random number without it
        found["SYSTEMROOT"] = os.environ["SYSTEMROOT"]
    return found


def _refusal(path: Path, done: subprocess.CompletedProcess[bytes], limits: TemplateLimits) -> InputError:
    """The failure as the child process reported it, or its exit status if it reported none."""
    last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
    try:
        reported = json.loads(last)
        file = Path(reported["file"]) if reported["file"] else path
        shown = path if real_path(file) == real_path(path) else file
        return _failed(shown, int(reported["line"]), reported["message"], reported["hint"])
    except (ValueError, TypeError, KeyError):
        if done.returncode == -_SIGXCPU:
            return _failed(path, 0, *_too_long(limits))
        return _failed(path, 0, f"rendering it was stopped (exit code {done.returncode})", _MEMORY_HINT)


_SIGXCPU = 24
_MEMORY_HINT = "it may need too much memory"


def _failed(path: Path, line: int, message: str, hint: str = "") -> InputError:
    """The problem at a line of a template, or (line 0) of the whole of it.

    A place on the first line is shown as the file alone, since its text is not at hand: the message names the line.
    """
    place = Place(shown_path(path), max(line, 1))
    return refusal(
        "template-error", place, ("line 1: " if line == 1 else "") + visible(message[:400]).rstrip("."), hint
    )


# --- Jinja2, in whichever process


@cache
def _environment_of_own(kind: Format) -> Environment:
    """The environment of the toolkit's own templates, each of which is compiled once in a process."""
    environment = _environment(kind, (TEMPLATES,), set())
    context_class: Any = environment.context_class
    own_class: Any = environment.__class__

    class Own(own_class):  # type: ignore[misc]
        def compile(self, source: Any, name: Any = None, filename: Any = None, *args: Any, **more: Any) -> Any:
            made = generated().get(name)
            if made is None or args or more:
                return super().compile(source, name, filename, *args, **more)
            return compile(made, filename, "exec")

    class OnDemand(context_class):  # type: ignore[misc]
        def resolve_or_missing(self, key: str) -> Any:
            found = super().resolve_or_missing(key)
            return found.context[found.key] if isinstance(found, _Variable) else found

    environment.context_class = OnDemand
    environment.__class__ = Own
    return environment


def generate(name: str, source: str) -> str:
    """Return the Python that Jinja makes of one of the toolkit's own templates."""
    return _environment(format_of(name), (TEMPLATES,), set()).compile(source, name, raw=True)


def _environment(kind: Format, folders: tuple[Path, ...], loaded: set[str]) -> Environment:
    """What templates of a kind are rendered in; `loaded` collects the files that they are made of."""
    import jinja2
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        loader=jinja2.FunctionLoader(partial(_source, folders, loaded)),
        undefined=jinja2.StrictUndefined,
        autoescape=kind == "html",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    del environment.globals["lipsum"]
    environment.filters["sha256"] = _sha256
    environment.filters["code"] = _CODE[kind]
    return environment


def _sha256(text: str) -> str:
    """The digest of a text as a Content-Security-Policy writes it (base64)."""
    import base64

    return base64.b64encode(hashlib.sha256(str(text).encode()).digest()).decode()


def _code_html(text: str) -> str:
    """Return text escaped for HTML, with text between backticks as code."""
    from markupsafe import Markup, escape

    return Markup(re.sub(r"`([^`\n]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped, then marked up


_CODE: Mapping[Format, Callable[[str], str]] = {"html": _code_html, "markdown": markdown_code, "text": str}


def _source(folders: tuple[Path, ...], loaded: set[str], name: str) -> tuple[str, str, Callable[[], bool]] | None:
    """A template's source and file: of the first of the folders that has it, links resolved."""
    if "\0" in name or (loaded and not _loadable(Path(name))):
        return None
    for folder in folders:
        path = real_path(folder / name)
        if path.is_relative_to(folder) and path.is_file() and path.stat().st_size <= LARGEST_TEMPLATE:
            loaded.add(str(path))
            return path.read_text(encoding="utf-8-sig"), str(path), lambda: True
    return None


def _loadable(path: Path) -> bool:
    """Whether a template may use a file of this name (the first one, which the user named, may have any)."""
    return path.suffix in LOADABLE and not any(part.startswith(".") for part in path.parts)


# --- the child process


def main(path: str, seconds: str, memory: str, output: str) -> None:
    """Renders one template: context as JSON on standard input, result on standard output, failure on standard error."""
    template = Path(path)
    loaded: set[str] = set()
    sys.excepthook = partial(_tell, loaded)
    _limit(int(seconds), int(memory))
    context = json.load(sys.stdin)
    pieces, size = [], 0
    environment = _environment(format_of(template.name), (template.parent, TEMPLATES), loaded)
    for piece in environment.get_template(template.name).generate(context):
        size += len(piece)
        if size > int(output):
            raise OverflowError(f"the result is larger than {int(output) // 1_000_000} MB")
        pieces.append(piece)
    sys.stdout.buffer.write("".join(pieces).encode())


def _limit(seconds: int, memory: int) -> None:
    """Limits this process where the system can."""
    if sys.platform == "win32":
        return
    import resource

    limits = {
        resource.RLIMIT_AS: (memory, memory),
        resource.RLIMIT_CPU: (seconds, seconds + 1),  # the first sends SIGXCPU, the second kills
        resource.RLIMIT_CORE: (0, 0),
    }
    for what, wanted in limits.items():
        _, hard = resource.getrlimit(what)
        soft, most = (each if hard == resource.RLIM_INFINITY else min(each, hard) for each in wanted)
        try:
            resource.setrlimit(what, (soft, most))
        except (ValueError, OSError):  # macOS has the name, but rejects a limit of the address space
            continue


def _tell(loaded: set[str], kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Writes what went wrong, and at which line of which template, as one line of JSON: the child's exception hook."""
    file, line = _origin(error, trace, loaded)
    message, hint = _explained(kind, error)
    reported = {"file": file, "line": line, "message": message, "hint": hint}
    sys.stderr.write("\n" + json.dumps(reported) + "\n")


def _origin(error: BaseException, trace: TracebackType | None, loaded: set[str]) -> tuple[str, int]:
    """The template's file and line that an error comes from."""
    line = getattr(error, "lineno", None)
    if line is not None:
        return str(getattr(error, "filename", None) or ""), int(line)
    found = ("", 0)
    while trace is not None:
        if trace.tb_frame.f_code.co_filename in loaded:
            found = (trace.tb_frame.f_code.co_filename, trace.tb_lineno)
        trace = trace.tb_next
    return found


def _explained(kind: type[BaseException], error: BaseException) -> tuple[str, str]:
    """An exception as message and hint."""
    import jinja2

    known: tuple[tuple[type[BaseException], str, str], ...] = (
        (MemoryError, "it needs too much memory", "a value may be too large"),
        (RecursionError, "it is nested too deeply", "it may include or call itself"),
        (jinja2.exceptions.SecurityError, str(error), "a template sees plain data only"),
        (jinja2.TemplateNotFound, f"there is no template {quoted(str(error))} for it", _FOLDERS),
        (jinja2.UndefinedError, str(error), "templates/report.md.j2 shows what a template can use"),
        (jinja2.TemplateError, str(error), ""),
        (OverflowError, str(error), ""),
        (BaseException, f"{kind.__name__}: {error}", ""),
    )
    return next((message, hint) for one, message, hint in known if issubclass(kind, one))


_FOLDERS = f"a template may use files in its folder and in templates/ ({', '.join(sorted(LOADABLE))})"


if __name__ == "__main__":
    main(*sys.argv[1:5])
