"""What the options of several commands share: types of values, and usage errors in the format of this program."""

from __future__ import annotations

import argparse
import datetime
import re
import shlex
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from threatmodel.reading.home import PROGRAM
from threatmodel.reading.output import columns, complain
from threatmodel.reading.problems import listed, quoted, suggestion, visible

_BAND = "use --fail-on low, medium, high or critical"
_EXCLUDE = "use 'tm accept FINDING' for a finding, or --exclude IDS for threats"
_REPORT_ONLY = "use --report-only, which ends with exit code 0 even if the check fails"
_FORMAT = "use --format FORMAT -o FILE (text, json, sarif, github, gitlab, markdown, junit)"
_NAMED = "name the model, which names its files, or import the files with 'tm import'"

FOREIGN = {
    **dict.fromkeys(("--severity", "--min-severity", "--minimum-severity", "--severity-threshold"), _BAND),
    **dict.fromkeys(("--fail-level", "--failure-threshold", "--audit-level", "--level", "--error-on"), _BAND),
    **dict.fromkeys(
        ("--skip-check", "--skip-checks", "--skip", "--skip-rule", "--ignore", "--ignore-checks"), _EXCLUDE
    ),
    **dict.fromkeys(("--exclude-rule", "--disable", "--ignorefile", "--suppress"), _EXCLUDE),
    **dict.fromkeys(("--exit-code", "--soft-fail", "--no-fail", "--exit-zero", "--no-exit-code"), _REPORT_ONLY),
    **dict.fromkeys(("--soft-fail-on", "--hard-fail-on"), _BAND),
    **dict.fromkeys(("--output-format", "-f", "--fmt"), _FORMAT),
    **dict.fromkeys(("--sarif", "--junit", "--junit-xml", "--markdown"), _FORMAT),
    **dict.fromkeys(("--output-file", "--output-file-path", "--out"), "use -o FILE"),
    **dict.fromkeys(("--directory", "-d", "--file", "--template", "-t", "--scan"), _NAMED),
    **dict.fromkeys(("--config-file", "--config", "-c"), "the configuration is found; 'tm config' prints it"),
    **dict.fromkeys(("--silent", "--no-progress", "--compact"), "use --quiet, which prints only what fails"),
    **dict.fromkeys(("--list-checks", "--list-rules"), "use --list, which lists every threat"),
    "--baseline-file": "use --baseline FILE",
    "--create-baseline": "use --baseline FILE --write-baseline",
    "--no-color": "set the environment variable NO_COLOR=1",
    "--no-colour": "set the environment variable NO_COLOR=1",
    "--debug": "set the environment variable TM_DEBUG=1",
    "--fix": "nothing is fixed automatically; 'tm explain ID' prints how to fix it",
}
"""Each such option with the answer."""

FORMATS = {"table": "text", "cli": "text", "human": "text", "plain": "text", "junitxml": "junit", "junit-xml": "junit"}
FORMATS |= {"md": "markdown", "github_failed_only": "github", "gitlab-codequality": "gitlab", "codeclimate": "gitlab"}
"""Formats of other scanners, each with its name here."""


QUIET = argparse.SUPPRESS
"""The default of an option that is allowed before and after the command: an absent one overwrites nothing."""


_MODEL = r"[^']*\.ya?ml"
_MISPLACED = re.compile(
    rf"\Aargument (?:(-[^:]*)|[A-Z]+): invalid choice: '({_MODEL})' |\Aunrecognized arguments: ({_MODEL})\Z"
)
"""Complaints of argparse about what has the ending of a model and is where none can be."""


READS_NO_MODEL = frozenset(("completion", "docs", "import", "init", "migrate", "schema"))
"""The commands for which `-m` is no use."""


def named_with(model: str) -> str:
    """Return what to write in order to name a model, for a hint."""
    return f"to name the model: -m {visible(shlex.quote(model))}"


class Parser(argparse.ArgumentParser):
    """A parser with this program's usage errors, which suggest a name; `--library` collects folders in one list.

    `named` is the command that was named, once that is known.
    """

    def __init__(self, *args: Any, libraries: list[Path] | None = None, **kwargs: Any) -> None:
        # argparse makes a formatter for each option, which asks for the width where it has none
        kwargs["formatter_class"] = partial(kwargs.get("formatter_class", argparse.HelpFormatter), width=columns() - 2)
        super().__init__(*args, **kwargs)
        self.libraries: list[Path] = [] if libraries is None else libraries
        self.named = ""

    def error(self, message: str) -> NoReturn:
        """Print one line and exit with code 2."""
        options = [option for action in self._actions for option in action.option_strings]
        commands = [name for action in self._actions for name in action.choices or ()]
        wrong = message.rpartition(": ")[2].lstrip().partition(" ")[0].strip("',") if ": " in message else ""
        known = options if wrong.startswith("-") else commands
        hint = suggestion(wrong, known) if wrong and wrong not in known else ""
        hint = _foreign(wrong, options) or hint
        misplaced = _MISPLACED.search(message)
        if misplaced and "-m" in options:
            option, refused, unknown = misplaced.groups()
            what = f"a value of {option}" if option else "an argument of this command" if unknown else "a command"
            message = f"{quoted(refused or unknown)} is not {what}"
            hint = "" if self.named in READS_NO_MODEL else named_with(refused or unknown)
        complain(f"{PROGRAM}: usage: {visible(message)}{'; ' + hint if hint else ''} (see {PROGRAM} --help)\n")
        raise SystemExit(2)


