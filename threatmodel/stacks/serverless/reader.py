"""A serverless.yml to a stack: the CloudFormation that the Serverless Framework makes of it, as far as facts need it.

Variables are replaced first (`serverless_variables`).  Functions, their events, APIs and the role that they share
become plain CloudFormation resources under the framework's logical ids, beside those that are under ``resources``,
and all are looked up as a template is.  Each says which function it is made of; its places are the lines that cause it.

Differences from what the framework makes, all on purpose:

- What it sets on a REST API's stage after the deployment is in a stage resource, `ApiGatewayStage`.
- Logical ids that end with a hash or a time (versions, deployments) stand without it; versions only behind an alias.
- Its helper functions (for buckets and user pools that exist already, for logs of API Gateway) are left out; what they
  permit at run time is written as permissions.
- Methods that CORS adds, models, tags and descriptions are left out.
- Plugins may change everything: each that is not known to be harmless is named as not read.

Where the framework has packaged the service, its own template counts instead (`package`), at the lines found here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from threatmodel.reading.problems import InputError, Place, Problem, listed, quoted, refusal
from threatmodel.reading.values import replace
from threatmodel.stacks.assumed import DEFAULTS, Assumed
from threatmodel.stacks.cloudformation import document
from threatmodel.stacks.cloudformation.reader import stack_of
from threatmodel.stacks.serverless.apis import add_http_api, add_sockets_api
from threatmodel.stacks.serverless.events import add_events, used
from threatmodel.stacks.serverless.functions import add_function, add_role
from threatmodel.stacks.serverless.included import Included
from threatmodel.stacks.serverless.keys import note_keys
from threatmodel.stacks.serverless.making import (
    Function,
    GrowingTemplate,
    deep_merged,
    flag,
    get,
    is_set,
    merged,
    place_of,
    ref,
    sub,
    switched,
)
from threatmodel.stacks.serverless.names import logical
from threatmodel.stacks.serverless.package import Package, packaged
from threatmodel.stacks.serverless.plugins import add_machines, add_proxies, added, note_plugins, workers
from threatmodel.stacks.serverless.rest import add_rest_api
from threatmodel.stacks.serverless.variables import Variables
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import List, Node, Scalar, Table, Unknown, entries, is_null, items, text
from threatmodel.stacks.work import Work

_SAYING_NOTHING = frozenset(("AWSTemplateFormatVersion", "Description", "Metadata", "Outputs", "Rules"))
_SECTIONS = ("Conditions", "Mappings", "Parameters", "Transform")
_EXTENDED = ("Condition", "CreationPolicy", "DeletionPolicy", "UpdatePolicy", "UpdateReplacePolicy", "Metadata")


def read(
    text_: str,
    file: str,
    assumed: Assumed = DEFAULTS,
    package: Package | None = None,
    included: Included | None = None,
) -> Stack:
    """The stack that a serverless.yml makes: by its package, where there is one of this very file, else by itself.

    `included` are the files beside it, which it may take in.

    Raises InputError where the text is no YAML, or no serverless.yml.
    """
    raw = document.parse(text_, file)
    root = raw.root
    found = _not_ours(root)
    if found or not isinstance(root, Table):
        place = Place(file) if root is None else root.place
        message = f"{found}; expected a serverless.yml for AWS, which has 'service' and 'provider'"
        services = listed(_composed(root))
        hint = f"it only says which services there are; name them one by one: {services}" if services else ""
        problem = Problem(code="not-a-template", place=place, message=message, hint=hint or "name another file")
        raise InputError([problem])
    variables = Variables(root, assumed, included, work=assumed.work or Work())
    provider = variables.at("provider") or Table({}, root.place)
    provider = Table({"name": provider}, provider.place) if text(provider) is not None else provider
    name = text(get(provider, "name"))
    if name is not None and name != "aws":
        raise refusal(
            "not-a-template", provider.place, f"this is a serverless.yml for {quoted(name)}; expected one for AWS"
        )
    if not isinstance(provider, Table | Unknown):
        message = (
            "the provider is no mapping; expected a serverless.yml for AWS, which has 'provider: {name: aws, ...}'"
        )
        raise refusal("not-a-template", provider.place, message)
    making = GrowingTemplate(file=file, variables=variables, root=root, provider=provider)
    making.root = _with_service(making)
    stack = _stack(making, raw.problems)
    reported = (*stack.problems, *(included.problems if included is not None else ()))
    problems = tuple(dict.fromkeys(reported))  # what all functions share is reported once
    stack = replace(stack, problems=problems, beside=(*stack.beside, *raw.comments))
    return stack if package is None else packaged(stack, making, package)


def _not_ours(root: Node | None) -> str:
    """What a file is if it is no serverless.yml, in words."""
    if root is None:
        return "this file is empty"
    if not isinstance(root, Table):
        return f"this is {'a list' if isinstance(root, List) else 'a single value'}"
    if "provider" in root.entries and "service" in root.entries:
        return ""
    only = f"only {listed(map(quoted, root.entries), 5) or 'nothing in it'}"
    return next((f"this is {other}" for key, other in _OTHERS.items() if key in root.entries), f"this has {only}")


_OTHERS = {
    "services": "a serverless-compose.yml or a Compose file",
    "Resources": "a CloudFormation template",
    "component": "a component of the Serverless Framework",
}
"""What else a file is that has a key."""


def _composed(root: Node | None) -> Iterator[str]:
    """The folders of the services that a serverless-compose.yml lists."""
    services = get(root, "services")
    for service in entries(services).values():
        folder = text(get(service, "path"))
        if folder:
            yield quoted(f"{folder.rstrip('/')}/{text(get(service, 'config')) or 'serverless.yml'}")


def _with_service(making: GrowingTemplate) -> Table:
    service = making.variables.at("service")
    root = making.root
    return root if service is None else Table({**root.entries, "service": service}, root.place, root.keys)


_MADE = ("functions", "provider", "resources")
"""The sections that resources are made of."""


def _stack(making: GrowingTemplate, problems: Iterable[Problem]) -> Stack:
    """The stack of everything that the file makes."""
    if isinstance(making.provider, Unknown):
        making.not_read("provider", making.provider.why, making.provider.place)
    plugins = note_plugins(making)
    plugged = bool(making.unread or making.adding)
    making.functions = {one.name: one for one in (*_functions(making), *workers(making, plugins))}
    if not plugged:
        note_keys(making)
    _add_layers(making)
    for function in making.functions.values():
        add_function(making, function)
    add_machines(making, plugins)
    _add_events(making, add_proxies(making, plugins))
    add_role(making)
    _add_deployment_bucket(making)
    for name, shared in making.shared.items():
        making.add(name, shared.kind, shared.place, shared.properties)
    template = _template(making)
    stack, _ = stack_of(template, making.file, problems, making.variables.assumed)
    made = {name: _made(resource, making) for name, resource in stack.resources.items()}
    service = making.root.entries.get("service")
    return replace(
        stack,
        kind="serverless",
        title=text(service) or text(get(service, "name")) or "",
        resources=made,
        unread=(*making.unread, *added(making, {one.name: one.type for one in made.values()}), *stack.unread),
        beside=(*stack.beside, *(node for name, node in making.root.entries.items() if name not in _MADE)),
        parameters={**stack.parameters, **making.variables.parameters},
    )


def _made(resource: Resource, making: GrowingTemplate) -> Resource:
    maker = making.made_by.get(resource.name, "")
    made_by = maker if maker != resource.name else ""
    polls = making.polls.get(resource.name, "")
    return replace(resource, made_by=made_by, polls=polls) if made_by or polls else resource


# --- functions


def _sections(making: GrowingTemplate, name: str) -> Iterator[tuple[str, Node, Place]]:
    """The entries of a section that may be a mapping or a list of mappings; what is elsewhere is noted."""
    for part in items(making.variables.at(name)):
        for key, node in making.parts(name, part).items():
            yield key, node, place_of(part, key, node.place)


def _functions(making: GrowingTemplate) -> Iterator[Function]:
    for name, node, place in _sections(making, "functions"):
        if isinstance(node, Unknown):
            making.not_read(f"functions.{name}", node.why, place)
        elif isinstance(node, Table):
            alias = "provisioned" if is_set(node.entries.get("provisionedConcurrency")) else ""
            alias = "snapstart" if not alias and is_set(node.entries.get("snapStart")) else alias
            yield Function(name=name, node=node, place=place, alias=alias)
        elif not is_null(node):
            making.not_read(f"functions.{name}", "it is not written as a function is", place)


# --- what surrounds the functions


def _add_events(making: GrowingTemplate, proxied: Place | None) -> None:
    """The resources of all events, and the APIs that they need; `proxied` is where a plugin's route is."""
    functions = list(making.functions.values())
    for function in functions:
        add_events(making, function)
    for kind, add in (("http", add_rest_api), ("httpApi", add_http_api), ("websocket", add_sockets_api)):
        place = used(functions, kind) or (proxied if kind == "http" else None)
        if place is not None:
            add(making, place)


