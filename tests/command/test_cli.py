"""The command line, as a person uses it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from tests.support import HOME
from threatmodel.command.main import main
from threatmodel.command.parsing import parser
from threatmodel.model.vocabulary import KINDS

TODAY = ("--today", "2026-11-25")
Golden = Callable[[str, str], None]


def tm(*arguments: str, folder: Path = HOME, text: bool = True) -> subprocess.CompletedProcess[str]:
    """tm.py as a process of its own."""
    command = [sys.executable, str(HOME / "tm.py"), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=text, check=False)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("report.md", ["--report"]),
        ("dfd.dot", ["--dfd"]),
        ("dfd-deployment.dot", ["--dfd", "--view", "deployment"]),
        ("dfd-identity.dot", ["--dfd", "--view", "identity"]),
        ("dfd-focus.dot", ["--dfd", "--focus", "order-bot"]),
        ("dfd-colormap.dot", ["--dfd", "--colormap"]),
        ("sequence.puml", ["--seq"]),
        ("sequence.mmd", ["--seq", "mermaid"]),
        ("list.txt", ["--list"]),
        ("assessment.json", ["--json"]),
        ("describe-function.txt", ["--describe", "function"]),
        ("check.txt", ["check"]),
        ("check-lines.txt", ["check", "-v", "--fail-on", "medium"]),
        ("pytm.py.txt", ["--pytm"]),
    ],
)
def test_output(
    name: str,
    arguments: list[str],
    golden: Golden,
    capsysbinary: pytest.CaptureFixture[bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(HOME)
    main([*arguments, *TODAY])
    golden(f"cli/{name}", capsysbinary.readouterr().out.decode())


def test_help_names_every_option_and_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    said = capsys.readouterr().out
    actions = parser()._actions  # noqa: SLF001 - argparse lists them nowhere else
    commands = [name for action in actions if action.dest == "command" for name in action.choices or ()]
    options = [option for action in actions for option in action.option_strings]
    assert stopped.value.code == 0
    assert {"check", "summary", "--report", "-m", "-o"} <= {*commands, *options}
    for name in (*commands, *options):
        assert re.search(rf"(^|[\s,\[]){re.escape(name)}\b", said, re.MULTILINE), name


@pytest.mark.slow
def test_the_default_model_is_that_of_the_clone_and_of_no_other_folder(tmp_path: Path) -> None:
    assert tm("--dfd", folder=HOME / "docs").stdout == tm("--dfd").stdout
    elsewhere = tm("check", folder=tmp_path)
    assert (elsewhere.returncode, elsewhere.stdout) == (2, "")
    assert "no-model: no model was found" in elsewhere.stderr


@pytest.mark.slow
def test_json_keeps_its_contract(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--json", *TODAY]) == 0
    schema = json.loads((HOME / "threatmodel/render/assessment.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(capsys.readouterr().out), schema, format_checker=jsonschema.FormatChecker())


def test_json_to_a_file(tmp_path: Path) -> None:
    target = tmp_path / "assessment.json"
    assert main(["--json", str(target), *TODAY]) == 0
    assert json.loads(target.read_text(encoding="utf-8"))["schema_version"] == "1.3"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("ending", ["svg", "png", "dot"])
def test_dfd_to_a_file(tmp_path: Path, ending: str) -> None:
    target = tmp_path / f"dfd.{ending}"
    assert main(["--dfd", "-o", str(target)]) == 0
    start = {"svg": b"<", "png": b"\x89PNG", "dot": b"digraph"}[ending]
    assert start in target.read_bytes()[:200]


def test_one_picture_a_function(tmp_path: Path) -> None:
    assert main(["--dfd", "-o", f"{tmp_path}/album/"]) == 0
    assert {path.name for path in (tmp_path / "album").iterdir()} == {
        "overview.svg",
        "order-bot.svg",
        "order-worker.svg",
    }


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_described(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--describe", kind.upper()]) == 0
    assert capsys.readouterr().out.startswith(f"{kind}: facts")


@pytest.mark.slow
def test_an_excluded_threat_is_named_in_the_report(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--report", "--exclude", "api-flood", *TODAY]) == 0
    assert "api-flood" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["check"], 0),
        (["check", "--fail-on", "medium"], 1),
        (["check", "--fail-on", "medium", "--allow-undetermined"], 1),
        (["check", "--fail-on", "critical", "--allow-undetermined"], 0),
        (["--report"], 0),
        (["-m", "nowhere.yaml", "check"], 2),
        (["check", "-m", "nowhere.yaml"], 2),
    ],
)
def test_exit_code(arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*arguments, *TODAY]) == code
    capsys.readouterr()


@pytest.mark.slow
def test_a_pipe_that_closes_early_is_no_error() -> None:
    command = f"'{sys.executable}' tm.py --json | head -c 10"
    result = subprocess.run(["bash", "-c", command], cwd=HOME, capture_output=True, text=True, check=False)
    assert result.stderr == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_a_clear_error() -> None:
    result = subprocess.run(
        ["bash", "-c", f"'{sys.executable}' tm.py --list > /dev/full"],
        cwd=HOME,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert "cannot be written" in result.stderr
    assert "Traceback" not in result.stderr


FULL = ["2>/dev/full"] if Path("/dev/full").exists() else []
"""A standard error that takes nothing, where the system has one."""


def shell(command: str, folder: Path = HOME, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command line in bash, with $TM for tm.py."""
    known = {**os.environ, "TM": f"{sys.executable} {HOME / 'tm.py'}", **environment}
    return subprocess.run(["bash", "-c", command], cwd=folder, env=known, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("asked", ["--list", "--help", "--version"])
def test_a_closed_standard_output_is_a_clear_error(asked: str) -> None:
    done = shell(f"$TM {asked} >&-")
    assert done.returncode == 2
    assert done.stderr == "standard output: unwritable-file: cannot be written: Bad file descriptor\n"


def test_a_closed_standard_output_is_not_needed_for_a_file(tmp_path: Path) -> None:
    done = shell(f"$TM --list -o {tmp_path}/list.txt >&-")
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "list.txt").stat().st_size > 1000


