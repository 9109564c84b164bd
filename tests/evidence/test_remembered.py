"""What evidence says is kept from run to run, and never stale: whatever it follows from makes it be worked out anew."""

from __future__ import annotations

import datetime
import hashlib
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import HOME, TODAY
from threatmodel.evidence.collect import collect
from threatmodel.evidence.every_function import with_functions
from threatmodel.evidence.remembered import Basis, Gathered, remembered
from threatmodel.evidence.sources import read_sources
from threatmodel.library.directions import Directions
from threatmodel.model.load import load_model
from threatmodel.reading.files import Files

MODEL = """\
name: Shop
uses: [platform.yaml]
evidence:
  - {template: app/template.yaml, parameters: app/samconfig.toml}
  - {probe: app/order-bot.probe.json, function: order-bot, free: [ALLOWED_COMMANDS, ALLOWED_IDS]}
apis: {slack-api: {}}
functions: {order-bot: {}}
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a model and its evidence, and a cache of its own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("TM_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "shop"
    folder.mkdir()
    shutil.copytree(HOME / "examples" / "slack-app", folder / "app")
    (folder / "app" / "samconfig.toml").write_text(
        '[default.deploy.parameters]\nparameter_overrides = "Stage=prod"\n', encoding="utf-8"
    )
    (folder / "platform.yaml").write_text("name: Platform\naccount: {}\n", encoding="utf-8")
    (folder / "model.yaml").write_text(MODEL, encoding="utf-8")
    monkeypatch.chdir(folder)
    return folder


def run(ways: Directions | None, today: datetime.date = TODAY) -> tuple[Gathered, bool, Files]:
    """What a run gives, whether it worked it out, and what it read."""
    files, worked = Files(), []
    system = load_model(files, Path("model.yaml"))
    texts = dict(files.read)

    def work() -> Gathered:
        worked.append(True)
        sources = read_sources(system, files)
        whole = with_functions(system, sources)
        return (whole, *collect(whole, sources, ways, today))

    return remembered(system, files, texts, Basis(today, ways), work), bool(worked), files


def test_the_second_run_gives_the_same_and_works_out_nothing(place: Path, ways: Directions) -> None:
    first, worked, read = run(ways)
    again, worked_again, read_again = run(ways)
    assert (worked, worked_again) == (True, False)
    assert again == first
    assert repr(again) == repr(first)
    assert read_again.paths == read.paths, "what a run read may not be written over"
    assert (place.parent / "cache" / "threatmodel").stat().st_mode & 0o077 == 0


def test_the_functions_of_a_whole_file_are_kept_too(place: Path, ways: Directions) -> None:
    text = MODEL.replace("template: app/template.yaml,", "template: app/template.yaml, functions: all,")
    (place / "model.yaml").write_text(text, encoding="utf-8")
    first, worked, _ = run(ways)
    again, worked_again, _ = run(ways)
    assert (worked, worked_again) == (True, False)
    assert "order-worker-function" in first[0].nodes
    assert list(again[0].nodes) == list(first[0].nodes)
    assert repr(again) == repr(first)
    appended("app/template.yaml")(place)
    assert run(ways)[1]


def appended(name: str) -> Callable[[Path], None]:
    def change(place: Path) -> None:
        path = place / name
        path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")

    return change


@pytest.mark.parametrize(
    "name",
    [
        "model.yaml",
        "platform.yaml",
        "app/template.yaml",
        "app/samconfig.toml",
        "app/app.py",
        "app/order-bot.probe.json",
    ],
)
def test_whatever_it_follows_from_makes_it_work_anew(place: Path, ways: Directions, name: str) -> None:
    run(ways)
    appended(name)(place)
    assert run(ways)[1]
    assert not run(ways)[1]


def test_what_a_nested_template_says_is_never_stale(place: Path, ways: Directions) -> None:
    inner = "Resources:\n  OrderBot: {Type: AWS::Lambda::Function, Properties: {Timeout: SECONDS}}\n"
    nesting = "Resources:\n  Inner: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: inner.yaml}}\n"
    model = "name: Shop\nevidence: [{template: app/nesting.yaml}]\nfunctions: {order-bot: {}}\n"
    for name, text in {"app/nesting.yaml": nesting, "model.yaml": model}.items():
        (place / name).write_text(text, encoding="utf-8")
    for seconds in (7, 900):
        (place / "app" / "inner.yaml").write_text(inner.replace("SECONDS", str(seconds)), encoding="utf-8")
        ((_, statements, _), _, _) = run(ways)
        (found,) = statements["order-bot"]["timeout_seconds"]
        assert (found.value, found.place and found.place.file) == (seconds, "app/inner.yaml")


def test_a_new_file_beside_the_handler_makes_it_work_anew(place: Path, ways: Directions) -> None:
    run(ways)
    (place / "app" / "helper.py").write_text("", encoding="utf-8")
    assert run(ways)[1]


def test_another_day_or_library_makes_it_work_anew(place: Path, ways: Directions) -> None:
    assert place.is_dir()
    run(ways)
    assert run(ways, TODAY + datetime.timedelta(days=1))[1]
    assert run(None)[1]


@pytest.mark.parametrize("change", ["swapped value", "no code", "own digest", "another entry's", "empty"])
def test_what_was_tampered_with_is_not_taken(place: Path, ways: Directions, change: str) -> None:
    """What is put in its place is well-formed, and would be believed without the code."""
    run(ways)
    (kept,) = (place.parent / "cache" / "threatmodel").iterdir()
    head, _, text = kept.read_text(encoding="utf-8").partition("\n")
    assert "tls-1.2" in text
    if change == "another entry's":
        appended("app/app.py")(place)
        run(ways)
        (other,) = (path for path in kept.parent.iterdir() if path != kept)
        shutil.copyfile(kept, other)
        kept, text = other, ""
    else:
        forged = text.replace("tls-1.2", "tls-1.0")
        heads = {"no code": "", "own digest": hashlib.sha256(forged.encode()).hexdigest()}
        kept.write_text("" if change == "empty" else f"{heads.get(change, head)}\n{forged}", encoding="utf-8")
    again, worked, _ = run(ways)
    assert worked
    assert "tls-1.2" in repr(again)
    assert "tls-1.0" not in repr(again)
    assert not run(ways)[1], "it is mended by what was worked out"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither owners nor modes here")
@pytest.mark.parametrize("change", ["gone", "another", "short", "for all", "a link", "a folder"])
def test_what_another_secret_made_is_not_taken(place: Path, ways: Directions, change: str) -> None:
    run(ways)
    secret = place.parent / "config" / "threatmodel" / "cache-secret"
    before = secret.read_bytes()
    assert (secret.stat().st_mode & 0o777, len(before)) == (0o600, 32)
    secret.unlink() if change != "for all" else secret.chmod(0o644)
    if change in {"another", "short"}:
        secret.write_bytes(bytes(32 if change == "another" else 31))
        secret.chmod(0o600)
    elif change == "a link":
        (place / "planted").write_bytes(before)
        (place / "planted").chmod(0o600)
        secret.symlink_to(place / "planted")
    elif change == "a folder":
        secret.mkdir()
    assert run(ways)[1]
    assert run(ways)[1] == (change == "a folder"), "a new secret is made where one can be"
    assert change in {"another", "a folder"} or secret.read_bytes() != before


@pytest.mark.parametrize("variable", ["CI", "TF_BUILD", "JENKINS_URL"])
def test_a_pipeline_takes_only_what_it_made_itself(
    place: Path, ways: Directions, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    for name in ("CI", "TF_BUILD", "JENKINS_URL", "TM_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(place.parent / "home"))
    assert [run(ways)[1], run(ways)[1]] == [True, False]
    monkeypatch.setenv(variable, "true")
    assert [run(ways)[1], run(ways)[1]] == [True, True]
    monkeypatch.setenv("TM_CACHE", str(place.parent / "job"))
    assert [run(ways)[1], run(ways)[1]] == [True, False]
    monkeypatch.setenv(variable, "false")
    monkeypatch.delenv("TM_CACHE")
    assert not run(ways)[1]


@pytest.mark.parametrize("named", ["relative", "on", "C:relative"])
def test_a_place_that_is_no_whole_path_is_not_used(
    place: Path, ways: Directions, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    before = set(place.iterdir())
    monkeypatch.setenv("TM_CACHE", named)
    assert [run(ways)[1], run(ways)[1]] == [True, True]
    assert set(place.iterdir()) == before


def test_a_folder_that_others_may_read_or_that_is_switched_off_is_not_used(
    place: Path, ways: Directions, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(ways)
    folder = place.parent / "cache" / "threatmodel"
    folder.chmod(0o755)
    assert run(ways)[1]
    folder.chmod(0o700)
    assert not run(ways)[1]
    folder.rename(folder.with_name("elsewhere"))
    folder.symlink_to("elsewhere")
    assert run(ways)[1], "a link may lead to what others chose"
    monkeypatch.setenv("TM_CACHE", "off")
    assert run(ways)[1]


def test_what_was_looked_for_in_vain_keeps_nothing(place: Path, ways: Directions) -> None:
    """The package of the Serverless Framework may appear later, and say otherwise."""
    (place / "serverless.yml").write_text(
        "service: shop\nprovider: {name: aws, runtime: python3.13}\nfunctions: {order-bot: {handler: app.handler}}\n",
        encoding="utf-8",
    )
    model = MODEL.replace(
        "{template: app/template.yaml, parameters: app/samconfig.toml}", "{serverless: serverless.yml}"
    )
    (place / "model.yaml").write_text(model, encoding="utf-8")
    run(ways)
    assert run(ways)[1]
