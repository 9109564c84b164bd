"""What SAM makes of its resource types, as far as facts and flows need it.

The AWS::Serverless::* resources stay what they are, with the template's Globals merged in.  What belongs to them is
added as plain CloudFormation resources under the logical ids that SAM gives: roles, permissions, event source mappings,
subscriptions, rules, stages, aliases, deployment groups.  Each says which resource it is made of, and its places are
the lines that cause it.  A kept resource gains the properties that its generated twin would have: `Role` of functions
and state machines, `Policy` of REST APIs, notifications of buckets, triggers of user pools.

Differences from SAM's output, all on purpose:

- The routes of an API are separate resources (AWS::ApiGateway::Resource and Method, AWS::ApiGatewayV2::Route and
  Integration, named ``Api GET /path``), while SAM writes them into an OpenAPI text.  An OpenAPI text that cannot be
  read gives one method or route of which everything is unknown.  Preflight methods that CORS adds reach no function and
  are left out.
- Logical ids that SAM ends with a hash of the code or the API (versions, deployments) stand without the hash.
- An alias that SAM publishes is called as ``${Function.Arn}:alias``, which is what its ARN is.
- What SAM decides by a value that the text does not tell, it decides when the stack is made: such resources have a
  `doubt`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from threatmodel.reading.values import replace
from threatmodel.stacks.sam.apis import add_implicit
from threatmodel.stacks.sam.connectors import add_connectors
from threatmodel.stacks.sam.events import IMPLICIT_HTTP, IMPLICIT_REST
from threatmodel.stacks.sam.functions import Function
from threatmodel.stacks.sam.http_apis import HttpApi
from threatmodel.stacks.sam.making import PREFIX, Expansion
from threatmodel.stacks.sam.others import (
    OPERATED,
    add_around_graphql,
    add_around_machine,
    add_around_web_function,
    add_around_websocket,
    add_operator,
)
from threatmodel.stacks.sam.rest_apis import RestApi
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Table


def expanded(stack: Stack, globals_: Table | None) -> Stack:
    """The stack with Globals merged into its AWS::Serverless::* resources, and with what SAM generates for them."""
    if not any(one.type.startswith(PREFIX) or "Connectors" in (one.about or {}) for one in stack.resources.values()):
        return stack
    making = Expansion(stack, globals_)
    resources, shaped = making.reads.during(partial(_around, making))
    return replace(stack, resources=resources, shaped=stack.shaped | shaped)


_AROUND: Mapping[tuple[str, ...], Callable[[Expansion, Resource], object]] = {
    ("AWS::Serverless::Function",): lambda making, one: making.reads.during(Function(making, one).add),
    ("AWS::Serverless::WebFunction",): add_around_web_function,
    OPERATED: add_operator,
    ("AWS::Serverless::StateMachine",): add_around_machine,
    ("AWS::Serverless::Api",): lambda making, one: RestApi(making, one).add(),
    ("AWS::Serverless::HttpApi",): lambda making, one: HttpApi(making, one).add(),
    ("AWS::Serverless::WebSocketApi",): add_around_websocket,
    ("AWS::Serverless::GraphQLApi",): add_around_graphql,
}
"""What adds what SAM generates for a resource, by its type, in this order: functions say what the others serve."""
_IMPLICIT: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "AWS::Serverless::Api": (IMPLICIT_REST, {"StageName": "Prod"}),
    "AWS::Serverless::HttpApi": (IMPLICIT_HTTP, {}),
}
"""The API of a type that events without one share: its name and its properties."""


def _around(making: Expansion) -> dict[str, Resource]:
    for types, add in _AROUND.items():
        if types[0] in _IMPLICIT:
            add_implicit(making, types[0], *_IMPLICIT[types[0]])
        for resource in making.of_type(*types):
            add(making, resource)
    add_connectors(making)
    return making.finished()
