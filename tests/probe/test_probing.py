"""Whole runs: a sound handler proves what it does, each fault is found by its probes and contradicts its facts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.probe.acting import Acting, acting, options
from tests.probe.judged import SOUND
from tests.support import HOME, working_at_most
from threatmodel.library.load import load_library
from threatmodel.probe.branches.taken import Taken
from threatmodel.probe.outcome_names import NOT_RUN, PASSED, UNDECIDED
from threatmodel.probe.probing import probe
from threatmodel.probe.protocol import Reply, Scenario
from threatmodel.probe.requests import SECRET
from threatmodel.probe.result import Result, to_json
from threatmodel.probe.slack import PUBLISHED
from threatmodel.reading.problems import InputError
from threatmodel.render.probe import controls_shown, exit_code, probed, summary

pytestmark = pytest.mark.slow

OPEN = "open"
"""A fact that a run leaves undecided."""

LIBRARY = load_library(HOME / "threatlib")


def outcomes(result: Result) -> dict[str, str]:
    return {row.probe: row.outcome for row in result.rows}


def run(*faults: str, **changes: Any) -> Result:
    return probe(acting(*faults, events=True), options(**changes))


NEVER_ASKED = {
    "foreign-response-url-payload",
    "oauth-code-replayed",
    "oauth-redirect-elsewhere",
    "oauth-state-foreign",
    "oauth-state-missing",
    "oauth-state-other-browser",
    "oauth-state-used-twice",
    "replaced-secret",
    "rotated-secret",
    "secrets-in-calls",
}
"""What cannot be asked of a handler of commands and events that reads its secret from a variable."""


def test_a_sound_handler_passes_everything() -> None:
    result = run()
    assert {name for name, went in outcomes(result).items() if went != PASSED} == NEVER_ASKED
    assert {outcomes(result)[name] for name in NEVER_ASKED} == {NOT_RUN}
    assert result.decided == SOUND | {"ignores_own_messages": True}
    assert exit_code(result, strict=True) == 0
    assert summary(result) == [
        "required probes: 56 of 56 passed",
        "advised probes: 38 of 48 passed, 10 not run",
    ]


ELSEWHERE = {
    "after-genuine",
    "boundary-without-signature",
    "content-types",
    "environment-switches",
    "excusing-headers",
    "other-forms",
    "other-methods",
    "other-paths",
    "queries",
}
"""Probes that go without a right signature by other ways than the genuine request's."""

BY_RULE = {"unsigned-fields", "unsigned-forms", "unsigned-paths", "unsigned-places", "variables"}
"""Those that a rule derives from a request without a signature."""
WINDOW = {
    "aged-process",
    "old-timestamps",
    "timestamp-301-seconds-ahead",
    "timestamp-301-seconds-old",
    "timestamp-much-ahead",
    "timestamp-much-older",
}
"""Those that are signed for another time, by more than a day too."""

