"""`tm completion`: the shell completes options, commands and ids; the only module that imports argcomplete."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from threatmodel.command.arguments import Gather, Parser
from threatmodel.command.request import Invocation
from threatmodel.command.settings import settled
from threatmodel.model.vocabulary import KINDS
from threatmodel.reading.files import Files
from threatmodel.reading.home import CONTENT
from threatmodel.reading.problems import InputError, Place, refusal

DESCRIPTION = """\
Print the script with which a shell completes the arguments of `tm`. In ~/.bashrc: eval "$(tm completion bash)".
"""

SHELLS = ("bash", "zsh", "fish", "powershell")


def options(parser: Parser) -> None:
    """Declare the command's options."""
    parser.add_argument("shell", choices=SHELLS, help="the shell to print the script for")


def run(request: Invocation) -> int:
    """Print the script for a shell."""
    try:
        from argcomplete.shell_integration import shellcode
    except ModuleNotFoundError:
        place, message = Place("completion"), "the package 'argcomplete' is missing"
        raise refusal("missing-package", place, message, "install it with pip install argcomplete") from None
    shell = request.args.shell
    return request.print(shellcode(["tm", "tm.py"], shell=shell) + "\n")


def complete(parser: Parser) -> int:
    """Print the completions for the shell; return the exit code, 1 where argcomplete is missing."""
    try:
        import argcomplete
        from argcomplete.finders import safe_actions
    except ModuleNotFoundError:
        return 1
    safe_actions.add(Gather)  # the values of `--library` that are typed already are used
    for words, action in _actions(parser):
        known = _KNOWN.get((words, action.dest)) or _KNOWN.get(("", action.dest))
        if known is not None and action.choices is None:
            action.completer = _completer(known)  # type: ignore[attr-defined] # argcomplete reads it there
    argcomplete.autocomplete(parser, always_complete_options="long")
    return 0


def _actions(parser: argparse.ArgumentParser, words: str = "") -> Iterator[tuple[str, argparse.Action]]:
    """Yield the options of a parser and of its commands, each with the words of its command."""
    for action in parser._actions:  # noqa: SLF001 - argparse has no public interface for it
        yield words, action
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - the same
            for name, command in action.choices.items():
                yield from _actions(command, f"{words} {name}".strip())


def _completer(known: Callable[[Invocation], Iterable[str]]) -> Callable[..., Sequence[str]]:
    """Return a function for argcomplete: the ids that fit, after those that are typed already and a comma."""

    def completer(prefix: str, parsed_args: argparse.Namespace, **_: object) -> Sequence[str]:
        before, comma, _name = prefix.rpartition(",")
        try:
            files = Files(CONTENT)
            request = Invocation(parsed_args, files, _misused, settled(parsed_args, files, Path.cwd()))
            if known is _entries and "@" in prefix:  # a finding: only then is the model assessed
                return list(_findings(request))
            return [f"{before}{comma}{name}" for name in known(request)]
        except InputError:  # the command itself reports the errors
            return []

    return completer


def _misused(_message: str) -> NoReturn:
    raise InputError([])


def _threats(request: Invocation) -> Iterable[str]:
    return request.library().threats


def _controls(request: Invocation) -> Iterable[str]:
    return request.library().controls


def _entries(request: Invocation) -> Iterable[str]:
    return [*_threats(request), *_controls(request)]


def _elements(request: Invocation) -> Iterable[str]:
    return request.graph().elements


def _functions(request: Invocation) -> Iterable[str]:
    return [name for name, element in request.graph().elements.items() if element.kind == "function"]


def _findings(request: Invocation) -> Iterable[str]:
    return [finding.id for finding in request.assessment().findings]


def _answers(request: Invocation) -> Iterable[str]:
    """Yield CONTROL@ELEMENT for each control that a finding has."""
    found = {f"{one.state.control}@{one.state.element}" for f in request.assessment().findings for one in f.answers}
    return sorted(found)


_KNOWN: Mapping[tuple[str, str], Callable[[Invocation], Iterable[str]]] = {
    ("", "describe"): lambda _: KINDS,
    ("", "exclude"): _threats,
    ("", "focus"): _elements,
    ("accept", "finding"): _findings,
    ("check", "with"): _answers,
    ("check", "without"): _answers,
    ("explain", "id"): _entries,
    ("reach", "element"): _elements,
    ("new control", "threat"): _threats,
    ("new handler", "id"): _functions,
}
"""The completed options, by the words of the command and the option's name; no words: every command."""
