"""How applications are counted against their labels, with made-up labels and findings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from scripts.beside import LABELS, PAGE, denied, tables, verdicts
from scripts.labelled.applications import (
    ASKED,
    NO_ROUTE,
    NOT_SLACK,
    Found,
    Measured,
    caller_verdict,
    compared,
    fact_verdict,
    labels,
    measured,
)
from scripts.labelled.expected import expected

FACTS = dict.fromkeys(
    next(iter(labels(LABELS[0])["neagle/serverless-slackbot-starter"]["functions"].values()))["facts"], False
)
COMMAND, FORM = ["slack-command"], ["slack-command", "slack-interactivity"]


def handler(verify: str, *, window: str = "none", compare: str = "none", **facts: Any) -> dict[str, Any]:
    return {
        "entry": "http",
        "closed": True,
        "verify": f"{verify} app.py:4",
        "window": window,
        "compare": compare,
        "facts": FACTS | {"oauth_state_compared": "none"} | facts,
    }


def label(**functions: Mapping[str, Any]) -> dict[str, Any]:
    routes = [{"route": f"POST /{name}", "function": name, "callers": COMMAND, "by": "readme"} for name in functions]
    repository = {"deploy": "by-hand", "actions_pinned": "none", "lock_hashes": "none"}
    told = {"template": "template.yaml", "functions": functions, "routes": routes}
    return told | {"kind": "sam", "repository": repository, "manifest": "none"}


def found(*, forged: frozenset[str] = frozenset(), **facts: Mapping[str, tuple[object, bool]]) -> Found:
    callers = {name: {f"POST /{name}": "slack-command"} for name in facts}
    return Found(callers, facts, forged | {"token"}, forged, questions=3, prompts=4, asked=9)


@pytest.mark.parametrize(
    ("callers", "said", "verdict"),
    [
        (COMMAND, "slack-command", "right"),
        (FORM, "slack-interactivity", "right"),
        (FORM, "slack-command, slack-interactivity", "right"),
        (COMMAND, "slack-command, slack-interactivity", "wrong"),
        (COMMAND, "slack-events", "wrong"),
        (COMMAND, NOT_SLACK, "wrong"),
        (COMMAND, ASKED, "asked"),
        (COMMAND, NO_ROUTE, "asked"),
        (["person", "slack-oauth"], NOT_SLACK, "right"),
        (["person"], "slack-command", "wrong"),
        (["undecidable"], ASKED, "right"),
    ],
)
def test_caller_of_a_route(callers: list[str], said: str, verdict: str) -> None:
    assert caller_verdict(callers, said) == verdict


def test_label_says_what_facts_to_expect() -> None:
    sound = expected(
        handler("own-hmac", window="both", compare="constant-time", logs_request="sign app.py:9"), frozenset(COMMAND)
    )
    assert sound["verifies_signature"]
    assert sound["timestamp_tolerance_seconds"]
    assert sound["compares_in_constant_time"]
    assert sound["acknowledges_first"] is False
    assert not sound.keys() & {"logs_redacted", "binds_installation_state", "outbound_hosts_fixed"}
    early = expected(
        handler("bolt", effect_before_check="true app.py:3", response_url_unchecked="true app.py:8"), frozenset()
    )
    assert early["verifies_signature"] is False
    assert early["outbound_hosts_fixed"] is False
    assert "acknowledges_first" not in early
    elsewhere = expected(handler("elsewhere", window="undecided"), frozenset())
    assert elsewhere["verifies_signature"] == "open"
    assert not elsewhere.keys() & {"timestamp_tolerance_seconds", "compares_in_constant_time"}
    assert [fact_verdict("open", said) for said in (ASKED, False)] == ["right", "wrong"]


def test_judgments_and_findings_are_counted() -> None:
    said = label(
        sound=handler("own-hmac", window="both", compare="constant-time"),
        bare=handler("none", logs_request="true app.py:5"),
        token=handler("legacy-token"),
    )
    proven, stated = True, False
    result = compared(
        "we/us",
        said,
        found(
            forged=frozenset({"bare"}),
            sound={"verifies_signature": (False, proven), "timestamp_tolerance_seconds": (300, stated)},
            bare={
                "verifies_signature": (False, proven),
                "logs_redacted": (False, proven),
                "timestamp_tolerance_seconds": (None, proven),
            },
            token={"verifies_signature": (False, stated), "posts_given_text": (True, stated)},
        ),
    )
    assert verdicts(result.callers) == {"right": 3}
    wrong = {(one.of, one.what) for one in result.facts if one.verdict == "wrong"}
    assert wrong == {("sound", "verifies_signature"), ("token", "posts_given_text")}
    right = {(one.of, one.what) for one in result.facts if one.verdict == "right"}
    assert right == {
        ("sound", "timestamp_tolerance_seconds"),
        ("bare", "verifies_signature"),
        ("bare", "logs_redacted"),
        ("bare", "timestamp_tolerance_seconds"),
        ("token", "verifies_signature"),
    }
    assert denied([result]) == ["we/us sound"]
    text = tables([result, Measured("we/other", label(), "there is no template")])
    assert "2 applications, 1 of which have a file that import reads." in text
    assert "| verify nothing | 1 | 1 (100 %) | 1 (100 %) | 1 (100 %) |" in text
    assert "| verify the legacy token alone | 1 | 0 (0 %) | 1 (100 %) | 0 (0 %) |" in text
    assert "| we/us | 3 / 0 / 0 | 5 / " in text
    assert "| 3 | 4 | 9 |" in text
    assert "- we/us: `posts_given_text` of `token` is labeled False and found True" in text
    assert "- we/other: not imported: there is no template" in text


def test_facts_of_the_repository_are_counted() -> None:
    said = label()
    said["repository"] = {"deploy": "keys ci.yml:9", "actions_pinned": "false ci.yml:3", "lock_hashes": "undecided"}
    said["manifest"] = {"rotation": "true manifest.json:8"}
    read = found(pipeline={"auth": ("oidc", True)}, workspace={"token_rotation": (True, False)})
    assert [(one.what, one.verdict) for one in compared("we/us", said, read).facts] == [
        ("auth", "wrong"),
        ("actions_pinned", "asked"),
        ("token_rotation", "right"),
    ]


def test_handler_with_modules_that_are_missing_is_not_judged() -> None:
    row = handler("none") | {"closed": False}
    assert not compared("we/us", label(bare=row), found(bare={"verifies_signature": (True, True)})).facts


def test_applications_are_imported_as_folders(tmp_path: Path) -> None:
    """Names of the Serverless Framework are those of its file; what no import reads has the reason."""
    shop, none = tmp_path / "we__slack-shop", tmp_path / "we__none"
    shop.mkdir()
    none.mkdir()
    (shop / "serverless.yml").write_text(
        "service: slack-shop\nprovider: {name: aws, runtime: nodejs20.x}\n"
        "functions:\n  take-order:\n    handler: app.run\n    events: [{http: {path: slack/orders, method: post}}]\n"
    )
    (none / "main.py").write_text("")
    said = label(**{"take-order": handler("none")}) | {"kind": "serverless"}
    said["routes"][0]["route"] = "POST /slack/orders"
    one, other = measured(tmp_path, {"we/slack-shop": said, "we/none": label(), "we/absent": label()})
    assert [(judged.found, judged.verdict) for judged in one.callers] == [(ASKED, "asked")]
    assert one.found is not None
    assert one.found.questions
    assert one.found.prompts >= one.found.questions
    assert other.found is None
    assert other.problem


def test_what_a_cdk_app_made_is_imported(tmp_path: Path) -> None:
    out = tmp_path / "we__slack-shop" / "cdk.out"
    out.mkdir(parents=True)
    properties = {"Runtime": "nodejs20.x", "Handler": "index.handler", "Code": {"ZipFile": "x"}, "Role": "r"}
    function = {"Type": "AWS::Lambda::Function", "Properties": properties}
    (out / "Shop.template.json").write_text(json.dumps({"Resources": {"Orders1A2B3C4D": function}}))
    said = label(Orders=handler("none")) | {"kind": "cdk", "template": "lib/shop.ts"}
    (one,) = measured(tmp_path, {"we/slack-shop": said})
    assert one.found is not None
    assert "Orders" in one.found.facts


def test_page_has_the_part_that_the_script_writes() -> None:
    assert "<!-- applications: written by scripts/beside.py -->" in PAGE.read_text(encoding="utf-8")
