"""Handlers in the styles that people write: what may not be certain of a sound one, and what is seen of a fault.

`fresh/sound.yaml` has handlers that are sound, or whose requests are not Slack's; `fresh/parts.yaml` handlers that are
sound in one respect, with what may `never` be certain of them; `fresh/bad.yaml` handlers with one fault, by its fact;
`fresh/does.yaml` handlers that do something in an unusual way, with what `denies` it; `fresh/serves.yaml` handlers with
the features of Slack that call them, and the line that shows each; `fresh/grants.yaml` with what variables grant;
`fresh/quiet.yaml` handlers whose verification is wrong in a quiet way, and sound ones that are acknowledged;
`fresh/times.yaml` the same of mistakes in the window, the key, and parts of the request that are not signed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from threatmodel.beside.code.look import look
from threatmodel.beside.code.modules import Parsed
from threatmodel.beside.code.observed import CERTAIN, CLAIMED, GRANTS, SERVES, SIGN, Observed
from threatmodel.beside.folder import Folder

CASES = Path(__file__).with_name("fresh")
ENTRIES = ("app.py", "index.mjs", "index.js", "index.ts")
OF_FACT = {
    "verifies_signature": {"nothing-verifies", "effect-first"},
    "compares_in_constant_time": {"constant-time"},
    "timestamp_tolerance_seconds": {"one-sided", "no-window", "window"},
    "logs_redacted": {"logs-request"},
    "errors_generic": {"tells-exception"},
    "outbound_hosts_fixed": {"fetches-unchecked"},
    "input_reaches_interpreter": {"interprets"},
    "literal_secret": {"literal-secret"},
}
ALARMS = {
    *(what for every in OF_FACT.values() for what in every),
    *("posts-given-text", "posts-unescaped", "unverified-token", "stores-whole", "keeps-state"),
}
LIES = {
    "verifies_signature": {"verifies"},
    "compares_in_constant_time": {"constant-time"},
    "timestamp_tolerance_seconds": {"window"},
    "outbound_hosts_fixed": {"no-fetch"},
    "input_reaches_interpreter": {"no-interpreter"},
}
"""By fact, what would deny its fault."""


def _cases(name: str) -> list[Any]:
    cases = yaml.safe_load((CASES / f"{name}.yaml").read_text(encoding="utf-8"))
    return [pytest.param(what, id=case) for case, what in cases.items()]


def _observed(case: dict[str, Any]) -> list[Observed]:
    texts = {path: text or "" for path, text in case["files"].items()}
    parsed = Parsed(Folder(path="src", texts=texts, unread=(), digest=""))
    return list(look(parsed, next(one for one in ENTRIES if one in texts), "handler", "").observed)


def _certain(case: dict[str, Any]) -> dict[str, str]:
    return {one.what: f"{one.place.short}: {one.note}" for one in _observed(case) if one.how == CERTAIN}


@pytest.mark.parametrize("case", _cases("sound"))
def test_nothing_alarming_is_certain_of_a_sound_handler(case: dict[str, Any]) -> None:
    certain = _certain(case)
    if (case.get("truth") or {}).get("worker"):
        certain.pop("nothing-verifies", None)
        certain.pop("posts-given-text", None)
    assert {what: note for what, note in certain.items() if what in ALARMS} == {}


@pytest.mark.parametrize("case", _cases("parts"))
def test_nothing_is_certain_of_a_part_that_is_sound(case: dict[str, Any]) -> None:
    certain = _certain(case)
    assert {what: note for what, note in certain.items() if what in case["never"]} == {}


@pytest.mark.parametrize("case", _cases("bad"))
def test_a_fault_is_reported_or_left_open_and_never_denied(case: dict[str, Any]) -> None:
    observed = _observed(case)
    ((fact, _),) = case["bad"].items()
    certain = {one.what for one in observed if one.how == CERTAIN and one.what in ALARMS}
    denied = {one.what for one in observed if one.how == CLAIMED and one.what in LIES.get(fact, set())}
    assert certain - OF_FACT[fact] == set(), "another fault than the one that is there"
    assert denied == set()
    assert bool(certain) == (not case.get("open", False)), "`open` says that the fault is not seen"


@pytest.mark.parametrize("case", _cases("does"))
def test_the_code_is_never_said_to_lack_what_it_has(case: dict[str, Any]) -> None:
    claimed = [one for one in _observed(case) if one.how == CLAIMED]
    said = {one.what for one in claimed} | {f"{one.what}={one.value}" for one in claimed}
    assert said & set(case["denies"]) == set()


@pytest.mark.parametrize("case", _cases("serves"))
def test_the_code_shows_which_features_of_slack_call_it(case: dict[str, Any]) -> None:
    found = {one.value: one.place.line for one in _observed(case) if one.what == SERVES}
    assert found == case["serves"]


@pytest.mark.parametrize("case", _cases("grants"))
def test_the_code_shows_what_variables_grant(case: dict[str, Any]) -> None:
    assert dict(one.value for one in _observed(case) if one.what == GRANTS) == case["grants"]


QUIET, TIMES = (yaml.safe_load((CASES / name).read_text(encoding="utf-8")) for name in ("quiet.yaml", "times.yaml"))


def _of_parts(every: dict[str, Any], name: str, case: dict[str, Any]) -> list[Observed]:
    language, file = ("javascript", "index.js") if name.startswith("js-") else ("python", "app.py")
    return _observed({"files": {file: every[language] + case["handler"]}})


def _verdict(name: str, case: dict[str, Any]) -> str:
    """What is said of the verification of a handler of quiet.yaml: denied, stated, or asked."""
    said = {one.what for one in _of_parts(QUIET, name, case) if one.how != SIGN}
    return "denied" if said & OF_FACT["verifies_signature"] else "stated" if "verifies" in said else "asked"


@pytest.mark.parametrize("name", QUIET["wrong"])
def test_a_quiet_mistake_is_never_stated_as_a_verification(name: str) -> None:
    case = QUIET["wrong"][name]
    assert _verdict(name, case) == ("asked" if case.get("open") else "denied")


@pytest.mark.parametrize("name", QUIET["sound"])
def test_a_sound_handler_is_acknowledged_or_asked_about(name: str) -> None:
    case = QUIET["sound"][name]
    assert _verdict(name, case) == ("asked" if case.get("open") else "stated")


@pytest.mark.parametrize("name", TIMES["wrong"])
def test_a_mistake_around_the_check_is_shown_or_asked(name: str) -> None:
    case = TIMES["wrong"][name]
    observed = _of_parts(TIMES, name, case)
    certain = {one.what for one in observed if one.how == CERTAIN and one.what in ALARMS}
    assert certain <= OF_FACT.get(case.get("shown"), set())
    assert bool(certain) == ("shown" in case)
    assert certain or any(one.what == "scheme" for one in observed)


@pytest.mark.parametrize("name", TIMES["sound"])
def test_a_sound_window_is_stated(name: str) -> None:
    observed = _of_parts(TIMES, name, TIMES["sound"][name])
    assert any(one.what == "verifies" for one in observed)
    assert [one for one in observed if one.how == CERTAIN and one.what in ALARMS] == []
