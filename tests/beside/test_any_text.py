"""No text that a pull request can hold makes a reader of what is beside a template fail in another way than it says."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from threatmodel.beside.repository.checkout import checkout
from threatmodel.beside.repository.files import LOCKS, MANIFESTS
from threatmodel.beside.repository.host import answers
from threatmodel.beside.slack_manifest import manifest
from threatmodel.beside.urls import Route, address, join
from threatmodel.reading.problems import InputError

KEYS = (
    *("on", "jobs", "a", "steps", "uses", "run", "with", "env", "permissions", "id-token", "container", "image", "if"),
    *("services", "needs", "environment", "name", "extends", "script", "include", "default", "id_tokens", "variables"),
    *(
        "display_information",
        "settings",
        "features",
        "slash_commands",
        "url",
        "oauth_config",
        "scopes",
        "redirect_urls",
    ),
    *(
        "enforcement",
        "rules",
        "type",
        "parameters",
        "conditions",
        "ref_name",
        "bypass_actors",
        "id",
        "source",
        "_links",
    ),
    *("enforce_admins", "environments", "total_count", "protection_rules", "full_name", "default_branch", "packages"),
    *("dependencies", "tool", "poetry", "_meta", "default", "runs", "using", "ruleset_id", "security_and_analysis"),
)
WORDS = st.sampled_from((
    *("pull_request_target", "write", "actions/checkout@v4", "composite", "${{ secrets.A }}", "sam deploy"),
    *("https://<h>/a", "${b}", "<x>", "", "1", "a || true; b", "cat <<A", "'", '"', "\\", "&&", "tofu apply"),
))  # fmt: skip
PLAIN = st.one_of(st.none(), st.booleans(), st.integers(-9, 9), WORDS)
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(KEYS), inner, max_size=5)),
    max_leaves=25,
)
NAMES = (
    ".github/workflows/a.yml",
    ".github/actions/a/action.yml",
    ".gitlab-ci.yml",
    *sorted(LOCKS),
    *sorted(MANIFESTS),
)


@settings(max_examples=150, deadline=None)
@given(VALUES, st.sampled_from(NAMES))
def test_a_checkout_is_read_whatever_its_files_hold(value: Any, name: str) -> None:
    found = checkout({name: json.dumps(value)}, lambda path: path)
    assert all(one.place.file == name for one in found.sightings)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200), st.sampled_from((*NAMES, "requirements.txt")))
def test_a_checkout_is_read_whatever_its_texts_are(text: str, name: str) -> None:
    checkout({name: text}, lambda path: path)


@settings(max_examples=150, deadline=None)
@given(VALUES)
def test_a_manifest_and_answers_are_read_or_said_to_be_none(value: Any) -> None:
    text = json.dumps(value)
    with contextlib.suppress(InputError):
        manifest(text, "m.json")
    with contextlib.suppress(InputError):
        answers(text, "h.json")
    with contextlib.suppress(InputError):
        answers(f"HTTP/2.0 200 OK\nDate: Sun, 29 Nov 2026 10:00:00 GMT\n\n{text}\n", "h.txt")


@settings(max_examples=200, deadline=None)
@given(st.text("<>${}/:.#?a-b{}+ ", max_size=30), st.lists(st.text("/{}+ab$", max_size=12), max_size=4))
def test_an_address_means_one_route_or_says_why_not(text: str, paths: list[str]) -> None:
    found = address(text)
    if found is not None:
        joined = join(found, [Route(path, path) for path in paths])
        assert (joined.how in {"path", "only"}) <= (len(joined.keys) == 1)
