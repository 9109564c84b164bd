"""The template that the Serverless Framework makes of a serverless.yml, while it grows: names, pieces, notes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from threatmodel.reading.problems import Place
from threatmodel.reading.values import dataclass, field
from threatmodel.stacks.apis import Gateway, Part
from threatmodel.stacks.serverless.names import logical, upper_first
from threatmodel.stacks.serverless.variables import Variables
from threatmodel.stacks.stack import Unread
from threatmodel.stacks.values import (
    Joined,
    Node,
    Scalar,
    Table,
    Unknown,
    counts,
    entries,
    is_null,
    items,
    node_of,
    size,
    text,
)

ROLE = "IamRoleLambdaExecution"
REST_API = "ApiGatewayRestApi"
HTTP_API = "HttpApi"
SOCKETS = "WebsocketsApi"
_ADDED_TO = {
    REST_API: ("apiGateway", "restApiId"),
    HTTP_API: ("httpApi", "id"),
    SOCKETS: ("apiGateway", "websocketApiId"),
}
"""The settings of the provider that name an API which exists, in place of one of the service."""

# --- names


def plain(name: str) -> str:
    """A name without what a logical id cannot hold."""
    return upper_first(re.sub(r"[^0-9A-Za-z]", "", name))


def path_part(raw: str) -> str:
    """A part of a path as logical ids have it: ``{id}`` is IdVar."""
    part = raw[:1].upper() + raw[1:].lower()
    part = re.sub(r"\{(.*)\}", r"\1Var", part.replace("-", "Dash"))
    return upper_first(re.sub(r"[^0-9A-Za-z]", "", part))


# --- pieces of a template


def ref(name: str) -> dict[str, Any]:
    """A reference to a resource of the template."""
    return {"Ref": name}


def attribute(name: str, of: str = "Arn") -> dict[str, Any]:
    """An attribute of a resource of the template."""
    return {"Fn::GetAtt": [name, of]}


def sub(pattern: str) -> dict[str, Any]:
    """A text with references in it."""
    return {"Fn::Sub": pattern}


def join(*parts: Any, by: str = "") -> dict[str, Any]:
    """A text of several values."""
    return {"Fn::Join": [by, list(parts)]}


def routes_of(api: Any, which: str) -> dict[str, Any]:
    """The ARN of some of an API's routes."""
    return join(sub("arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:"), api, which)


def is_set(node: Node | None) -> bool:
    """Whether a value counts as given: it is neither missing, null, empty nor false; 0 is a number."""
    return counts(node) or (isinstance(node, Scalar) and node.value == 0 and node.value is not False)


def flag(node: Node | None, otherwise: bool | None = None) -> bool | None:  # noqa: FBT001 - a value like any other
    """A yes or no; `otherwise` where there is none, None where it is not known."""
    if node is None or is_null(node):
        return otherwise
    return node.value if isinstance(node, Scalar) and isinstance(node.value, bool) else None


def switched(  # noqa: PLR0913 - a switch, and what it chooses
    config: Node | None, name: str, place: Place, *, on: Any = True, off: Any = False, usual: bool = True
) -> Any:
    """What a switch among some settings chooses; unknown where the switch or all settings are."""
    if isinstance(config, Unknown):
        return config
    raw = entries(config).get(name)
    value = flag(raw, otherwise=usual)
    if value is not None:
        return on if value else off
    return perhaps(raw) if isinstance(raw, Unknown) else Unknown("whether it is true or false is not stated", place)


def perhaps(switch: Unknown) -> Unknown:
    """What an unknown switch switches: a switch with a value is not necessarily on."""
    return switch._replace(given=())


def get(node: Node | None, *names: str) -> Node | None:
    """The node behind some keys where it is given; something unknown on the way is the answer."""
    for name in names:
        if isinstance(node, Unknown):
            return node
        node = entries(node).get(name)
    return node if is_set(node) else None


def either(*nodes: Node | None) -> Node | None:
    """The first that is given."""
    return next((node for node in nodes if is_set(node)), None)


