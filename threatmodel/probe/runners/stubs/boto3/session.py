"""Sessions, clients and the one resource that handlers use: DynamoDB's."""

from __future__ import annotations

from typing import Any

from boto3.clients import Client
from boto3.dynamodb.table import DynamoDb
from boto3.resources import Resource


class Session:
    """Takes any option; everything happens in one region."""

    region_name = "eu-west-1"
    profile_name = "default"

    def __init__(self, *_: Any, **options: Any) -> None:
        self.region_name = options.get("region_name") or self.region_name

    def client(self, service_name: str, *_: Any, **__: Any) -> Client:
        """A client of a service."""
        return Client(service_name, self.region_name)

    def resource(self, service_name: str, *_: Any, **__: Any) -> Any:
        """A resource of a service."""
        made = Client(service_name, self.region_name)
        return DynamoDb(made) if service_name == "dynamodb" else Resource(made)

    def get_credentials(self) -> None:
        """There are none."""