# each fault of a handler: the probes that find it, and what they show
FAULTS: dict[str, tuple[set[str], dict[str, Any]]] = {
    "exact-header-names": (
        {
            "alb",
            "alb-multi-value",
            "function-url",
            "http-api",
            "header-names-lower",
            "header-names-mixed",
            "header-names-upper",
        },
        {},
    ),
    "ignores-base64": ({"alb", "alb-multi-value", "base64-body", "function-url", "http-api"}, {}),
    "strict-utf8": ({"no-exception", "body-not-utf8", "body-encodings"}, {"errors_generic": False}),
    "logs-event": ({"secrets-in-logs"}, {"logs_redacted": False}),
    "logs-secret": ({"secrets-in-logs"}, {"logs_redacted": False}),
    "answers-secret": ({"secrets-in-answers"}, {"errors_generic": False}),
    "tells": ({"refusals-alike"}, {"errors_generic": OPEN}),
    "forwarded": ({"forwarded-http"}, {"ignores_forwarded_headers": False}),
    "names-host": ({"foreign-host"}, {"ignores_forwarded_headers": False}),
    "trusts-local": (
        {"after-genuine", "forwarded-as-local", "old-timestamps", "resent", "unsigned-places"},
        {
            "verifies_signature": False,
            "rejects_replay": False,
            "timestamp_tolerance_seconds": 7200,
            "ignores_forwarded_headers": OPEN,
        },
    ),
    "retry-first": ({"retry-of-lost-event"}, {}),
    "challenge-first": ({"no-exception", "url-verification-unsigned"}, {"errors_generic": False}),
    "any-method": ({"other-methods", "other-paths", "unsigned-forms", "unsigned-paths"}, {"verifies_signature": False}),
    "fails-open": ({"store-fails", "store-silent"}, {}),
    "any-size": ({"six-megabyte-body"}, {"limits_body_size": False}),
    "two-timestamps": ({"two-timestamps"}, {"timestamp_tolerance_seconds": 3600, "verification_fails_closed": False}),
    "raises-on-words": ({"no-exception"}, {"errors_generic": False}),
    "odd-timestamps": (
        {"timestamp-empty", "timestamp-missing", "timestamp-not-a-number"},
        {"verification_fails_closed": False},
    ),
    "day-window": (
        {"refusals-plain", *WINDOW},
        {"timestamp_tolerance_seconds": 86460},
    ),
    "no-window": (
        {"refusals-plain", *WINDOW},
        {"timestamp_tolerance_seconds": None},
    ),
    "past-only": (
        {"timestamp-301-seconds-ahead", "timestamp-much-ahead"},
        {"timestamp_tolerance_seconds": None},
    ),
    "token-only": (
        {"no-signature", "forwarded-as-local", "retry-without-signature", "refusals-plain", *ELSEWHERE, *BY_RULE},
        {"verifies_signature": False, "verification_fails_closed": False, "ignores_forwarded_headers": OPEN},
    ),
    "open-secret": ({"empty-secret", "missing-secret"}, {"verification_fails_closed": False}),
    "body-unsigned": (
        {"body-changed", "base64-body-changed", "no-exception"},
        {"verifies_signature": False, "errors_generic": False},
    ),
    "any-base": ({"joined-by-dots"}, {"verifies_signature": False}),
    "prefix": (
        {"near-signatures", "signature-malformed", "unsigned-signatures", "wrong-secret"},
        {"verification_fails_closed": False, "verifies_signature": False},
    ),
    "anybody": ({"other-user", "other-workspace", "empty-body"}, {"authorizes_caller": False}),
    "fetches": ({"foreign-response-url"}, {"outbound_hosts_fixed": False, "acknowledges_first": OPEN}),
    "answers-bots": ({"bot-message"}, {"ignores_own_messages": False}),
    "no-memory": ({"replay", "replay-at-once", "redelivered-event", "resent"}, {"rejects_replay": False}),
    "own-memory": (set(), {"rejects_replay": OPEN}),
    "tells-metrics": (set(), {}),
    "inline": (set(), {"acknowledges_first": OPEN}),
    "idle": (set(), {"acknowledges_first": OPEN}),
    "slow": ({"first-answer-in-time"}, {"acknowledges_first": False}),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found(fault: str) -> None:
    failing, shown = FAULTS[fault]
    result = run(fault)
    assert {row.probe for row in result.rows if row.outcome == "failed"} == failing
    expected = {**SOUND, "ignores_own_messages": True, **shown}
    assert result.decided == {name: value for name, value in expected.items() if value is not OPEN}


def test_a_handler_that_checks_nothing() -> None:
    result = run("no-check")
    assert result.decided["verifies_signature"] is False
    assert result.decided["verification_fails_closed"] is False
    assert exit_code(result) == 1
    assert controls_shown(result, LIBRARY)["slack-request-signing"] is False


def test_a_control_does_not_count_where_one_that_it_requires_is_denied() -> None:
    shown = controls_shown(run("no-check"), LIBRARY)
    assert shown.get("slack-timestamp-window") is not True
    assert controls_shown(run(), LIBRARY)["slack-timestamp-window"] is True


def test_a_handler_that_works_before_it_refuses_denies_only_what_that_shows() -> None:
    result = run("works-first")
    assert {name: value for name, value in result.decided.items() if value is False} == {"verifies_signature": False}
    assert exit_code(result) == 1


def test_slack_s_requests_refused_and_wrong_ones_taken_is_no_all_clear() -> None:
    result = run("dots")
    assert outcomes(result)["genuine"] == "failed"
    assert outcomes(result)["joined-by-dots"] == "failed"
    assert outcomes(result)["wrong-secret"] == UNDECIDED
    assert result.decided == {"verifies_signature": False}
    assert exit_code(result) == 2
    assert "No genuine request was accepted" in probed(result, {})
    assert "  undecided  " not in probed(result, {})


@dataclass(frozen=True)
class Constant:
    """A runner that answers everything with one reply."""

    reply: Reply
    sees_effects: bool = True
    sets_clock: bool = True
    missing_variables: Sequence[str] = ()
    reads_secret_variable: bool = True
    files_read: Sequence[str] = ()
    taken: Taken | None = None

    def run(self, scenario: Scenario) -> Sequence[Reply]:
        return [self.reply] * len(scenario.calls)


REPLIES = st.builds(
    Reply,
    status=st.sampled_from([None, 200, 301, 401, 404, 500]),
    ended=st.sampled_from(["", "", "error", "timeout", "not-run"]),
    body=st.sampled_from(["", "ok", "Traceback (most recent call last)"]),
)


@settings(max_examples=20)
@given(REPLIES, st.booleans())
def test_a_handler_that_answers_everything_alike_never_passes_and_proves_no_check(reply: Reply, sees: bool) -> None:
    result = probe(Constant(reply, sees_effects=sees), options())
    assert exit_code(result) != 0
    proven = {name for name, value in result.decided.items() if value is True}
    takes_all = reply.status in {200, None} and not reply.ended and sees  # an HTTP API makes 200 of no status
    assert proven <= ({"logs_redacted", "ignores_forwarded_headers"} if takes_all else set())


def test_where_only_answers_are_seen_nothing_is_proven_and_much_can_be_denied() -> None:
    sound = probe(Acting(sees_effects=False, sets_clock=False), options(kind="http", target="http://127.0.0.1/"))
    found = outcomes(sound)
    assert {name for name, outcome in found.items() if outcome == NOT_RUN} == {
        "empty-secret",
        "missing-secret",
        "secrets-in-logs",
        "published-vector",
        "first-answer-in-time",
        "bot-message",
        "redelivered-event",
        "another-request",
        "environment-switches",
        "not-a-request",
        "replay-at-once",
        "retry-of-lost-event",
        "secret-store-fails",
        "store-fails",
        "store-silent",
        "timestamp-299-seconds",
        "timestamp-300-seconds",
        "work-after-answer",
        *BY_RULE,
        "aged-process",
        "chosen-keys",
        "near-signatures",
        "old-timestamps",
        "outside-signed",
        "resent",
        "tampered-bodies",
        "unsigned-signatures",
        "unsigned-timestamps",
    } | NEVER_ASKED - {"foreign-response-url-payload"}
    assert sound.decided == {}
    assert exit_code(sound) == 0
    assert exit_code(sound, strict=True) == 2
    faulty = probe(Acting(frozenset({"no-check"}), sees_effects=False), options(kind="http"))
    assert faulty.decided["verifies_signature"] is False
    assert exit_code(faulty) == 1


def test_the_form_of_requests_is_the_first_that_is_accepted() -> None:
    assert run().shape == "rest-api"
    assert run(shape="http-api").shape == "http-api"
    only_second = Second()
    result = probe(only_second, options())
    assert result.shape == "http-api"
    assert outcomes(result)["rest-api"] == "failed"
    assert outcomes(result)["genuine"] == PASSED


class Second:
    """A handler that takes HTTP APIs and function URLs only."""

    sees_effects = True
    sets_clock = True
    missing_variables: Sequence[str] = ()
    reads_secret_variable: bool = True
    files_read: Sequence[str] = ()
    taken: Taken | None = None

    def run(self, scenario: Scenario) -> Sequence[Reply]:
        if any(call.event.get("version") != "2.0" for call in scenario.calls):
            return [Reply(ended="error", error="KeyError")] * len(scenario.calls)
        return Acting(events=True).run(scenario)


class Unloadable:
    """A handler that cannot be loaded without a secret, or not at all."""

    sees_effects = True
    sets_clock = True
    missing_variables: Sequence[str] = ()
    reads_secret_variable: bool = True
    files_read: Sequence[str] = ()
    taken: Taken | None = None

    def __init__(self, *, ever: bool) -> None:
        self.ever = ever

    def run(self, scenario: Scenario) -> Sequence[Reply]:
        if not scenario.secret or not self.ever:
            raise InputError([])
        return Acting(events=True).run(scenario)


def test_a_handler_that_fails_to_load_without_a_secret_is_judged_as_lambda_would_answer() -> None:
    found = {row.probe: row for row in probe(Unloadable(ever=True), options()).rows}
    assert found["missing-secret"].outcome == PASSED
    assert "an exception as it was loaded" in found["missing-secret"].why
    assert found["no-exception"].outcome == PASSED  # no caller can bring that about


@dataclass(frozen=True)
class Hanging:
    """A runner whose handler is sound, and hangs on some requests."""

    hangs: Callable[[Scenario], bool]
    asked: list[str]
    sees_effects: bool = True
    sets_clock: bool = True
    missing_variables: Sequence[str] = ()
    reads_secret_variable: bool = True
    files_read: Sequence[str] = ()
    taken: Taken | None = None

    def run(self, scenario: Scenario) -> Sequence[Reply]:
        self.asked.append(scenario.name)
        if self.hangs(scenario):
            return [Reply(ended="timeout")] + [Reply(ended="not-run")] * (len(scenario.calls) - 1)
        return acting(events=True).run(scenario)


def test_a_handler_that_always_hangs_costs_one_request() -> None:
    asked: list[str] = []
    result = probe(Hanging(lambda _: True, asked), options())
    assert len(asked) == 1
    assert outcomes(result)["no-signature"] == NOT_RUN
    assert not any(row.outcome == PASSED for row in result.rows)
    assert "the handler timed out on a request of 'genuine'" in {row.why for row in result.rows}
    assert not any(result.decided.values())
    assert exit_code(result) == 2


def test_a_handler_that_hangs_on_one_request_is_asked_no_more_and_proven_nothing_by_what_was_not_sent() -> None:
    asked: list[str] = []
    result = probe(Hanging(lambda _: len(asked) > 20, asked), options(threads=1))
    assert 21 <= len(asked) <= 22  # where several probes share a process, the first of them is asked again alone
    found = outcomes(result)
    assert found["genuine"] == PASSED
    assert found["secrets-in-logs"] == UNDECIDED
    assert found["no-exception"] == "failed"
    assert not any(result.decided.get(fact) for fact in ("logs_redacted", "errors_generic"))


def test_a_run_that_takes_too_long_ends_and_is_no_all_clear() -> None:
    result = probe(acting(events=True), options(seconds=0.0))
    found = outcomes(result)
    assert found["genuine"] == PASSED
    assert found["no-signature"] == NOT_RUN
    assert found["no-exception"] == found["secrets-in-logs"] == UNDECIDED
    assert not any(result.decided.get(fact) for fact in ("verifies_signature", "logs_redacted", "errors_generic"))
    assert exit_code(result) == 2


def test_a_handler_that_cannot_be_run_is_an_error() -> None:
    with pytest.raises(InputError):
        probe(Unloadable(ever=False), options())


def test_another_genuine_body_is_varied_and_the_published_example_left_out() -> None:
    body = "team_id=T1DC2JH3J&user_id=U2CERLKJA&command=%2Fother&text=something-rare"
    result = run(body=body)
    assert outcomes(result)["published-vector"] == NOT_RUN
    assert outcomes(result)["other-user"] == PASSED
    assert exit_code(result) == 0
    assert outcomes(run("logs-event", body=body))["secrets-in-logs"] == "failed"


@pytest.mark.parametrize("fault", ["answers-secret", "logs-event", "no-check", "names-host"])
def test_a_result_holds_no_secret(fault: str) -> None:
    secret = "a-secret-of-the-user's-own/with?odd=signs"
    value = "of-no-form-that-is-known"
    result = run(fault, secret=secret, environment={"BOT_KEY": value}, target=f"app-{secret}-{value}.py")
    assert "<BOT_KEY>" in result.target, "the value was there to be shown, and was replaced"
    text = to_json(result) + probed(result, {})
    for one in (secret, PUBLISHED.secret, SECRET, value, "xyzz0WbapA4vBCDEFasx0q6G", "96rGlfmibIGlgcZRskXaIFfN"):
        assert one not in text
    assert not any(f"v0={digit}" in text for digit in "0123456789abcdef")


def test_a_url_is_shown_without_password_and_query() -> None:
    target = "https://user:password@example.org/slack?token=abc#x"
    assert run(target=target, kind="http").target == "https://example.org/slack"


def test_two_runs_give_the_same_result() -> None:
    assert to_json(run()) == to_json(run(threads=1))


def test_a_run_of_a_fast_handler_takes_no_time_of_its_own() -> None:
    with working_at_most(seconds=5):
        run()


def test_lines_fit_a_terminal() -> None:
    for result in (run(), run("no-check"), run("dots")):
        assert max(map(len, probed(result, controls_shown(result, LIBRARY)).splitlines())) <= 100
