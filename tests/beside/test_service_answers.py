"""What services answer about themselves, as evidence: credential reports, account summaries, session settings."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from tests.beside.tool_results import project, reads  # noqa: F401 - a fixture
from tests.evidence.at_the_command_line import run, saved

REPORT = """\
user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active,\
access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,\
access_key_1_last_used_service,access_key_2_active
<root_account>,arn:aws:iam::111122223333:root,2020-01-01T00:00:00+00:00,not_supported,no_information,not_supported,\
not_supported,true,false,N/A,N/A,N/A,N/A,false
"""
"""A credential report of an account without IAM users."""
ALICE = "alice,arn:aws:iam::111122223333:user/alice,2021-01-01T00:00:00+00:00,{},N/A,N/A,{},{},N/A,N/A,N/A,N/A,false\n"
CONSOLE = ALICE.format("true,2026-01-01T00:00:00+00:00", "false", "false")
KEYS = ALICE.format("false,N/A", "false", "true")


def as_json(report: str) -> dict[str, str]:
    content = base64.b64encode(report.encode()).decode()
    return {"Content": content, "ReportFormat": "text/csv", "GeneratedTime": "2026-11-25T10:00:00+00:00"}


SESSION = {"user_id": "U1", "desktop_app_browser_quit": False}


@pytest.mark.parametrize(
    ("answer", "element", "fact", "expected"),
    [
        (REPORT + CONSOLE, "organization", "mfa_factor", ("none", 2)),
        (as_json(REPORT + CONSOLE), "organization", "mfa_factor", ("none", 2)),
        (REPORT + CONSOLE.replace("false,false", "true,false"), "organization", "mfa_factor", None),
        (as_json(REPORT + CONSOLE), "account", "idle_credentials_disabled", (False, 2)),
        (REPORT + CONSOLE, "account", "console_users", (True, 2)),
        (REPORT + KEYS, "account", "long_lived_access_keys", (True, 2)),
        (REPORT, "account", "long_lived_access_keys", (False, 1)),
        (REPORT.splitlines(keepends=True)[0] + KEYS, "account", "long_lived_access_keys", (True, 1)),
        (REPORT + KEYS.replace("111122223333", "999999999999"), "account", "long_lived_access_keys", (True, 1)),
        (REPORT, "account", "root_access_key", (False, 1)),
        (REPORT.replace("true,false,N/A", "false,true,N/A"), "account", "root_access_key", (True, 2)),
        (REPORT.replace("true,false,N/A", "false,true,N/A"), "account", "root_protected", (False, 2)),
        ({"SummaryMap": {"AccountAccessKeysPresent": 1, "Users": 3}}, "account", "root_access_key", (True, 2)),
        ({"SummaryMap": {"AccountMFAEnabled": 1}}, "account", "root_protected", None),
        (
            {"ok": True, "session_settings": [{**SESSION, "duration": 2592000}]},
            "workspace",
            "session_duration_limited",
            (False, 2),
        ),
        (
            {"ok": True, "session_settings": [{**SESSION, "duration": 28800}]},
            "workspace",
            "session_duration_limited",
            None,
        ),
    ],
)
def test_an_answer_of_a_service_shows_what_is_bad(
    answer: Any, element: str, fact: str, expected: tuple[object, int] | None
) -> None:
    saved("result.json", answer)
    said = reads(rest="workspace: {}\norganization: {}")[1].get((element, fact))
    assert (said and (said.value, said.size)) == expected


def test_import_finds_a_credential_report() -> None:
    saved("credentials.csv", REPORT + CONSOLE)
    assert run("import", ".", "-o", "threatmodel.yaml")[0] == 0
    assert "results: credentials.csv" in Path("threatmodel.yaml").read_text(encoding="utf-8")
