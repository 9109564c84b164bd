"""What `tm.py probe` was asked for, to a result."""

from __future__ import annotations

import datetime
import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from threatmodel import __version__
from threatmodel.probe.asked_for import variables_asked_for
from threatmodel.probe.bodies import UnknownBodyError, parse
from threatmodel.probe.folder import RESULT, folder_digest
from threatmodel.probe.hints import hints_of
from threatmodel.probe.made_up import signing_secret_of
from threatmodel.probe.outside import outside
from threatmodel.probe.probing import Options, fingerprints, hidden_in, probe
from threatmodel.probe.protocol import Runner
from threatmodel.probe.requests import SECRET, Genuine
from threatmodel.probe.result import Result
from threatmodel.probe.runners.added import Added
from threatmodel.probe.runners.confinement.measures import MEASURES, WEIGHTY, Measure, described
from threatmodel.probe.runners.dependencies import mapped_near
from threatmodel.probe.runners.dynamodb import Tables
from threatmodel.probe.runners.lambdas import LambdaRunner
from threatmodel.probe.runners.target import handler_file, runner_for
from threatmodel.probe.seen import Coverage
from threatmodel.probe.variables import NAME, variable, variables
from threatmodel.reading.files import Files, shown_path
from threatmodel.reading.problems import InputError, Place, listed, quoted, refusal
from threatmodel.reading.project import real_path
from threatmodel.reading.values import dataclass, replace

SECRET_ENV = "SLACK_SIGNING_SECRET"  # noqa: S105 - the name of a variable


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeOptions:
    """The options of the command, as given.

    `secret_env` is the variable that holds the signing secret ('': by its name), `variables` are NAME=VALUE, `body` the
    form of a genuine request ('' for Slack's example), `packages` folders with the handler's dependencies, `provide`
    packages to be stubbed, `allow_remote` hosts beside this machine, `unconfined` that root may run it where not every
    measure against it holds, `isolated` that no user may.  `headers` and `query` are NAME=VALUE for every request.
    `tables` is a file with items of DynamoDB's tables, `folder` what is deployed if not the file's own folder.
    `progress` is called with each number of requests that is about to be sent.
    """

    target: str
    secret_env: str
    variables: Sequence[str] = ()
    variables_file: Path | None = None
    body: str = ""
    kind: str = ""
    path: str = ""
    shape: str = ""
    packages: Sequence[Path] = ()
    provide: Sequence[str] = ()
    allow_remote: Sequence[str] = ()
    unconfined: bool = False
    isolated: bool = False
    headers: Sequence[str] = ()
    query: Sequence[str] = ()
    tables: Path | None = None
    folder: Path | None = None
    progress: Callable[[int], None] = lambda _: None

    def kept(self, folder: Path, file: Path) -> dict[str, tuple[str, ...]]:
        """What makes a run another one, as a result keeps it: paths from the deployed folder, and no secret."""
        found = {
            "below": () if self.folder is None else (_from(folder, file.parent),),
            "env-file": () if self.variables_file is None else (_from(folder, self.variables_file),),
            "secret-env": filter(None, (self.secret_env,)),
            "kind": filter(None, (self.kind,)),
            "path": filter(None, (self.path,)),
            "form": filter(None, (self.shape,)),
            "packages": [_from(folder, one) for one in self.packages],
            "provide": self.provide,
            "table": () if self.tables is None else (_from(folder, self.tables),),
        }
        unkept = {"env": self.variables, "body": self.body, "header": self.headers, "query": self.query}
        kept = {name: tuple(values) for name, values in found.items()}
        return {name: values for name, values in kept.items() if values} | {one: () for one in unkept if unkept[one]}


def before(asked: ProbeOptions, files: Files, now: datetime.datetime) -> Result:
    """A result that shows nothing yet: the target and the variables that a run with these options has."""
    file = handler_file(asked.target)
    given = _variables(asked, files)
    secret = asked.secret_env or _secret_variable(file, files, asked.folder)
    genuine = Genuine()
    return Result(
        target=asked.target,
        kind=_kind(file),
        folder_sha256="",
        when=now,
        version=__version__,
        shape="",
        sees_effects=True,
        variables=fingerprints(given, genuine),
        secret_variable=secret,
        shown_for=Coverage(methods=(), paths=(), forms=(), kinds=()),
        calls_seen=(),
        rows=(),
        facts=(),
        options={} if file is None else asked.kept(real_path(asked.folder or file.parent), file),
    )


