"""Weakenings of what is no infrastructure code: the probe's result, the model, a library's layer, a parameters file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from scripts.mutation.bases import Base, before
from scripts.mutation.forms import NO_VALUE
from scripts.mutation.judging import HOME, Mutant, library
from scripts.mutation.trees import GONE, changed

PROBE = "examples/slack-app/order-bot.probe.json"
BOT = ("Resources", "OrderBotFunction", "Properties")


def mutants(base: Base) -> Iterator[Mutant]:
    """All of them, on the example."""
    yield from _probe(base)
    yield from _code(base)
    yield from _parameters(base)
    yield from _model(base)
    yield from _layers(base)


def _mutant(  # noqa: PLR0913, PLR0917 - what a mutant is
    base: Base,
    weakening: str,
    where: str,
    name: str,
    texts: Mapping[str, str],
    weakens: tuple[str, ...] = (),
    reported: tuple[str, ...] = (),
) -> Mutant:
    return base.other(weakening, where, name, lambda: {**base.files(base.tree), **texts}, weakens, reported)


# --- the result of the probe


def _probed(base: Base) -> Mapping[str, tuple[str, ...]]:
    """The controls that the result proves, by fact."""
    result = json.loads((HOME / PROBE).read_text(encoding="utf-8"))
    facts = {one["fact"] for one in result["facts"]}
    states = before(base.name).states
    found: dict[str, tuple[str, ...]] = {}
    for control in library().controls.values():
        name = f"{control.id}@order-bot"
        for fact in control.in_place.facts & facts if control.in_place is not None else ():
            if states.get(name) == "proven":
                found[fact] = (*found.get(fact, ()), name)
    return found


def _probe(base: Base) -> Iterator[Mutant]:
    result = json.loads((HOME / PROBE).read_text(encoding="utf-8"))
    by_fact = _probed(base)
    every = tuple(dict.fromkeys(name for names in by_fact.values() for name in names))
    whole: tuple[tuple[str, str, Mapping[str, Any]], ...] = (
        ("older", "two-years-ago", {"when": "2024-11-20T10:00:00Z"}),
        ("older", "from-the-future", {"when": "2031-01-01T10:00:00Z"}),
        ("older", "no-date", {"when": "yesterday"}),
        ("older", "of-another-version", {"version": "0.0.1"}),
        ("other-code", "digest-of-other-code", {"folder_sha256": "0" * 64}),
        ("other-code", "no-digest", {"folder_sha256": ""}),
        ("other-code", "of-another-handler", {"target": "worker.py:handler"}),
        ("other-code", "of-another-function", {"target": "app.py:other"}),
        ("other-code", "of-node", {"kind": "node"}),
        ("other-code", "over-http", {"kind": "http", "folder_sha256": ""}),
        ("other-code", "without-variables", {"variables": {}}),
        ("word", "saw-no-effects", {"sees_effects": False}),
        ("word", "no-rows", {"rows": []}),
    )
    for weakening, name, change in whole:
        yield _mutant(base, weakening, PROBE, name, {PROBE: json.dumps({**result, **change}, indent=1)}, every)
    for number, row in enumerate(result["rows"]):
        weakens = tuple(dict.fromkeys(name for fact in row["bears_on"] for name in by_fact.get(fact, ())))
        if not weakens:
            continue
        for outcome in (("failed", "undecided", "not run")[number % 3],):
            rows = [*result["rows"]]
            rows[number] = {**row, "outcome": outcome, "shows": {}}
            yield _mutant(
                base,
                "flip",
                f"{PROBE}.{row['probe']}",
                outcome.replace(" ", "-"),
                {PROBE: json.dumps({**result, "rows": rows}, indent=1)},
                weakens,
            )
        rows = [one for at_, one in enumerate(result["rows"]) if at_ != number]
        text = json.dumps({**result, "rows": rows}, indent=1)
        yield _mutant(base, "remove", f"{PROBE}.{row['probe']}", "left-out", {PROBE: text}, weakens)
        rows = [*result["rows"]]
        rows[number] = {**row, "bears_on": [], "shows": {}}
        text = json.dumps({**result, "rows": rows}, indent=1)
        yield _mutant(base, "scope-down", f"{PROBE}.{row['probe']}", "decides-nothing", {PROBE: text}, weakens)


# --- other code than was probed


def _code(base: Base) -> Iterator[Mutant]:
    every = tuple(dict.fromkeys(name for names in _probed(base).values() for name in names))
    changes: tuple[tuple[str, str, Any], ...] = (
        ("another-module", "Handler", "worker.handler"),
        ("another-function", "Handler", "app.other"),
        ("handler-by-parameter", "Handler", {"Ref": "AllowedIds"}),
        ("another-folder", "CodeUri", "slack-app-node"),
        ("from-s3", "CodeUri", "s3://packages/bot.zip"),
        ("from-s3-by-table", "CodeUri", {"Bucket": "packages", "Key": "bot.zip"}),
        ("the-folder-above", "CodeUri", "."),
        ("a-zip", "CodeUri", "bot.zip"),
        ("code-by-parameter", "CodeUri", {"Ref": "AllowedIds"}),
        ("inline", "InlineCode", "def handler(event, context): return {'statusCode': 200}"),
        ("an-image", "ImageUri", "111122223333.dkr.ecr.eu-west-1.amazonaws.com/bot:1"),
        ("image-package", "PackageType", "Image"),
        ("another-language", "Runtime", "nodejs22.x"),
        ("a-layer", "Layers", ["arn:aws:lambda:eu-west-1:111122223333:layer:x:1"]),
        ("layers-by-parameter", "Layers", {"Ref": "WorkerSubnetIds"}),
        (
            "a-layer-perhaps",
            "Layers",
            {"Fn::If": ["HasOnCallEmail", ["arn:aws:lambda:eu-west-1:111122223333:layer:x:1"], NO_VALUE]},
        ),
    )
    for name, key, value in changes:
        tree = changed(base.tree, (*BOT, key), value)
        yield _mutant(base, "other-code", f"OrderBotFunction.{key}", name, {base.file: base.text(tree)}, every)
    variables = (
        ("a-wrapper", "AWS_LAMBDA_EXEC_WRAPPER", "/opt/wrap"),
        ("a-path", "PYTHONPATH", "/opt/lib"),
        ("a-preload", "LD_PRELOAD", "/opt/x.so"),
        ("a-switch", "SKIP_VERIFICATION", "true"),
        ("a-local-run", "IS_LOCAL", "1"),
        ("a-stage", "STAGE", "dev"),
        ("a-switch-by-parameter", "VERIFY", {"Ref": "AllowedIds"}),
    )
    for name, variable, value in variables:
        tree = changed(base.tree, (*BOT, "Environment", "Variables", variable), value)
        yield _mutant(base, "other-code", f"OrderBotFunction.{variable}", name, {base.file: base.text(tree)}, every)
    text = base.texts[base.model].replace("function: order-bot,", "function: order-worker,")
    worker = tuple(name.replace("@order-bot", "@order-worker") for name in every)
    yield _mutant(
        base,
        "other-code",
        "models/slack-lambda.yaml",
        "result-of-the-other-function",
        {base.model: text},
        (*every, *worker),
    )
    text = base.texts[base.model].replace(
        "function: order-bot,", "function: order-bot, code: ../examples/slack-app-node,"
    )
    yield _mutant(base, "other-code", "models/slack-lambda.yaml", "result-of-another-folder", {base.model: text}, every)


# --- what a deployment gives parameters

_GIVEN = "examples/samconfig.toml"


def _parameters(base: Base) -> Iterator[Mutant]:
    model = base.texts[base.model].replace(
        "{template: ../examples/template.yaml}",
        "{template: ../examples/template.yaml, parameters: ../examples/samconfig.toml}",
    )
    for path, good, worse, name in (
        ((*BOT, "Timeout"), 5, 900, "bounded-timeout@order-bot"),
        ((*BOT, "ReservedConcurrentExecutions"), 20, 0, "reserved-concurrency@order-bot"),
        (("Resources", "OrderBotLogs", "Properties", "RetentionInDays"), 90, 3653, "log-retention@order-bot"),
        (
            ("Resources", "OrdersTable", "Properties", "DeletionProtectionEnabled"),
            "true",
            "false",
            "deletion-protection@orders",
        ),
        (
            ("Resources", "SlackApi", "Properties", "SecurityPolicy"),
            "SecurityPolicy_TLS13_1_2_2021_06",
            "TLS_1_0",
            "modern-tls@slack-api",
        ),
        (
            ("Resources", "SlackApi", "Properties", "MethodSettings", 0, "ThrottlingRateLimit"),
            50,
            10000,
            "api-throttling@slack-api",
        ),
        (("Globals", "Function", "Runtime"), "python3.13", "python3.8", "supported-runtime@order-bot"),
        ((*BOT, "LoggingConfig", "LogFormat"), "JSON", "Text", "structured-logging@order-bot"),
    ):
        tree = changed(base.tree, path, {"Ref": "Given"})
        tree = changed(tree, ("Parameters", "Given"), {"Type": "String", "Default": good})
        where = ".".join(map(str, path[1:]))
        for form, text in (
            ("weak-value", f'version = 0.1\n[default.deploy.parameters]\nparameter_overrides = "Given={worse}"\n'),
            (
                "weak-value-in-a-list",
                f'version = 0.1\n[default.deploy.parameters]\nparameter_overrides = ["Given={worse}"]\n',
            ),
            ("of-another-stage", f'version = 0.1\n[prod.deploy.parameters]\nparameter_overrides = "Given={good}"\n'),
            (
                "of-another-parameter",
                f'version = 0.1\n[default.deploy.parameters]\nparameter_overrides = "Other={good}"\n',
            ),
            (
                "good-then-weak",
                f'version = 0.1\n[default.deploy.parameters]\nparameter_overrides = "Given={good} Given={worse}"\n',
            ),
            (
                "of-another-command",
                f'version = 0.1\n[default.build.parameters]\nparameter_overrides = "Given={good}"\n',
            ),
        ):
            yield _mutant(
                base,
                "word",
                f"{_GIVEN} for {where}",
                form,
                {base.file: base.text(tree), base.model: model, _GIVEN: text},
                (name,),
            )


# --- the model


def _model(base: Base) -> Iterator[Mutant]:
    data = yaml.safe_load(base.texts[base.model])
    states = before(base.name).states
    every = tuple(name for name, state in states.items() if state == "proven" and any(_seen(name.partition("@")[0])))

    def reported(tree: Any) -> dict[str, str]:
        return {base.model: yaml.safe_dump(tree, sort_keys=False, allow_unicode=True)}

    yield _mutant(base, "word", base.model, "without-evidence", reported(changed(data, ("evidence",), GONE)), every)
    only_probe = [one for one in data["evidence"] if "probe" in one]
    probe_proves = {name for names in _probed(base).values() for name in names}
    by_template = tuple(name for name in every if name not in probe_proves)
    yield _mutant(
        base,
        "word",
        base.model,
        "without-the-template",
        reported(changed(data, ("evidence",), only_probe)),
        by_template,
    )
    for section in ("apis", "stores", "queues", "secrets", "functions"):
        for element in data[section]:
            tree = changed(data, (section, element, "out_of_scope"), "another team's")
            yield _mutant(base, "word", f"{base.model}.{element}", "out-of-scope", reported(tree), reported=(element,))
    for number, finding in enumerate(sorted(before(base.name).findings)):
        key = ("likelihood", "impact")[number % 2]
        tree = changed(data, ("ratings", finding), {key: 1, "reason": "it will not happen"})
        yield _mutant(
            base, "word", f"{base.model}.{finding}", f"{key}-rated-lower", reported(tree), reported=(finding,)
        )
    for tolerance in ("medium", "high", "critical"):
        tree = changed(data, ("risk_tolerance",), tolerance)
        yield _mutant(base, "word", base.model, f"tolerance-{tolerance}", reported(tree), reported=("risk_tolerance",))
    for name in every:
        statement = {"attested_by": "somebody", "on": "2026-06-01", "expires": "2027-05-01"}
        tree = changed(changed(data, ("evidence",), GONE), ("controls", name), statement)
        yield _mutant(base, "word", f"{base.model}.{name}", "attested-in-place-of-evidence", reported(tree), (name,))


def _seen(control: str) -> Iterator[bool]:
    """Yield for each fact of a control whether a tool could see it."""
    from threatmodel.model.vocabulary import FACTS

    found = library().controls[control]
    for fact in found.in_place.facts if found.in_place is not None else ():
        yield bool(FACTS[found.scope][fact].seen_by)


# --- a team's layer on the library


def _layers(base: Base) -> Iterator[Mutant]:
    applying = {finding.partition("@")[0] for finding in before(base.name).findings}
    for threat in library().threats.values():
        if threat.id not in applying:
            continue
        off = yaml.safe_dump({"off": {"threats": {threat.id: "not for us"}}})
        yield _mutant(
            base, "word", f"layer.{threat.id}", "switched-off", {"layer/library.yaml": off}, reported=(threat.id,)
        )
        file = HOME / "threatlib" / "threats" / threat.scenario / f"{threat.id}.yaml"
        text = file.read_text(encoding="utf-8")
        lower = text.replace(f"likelihood: {threat.likelihood}", "likelihood: 1", 1)
        if lower != text:
            where = f"layer/threats/{threat.scenario}/{threat.id}.yaml"
            yield _mutant(base, "word", f"layer.{threat.id}", "likelihood-1", {where: lower}, reported=(threat.id,))
