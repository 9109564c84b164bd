"""Services in a few words, as stacks."""

from __future__ import annotations

from tests.stacks.dumping import value
from threatmodel.stacks.serverless.reader import read
from threatmodel.stacks.stack import Stack
from threatmodel.stacks.values import get

HEAD = "service: shop\nprovider: {name: aws, runtime: python3.13}\n"


def service(text: str, head: str = HEAD) -> Stack:
    return read(head + text, "serverless.yml")


def function(settings: str, more: str = "", head: str = HEAD) -> Stack:
    """A service with one function, bot."""
    return service(f"functions:\n  bot: {{handler: a.b, {settings}}}\n{more}", head)


def at(stack: Stack, name: str, *path: str) -> str:
    """A property, '' where it is left out."""
    node = get(stack.resources[name].properties, *path)
    return "" if node is None else value(node)


BOT = "BotLambdaFunction"
