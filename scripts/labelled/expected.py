"""What the label of an application says of the facts of the vocabulary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Label = Mapping[str, Any]
Fact = bool | str
"""What a label says of a fact, where it says something certain: OPEN is what the repository cannot show."""
OPEN = "open"
SURFACES = {"slash-command": "slack-command", "interactivity": "slack-interactivity", "events": "slack-events"}
"""The surfaces of Slack in the words of labels."""
SIGNED = frozenset({"own-hmac", "bolt", "sdk"})
_CREDENTIALS = {"keys": "static-keys", "oidc": "oidc"}


def of_repository(label: Label) -> Mapping[str, Mapping[str, Fact]]:
    """Return what a label says of the facts of the pipeline and of the workspace."""
    row, manifest = label["repository"], label["manifest"]
    sure = {"true": True, "false": False}
    pipeline: dict[str, Fact] = {}
    if word(row["deploy"]) in _CREDENTIALS:
        pipeline["auth"] = _CREDENTIALS[word(row["deploy"])]
    for said, fact in {"actions_pinned": "actions_pinned", "lock_hashes": "dependencies_locked"}.items():
        if word(row[said]) in sure:
            pipeline[fact] = sure[word(row[said])]
    rotation = word(manifest["rotation"]) if manifest != "none" else "none"
    return {"pipeline": pipeline, "workspace": {"token_rotation": sure[rotation]} if rotation in sure else {}}


def is_closed(row: Label) -> bool:
    """Whether the modules of a handler are all there: only then a label says what is not in it."""
    return str(row["closed"]).lower() == "true"


def called_by(label: Label, function: str) -> frozenset[str]:
    """Return who calls the routes of a function."""
    return frozenset(one for route in label["routes"] if route["function"] == function for one in route["callers"])


def expected(row: Label, callers: frozenset[str]) -> dict[str, Fact]:
    """Return what a handler's label says of the facts of the vocabulary.

    A fact of which it says nothing certain is left out; OPEN is one that the repository cannot show.  A number of
    seconds is here whether there is one that limits both past and future.
    """
    said: dict[str, Fact | None] = {
        "logs_redacted": _none_of(row, "logs_request", "logs_signature", "logs_secret"),
        "errors_generic": _none_of(row, "error_text_shown"),
        "calls_language_model": _any_of(row, "calls_model"),
        "posts_given_text": _any_of(row, "posts_given_text"),
        "input_reaches_interpreter": False if _none_of(row, "sql_strings", "shell", "eval") else None,
        "fetches_given_urls": _any_of(row, "fetches_given_urls", "response_url_unchecked"),
    }
    if said["fetches_given_urls"]:
        said["outbound_hosts_fixed"] = False
    elif word(row["verify"]) == "bolt":
        said["fetches_given_urls"] = None  # a framework may post to the response URL, which no label counts
    if row["entry"] == "http":
        said |= _of_requests(row, callers)
    return {fact: value for fact, value in said.items() if value is not None}


def _of_requests(row: Label, callers: frozenset[str]) -> Mapping[str, Fact | None]:
    """Return what a label says of facts that only a function has that requests reach."""
    verify, window = word(row["verify"]), word(row["window"])
    signed = verify in SIGNED
    early = _any_of(row, "effect_before_check")
    said: dict[str, Fact | None] = {
        "verifies_signature": OPEN if verify == "elsewhere" else signed and early is False,
        "compares_in_constant_time": word(row["compare"]) == "constant-time" if signed else None,
        "authorizes_caller": _any_of(row, "allow_list"),
        "handles_installation": "slack-oauth" in callers,
        "binds_installation_state": _any_of(row, "oauth_state_compared"),
    }
    if callers & set(SURFACES.values()):
        said["acknowledges_first"] = _any_of(row, "acknowledges_first")
    if verify not in {"ignored", "elsewhere"} and window != "undecided":
        said["timestamp_tolerance_seconds"] = window == "both"
    return said


def word(value: object) -> str:
    """Return the word of a label's value, without the file and line that show it."""
    return str(value).lower().partition(" ")[0]


def _any_of(row: Label, *facts: str) -> bool | None:
    words = {word(row["facts"][fact]) for fact in facts}
    return True if "true" in words else False if words == {"false"} else None


def _none_of(row: Label, *facts: str) -> bool | None:
    found = _any_of(row, *facts)
    return None if found is None else not found