def _variables(asked: ProbeOptions, files: Files) -> dict[str, str]:
    given: dict[str, str] = {}
    if asked.variables_file is not None:
        given |= variables(files.text(asked.variables_file), shown_path(asked.variables_file))
    return given | dict(variable(text, Place("--env")) for text in asked.variables)


def _kind(file: Path | None) -> str:
    return "http" if file is None else "python" if file.suffix == ".py" else "node"


def run(asked: ProbeOptions, files: Files, now: datetime.datetime) -> tuple[Result, tuple[str, ...]]:
    """The result of every probe, and what else the user should know, a line each.

    Raises InputError where the handler cannot be run, or an option makes no sense.
    """
    given = _variables(asked, files)
    file = handler_file(asked.target)
    if asked.secret_env and not NAME.match(asked.secret_env):
        message = f"{quoted(asked.secret_env)} cannot be the name of a variable"
        raise refusal("wrong-type", "--secret-env", message, "name the variable that holds the signing secret")
    secret_env = asked.secret_env or _secret_variable(file, files, asked.folder)
    folder = asked.folder or (Path() if file is None else file.parent)
    runner = runner_for(
        asked.target,
        secret_env=secret_env,
        environment=given,
        allow_remote=asked.allow_remote,
        packages=asked.packages,
        provide=asked.provide,
        folder=asked.folder,
    )
    tables = {} if asked.tables is None else tables_in(files.text(asked.tables), shown_path(asked.tables))
    if isinstance(runner, LambdaRunner):
        runner.progress = asked.progress
        runner.give(
            tables=tables,
            added=Added(headers=_pairs(asked.headers, "--header"), query=_pairs(asked.query, "--query")),
        )
    measures = confined(runner, asked.unconfined, isolated=asked.isolated) if isinstance(runner, LambdaRunner) else ()
    options = Options(
        target=asked.target,
        kind=_kind(file),
        folder_sha256="" if file is None else folder_digest(folder, shown_path(folder)),
        version=__version__,
        now=now,
        body=_body(asked.body),
        request_kind=asked.kind,
        secret=SECRET if file is not None else _secret(secret_env),
        path=asked.path,
        shape=asked.shape,
        hints=hints_of(file, given, asked.folder, stored_in(tables)),
        environment=given,
        isolation=described(measures),
        secret_variable="" if file is None else secret_env,
    )
    result = probe(runner, options)
    if file is not None:
        result = replace(
            result,
            files=outside(folder, [*runner.files_read, *_table_files(asked)], _library(runner)),
            options=asked.kept(real_path(folder), file),
        )
    hidden = hidden_in(runner, options)
    notes = [hidden.secrets_out(one) for one in _notes(runner)] if isinstance(runner, LambdaRunner) else []
    if not asked.secret_env and secret_env != SECRET_ENV:
        notes.insert(0, f"the signing secret was given as {secret_env}, by its name; --secret-env names another")
    return result, tuple(notes)


def _library(runner: Runner) -> str:
    return runner.interpreter.library if isinstance(runner, LambdaRunner) else ""


def _secret_variable(file: Path | None, files: Files, folder: Path | None) -> str:
    """The variable that holds the signing secret, by its name in the source: Slack's own where there is none."""
    if file is None or not file.is_file():
        return SECRET_ENV
    try:
        return signing_secret_of(variables_asked_for(file, files, folder)) or SECRET_ENV
    except InputError:  # source that cannot be read: the runner reports it
        return SECRET_ENV


def _from(folder: Path, path: Path) -> str:
    return os.path.relpath(real_path(path), folder).replace(os.sep, "/")


def _pairs(texts: Sequence[str], option: str) -> dict[str, str]:
    """Names with values.  Raises InputError where one has another form."""
    if wrong := [text for text in texts if not re.match(r"[\w.~-]{1,100}=[^\0\r\n]*\Z", text)]:
        raise refusal(
            "wrong-type", option, f"{quoted(wrong[0].partition('=')[0])} is not NAME=VALUE", "write NAME=VALUE"
        )
    return dict(text.split("=", 1) for text in texts)


