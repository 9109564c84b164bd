"""DynamoDB in memory: the items that one scenario put, by table, with the conditions of its writes.

The key of a table is not stated.  It is taken from a `Key` that was seen; else the first attribute that a
condition asks not to exist; else the first attribute of the item (so a table with two key attributes wants a read,
or both named in a `Key`, before conditions on it are distinguished by both).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from threatmodel.probe.runners.expressions import Expression, ExpressionError, Item, absent_names, holds, updated

MOST_ITEMS = 10_000


class AwsError(Exception):
    """What AWS answers instead: an error code and a message; `more` are further members of the answer."""

    def __init__(self, code: str, message: str, **more: Any) -> None:
        super().__init__(code)
        self.code, self.message, self.more = code, message, more


class UnreadError(AwsError):
    """A request that this stub cannot judge: it is rejected, and the effect names it."""

    def __init__(self, message: str) -> None:
        super().__init__("ValidationException", f"the probe's stub cannot answer this: {message}")


class SilentError(AwsError):
    """AWS does not answer until the client gives up."""

    def __init__(self) -> None:
        super().__init__("RequestTimeout", "no answer came")


Tables = Mapping[str, Sequence[Mapping[str, Any]]]


class DynamoDbTables:
    """The tables of one scenario, with the items that they have from the beginning, as plain data by table."""

    def __init__(self, filled: Tables | None = None) -> None:
        self._tables: dict[str, list[Item]] = {
            name: [{key: _marshalled(value) for key, value in item.items()} for item in items]
            for name, items in (filled or {}).items()
        }
        self._keys: dict[str, tuple[str, ...]] = {}

    def answer(self, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """What DynamoDB answers.  Raises AwsError."""
        known: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            "PutItem": self._put,
            "GetItem": self._get,
            "UpdateItem": self._update,
            "DeleteItem": self._remove,
            "TransactWriteItems": self._transact,
            "BatchWriteItem": self._batch_write,
            "BatchGetItem": self._batch_get,
            "TransactGetItems": self._transact_get,
            "Query": self._query,
            "Scan": self._query,
        }
        if operation not in known:
            raise UnreadError(f"there is no {operation}")
        try:
            return known[operation](params)
        except ExpressionError as error:
            raise UnreadError(str(error)) from None

    def _table(self, params: Mapping[str, Any]) -> list[Item]:
        return self._tables.setdefault(str(params.get("TableName", "")), [])

    def _learn(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        key = params.get("Key")
        if not isinstance(key, Mapping) or not key:
            raise AwsError("ValidationException", "Key is expected")
        self._keys[str(params.get("TableName", ""))] = tuple(key)
        return key

    def _at(self, params: Mapping[str, Any], key: Mapping[str, Any]) -> int | None:
        table = self._table(params)
        for at, item in enumerate(table):
            if all(item.get(name) == value for name, value in key.items()):
                return at
        return None

    def _key_of(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """The key of an item to be put."""
        item = params.get("Item")
        if not isinstance(item, Mapping) or not item:
            raise AwsError("ValidationException", "Item is expected")
        absent = absent_names(_condition(params)) if params.get("ConditionExpression") else []
        named = next((name for name in absent if name in item), next(iter(item)))
        names = self._keys.get(str(params.get("TableName", "")), (named,))
        return {name: item[name] for name in names if name in item} or {named: item[named]}

    def _checked(self, params: Mapping[str, Any], key: Mapping[str, Any]) -> int | None:
        """Where the item of a key is.  Raises AwsError where the condition of a write fails."""
        if "Expected" in params or "AttributeUpdates" in params:
            raise UnreadError("Expected and AttributeUpdates are not supported; use expressions")
        at = self._at(params, key)
        if params.get("ConditionExpression") is not None:
            item = {} if at is None else self._table(params)[at]
            if not holds(_condition(params), item):
                more = {"Item": item} if params.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" and item else {}
                raise AwsError("ConditionalCheckFailedException", "The conditional request failed", **more)
        return at

    def _store(self, params: Mapping[str, Any], at: int | None, item: Item) -> None:
        table = self._table(params)
        if at is not None:
            table[at] = item
        elif sum(map(len, self._tables.values())) >= MOST_ITEMS:
            raise AwsError("ProvisionedThroughputExceededException", "the probe's DynamoDB is full")
        else:
            table.insert(0, item)

    def _put(self, params: Mapping[str, Any]) -> dict[str, Any]:
        at = self._checked(params, self._key_of(params))
        old = None if at is None else self._table(params)[at]
        self._store(params, at, dict(params["Item"]))
        return {"Attributes": old} if old and params.get("ReturnValues") == "ALL_OLD" else {}

    def _get(self, params: Mapping[str, Any]) -> dict[str, Any]:
        at = self._at(params, self._learn(params))
        return {} if at is None else {"Item": self._table(params)[at]}

    def _update(self, params: Mapping[str, Any]) -> dict[str, Any]:
        key = self._learn(params)
        at = self._checked(params, key)
        old = {} if at is None else self._table(params)[at]
        new = {**key, **old}
        if params.get("UpdateExpression"):
            new = updated(_expression(params, "UpdateExpression"), new)
        self._store(params, at, new)
        wanted = str(params.get("ReturnValues", "NONE"))
        return {} if wanted == "NONE" else {"Attributes": old if wanted.endswith("OLD") else new}

    def _remove(self, params: Mapping[str, Any]) -> dict[str, Any]:
        at = self._checked(params, self._learn(params))
        old = None if at is None else self._table(params).pop(at)
        return {"Attributes": old} if old and params.get("ReturnValues") == "ALL_OLD" else {}

    def _transact(self, params: Mapping[str, Any]) -> dict[str, Any]:
        writes = [(word, inner) for entry in params.get("TransactItems", ()) for word, inner in entry.items()]
        reasons = [self._reason(word, inner) for word, inner in writes]
        if any(reason["Code"] != "None" for reason in reasons):
            codes = ", ".join(reason["Code"] for reason in reasons)
            message = f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]"
            raise AwsError("TransactionCanceledException", message, CancellationReasons=reasons)
        done = {"Put": self._put, "Update": self._update, "Delete": self._remove}
        for word, inner in writes:
            if word in done:
                done[word](inner)
        return {}

    def _reason(self, word: str, params: Mapping[str, Any]) -> dict[str, Any]:
        if word not in {"Put", "Update", "Delete", "ConditionCheck"}:
            raise AwsError("ValidationException", "Put, Update, Delete or ConditionCheck is expected")
        try:
            self._checked(params, self._key_of(params) if word == "Put" else self._learn(params))
        except UnreadError:
            raise
        except AwsError as error:
            return {"Code": error.code.removesuffix("Exception"), **error.more}
        return {"Code": "None"}

    def _batch_write(self, params: Mapping[str, Any]) -> dict[str, Any]:
        for table, requests in params.get("RequestItems", {}).items():
            for request in requests:
                if "PutRequest" in request:
                    self._put({"TableName": table, "Item": request["PutRequest"].get("Item")})
                else:
                    self._remove({"TableName": table, "Key": request.get("DeleteRequest", {}).get("Key")})
        return {"UnprocessedItems": {}}

    def _batch_get(self, params: Mapping[str, Any]) -> dict[str, Any]:
        wanted = params.get("RequestItems", {}).items()
        found = {name: [self._get({"TableName": name, "Key": key}) for key in some["Keys"]] for name, some in wanted}
        items = {name: [one["Item"] for one in some if one] for name, some in found.items()}
        return {"Responses": items, "UnprocessedKeys": {}}

    def _transact_get(self, params: Mapping[str, Any]) -> dict[str, Any]:
        return {"Responses": [self._get(entry.get("Get", {})) for entry in params.get("TransactItems", ())]}

    def _query(self, params: Mapping[str, Any]) -> dict[str, Any]:
        tests = [
            _expression(params, word) for word in ("KeyConditionExpression", "FilterExpression") if params.get(word)
        ]
        items = [item for item in self._table(params) if all(holds(test, item) for test in tests)]
        return {"Items": items, "Count": len(items), "ScannedCount": len(items)}


def _condition(params: Mapping[str, Any]) -> Expression:
    return _expression(params, "ConditionExpression")


def _expression(params: Mapping[str, Any], word: str) -> Expression:
    names, values = params.get("ExpressionAttributeNames") or {}, params.get("ExpressionAttributeValues") or {}
    return Expression(text=str(params[word]), names=names, values=values)


def _marshalled(value: Any) -> dict[str, Any]:
    """Plain data as DynamoDB has it."""
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case int() | float():
            return {"N": str(value)}
        case list():
            return {"L": [_marshalled(one) for one in value]}
        case dict():
            return {"M": {name: _marshalled(one) for name, one in value.items()}}
        case _:
            return {"S": str(value)}
