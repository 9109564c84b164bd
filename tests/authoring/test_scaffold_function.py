"""A new function goes into a model whose every other line stays."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.authoring.scaffolding import IDS, MODEL, MODELS, Golden, write
from tests.refusals import refused
from tests.support import HOME, system_of
from threatmodel.authoring.insertion import scalar, with_entry
from threatmodel.authoring.scaffold import (
    function_lines,
    new_function,
)
from threatmodel.command.main import main
from threatmodel.model.load import load_model
from threatmodel.model.reference_architecture import RESERVED
from threatmodel.reading.files import Files
from threatmodel.reading.problems import InputError
from threatmodel.reading.source import parse


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


@pytest.mark.slow
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
