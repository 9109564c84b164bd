"""The values that a deployment gives a file's parameters: samconfig, JSON of parameters, an answer of describe-stacks.

Values are handed on with the line where each is and are never shown; a file that cannot be understood is an error,
since values that are not read would be treated as defaults.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from threatmodel.reading.problems import InputError, Place, listed, quoted, refusal
from threatmodel.stacks.assumed import Assumed, PlainValue
from threatmodel.stacks.cloudformation.described import Described, described, is_answer, stack_names

_PAIR = re.compile(r"""(?:ParameterKey=)?([A-Za-z0-9]+)(?:,ParameterValue)?=("(?:[^"\\]|\\.)*"|'[^']*'|[^\s"']*)""")
_USUAL = "default"
"""The environment of a samconfig that is deployed where none is named."""
_COMMANDS = ("deploy", "global")
"""The sections of samconfig that name parameters, the first that has them counts."""
_HINT = "name a samconfig.toml, parameters as `aws cloudformation deploy` takes them, or the answer of describe-stacks"


def given_values(text: str, file: str, environment: str = _USUAL) -> Assumed:
    """The values of a file of parameters; `environment` is the one of a samconfig that is deployed.

    Raises InputError where the file is neither a samconfig.toml nor JSON of parameters, or lacks the environment.
    """
    answer = description(text, file, environment)
    if answer is not None:
        places = {name: _place(name, text, file) for name in (*answer.values, *answer.withheld)}
        stated = {name: places[name] for name in answer.values}
        withheld = {name: places[name] for name in answer.withheld}
        return Assumed(values=answer.values, stated=stated, names={"": answer.name}, withheld=withheld)
    pairs = dict(_of_json(text, file) if file.endswith(".json") else _of_samconfig(text, file, environment))
    stack = "" if file.endswith(".json") else deployed(text, environment).get("stack", "")
    places = {name: _place(name, text, file) for name in pairs}
    return Assumed(values=pairs, stated=places, names={"": stack} if stack else {})


def description(text: str, file: str, stack: str = "") -> Described | None:
    """Return the stack that an answer of describe-stacks describes; None where a file is no such answer.

    Raises InputError where the answer does not have the stack, or has several and none is named.
    """
    raw = _answer(text, file)
    return described(raw, file, "" if stack == _USUAL else stack) if raw is not None else None


def described_stacks(text: str, file: str) -> Mapping[str, Place]:
    """Return the stacks in an answer of describe-stacks that no other one nests, with their places; none elsewhere."""
    raw = _answer(text, file)
    return {} if raw is None else {name: _place(name, text, file) for name in stack_names(raw)}


def _answer(text: str, file: str) -> Mapping[str, Any] | None:
    if not file.endswith(".json") or '"Stacks"' not in text:
        return None
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError):
        return None  # what reads parameters says what is wrong
    return raw if is_answer(raw) else None


def deployed(text: str, environment: str = _USUAL) -> Mapping[str, str]:
    """Return which `template` an environment of a samconfig deploys as which `stack`, and which `base_dir` it builds.

    What cannot be read has none of these; `given_values` says what is wrong.
    """
    section: Any = _toml(text).get(environment)
    found: dict[str, str] = {}
    for command in ("global", "build", "package", "deploy"):
        about = section.get(command) if isinstance(section, dict) else None
        parameters = about.get("parameters") if isinstance(about, dict) else None
        for name, value in parameters.items() if isinstance(parameters, dict) else ():
            key = _FILES.get(str(name))
            built = command == "deploy" and key == "template" and ".aws-sam" in str(value)
            if key is not None and isinstance(value, str) and not built:
                found[key] = value
    return found


def names(text: str) -> Sequence[str]:
    """Return the environments of a samconfig; none of what cannot be read."""
    return [name for name, section in _toml(text).items() if isinstance(section, dict)]


def _toml(text: str) -> Mapping[str, Any]:
    import tomllib  # few templates have a samconfig

    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        return {}


_FILES = {
    **dict.fromkeys(("template", "template_file", "t"), "template"),
    **dict.fromkeys(("base_dir", "s"), "base_dir"),
    "stack_name": "stack",
}
"""Options of the SAM CLI that say what is deployed."""


def _of_samconfig(text: str, file: str, environment: str) -> Iterator[tuple[str, PlainValue]]:
    import tomllib

    try:
        whole: Mapping[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _refused(file, f"this is no TOML: {error}") from None
    except RecursionError:
        raise _refused(file, "this is TOML nested too deeply to be read") from None
    except ValueError:
        raise _refused(file, "this is TOML with a number that cannot be read") from None
    section = whole.get(environment)
    if not isinstance(section, dict):
        known = [name for name, value in whole.items() if isinstance(value, dict)]
        raise _refused(file, f"there is no environment {quoted(environment)}", f"known: {listed(known) or 'none'}")
    for command in _COMMANDS:
        parameters = _section(_section(section, command, file), "parameters", file)
        overrides = parameters.get("parameter_overrides")
        if overrides is not None:
            yield from _overrides(overrides, file)
            return


def _section(around: Mapping[str, Any], name: str, file: str) -> Mapping[str, Any]:
    """A table of samconfig by its name; an empty one where it is left out."""
    found = around.get(name, {})
    if not isinstance(found, dict):
        raise _refused(file, f"{quoted(name)} is not a table")
    return found


def _overrides(overrides: object, file: str) -> Iterator[tuple[str, PlainValue]]:
    match overrides:
        case str():
            left = _PAIR.sub("", overrides).strip()
            if left:
                raise _refused(file, "parameter_overrides is not written as Name=value pairs")
            for found in _PAIR.finditer(overrides):
                yield found[1], _bare(found[2])
        case dict():
            yield from ((str(name), _plain(value, file)) for name, value in overrides.items())
        case list():
            for item in overrides:
                yield from _overrides(item, file)
        case _:
            raise _refused(file, "parameter_overrides is not written as Name=value pairs")


def _bare(value: str) -> str:
    if value[:1] in {'"', "'"}:
        return value[1:-1].replace('\\"', '"').replace("\\\\", "\\") if value[0] == '"' else value[1:-1]
    return value


def _of_json(text: str, file: str) -> Iterator[tuple[str, PlainValue]]:
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        raise _refused(file, "this is no JSON") from None
    if isinstance(whole, dict) and isinstance(whole.get("Parameters"), dict | list):
        whole = whole["Parameters"]
    if isinstance(whole, dict):
        yield from ((str(name), _plain(value, file)) for name, value in whole.items())
        return
    if not isinstance(whole, list):
        raise _refused(file, "this holds no parameters")
    for item in whole:
        if isinstance(item, str):
            yield from _overrides(item, file)
        elif isinstance(item, dict) and "ParameterKey" in item:
            if not item.get("UsePreviousValue"):  # what is there now is seen nowhere: it is not given
                yield str(item["ParameterKey"]), _plain(item.get("ParameterValue"), file)
        else:
            raise _refused(file, "an entry is no parameter: it has no ParameterKey")


def _plain(value: object, file: str) -> PlainValue:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(str(_plain(item, file)) for item in value)
    if isinstance(value, str | int | float):
        return value
    raise _refused(file, "a parameter has no text as its value")


def _place(name: str, text: str, file: str) -> Place:
    """The last line that names a parameter."""
    named = re.compile(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])")
    lines = [at for at, line in enumerate(text.splitlines(), 1) if named.search(line)]
    return Place(file, lines[-1] if lines else 1, 1)


def _refused(file: str, message: str, hint: str = _HINT) -> InputError:
    return refusal("wrong-parameters", file, message, hint)
