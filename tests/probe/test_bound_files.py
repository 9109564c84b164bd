"""A result is of every file that its handler read, wherever it lies, and of the file that Lambda loads by that name."""

from __future__ import annotations

import json
import os
import py_compile
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.probe.running import replies
from tests.refusals import write
from tests.support import HOME
from threatmodel.command.main import main
from threatmodel.probe.folder import folder_digest
from threatmodel.probe.outside import outside
from threatmodel.probe.protocol import Call, Scenario
from threatmodel.probe.runners.target import runner_for
from threatmodel.reading.problems import InputError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="handlers are run on Linux and macOS")

MODEL = """\
name: Shop
functions:
  bot: {triggers: [{slack: slash-command, path: /slack/orders, api: slack-api}]}
apis:
  slack-api: {}
evidence:
  - {probe: bot/bot.probe.json, function: bot}
"""
PYTHON = """\
import json, sys
sys.path.append("bot/.mypy_cache" if False else __file__.rpartition("/")[0] + "/.mypy_cache")
import hidden, dep, kept, shared
README = open("README.md").read()
def handler(event, context):
    return {"statusCode": 200, "body": kept.TEXT + README}
"""
NODE = """\
import fs from "node:fs";
import { x } from "shared";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
const require = createRequire(import.meta.url);
const { y } = require("other");
const z = require("workspace");
export const handler = async () => ({ statusCode: 200, body: x + y + fs.readFileSync("README.md") + await readFile(
    "../node_modules/shared/data.json", "utf8") });
"""
SITE = ".venv/lib/python3.11/site-packages"


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path(".git").mkdir()
    write("model.yaml", MODEL)
    for name, text in {
        "bot/app.py": PYTHON,
        "bot/README.md": "hello\n",
        "bot/kept.py": "TEXT = 'source'\n",
        "bot/.mypy_cache/hidden.py": "",
        f"bot/{SITE}/dep.py": "import dep_inner\n",
        f"bot/{SITE}/dep_inner.py": "",
        "bot/.venv/pyvenv.cfg": "",
        "bot/vendor/readme": "",
        "layer/python/shared.py": "",
        "template.yaml": "Resources: {L: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: layer}}}\n",
        "bot/index.mjs": NODE,
        "node_modules/shared/package.json": '{"exports": "./x.js", "type": "module"}',
        "node_modules/shared/x.js": "export const x = 1;\n",
        "node_modules/shared/data.json": "{}",
        "node_modules/other/index.js": "exports.y = require('./inner');\n",
        "node_modules/other/inner.js": "module.exports = 2;\n",
        "shared-code/index.js": "module.exports = 3;\n",
        "bot/node_modules/own/index.js": "",
    }.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        write(name, text)
    Path("bot/node_modules/workspace").symlink_to("../../shared-code")
    return tmp_path


def saved(target: str) -> None:
    """Saves a result of this handler: the example's, with what was read of these files."""
    runner = runner_for(target)
    (reply,) = runner.run(Scenario(name="x", calls=(Call(event={}),), secret="s"))
    assert reply.status == 200, reply.logs
    found = json.loads((HOME / "examples" / "slack-app" / "order-bot.probe.json").read_text(encoding="utf-8"))
    kind = "python" if target.endswith(".py") else "node"
    found |= {"target": target, "kind": kind, "files": outside(Path("bot"), runner.files_read)}
    found["folder_sha256"] = folder_digest(Path("bot"))
    write("bot/bot.probe.json", json.dumps(found))


