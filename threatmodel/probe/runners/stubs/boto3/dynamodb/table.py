"""DynamoDB's resource: tables whose items are dicts of Python's own values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from boto3.clients import Client
from boto3.dynamodb.conditions import Condition, written
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

_EXPRESSIONS = ("ConditionExpression", "KeyConditionExpression", "FilterExpression")


class Table:
    """A table."""

    def __init__(self, client: Client, name: str) -> None:
        self._client, self.name, self.table_name = client, name, name
        self.meta = client.meta
        self.table_status = "ACTIVE"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda **params: _read(getattr(self._client, name)(TableName=self.name, **_written(params)))

    def load(self) -> None:
        """Does nothing."""

    def batch_writer(self, **_: Any) -> Batch:
        """Writes one by one."""
        return Batch(self)


class Batch:
    """Writes to a table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Everything is written by now."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._table, name)


class DynamoDb:
    """The resource."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.meta = client.meta

    def Table(self, name: str) -> Table:  # noqa: N802 - boto3's own
        """A table."""
        return Table(self._client, name)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda **params: _read(getattr(self._client, name)(**_deep(params)))


def _written(params: Mapping[str, Any]) -> dict[str, Any]:
    serialize, made = TypeSerializer().serialize, dict(params)
    names = dict(params.get("ExpressionAttributeNames") or {})
    values = dict(params.get("ExpressionAttributeValues") or {})
    for word in _EXPRESSIONS:
        if isinstance(made.get(word), Condition):
            made[word] = written(made[word], names, values)
    for word in ("Item", "Key"):
        if isinstance(made.get(word), Mapping):
            made[word] = {key: serialize(value) for key, value in made[word].items()}
    if names:
        made["ExpressionAttributeNames"] = names
    if values:
        made["ExpressionAttributeValues"] = {key: serialize(value) for key, value in values.items()}
    return made


def _deep(value: Any, key: str = "") -> Any:
    """Parameters of the operations over several tables, whose items, keys and values lie deeper."""
    if isinstance(value, Mapping) and key in {"Item", "Key", "ExpressionAttributeValues"}:
        return {name: TypeSerializer().serialize(held) for name, held in value.items()}
    if isinstance(value, Mapping):
        return {name: _deep(held, name) for name, held in value.items()}
    if isinstance(value, list):
        return [_deep({"Key": one}, "")["Key"] if key == "Keys" else _deep(one, "") for one in value]
    return value


def _read(answer: Any) -> Any:
    deserialize = TypeDeserializer().deserialize
    for word in ("Item", "Attributes"):
        if isinstance(answer.get(word), Mapping):
            answer[word] = {key: deserialize(value) for key, value in answer[word].items()}
    if isinstance(answer.get("Items"), list):
        answer["Items"] = [{key: deserialize(value) for key, value in item.items()} for item in answer["Items"]]
    return answer
