"""The model of `generate.py` as a pytm user writes it, without this toolkit.

N functions, each with its API, its table, six flows and a separate boundary.  As a program it runs pytm's command
line on it: ``python benchmarks/pytm_side.py 3 --dfd``.
"""

from __future__ import annotations

import sys

from pytm import TM, Actor, Boundary, Classification, Data, Dataflow, Datastore, Lambda, Server


def plain_model(size: int) -> TM:
    """A pytm model of `size` functions, the only one that pytm knows of then."""
    TM.reset()
    model = TM("Slack commands at scale", description="N functions")
    internet, account = Boundary("Internet"), Boundary("AWS account")
    slack = Actor("Slack")
    slack.inBoundary = internet
    for n in range(size):
        _function(n, slack, account)
    return model


def _function(n: int, slack: Actor, account: Boundary) -> None:
    """One function with what is around it."""
    boundary = Boundary(f"fn-{n}")
    boundary.inBoundary = account
    api, function, table = Server(f"api-{n}"), Lambda(f"bot-{n}"), Datastore(f"table-{n}")
    for element in (api, function, table):
        element.inBoundary = boundary
    api.protocol, api.port = "HTTPS", 443
    record = Data(f"record-{n}", classification=Classification.RESTRICTED, isPII=True)
    command = Dataflow(slack, api, "slash command")
    invoke = Dataflow(api, function, "invoke")
    answer = Dataflow(function, api, "answer")
    back = Dataflow(api, slack, "acknowledge")
    read, write = Dataflow(table, function, "read"), Dataflow(function, table, "write")
    answer.responseTo, back.responseTo = invoke, command
    for flow in (command, invoke, answer, back, read, write):
        flow.data = record


def drawn_again(model: TM) -> str:
    """The data-flow diagram; pytm draws each element only once, so that what was drawn must be forgotten first."""
    for element in TM._elements:  # noqa: SLF001 - pytm's only list of elements
        element.is_drawn = False
    return str(model.dfd(levels=set()))


if __name__ == "__main__":
    plain_model(int(sys.argv.pop(1))).process()
