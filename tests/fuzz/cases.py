"""A project whose files are spoilt one at a time, and the commands that are then run on it."""

from __future__ import annotations

import functools
import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from tests.fuzz.mutating import ODD, data_of, garbled, mutated, text_of, toml_of
from tests.support import HOME

TESTS = HOME / "tests"
MODEL = (HOME / "models" / "slack-lambda.yaml").read_text(encoding="utf-8").replace("../examples/slack-app/", "app/")
SMALL = """\
name: Small
evidence: [{SOURCE}]
functions: {bot: {reads: [orders], triggers: [{http: POST}]}}
apis: {api: {kind: rest}}
stores: {orders: {kind: dynamodb, holds: []}}
"""
WHOLE = """\
name: Whole
evidence: [{SOURCE, functions: all}]
"""
TEMPLATE = "# {{ title }}\n{% for finding in findings %}{{ finding.title | upper }}{% endfor %}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Files of one kind: samples, the name that one gets in the project, and commands; `MODEL` is one that names it.

    `source` is how a model names it as evidence, `beside` are files that it needs, by their names in the project.
    """

    name: str
    samples: tuple[Path, ...]
    commands: tuple[str, ...]
    source: str = ""
    beside: tuple[tuple[str, Path], ...] = ()
    weight: int = 4


ON_EVIDENCE = (
    "-m MODEL --dfd",
    "-m MODEL --dfd",
    "-m MODEL check",
    "import FILE",
    "import FILE",
    "import FILE -o out.yaml",
)
SAMPLES = TESTS / "fuzz" / "samples"
PACKAGED = TESTS / "stacks" / "packaged"
_PACKAGE = tuple((str(path.relative_to(PACKAGED)), path) for path in sorted(PACKAGED.rglob("*")) if path.is_file())
KINDS = (
    Kind(
        name="model.yaml",
        samples=(HOME / "models/slack-lambda.yaml", *sorted((TESTS / "models").glob("*.yaml"))),
        commands=(
            *("--dfd", "--dfd --full --view all", "--seq", "--seq mermaid", "check", "--json", "--report md", "--dfd"),
            *(
                "--report html",
                "new function x-y",
                "new handler order-bot",
                "--pytm",
                "--dfd --focus order-bot",
                "--seq",
            ),
        ),
        weight=6,
    ),
    Kind(
        name="platform.yaml", samples=(HOME / "models/platform.yaml",), commands=("--dfd --view all", "check"), weight=1
    ),
    Kind(
        name="template.yaml",
        samples=(
            *(HOME / "examples/slack-app/template.yaml", TESTS / "evidence/samples/same/template.yaml"),
            *sorted((TESTS / "stacks/sam").glob("*.yaml")),
            *sorted((TESTS / "evidence/wiring").glob("*.yaml")),
            SAMPLES / "openapi.yaml",
        ),
        commands=ON_EVIDENCE,
        source="template: FILE",
        weight=8,
    ),
    Kind(
        name="plan.json",
        samples=(*sorted((TESTS / "evidence/samples").glob("*/plan.json")), TESTS / "evidence/samples/plan.json"),
        commands=ON_EVIDENCE,
        source="plan: FILE",
        weight=5,
    ),
    Kind(
        name="serverless.yml",
        samples=(TESTS / "evidence/samples/serverless.yml", TESTS / "evidence/samples/same/serverless.yml"),
        commands=ON_EVIDENCE,
        source="serverless: FILE",
        weight=5,
    ),
    Kind(
        name="app/order-bot.probe.json",
        samples=(HOME / "examples/slack-app/order-bot.probe.json",),
        commands=("--dfd", "check"),
        weight=2,
    ),
    Kind(
        name="team/threats/exploited-vulnerability/own.yaml",
        samples=tuple(sorted((HOME / "threatlib/threats").glob("*/*.yaml"))),
        commands=("--library team --list", "--library team explain own", "--library team check"),
        weight=2,
    ),
    Kind(
        name="team/controls/best-practices/own.yaml",
        samples=tuple(sorted((HOME / "threatlib/controls").glob("*/*.yaml"))),
        commands=("--library team --list", "--library team explain own"),
        weight=2,
    ),
    Kind(
        name="flow.json",
        samples=(SAMPLES / "machine/flow.json",),
        commands=("-m MODEL check", "import template.yaml"),
        source="template: template.yaml",
        beside=(("template.yaml", SAMPLES / "machine/template.yaml"),),
        weight=1,
    ),
    Kind(
        name=".serverless/serverless-state.json",
        samples=(PACKAGED / ".serverless/serverless-state.json",),
        commands=("-m MODEL check", "-m MODEL --dfd"),
        source="serverless: serverless.yml, stage: dev",
        beside=_PACKAGE,
        weight=1,
    ),
    Kind(
        name=".serverless/cloudformation-template-update-stack.json",
        samples=(PACKAGED / ".serverless/cloudformation-template-update-stack.json",),
        commands=("-m MODEL check", "-m MODEL --dfd"),
        source="serverless: serverless.yml, stage: dev",
        beside=_PACKAGE,
        weight=1,
    ),
    *(
        Kind(
            name=name,
            samples=(SAMPLES / name,),
            commands=("-m MODEL check", "-m MODEL --dfd", "import template.yaml"),
            source=f"template: template.yaml, parameters: {name}",
            weight=1,
        )
        for name in ("parameters.json", "samconfig.toml")
    ),
    Kind(name="policy.yaml", samples=(SAMPLES / "policy.yaml",), commands=("check --policy policy.yaml",), weight=1),
    Kind(
        name="team/library.yaml",
        samples=(SAMPLES / "library.yaml",),
        commands=("--library team --list", "--library team check"),
        weight=1,
    ),
    Kind(name="own.md.j2", samples=(), commands=("--report own.md.j2",), weight=0),
)
ARGUMENTS = (
    *(
        "--dfd --view ODD",
        "--dfd --focus ODD",
        "--seq ODD",
        "--describe ODD",
        "--report ODD",
        "-m ODD --dfd",
        "-m ODD check",
    ),
    *(
        "--exclude ODD check",
        "--today ODD check",
        "check --fail-on ODD",
        "--library ODD --list",
        "explain ODD",
        "schema ODD",
    ),
    *(
        "import ODD",
        "import template.yaml --kind ODD",
        "import template.yaml --update ODD",
        "new function ODD",
        "ODD",
        "--ODD",
    ),
    *(
        "new function x --trigger ODD",
        "new function x --api ODD",
        "new handler ODD --to h",
        "--dfd -o out/ODD",
        "new ODD",
    ),
    *("new threat ODD --library team", "new control ODD --library team", "new threat x --library team --scenario ODD"),
    *("new control x --library team --mitigation ODD --threat ODD --effect ODD", "probe ODD", "probe app.py --env ODD"),
    *(
        "probe app.py --env-file ODD",
        "probe http://ODD",
        "probe http://127.0.0.1:1/ODD --path ODD --form ODD --body ODD",
    ),
    *(
        "--json out/ODD",
        "summary --out out/ODD",
        "-o ODD --json --pytm",
        "--list --today ODD --exclude ODD --library ODD",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One run: files beside those that are always there, and the arguments."""

    kind: str
    files: dict[str, str]
    arguments: tuple[str, ...]