@pytest.fixture
def stale(capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    def why() -> str:
        capsys.readouterr()
        assert main(["-m", "model.yaml", "--json", "--today", "2026-11-28"]) == 0
        said: str = json.loads(capsys.readouterr().out)["evidence"][0].get("stale", "")
        return said

    return why


READ = {
    "bot/app.py": [
        "bot/README.md",
        "bot/.mypy_cache/hidden.py",
        f"bot/{SITE}/dep.py",
        f"bot/{SITE}/dep_inner.py",
        "layer/python/shared.py",
        "bot/kept.py",
    ],
    "bot/index.mjs": [
        "bot/README.md",
        "node_modules/shared/x.js",
        "node_modules/shared/package.json",
        "node_modules/shared/data.json",
        "node_modules/other/index.js",
        "node_modules/other/inner.js",
        "shared-code/index.js",
    ],
}


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize("target", READ)
def test_every_file_that_was_read_is_part_of_it(target: str, stale: Callable[[], str]) -> None:
    if target.endswith(".mjs") and shutil.which("node") is None:
        pytest.skip("node is not installed")
    saved(target)
    assert stale() == ""
    for name in READ[target]:
        before = Path(name).read_text(encoding="utf-8")
        write(name, before + " ")
        assert "has changed" in stale(), name
        write(name, before)
    assert stale() == ""


@pytest.mark.usefixtures("repository")
def test_a_module_that_would_win_over_one_that_was_imported_makes_it_a_statement(stale: Callable[[], str]) -> None:
    saved("bot/app.py")
    write(f"bot/{SITE}/shared.py", "")
    assert "has changed" in stale()


@pytest.mark.usefixtures("repository")
def test_byte_code_that_fits_the_time_of_its_source_is_not_what_is_probed(tmp_path: Path) -> None:
    source, other = Path("bot/kept.py"), tmp_path / "other.py"
    other.write_text("TEXT = 'cached'\n", encoding="utf-8")
    made = Path(py_compile.compile(str(other), cfile=str(tmp_path / "other.pyc"), doraise=True) or "")
    place = Path(f"bot/__pycache__/kept.{sys.implementation.cache_tag}.pyc")
    place.parent.mkdir()
    shutil.copy(made, place)
    os.utime(source, (other.stat().st_mtime, other.stat().st_mtime))
    (reply,) = replies(Path("bot/app.py"))
    assert "source" in reply.body


NESTED = {
    "svc/src/app.py": "from src.shared import X\ndef handler(event, context): return {'statusCode': 200, 'body': X}\n",
    "svc/src/shared.py": "X = 'shared'\n",
    "svc/other.py": "",
    "template.yaml": (
        "Resources: {Bot: {Type: AWS::Serverless::Function, "
        "Properties: {CodeUri: svc, Handler: src.app.handler, Runtime: python3.13}}}\n"
    ),
    "model.yaml": MODEL.replace("bot/bot", "svc/bot") + "  - {template: template.yaml}\n",
}


@pytest.mark.usefixtures("repository")
def test_a_handler_in_a_subfolder_is_loaded_from_the_folder_that_is_deployed(stale: Callable[[], str]) -> None:
    for name, text in NESTED.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        write(name, text)
    (reply,) = replies(Path("svc/src/app.py"), folder=Path("svc"))
    assert reply.body == "shared"
    with pytest.raises(InputError, match="src"):
        replies(Path("svc/src/app.py"))
    with pytest.raises(InputError, match="is not in"):
        replies(Path("svc/src/app.py"), folder=Path("bot"))
    found = json.loads((HOME / "examples" / "slack-app" / "order-bot.probe.json").read_text(encoding="utf-8"))
    found |= {"target": "svc/src/app.py", "files": {}, "folder_sha256": folder_digest(Path("svc"))}
    write("svc/bot.probe.json", json.dumps({**found, "options": {"below": ["src"]}}))
    assert "the code is" not in stale()
    write("svc/bot.probe.json", json.dumps(found))
    assert "the code is" in stale()
    write("svc/other.py", " ")
    assert "has changed" in stale()


FUNCTION = """\
Resources:
  L: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: layer}}
  M: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: other}}
  Bot:
    Type: AWS::Serverless::Function
    Properties: {Handler: app.handler, CodeUri: bot, Runtime: python3.13, Layers: LAYERS}
"""
LAYERS = {
    "[!Ref L]": "",
    "[!Ref L, !Ref M]": "it has layers",
    "[!Ref M]": "with the layer 'L'",
    "['arn:aws:lambda:eu-west-1:111122223333:layer:x:1']": "it has layers",
    "!Ref AWS::NoValue": "with the layer 'L'",
}


@pytest.mark.usefixtures("repository")
def test_a_layer_of_the_repository_is_part_of_what_was_probed(stale: Callable[[], str]) -> None:
    saved("bot/app.py")
    write("model.yaml", f"{MODEL}  - {{template: template.yaml}}\n")
    for layers, why in LAYERS.items():
        write("template.yaml", FUNCTION.replace("LAYERS", layers))
        said = stale()
        assert why in said, layers
        assert why or "layer" not in said
    write("layer/python/hidden.py", "")
    assert "has changed" in stale()


HIDING = {
    "a package beside it": ("bot/app/__init__.py", "bot/app.py", "Lambda loads bot/app/"),
    "a compiled module beside it": ("bot/app.abi3.so", "bot/app.py", "Lambda loads bot/app.abi3.so"),
    "a module of Python's": ("bot/hmac.py", "bot/app.py", "bot/hmac.py hides the module 'hmac' of Python"),
    "a file without an ending": ("bot/index", "bot/index.mjs", "Lambda loads bot/index"),
    "a file that ends in .js": ("bot/index.js", "bot/index.mjs", "Lambda loads bot/index.js"),
}


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize(("other", "target", "message"), HIDING.values(), ids=HIDING)
def test_a_file_that_lambda_does_not_load_by_its_name_is_refused(other: str, target: str, message: str) -> None:
    if target.endswith(".mjs") and shutil.which("node") is None:
        pytest.skip("node is not installed")
    Path(other).parent.mkdir(exist_ok=True)
    write(other, "")
    with pytest.raises(InputError) as raised:
        replies(Path(target))
    (problem,) = raised.value.problems
    assert problem.message.startswith(message), problem.message
