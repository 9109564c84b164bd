"""Files of one environment, each by its name, as a graph: a function and its role, and a table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.support import HOME, TODAY
from threatmodel.evidence.collect import collect
from threatmodel.evidence.every_function import with_functions
from threatmodel.evidence.sources import read_sources
from threatmodel.graph.building import Graph, build
from threatmodel.library.directions import directions
from threatmodel.library.load import load_library
from threatmodel.model.facts import EVIDENCE
from threatmodel.model.load import load_model
from threatmodel.reading.files import Files

BOT = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Bot:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: the-bot
      Handler: app.handler
      Runtime: python3.13
      CodeUri: src/
      Role: !GetAtt BotRole.Arn
      Events: {Command: {Type: Api, Properties: {Path: /slack, Method: post}}}
  BotRole:
    Type: AWS::IAM::Role
    Properties:
      RoleName: bot-role
      AssumeRolePolicyDocument:
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]
      ManagedPolicyArns: [arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]
Outputs:
  BotArn: {Value: !GetAtt Bot.Arn, Export: {Name: bot-arn}}
  RoleName: {Value: !Ref BotRole, Export: {Name: bot-role-name}}
"""

HEAD = "Parameters: {Name: {Type: String}, Stage: {Type: String, Default: test, AllowedValues: [test, prod]}}\n"

FILES = {"bot.yaml": BOT}

LIBRARY = load_library(HOME / "threatlib")

WAYS = directions(LIBRARY)


def graph(files: Mapping[str, str], evidence: str = "", rest: str = "functions: {bot: {}}\n") -> Graph:
    """The graph of a model that names all files as evidence, or those of `evidence`."""
    named = evidence or ", ".join(f"{{{'plan' if name.endswith('.json') else 'template'}: {name}}}" for name in files)
    texts = Files(
        texts={
            **{Path(name): text for name, text in files.items()},
            Path("model.yaml"): f"name: Shop\nevidence: [{named}]\n{rest}",
        }
    )
    system = load_model(texts, Path("model.yaml"))
    sources = read_sources(system, texts)
    system = with_functions(system, sources)
    said, read = collect(system, sources, WAYS, TODAY)
    return build(system, said, TODAY, read)


def fact(found: Graph, name: str, element: str = "bot") -> object:
    """A fact as evidence has it: None where it is not known by evidence, or in doubt."""
    one = found.elements[element].facts.get(name)
    return one.value if one is not None and one.size == EVIDENCE and not one.said.doubt else None


def permission(function: str, principal: str = '"*"') -> str:
    entries = f"FunctionName: {function}, Action: lambda:InvokeFunction, Principal: {principal}"
    return f"Resources: {{Open: {{Type: AWS::Lambda::Permission, Properties: {{{entries}}}}}}}\n"


ARN = "arn:aws:lambda:eu-central-1:123456789012:function:the-bot"

TABLE = """\
Resources:
  Orders: {Type: AWS::DynamoDB::Table, Properties: {TableName: orders}}
Outputs:
  Table: {Value: !Ref Orders, Export: {Name: orders-table}}
  TableArn: {Value: !GetAtt Orders.Arn, Export: {Name: orders-table-arn}}
"""

ORDERS = "functions: {bot: {}}\nstores: {orders: {kind: dynamodb}}\n"