def merged(one: Node | None, other: Node | None) -> Node | None:
    """Two mappings as one, the other's entries winning; unknown where one of them is."""
    for node in (one, other):
        if isinstance(node, Unknown | Joined):
            return node
    if isinstance(one, Table) and isinstance(other, Table):
        return Table({**one.entries, **other.entries}, other.place, {**one.keys, **other.keys})
    return either(other, one)


def deep_merged(one: Node, other: Node) -> Node:
    """Two mappings as one, within one another as well."""
    if isinstance(one, Table) and isinstance(other, Table):
        found = dict(one.entries)
        for name, child in other.entries.items():
            found[name] = deep_merged(found[name], child) if name in found else child
        return Table(found, one.place, {**one.keys, **other.keys})
    return other


def place_of(table: Node | None, name: str, otherwise: Place) -> Place:
    """Where a key of a mapping is."""
    return table.keys.get(name, otherwise) if isinstance(table, Table) else otherwise


# --- the growing template


@dataclass(slots=True, kw_only=True)
class Function:
    """One function while its resources are made: its name in the file, its node, its role, and how others call it."""

    name: str
    node: Table
    place: Place
    alias: str = ""
    role: Any = None
    schedules: int = 0

    @property
    def id(self) -> str:
        """Its logical id."""
        return f"{logical(self.name)}LambdaFunction"

    @property
    def target(self) -> Any:
        """What is called where it is called."""
        return join(attribute(self.id), self.alias, by=":") if self.alias else attribute(self.id)

    def get(self, *names: str) -> Node | None:
        """A setting of it."""
        return get(self.node, *names)


class Shared(NamedTuple):
    """A resource that several events add to, until all have: a topic, a bucket, a user pool."""

    kind: str
    place: Place
    properties: dict[str, Any]


