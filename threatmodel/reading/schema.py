"""Shapes as JSON Schema, for editors."""

from __future__ import annotations

from typing import Any

from threatmodel.reading.shape import (
    Date,
    Either,
    Flag,
    Items,
    NamedItems,
    Number,
    Raw,
    Record,
    Shape,
    Text,
    Word,
)


def json_schema(shape: Shape) -> dict[str, Any]:  # noqa: C901 - one case a shape
    """The JSON Schema (draft 2020-12) of a shape."""
    match shape:
        case Flag():
            return {"type": "boolean"}
        case Number():
            return {"type": "integer", "minimum": shape.low, "maximum": shape.high}
        case Word() if shape.open:
            return {"anyOf": [{"enum": list(shape.words)}, {"type": "string", "pattern": f"^(?:{shape.likely})$"}]}
        case Word():
            return {"enum": list(shape.words)}
        case Date():
            return {"type": "string", "format": "date", "pattern": r"^\d{4}-\d{2}-\d{2}$"}
        case Text():
            pattern = f"^(?:{shape.pattern})$" if shape.pattern else r"\S"
            return {"type": "string", "maxLength": shape.longest, "pattern": pattern}
        case Items():
            least = {"minItems": shape.least} if shape.least else {}
            return {"type": "array", "items": json_schema(shape.of), **least}
        case NamedItems():
            names = {"pattern": "^" + shape.pattern.pattern.replace(r"\Z", "$"), "maxLength": shape.longest}
            return {"type": "object", "propertyNames": names, "additionalProperties": json_schema(shape.of)}
        case Either():
            return {"anyOf": [json_schema(shape.word), json_schema(shape.whole)]}
        case Record():
            return _record_schema(shape)
        case Raw():
            return {}


def _record_schema(shape: Record) -> dict[str, Any]:
    properties = {}
    for key in shape.keys:
        schema = json_schema(key.shape)
        if key.nullable:
            schema = {"anyOf": [schema, {"type": "null"}]}
        properties[key.name] = {"description": key.meaning, **schema} if key.meaning else schema
    required = [key.name for key in shape.keys if key.required]
    found: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**found, "required": required} if required else found
