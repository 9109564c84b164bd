"""`tm completion`: options, commands and ids, completed by the shell; the only module that imports argcomplete."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NoReturn

from threatmodel.command.arguments import Gather, Parser
from threatmodel.command.request import Invocation
from threatmodel.model.vocabulary import KINDS
from threatmodel.reading.files import Files
from threatmodel.reading.home import CONTENT
from threatmodel.reading.problems import InputError, Place, Problem

DESCRIPTION = """\
Prints what makes a shell complete what you type after `tm`. For example, in ~/.bashrc: eval "$(tm completion bash)"."""

SHELLS = ("bash", "zsh", "fish", "powershell")


def options(parser: Parser) -> None:
    """Declares its options."""
    parser.add_argument("shell", choices=SHELLS, help="the shell that reads it")


def run(request: Invocation) -> int:
    """Prints the shell's part."""
    try:
        from argcomplete.shell_integration import shellcode
    except ModuleNotFoundError:
        place, message = Place("completion"), "the package 'argcomplete' is missing"
        hint = "pip install argcomplete, or install threatmodel[completion]"
        raise InputError([Problem(code="missing-package", place=place, message=message, hint=hint)]) from None
    shell = request.args.shell
    return request.print(shellcode(["tm", "tm.py"], shell=shell) + "\n")


def complete(parser: Parser) -> int:
    """Tells the shell what could stand next; returns the exit code, 1 where nobody can say."""
    try:
        import argcomplete
        from argcomplete.finders import safe_actions
    except ModuleNotFoundError:
        return 1
    safe_actions.add(Gather)  # what was typed of `--library` counts
    for words, action in _actions(parser):
        known = _KNOWN.get((words, action.dest)) or _KNOWN.get(("", action.dest))
        if known is not None and action.choices is None:
            action.completer = _completer(known)  # type: ignore[attr-defined] # where argcomplete looks for it
    argcomplete.autocomplete(parser, always_complete_options="long")
    return 0


def _actions(parser: argparse.ArgumentParser, words: str = "") -> Iterator[tuple[str, argparse.Action]]:
    """The options of a parser and of its commands, each behind the words that lead to it."""
    for action in parser._actions:  # noqa: SLF001 - argparse has no other way to ask
        yield words, action
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - the same
            for name, command in action.choices.items():
                yield from _actions(command, f"{words} {name}".strip())


def _completer(known: Callable[[Invocation], Iterable[str]]) -> Callable[..., Sequence[str]]:
    """What argcomplete asks: the ids that may stand there, behind those that stand there and a comma."""

    def completer(prefix: str, parsed_args: argparse.Namespace, **_: object) -> Sequence[str]:
        before, comma, _name = prefix.rpartition(",")
        try:
            request = Invocation(parsed_args, Files(CONTENT), _misused)
            return [f"{before}{comma}{name}" for name in known(request)]
        except InputError:  # said in full when the command runs
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


_KNOWN: Mapping[tuple[str, str], Callable[[Invocation], Iterable[str]]] = {
    ("", "describe"): lambda _: KINDS,
    ("", "exclude"): _threats,
    ("", "focus"): _elements,
    ("explain", "id"): _entries,
    ("new control", "threat"): _threats,
    ("new handler", "id"): _functions,
}
"""What is completed, by the words before it and its name; no words: wherever it may stand."""
