"""The places of facts: they cover what can be seen, and whatever they name exists.

CloudFormation and SAM are held to the resource schemas of cfn-lint, Terraform to the table that
scripts/terraform_schema.py writes, AWS's operations to botocore's models, IAM actions to cfn-lint's list of them.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import botocore.exceptions
import botocore.session
import cfnlint.data.AdditionalSpecs
import pytest
from cfnlint.schema import ResourceNotFoundError
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from tests.support import HOME
from threatmodel.evidence.analyses.registry import analyses
from threatmodel.evidence.mappings import format as reading
from threatmodel.evidence.mappings.format import FILES, Call, FactPlace, Part, Places, Source, load_places, parse_path
from threatmodel.evidence.mappings.format import Path as PartPath
from threatmodel.model.vocabulary import FACTS, KINDS, PLANES, ROWS
from threatmodel.reading.problems import InputError
from threatmodel.reading.shape import Flag, Number

PLACES = {name: load_places(name) for name in FILES}
TEMPLATES = ("cloudformation", "terraform")


def every_place(places: Places) -> Iterator[tuple[str, str, FactPlace]]:
    """Every place with its kind and fact."""
    for kind, facts in places.facts.items():
        for name, found in facts.items():
            yield from ((kind, name, place) for place in found)


def every_source(places: Places) -> Iterator[Source]:
    """Every source of a place, and every one that is gathered."""
    yield from (place.source for _, _, place in every_place(places))
    for sets in places.gathered.values():
        for sources in sets.values():
            yield from sources


# --- coverage


def seen_by(word: str) -> set[str]:
    return {f"{row.kind}.{row.name}" for row in ROWS if word in row.seen_by}


def names(table: Any) -> set[str]:
    return {f"{kind}.{name}" for kind, facts in table.items() for name in facts}


def test_template_facts_stand_in_both_files_or_are_unsaid() -> None:
    for name in TEMPLATES:
        assert names(PLACES[name].facts) | names(PLACES[name].unsaid) == seen_by("template"), name


def test_no_fact_that_a_template_shows_is_unsaid_in_both() -> None:
    both = names(PLACES["cloudformation"].unsaid) & names(PLACES["terraform"].unsaid)
    assert both == {"function.role_reaches_unused"}, "which relations.py says"


def test_aws_facts_stand_in_the_file() -> None:
    assert names(PLACES["aws"].facts) == seen_by("aws")


def test_what_aws_cannot_say_is_not_seen_by_it() -> None:
    assert not names(PLACES["aws"].unsaid) & seen_by("aws")


def test_every_kind_of_element_can_be_found() -> None:
    template = set(KINDS) - set(PLANES)
    assert set(PLACES["cloudformation"].elements) == set(PLACES["terraform"].elements) == template
    assert set(PLACES["aws"].elements) == {
        kind for kind in KINDS if any("aws" in r.seen_by for r in FACTS[kind].values())
    }


@pytest.mark.parametrize("name", FILES)
def test_every_type_of_element_has_a_place(name: str) -> None:
    """What is an element but has no fact would be found and said nothing of."""
    for kind, types in PLACES[name].elements.items():
        used = {one for place in every_place(PLACES[name]) if place[0] == kind for one in place[2].source.types}
        assert not types or set(types) <= used, kind


@pytest.mark.parametrize("name", FILES)
def test_whatever_is_gathered_is_looked_at(name: str) -> None:
    used: dict[tuple[str, str], set[str]] = {}
    for kind, _, place in every_place(PLACES[name]):
        if place.analysis:
            used.setdefault((kind, place.gather), set()).update(analyses()[place.analysis].takes)
    for kind, sets in PLACES[name].gathered.items():
        for gather, sources in sets.items():
            assert {source.part for source in sources} <= used[kind, gather], f"{kind}.{gather}"


def test_every_analysis_is_asked_for() -> None:
    asked = {place.analysis for places in PLACES.values() for _, _, place in every_place(places)} - {""}
    assert asked == set(analyses())


def test_every_part_of_an_analysis_is_gathered_somewhere() -> None:
    given: dict[str, set[str]] = {name: set() for name in analyses()}
    for places in PLACES.values():
        for kind, _, place in every_place(places):
            if place.analysis:
                given[place.analysis] |= {source.part for source in places.gathered[kind][place.gather]}
    assert {
        name: set(one.takes) - given[name] for name, one in analyses().items() if set(one.takes) - given[name]
    } == {}


def test_page_explains_every_word() -> None:
    page = (HOME / "docs" / "evidence.md").read_text(encoding="utf-8")
    for word in (*reading.PREDICATES, *reading.VALUES, *reading.OVER, "left_out", "nothing", "gather", "unsaid"):
        assert f"`{word}" in page, word


# --- CloudFormation

Alternatives = list[dict[str, Any]]
ANYTHING: dict[str, Any] = {}


@functools.cache
def resource_schema(name: str) -> dict[str, Any] | None:
    """The schema of a CloudFormation or SAM type, or None."""
    try:
        schema: dict[str, Any] = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", name).schema
    except ResourceNotFoundError:
        return None
    return schema


def alternatives(schema: dict[str, Any], root: dict[str, Any]) -> Alternatives:
    """What a schema can mean: its references followed, its choices spread out."""
    if "$ref" in schema:
        node: Any = root
        for step in schema["$ref"].removeprefix("#/").split("/"):
            node = node[step.replace("~1", "/")]
        return alternatives(node, root)
    choices = [one for word in ("anyOf", "oneOf", "allOf") for one in schema.get(word, [])]
    inner = [one for choice in choices for one in alternatives(choice, root)]
    return inner if inner and "properties" not in schema and "items" not in schema else [schema, *inner]


def is_open(schema: dict[str, Any]) -> bool:
    """Whether a schema says nothing of what stands in it."""
    kinds = schema.get("type", "object")
    return "object" in (kinds if isinstance(kinds, list) else [kinds]) and not (
        schema.keys() & {"properties", "patternProperties", "items"} or schema.get("additionalProperties") is False
    )


def cloudformation_steps(current: Alternatives, part: Part, root: dict[str, Any]) -> Alternatives:
    """What one part of a path leads to."""
    found: Alternatives = []
    for schema in current:
        if is_open(schema):
            more = schema.get("additionalProperties")
            found += alternatives(more, root) if isinstance(more, dict) and part.kind != "items" else [ANYTHING]
        elif part.kind == "key" and part.name in schema.get("properties", {}):
            found += alternatives(schema["properties"][part.name], root)
        elif part.kind == "items" and "items" in schema:
            found += alternatives(schema["items"], root)
        elif part.kind == "values":
            found += [
                one for value in schema.get("patternProperties", {}).values() for one in alternatives(value, root)
            ]
    return found


def cloudformation_ends(name: str, path: PartPath) -> Alternatives | str:
    """What stands at a path of a type, or what is wrong with it."""
    root = resource_schema(name)
    if root is None:
        return f"{name}: no such type"
    pointer = "/properties" + "".join(f"/{part.name}" if part.kind == "key" else "/*" for part in path)
    if any(pointer == one or pointer.startswith(f"{one}/") for one in root.get("readOnlyProperties", [])):
        return f"{name}: {pointer} is read only"
    current = alternatives({"properties": root["properties"], "additionalProperties": False}, root)
    for part in path:
        current = cloudformation_steps(current, part, root)
        conditions = [cloudformation_steps(current, Part("key", key), root) for key, _ in part.where]
        if not current or not all(conditions):
            return f"{name}: nothing at {shown(path)}"
    return current


def shown(path: PartPath) -> str:
    return ".".join(part.name or {"items": "[]", "values": "{}"}[part.kind] for part in path)


def template_problems(source: Source, ends: Callable[[str, PartPath], Any]) -> Iterator[str]:
    """What is wrong with a source of a template: types, properties that refer, and the path."""
    current = source.types
    for step in source.steps:
        holders = {"to": current, "from": step.types, "any": ()}[step.way]
        paths = [step.by] if step.by else []
        found = [ends(one, path) for one in holders for path in paths]
        found += [ends(one, (Part("key", name),)) for one in step.types for name, _ in step.where]
        found += [ends(one, ()) for one in step.types]
        yield from (one for one in found if isinstance(one, str))
        current = step.types
    yield from (one for one in (ends(name, source.at) for name in current) if isinstance(one, str))


def last_types(source: Source) -> tuple[str, ...]:
    return source.steps[-1].types if source.steps else source.types


@pytest.mark.parametrize("name", TEMPLATES)
def test_types_and_paths_exist(name: str) -> None:
    ends = {"cloudformation": cloudformation_ends, "terraform": terraform_ends}[name]
    problems = [
        f"{source.place}: {problem}"
        for source in every_source(PLACES[name])
        for problem in template_problems(source, ends)
    ]
    problems += [
        found for types in PLACES[name].elements.values() for one in types if isinstance(found := ends(one, ()), str)
    ]
    assert problems == []


def test_predicates_fit_what_cloudformation_holds() -> None:
    problems = []
    for kind, fact, place in every_place(PLACES["cloudformation"]):
        for name in last_types(place.source):
            ends = cloudformation_ends(name, place.source.at)
            assert not isinstance(ends, str)
            for schema in ends:
                problems += [f"{kind}.{fact}: {name} {one}" for one in misfits(place, kind, fact, schema)]
    assert problems == []


def misfits(place: FactPlace, kind: str, fact: str, schema: dict[str, Any]) -> Iterator[str]:
    """How a predicate does not fit a property of this schema."""
    kinds = schema.get("type", ())
    kinds = {kinds} if isinstance(kinds, str) else set(kinds)
    if place.predicate == "says" and place.source.at and kinds == {"boolean"}:
        yield "'says' would take false for something that stands there"
    wanted: set[str] = set()
    if place.value == "negated" or (place.value and isinstance(FACTS[kind][fact].shape, Flag)):
        wanted = {"boolean"}
    elif place.value in {"as-is", "hours-as-days"} and isinstance(FACTS[kind][fact].shape, Number):
        wanted = {"integer", "number", "string"}  # text is a number where CloudFormation wants it so
    if wanted and kinds and not kinds & wanted:
        yield f"holds {sorted(kinds)}, not {sorted(wanted)}"
    yield from wrong_words(place, schema.get("enum", ()))


def wrong_words(place: FactPlace, known: Any) -> Iterator[str]:
    """Words that can never stand there."""
    if known and not place.value:
        yield from (f"never holds {word!r}" for word in place.words if "*" not in word and word not in map(str, known))


@pytest.mark.parametrize(
    ("name", "path", "problem"),
    [
        ("AWS::Lambda::Functions", "Runtime", "no such type"),
        ("AWS::Lambda::Function", "Runtimes", "nothing at Runtimes"),
        ("AWS::Lambda::Function", "Runtime.Version", "nothing at Runtime.Version"),
        ("AWS::Lambda::Function", "Runtime[]", "nothing at Runtime.[]"),
        ("AWS::Lambda::Function", "Arn", "read only"),
        ("AWS::ApiGateway::Stage", "MethodSettings[Path=/*].ThrottlingRateLimit", "nothing at"),
        ("AWS::Serverless::Function", "DeploymentPreference.Kind", "nothing at DeploymentPreference.Kind"),
        ("AWS::Serverless::Function", "FunctionUrlConfig.AuthTypes", "nothing at FunctionUrlConfig.AuthTypes"),
    ],
)
def test_wrong_name_in_cloudformation_is_found(name: str, path: str, problem: str) -> None:
    assert problem in str(cloudformation_ends(name, parse_path(path) or ()))


@pytest.mark.parametrize(
    ("kind", "fact", "place", "schema"),
    [
        ("api", "access_logs", {"predicate": "says", "says": True}, {"type": "boolean"}),
        ("api", "default_endpoint", {"predicate": "value", "value": "negated"}, {"type": "string"}),
        ("function", "timeout_seconds", {"predicate": "value", "value": "as-is"}, {"type": "object"}),
        ("function", "package_format", {"predicate": "words", "words": {"ZIP": "zip"}}, {"enum": ["Zip", "Image"]}),
    ],
)
def test_predicate_that_does_not_fit_is_found(kind: str, fact: str, place: Any, schema: dict[str, Any]) -> None:
    source = PLACES["cloudformation"].facts["function"]["runtime"][0].source
    assert list(misfits(FactPlace(source=source, **place), kind, fact, schema))


# --- Terraform

TABLE = json.loads((HOME / "tests" / "library" / "terraform-aws.json").read_text(encoding="utf-8"))["types"]


def terraform_ends(name: str, path: PartPath) -> Any:
    """What stands at a path of a type, or what is wrong with it, as a text that begins with its name."""
    if name not in TABLE:
        return f"{name}: is not in terraform-aws.json: misspelt, or run scripts/terraform_schema.py"
    current: Any = TABLE[name]
    at = list(path)
    while at:
        part = at.pop(0)
        if not isinstance(current, dict) or part.kind != "key" or part.name == "*" or part.name not in current:
            return f"{name}: nothing at {shown(path)}"
        current = current[part.name]
        if current == "=":
            return f"{name}: {part.name} is known after apply only"
        if isinstance(current, dict) or re.match(r"(list|set|map)\(", current):
            nested = isinstance(current, dict)
            if nested and not (at and at[0].kind == "items"):
                return f"{name}: {part.name} is a list in a plan"
            if at and at[0].kind in {"items", "values"}:
                where = at.pop(0).where
                if where and not all(nested and key in current for key, _ in where):
                    return f"{name}: nothing at {shown(path)}"
                current = current if nested else [current]
    return {"found": current}


@pytest.mark.parametrize(
    ("name", "path", "problem"),
    [
        ("aws_lambda_functions", "runtime", "is not in terraform-aws.json"),
        ("aws_lambda_function", "runtimes", "nothing at runtimes"),
        ("aws_lambda_function", "vpc_config.subnet_ids", "is a list in a plan"),
        ("aws_lambda_function", "vpc_config[].subnets[]", "nothing at"),
        ("aws_lambda_function", "runtime[]", "nothing at"),
        ("aws_lambda_function", "arn", "known after apply only"),
        ("aws_api_gateway_integration", "tls_config[skip=true].insecure_skip_verification", "nothing at"),
    ],
)
def test_wrong_name_in_terraform_is_found(name: str, path: str, problem: str) -> None:
    assert problem in terraform_ends(name, parse_path(path) or ())


def test_wrong_step_is_found() -> None:
    source = next(source for source in every_source(PLACES["cloudformation"]) if source.steps)
    assert list(template_problems(source, cloudformation_ends)) == []
    assert list(template_problems(source, lambda _name, path: "wrong" if path else []))


# --- AWS


@functools.cache
def service(name: str) -> Any:
    """botocore's model of a service, or None."""
    try:
        return botocore.session.Session().get_service_model(name)
    except botocore.exceptions.UnknownServiceError:
        return None


