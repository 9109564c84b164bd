"""Stacks of a few resources, and what is found in them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from threatmodel.evidence.mappings.load import load_mappings
from threatmodel.evidence.mappings.stack_facts import StackFacts
from threatmodel.evidence.relations.found import function_relations
from threatmodel.evidence.relations.use import FunctionRelations
from threatmodel.stacks import sam
from threatmodel.stacks.cloudformation import reader as cloudformation
from threatmodel.stacks.stack import Stack

HERE = Path(__file__).parent.parent
USES = ("reads", "writes", "sends", "secrets", "invokes")
MAPPINGS = load_mappings()


def wired(stack: Stack) -> Mapping[str, FunctionRelations]:
    return function_relations(stack, StackFacts(stack, MAPPINGS))


def stack_of(template: str) -> Stack:
    return sam.expanded(*cloudformation.read(template, "t.yaml"))


def with_resources(resources: str, **sections: str) -> Mapping[str, FunctionRelations]:
    more = "".join(f"{name}: {body}\n" for name, body in sections.items())
    lines = "".join(f"  {line}\n" for line in resources.strip().split("\n"))
    return wired(stack_of(f"Transform: AWS::Serverless-2016-10-31\n{more}Resources:\n{lines}"))


def resource(name: str, kind: str, properties: str = "", more: str = "") -> str:
    return f"{name}: {{Type: {kind}, {more}Properties: {{{properties}}}}}"


def of_f(properties: str, *others: str, **sections: str) -> FunctionRelations:
    """The relations of a SAM function F with these properties."""
    return with_resources("\n".join((resource("F", "AWS::Serverless::Function", properties), *others)), **sections)["F"]


def of_role(statements: str, *others: str, environment: str = "", **sections: str) -> FunctionRelations:
    """The relations of a plain function F whose role has these statements."""
    function = plain("F", f"Environment: {{Variables: {{{environment}}}}}")
    return with_resources("\n".join((function, role(statements), *others)), **sections)["F"]


def plain(name: str, properties: str = "Handler: a.b", more: str = "") -> str:
    """A function that has the role R."""
    return resource(name, "AWS::Lambda::Function", f"Role: !GetAtt R.Arn, {properties}", more)


def role(statements: str) -> str:
    return resource("R", "AWS::IAM::Role", f"Policies: [{{PolicyName: p, {document(statements)}}}]")


def document(statements: str) -> str:
    return f"PolicyDocument: {{Statement: [{statements}]}}"


def allow(action: str, resource: str, more: str = "") -> str:
    return f"{{Effect: Allow, Action: {action}, Resource: {resource}{more}}}"


def names(relations: FunctionRelations, relation: str) -> list[str]:
    found = {**relations.lists, "unused": relations.unused, "ungranted": relations.ungranted}
    return [use.resource for use in found[relation]]


QUEUE = resource("Q", "AWS::SQS::Queue")
