"""The labels of public Slack applications have the keys and the words that their head names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

FILES = [Path(__file__).parent / name for name in ("labels.yaml", "labels-2.yaml", "labels-3.yaml")]
APPLICATION = {"commit", "template", "kind", "language", "functions", "routes", "repository", "manifest"}
FUNCTION = {"handler", "entry", "closed", "verify", "window", "compare", "secret", "facts"}
FACTS = {
    "effect_before_check", "logs_request", "logs_signature", "logs_secret", "literal_secret", "error_text_shown",
    "refusal_with_200", "acknowledges_first", "response_url_unchecked", "oauth_state_compared", "drops_retries",
    "allow_list", "sql_strings", "shell", "eval", "calls_model", "fetches_given_urls", "posts_given_text",
}  # fmt: skip
REPOSITORY = {"lock_hashes", "actions_pinned", "deploy", "tests_before_deploy", "codeowners", "updates", "scanner"}
MANIFEST = {"path", "scopes", "rotation", "socket", "join"}
KINDS = {"sam", "cloudformation", "serverless", "terraform", "cdk"}
CALLERS = {"slack-command", "slack-interactivity", "slack-events", "slack-oauth", "person", "other", "undecidable"}
FACT_WORDS = {"true", "false", "sign", "undecided", "none"}
WORDS = {
    "entry": {"http", "not-http"},
    "closed": {"true", "false"},
    "verify": {"own-hmac", "bolt", "sdk", "legacy-token", "none", "ignored", "elsewhere", "not-http"},
    "window": {"none", "one-sided", "both", "undecided"},
    "compare": {"constant-time", "operator", "none", "undecided"},
    "secret": {"parameter", "environment", "ssm", "secrets-manager", "literal", "file", "none", "undecided"},
    "by": {"manifest", "readme", "code", "template", "sign", "nothing"},
    "deploy": {"keys", "oidc", "service", "by-hand", "undecided"},
    "join": {"path", "placeholder", "template", "foreign-host", "none"},
}
PLACE = re.compile(r"[\w./@-]+:[1-9]\d*\Z")
SHOWN = {"true", "sign"}  # words that a line has to show


def labels() -> Mapping[str, Mapping[str, Any]]:
    """Return the labels by repository, each "owner/name"."""
    every = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in FILES]
    found = {name: label for one in every for name, label in one.items() if "commit" in label}
    return cast("Mapping[str, Mapping[str, Any]]", found)


def values(application: Mapping[str, Any]) -> Iterator[tuple[str, set[str], object]]:
    """Yield each value of a label that begins with a word: where it is, the words it may have, and the value."""
    for function, row in application["functions"].items():
        yield from ((f"{function} {key}", WORDS[key], row[key]) for key in FUNCTION & WORDS.keys())
        yield from ((f"{function} {fact}", FACT_WORDS, value) for fact, value in row["facts"].items())
    yield from ((route["route"], WORDS["by"], route["by"]) for route in application["routes"])
    yield from ((key, WORDS.get(key, FACT_WORDS), value) for key, value in application["repository"].items())
    if application["manifest"] != "none":
        rows = application["manifest"]
        yield from ((key, WORDS.get(key, FACT_WORDS), rows[key]) for key in ("rotation", "socket", "join"))


@pytest.mark.parametrize("name", labels())
def test_application_has_every_key(name: str) -> None:
    application = labels()[name]
    assert re.fullmatch(r"[\w.-]+/[\w.-]+", name)
    assert APPLICATION <= application.keys() <= APPLICATION | {"other_commits", "notes"}
    assert all(
        re.fullmatch("[0-9a-f]{40}|none", commit)
        for commit in (application["commit"], *application.get("other_commits", {}).values())
    )
    assert application["kind"] in KINDS
    assert application["repository"].keys() == REPOSITORY
    assert application["manifest"] == "none" or application["manifest"].keys() == MANIFEST
    for row in application["functions"].values():
        assert FUNCTION <= row.keys() <= FUNCTION | {"note"}
        assert row["facts"].keys() == FACTS
        assert (row["entry"] == "not-http") == row["verify"].startswith("not-http")


@pytest.mark.parametrize("name", labels())
def test_values_have_allowed_words_and_lines_where_needed(name: str) -> None:
    for place, words, value in values(labels()[name]):
        word, _, line = (str(value).lower() if isinstance(value, bool) else str(value)).partition(" ")
        assert word in words, place
        assert not line or PLACE.match(line), place
        assert line or word not in SHOWN or place.endswith(" closed"), f"{place}: the line that shows it is missing"


@pytest.mark.parametrize("name", labels())
def test_route_names_a_function_and_known_callers(name: str) -> None:
    application = labels()[name]
    for route in application["routes"]:
        assert route.keys() == {"route", "function", "callers", "by"}
        assert application["functions"][route["function"]]["entry"] == "http"
        assert route["callers"]
        assert set(route["callers"]) <= CALLERS
        assert (route["by"] == "nothing") == (route["callers"] == ["undecidable"])