@dataclass(slots=True, kw_only=True)
class GrowingTemplate:
    """The template while it grows.

    `fills_environment` is a plugin that gives every function more variables; `role_each`: one gives a function with
    separate statements a separate role; `adding` are plugins that only add resources; `wsgi_app` is the application
    that one serves with a separate handler.
    """

    file: str
    variables: Variables
    root: Table
    provider: Node
    functions: dict[str, Function] = field(default_factory=dict)
    resources: dict[str, Node] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    made_by: dict[str, str] = field(default_factory=dict)
    polls: dict[str, str] = field(default_factory=dict)
    shared: dict[str, Shared] = field(default_factory=dict)
    statements: list[Node] = field(default_factory=list)
    granted: set[tuple[str | None, ...]] = field(default_factory=set)
    services: list[str] = field(default_factory=lambda: ["lambda.amazonaws.com"])
    unread: list[Unread] = field(default_factory=list)
    adding: list[Unread] = field(default_factory=list)
    fills_environment: Unknown | None = None
    role_each: bool = False
    wsgi_app: Node | None = None

    def add(self, name: str, kind: str, place: Place, properties: Mapping[str, Any], maker: str = "") -> None:
        """Adds a resource; the later of two of one name wins, as everywhere in a template."""
        made = node_of(properties, place)
        work = self.variables.work
        if not work.values(size(made, work.room)):
            made = Unknown(work.why, place)
        self.resources[name] = node_of({"Type": kind, "Properties": made}, place)
        self.places[name] = place
        if maker:
            self.made_by[name] = maker

    def put(self, name: str, gateway: Gateway, part: Part, api: Any, place: Place, maker: str = "") -> None:  # noqa: PLR0913, PLR0917 - a part, of which API, and what it is called
        """Adds the resource that a part of an API is."""
        kind, properties = gateway.resource(part, api)
        self.add(name, kind, place, properties, maker)

    def share(self, name: str, kind: str, place: Place, properties: Mapping[str, Any]) -> dict[str, Any]:
        """The properties of a resource that several events add to; those given count the first time."""
        return self.shared.setdefault(name, Shared(kind, place, dict(properties))).properties

    def permit(self, name: str, function: Any, place: Place, principal: Any, **more: Any) -> None:
        """Adds a permission to invoke a function: one of this service, or what names another."""
        own = isinstance(function, Function)
        target = function.target if own else function
        properties = {"FunctionName": target, "Action": "lambda:InvokeFunction", "Principal": principal}
        self.add(name, "AWS::Lambda::Permission", place, {**properties, **more}, function.id if own else "")

    def grant(self, place: Place, actions: Sequence[str], resources: Any) -> None:
        """Adds a statement to the role that functions share, once where it is the same for several."""
        texts = [one if isinstance(one, str) else text(one) for one in resources if isinstance(one, str | Scalar)]
        if len(texts) == len(resources):
            if (*actions, *texts) in self.granted:
                return
            self.granted.add((*actions, *texts))
        self.statements.append(node_of({"Effect": "Allow", "Action": list(actions), "Resource": resources}, place))

    def not_read(self, name: str, why: str, place: Place) -> None:
        """Notes something that may make resources."""
        self.unread.append(Unread(name=name, why=why, place=place))

    def parts(self, name: str, node: Node | None) -> Mapping[str, Node]:
        """The entries of a mapping; what is there and is no mapping is noted as not read."""
        if node is not None and not isinstance(node, Table) and not is_null(node):
            why = node.why if isinstance(node, Unknown) else "it is no mapping"
            self.not_read(name, why, node.place)
        return entries(node)

    def words(self, *parts: Node | str, place: Place) -> Node:
        """The text that parts make."""
        return self.variables.joined(parts, place)

    def of_provider(self, *names: str) -> Node | None:
        """A setting of the provider."""
        return get(self.provider, *names)

    def api(self, own: str) -> Any:
        """An API of the service, or the one that the service adds to."""
        return self.of_provider(*_ADDED_TO[own]) or ref(own)

    @property
    def service(self) -> Node:
        """The service's name."""
        found = self.root.entries.get("service", Scalar("", self.root.place))
        return (
            get(found, "name") or Unknown("the service has no name", found.place) if isinstance(found, Table) else found
        )

    def stack_name(self, place: Place) -> Node:
        """The name of the stack, with which those of functions begin."""
        return self.words(self.service, "-", self.variables.stage, place=place)

    def log_group(self, name: str, place: Place, called: Node, function: Node | None = None, maker: str = "") -> None:
        """Adds a log group, kept as long as the file says."""
        properties = {
            "LogGroupName": called,
            "RetentionInDays": either(get(function, "logRetentionInDays"), self.of_provider("logRetentionInDays")),
            "DataProtectionPolicy": either(
                get(function, "logDataProtectionPolicy"), self.of_provider("logDataProtectionPolicy")
            ),
        }
        self.add(name, "AWS::Logs::LogGroup", place, properties, maker)


def invocation(target: Any) -> dict[str, Any]:
    """The URI by which API Gateway calls a function."""
    return join(sub("arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/"), target,
                "/invocations")  # fmt: skip


def last_name(node: Node | None) -> str:
    """What a reference names in the end, as logical ids have it: of an ARN the last part, else the resource."""
    if isinstance(node, Scalar) and isinstance(node.value, str):
        return re.split(r"[:/]", node.value)[-1]
    for function, argument in entries(node).items():
        if function == "Ref":
            return text(argument) or ""
        parts = items(argument)
        if function == "Fn::GetAtt":
            return (text(parts[0]) or "").split(".")[0] if parts else ""
        if function == "Fn::ImportValue":
            return text(argument) or ""
        if function == "Fn::Join" and len(parts) == 2:  # noqa: PLR2004 - the separator and the parts
            inner = items(parts[1])
            return re.split(r"[:/]", text(inner[-1]) or "")[-1] if inner else ""
        if function == "Fn::Sub":
            return re.split(r"[:/]", text(parts[0]) or "")[-1] if parts else ""
    return ""
