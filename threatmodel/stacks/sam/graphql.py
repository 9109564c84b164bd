"""Around AWS::Serverless::GraphQLApi, as far as functions and tables are concerned: sources of data and authorizers."""

from __future__ import annotations

from collections.abc import Iterator

from threatmodel.reading.problems import Place
from threatmodel.stacks.sam.connectors import Connector, End, connect
from threatmodel.stacks.sam.making import Expansion, flag
from threatmodel.stacks.sam.policies import trust
from threatmodel.stacks.stack import Resource
from threatmodel.stacks.texts import written
from threatmodel.stacks.values import Link, Node, Unknown, entries, get, items, text

_KINDS = {"DynamoDB": "AWS::DynamoDB::Table", "Lambda": "AWS::Lambda::Function"}


def add_around_graphql(making: Expansion, api: Resource) -> None:
    """Adds what SAM generates for an AWS::Serverless::GraphQLApi to reach functions and tables, and its log role."""
    for kind in _KINDS:
        sources = get(api.properties, "DataSources", "DynamoDb" if kind == "DynamoDB" else kind)
        for name, source in entries(sources).items():
            _source(making, api, kind, name, source)
    for number, (function, place) in enumerate(_authorizers(api), 1):
        _authorizer(making, api, number, function, place)
    logging = get(api.properties, "Logging")
    if flag(logging) is not False and get(logging, "CloudWatchLogsRoleArn") is None:
        properties = {
            "AssumeRolePolicyDocument": trust("appsync.amazonaws.com", api.place),
            "ManagedPolicyArns": ["AWSAppSyncPushToCloudWatchLogs"],
        }
        making.add(api, f"{api.name}CloudWatchRole", "AWS::IAM::Role", properties, api.place)


def _source(making: Expansion, api: Resource, kind: str, name: str, source: Node) -> None:
    place, base = source.place, f"{api.name}{name}{kind}DataSource"
    role, target = get(source, "ServiceRoleArn"), _target(kind, source, place)
    properties = {
        "ApiId": Link(api.name, "ApiId", place),
        "Name": get(source, "Name") or name,
        "Type": "AWS_LAMBDA" if kind == "Lambda" else "AMAZON_DYNAMODB",
        "LambdaConfig": {"LambdaFunctionArn": target} if kind == "Lambda" else None,
        "DynamoDBConfig": {"TableName": get(source, "TableName")} if kind == "DynamoDB" else None,
        "ServiceRoleArn": role or Link(f"{base}Role", "Arn", place),
    }
    making.add(api, base, "AWS::AppSync::DataSource", properties, place)
    if role is not None:
        return
    given = {"AssumeRolePolicyDocument": trust("appsync.amazonaws.com", place)}
    making.add(api, f"{base}Role", "AWS::IAM::Role", given, place)
    categories = {text(one) for one in items(get(source, "Permissions"))} or {"Read", "Write"}
    own = End("AWS::AppSync::DataSource", {"Arn": Link(base, "", place)}, Link(f"{base}Role", "", place))
    ends = (own, End(_KINDS[kind], {"Arn": target}))
    ending = "ToTableConnector" if kind == "DynamoDB" else "ToLambdaConnector"
    connect(making, Connector(api, f"{base}{ending}", "", categories, place), *ends)


def _target(kind: str, source: Node, place: Place) -> Node:
    """The ARN of what a source of data is."""
    named = get(source, "FunctionArn" if kind == "Lambda" else "TableArn")
    table = get(source, "TableName")
    if named is not None or kind == "Lambda" or table is None:
        return named or Unknown("the source of data names nothing", place)
    region = get(source, "Region") or written("${AWS::Region}", {}, place)
    pattern = "arn:${AWS::Partition}:dynamodb:${Region}:${AWS::AccountId}:table/${Table}"
    return written(pattern, {"Region": region, "Table": table}, place)


def _authorizers(api: Resource) -> Iterator[tuple[Node, Place]]:
    """The functions that decide who may call the API."""
    auth = get(api.properties, "Auth")
    for one in (auth, *items(get(auth, "Additional"))):
        function = get(one, "LambdaAuthorizer", "AuthorizerUri")
        if function is not None and one is not None and text(get(one, "Type")) == "AWS_LAMBDA":
            yield function, one.place


def _authorizer(making: Expansion, api: Resource, number: int, function: Node, place: Place) -> None:
    values = {"Arn": Link(api.name, "", place), "ResourceId": Link(api.name, "ApiId", place)}
    ends = End("AWS::AppSync::GraphQLApi", values), End("AWS::Lambda::Function", {"Arn": function})
    connect(making, Connector(api, f"{api.name}ToLambdaAuthConnector{number}", "", {"Write"}, place), *ends)