def operation(call: Call) -> Any:
    """botocore's model of an operation, or None."""
    model = service(call.service)
    return model.operation_model(call.operation) if model and call.operation in model.operation_names else None


def answer_end(shape: Any, path: PartPath) -> Any:
    """The shape at a path of an answer, or None."""
    for part in path:
        kind = shape.type_name if shape else ""
        if kind == "structure" and part.kind == "key":
            shape = shape.members.get(part.name)
        elif kind == "list" and part.kind == "items":
            shape = shape.member
            if any(answer_end(shape, (Part("key", key),)) is None for key, _ in part.where):
                return None
            if any(value not in enum for key, value in part.where if (enum := enum_of(shape.members[key]))):
                return None
        elif kind == "map" and part.kind in {"key", "values"}:
            shape = shape.value
        else:
            return None
    return shape


def enum_of(shape: Any) -> list[str]:
    return list(getattr(shape, "enum", []) or [])


def call_problems(call: Call) -> Iterator[str]:
    """What is wrong with one call."""
    model = operation(call)
    if model is None:
        yield f"{call.service}:{call.operation}: no such operation"
        return
    inputs = model.input_shape.members if model.input_shape else {}
    required = set(model.input_shape.required_members) if model.input_shape else set()
    yield from (f"{call.operation} takes no {name}" for name in call.given if name not in inputs)
    yield from (f"{call.operation} lacks {name}" for name in sorted(required - set(call.given)))
    for name, value in call.given.items():
        if name in inputs and (inputs[name].type_name == "list") is not isinstance(value, tuple):
            yield f"{call.operation}: {name} is a {inputs[name].type_name}"
        elif name in inputs and (enum := enum_of(inputs[name])) and value not in enum:
            yield f"{call.operation}: {name} is never {value}"
    if call.at and answer_end(model.output_shape, call.at) is None:
        yield f"{call.operation}: nothing at {shown(call.at)}"
    modelled = {one.metadata.get("error", {}).get("code", one.name) for one in model.error_shapes}
    modelled |= {one.name for one in model.error_shapes}
    if call.service not in {"s3", "s3control"}:  # their models name hardly any error
        yield from (f"{call.operation} raises no {name}" for name in call.nothing if name not in modelled)


