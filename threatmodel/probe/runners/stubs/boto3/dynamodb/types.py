"""Python's values in DynamoDB's notation, and back."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

Binary = bytes


class TypeSerializer:
    """Writes values."""

    def serialize(self, value: Any) -> dict[str, Any]:
        """A value in DynamoDB's notation.  Raises TypeError, for a float too, as boto3 does."""
        match value:
            case None:
                return {"NULL": True}
            case bool():
                return {"BOOL": value}
            case int() | Decimal():
                return {"N": str(value)}
            case str():
                return {"S": value}
            case bytes() | bytearray():
                return {"B": base64.b64encode(bytes(value)).decode()}
            case set() | frozenset() if value:
                inner = [self.serialize(one) for one in value]
                letter = next(iter(inner[0]))
                return {f"{letter}S": sorted(one[letter] for one in inner)}
            case Mapping():
                return {"M": {str(key): self.serialize(held) for key, held in value.items()}}
            case list() | tuple():
                return {"L": [self.serialize(one) for one in value]}
        raise TypeError(f"Unsupported type {type(value).__name__} for DynamoDB")


class TypeDeserializer:
    """Reads values."""

    def deserialize(self, value: Mapping[str, Any]) -> Any:
        """A value in DynamoDB's notation as Python's own."""
        letter, held = next(iter(value.items()))
        match letter:
            case "NULL":
                return None
            case "N":
                return Decimal(held)
            case "B":
                return base64.b64decode(held) if isinstance(held, str) else held
            case "M":
                return {key: self.deserialize(one) for key, one in held.items()}
            case "L":
                return [self.deserialize(one) for one in held]
            case "SS" | "NS" | "BS":
                return {self.deserialize({letter[0]: one}) for one in held}
        return held
