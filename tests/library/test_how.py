"""The snippets of `how` are valid: they parse, and what they set exists.

CloudFormation and SAM are read by cfn-lint, Terraform by python-hcl2 and a table of the providers' schemas
(scripts/terraform_schema.py writes it), the AWS command line by botocore's models of the services.  cfn-lint does not
know SAM's policy templates: sam-policies.json has those of aws-sam-translator 1.115.0 with their parameters.

A snippet shows what its control needs and no more.  So two things are no mistakes here: arguments that a whole resource
or command would need too, and references to what stands elsewhere.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import json
import re
import shutil
import subprocess
import textwrap
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import chain, product, repeat
from typing import Any

import botocore.exceptions
import botocore.session
import hcl2
import pytest
import yaml
from botocore import xform_name
from cfnlint.config import ConfigMixIn
from cfnlint.decode.decode import decode_str
from cfnlint.runner import Runner, run_template_by_data

from tests.support import HOME


def snippets(key: str) -> dict[str, str]:
    """The snippets under one key of `how`, by control."""
    files = sorted((HOME / "threatlib" / "controls").glob("*/*.yaml"))
    found = {file.stem: yaml.safe_load(file.read_text(encoding="utf-8")).get("how", {}).get(key) for file in files}
    return {name: text for name, text in found.items() if text}


CLOUDFORMATION = snippets("cloudformation")
TERRAFORM = snippets("terraform")
CODE = snippets("code")
CONSOLE = snippets("console")


# --- CloudFormation: the template around a snippet

SECTIONS = {
    "AWSTemplateFormatVersion",
    "Conditions",
    "Description",
    "Globals",
    "Mappings",
    "Metadata",
    "Outputs",
    "Parameters",
    "Resources",
    "Rules",
    "Transform",
}
TRANSFORM = "AWS::Serverless-2016-10-31"
SOURCE_STAGE = """\
- Name: Source
  Actions:
    - Name: Source
      ActionTypeId: {Category: Source, Owner: AWS, Provider: S3, Version: "1"}
      OutputArtifacts: [{Name: source}]
"""


def decoded(text: str) -> Any:
    """CloudFormation's YAML as cfn-lint reads it; raises ValueError with what it says where it cannot."""
    template, errors = decode_str(text)
    if errors:
        raise ValueError("; ".join(f"line {error.linenumber}: {error.message}" for error in errors))
    return template


def whole(snippet: str) -> dict[str, Any]:
    """A snippet as a template: it is one, or the resources of one, or the later stages of a pipeline."""
    if re.match(r"(#.*\n)*- ", snippet):
        stages = textwrap.indent(SOURCE_STAGE + snippet, " " * 8)
        snippet = f"Pipeline:\n  Type: AWS::CodePipeline::Pipeline\n  Properties:\n    Stages:\n{stages}"
    named = set(re.findall(r"^(\w+):", snippet, re.MULTILINE))
    if named & SECTIONS and named - SECTIONS:
        raise ValueError(f"sections of a template beside resources: put {', '.join(sorted(named - SECTIONS))} in one")
    template: Any = decoded(snippet if named & SECTIONS else f"Resources:\n{textwrap.indent(snippet, '  ')}")
    match template:
        case {"Resources": dict()}:
            return dict(template)
        case {"Globals": dict()}:
            return {**template, "Resources": {}}
        case _:
            raise ValueError("no mapping of resources")


def kind(resource: Any) -> str:
    """The type of a resource, empty where it has none."""
    return str(resource.get("Type", "")) if isinstance(resource, dict) else ""


def nodes(value: Any) -> Iterator[Any]:
    """A value and every value inside it."""
    yield value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    yield from chain.from_iterable(map(nodes, inner))


