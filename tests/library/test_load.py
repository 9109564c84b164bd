"""Loading libraries: what a broken library file says, and what is refused."""

# ruff: noqa: E501 - a case on one line is read as one

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.refusals import marked, places_in, problems_of, write
from tests.support import ARTICLE
from threatmodel.library.load import load_library

Golden = Callable[[str, str], None]

THREAT = """\
id: forgery
title: Anyone can pose as Slack
scenario: exploited-vulnerability
targets: [function]
applies: target.slack_facing
stride: [spoofing]
likelihood: 5
impact: 4
why: The endpoint is public.
controls:
  signing: {stops: a forger lacks the secret}
maps: {cwe: [CWE-345]}
references: [https://example.org/]
examples:
  applies: [{slack_facing: true}]
  does_not_apply: [{slack_facing: false}]
  undetermined: [{}]
"""

CONTROL = """\
id: signing
title: The handler verifies Slack's signature
mitigation: best-practices
kind: preventive
owner: application team
scope: function
in_place: target.verifies_signature and target.timestamp_tolerance_seconds <= 300
why: It proves who sent the request.
how: {summary: Verify the signature.}
maps: {nist_800_53: [IA-9]}
references: [https://example.org/]
examples:
  in_place: [{verifies_signature: true, timestamp_tolerance_seconds: 300}]
  not_in_place:
    - {verifies_signature: false, timestamp_tolerance_seconds: 300}
    - {verifies_signature: true, timestamp_tolerance_seconds: 301}
  unknown: [{}]
"""

FORGERY = "lib/threats/exploited-vulnerability/forgery.yaml"
SIGNING = "lib/controls/best-practices/signing.yaml"
GOOD = {"lib/article.yaml": ARTICLE, FORGERY: THREAT, SIGNING: CONTROL}

APPLIES = "applies: target.slack_facing"
IN_PLACE = "in_place: target.verifies_signature and target.timestamp_tolerance_seconds <= 300"