@pytest.mark.parametrize("closing", ["2>&-", ">&- 2>&-", "<&- >&- 2>&-", *FULL])
@pytest.mark.parametrize("arguments", ["-m nowhere.yaml --report", "--reprot"])
def test_a_closed_standard_error_changes_no_exit_code(arguments: str, closing: str) -> None:
    done = shell(f"$TM {arguments} {closing}")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "")


@pytest.mark.slow
@pytest.mark.parametrize("package", ["graphviz", "jinja2", "yaml"])
def test_a_missing_package_is_named(package: str, tmp_path: Path) -> None:
    hidden = (
        f"import runpy, sys; sys.modules[{package!r}] = None; sys.argv = ['tm.py', *sys.argv[1:]]; "
        f"sys.path.insert(0, {str(HOME)!r}); runpy.run_path({str(HOME / 'tm.py')!r}, run_name='__main__')"
    )
    asked = {"graphviz": ["--dfd", "-o", str(tmp_path / "x.svg")], "jinja2": ["--report"], "yaml": ["--list"]}[package]
    done = subprocess.run([sys.executable, "-c", hidden, *asked], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(f"tm.py: the package '{package}' is missing.\n  fix: ")
    assert "Traceback" not in done.stderr


def test_an_interrupt_ends_quietly(tmp_path: Path) -> None:
    assert interrupted(HOME / "tm.py", tmp_path / "pipe", "--report", "-m", str(tmp_path / "pipe")) == (130, b"", b"")


def interrupted(script: Path, pipe: Path, *arguments: str) -> tuple[int, bytes, bytes]:
    """What a script that waits for a pipe leaves when Ctrl-C is pressed."""
    os.mkfifo(pipe)
    start = (  # a shell's background job ignores the signal, and so would what it starts
        "import runpy, signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); sys.argv = sys.argv[1:]; "
        "sys.path.insert(0, sys.argv[0].rpartition('/')[0]); runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    command = [sys.executable, "-c", start, str(script), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        with pipe.open("wb"):  # once the script has opened the other end
            running.send_signal(signal.SIGINT)
            out, err = running.communicate()
        return running.returncode, out, err


SMALL = "name: Shop\nuses: [platform.yaml]\nfunctions:\n  order-bot: {}\n"


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a model and its platform file, as working directory."""
    (tmp_path / "model.yaml").write_text(SMALL, encoding="utf-8")
    (tmp_path / "platform.yaml").write_text("name: Shared\naccount: {}\n", encoding="utf-8")
    (tmp_path / "link.yaml").symlink_to("model.yaml")
    (tmp_path / "own.md.j2").write_text("own\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "file"),
    [
        (["--report", "-o", "model.yaml"], "model.yaml"),
        (["--seq", "-o", "./platform.yaml"], "platform.yaml"),
        (["--json", "link.yaml"], "link.yaml"),
        (["--report", "own.md.j2", "-o", "own.md.j2"], "own.md.j2"),
        (["--list", "-o", str(HOME / "threatlib" / "article.yaml")], str(HOME / "threatlib" / "article.yaml")),
    ],
)
def test_what_a_run_reads_is_not_written(
    arguments: list[str], file: str, small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (small / file).read_bytes()
    assert main(["-m", "model.yaml", *arguments]) == 2
    assert re.match(rf"output (\./)?{file}: unwritable-file: this run reads it; .*\n1 problem", capsys.readouterr().err)
    assert (small / file).read_bytes() == before


@pytest.mark.usefixtures("small")
def test_a_model_may_come_through_a_pipe() -> None:
    done = shell("$TM -m <(cat model.yaml) --dfd", Path.cwd())
    assert "missing-file" in done.stderr  # it was read: only its platform file is elsewhere
    done = shell("$TM -m <(grep -v uses model.yaml) --dfd", Path.cwd())
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.usefixtures("small")
def test_a_model_names_no_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    Path("platform.yaml").unlink()
    os.mkfifo("platform.yaml")
    assert main(["-m", "model.yaml", "--dfd"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(
        "model.yaml:2:8: unreadable-file: 'platform.yaml': this is a pipe or a device; name a file\n"
    )


@pytest.mark.parametrize("option", ["--report", "--json", "--describe", "--focus", "-o", "-m"])
def test_an_empty_value_is_a_usage_error(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([option, ""])
    assert stopped.value.code == 2
    assert "expected a value, not an empty text" in capsys.readouterr().err


@pytest.mark.parametrize("output", ["other.json", "-"])
def test_two_outputs_are_a_usage_error(output: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--json", "a.json", "-o", output])
    assert stopped.value.code == 2
    assert "name two outputs" in capsys.readouterr().err


@pytest.mark.parametrize("asked", ["--report", "--seq", "--list", "--json", "--pytm", "check"])
@pytest.mark.parametrize("ending", ["png", "svg", "PDF"])
def test_text_is_no_picture(asked: str, ending: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / f"x.{ending}"
    assert main([asked, "-o", str(target)]) == 2
    assert f"unknown-format: '.{ending}' is a picture format, and this writes text" in capsys.readouterr().err
    assert not target.exists()


def test_json_escapes_what_cannot_be_seen(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = "a\u202eb\u200bc\x85d\U000e0041é"
    text = 'name: "a\\u202eb\\u200bc\\x85d\\U000e0041é"\nfunctions: {bot: {}}\n'
    (small / "model.yaml").write_text(text, encoding="utf-8")
    assert main(["-m", "model.yaml", "--json"]) == 0
    said = capsys.readouterr().out
    assert r'"a\u202eb\u200bc\u0085d\udb40\udc41é"' in said
    assert json.loads(said)["model"]["name"] == name


@pytest.mark.slow
def test_list_leaves_excluded_threats_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    every = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert main(["--list", "--exclude", f"{every[0]}, {every[2]}"]) == 0
    left = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert left == [every[1], *every[3:]]
    assert main(["--list", "--exclude", ",".join(every)]) == 0
    assert capsys.readouterr().out == ""


def test_list_knows_what_can_be_excluded(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--exclude", "nope", "--list"]) == 2
    assert "--exclude: unknown-threat: there is no threat 'nope'" in capsys.readouterr().err


@pytest.mark.slow
def test_summary_writes_three_files_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["summary", "--out", str(tmp_path / "build"), *TODAY]) == 0
    text = capsys.readouterr().out
    assert text.startswith("SLACK COMMANDS ON AWS LAMBDA\n")
    assert len(text.splitlines()) < 55
    assert {path.name for path in (tmp_path / "build").iterdir()} == {"report.html", "report.md", "dfd.svg"}


@pytest.mark.slow
def test_the_output_of_summary_is_its_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["summary", "-o", str(tmp_path / "here"), *TODAY]) == 0
    assert {path.name for path in (tmp_path / "here").iterdir()} == {"report.html", "report.md", "dfd.svg"}
    assert str(tmp_path / "here" / "report.html") in capsys.readouterr().out


@pytest.mark.slow
def test_no_report_of_another_model_is_lost(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "build")
    other = ["-m", str(HOME / "tests" / "models" / "bare.yaml")]
    assert main(["summary", "-o", out, *TODAY]) == 0
    before = (tmp_path / "build" / "report.html").read_bytes()
    capsys.readouterr()
    assert main([*other, "summary", "-o", out, *TODAY]) == 2
    said = capsys.readouterr().err
    assert "it holds the report of another model, 'Slack commands on AWS Lambda'" in said
    assert "--force" in said
    assert (tmp_path / "build" / "report.html").read_bytes() == before
    assert main(["summary", "-o", out, *TODAY]) == 0
    assert main([*other, "summary", "-o", out, "--force", *TODAY]) == 0
    assert b"One function, nothing else stated" in (tmp_path / "build" / "report.html").read_bytes()


@pytest.mark.slow
def test_five_lines_add_a_function(tmp_path: Path) -> None:
    model = (HOME / "models" / "slack-lambda.yaml").read_text(encoding="utf-8")
    five = (
        "  refund-bot:\n"
        "    triggers: [{slack: slash-command, path: /slack/refund}]\n"
        "    reads: [orders]\n"
        "    writes: [orders]\n"
        "    secrets: [slack-signing-secret]\n"
    )
    (tmp_path / "platform.yaml").write_text(
        (HOME / "models" / "platform.yaml").read_text(encoding="utf-8"), encoding="utf-8"
    )
    path = tmp_path / "model.yaml"
    shutil.copytree(HOME / "examples", tmp_path / "examples")
    model = model.replace("../examples", "examples")
    path.write_text(model.replace("\naccepted_risks:", five + "\naccepted_risks:"), encoding="utf-8")
    before = json.loads(tm("--json", *TODAY).stdout)
    after = json.loads(tm("--json", "-m", str(path), *TODAY).stdout)
    new = {flow["id"] for flow in after["flows"]} - {flow["id"] for flow in before["flows"]}
    assert {"slack-api:refund-bot:invoke", "refund-bot:orders:write", "refund-bot:slack-signing-secret:read"} <= new
    found = {finding["id"] for finding in after["findings"]} - {finding["id"] for finding in before["findings"]}
    assert "slack-request-forgery@refund-bot" in found
    assert any("refund-bot" in question["elements"] for question in after["questions"])


HOSTILE = (
    '"><script>alert(1)</script> & \\ | `x` **b** [l](javascript:alert(1))'
    "\n# h <!-- \u202e\u05d0 \U0001f600 ]] %% ; end"
)


@pytest.mark.slow
def test_hostile_names_break_nothing(tmp_path: Path) -> None:
    name = json.dumps(HOSTILE, ensure_ascii=False)
    text = f"""
name: {name}
owner: {name}
description: {name}
apis: {{api: {{kind: http, name: {name}}}}}
stores: {{orders: {{name: {name}, holds: [order]}}}}
data: {{order: {{name: {name}, classification: confidential}}}}
externals: {{billing: {{name: {name}}}}}
functions:
  bot: {{name: {name}, description: {name}, triggers: [{{slack: events}}], reads: [orders], calls: [billing]}}
account: {{name: {name}}}
"""
    model = tmp_path / "model.yaml"
    model.write_text(text, encoding="utf-8")
    html = tm("-m", str(model), "--report", "html").stdout
    assert "<script>alert" not in html
    assert "\u202e" not in html
    for arguments in (
        ["--dfd", "-o", str(tmp_path / "x.svg")],
        ["--seq"],
        ["--seq", "mermaid"],
        ["--report"],
        ["--json"],
        ["check"],
        ["--pytm"],
    ):
        result = tm("-m", str(model), *arguments)
        assert result.returncode in {0, 1}, result.stderr
        assert result.stderr == ""
        escaped_otherwise = arguments in (["--json"], ["--pytm"], ["check"])  # by quotes; plain text
        assert escaped_otherwise or not re.search(r"(?<!\\)<script>", result.stdout)
    svg = (tmp_path / "x.svg").read_text(encoding="utf-8")
    assert "<script>" not in svg


def test_the_script_header_asks_for_what_the_project_needs() -> None:
    project = tomllib.loads((HOME / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = (HOME / "tm.py").read_text(encoding="utf-8").split("# ///")[1].splitlines()
    header = tomllib.loads("\n".join(line.removeprefix("# ") for line in lines[1:]))
    assert header["requires-python"] == project["requires-python"]
    assert sorted(header["dependencies"]) == sorted(need.replace(" ", "") for need in project["dependencies"])
