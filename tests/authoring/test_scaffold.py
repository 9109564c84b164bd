"""New threats and controls: valid, not live until written, and linked where they are used."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.authoring.scaffolding import IDS, Golden, Refusal, library, refused_in, tm, write
from tests.support import ARTICLE, HOME, control, threat
from threatmodel.authoring.library_files import (
    ANSWER,
    control_text,
    threat_text,
)
from threatmodel.command.main import main
from threatmodel.graph.reach import REACHES
from threatmodel.library.entries import BEYOND, EFFECTS, MITIGATIONS, SCENARIOS, STRIDE
from threatmodel.library.format import CONTROL, CONTROL_EXAMPLES, THREAT, THREAT_EXAMPLES
from threatmodel.library.read import control_of, threat_of
from threatmodel.library.standards import load_standards, unlisted
from threatmodel.model.vocabulary import KINDS, PLANES
from threatmodel.reading.files import Files
from threatmodel.reading.problems import InputError
from threatmodel.reading.reader import Reader
from threatmodel.reading.source import parse


def toolkit_in(folder: Path) -> Path:
    """A toolkit with a small library of its own."""
    for name in ("threatmodel", "models"):
        shutil.copytree(HOME / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(HOME / "tm.py", folder)
    small = (
        ("article.yaml", ARTICLE),
        threat("bad", f"{{{ANSWER}: responds}}"),
        control(ANSWER, scope="organization"),
    )
    for name, text in small:
        write(folder / "threatlib" / name, text)
    return folder


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, as working directory."""
    monkeypatch.chdir(toolkit_in(tmp_path))
    return tmp_path


def test_a_threat(golden: Golden) -> None:
    golden("scaffold/threat.yaml", threat_text("own-threat"))


def test_a_control(golden: Golden) -> None:
    golden("scaffold/control.yaml", control_text("own-control"))


@pytest.mark.slow
@given(IDS, st.sampled_from(SCENARIOS))
@example("null", SCENARIOS[0])
@example("true", SCENARIOS[0])
def test_any_threat_reads(name: str, scenario: str) -> None:
    reader = Reader(parse(threat_text(name, scenario), "f"))
    found = threat_of(reader, reader.whole(THREAT))
    assert (found.id, found.scenario, reader.problems) == (name, scenario, [])


@pytest.mark.slow
@given(IDS, st.sampled_from((*MITIGATIONS, BEYOND)), st.sampled_from(KINDS))
@example("null", BEYOND, "function")
def test_any_control_reads(name: str, mitigation: str, scope: str) -> None:
    reader = Reader(parse(control_text(name, mitigation, scope), "f"))
    found = control_of(reader, reader.whole(CONTROL))
    assert (found.id, found.mitigation, found.scope, reader.problems) == (name, mitigation, scope, [])


def test_the_comments_name_every_key_and_every_word() -> None:
    for text, shape in ((threat_text("x"), THREAT), (control_text("x"), CONTROL)):
        told = " ".join(line.removeprefix("# ") for line in text.splitlines() if line.startswith("#"))
        for key in shape.keys:
            assert key.meaning in told
            assert re.search(rf"^(# )?{key.name}:", text, re.MULTILINE)
        assert max(map(len, text.splitlines())) <= 120
    told = threat_text("x").replace("\n# ", " ")
    for words in (KINDS, EFFECTS, STRIDE, SCENARIOS):
        assert ", ".join(words) in told
    assert all(name in told for name in THREAT_EXAMPLES)
    assert all(name in control_text("x") for name in CONTROL_EXAMPLES)


def taken(text: str, **words: str) -> str:
    """A file with its example lines stated, words in capitals replaced, and without any prose."""
    for word, meant in words.items():
        text = re.sub(rf"\b{word}\b", meant, text)
    text = re.sub(r"^( *)# ( *[a-z0-9_]+:(?: .*)?)$", r"\1\2", text, flags=re.MULTILINE)
    return re.sub(r"^ *#.*\n", "", text, flags=re.MULTILINE)


def test_the_examples_of_a_threat_can_be_taken() -> None:
    text = threat_text("x").replace("applies: true", "applies: target.FACT").replace("[{}]", "[{FACT: true}]", 1)
    reader = Reader(parse(taken(text, FACT="slack_facing"), "f"))
    found = threat_of(reader, reader.whole(THREAT))
    assert reader.problems == []
    assert (found.reaches, found.by_provider, len(found.maps)) == ("function", True, 10)


