"""Saved answers of AWS and Slack about an account or a workspace, as results: what each shows to be bad, or states.

AWS's answers are those of ``aws iam get-account-summary`` and ``get-credential-report`` (as JSON, or its CSV alone);
Slack's are of ``admin.users.session.getSettings``.  The answers have no secrets, and names of people, which are not
read.
"""

from __future__ import annotations

import base64
import csv
import datetime
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from threatmodel.beside.results.values import Finding, Results, rows, table, text
from threatmodel.reading.times import time_of

_HEADER = "user,arn,user_creation_time,"
_ROOT = "<root_account>"
_IDLE = datetime.timedelta(days=45)
_DAY = 24 * 60 * 60
_ACCOUNT = re.compile(r"arn:[\w-]+:iam::(\d{12}):")


def parsed(source: str) -> Any:
    """Return JSON, or a credential report in CSV in the form that AWS has it in JSON.

    Raises ValueError, also where a key is there twice: no tool writes that, and one of the two is hidden.
    """
    source = source.lstrip("\ufeff")
    if source.startswith(_HEADER):
        return {"ReportFormat": "text/csv", "Content": source}
    return json.loads(source, object_pairs_hook=_once)


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is there twice")
    return found


def summary(raw: Mapping[str, Any]) -> Results:
    """Return what AWS's summary of an account says of its root user."""
    counts = table(raw.get("SummaryMap"))
    known = (("root-access-key", "AccountAccessKeysPresent", 0), ("root-without-mfa", "AccountMFAEnabled", 1))
    return Results(
        tool="aws",
        findings=[
            Finding(rule, f"SummaryMap.{key}", passed=counts[key] == good)
            for rule, key, good in known
            if counts.get(key) in (0, 1)
        ],
    )


def credentials(raw: Mapping[str, Any]) -> Results:
    """Return what a credential report says of the users of an account."""
    content = raw.get("Content")
    made = time_of(raw.get("GeneratedTime"))
    every = list(_users(content if isinstance(content, str) else ""))
    found = [one for at, user in enumerate(every) for one in _user(user, f"user {at + 1}", made)]
    root = any(user.get("user") == _ROOT for user in every)
    missing = {"console-password", "active-access-key"} - {one.rule for one in found} if root else set()
    accounts = {match[1] for user in every if (match := _ACCOUNT.match(text(user.get("arn"))))}
    doubts = [] if root else ["it has no row of the root user: it was edited or cut short"]
    doubts += ["it has users of several accounts"] if len(accounts) > 1 else []
    return Results(
        tool="aws",
        findings=[*found, *(Finding(rule, "", passed=True) for rule in sorted(missing))],
        doubts=doubts,
        made=made,
        account=next(iter(accounts), "") if len(accounts) == 1 else "",
    )


def _users(content: str) -> Iterator[Mapping[str, Any]]:
    """Yield the rows of a report; none where it cannot be read."""
    try:
        if not content.startswith(_HEADER):
            content = base64.b64decode(content, validate=True).decode()
        yield from csv.DictReader(io.StringIO(content))
    except (ValueError, csv.Error):
        return


def _user(user: Mapping[str, Any], part: str, made: datetime.datetime | None) -> Iterator[Finding]:
    """Yield what is bad of a user, and of the root user what is good."""
    keys = "true" in {user.get("access_key_1_active"), user.get("access_key_2_active")}
    if user.get("user") == _ROOT:
        yield Finding("root-access-key", part, passed=not keys)
        if user.get("mfa_active") == "false" and user.get("password_enabled") != "false":
            yield Finding("root-without-mfa", part)
        return
    password = user.get("password_enabled") == "true"
    if keys:
        yield Finding("active-access-key", part)
    if password:
        yield Finding("console-password", part)
    if password and user.get("mfa_active") == "false":
        yield Finding("console-password-without-mfa", part)
    used = time_of(user.get("password_last_used"))
    if password and made is not None and used is not None and made - used > _IDLE:
        yield Finding("idle-password", part)


def sessions(raw: Mapping[str, Any]) -> Results:
    """Return which sessions of Slack last longer than a day."""
    settings: Sequence[Mapping[str, Any]] = rows(raw.get("session_settings"))
    long = (at for at, one in enumerate(settings) if isinstance(one.get("duration"), int) and one["duration"] > _DAY)
    return Results(tool="slack", findings=[Finding("long-session", f"session_settings[{at}]") for at in long])
