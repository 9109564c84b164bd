"""Libraries on top of each other: what a team adds, replaces and switches off, and that every page says so."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from tests.support import ARTICLE, HOME, assessed, check_lines, control, threat
from threatmodel.library.entries import Library
from threatmodel.library.load import load_library
from threatmodel.reading.files import Files
from threatmodel.reading.problems import InputError, shown
from threatmodel.render.contract.assessment import contract
from threatmodel.render.report.report import report
from threatmodel.render.summary import summary_text

MODEL = "name: x\napis: {api: {}}\nfunctions: {bot: {triggers: [{slack: events}], validates_input: true}}\n"


def written(folder: Path, *items: tuple[str, str], **files: str) -> Path:
    """A folder with threats and controls in their places, and files by name (without their ending)."""
    for name, text in (*items, *((f"{name}.yaml", textwrap.dedent(text)) for name, text in files.items())):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return written(
        tmp_path / "base",
        threat("bad", "{good: {stops: it does}, log: hinders}"),
        threat("sad", "{log: hinders}"),
        control("good", "target.validates_input"),
        control("log", "target.logs_redacted"),
        article=ARTICLE,
    )


def problems(base: Path, *layers: Path) -> list[tuple[str, str]]:
    with pytest.raises(InputError) as caught:
        load_library(base, Files(), layers)
    return [(problem.code, problem.message) for problem in caught.value.problems]


def test_a_layer_may_be_empty_where_it_says_that_it_is_one(base: Path, tmp_path: Path) -> None:
    team = written(tmp_path / "team", library="name: Payments team\n")
    library = load_library(base, layers=[team])
    assert (set(library.threats), library.layers) == ({"bad", "sad"}, (str(team),))
    (code, message), *others = problems(base, tmp_path / "other")
    assert (code, message, others) == ("empty-library", "this folder does not exist", [])


def test_a_link_out_of_a_layer_shows_no_line_of_a_foreign_file(base: Path, tmp_path: Path) -> None:
    team = written(tmp_path / "team", library="name: Payments team\n")
    (tmp_path / "foreign").write_text("key: hidden-words: x\n", encoding="utf-8")
    (team / "threats" / "malicious-code").mkdir(parents=True)
    (team / "threats" / "malicious-code" / "foreign.yaml").symlink_to(tmp_path / "foreign")
    files = Files()
    with pytest.raises(InputError) as caught:
        load_library(base, files, [team])
    assert [problem.code for problem in caught.value.problems] == ["outside-project"]
    assert "hidden-words" not in shown(caught.value.problems, files.read)


def test_a_text_in_memory_is_a_threat_of_a_layer(base: Path, tmp_path: Path) -> None:
    name, text = threat("own", "{log: hinders}")
    library = load_library(base, Files(texts={tmp_path / "team" / name: text}), [tmp_path / "team"])
    assert set(library.threats) == {"bad", "sad", "own"}


def test_a_team_adds_a_threat_and_a_control(base: Path, tmp_path: Path) -> None:
    team = written(
        tmp_path / "team",
        threat("own", "{own-control: {stops: it does}, good: hinders}"),
        control("own-control", "target.errors_generic"),
    )
    library = load_library(base, layers=[team])
    assert set(library.threats) == {"bad", "sad", "own"}
    assert set(library.controls) == {"good", "log", "own-control"}
    assert (library.off, library.replaced) == ((), ())


def test_a_layer_that_is_named_twice_counts_once(base: Path, tmp_path: Path) -> None:
    team = written(tmp_path / "team", threat("ours", "{log: hinders}"))
    (tmp_path / "link").symlink_to(team)
    library = load_library(base, layers=[team, tmp_path / "team", tmp_path / "link"])
    assert (set(library.threats), len(library.layers)) == ({"bad", "sad", "ours"}, 1)


def test_the_layer_on_top_replaces_by_id_and_says_of_what(base: Path, tmp_path: Path) -> None:
    team = written(tmp_path / "team", threat("bad", "{good: {stops: it does}}", impact=2))
    top = written(tmp_path / "top", threat("bad", "{good: {stops: it does}}", impact=3))
    library = load_library(base, layers=[team, top])
    assert library.threats["bad"].impact == 3
    found = [(item.part, item.id, Path(item.of.file).parts[-4]) for item in library.replaced]
    assert found == [("threat", "bad", "base"), ("threat", "bad", "team")]


LAXER = (
    ("likelihood 5 made 4", threat("bad", "{good: {stops: it does}}", likelihood=4)),
    ("impact 4 made 1", threat("bad", "{good: {stops: it does}}", impact=1)),
    ("left to the provider", threat("bad", "{good: {stops: it does}}", extra="treated_by: provider")),
    ("no threat to a function any more", threat("bad", "{good: {stops: it does}}", target="api")),
    ("applies to a function under another condition", threat("bad", "{good: {stops: x}}", applies="target.web_facing")),
    ("log stops it, not hinders", threat("sad", "{log: {stops: x}}")),
    ("good contains it", threat("sad", "{log: hinders, good: {contains: x}}")),
    ("in place under another condition", control("good", "target.errors_generic")),
    ("in place under another condition", control("good")),
    ("looked for on the api, not on the function", control("good", "target.waf_rate_rule", scope="api")),
    (
        "not required where the endpoint is meant to be public",
        control("good", "target.verifies_signature", extra="public: kept-out"),
    ),
)


@pytest.mark.parametrize(("says", "file"), LAXER)
def test_a_layer_that_asks_for_less_is_told_as_such(
    base: Path, tmp_path: Path, says: str, file: tuple[str, str]
) -> None:
    library = load_library(base, layers=[written(tmp_path / "team", file)])
    assert any(says in one.weakens for one in library.replaced)
    assessment = assessed(tmp_path, MODEL, library)
    (told,) = (one for one in assessment.reliances if one.kind == "weakened")
    assert says in told.reason
    for text in (report(assessment), check_lines(assessment), summary_text(assessment, [])):
        assert "1 library entry weakened" in " ".join(text.split())


def test_a_layer_that_asks_for_as_much_is_only_told_to_replace(base: Path, tmp_path: Path) -> None:
    same = threat("bad", "{good: {stops: it does}}", extra="aliases: [worse]")
    assessment = assessed(tmp_path, MODEL, load_library(base, layers=[written(tmp_path / "team", same)]))
    assert [one.kind for one in assessment.reliances if one.what.startswith("threat")] == ["replaced"]


def off(base: Path, tmp_path: Path) -> Library:
    team = written(
        tmp_path / "team",
        library="""
            name: Team
            off:
              threats: {sad: we have no logs}
              controls: {log: "the platform does it"}
        """,
    )
    return load_library(base, layers=[team])


def test_what_is_switched_off_is_gone_with_a_reason(base: Path, tmp_path: Path) -> None:
    library = off(base, tmp_path)
    assert (set(library.threats), set(library.controls)) == ({"bad"}, {"good"})
    assert [link.control for link in library.threats["bad"].links] == ["good"]
    assert [(item.part, item.id, item.reason) for item in library.off] == [
        ("threat", "sad", "we have no logs"),
        ("control", "log", "the platform does it"),
    ]


def test_every_output_says_what_is_switched_off(base: Path, tmp_path: Path) -> None:
    assessment = assessed(tmp_path, MODEL, off(base, tmp_path))
    for text in (report(assessment), report(assessment, "html"), check_lines(assessment)):
        assert "sad" in text
        assert "we have no logs" in text
        assert "the platform does it" in text
    said = contract(assessment)["library"]
    assert [(item["part"], item["id"], item["reason"]) for item in said["off"]] == [
        ("threat", "sad", "we have no logs"),
        ("control", "log", "the platform does it"),
    ]


def test_what_a_model_says_of_something_switched_off_is_needless_not_wrong(base: Path, tmp_path: Path) -> None:
    text = f"""{MODEL}controls: {{log@bot: {{planned_for: 2027-01-01}}}}
