"""A saved result, and a new run of the same handler: a result is a file, and could have been written by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from threatmodel.probe.command import ProbeOptions
from threatmodel.probe.events import SHAPES
from threatmodel.probe.kinds import KINDS
from threatmodel.probe.result import Result
from threatmodel.reading.files import Files, shown_path
from threatmodel.reading.problems import InputError, Place, Problem, listed, quoted, refusal
from threatmodel.reading.project import real_path

_MOST = 5


def again(saved: Result, folder: Path, files: Files, place: Place) -> ProbeOptions:
    """The options of a run that repeats a saved one, isolated for every user.

    Raises InputError where it had an option whose value a result does not keep, or names a file outside the repository.
    """
    given = saved.options
    if lost := [f"--{name}" for name in ("env", "body", "header", "query") if name in given]:
        hint = "give variables in a file with --env-file; what else it needs is probed by hand"
        raise _unrepeatable(f"it was made with {listed(lost)}, which a result does not keep", hint, place)
    strange = [name for name in ("kind", "form") if {*given.get(name, ())} - {*KINDS, *SHAPES}]
    if strange:
        unknown = listed(f"--{name} {' '.join(given[name])}" for name in strange)
        raise _unrepeatable(f"it was made with {unknown}, which is no value of that option", "probe again", place)
    name = saved.target.rpartition(":")[2] if saved.target.rpartition(":")[1] else ""
    one = {key: values[0] for key, values in given.items() if values}
    handler, by = saved.handler_in(real_path(folder)), real_path(folder) / "file"
    return ProbeOptions(
        target=f"{handler}:{name}" if name else str(handler),
        secret_env=one.get("secret-env", ""),
        variables_file=files.named(one["env-file"], by, place) if "env-file" in one else None,
        kind=one.get("kind", ""),
        path=one.get("path", ""),
        shape=one.get("form", ""),
        packages=[files.named(folder, by, place) for folder in given.get("packages", ())],
        provide=given.get("provide", ()),
        tables=files.named(one["table"], by, place) if "table" in one else None,
        folder=real_path(folder) if "below" in one else None,
        isolated=True,
    )


def differences(saved: Result, found: Result) -> Iterator[str]:
    """What a new run shows otherwise than the saved result, the facts first; none where it is the same run."""
    before, now = saved.decided, found.decided
    for fact in sorted(before.keys() | now.keys()):
        if before.get(fact) != now.get(fact) or (fact in before) != (fact in now):
            yield f"{fact} is {_shown(before, fact)} in the saved result and {_shown(now, fact)} now"
    rows = {row.probe: row.outcome for row in found.rows}
    other = [row.probe for row in saved.rows if rows.get(row.probe) != row.outcome]
    other += [name for name in rows if name not in {row.probe for row in saved.rows}]
    if other:
        outcome = "probe has" if len(other) == 1 else "probes have"
        yield f"{len(other)} {outcome} another outcome: {listed(other, _MOST)}"
    for name in ("folder_sha256", "files", "variables", "secret_variable", "shown_for", "calls_seen", "shape"):
        if getattr(saved, name) != getattr(found, name):
            yield f"'{name}' is another one"


def _shown(facts: Mapping[str, object], fact: str) -> str:
    if fact not in facts:
        return "undecided"
    value = facts[fact]
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _unrepeatable(message: str, hint: str, place: Place) -> InputError:
    return refusal("cannot-probe", place, message, hint)


def not_named(place: Place, revision: str) -> Problem:
    """The problem of a result that the base revision's model does not name: its handler is not run."""
    message = f"the model of {quoted(revision)} does not name this result, or names another handler; it was not run"
    hint = "review the handler, and probe it by hand; it is run again once the base revision names it"
    return Problem(code="cannot-probe", place=Place(shown_path(Path(place.file))), message=message, hint=hint)