BROKEN = {
    # what moves the numbers
    "move-that-moves-nothing": (
        FORGERY,
        "impact: 4\n",
        "impact: 4\nraises:\n  - §{if: target.in_vpc, impact: 3, because: why}\n",
    ),
    "move-without-a-number": (FORGERY, "impact: 4\n", "impact: 4\nlowers:\n  - §{if: target.in_vpc, because: why}\n"),
    "move-unpinned": (
        FORGERY,
        "impact: 4\n",
        "impact: 4\nraises: [{if: target.in_vpc, impact: 5, because: why}]\n",
    ),
    # conditions
    "condition-typo": (FORGERY, APPLIES, "applies: target.§slack_facng"),
    "condition-wrong-type": (SIGNING, IN_PLACE, "in_place: target.verifies_signature == §'yes'"),
    "condition-number-outside": (SIGNING, IN_PLACE, "in_place: target.timestamp_tolerance_seconds <= §2000000"),
    "condition-not-a-flag": (FORGERY, APPLIES, "applies: target.slack_facing and §target.runtime"),
    "condition-unknown-word": (FORGERY, APPLIES, "applies: target.code_signing == §'enforced'"),
    "condition-call": (FORGERY, APPLIES, "applies: §open('/etc/passwd')"),
    "condition-dunder": (FORGERY, APPLIES, "applies: target.§__class__"),
    "condition-deep-attribute": (FORGERY, APPLIES, "applies: §target.slack_facing.real"),
    "condition-chain": (SIGNING, IN_PLACE, "in_place: §0 < target.timestamp_tolerance_seconds < 300"),
    "condition-constant-first": (SIGNING, IN_PLACE, "in_place: §300 > target.timestamp_tolerance_seconds"),
    "condition-is": (SIGNING, IN_PLACE, "in_place: §target.timestamp_tolerance_seconds is None"),
    "condition-null": (SIGNING, IN_PLACE, "in_place: target.timestamp_tolerance_seconds == §null"),
    "condition-in-text": (FORGERY, APPLIES, "applies: target.code_signing in §'warn'"),
    "condition-unordered": (FORGERY, APPLIES, "applies: target.code_signing >= §'warn'"),
    "condition-comment": (FORGERY, APPLIES, "applies: 'target.slack_facing §# always'"),
    "condition-unicode": (FORGERY, APPLIES, "applies: target.§\uff53lack_facing"),
    "condition-syntax": (FORGERY, APPLIES, "applies: target.slack_facing or§"),
    "condition-too-long": (FORGERY, APPLIES, "applies: §" + " or ".join(["target.slack_facing"] * 20)),
    "condition-on-two-lines": (FORGERY, APPLIES, "applies: §|\n  target.slack_facing\n  or target.in_vpc"),
    "condition-folded": (FORGERY, APPLIES, "applies: §>-\n  target.slack_facing\n  or target.runtime"),
    "condition-quoted": (FORGERY, APPLIES, 'applies: "target.§slack_facng"'),
    # examples
    "wrong-example": (FORGERY, "  does_not_apply: [{slack_facing: false}]", "  does_not_apply: [§{slack_facing: true}]"),
    "unpinned-bound": (SIGNING, "{verifies_signature: true, timestamp_tolerance_seconds: 300}", "{verifies_signature: true, timestamp_tolerance_seconds: 299}"),
    "example-of-unknown-fact": (FORGERY, "applies: [{slack_facing: true}]", "applies: [{§slak_facing: true}]"),
    "example-of-wrong-type": (FORGERY, "applies: [{slack_facing: true}]", "applies: [{slack_facing: §maybe}]"),
    "no-examples": (SIGNING, CONTROL[CONTROL.index("examples:") :], ""),
    # files
    "wrong-id": (FORGERY, "id: forgery", "id: §forgrey"),
    "wrong-folder": (FORGERY, "scenario: exploited-vulnerability", "scenario: §malicious-code"),
    "unknown-scenario": (FORGERY, "scenario: exploited-vulnerability", "scenario: §exploited"),
    "missing-keys": (FORGERY, "likelihood: 5\nimpact: 4\n", ""),
    "unknown-map": (FORGERY, "maps: {cwe: [CWE-345]}", "maps: {cwe: [§345, §CWE-x], §cew: [CWE-1]}"),
    "no-web-address": (FORGERY, "[https://example.org/]", "[§http://example.org/, §'javascript:alert(1)']"),
    # links
    "stops-without-because": (FORGERY, "{stops: a forger lacks the secret}", "§stops"),
    "unknown-effect": (FORGERY, "{stops: a forger lacks the secret}", "§prevents"),
    "two-effects": (FORGERY, "{stops: a forger lacks the secret}", "§{stops: a, detects: b}"),
    "effect-and-no-effect": (FORGERY, "{stops: a forger lacks the secret}", "§{if: target.in_vpc}"),
    "effect-under-a-contradiction": (FORGERY, "{stops: a forger lacks the secret}", "{stops: a, if: §not target.slack_facing and target.in_vpc}"),
    "effect-under-no-condition": (FORGERY, "{stops: a forger lacks the secret}", "{stops: a, if: §target.slack_facing or target.in_vpc}"),
    "effect-unpinned": (FORGERY, "{stops: a forger lacks the secret}", "{stops: a, if: target.in_vpc}"),
    "effect-typo": (FORGERY, "{stops: a forger lacks the secret}", "{stops: a, if: target.§in_vcp}"),
    "effect-is-a-list": (FORGERY, "{stops: a forger lacks the secret}", "§[stops]"),
}  # fmt: skip
"""One file of a good library with one thing changed."""

ELSEWHERE = {
    "move-unpinned": "15:1",
    "effect-unpinned": "14:1",
    "unpinned-bound": "12:1",
    "no-examples": "1:1",
    "missing-keys": "1:1",
}
"""Where the problem stands of cases that cannot hold a mark there."""


@pytest.fixture(autouse=True)
def _in_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def library(**_: str) -> None:
    for name, text in GOOD.items():
        write(name, text)


