"""The shape of the evidence that a model names: which kinds of file, and what is stated of each."""

from __future__ import annotations

from collections.abc import Mapping

from threatmodel.model.longest import LONGEST_RESULT, RESULT
from threatmodel.model.reference_architecture import FORMER_ELEMENTS
from threatmodel.reading.shape import Items, Key, NamedItems, Number, Text, Word, record

PATH = Text(400, expected="a path")
_ID = Text(120, expected="an id")

STACK_KINDS = ("template", "plan", "state", "serverless")
"""Keys of an entry under evidence that name a file of infrastructure code: CloudFormation or SAM, a plan or a state of
Terraform, serverless.yml."""

BESIDE_KINDS = ("code", "slack", "repository", "host", "results")
"""Keys of an entry under evidence that name what is beside such files: the source of handlers, which is never run,
Slack's manifest, the checkout, answers of its host, and results of other tools."""

EVIDENCE_KINDS = (*STACK_KINDS, "probe", *BESIDE_KINDS)
"""Keys of an entry under evidence that name a file or folder; `probe` is a saved result, never a handler to run."""

EVIDENCE_OF: Mapping[str, tuple[str, ...]] = {
    "template": ("resources", "functions", "parameters", "stage", "environment", "deployed"),
    "plan": ("resources", "functions", "environment"),
    "state": ("resources", "functions", "environment"),
    "serverless": ("resources", "functions", "stage", "environment"),
    "probe": ("function", "code", "days", "free"),
    "code": ("function",),
    "slack": (),
    "repository": (),
    "host": (),
    "results": ("control",),
}
"""The other keys that an entry of the evidence may have, by the kind of its file."""
EVIDENCE_KEYS = tuple(dict.fromkeys(key for keys in EVIDENCE_OF.values() for key in keys))

EVIDENCE = record(
    "an entry of the evidence",
    Key(
        "template",
        PATH,
        "a CloudFormation or SAM template that deploys this system, or the answer of get-template about its stack",
    ),
    Key("plan", PATH, "a Terraform plan of it as JSON (terraform show -json)"),
    Key("state", PATH, "a Terraform state of it (terraform show -json, or terraform.tfstate)"),
    Key("serverless", PATH, "a serverless.yml of it"),
    Key(
        "resources",
        NamedItems(Text(), "an element", formerly=FORMER_ELEMENTS),
        "which resource an element is, where its name does not tell: id and logical id (Terraform: address)",
    ),
    Key(
        "functions",
        Word(("all",)),
        "all: every function of the file belongs to the model, under its name (or its CDK construct's) in kebab-case",
    ),
    Key(
        "parameters",
        PATH,
        "template: its parameters' values as deployed: samconfig.toml, or JSON, as given or as describe-stacks answers",
    ),
    Key(
        "stage",
        Text(60, r"[A-Za-z0-9_.-]+", "a name"),
        "what is deployed: environment of samconfig.toml (default), stack of describe-stacks, stage of serverless.yml",
    ),
    Key(
        "environment",
        Text(60, r"[A-Za-z0-9_.-]+", "a name"),
        "what it is deployed to: files of one environment are read as one system (one for all where left out)",
    ),
    Key(
        "deployed",
        Items(PATH),
        "template: other answers about its stack (list-stack-resources, describe-stack-resource-drifts), as JSON",
    ),
    Key("probe", PATH, "a saved result of tm.py probe"),
    Key("function", _ID, "probe, code: the function whose handler it is; code: every one that is deployed from there"),
    Key(
        "code",
        PATH,
        "a folder with the source of functions, which is read and never run; probe: the handler's folder",
    ),
    Key("slack", PATH, "the manifest of the Slack app, as JSON or YAML"),
    Key("repository", PATH, "the folder of the checkout: its workflows and lock files"),
    Key("host", PATH, "saved answers of the API of the repository's host (gh api --include)"),
    Key("results", PATH, "the result of another tool: SARIF, or the JSON of a scanner"),
    Key("control", PATH, "results: a file with a planted fault that the same run had to find"),
    Key(
        "free",
        Items(Text(100, r"[A-Za-z_][A-Za-z0-9_]*", "the name of a variable")),
        "probe: variables of the function that may hold other data, because no data weakens the handler",
    ),
    Key(
        "days", Number(1, LONGEST_RESULT), f"probe: for how many days its result is evidence ({RESULT} where left out)"
    ),
)
"""An entry under `evidence`."""
