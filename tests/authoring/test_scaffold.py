"""What `tm.py new` writes: files that load as they are, and entries that leave everything else as it was."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.refusals import refused
from tests.support import ARTICLE, HOME, control, system_of, threat
from threatmodel.authoring.insertion import scalar, with_entry
from threatmodel.authoring.scaffold import (
    ANSWER,
    control_text,
    function_lines,
    new_function,
    threat_text,
)
from threatmodel.command.main import main
from threatmodel.graph.reach import REACHES
from threatmodel.library.format import (
    BEYOND,
    CONTROL,
    CONTROL_EXAMPLES,
    EFFECTS,
    MITIGATIONS,
    SCENARIOS,
    STRIDE,
    THREAT,
    THREAT_EXAMPLES,
    Library,
)
from threatmodel.library.load import load_library
from threatmodel.library.read import control_of, threat_of
from threatmodel.library.standards import load_standards, unlisted
from threatmodel.model.load import load_model
from threatmodel.model.reference_architecture import RESERVED
from threatmodel.model.vocabulary import KINDS, PLANES
from threatmodel.reading.files import Files
from threatmodel.reading.problems import InputError
from threatmodel.reading.shape import ID, Reader
from threatmodel.reading.source import parse

Golden = Callable[[str, str], None]
MODELS = [path for path in sorted((HOME / "models").glob("*.yaml")) if path.name != "platform.yaml"]
MODELS.append(HOME / "docs" / "example.yaml")
MODEL = "name: Shop\nfunctions:\n  order-bot: {}\n"
IDS = st.from_regex(ID, fullmatch=True).filter(lambda name: len(name) <= 60)


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A toolkit with a small library of its own, as working directory."""
    for name in ("threatmodel", "models"):
        shutil.copytree(HOME / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(HOME / "tm.py", tmp_path)
    small = (
        ("article.yaml", ARTICLE),
        threat("bad", f"{{{ANSWER}: responds}}"),
        control(ANSWER, scope="organisation"),
    )
    for name, text in small:
        write(tmp_path / "threatlib" / name, text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return path


def tm(*arguments: str) -> tuple[int, str, str]:
    """What tm.py of the working directory says."""
    done = subprocess.run([sys.executable, "tm.py", *arguments], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def library(*layers: str) -> Library:
    """The library once every placeholder is written over."""
    for path in (path for folder in ("threatlib", *layers) for path in Path(folder).rglob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("TODO write", "Say").replace("/TODO", "/read"), encoding="utf-8")
    return load_library(Path("threatlib"), layers=[Path(layer) for layer in layers])


# --- threats and controls


def test_a_threat(golden: Golden) -> None:
    golden("scaffold/threat.yaml", threat_text("own-threat"))


def test_a_control(golden: Golden) -> None:
    golden("scaffold/control.yaml", control_text("own-control"))


@given(IDS, st.sampled_from(SCENARIOS))
@example("null", SCENARIOS[0])
@example("true", SCENARIOS[0])
def test_any_threat_reads(name: str, scenario: str) -> None:
    reader = Reader(parse(threat_text(name, scenario), "f"))
    found = threat_of(reader, reader.whole(THREAT))
    assert (found.id, found.scenario, reader.problems) == (name, scenario, [])


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
    assert (found.reaches, found.by_provider, len(found.maps)) == ("function", True, 9)


def test_the_examples_of_a_control_can_be_taken() -> None:
    text = taken(control_text("x"), FACT="validates_input", CONTROL="other")
    text = re.sub(r"^(needs|  not_applicable):.*\n", "", text, flags=re.MULTILINE)
    reader = Reader(parse(text, "f"))
    found = control_of(reader, reader.whole(CONTROL))
    assert reader.problems == []
    assert (found.requires, len(found.how), len(found.maps)) == (("other",), 5, 6)
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
        "next: write it, and link it, else the library does not load: to controls: of a threat, add\n"
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


@pytest.mark.slow
@pytest.mark.usefixtures("base")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
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
        ("control x --effect stops", "--effect says what the control does to a threat: give --threat ID too"),
        ("threat", "the following arguments are required: ID"),
        ("", "the following arguments are required: PART (see"),
        ("thraet x", "invalid choice: 'thraet'"),
        ("function x --api y", "--api belongs to a trigger: give --trigger KIND:WHAT too"),
        (
            "function x --trigger slack",
            "'slack' is not KIND:WHAT, such as slack:events; kinds: slack, http",
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
    ],
)
def test_what_is_refused_changes_nothing(arguments: str, message: str) -> None:
    before = {path: path.read_bytes() for path in Path().rglob("*.yaml")}
    code, out, err = tm("new", *arguments.split())
    assert (code, out) == (2, "")
    assert message in err
    assert "Traceback" not in err
    assert {path: path.read_bytes() for path in Path().rglob("*.yaml")} == before
    assert not Path("team").exists()


def test_no_output_can_be_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["-o", "x", "new", "threat", "own", "--library", str(tmp_path / "team")])
    assert "new writes to the library or the model: give no -o" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


# --- functions


def added(path: Path, name: str, trigger: str = "", api: str = "") -> str:
    """The text of a model with a new function, which loads."""
    plan = new_function(name, path, Files(), trigger, api)
    ((where, text, _),) = plan.files
    assert where == path
    assert name in load_model(Files(texts={path: text}), path).nodes
    return text


def test_a_function(golden: Golden, tmp_path: Path) -> None:
    uses = "stores: {orders: {}, guard: {}}\nqueues: {}\nsecrets: {signing-secret: {}}\nexternals: {ledger: {}}\n"
    system = system_of(tmp_path, MODEL + uses)
    bare, said = function_lines("refund-bot", system), function_lines("refund-bot", system, "slack:slash-command")
    golden("scaffold/function.yaml", "\n".join([*bare, "", *said, ""]))


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.name)
@pytest.mark.parametrize("trigger", ["", "schedule:rate(5 minutes)", "schedule:cron(0 8,9 * * ? *)"])
def test_every_line_of_every_model_stays(path: Path, trigger: str) -> None:
    before = path.read_bytes().decode()
    text = added(path, "refund-bot", trigger)
    assert stays(before, text)