@pytest.mark.parametrize("name", BROKEN)
def test_broken_library(name: str, golden: Golden) -> None:
    library()
    file, old, new = BROKEN[name]
    assert GOOD[file].count(old) == 1
    text, places = marked(GOOD[file].replace(old, new))
    write(file, text)
    said = problems_of(lambda files: load_library(Path("lib"), files))
    assert sorted(set(places_in(said, file))) == sorted(places or [ELSEWHERE[name]])
    golden(f"bad-input/library-{name}.txt", said)


def test_good_library_loads() -> None:
    library()
    found = load_library(Path("lib"))
    assert (list(found.threats), list(found.controls)) == (["forgery"], ["signing"])


def test_stray_files(golden: Golden) -> None:
    library()
    for name in (
        "README.md",
        "threats/forgery.yaml",
        "threats/malicious-code/more/deep.yaml",
        "threats/malicious-code/a.yml",
    ):
        write(f"lib/{name}", "id: x\n")
    write("lib/threats/.DS_Store", b"\0")
    golden("bad-input/library-stray-files.txt", problems_of(lambda files: load_library(Path("lib"), files)))


def test_hidden_library_file_is_no_litter() -> None:
    library()
    write("lib/threats/malicious-code/.hidden.yml", "id: x\n")
    assert "stray-file" in problems_of(lambda files: load_library(Path("lib"), files))


def test_one_id_in_two_folders(golden: Golden) -> None:
    library()
    write(
        "lib/threats/malicious-code/forgery.yaml",
        THREAT.replace("scenario: exploited-vulnerability", "scenario: malicious-code"),
    )
    write("lib/controls/code-review/signing.yaml", CONTROL.replace("best-practices", "code-review"))
    golden("bad-input/library-one-id-in-two-folders.txt", problems_of(lambda files: load_library(Path("lib"), files)))


@pytest.mark.parametrize("missing", ["lib/article.yaml", FORGERY, SIGNING])
def test_half_a_library_is_none(missing: str) -> None:
    library()
    Path(missing).unlink()
    assert problems_of(lambda files: load_library(Path("lib"), files))


def test_empty_library(golden: Golden) -> None:
    write("lib/article.yaml", ARTICLE)
    golden("bad-input/library-empty.txt", problems_of(lambda files: load_library(Path("lib"), files)))


def test_missing_library(golden: Golden) -> None:
    golden("bad-input/library-missing.txt", problems_of(lambda files: load_library(Path("lib"), files)))


def test_article_must_name_all_its_parts(golden: Golden) -> None:
    library()
    write("lib/article.yaml", ARTICLE.replace("  stolen-access-keys:", "  stolen-keys:"))
    golden("bad-input/library-article.txt", problems_of(lambda files: load_library(Path("lib"), files)))


def test_problems_of_all_files_are_shown_at_once() -> None:
    library()
    write(FORGERY, THREAT.replace("impact: 4", "impact: 6"))
    write(SIGNING, CONTROL.replace("kind: preventive", "kind: preventative"))
    said = problems_of(lambda files: load_library(Path("lib"), files))
    assert (said.count(f"{FORGERY}:8:9: wrong-type"), said.count(f"{SIGNING}:4:7: unknown-word")) == (1, 1)


LAYERED = {
    "off-unknown": ("library.yaml", "off: {threats: {§forgrey: we have none}, controls: {§sining: elsewhere}}\n"),
    "off-required": ("library.yaml", "off: {controls: {§signing: the gateway does it}}\n"),
    "layer-with-an-article": ("article.yaml", ARTICLE),
}
"""One file of a team's library on top of a good one."""


@pytest.mark.parametrize("name", LAYERED)
def test_broken_layer(name: str, golden: Golden) -> None:
    library()
    window = CONTROL.replace("id: signing", "id: window").replace("scope:", "requires: [signing]\nscope:")
    write("lib/controls/best-practices/window.yaml", window)
    write(FORGERY, THREAT.replace("controls:\n", "controls:\n  window: hinders\n"))
    file, marked_text = LAYERED[name]
    text, places = marked(marked_text)
    write(f"team/{file}", text)
    said = problems_of(lambda files: load_library(Path("lib"), files, [Path("team")]))
    assert places_in(said, f"team/{file}") == places
    golden(f"bad-input/library-{name}.txt", said)
