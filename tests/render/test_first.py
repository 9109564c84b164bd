"""The first page: what it says alone, and that no terminal tears it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.report_pages import default_assessment
from tests.support import HOME, assessed, control, evidence, library_of, threat
from threatmodel.assessment.assessed import Assessment
from threatmodel.library.load import load_library
from threatmodel.render.first import first_page
from threatmodel.render.summary import summary_text


@pytest.fixture
def default() -> Assessment:
    return default_assessment()


def bot(folder: Path, facts: str, more: str = "", *, name: str = "x", found: bool = False) -> Assessment:
    library = library_of(
        folder,
        threat("forged", "{sign: {stops: it does}, log: hinders}", extra="comes: first"),
        threat("bad", "{good: {stops: it does}}", impact=3),
        control("sign", "target.verifies_signature", extra="do: Verify it"),
        control("good", "target.validates_input", extra="do: Check it"),
        control("log", "target.logs_redacted", extra="do: Log it"),
    )
    functions = f"functions: {{f: {{triggers: [{{slack: events}}]{facts}}}}}\n"
    model = f"name: {name}\nowner: team-a\napis: {{api: {{}}}}\n{functions}"
    said = evidence(f={"validates_input": True, "verifies_signature": True}) if found else None
    return assessed(folder, model + more, library, said)


def test_it_says_whether_it_is_safe_what_to_do_who_does_it_and_what_is_only_claimed(tmp_path: Path) -> None:
    text = summary_text(bot(tmp_path, ", verifies_signature: false, validates_input: true"), [])
    flat = text.replace("\n", " ")
    assert (
        "ABOVE THE ACCEPTED RISK LEVEL 1 of 2 findings is above the accepted level (low): 1 confirmed (1 critical); "
        in flat
    )
    assert "the check fails: 1 finding at high and above." in flat
    first = text.partition("DO THESE FIRST")[2]
    assert "1 Verify it (f)\n   missing, and the endpoint is public: found verifies_signature: false," in first
    assert re.search(
        r"foundverifies_signature:false,\S+:4owner:team-a", re.sub(r"\s", "", first)
    )  # long paths are folded
    assert "owner: team-a · as claimed: closes 1 finding; as proven: 1 from critical to low" in " ".join(first.split())
    assert "evidence: tm probe" in " ".join(first.split())
    assert "CLAIMS TO VERIFY FIRST" in first
    assert "good is in place (f): 1 of the 1 findings relies on this claim (up to high)" in " ".join(first.split())


def test_an_unknown_control_is_shown_with_its_question(tmp_path: Path) -> None:
    text = summary_text(bot(tmp_path, ""), [])
    flat = text.replace("\n", " ")
    assert "UNDETERMINED 2 of 2 findings are above the accepted level (low): " in flat
    assert "unknown, and the endpoint is public: verifies_signature" in text
    assert "2 depend on 2 open questions (up to critical)" in flat


def test_a_proven_system_says_so_and_has_nothing_to_do(tmp_path: Path) -> None:
    text = summary_text(bot(tmp_path, "", found=True), [])
    assert "All of 2 findings are within the accepted level (low) as proven; the check passes" in text.replace(
        "\n", " "
    )
    assert "NOTHING TO DO" in text
    assert "rank higher" not in text


def test_its_numbers_are_those_of_the_assessment(default: Assessment) -> None:
    page = first_page(default)
    every = default.findings
    for counts, cell in ((page.claimed, "claimed"), (page.proven, "proven")):
        assert dict(counts) == {band: sum(getattr(f, cell).band == band for f in every) for band, _ in counts}
    assert page.questions == len({question.source for question in default.questions})


@pytest.mark.parametrize("width", [32, 40, 80, 100])
def test_no_line_is_wider_than_the_terminal(tmp_path: Path, default: Assessment, width: int) -> None:
    long = bot(tmp_path, ", verifies_signature: false", name="'" + "a long title " * 8 + "\u202e'")
    for assessment in (default, long):
        lines = summary_text(assessment, [], width).split("\n")
        assert max(len(line) for line in lines) <= width


@pytest.mark.slow
def test_two_thousand_findings_are_a_page_still(tmp_path: Path) -> None:
    functions = "".join(f"  f-{n}: {{triggers: [{{slack: slash-command}}]}}\n" for n in range(120))
    library = load_library(HOME / "threatlib")
    assessment = assessed(tmp_path, f"name: x\napis: {{api: {{kind: http}}}}\nfunctions:\n{functions}", library)
    assert len(assessment.findings) > 2000
    assert len(summary_text(assessment, []).split("\n")) < 60
