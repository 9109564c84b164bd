"""The library's snippets by kind, and what checks of several kinds share."""

from __future__ import annotations

import contextlib
import functools
import json
import re
import textwrap
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from itertools import chain
from typing import Any

import botocore.exceptions
import botocore.session
import yaml
from botocore import xform_name
from cfnlint.config import ConfigMixIn
from cfnlint.decode.decode import decode_str
from cfnlint.runner import Runner, run_template_by_data

from tests.support import HOME
from threatmodel.evidence.policies.iam import actions_of


def snippets(key: str) -> dict[str, str]:
    """The snippets under one key of `how`, by control."""
    return {name: text for name, how in HOW.items() if (text := how.get(key))}


HOW: Mapping[str, Mapping[str, str]] = {
    path.stem: yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader).get("how", {})
    for path in sorted((HOME / "threatlib" / "controls").glob("*/*.yaml"))
}
CLOUDFORMATION = snippets("cloudformation")
TERRAFORM = snippets("terraform")
CODE = snippets("code")
CONSOLE = snippets("console")


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


def is_reference(node: Any) -> bool:
    """Whether this is a function of CloudFormation."""
    return isinstance(node, dict) and len(node) == 1 and next(iter(node)).startswith(("Ref", "Fn::"))


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


def policies(template: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every policy document and every use of a SAM policy template."""
    for node in nodes(template):
        match node:
            case {"Version": "2021-06-01"}:  # a data protection policy of CloudWatch Logs
                pass
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
    """What cfn-lint says of statements as a managed policy, actions that do not exist included.

    Whether an action exists is for AWS's catalog to say, which has newer ones than cfn-lint knows.
    """
    document = {"Version": "2012-10-17", "Statement": statements}
    policy = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": document}}
    template, added = completed({"Resources": {"Policy": policy}})
    template.pop("Transform", None)
    return [
        f"{'.'.join(path[4:])}: {message[:120]}"
        for path, message in lint(template, "W3037")
        if path[:2] == ("Resources", "Policy") and not added & set(path[:2]) and not is_cataloged(message, statements)
    ]


def is_cataloged(message: str, statements: Iterable[Mapping[str, Any]]) -> bool:
    """Whether an action that cfn-lint does not know is one of AWS's catalog, or a pattern of some there."""
    found = re.match(r"W3037 '([^']+)' is not one of", message)
    if found is None:
        return False
    actions = chain.from_iterable(map(actions_of_statement, statements))
    services = {action.partition(":")[0] for action in actions if action.lower().endswith(f":{found[1]}")}
    return any(
        fnmatchcase(one.name.lower(), f"{service}:{found[1]}")
        for service in services
        for one in actions_of(service).values()
    )


def actions_of_statement(statement: Mapping[str, Any]) -> list[str]:
    """The actions that a statement names."""
    named = statement.get("Action", statement.get("NotAction", []))
    return [named] if isinstance(named, str) else [one for one in named if isinstance(one, str)]


def required(known: Any) -> bool:
    """Whether a block lacks something without this argument or nested block."""
    return bool((known["*"] if isinstance(known, dict) else known).endswith("!"))


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