accepted_risks: {{sad@bot: {{risk: 9, reason: r, owner: o, expires: 2027-01-01}}}}
"""
    needless = assessed(tmp_path, text, off(base, tmp_path)).needless
    assert [(item.threat, why) for item, why in needless] == [("sad", "the threat is switched off")]


def test_a_layer_switches_off_what_targets_only_some_kinds_of_element(base: Path, tmp_path: Path) -> None:
    layer = """
        off:
          kinds: {function: we have none}
    """
    team = written(tmp_path / "team", threat("own", "{log: hinders}"), library=layer)
    library = load_library(base, layers=[team])
    assert set(library.threats) == {"own"}
    assert [(item.part, item.id, item.reason) for item in library.off] == [
        ("threat", "bad", "we have none"),
        ("threat", "sad", "we have none"),
    ]
    (told,) = (one for one in assessed(tmp_path, MODEL, library).reliances if one.kind == "switched-off")
    assert (told.what, told.times) == ("threat bad, and 1 more", 2)
    other = written(tmp_path / "other", library="off: {kinds: {store: we have none}}\n")
    assert set(load_library(base, layers=[other]).threats) == {"bad", "sad"}


def test_a_later_layer_switches_on_again(base: Path, tmp_path: Path) -> None:
    team = written(tmp_path / "team", library="off: {threats: {sad: no}}")
    top = written(tmp_path / "top", threat("sad", "{log: hinders}"))
    library = load_library(base, layers=[team, top])
    assert "sad" in library.threats
    assert library.off == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("off: {threats: {sat: no}}", ("unknown-threat", "there is no threat 'sat' to switch off")),
        ("off: {controls: {lock: no}}", ("unknown-control", "there is no control 'lock' to switch off")),
        ("of: {}", ("unknown-key", "'of' is not a key of a team's library")),
        ("off: {threats: {sad: }}", ("empty-value", "what is switched off 'sad' has no value")),
    ],
)
def test_a_slip_in_what_is_switched_off_stops_the_run(
    base: Path, tmp_path: Path, text: str, expected: tuple[str, str]
) -> None:
    found = problems(base, written(tmp_path / "team", library=text))
    assert [code for code, _ in found] == [expected[0]]
    assert found[0][1].startswith(expected[1])


def test_what_another_control_requires_cannot_be_switched_off_alone(tmp_path: Path) -> None:
    base = written(
        tmp_path / "base",
        threat("bad", "{good: hinders, needy: hinders}"),
        control("good", "target.validates_input"),
        control("needy", "target.errors_generic", extra="requires: [good]"),
        article=ARTICLE,
    )
    found = problems(base, written(tmp_path / "team", library="off: {controls: {good: no}}"))
    assert found == [("required-control", "'good' is switched off, but 'needy' requires it")]


def test_a_layer_is_as_strict_as_the_library(base: Path, tmp_path: Path) -> None:
    dangling = written(tmp_path / "one", threat("own", "{god: hinders}"))
    assert problems(base, dangling) == [("unknown-control", "there is no control 'god'")]
    orphan = written(tmp_path / "two", control("own", "target.errors_generic"))
    assert problems(base, orphan) == [("orphan-control", "no threat links to 'own'")]
    stray = written(tmp_path / "three", threat("own", "{good: hinders}"), article=ARTICLE)
    assert [code for code, _ in problems(base, stray)] == ["stray-file"]


def test_a_folder_without_a_library_is_no_library(base: Path, tmp_path: Path) -> None:
    assert problems(base, tmp_path / "nowhere") == [("empty-library", "this folder does not exist")]
    (tmp_path / "empty").mkdir()
    assert problems(base, tmp_path / "empty") == [("empty-library", "there is no library in this folder")]


def test_the_library_that_comes_along_takes_a_layer(tmp_path: Path) -> None:
    team = written(tmp_path / "team", library="off: {threats: {slack-retry-storm: we have no events}}")
    library = load_library(HOME / "threatlib", layers=[team])
    assert "slack-retry-storm" not in library.threats


def test_a_team_links_no_control_that_is_never_applicable_there(base: Path, tmp_path: Path) -> None:
    needs = "needs: [{if: not target.slack_facing, else: Slack calls it}]\n"
    needs += "examples: {not_applicable: [{slack_facing: true}]}"
    own = threat("own", "{mine: hinders}", applies="target.slack_facing")
    team = written(tmp_path / "team", own, control("mine", extra=needs), library="name: Team")
    with pytest.raises(InputError) as caught:
        load_library(base, layers=[team])
    (problem,) = caught.value.problems
    assert (problem.code, problem.place.line) == ("contradicting-condition", 10)
    assert problem.message == "'mine' is applicable to no function that the threat applies to: Slack calls it"