def every_call(places: Places) -> Iterator[Call]:
    for variants in places.elements.values():
        for calls in variants.values():
            yield from calls
    for source in every_source(places):
        yield from source.calls


def test_calls_exist() -> None:
    assert sorted({problem for call in every_call(PLACES["aws"]) for problem in call_problems(call)}) == []


def test_predicates_fit_what_aws_answers() -> None:
    problems = []
    for kind, fact, place in every_place(PLACES["aws"]):
        if place.source.calls:
            last = place.source.calls[-1]
            shape = answer_end(operation(last).output_shape, last.at)
            kinds = {"long": "integer", "double": "number", "float": "number", "timestamp": "time"}
            schema = {"type": kinds.get(shape.type_name, shape.type_name), "enum": enum_of(shape)}
            problems += [f"{kind}.{fact}: {last.operation} {one}" for one in misfits(place, kind, fact, schema)]
            if place.value == "age-in-days" and shape.type_name != "timestamp":
                problems.append(f"{kind}.{fact}: {last.operation} gives no time")
    assert problems == []


ACTIONS = json.loads((Path(cfnlint.data.AdditionalSpecs.__file__).parent / "Policies.json").read_text(encoding="utf-8"))


def is_action(action: str) -> bool:
    """Whether cfn-lint's list has an IAM action."""
    prefix, _, name = action.partition(":")
    return name.lower() in ACTIONS.get(prefix, {}).get("Actions", {})