def references(template: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    """The ids that a template refers to, and whether it wants an attribute of them."""
    for node in nodes(template):
        match node:
            case {"Ref": str(name)}:
                yield name.partition(".")[0], "." in name
            case {"Fn::GetAtt": [str(name), *_]}:
                yield name, True
            case {"Fn::GetAtt": str(name)}:
                yield name.partition(".")[0], True
            case {"Fn::Sub": str(text) | [str(text), *_]}:
                given = node["Fn::Sub"][1] if isinstance(node["Fn::Sub"], list) else {}
                used = (name.partition(".") for name in re.findall(r"\$\{([\w.:]+)\}", text))
                yield from ((name, bool(dot)) for name, dot, _ in used if name not in given)
            case {"Type": str(), "DependsOn": str() | list() as names}:
                yield from ((name, True) for name in ([names] if isinstance(names, str) else names))


@functools.cache
def types_elsewhere() -> dict[str, str]:
    """The type of each resource that snippets define, where they agree."""
    found: dict[str, set[str]] = defaultdict(set)
    for snippet in CLOUDFORMATION.values():
        with contextlib.suppress(ValueError):  # said by the test of that snippet
            for name, resource in whole(snippet)["Resources"].items():
                found[name].add(kind(resource))
    return {name: kinds.pop() for name, kinds in found.items() if len(kinds) == 1}


def completed(template: dict[str, Any]) -> tuple[dict[str, Any], set[str]]:
    """A template with all that it refers to, and what was added.

    What another snippet defines is a resource of that type.  Of the rest, what has attributes is a custom resource,
    of which nobody knows what attributes it has, and what has none is a parameter.
    """
    resources, parameters = template["Resources"], template.get("Parameters", {})
    serverless = tuple(name for name, one in resources.items() if kind(one).startswith("AWS::Serverless::"))
    wanted: dict[str, bool] = {}
    for name, attribute in references(template):
        ours = name in resources or name in parameters or name.startswith(("AWS::", *serverless))
        if not ours:
            wanted[name] = wanted.get(name, False) or attribute
    made = {
        name: {"Type": types_elsewhere().get(name, "Custom::Elsewhere")}
        for name, attribute in wanted.items()
        if attribute or name in types_elsewhere()
    }
    given = {name: {"Type": "String"} for name in wanted if name not in made}
    after = {**template, "Resources": {**resources, **made}}
    if given or parameters:
        after["Parameters"] = {**parameters, **given}
    if "Globals" in template or "AWS::Serverless::" in json.dumps(after["Resources"]):
        after["Transform"] = TRANSFORM
    return after, {*made, *given}


# --- CloudFormation: what cfn-lint says


@functools.cache
def linter() -> tuple[Any, Any]:
    """cfn-lint's settings and rules, loaded once."""
    settings = ConfigMixIn(regions=["us-east-1"])
    return settings, Runner(settings).rules


def lint(template: Mapping[str, Any], *warnings: str) -> list[tuple[tuple[str, ...], str]]:
    """Where in a template something is wrong, and what: cfn-lint's errors, and some of its warnings."""
    settings, rules = linter()
    # its decoder makes the nodes with places that its rules want
    matches = run_template_by_data(decoded(yaml.safe_dump(plain(template))), settings, rules)
    return [
        (tuple(map(str, match.path or ())), f"{match.rule.id} {match.message}")
        for match in matches
        if match.rule.id.startswith("E") or match.rule.id in warnings
        # where none of several schemas fits, what each of them says is noise, but for a misspelling
        if not match.parent_id or "Did you mean" in match.message
    ]


def plain(value: Any) -> Any:
    """A decoded value without the places of its parts, all its functions in their long form."""
    match value:
        case dict():
            return {str(key): plain(inner) for key, inner in value.items()}
        case list():
            return [plain(inner) for inner in value]
        case str():
            return str(value)
        case _:
            return value


def cut_short(path: tuple[str, ...], message: str) -> bool:
    """Whether all that is wrong is that the resource is not shown whole; further in, what is required must stand."""
    own = path[2:] == ("Properties",) or (len(path) == 2 and "'Properties'" in message)
    return path[:1] == ("Resources",) and own and re.search(r"(is a|are) required propert(y|ies)", message) is not None


def cloudformation_problems(snippet: str) -> list[str]:
    """What is wrong with a snippet of CloudFormation or SAM."""
    try:
        template, added = completed(whole(snippet))
    except ValueError as error:
        return [str(error)]
    found = read(template, added)
    errors = [
        f"{'.'.join(path)}: {message}"
        for path, message in found
        if not added.intersection(path[1:2]) and not cut_short(path, message)
    ]
    return [*errors, *sam_problems(template), *content_problems(template)]


def read(template: dict[str, Any], added: set[str]) -> list[tuple[tuple[str, ...], str]]:
    """What cfn-lint says of a completed template, once each parameter that was added is a list where one is wanted."""
    found = lint(template)
    lists = {value_at(template, path).get("Ref") for path, message in found if message.endswith("not of type 'array'")}
    if not lists & added:
        return found
    as_lists = {name: {"Type": "CommaDelimitedList"} for name in lists & added}
    return lint({**template, "Parameters": {**template["Parameters"], **as_lists}})


def value_at(template: Any, path: tuple[str, ...]) -> dict[str, Any]:
    """The mapping at a place that cfn-lint names, empty where something else stands there."""
    for step in path:
        template = template[int(step)] if isinstance(template, list) else template.get(step, {})
    return template if isinstance(template, dict) else {}


def content_problems(value: Any) -> list[str]:
    """What is wrong with the policies, event patterns and state machines inside a value."""
    in_policies = chain.from_iterable(map(policy_problems, policies(value)))
    in_patterns = chain.from_iterable(map(pattern_problems, event_patterns(value)))
    machines = (node for node in nodes(value) if isinstance(node, dict) and isinstance(node.get("States"), dict))
    in_machines = (part_problems("AWS::StepFunctions::StateMachine", {"Definition": one}) for one in machines)
    return [*in_policies, *in_patterns, *chain.from_iterable(in_machines)]


def part_problems(whole_type: str, properties: Mapping[str, Any]) -> list[str]:
    """What is wrong with these properties of a resource that has more."""
    single, added = completed({"Resources": {"Part": {"Type": whole_type, "Properties": properties}}})
    return [
        f"as {whole_type}: {'.'.join(path[3:])}: {message}"
        for path, message in read(single, added)
        if not added.intersection(path[1:2]) and not cut_short(path, message)
    ]


# --- SAM, where cfn-lint's schemas are open


def sam_problems(template: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the parts of SAM resources that cfn-lint passes unread."""
    for resource in template["Resources"].values():
        for whole_type, properties in generated(resource):
            yield from part_problems(whole_type, properties)
        if kind(resource) in {"AWS::Serverless::Function", "AWS::Serverless::StateMachine"}:
            for name, event in resource.get("Properties", {}).get("Events", {}).items():
                yield from event_problems(kind(resource), name, event)


FUNCTION_PROPERTIES = {"FileSystemConfigs", "RecursiveLoop", "RuntimeManagementConfig", "SnapStart"}
SOURCE_PROPERTIES = {
    "BatchSize",
    "FilterCriteria",
    "FunctionResponseTypes",
    "MaximumBatchingWindowInSeconds",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "ParallelizationFactor",
    "ProvisionedPollerConfig",
    "ScalingConfig",
    "StartingPosition",
    "TumblingWindowInSeconds",
}


def generated(resource: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """The resources that SAM makes from parts of another, each with the properties that are copied as they stand."""
    properties = resource.get("Properties", {}) if isinstance(resource, dict) else {}
    match kind(resource):
        case "AWS::Serverless::Function":
            yield "AWS::Lambda::Function", {name: properties[name] for name in FUNCTION_PROPERTIES & properties.keys()}
            if isinstance(properties.get("FunctionUrlConfig"), dict):
                yield "AWS::Lambda::Url", properties["FunctionUrlConfig"]
            events = properties.get("Events", {})
            sources = [event.get("Properties") for event in events.values() if isinstance(event, dict)]
            for source in sources:
                if isinstance(source, dict):
                    yield (
                        "AWS::Lambda::EventSourceMapping",
                        {name: source[name] for name in SOURCE_PROPERTIES & source.keys()},
                    )
        case "AWS::Serverless::HttpApi" | "AWS::Serverless::WebSocketApi":
            copied = {"AccessLogSettings", "DefaultRouteSettings", "RouteSettings"} & properties.keys()
            yield "AWS::ApiGatewayV2::Stage", {name: properties[name] for name in copied}
        case "AWS::Serverless::StateMachine":
            copied = {"Logging", "Tracing"} & properties.keys()
            yield "AWS::StepFunctions::StateMachine", {f"{name}Configuration": properties[name] for name in copied}


def event_problems(function: str, name: str, event: Any) -> Iterator[str]:
    """What is wrong with an event of SAM: cfn-lint passes every event in which there is a reference.

    So each reference gives way to text, an ARN or a name, and one choice must be right.
    """
    count = min(5, sum(map(is_reference, nodes(event))))
    found: list[str] = []
    for choice in product(["arn:aws:sqs:eu-west-1:123456789012:elsewhere", "elsewhere"], repeat=count):
        single = {
            "Type": function,
            "Properties": {"Events": {name: literal(event, chain(choice, repeat("elsewhere")))}},
        }
        matches = lint({"Transform": TRANSFORM, "Resources": {"F": single}})
        found = [message for path, message in matches if path[:4] == ("Resources", "F", "Properties", "Events")]
        if not found:
            return
    yield f"event {name}: {'; '.join(found)}"


def is_reference(node: Any) -> bool:
    """Whether this is a function of CloudFormation."""
    return isinstance(node, dict) and len(node) == 1 and next(iter(node)).startswith(("Ref", "Fn::"))


def literal(value: Any, texts: Iterator[str]) -> Any:
    """A value with texts in the place of its references."""
    match value:
        case dict() if is_reference(value):
            return next(texts)
        case dict():
            return {key: literal(inner, texts) for key, inner in value.items()}
        case list():
            return [literal(inner, texts) for inner in value]
        case _:
            return value


# --- event patterns, which are free text to cfn-lint

PATTERN_KEYS = {"account", "detail", "detail-type", "id", "region", "resources", "source", "time", "version", "$or"}
OPERATORS = {"anything-but", "cidr", "equals-ignore-case", "exists", "numeric", "prefix", "suffix", "wildcard"}


def event_patterns(value: Any) -> Iterator[dict[str, Any]]:
    """Every pattern of EventBridge."""
    for node in nodes(value):
        match node:
            case {"EventPattern": dict() as pattern} | {"event_pattern": dict() as pattern}:
                yield pattern
            case {"Type": "EventBridgeRule" | "CloudWatchEvent", "Properties": {"Pattern": dict() as pattern}}:
                yield pattern


def pattern_problems(pattern: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a pattern: keys that no event has, values outside a list, operators that do not exist."""
    yield from (f"event pattern: no event has {name}" for name in pattern if name not in PATTERN_KEYS)
    for node in nodes(pattern):
        if not isinstance(node, dict) or is_reference(node):
            continue
        for name, value in node.items():
            listed = value if isinstance(value, list) else []
            if not isinstance(value, list | dict) and name not in OPERATORS:
                yield f"event pattern: {name} must be a list: {value}"
            tests = [one for one in listed if isinstance(one, dict) and name != "$or" and not is_reference(one)]
            unknown = chain.from_iterable(one.keys() - OPERATORS for one in tests)
            yield from (f"event pattern: {name} has no operator {operator}" for operator in unknown)


# --- policies: cfn-lint reads none of an organisation, none of SAM's, and no actions in a template of SAM


def policies(template: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every policy document and every use of a SAM policy template."""
    for node in nodes(template):
        match node:
            case {"Statement": [*statements]} if all(isinstance(one, dict) for one in statements):
                yield node
            case {"Statement": {"Effect": _} as statement}:
                yield {**node, "Statement": [statement]}
            case {"Version": "2012-10-17" | "2008-10-17"}:
                yield {"Statement": [], **node}
            case {"Type": "AWS::Serverless::Function" | "AWS::Serverless::StateMachine"}:
                listed = node.get("Properties", {}).get("Policies", [])
                yield from (one for one in listed if isinstance(one, dict) and len(one) == 1 and "Statement" not in one)


PRINCIPALS = {"AWS", "CanonicalUser", "Federated", "Service"}


def policy_problems(policy: Mapping[str, Any]) -> list[str]:
    """What is wrong with a policy document, or with the use of a SAM policy template."""
    if "Statement" not in policy:
        ((name, parameters),) = policy.items()
        if name == "Ref" or name.startswith("Fn::"):
            return []
        known = json.loads((HOME / "tests" / "library" / "sam-policies.json").read_text(encoding="utf-8"))
        given = sorted(parameters) if isinstance(parameters, dict) else parameters
        right = known.get(name) == given
        return [] if right else [f"SAM policy template {name}: {known.get(name, 'there is none')}, not {given}"]
    statements = [
        {key: value for key, value in plain(one).items() if key not in {"Principal", "NotPrincipal"}}
        for one in policy["Statement"]
    ]
    for statement in statements:
        if "NotResource" not in statement:
            statement.setdefault("Resource", "*")
    principals = [one.get("Principal") for one in policy["Statement"] if isinstance(one.get("Principal"), dict)]
    unknown = policy.keys() - {"Id", "Statement", "Version"}
    unknown |= {f"principal {name}" for one in principals if not is_reference(one) for name in one.keys() - PRINCIPALS}
    found = [f"no policy has {name}" for name in sorted(unknown)] or document_problems(statements)
    return [f"policy: {message}" for message in found]


def document_problems(statements: list[dict[str, Any]]) -> list[str]:
    """What cfn-lint says of statements as a managed policy, actions that do not exist included."""
    document = {"Version": "2012-10-17", "Statement": statements}
    policy = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": document}}
    template, added = completed({"Resources": {"Policy": policy}})
    template.pop("Transform", None)
    return [
        f"{'.'.join(path[4:])}: {message[:120]}"
        for path, message in lint(template, "W3037")
        if path[:2] == ("Resources", "Policy") and not added & set(path[:2])
    ]


# --- Terraform


def table() -> dict[str, Any]:
    """The schemas of Terraform's resources and data sources."""
    path = HOME / "tests" / "library" / "terraform-aws.json"
    types: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["types"]
    return types


TYPES = table()
META = {
    "*": "block",
    "connection": "any",
    "count": "any",
    "depends_on": "any",
    "for_each": "any",
    "lifecycle": {
        "*": "block",
        "create_before_destroy": "bool",
        "ignore_changes": "any",
        "postcondition": "any",
        "precondition": "any",
        "prevent_destroy": "bool",
        "replace_triggered_by": "any",
    },
    "provider": "any",
    "provisioner": "any",
}
REFERENCE = re.compile(r"(?<![\w.\"])(data\.)?((?:aws|github)_\w+)\.\w+(?:\[[^\]]*\])?\.(\w+)")
NO_TYPE = "is not in terraform-aws.json: misspelt, or run scripts/terraform_schema.py"


def terraform_problems(snippet: str) -> list[str]:
    """What is wrong with a snippet of Terraform."""
    try:
        parsed = hcl2.loads(snippet if snippet.endswith("\n") else f"{snippet}\n")
    except Exception as error:  # noqa: BLE001 - its parser raises what its own parser raises
        return [f"does not parse: {str(error).splitlines()[0]}"]
    found = [*declaration_problems(parsed), *reference_problems(snippet), *action_problems(snippet)]
    return [*found, *content_problems(unencoded(parsed))]


def unencoded(value: Any) -> Any:
    """A value with what is given to jsonencode as data, where it can be read so."""
    match value:
        case dict():
            return {str(key).strip('"'): unencoded(inner) for key, inner in value.items()}
        case list():
            return [unencoded(inner) for inner in value]
        case str() if encoded := re.fullmatch(r"\$\{jsonencode\((.*)\)\}", value, re.DOTALL):
            return unencoded(hcl2.loads(f"value = {encoded[1]}\n")["value"])
        case str():
            return "*" if "${" in value else value.strip('"')
        case _:
            return value


def declaration_problems(parsed: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the resources and data sources that are declared."""
    for kind, prefix in (("resource", ""), ("data", "data.")):
        for declared in parsed.get(kind, []):
            for quoted, names in declared.items():
                name = prefix + quoted.strip('"')
                if name not in TYPES:
                    yield f"{name} {NO_TYPE}"
                    continue
                for body in names.values():
                    yield from block_problems(name, body, {**META, **TYPES[name]}, whole=False)


def block_problems(place: str, body: Mapping[str, Any], schema: Mapping[str, Any], *, whole: bool) -> Iterator[str]:
    """What is wrong with one block: unknown arguments, values of a wrong type, and where it is whole what it lacks."""
    given = {name: value for name, value in body.items() if name not in {"__is_block__", "__comments__"}}
    for dynamic in given.pop("dynamic", []):
        given |= {name.strip('"'): inner.get("content", []) for name, inner in dynamic.items()}
    for name, value in given.items():
        here, known = f"{place}.{name}", schema.get(name)
        if known is None:
            yield f"{here}: no such argument"
        elif known == "=":
            yield f"{here} is read only"
        elif isinstance(known, dict):
            yield from nested_problems(here, value, known)
        elif is_block(value) and known != "any":
            yield f"{here} is an argument, not a block"
        elif not fits(value, known.rstrip("!")):
            yield f"{here} is no {known.rstrip('!')}: {value}"
    needed = sorted(name for name, known in schema.items() if name != "*" and required(known)) if whole else []
    yield from (f"{place} lacks {name}" for name in needed if name not in given)


def required(known: Any) -> bool:
    """Whether a block lacks something without this argument or nested block."""
    return bool((known["*"] if isinstance(known, dict) else known).endswith("!"))


def nested_problems(place: str, value: Any, schema: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with nested blocks, or with the objects that stand for them."""
    if not is_block(value) and "argument" not in schema["*"]:
        yield f"{place} is a block, not an argument"
    elif isinstance(value, list):
        for body in value:
            if isinstance(body, dict):
                yield from block_problems(place, body, schema, whole=True)


def is_block(value: Any) -> bool:
    """Whether this was written as a block."""
    return isinstance(value, list) and any(isinstance(one, dict) and "__is_block__" in one for one in value)


def fits(value: Any, kind: str) -> bool:
    """Whether a value that is written out can become one of this type; what is computed may be anything."""
    if kind == "any" or value is None or (isinstance(value, str) and value.startswith("${")):
        return True
    element = re.fullmatch(r"(list|set|map)\((.+)\)", kind)
    if element is None:
        return not isinstance(value, list | dict) and scalar_fits(value, kind)
    inner = value.values() if isinstance(value, dict) else value
    right = isinstance(value, dict if element[1] == "map" else list)
    return right and all(fits(one, element[2]) for one in inner)


def scalar_fits(value: Any, kind: str) -> bool:
    """Whether Terraform converts this to the type: text may hold a number, and 1 or true is good text."""
    text = str(value).strip('"').lower()
    patterns = {"bool": r"true|false|.*\$\{.*", "number": r"-?[\d.]+(e\d+)?|.*\$\{.*"}
    return re.fullmatch(patterns.get(kind, r"[^\0]*"), text) is not None


def reference_problems(snippet: str) -> Iterator[str]:
    """The attributes that a snippet reads and that do not exist."""
    for data, name, attribute in REFERENCE.findall(re.sub(r"#.*", "", snippet)):
        known = TYPES.get(data + name)
        if known is None:
            yield f"{data}{name} {NO_TYPE}"
        elif attribute not in known:
            yield f"{data}{name} has no attribute {attribute}"


def action_problems(snippet: str) -> list[str]:
    """The actions in policies that do not exist."""
    written = re.findall(r"\b(?:not_?)?actions?\s*=\s*(\[.*?\]|\"[^\"]*\")", snippet, re.DOTALL | re.IGNORECASE)
    actions = re.findall(r"\"([^\"$]+:[^\"$]+)\"", " ".join(written))
    return document_problems([{"Effect": "Allow", "Action": actions, "Resource": "*"}]) if actions else []


# --- code

BASH, NODE = shutil.which("bash"), shutil.which("node")
PYTHON_LINE = re.compile(
    r"^\s*(import \w|from \S+ import |(async )?def |class |@\w|(if|elif|for|while|with|except)\b.*:|(try|else):"
    r"|(return|raise|assert)\b|[\w.\[\]\", :|]+ [+|]?= |[\w.]+\(.*)",
    re.MULTILINE,
)
JAVASCRIPT_LINE = re.compile(
    r"^\s*(const|let|var|export (default|const|function)|function|async function) |=> |;$|^\s*//", re.MULTILINE
)
YAML_LINE = re.compile(r"(?!(try|else|finally):$)(- .*|[\w.-]+:( .*)?)")
COMMAND = re.compile(r"[a-z][\w.-]*( [^=].*|\\)?")


def language(code: str) -> str:
    """The language of a snippet, by its looks."""
    lines = [line for line in code.splitlines() if line.strip() and not re.match(r"\s*(#|//)", line)]
    outer = [line for line in lines if not line[0].isspace()]
    if code.lstrip()[:1] in {"{", "["}:
        return "json"
    if all(YAML_LINE.fullmatch(re.sub(r"\s+#.*", "", line)) for line in outer):
        return "yaml"
    if JAVASCRIPT_LINE.search("\n".join(lines)):
        return "javascript"
    if COMMAND.fullmatch(outer[0]) and not PYTHON_LINE.match(outer[0]):
        return "shell"
    return "python" if PYTHON_LINE.search(code) else "?"


def code_problems(code: str) -> list[str]:
    """What is wrong with a snippet of code."""
    try:
        match language(code):
            case "json":
                json.loads(code)
            case "yaml":
                yaml.safe_load(code)
            case "python":
                ast.parse(code)
            case "shell":
                return [*checked(BASH, "-n", code=code), *command_problems(code)]
            case "javascript":
                return checked(NODE, "--input-type=module", "--check", "-", code=code)
            case _:
                return ["neither Python, JavaScript, JSON, YAML nor shell: nothing here can check it"]
    except (SyntaxError, ValueError, yaml.YAMLError) as error:
        return [str(error)]
    return []


def checked(program: str | None, *arguments: str, code: str) -> list[str]:
    """What a program says of code on its standard input; nothing where the program is missing."""
    if program is None:
        return []
    done = subprocess.run([program, *arguments], input=code, capture_output=True, text=True, check=False)
    return [done.stderr.strip()] if done.returncode else []


# --- the AWS command line

CALL = re.compile(r"\baws ([a-z][a-z0-9-]+) ([a-z][a-z0-9-]*[a-z0-9])((?:\\\n|(?!\baws [a-z]| \| | && |[;\n]).)*)")
OTHER_NAMES = {"configservice": "config", "deploy": "codedeploy", "s3api": "s3"}
# commands that the command line adds to the services' own
ADDED = {
    "cloudformation": {"deploy", "package"},
    "cloudtrail": {"validate-logs", "verify-query-results"},
    "configservice": {"get-status", "subscribe"},
    "configure": None,
    "ecr": {"get-login-password"},
    "logs": {"start-live-tail", "tail"},
    "s3": None,
    "sso": {"login", "logout"},
}
EVERYWHERE = {
    "cli-binary-format",
    "cli-input-json",
    "max-items",
    "no-cli-pager",
    "no-paginate",
    "output",
    "page-size",
    "profile",
    "query",
    "region",
    "starting-token",
}
ADDED_OPTIONS = {("lambda", "create-function"): {"zip-file"}, ("lambda", "publish-layer-version"): {"zip-file"}}


@functools.cache
def operations(service: str) -> Mapping[str, Any]:
    """The commands of a service, with what each takes."""
    model = botocore.session.Session().get_service_model(OTHER_NAMES.get(service, service))
    return {xform_name(name, "-"): model.operation_model(name) for name in model.operation_names}


def command_problems(text: str) -> list[str]:
    """What is wrong with the AWS commands in a text: unknown services, commands and options, options that lack."""
    bare = re.sub(r"(?<=[\s=])'[^'\n]*'", "''", text)
    return list(chain.from_iterable(call_problems(*call.groups()) for call in CALL.finditer(bare)))


def call_problems(service: str, command: str, rest: str) -> list[str]:
    """What is wrong with one command."""
    added = ADDED.get(service, set())
    if added is None or command in added:
        return []
    try:
        operation = operations(service).get(command)
    except botocore.exceptions.UnknownServiceError:
        return [f"aws {service}: no such service"]
    if operation is None:
        return [f"aws {service} {command}: no such command"]
    shape = operation.input_shape
    options = set(re.findall(r"(?<![\w-])--([a-z][a-z0-9-]+)", rest))
    known = {xform_name(name, "-"): name for name in shape.members} if shape else {}
    allowed = {*known, *(f"no-{name}" for name in known), *EVERYWHERE, *ADDED_OPTIONS.get((service, command), ())}
    unknown = [f"aws {service} {command}: no option --{name}" for name in sorted(options - allowed)]
    required = {xform_name(name, "-") for name in shape.required_members} if shape else set()
    missing = sorted(required - options) if options & known.keys() and "cli-input-json" not in options else []
    return [*unknown, *(f"aws {service} {command} lacks --{name}" for name in missing)]


# --- the library's snippets


def test_library_has_snippets_of_every_kind() -> None:
    assert all([CLOUDFORMATION, TERRAFORM, CODE, CONSOLE])


@pytest.mark.slow
@pytest.mark.parametrize("name", CLOUDFORMATION)
def test_cloudformation(name: str) -> None:
    assert cloudformation_problems(CLOUDFORMATION[name]) == []


@pytest.mark.parametrize("name", TERRAFORM)
def test_terraform(name: str) -> None:
    assert terraform_problems(TERRAFORM[name]) == []


@pytest.mark.parametrize("name", CODE)
def test_code(name: str) -> None:
    assert code_problems(CODE[name]) == []


@pytest.mark.parametrize("name", CONSOLE)
def test_commands(name: str) -> None:
    assert command_problems(CONSOLE[name]) == []


# --- the checks find what they are for

WRONG_CLOUDFORMATION = {
    "misspelt property": (
        "F:\n  Type: AWS::Serverless::Function\n  Properties:\n    Timeot: 5\n",
        "Resources.F.Properties.Timeot: E3002",
    ),
    "misspelt property of a property": (
        "B:\n  Type: AWS::S3::Bucket\n  Properties:\n    VersioningConfiguration: {State: Enabled}\n",
        "Resources.B.Properties.VersioningConfiguration.State: E3002",
    ),
    "required further in": (
        "B:\n  Type: AWS::S3::Bucket\n  Properties:\n    VersioningConfiguration: {}\n",
        "Resources.B.Properties.VersioningConfiguration: E3003 'Status' is a required",
    ),
    "wrong type": (
        "F:\n  Type: AWS::Lambda::Function\n  Properties:\n    Timeout: five\n",
        "Resources.F.Properties.Timeout: E3012",
    ),
    "wrong value": (
        "U:\n  Type: AWS::Lambda::Url\n  Properties: {TargetFunctionArn: a, AuthType: IAM}\n",
        "Resources.U.Properties.AuthType: E3030",
    ),
    "unknown resource type": ("F:\n  Type: AWS::Lambda::Functions\n", "Resources.F.Type: E3006"),
    "no resource type": ("F:\n  Properties: {Timeout: 5}\n", "Resources.F: E3001"),
    "no resources": ("just text\n", "no mapping of resources"),
    "misspelt attribute of a resource": (
        (
            "D:\n  Type: AWS::Lambda::Url\n  Properties: {TargetFunctionArn: !GetAtt F.ARN, AuthType: AWS_IAM}\n"
            "F:\n  Type: AWS::Lambda::Function\n"
        ),
        "Resources.D.Properties.TargetFunctionArn.Fn::GetAtt.1: E1010",
    ),
    "misspelt attribute of what another snippet defines": (
        "P:\n  Type: AWS::SQS::QueuePolicy\n  Properties: {Queues: [!GetAtt OrdersQueue.ARN]}\n",
        "Resources.P.Properties.Queues.0.Fn::GetAtt.1: E1010",
    ),
    "misspelt global": ("Globals:\n  Function: {Timeot: 5}\n", "Globals.Function.Timeot: E3724"),
    "misspelt stage of a pipeline": (
        "- Name: A\n  Actions:\n    - Name: B\n      ActionTypeID: {}\n",
        "Resources.Pipeline.Properties.Stages.1.Actions.0.ActionTypeID: E3002",
    ),
    "duplicate key": ("F:\n  Type: AWS::SNS::Topic\nF:\n  Type: AWS::SNS::Topic\n", "line 2: Duplicate found 'F'"),
    "no YAML": ("F: [\n", "line "),
    "resource beside sections": ("Globals: {}\nF:\n  Type: AWS::SNS::Topic\n", "sections of a template beside"),
    "misspelt statement of SAM": (
        (
            "F:\n  Type: AWS::Serverless::Function\n  Properties:\n    Policies:\n"
            "      - Statement: [{Efect: Allow, Action: 's3:GetObject', Resource: '*'}]\n"
        ),
        "policy: Statement.0.Efect: E3510",
    ),
    "misspelt policy template of SAM": (
        "F:\n  Type: AWS::Serverless::Function\n  Properties:\n    Policies: [{SQSSendMessagePolicy: {Queue: a}}]\n",
        "SAM policy template SQSSendMessagePolicy: ['QueueName'], not ['Queue']",
    ),
    "misspelt event of SAM": (
        (
            "F:\n  Type: AWS::Serverless::Function\n  Properties:\n    Events:\n"
            "      Orders: {Type: SQS, Properties: {Queue: !GetAtt Orders.Arn, BatchSise: 1}}\n"
        ),
        "event Orders: E3017 {'Properties': {'BatchSise'",
    ),
    "misspelt type of an event of SAM": (
        (
            "F:\n  Type: AWS::Serverless::Function\n  Properties:\n    Events:\n"
            "      Orders: {Type: Sqs, Properties: {Queue: !GetAtt Orders.Arn}}\n"
        ),
        "event Orders: E3017",
    ),
    "misspelt route settings of SAM": (
        "A:\n  Type: AWS::Serverless::HttpApi\n  Properties:\n    DefaultRouteSettings: {ThrottlingRate: 1}\n",
        "as AWS::ApiGatewayV2::Stage: DefaultRouteSettings.ThrottlingRate: E3002",
    ),
    "wrong value of SAM": (
        "F:\n  Type: AWS::Serverless::Function\n  Properties:\n    FunctionUrlConfig: {AuthType: IAM}\n",
        "as AWS::Lambda::Url: AuthType: E3030",
    ),
    "misspelt part of SAM": (
        "F:\n  Type: AWS::Serverless::Function\n  Properties:\n    RuntimeManagementConfig: {UpdateOn: Auto}\n",
        "as AWS::Lambda::Function: RuntimeManagementConfig.UpdateOn: E3002",
    ),
    "misspelt event pattern": (
        "R:\n  Type: AWS::Events::Rule\n  Properties:\n    EventPattern: {detailtype: [a]}\n",
        "event pattern: no event has detailtype",
    ),
    "event pattern without a list": (
        "R:\n  Type: AWS::Events::Rule\n  Properties:\n    EventPattern: {detail: {severity: 7}}\n",
        "event pattern: severity must be a list: 7",
    ),
    "misspelt operator of an event pattern": (
        "R:\n  Type: AWS::Events::Rule\n  Properties:\n    EventPattern: {detail: {name: [{prefixed: a}]}}\n",
        "event pattern: name has no operator prefixed",
    ),
    "misspelt property of an event source": (
        (
            "F:\n  Type: AWS::Serverless::Function\n  Properties:\n    Events:\n"
            "      Orders: {Type: SQS, Properties: {Queue: !GetAtt Orders.Arn, ScalingConfig: {Maximum: 2}}}\n"
        ),
        "as AWS::Lambda::EventSourceMapping: ScalingConfig.Maximum: E3002",
    ),
    "misspelt principal": (
        (
            "R:\n  Type: AWS::IAM::Role\n  Properties:\n    AssumeRolePolicyDocument:\n"
            "      Statement: [{Effect: Allow, Action: sts:AssumeRole, Principal: {Services: lambda.amazonaws.com}}]\n"
        ),
        "policy: no policy has principal Services",
    ),
    "misspelt state": (
        (
            "M:\n  Type: AWS::Serverless::StateMachine\n  Properties:\n    Definition:\n"
            "      StartAt: A\n      States: {A: {Type: Pas, End: true}}\n"
        ),
        "as AWS::StepFunctions::StateMachine: Definition.States.A.Type: E3601",
    ),
    "misspelt policy": (
        (
            "P:\n  Type: AWS::Organizations::Policy\n  Properties:\n    Content:\n"
            "      Version: '2012-10-17'\n      Statements: []\n"
        ),
        "policy: no policy has Statements",
    ),
    "misspelt action": (
        (
            "P:\n  Type: AWS::Organizations::Policy\n  Properties:\n    Content:\n"
            "      Statement: {Effect: Deny, Action: 'lambda:InvokeFunctions', Resource: '*'}\n"
        ),
        "policy: Statement.0.Action: W3037 'invokefunctions'",
    ),
}


@pytest.mark.parametrize("name", WRONG_CLOUDFORMATION)
def test_wrong_cloudformation_is_found(name: str) -> None:
    snippet, message = WRONG_CLOUDFORMATION[name]
    assert [problem for problem in cloudformation_problems(snippet) if problem.startswith(message)]


def test_cloudformation_may_refer_to_what_stands_elsewhere_and_leave_out_the_rest() -> None:
    snippet = """\
F:
  Type: AWS::Lambda::Function
  DependsOn: Elsewhere
  Properties:
    Role: !GetAtt SomeRole.Arn
    Layers: !Ref SomeLayers
    KmsKeyArn: !Sub arn:aws:kms:${AWS::Region}:${AWS::AccountId}:key/${SomeKey}
    VpcConfig: {SubnetIds: !Ref SomeSubnets, SecurityGroupIds: [!GetAtt SomeGroup.GroupId]}
"""
    assert cloudformation_problems(snippet) == []


WRONG_TERRAFORM = {
    "misspelt argument": (
        'resource "aws_lambda_function" "f" {\n  time_out = 5\n}\n',
        "aws_lambda_function.time_out: no such argument",
    ),
    "misspelt argument of a block": (
        'resource "aws_lambda_function" "f" {\n  tracing_config {\n    modus = "Active"\n  }\n}\n',
        "aws_lambda_function.tracing_config.modus: no such argument",
    ),
    "required in a block": (
        'resource "aws_lambda_function" "f" {\n  tracing_config {}\n}\n',
        "aws_lambda_function.tracing_config lacks mode",
    ),
    "unknown resource type": ('resource "aws_lambda_functions" "f" {}\n', f"aws_lambda_functions {NO_TYPE}"),
    "wrong type": (
        'resource "aws_lambda_function" "f" {\n  timeout = "five"\n}\n',
        'aws_lambda_function.timeout is no number: "five"',
    ),
    "list for text": (
        'resource "aws_lambda_function" "f" {\n  role = ["a"]\n}\n',
        "aws_lambda_function.role is no string",
    ),
    "text for a list": (
        'resource "aws_lambda_function" "f" {\n  layers = "a"\n}\n',
        "aws_lambda_function.layers is no list(string)",
    ),
    "read only": ('resource "aws_lambda_function" "f" {\n  arn = "a"\n}\n', "aws_lambda_function.arn is read only"),
    "argument for a block": (
        'resource "aws_lambda_function" "f" {\n  environment = { variables = {} }\n}\n',
        "aws_lambda_function.environment is a block, not an argument",
    ),
    "block for an argument": (
        'resource "aws_lambda_function" "f" {\n  tags {\n    a = "b"\n  }\n}\n',
        "aws_lambda_function.tags is an argument, not a block",
    ),
    "misspelt in a dynamic block": (
        (
            'resource "aws_security_group" "g" {\n  dynamic "egress" {\n    for_each = var.a\n'
            "    content {\n      form_port = 1\n    }\n  }\n}\n"
        ),
        "aws_security_group.egress.form_port: no such argument",
    ),
    "misspelt meta-argument": (
        'resource "aws_lambda_function" "f" {\n  lifecycle {\n    prevent_destruction = true\n  }\n}\n',
        "aws_lambda_function.lifecycle.prevent_destruction: no such argument",
    ),
    "misspelt attribute": (
        'resource "aws_sns_topic" "t" {\n  name = aws_lambda_function.f.funktion_name\n}\n',
        "aws_lambda_function has no attribute funktion_name",
    ),
    "unknown data source": ('data "aws_iam_policy_documents" "d" {}\n', f"data.aws_iam_policy_documents {NO_TYPE}"),
    "misspelt action": (
        'data "aws_iam_policy_document" "d" {\n  statement {\n    actions = ["s3:GetObjects"]\n  }\n}\n',
        "Statement.0.Action: W3037 'getobjects'",
    ),
    "misspelt in a pattern": (
        ('resource "aws_cloudwatch_event_rule" "r" {\n  event_pattern = jsonencode({ "detailtype" = ["a"] })\n}\n'),
        "event pattern: no event has detailtype",
    ),
    "misspelt in a policy": (
        (
            'resource "aws_iam_role_policy" "p" {\n'
            '  policy = jsonencode({ Statement = [{ Efect = "Allow", Action = "s3:GetObject" }] })\n}\n'
        ),
        "policy: Statement.0.Efect: E3510",
    ),
    "no HCL": ('resource "aws_sns_topic" "t" {\n', "does not parse"),
}


@pytest.mark.parametrize("name", WRONG_TERRAFORM)
def test_wrong_terraform_is_found(name: str) -> None:
    snippet, message = WRONG_TERRAFORM[name]
    assert [problem for problem in terraform_problems(snippet) if problem.startswith(message)]


def test_terraform_may_compute_what_it_encodes() -> None:
    statement = '{ Effect = "Allow", Action = "s3:GetObject", Resource = "${aws_s3_bucket.b.arn}/*" }'
    snippet = f'resource "aws_iam_role_policy" "p" {{\n  policy = jsonencode({{ Statement = [{statement}] }})\n}}\n'
    assert terraform_problems(snippet) == []


LANGUAGES = {
    "python": ["x = f(y)", "if not ok:\n    return 1", "with open(p) as f:\n    f.read()", "a.b(c, d=1)  # e"],
    "yaml": ["on: push\npermissions:\n  contents: read", "# note\n- name: a\n  run: b"],
    "json": ['{"a": [1, 2]}', "[1]"],
    "javascript": ["const a = require('b');", "app.use((a) => {\n  b(a)\n})", "// note\nlet a = 1"],
    "shell": ["npm ci --ignore-scripts", "# note\nopenssl dgst -sha256 a | base64", 'curl -d a="$B" \\\n  c'],
}


@pytest.mark.parametrize(("known", "code"), [(known, code) for known, codes in LANGUAGES.items() for code in codes])
def test_language_of_code(known: str, code: str) -> None:
    assert language(code) == known
    assert code_problems(code) == []


WRONG_CODE = {
    "python": "if a = 1:\n    return b(",
    "yaml": "a:\n  - b\n c: d",
    "json": "{'a': 1}",
    "javascript": "const = 1;",
    "shell": "cat file | | sort",
}


@pytest.mark.parametrize("known", WRONG_CODE)
def test_wrong_code_is_found(known: str) -> None:
    if (known, NODE) == ("javascript", None) or (known, BASH) == ("shell", None):
        pytest.skip("no program here reads it")
    assert language(WRONG_CODE[known]) == known
    assert code_problems(WRONG_CODE[known])


WRONG_COMMANDS = {
    "aws lambada list-functions": "aws lambada: no such service",
    "aws lambda list-function": "aws lambda list-function: no such command",
    "aws lambda get-policy --function NAME": "aws lambda get-policy: no option --function",
    "aws lambda get-policy --qualifier live": "aws lambda get-policy lacks --function-name",
    "first aws lambda list-functions; then aws iam get-users": "aws iam get-users: no such command",
    "aws lambda get-policy \\\n  --function NAME | jq --raw-output .": "aws lambda get-policy: no option --function",
}


@pytest.mark.parametrize("text", WRONG_COMMANDS)
def test_wrong_command_is_found(text: str) -> None:
    assert WRONG_COMMANDS[text] in command_problems(text)


def test_commands_in_prose() -> None:
    text = (
        "aws iam get-account-summary: 1; aws s3 ls, or aws logs tail GROUP --since 1h; aws iam get-credential-report."
    )
    assert command_problems(text) == []
    assert command_problems("aws lambda list-functions --query 'a | b' | jq --raw-output .") == []
