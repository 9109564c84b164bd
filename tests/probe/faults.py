"""Handlers that are right and ways to get them wrong: a run of each, and what it has to say.

These faults are edits of two handlers. They show that each of the probe's cases has its use, and each names the cases
that must fail. The corpus in tests/handlers/ measures the opposite. Its handlers were written without a look at the
cases, each whole and in a style of its own, and direct invocation shows their holes. A mistake of the corpus that the
probe misses is answered with a new case, and with a fault here that fails without it.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.probe.judged import SOUND
from tests.support import HOME
from threatmodel.probe.cases import Case, load_cases
from threatmodel.probe.catalogue import doubts
from threatmodel.probe.hints import hints_of
from threatmodel.probe.outcome_names import FAILED
from threatmodel.probe.probing import Options, probe
from threatmodel.probe.result import Result
from threatmodel.probe.runners.target import runner_for
from threatmodel.probe.source_check import check_handler
from threatmodel.probe.variables import variables

Fault = dict[str, Any]


def faults_of(handler: Path) -> list[Fault]:
    """The faults beside a handler."""
    found: list[Fault] = yaml.safe_load(handler.with_name("faults.yaml").read_text(encoding="utf-8"))
    return found


EXAMPLES = HOME / "examples"
GOOD = HOME / "tests" / "probe" / "handlers" / "good.py"
INSTALLING = HOME / "tests" / "probe" / "installing" / "app.py"
FAULTS = faults_of(GOOD)
INSTALLING_FAULTS = faults_of(INSTALLING)
INSTALLING_VARIABLES = {"SECRET_NAME": "bot/signing", "INSTALLATIONS_TABLE": "installations"}
PROBE_ENV = EXAMPLES / "slack-app" / "probe.env"
BESIDE = frozenset({"genuine", "no-signature", "oauth-state-used-twice", "secrets-in-answers", "wrong-secret"})
"""Probes that the ordinary tests ask of each fault beside its own: all of them are asked with `long`."""


def probed(path: Path, kind: str = "python", cases: Sequence[Case] = ()) -> Result:
    environment = variables(PROBE_ENV.read_text(encoding="utf-8"), PROBE_ENV.name) | INSTALLING_VARIABLES
    now = datetime.datetime.now(datetime.UTC)
    options = Options(
        target=str(path),
        kind=kind,
        now=now,
        version="1",
        shape="rest-api",
        hints=hints_of(path, environment),
        environment=environment,
        threads=2,
    )
    result = probe(runner_for(str(path), environment=environment), options, cases)
    assert not [why for why in doubts(result, None, options.version) if why.startswith("no run ")]
    return result


def asked(names: Sequence[str] | frozenset[str]) -> list[Case]:
    """The probes of these names."""
    return [case for case in load_cases() if case.id in names]


def went(result: Result, outcome: str) -> set[str]:
    return {row.probe for row in result.rows if row.outcome == outcome}


def check_facts(result: Result) -> None:
    assert {fact: value for fact, value in result.decided.items() if fact != "ignores_own_messages"} == SOUND


def check_fault(handler: Path, fault: Fault, folder: Path, cases: Sequence[Case] = ()) -> None:
    """Exactly its probes fail, and exactly its facts are shown to be otherwise than in the right handler."""
    path = edited(handler, fault, folder)
    result = probed(path, cases=cases)
    assert sorted(went(result, FAILED)) == sorted(fault["fails"])
    right = SOUND | {"ignores_own_messages": True}
    shown = {fact: value for fact, value in result.decided.items() if value != right.get(fact)}
    assert shown == fault["shows"]
    assert check_handler(path).value is fault.get("constant_time", True)


def edited(handler: Path, fault: Fault, folder: Path) -> Path:
    text = handler.read_text(encoding="utf-8")
    for edit in fault.get("edits", [fault]):
        assert text.count(edit["replace"]) == 1
        text = text.replace(edit["replace"], edit["by"])
    path = folder / "app.py"
    path.write_text(text, encoding="utf-8")
    return path