def test_rights_exist() -> None:
    rights = {right for call in every_call(PLACES["aws"]) for right in PLACES["aws"].actions(call)}
    assert sorted(right for right in rights if not is_action(right)) == []


def test_exceptions_of_rights_are_used_and_needed() -> None:
    places = PLACES["aws"]
    used = {f"{call.service}:{call.operation}" for call in every_call(places)}
    for name, rights in places.permissions.items():
        assert [one for one in used if one == name or (name.endswith(":*") and one.startswith(name[:-1]))], name
        assert rights != (name,)


def test_rights_only_read() -> None:
    rights = {right for call in every_call(PLACES["aws"]) for right in PLACES["aws"].actions(call)}
    reads = re.compile(r"[a-z0-9-]+:((Get|List|Describe|BatchGet|View)\w+|GET|GenerateCredentialReport)")
    assert sorted(right for right in rights if not reads.fullmatch(right)) == []
    assert not rights & {"lambda:GetFunction", "secretsmanager:GetSecretValue", "kms:Decrypt", "ssm:GetParameter"}


def called(text: str, at: str = "", nothing: tuple[str, ...] = (), **given: str | tuple[str, ...]) -> Call:
    name, _, op = text.partition(":")
    return Call(name, op, given, parse_path(at) or (), nothing)


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        (called("lambdas:GetPolicy"), "no such operation"),
        (called("lambda:GetPolicies"), "no such operation"),
        (called("lambda:GetPolicy", "Policies", FunctionName="$name"), "nothing at Policies"),
        (called("lambda:GetPolicy", "Policy"), "lacks FunctionName"),
        (called("lambda:GetPolicy", "Policy", FunctionName="$name", Name="x"), "takes no Name"),
        (called("lambda:GetPolicy", "Policy", FunctionName=("$name",)), "FunctionName is a string"),
        (called("lambda:GetPolicy", "Policy", ("NoSuchPolicy",), FunctionName="$name"), "raises no NoSuchPolicy"),
        (called("lambda:ListFunctions", "Functions[Roles=$1].FunctionArn"), "nothing at"),
        (called("accessanalyzer:ListAnalyzers", "analyzers[type=ACCOUNTS].arn"), "nothing at"),
        (called("organizations:ListPoliciesForTarget", "", (), TargetId="1", Filter="SCP"), "Filter is never SCP"),
    ],
)
def test_wrong_call_is_found(call: Call, problem: str) -> None:
    assert any(problem in found for found in call_problems(call))


