"""`host:` under evidence: saved answers of GitHub's API, their age, and what adds up to a protected branch."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.beside.places import Assessment, Printed, assess, system, template
from threatmodel.command.main import main

API = "https://api.github.com/repos/acme/bot"
REPOSITORY = {
    "id": 1,
    "full_name": "acme/bot",
    "default_branch": "main",
    "url": API,
    "security_and_analysis": {
        "secret_scanning": {"status": "enabled"},
        "secret_scanning_push_protection": {"status": "enabled"},
    },
}
RULESET = {
    "id": 7,
    "name": "main",
    "target": "branch",
    "source_type": "Repository",
    "source": "acme/bot",
    "enforcement": "active",
    "conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}},
    "rules": [{"type": "deletion"}, {"type": "pull_request", "parameters": {"required_approving_review_count": 2}}],
    "bypass_actors": [],
    "_links": {"self": {"href": f"{API}/rulesets/7"}},
}
PROTECTION = {
    "url": f"{API}/branches/main/protection",
    "required_pull_request_reviews": {"required_approving_review_count": 1},
    "enforce_admins": {"url": f"{API}/branches/main/protection/enforce_admins", "enabled": True},
}
NOT_PROTECTED = {
    "message": "Branch not protected",
    "documentation_url": "https://docs.github.com/rest",
    "status": "404",
}
RULES_OF_MAIN = [
    {"type": "deletion", "ruleset_source_type": "Repository", "ruleset_source": "acme/bot", "ruleset_id": 7}
]
Seen = Callable[..., Assessment]


def environments(**changes: Any) -> Mapping[str, Any]:
    """The answer about one environment, with a reviewer other than the person who starts a deployment."""
    rule = {"id": 3, "type": "required_reviewers", "prevent_self_review": True, "reviewers": [{"type": "User"}]}
    one = {"id": 2, "name": "production", "url": f"{API}/environments/production", "can_admins_bypass": False}
    return {"total_count": 1, "environments": [{**one, "protection_rules": [{**rule, **changes}], **changes}]}


def saved(*bodies: Any, days: int | None = 1) -> str:
    """Answers as `gh api --include` prints them, of some days ago; without headers where `days` is None."""
    if days is None:
        return json.dumps(bodies[0], indent=1)
    at = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=days)
    day = at.strftime("%a, %d %b %Y %H:%M:%S GMT")
    parts = []
    for body in bodies:
        status = "404 Not Found" if isinstance(body, dict) and body.get("status") == "404" else "200 OK"
        parts.append(
            f"HTTP/2.0 {status}\nContent-Type: application/json\nDate: {day}\n\n{json.dumps(body, indent=1)}\n"
        )
    return "".join(parts)


@pytest.fixture
def seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed) -> Seen:
    """Return what is assessed of some answers."""

    def of(*bodies: Any, days: int | None = 1) -> Assessment:
        files = {"template.yaml": template("POST /e"), "host.txt": saved(*bodies, days=days)}
        return assess(system(tmp_path, files, "{host: host.txt}"), monkeypatch, capsys)

    return of


def value(found: Assessment, name: str) -> tuple[Any, str] | None:
    fact = found.fact("pipeline", name)
    return None if fact is None else (fact[0], fact[2])


@pytest.mark.parametrize(
    ("bodies", "protected", "reviews"),
    [
        ([RULESET], True, 2),
        ([PROTECTION, REPOSITORY], True, 1),
        ([RULESET, PROTECTION, REPOSITORY], True, 2),
        (
            [{**RULESET, "conditions": {"ref_name": {"include": ["refs/heads/main"], "exclude": []}}}, REPOSITORY],
            True,
            2,
        ),
        # all rules of the branch, and none asks for a review
        ([NOT_PROTECTED, RULES_OF_MAIN], False, 0),
    ],
)
def test_answers_show_how_the_branch_is_protected(seen: Seen, bodies: list[Any], protected: bool, reviews: int) -> None:
    found = seen(*bodies)
    assert value(found, "branch_protected") == (protected, "evidence")
    assert value(found, "required_reviews") == (reviews, "evidence")


@pytest.mark.parametrize(
    ("bodies", "why"),
    [
        ([{**RULESET, "enforcement": "evaluate"}], "its enforcement is 'evaluate'"),
        ([{**RULESET, "enforcement": "disabled"}], "its enforcement is 'disabled'"),
        ([{**RULESET, "bypass_actors": [{"actor_type": "OrganizationAdmin"}]}], "may bypass it"),
        ([{key: node for key, node in RULESET.items() if key != "bypass_actors"}], "does not show who may bypass"),
        ([{**RULESET, "conditions": {"ref_name": {"include": ["refs/heads/dev"], "exclude": []}}}], "it names 'dev'"),
        ([PROTECTION], "no answer shows that it is the default branch"),
        ([{**PROTECTION, "enforce_admins": {"enabled": False}}, REPOSITORY], "administrators may bypass it"),
        ([NOT_PROTECTED], "it is not known who may bypass the rules"),
    ],
)  # fmt: skip
def test_a_rule_that_protects_nothing_leaves_it_open(seen: Seen, bodies: list[Any], why: str) -> None:
    found = seen(*bodies)
    assert value(found, "branch_protected") is None
    assert why in found.left_open("branch_protected")[0]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (environments(), (True, "evidence")),
        (environments(reviewers=[]), (False, "evidence")),
        (environments(prevent_self_review=False), (False, "evidence")),
        (environments(can_admins_bypass=True), None),
        (environments(name="test"), None),
    ],
)
def test_a_second_person_approves_a_deployment(seen: Seen, answer: Any, expected: tuple[bool, str] | None) -> None:
    assert value(seen(answer), "production_approval") == expected


def test_scanning_can_be_shown_to_be_off(seen: Seen) -> None:
    off = {"secret_scanning": {"status": "enabled"}, "secret_scanning_push_protection": {"status": "disabled"}}
    assert value(seen({**REPOSITORY, "security_and_analysis": off}), "secret_scanning") == (False, "evidence")


_API = "https://api.github.com/repos/acme/shop"
_ALERT = {
    "number": 7,
    "url": f"{_API}/secret-scanning/alerts/7",
    "state": "open",
    "secret_type": "slack_api_token",
    "secret": "CANARY",
}
_KEY = {"id": 1, "key": "ssh-ed25519 AAAA", "url": f"{_API}/keys/1", "title": "CANARY", "read_only": False}

_ORGANIZATION = {"login": "acme", "id": 5, "url": "https://api.github.com/orgs/acme", "billing_email": "CANARY"}


@pytest.mark.parametrize(
    ("answer", "fact", "expected"),
    [
        ([_ALERT], "history_scanned", (False, "evidence")),
        ([{**_ALERT, "state": "resolved", "resolution": "revoked"}], "history_scanned", None),
        ([_KEY], "code_host_access_limited", (False, "evidence")),
        ([{**_KEY, "read_only": True}], "code_host_access_limited", None),
        ([{**_ORGANIZATION, "two_factor_requirement_enabled": False}], "code_host_access_limited", (False, "evidence")),
        ([{**_ORGANIZATION, "two_factor_requirement_enabled": True}], "code_host_access_limited", None),
    ],
)
def test_a_secret_that_was_found_and_a_key_that_may_push_are_shown(
    seen: Seen, answer: Any, fact: str, expected: tuple[bool, str] | None
) -> None:
    found = seen(answer)
    assert value(found, fact) == expected
    assert "CANARY" not in json.dumps(found.whole)


def test_scanning_that_is_on_is_a_statement_as_logs_are_not_scanned(seen: Seen) -> None:
    assert value(seen(REPOSITORY), "secret_scanning") == (True, "statement")


@pytest.mark.parametrize(
    ("days", "expected", "why"),
    [
        (30, (True, "evidence"), ""),
        (31, (True, "statement"), "it is 31 days old, and counts as evidence for 30"),
        (None, (True, "statement"), "it does not say when the host answered"),
        (-2, None, "which is in the future: it is not used"),
    ],
)
def test_an_answer_is_evidence_while_it_is_recent(
    seen: Seen, days: int | None, expected: tuple[bool, str] | None, why: str
) -> None:
    found = seen(RULESET, days=days)
    assert value(found, "branch_protected") == expected
    assert why in found.read("host").get("stale", "")


def test_answers_of_several_repositories_are_statements(seen: Seen) -> None:
    other = {**PROTECTION, "url": "https://api.github.com/repos/acme/other/branches/main/protection"}
    found = seen(RULESET, other)
    assert value(found, "branch_protected") == (True, "statement")
    assert "several repositories: acme/bot, acme/other" in found.read("host")["stale"]


@pytest.mark.parametrize(
    "wish",
    [
        {key: node for key, node in RULESET.items() if key not in {"id", "source", "_links"}},
        {**PROTECTION, "enforce_admins": True},
    ],
)
def test_what_is_sent_to_the_host_is_no_answer(seen: Seen, wish: Any) -> None:
    found = seen(wish, days=None)
    assert value(found, "branch_protected") is None
    assert "this is what is sent to the host" in found.read("host")["unread"][0]["why"]


def test_an_error_of_the_host_shows_nothing(seen: Seen) -> None:
    found = seen({"message": "Not Found", "status": "404"})
    assert found.read("host")["unread"][0]["why"].startswith("the host answered 404: Not Found; ask with a token")


@pytest.mark.parametrize("text", ["", "HTTP/2.0 200 OK\nDate: Mon\n\n{}", "HTTP/2.0 200 OK\nA: b\n\n", '{"id": 1, "na'])
def test_what_is_no_answer_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed, text: str
) -> None:
    model = system(tmp_path, {"template.yaml": template("POST /e"), "host.txt": text}, "{host: host.txt}")
    monkeypatch.chdir(tmp_path)
    assert main(["check", "-m", model.name]) == 2
    assert capsys.readouterr().err.startswith("host.txt:")