def stays(before: str, after: str) -> bool:
    """Whether a text is another one with a part put in."""
    start = next((at for at, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), len(before))
    size = len(after) - len(before)
    return size > 0 and any(after[:at] + after[at + size :] == before for at in range(start + 1))


def test_a_new_function_states_only_what_was_said() -> None:
    path = HOME / "models" / "slack-lambda.yaml"
    for trigger, expected in (("", None), ("queue:work-queue", ["work-queue"])):
        text = added(path, "refund-bot", trigger)
        node = load_model(Files(texts={path: text}), path).nodes["refund-bot"]
        other = load_model(Files(), path).nodes["order-bot"]
        assert (node.name, node.description, node.criticality) == ("refund-bot", "", "normal")
        assert set(node.relations) == ({"triggers"} if expected else set())
        assert node.facts.keys() <= other.facts.keys()  # the model's defaults
        assert (node.triggers and [trigger.detail for trigger in node.triggers]) == expected


def test_the_examples_of_a_function_can_be_taken() -> None:
    path = HOME / "models" / "slack-lambda.yaml"
    text = re.sub(r"^    # (\w+: )", r"    \1", added(path, "refund-bot"), flags=re.MULTILINE)
    node = load_model(Files(texts={path: text}), path).nodes["refund-bot"]
    assert set(node.relations) == {"triggers", "reads", "writes", "sends", "secrets", "invokes", "calls"}
    assert all(relation.items for relation in node.relations.values())
    assert node.triggers


LAYOUTS = {
    "last": MODEL,
    "before": f"{MODEL}\n# about the account\naccount: {{}}\n",
    "comment-inside": f"{MODEL}  # order-bot: more to come\n\n\n# about the account\naccount: {{}}\n",
    "four-spaces": "name: Shop\nfunctions:\n    order-bot:\n        in_vpc: true\n        # more\naccount: {}\n",
    "no-spaces-below": "name: Shop\nfunctions:\n order-bot: {in_vpc: true,\n  egress: none}\naccount: {}\n",
    "moved-right": "  name: Shop\n  functions:\n    order-bot: {}\n  account: {}\n",
    "quoted": 'name: Shop\n"functions":\n  "order-bot": {}\n',
    "explicit": "name: Shop\nfunctions:\n  ? order-bot\n  : in_vpc: true\n",
    "block-text": f"{MODEL}  b:\n    description: |\n      # no comment\n\n      text\n\naccount: {{}}\n",
    "kept-breaks": f"{MODEL}  b:\n    description: |+\n      text\n\n\naccount: {{}}\n",
    "kept-breaks-at-the-end": f"{MODEL}  b:\n    description: |+\n      text\n\n\n",
    "document-end": f"---\n{MODEL}...\n# nothing more\n",
    "missing": "name: Shop\nstores:\n  orders: {}\n# the end\n",
    "missing-kept-breaks": "name: Shop\nstores:\n  orders:\n    description: |+\n      text\n\n",
    "missing-moved-right": "  name: Shop\n  stores:\n    orders: {}\n",
    "missing-document-end": "name: Shop\nstores: {orders: {}}\n\n...\n",
    "missing-after-braces": "name: Shop\nstores: {orders: {}}\n",
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
@pytest.mark.parametrize("start", ["", "\ufeff"], ids=["plain", "mark"])
@pytest.mark.parametrize("ended", [True, False], ids=["ended", "unended"])
def test_every_layout_is_kept(layout: str, line_end: str, start: str, ended: bool, tmp_path: Path) -> None:
    text = start + (LAYOUTS[layout] if ended else LAYOUTS[layout].removesuffix("\n")).replace("\n", line_end)
    path = write(tmp_path / "model.yaml", text)
    after = added(path, "new-bot", "schedule:rate(1 day)")
    assert stays(text, after)
    assert set(re.findall(r"\r\n|\r|\n", after)) == {line_end}
    system = load_model(Files(), path)
    assert {**load_model(Files(texts={path: after}), path).nodes}.keys() - system.nodes.keys() == {"new-bot"}
    again = added(write(path, after), "another-bot")
    assert stays(after, again)
    assert again.index("new-bot:") < again.index("another-bot:")


def test_the_entry_stands_where_it_is_said_to(tmp_path: Path) -> None:
    for text in LAYOUTS.values():
        path = write(tmp_path / "model.yaml", text)
        ((_, after, said),) = new_function("new-bot", path, Files()).files
        assert after.split("\n")[int(said.removeprefix(", line ")) - 1].strip() == "new-bot:"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("name: Shop\nfunctions: {order-bot: {}}\n", "2:12"),
        ("name: Shop\nstores: {orders: {}}\nfunctions: {}\n", "3:12"),
        ("{name: Shop, functions: {order-bot: {}}}\n", "1:1"),
        ("{name: Shop, stores: {orders: {}}}\n", "1:1"),
    ],
)
def test_braces_are_left_alone(text: str, place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "model.yaml", text)
    said = refused(["new", "function", "refund-bot", "-m", str(path)], capsys)
    assert f"model.yaml:{place}: cannot-add: nothing can be added where " in said
    assert path.read_text(encoding="utf-8") == text