def test_the_examples_of_a_control_can_be_taken() -> None:
    text = taken(control_text("x"), FACT="validates_input", CONTROL="other")
    text = re.sub(r"^(needs|  not_applicable):.*\n", "", text, flags=re.MULTILINE)
    reader = Reader(parse(text, "f"))
    found = control_of(reader, reader.whole(CONTROL))
    assert reader.problems == []
    assert (found.requires, len(found.how), len(found.maps)) == (("other",), 5, 7)
    assert found.in_place is not None


def test_what_a_new_file_cites_is_listed() -> None:
    standards = load_standards(HOME / "threatlib")
    for scenario in SCENARIOS:
        reader = Reader(parse(threat_text("x", scenario), "f"))
        assert list(unlisted(threat_of(reader, reader.whole(THREAT)).maps, standards)) == []
    for mitigation in (*MITIGATIONS, BEYOND):
        reader = Reader(parse(control_text("x", mitigation), "f"))
        assert list(unlisted(control_of(reader, reader.whole(CONTROL)).maps, standards)) == []


def test_the_answer_of_a_new_threat_is_there_for_any_target() -> None:
    (path,) = (HOME / "threatlib").glob(f"controls/*/{ANSWER}.yaml")
    reader = Reader(Files().document(path))
    found = control_of(reader, reader.whole(CONTROL))
    assert found.scope in PLANES
    assert all(found.scope in REACHES[kind] for kind in KINDS)


@pytest.mark.usefixtures("base")
def test_a_threat_in_the_toolkits_own_library() -> None:
    wrote = "wrote threatlib/threats/exploited-vulnerability/own.yaml\n"
    then = "next: write it, then python tm.py --list reads the library\n"
    assert tm("new", "threat", "own") == (0, wrote + then, "")
    assert "own" in library().threats


@pytest.mark.usefixtures("base")
def test_a_threat_in_a_teams_library() -> None:
    code, said, _ = tm("--library", "a", "new", "threat", "own", "--scenario", "malicious-code", "--library", "b c")
    assert code == 0
    assert said.startswith("wrote b c/threats/malicious-code/own.yaml\n")
    assert "python tm.py --library a --library 'b c' --list" in said
    assert library("b c").threats["own"].scenario == "malicious-code"


@pytest.mark.usefixtures("base")
def test_a_control_without_a_threat_says_how_to_link_it() -> None:
    code, said, _ = tm("new", "control", "own", "--library", "team")
    assert code == 0
    assert said == (
        "wrote team/controls/beyond-the-article/own.yaml\n"
        "next: write it, and link it, or the library does not load; under controls: of a threat, add\n"
        "  own: {hinders: WHY}    # or stops, contains, detects, responds, assures\n"
        "then: python tm.py --library team --list\n"
    )
    with pytest.raises(InputError, match="orphan-control"):
        library("team")


@pytest.mark.slow
@pytest.mark.usefixtures("base")
@pytest.mark.parametrize("effect", EFFECTS)
@pytest.mark.parametrize("place", [(), ("--library", "team")])
def test_a_control_is_linked_from_a_threat(effect: str, place: tuple[str, ...]) -> None:
    assert tm("new", "threat", "own", *place)[0] == 0
    path = Path("team" if place else "threatlib", "threats/exploited-vulnerability/own.yaml")
    before = path.read_text(encoding="utf-8")
    code, said, _ = tm("new", "control", "check", "--threat", "own", "--effect", effect, *place)
    assert (code, said.count("\nwrote "), "next: write both" in said) == (0, 1, True)
    added = f"  check: {{{effect}: TODO write why it {effect} this threat}}\n"
    assert path.read_text(encoding="utf-8").replace(added, "", 1) == before
    found = library(*place[1:])
    assert [(link.control, link.effect) for link in found.threats["own"].links] == [
        (ANSWER, "responds"),
        ("check", effect),
    ]
    assert found.controls["check"].scope == "function"


@pytest.mark.usefixtures("base")
def test_a_link_that_waits_for_its_control_is_left_alone() -> None:
    tm("new", "threat", "own")
    path = Path("threatlib/threats/exploited-vulnerability/own.yaml")
    text = path.read_text(encoding="utf-8").replace("controls:\n", "controls:\n  check: hinders\n")
    write(path, text)
    code, said, _ = tm("new", "control", "check", "--threat", "own")
    assert (code, said.count("wrote "), path.read_text(encoding="utf-8")) == (0, 1, text)
    assert "check" in library().controls


