"""Broken files and command lines: what the user reads, word for word."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.refusals import marked, places_in, problems_of, refused, write
from tests.support import working_at_most
from threatmodel.command.main import main
from threatmodel.reading import output
from threatmodel.reading.editing import write_edit
from threatmodel.reading.problems import MOST, InputError
from threatmodel.reading.source import LARGEST, read_text
from threatmodel.render.templates import render_users

Golden = Callable[[str, str], None]
HOME = Path(__file__).resolve().parent.parent
GOOD = "name: Shop\nfunctions:\n  order-bot: {}\n"

YAML: dict[str, str | bytes] = {
    "tab": "name: Shop\nfunctions:\n§\torder-bot: {}\n",
    "list-not-closed": "name: Shop\nassumptions: [one, two\nowner§: team\n",
    "mapping-without-comma": "name: Shop\nstores: {orders: {kind: s3 recovery§: true}}\n",
    "second-colon": "name: Slack§: commands\n",
    "wrong-indentation": "name: Shop\nstores:\n    orders: {}\n  §events: {}\n",
    "key-without-colon": "name: Shop\n§owner\nscope: all\n",
    "quote-not-closed": 'name: §"Shop\nfunctions:\n  order-bot: {}\n',
    "quote-inside": "name: 'Ann's shop'§\n".replace("'s shop'§", "'§s shop'"),
    "at-sign": "name: Shop\nowner: §@payments\n",
    "unknown-escape": 'name: "C:§\\shop"\n',
    "list-item-in-mapping": "name: Shop\n§- orders\n",
    "duplicate-keys": "name: Shop\nfunctions:\n  order-bot: {}\n  §order-bot: {}\n§name: Other\n",
    "anchor": "name: §&shop Shop\n",
    "alias": "name: Shop\nowner: §*shop\n",
    "tag": "name: §!!python/object/apply:os.system [id]\n",
    "short-tag": "name: §!Ref Shop\n",
    "merge-key": "name: Shop\nfunctions:\n  order-bot:\n    §<<: {runtime: python3.13}\n",
    "several-documents": "name: Shop\n§---\nname: Other\n",
    "key-is-a-list": "name: Shop\n? §[functions]\n: {}\n",
    "sixty-one-levels": "a: " + "[" * 59 + "§[",
    "null-byte": "name: Süßes\nowner: §\0\n",
    "escape-character": 'name: "§\x1b[31mShop"\n',
    "hidden-line-break": "name: Shop§\u2028owner: nobody\n",
    "not-utf8": b"name: Caf\xe9\n",
    "utf16": "name: Shop\n".encode("utf-16"),
    "empty-file": "§",
    "only-comments": "§# a model\n\n",
    "only-a-marker": "§---\n",
    "list-as-root": "§- name: Shop\n",
    "text-as-root": "§Shop\n",
}
"""Files that are no YAML, or none of the kind that is read."""

PLACES = {"not-utf8": ["1:10"], "utf16": []}
"""Where the problems of files stand that cannot hold a mark."""


@pytest.fixture(autouse=True)
def _in_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", YAML)
def test_broken_yaml(name: str, capsys: pytest.CaptureFixture[str], golden: Golden) -> None:
    case = YAML[name]
    text, places = marked(case) if isinstance(case, str) else (case, PLACES[name])
    write("model.yaml", text)
    said = refused(["-m", "model.yaml", "--dfd"], capsys)
    assert places_in(said, "model.yaml") == places
    golden(f"bad-input/{name}.txt", said)


# --- large and hostile ones


@pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 100_000, "- " * 100_000, "[" * 30 + "{a: " * 40])
def test_deep_nesting_is_refused_at_once(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    write("model.yaml", text)
    with working_at_most(seconds=2):
        said = refused(["-m", "model.yaml", "--dfd"], capsys)
    assert "nested deeper than 60 levels" in said
    assert len(said) < 500


def test_line_of_50_mb(capsys: pytest.CaptureFixture[str], golden: Golden) -> None:
    with Path("model.yaml").open("wb") as file:
        file.truncate(50_000_000)
    golden("bad-input/file-of-50-mb.txt", refused(["-m", "model.yaml", "--dfd"], capsys))


@pytest.mark.slow
def test_line_of_20_mb(capsys: pytest.CaptureFixture[str], golden: Golden) -> None:
    write("model.yaml", "name: Shop\nfunctions: {order-bot: {reads: [" + "a-store-without-name," * 950_000 + "b]}}\n")
    said = refused(["-m", "model.yaml", "--dfd"], capsys)
    assert said.count("\n") == 3 * MOST + 4
    golden("bad-input/line-of-20-mb.txt", "".join(said.splitlines(keepends=True)[-7:]))


def test_long_line_is_cut_around_the_caret(capsys: pytest.CaptureFixture[str], golden: Golden) -> None:
    write(
        "model.yaml",
        f"{{name: Shop, functions: {{order-bot: {{description: {'é' * 500}, runtme: x, name: {'b' * 99}}}}}}}",
    )
    said = refused(["-m", "model.yaml", "--dfd"], capsys)
    golden("bad-input/long-line.txt", said)
    _, line, caret, _ = said.splitlines()
    assert line[caret.index("^") : caret.rindex("^") + 1] == "runtme"


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/full"])
def test_endless_file_is_refused(path: str) -> None:
    with pytest.raises(InputError, match="more than 32 MB"):
        read_text(Path(path), path)


def test_largest_file_is_read() -> None:
    text = "#" * (LARGEST - len(GOOD) - 1) + "\n" + GOOD
    write("model.yaml", text)
    assert len(read_text(Path("model.yaml"), "model.yaml")) == LARGEST


@pytest.mark.slow
def test_many_problems_stop_the_reading(capsys: pytest.CaptureFixture[str]) -> None:
    functions = "".join(f"  f{at}: {{reads: [stroe-{at}]}}\n" for at in range(5000))
    stores = "".join(f"  store-{at}: {{}}\n" for at in range(5000))
    write("model.yaml", f"name: Shop\nfunctions:\n{functions}stores:\n{stores}")
    with working_at_most(seconds=20):
        said = refused(["-m", "model.yaml", "--dfd"], capsys)
    assert f"too-many-problems: reading stopped here after {MOST} problems" in said


# --- files


def test_missing_file(capsys: pytest.CaptureFixture[str], golden: Golden) -> None:
    golden("bad-input/missing-file.txt", refused(["-m", "modle.yaml", "--dfd"], capsys))


def test_directory_as_file(capsys: pytest.CaptureFixture[str], golden: Golden) -> None:
    Path("models").mkdir()
    golden("bad-input/directory.txt", refused(["-m", "models", "--dfd"], capsys))


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is unreadable to root")
def test_unreadable_file(capsys: pytest.CaptureFixture[str], golden: Golden) -> None:
    write("model.yaml", GOOD).chmod(0)
    golden("bad-input/unreadable-file.txt", refused(["-m", "model.yaml", "--dfd"], capsys))


def test_circle_of_links(capsys: pytest.CaptureFixture[str], golden: Golden) -> None:
    Path("a.yaml").symlink_to("b.yaml")
    Path("b.yaml").symlink_to("a.yaml")
    golden("bad-input/circle-of-links.txt", refused(["-m", "a.yaml", "--dfd"], capsys))


@pytest.mark.parametrize("name", ["\n:1:1: fake: message", "\x1b[2J", "\u202eyaml", "x" * 300, "a\0b"])
def test_hostile_file_name_is_spelt_out(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = refused(["-m", f"{name}.yaml", "--dfd"], capsys)
    assert not set(said) & set("\x1b\u202e\0")
    assert said.count("\n") == 2


def test_file_name_that_is_not_utf8(capsys: pytest.CaptureFixture[str]) -> None:
    name = os.fsdecode(b"caf\xe9.yaml")
    write(name, "name: 5\n")
    assert refused(["-m", name, "--dfd"], capsys).startswith("caf\ufffd.yaml:1:7: wrong-type")


@pytest.mark.parametrize("path", ["missing/dfd.dot", "/proc/dfd.dot", "x" * 300 + ".dot", "model.yaml/dfd.dot"])
def test_unwritable_output(path: str, golden: Golden) -> None:
    write("model.yaml", GOOD)
    said = problems_of(lambda _: output.write("text", Path(path)))
    assert ": unwritable-file: cannot be written: " in said
    assert [file.name for file in Path().iterdir()] == ["model.yaml"]
    if path.startswith("missing"):
        golden("bad-input/unwritable-output.txt", said)


def test_folder_as_output(capsys: pytest.CaptureFixture[str], golden: Golden) -> None:
    Path("build").mkdir()
    golden("bad-input/folder-as-output.txt", refused(["--describe", "api", "-o", "build"], capsys))


def test_output_over_a_file_of_the_users(capsys: pytest.CaptureFixture[str], golden: Golden) -> None:
    write("model.yaml", GOOD)
    write("notes.md", "# Notes\n")
    golden("bad-input/not-replaced.txt", refused(["-m", "model.yaml", "--report", "-o", "notes.md"], capsys))


def test_file_that_changed_since_it_was_read(golden: Golden) -> None:
    write("model.yaml", GOOD)
    golden("bad-input/file-changed.txt", problems_of(lambda _: write_edit("x", Path("model.yaml"), GOOD + "\n")))
    assert Path("model.yaml").read_text(encoding="utf-8") == GOOD


def test_json_over_a_model(capsys: pytest.CaptureFixture[str], golden: Golden) -> None:
    write("model.yaml", GOOD)
    golden("bad-input/json-over-a-model.txt", refused(["--json", "model.yaml"], capsys))


def test_nothing_to_explain(capsys: pytest.CaptureFixture[str], golden: Golden) -> None:
    golden("bad-input/unknown-id.txt", refused(["explain", "slack-request-forgry"], capsys))


# --- the command line


COMMANDS = {
    "unknown-format": ["-m", "model.yaml", "--dfd", "-o", "dfd.jpg"],
    "unknown-kind": ["--describe", "fonction"],
    "unknown-exclude": ["-m", "model.yaml", "check", "--exclude", "denial-of-walet"],
    "unknown-focus": ["-m", "model.yaml", "--dfd", "--focus", "order-bto"],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_wrong_argument(name: str, capsys: pytest.CaptureFixture[str], golden: Golden) -> None:
    write("model.yaml", GOOD)
    golden(f"bad-input/{name}.txt", refused(COMMANDS[name], capsys))


def test_picture_that_cannot_be_drawn(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], golden: Golden
) -> None:
    write("model.yaml", GOOD)
    monkeypatch.setenv("DOT", "no-such-dot")
    golden("bad-input/cannot-draw.txt", refused(["-m", "model.yaml", "--dfd", "-o", "dfd.png"], capsys))


def test_template_that_names_nothing(golden: Golden) -> None:
    write("own.md.j2", "# Report\n\n{{ modle.name }}\n")
    golden("bad-input/template-error.txt", problems_of(lambda _: render_users(Path("own.md.j2"), {"model": {}})))


USAGE = {
    "unrecognized arguments: --reprot; did you mean '--report'?": ["--reprot"],
    "invalid choice: 'chekc'": ["chekc"],
    "argument -m/--model: expected one argument": ["--dfd", "-m"],
    "argument --list: not allowed with argument --dfd": ["--dfd", "--list"],
    "argument --view: invalid choice: 'runtme'": ["--dfd", "--view", "runtme"],
    "argument --today: 'yesterday' is not a date such as 2027-03-31": ["check", "--today", "yesterday"],
    "argument --fail-on: invalid choice: 'hihg'": ["check", "--fail-on", "hihg"],
}


@pytest.mark.parametrize("message", USAGE)
def test_usage_error_is_one_line(message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(USAGE[message])
    out, err = capsys.readouterr()
    assert (stopped.value.code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("tm.py: usage: ")
    assert message in err


MISPLACED = {
    "'models/x.yaml' is not a value of --seq": ["--seq", "models/x.yaml"],
    "'models/x.yaml' is not a value of --view": ["--dfd", "--view", "models/x.yaml"],
    "'models/x.yaml' is not a value of --format": ["check", "--format", "models/x.yaml"],
    "'models/x.yaml' is not an argument of this command": ["summary", "models/x.yaml"],
    "'models/x.yaml' is not a command": ["models/x.yaml"],
    **{f"'models/{view}.yaml' is not a command": [f"--{view}", f"models/{view}.yaml"] for view in ("list", "pytm")},
    "'models/x.yaml' is not a value of --dfd": ["--dfd", "models/x.yaml"],
    "--describe: unknown-kind: 'models/x.yaml' is not a kind of element": ["--describe", "models/x.yaml"],
    "models/x.yaml: template-error: there is no such template": ["--report", "models/x.yaml"],
    "m.yaml: template-error: this file has no template expression": ["--report", "m.yaml"],
    "models/x.yaml: unknown-format: the file that --json writes ends in '.json'": ["--json", "models/x.yaml"],
    "'my model.yml' is not a value of --seq": ["--seq", "my model.yml"],
}
"""A model where a command or the value of an option is expected."""


@pytest.mark.parametrize("message", MISPLACED)
def test_a_model_that_is_misplaced_is_named_with_m(message: str, capsys: pytest.CaptureFixture[str]) -> None:
    write("m.yaml", GOOD)
    arguments = MISPLACED[message]
    with pytest.raises(SystemExit, match="2"):
        sys.exit(main(arguments))
    out, err = capsys.readouterr()
    assert (out, message in err) == ("", True), err
    assert f" -m {shlex.quote(arguments[-1])}" in err


@pytest.mark.parametrize("arguments", [["schema", "x.yaml"], ["new", "x.yaml"], ["--seq", "platform"]])
def test_what_takes_no_model_suggests_none(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(arguments)
    assert "invalid choice" in (err := capsys.readouterr().err)
    assert " -m " not in err


def test_whole_program_says_the_same() -> None:
    write("model.yaml", "name: Shop\nfunctoins: {}\n")
    command = [sys.executable, str(HOME / "tm.py"), "-m", "model.yaml", "--dfd"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(
        "model.yaml:2:1: unknown-key: 'functoins' is not a key of a model; did you mean 'functions'?\n"
    )


def test_every_golden_message_belongs_to_a_test() -> None:
    tests = "".join(path.read_text(encoding="utf-8") for path in (HOME / "tests").rglob("test_*.py"))
    for path in (HOME / "tests" / "golden" / "bad-input").iterdir():
        name = path.stem.removeprefix("library-").removeprefix("model-")
        assert f'"{name}"' in tests or path.name in tests, f"{path.name} belongs to no test"