@functools.cache
def sample(path: Path) -> tuple[str, Any]:
    """The text of a sample, and its data."""
    text = MODEL if path.name == "slack-lambda.yaml" else path.read_text(encoding="utf-8")
    return text, tomllib.loads(text) if path.suffix == ".toml" else data_of(text)


def project(folder: Path) -> None:
    """What is always there."""
    shutil.copytree(HOME / "examples/slack-app", folder / "app", dirs_exist_ok=True)
    (folder / "platform.yaml").write_bytes((HOME / "models/platform.yaml").read_bytes())
    (folder / "model.yaml").write_text(MODEL, encoding="utf-8")
    (folder / "template.yaml").write_bytes((HOME / "examples/slack-app/template.yaml").read_bytes())
    (folder / "app.py").write_text("def handler(event, context): return {'statusCode': 401}\n", encoding="utf-8")
    for name in ("out", "team/threats/exploited-vulnerability", "team/controls/best-practices"):
        (folder / name).mkdir(parents=True, exist_ok=True)


def case(seed: int, number: int) -> Case:
    """The case of that number: always the same one."""
    random = Random(f"{seed}:{number}")
    if number % 12 == 0:
        return _of_arguments(random)
    kind = random.choices(KINDS, [one.weight for one in KINDS])[0]
    if number % 400 == 1:  # each runs a process
        kind = KINDS[-1]
    model = random.choice(["small.yaml", "small.yaml", "whole.yaml", "model.yaml"])
    return case_of(kind, _spoilt(kind, random), random.choice(kind.commands), model)


def case_of(kind: Kind, text: str, command: str, model: str) -> Case:
    """The case of a file of a kind with a text, for one of the kind's commands; `model` is the one that it runs on."""
    files = {name: sample(path)[0] for name, path in kind.beside} | {kind.name: text}
    source = kind.source.replace("FILE", kind.name)
    if source:
        files |= {name: one.replace("SOURCE", source) for name, one in (("small.yaml", SMALL), ("whole.yaml", WHOLE))}
    command = command.replace("FILE", kind.name).replace("MODEL", model)
    arguments = command if source or "-m" in command or "import" in command else f"-m model.yaml {command}"
    if command.startswith("new "):
        arguments = f"{command} -m model.yaml"
    return Case(kind=kind.name, files=files, arguments=tuple(arguments.split()))


def _spoilt(kind: Kind, random: Random) -> str:
    if not kind.samples:
        return garbled(TEMPLATE, random)
    path = random.choice(kind.samples)
    text, data = sample(path)
    if kind.name.endswith("own.yaml") and isinstance(data, dict):
        data = {**data, "id": "own"}
    if random.random() < 0.3 and not kind.name.startswith("team"):
        return garbled(text, random)
    others = [sample(one)[1] for one in kind.samples]
    changed = mutated(data, others, random)
    return toml_of(changed) if path.suffix == ".toml" else text_of(changed, random)


def _of_arguments(random: Random) -> Case:
    odd = [str(one) for one in ODD if isinstance(one, str | int | float)]
    chosen = [part.replace("ODD", random.choice(odd)) for part in random.choice(ARGUMENTS).split()]
    return Case(kind="arguments", files={}, arguments=tuple(chosen))