@pytest.mark.parametrize(
    "action", ["lambda:GetPolicies", "lambdas:GetPolicy", "opensearch:DescribeDomain", "GetPolicy"]
)
def test_wrong_right_is_found(action: str) -> None:
    assert not is_action(action)


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("lambda:GetFunctionConfiguration", True),
        ("iam:GenerateCredentialReport", True),
        ("lambda:GetFunction", False),
        ("lambda:Invoke", False),
        ("lambda:UpdateFunctionCode", False),
        ("secretsmanager:GetSecretValue", False),
        ("secretsmanager:BatchGetSecretValue", False),
        ("ssm:GetParameter", False),
        ("kms:Decrypt", False),
        ("kms:GenerateDataKey", False),
        ("s3:GetObject", False),
    ],
)
def test_forbidden_operations(name: str, allowed: bool) -> None:
    assert reading.forbidden(*name.split(":")) is not allowed


# --- the format

TEMPLATE = """\
elements: {{function: [AWS::Lambda::Function]}}
gathered: {{function: {{env: [{{at: Environment.Variables, as: variables}}]}}}}
facts: {{{facts}}}
{more}
"""


def problems_of(folder: Path, name: str, text: str) -> list[str]:
    """What reading a file of this text says."""
    (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    try:
        load_places(name, folder=folder)
    except InputError as error:
        return [f"{problem.code}: {problem.message}" for problem in error.problems]
    return []


RIGHT = [
    "runtime: [{at: Runtime, value: as-is}]",
    'reserved_concurrency: [{at: R, words: {"-1": null}, value: as-is, left_out: null}]',
    "environment_holds_secret: [{gather: env, analysis: secret-in-environment}, {otherwise: false}]",
    "role_shared: [{via: [{to: [AWS::IAM::Role], by: Role}], says: true}]",
    "in_vpc: [{at: Vpc.SubnetIds, words: {}}]",
    "timeout_seconds: [{via: [{from: [T], by: 'A[X=1,Y=*]{}', where: {Z: b}}], at: 'A{x}', value: as-is, over: least}]",
]


@pytest.mark.parametrize("fact", RIGHT)
def test_right_place_is_read(tmp_path: Path, fact: str) -> None:
    assert problems_of(tmp_path, "cloudformation", TEMPLATE.format(facts=f"function: {{{fact}}}", more="")) == []


WRONG = {
    "runtimes: [{at: Runtime, value: as-is}]": "unknown-fact: 'runtimes' is no fact",
    "runtime_supported: [{at: Runtime, words: {}}]": "unknown-fact: function.runtime_supported is computed",
    "in_vpc: [{at: A, says: maybe}]": "wrong-type: function.in_vpc cannot be 'maybe'",
    "in_vpc: [{at: A, says: null}]": "wrong-type: function.in_vpc cannot be null",
    "in_vpc: [{at: A, words: {x: 1}}]": "wrong-type: function.in_vpc cannot be 1",
    "in_vpc: [{otherwise: none}]": "wrong-type: function.in_vpc cannot be 'none'",
    "timeout_seconds: [{at: A, says: true}]": "wrong-type: function.timeout_seconds cannot be true",
    "timeout_seconds: [{at: A, value: as-is, left_out: 901}]": "wrong-type: function.timeout_seconds cannot be 901",
    "timeout_seconds: [{at: A, value: negated}]": "wrong-type: 'value: negated' is not for",
    "timeout_seconds: [{at: A, value: asis}]": "unknown-word: 'value' is 'asis'",
    "timeout_seconds: [{at: A, value: as-is, over: any}]": "wrong-type: 'over: any' is not for",
    "timeout_seconds: [{at: A, value: as-is, over: all}]": "unknown-word: 'over' is 'all'",
    "log_format: [{at: A, words: {JSON: JSON}}]": "wrong-type: function.log_format cannot be 'JSON'",
    "log_format: [{at: A, words: {JSON: json}, over: least}]": "wrong-type: 'over: least' is not for",
    "in_vpc: [{at: A}]": "wrong-type: a place has one predicate, and this has none",
    "in_vpc: [{at: A, says: true, words: {}}]": "wrong-type: a place has one predicate, and this has says, words",
    "in_vpc: [{words: {a: true}}]": "missing-key: a place with 'words' has no 'at'",
    "in_vpc: [{says: true, left_out: false}]": "missing-key: a place with 'says' has no 'at'",
    "in_vpc: [{at: A, otherwise: true}]": "unknown-key: 'at' says nothing beside 'otherwise'",
    "in_vpc: [{at: 'A..B', says: true}]": "wrong-type: 'at' is 'A..B', which is no path",
    "in_vpc: [{at: '[].B', says: true}]": "wrong-type: 'at' is '[].B', which is no path",
    "in_vpc: [{at: 'A[x]', says: true}]": "wrong-type: 'at' is 'A[x]', which is no path",
    "in_vpc: [{in: [AWS::Lambda::Alias], at: A, says: true}]": "unknown-reference: 'AWS::Lambda::Alias' is not among",
    "in_vpc: [{via: [{to: [T]}], says: true}]": "wrong-type: this is no step",
    "in_vpc: [{via: [{any: [T], by: A}], says: true}]": "wrong-type: this is no step",
    "in_vpc: [{via: [{to: [T], from: [T], by: A}], says: true}]": "wrong-type: this is no step",
    "in_vpc: [{calls: [{call: 'a:GetB'}], says: true}]": "unknown-key: 'calls' is not a key of a place",
    "in_vpc: [{gather: env, analysis: publicity}]": "unknown-word: 'publicity' is no analysis",
    "in_vpc: [{gather: envs, analysis: any-true}]": "unknown-reference: nothing of the name 'envs'",
    "in_vpc: [{gather: env, analysis: any-true}]": "wrong-type: 'any-true' takes flag, but variables is gathered",
    "in_vpc: [{gather: env, analysis: egress}]": "wrong-type: the analysis 'egress' does not answer function.in_vpc",
    "in_vpc: [{analysis: any-true}]": "missing-key: a place with 'analysis' has no 'gather'",
    "in_vpc: [{at: A, gather: env, analysis: any-true}]": "unknown-key: 'at' says nothing beside 'analysis'",
    "in_vpc: []": "wrong-type: a fact 'in_vpc' is empty",
}


@pytest.mark.parametrize(("fact", "problem"), WRONG.items())
def test_wrong_place_is_refused(tmp_path: Path, fact: str, problem: str) -> None:
    found = problems_of(tmp_path, "cloudformation", TEMPLATE.format(facts=f"function: {{{fact}}}", more=""))
    assert any(one.startswith(problem) for one in found), found


@pytest.mark.parametrize(
    ("facts", "more", "problem"),
    [
        ("functions: {}", "", "unknown-kind: 'functions' is no kind of element"),
        (
            "account: {budget_alert: [{at: A, says: true}]}",
            "",
            "wrong-type: no resource is an element of the kind account",
        ),
        (
            "function: {in_vpc: [{otherwise: false}]}",
            "unsaid: {function: {in_vpc: it cannot}}",
            "stated-twice: function.in_vpc has places, and is unsaid",
        ),
        ("", "unsaid: {function: {in_a_vpc: it cannot}}", "unknown-fact: 'in_a_vpc' is no fact"),
        ("", "permissions: {}", "unknown-key: 'permissions' is not a key"),
    ],
)
def test_wrong_file_is_refused(tmp_path: Path, facts: str, more: str, problem: str) -> None:
    found = problems_of(tmp_path, "cloudformation", TEMPLATE.format(facts=facts, more=more))
    assert any(one.startswith(problem) for one in found), found


@pytest.mark.parametrize(
    ("calls", "problem"),
    [
        ("{call: 'lambda:GetFunction', at: Configuration.Runtime}", "wrong-type: lambda:GetFunction changes something"),
        ("{call: 'lambda:Invoke', at: Payload}", "wrong-type: lambda:Invoke changes something"),
        (
            "{call: 'lambda:GetPolicy', with: {FunctionName: $1}, at: Policy}",
            "unknown-reference: '$1' stands for nothing",
        ),
        (
            "{call: 'lambda:GetPolicy', with: {FunctionName: $nme}, at: Policy}",
            "unknown-reference: '$' stands for nothing",
        ),
        ("{call: 'lambda:GetPolicy', with: {FunctionName: [1]}, at: Policy}", "wrong-type: a call is given a text"),
        ("{call: GetPolicy, at: Policy}", "wrong-type: 'call' is 'GetPolicy'; expected service:Operation"),
    ],
)
def test_wrong_call_is_refused(tmp_path: Path, calls: str, problem: str) -> None:
    facts = f"facts: {{function: {{runtime: [{{calls: [{calls}], value: as-is}}]}}}}"
    text = f"elements: {{function: {{function: []}}}}\n{facts}\n"
    found = problems_of(tmp_path, "aws", text)
    assert any(one.startswith(problem) for one in found), found


def test_name_of_what_exists_once_is_refused(tmp_path: Path) -> None:
    call = "{call: 'iam:GetRole', with: {RoleName: $name}, at: Role.Arn}"
    text = f"elements: {{}}\nfacts: {{account: {{guardduty: [{{calls: [{call}], says: true}}]}}}}\n"
    assert problems_of(tmp_path, "aws", text) == ["unknown-reference: '$name' stands for nothing here"]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("A", [Part("key", "A")]),
        ("A.b_2", [Part("key", "A"), Part("key", "b_2")]),
        ("A[].B", [Part("key", "A"), Part("items"), Part("key", "B")]),
        ("A{}", [Part("key", "A"), Part("values")]),
        ("A{*/*}.b", [Part("key", "A"), Part("key", "*/*"), Part("key", "b")]),
        ("A[x=/*,y=$1]", [Part("key", "A"), Part("items", where=(("x", "/*"), ("y", "$1")))]),
    ],
)
def test_path(text: str, parts: list[Part]) -> None:
    assert parse_path(text) == tuple(parts)


@pytest.mark.parametrize(
    "text", ["", ".", ".A", "A.", "A B", "A[", "A]", "A[x]", "A[=x]", "A[x=]", "[]", "{}", "A.[]", "A{}B"]
)
def test_no_path(text: str) -> None:
    assert parse_path(text) is None