@pytest.mark.usefixtures("base")
def test_a_control_lives_where_every_target_reaches_it() -> None:
    tm("new", "threat", "own")
    path = Path("threatlib/threats/exploited-vulnerability/own.yaml")
    write(path, path.read_text(encoding="utf-8").replace("targets: [function]", "targets: [store, queue]"))
    assert tm("new", "control", "check", "--threat", "own")[0] == 0
    assert library().controls["check"].scope == "account"


REFUSED = [
    ("threat bad", "threatlib/threats/exploited-vulnerability/bad.yaml: already-exists: 'bad' is already the id"),
    ("threat bad --scenario malicious-code", "threatlib/threats/exploited-vulnerability/bad.yaml: already-exists:"),
    ("threat bad --library team", "choose another id, or copy that file to team to replace it"),
    (f"control {ANSWER} --library team", f"already-exists: '{ANSWER}' is already the id of a control"),
    ("threat Bad", "new threat: wrong-id: 'Bad' cannot be the id of a threat; expected lower-case letters,"),
    ("threat ../x", "wrong-id: '../x' cannot be the id of a threat"),
    ("threat a--b", "wrong-id: 'a--b' cannot be the id of a threat"),
    (f"control {'a' * 61}", "wrong-id: the id of a control has 61 characters; at most 60 are allowed"),
    (
        "control x --threat bda",
        "--threat: unknown-threat: there is no threat 'bda' in threatlib; did you mean 'bad'",
    ),
    ("control x --threat bad", "controls' is not written as lines"),
    (
        "control x --threat bad --library team",
        "/bad.yaml, which is read without the new control; copy that file to team/threats/exploited-vulnerability/",
    ),
    ("threat x --scenario malicious", "there is no 'malicious'; did you mean 'malicious-code'?"),
    ("control x --mitigation zz", "there is no 'zz'; expected one of access-keys, "),
    ("control x --threat bad --effect helps", "argument --effect: there is no 'helps'"),
    ("control x --effect stops", "--effect needs a threat; add --threat ID"),
    ("threat", "the following arguments are required: ID"),
    ("", "the following arguments are required: PART (see"),
    ("thraet x", "invalid choice: 'thraet'"),
    ("function x --api y", "--api needs a trigger; add --trigger KIND:WHAT"),
    (
        "function x --trigger slack",
        "'slack' is not KIND:WHAT, such as slack:events; the kinds are slack, http",
    ),
    ("function x --trigger queue:", "'queue:' is not KIND:WHAT"),
    ("function x --trigger api:y", "'api:y' is not KIND:WHAT"),
    ("function x -m nowhere.yaml", "nowhere.yaml: missing-file"),
    ("function x -m models", "unreadable-file: this is a directory"),
    ("function x -o y", "unrecognized arguments: -o y"),
    ("function Order-Bot", "new function: wrong-id: 'Order-Bot' cannot be the id of a function"),
    ("function slack", "new function: reserved-id: 'slack' is the id of something that is always drawn"),
    ("function account", "new function: reserved-id: 'account' is the id of something that is always drawn"),
    ("function order-bot", "already-exists: 'order-bot' is already the id of a function; choose another id\n  "),
    ("function orders", "already-exists: 'orders' is already the id of a store; choose another id\n  "),
    ("function order", "already-exists: 'order' is already the id of a data item; choose another id\n  "),
    ("function x --trigger queue:wrok-queue", "--trigger: unknown-reference: there is no queue 'wrok-queue'; did"),
    ("function x --trigger slack:event", "--trigger: unknown-word: 'slack' is 'event'; expected one of"),
    ("function x --trigger queue:work-queue --api slack-api", "--trigger: wrong-trigger: a queue does not come"),
    ("function x --trigger http:GET --api nope", "--trigger: unknown-reference: there is no api 'nope'"),
]


@pytest.fixture(scope="module")
def refusals(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Refusal]:
    """What becomes of each in a toolkit of its own: one process after another would start for minutes."""
    folder = toolkit_in(tmp_path_factory.mktemp("refused"))
    return refused_in(folder, [arguments for arguments, _ in REFUSED])


@pytest.mark.slow
@pytest.mark.parametrize(("arguments", "message"), REFUSED)
def test_what_is_refused_changes_nothing(arguments: str, message: str, refusals: Mapping[str, Refusal]) -> None:
    found = refusals[arguments]
    assert (found.code, found.out) == (2, "")
    assert message in found.err
    assert "Traceback" not in found.err
    assert found.changed == []


def test_no_output_can_be_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["-o", "x", "new", "threat", "own", "--library", str(tmp_path / "team")])
    assert "new writes to the library or the model; remove -o" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