def _add_layers(making: GrowingTemplate) -> None:
    for name, node, place in _sections(making, "layers"):
        layer = f"{logical(name)}LambdaLayer"
        making.add(layer, "AWS::Lambda::LayerVersion", place, {"LayerName": get(node, "name") or name})
        for account in items(get(node, "allowedAccounts")):
            reported = text(account)
            permission = {"Action": "lambda:GetLayerVersion", "LayerVersionArn": ref(layer), "Principal": account}
            spelled = (reported or "").replace("*", "Wild")
            making.add(f"{logical(name)}{spelled}LambdaLayerPermission", "AWS::Lambda::LayerVersionPermission", place,
                       permission)  # fmt: skip


def _add_deployment_bucket(making: GrowingTemplate) -> None:
    """The bucket that packages go to, where the provider does not name one."""
    config = making.of_provider("deploymentBucket")
    if text(config) is not None or get(config, "name") is not None or not making.functions:
        return
    place = making.provider.place if config is None else config.place
    algorithm = {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    properties: dict[str, Any] = {"BucketEncryption": {"ServerSideEncryptionConfiguration": [algorithm]}}
    names = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
    for setting, key, value in (
        ("versioning", "VersioningConfiguration", {"Status": "Enabled"}),
        ("blockPublicAccess", "PublicAccessBlockConfiguration", dict.fromkeys(names, True)),
    ):
        properties[key] = switched(config, setting, place, on=value, off=None, usual=False)
    making.add("ServerlessDeploymentBucket", "AWS::S3::Bucket", place, properties)
    skipped = flag(get(config, "skipPolicySetup"), otherwise=False)
    if skipped is None:
        making.not_read("provider.deploymentBucket.skipPolicySetup", "whether it is true or false is not stated", place)
    if skipped is not False:
        return
    bucket = "arn:${AWS::Partition}:s3:::${ServerlessDeploymentBucket}"
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [sub(f"{bucket}/*"), sub(bucket)],
        "Condition": {"Bool": {"aws:SecureTransport": False}},
    }
    making.add("ServerlessDeploymentBucketPolicy", "AWS::S3::BucketPolicy", place,
               {"Bucket": ref("ServerlessDeploymentBucket"), "PolicyDocument": {"Statement": [statement]}})  # fmt: skip


