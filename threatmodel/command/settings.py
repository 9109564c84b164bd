"""What holds for a run, and where it comes from: the command line, the environment, the configuration, the defaults.

The first of these that states a setting decides.
"""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from threatmodel.reading.files import Files
from threatmodel.reading.problems import InputError, Place, Problem, listed, quoted

if TYPE_CHECKING:
    from threatmodel.assessment.gate.results import Rules
    from threatmodel.command.config_file import Config
    from threatmodel.model.system import Exclusion


FORMS = ("text", "json", "sarif", "github", "gitlab", "markdown", "junit")
"""The formats of a check."""


class FormAsked(NamedTuple):
    """A format by its name; for text also the width, whether color is used, and whether only what fails is shown."""

    name: str
    width: int = 80
    color: bool = False
    quiet: bool = False


BANDS = ("low", "medium", "high", "critical")
DEFAULT_BAND = "high"
"""The lowest band that fails where nothing else is stated."""
OWN = ".threatmodel.toml"
SHARED = "pyproject.toml"
_TABLE = (
    r"""(?m)^[ \t]*(?:\[{1,2}[ \t]*(["']?)tool\1[ \t]*\.[ \t]*(["']?)threatmodel\2[ \t]*[].]"""
    r"""|(?:tool[ \t]*\.[ \t]*)?(["']?)threatmodel\3[ \t]*[.=])"""
)
"""What a pyproject.toml with a configuration has: no other one is parsed."""


class Setting(NamedTuple):
    """A setting: its key in the configuration, its name in the arguments, and how the environment's text is read."""

    key: str
    dest: str
    read: Callable[[str], Any]
    default: Any = None
    gate: bool = True

    @property
    def variable(self) -> str:
        """Return the environment variable that states it."""
        return f"TM_{self.key.replace('-', '_').upper()}"


class Held(NamedTuple):
    """The value of a setting, and where it comes from."""

    value: Any
    origin: str
    place: Place | None = None


def _paths(text: str) -> tuple[Path, ...]:
    return tuple(Path(one) for one in text.split(os.pathsep) if one)


def _band(text: str) -> str:
    if text not in BANDS:
        raise ValueError(f"one of {listed(BANDS)}")
    return text


def _flag(text: str) -> bool:
    if text.lower() not in {"true", "false", "1", "0"}:
        raise ValueError("true or false")
    return text.lower() in {"true", "1"}


SETTINGS = (
    Setting("models", "models", _paths, (), gate=False),
    Setting("library", "library", _paths, (), gate=False),
    Setting("policy", "policy", Path),
    Setting("baseline", "baseline", Path),
    Setting("fail-on", "fail_on", _band, DEFAULT_BAND),
    Setting("require-proof", "require_proof", _flag, default=False),
    Setting("strict", "strict", _flag, default=False),
    Setting("ignore-acceptances", "ignore_acceptances", _flag, default=False),
    Setting("allow-undetermined", "allow_undetermined", _flag, default=False),
    Setting("report-only", "report_only", _flag, default=False),
)
"""The settings in the order of `tm config`, apart from the formats and exclusions, which only a configuration has."""


class Settings(NamedTuple):
    """The settings of a run, by key, with the configuration's further outputs and exclusions."""

    held: Mapping[str, Held]
    config: Config | None = None

    @property
    def exclusions(self) -> tuple[Exclusion, ...]:
        """Return the threats that the configuration leaves out."""
        return self.config.exclusions if self.config is not None else ()

    @property
    def formats(self) -> tuple[tuple[str, Path], ...]:
        """Return the further outputs of a check."""
        return self.config.values.get("formats", ((),))[0] if self.config is not None else ()

    def of(self, key: str) -> Any:
        """Return the value of a setting."""
        return self.held[key].value


NONE = Settings({one.key: Held(one.default, "default") for one in SETTINGS})
"""The settings of a command that reads no model."""


def settled(args: argparse.Namespace, files: Files, here: Path) -> Settings:
    """Return the settings of a run, and enter those of a check in its arguments.

    Raises InputError with every problem of the configuration and the environment.
    """
    problems: list[Problem] = []
    config = None
    try:
        config = configuration(files, here)
    except InputError as error:
        problems += error.problems
    held = {one.key: _held(one, args, config, problems) for one in SETTINGS}
    if problems:
        raise InputError(problems)
    for one in SETTINGS:
        if one.gate and hasattr(args, "fail_on") and hasattr(args, one.dest):  # a check's, and not a report's baseline
            setattr(args, one.dest, held[one.key].value)
    return Settings(held, config)


def configuration(files: Files, here: Path) -> Config | None:
    """Return the configuration of a folder; its reader is imported only where there may be one.

    Raises InputError with every problem.
    """
    from threatmodel.reading.project import upwards

    for folder in upwards(here):
        if os.path.lexists(folder / OWN) or may_configure(files, folder / SHARED):
            from threatmodel.command.config_file import found_config

            return found_config(files, here)
    return None


def may_configure(files: Files, shared: Path) -> bool:
    """Return whether a pyproject.toml may hold a configuration."""
    if not files.has(shared):
        return False
    try:
        text = files.text(shared)
    except InputError:  # what is wrong with it concerns other programs, unless it has a configuration
        return b"threatmodel" in shared.read_bytes()
    return "threatmodel" in text and re.search(_TABLE, text) is not None


def _held(one: Setting, args: argparse.Namespace, config: Config | None, problems: list[Problem]) -> Held:
    given = getattr(args, one.dest, None) or (getattr(args, "model", None) if one.key == "models" else None)
    if given:
        value = (given,) if isinstance(given, Path) and one.key == "models" else given
        return Held(value, "command line")
    text = os.environ.get(one.variable, "")
    if text:
        try:
            return Held(one.read(text), one.variable)
        except ValueError as error:
            message = f"{quoted(text)} is not understood; expected {error}"
            hint = "correct the variable, or unset it"
            problems.append(Problem(code="unknown-word", place=Place(one.variable, 0), message=message, hint=hint))
    if config is not None and one.key in config.values:
        value, place = config.values[one.key]
        return Held(value, str(place), place)
    return Held(one.default, "default")


def against_policy(settings: Settings, policy: Rules, path: Path) -> Iterator[Problem]:
    """Yield a problem for each setting of the configuration that a policy does not allow."""
    held = settings.held["fail-on"]
    if held.place is not None and BANDS.index(held.value) > BANDS.index(policy.fail_on):
        message = f"'fail-on' is '{held.value}', but the policy {path} fails from '{policy.fail_on}'"
        hint = f"remove it, or state '{policy.fail_on}' or a lower band"
        yield Problem(code="contradicting-setting", place=held.place, message=message, hint=hint)
    for one in settings.exclusions:
        if policy.ignore_acceptances:
            message = f"the policy {path} ignores acceptances, so that no threat can be excluded"
            yield Problem(code="contradicting-setting", place=one.place, message=message, hint="remove the exclusion")
        elif policy.acceptors and one.owner not in policy.acceptors:
            message = f"{quoted(one.owner)} may accept nothing by the policy {path}"
            hint = f"let one of {listed(policy.acceptors)} decide"
            yield Problem(code="contradicting-setting", place=one.place, message=message, hint=hint)
