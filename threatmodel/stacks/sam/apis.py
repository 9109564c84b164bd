"""What SAM's REST and HTTP APIs have in common: their properties, routes and definition, and how stages are called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from threatmodel.stacks.sam.making import Expansion, Route, hashed, literal
from threatmodel.stacks.sam.openapi import Authorizer, Operation, authorizers, operations
from threatmodel.stacks.stack import Resource
from threatmodel.stacks.values import Node, Unknown, get


def add_implicit(making: Expansion, name: str, kind: str, routes: list[Route], properties: Mapping[str, Any]) -> None:
    """Adds the API that SAM makes for events that name none, with what Globals says of its kind."""
    first = routes[0]
    sure = next((one for one in routes if one.maker.doubt is None), first)
    making.add(sure.maker, name, kind, properties, first.event.place)
    making.take_globals(name)


class Api:
    """One API, while all that SAM makes of it is being made."""

    def __init__(self, making: Expansion, api: Resource) -> None:
        self.making = making
        self.api = api
        self.name = api.name
        self.routes = making.routes.get(api.name, [])

    def get(self, *names: str) -> Node | None:
        """A property of the API."""
        return get(self.api.properties, *names)

    def described(self) -> Iterator[Operation]:
        """The routes of the API's own definition."""
        body, elsewhere = self.get("DefinitionBody"), self.get("DefinitionUri")
        if body is not None:
            yield from operations(body)
        elif elsewhere is not None:
            yield from operations(Unknown("the API's definition is in another file", elsewhere.place))

    def described_authorizers(self) -> Iterator[Authorizer]:
        """The authorizers of the API's own definition."""
        body = self.get("DefinitionBody")
        return authorizers(body) if body is not None else iter(())

    def stage_id(self, stage: Node | None) -> str:
        """The logical id of the stage of some name."""
        stage_name = literal(stage)
        return (
            f"{self.name}{stage_name}Stage"
            if stage_name.isalnum() or not stage_name
            else f"{self.name}Stage{hashed(stage)}"
        )