# --- the template


def _template(making: GrowingTemplate) -> Table:
    """What was made and what the file adds to it under ``resources``, as one template."""
    place = making.root.keys.get("resources", making.root.place)
    sections: dict[str, Node] = {"Resources": Table(making.resources, place, making.places)}
    extensions: list[Node] = []
    for part in items(making.variables.at("resources")):
        for name, node in making.parts("resources", part).items():
            if isinstance(node, Unknown):
                making.not_read(f"resources.{name}", node.why, node.place)
            elif name == "extensions":
                extensions.append(node)
            elif name == "Resources":
                sections[name] = _with_resources(making, sections[name], node)
            elif name in _SECTIONS:
                sections[name] = deep_merged(sections[name], node) if name in sections else node
            elif name not in _SAYING_NOTHING:
                making.not_read(f"resources.{name}", "nothing is known of this section", node.place)
    for extension in extensions:
        sections["Resources"] = _extended(making, sections["Resources"], extension)
    given, parameters = making.of_provider("stackParameters"), sections.get("Parameters")
    if given is not None and isinstance(parameters, Table):
        sections["Parameters"] = _given(parameters, given)
    return Table(sections, place)


def _given(parameters: Table, given: Node) -> Table:
    """The template's parameters with the values that ``stackParameters`` gives them: each then has no other one."""
    values = {name: get(one, "ParameterValue") for one in items(given) if (name := text(get(one, "ParameterKey")))}
    unnamed = any(text(get(one, "ParameterKey")) is None for one in items(given))
    found = dict(parameters.entries)
    for name, declared in parameters.entries.items():
        if (name in values or unnamed) and isinstance(declared, Table):
            kept = {key: node for key, node in declared.entries.items() if key not in {"Default", "AllowedValues"}}
            value = values.get(name)
            if isinstance(value, Scalar):
                kept |= {"Default": value, "AllowedValues": List((value,), value.place)}
            found[name] = declared._replace(entries=kept)
    return parameters._replace(entries=found)


def _with_resources(making: GrowingTemplate, made: Node, own: Node) -> Node:
    """The resources that were made and those of the file; a file may change what is made."""
    found = making.parts("resources.Resources", own)
    for name, node in found.items():
        if isinstance(node, Unknown):
            making.not_read(f"resources.Resources.{name}", node.why, node.place)
    usable = {name: node for name, node in found.items() if not isinstance(node, Unknown)}
    return deep_merged(made, own._replace(entries=usable)) if isinstance(own, Table) else made


def _extended(making: GrowingTemplate, resources: Node, extension: Node) -> Node:
    """The resources with what ``extensions`` sets on them."""
    if not isinstance(resources, Table):
        return resources
    found = dict(resources.entries)
    for name, node in making.parts("resources.extensions", extension).items():
        body = found.get(name)
        if not isinstance(node, Table) or not isinstance(body, Table):
            why = "it is no mapping" if isinstance(body, Table) else "it changes something that is not here"
            why = node.why if isinstance(node, Unknown) else why
            making.not_read(f"resources.extensions.{name}", why, node.place)
            continue
        changed = {key: child for key, child in entries(node).items() if key in _EXTENDED}
        properties = merged(body.entries.get("Properties"), entries(node).get("Properties"))
        if properties is not None:
            changed["Properties"] = properties
        found[name] = body._replace(entries={**body.entries, **changed})
    return resources._replace(entries=found)
