"""Resources beside DynamoDB's: attributes lead on to resources, calls are operations of that name."""

from __future__ import annotations

from typing import Any

from boto3.clients import Client

_NAMES = {"Queue": "QueueUrl", "Topic": "TopicArn", "Bucket": "Bucket"}


class Resource:
    """Something of a service, with the parameters that name it."""

    def __init__(self, client: Client, **named: Any) -> None:
        self._client, self._named = client, named
        self.meta = client.meta
        self.url = named.get("QueueUrl", "")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name in _NAMES:
            return lambda value: Resource(self._client, **{**self._named, _NAMES[name]: value})
        if name == "Object":
            return lambda bucket, key: Resource(self._client, Bucket=bucket, Key=key)
        if name == "get_queue_by_name":
            return lambda QueueName, **_: Resource(self._client, QueueUrl=f"https://sqs/123456789012/{QueueName}")  # noqa: N803 - AWS's own
        operation = {"put": "put_object", "get": "get_object", "delete": "delete_object"}.get(name, name)
        return lambda **params: getattr(self._client, operation)(**{**self._named, **params})