def _foreign(wrong: str, options: Sequence[str]) -> str:
    """Return the answer to an option or a format of another scanner; '' for any other word."""
    name = wrong.partition("=")[0]
    if name in FORMATS and "--format" in options:
        return f"did you mean '{FORMATS[name]}'?"
    return FOREIGN.get(name, "")


def common(found: Parser, where: str = "FILE", written: str = "the output file (default: standard output)") -> None:
    """Declare the options of all commands that assess a model; `where` and `written` describe `-o`."""
    model(found)
    found.add_argument("-o", "--output", type=text, default=QUIET, metavar=where, help=written)
    force(found)
    library(found)
    looking(found)


def picture_options(found: Parser | argparse._ArgumentGroup) -> None:
    """Declare the options of diagrams that commands share."""
    found.add_argument(
        "--view",
        choices=("runtime", "deployment", "identity", "all"),
        default="runtime",
        help="which part of the system a diagram shows (default: runtime)",
    )
    found.add_argument(
        "--fit",
        choices=("a4", "screen", "phone"),
        help="lay a diagram out for a page or a screen (default: a4 for FILE.pdf, screen for .svg and .png)",
    )


def force(found: Parser) -> None:
    """Declare the option that lets an output replace any file."""
    found.add_argument(
        "--force", action="store_true", default=QUIET, help="replace a file that is not an output of an earlier run"
    )


def looking(found: Parser) -> None:
    """Declare the options for excluded threats and the date of the assessment."""
    found.add_argument(
        "--exclude",
        default=QUIET,
        metavar="IDS",
        help="ids of threats to leave out, separated by commas; the report lists them",
    )
    found.add_argument(
        "--today", type=day, default=QUIET, metavar="DATE", help="assess as of this date (default: today)"
    )
    found.add_argument(
        "--work",
        type=operations,
        default=QUIET,
        metavar="N",
        help="the most operations to spend on files of evidence (default: 100000); the rest is unknown",
    )


def model(found: Parser) -> None:
    """Declare the option that names the model."""
    found.add_argument(
        "-m",
        "--model",
        type=path,
        default=QUIET,
        metavar="FILE",
        help="the model (default: threatmodel.yaml in this repository, or the only file in its models/)",
    )


def library(found: Parser) -> None:
    """Declare the option that names libraries; it is allowed before the command, after it, or both."""
    found.add_argument(
        "--library",
        action=Gather,
        into=found.libraries,
        type=path,
        default=QUIET,
        metavar="FOLDER",
        help="a library of your team, which adds, replaces or switches off entries of threatlib/; can be repeated",
    )


class Gather(argparse.Action):
    """Collects the values before and after a command in one list: argparse would drop those before it."""

    def __init__(self, into: list[Path], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._into = into

    def __call__(
        self,
        parser: object,  # noqa: ARG002 - argparse passes it
        namespace: argparse.Namespace,
        values: Any,
        option_string: object = None,  # noqa: ARG002 - the same; argcomplete calls it by this name
    ) -> None:
        """Add one value."""
        self._into.append(values)
        setattr(namespace, self.dest, self._into)


# --- kinds of value


def names(text: str) -> list[str]:
    """Return the names in a value, where commas separate them."""
    return [name.strip() for name in text.split(",") if name.strip()]


def text(value: str) -> str:
    """Return a value that is not empty."""
    if not value:
        raise argparse.ArgumentTypeError("the value is empty; give one")
    return value


def path(value: str) -> Path:
    """Return a path."""
    return Path(text(value))


def day(value: str) -> datetime.date:
    """Return a date."""
    try:
        return datetime.date.fromisoformat(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{value[:40]}' is not a date such as 2027-03-31") from None


def operations(value: str) -> int:
    """A number of operations, at least one."""
    if not (value.isascii() and value.isdecimal() and len(value) <= _LONGEST and int(value)):
        raise argparse.ArgumentTypeError(f"'{value[:40]}' is not a number of operations such as 100000")
    return int(value)


_LONGEST = 12
"""Digits of a number of operations."""


def one_of(word: str, words: Sequence[str]) -> str:
    """Return one of the words that an option takes; the module that lists them is imported only when it is used."""
    if word not in words:
        hint = suggestion(word, words) or f"expected one of {listed(words)}"
        raise argparse.ArgumentTypeError(f"there is no {quoted(word)}; {hint}")
    return word