def _table_files(asked: ProbeOptions) -> tuple[str, ...]:
    """The files that a result is of beside those that the handler read."""
    return () if asked.tables is None else (str(real_path(asked.tables)),)


def tables_in(text: str, file: str) -> Tables:
    """Items of DynamoDB's tables, by table: `{"bot-config": [{"id": "T1", "secret": "{signing secret}"}]}`.

    Raises InputError where the text has another form.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    lists = found.values() if isinstance(found, dict) else (None,)
    if all(isinstance(one, list) and all(isinstance(item, dict) for item in one) for one in lists):
        return found or {}
    message, hint = "this is no list of items for each table", 'write JSON: {"TABLE": [{"id": "T1DC2JH3J"}]}'
    raise refusal("wrong-type", Place(file, 0), message, hint)


_LONGEST, _MOST_STORED = 60, 100
"""Characters of a stored text, and texts."""


def stored_in(tables: Tables) -> tuple[str, ...]:
    """Return the short texts in the items of tables, each once; no placeholder of a secret."""
    found: dict[str, None] = {}
    ahead: list[object] = [*tables.values()]
    while ahead:
        match ahead.pop(0):
            case str(text) if 0 < len(text) <= _LONGEST and "{" not in text:
                found[text] = None
            case list(several):
                ahead += several
            case dict(named):
                ahead += named.values()
    return tuple(found)[:_MOST_STORED]


def confined(runner: LambdaRunner, unconfined: bool, *, isolated: bool = False) -> tuple[Measure, ...]:  # noqa: FBT001 - the user's one word
    """The measures that hold for a handler, which is then not run without them.

    Raises InputError where one is missing by which the machine would be the handler's: where this is root's process, or
    where what runs was not written by who runs it.
    """
    measures = runner.confine()
    open_ones = [one for one in measures if one.name in WEIGHTY and not one.holds]
    if not open_ones or (not isolated and (unconfined or os.geteuid() != 0)):
        return measures
    lines = "; ".join(f"{MEASURES[one.name]} ({one.why})" for one in open_ones)
    who = "here" if isolated else "as root"
    message = f"{who}, no handler is run without these measures, which are not in effect: {lines}"
    hint = "run it as another user, or in a container that may make namespaces"
    hint += "" if isolated else "; --unconfined runs it nevertheless"
    raise refusal("cannot-probe", "probe", message, hint)


def _notes(runner: LambdaRunner) -> Iterator[str]:
    """What a run of a handler's file rests on that its result does not hold."""
    if mapped := mapped_near(runner.file):
        yield f"{listed(mapped)}: the template maps these requests (RequestTemplates), and no such event was tried"
    if runner.interpreter.note:
        yield runner.interpreter.note
    if runner.packages:
        yield f"packages were taken from {', '.join(shown_path(folder) for folder in runner.packages)}"
    if runner.missing_variables:
        yield f"variables that it asked for and did not get: {', '.join(runner.missing_variables)}"


def _body(text: str) -> str:
    """The body of a genuine request; '' where none was given.

    Raises InputError: of what is not understood, no variant could be made that differs in one thing only.
    """
    if text:
        try:
            parse(text)
        except UnknownBodyError as error:
            hint = "give a form (command=%2Fx&user_id=U1), JSON of an event, or payload= with JSON, as Slack sends them"
            raise refusal("cannot-probe", "--body", f"not understood: {error}", hint) from None
    return text


def _secret(name: str) -> str:
    """The secret of a handler that is running already: only a genuine signature gets past it."""
    value = os.environ.get(name, "")
    if value:
        return value
    message = f"the variable {name} is empty or missing"
    hint = "set it to the signing secret that the handler was started with, which signs the genuine requests"
    raise refusal("cannot-probe", "--secret-env", message, hint)


def check_output(target: str, output: Path, folder: Path | None = None) -> None:
    """Raises InputError where a result would lie among the code that it is of, and change its digest."""
    file = handler_file(target)
    code = folder or (None if file is None else file.parent)
    if code is None or not real_path(output).is_relative_to(real_path(code)) or output.name.endswith(RESULT):
        return
    message = "this is in the handler's folder, and would be part of the code: no result would ever match it"
    raise refusal("unwritable-file", str(output), message, f"let its name end in {RESULT}, which is left out")