def test_messages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], golden: Golden
) -> None:
    monkeypatch.chdir(tmp_path)
    write(Path("model.yaml"), "name: Shop\nfunctions: {order-bot: {}}\n")
    golden("bad-input/cannot-add.txt", refused(["new", "function", "refund-bot", "-m", "model.yaml"], capsys))
    write(Path("model.yaml"), MODEL)
    golden("bad-input/already-exists.txt", refused(["new", "function", "order-bot", "-m", "model.yaml"], capsys))


def test_a_model_with_problems_is_shown_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = f"{MODEL}    reads: [nothing]\n".replace(" {}", "")
    path = write(tmp_path / "model.yaml", text)
    assert "unknown-reference: there is no store 'nothing'" in refused(
        ["new", "function", "x", "-m", str(path)], capsys
    )
    assert path.read_text(encoding="utf-8") == text


def test_a_trigger_names_its_api_where_there_are_two(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "model.yaml", f"{MODEL}apis:\n  one: {{}}\n  two: {{}}\n")
    arguments = ["new", "function", "x", "-m", str(path), "--trigger", "slack:events"]
    assert "--trigger: ambiguous-api" in (said := refused(arguments, capsys))
    assert "; give it: --api ID\n" in said
    assert main([*arguments, "--api", "two"]) == 0
    assert "    triggers: [{slack: events, api: two}]\n" in path.read_text(encoding="utf-8")


def test_the_file_is_written_and_the_next_step_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "model.yaml", MODEL.replace("\n", "\r\n"))
    assert main(["new", "function", "refund-bot", "-m", str(path)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].endswith("model.yaml, line 4")
    assert re.fullmatch(r"next: state what it uses, then python tm.py -m \S+model.yaml --report", said[1])
    assert len(said) == 2
    data = path.read_bytes()
    assert data.startswith(MODEL.replace("\n", "\r\n").encode())
    assert data.count(b"\n") == data.count(b"\r\n")
    assert main(["-m", str(path), "--dfd"]) == 0


def test_a_pipe_is_no_model_to_add_to() -> None:
    command = f"'{sys.executable}' tm.py new function x -m <(echo 'name: x')"
    done = subprocess.run(["bash", "-c", command], cwd=HOME, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "unwritable-file: this is a pipe or a device" in done.stderr


@given(IDS, st.sampled_from(["\n", "\r\n"]))
@example("null", "\n")
@example("true", "\n")
def test_any_function_loads(tmp_path_factory: pytest.TempPathFactory, name: str, line_end: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    write(path, "name: Shop\nfunctions:\n  order-bot: {}\n".replace("\n", line_end))
    if name in {*RESERVED, "order-bot"}:
        with pytest.raises(InputError, match=r"reserved-id|already-exists"):
            added(path, name)
    else:
        assert stays(Files().raw(path), added(path, name))


PRINTABLE = st.text(st.characters(codec="utf-8").filter(str.isprintable), min_size=1, max_size=30)


@given(PRINTABLE)
@example("cron(0 8,9 * * ? *)")
@example("it's {a}: #b")
def test_any_text_is_read_back(text: str) -> None:
    for within in ("[{}]", "{{a: {}, b: {}}}", "a: {}"):
        root = parse(within.format(*[scalar(text)] * 2), "f").root
        assert set(root.values() if isinstance(root, dict) else root) == {text}


@given(st.text(st.sampled_from("a:{}[]#-|>?\n \"'"), max_size=30))
def test_whatever_stands_there_stays_or_is_refused(inside: str) -> None:
    text = f"name: Shop\nfunctions:\n{inside}\nowner: x\n"
    try:
        document = parse(text, "f")
        after, line = with_entry(text, document, "functions", "bot", ["bot:", "  name: bot"])
    except InputError:
        return
    assert stays(text, after)
    assert after.split("\n")[line - 1].strip() == "bot:"
    root = parse(after, "f").root
    assert root["functions"].pop("bot") == {"name": "bot"}
    assert root == document.root
