"""What the options of several commands share: their kinds of value, and usage errors in our form."""

from __future__ import annotations

import argparse
import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from threatmodel.reading.home import PROGRAM
from threatmodel.reading.output import complain
from threatmodel.reading.problems import listed, quoted, suggestion, visible

QUIET = argparse.SUPPRESS
"""The default of an option that may stand before the command or behind it: what is not given overwrites nothing."""


class Parser(argparse.ArgumentParser):
    """Usage errors in our form, with a suggestion; the folders of `--library` gather in one list."""

    def __init__(self, *args: Any, libraries: list[Path] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.libraries: list[Path] = [] if libraries is None else libraries

    def error(self, message: str) -> NoReturn:
        """One line, exit code 2."""
        options = [option for action in self._actions for option in action.option_strings]
        commands = [name for action in self._actions for name in action.choices or ()]
        wrong = message.rpartition(": ")[2].lstrip().partition(" ")[0].strip("',") if ": " in message else ""
        known = options if wrong.startswith("-") else commands
        hint = suggestion(wrong, known) if wrong and wrong not in known else ""
        complain(f"{PROGRAM}: usage: {visible(message)}{'; ' + hint if hint else ''} (see {PROGRAM} --help)\n")
        raise SystemExit(2)


def common(found: Parser, where: str = "FILE", written: str = "write there instead of standard output") -> None:
    """The options of whatever assesses a model; `where` and `written` say what `-o` takes."""
    model(found)
    found.add_argument("-o", "--output", type=text, default=QUIET, metavar=where, help=written)
    force(found)
    library(found)
    looking(found)


def force(found: Parser) -> None:
    """The option that has an output replace what is not known as one."""
    found.add_argument(
        "--force", action="store_true", default=QUIET, help="replace a file that is no output of an earlier run"
    )


def looking(found: Parser) -> None:
    """The options that say what is looked for, and as of when."""
    found.add_argument(
        "--exclude",
        default=QUIET,
        metavar="IDS",
        help="threats not to look for, separated by commas; the report says so",
    )
    found.add_argument(
        "--today", type=day, default=QUIET, metavar="DATE", help="assess as of this day (default: today)"
    )


def model(found: Parser) -> None:
    """The option that names the model."""
    found.add_argument(
        "-m",
        "--model",
        type=path,
        default=QUIET,
        metavar="FILE",
        help="the model (default: threatmodel.yaml, or the one in models/, of the repository that you stand in)",
    )


def library(found: Parser) -> None:
    """The option that names libraries; it may stand before the command, behind it, or both."""
    found.add_argument(
        "--library",
        action=Gather,
        into=found.libraries,
        type=path,
        default=QUIET,
        metavar="FOLDER",
        help="a library of your own on top of threatlib/: adds, replaces, switches off; may be given more than once",
    )


class Gather(argparse.Action):
    """Gathers values given before and behind a command in one list: argparse would forget those before it."""

    def __init__(self, into: list[Path], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._into = into

    def __call__(
        self,
        parser: object,  # noqa: ARG002 - what argparse hands over
        namespace: argparse.Namespace,
        values: Any,
        option_string: object = None,  # noqa: ARG002 - the same; argcomplete calls it by this name
    ) -> None:
        """Adds one value."""
        self._into.append(values)
        setattr(namespace, self.dest, self._into)


# --- kinds of value


def names(text: str) -> list[str]:
    """The names in a value that holds several, separated by commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


def text(value: str) -> str:
    """A text that is not empty."""
    if not value:
        raise argparse.ArgumentTypeError("expected a value, not an empty text")
    return value


def path(value: str) -> Path:
    """A path."""
    return Path(text(value))


def day(value: str) -> datetime.date:
    """A date."""
    try:
        return datetime.date.fromisoformat(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{value[:40]}' is not a date such as 2027-03-31") from None


def one_of(word: str, words: Sequence[str]) -> str:
    """One of a few words that only this option needs: what knows them is imported with it."""
    if word not in words:
        hint = suggestion(word, words) or f"expected one of {listed(words)}"
        raise argparse.ArgumentTypeError(f"there is no {quoted(word)}; {hint}")
    return word
